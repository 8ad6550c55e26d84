#!/usr/bin/python3
"""A short comparison of the built-in engine with each server; the long one is `make differential`."""

import re
import sys
import unittest

import compare

sys.path.insert(0, str(compare.HERE.parent))
import harness  # noqa: E402

CASES = {"postgresql15": 1800, "postgresql18": 1800, "mariadb": 1152, "mysql56": 1152}
SECONDS_MAX = 15


class Servers(unittest.TestCase):
    def compare(self, name, *further):
        output = []
        options = ["--seconds", str(SECONDS_MAX), "--cases", str(CASES[name]), "--shrink", "--differences", "3"]
        options += further
        try:
            answer = compare.compare(name, options, output)
        except compare.Skipped as reason:
            self.skipTest(str(reason))
        counted = re.search(r"^(\d+) cases in", output[0], re.M)
        self.assertEqual(answer, 0, output[0])
        self.assertGreater(int(counted[1]), 50, output[0])
        print(output[0].splitlines()[-1])

    def test_postgresql15(self):
        self.compare("postgresql15")

    def test_postgresql18(self):
        self.compare("postgresql18")

    def test_mariadb(self):
        self.compare("mariadb")

    def test_mariadb_wide(self):
        self.compare("mariadb", "--wide")

    def test_mysql56(self):
        self.compare("mysql56")

    def test_mysql56_wide(self):
        self.compare("mysql56", "--wide")


if __name__ == "__main__":
    harness.main("differential")
