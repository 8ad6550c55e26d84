#!/usr/bin/python3
"""Random interleavings of small statements, on a real PostgreSQL and on the built-in engine, step by step.

    postgres_differential_test.py [--cases N] [--seed N] [--sessions N] [--level LEVEL] [--dsn DSN] [--keep FILE]

Each case is played on the server and written down as a transcript; the transcript is then a test of
tests/engine/transcript_test.c. Left out are cases in which two sessions wait at once: which of them goes on
first is a race on the server. Without PostgreSQL on the machine the test is skipped.
"""

import argparse
import os
import random
import re
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.path.insert(0, os.path.join(HERE, "..", "live"))

SECONDS_DEFAULT = 60  # of random cases; the test's limit is 300
LEVELS = ["read committed", "repeatable read", "serializable"]
STATEMENTS = 9  # of a case, beside what ends its transactions

SCHEMAS = {
    "plain": [
        "CREATE TABLE t (id integer PRIMARY KEY, n integer, v integer)",
        "INSERT INTO t VALUES (1, 1, 0), (2, 5, 0), (4, 5, 1)",
    ],
    "keys": [
        "CREATE TABLE t (id integer PRIMARY KEY, n integer UNIQUE, v integer)",
        "CREATE INDEX t_v ON t (v)",
        "INSERT INTO t VALUES (1, 1, 0), (2, 5, 0), (4, 4, 1)",
    ],
    "family": [
        "CREATE TABLE t (id integer PRIMARY KEY, n integer, v integer)",
        "CREATE TABLE c (id integer PRIMARY KEY, tid integer REFERENCES t (id))",
        "INSERT INTO t VALUES (1, 1, 0), (2, 5, 0), (4, 4, 1)",
        "INSERT INTO c VALUES (1, 1), (3, 2)",
    ],
    "deferred": [
        "CREATE TABLE t (id integer PRIMARY KEY, n integer, v integer)",
        "CREATE TABLE c (id integer PRIMARY KEY, tid integer REFERENCES t (id)"
        " DEFERRABLE INITIALLY DEFERRED)",
        "CREATE INDEX c_tid ON c (tid)",
        "INSERT INTO t VALUES (1, 1, 0), (2, 5, 0), (4, 4, 1)",
        "INSERT INTO c VALUES (1, 1), (3, 2)",
    ],
}

TEMPLATES = {
    "t": [
        "select id, n, v from t where id = {k}",
        "select id, n, v from t where id = {k}",
        "select n from t where id = {k} for update",
        "select n from t where id = {k} for {lock}",
        "select id from t where v = {s} order by id for {lock}",
        "select id, n from t order by n, id limit 1 for update",
        "select id from t order by id limit 1 for update skip locked",
        "select n from t where id = {k} for update nowait",
        "select id, v from t where v = {s} order by id limit 1",
        "select id from t order by id desc limit 1",
        "select id from t order by id limit 2",
        "select sum(n), count(*) from t",
        "select count(*) from t where v = {s}",
        "select id from t where id > {k} order by id",
        "update t set v = v + 1 where id = {k}",
        "update t set v = {s} where id = {k} and v = {s}",
        "update t set n = n + 10 where id = {k}",
        "update t set v = {s} where v = {s}",
        "update t set v = (select sum(n) from t) where id = {k}",
        "update t set v = {s} where id in ({k}, {k})",
        "update t set n = {s} where n = {k} returning id, v",
        "insert into t values ({k}, {s}0, {s})",
        "insert into t values ({k}, {k}, {s})",
        "insert into t values ({k}, {k}0, {s}) on conflict (id) do update set v = t.v + 1",
        "insert into t values ({k}, {k}0, {s}) on conflict do nothing",
        "delete from t where id = {k}",
        "delete from t where v = {s}",
        "savepoint s",
        "rollback to savepoint s",
    ],
    "c": [
        "insert into c values ({k}, {k})",
        "insert into c values ({k}, {k})",
        "select count(*) from c where tid = {k}",
        "update c set tid = {k} where id = {k}",
        "delete from c where id = {k}",
        "delete from t where id = {k}",
        "update t set id = {k} where id = {k}",
        "select n from t where id = {k} for update",
        "select t.id, c.id from t left join c on c.tid = t.id where t.id = {k} order by 2",
    ],
}


def statement(rng, schema):
    tables = ["t", "t", "c"] if schema in ("family", "deferred") else ["t"]
    text = rng.choice(TEMPLATES[rng.choice(tables)])
    text = re.sub(r"\{k\}", lambda m: str(rng.randint(1, 4)), text)
    text = re.sub(r"\{s\}", lambda m: str(rng.randint(0, 2)), text)
    return text.replace("{lock}", rng.choice(["update", "no key update", "share", "key share"]))


def play_case(player_class, dsn, rng, schema, level, session_count):
    """The lines of a case, or None if it came to a race."""
    player = player_class(dsn, SCHEMAS[schema], level)
    names = "ABC"[:session_count]
    lines = []
    try:
        open_, waiting = set(), set()
        for step in range(STATEMENTS + 3 * session_count):
            free = [n for n in names if n not in waiting]
            closing = step >= STATEMENTS
            if closing:
                free = [n for n in free if n in open_] or ([] if waiting else ["A"])
            if not free:
                return None
            name = rng.choice(free)
            if closing and name not in open_:
                break
            if closing or (name in open_ and rng.random() < 0.12):
                sql = "rollback" if rng.random() < 0.15 else "commit"
            elif name not in open_ and rng.random() < 0.75:
                sql = "begin"
            else:
                sql = statement(rng, schema)
            if name not in open_ and "savepoint" in sql:
                sql = "select 1"
            for who, what, answer in player.play(name, sql):
                lines.append((who, what, answer))
                if what == "begin":
                    open_.add(who)
                elif what in ("commit", "rollback") and answer != "BLOCKED":
                    open_.discard(who)
                (waiting.add if answer == "BLOCKED" else waiting.discard)(who)
            if len(waiting) > 1:
                return None
        tables = ["t"] + (["c"] if schema in ("family", "deferred") else [])
        if waiting or open_:
            return None
        for table in tables:
            lines += player.play("A", "select * from %s order by id" % table)
        return lines
    finally:
        player.close()


def section_text(title, schema, level, lines):
    text = ["## " + title, "  = postgresql " + level]
    text += ["  + " + sql for sql in SCHEMAS[schema]]
    text += [("  %s %s" % (n, sql)).ljust(80) + "  " + answer for n, sql, answer in lines]
    return "\n".join(text) + "\n"


def runner_path():
    build = os.path.dirname(os.environ.get("LOSTWRITE", "build/lostwrite"))
    for folder in (build, "build"):
        path = os.path.join(folder, "tests", "engine_transcript_test")
        if os.path.exists(path):
            return path
    raise SystemExit("no engine_transcript_test: build first")


def generate(dsn, options):
    import postgres_recorder

    cases, races = [], 0
    end = time.monotonic() + options.seconds
    while len(cases) < options.cases and (options.fixed or time.monotonic() < end):
        number = len(cases) + races
        rng = random.Random("%d.%d" % (options.seed, number))
        schema = rng.choice(sorted(SCHEMAS))
        level = options.level or rng.choice(LEVELS)
        count = options.sessions or rng.choice([2, 2, 3])
        lines = play_case(postgres_recorder.Player, dsn, rng, schema, level, count)
        if lines is None:
            races += 1
            continue
        title = "seed %d case %d: %s, %s" % (options.seed, number, schema, level)
        cases.append(section_text(title, schema, level, lines))
    print("%d cases, %d races left out" % (len(cases), races), flush=True)
    return cases


def check(cases, options):
    path = options.keep
    if path is None:
        handle, path = tempfile.mkstemp(suffix=".txt")
        os.close(handle)
    with open(path, "w") as file:
        file.write("\n".join(cases))
    run = subprocess.run([options.runner or runner_path(), path], stdout=subprocess.PIPE,
                         stderr=subprocess.STDOUT, text=True)
    if options.keep is None:
        os.unlink(path)
    failed = 0
    for line in run.stdout.splitlines():
        if line.startswith("ERROR:"):
            failed += 1
            print(line)
        elif line.startswith("[  FAILED  ]") and "case" in line:
            print(line)
    if run.returncode != 0 and failed == 0:
        print(run.stdout[-2000:])
        failed = 1
    return failed


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--cases", type=int)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=SECONDS_DEFAULT)
    parser.add_argument("--sessions", type=int)
    parser.add_argument("--level", choices=LEVELS)
    parser.add_argument("--dsn")
    parser.add_argument("--keep")
    parser.add_argument("--runner")
    options = parser.parse_args()
    options.fixed = options.cases is not None
    options.cases = options.cases or 10**6
    name = "postgres_differential_test"
    if options.dsn:
        cases = generate(options.dsn, options)
    else:
        import servers

        try:
            with servers.PostgreSQL() as server:
                dsn = "host=127.0.0.1 port=%d dbname=postgres user=postgres" % server.port
                cases = generate(dsn, options)
        except (servers.ServerError, FileNotFoundError) as error:
            print("skipped: no PostgreSQL: %s" % error)
            print("%s: 0 passed, 0 failed, 1 skipped" % name)
            return 0
    failed = check(cases, options)
    print("%s: %d passed, %d failed, 0 skipped" % (name, len(cases) - failed, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
