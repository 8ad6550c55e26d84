#!/usr/bin/env python3
"""The load generator itself, on PostgreSQL and MariaDB: what it plants is lost there, and the correct variant loses nothing."""
import collections
import pathlib
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parent
for folder in (HERE.parent, HERE.parent / "live", HERE / "load"):
    sys.path.insert(0, str(folder))
import harness
import load
import servers

ROUNDS = 3
PLANTED = {"LW001": "courier", "LW002": "title", "LW003": "count", "LW004": "state", "LW005": "pledged", "LW006": "booking_id",
           "LW007": "passenger"}


def databases(server, engine, name):
    server.create_database(name)
    environment = server.environment(name)
    return {"default": {"ENGINE": "django.db.backends." + engine, "NAME": name, "USER": environment["DB_USER"],
                        "PASSWORD": environment["DB_PASSWORD"], "HOST": environment["DB_HOST"], "PORT": environment["DB_PORT"]}}


class OnServer:
    def test_what_is_lost_and_what_is_not(self):
        with self.server() as server:
            with load.Load(databases(server, self.engine, "shop")) as it:
                it.prepare()
                lossy = it.run("lossy", ROUNDS)
                correct = it.run("correct", ROUNDS)
        self.assertIn(self.name, lossy["server"])
        self.assertEqual((lossy["planted"], lossy["prevented"]), (len(PLANTED) * ROUNDS, 0), lossy)
        lost = collections.Counter(loss["rule"] for loss in lossy["lost"])
        self.assertEqual(lost, {rule: ROUNDS for rule in PLANTED}, lossy)
        for loss in lossy["lost"]:
            self.assertEqual(loss["columns"], [PLANTED[loss["rule"]]])
            self.assertNotEqual(loss["expected"], loss["actual"])
        rows = [(loss["table"], *loss["key"].items()) for loss in lossy["lost"]]
        self.assertEqual(len(rows), len(set(rows)))
        self.assertEqual(correct["lost"], [])
        self.assertGreater(correct["calls"], 20 * ROUNDS)


class OnPostgreSQL(OnServer, unittest.TestCase):
    server, engine, name = servers.PostgreSQL, "postgresql", "PostgreSQL"


class OnMariaDB(OnServer, unittest.TestCase):
    server, engine, name = servers.MariaDB, "mysql", "MariaDB"


if __name__ == "__main__":
    harness.main("load")
