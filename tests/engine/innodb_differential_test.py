#!/usr/bin/python3
"""Random interleavings of small statements, on a real MariaDB and on the built-in engine, step by step.

Each step is one statement of one session that is not waiting. After it both sides say, for each session:
rows, affected rows, the class of error, or that it waits. They must agree, at the end in the tables too.

    innodb_differential_test.py [--cases N] [--seed N] [--level rc|rr|ser] [--si] [--schema NAME] [--verbose]
    innodb_differential_test.py --script FILE      one case: the lines `A sql`, after `level L` and `schema S`

The engine is the program of tests/engine/innodb_test.c, called with --script. Without a MariaDB server on the
machine the test is skipped.
"""

import argparse
import os
import queue
import random
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "live"))

SECONDS_DEFAULT = 100  # of random cases; the test's limit is 300
WAIT_S = 1.5  # for an answer that is expected to come
LINGER_S = 0.025  # for one that should not

LEVELS = {
    "rc": "READ COMMITTED",
    "rr": "REPEATABLE READ",
    "ser": "SERIALIZABLE",
}

SCHEMAS = {
    "plain": {
        "ddl": ["create table t (id int primary key, n int not null, v int not null)"],
        "rows": ["insert into t values (1,1,0),(2,5,0),(4,5,1),(7,1,2)"],
        "tables": ["t"],
    },
    "keys": {
        "ddl": [
            "create table t (id int primary key, u int, k int not null, v int not null,"
            " unique key u (u), key k (k))"
        ],
        "rows": ["insert into t values (1,10,1,0),(2,20,5,0),(4,40,5,1),(7,70,9,2)"],
        "tables": ["t"],
    },
    "family": {
        "ddl": [
            "create table p (id int primary key, total int not null)",
            "create table c (id int primary key, pid int not null, amount int not null,"
            " constraint c_pid foreign key (pid) references p (id))",
        ],
        "rows": ["insert into p values (1,0),(2,0),(3,0)", "insert into c values (1,1,5),(3,2,5)"],
        "tables": ["p", "c"],
    },
}

SCHEMAS["wide"] = SCHEMAS["keys"]
SCHEMAS["cascade"] = {
    "ddl": [
        "create table p (id int primary key, total int not null)",
        "create table c (id int primary key, pid int, amount int not null,"
        " constraint c_pid foreign key (pid) references p (id) on delete cascade)",
        "create table t (id int primary key, pid int,"
        " constraint t_pid foreign key (pid) references p (id) on delete set null)",
    ],
    "rows": [
        "insert into p values (1,0),(2,0),(3,0)",
        "insert into c values (1,1,5),(3,2,5),(5,null,5)",
        "insert into t values (1,1),(3,2),(5,null)",
    ],
    "tables": ["p", "c", "t"],
}

ERRORS = {
    1213: "DEADLOCK", 1205: "LOCK_TIMEOUT", 1062: "UNIQUE", 1452: "FOREIGN_KEY", 1451: "FOREIGN_KEY",
    1020: "CHANGED_ROW", 1305: "NO_SAVEPOINT", 1048: "NOT_NULL",
}  # fmt: skip


# ---- statements ----


def locking(r):
    return r.choice(["", "", "", " for update", " for update", " lock in share mode"])


def statement(r, schema):
    kinds = {
        "plain": plain_statement, "keys": keys_statement, "family": family_statement,
        "wide": wide_statement, "cascade": cascade_statement,
    }  # fmt: skip
    return kinds[schema](r)


def plain_statement(r):
    key = r.randint(1, 8)
    where = r.choice(["id=%d" % key] * 4 + ["n=%d" % r.choice([1, 5, 9]), "id>=%d" % key,
                     "id in (%d,%d)" % (key, key + 2), "v>0"])  # fmt: skip
    return r.choice([
        "select id,n,v from t where " + where + locking(r),
        "select id,n,v from t where " + where + locking(r),
        "select sum(n) from t",
        "select id,n,v from t" + locking(r),
        "update t set v=v+1 where " + where,
        "update t set v=v+1 where " + where,
        "update t set n=%d where %s" % (r.choice([1, 5, 9]), where),
        "update t set v=7",
        "update t set n=n-1 where id=%d and n>=1" % key,
        "insert into t values (%d,%d,0)" % (key, r.choice([1, 5, 9])),
        "insert into t values (%d,%d,0)" % (key, r.choice([1, 5, 9])),
        "delete from t where " + where,
    ])  # fmt: skip


def keys_statement(r):
    key, u, k = r.randint(1, 8), 10 * r.randint(1, 8), r.choice([1, 3, 5, 7, 9])
    where = r.choice(["id=%d" % key] * 3 + ["u=%d" % u] * 2 + ["k=%d" % k] * 3)
    return r.choice([
        "select id,u,k,v from t where " + where + locking(r),
        "select id,u,k,v from t where " + where + locking(r),
        "select sum(v) from t where k=%d" % k,
        "update t set v=v+1 where " + where,
        "update t set v=v+1 where " + where,
        "update t set k=%d where id=%d" % (k, key),
        "update t set u=%d where id=%d" % (u, key),
        "insert into t values (%d,%d,%d,0)" % (key, u, k),
        "insert into t values (%d,%d,%d,0)" % (key, u, k),
        "insert into t values (%d,null,%d,0)" % (key, k),
        "delete from t where " + where,
    ])  # fmt: skip


def wide_statement(r):
    key, u, k = r.randint(1, 8), 10 * r.randint(1, 8), r.choice([1, 3, 5, 7, 9])
    low, high = sorted((r.randint(0, 8), r.randint(0, 8)))
    where = r.choice(["id=%d" % key, "u=%d" % u, "k=%d" % k, "k=%d and v=0" % k, "id>%d" % key,
                      "id between %d and %d" % (low, high), "id<%d" % key, "id in (%d,%d)" % (low, high),
                      "k=%d and id=%d" % (k, key), "u is null", "v=1 and id=%d" % key])  # fmt: skip
    return r.choice([
        "select id,u,k,v from t where " + where + locking(r),
        "select id,u,k,v from t where " + where + locking(r),
        "select count(*) from t where k=%d" % k,
        "select id from t where k=%d%s" % (k, locking(r)),
        "select id from t where %s order by id limit 1%s" % (where, locking(r)),
        "select id from t order by id limit 2" + locking(r),
        "update t set v=v+1 where " + where,
        "update t set v=v+1 where " + where,
        "update t set k=k+2 where " + where,
        "update t set u=%d,k=%d,v=0 where id=%d" % (u, k, key),
        "update t set id=%d where id=%d" % (r.randint(1, 9), key),
        "insert into t values (%d,%d,%d,0)" % (key, u, k),
        "insert into t values (%d,%d,%d,0),(%d,%d,%d,1)" % (key, u, k, key + 1, u + 10, k),
        "insert ignore into t values (%d,%d,%d,0)" % (key, u, k),
        "insert into t values (%d,%d,%d,0) on duplicate key update v=v+1" % (key, u, k),
        "insert into t select id+10,null,k,v from t where id=%d" % key,
        "delete from t where " + where,
        "delete from t where " + where,
    ])  # fmt: skip


def cascade_statement(r):
    parent, child = r.randint(1, 4), r.randint(1, 6)
    return r.choice([
        "select id from p where id=%d" % parent + locking(r),
        "select id,pid from c where pid=%d" % parent + locking(r),
        "select id,pid from t" + locking(r),
        "insert into c values (%d,%d,5)" % (child, parent),
        "insert into t values (%d,%d)" % (child, parent),
        "insert into t values (%d,null)" % child,
        "insert into p values (%d,0)" % parent,
        "update p set total=total+5 where id=%d" % parent,
        "update c set pid=%d where id=%d" % (parent, child),
        "update t set pid=null where pid=%d" % parent,
        "delete from p where id=%d" % parent,
        "delete from p where id=%d" % parent,
        "delete from c where id=%d" % child,
    ])  # fmt: skip


def family_statement(r):
    parent, child = r.randint(1, 4), r.randint(1, 6)
    return r.choice([
        "select id,total from p where id=%d" % parent + locking(r),
        "select id,total from p where id=%d" % parent + locking(r),
        "select sum(amount) from c where pid=%d" % parent,
        "select sum(amount) from c where pid=%d" % parent,
        "insert into c values (%d,%d,5)" % (child, parent),
        "insert into c values (%d,%d,5)" % (child, parent),
        "insert into c values (%d,%d,5)" % (child, parent),
        "update p set total=total+5 where id=%d" % parent,
        "update p set total=7 where id=%d" % parent,
        "update p set total=(select sum(amount) from c where pid=%d) where id=%d" % (parent, parent),
        "update c set pid=%d where id=%d" % (parent, child),
        "update c set amount=amount+1 where id=%d" % child,
        "delete from c where id=%d" % child,
        "delete from p where id=%d" % parent,
        "insert into p values (%d,0)" % parent,
    ])  # fmt: skip


def control(r):
    return r.choice(["commit"] * 4 + ["rollback", "savepoint s", "rollback to savepoint s"])


class Steps:
    """What a session does next: mostly statements in a transaction."""

    def __init__(self, r, schema):
        self.r, self.schema = r, schema
        self.inside = {}

    def next(self, name):
        r = self.r
        if not self.inside.get(name):
            if r.random() < 0.85:
                self.inside[name] = True
                return "begin"
            return statement(r, self.schema)
        if r.random() < 0.22:
            text = control(r)
            if text in ("commit", "rollback"):
                self.inside[name] = False
            return text
        return statement(r, self.schema)


# ---- the two sides ----


class Engine:
    """The built-in engine, over a pipe."""

    def __init__(self, program):
        self.process = subprocess.Popen(
            [program, "--script"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def command(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        answer = []
        while True:
            text = self.process.stdout.readline()
            if text == "":
                raise SystemExit("the engine died at: " + line)
            if text == ".\n":
                return answer
            answer.append(text.rstrip("\n"))

    def begin(self, level, si, schema):
        self.command("case mariadb %s%s" % (level, " si" if si else ""))
        for ddl in SCHEMAS[schema]["ddl"]:
            self.check(self.command("ddl " + ddl))
        for rows in SCHEMAS[schema]["rows"]:
            self.check(self.command("load " + rows))
        self.check(self.command("start"))

    def check(self, answer):
        if any(line.startswith("!") for line in answer):
            raise SystemExit("\n".join(answer))
        return answer

    def do(self, name, sql):
        """{session: answer} of one step."""
        events = {}
        for line in self.check(self.command("do %s %s" % (name, sql))):
            who, rest = line.split(" ", 1)
            events[who] = self.normal(rest)
        return events

    @staticmethod
    def normal(text):
        if text.startswith("ok ("):
            return "ok " + " ".join(sorted(text[3:].split(" ")))
        return text.replace(" ended", "")


class Session(threading.Thread):
    """One connection; it runs what it is given, one after the other."""

    def __init__(self, server, name):
        super().__init__(daemon=True)
        import MySQLdb

        self.name = name
        self.error = MySQLdb.Error
        self.connection = server.connect()
        self.tasks, self.answers = queue.Queue(), queue.Queue()
        self.is_waiting = False
        self.start()

    def run(self):
        while True:
            sql = self.tasks.get()
            if sql is None:
                return
            self.answers.put(self.execute(sql))

    def execute(self, sql):
        cursor = self.connection.cursor()
        try:
            affected = cursor.execute(sql)
            if cursor.description is None:
                return "ok affected %d" % affected
            rows = ["(" + ",".join(show(v) for v in row) + ")" for row in cursor.fetchall()]
            return ("ok " + " ".join(sorted(rows))).rstrip()
        except self.error as e:
            return "error " + ERRORS.get(e.args[0], str(e.args[0]) + " " + str(e.args[1]))
        finally:
            cursor.close()

    def poll(self, seconds):
        try:
            return self.answers.get(timeout=seconds)
        except queue.Empty:
            return None


def show(value):
    return "NULL" if value is None else str(value)


class Real:
    """MariaDB with two sessions."""

    def __init__(self, server):
        import MySQLdb

        self.server = server
        self.admin = self.connect()
        self.keeper = self.connect()
        self.sessions = {}
        self.error = MySQLdb.Error

    def connect(self):
        import MySQLdb
        from MySQLdb.constants import CLIENT

        connection = MySQLdb.connect(
            host="127.0.0.1", port=self.server.port, user="root", db="lab",
            client_flag=CLIENT.FOUND_ROWS,
        )  # fmt: skip
        connection.autocommit(True)
        return connection

    def begin(self, level, si, schema):
        cursor = self.admin.cursor()
        for table in ("c", "t", "p"):
            cursor.execute("drop table if exists " + table)
        for sql in SCHEMAS[schema]["ddl"] + SCHEMAS[schema]["rows"]:
            cursor.execute(sql)
        # A view that holds purge off: a case takes longer than purge does, a schedule of the engine no time.
        self.keeper.cursor().execute("start transaction with consistent snapshot")
        for name in "AB":
            if name not in self.sessions:
                self.sessions[name] = Session(self, name)
            session = self.sessions[name]
            session.execute("set session transaction isolation level " + LEVELS[level])
            session.execute("set innodb_snapshot_isolation=%d" % si)
            session.execute("set innodb_lock_wait_timeout=20")

    def do(self, name, sql, expected):
        session = self.sessions[name]
        session.tasks.put(sql)
        session.is_waiting = True
        events = {}
        order = [name] + [n for n in self.sessions if n != name]
        for who in order:
            other = self.sessions[who]
            if not other.is_waiting:
                continue
            is_expected = who in expected and expected[who] != "blocked"
            answer = other.poll(WAIT_S if is_expected else LINGER_S)
            if answer is not None:
                other.is_waiting = False
                events[who] = answer
            elif who == name:
                events[who] = "blocked"
        return events

    def end(self):
        """Ends the sessions' transactions, whatever they wait for."""
        self.keeper.cursor().execute("commit")
        for session in self.sessions.values():
            if not session.is_waiting:
                session.execute("rollback")
        for session in self.sessions.values():
            if session.is_waiting:
                session.poll(25)
                session.is_waiting = False
                session.execute("rollback")

    def table(self, name):
        cursor = self.admin.cursor()
        cursor.execute("select * from " + name)
        rows = ["(" + ",".join(show(v) for v in row) + ")" for row in cursor.fetchall()]
        return ("ok " + " ".join(sorted(rows))).rstrip()


# ---- cases ----


def run_step(engine, real, name, sql):
    expected = engine.do(name, sql)
    got = real.do(name, sql, expected)
    return expected, got


def compare_case(engine, real, level, si, schema, steps, waiting_sessions="AB"):
    """Runs the steps, an iterator over (session, sql) that is told who waits. None, or what differs."""
    engine.begin(level, si, schema)
    real.begin(level, si, schema)
    waiting, done = set(), []
    try:
        for name, sql in steps(waiting):
            if name in waiting:
                continue
            expected, got = run_step(engine, real, name, sql)
            done.append((name, sql, expected, got))
            if expected != got:
                return done
            for who, answer in expected.items():
                (waiting.add if answer == "blocked" else waiting.discard)(who)
        for name in "AB":
            if name not in waiting:
                expected, got = run_step(engine, real, name, "commit")
                done.append((name, "commit", expected, got))
                if expected != got:
                    return done
        for name in waiting:
            run_step(engine, real, name, "commit")
        for table in SCHEMAS[schema]["tables"]:
            expected = engine.do("A", "select * from " + table)["A"]
            got = real.table(table)
            done.append(("-", "table " + table, expected, got))
            if expected != got:
                return done
    finally:
        real.end()
    return None


def random_steps(r, schema, count):
    def steps(waiting):
        source = Steps(r, schema)
        for _ in range(count):
            free = [n for n in "AB" if n not in waiting]
            if not free:
                return
            name = r.choice(free)
            yield name, source.next(name)

    return steps


def tell(level, si, schema, seed, done):
    print("--- level %s%s schema %s seed %s" % (level, " si" if si else "", schema, seed))
    for name, sql, expected, got in done:
        same = expected == got
        print("  %s %-60s %s" % (name, sql, expected if same else ""))
        if not same:
            print("      engine %s\n      server %s" % (expected, got))
    sys.stdout.flush()


def script_case(path):
    level, si, schema, lines = "rr", False, "plain", []
    with open(path) as f:
        for line in f:
            word, _, rest = line.strip().partition(" ")
            if word == "level":
                level = rest.split()[0]
                si = "si" in rest.split()
            elif word == "schema":
                schema = rest
            elif word in ("A", "B"):
                lines.append((word, rest))
    return level, si, schema, lines


def program():
    if "LW_SCRIPT" in os.environ:
        return os.environ["LW_SCRIPT"]
    build = os.path.dirname(os.environ.get("LOSTWRITE", "build/lostwrite"))
    for folder in (build, os.path.join(build, "..")):
        path = os.path.join(folder, "tests", "engine_innodb_test")
        if os.path.exists(path):
            return path
    raise SystemExit("no engine_innodb_test: build first")


def random_cases(engine, real, options):
    passed = failed = 0
    deadline = time.monotonic() + options.seconds
    for number in range(options.cases):
        if time.monotonic() > deadline:
            break
        seed = "%s-%d" % (options.seed, number)
        r = random.Random(seed)
        level, si = r.choice([("rc", 0), ("rr", 0), ("ser", 0), ("rr", 1), ("ser", 1)])
        if options.level:
            level, si = options.level, options.si
        schema = options.schema or r.choice(sorted(SCHEMAS))
        done = compare_case(engine, real, level, si, schema, random_steps(r, schema, r.randint(4, 12)))
        if done is None:
            passed += 1
        else:
            failed += 1
            tell(level, si, schema, seed, done)
    return passed, failed


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--cases", type=int, default=400)
    parser.add_argument("--seconds", type=float, default=SECONDS_DEFAULT)
    parser.add_argument("--seed", default="1")
    parser.add_argument("--level", choices=sorted(LEVELS))
    parser.add_argument("--si", type=int, default=0)
    parser.add_argument("--schema", choices=sorted(SCHEMAS))
    parser.add_argument("--script")
    options = parser.parse_args()
    try:
        import MySQLdb  # noqa: F401
        import servers
    except ImportError as e:
        print("no MariaDB client: %s" % e)
        print("innodb_differential_test: 0 passed, 0 failed, 1 skipped")
        return 0
    engine = Engine(program())
    with servers.MariaDB() as server:
        server.create_database("lab")
        real = Real(server)
        if options.script:
            level, si, schema, lines = script_case(options.script)
            done = compare_case(engine, real, level, si, schema, lambda waiting: iter(lines))
            passed, failed = (1, 0) if done is None else (0, 1)
            if done is not None:
                tell(level, si, schema, options.script, done)
        else:
            passed, failed = random_cases(engine, real, options)
    print("innodb_differential_test: %d passed, %d failed, 0 skipped" % (passed, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
