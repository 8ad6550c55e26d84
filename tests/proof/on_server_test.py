#!/usr/bin/env python3
"""`prove --on URL`: the six bugs and their fixes on real servers, beside the built-in engines; and that nothing is left
behind, whatever happens."""
import json
import os
import pathlib
import signal
import subprocess
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "live"))
import harness
import servers

EXAMPLES = sorted((harness.SOURCE / "examples" / "txn").glob("*.txn"))
FEW_SCHEDULES = 60
PASSWORD = "s3cret+word"


def prove(url, *args, answers=(0, 1)):
    """(value, standard error) of a run with --on."""
    code, out, err = harness.lostwrite("prove", *map(str, args), "--on", url, "--format", "json")
    if code not in answers:
        raise AssertionError("%s: answered %d: %s" % (args, code, err))
    return json.loads(out), err


class OnServer:
    """What holds on each server; the subclasses say which."""

    def test_the_six_bugs_and_their_fixes(self):
        """The same table from both, of every example at every level."""
        lost = 0
        for path in EXAMPLES:
            with self.subTest(path=path.name):
                value, _err = prove(self.url, path)
                self.assertEqual(value["server"]["name"], self.name)
                self.assertEqual(len(value["server"]["levels"]), self.level_count)
                self.assertEqual(value["server"]["differences"], 0, value["server"])
                for level in value["server"]["levels"]:
                    self.assertEqual(level["builtin"], level["server"], level)
                    self.assertTrue(level["agrees"])
                    lost += level["server"]["verdict"] == "lost"
        self.assertGreaterEqual(lost, self.lost_min)

    def test_every_schedule(self):
        """The same counts, level by level, of those that have few."""
        compared = 0
        for path in EXAMPLES:
            value, _err = prove(self.url, path, "--all-schedules") if self.is_small(path) else (None, "")
            for level in value["server"]["levels"] if value else ():
                with self.subTest(path=path.name, level=level["isolation"]):
                    self.assertEqual(level["schedules"], "all")
                    self.assertEqual(level["builtin"], level["server"], level)
                    self.assertEqual(level["differing_schedules"], 0, level)
                    compared += level["server"]["counts"]["schedules"]
        self.assertGreater(compared, 500)

    def is_small(self, path):
        code, out, err = harness.lostwrite("prove", str(path), "--all-schedules", "--format", "json")
        self.assertIn(code, (0, 1), err)
        counts = [cell["counts"] for cell in json.loads(out)["engines"] if cell["engine"] == self.engine]
        return all(c["schedules"] <= FEW_SCHEDULES and c["timeout"] == 0 for c in counts)

    def test_one_level(self):
        value, _err = prove(self.url, EXAMPLES[0], "--isolation", "serializable")
        self.assertEqual([level["isolation"] for level in value["server"]["levels"]], ["serializable"])

    def test_functions_of_a_project(self):
        """A function of a Django project, with rows made for it."""
        path = "%s/examples/orm_mistakes/mistakes/bug4_check_then_act.py:ship" % harness.SOURCE
        value, _err = prove(self.url, path)
        self.assertEqual(value["server"]["differences"], 0, value["server"])
        for level in value["server"]["levels"]:
            self.assertEqual(level["builtin"], level["server"], level)

    def test_it_says_what_it_makes(self):
        _value, err = prove(self.url, EXAMPLES[0])
        self.assertRegex(err, "making a .* of its own at ")
        self.assertIn(self.name, err)
        self.assertEqual(self.places(), [])

    def test_the_password_is_told_to_nobody(self):
        url = self.url.replace("@", ":%s@" % PASSWORD.replace("+", "%2B"), 1)
        code, out, err = harness.lostwrite("prove", str(EXAMPLES[0]), "--on", url)
        self.assertIn(code, (0, 1, 2))
        for secret in (PASSWORD, PASSWORD.replace("+", "%2B")):
            self.assertNotIn(secret, out + err)

    def test_another_engine_was_asked_for(self):
        code, out, err = harness.lostwrite("prove", str(EXAMPLES[0]), "--on", self.url, "--engine", "sqlite")
        self.assertEqual((code, out), (2, ""))
        self.assertIn("the server is " + self.name, err)

    def start(self, *args):
        """A long run, once it has a place and is under way."""
        process = subprocess.Popen(
            [harness.BINARY, "prove", str(harness.SOURCE / "examples/txn/bug5_stale_total.txn"),
             "--all-schedules", "--on", self.url, *args],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        until = time.monotonic() + 60
        while not self.places():
            if process.poll() is not None or time.monotonic() > until:
                raise AssertionError(process.communicate()[1])
            time.sleep(0.05)
        time.sleep(0.3)
        return process

    def test_a_signal_leaves_nothing_behind(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            process = self.start()
            process.send_signal(number)
            out, err = process.communicate(timeout=30)
            self.assertEqual((process.returncode, out), (2, ""), err)
            self.assertEqual(err.count("error:"), 1, err)
            self.assertIn("interrupted", err)
            self.assertEqual(self.places(), [])

    def test_a_session_that_is_killed(self):
        """The server ends a connection in the middle: one error, and all is dropped."""
        process = self.start()
        self.kill_session()
        out, err = process.communicate(timeout=60)
        self.assertEqual((process.returncode, out), (2, ""), err)
        self.assertEqual(err.count("error:"), 1, err)
        self.assertEqual(self.places(), [])


class TestPostgreSQL(OnServer, unittest.TestCase):
    engine = "postgresql"
    level_count = 3
    lost_min = 10

    @classmethod
    def setUpClass(cls):
        cls.server = servers.PostgreSQL()
        cls.server.start()
        cls.name = "PostgreSQL " + cls.server.version
        cls.url = "postgresql://lab@127.0.0.1:%d/postgres" % cls.server.port
        cls.connection = cls.server.connect()

    @classmethod
    def tearDownClass(cls):
        cls.connection.close()
        cls.server.stop()

    def query(self, sql):
        cursor = self.connection.cursor()
        cursor.execute(sql)
        return [row[0] for row in cursor.fetchall()]

    def places(self):
        return self.query("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'lostwrite%'")

    def kill_session(self):
        self.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                   "WHERE pid <> pg_backend_pid() AND backend_type = 'client backend' "
                   "ORDER BY backend_start DESC LIMIT 1")

    def test_a_table_of_the_same_name_stays(self):
        """The user's own `counter` is neither read nor touched."""
        cursor = self.connection.cursor()
        cursor.execute("CREATE TABLE public.counter (id integer, count text); "
                       "INSERT INTO public.counter VALUES (1, 'mine')")
        try:
            value, _err = prove(self.url, harness.SOURCE / "examples/txn/bug3_read_modify_write.txn")
            self.assertEqual(value["server"]["differences"], 0)
            self.assertEqual(self.query("SELECT count FROM public.counter"), ["mine"])
        finally:
            cursor.execute("DROP TABLE public.counter")

    def test_a_server_that_dies(self):
        server = servers.PostgreSQL()
        server.start()
        url = "postgresql://lab@127.0.0.1:%d/postgres" % server.port
        process = subprocess.Popen(
            [harness.BINARY, "prove", str(harness.SOURCE / "examples/txn/bug5_stale_total.txn"),
             "--all-schedules", "--on", url],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        time.sleep(1.5)
        server.process.kill()
        out, err = process.communicate(timeout=60)
        server.stop()
        self.assertEqual((process.returncode, out), (2, ""), err)
        self.assertIn("error:", err)


if __name__ == "__main__":
    harness.main("on_server")
