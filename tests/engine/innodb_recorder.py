#!/usr/bin/python3
"""Plays transcripts on a real MariaDB, or on Python's sqlite3, and writes down what it answers.

    innodb_recorder.py FILE...     fills the answers in, in place

A FILE is as transcripts/README.md says; answers that stand in it are replaced, `(unblocked)` lines are made
anew. A wait that nothing in the section ends is waited out, at the section's end.
"""

import os
import queue
import sqlite3
import sys
import tempfile
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "live"))

DEFAULT_SCHEMA = [
    "CREATE TABLE t (id integer PRIMARY KEY, n integer, v integer)",
    "CREATE TABLE c (id integer PRIMARY KEY AUTO_INCREMENT, tid integer, FOREIGN KEY (tid) REFERENCES t (id))",
    "INSERT INTO t VALUES (1, 1, 0), (2, 5, 0)",
]
COLUMN = 67
ANSWER_S = 0.3  # who has not answered by then waits
UNBLOCK_S = 0.25  # SQLite looks again every 100 ms
TIMEOUT_S = 2  # of a lock wait


class Session(threading.Thread):
    def __init__(self, side):
        super().__init__(daemon=True)
        self.side = side
        self.connection = side.connect()
        self.tasks, self.answers = queue.Queue(), queue.Queue()
        self.waiting = None  # the statement
        self.start()

    def run(self):
        while True:
            sql = self.tasks.get()
            if sql is None:
                self.connection.close()
                return
            self.answers.put(self.side.execute(self.connection, sql))

    def poll(self, seconds):
        try:
            return self.answers.get(timeout=seconds)
        except queue.Empty:
            return None


def rows_text(cursor):
    return repr([tuple(None if v is None else str(v) for v in row) for row in cursor.fetchall()])


class MariaDB:
    def __init__(self, settings):
        self.level = " ".join(w for w in settings if w not in ("mariadb", "snapshot_isolation"))
        self.snapshot_isolation = "snapshot_isolation" in settings

    server = None

    def open(self, schema):
        if MariaDB.server is None:
            import servers

            MariaDB.server = servers.MariaDB()
            MariaDB.server.__enter__()
        admin = MariaDB.server.connect()
        cursor = admin.cursor()
        cursor.execute("DROP DATABASE IF EXISTS lab")
        cursor.execute("CREATE DATABASE lab")
        cursor.execute("USE lab")
        for sql in schema:
            cursor.execute(sql)
        self.keeper = MariaDB.server.connect("lab")  # holds purge off, as the engine does
        self.keeper.cursor().execute("START TRANSACTION WITH CONSISTENT SNAPSHOT")

    def connect(self):
        connection = MariaDB.server.connect("lab")
        cursor = connection.cursor()
        cursor.execute("SET SESSION TRANSACTION ISOLATION LEVEL " + self.level)
        cursor.execute("SET innodb_snapshot_isolation=%d" % self.snapshot_isolation)
        cursor.execute("SET innodb_lock_wait_timeout=%d" % TIMEOUT_S)
        return connection

    def execute(self, connection, sql):
        import MySQLdb

        cursor = connection.cursor()
        try:
            affected = cursor.execute(sql)
            return "affected %d" % affected if cursor.description is None else rows_text(cursor)
        except MySQLdb.Error as e:
            return "ERR %d %s" % e.args[:2]

    def close(self):
        self.keeper.close()


class SQLite:
    def __init__(self, settings):
        self.immediate = "immediate" in settings
        self.folder = tempfile.TemporaryDirectory()
        self.path = os.path.join(self.folder.name, "db")

    def open(self, schema):
        connection = sqlite3.connect(self.path)
        for sql in schema:
            connection.execute(sql.replace("integer PRIMARY KEY AUTO_INCREMENT", "integer PRIMARY KEY"))
        connection.commit()
        connection.close()

    def connect(self):
        connection = sqlite3.connect(self.path, timeout=TIMEOUT_S, isolation_level=None, check_same_thread=False)
        connection.execute("PRAGMA foreign_keys = ON")
        return connection

    def execute(self, connection, sql):
        if self.immediate and sql.lower() == "begin":
            sql = "begin immediate"
        cursor = connection.cursor()
        try:
            cursor.execute(sql)
            if cursor.description is not None:
                return rows_text(cursor)
            word = sql.split()[0].upper()
            tags = {"INSERT": "INSERT 0 %d", "UPDATE": "UPDATE %d", "DELETE": "DELETE %d"}
            return tags[word] % cursor.rowcount if word in tags else word
        except sqlite3.Error as e:
            name = getattr(e, "sqlite_errorname", "SQLITE_ERROR")
            # The engine, as Django, does not tell these two apart.
            name = name.replace("SQLITE_CONSTRAINT_PRIMARYKEY", "SQLITE_CONSTRAINT_UNIQUE")
            return "ERR %s %s" % (name, e)

    def close(self):
        self.folder.cleanup()


class Section:
    def __init__(self):
        self.out, self.settings, self.schema = [], [], []
        self.side, self.sessions = None, {}

    def write(self, name, sql, answer):
        self.out.append(("  %s %s" % (name, sql)).ljust(COLUMN - 1) + " " + answer)

    def step(self, name, sql):
        if self.side is None:
            kind = SQLite if "sqlite" in self.settings else MariaDB
            self.side = kind(self.settings)
            self.side.open(self.schema or DEFAULT_SCHEMA)
        if name not in self.sessions:
            self.sessions[name] = Session(self.side)
        session = self.sessions[name]
        if session.waiting is not None:
            raise SystemExit("%s waits: %s" % (name, sql))
        session.tasks.put(sql)
        answer = session.poll(ANSWER_S)
        self.write(name, sql, "BLOCKED" if answer is None else answer)
        session.waiting = sql if answer is None else None
        self.collect(UNBLOCK_S, name)

    def collect(self, seconds, but=None):
        for name, session in sorted(self.sessions.items()):
            if session.waiting is None or name == but:
                continue
            answer = session.poll(seconds)
            if answer is not None:
                self.write(name, session.waiting, "(unblocked) " + answer)
                session.waiting = None

    def end(self):
        self.collect(TIMEOUT_S + 1)
        for session in self.sessions.values():
            session.tasks.put(None)
            session.join(5)
        if self.side is not None:
            self.side.close()


def record(path):
    with open(path) as f:
        lines = f.read().split("\n")
    out, section = [], Section()
    for line in lines + ["## "]:
        words = line.strip().split(" ", 1)
        if line.startswith("## "):
            section.end()
            out += section.out
            section = Section()
        if words[0] == "=":
            section.settings = words[1].split()
        elif words[0] == "+":
            section.schema.append(words[1])
        if words[0] in "ABCD" and words[0] and line.startswith("  "):
            sql, _, answer = words[1].partition("  ")
            if not answer.strip().startswith("(unblocked)"):
                section.step(words[0], sql.strip())
        else:
            section.out.append(line)
    with open(path, "w") as f:
        f.write("\n".join(out))


def main():
    for path in sys.argv[1:]:
        record(path)
    if MariaDB.server is not None:
        MariaDB.server.__exit__(None, None, None)


if __name__ == "__main__":
    main()
