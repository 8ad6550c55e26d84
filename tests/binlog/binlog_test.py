#!/usr/bin/python3
"""What the decoder tells of the logs of real servers is what SELECT gave: every type of column, with each row image, with and without
metadata, checksums and compression."""

import itertools
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "live"))
import harness
import servers

import compare
import workload

BLOBS = ("TEXT", "BLOB", "JSON", "GEOMETRY")


numbers = itertools.count()


def without_place(event):
    """A transaction without a GTID is named by its place."""
    return {name: value for name, value in event.items()
            if name != "at" and not (name == "transaction" and value.startswith("@"))}


def none_lacks(image, kind, before, after, name):
    return False


def blob_lacks(image, kind, before, after, name):
    """NOBLOB: no blob in a before image but of a table's key, none in an after image but what changed."""
    return any(word in kind for word in BLOBS) and (image == "before" or before is None or before[name] == after[name])


def minimal_lacks(image, kind, before, after, name):
    """MINIMAL: the key before, what the statement gave a value after."""
    if image == "before":
        return name != "id"
    return before is not None and before[name] == after[name]


LACKS = {"FULL": none_lacks, "NOBLOB": blob_lacks, "MINIMAL": minimal_lacks}


class OfServer:
    kind = None
    has_metadata = False


    @classmethod
    def setUpClass(cls):
        try:
            cls.server = workload.server_with_log(cls.kind, *cls.options).__enter__()
        except servers.ServerError as error:
            raise unittest.SkipTest(str(error)) from error
        cls.addClassCleanup(cls.server.__exit__, None, None, None)
        cls.columns = workload.columns_for(cls.server.version)

    def told(self, work):
        work.sql("FLUSH BINARY LOGS")
        with tempfile.NamedTemporaryFile(suffix=".binlog") as file:
            file.write(b"".join(workload.logs_of(self.server)))
            file.flush()
            events = compare.events(file.name)
            self.assertEqual(compare.events(file.name, "1000"), events)
        return events

    def check(self, image, table, *statements):
        work = workload.Work(self.server, self.columns)
        work.sql("SET SESSION binlog_row_image = '%s'" % image)
        for statement in statements:
            work.sql(statement)
        work.create(table)
        work.run(table)
        events = self.told(work)
        work.connection.close()
        changes = [event for event in events if event["kind"] == "change" and event["table"] == table]
        self.assertEqual(compare.differences(work.changes, changes, self.columns, self.has_metadata,
                                             LACKS.get(image, none_lacks)), [])
        return work, events, changes

    def test_full(self):
        work, events, changes = self.check("FULL", "lw.full")
        self.assertEqual([event for event in events if event["kind"] == "gap"], [])
        self.assertEqual([event["kind"] for event in events if event["kind"] in ("begin", "commit")],
                         ["begin", "commit"] * (sum(event["kind"] == "begin" for event in events)))
        if self.has_metadata:
            self.assertEqual({tuple(change["key"]) for change in changes}, {(1,)})

    def test_noblob(self):
        self.check("NOBLOB", "lw.noblob")

    def test_minimal(self):
        _, _, changes = self.check("MINIMAL", "lw.minimal")
        updates = [change for change in changes if change["op"] == "update"]
        self.assertEqual({len(change["before"]) for change in updates}, {1})
        self.assertEqual(len(updates[-1]["after"]), 1)

    def stream(self, file, last):
        url = "mysql://root@127.0.0.1:%d/" % self.server.port
        return subprocess.Popen([str(compare.PROGRAM), "--stream", url, file, last], stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def test_stream(self):
        """What a replica is sent is told as what stands in the files is, but for the places."""
        work = workload.Work(self.server, self.columns)
        first = sorted(name for name in os.listdir(os.path.join(self.server.folder, "data"))
                       if name.startswith("log.") and name[4:].isdigit())[0]
        work.sql("CREATE DATABASE IF NOT EXISTS lw")
        last = "CREATE TABLE lw.last%d (a INT)" % next(numbers)
        from_now = self.stream("", last)
        self.addCleanup(from_now.kill)
        self.assertEqual(from_now.stderr.readline(), b"listening\n")
        before = len(work.sql("SHOW BINARY LOGS"))
        work.create("lw.streamed%d" % next(numbers))
        work.sql("FLUSH BINARY LOGS")
        work.sql(last)
        said, errors = from_now.communicate(timeout=60)
        from_first = self.stream(first, last)
        self.addCleanup(from_first.kill)
        all_said, all_errors = from_first.communicate(timeout=60)
        self.assertEqual((from_now.returncode, from_first.returncode), (0, 0), errors + all_errors)
        self.assertEqual(errors.decode().split()[-1], "log.%06d" % (before + 1))
        wanted = [without_place(event) for event in self.told(work)]
        del wanted[[event.get("sql") for event in wanted].index(last) + 1:]
        told = [without_place(json.loads(line)) for line in all_said.decode().splitlines()]
        self.assertEqual(told, wanted)
        self.assertEqual([without_place(json.loads(line)) for line in said.decode().splitlines()], wanted[-3:])

    def test_watch_server(self):
        """`watch` reads the server's log as it reads the files."""
        work = workload.Work(self.server, [])
        work.sql("CREATE DATABASE IF NOT EXISTS lw")
        table = "lw.watched%d" % next(numbers)
        work.sql("CREATE TABLE %s (id INT PRIMARY KEY, n INT)" % table)
        work.sql("INSERT INTO %s VALUES (1, 1)" % table)
        for value in 2, 1:
            work.sql("UPDATE %s SET n = %d" % (table, value))
        work.sql("FLUSH BINARY LOGS")
        url = "mysql://root@127.0.0.1:%d/" % self.server.port
        folder = os.path.join(self.server.folder, "data")
        files = sorted(os.path.join(folder, name) for name in os.listdir(folder)
                       if name.startswith("log.") and name[4:].isdigit())
        of_server = harness.lostwrite("watch", "--pedantic", url)
        of_files = harness.lostwrite("watch", "--pedantic", *files)
        counted = [line for line in of_server[1].splitlines() if line.startswith("watched ")]
        self.assertEqual(len(counted), 1, of_server)
        self.assertEqual(counted, [line for line in of_files[1].splitlines() if line.startswith("watched ")])
        self.assertEqual(of_server[0], of_files[0])

    def test_names_of_columns(self):
        """Where the log has none, the server is asked, once a table; a table that has other columns by now keeps numbers."""
        work = workload.Work(self.server, [])
        work.sql("CREATE DATABASE IF NOT EXISTS lw")
        table, changed = ("lw.%s%d" % (name, next(numbers)) for name in ("named", "renamed"))
        for name in (table, changed):
            work.sql("CREATE TABLE %s (n INT, id INT PRIMARY KEY, m INT)" % name)
            work.sql("INSERT INTO %s VALUES (1, 7, 1), (2, 8, 2)" % name)
            work.sql("UPDATE %s SET n = 3 WHERE id = 7" % name)
            work.sql("UPDATE %s SET n = 1, m = 5 WHERE id = 7" % name)
        work.sql("ALTER TABLE %s ADD COLUMN x INT" % changed)
        _, out, errors = harness.lostwrite("watch", "--show-values", "--format", "json", "mysql://root@127.0.0.1:%d/" % self.server.port)
        self.assertEqual(errors, "")
        losses = {loss["table"].split(".")[-1]: loss for loss in json.loads(out)["losses"]}
        self.assertEqual((losses[table[3:]]["columns"], losses[table[3:]]["keys"]), (["n"], ["id=7"]))
        reasons = [gap["reason"] for gap in json.loads(out)["gaps"]]
        stale = "a table has other columns now than it had here: their names are not known"
        if self.has_metadata:
            self.assertEqual((losses[changed[3:]]["columns"], losses[changed[3:]]["keys"]), (["n"], ["id=7"]))
            self.assertNotIn(stale, reasons)
        else:
            self.assertIn(stale, reasons) # without names the first column is taken for the key, which changes here

    def test_rows_that_a_savepoint_takes_back(self):
        """MariaDB logs them if the transaction has changed a table that can't go back; MySQL does not."""
        work = workload.Work(self.server, [])
        work.sql("CREATE DATABASE IF NOT EXISTS lw")
        table = "lw.undone%d" % next(numbers)
        work.sql("CREATE TABLE %s (id INT PRIMARY KEY, n INT, m INT) ENGINE = InnoDB" % table)
        work.sql("CREATE TABLE %s_kept (id INT PRIMARY KEY) ENGINE = MyISAM" % table)
        work.sql("INSERT INTO %s VALUES (1, 1, 1)" % table)
        work.sql("UPDATE %s SET n = 2" % table)
        for statement in ("BEGIN", "INSERT INTO %s VALUES (2, 2, 2)" % table, "INSERT INTO %s_kept VALUES (1)" % table, "SAVEPOINT s",
                          "UPDATE %s SET n = 1, m = 5 WHERE id = 1" % table, "INSERT INTO %s_kept VALUES (2)" % table, "ROLLBACK TO SAVEPOINT s", "COMMIT"):
            work.sql(statement)
        _, out, errors = harness.lostwrite("watch", "--pedantic", "--format", "json", "mysql://root@127.0.0.1:%d/" % self.server.port)
        self.assertEqual(errors, "")
        self.assertEqual([loss for loss in json.loads(out)["losses"] if loss["table"].endswith(table[3:])], [])

    def test_watch_follows_server(self):
        work = workload.Work(self.server, [])
        work.sql("CREATE DATABASE IF NOT EXISTS lw")
        table = "lw.followed%d" % next(numbers)
        url = "mysql://root@127.0.0.1:%d/" % self.server.port
        watch = subprocess.Popen([harness.BINARY, "watch", "--follow", url], stdin=subprocess.DEVNULL,
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.addCleanup(watch.kill)
        deadline = time.monotonic() + 30
        while not any(b"Binlog Dump" in (row[4] or b"") for row in work.sql("SHOW PROCESSLIST")):
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.05)
        work.sql("CREATE TABLE %s (id INT PRIMARY KEY)" % table)
        work.sql("INSERT INTO %s VALUES (1), (2)" % table)
        time.sleep(2)
        watch.send_signal(signal.SIGINT)
        said, errors = watch.communicate(timeout=30)
        self.assertEqual(watch.returncode, 0, errors)
        self.assertRegex(said.decode(), r"(?m)^watched .* of 2 writes in 1 transaction")

    def test_stream_refused(self):
        done = subprocess.run([str(compare.PROGRAM), "--stream", "mysql://nobody:secret@127.0.0.1:%d/" % self.server.port,
                               "", "x"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
        self.assertEqual((done.returncode, done.stdout), (1, b""))
        self.assertIn(b"can't connect: Access denied", done.stderr)
        self.assertNotIn(b"secret", done.stderr)
        done = self.stream("log.999999", "x")
        self.addCleanup(done.kill)
        self.assertIn(b"the server sends no more of its binary log: ", done.communicate(timeout=60)[1])
        self.assertEqual(done.returncode, 1)


class MariaDB(OfServer, unittest.TestCase):
    kind = servers.MariaDB
    options = ("--binlog-row-metadata=FULL", "--binlog-annotate-row-events=ON")
    has_metadata = True

    def test_annotated(self):
        work, _, changes = self.check("FULL", "lw.annotated")
        self.assertEqual([change.get("sql") for change in changes], work.statements)


class MariaDBCompressed(OfServer, unittest.TestCase):
    kind = servers.MariaDB
    options = ("--log-bin-compress=ON", "--log-bin-compress-min-len=10", "--binlog-checksum=NONE")


class MySQL(OfServer, unittest.TestCase):
    kind = servers.MySQL
    options = ("--binlog-checksum=CRC32", "--binlog-rows-query-log-events=ON")

    def test_annotated(self):
        work, _, changes = self.check("FULL", "lw.annotated")
        self.assertEqual([change.get("sql") for change in changes], work.statements)


class MySQLV1(OfServer, unittest.TestCase):
    kind = servers.MySQL
    options = ("--binlog-checksum=NONE", "--log-bin-use-v1-row-events=ON")


if __name__ == "__main__":
    harness.main("binlog")
