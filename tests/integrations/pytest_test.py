#!/usr/bin/env python3
"""pytest --lostwrite: what it records of a session, that it changes nothing of it, and that lostwrite's report comes behind the tests' own."""
import json
import os
import pathlib
import stat
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import harness

import django_project as project

TESTS = '''
import threading

import pytest
from django.core.management import call_command
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.test import Client

from shop.models import Item


@pytest.fixture(autouse=True)
def database():
    call_command("migrate", run_syncdb=True, verbosity=0)
    Item.objects.all().delete()


def test_view():
    Item.objects.create(id=1, name="first", stock=3, price="1.50", notes={"b": 1, "a": [True, None]})
    assert Client().get("/items/1/").content == b"3"


def test_rows_are_all_there():
    Item.objects.bulk_create(Item(name="n%d" % i, stock=i) for i in range(1100))
    assert [item.stock for item in Item.objects.order_by("id")] == list(range(1100))
    with connection.cursor() as cursor:
        cursor.execute("SELECT stock FROM shop_item ORDER BY id")
        assert cursor.fetchone()[0] == 0
        assert [row[0] for row in cursor.fetchmany(3)] == [1, 2, 3]
        assert [row[0] for row in cursor] == list(range(4, 1100))
        cursor.execute("SELECT stock FROM shop_item ORDER BY id")
        assert cursor.fetchone()[0] == 0
        assert len(cursor.fetchall()) == 1099
        assert cursor.fetchall() == [] or cursor.fetchall() == ()
        cursor.execute("SELECT stock FROM shop_item WHERE 1 = 0")
        assert cursor.fetchone() is None
        cursor.execute("SELECT stock FROM shop_item ORDER BY id")
        assert len(cursor.fetchmany(1050)) == 1050
        assert len(cursor.fetchmany(1050)) == 50


def test_transactions():
    with transaction.atomic():
        item = Item.objects.create(id=5, name="fifth")
        try:
            with transaction.atomic():
                Item.objects.create(id=5, name="again")
        except IntegrityError:
            pass
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        Item.objects.filter(id=5).update(stock=1 / 1)
        1 / 0
    assert Item.objects.get(id=5).stock == 0


def test_thread():
    def work():
        Item.objects.create(id=7, name="seventh")
        connection.close()

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert Item.objects.get(id=7).name == "seventh"


def test_fails():
    assert Item.objects.count() == 5
'''

WITH_PYTEST_DJANGO = '''
import pytest
from django.db import transaction

from shop.models import Item


@pytest.mark.django_db
def test_atomic():
    with transaction.atomic():
        Item.objects.create(name="first")


@pytest.mark.django_db(transaction=True)
def test_commits():
    Item.objects.create(name="second")
    assert Item.objects.count() == 1
'''

RACE = '''
import threading

from django.core.management import call_command
from django.db import connection

from shop.models import Item


def test_race():
    call_command("migrate", run_syncdb=True, verbosity=0)
    item = Item.objects.create(name="first", stock=1)
    mine = Item.objects.get(pk=item.pk)

    def work():
        other = Item.objects.get(pk=item.pk)
        other.stock += 1
        other.save()
        connection.close()

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    mine.stock += 1
    mine.save()
'''

# Green, on one thread, and rolled back: all the same it shows what can be lost.
GREEN = '''
from django.core.management import call_command
from django.test import TestCase

from shop.models import Item


class Selling(TestCase):
    @classmethod
    def setUpClass(cls):
        call_command("migrate", run_syncdb=True, verbosity=0)
        super().setUpClass()

    @classmethod
    def setUpTestData(cls):
        for number in range(3):
            Item.objects.create(id=number + 1, name="first", stock=number)

    def test_sells(self):
        for number in range(3):
            self.client.get("/sell/%d/" % (number + 1))
        self.assertEqual([item.stock for item in Item.objects.order_by("id")], [-1, 0, 1])

    def test_restocks(self):
        item = Item.objects.get(id=1)
        item.stock += 5
        item.save()
'''

CONFTEST = '''
import django

django.setup()
'''

# Stands in for the program: says what it was asked to read, and answers as `check` does when it finds something.
PROGRAM = '''#!/bin/sh
echo "asked: $1 $2"
shift 2
for path; do head -n 1 "$path"; done
exit %d
'''


def pytest(folder, databases, *args, **more):
    environment = project.environment(databases, **more)
    environment["PYTHONPATH"] += os.pathsep + folder
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:django", "-p", "lostwrite_django.pytest_plugin", *args, folder]
    done = subprocess.run(command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=200, encoding="utf-8")
    return done.returncode, done.stdout


def write_project(folder, exit_code=1):
    for name, text in (("test_shop.py", TESTS), ("conftest.py", CONFTEST), ("lostwrite", PROGRAM % exit_code)):
        path = pathlib.Path(folder, name)
        path.write_text(text)
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
    pathlib.Path(folder, "pytest.ini").write_text("[pytest]\nlostwrite_binary = %s/lostwrite\nlostwrite_args = --show-values\n" % folder)


def events_of(folder):
    events = []
    for path in sorted(pathlib.Path(folder).glob("*.jsonl")):
        lines = path.read_bytes().split(b"\n")
        assert lines[-1] == b"", "a line without an end"
        assert all(len(line) < 1 << 20 for line in lines)
        events += [json.loads(line) for line in lines[:-1]]
    return events


class Recording:
    """What holds on each database. `databases` is set by a subclass."""

    def session(self, *args, exit_code=1):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        write_project(folder.name, exit_code)
        code, out = pytest(folder.name, self.databases, "--lostwrite", "--lostwrite-record", folder.name + "/kept", *args)
        self.assertEqual(code, 1, out)  # one of the tests fails
        return out, events_of(folder.name + "/kept")

    def test_a_session(self):
        out, events = self.session()
        self.assertRegex(out, r"=+ lostwrite =+\nasked: watch --show-values\n\{\"lostwrite\"")
        self.assertIn("4 passed", out)
        self.assertIn("1 failed", out)
        self.assertEqual(events[0], {"lostwrite": "recording", "version": 1, "recorder": "lostwrite-django"})
        statements = [event for event in events if event.get("event") == "statement"]
        self.assertGreater(len(statements), 30)
        self.check_view(statements)
        self.check_rows(statements)
        self.check_transactions(statements)
        self.check_sessions(events)

    def find(self, statements, *parts):
        found = [one for one in statements if all(part in one["sql"] for part in parts)]
        self.assertTrue(found, parts)
        return found

    def check_view(self, statements):
        select = self.find(statements, "SELECT", "route='%2Fitems%2F")[0]
        row = dict(zip(select["columns"], select["rows"][0]))
        self.assertEqual((row["id"], row["name"], row["stock"], row["made_at"]), (1, "first", 3, None))
        self.assertIn(str(row["price"]), ("1.5", "1.50"))
        self.assertEqual(select["params"], [1])
        self.assertIn(self.placeholder + " ", select["sql"])
        self.assertIn("file='shop%2Fviews.py%3A" + str(project.line_of("shop/views.py", "stock")), select["sql"])
        insert = self.find(statements, "INSERT INTO", "first" if not self.placeholder else "file=")[0]
        self.assertIn("first", insert["params"])
        # The same text whether it is sent or read.
        self.assertIn(row["notes"], insert["params"])

    def check_rows(self, statements):
        select = self.find(statements, "SELECT stock FROM shop_item ORDER BY id")[0]
        self.assertEqual(select["rows"], [[i] for i in range(1000)])
        self.assertTrue(select["rows_cut"])
        self.assertEqual(select["columns"], ["stock"])

    def check_transactions(self, statements):
        failed = [one for one in statements if "error" in one]
        self.assertEqual(len(failed), 1)
        self.assertEqual(failed[0]["error"], self.unique_error)
        self.assertEqual(failed[0]["transaction"], "open")
        after = statements[statements.index(failed[0]):]
        kinds = [one["sql"].split()[0] for one in after[:4]]
        self.assertEqual(kinds[:3], [kinds[0], "ROLLBACK", "RELEASE"])
        commit = next(i for i, one in enumerate(after) if one["sql"].startswith("COMMIT"))
        self.assertEqual(after[commit]["transaction"], "none")
        rollback = next(one for one in after[commit:] if one["sql"].startswith("ROLLBACK"))
        self.assertEqual(rollback["transaction"], "none")

    def check_sessions(self, events):
        begun = [event["session"] for event in events if event.get("event") == "session"]
        self.assertEqual(len(begun), len(set(begun)))
        self.assertGreaterEqual(len(begun), 2)
        seventh = next(event for event in events if "seventh" in event.get("params", ()))
        ended = [event["session"] for event in events if event.get("event") == "end"]
        self.assertIn(seventh["session"], ended)
        self.assertTrue({event["session"] for event in events if "session" in event} <= set(begun))

    def test_on_several_processes(self):
        if not project.has("xdist"):
            self.skipTest("pytest-xdist is not there")
        _, events = self.session("-n", "2", "--dist", "loadfile")
        self.assertGreater(len([event for event in events if event.get("event") == "statement"]), 30)
        self.assertTrue(any("pytest gw" in event.get("application", "") for event in events))


@unittest.skipUnless(project.has("pytest"), "pytest is not there")
class OnSQLite(Recording, unittest.TestCase):
    placeholder = "$1"
    unique_error = "SQLITE_CONSTRAINT_PRIMARYKEY" if sys.version_info >= (3, 11) else ""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.databases = project.sqlite(folder.name)

    def test_without_the_program(self):
        with tempfile.TemporaryDirectory() as folder:
            write_project(folder)
            os.remove(os.path.join(folder, "lostwrite"))
            code, out = pytest(folder, self.databases, "--lostwrite")
            self.assertEqual(code, 1)
            self.assertIn("lostwrite was not found", out)
            path = out.partition("recording: ")[2].split()[0]
            self.assertGreater(len(events_of(os.path.dirname(path))), 30)
            os.remove(path)
            os.rmdir(os.path.dirname(path))

    def test_a_recording_nobody_asked_for_goes(self):
        with tempfile.TemporaryDirectory() as folder:
            write_project(folder)
            os.mkdir(folder + "/temporary")
            _, out = pytest(folder, self.databases, "--lostwrite", TMPDIR=folder + "/temporary")
            self.assertIn("asked: watch", out)
            self.assertEqual(os.listdir(folder + "/temporary"), [])

    @unittest.skipUnless(project.has("pytest_django"), "pytest-django is not there")
    def test_with_pytest_django(self):
        with tempfile.TemporaryDirectory() as folder:
            write_project(folder)
            pathlib.Path(folder, "test_shop.py").write_text(WITH_PYTEST_DJANGO)
            pathlib.Path(folder, "conftest.py").unlink()
            code, out = pytest(folder, self.databases, "--lostwrite", "--lostwrite-record", folder + "/kept", "-p", "pytest_django.plugin")
            self.assertEqual(code, 0, out)
            sqls = [event["sql"].split(" ")[0] for event in events_of(folder + "/kept") if event.get("event") == "statement" and not event["sql"].startswith("PRAGMA")]
        begun = sqls.index("BEGIN", sqls.index("INSERT") - 3)
        self.assertEqual(sqls[begun:begun + 5], ["BEGIN", "SAVEPOINT", "INSERT", "RELEASE", "ROLLBACK"])

    def test_the_program_itself(self):
        with tempfile.TemporaryDirectory() as folder:
            write_project(folder)
            pathlib.Path(folder, "test_shop.py").write_text(RACE)
            code, out = pytest(folder, self.databases, "--lostwrite", "-o", "lostwrite_binary=" + harness.BINARY)
        self.assertEqual(code, 0, out)
        out = out.partition("= lostwrite =")[2]
        self.assertIn("shop_item: LW003 read-modify-write (arithmetic)", out)
        self.assertIn("A    read    stock=1", out)
        number = RACE.splitlines().index("        other.save()") + 1
        self.assertIn("file=test_shop.py:%d" % number, out)
        self.assertNotIn("What these transactions can lose", out)  # it is the test's own code that does it
        self.assertNotIn("not be read", out)

    def test_a_green_test_shows_what_can_be_lost(self):
        with tempfile.TemporaryDirectory() as folder:
            write_project(folder)
            pathlib.Path(folder, "test_shop.py").write_text(GREEN)
            code, out = pytest(folder, self.databases, "--lostwrite", "-o", "lostwrite_binary=" + harness.BINARY)
        self.assertEqual(code, 0, out)
        out = out.partition("= lostwrite =")[2]
        self.assertIn("no lost write seen", out)
        self.assertIn("shop/views.py:%d:1: LW003 read-modify-write" % project.line_of("shop/views.py", "sell"), out)
        self.assertIn("1 way to lose a write in 1 program", out)

    def test_not_asked_for(self):
        with tempfile.TemporaryDirectory() as folder:
            write_project(folder)
            code, out = pytest(folder, self.databases)
            self.assertEqual(code, 1)
            self.assertNotIn("asked:", out)
            self.assertNotIn("= lostwrite =", out)


if __name__ == "__main__":
    harness.main("pytest")
