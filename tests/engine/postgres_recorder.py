#!/usr/bin/python3
"""Plays transcripts on a real PostgreSQL server and writes down what it answers.

    postgres_recorder.py [--dsn DSN] FILE...     fills the answers in, in place

A FILE is as transcripts/README.md says; answers that stand in it are replaced, `(unblocked)` lines are made
anew. Without --dsn a server is started in a temporary folder.
"""

import argparse
import os
import queue
import sys
import threading
import time

import psycopg2
import psycopg2.extensions

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "live"))

DEFAULT_SCHEMA = [
    "CREATE TABLE t (id integer PRIMARY KEY, n integer, v integer)",
    "CREATE TABLE c (id serial PRIMARY KEY, tid integer REFERENCES t (id))",
    "INSERT INTO t VALUES (1, 1, 0), (2, 5, 0)",
]
COLUMN = 67
DEADLOCK_S = 0.010
SETTLED_S = 0.030  # blocked for this long: no deadlock check is still to come
ANSWER_S_MAX = 10


class Session:
    """One connection with a thread of its own; a statement runs until it is asked for."""

    def __init__(self, dsn):
        self.connection = psycopg2.connect(dsn)
        self.connection.set_session(autocommit=True)
        self.pid = self.connection.get_backend_pid()
        self.statements = queue.Queue()
        self.answer = None
        self.sql = None
        self.done = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        cursor = self.connection.cursor()
        while True:
            sql = self.statements.get()
            if sql is None:
                return
            try:
                cursor.execute(sql)
                if cursor.description is None:
                    self.answer = cursor.statusmessage
                else:
                    rows = [tuple(None if v is None else text(v) for v in r) for r in cursor]
                    self.answer = repr(rows)
            except psycopg2.Error as error:
                self.answer = "ERR %s %s" % (error.pgcode, str(error).split("\n")[0])
            self.done.set()

    def start(self, sql):
        self.sql = sql
        self.answer = None
        self.done.clear()
        self.statements.put(sql)

    def close(self):
        self.statements.put(None)
        self.connection.cancel()
        self.thread.join(5)
        self.connection.close()


def text(value):
    if value is True or value is False:
        return "true" if value else "false"
    return str(value)


class Player:
    """Plays one section."""

    def __init__(self, dsn, schema, level):
        self.dsn = dsn
        self.control = psycopg2.connect(dsn)
        self.control.set_session(autocommit=True)
        self.cursor = self.control.cursor()
        self.cursor.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        for sql in schema:
            self.cursor.execute(sql)
            words = sql.split()
            if words[:2] == ["INSERT", "INTO"]:
                self.bump_serial(words[2])
        self.level = level
        self.sessions = {}
        self.waiting = []

    def bump_serial(self, table):
        """What db_load does: no program should run into the keys of initial rows."""
        self.cursor.execute("SELECT pg_get_serial_sequence(%s, 'id')", (table,))
        sequence = self.cursor.fetchone()[0]
        if sequence:
            self.cursor.execute("SELECT setval(%%s, (SELECT coalesce(max(id), 0) + 1 FROM %s), false)"
                                % table, (sequence,))

    def session(self, name):
        if name not in self.sessions:
            self.sessions[name] = Session(self.dsn)
            self.sessions[name].start(
                "SET default_transaction_isolation = '%s'; SET deadlock_timeout = '%dms'"
                % (self.level, DEADLOCK_S * 1000))
            self.sessions[name].done.wait()
        return self.sessions[name]

    def is_blocked(self, session):
        self.cursor.execute("SELECT cardinality(pg_blocking_pids(%s))", (session.pid,))
        return self.cursor.fetchone()[0] > 0

    def settle(self, session):
        """Waits until the session's statement has ended (True) or waits for another (False)."""
        began = time.monotonic()
        blocked_since = None
        while not session.done.wait(0.001):
            now = time.monotonic()
            if now - began > ANSWER_S_MAX:
                raise RuntimeError("no answer: %s" % session.sql)
            if not self.is_blocked(session):
                blocked_since = None
            elif blocked_since is None:
                blocked_since = now
            elif now - blocked_since > SETTLED_S:
                return False
        return True

    def play(self, name, sql):
        """The lines that this statement gives: its own answer, and those of statements it let go on."""
        session = self.session(name)
        if session in self.waiting:
            raise RuntimeError("%s still waits" % name)
        session.start(sql)
        lines = []
        if self.settle(session):
            lines.append((name, sql, session.answer))
        else:
            self.waiting.append(session)
            lines.append((name, sql, "BLOCKED"))
        again = True
        while again:
            again = False
            for other in list(self.waiting):
                if self.settle(other):
                    self.waiting.remove(other)
                    other_name = next(n for n, s in self.sessions.items() if s is other)
                    lines.append((other_name, other.sql, "(unblocked) " + other.answer))
                    again = True
        return lines

    def close(self):
        for session in self.sessions.values():
            session.close()
        self.control.close()


def is_statement(line):
    return len(line) > 4 and line[:2] == "  " and line[2] in "ABCD" and line[3] == " "


def statement_of(line):
    return line[2], line[4:].split("  ")[0].strip()


def record(dsn, lines):
    """The lines of a transcript with the server's answers in place of those there."""
    out = []
    player = None
    schema, level = [], "read committed"
    for line in lines:
        if line.startswith("## "):
            if player is not None:
                player.close()
            player, schema, level = None, [], "read committed"
        elif line.startswith("  = "):
            level = " ".join(w for w in line[4:].split() if w not in ("postgresql", "django"))
        elif line.startswith("  + "):
            schema.append(line[4:])
        elif is_statement(line):
            if "(unblocked)" in line:
                continue
            if player is None:
                player = Player(dsn, schema or DEFAULT_SCHEMA, level)
            for name, sql, answer in player.play(*statement_of(line)):
                out.append(("  %s %s" % (name, sql)).ljust(COLUMN) + "  " + answer)
            continue
        out.append(line)
    if player is not None:
        player.close()
    return out


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--dsn")
    parser.add_argument("files", nargs="+")
    options = parser.parse_args()

    def record_all(dsn):
        for path in options.files:
            with open(path) as file:
                lines = file.read().splitlines()
            lines = record(dsn, lines)
            with open(path, "w") as file:
                file.write("\n".join(lines) + "\n")

    if options.dsn:
        record_all(options.dsn)
        return
    import servers

    with servers.PostgreSQL() as server:
        record_all("host=127.0.0.1 port=%d dbname=postgres user=postgres" % server.port)


if __name__ == "__main__":
    main()
