"""For tests of watch --listen: the proxy as a process, a server that echoes, a lost write."""
import json
import os
import re
import signal
import socket
import subprocess
import threading

from harness import BINARY


class Echo:
    """A server that sends back what it gets, and says goodbye when the client has ended."""

    def __init__(self):
        self.socket = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client = self.socket.accept()[0]
            except OSError:
                return
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    @staticmethod
    def serve(client):
        with client:
            try:
                while data := client.recv(50000):
                    client.sendall(data)
                client.sendall(b"goodbye")
            except OSError:
                pass

    def close(self):
        self.socket.close()


class Proxy:
    def __init__(self, upstream, *options, host="127.0.0.1"):
        self.process = subprocess.Popen(
            [BINARY, "watch", "--listen", "127.0.0.1:0", "--upstream", "%s:%d" % (host, upstream), "--format", "json", "--no-search", *options],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        line = self.process.stderr.readline().decode()
        self.port = int(re.search(r"\(port (\d+)\)", line).group(1))

    def decoder(self):
        children = "/proc/%d/task/%d/children" % (self.process.pid, self.process.pid)
        with open(children, encoding="ascii") as file:
            return int(file.read().split()[0])

    def files(self):
        return len(os.listdir("/proc/%d/fd" % self.process.pid))

    def end(self):
        """(exit code, report, what it said)."""
        self.process.send_signal(signal.SIGINT)
        out, err = self.process.communicate(timeout=60)
        return self.process.returncode, json.loads(out) if out else None, err.decode()

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.communicate(timeout=60)


def received(connection):
    data = b""
    while piece := connection.recv(1 << 16):
        data += piece
    return data


def lose_a_write(connections):
    """Two sessions that both read 7 and both write 8."""
    cursors = [connection.cursor() for connection in connections]
    cursors[0].execute("CREATE TABLE counter (id int PRIMARY KEY, count int)")
    cursors[0].execute("INSERT INTO counter VALUES (1, 7)")
    for cursor in cursors:
        cursor.execute("SELECT id, count FROM counter WHERE id = %s", (1,))
        assert tuple(cursor.fetchone()) == (1, 7)
    for cursor in cursors:
        cursor.execute("UPDATE counter SET count = %s WHERE id = %s", (8, 1))
    for connection in connections:
        connection.close()
