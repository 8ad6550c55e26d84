#!/usr/bin/env python3
"""The TOML reader beside Python's tomllib: the same files are TOML, and say the same; errors have their place."""
import datetime
import json
import os
import pathlib
import random
import subprocess
import sys
import tomllib
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import harness

DUMPER = str(pathlib.Path(harness.BINARY).resolve().parent / "tests" / "toml" / "tomldump")


def dumps(texts):
    """What the dumper prints of each text (bytes)."""
    framed = b"".join(b"%d\n%s" % (len(text), text) for text in texts)
    return subprocess.run([DUMPER], input=framed, stdout=subprocess.PIPE, check=True).stdout.decode().split("\n")[:-1]


def theirs(text):
    """None: no TOML."""
    try:
        return tomllib.loads(text.decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError):
        return None


def moment(text):
    text = text.replace("z", "Z")
    head, dot, tail = text.partition(".")
    if dot:
        digits = len(tail) - len(tail.lstrip("0123456789"))
        text = head + "." + tail[:min(digits, 6)].ljust(6, "0") + tail[digits:]
    for kind in (datetime.date, datetime.time, datetime.datetime):
        try:
            return kind.fromisoformat(text)
        except ValueError:
            pass
    raise ValueError(text)


def same(ours, value):
    if isinstance(value, dict):
        return isinstance(ours, dict) and list(ours) == list(value) and all(same(ours[k], value[k]) for k in value)
    if isinstance(value, list):
        return isinstance(ours, list) and len(ours) == len(value) and all(map(same, ours, value))
    if not isinstance(ours, str):
        return False
    kind, text = ours[0], ours[1:]
    if isinstance(value, bool):
        return (kind, text) == ("b", "true" if value else "false")
    if isinstance(value, int):
        return kind == "i" and (int(text, 0) if "_" in text or value.bit_length() > 63 else int(text)) == value
    if isinstance(value, float):
        number = float(text.replace("_", ""))
        return kind == "f" and (number == value or number != number and value != value)
    if isinstance(value, str):
        return (kind, text) == ("s", value)
    return kind == "d" and moment(text) == value


VALUES = """'' "" 'a"\\' "a'\\"\\\\" "\\u00e9\\U0001F600" "\\b\\t\\n\\f\\r" "\\ud800" "\\x41" "\\u12" "\\U00110000" 'a
b' "a\tb" "\x01" 0 -0 +1 1_000 1__0 _1 1_ 01 0x1F 0xdead_beef 0o17 0b101 0X1 0x -0x1 9223372036854775807 -9223372036854775808
9223372036854775808 1.0 1. .1 1.e1 1e1 1E+06 1e-0_1 1_0.0_1 01.0 -0.0 +1.5 inf -inf nan +nan Inf 1e1_ 3.14e 1.5.5 true false True
tru 1979-05-27 1979-02-29 2000-02-29 1900-02-29 1979-13-01 0000-01-01 1979-05-27T07:32:00Z 1979-05-27t07:32:00z 1979-05-27T00:32:00.999999999-07:00
1979-05-27T24:00:00 1979-05-27T07:32 07:32:00 07:32:00.5 7:32:00 07:32:60 07:32:00. 1979-05-27T07:32:00+25:00 [] [1] [1,] [,] [1,,2] [1
,2] [[1],['a']] [1 {} {a=1} {a=1,} {a=1,b=2} {a.b=1,a.c=2} {a=1,a=2} {a={b=1},a.c=2} {"a"=1} {a=1 {a} {=1} a "a 'a '''a'' """.split(" ")


class BesideTomllib(unittest.TestCase):
    def compare(self, texts):
        """How many were TOML."""
        count = 0
        for text, ours in zip(texts, dumps(texts), strict=True):
            value = theirs(text)
            if value is None:
                self.assertRegex(ours, r"^error \d+:\d+: no TOML: ", text)
                line, column = map(int, ours[6:].split(": ")[0].split(":"))
                lines = text.split(b"\n")
                self.assertTrue(1 <= line <= len(lines) and 1 <= column <= len(lines[line - 1]) + 1, (text, ours))
            else:
                self.assertFalse(ours.startswith("error"), (text, ours))
                self.assertTrue(same(json.loads(ours), value), (text, ours, value))
                count += 1
        return count

    def test_values(self):
        extra = ["1979-05-27 07:32:00", "1979-05-27  07:32:00", '"""a"""', '"""\na\r\nb"""', '"""a""b"""', '"""a"""""', '"""a""""""',
                 "'''\n'a' ''b'''", "'''a'''''", '"""\\\n   \n  a\\  \n b"""', '"""\\ a"""', "'''\r'''", '"""\\', '"""', "[ # c\n 1, # d\n\n]",
                 "[1 # c\n]", "{a=1\n}", "{ a = 1 , b = 2 }", "{}{}", "1 2", "1 # c", "'a' # \x01", "[" * 60 + "]" * 60]
        texts = [f"{key} = {value}{end}".encode() for value in VALUES + extra for key in ("a", "a.b") for end in ("", "\n", "\r\nx=1\n")]
        self.assertGreater(self.compare(texts), 200)

    def test_keys(self):
        keys = ["a", "A-_1", "1", "1.2", '"a b"', "'a.b'.c", "a . b", '"" ', "", ".", "a.", "a..b", "ä", "a b", '"\\u0061"', "'''a'''", "a\n", "-", "a="]
        texts = [f"{key} = 1\n".encode() for key in keys] + [f"{o}{key}{c}\nx=1".encode() for key in keys for o, c in (
            "[]", ("[[", "]]"), ("[ ", " ]"), ("[", "]]"), ("[[", "]"), ("[ [", "] ]"), ("[[", "] ]"))]
        self.assertGreater(self.compare(texts), 30)

    def test_tables(self):
        """All short sequences of what can define a, a.b, a.b.c."""
        lines = ["[a]", "[a.b]", "[a.b.c]", "[[a]]", "[[a.b]]", "a.b = 1", "b.c = 1", "a.b.c = 1", "a = {}", "b = []", "b = {c={}}", "c.d = 1",
                 "[b]", "b.x = 2"]
        texts = [f"{a}\n{b}\n{c}\n{d}\n".encode() for a in lines for b in lines for c in lines for d in ("", *lines[:8])]
        self.assertGreater(self.compare(texts), 500)

    def test_no_text(self):
        self.assertEqual(self.compare([b"", b"\n", b"# a", b"\t \r\n", b"\xef\xbb\xbfa=1", b"\xff", b"a='\xc3'", b"\0", b"a=1\0", b"a=\0",
                                       b"a='\0'", b"#\0", b"\r", b"a=1\r", b"a\0=1"]), 4)

    def test_nesting(self):
        """No file of people is as deep as that; Python's own limit is another one."""
        (ours,) = dumps([b"a=" + b"[" * 100000])
        self.assertEqual(ours, "error 1:67: no TOML: it is nested too deeply")

    MUTANTS = int(os.environ.get("LOSTWRITE_MUTANTS", "4000"))

    def test_mutants(self):
        seed = int(os.environ.get("LOSTWRITE_SEED", "1"))
        rand = random.Random(seed)
        base = (pathlib.Path(__file__).parent / "pyproject.toml").read_bytes()
        pieces = [b"\n", b"[", b"]", b"[[", b"]]", b"=", b".", b"'", b'"', b'"""', b"\\", b"{", b"}", b",", b"#", b" ", b"_", b"1", b"e", b"-", b"T", b":",
                  b"\r", b"\xc3", b"[tool.ruff]\n", b"a = 1\n", b"select = []\n"]
        texts = [base]
        for _ in range(self.MUTANTS):
            lines = base.splitlines(True)
            at = rand.randrange(len(lines))
            text = b"".join(lines[max(0, at - 12):at + 12])
            for _ in range(rand.randint(1, 3)):
                i = rand.randrange(len(text) + 1)
                kind = rand.randrange(4)
                if kind == 0:
                    text = text[:i] + rand.choice(pieces) + text[i:]
                elif kind == 1:
                    text = text[:i] + text[i + rand.randint(1, 4):]
                elif kind == 2:
                    k = rand.randrange(len(text) + 1)
                    text = text[:i] + text[k:k + 20] + text[i:]
                else:
                    text = text[:i] + rand.choice(lines) + text[i:]
            texts.append(text)
        self.assertGreater(self.compare(texts), self.MUTANTS // 10)

    def test_files_of_this_machine(self):
        """pyproject.toml files that Debian's packages left."""
        paths = [path for root in ("/usr/lib/python3", "/usr/share") for path in pathlib.Path(root).glob("**/*.toml")][:200]
        self.assertEqual(self.compare([path.read_bytes() for path in paths]), len(paths))


class Errors(unittest.TestCase):
    def test_messages(self):
        for text, error in (
                ("a = \n", "1:5: no TOML: a value is wanted here"), ("a = b\n", "1:5: no TOML: 'b' is no value; a string has quotes"),
                ("a = 1\na = 2\n", "2:1: no TOML: 'a' is there already"), ("[a]\n[a]\n", "2:2: no TOML: 'a' is defined already"),
                ("[a]\nb = 1\n[a.b]\n", "3:4: no TOML: 'b' is no table"), ("a = {}\n[a.b]\n", "2:2: no TOML: 'a' is a value: nothing can be added to it"),
                ("a = 'b\n", "1:5: no TOML: a string without an end on its line"), ("a = [1\nb = 2", "2:1: no TOML: ',' or ']' is wanted here"),
                ('a = "\\q"\n', "1:6: no TOML: an unknown escape"), ("a 1\n", "1:3: no TOML: '=' is wanted here"),
                ("a = 1 b = 2\n", "1:7: no TOML: a line end is wanted here"), ("[a\n", "1:3: no TOML: ']' is wanted here")):
            self.assertEqual(dumps([text.encode()]), ["error " + error], text)


if __name__ == "__main__":
    harness.main("toml")
