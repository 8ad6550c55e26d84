#!/usr/bin/env python3
"""tests/run itself: what it makes of a program's output, exit code and time, and of no tests at all."""
import importlib.machinery
import importlib.util
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import harness

sys.dont_write_bytecode = True
loader = importlib.machinery.SourceFileLoader("run", str(harness.SOURCE / "tests" / "run"))
run = importlib.util.module_from_spec(importlib.util.spec_from_loader("run", loader))
loader.exec_module(run)

CMOCKA_OUT = "[==========] Running 3 test(s).\n[ RUN      ] a\n[       OK ] a\n[==========] 3 test(s) run.\n"
CMOCKA_ERR = ("[  PASSED  ] 1 test(s).\n[  SKIPPED ] 1 test(s), listed below:\n[  SKIPPED ] c\n"
              "\n 1 SKIPPED TEST(S)\n[  FAILED  ] 1 test(s), listed below:\n[  FAILED  ] b\n")


def counts(passed, failed, skipped):
    return run.Counts(passed, failed, skipped)


class Counting(unittest.TestCase):
    def test_own_summary(self):
        self.assertEqual(run.counts_of_output("x\nlive: 5 passed, 1 failed, 2 skipped\n\n", ""),
                         counts(5, 1, 2))

    def test_own_summary_must_be_last(self):
        self.assertIsNone(run.counts_of_output("a: 5 passed, 0 failed, 0 skipped\nTraceback\n", ""))

    def test_cmocka(self):
        self.assertEqual(run.counts_of_output(CMOCKA_OUT, CMOCKA_ERR), counts(1, 1, 1))

    def test_cmocka_groups_are_added(self):
        self.assertEqual(run.counts_of_output(CMOCKA_OUT * 2, CMOCKA_ERR * 2), counts(2, 2, 2))

    def test_cmocka_lost_test(self):
        """A failed setup is named in no list; a program that dies in a test prints none."""
        self.assertEqual(run.counts_of_output(CMOCKA_OUT, "[  PASSED  ] 1 test(s).\n"),
                         counts(1, 2, 0))

    def test_none(self):
        self.assertIsNone(run.counts_of_output("hello\n", "world\n"))


class Judging(unittest.TestCase):
    good = "t: 2 passed, 0 failed, 0 skipped\n"

    def test_good(self):
        self.assertEqual(run.judge(self.good, "", 0, False), (counts(2, 0, 0), None))

    def test_exit_code_without_failure(self):
        self.assertEqual(run.judge(self.good, "", 1, False)[0], counts(2, 1, 0))

    def test_told_failure_counts_once(self):
        self.assertEqual(run.judge("t: 1 passed, 1 failed, 0 skipped", "", 1, False)[0],
                         counts(1, 1, 0))

    def test_signal(self):
        self.assertEqual(run.judge(self.good, "", -11, False)[0], counts(2, 1, 0))

    def test_death_amid_cmocka(self):
        self.assertEqual(run.judge(CMOCKA_OUT, "", -6, False),
                         (counts(0, 3, 0), "killed by signal 6"))

    def test_time_limit(self):
        self.assertEqual(run.judge("", "", -9, True), (counts(0, 1, 0), "time limit"))

    def test_silence(self):
        self.assertEqual(run.judge("", "", 0, False)[0], counts(0, 1, 0))

    def test_nothing_ran(self):
        self.assertEqual(run.judge("t: 0 passed, 0 failed, 0 skipped", "", 0, False)[0],
                         counts(0, 1, 0))


def shell(script, timeout_s=20):
    return run.Test("shell", {"c"}, ["sh", "-c", script], {"LW_X": "7"}, None, timeout_s, True)


class Running(unittest.TestCase):
    def test_streams_environment_and_exit_code(self):
        out, err, code, late, _ = run.run_program(shell("echo $LW_X; echo b >&2; exit 3"), set())
        self.assertEqual((out, err, code, late), ("7\n", "b\n", 3, False))

    def test_time_limit(self):
        start = time.monotonic()
        out, _, code, late, _ = run.run_program(shell("echo a; sleep 60", timeout_s=1), set())
        self.assertEqual((out, late), ("a\n", True))
        self.assertLess(code, 0)
        self.assertLess(time.monotonic() - start, 20)

    def test_what_is_left_behind_is_ended(self):
        out, _, code, late, seconds = run.run_program(shell("sleep 60 & echo $!"), set())
        self.assertEqual((code, late), (0, False))
        self.assertLess(seconds, 20)
        for _ in range(100):
            try:
                state = pathlib.Path("/proc", out.strip(), "stat").read_text().split()[2]
            except (FileNotFoundError, ProcessLookupError):
                return
            if state == "Z":
                return
            time.sleep(0.05)
        self.fail("still there")

    def test_cannot_start(self):
        test = shell("")._replace(cmd=["/nonexistent/program"])
        out, err, code, _, _ = run.run_program(test, set())
        self.assertIn("cannot start", err)
        self.assertEqual(run.judge(out, err, code, False)[0], counts(0, 1, 0))

    def test_no_input(self):
        self.assertEqual(run.run_program(shell("cat; echo end"), set())[0], "end\n")


class Whole(unittest.TestCase):
    """The program over a build directory's list, with a meson that only lists."""

    def run_over(self, tests, *args):
        with tempfile.TemporaryDirectory() as folder:
            meson = pathlib.Path(folder, "meson")
            meson.write_text("#!/bin/sh\ncat <<'END'\n[%s]\nEND\n" % ",".join(tests))
            meson.chmod(0o755)
            answer = subprocess.run(
                [sys.executable, str(harness.SOURCE / "tests" / "run"), folder, *args],
                env=dict(os.environ, PATH=folder + ":" + os.environ["PATH"]),
                stdout=subprocess.PIPE, encoding="utf-8")
        return answer.returncode, answer.stdout.splitlines()

    @staticmethod
    def entry(name, suite, script):
        return ('{"name": "%s", "suite": ["lostwrite:%s"], "cmd": ["sh", "-c", "%s"], "env": {},'
                ' "workdir": null, "timeout": 20, "is_parallel": true}' % (name, suite, script))

    def test_sum_and_failure(self):
        tests = [self.entry("a", "c", "echo a: 2 passed, 0 failed, 1 skipped"),
                 self.entry("b", "live", "echo why; echo b: 1 passed, 1 failed, 0 skipped; exit 1")]
        code, lines = self.run_over(tests)
        self.assertEqual((code, lines[-1]), (1, "3 passed, 1 failed, 1 skipped"))
        self.assertIn("     | why", lines)

    def test_choice(self):
        tests = [self.entry("a", "c", "echo a: 2 passed, 0 failed, 0 skipped"),
                 self.entry("b", "live", "exit 1")]
        for args in (["--suite", "c"], ["--exclude", "live"], ["a"]):
            code, lines = self.run_over(tests, *args)
            self.assertEqual((code, lines[-1]), (0, "2 passed, 0 failed, 0 skipped"), args)

    def test_no_tests_is_a_failure(self):
        self.assertEqual(self.run_over([]), (1, ["0 passed, 0 failed, 0 skipped"]))


if __name__ == "__main__":
    harness.main("runner")
