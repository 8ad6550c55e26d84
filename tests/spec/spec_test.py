#!/usr/bin/env python3
"""`prove FILE.spec` on the built-in engine: cases/NAME.spec must print cases/NAME.out, byte for byte. What is told of the
spec's own mistakes is in errors/. tests/live/spec_test.py holds the cases against a real server.

    tests/spec/spec_test.py --rewrite        writes the cases' .out anew: read the difference
"""
import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import harness
from harness import lostwrite

HERE = pathlib.Path(__file__).resolve().parent
CASES = sorted((HERE / "cases").glob("*.spec"))
LEFT_OUT = {"left_out": "2 of 3"}

GOOD = "setup { CREATE TABLE t (v int); }\nsession s\nstep a { SELECT 1; }\n"
MISTAKES = {
    "": "1:1: error: expected setup, teardown or session",
    "session": "1:8: error: expected a session's name",
    "session step\nstep a { }": "1:9: error: expected a session's name",
    "session s": "1:10: error: expected the session's setup or its first step",
    "session s step a": "1:17: error: expected { and SQL",
    "session s\n  step a { SELECT 1;": "2:10: error: this { is not closed",
    'session "s\nstep a { }': "1:9: error: this name's quote is not closed on its line",
    "session s step a { } ; ": "1:22: error: this byte can't stand here",
    "setup { } session s step a { } setup { }": "1:32: error: expected session, permutation or the end",
    GOOD + "step a { }": "4:6: error: there is a step a already",
    GOOD + "permutation a b": "4:15: error: there is no step b",
    GOOD + "permutation a\nsession": "5:1: error: expected permutation or the end",
    GOOD + "permutation a(b)": "4:15: error: there is no step b in this permutation",
    GOOD + "permutation a(*": "4:16: error: expected , or )",
    GOOD + "permutation a(b notices)": "4:24: error: expected a number of notices",
    GOOD + "permutation a(b notices 99999999)": "4:25: error: so many notices are not possible",
    GOOD + "step b { }\npermutation a(b) b": "5:15: error: a step can't be held back by its own session",
    GOOD + "".join("session s%d step t%d { }\n" % (i, i) for i in range(8)):
        "error: 9 sessions; at most 8 are possible",
    "".join("session s%d %s" % (i, "".join("step t%d_%d { }\n" % (i, k) for k in range(9)))
            for i in range(2)): None,
    "".join("session s%d %s" % (i, "".join("step t%d_%d { }\n" % (i, k) for k in range(9)))
            for i in range(3)):
        "error: its steps have more than 100000 orders; name those to run by `permutation`",
}


class Cases(unittest.TestCase):
    def test_transcripts(self):
        for path in CASES:
            with self.subTest(path.stem):
                code, out, err = lostwrite("prove", str(path))
                self.assertEqual(out, path.with_suffix(".out").read_text())
                left_out = LEFT_OUT.get(path.stem)
                self.assertEqual(code, 2 if left_out else 0, err)
                self.assertEqual(err, "lostwrite: %s permutations not run: not modelled\n" % left_out
                                 if left_out else "")

    def test_documented_example(self):
        page = (harness.SOURCE / "docs" / "spec.md").read_text()
        spec = (harness.SOURCE / "examples" / "spec" / "last_seat.spec").read_text()
        self.assertIn("```\n" + spec + "```\n", page)
        code, out, err = lostwrite("prove", "examples/spec/last_seat.spec", cwd=harness.SOURCE)
        self.assertIn("$ lostwrite prove examples/spec/last_seat.spec\n" + out + "```\n", page)

    def test_level(self):
        path = str(HERE / "cases" / "level.spec")
        outcomes = {level: lostwrite("prove", path, "--isolation", level)[1]
                    for level in ("read committed", "repeatable read", "serializable")}
        self.assertNotIn("ERROR", outcomes["read committed"])
        self.assertIn("could not serialize access due to concurrent update",
                      outcomes["repeatable read"])
        self.assertIn("could not serialize access due to read/write dependencies among transactions",
                      outcomes["serializable"])

    def test_steps_held_back_by_each_other(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "t.spec"
            for turns, message in (
                    ("a(*, b) b(a) c", "step a can't complete: what holds it back waits too"),
                    ("a(*, b) b(a)", "the steps that are left hold each other back")):
                path.write_text("session s step a { SELECT 1; } step c { SELECT 3; }\n"
                                "session t step b { SELECT 2; }\npermutation %s\n" % turns)
                code, out, err = lostwrite("prove", str(path), timeout_s=20)
                self.assertEqual(code, 2)
                self.assertIn(message, err)


class Mistakes(unittest.TestCase):
    def test_mistakes(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "t.spec"
            for text, message in MISTAKES.items():
                with self.subTest(text[:60]):
                    path.write_text(text)
                    code, out, err = lostwrite("prove", str(path))
                    if message is None:
                        self.assertEqual((code, out.count("starting permutation:")), (0, 48620), err)
                        continue
                    self.assertEqual(code, 2)
                    self.assertTrue(err.endswith(message + "\n"), err)

    def test_options(self):
        path = str(CASES[0])
        for args, message in (([path, path], "is a whole scenario: it goes alone"),
                              ([path, "--sessions", "2"], "--sessions does not go with a .spec file"),
                              ([path, "--format", "json"], "--format json does not go with"),
                              ([path, "--all-schedules"], "--all-schedules does not go with"),
                              ([path, "--on", ""], "which server?"),
                              ([path, "--on", "sqlite:x"], "PostgreSQL"),
                              ([path, "--engine", "mysql"], "a .spec file runs on PostgreSQL only"),
                              (["no/such.spec"], "No such file")):
            code, out, err = lostwrite("prove", *args)
            self.assertEqual((code, out), (2, ""))
            self.assertIn(message, err)


def rewrite():
    for path in CASES:
        path.with_suffix(".out").write_text(lostwrite("prove", str(path))[1])


if __name__ == "__main__":
    if sys.argv[1:] == ["--rewrite"]:
        rewrite()
    else:
        harness.main("spec")
