"""Run Django functions side by side on a real server, one step at a time, in a chosen order.

Each session is a thread with its own Django connection. Every step stops at a gate until the
controller lets it through:

  - a step is a statement, a COMMIT or ROLLBACK, or taking a mutex;
  - BEGIN, SAVEPOINT, RELEASE and SET go with the next statement; letting a mutex go, and what the
    program does outside the database, go with the step before;
  - so does the ROLLBACK of a transaction that an error has already ended in the server;
  - a statement that has to wait in the server is a step taken; its session isn't offered again
    until the server let it go on;
  - a session that is about to take a mutex another holds isn't offered either.

A session that waits is told from a slow one by asking the server. `Lab.run` follows a schedule
(a string of session names, "ABAB") as far as it goes and then takes the first session offered;
`Lab.every_schedule` walks all of them, depth first, each from fresh rows.
"""

import itertools
import re
import threading
import time

from django.core.mail.backends.base import BaseEmailBackend
from django.db import Error, connection, connections
from django.db.models.signals import post_save

STEP_SECONDS_MAX = 30
POLL_SECONDS = 0.003

READY, RUNNING, DONE, IDLE = "ready", "running", "done", "idle"

GOES_WITH_NEXT = re.compile(r"\s*(SAVEPOINT|RELEASE|SET|BEGIN|START TRANSACTION)\b", re.I)

KINDS = {
    "40001": "serialization",
    1020: "serialization",
    "40P01": "deadlock",
    1213: "deadlock",
    "55P03": "timeout",
    1205: "timeout",
    "23505": "unique",
    1062: "unique",
}
COUNTED = ("serialization", "deadlock", "timeout", "unique")


class LabError(Exception):
    """The lab itself failed; says nothing about the program under test."""


class Abandoned(BaseException):
    """Ends a session's function when its run is given up."""


def error_code(e):
    """The server's code of a Django database error; None if Django raised it by itself."""
    code = getattr(e.__cause__, "pgcode", None)
    if code is None and e.__cause__ is not None and e.args and isinstance(e.args[0], int):
        code = e.args[0]
    return code


class Session(threading.Thread):
    """One session: a thread, its connection, and the state of the program it runs."""

    def __init__(self, lab, name):
        super().__init__(name="session " + name, daemon=True)
        self.lab = lab
        self.session_name = name
        self.state = IDLE
        self.job = None
        self.quit = False
        self.go = False
        self.free_running = True
        self.abandoned = False
        self.broken = None
        self.backend_id = None
        self.really_roll_back = None
        self.in_transaction = False
        self.granted_at = 0.0
        self.clear()

    def clear(self):
        self.pending = None
        self.pending_mutex = None
        self.result = None
        self.fate = None
        self.errors = []
        self.effects = []
        self.created = []

    # -- in the session's own thread

    def run(self):
        try:
            self.connect()
        except Exception as e:
            self.broken = e
        while True:
            with self.lab.changed:
                self.lab.note_change()
                while self.job is None and not self.quit:
                    self.lab.changed.wait()
                if self.quit:
                    break
                (function, args), self.job = self.job, None
            self.call(function, args)
            with self.lab.changed:
                self.state = DONE
        connections.close_all()

    def connect(self):
        connection.ensure_connection()
        with connection.cursor() as cursor:
            cursor.execute(self.lab.server_view.BACKEND_ID)
            self.backend_id = cursor.fetchone()[0]
        if connection.vendor == "mysql":
            connection.mysql_server_data  # asks the server once; better now than as a step
        connection.execute_wrappers.append(self.on_statement)
        end_of_transaction = {"COMMIT": connection._commit, "ROLLBACK": connection._rollback}
        self.really_roll_back = connection._rollback

        def gated(what):
            def end():
                # Nothing to end: the server saw nothing of it, an error ended it, or COMMIT failed.
                if not self.in_transaction:
                    return end_of_transaction[what]()
                self.gate(what)
                self.in_transaction = False
                return self.noting_errors(end_of_transaction[what])

            return end

        connection._commit = gated("COMMIT")
        connection._rollback = gated("ROLLBACK")

    def call(self, function, args):
        try:
            function(*args)
            self.fate = ("ok",)
        except Abandoned:
            self.fate = ("abandoned",)
        except Error as e:
            code = error_code(e)
            if code is None:
                self.fate = ("raised", type(e).__name__)
            else:
                self.fate = ("error", KINDS.get(code, "other"), str(code))
        except Exception as e:
            self.fate = ("raised", type(e).__name__)
        if connection.in_atomic_block or not connection.get_autocommit():
            self.broken = LabError("%s left a transaction open" % function.__name__)

    def on_statement(self, execute, sql, params, many, context):
        if not connection.get_autocommit():
            self.in_transaction = True
        if GOES_WITH_NEXT.match(sql):
            return execute(sql, params, many, context)
        self.gate(sql if not params else "%s -- %s" % (sql, list(params)))
        return self.noting_errors(execute, sql, params, many, context)

    def noting_errors(self, call, *args):
        try:
            return call(*args)
        except Exception as e:
            code = error_code(e)
            self.errors.append((KINDS.get(code, "other"), str(code)))
            if self.lab.server_view.ends_transaction(code, bool(connection.savepoint_ids)):
                self.in_transaction = False
            self.result = "error %s" % code
            raise

    def gate(self, what, mutex=None):
        if self.free_running:
            return
        with self.lab.changed:
            self.pending = what
            self.pending_mutex = mutex
            self.state = READY
            self.lab.note_change()
            while not self.go:
                self.lab.changed.wait()
            self.go = False
            self.pending_mutex = None
            if self.abandoned:
                self.free_running = True
                if what == "COMMIT":  # Django rolls back after a database error only
                    self.really_roll_back()
                raise Abandoned
            if mutex is not None:
                mutex.holder = self

    def effect(self, *what):
        self.effects.append(what)


class Mutex:
    """Stands in for an application lock: taking it is a step, letting it go is not."""

    def __init__(self, lab, name):
        self.lab = lab
        self.name = name
        self.holder = None

    def __enter__(self):
        session = threading.current_thread()
        if session.free_running:
            if self.holder is not None:
                raise LabError("mutex %s is held outside of a run" % self.name)
            self.holder = session
        else:
            session.gate("LOCK %s" % self.name, mutex=self)
        return self

    def __exit__(self, *exc_info):
        with self.lab.changed:
            self.holder = None
            self.lab.note_change()


class Mutexes(dict):
    def __init__(self, lab):
        super().__init__()
        self.lab = lab

    def __missing__(self, name):
        self[name] = Mutex(self.lab, name)
        return self[name]


class EffectBackend(BaseEmailBackend):
    """Mail sent by a session is an effect: something outside the database that happened."""

    def send_messages(self, messages):
        session = threading.current_thread()
        for message in messages if isinstance(session, Session) else ():
            session.effect("mail", message.subject, tuple(message.to))
        return len(messages)


class PostgreSQLView:
    """Who waits for whom in PostgreSQL."""

    BACKEND_ID = "SELECT pg_backend_pid()"

    def __init__(self, server, database):
        self.connection = server.connect(database)
        self.settle_seconds = 2.5 * server.DEADLOCK_MS / 1000

    @staticmethod
    def ends_transaction(code, in_savepoint):
        """Every error does, and frees all locks; within a savepoint only back to that."""
        return not in_savepoint

    def waiting(self, backend_ids):
        cursor = self.connection.cursor()
        cursor.execute(
            "SELECT pid, pg_blocking_pids(pid) FROM unnest(%s) AS pid", (list(backend_ids),)
        )
        blockers = {pid: by for pid, by in cursor.fetchall() if by}
        if self.has_cycle(blockers):
            return set()  # a deadlock the server is about to break: not settled yet
        return set(blockers)

    @staticmethod
    def has_cycle(blockers):
        for start in blockers:
            seen, todo = set(), list(blockers[start])
            while todo:
                pid = todo.pop()
                if pid == start:
                    return True
                if pid not in seen:
                    seen.add(pid)
                    todo.extend(blockers.get(pid, ()))
        return False


class InnoDBView:
    """Who waits in InnoDB. information_schema.innodb_trx is up to 100 ms old; its STATUS isn't."""

    BACKEND_ID = "SELECT CONNECTION_ID()"
    settle_seconds = 0.0

    def __init__(self, server, database):
        self.connection = server.connect(database)

    @staticmethod
    def ends_transaction(code, in_savepoint):
        """A deadlock and a stale snapshot do; a lock timeout or duplicate key only the statement."""
        return code in (1213, 1020)

    def waiting(self, backend_ids):
        cursor = self.connection.cursor()
        cursor.execute("SHOW ENGINE INNODB STATUS")
        status = cursor.fetchone()[2]
        waiting = set()
        for block in status[status.rindex("LIST OF TRANSACTIONS") :].split("---TRANSACTION ")[1:]:
            thread = re.search(r"^MariaDB thread id (\d+)|^MySQL thread id (\d+)", block, re.M)
            if thread and re.search(r"^LOCK WAIT ", block, re.M):
                waiting.add(int(thread.group(1) or thread.group(2)))
        return waiting & set(backend_ids)


class Step:
    """One step of a run: whose, what was sent, and what came of it."""

    def __init__(self, session, what):
        self.session = session
        self.what = what
        self.result = ""

    def __str__(self):
        return "%s  %s%s" % (self.session, self.what, "   " + self.result if self.result else "")


class Run:
    """What happened in one schedule."""

    def __init__(self):
        self.steps = []
        self.choices = []
        self.waits = 0
        self.fates = {}
        self.effects = {}
        self.errors = []
        self.rows = None

    @property
    def schedule(self):
        return "".join(step.session for step in self.steps)

    def survivors(self):
        """The sessions no database error ended."""
        return [name for name, fate in self.fates.items() if fate[0] != "error"]

    def outcome(self, names):
        """What a serial order of NAMES is compared by: rows, what each did and how it ended."""
        return (
            self.rows,
            tuple((name, self.fates[name], tuple(self.effects[name])) for name in sorted(names)),
        )

    def explained_by(self, serial):
        """The sessions whose serial order gives this outcome, or None if none does.

        A session that a database error ended is left out. One that raised rolled itself back: it
        may be left out too, if nothing of it remains, or it raises in the serial order as well.
        SERIAL maps sets of names to the outcomes of their orders.
        """
        alive = self.survivors()
        silent = [n for n in alive if self.fates[n][0] == "raised" and not self.effects[n]]
        for left_out in range(len(silent) + 1):
            for gone in itertools.combinations(silent, left_out):
                names = frozenset(alive) - frozenset(gone)
                if self.outcome(names) in serial[names]:
                    return names
        return None

    def describe(self):
        lines = ["schedule %s" % self.schedule]
        lines += ["  %s" % step for step in self.steps]
        lines += ["  %s: %s %s" % (n, " ".join(f), self.effects[n] or "") for n, f in self.fates.items()]
        lines += ["  %s" % (row,) for row in self.rows]
        return "\n".join(lines)


class Lab:
    """Sessions on one server at one isolation level.

    `programs` is a list of (function, args), named A, B, ... in that order; `fixture` resets the
    tables, reads them back, and names generated keys (see scenarios.py).
    """

    def __init__(self, server_view, session_count=2):
        self.server_view = server_view
        self.changed = threading.Condition()
        self.change_count = 0
        self.mutexes = Mutexes(self)
        self.sessions = [Session(self, chr(ord("A") + i)) for i in range(session_count)]
        post_save.connect(self.on_save, weak=False, dispatch_uid=id(self))
        for session in self.sessions:
            session.start()
        self.wait_for(lambda: all(s.broken or s.backend_id for s in self.sessions), "connections")
        self.check_broken()

    def close(self):
        post_save.disconnect(dispatch_uid=id(self))
        with self.changed:
            for session in self.sessions:
                session.quit = True
            self.note_change()
        for session in self.sessions:
            session.join(STEP_SECONDS_MAX)

    def __enter__(self):
        return self

    def __exit__(self, *exc_info):
        self.close()

    def note_change(self):
        self.change_count += 1
        self.changed.notify_all()

    def wait_for(self, condition, what):
        with self.changed:
            if not self.changed.wait_for(condition, STEP_SECONDS_MAX):
                raise LabError("nothing for %d s, waiting for %s" % (STEP_SECONDS_MAX, what))

    def check_broken(self):
        for session in self.sessions:
            if session.broken:
                raise LabError("session %s: %s" % (session.session_name, session.broken))

    def on_save(self, sender, instance, created, **kwargs):
        session = threading.current_thread()
        if created and isinstance(session, Session):
            session.created.append((sender._meta.db_table, instance.pk))

    # -- serial runs

    def serial(self, programs, fixture, order):
        """The sessions of ORDER (indices), one after the other, ungated."""
        fixture.reset()
        used = []
        for index in order:
            session = self.sessions[index]
            session.clear()
            session.free_running = True
            self.start_job(session, programs[index])
            self.wait_for(lambda: session.state == DONE, "a serial run")
            used.append(session)
        self.check_broken()
        return self.finish(Run(), used, fixture)

    def start_job(self, session, program):
        with self.changed:
            session.state = RUNNING
            session.job = program
            self.note_change()

    def finish(self, run, used, fixture):
        for session in used:
            run.fates[session.session_name] = session.fate
            run.effects[session.session_name] = list(session.effects)
            run.errors += session.errors
        run.rows = fixture.read({s.session_name: s.created for s in used})
        for mutex in self.mutexes.values():
            if mutex.holder is not None:
                raise LabError("mutex %s is still held" % mutex.name)
        return run

    # -- one schedule

    def run(self, programs, fixture, schedule="", strict=True):
        """Follow SCHEDULE, then the first session offered. A choice not offered is a LabError if
        strict; else it is passed over."""
        fixture.reset()
        used = self.sessions[: len(programs)]
        run = Run()
        for session, program in zip(used, programs):
            session.clear()
            session.free_running = False
            session.abandoned = False
            session.in_transaction = False
            self.start_job(session, program)
        try:
            self.drive(run, used, list(schedule), strict)
        except BaseException:
            self.abandon(used)
            raise
        self.check_broken()
        return self.finish(run, used, fixture)

    def drive(self, run, used, schedule, strict):
        last = {}
        while True:
            waiting = self.settle(used)
            for session in used:
                step = last.get(session)
                if step is not None and session in waiting and "waits" not in step.result:
                    step.result = "waits"
                    run.waits += 1
                elif step is not None and session not in waiting and session.result:
                    step.result = (step.result + ", " + session.result).lstrip(", ")
                    session.result = None
            offered = [s for s in used if s.state == READY and self.may_go(s)]
            if not offered:
                if all(s.state == DONE for s in used):
                    return
                if not waiting:
                    raise LabError("sessions wait for each other's mutexes")
                self.wait_for_any(waiting)
                continue
            names = [s.session_name for s in offered]
            chosen = None
            while schedule and chosen is None:
                name = schedule.pop(0)
                if name in names:
                    chosen = offered[names.index(name)]
                elif strict:
                    raise LabError(
                        "%s isn't offered (%s are) after %s" % (name, names, run.schedule)
                    )
            chosen = chosen or offered[0]
            run.choices.append(("".join(names), chosen.session_name))
            step = last[chosen] = Step(chosen.session_name, chosen.pending)
            run.steps.append(step)
            self.grant(chosen)

    @staticmethod
    def may_go(session):
        return session.pending_mutex is None or session.pending_mutex.holder is None

    def grant(self, session):
        with self.changed:
            session.state = RUNNING
            session.granted_at = time.monotonic()
            session.go = True
            self.note_change()

    def settle(self, used):
        """Wait until every session is at a gate, done, or waits in the server; give the last."""
        deadline = time.monotonic() + STEP_SECONDS_MAX
        seen_waiting = 0
        while True:
            with self.changed:
                running = [s for s in used if s.state == RUNNING]
                if not running:
                    return []
                count = self.change_count
                self.changed.wait_for(lambda: self.change_count != count, POLL_SECONDS)
                if self.change_count != count:
                    seen_waiting = 0
                    continue
            waiting = self.server_view.waiting([s.backend_id for s in running])
            seen_waiting = seen_waiting + 1 if len(waiting) == len(running) else 0
            now = time.monotonic()
            newest = max(s.granted_at for s in running)
            # Seen twice, so that the server had time to find a deadlock or to let one go on.
            if seen_waiting >= 2 and now - newest >= self.server_view.settle_seconds:
                with self.changed:
                    if self.change_count == count:
                        return running
            if now > deadline:
                raise LabError("no session moves: %s" % [(s.session_name, s.pending) for s in running])

    def wait_for_any(self, waiting):
        """All that could go on wait in the server: an error has to come, a deadlock or timeout."""
        self.wait_for(lambda: any(s.state != RUNNING for s in waiting), "the end of a lock wait")

    def abandon(self, used):
        with self.changed:
            for session in used:
                session.abandoned = True
                session.go = True
            self.note_change()
        deadline = time.monotonic() + STEP_SECONDS_MAX
        while not all(s.state == DONE for s in used) and time.monotonic() < deadline:
            with self.changed:
                self.changed.wait(POLL_SECONDS)
        for session in used:
            session.go = False
        for mutex in self.mutexes.values():
            mutex.holder = None

    # -- all schedules

    def every_schedule(self, programs, fixture, prefix=""):
        """Each schedule that starts with PREFIX once, depth first, the first session's first."""
        schedule = prefix
        while schedule is not None:
            run = self.run(programs, fixture, schedule)
            yield run
            schedule = next_schedule(run.choices, len(prefix))


def next_schedule(choices, fixed):
    """The schedule after the one whose choices these are: the deepest choice with another left."""
    for depth in range(len(choices) - 1, fixed - 1, -1):
        offered, chosen = choices[depth]
        rest = offered[offered.index(chosen) + 1 :]
        if rest:
            return "".join(c for _, c in choices[:depth]) + rest[0]
    return None
