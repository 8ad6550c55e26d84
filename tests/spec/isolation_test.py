#!/usr/bin/env python3
"""PostgreSQL's own isolation tests, from Debian's source package, run on the built-in engine and on a PostgreSQL 15 server:
every permutation must print what the package's expected files have (any of the alternatives), byte for byte. Those that
do not are listed in known.txt, each with its reason; a listed one that comes to pass is a failure, too, unless its reason is
"a race: ...".

    tests/spec/isolation_test.py --rewrite      writes known.txt anew; a new line has `?` for a reason, which is a failure

Also: the cases of spec_test.py print on the server what they print on the built-in engine.
"""
import os
import pathlib
import re
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
sys.path.insert(0, str(HERE.parent / "live"))
import harness
import servers
import sources
from harness import lostwrite

KNOWN = HERE / "known.txt"
DATABASE = "isolation_regression"  # as pg_regress calls it; a spec names it
STEP_SECONDS = "20"  # a step that does not end is a failure, and soon
SPEC_SECONDS_MAX = 250
SIDES = ("builtin", "server")
# Of two sessions that one commit lets go, a busy machine may run either first: what fails on the server fails each time.
RUNS_AGAIN = 2
# The first goal: no partitions, triggers, DDL in steps, two-phase commit, MERGE, GIN, advisory locks.
FIRST = """
aborted-keyrevoke classroom-scheduling delete-abort-savept delete-abort-savept-2 fk-contention index-only-scan
insert-conflict-do-nothing insert-conflict-do-nothing-2 insert-conflict-do-update insert-conflict-do-update-2
insert-conflict-do-update-3 lock-update-traversal multiple-row-versions multixact-no-deadlock multixact-no-forget nowait
nowait-2 nowait-3 partial-index predicate-lock-hot-tuple project-manager propagate-lock-delete read-only-anomaly
read-only-anomaly-2 read-only-anomaly-3 read-write-unique read-write-unique-2 read-write-unique-4 receipt-report
referential-integrity simple-write-skew skip-locked skip-locked-2 skip-locked-3 total-cash tuplelock-conflict
tuplelock-upgrade-no-deadlock two-ids update-conflict-out update-locked-tuple
""".split()
FIRST_PERMUTATIONS, FIRST_PASSING_MIN = 588, 560


class Server(servers.PostgreSQL):
    def command(self):
        return super().command() + ["-c", "max_prepared_transactions=10"]


def pieces(transcript):
    """What stands before the first permutation, and each of them."""
    return [piece.strip("\n") for piece in re.split(r"^starting permutation:", transcript, flags=re.M)]


def expected(folder, name):
    """The alternatives' pieces."""
    paths = [folder / "expected" / (name + suffix) for suffix in (".out", "_1.out", "_2.out")]
    return [pieces(path.read_text()) for path in paths if path.exists()]


def run(path, *options):
    return lostwrite("prove", str(path), *options, env={"PGISOLATIONTIMEOUT": STEP_SECONDS},
                     timeout_s=SPEC_SECONDS_MAX)


def failures(folder, name, *options):
    """{number of the permutation: why it fails}, and how many there are. Number 0: what stands before them."""
    wanted = expected(folder, name)
    code, out, err = run(folder / "specs" / (name + ".spec"), *options)
    got, failed = pieces(out), {}
    for i, text in enumerate(wanted[0]):
        have = got[i] if i < len(got) else None
        if any(i < len(other) and have == other[i] for other in wanted):
            continue
        not_run = re.search(r"^not run: \d+:\d+: (.*)$", have or "", re.M)
        failed[i] = ("not modelled: " + not_run.group(1) if not_run else
                     "differs" if have is not None else "missing: " + err.strip()[-200:])
    return failed, len(wanted[0]) - 1


def read_known():
    """{(side, name): {number: reason}}."""
    known = {}
    for line in KNOWN.read_text().splitlines():
        if not line or line.startswith("#"):
            continue
        side, name, numbers, reason = line.split(" ", 3)
        for part in numbers.split(","):
            low, _, high = part.partition("-")
            for number in range(int(low), int(high or low) + 1):
                known.setdefault((side, name), {})[number] = reason
    return known


def ranges(numbers):
    parts = []
    for number in numbers:
        if parts and parts[-1][1] == number - 1:
            parts[-1][1] = number
        else:
            parts.append([number, number])
    return ",".join(str(low) if low == high else "%d-%d" % (low, high) for low, high in parts)


def lines(side, name, failed, known):
    """Of known.txt: the permutations that fail for one reason on a line."""
    by_reason = {}
    for number, why in sorted(failed.items()):
        if not why.startswith("not modelled: "):
            old = known.get((side, name), {}).get(number, "?")
            why = "?" if old.startswith("not modelled: ") else old
        by_reason.setdefault(why, []).append(number)
    return ["%s %s %s %s" % (side, name, ranges(numbers), why) for why, numbers in by_reason.items()]


class Isolation(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        try:
            cls.folder = sources.isolation_tests()
        except sources.SourceError as error:
            raise unittest.SkipTest(str(error))
        cls.names = sorted(path.stem for path in (cls.folder / "specs").glob("*.spec"))
        cls.known = read_known()

    def check(self, side, *options):
        """Runs all specs; the counts of FIRST: permutations, and those that pass."""
        total = passing = first = first_passing = 0
        for name in self.names:
            with self.subTest("%s %s" % (side, name)):
                known = self.known.get((side, name), {})
                failed, count = failures(self.folder, name, *options)
                for _ in range(RUNS_AGAIN if side == "server" else 0):
                    if set(failed) <= set(known):
                        break
                    again, _ = failures(self.folder, name, *options)
                    failed = {number: why for number, why in failed.items() if number in again}
                total, passing = total + count, passing + count - len(failed)
                if name in FIRST:
                    first, first_passing = first + count, first_passing + count - len(failed)
                either = {number for number, why in known.items() if why.startswith("a race: ")}
                self.assertEqual(sorted(set(failed) | either), sorted(known),
                                 {n: w for n, w in failed.items() if n not in known})
                for number, why in failed.items():
                    reason = known[number]
                    self.assertNotEqual(reason, "?", number)
                    self.assertEqual(why.startswith("not modelled: "),
                                     reason.startswith("not modelled: "), (number, why, reason))
        print("%s: %d of %d permutations of %d specs as expected; of the first %d: %d"
              % (side, passing, total, len(self.names), first, first_passing))
        return first, first_passing

    def test_builtin(self):
        first, passing = self.check("builtin")
        self.assertEqual(first, FIRST_PERMUTATIONS)
        self.assertGreaterEqual(passing, FIRST_PASSING_MIN)

    def test_server(self):
        with Server() as server:
            server.create_database(DATABASE)
            url = "postgresql://lab@127.0.0.1:%d/%s" % (server.port, DATABASE)
            first, passing = self.check("server", "--on", url)
        self.assertEqual((first, passing), (FIRST_PERMUTATIONS, FIRST_PERMUTATIONS))


class OwnCases(unittest.TestCase):
    def test_cases_on_the_server(self):
        with Server() as server:
            url = "postgresql://lab@127.0.0.1:%d/postgres" % server.port
            for path in sorted((HERE / "cases").glob("*.spec")):
                if path.stem == "left_out":  # what is not modelled
                    continue
                with self.subTest(path.stem):
                    env = {"PGISOLATIONTIMEOUT": "2"}
                    ours = lostwrite("prove", str(path), env=env)
                    code, out, err = lostwrite("prove", str(path), "--on", url, env=env)
                    self.assertEqual((code, out), (0, ours[1]), err)
            for level in ("repeatable read", "serializable"):
                with self.subTest(level):
                    path = str(HERE / "cases" / "level.spec")
                    ours = lostwrite("prove", path, "--isolation", level)
                    code, out, err = lostwrite("prove", path, "--on", url, "--isolation", level)
                    self.assertEqual((code, out), (0, ours[1]), err)
            left = "SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'lostwrite%'"
            connection = server.connect()
            cursor = connection.cursor()
            cursor.execute(left)
            self.assertEqual(cursor.fetchone()[0], 0)
            connection.close()


HEADER = """# The permutations of PostgreSQL's isolation tests that do not print what its expected files have, and why: see
# isolation_test.py. Where, spec, numbers of the permutations (from 1; 0: the lines before them), reason.
"""


def rewrite():
    folder = sources.isolation_tests()
    known = read_known() if KNOWN.exists() else {}
    text = HEADER
    with Server() as server:
        server.create_database(DATABASE)
        url = "postgresql://lab@127.0.0.1:%d/%s" % (server.port, DATABASE)
        for side, options in zip(SIDES, ((), ("--on", url))):
            for path in sorted((folder / "specs").glob("*.spec")):
                failed, _ = failures(folder, path.stem, *options)
                text += "".join(line + "\n" for line in lines(side, path.stem, failed, known))
    KNOWN.write_text(text)


if __name__ == "__main__":
    if sys.argv[1:] == ["--rewrite"]:
        rewrite()
    else:
        harness.main("isolation")
