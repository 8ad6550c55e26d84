#!/usr/bin/env python3
"""Logs of a real PostgreSQL, in all formats and with many a log_line_prefix: what is read from them is what was sent."""
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

# Guessed and given; all of them tell sessions.
PREFIXES = [
    "%m [%p] ",
    "%m [%p] %q%u@%d ",
    "%t [%p]: [%l-1] user=%u,db=%d,app=%a,client=%h ",
    "%t:%r:%u@%d:[%p]:",
    "%m:%r:%u@%d:[%p]:%l:%e:%s:%v:%x:%c:%q%a:",
    "%t-%c-",
    "%n %p %e ",
    "pid=%p,user=%u,db=%d,e=%e,xid=%x,t=%m ",
    "%m|%c|%b|%u|%d|",
    "[%p] %n %q[%i] ",
]
# Whose fields can't be told by looking.
GIVEN_ONLY = ["%m %u %d %h %p %P %i %Q %a> ", "%-6p|%10u|%m|%-20a| "]

MODES = {
    "statement": "-c log_statement=all",
    "duration": "-c log_min_duration_statement=0",
    "both": "-c log_statement=all -c log_duration=on",
    "both, with texts": "-c log_statement=all -c log_min_duration_statement=0",
    "mod": "-c log_statement=mod -c log_min_duration_statement=0",
}


class Libpq:
    """The extended protocol, which psycopg2 does not speak."""

    def __init__(self, conninfo):
        self.lib = ctypes.CDLL("libpq.so.5")
        for name in ("PQconnectdb", "PQexec", "PQexecParams", "PQprepare", "PQexecPrepared"):
            getattr(self.lib, name).restype = ctypes.c_void_p
        for name in ("PQstatus", "PQbackendPID", "PQfinish"):
            getattr(self.lib, name).argtypes = [ctypes.c_void_p]
        self.lib.PQresultStatus.argtypes = self.lib.PQclear.argtypes = [ctypes.c_void_p]
        self.connection = ctypes.c_void_p(self.lib.PQconnectdb(conninfo.encode()))
        assert self.lib.PQstatus(self.connection) == 0
        self.pid = self.lib.PQbackendPID(self.connection)

    def done(self, result):
        ok = self.lib.PQresultStatus(result) in (1, 2)
        self.lib.PQclear(result)
        return ok

    @staticmethod
    def values(params):
        return (ctypes.c_char_p * len(params))(*[None if p is None else p.encode() for p in params])

    def execute(self, sql, params):
        return self.done(self.lib.PQexecParams(self.connection, sql.encode(), len(params), None,
                                               self.values(params), None, None, 0))

    def prepare(self, name, sql):
        return self.done(self.lib.PQprepare(self.connection, name.encode(), sql.encode(), 0, None))

    def execute_prepared(self, name, params):
        return self.done(self.lib.PQexecPrepared(self.connection, name.encode(), len(params),
                                                 self.values(params), None, None, 0))

    def close(self):
        self.lib.PQfinish(self.connection)


class Logging:
    """What a server is started with, and how its log goes on in other files."""

    def command(self):
        os.makedirs(os.path.join(self.folder, "log"), exist_ok=True)
        os.chmod(os.path.join(self.folder, "log"), 0o777)
        settings = {
            "logging_collector": "on", "log_destination": "stderr,csvlog,jsonlog", "log_directory":
            os.path.join(self.folder, "log"), "log_filename": "first.log", "log_file_mode": "0644",
            "log_rotation_age": "0", "log_rotation_size": "0", "log_timezone": "Europe/Berlin",
        }
        command = super().command()
        for name, value in settings.items():
            if name not in ("log_filename", "log_timezone"):
                command += ["-c", "%s=%s" % (name, value)]
        return command

    def begin_log(self, name, prefix):
        """What is logged from now on goes to files of this name; the paths of the three of them."""
        admin = self.connect()
        cursor = admin.cursor()
        for setting, value in (("log_filename", name + ".log"), ("log_line_prefix", prefix),
                               ("log_timezone", "Europe/Berlin")):
            cursor.execute("ALTER SYSTEM SET %s = %%s" % setting, (value,))
        cursor.execute("SELECT pg_reload_conf()")
        base = os.path.join(self.folder, "log", name)
        paths = [base + ".log", base + ".csv", base + ".json"]
        deadline = time.monotonic() + 20
        while not all(os.path.exists(path) for path in paths):
            assert time.monotonic() < deadline, paths
            time.sleep(0.02)
        # The backend that is asked has read the settings, too.
        while True:
            fresh = self.connect()
            ask = fresh.cursor()
            ask.execute("SHOW log_line_prefix")
            got = ask.fetchone()[0]
            fresh.close()
            if got == prefix:
                break
        admin.close()
        return paths


class Server(Logging, servers.PostgreSQL):
    pass


class Server18(Logging, servers.PostgreSQL18):
    pass


def settled(paths):
    """When the collector has written all."""
    before = None
    for _ in range(200):
        time.sleep(0.05)
        now = [os.path.getsize(path) for path in paths]
        if now == before:
            return
        before = now


def events_of(path, *options):
    done = subprocess.run([str(TOOL), *options, path], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
    assert done.returncode == 0, done.stderr.decode()
    return [json.loads(line) for line in done.stdout.decode().splitlines()], done.stderr.decode().strip()


def folded(events):
    """{session: [(sql, params, outcome, code)]}, with outcomes told later put to their statements."""
    sessions = {}
    for event in events:
        if event["kind"] == "statement":
            params = event.get("params")
            sessions.setdefault(event["session"], []).append(
                [event["sql"], params, event.get("outcome"), event.get("code")])
        elif event["kind"] == "outcome":
            last = sessions[event["session"]][-1]
            assert last[2] is None, last
            last[2:] = event["outcome"], event.get("code")
    return sessions


def by_session(events, *left_out):
    """Each session's events: sessions come in another order in each format's file."""
    sessions = {}
    for event in events:
        kept = {key: value for key, value in event.items() if key not in ("offset", "line", "file", "session") + left_out}
        sessions.setdefault(event["session"], []).append(kept)
    return comparable(sessions.values())


def comparable(sessions):
    return sorted(sessions, key=lambda statements: json.dumps(statements))


class Session:
    """Sends, and keeps what it sent: [sql, params, outcome, code] as an ideal log would tell it."""

    def __init__(self, server, mode, name):
        self.sent = []
        self.options = MODES[mode]
        self.server = server
        self.name = name

    def simple(self):
        import psycopg2
        connection = psycopg2.connect(host="127.0.0.1", port=self.server.port, user="lab", dbname="postgres",
                                      options=self.options, application_name=self.name)
        connection.autocommit = True
        cursor = connection.cursor()

        def run(sql):
            try:
                cursor.execute(sql)
                self.sent.append([sql, None, "ok", None])
            except psycopg2.Error as error:
                self.sent.append([sql, None, "failed", error.pgcode])

        for sql in ("SELECT 1", "BEGIN", "UPDATE counter SET n = n + 1 WHERE id = 1 /* file:'a.py:7' */", "COMMIT",
                    "SELECT\n  'a\ttab', \"n\"\n\n\tFROM counter\nWHERE s = E'q\\'uote \"x\", y'", "SELECT 1/0",
                    "SELEKT 2", "INSERT INTO counter (id, n) VALUES (1, 5)", "BEGIN ISOLATION LEVEL SERIALIZABLE",
                    "SELECT n FROM nowhere", "SELECT 3", "ROLLBACK", "SELECT '\u00e9\u4e2d', '%s'" % ("x" * 3000),
                    "SELECT 4; SELECT 5", "SELECT $$ duration: 1 ms  statement: no $$", "PREPARE p AS SELECT 7",
                    "EXECUTE p"):
            run(sql)
        connection.close()

    def extended(self):
        connection = Libpq("host=127.0.0.1 port=%d user=lab dbname=postgres application_name=%s options='%s'"
                           % (self.server.port, self.name, self.options.replace("'", "\\'")))

        def run(sql, params, code=None):
            ok = connection.execute(sql, params)
            self.sent.append([sql, params, "ok" if ok else "failed", None if ok else code])
            return ok

        run("SELECT n FROM counter WHERE id = $1 AND s = $2", ["1", "it's \"7\", $2 = 'no'\nnext\tline"])
        run("UPDATE counter SET s = $2 WHERE id = $1::int", ["1", None])
        run("SELECT $1::text", [""])
        run("SELECT 1", [])
        run("INSERT INTO counter (id) VALUES ($1)", ["1"], "23505")
        assert connection.prepare("st", "SELECT n + $1::int FROM counter")
        for value in ("1", "2"):
            connection.execute_prepared("st", [value])
            self.sent.append(["SELECT n + $1::int FROM counter", [value], "ok", None])
        connection.close()


class Logs:
    """On each version the same."""

    server_class = None

    @classmethod
    def setUpClass(cls):
        cls.server = cls.server_class()
        try:
            cls.server.start()
        except servers.ServerError as error:
            raise unittest.SkipTest(str(error))
        cursor = cls.server.connect().cursor()
        cursor.execute("CREATE TABLE counter (id int PRIMARY KEY, n int DEFAULT 0, s text)")
        cursor.execute("INSERT INTO counter VALUES (1, 0, 'a')")

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()

    def run_sessions(self, mode):
        sessions = []
        threads = []
        for i in range(2):
            for kind in (Session.simple, Session.extended):
                session = Session(self.server, mode, "worker %d" % i if kind is Session.simple else "worker%d" % i)
                sessions.append(session)
                threads.append(threading.Thread(target=kind, args=(session,)))
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return [session.sent for session in sessions]

    def expected(self, sent, mode):
        """What this mode's log says of what was sent."""
        result = []
        for session in sent:
            told = []
            for sql, params, outcome, code in session:
                if outcome == "ok" and mode == "statement":
                    outcome = None
                # Values of a failed statement stand in the entry of its execution, which is logged when it begins.
                if outcome == "failed" and params and mode in ("duration", "mod") and not (
                        mode == "mod" and sql.startswith(("INSERT", "UPDATE"))):
                    params = None
                told.append([sql, params or None, outcome, code])
            result.append(told)
        return result

    def check(self, path, mode, sent, *options, with_code=True):
        events, name = events_of(path, *options)
        gaps = [event for event in events if event["kind"] == "gap"]
        self.assertEqual(gaps, [], path)
        got = list(folded(events).values())
        want = self.expected(sent, mode)
        # log_min_error_statement tells the text of a statement that can't be parsed; log_statement doesn't.
        self.maxDiff = None
        self.assertEqual(comparable(got), comparable(want), "%s %s" % (path, name))
        return events, name

    def test_modes(self):
        for number, mode in enumerate(MODES):
            paths = self.server.begin_log("mode%d" % number, "%m [%p] %q%u@%d/%a ")
            sent = self.run_sessions(mode)
            settled(paths)
            with self.subTest(mode):
                plain, name = self.check(paths[0], mode, sent, "--prefix", "%m [%p] %q%u@%d/%a ")
                csv, csv_name = self.check(paths[1], mode, sent)
                as_json, json_name = self.check(paths[2], mode, sent)
                self.assertEqual((csv_name, json_name), ("postgresql-csv", "postgresql-json"))
                self.assertEqual(by_session(csv), by_session(as_json))
                self.assertEqual(by_session(plain, "code"), by_session(csv, "code"))
                now = time.time()
                for event in csv:
                    self.assertLess(abs(event["time_us"] / 1e6 - now), 300)

    def test_prefixes(self):
        newer = ["%m [%p] %L %q%u@%d "] if self.server_class is Server18 else []
        for number, prefix in enumerate(PREFIXES + GIVEN_ONLY + newer):
            paths = self.server.begin_log("prefix%d" % number, prefix)
            sent = self.run_sessions("both")
            settled(paths)
            with self.subTest(prefix):
                events, _ = self.check(paths[0], "both", sent, "--prefix", prefix)
                if prefix in PREFIXES:
                    guessed, name = self.check(paths[0], "both", sent)
                    self.assertEqual(name, "postgresql-stderr")
                    plain = lambda events: [event for event in events if event["kind"] != "session"]
                    self.assertEqual(by_session(plain(events)), by_session(plain(guessed)))
                applications = {event.get("application") for event in events if event["kind"] == "session"}
                if "%a" in prefix:
                    self.assertEqual(applications - {None}, {"worker 0", "worker 1", "worker0", "worker1"})

    def test_verbose(self):
        paths = self.server.begin_log("verbose", "%m [%p] ")
        MODES["verbose"] = MODES["both"] + " -c log_error_verbosity=verbose"
        sent = self.run_sessions("verbose")
        settled(paths)
        for path in paths:
            self.check(path, "verbose", sent)

    def test_pieces(self):
        prefix = "%m [%p] %q%u@%d "
        paths = self.server.begin_log("pieces", prefix)
        self.run_sessions("both, with texts")
        settled(paths)
        for path in paths:
            whole, _ = events_of(path)
            for piece in ("1", "2", "7", "1000"):
                self.assertEqual(events_of(path, "--piece", piece)[0], whole, "%s in pieces of %s" % (path, piece))

    def test_connections(self):
        prefix = "%m [%p] "
        paths = self.server.begin_log("connections", prefix)
        admin = self.server.connect().cursor()
        admin.execute("ALTER SYSTEM SET log_connections = on")
        admin.execute("ALTER SYSTEM SET log_disconnections = on")
        admin.execute("SELECT pg_reload_conf()")
        time.sleep(0.2)
        sent = self.run_sessions("duration")
        admin.execute("ALTER SYSTEM RESET log_connections")
        admin.execute("ALTER SYSTEM RESET log_disconnections")
        admin.execute("SELECT pg_reload_conf()")
        settled(paths)
        for path in paths:
            events, _ = self.check(path, "duration", sent)
            ended = [event["session"] for event in events if event["kind"] == "end"]
            self.assertEqual(len(ended), len(set(ended)))
            self.assertTrue(set(folded(events)) <= set(ended))
            told = {event["session"]: event for event in events if event["kind"] == "session" and "application" in event}
            for number in folded(events):
                self.assertEqual((told[number]["user"], told[number]["database"]), ("lab", "postgres"))
                self.assertTrue(told[number]["application"].startswith("worker"))

    def test_cut_parameters(self):
        paths = self.server.begin_log("cut", "%m [%p] ")
        connection = Libpq("host=127.0.0.1 port=%d user=lab dbname=postgres options='%s'"
                           % (self.server.port, "-c log_statement=all -c log_parameter_max_length=4"))
        connection.execute("SELECT $1::text, $2::int", ["abcdefgh", "12"])
        connection.close()
        settled(paths)
        for path in paths:
            events, _ = events_of(path)
            self.assertEqual([event["params"] for event in events if event["kind"] == "statement"], [[False, "12"]])


class PostgreSQLLogs(Logs, unittest.TestCase):
    server_class = Server


class PostgreSQL18Logs(Logs, unittest.TestCase):
    server_class = Server18


if __name__ == "__main__":
    harness.main("logs/postgresql")
