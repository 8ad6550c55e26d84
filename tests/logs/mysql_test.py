#!/usr/bin/env python3
"""The general and the slow log of a real MariaDB and a real MySQL: what is read from them is what was sent."""
import ctypes
import json
import os
import pathlib
import subprocess
import sys
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "live"))
import harness
import servers

TOOL = pathlib.Path(harness.BINARY).resolve().parent / "tests" / "logs" / "logevents"
LOGS = ["--general-log=1", "--general-log-file=general.log", "--slow-query-log=1",
        "--slow-query-log-file=slow.log", "--long-query-time=0"]


class MariaDB(servers.MariaDB):
    def command(self):
        return super().command() + LOGS


class MySQL(servers.MySQL):
    def command(self):
        return super().command() + LOGS


def events_of(path, *options):
    done = subprocess.run([str(TOOL), *options, path], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
    assert done.returncode == 0, done.stderr.decode()
    return [json.loads(line) for line in done.stdout.decode().splitlines()], done.stderr.decode().strip()


def statements_of(events):
    """{session: [[sql, rows]]}"""
    sessions = {}
    for event in events:
        if event["kind"] == "statement":
            sessions.setdefault(event["session"], []).append([event["sql"], event.get("row_count")])
    return sessions


# SQL, and how many rows it returns or changes; None: it fails.
STATEMENTS = [
    ("SELECT 1", 1),
    ("START TRANSACTION", 0),
    ("UPDATE counter SET n = n + 1 WHERE id = 1 /* file:'a.py:7' */", 1),
    ("COMMIT", 0),
    ("SELECT\n  'a\ttab', `n`\n\n\tFROM counter\nWHERE s = 'q''uote; # User@Host: no'\n# a comment", 0),
    ("SELECT n FROM nowhere", None),
    ("SELEKT 2", None),
    ("INSERT INTO counter (id, n) VALUES (1, 5)", None),
    ("SELECT '\u00e9\u4e2d%s'" % ("x" * 3000), 1),
    ("USE test", 0),
    ("SELECT ';\n'", 1),
    ("SET @a = 7", 0),
]


class Session:
    def __init__(self, server, number):
        self.server = server
        self.number = number
        self.sent = []

    def run(self):
        import MySQLdb
        connection = self.server.connect("shop")
        self.id = connection.thread_id()
        cursor = connection.cursor()
        mark = "SELECT 'session %d'" % self.number
        for sql, rows in [(mark, 1)] + STATEMENTS:
            try:
                cursor.execute(sql)
                cursor.fetchall()
                self.sent.append([sql, rows])
                assert rows is not None, sql
            except MySQLdb.Error:
                assert rows is None, sql
                self.sent.append([sql, None])
        connection.close()


class Bind(ctypes.Structure):
    """MYSQL_BIND of MariaDB Connector/C (ma_stmt.h)."""

    _fields_ = [("length", ctypes.c_void_p), ("is_null", ctypes.c_void_p), ("buffer", ctypes.c_void_p)] + [
        (name, ctypes.c_void_p) for name in ("error", "row_ptr", "store", "fetch", "skip")] + [
        (name, ctypes.c_ulong) for name in ("buffer_length", "offset", "length_value")] + [
        (name, ctypes.c_uint) for name in ("flags", "pack_length", "buffer_type")] + [
        (name, ctypes.c_char) for name in ("error_value", "is_unsigned", "long_data_used", "is_null_value")] + [
        ("extension", ctypes.c_void_p)]


class Client:
    """The binary protocol, which mysqlclient does not speak."""

    TYPE_LONGLONG, TYPE_NULL, TYPE_STRING = 8, 6, 254

    def __init__(self, port):
        self.lib = ctypes.CDLL("libmariadb.so.3")
        for name in ("mysql_init", "mysql_real_connect", "mysql_stmt_init", "mysql_stmt_error"):
            getattr(self.lib, name).restype = ctypes.c_void_p
        self.handle = ctypes.c_void_p(self.lib.mysql_init(None))
        assert self.lib.mysql_real_connect(self.handle, b"127.0.0.1", b"root", b"", b"shop", port, None, ctypes.c_ulong(0))

    def execute(self, sql, params):
        statement = ctypes.c_void_p(self.lib.mysql_stmt_init(self.handle))
        text = sql.encode()
        assert self.lib.mysql_stmt_prepare(statement, text, ctypes.c_ulong(len(text))) == 0, sql
        binds = (Bind * max(len(params), 1))()
        kept = []
        for bind, value in zip(binds, params):
            if isinstance(value, int):
                data, bind.buffer_type = ctypes.c_longlong(value), self.TYPE_LONGLONG
            else:
                data = ctypes.create_string_buffer((value or "").encode())
                bind.buffer_type = self.TYPE_NULL if value is None else self.TYPE_STRING
                bind.buffer_length = len((value or "").encode())
            kept.append(data)
            bind.buffer = ctypes.addressof(data)
        if params:
            assert self.lib.mysql_stmt_bind_param(statement, binds) == 0
        assert self.lib.mysql_stmt_execute(statement) == 0, sql
        self.lib.mysql_stmt_close(statement)

    def close(self):
        self.lib.mysql_close(self.handle)


class Logs:
    """What each server does."""

    server_class = None

    @classmethod
    def setUpClass(cls):
        cls.server = cls.server_class()
        try:
            cls.server.start()
        except servers.ServerError as error:
            raise unittest.SkipTest(str(error))
        cursor = cls.server.connect().cursor()
        for sql in ("CREATE DATABASE shop", "CREATE DATABASE IF NOT EXISTS test",
                    "CREATE TABLE shop.counter (id int PRIMARY KEY, n int DEFAULT 0, s text)",
                    "INSERT INTO shop.counter VALUES (1, 0, 'a')",
                    "CREATE TABLE test.counter (id int PRIMARY KEY, n int)"):
            cursor.execute(sql)
        cls.sessions = [Session(cls.server, number) for number in range(3)]
        threads = [threading.Thread(target=session.run) for session in cls.sessions]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        cls.run_prepared()
        # A session is gone when its end is logged.
        for _ in range(200):
            cursor.execute("SELECT COUNT(*) FROM information_schema.processlist WHERE id <> CONNECTION_ID() AND db IN ('shop', 'test')")
            if cursor.fetchone()[0] == 0:
                break
            time.sleep(0.05)

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()

    @classmethod
    def run_prepared(cls):
        """By SQL, and by the binary protocol."""
        connection = cls.server.connect("shop")
        cursor = connection.cursor()
        cursor.execute("SELECT 'prepared'")
        cursor.execute("PREPARE p FROM 'UPDATE counter SET n = ? WHERE id = ?'")
        cursor.execute("SET @n = 7, @id = 1")
        cursor.execute("EXECUTE p USING @n, @id")
        cursor.execute("SELECT n FROM counter")
        connection.close()
        client = Client(cls.server.port)
        client.execute("SELECT 'binary'", [])
        for number in (8, 9):
            client.execute("UPDATE counter SET n = ?, s = ? WHERE id = ?", [number, "it's\n\"" if number == 8 else None, 1])
        client.close()

    def path(self, name):
        return os.path.join(self.server.folder, "data", name)

    def marked(self, sessions, mark):
        found = [statements for statements in sessions.values() if any(sql == mark for sql, _ in statements)]
        self.assertEqual(len(found), 1, mark)
        at = [sql for sql, _ in found[0]].index(mark)
        return found[0][at:]

    def read(self, name, kind):
        events, read_as = events_of(self.path(name))
        self.assertEqual(read_as, kind)
        gaps = [event for event in events if event["kind"] == "gap" and event["bytes"] > 0]
        self.assertEqual(gaps, [])
        now = time.time()
        for event in events:
            if event["kind"] == "statement":
                self.assertLess(abs(event["time_us"] / 1e6 - now), 300)
        return events

    def test_general(self):
        events = self.read("general.log", "mysql-general")
        sessions = statements_of(events)
        for session in self.sessions:
            got = self.marked(sessions, session.sent[0][0])
            # MySQL logs what it could parse.
            self.assertEqual([sql for sql, _ in got], [sql for sql, _ in session.sent if sql != self.not_logged])
        got = [sql for sql, _ in self.marked(sessions, "SELECT 'prepared'")]
        self.assertEqual(got[2:], ["SET @n = 7, @id = 1", "UPDATE counter SET n = 7 WHERE id = 1", "SELECT n FROM counter"])
        told = [event for event in events if event["kind"] == "session"]
        self.assertIn(("root", "shop"), {(event.get("user"), event.get("database")) for event in told})
        ended = [event["session"] for event in events if event["kind"] == "end"]
        for number, statements in sessions.items():
            if any(sql.startswith("SELECT 'session") for sql, _ in statements):
                self.assertIn(number, ended)

    def test_slow(self):
        events = self.read("slow.log", "mysql-slow")
        sessions = statements_of(events)
        for session in self.sessions:
            got = self.marked(sessions, session.sent[0][0])
            # What cannot be parsed is in no slow log; MySQL leaves out what fails before it runs, too.
            names = [sql for sql, _ in got]
            wanted = [[sql, rows] for sql, rows in session.sent if rows is not None or sql in names]
            self.assertEqual(names, [sql for sql, _ in wanted])
            for (sql, rows), (_, wanted_rows) in zip(got, wanted):
                if wanted_rows is not None and sql.startswith("SELECT"):
                    self.assertEqual(rows, wanted_rows, sql)
                if sql.startswith("UPDATE"):
                    self.assertEqual(rows, self.update_rows, sql)
        got = [sql for sql, _ in self.marked(sessions, "SELECT 'prepared'")]
        self.assertIn("UPDATE counter SET n = 7 WHERE id = 1", [sql for sql in got if "EXECUTE" not in sql])
        ended = {event["session"] for event in events if event["kind"] == "end"}
        self.assertGreaterEqual(len(ended), self.ended_min)

    def test_binary(self):
        wanted = [r"""UPDATE counter SET n = 8, s = 'it\'s\n\"' WHERE id = 1""",
                  "UPDATE counter SET n = 9, s = NULL WHERE id = 1"]
        for name, kind in (("general.log", "mysql-general"), ("slow.log", "mysql-slow")):
            got = self.marked(statements_of(self.read(name, kind)), "SELECT 'binary'")
            self.assertEqual([sql for sql, _ in got[1:]], wanted)

    def test_pieces(self):
        for name in ("general.log", "slow.log"):
            whole, _ = events_of(self.path(name))
            for piece in ("1", "3", "64", "1000"):
                self.assertEqual(events_of(self.path(name), "--piece", piece)[0], whole)


class MariaDBLogs(Logs, unittest.TestCase):
    server_class = MariaDB
    update_rows = 1
    ended_min = 0
    not_logged = None


class MySQLLogs(Logs, unittest.TestCase):
    server_class = MySQL
    update_rows = None  # MySQL's slow log does not tell how many rows were changed
    ended_min = 4
    not_logged = "SELEKT 2"


if __name__ == "__main__":
    harness.main("logs/mysql")
