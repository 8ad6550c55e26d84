"""Records what Django sends to its databases: lostwrite's JSON-lines recording (docs/recording.md), read by `lostwrite watch`.

Statements come from an execute wrapper; COMMIT, ROLLBACK and the end of a connection, which no wrapper sees, from the methods of
BaseDatabaseWrapper that send them; that django.test.TestCase has wrapped a test in a transaction, from where it does so. Rows are those of the driver: of cursors that hold the whole result they are looked at and left
there; SQLite's are taken, and given out again. Server-side cursors are left alone: their rows are not seen.
"""

import itertools
import json
import os
import time

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.test import TestCase

from .comments import comment_of, is_tagged
from .connections import not_on_connections, on_each_connection
from .origin import is_of_test, tags_of_caller
from .values import NOT_TOLD, statement_of, values_of

VERSION = 1
LINE_BYTES_MAX = 1 << 20  # a reader leaves longer lines out
SQL_CHARS_MAX = 1 << 17
ROWS_MAX = 1000  # of one statement
BATCH_MAX = 1000  # of an executemany

_SERVERS = {"postgresql": "postgresql", "mysql": "mysql"}


def _now_us():
    return time.time_ns() // 1000


class Replayed:
    """A cursor whose first rows were taken: gives them out again, then goes on with its own."""

    def __init__(self, cursor, rows):
        self._cursor = cursor
        self._rows = rows

    def __getattr__(self, name):
        return getattr(self._cursor, name)

    def fetchone(self):
        return self._rows.pop(0) if self._rows else self._cursor.fetchone()

    def fetchmany(self, size=None):
        size = self._cursor.arraysize if size is None else size
        taken, self._rows = self._rows[:size], self._rows[size:]
        return taken if len(taken) == size else taken + list(self._cursor.fetchmany(size - len(taken)))

    def fetchall(self):
        taken, self._rows = self._rows, []
        return taken + list(self._cursor.fetchall())

    def __iter__(self):
        while self._rows:
            yield self._rows.pop(0)
        for row in self._cursor:
            yield row



def _take_rows(wrapper, vendor):
    """The result's columns and rows, which remain there for the application; None: not seen."""
    raw = wrapper.cursor
    if raw.description is None:
        return None
    columns = [column[0] for column in raw.description]
    if vendor == "sqlite":
        rows = raw.fetchmany(ROWS_MAX + 1)
        wrapper.cursor = Replayed(raw, list(rows))
        return columns, rows
    is_held = getattr(raw, "name", None) is None and hasattr(raw, "scroll") and vendor in ("postgresql", "mysql")
    if not is_held:
        return None
    rows = raw.fetchmany(ROWS_MAX + 1)
    if rows:
        raw.scroll(0, "absolute")
    # Cursors of an application's own may give dicts.
    return (columns, rows) if all(isinstance(row, (list, tuple)) for row in rows) else None


def _error_code(error):
    cause = error.__cause__ or error
    code = getattr(cause, "pgcode", None) or getattr(cause, "sqlstate", None) or getattr(cause, "sqlite_errorname", None)
    if code is None and cause.args and isinstance(cause.args[0], int):
        code = cause.args[0]
    return str(code or "")


def _transaction_of(connection):
    """Whether one is open, as the driver or Django knows; None: neither does."""
    raw = connection.connection
    if raw is None:
        return None
    if connection.vendor == "postgresql":
        info = getattr(raw, "info", None)
        status = int(info.transaction_status) if info is not None else raw.get_transaction_status()
        return {0: "none", 1: "open", 2: "open", 3: "open"}.get(status)
    if connection.vendor == "sqlite":
        return "open" if raw.in_transaction else "none"
    return None if connection.autocommit else "open"


class Recorder:
    """Appends to the file at `path` from `start` to `stop`; each event is one write, so that threads and forked processes may share it."""

    def __init__(self, path, application=""):
        self.path = path
        self.application = application
        self.count = 0
        self._numbers = itertools.count(1)
        self._originals = {}
        self._enter_atomics = None
        self._file = None

    def start(self):
        self._file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._write({"lostwrite": "recording", "version": VERSION, "recorder": "lostwrite-django"})
        on_each_connection(self.execute)
        self._patch("_commit", "COMMIT")
        self._patch("_rollback", "ROLLBACK")
        close = self._originals["close"] = BaseDatabaseWrapper.close

        def closed(connection):
            raw = connection.connection
            answer = close(connection)
            if raw is not None and (connection.connection is None or connection.closed_in_transaction):
                self._end_session(connection, raw)
            return answer

        BaseDatabaseWrapper.close = closed
        self._patch_tests()

    def _patch_tests(self):
        original = self._enter_atomics = TestCase.__dict__.get("_enter_atomics")
        if original is None:
            return

        def enter(cls):
            atomics = original.__func__(cls)
            for name in atomics:
                self._safely(self._test, connections[name])
            return atomics

        TestCase._enter_atomics = classmethod(enter)

    def stop(self):
        not_on_connections(self.execute)
        if self._enter_atomics is not None:
            TestCase._enter_atomics = self._enter_atomics
        for name, original in self._originals.items():
            setattr(BaseDatabaseWrapper, name, original)
        self._originals = {}
        os.close(self._file)
        self._file = None

    def _patch(self, name, sql):
        original = self._originals[name] = getattr(BaseDatabaseWrapper, name)

        def method(connection):
            if connection.connection is None:
                return original(connection)
            begun = _now_us()
            try:
                answer = original(connection)
            except Exception as error:
                self._safely(self._statement, connection, begun, sql, None, error=error)
                raise
            self._safely(self._statement, connection, begun, sql, None, transaction="none")
            return answer

        setattr(BaseDatabaseWrapper, name, method)

    def execute(self, execute, sql, params, many, context):
        """An execute wrapper."""
        wrapper, connection = context["cursor"], context["connection"]
        if isinstance(getattr(wrapper, "cursor", None), Replayed):
            wrapper.cursor = wrapper.cursor._cursor
        begun = _now_us()
        try:
            answer = execute(sql, params, many, context)
        except Exception as error:
            self._safely(self._statements, connection, begun, sql, params, many, error=error)
            raise
        raw = wrapper.cursor
        self._safely(self._executed, connection, wrapper, begun, sql, params, many)
        return wrapper.cursor if answer is raw else answer  # sqlite3's execute() gives its cursor

    @staticmethod
    def _safely(record, *args, **kwargs):
        try:
            record(*args, **kwargs)
        except Exception:
            pass  # what can't be recorded is not told; the application goes on

    def _executed(self, connection, wrapper, begun, sql, params, many):
        rows = None if many else _take_rows(wrapper, connection.vendor)
        row_count = None if many else wrapper.cursor.rowcount
        self._statements(connection, begun, sql, params, many, rows=rows, row_count=row_count)

    def _statements(self, connection, begun, sql, params, many, **outcome):
        if not many:
            self._statement(connection, begun, sql, params, **outcome)
            return
        # A batch that failed is told once: which of it did is not known.
        for one in list(params)[:1 if "error" in outcome else BATCH_MAX]:
            self._statement(connection, begun, sql, one, **outcome)

    def _session_of(self, connection):
        known = getattr(connection, "_lostwrite_session", None)
        if known is not None and known[0] is connection.connection and known[2] == os.getpid():
            return known[1]
        number = os.getpid() << 20 | next(self._numbers)
        connection._lostwrite_session = (connection.connection, number, os.getpid())
        settings = connection.settings_dict
        self._write({"event": "session", "session": number, "time": _now_us(), "server": self._server(connection),
                     "user": str(settings.get("USER") or ""), "database": str(settings.get("NAME") or ""),
                     "application": self.application})
        return number

    def _end_session(self, connection, raw):
        known = getattr(connection, "_lostwrite_session", None)
        if known is not None and known[0] is raw and known[2] == os.getpid():
            connection._lostwrite_session = None
            self._safely(self._write, {"event": "end", "session": known[1], "time": _now_us()})

    def _test(self, connection):
        self._write({"event": "test", "session": self._session_of(connection), "time": _now_us()})

    @staticmethod
    def _server(connection):
        return _SERVERS.get(connection.vendor, connection.vendor)

    def _statement(self, connection, begun, sql, params, error=None, rows=None, row_count=None, transaction=None):
        text, values = statement_of(self._text_of(connection, sql), params, connection.vendor)
        tags = tags_of_caller()
        if tags and not is_tagged(text):
            text = "%s %s" % (text, comment_of(tags))
        event = {"event": "statement", "session": self._session_of(connection), "server": self._server(connection),
                 "time": begun, "end": _now_us(), "sql": text}
        if values:
            event["params"] = values
        if is_of_test(tags):
            event["by_test"] = True
        if rows is not None:
            event["columns"] = rows[0]
            event["rows"] = [values_of(row) for row in rows[1][:ROWS_MAX]]
            if len(rows[1]) > ROWS_MAX:
                event["rows_cut"] = True
        if row_count is not None and row_count >= 0:
            event["row_count"] = row_count
        if error is not None:
            event["error"] = _error_code(error)
            event["message"] = str(error)[:1000]
        state = transaction or _transaction_of(connection)
        if state is not None:
            event["transaction"] = state
        self._write(event)
        self.count += 1

    @staticmethod
    def _text_of(connection, sql):
        if isinstance(sql, str):
            return sql
        if isinstance(sql, bytes):
            return sql.decode("utf-8", "replace")
        return sql.as_string(connection.connection)  # psycopg's composed SQL

    def _write(self, event):
        line = json.dumps(event, separators=(",", ":"))
        if len(line) >= LINE_BYTES_MAX and "rows" in event:
            event.update(rows=[], rows_cut=True)
            line = json.dumps(event, separators=(",", ":"))
        if len(line) >= LINE_BYTES_MAX:
            event.update(params=[NOT_TOLD for _ in event.get("params", ())][:1000], sql=event["sql"][:SQL_CHARS_MAX], sql_cut=True)
            line = json.dumps(event, separators=(",", ":"))
        if self._file is not None:
            os.write(self._file, line.encode("ascii") + b"\n")
