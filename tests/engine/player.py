"""Plays sessions, statement by statement, on real databases: PostgreSQL, MariaDB, MySQL, SQLite's own library.

    with Lab() as lab:
        with lab.player("mariadb repeatable read", schema) as player:
            player.play("A", "begin")      ->  [("A", "begin", "affected 0")]

`play` answers what the statement did, in the form of transcripts/README.md, and how the statements ended that it
let go on. A server starts with the first player that needs it, in a temporary folder, and ends with the lab.
"""

import ctypes
import ctypes.util
import os
import queue
import re
import sqlite3
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "live"))
import servers

DEFAULT_SCHEMA = [
    "CREATE TABLE t (id integer PRIMARY KEY, n integer, v integer)",
    "CREATE TABLE c (id serial PRIMARY KEY, tid integer, FOREIGN KEY (tid) REFERENCES t (id))",
    "INSERT INTO t VALUES (1, 1, 0), (2, 5, 0)",
]
SERIAL = {"mariadb": "integer AUTO_INCREMENT", "mysql": "integer AUTO_INCREMENT", "sqlite": "integer"}
SETTLED_S = 0.030  # waiting for this long: no deadlock check is still to come
ANSWER_S_MAX = 30
LOCK_WAIT_S = 2  # what a server's own timeout is set to where a wait is to be waited out


class PlayError(Exception):
    pass


class Session(threading.Thread):
    """A connection with a thread of its own; its answers and waits arrive in `events`."""

    def __init__(self, side):
        super().__init__(daemon=True)
        self.side = side
        self.sql = None  # while it runs
        self.statements, self.events = queue.Queue(), queue.Queue()
        self.connection = side.connect(self)
        self.start()

    def run(self):
        while True:
            sql = self.statements.get()
            if sql is None:
                return
            self.events.put(self.side.execute(self.connection, sql))

    def answer_within(self, seconds):
        try:
            return self.events.get(timeout=seconds)
        except queue.Empty:
            return None


def rows_text(rows):
    def text(value):
        if value is None or isinstance(value, bool):
            return {None: None, True: "true", False: "false"}[value]
        return str(value)

    return repr([tuple(text(value) for value in row) for row in rows])


# ---- the databases ----


class Server:
    """What the two servers share: who waits is asked over a connection of its own."""

    def settle(self, session, _is_first):
        """The session's answer, or None if it waits for another."""
        began, waiting_since = time.monotonic(), None
        while True:
            answer = session.answer_within(0.001)
            if answer is not None:
                return answer
            now = time.monotonic()
            if now - began > ANSWER_S_MAX:
                raise PlayError("no answer: %s" % session.sql)
            if not self.is_waiting(session):
                waiting_since = None
            elif waiting_since is None:
                waiting_since = now
            elif now - waiting_since > SETTLED_S:
                return None

    def outwait(self, session):
        return session.answer_within(ANSWER_S_MAX)

    def close(self, sessions):
        for session in sessions:
            session.statements.put(None)
            if session.sql is not None:
                self.cancel(session)
        for session in sessions:
            session.join(ANSWER_S_MAX)
            session.connection.close()
        self.control.close()


class PostgreSQL(Server):
    def __init__(self, server, settings, schema):
        self.server, self.level = server, " ".join(w for w in settings if w not in ("django", "index_scans"))
        self.begin = "begin isolation level " + self.level if "django" in settings else "begin"
        self.index_scans = "index_scans" in settings
        self.control = server.connect()
        self.cursor = self.control.cursor()
        self.cursor.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        for sql in schema:
            self.cursor.execute(sql)
            words = sql.split()
            if words[:2] == ["INSERT", "INTO"]:
                self.bump_serial(words[2])

    def bump_serial(self, table):
        """What db_load does: no program should run into the keys of initial rows."""
        self.cursor.execute("SELECT pg_get_serial_sequence(%s, 'id')", (table,))
        sequence = self.cursor.fetchone()[0]
        if sequence:
            self.cursor.execute("SELECT setval(%%s, (SELECT coalesce(max(id), 0) + 1 FROM %s), false)"
                                % table, (sequence,))

    def connect(self, session):
        connection = self.server.connect()
        if self.begin == "begin":
            connection.cursor().execute("SET default_transaction_isolation = '%s'" % self.level)
        if self.index_scans:
            connection.cursor().execute("SET enable_seqscan = off; SET enable_bitmapscan = off")
        session.pid = connection.get_backend_pid()
        return connection

    def execute(self, connection, sql):
        import psycopg2

        cursor = connection.cursor()
        try:
            cursor.execute(self.begin if sql.lower() == "begin" else sql)
            return cursor.statusmessage if cursor.description is None else rows_text(cursor)
        except psycopg2.Error as error:
            return "ERR %s %s" % (error.pgcode, str(error).split("\n")[0])

    def is_waiting(self, session):
        self.cursor.execute("SELECT cardinality(pg_blocking_pids(%s))", (session.pid,))
        return self.cursor.fetchone()[0] > 0

    def cancel(self, session):
        session.connection.cancel()


class MariaDB(Server):
    def __init__(self, server, settings, schema):
        self.server = server
        self.level = " ".join(w for w in settings if w != "snapshot_isolation")
        self.snapshot_isolation = "snapshot_isolation" in settings
        self.control = server.connect()
        self.cursor = self.control.cursor()
        for sql in ["DROP DATABASE IF EXISTS lab", "CREATE DATABASE lab", "USE lab"] + schema:
            self.cursor.execute(sql)
        self.before_view()
        # A view that holds purge off: a section takes longer than purge does, a schedule of the engine no time.
        self.cursor.execute("START TRANSACTION WITH CONSISTENT SNAPSHOT")

    def before_view(self):
        pass

    def connect(self, session):
        connection = self.server.connect("lab")
        cursor = connection.cursor()
        cursor.execute("SET SESSION TRANSACTION ISOLATION LEVEL " + self.level)
        self.set_snapshot_isolation(cursor)
        cursor.execute("SET innodb_lock_wait_timeout=%d" % LOCK_WAIT_S)
        session.id = connection.thread_id()
        return connection

    def set_snapshot_isolation(self, cursor):
        cursor.execute("SET innodb_snapshot_isolation=%d" % self.snapshot_isolation)

    def execute(self, connection, sql):
        import MySQLdb

        cursor = connection.cursor()
        try:
            affected = cursor.execute(sql)
            if cursor.description is None:
                return "affected %d" % affected
            return rows_text(cursor.fetchall())
        except MySQLdb.Error as error:
            return "ERR %d %s" % error.args[:2]

    def is_waiting(self, session):
        """By the monitor: information_schema.innodb_trx is a tenth of a second old."""
        self.cursor.execute("SHOW ENGINE INNODB STATUS")
        status = self.cursor.fetchone()[2]
        return any("\nLOCK WAIT" in one and "thread id %d," % session.id in one
                   for one in status.split("---TRANSACTION"))

    def cancel(self, session):
        self.cursor.execute("KILL QUERY %d" % session.id)


class MySQL(MariaDB):
    """With statistics that say that tables are large, so that a scan never looks cheaper than an index: it does to
    5.6 where an index finds half of four rows."""

    def before_view(self):
        self.cursor.execute("UPDATE mysql.innodb_table_stats SET n_rows=100000, clustered_index_size=1000"
                            " WHERE database_name='lab'")
        self.cursor.execute("FLUSH TABLES")

    def set_snapshot_isolation(self, _cursor):
        if self.snapshot_isolation:
            raise PlayError("MySQL has no innodb_snapshot_isolation")


class SQLite:
    """SQLite, through its C interface: its busy handler says when a statement waits, and looks again when
    told to, so that no clock is needed."""

    ROW, DONE, OPEN = 100, 101, 2 | 4  # SQLITE_OPEN_READWRITE, SQLITE_OPEN_CREATE
    NAMES = {value: name for name, value in vars(sqlite3).items()
             if re.match(r"SQLITE_(BUSY|CONSTRAINT|ERROR|LOCKED|ABORT|MISMATCH)", name)}
    BUSY_HANDLER = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int)

    def __init__(self, settings, schema):
        self.immediate = "immediate" in settings
        self.library = ctypes.CDLL(ctypes.util.find_library("sqlite3"))
        self.library.sqlite3_column_text.restype = ctypes.c_char_p
        self.library.sqlite3_errmsg.restype = ctypes.c_char_p
        memory = "/dev/shm"  # where there is no disk to wait for
        self.folder = tempfile.TemporaryDirectory(
            prefix="lostwrite-", dir=memory if os.path.isdir(memory) else None)
        self.path = os.path.join(self.folder.name, "db")
        connection = sqlite3.connect(self.path)
        for sql in schema:
            connection.execute(sql)
        connection.commit()
        connection.close()

    def connect(self, session):
        handle = ctypes.c_void_p()
        assert self.library.sqlite3_open_v2(self.path.encode(), ctypes.byref(handle), self.OPEN, None) == 0
        session.looks_again = queue.Queue()

        def busy(_context, _count):
            session.events.put(None)
            return session.looks_again.get()

        session.busy = self.BUSY_HANDLER(busy)
        self.library.sqlite3_busy_handler(handle, session.busy, None)
        self.execute(handle, "PRAGMA foreign_keys = ON")
        return handle

    def rows(self, statement):
        """(rows, result code)"""
        rows = []
        count = self.library.sqlite3_column_count(statement)
        code = self.library.sqlite3_step(statement)
        while code == self.ROW:
            texts = [self.library.sqlite3_column_text(statement, i) for i in range(count)]
            rows.append(tuple(None if text is None else text.decode() for text in texts))
            code = self.library.sqlite3_step(statement)
        return rows, code

    def execute(self, handle, sql):
        if self.immediate and sql.lower() == "begin":
            sql = "begin immediate"
        statement = ctypes.c_void_p()
        code = self.library.sqlite3_prepare_v2(handle, sql.encode(), -1, ctypes.byref(statement), None)
        if code == 0:
            rows, code = self.rows(statement)
        if code not in (0, self.DONE):
            answer = self.error_text(handle)
        elif self.library.sqlite3_column_count(statement) > 0:
            answer = rows_text(rows)
        else:
            tags = {"INSERT": "INSERT 0 %d", "UPDATE": "UPDATE %d", "DELETE": "DELETE %d"}
            word = sql.split()[0].upper()
            answer = tags[word] % self.library.sqlite3_changes(handle) if word in tags else word
        self.library.sqlite3_finalize(statement)
        return answer

    def error_text(self, handle):
        name = self.NAMES.get(self.library.sqlite3_extended_errcode(handle), "SQLITE_ERROR")
        # The engine, as Django, does not tell these two apart.
        name = name.replace("SQLITE_CONSTRAINT_PRIMARYKEY", "SQLITE_CONSTRAINT_UNIQUE")
        return "ERR %s %s" % (name, self.library.sqlite3_errmsg(handle).decode())

    def settle(self, session, is_first):
        if not is_first:
            session.looks_again.put(1)
        return session.events.get()

    def outwait(self, session):
        session.looks_again.put(0)
        return session.events.get()

    def close(self, sessions):
        for session in sessions:
            while session.sql is not None:
                session.sql = None if self.outwait(session) is not None else session.sql
            session.statements.put(None)
            session.join(ANSWER_S_MAX)
            self.library.sqlite3_close_v2(session.connection)
        self.folder.cleanup()


# ---- playing ----


class Player:
    """The sessions of one section."""

    def __init__(self, side):
        self.side = side
        self.sessions = {}

    def __enter__(self):
        return self

    def __exit__(self, *exc_info):
        self.side.close(self.sessions.values())

    def waiting(self):
        return [name for name, session in self.sessions.items() if session.sql is not None]

    def play(self, name, sql):
        """The lines that this statement gives. A session that waits has its wait end by its timeout first."""
        lines = self.outwait(name)
        if name not in self.sessions:
            self.sessions[name] = Session(self.side)
        session = self.sessions[name]
        session.sql = sql
        session.statements.put(sql)
        lines += self.look_at(name, True, "") or [(name, sql, "BLOCKED")]
        return lines + self.resumed(name)

    def look_at(self, name, is_first, prefix):
        session = self.sessions[name]
        answer = self.side.settle(session, is_first)
        if answer is None:
            return []
        sql, session.sql = session.sql, None
        return [(name, sql, prefix + answer)]

    def resumed(self, but=None):
        """The ends of statements that can go on now, and of those that they let go on."""
        lines = []
        for name in self.waiting():
            found = self.look_at(name, False, "(unblocked) ") if name != but else []
            if found:
                lines += found + self.resumed()
                break
        return lines

    def outwait(self, name):
        if name not in self.waiting():
            return []
        session = self.sessions[name]
        answer = self.side.outwait(session)
        if answer is None:
            raise PlayError("waits for ever: %s" % session.sql)
        sql, session.sql = session.sql, None
        return [(name, sql, "(unblocked) " + answer)] + self.resumed()

    def outwait_all(self):
        lines = []
        while self.waiting():
            lines += self.outwait(self.waiting()[0])
        return lines


class Lab:
    """The servers, as they are needed."""

    SERVERS = {"postgresql": (PostgreSQL, servers.PostgreSQL), "mariadb": (MariaDB, servers.MariaDB),
               "mysql": (MySQL, servers.MySQL)}

    def __init__(self):
        self.running = {}

    def __enter__(self):
        return self

    def __exit__(self, *exc_info):
        for server in self.running.values():
            server.__exit__(*exc_info)

    def player(self, settings, schema=None):
        """`settings` as in a transcript: "mariadb repeatable read snapshot_isolation"."""
        engine, *settings = settings.split()
        engine = engine.partition(":")[0]  # the version is that of the server at hand
        serial = SERIAL.get(engine, "serial")
        schema = [sql.replace("serial", serial) for sql in schema or DEFAULT_SCHEMA]
        if engine == "sqlite":
            return Player(SQLite(settings, schema))
        side, server = self.SERVERS[engine]
        if engine not in self.running:
            self.running[engine] = server().__enter__()
        return Player(side(self.running[engine], settings, schema))
