"""Random interleavings of small statements, played on a real database and then asked of the built-in engine.

    NAME_differential_test.py [--seconds S] [--cases N] [--seed N] [--case N] [--settings "LEVEL..."] [--schema NAME]
                              [--sessions N] [--keep FILE] [--shrink]

A case is written down as a transcript (transcripts/README.md), and the transcripts are then run as those are: by
tests/engine/transcript_test.c. A case that fails is printed; --shrink leaves out of it what can be left out.
Left out are cases whose end is a race on the real database: see Suite.is_race.

A suite's statements are a grammar: {name} in a text stands for one of the alternatives of that name.
"""

import argparse
import os
import random
import re
import subprocess
import sys
import tempfile
import time

import player
import record
import servers

STATEMENTS_MAX = 16  # of a case, beside what ends its transactions


class Suite:
    """What is compared: the settings and schemas of one database, and a grammar whose starting symbols are
    named like the schemas."""

    def __init__(self, name, settings, schemas, grammar):
        self.name, self.settings = name, settings
        self.schemas, self.grammar = schemas, grammar

    def expand(self, rng, symbol, hot):
        """A text of the symbol. Half of the time a value is the one in `hot`, so that sessions meet."""
        text = rng.choice(self.grammar[symbol])
        if all(word.isalnum() for word in self.grammar[symbol]):
            text = hot.setdefault(symbol, text) if rng.random() < 0.5 else text
        return re.sub(r"\{([\w.]+)\}", lambda match: self.expand(rng, match.group(1), hot), text)

    def tables(self, schema):
        return re.findall(r"create table (\w+)", " ".join(self.schemas[schema]).lower())

    def is_race(self, answers, waiting):
        """Of two that wait at once either may be first to go on, and then be in the other's way."""
        resumed = sum("(unblocked)" in answer for _, _, answer in answers)
        return resumed > 0 and resumed + len(waiting) > 1


class Case:
    def __init__(self, title, settings, schema, tables):
        self.title, self.settings, self.schema, self.tables = title, settings, schema, tables
        self.lines = []

    def text(self):
        head = ["## " + self.title, "  = " + self.settings] + ["  + " + sql for sql in self.schema]
        return "\n".join(head + [record.line_text(*line) for line in self.lines]) + "\n"


class Chooser:
    """What the sessions do: mostly statements in transactions."""

    def __init__(self, suite, rng, schema, names):
        self.suite, self.rng, self.schema, self.names = suite, rng, schema, names
        self.open, self.hot = set(), {}
        self.left = rng.randint(5, STATEMENTS_MAX)

    def next(self, waiting):
        """(session, statement), or None at the end."""
        self.left -= 1
        free = [name for name in self.names if name not in waiting]
        if self.left < 0:
            free = [name for name in free if name in self.open]
        if not free:
            return None
        name = self.rng.choice(free)
        return name, self.statement(name)

    def statement(self, name):
        roll = self.rng.random()
        if name not in self.open:
            return "begin" if roll < 0.8 else self.suite.expand(self.rng, self.schema, self.hot)
        if self.left < 0 or roll < 0.14:
            return "rollback" if self.rng.random() < 0.2 or self.left < -6 else "commit"
        if roll < 0.2:
            return self.rng.choice(["savepoint s", "savepoint s", "rollback to savepoint s"])
        return self.suite.expand(self.rng, self.schema, self.hot)

    def took(self, name, sql, answer):
        if sql == "begin" and not answer.startswith("ERR"):
            self.open.add(name)
        elif sql in ("commit", "rollback") and not answer.startswith(("BLOCKED", "ERR SQLITE_")):
            self.open.discard(name)


def play_random(suite, lab, rng, schema, case, session_count):
    """Plays a case to its end; False if it came to a race."""
    chooser = Chooser(suite, rng, schema, "ABC"[:session_count])
    with lab.player(case.settings, case.schema) as play:
        while True:
            choice = chooser.next(play.waiting())
            if choice is None and not play.waiting():
                break
            answers = play.play(*choice) if choice else play.outwait(play.waiting()[0])
            case.lines += answers
            for answer in answers:
                chooser.took(*answer)
            if suite.is_race(answers, play.waiting()):
                return False
        for table in case.tables:
            case.lines += play.play("A", "select * from %s order by id" % table)
    return True


# ---- the engine ----


def runner_path():
    folder = os.path.dirname(os.environ.get("LOSTWRITE", "build/lostwrite"))
    path = os.path.join(folder, "tests", "engine_transcript_test")
    if not os.path.exists(path):
        raise SystemExit("no engine_transcript_test: build first")
    return path


def failed_titles(cases, path=None):
    """{title: what the engine said} of the cases that it fails."""
    with tempfile.TemporaryDirectory(prefix="lostwrite-") as folder:
        path = path or os.path.join(folder, "cases.txt")
        with open(path, "w") as file:
            file.write("\n".join(case.text() for case in cases))
        run = subprocess.run([runner_path(), path], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    said = re.findall(r"^ERROR: (.*)$", run.stderr, re.M)
    titles = re.findall(r"^\[  FAILED  \] (seed .*)$", run.stderr, re.M)
    if len(said) != len(titles) or (run.returncode != 0) != (len(titles) > 0):
        raise SystemExit("engine_transcript_test answers %d:\n%s" % (run.returncode, run.stderr[-2000:]))
    return dict(zip(titles, said))


def replay(lab, case, steps):
    """The same case with only these steps; a session that waits does nothing."""
    other = Case(case.title, case.settings, case.schema, case.tables)
    with lab.player(case.settings, case.schema) as play:
        for name, sql in steps:
            if name not in play.waiting():
                other.lines += play.play(name, sql)
        other.lines += play.outwait_all()
    return other


def shrink(lab, case):
    """Leaves out steps as long as the engine still differs from the database."""
    steps = [(name, sql) for name, sql, answer in case.lines if "(unblocked)" not in answer]
    again = True
    while again:
        again = False
        for i in reversed(range(len(steps))):
            fewer = steps[:i] + steps[i + 1 :]
            smaller = replay(lab, case, fewer)
            if failed_titles([smaller]):
                case, steps, again = smaller, fewer, True
    return case


# ---- the command ----


def random_case(suite, lab, number, options):
    """A case, or None if it came to a race."""
    rng = random.Random("%s.%d" % (options.seed, number))
    settings = options.settings or rng.choice(suite.settings)
    schema = options.schema or rng.choice(sorted(suite.schemas))
    sessions = options.sessions or rng.choice([2, 2, 3])
    title = "seed %s case %d: %s, %s" % (options.seed, number, schema, settings)
    case = Case(title, settings, suite.schemas[schema], suite.tables(schema))
    return case if play_random(suite, lab, rng, schema, case, sessions) else None


def generate(suite, lab, options):
    if options.case is not None:
        return [random_case(suite, lab, options.case, options)]
    cases, races = [], 0
    end = time.monotonic() + options.seconds
    while time.monotonic() < end and len(cases) < options.cases:
        case = random_case(suite, lab, len(cases) + races, options)
        if case is None:
            races += 1
        else:
            cases.append(case)
    print("%d cases, %d races left out" % (len(cases), races), flush=True)
    return cases


def compare(suite, lab, options):
    """(passed, failed)"""
    cases = generate(suite, lab, options)
    failures = failed_titles(cases, options.keep)
    for case in cases:
        if case.title in failures:
            if options.shrink:
                case = shrink(lab, case)
            print(case.text() + failures[case.title] + "\n", flush=True)
    return len(cases) - len(failures), len(failures)


def main(suite, seconds, cases):
    """Compares as many cases as there is time for, at most `cases`: a faster machine is to meet none that
    was not looked at before."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=seconds)
    parser.add_argument("--cases", type=int, default=cases)
    parser.add_argument("--case", type=int)
    parser.add_argument("--seed", default="1")
    parser.add_argument("--settings")
    parser.add_argument("--schema", choices=sorted(suite.schemas))
    parser.add_argument("--sessions", type=int)
    parser.add_argument("--keep")
    parser.add_argument("--shrink", action="store_true")
    options = parser.parse_args()
    passed = failed = skipped = 0
    try:
        with player.Lab() as lab:
            passed, failed = compare(suite, lab, options)
    except (servers.ServerError, ImportError, FileNotFoundError) as error:
        print("skipped: %s" % error)
        skipped = 1
    print("%s_differential_test: %d passed, %d failed, %d skipped" % (suite.name, passed, failed, skipped))
    sys.exit(1 if failed or passed + skipped == 0 else 0)
