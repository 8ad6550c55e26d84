#!/usr/bin/env python3
"""Recordings as a source of `watch`: the load's planted losses are told, and none in its correct variant."""
import json
import os
import pathlib
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
for folder in (HERE.parent, HERE.parent / "live", HERE / "load"):
    sys.path.insert(0, str(folder))
import harness
import load
import recall
import servers
from load_test import databases

ROUNDS = 3


class OnServer:
    @classmethod
    def setUpClass(cls):
        cls.told = {}
        with cls.server() as server, tempfile.TemporaryDirectory() as folder:
            for variant in ("lossy", "correct"):
                path = os.path.join(folder, variant + ".jsonl")
                truth = load.run(databases(server, cls.engine, "shop_" + variant), variant, ROUNDS, recording=path)
                cls.told[variant] = truth, harness.lostwrite("watch", "--show-values", "--format", "json", path)

    def report(self, variant):
        truth, (code, out, err) = self.told[variant]
        self.assertEqual(err, "")
        self.assertIn(code, (0, 1))
        report = json.loads(out)
        self.assertEqual((report["summary"]["gaps"], report["summary"]["writes_of_unknown_rows"]), (0, 0))
        self.assertGreater(report["summary"]["statements"], 50 * ROUNDS)
        return truth, report

    def test_what_was_lost_is_told(self):
        told, beyond = recall.recall(*self.report("lossy"))
        self.assertEqual(beyond, [])
        self.assertEqual(told, {rule: (ROUNDS, ROUNDS) for rule in told})
        self.assertEqual(len(told), 7)

    def test_nothing_is_told_where_nothing_was_lost(self):
        truth, report = self.report("correct")
        self.assertEqual(truth["lost"], [])
        self.assertEqual(report["losses"], [])

    def test_where_in_the_code(self):
        _, report = self.report("lossy")
        tags = [step["tag"] for loss in report["losses"] for example in loss["examples"] for step in example["steps"] if step["did"] == "write"]
        self.assertTrue(tags)
        for tag in tags:
            self.assertRegex(tag, r"^file=(mistakes/bug\d\w+|planted)\.py:\d+$")


class OnPostgreSQL(OnServer, unittest.TestCase):
    server, engine = servers.PostgreSQL, "postgresql"


class OnMariaDB(OnServer, unittest.TestCase):
    server, engine = servers.MariaDB, "mysql"


if __name__ == "__main__":
    harness.main("recording")
