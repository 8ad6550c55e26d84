#!/usr/bin/env python3
"""Comments and recordings on PostgreSQL and MariaDB."""
import json
import pathlib
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parent
for folder in (HERE.parent, HERE.parent / "live"):
    sys.path.insert(0, str(folder))
import harness
import servers

import django_project as project
import pytest_test


class OnServer:
    @classmethod
    def setUpClass(cls):
        cls.running = cls.server()
        cls.running.__enter__()

    @classmethod
    def tearDownClass(cls):
        cls.running.__exit__(None, None, None)

    def fresh(self, name):
        self.running.create_database(name)
        environment = self.running.environment(name)
        return {"default": {"ENGINE": "django.db.backends." + self.engine, "NAME": name, "USER": environment["DB_USER"], "HOST": "127.0.0.1",
                            "PASSWORD": environment["DB_PASSWORD"], "PORT": environment["DB_PORT"]}}

    def test_answers_are_the_same(self):
        told = [json.loads(project.run(self.fresh("shop%s" % on), "sent.py", WITH_COMMENTS=on)) for on in ("0", "1")]
        self.assertEqual({action: one["answer"] for action, one in told[0].items()},
                         {action: one["answer"] for action, one in told[1].items()})
        self.assertTrue(all("/*" in sql for one in told[1].values() for sql in one["sent"]))


@unittest.skipUnless(project.has("pytest"), "pytest is not there")
class RecordingOnServer(OnServer, pytest_test.Recording):
    test_answers_are_the_same = None
    count = 0

    def setUp(self):
        type(self).count += 1
        self.databases = self.fresh("recorded%d" % self.count)


class PostgreSQLComments(OnServer, unittest.TestCase):
    server, engine = servers.PostgreSQL, "postgresql"


class MariaDBComments(OnServer, unittest.TestCase):
    server, engine = servers.MariaDB, "mysql"

    def test_a_batch_stays_one_statement(self):
        connection = self.running.connect()
        cursor = connection.cursor()
        cursor.execute("SET GLOBAL log_output = 'TABLE'")
        cursor.execute("SET GLOBAL general_log = 1")
        project.run(self.fresh("batch"), "sent.py")
        cursor.execute("SET GLOBAL general_log = 0")
        cursor.execute("SELECT argument FROM mysql.general_log WHERE argument LIKE 'INSERT%shop_item%''a0''%'")
        sent = [bytes(row[0]).decode() if not isinstance(row[0], str) else row[0] for row in cursor.fetchall()]
        connection.close()
        self.assertEqual(len(sent), 1)
        self.assertRegex(sent[0], r"^INSERT /\*file='sent.py%3A\d+'\*/ INTO shop_item .*\('a49', 49, 0, 0, '{}'\)$")


class PostgreSQLRecording(RecordingOnServer, unittest.TestCase):
    server, engine = servers.PostgreSQL, "postgresql"
    placeholder, unique_error = "$1", "23505"


class MariaDBRecording(RecordingOnServer, unittest.TestCase):
    server, engine = servers.MariaDB, "mysql"
    placeholder, unique_error = "?", "1062"


if __name__ == "__main__":
    harness.main("servers")
