#!/usr/bin/env python3
"""watch --listen: every byte is forwarded as it is, whatever becomes of clients, server and decoder; what real servers are
asked through it is watched; a recording tells the same again."""
import json
import os
import pathlib
import random
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
from proxying import Echo, Proxy, lose_a_write, received

CUT_CONNECTIONS = int(os.environ.get("LOSTWRITE_CUT_CONNECTIONS", "400")) # 10,000 take a quarter of a minute


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


class Addresses(unittest.TestCase):
    """Without a host, this machine is ::1 and 127.0.0.1, in this order."""

    def check_reached(self, port, seconds_max):
        proxy = Proxy(port, host="")
        self.addCleanup(proxy.kill)
        for _ in range(2): # the second at once where the first succeeded
            began = time.monotonic()
            with socket.create_connection(("127.0.0.1", proxy.port), timeout=30) as connection:
                connection.sendall(b"hello")
                connection.shutdown(socket.SHUT_WR)
                self.assertEqual(received(connection), b"hellogoodbye")
            self.assertLess(time.monotonic() - began, seconds_max)
            seconds_max = 2
        code, _, said = proxy.end()
        self.assertEqual(code, 0, said)
        self.assertNotIn("did not take", said)

    def test_one_that_refuses(self):
        echo = Echo()
        self.addCleanup(echo.close)
        self.check_reached(echo.port, 2)

    def test_one_that_is_silent(self):
        echo = Echo()
        self.addCleanup(echo.close)
        try:
            silent = socket.create_server(("::1", echo.port), family=socket.AF_INET6, backlog=0)
        except OSError as error:
            self.skipTest("no IPv6: %s" % error)
        with silent, socket.create_connection(("::1", echo.port)): # its queue is full: who comes hears nothing
            self.check_reached(echo.port, 10)


class Usage(unittest.TestCase):
    def test_errors(self):
        for arguments, message in ((["--listen", ":0"], "belong together"), (["--listen", "x", "--upstream", "localhost:1"], "no address"),
                                   (["--listen", ":0", "--upstream", "localhost:1", "a.log"], "reads no files"),
                                   (["--record", "x", "a.log"], "for a proxy")):
            done = subprocess.run([BINARY, "watch", *arguments], capture_output=True, timeout=60)
            self.assertEqual(done.returncode, 2, arguments)
            self.assertIn(message, done.stderr.decode())


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
