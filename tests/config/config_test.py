#!/usr/bin/env python3
"""The configuration: where it is found, each key, what the command line overrides, and what is said of mistakes."""
import pathlib
import shutil
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import harness
from project import Project, places

BOTH = [("shop/views.py", 7), ("shop/views.py", 14)]


def lines(document):
    return [(f["path"], f["line"]) for f in document["findings"]]


def engines(document):
    """Engine and level of each witness."""
    return sorted({(f["witness"]["engine"], f["witness"].get("version"), f["witness"]["isolation"])
                   for f in document["findings"] if f["witness"]})


class Places(unittest.TestCase):
    def test_both_files(self):
        for name, head in (("lostwrite.toml", ""), ("pyproject.toml", "[project]\nname = 'a'\n\n[tool.lostwrite]\n")):
            with Project() as p:
                p.write(name, head + "ignore = ['LW003']\n")
                self.assertEqual(lines(p.check()), [], name)
                self.assertEqual(lines(p.check("shop/views.py")), [], name)
                self.assertEqual([f["path"] for f in p.check(cwd="shop", *["."])["findings"]], [], name)

    def test_nearest_first(self):
        with Project() as p:
            p.write("lostwrite.toml", "ignore = ['LW003']\n")
            p.write("pyproject.toml", "[tool.lostwrite]\nignore = ['LW001']\n")
            self.assertEqual(lines(p.check()), [], "lostwrite.toml before pyproject.toml")
            p.write("shop/pyproject.toml", "[tool.lostwrite]\n")
            self.assertEqual(lines(p.check("shop")), BOTH)

    def test_other_tools_only(self):
        with Project() as p:
            p.write("lostwrite.toml", "ignore = ['LW003']\n")
            p.write("shop/pyproject.toml", "[tool.black]\nline-length = 100\n")
            self.assertEqual(lines(p.check("shop")), [])

    def test_the_whole_file_is_toml(self):
        with Project() as p:
            shutil.copy(harness.SOURCE / "tests" / "toml" / "pyproject.toml", p.path("pyproject.toml"))
            self.assertEqual(lines(p.check()), BOTH)
            p.write("pyproject.toml", p.read("pyproject.toml") + "\n[tool.lostwrite]\nignore = ['LW003']\n")
            self.assertEqual(lines(p.check()), [])

    def test_named(self):
        with Project() as p:
            p.write("lostwrite.toml", "nonsense")
            p.write("ci/strict.toml", "ignore = ['LW003']\n")
            self.assertEqual(lines(p.check("--config", "ci/strict.toml")), [])
            self.assertEqual(lines(p.check("--no-config")), BOTH)
            self.assertEqual(p.run("check", "--config=no.toml")[::2],
                             (2, "no.toml: error: cannot read: No such file or directory\n"))
            p.write("pyproject.toml", "[tool.black]\n")
            self.assertEqual(p.run("check", "--config=pyproject.toml")[::2],
                             (2, "pyproject.toml: error: it has no table [tool.lostwrite]\n"))

    def test_two_projects(self):
        with Project({"a/manage.py": "", "b/manage.py": "", "a/lostwrite.toml": "", "c/manage.py": ""}) as p:
            self.assertEqual(p.run("check", "a", "b")[::2], (2, (
                "error: a is configured by a/lostwrite.toml, but b by nothing: check them apart, or give --config\n")))
            self.assertEqual(p.run("check", "b", "c")[0], 0)
            self.assertEqual(p.run("check", "a", "b", "--config=a/lostwrite.toml")[0], 0)


class Keys(unittest.TestCase):
    def of(self, toml, *args, files=None):
        with Project() as p:
            p.write("lostwrite.toml", toml)
            for name, text in (files or {}).items():
                p.write(name, text)
            return p.check(*args)

    def test_engine_and_isolation(self):
        self.assertEqual(engines(self.of("engine = 'sqlite'")), [("sqlite", None, "serializable")])
        self.assertEqual(engines(self.of('engine = "mariadb:10.11"')), [("mariadb", "10.11", "repeatable read")])
        self.assertEqual(engines(self.of('engine = "mariadb:11.8"\nisolation = "snapshot isolation"')),
                         [("mariadb", "11.8", "snapshot isolation")])
        self.assertEqual(engines(self.of("isolation = 'immediate'")), [("sqlite", None, "immediate")])

    def test_the_command_line_overrides_them(self):
        maria = 'engine = "mariadb:11.8"\nisolation = "snapshot isolation"'
        self.assertEqual(engines(self.of(maria, "--engine=postgresql")), [("postgresql", None, "read committed")])
        self.assertEqual(engines(self.of(maria, "--isolation=read committed")), [("mariadb", "11.8", "read committed")])

    def test_select_and_ignore(self):
        self.assertEqual(lines(self.of("select = ['LW001', 'LW002']")), [])
        self.assertEqual(lines(self.of("select = ['read-modify-write']")), BOTH)
        self.assertEqual(lines(self.of("ignore = ['LW003']")), [])
        self.assertEqual(lines(self.of("ignore = ['LW003']", "--ignore=LW001")), BOTH)
        self.assertEqual(lines(self.of("select = ['LW001']", "--select=LW003")), BOTH)

    def test_per_file_ignores(self):
        def ignored(pattern, codes="['LW003']"):
            return lines(self.of(f'per-file-ignores."{pattern}" = {codes}')) == []
        for pattern in ("shop/", "shop/*.py", "views.py", "/shop/views.py", "**/views.py", "shop", "*", "!shop/models.py"):
            self.assertTrue(ignored(pattern), pattern)
        self.assertTrue(ignored("shop/", "['all']"))
        for pattern in ("/views.py", "shop/models.py", "shop/*.pyc", "views.py/", "!shop/views.py"):
            self.assertFalse(ignored(pattern), pattern)
        self.assertFalse(ignored("shop/", "['LW002']"))

    def test_per_file_ignores_and_comments(self):
        with Project() as p:
            p.write("lostwrite.toml", "[per-file-ignores]\n'views.py' = ['LW003']\n")
            p.replace("shop/views.py", "counter.count += 1", "counter.count += 1  # noqa: LW003")
            self.assertEqual(p.check()["warnings"], [])

    def test_exclude(self):
        with Project() as p:
            p.write("backend/lostwrite.toml", "exclude = ['/gen/', '*_pb2.py', '!keep_pb2.py']\n")
            for name in ("manage.py", "gen/a.py", "shop/gen/b.py", "shop/c_pb2.py", "shop/keep_pb2.py"):
                p.write("backend/" + name, "")
            self.assertEqual(p.files_read("backend"), ["backend/manage.py", "backend/shop/gen/b.py", "backend/shop/keep_pb2.py"])
            self.assertEqual(p.files_read("backend", "--exclude=shop"), ["backend/manage.py"])

    def test_tests_and_migrations(self):
        names = {"shop/tests.py": "", "shop/migrations/a.py": ""}
        self.assertEqual(self.of("", files=names)["summary"]["files"], 4)
        self.assertEqual(self.of("include-tests = true", files=names)["summary"]["files"], 5)
        self.assertEqual(self.of("include-tests = true\ninclude-migrations = true", files=names)["summary"]["files"], 6)
        self.assertEqual(self.of("include-tests = false", "--include-tests", files=names)["summary"]["files"], 5)

    def test_baseline(self):
        with Project() as p:
            p.write("lostwrite.toml", "baseline = 'ci/base.json'\n")
            self.assertEqual(p.run("check")[::2], (2, "ci/base.json: error: cannot read: No such file or directory\n"))
            p.write("ci/base.json", "")
            p.run("check", "--write-baseline=ci/base.json")
            self.assertEqual(lines(p.check()), [])
            self.assertEqual(p.check("..", cwd="shop")["summary"]["known_to_baseline"], 2)
            p.write("none.json", '{"version": 1, "findings": []}')
            self.assertEqual(lines(p.check("--baseline=none.json")), BOTH)

    def test_require_reason(self):
        with Project() as p:
            p.replace("shop/views.py", 'update_fields=["count"])', 'update_fields=["count"])  # noqa: LW003')
            self.assertEqual(lines(p.check()), BOTH[1:])
            p.write("lostwrite.toml", "require-reason = true\n")
            self.assertEqual(lines(p.check()), BOTH)

    def test_roots(self):
        """A function that the project calls is one all the same if it is named."""
        jobs = ("from .models import Counter\n\n\ndef count(pk):\n    counter = Counter.objects.get(pk=pk)\n"
                "    counter.count += 1\n    counter.save()\n\n\ndef nightly(pk):\n    count(pk)\n")
        with Project() as p:
            p.write("shop/jobs.py", jobs)
            for pattern, root in (("shop.jobs.count", "named as a root"), ("shop.jobs.c*", "named as a root"),
                                  ("*.views.*", "")):
                p.write("lostwrite.toml", f"roots = ['{pattern}']\n")
                found = [f for f in p.check()["findings"] if f["path"] == "shop/jobs.py"]
                self.assertEqual({f["root"] for f in found}, {root}, pattern)
            p.write("lostwrite.toml", "roots = ['shop.jobs.counts']\n")
            self.assertEqual(p.run("check")[::2], (2, "error: roots: the project has no function `shop.jobs.counts`\n"))


class Mistakes(unittest.TestCase):
    def of(self, toml, message, name="lostwrite.toml"):
        with Project() as p:
            p.write(name, toml)
            self.assertEqual(p.run("check"), (2, "", f"{name}:{message}\n"), toml)

    def test_keys(self):
        self.of("engin = 'mysql'", "1:1: error: unknown key 'engin'; did you mean 'engine'?")
        self.of("[project]\nname = 'x'\n[tool.lostwrite]\nselect = []\n per_file_ignores = {}\n",
                "5:2: error: unknown key 'per_file_ignores'; did you mean 'per-file-ignores'?", "pyproject.toml")
        self.of("xyzzy = 1", "1:1: error: unknown key 'xyzzy'")
        self.of("[tool.lostwrite]\nengine = 'mysql'",
                "1:2: error: unknown key 'tool': here the keys stand outside of any table")
        self.of("[tool]\nlostwrite = 1", "2:13: error: tool.lostwrite: a table is wanted here", "pyproject.toml")

    def test_values(self):
        self.of("engine = 'oracle'",
                "1:10: error: engine: unknown engine 'oracle'; it is one of postgresql, mysql, mariadb or sqlite")
        self.of("engine = 3", "1:10: error: engine: a string is wanted here")
        self.of("isolation = 'read comitted'",
                "1:13: error: isolation: unknown isolation level 'read comitted'; did you mean 'read committed'?")
        self.of("engine = 'mysql'\nisolation = 'immediate'",
                "2:13: error: isolation: only sqlite has 'immediate', not mysql")
        self.of("select = 'LW003'", "1:10: error: select: an array of strings is wanted here")
        self.of("ignore = ['LW001',\n  'LW03']", "2:3: error: ignore: unknown code 'LW03'; did you mean 'LW003'?")
        self.of("include-tests = 'yes'", "1:17: error: include-tests: true or false is wanted here")
        self.of("exclude = ['']", "1:12: error: exclude: an empty pattern")
        self.of("roots = [1]", "1:10: error: roots: a string is wanted here")
        self.of("baseline = ''", "1:12: error: baseline: an empty path")
        self.of("per-file-ignores = []", "1:20: error: per-file-ignores: a table of patterns is wanted here")
        self.of("[per-file-ignores]\n'' = []", "2:1: error: per-file-ignores: a pattern that names no file")
        self.of("[per-file-ignores]\na = ['LW0']", "2:6: error: per-file-ignores: unknown code 'LW0'; did you mean 'LW001'?")

    def test_no_toml(self):
        self.of("[tool.x]\na = 1\na = 2\n", "3:1: error: no TOML: 'a' is there already", "pyproject.toml")

    def test_no_rule_left(self):
        with Project() as p:
            p.write("lostwrite.toml", "select = ['LW003']\nignore = ['LW003']\n")
            self.assertEqual(p.run("check")[::2], (2, "error: --ignore leaves no rule to report\n"))


if __name__ == "__main__":
    harness.main("config")
