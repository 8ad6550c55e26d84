#!/usr/bin/env python3
"""`prove --on URL`: the six bugs and their fixes on real servers, beside the built-in engines; and that nothing is left
behind, whatever happens."""
import json
import os
import pathlib
import pty
import re
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "live"))
import harness
import servers

EXAMPLES = sorted((harness.SOURCE / "examples" / "txn").glob("*.txn"))
FEW_SCHEDULES = 20
PASSWORD = "s3cret+word"


def prove(url, *args, answers=(0, 1)):
    """(value, standard error) of a run with --on."""
    code, out, err = harness.lostwrite("prove", *map(str, args), "--on", url, "--format", "json")
    if code not in answers:
        raise AssertionError("%s: answered %d: %s" % (args, code, err))
    return json.loads(out), err


def long_run():
    """A scenario whose schedules take seconds on any server and any machine."""
    file = tempfile.NamedTemporaryFile("w", suffix=".txn")
    file.write("CREATE TABLE counter (id integer PRIMARY KEY, count integer NOT NULL);\n"
               "INSERT INTO counter (id, count) VALUES (1, 10);\n"
               "program bump(id) {\n"
               + 8 * "    UPDATE counter SET count = count + 1 WHERE id = :id;\n" +
               "}\nrun bump(1) || bump(1);\n")
    file.flush()
    return file


LONG_RUN = long_run()


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
        self.assertGreater(compared, self.compared_min)

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

    def test_findings_and_their_fixes(self):
        """Each finding of the example project, by its id: what the server does is what the built-in engine says."""
        example = str(harness.SOURCE / "examples" / "orm_mistakes")
        code, out, err = harness.lostwrite("check", example, "--format", "json")
        self.assertEqual((code, err), (1, ""))
        findings = json.loads(out)["findings"]
        self.assertEqual(len({f["id"] for f in findings}), len(findings))
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            file.write(out)
            file.flush()
            for finding in findings:
                with self.subTest(id=finding["id"]):
                    value, _err = prove(self.url, finding["id"], "--from", file.name)
                    self.check_proved(value, finding)

    def check_proved(self, value, finding):
        [proved] = value["proved"]
        self.assertEqual((proved["id"], proved["path"], proved["line"]),
                         (finding["id"], finding["path"], finding["line"]))
        self.assertGreaterEqual(len(proved["fixes"]), 2)
        for part in [proved] + proved["fixes"]:
            self.assertEqual(part["server"]["name"], self.name)
            self.assertGreaterEqual(len(part["server"]["levels"]), 1)
            for level in part["server"]["levels"]:
                with self.subTest(kind=part.get("kind"), level=level["isolation"]):
                    self.assertEqual((level["differing_schedules"], level["first_difference"]), (0, ""))
                    self.assertTrue(level["agrees"])
                    if level["builtin"]["verdict"] != "limit":
                        self.assertEqual(level["builtin"], level["server"])

    def test_a_finding_by_its_place(self):
        path = "%s/examples/orm_mistakes/mistakes/bug3_read_modify_write.py" % harness.SOURCE
        value, _err = prove(self.url, path + ":13")
        self.assertEqual([f["code"] for f in value["proved"]], ["LW003"])
        lost = [level["server"]["verdict"] for level in value["proved"][0]["server"]["levels"]]
        self.assertEqual(lost, ["lost"] * self.level_count)
        code, out, err = harness.lostwrite("prove", path + ":1", "--on", self.url)
        self.assertEqual((code, out), (2, ""))
        self.assertRegex(err, r"no finding at line 1 .*line 13: LW003-[0-9a-f]{8}")

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

    def has_tables(self):
        return bool(self.places())

    def start(self, *args):
        """A long run, once it has a place and is under way."""
        process = subprocess.Popen(
            [harness.BINARY, "prove", LONG_RUN.name,
             "--all-schedules", "--on", self.url, *args],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        until = time.monotonic() + 60
        while not self.has_tables():
            if process.poll() is not None or time.monotonic() > until:
                raise AssertionError(process.communicate()[1])
            time.sleep(0.05)
        time.sleep(0.3)
        return process

    def test_a_terminal_shows_how_far_it_is(self):
        """What takes longer than a second says how many schedules were run; a pipe gets no such lines."""
        master, slave = pty.openpty()
        process = subprocess.Popen(
            [harness.BINARY, "prove", LONG_RUN.name, "--all-schedules", "--on", self.url],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=slave)
        os.close(slave)
        shown = b""
        until = time.monotonic() + 60
        while b" schedules" not in shown and time.monotonic() < until:
            shown += os.read(master, 4096)
        process.send_signal(signal.SIGINT)
        try:
            while os.read(master, 4096):
                pass
        except OSError:
            pass  # the other end is closed
        os.close(master)
        self.assertEqual(process.wait(30), 2)
        self.assertRegex(shown.decode(), r"\r\x1b\[K%s, [a-z ]+: [0-9]+ schedules" % re.escape(self.name))
        self.assertEqual(self.places(), [])

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
    compared_min = 500

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
            [harness.BINARY, "prove", LONG_RUN.name, "--all-schedules", "--on", url],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        time.sleep(1.5)
        server.process.kill()
        out, err = process.communicate(timeout=60)
        server.stop()
        self.assertEqual((process.returncode, out), (2, ""), err)
        self.assertIn("error:", err)


class TestMariaDB(OnServer, unittest.TestCase):
    engine = "mariadb"
    level_count = 4
    lost_min = 20
    compared_min = 500

    @classmethod
    def setUpClass(cls):
        cls.server = servers.MariaDB()
        cls.server.start()
        cls.name = "MariaDB " + re.match(r"[0-9.]+", cls.server.version)[0]
        cls.url = "mysql://root@127.0.0.1:%d/" % cls.server.port
        cls.connection = cls.server.connect()

    @classmethod
    def tearDownClass(cls):
        cls.connection.close()
        cls.server.stop()

    def query(self, sql):
        cursor = self.connection.cursor()
        cursor.execute(sql)
        return list(cursor.fetchall())

    def places(self):
        return [row[0] for row in self.query("SHOW DATABASES LIKE 'lostwrite%'")]

    def kill_session(self):
        own = self.connection.thread_id()
        ids = [row[0] for row in self.query("SHOW PROCESSLIST") if row[0] != own and row[1] == "root"]
        self.query("KILL %d" % max(ids))


class TestSQLite(OnServer, unittest.TestCase):
    engine = "sqlite"
    level_count = 2
    lost_min = 6
    compared_min = 100

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="lostwrite-test-")
        cls.url = "sqlite:%s/db" % cls.folder
        cls.name = "SQLite " + sqlite3.sqlite_version

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    def places(self):
        return os.listdir(self.folder)

    def has_tables(self):
        """The first file is made and dropped for the library's version."""
        return any(os.path.getsize(os.path.join(self.folder, name)) > 0 for name in self.places()
                   if os.path.exists(os.path.join(self.folder, name)))

    def test_the_password_is_told_to_nobody(self):
        self.skipTest("a file has no password")

    def test_another_engine_was_asked_for(self):
        code, out, err = harness.lostwrite("prove", str(EXAMPLES[0]), "--on", self.url, "--engine", "mysql")
        self.assertEqual((code, out), (2, ""))
        self.assertIn("the server is " + self.name, err)

    def test_a_session_that_is_killed(self):
        self.skipTest("its sessions are in this process")

    def test_an_early_signal_leaves_nothing_behind(self):
        """The file is made as it is opened, also when only its library's version is asked for."""
        for _ in range(20):
            process = subprocess.Popen(
                [harness.BINARY, "prove", LONG_RUN.name, "--all-schedules", "--on", self.url],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            until = time.monotonic() + 60
            while not self.places() and process.poll() is None and time.monotonic() < until:
                pass
            process.send_signal(signal.SIGTERM)
            process.wait(30)
            self.assertEqual(self.places(), [])

    def test_no_room(self):
        """What a full disk does, by a limit on files: one error, and nothing is left behind."""

        def limit():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))

        done = subprocess.run([harness.BINARY, "prove", str(EXAMPLES[0]), "--on", self.url], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60, preexec_fn=limit)
        self.assertEqual((done.returncode, done.stdout), (2, b""), done.stderr)
        self.assertEqual([line for line in done.stderr.decode().splitlines() if line.startswith("error: ")],
                         [done.stderr.decode().splitlines()[-1]])
        self.assertRegex(done.stderr.decode(), r"disk I/O error|disk is full")
        self.assertEqual(self.places(), [])

    def test_a_file_that_is_there_stays(self):
        path = self.folder + "/mine.db"
        connection = sqlite3.connect(path)
        connection.execute("CREATE TABLE counter (id integer)")
        connection.commit()
        connection.close()
        before = pathlib.Path(path).read_bytes()
        try:
            code, out, err = harness.lostwrite("prove", str(EXAMPLES[0]), "--on", "sqlite:" + path)
            self.assertEqual((code, out), (2, ""), err)
            self.assertEqual(pathlib.Path(path).read_bytes(), before)
        finally:
            os.remove(path)


if __name__ == "__main__":
    harness.main("on_server")
