#!/usr/bin/python3
"""PostgreSQL's logical decoding as a source: what is told is what SELECT gives, the losses that are there are told, and nothing is left
behind on the server."""

import json
import os
import pathlib
import random
import subprocess
import tempfile
import time
import unittest

import recorder
import harness
import scenario
from recorder import Follower, LogicalServer

EVENTS = pathlib.Path(harness.BINARY).parent / "tests" / "pgoutput" / "pgoutput_events"

COLUMNS = {
    "n2": ("smallint", ["-32768", "7"]), "n8": ("bigint", ["-9223372036854775808", "12"]), "d": ("numeric", ["1.50", "-1e30", "'NaN'"]),
    "f": ("real", ["1.1", "'-Infinity'"]), "g": ("double precision", ["0.1", "1e300"]), "b": ("boolean", ["true", "false"]),
    "x": ("text", ["'a''b'", "''", "repeat('ü', 2000)"]), "c": ("char(4)", ["'a'"]), "y": ("bytea", [r"'\x00ff41'", "''"]),
    "t": ("timestamptz", ["'2026-11-27 10:00:00.5+02'", "'1969-12-31 23:59:59+00'"]), "s": ("timestamp", ["'2026-11-27 10:00:00.000123'"]),
    "a": ("date", ["'2026-11-27'"]), "i": ("interval", ["'1 day 2 hours'"]), "j": ("jsonb", ["'{\"a\": [1, null]}'"]),
    "u": ("uuid", ["'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'"]), "r": ("int[]", ["'{1,2,NULL}'"]), "m": ("mood", ["'sad'", "'ok'"]),
}



class OnServer(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = LogicalServer().__enter__()
        cls.addClassCleanup(cls.server.__exit__, None, None, None)

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.database = "d%d" % time.monotonic_ns()
        self.server.create_database(self.database)
        self.connection = self.server.connect(self.database)
        self.addCleanup(self.connection.close)
        self.cursor = self.connection.cursor()
        self.url = self.server.url(self.database)

    def sql(self, text):
        self.cursor.execute(text)
        return self.cursor.fetchall() if self.cursor.description else None

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def follow(self, *options):
        follower = Follower(self.server, self.database, *options)
        self.addCleanup(follower.kill)
        self.addCleanup(follower.connection.close)
        return follower

    def events(self, path, *options):
        done = subprocess.run([EVENTS, path, *options], stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        return [json.loads(line) for line in done.stdout.decode().splitlines()]

    def watch(self, *options):
        return harness.lostwrite("watch", *options)

    def assert_nothing_left(self):
        recorder.wait_until(lambda: self.sql("SELECT count(*) FROM pg_replication_slots") == [(0,)])
        self.assertEqual(self.sql("SELECT count(*) FROM pg_publication WHERE pubname LIKE 'lostwrite%'"), [(0,)])

    # --- what is told ---

    def row(self, key):
        self.cursor.execute("SET TimeZone = 'UTC'")
        texts = {"y": "encode(y, 'hex')", "c": "rpad(c::text, 4)"}
        items = [texts.get(name, name + "::text") for name in COLUMNS]
        found = self.sql("SELECT id::text, %s FROM of_types WHERE id = %d" % (", ".join(items), key))
        if not found:
            return None
        row = dict(zip(["id"] + list(COLUMNS), found[0]))
        row["b"] = None if row["b"] is None else row["b"][0]
        return row

    def plain(self, image):
        """Bytes that are no UTF-8 are told by their hex; bytes that are, as text."""
        row = dict(image)
        if isinstance(row.get("y"), dict):
            row["y"] = row["y"]["hex"]
        elif row.get("y") is not None:
            row["y"] = row["y"].encode().hex()
        return row

    def values_are_told(self, identity):
        self.sql("CREATE TYPE mood AS ENUM ('sad', 'ok')")
        self.sql("CREATE TABLE of_types (id int PRIMARY KEY, %s)" % ", ".join("%s %s" % (name, kind) for name, (kind, _) in COLUMNS.items()))
        self.sql("ALTER TABLE of_types REPLICA IDENTITY %s; CREATE PUBLICATION p FOR TABLE of_types" % identity)
        chance, path, wanted = random.Random(5), self.path("types"), []

        def literal(name):
            return chance.choice(COLUMNS[name][1] + ["NULL"])

        with self.follow("--publication", "p", "--record", path, "--no-search") as follower:
            for _ in range(200):
                key = chance.randrange(8)
                before = self.row(key)
                if before is None:
                    self.sql("INSERT INTO of_types VALUES (%d, %s)" % (key, ", ".join(literal(name) for name in COLUMNS)))
                elif chance.random() < 0.2:
                    self.sql("DELETE FROM of_types WHERE id = %d" % key)
                else:
                    names = chance.sample(list(COLUMNS), 3)
                    self.sql("UPDATE of_types SET %s WHERE id = %d" % (", ".join("%s = %s" % (name, literal(name)) for name in names), key))
                wanted.append((before, self.row(key)))
            code, _, errors = follower.end()
        self.assertIn(code, (0, 1), errors)
        events = self.events(path)
        self.assertEqual([event for event in events if event["kind"] == "gap"], [])
        self.assertEqual(self.events(path, "7"), events)
        changes = [event for event in events if event["kind"] == "change"]
        self.assertEqual(len(changes), len(wanted))
        for change, (before, after) in zip(changes, wanted):
            self.assertEqual((change["key"], change["op"]), ([1], "insert" if before is None else "delete" if after is None else "update"))
            if identity == "FULL":
                self.assertEqual(self.plain(change.get("before") or {}), before or {})
            elif after is None:
                self.assertEqual(change["before"], {"id": before["id"]})
            if after is not None:
                told = self.plain(change["after"])
                # A large value that is not touched is not sent.
                self.assertEqual({name: told.get(name, (before or {}).get(name)) for name in after}, after)

    def test_values_with_full_identity(self):
        self.values_are_told("FULL")

    def test_values_with_a_key(self):
        self.values_are_told("DEFAULT")

    def test_scenario_is_as_recorded(self):
        for identity in ("full", "default"):
            database = "%s_%s" % (self.database, identity)
            self.server.create_database(database)
            connection = self.server.connect(database)
            self.addCleanup(connection.close)
            play, path = scenario.play(connection, identity), self.path(identity)
            with Follower(self.server, database, "--publication", "everything", "--record", path) as follower:
                play()
                self.assertIn(follower.end()[0], (0, 1))
            kept = harness.SOURCE / "tests" / "pgoutput" / "streams" / ("postgresql-15-%s.stream" % identity)
            forget = {"at", "time_us", "transaction"}
            told, wanted = ([{name: value for name, value in event.items() if name not in forget} for event in self.events(file)]
                            for file in (path, kept))
            self.assertEqual(told, wanted)
            connection.cursor().execute("DROP PUBLICATION everything")

    # --- what is lost ---

    def test_a_loss_is_told_and_recorded(self):
        self.sql("CREATE TABLE listing (note text, id int PRIMARY KEY, title text, price int); ALTER TABLE listing REPLICA IDENTITY FULL")
        path = self.path("record")
        with self.follow("--create-publication", "--format", "json", "--record", path) as follower:
            self.sql("INSERT INTO listing VALUES ('', 1, 'lamp', 10), ('', 2, 'chair', 5)")
            self.sql("UPDATE listing SET title = 'desk lamp' WHERE id = 1")
            self.sql("UPDATE listing SET title = 'stool' WHERE id = 2")
            self.sql("UPDATE listing SET title = 'lamp', price = 12 WHERE id = 1")
            code, out, errors = follower.end()
        self.assertEqual((code, errors), (1, ""))
        report = json.loads(out)
        self.assertEqual([(loss["code"], loss["evidence"], loss["table"], loss["columns"], loss["count"]) for loss in report["losses"]],
                         [("LW002", "revert", "listing", ["title"], 1)])
        self.assertEqual((report["summary"]["writes"], report["summary"]["gaps"]), (5, 0))
        self.assert_nothing_left()
        self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)
        code, again, errors = self.watch("--format", "json", path)
        self.assertEqual((code, errors), (1, ""))
        self.assertEqual([loss["count"] for loss in json.loads(again)["losses"]], [1])

    # --- the server ---

    def test_what_is_asked_for(self):
        def refused(message, *options, url=self.url):
            code, out, errors = self.watch(*options, url)
            self.assertEqual((code, out), (2, ""))
            self.assertIn(message, errors)
            self.assertNotIn("secret", errors)

        refused("--follow reads them as they are committed")
        refused("the database has no publication: CREATE PUBLICATION", "--follow")
        refused("no table with a primary key", "--follow", "--create-publication")
        self.sql("CREATE TABLE t (id int PRIMARY KEY); CREATE PUBLICATION one FOR TABLE t; CREATE PUBLICATION \"t'w\"\"o\" FOR TABLE t")
        refused("the database has one, t'w\"o", "--follow")
        refused("has no publication \"three\", it has one, t'w\"o", "--follow", "--publication", "three")
        refused('replication slot "none" does not exist', "--publication", "one", "--slot", "none")
        refused("either --publication or --create-publication", "--follow", "--publication", "one", "--create-publication")
        refused("--publication, --create-publication and --slot are for a postgresql:// URL", "--publication", "one", url=self.path("x"))
        refused("--record is for a proxy", "--record", self.path("r"), url=self.path("x"))
        self.sql("DROP ROLE IF EXISTS plain; CREATE ROLE plain LOGIN")
        refused("must be superuser or replication role", "--follow", "--publication", "one",
                url="postgresql://plain:secret@127.0.0.1:%d/%s" % (self.server.port, self.database))
        refused("can't create a publication", "--follow", "--create-publication",
                url="postgresql://plain:secret@127.0.0.1:%d/%s" % (self.server.port, self.database))
        self.assert_nothing_left()
        with self.follow("--publication", "t'w\"o") as follower:
            self.assertEqual(follower.end()[0], 0)

    def test_wal_level(self):
        with recorder.servers.PostgreSQL() as server:
            connection = server.connect()
            connection.cursor().execute("CREATE PUBLICATION p FOR ALL TABLES")
            code, _, errors = self.watch("--follow", "--publication", "p", "postgresql://lab@127.0.0.1:%d/postgres" % server.port)
            connection.close()
        self.assertEqual(code, 2)
        self.assertIn("wal_level", errors)

    def test_tables_without_a_key_can_still_be_changed(self):
        """A publication of all tables would forbid it."""
        self.sql("CREATE TABLE keyed (id int PRIMARY KEY, n int); CREATE TABLE keyless (n int); "
                 "CREATE TABLE parent (id int PRIMARY KEY, n int); CREATE TABLE child () INHERITS (parent)")
        with self.follow("--create-publication") as follower:
            for table in ("keyed", "keyless", "parent", "child"):
                self.sql("INSERT INTO %s (n) VALUES (1)" % table if table == "keyless" else "INSERT INTO %s VALUES (1, 1)" % table)
                self.sql("UPDATE %s SET n = 2" % table)
            self.assertRegex(follower.end()[1], "watched .* of 4 writes")
        self.assert_nothing_left()

    def test_wal_is_not_kept(self):
        self.sql("CREATE TABLE t (id int PRIMARY KEY, n text); CREATE PUBLICATION p FOR TABLE t")
        with self.follow("--publication", "p") as follower:
            for i in range(50):
                self.sql("INSERT INTO t SELECT %d + g, repeat('x', 500) FROM generate_series(1, 100) g" % (i * 1000))
            follower.catch_up()
            recorder.wait_until(lambda: self.sql("SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), confirmed_flush_lsn) FROM pg_replication_slots")[0][0] < 1000)
            self.assertRegex(follower.end()[1], "of 5000 writes in 50 transactions")

    def test_a_slot_is_left_as_it_is(self):
        self.sql("CREATE TABLE t (id int PRIMARY KEY, n int); CREATE PUBLICATION p FOR TABLE t")
        self.sql("SELECT pg_create_logical_replication_slot('kept', 'pgoutput')")
        self.addCleanup(self.sql, "SELECT pg_drop_replication_slot('kept')")
        self.addCleanup(recorder.wait_until, lambda: self.sql("SELECT bool_or(active) FROM pg_replication_slots WHERE slot_name = 'kept'") == [(False,)])
        self.sql("SET synchronous_commit = on")
        self.sql("INSERT INTO t VALUES (1, 1), (2, 2)")
        place = "SELECT restart_lsn, confirmed_flush_lsn FROM pg_replication_slots"
        before = self.sql(place)
        for _ in range(2):
            code, out, errors = self.watch("--publication", "p", "--slot", "kept", self.url)
            self.assertEqual((code, errors), (0, ""))
            self.assertRegex(out, "of 2 writes in 1 transaction")
        self.assertEqual(self.sql(place), before)

    def test_a_lost_server(self):
        """What was read until then is told."""
        with recorder.LogicalServer() as server:
            connection = server.connect()
            cursor = connection.cursor()
            cursor.execute("CREATE TABLE t (id int PRIMARY KEY)")
            with Follower(server, "postgres", "--create-publication") as follower:
                cursor.execute("INSERT INTO t VALUES (1)")
                follower.catch_up()
                server.process.kill()
                server.process.wait()
                out, errors = follower.process.communicate(timeout=60)
            connection.close()
        self.assertEqual(follower.process.returncode, 2)
        self.assertIn("of 1 write in 1 transaction", out.decode())
        self.assertRegex(errors.decode(), "left behind, .*: DROP PUBLICATION lostwrite_[0-9a-f_]+;")

    def test_interrupted_while_it_waits(self):
        """A slot begins when each open transaction has ended."""
        self.sql("CREATE TABLE t (id int PRIMARY KEY)")
        self.sql("BEGIN; INSERT INTO t VALUES (1)")
        other = self.server.connect(self.database)
        self.addCleanup(other.close)
        other_cursor = other.cursor()
        other_cursor.execute("CREATE PUBLICATION p FOR TABLE t")
        watch = subprocess.Popen([harness.BINARY, "watch", "--follow", "--publication", "p", self.url], stdin=subprocess.DEVNULL,
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.addCleanup(watch.kill)

        def is_waiting():
            other_cursor.execute("SELECT count(*) FROM pg_replication_slots")
            return other_cursor.fetchone()[0] == 1

        recorder.wait_until(is_waiting)
        watch.send_signal(recorder.signal.SIGINT)
        out, errors = watch.communicate(timeout=30)
        self.assertEqual((watch.returncode, out, errors), (2, b"", b"error: interrupted\n"))
        recorder.wait_until(lambda: not is_waiting())
        self.sql("ROLLBACK")


if __name__ == "__main__":
    harness.main("pgoutput")
