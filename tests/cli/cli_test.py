#!/usr/bin/env python3
"""The binary from outside: version, help, explain, errors, exit codes."""
import json
import pathlib
import re
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import harness
from harness import lostwrite

PAGES = harness.SOURCE / "src" / "explain" / "pages"


class Overview(unittest.TestCase):
    def test_version(self):
        code, out, err = lostwrite("--version")
        meson = (harness.SOURCE / "meson.build").read_text()
        version = re.search(r"^  version: '([^']+)'", meson, re.M)[1]
        self.assertEqual((code, out, err), (0, "lostwrite %s\n" % version, ""))

    def test_help(self):
        for args in (["--help"], ["-h"], ["help"]):
            code, out, err = lostwrite(*args)
            self.assertEqual((code, err), (0, ""), args)
            self.assertIn("usage: lostwrite COMMAND", out)

    def commands(self):
        listing = lostwrite("--help")[1].split("commands:\n")[1].split("\n\n")[0]
        names = re.findall(r"^  (\w+)", listing, re.M)
        self.assertIn("explain", names)
        return [name for name in names if name != "help"]

    def test_help_of_each_command(self):
        for name in self.commands():
            code, out, err = lostwrite("help", name)
            self.assertEqual((code, err), (0, ""), name)
            self.assertTrue(out.startswith("usage: lostwrite %s" % name), out)
            self.assertLessEqual(max(map(len, out.splitlines())), 100)
            self.assertEqual(lostwrite(name, "--help")[1], out)
            self.assertEqual(lostwrite(name, "-h")[1], out)

    def test_wrong_option_of_each_command(self):
        for name in self.commands():
            code, out, err = lostwrite(name, "--no-such-thing")
            self.assertEqual((code, out), (2, ""), name)
            self.assertIn("unknown option '--no-such-thing'", err)
            self.assertIn("See `lostwrite help %s`." % name, err)


class WrongUsage(unittest.TestCase):
    def assert_error(self, args, *parts):
        code, out, err = lostwrite(*args)
        self.assertEqual((code, out), (2, ""), args)
        for part in parts:
            self.assertIn(part, err)

    def test_no_command(self):
        self.assert_error([], "which command?", "lostwrite --help")

    def test_unknown_command(self):
        self.assert_error(["explan"], "unknown command 'explan'; did you mean 'explain'?")
        self.assert_error(["frobnicate"], "unknown command 'frobnicate'\n")
        self.assert_error(["help", "explan"], "did you mean 'explain'?")

    def test_option_before_command(self):
        self.assert_error(["--engine=mysql", "check"], "options go after the command")

    def test_unknown_code(self):
        self.assert_error(["explain", "LW03"], "unknown code 'LW03'; did you mean 'LW003'?")
        self.assert_error(["explain", "read-modify-writ"], "did you mean 'read-modify-write'?")
        self.assert_error(["explain", "qqqq"], "unknown code 'qqqq'; `lostwrite explain` lists them")
        self.assert_error(["explain", ""], "unknown code ''")


class Explain(unittest.TestCase):
    def test_list(self):
        code, out, err = lostwrite("explain")
        self.assertEqual((code, err), (0, ""))
        codes = re.findall(r"^(LW\d{3})  [a-z-]+$", out, re.M)
        self.assertEqual(codes, ["LW%03d" % number for number in range(1, 14)])

    def test_each_page_is_the_file(self):
        pages = sorted(PAGES.glob("*.md"))
        self.assertEqual(len(pages), 13)
        for page in pages:
            code, out, err = lostwrite("explain", page.stem)
            self.assertEqual((code, err), (0, ""))
            self.assertEqual(out, re.sub(r"^#+ ", "", page.read_text(), flags=re.M))

    def test_by_name_and_several(self):
        one = lostwrite("explain", "LW003")[1]
        self.assertEqual(lostwrite("explain", "read-modify-write")[1], one)
        self.assertEqual(lostwrite("explain", "lw003", "LW012")[1],
                         one + "\n" + lostwrite("explain", "LW012")[1])

    def test_full_disk(self):
        """Output that could not be written is an error."""
        if not pathlib.Path("/dev/full").exists():
            self.skipTest("no /dev/full here")
        import subprocess
        with open("/dev/full", "w") as full:
            answer = subprocess.run([harness.BINARY, "explain"], stdout=full,
                                    stderr=subprocess.PIPE, encoding="utf-8")
        self.assertEqual(answer.returncode, 2)
        self.assertIn("standard output", answer.stderr)


class Sessions(unittest.TestCase):
    """How many sessions `prove` runs side by side: a function alone runs beside itself."""
    FUNCTION = "examples/orm_mistakes/mistakes/bug1_aliased_objects.py:register_parcel"

    def sessions(self, *args):
        code, out, err = lostwrite("prove", str(harness.SOURCE / self.FUNCTION),
                                   "--engine=postgresql", "--format=json", *args)
        self.assertEqual((code, err), (1, ""))
        return len(json.loads(out)["sessions"])

    def test_numbers(self):
        self.assertEqual(self.sessions(), 2)
        self.assertEqual(self.sessions("--sessions=1"), 1)
        self.assertEqual(self.sessions("--sessions=3"), 3)


if __name__ == "__main__":
    harness.main("cli")
