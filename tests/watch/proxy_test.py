#!/usr/bin/env python3
"""watch --listen: every byte is forwarded as it is, whatever becomes of clients, server and decoder; what real servers are
asked through it is watched; a recording tells the same again."""
import json
import os
import pathlib
import random
import re
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest

TESTS = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TESTS), str(TESTS / "live")]
import servers
from harness import BINARY, main

CUT_CONNECTIONS = int(os.environ.get("LOSTWRITE_CUT_CONNECTIONS", "400")) # 10,000 take a quarter of a minute


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
    def __init__(self, upstream, *options):
        self.process = subprocess.Popen(
            [BINARY, "watch", "--listen", "127.0.0.1:0", "--upstream", "127.0.0.1:%d" % upstream, "--format", "json", "--no-search", *options],
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


class Forwarding(unittest.TestCase):
    def setUp(self):
        self.echo = Echo()
        self.addCleanup(self.echo.close)
        self.proxy = Proxy(self.echo.port)
        self.addCleanup(self.proxy.kill)

    def connect(self):
        return socket.create_connection(("127.0.0.1", self.proxy.port), timeout=30)

    def check_echo(self, size=200):
        with self.connect() as connection:
            data = os.urandom(size)
            sender = threading.Thread(target=lambda: (connection.sendall(data), connection.shutdown(socket.SHUT_WR)))
            sender.start()
            self.assertEqual(received(connection), data + b"goodbye")
            sender.join()

    def wait_for(self, condition):
        for _ in range(200):
            if condition():
                return
            time.sleep(0.05)
        self.fail("it does not come true")

    def test_bytes_and_ends(self):
        for size in (0, 1, 70000, 3000000):
            self.check_echo(size)
        code, report, said = self.proxy.end()
        self.assertEqual(code, 0, said)
        self.assertIn("4 connections", said)
        self.assertEqual(report["losses"], [])

    def test_connections_cut_anywhere(self):
        before, rng, kept = self.proxy.files(), random.Random(5), []
        for i in range(CUT_CONNECTIONS):
            connection = self.connect()
            connection.sendall(os.urandom(rng.randrange(1, 3000)))
            if rng.random() < 0.5:
                connection.recv(rng.randrange(1, 2000))
            if rng.random() < 0.3: # cut off, not ended
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            if rng.random() < 0.1:
                kept.append(connection)
            else:
                connection.close()
        self.check_echo(100000)
        for connection in kept:
            connection.close()
        self.wait_for(lambda: self.proxy.files() == before)
        code, _, said = self.proxy.end()
        self.assertEqual(code, 0, said)
        self.assertIn("%d connections" % (CUT_CONNECTIONS + 1), said)

    def test_it_outlives_a_hangup_and_its_decoder(self):
        with self.connect() as connection:
            connection.sendall(b"one")
            self.assertEqual(connection.recv(3), b"one")
            self.proxy.process.send_signal(signal.SIGHUP)
            os.kill(self.proxy.decoder(), signal.SIGKILL)
            time.sleep(0.5)
            connection.sendall(b"two")
            self.assertEqual(connection.recv(3), b"two")
            self.check_echo()
        code, report, said = self.proxy.end()
        self.assertEqual((code, report), (2, None))
        self.assertIn("the decoder died", said)

    def test_a_server_that_is_not_there(self):
        self.echo.close()
        self.wait_for(self.is_refused)
        code, _, said = self.proxy.end()
        self.assertEqual(code, 0, said)
        self.assertIn("that the server did not take", said)

    def is_refused(self):
        try:
            with self.connect() as connection:
                connection.sendall(b"x")
                return connection.recv(1) == b""
        except OSError:
            return True


class Usage(unittest.TestCase):
    def test_errors(self):
        for arguments, message in ((["--listen", ":0"], "belong together"), (["--listen", "x", "--upstream", "localhost:1"], "no address"),
                                   (["--listen", ":0", "--upstream", "localhost:1", "a.log"], "reads no files"),
                                   (["--record", "x", "a.log"], "for a proxy")):
            done = subprocess.run([BINARY, "watch", *arguments], capture_output=True, timeout=60)
            self.assertEqual(done.returncode, 2, arguments)
            self.assertIn(message, done.stderr.decode())


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


class RealServers(unittest.TestCase):
    def check_server(self, server, connect):
        with tempfile.TemporaryDirectory() as folder:
            recording = os.path.join(folder, "recorded")
            proxy = Proxy(server.port, "--record", recording)
            self.addCleanup(proxy.kill)
            lose_a_write([connect(proxy.port), connect(proxy.port)])
            code, report, said = proxy.end()
            self.assertEqual(code, 1, said)
            again = subprocess.run([BINARY, "watch", "--no-search", "--format", "json", recording], capture_output=True, timeout=60)
            for told in (report, json.loads(again.stdout)):
                self.assertEqual([(loss["code"], loss["evidence"], loss["table"], loss["columns"]) for loss in told["losses"]],
                                 [("LW003", "arithmetic", "counter", ["count"])])
                self.assertEqual(told["summary"]["gaps"], 0, told["gaps"])
                self.assertEqual([step["did"] for step in told["losses"][0]["examples"][0]["steps"]], ["read", "read", "write", "write"])

    def test_postgresql(self):
        import psycopg2

        def connect(port):
            connection = psycopg2.connect(host="127.0.0.1", port=port, user="lab", dbname="postgres")
            connection.autocommit = True
            return connection

        with servers.PostgreSQL() as server:
            self.check_server(server, connect)

    def test_mariadb(self):
        import MySQLdb

        with servers.MariaDB() as server:
            server.create_database("shop")
            self.check_server(server, lambda port: MySQLdb.connect(host="127.0.0.1", port=port, user="root", database="shop", autocommit=True))


if __name__ == "__main__":
    main("proxy")
