#!/usr/bin/env python3
"""--statistics, --quiet, --exit-zero: what is printed, and the answer."""
import json
import os
import pathlib
import pty
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import harness
from project import Project

SAVE = '    counter.save(update_fields=["count"])'


class Output(unittest.TestCase):
    def test_statistics(self):
        with Project() as p:
            p.replace("shop/views.py", SAVE, "    counter.save()")
            self.assertEqual(p.run("check", "--statistics"),
                             (1, "     2  LW003  read-modify-write\n     1  LW002  stale-whole-row-save\n", ""))
            self.assertEqual(p.run("check", "--statistics", "--ignore=LW002,LW003"), (0, "", ""))
            code, out, _ = p.run("check", "--statistics", "--format=json")
            self.assertEqual((code, json.loads(out)["statistics"]), (1, [
                {"code": "LW003", "name": "read-modify-write", "count": 2},
                {"code": "LW002", "name": "stale-whole-row-save", "count": 1}]))
            for form in ("concise", "sarif", "github", "gitlab"):
                code, out, err = p.run("check", "--statistics", "--format", form)
                self.assertEqual((code, out), (2, ""))
                self.assertIn("--statistics is printed as text or json only", err)

    def test_statistics_of_what_is_news(self):
        with Project() as p:
            p.replace("shop/views.py", SAVE, SAVE + "  # noqa")
            self.assertEqual(p.run("check", "--statistics")[1], "     1  LW003  read-modify-write\n")

    def test_quiet(self):
        with Project() as p:
            p.write("shop/broken.py", "x = (\n")
            p.write("shop/unused.py", "x = 1  # noqa: LW003\n")
            loud, quiet = p.run("check")[1], p.run("check", "--quiet")[1]
            self.assertTrue(loud.startswith(quiet), "the rest is left out")
            self.assertRegex(quiet, "shop/broken.py:1:5: error: [^\n]*\n$")
            summary = loud[len(quiet):]
            self.assertIn("warning: unused suppression", summary)
            self.assertIn("2 findings (2 LW003) in", summary)
            self.assertEqual(p.run("check", "-q", "--select=LW001")[0], 2)
            p.write("shop/broken.py", "")
            self.assertEqual(p.run("check", "-q", "--select=LW001"), (0, "", ""))

    def test_exit_zero(self):
        with Project() as p:
            loud = p.run("check")
            self.assertEqual(p.run("check", "--exit-zero"), (0, *loud[1:]))
            self.assertEqual(p.run("check", "--exit-zero", "--format=sarif")[0], 0)
            self.assertEqual(p.run("check", "--exit-zero", "no-such-file")[0], 2)
            p.write("shop/views.py", "x = (\n")
            self.assertEqual(p.run("check", "--exit-zero")[0], 2)

    def test_jobs(self):
        with Project() as p:
            alone = p.run("check", "--jobs=1")
            self.assertIn("LW003", alone[1])
            for jobs in ("2", "7"):
                self.assertEqual(p.run("check", "-j", jobs), alone)
                self.assertEqual(p.run("check", "-qj" + jobs), p.run("check", "-q", "-j1"))
            for jobs in ("0", "-1", "many", "", "1000000"):
                self.assertEqual(p.run("check", f"--jobs={jobs}")[0], 2, jobs)
            self.assertEqual(p.run("check", "-j")[0], 2)

    def test_progress_on_a_terminal(self):
        """On a terminal a long run tells what it is at, and leaves nothing of it; a short one and a pipe see nothing."""
        with Project() as p:
            self.assertEqual(on_terminal(p, "check", "-q", "--show-files"), "")
            for count in (30, 120, 480, 1920, 7680):  # until it takes longer than a second
                p.write("shop/many.py", "from .models import Counter\n" + "".join(f"""
def increment_{i}(request, pk):
    counter = Counter.objects.get(pk=pk)
    for other in Counter.objects.filter(count=counter.count):
        other.count += counter.count
        other.save()
    counter.count += {i}
    counter.save()
""" for i in range(count)))
                seen = on_terminal(p, "check", "-q", "-j1")
                if seen:
                    break
            self.assertRegex(seen, r"\r\x1b\[K\d+ of \d+ functions (read|searched)")
            self.assertTrue(seen.endswith("\r\x1b[K"), seen[-40:])
            self.assertEqual(p.run("check", "-q", "-j1")[2], "")


def on_terminal(project, *arguments):
    """What a run prints on standard error if that is a terminal."""
    outside, inside = pty.openpty()
    run = subprocess.Popen([harness.BINARY, *arguments], cwd=project.folder, stdout=subprocess.DEVNULL, stderr=inside)
    os.close(inside)
    seen = b""
    while True:
        try:
            more = os.read(outside, 4096)
        except OSError:  # the other end is closed
            break
        if not more:
            break
        seen += more
    os.close(outside)
    run.wait()
    return seen.decode()


class Many(unittest.TestCase):
    """Comments, entries of a baseline, patterns and findings are taken in one pass."""
    COUNT = 20000

    def test_comments_and_entries(self):
        with Project() as p:
            p.write("shop/views.py", p.read("shop/views.py") + "".join(
                f"x{i} = {i}  # noqa: LW003  # lostwrite: ignore[LW002] because\n" for i in range(self.COUNT)))
            entries = ",\n".join('{"code": "LW003", "symbol": "s%d", "statement": "t", "count": 1}' % i
                                 for i in range(self.COUNT))
            p.write("base.json", '{"version": 1, "findings": [\n%s]}' % entries)
            document = p.check("--baseline=base.json")
            self.assertEqual(len(document["findings"]), 2)
            self.assertEqual(len(document["warnings"]), 3 * self.COUNT)

    def test_one_statement(self):
        with Project() as p:
            p.replace("shop/views.py", SAVE, "    counter.save(\n" + "        # noqa: LW003,LW002\n" * self.COUNT
                      + '        update_fields=["count"])')
            document = p.check()
            self.assertEqual([f["line"] for f in document["suppressed"]], [7])
            self.assertEqual(len(document["warnings"]), self.COUNT)


if __name__ == "__main__":
    harness.main("triage output")
