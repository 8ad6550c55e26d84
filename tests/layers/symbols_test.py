#!/usr/bin/env python3
"""The names that the libraries of the build give out: none twice, and none that libc or cmocka has too, for
the linker would take one for the other without a word."""
import pathlib
import re
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import harness

BUILD = pathlib.Path(harness.BINARY).resolve().parent
FOREIGN = ("libc.so.6", "libcmocka.so.0")


def names_given(text):
    """The functions and objects that `nm --defined-only` lists as global."""
    return re.findall(r"^[0-9a-f]* [TDBRV] (\w+)$", text, re.M)


def nm(*args):
    return subprocess.run(["nm", "--defined-only", *args], check=True, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, encoding="utf-8").stdout


class Symbols(unittest.TestCase):
    def setUp(self):
        self.libraries = sorted((BUILD / "src").glob("liblw_*.a"))
        self.assertGreater(len(self.libraries), 2)

    def own(self):
        return [name for library in self.libraries for name in names_given(nm(str(library)))]

    def test_none_twice(self):
        names = self.own()
        self.assertGreater(len(names), 100)
        self.assertEqual(sorted({name for name in names if names.count(name) > 1}), [])

    def test_none_of_another_library(self):
        listing = subprocess.run(["/sbin/ldconfig", "-p"], check=True, stdout=subprocess.PIPE,
                                 encoding="utf-8").stdout
        own = set(self.own())
        for library in FOREIGN:
            path = re.search(r"^\t%s .*x86-64.* => (.*)$|^\t%s .* => (.*)$"
                             % (re.escape(library), re.escape(library)), listing, re.M)
            if path is None:
                self.skipTest("%s is not here" % library)
            foreign = {name.split("@")[0] for name in
                       re.findall(r" [TWi] (\S+)", nm("-D", path[1] or path[2]))}
            self.assertGreater(len(foreign), 20)
            self.assertEqual(sorted(own & foreign), [], library)

    def test_reading(self):
        self.assertEqual(names_given("0000 T f\n     U g\n0010 t h\n0018 D d\n"), ["f", "d"])


if __name__ == "__main__":
    harness.main("symbols")
