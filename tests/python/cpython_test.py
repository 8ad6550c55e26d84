#!/usr/bin/env python3
"""Our parser beside CPython's on the standard library, on Debian's Django, and on programs that are almost
Python: the same trees, kinds, values and exact positions, and errors in the same files."""
import os
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import compare
import harness
import mutants

DUMPER = str(pathlib.Path(harness.BINARY).resolve().parent / "tests" / "python" / "pydump")
LIBRARY = pathlib.Path(os.__file__).parent
DJANGO = pathlib.Path("/usr/lib/python3/dist-packages/django")
MUTANTS = 3000


class BesideCPython(unittest.TestCase):
    def setUp(self):
        self.tally = compare.Tally()

    def assert_alike(self, files_min):
        print(self.tally)
        self.assertEqual(self.tally.failed, 0)
        self.assertGreaterEqual(self.tally.same, files_min)

    def test_standard_library(self):
        files = compare.find_files([LIBRARY])
        compare.compare(DUMPER, [path for path in files if "-packages/" not in path], self.tally)
        self.assert_alike(500)

    @unittest.skipUnless(DJANGO.is_dir(), "no Django (Debian: python3-django)")
    def test_django(self):
        compare.compare(DUMPER, compare.find_files([DJANGO]), self.tally)
        self.assert_alike(800)

    def test_mutants(self):
        paths = [LIBRARY / name for name in ("asyncio", "typing.py", "dataclasses.py", "enum.py")]
        mutants.compare_mutants(DUMPER, paths, MUTANTS, 1, self.tally)
        self.assert_alike(MUTANTS // 5)
        self.assertGreater(self.tally.rejected, MUTANTS // 5)


class TheComparison(unittest.TestCase):
    """That it can fail."""

    def compared(self, dump):
        tally = compare.Tally(show=0)
        tally.check(__file__, dump)
        return tally

    def test_other_tree(self):
        dump = compare.run_dumper(DUMPER, [__file__])[__file__]
        self.assertEqual((self.compared(dump).same, self.compared(dump).failed), (1, 0))
        for wrong in (dump[:-1], [], [*dump, "error 1:1: wrong"], [*dump[:-1], dump[-1] + " "]):
            self.assertEqual(self.compared(wrong).different, 1)
        moved = [line.replace(":0-", ":1-") for line in dump]
        self.assertEqual(self.compared(moved).different, 1)


if __name__ == "__main__":
    harness.main("cpython")
