#!/usr/bin/env python3
"""check, prove and dump from outside: what they take, what they refuse, what they answer."""
import json
import os
import pathlib
import re
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import harness
from harness import lostwrite

TXN = harness.SOURCE / "examples" / "txn"

MODELS = """
from django.db import models

class Counter(models.Model):
    count = models.IntegerField(default=0)

    def bump(self):
        self.count += 1
        self.save()
"""

VIEWS = """
from .models import Counter

def increment(counter_id):
    counter = Counter.objects.get(id=counter_id)
    counter.count += 1
    counter.save()

def bump(counter_id):
    Counter.objects.get(id=counter_id).bump()

def add(a, b):
    return a + b
"""

SETTINGS = """
DATABASES = {"default": {"ENGINE": "django.db.backends.%s", "NAME": "x", "OPTIONS": %r}}
"""


class Case(unittest.TestCase):
    """Each test has a project of its own: manage.py, shop/models.py, shop/views.py."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        self.write("manage.py", "")
        self.write("shop/__init__.py", "")
        self.write("shop/models.py", MODELS)
        self.write("shop/views.py", VIEWS)

    def write(self, path, text):
        full = self.root / path
        full.parent.mkdir(parents=True, exist_ok=True)
        full.write_bytes(text if isinstance(text, bytes) else text.encode())
        return full

    def settings(self, engine, options=None):
        self.write("config/settings.py", SETTINGS % (engine, options or {}))

    def run_it(self, *args, **more):
        return lostwrite(*args, cwd=self.root, **more)

    def codes(self, *args):
        code, out, err = self.run_it("check", "--format", "concise", *args)
        return re.findall(r"^([^:]+):(\d+):\d+: (LW\d+)", out, re.M)

    def assert_error(self, args, *parts):
        code, out, err = self.run_it(*args)
        self.assertEqual((code, out), (2, ""), (args, err))
        self.assertNotIn("internal error", err)
        for part in parts:
            self.assertIn(part, err)


class Check(Case):
    def test_here(self):
        code, out, err = self.run_it("check")
        self.assertEqual((code, err), (1, ""))
        self.assertIn("shop/views.py:7:5: LW003 read-modify-write in shop.views.increment", out)

    def test_paths(self):
        everywhere = [("shop/models.py", "9", "LW003"), ("shop/views.py", "7", "LW003")]
        self.assertEqual(self.codes("."), everywhere)
        self.assertEqual(self.codes("shop"), everywhere)
        self.assertEqual(self.codes("shop/"), everywhere)
        self.assertEqual(self.codes("shop/views.py"), everywhere[1:])
        self.assertEqual(self.codes("shop/models.py", "shop/views.py"), everywhere)
        self.assertEqual(self.codes("shop/__init__.py"), [])

    def test_nothing_found(self):
        code, out, err = self.run_it("check", "shop/__init__.py")
        self.assertEqual((code, err), (0, ""))
        self.assertIn("0 findings in 1 file, 0 lines.", out)

    def test_select_and_ignore(self):
        self.assertEqual(len(self.codes("--select", "LW003")), 2)
        self.assertEqual(len(self.codes("--select=read-modify-write,LW004")), 2)
        self.assertEqual(self.codes("--ignore", "LW003"), [])
        self.assertEqual(self.codes("--select=LW001", "--select=LW002"), [])
        self.assertEqual(self.run_it("check", "--ignore", "LW003")[0], 0)
        self.assert_error(["check", "--select", "LW999"], "did you mean 'LW009'?")
        self.assert_error(["check", "--select", "LW003", "--ignore", "LW003"], "no rule to report")
        self.assert_error(["check", "--select", ""], "unknown code ''")

    def witness_level(self, *args):
        out = self.run_it("check", "--format", "json", *args)[1]
        witness = json.loads(out)["findings"][0]["witness"]
        return witness["engine"], witness["isolation"]

    def test_engine_of_the_settings(self):
        self.assertEqual(self.witness_level(), ("postgresql", "read committed"))
        self.settings("sqlite3")
        self.assertEqual(self.witness_level(), ("sqlite", "serializable"))
        self.settings("mysql", {"isolation_level": "repeatable read"})
        self.assertEqual(self.witness_level(), ("mysql", "repeatable read"))
        self.settings("mysql")
        self.assertEqual(self.witness_level(), ("mysql", "read committed"))
        self.assertEqual(self.witness_level("--engine", "mariadb"), ("mariadb", "read committed"))
        self.assertEqual(self.witness_level("--engine=PostgreSQL", "--isolation=Serializable"),
                         ("postgresql", "serializable"))
        self.assertEqual(self.witness_level("--isolation", "snapshot isolation"),
                         ("mariadb", "snapshot isolation"))

    def test_level_of_an_old_django(self):
        """Django's backend for MySQL sets READ COMMITTED since 2.0; before, the server's default holds."""
        self.settings("mysql")
        for name, text, level in (
                ("requirements.txt", "# django==2.2\nDjango==1.11.29  # long\n", "repeatable read"),
                ("requirements.txt", "django>=1.8, <2.0\n", "repeatable read"),
                ("requirements.txt", "django<=2.0\n", "read committed"),
                ("requirements.txt", "django<2.1\n", "read committed"),
                ("requirements.txt", "django-environ<2\nfoo-django==1.0\n", "read committed"),
                ("requirements.txt", "Django[argon2]~=1.11.0\n", "repeatable read"),
                ("requirements.txt", "Django==4.2\n", "read committed"),
                ("requirements/base.txt", "Django<2;python_version<'3'\n", "repeatable read"),
                ("requirements/base.txt", "Django<2;python_version<'3'\nDjango>=2.2\n", "read committed"),
                ("setup.py", "setup(install_requires=['Django >= 1.8, < 2'])\n", "repeatable read"),
                ("setup.cfg", "install_requires =\n    django!=1.9\n", "read committed"),
                ("pyproject.toml", 'django = "^1.11"\n', "repeatable read"),
                ("pyproject.toml", 'django = "1.11.*"\n', "repeatable read"),
                ("pyproject.toml", 'dependencies = ["django>=4.2,<5"]\n', "read committed"),
                ("Pipfile", 'django = {version = "==1.11.29", extras = []}\n', "repeatable read"),
                ("Pipfile", 'django = "*"\n', "read committed")):
            with self.subTest(name=name, text=text):
                self.write(name, text)
                self.assertEqual(self.witness_level(), ("mysql", level))
            (self.root / name).unlink()
        self.settings("mysql", {"isolation_level": "serializable"})
        self.write("requirements.txt", "Django==1.11")
        self.assertEqual(self.witness_level(), ("mysql", "serializable"))
        self.assertEqual(self.witness_level("--isolation", "read committed"), ("mysql", "read committed"))
        self.settings("mysql")
        self.assertEqual(self.witness_level("--engine=mariadb:11.8"), ("mariadb", "snapshot isolation"))
        self.settings("postgresql")
        self.assertEqual(self.witness_level(), ("postgresql", "read committed"))

    def test_versions(self):
        self.assertEqual(self.witness_level("--engine=mariadb:11.8"), ("mariadb", "snapshot isolation"))
        self.settings("mysql", {"isolation_level": "repeatable read"})
        self.assertEqual(self.witness_level("--engine=MariaDB:10.11.19"), ("mariadb", "repeatable read"))
        self.assertEqual(self.witness_level("--engine=mariadb:11.6.1"), ("mariadb", "repeatable read"))
        out = json.loads(self.run_it("check", "--format=json", "--engine=mariadb:10.5")[1])
        cells = out["findings"][0]["engines"]
        self.assertEqual({c["version"] for c in cells if c["engine"] == "mariadb"}, {"10.5"})
        self.assertNotIn("snapshot isolation", {c["isolation"] for c in cells})
        self.assertNotIn("version", next(c for c in cells if c["engine"] == "mysql"))
        for version, message in (("9", "known are 5.6 to 5.7, 8.0, 8.4, 9.0 to 9.4"), ("", "unknown version ''"),
                                 ("8.0.x", "unknown version '8.0.x' of mysql")):
            self.assert_error(["check", f"--engine=mysql:{version}"], message)
        self.assert_error(["check", "--engine=mariadb:10.6.17", "--isolation=snapshot isolation"],
                          "mariadb 10.6.17 has no innodb_snapshot_isolation; 10.6.18, 10.11.8")

    def test_clause_that_the_version_lacks(self):
        self.write("shop/jobs.py", "from django.db import transaction\nfrom shop.models import Counter\n\n"
                   "@transaction.atomic\ndef take(id):\n"
                   "    counter = Counter.objects.select_for_update(skip_locked=True).get(id=id)\n"
                   "    counter.count += 1\n    counter.save()\n")
        text = "mysql 5.7 has no SKIP LOCKED, and answers with a syntax error; 8.0.1 and later have it"
        out = json.loads(self.run_it("check", "--format=json", "--engine=mysql:5.7")[1])
        self.assertIn(("shop/jobs.py", 6, text), [(n["path"], n["line"], n["text"]) for n in out["not_modelled"]])
        out = json.loads(self.run_it("check", "--format=json", "--engine=mysql:8.0")[1])
        self.assertEqual(out["not_modelled"], [])
        self.assert_error(["prove", "shop/jobs.py:take", "--engine=mysql:5.7"], "shop/jobs.py:6:")

    def compared(self, *args):
        code, out, err = self.run_it("prove", "--format=json", *args)
        self.assertIn(code, (0, 1), err)
        return json.loads(out)["compared"][0]["pairs"]

    def test_compare(self):
        """The project's settings say which level is usual, on whichever server of the backend."""
        self.settings("mysql")
        pairs = self.compared("shop/views.py:increment", "--compare", "mysql:5.6", "mariadb:11.8")
        self.assertEqual([(p["from"]["isolation"], p["from"]["default"], p["to"]["default"]) for p in pairs],
                         [("read committed", True, True), ("repeatable read", False, False),
                          ("serializable", False, False)])
        self.assertEqual({p["from"]["verdict"] for p in pairs}, {"lost"})
        self.write("requirements.txt", "Django<2")
        pairs = self.compared("--compare", "mariadb:10.3", "mariadb:11.8", "shop/views.py:increment")
        self.assertTrue(pairs[1]["from"]["default"] and pairs[1]["to"]["default"])

    def test_compare_shows_rows_that_lose_on_either(self):
        """Nothing is lost on the first: rows and arguments are then those that lose on the second."""
        self.write("shop/atomic.py", "from django.db import transaction\nfrom shop.models import Counter\n\n"
                   "@transaction.atomic\ndef up(id):\n    counter = Counter.objects.get(id=id)\n"
                   "    counter.count += 1\n    counter.save()\n")
        (pair,) = self.compared("shop/atomic.py:up", "--compare", "postgresql/serializable", "mysql/repeatable-read")
        self.assertEqual((pair["from"]["verdict"], pair["to"]["verdict"]), ("error", "lost"))
        self.assertEqual(self.run_it("prove", "shop/atomic.py:up", "--compare", "postgresql/serializable",
                                     "mysql/serializable")[0], 0)
        self.assert_error(["prove", "shop/atomic.py:down", "--compare", "mysql", "sqlite"],
                          "there is no function down")
        self.assert_error(["prove", "nothing.txn", "--compare", "mysql", "sqlite"], "nothing.txn")
        self.assert_error(["prove", "x.spec", "--compare", "mysql", "sqlite"],
                          "x.spec: error: --compare is for FILE.txn and PATH.py:FUNCTION")

    def test_sqlite_has_one_level(self):
        self.settings("sqlite3", {"transaction_mode": "IMMEDIATE"})
        outputs = [self.run_it("check", "--format=json", "--engine=sqlite", f"--isolation={level}")[:2]
                   for level in ("serializable", "deferred")]
        self.assertEqual(outputs[0], outputs[1])
        self.assertEqual(self.witness_level("--engine=sqlite", "--isolation=serializable"),
                         ("sqlite", "serializable"))

    def test_wrong_engine(self):
        self.assert_error(["check", "--engine", "oracle"], "unknown engine 'oracle'")
        self.assert_error(["check", "--engine"], "--engine needs a value")
        self.assert_error(["check", "--isolation", "dirty read"], "unknown isolation level")
        self.assert_error(["check", "--engine=mysql", "--isolation=immediate"], "only sqlite has 'immediate'")
        self.assert_error(["check", "--engine=sqlite", "--isolation=read committed"],
                          "sqlite is always serializable")

    def test_wrong_flags(self):
        self.assert_error(["check", "--format", "xml"], "unknown format 'xml'")
        self.assert_error(["check", "--verbos"], "did you mean '--verbose'?")
        self.assert_error(["check", "--verbose=1"], "--verbose takes no value")
        self.assert_error(["check", "-x"], "unknown option '-x'")
        self.assert_error(["check", "--color", "sometimes"], "unknown choice 'sometimes'")

    def test_a_flag_twice(self):
        """The last one counts."""
        self.assertEqual(self.run_it("check", "--format=json", "--format=concise"),
                         self.run_it("check", "--format=concise"))

    def test_verbose(self):
        self.write("shop/raw.py", "from django.db import connection\n\ndef purge():\n"
                   "    with connection.cursor() as cursor:\n        cursor.execute('VACUUM')\n")
        plain, verbose = self.run_it("check")[1], self.run_it("check", "-v")[1]
        self.assertNotIn("not modelled:", plain)
        self.assertIn("(--verbose lists them)", plain)
        self.assertRegex(verbose, r"shop/raw.py:\d+:\d+: not modelled: ")

    def test_bad_paths(self):
        (self.root / "empty").mkdir()
        self.write("notes/a.txt", "hello\n")
        self.assert_error(["check", "missing"], "missing: error: No such file or directory")
        self.assert_error(["check", "shop", "missing.py"], "missing.py: error: No such file")
        self.assert_error(["check", "empty"], "empty: error: there is no Python source here")
        self.assert_error(["check", "notes"], "there is no Python source here")
        self.assert_error(["check", "notes/a.txt"], "no Python source (.py)")
        self.assert_error(["check", str(TXN / "bug3_atomic.txn")], "`lostwrite prove` runs it")
        self.assert_error(["check", ""], "an empty path")

    def test_unreadable(self):
        """Too large to read; and, if this isn't root, without permission."""
        with open(self.write("shop/large.py", ""), "wb") as large:
            large.truncate((64 << 20) + 1)
        os.chmod(self.write("shop/secret.py", "x = 1\n"), 0)
        code, out, err = self.run_it("check")
        self.assertEqual((code, err), (1, ""))
        self.assertIn("shop/large.py: error: ", out)
        if os.geteuid() != 0:
            self.assertIn("shop/secret.py: error: ", out)
        self.assert_unread("shop/large.py")

    def assert_unread(self, path):
        code, out, err = self.run_it("check", path)
        self.assertEqual((code, err), (2, ""))
        self.assertIn("%s: error: " % path, out)
        self.assertIn("1 file could not be read in full.", out)

    def test_broken_file_among_others(self):
        self.write("shop/broken.py", "def f(:\n    pass\n\nx = (\n")
        code, out, err = self.run_it("check")
        self.assertEqual((code, err), (1, ""))
        self.assertIn("shop/broken.py:1:7: error: ", out)
        self.assertIn("LW003", out)
        self.assertIn("1 file could not be read in full.", out)

    def test_broken_file_alone(self):
        """Nothing was found, but not everything was looked at."""
        self.write("alone/broken.py", "x = (\n")
        code, out, err = self.run_it("check", "alone/broken.py")
        self.assertEqual(code, 2)
        self.assertIn("alone/broken.py:1:", out)

    def test_bytes_that_are_no_python(self):
        self.write("shop/binary.py", bytes(range(256)))
        self.write("shop/latin.py", b"x = '\xe9'\n")
        self.write("shop/cookie.py", b"# -*- coding: latin-1 -*-\nx = '\xe9'\n")
        self.write("shop/nul.py", b"x = 1\0\n")
        self.write("shop/long.py", b"x = '" + b"a" * 200000 + b"'\n")
        self.write("shop/deep.py", b"x = " + b"(" * 5000 + b")" * 5000 + b"\n")
        code, out, err = self.run_it("check")
        self.assertEqual((code, err), (1, ""))
        for name in ("binary", "latin", "nul", "deep"):
            self.assertIn("shop/%s.py:1:" % name, out)
        self.assertNotIn("shop/cookie.py", out)
        self.assertIn("4 files could not be read in full.", out)

    def test_a_link_in_a_circle(self):
        os.symlink("..", self.root / "shop" / "up")
        self.assertEqual(len(self.codes(".")), 2)

    def test_colour(self):
        """Only where asked for: this is no terminal."""
        for args, env, coloured in (([], {}, False), (["--color=never"], {}, False),
                                    (["--color=always"], {}, True),
                                    (["--color=always"], {"NO_COLOR": "1"}, True)):
            out = self.run_it("check", *args, env=env)[1]
            self.assertEqual("\033" in out, coloured, args)


class Prove(Case):
    def test_a_project_of_many_tables(self):
        """A database holds 64 tables at most; only those of the functions count."""
        others = "".join(f"\nclass Other{i}(models.Model):\n    name = models.TextField()\n" for i in range(80))
        self.write("shop/models.py", MODELS.replace("class Counter", others + "\nclass Counter"))
        code, out, err = self.run_it("prove", "shop/views.py:increment")
        self.assertEqual((code, err), (1, ""))
        self.assertIn("LW003 read-modify-write in shop.views.increment", out)

    def test_functions(self):
        code, out, err = self.run_it("prove", "shop/views.py:increment")
        self.assertEqual((code, err), (1, ""))
        self.assertTrue(out.startswith("A shop.views.increment || B shop.views.increment\n"), out)
        code, out, err = self.run_it("prove", "shop/views.py:increment", "./shop/views.py:bump")
        self.assertTrue(out.startswith("A shop.views.increment || B shop.views.bump\n"), out)
        self.assertIn("LW003", out)

    def test_sessions(self):
        out = self.run_it("prove", "shop/views.py:increment", "--sessions", "3")[1]
        self.assertIn("|| C shop.views.increment", out)
        self.assertEqual(self.run_it("prove", "shop/views.py:increment", "--sessions", "1")[0], 0)
        self.assert_error(["prove", "shop/views.py:increment", "--sessions", "9"], "from 1 to 8")
        self.assert_error(["prove", "shop/views.py:increment", "--sessions", "x"], "'x' is no number")

    def test_method(self):
        out = self.run_it("prove", "shop/models.py:Counter.bump")[1]
        self.assertIn("A shop.models.Counter.bump", out)

    def test_no_such_function(self):
        self.assert_error(["prove", "shop/views.py:incremnt"],
                          "shop/views.py: error: there is no function incremnt; did you mean 'increment'?")
        self.assert_error(["prove", "shop/models.py:bump"], "did you mean 'Counter.bump'?")
        self.assert_error(["prove", "shop/views.py:zzzzzzzz"], "there are increment, bump, add")
        self.assert_error(["prove", "shop/__init__.py:f"], "the file has no function")
        self.assert_error(["prove", "shop/views.py:add"], "add does not touch the ORM")

    def test_the_file_meant(self):
        """The same name in two apps: the path decides."""
        self.write("other/__init__.py", "")
        self.write("other/views.py", "def nothing():\n    pass\n")
        self.assert_error(["prove", "other/views.py:increment"], "there is no function increment")
        self.assertEqual(self.run_it("prove", "shop/views.py:increment")[0], 1)

    def test_wrong_inputs(self):
        self.assert_error(["prove"], "what is to be proved?")
        self.assert_error(["prove", "shop/views.py"], "name the function")
        self.assert_error(["prove", "shop"], "is neither FILE.txn nor PATH.py:FUNCTION")
        self.assert_error(["prove", "shop/views.py:f()"], "is no name of a function")
        self.assert_error(["prove", "missing.py:f"], "missing.py: error: ")
        self.assert_error(["prove", "missing.txn"], "missing.txn: error: cannot read: No such file")
        self.assert_error(["prove", "a.txn", "b.txn"], "is a whole scenario: it goes alone")

    def test_wrong_txn(self):
        self.write("a.txn", "CREATE TABLE t (id integer);\nprogram p() { SELEC 1; }\n")
        self.assert_error(["prove", "a.txn"], "a.txn:2:")
        self.write("b.txn", "CREATE TABLE t (id integer);\nprogram p() { }\n")
        self.assert_error(["prove", "b.txn"], "b.txn: error: nothing is run")
        self.write("c.txn", bytes(range(256)))
        self.assert_error(["prove", "c.txn"], "c.txn:1:")
        self.write("d.txn", "")
        self.assert_error(["prove", "d.txn"], "nothing is run")

    def test_standard_input(self):
        text = (TXN / "bug3_atomic.txn").read_text()
        code, out, err = self.run_it("prove", "-", stdin=text)
        self.assertEqual((code, err), (1, ""))
        self.assertIn("LW003", out)

    def test_answers(self):
        for name, engine, answer in (("bug3_atomic", "mysql", 1), ("bug3_fix_f_expression", "mysql", 0)):
            code, out, err = self.run_it("prove", str(TXN / (name + ".txn")), "--engine", engine)
            self.assertEqual((code, err), (answer, ""), name)
        self.assertEqual(self.run_it("prove", str(TXN / "bug3_atomic.txn"), "--engine=postgresql",
                                     "--isolation=repeatable read")[0], 0)


class Dump(Case):
    def dump(self, stage, *args):
        code, out, err = self.run_it("dump", "--stage", stage, *args)
        self.assertEqual((code, err), (0, ""), args)
        return out

    def test_syntax(self):
        self.write("a.py", "x = 1\n")
        self.assertEqual(self.dump("syntax", "a.py"),
                         "Module\n  body: Assign @1:0-1:5\n    targets: Name @1:0-1:1 ctx=Store id=\"x\"\n"
                         "    value: Constant @1:4-1:5 value=1\n")
        self.write("b.py", "x = (\n")
        self.assertIn("error 1:5: ", self.dump("syntax", "b.py"))
        out = self.dump("syntax", "shop")
        self.assertEqual(re.findall(r"^# (.*)$", out, re.M),
                         ["shop/__init__.py", "shop/models.py", "shop/views.py"])

    def test_program(self):
        out = self.dump("program", "shop/views.py:increment")
        self.assertIn("program shop.views.increment(counter_id)", out)
        self.assertNotIn("shop.views.bump", out)
        out = self.dump("program", "shop/views.py")
        self.assertIn("program shop.views.bump(counter_id)", out)
        self.assertNotIn("program shop.models", out)
        self.assertIn("program shop.models.Counter.bump", self.dump("program", "."))

    def test_program_can_be_read_back(self):
        first = self.dump("program", ".")
        self.write("a.txn", first)
        self.assertEqual(self.dump("program", "a.txn"), first)

    def test_programs_of_scenarios(self):
        for path in sorted(TXN.glob("*.txn")):
            first = self.dump("program", str(path))
            self.write("a.txn", first)
            self.assertEqual(self.dump("program", "a.txn"), first, path.name)

    def test_sql(self):
        out = self.dump("sql", "shop/views.py:increment", "--engine=mysql")
        self.assertEqual(out.splitlines()[0], "-- shop.views.increment")
        self.assertIn("shop/views.py:7: UPDATE shop_counter SET count = :counter.count WHERE "
                      "shop_counter.id = :counter.id", out)
        out = self.dump("sql", str(TXN / "bug3_atomic.txn"))
        self.assertIn("BEGIN, or SAVEPOINT if one is open", out)

    def test_functions(self):
        self.write("shop/reports.py", "from shop.models import Counter\n\n\ndef rows(cursor, sql):\n"
                   "    print(Counter.objects.count())\n    Counter.objects.using(\"replica\").count()\n")
        out = self.dump("functions", "shop").splitlines()
        self.assertIn("shop/views.py:4: shop.views.increment: modelled", out)
        self.assertEqual(out[out.index("shop/reports.py:4: shop.reports.rows: not modelled") + 1],
                         "    shop/reports.py:6:5: another database than `default`")

    def test_schedules(self):
        out = self.dump("schedules", str(TXN / "bug3_atomic.txn"), "--engine=postgresql", "--all-schedules")
        self.assertTrue(out.startswith("-- A increment || B increment on postgresql, read committed\n"), out)
        self.assertEqual(len(re.findall(r"^  [AB]+  ", out, re.M)), 14)
        self.assertTrue(out.endswith("  COMPLETE: 14 schedules, 2 ok, 12 lost\n"), out)
        reduced = self.dump("schedules", str(TXN / "bug3_atomic.txn"), "--engine=postgresql")
        self.assertLess(len(reduced), len(out))
        for line in reduced.splitlines()[1:-1]:
            self.assertIn(line, out)
        self.assertIn("1213", self.dump("schedules", str(TXN / "bug3_atomic.txn"), "--engine=mysql",
                                        "--isolation=serializable"))

    def test_schedules_of_functions(self):
        out = self.dump("schedules", "shop/views.py:increment", "shop/views.py:bump")
        levels = re.findall(r"on (.*)$", out, re.M)
        self.assertEqual(levels, ["postgresql, read committed", "mysql, repeatable read"])
        out = self.dump("schedules", "shop/views.py:increment", "--sessions=3", "--engine=sqlite")
        self.assertIn("|| C shop.views.increment on sqlite", out)

    def test_wrong_usage(self):
        self.assert_error(["dump", "shop"], "which stage?")
        self.assert_error(["dump", "--stage=ast", "shop"], "unknown stage 'ast'")
        self.assert_error(["dump", "--stage=sql"], "a path is missing")
        self.assert_error(["dump", "--stage=syntax", "a.txn"], "'a.txn' is no Python")
        self.assert_error(["dump", "--stage=syntax", "missing.py"], "missing.py: error: cannot read: No such file")
        self.assert_error(["dump", "--stage=syntax", "missing"], "missing: error: cannot read: No such file")
        self.assert_error(["dump", "--stage=program", "missing"], "missing: error: ")
        self.assert_error(["dump", "--stage=program", "shop/views.py:nope"], "there is no function nope")
        self.assert_error(["dump", "--stage=schedules", "shop"], "schedules are of FILE.txn or PATH.py:FUNCTION")
        self.assert_error(["dump", "--stage=sql", "shop", "shop"], "one path at a time")


class TestFindings(Case):
    """Ids of findings, and `prove FINDING` up to the server."""

    def ids(self, *paths):
        _code, out, _err = harness.lostwrite("check", *paths, "--format", "json", cwd=self.root)
        return [finding["id"] for finding in json.loads(out)["findings"]]

    def test_an_id_stays_when_lines_move(self):
        before = self.ids("shop")
        self.assertTrue(before)
        self.assertEqual(len(set(before)), len(before))
        for one in before:
            self.assertRegex(one, r"^LW0[01][0-9]-[0-9a-f]{8}(-[0-9]+)?$")
        self.write("shop/views.py", "# more\n\n\n" + VIEWS)
        self.assertEqual(self.ids("shop"), before)
        self.assertEqual(self.ids("."), before)
        self.write("shop/views.py", VIEWS.replace("increment", "count_up"))
        self.assertNotEqual(self.ids("shop"), before)

    def test_what_is_missing(self):
        self.assert_error(["prove", "LW003-1a2b3c4d"], "a finding is replayed on a real server: which? --on URL")
        self.assert_error(["prove", "LW003-1a2b3c4d", "--on", "sqlite:x"], "where does LW003-1a2b3c4d stand? --from FILE")
        self.assert_error(["prove", "shop/views.py:6"], "a finding is replayed on a real server")
        self.assert_error(["prove", "shop/views.py:6", "shop/views.py:7", "--on", "sqlite:x"], "one finding at a time")
        self.assert_error(["prove", "shop/views.py:6", "shop/views.py:bump", "--on", "sqlite:x"], "a finding goes alone")
        self.assert_error(["prove", "--from", "x.json", "shop/views.py:bump"], "--from: which finding of it?")

    def test_a_file_of_findings_that_is_none(self):
        for text, message in (("", "x.json:1:1: error: no JSON: a value is wanted here"),
                              ('{"id": "LW003-1a2b3c4d",\n "path" 1}', "x.json:2:9: error: no JSON: ':' is wanted here"),
                              ('{"id": "LW003-1a2b3c4d', "no JSON: a string has no end"),
                              ('["\\q"]', "no JSON: an unknown escape"),
                              ("[1] 2", "no JSON: something stands behind its end"),
                              ("[" * 500, "no JSON: it is nested too deeply"),
                              ('{"findings": []}', "there is no finding LW003-1a2b3c4d")):
            self.write("x.json", text)
            self.assert_error(["prove", "LW003-1a2b3c4d", "--from", "x.json", "--on", "sqlite:x"], message)
        self.write("x.json", json.dumps({"findings": [{"path": "gone/é.py", "id": "LW003-1a2b3c4d"}]}))
        self.assert_error(["prove", "LW003-1a2b3c4d", "--from", "x.json", "--on", "sqlite:" + str(self.root / "new")],
                          "gone/é.py: error: No such file")


if __name__ == "__main__":
    harness.main("commands")
