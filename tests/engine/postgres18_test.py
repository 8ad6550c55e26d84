#!/usr/bin/python3
"""PostgreSQL 18 gives the answers that PostgreSQL 15 gave: the sections of the transcripts that are about PostgreSQL,
played anew. What docs/isolation.md says of its versions rests on this."""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import harness
import player
import record

import servers

TRANSCRIPTS = pathlib.Path(__file__).resolve().parent / "transcripts"


def core(line):
    """A statement's line without an error's message, which may be worded anew."""
    head, mark, error = line.partition("  ERR ")
    return " ".join((head + mark + error.split(" ")[0]).split())


class Lab(player.Lab):
    SERVERS = dict(player.Lab.SERVERS, postgresql=(player.PostgreSQL, servers.PostgreSQL18))


class PostgreSQL18(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.lab = Lab()
        cls.addClassCleanup(cls.lab.__exit__, None, None, None)
        try:
            cls.lab.running["postgresql"] = servers.PostgreSQL18().__enter__()
        except servers.ServerError as error:
            raise unittest.SkipTest(str(error)) from error

    def check(self, name):
        played = 0
        lines = (TRANSCRIPTS / name).read_text().splitlines()
        for section in record.sections_of(lines):
            if not section.settings.startswith("postgresql"):
                continue
            played += 1
            with self.subTest(section.lines[0]):
                self.assertEqual([core(line) for line in section.recorded(self.lab) if record.is_statement(line)],
                                 [core(line) for line in section.lines if record.is_statement(line)])
        self.assertGreater(played, 5)

    def test_version(self):
        self.assertEqual(self.lab.running["postgresql"].version.split(".")[0], "18")

    def test_servers(self):
        self.check("servers.txt")

    def test_postgresql(self):
        self.check("postgresql.txt")

    def test_serializable(self):
        self.check("postgresql_serializable.txt")


if __name__ == "__main__":
    harness.main("postgres18")
