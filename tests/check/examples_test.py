#!/usr/bin/env python3
"""`lostwrite check` on the projects in examples/: each bug at its line, nothing on the fixes, and every
assignment of a copy from which the save() calls are gone."""
import ast
import json
import pathlib
import re
import shutil
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import harness

EXAMPLES = harness.SOURCE / "examples"
MISTAKES = EXAMPLES / "orm_mistakes" / "mistakes"
MEASURED = harness.SOURCE / "tests" / "live" / "expected"
SAVE = re.compile(r"^ *[a-z_]+\.save\(.*\)\n", re.MULTILINE)


def check(path, *options):
    """The findings, as (file, line, code, symbol); of functions that nothing calls (the repaired ones), too."""
    code, out, err = harness.lostwrite("check", ".", "--pedantic", "--format", "json", *options, cwd=path)
    if code not in (0, 1):
        raise AssertionError(f"exit code {code}: {err}")
    return sorted((f["path"], f["line"], f["code"], f["symbol"]) for f in json.loads(out)["findings"])


def last_save(path, function):
    """The line of the last save() in a function: where each of the bugs loses its write."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    body = next(node for node in tree.body if getattr(node, "name", "") == function)
    return max(node.lineno for node in ast.walk(body)
               if isinstance(node, ast.Attribute) and node.attr == "save")


def at_save(code, module, function):
    line = last_save(MISTAKES / (module + ".py"), function)
    return f"mistakes/{module}.py", line, code, f"mistakes.{module}.{function}"


class Mistakes(unittest.TestCase):
    maxDiff = None
    BUGS = [
        at_save("LW001", "bug1_aliased_objects", "register_parcel"),
        at_save("LW002", "bug2_stale_save", "set_title"),
        at_save("LW002", "bug2_stale_save", "set_price"),
        at_save("LW003", "bug3_read_modify_write", "increment"),
        at_save("LW004", "bug4_check_then_act", "ship"),
        at_save("LW005", "bug5_stale_total", "record_payment"),
        at_save("LW005", "bug5_stale_total", "record_pledge"),
        at_save("LW006", "bug6_late_lock", "book_seat"),
    ]

    def test_the_six_bugs_and_nothing_else(self):
        self.assertEqual(check(MISTAKES.parent), sorted(self.BUGS))

    def test_what_each_server_lost(self):
        """On each engine and level those functions have a finding that lost a write on the real server."""
        for vendor in ("postgresql", "mariadb"):
            measured = json.loads((MEASURED / (vendor + ".json")).read_text(encoding="utf-8"))
            bugs = [s for s in measured["scenarios"].values() if s["kind"] == "bug"]
            for level in bugs[0]["levels"]:
                if level == "serializable + snapshot isolation":
                    continue  # no policy of lostwrite's
                lost = {symbol for bug in bugs if bug["levels"][level]["verdict"] == "lost"
                        for symbol in bug["sessions"]}
                options = ["--engine", vendor, "--isolation", re.sub(".* \\+ ", "", level)]
                found = [f for f in check(MISTAKES.parent, *options) if f[2] <= "LW006"]
                with self.subTest(vendor=vendor, level=level):
                    self.assertEqual(found, sorted(bug for bug in self.BUGS if bug[3] in lost))

    def test_without_save(self):
        """An assignment that is never saved is LW008, and each one in the modules of the bugs is one."""
        with tempfile.TemporaryDirectory() as folder:
            copy = shutil.copytree(MISTAKES.parent, pathlib.Path(folder) / "copy")
            assigned = []
            for path in sorted(copy.glob("mistakes/bug*.py")):
                text, count = SAVE.subn("", path.read_text(encoding="utf-8"))
                self.assertGreater(count, 0, path.name)
                path.write_text(text, encoding="utf-8")
                assigned += [(f"mistakes/{path.name}", node.lineno, "LW008")
                             for node in ast.walk(ast.parse(text))
                             if isinstance(node, (ast.Assign, ast.AugAssign))
                             and isinstance(getattr(node, "target", None) or node.targets[0],
                                            ast.Attribute)]
            self.assertGreaterEqual(len(assigned), 20)
            self.assertEqual([finding[:3] for finding in check(copy)], sorted(assigned))


class Polls(unittest.TestCase):
    def test_two_of_the_six_bugs(self):
        line = last_save(EXAMPLES / "polls" / "polls" / "views.py", "vote")
        for engine in ("postgresql", "mysql", "mariadb", "sqlite"):
            self.assertEqual(check(EXAMPLES / "polls", "--engine", engine),
                             [("polls/views.py", line, code, "polls.views.vote")
                              for code in ("LW002", "LW003")])


if __name__ == "__main__":
    harness.main("examples")
