#!/usr/bin/env python3
"""What is printed, byte for byte. Each file of golden/ is a session: `$ ARGUMENTS` (with COLUMNS=80 before them, or
not), what lostwrite prints, `[N]` for its answer. The README shows a session too. `report_test.py --rewrite` writes the answers anew: look at the
difference before you commit it. JSON is laid out for reading; its form is what schema_test.py looks at."""
import json
import pathlib
import re
import shlex
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import harness

GOLDEN = pathlib.Path(__file__).resolve().parent / "golden"


def run(command):
    """What `$ command` prints, and its answer."""
    words = shlex.split(command)
    env = {"COLUMNS": "100", "NO_COLOR": "", "TERM": "xterm"}
    while re.match(r"[A-Z_]+=", words[0]):
        name, value = words.pop(0).split("=", 1)
        env[name] = value
    code, out, err = harness.lostwrite(*words, env=env, cwd=harness.SOURCE / "tests" / "report")
    if out.startswith("{"):
        out = json.dumps(json.loads(out), indent=1) + "\n"
    return out + err + "[%d]\n" % code


def sessions(text):
    """The commands of a golden file, each with what should follow."""
    for part in re.split(r"^\$ ", text, flags=re.M)[1:]:
        command, _, expected = part.partition("\n")
        yield command, expected


README = harness.SOURCE / "README.md"
README_SESSION = re.compile(r"^```\n\$ build/lostwrite (.*)\n((?:.*\n)*?)```$", re.M)


def run_of_readme(command):
    """The same from the root of the source tree, without the answer."""
    return harness.lostwrite(*shlex.split(command), env={"COLUMNS": "100"}, cwd=harness.SOURCE)[1]


class Readme(unittest.TestCase):
    maxDiff = None

    def test_what_it_shows_is_real(self):
        shown = README_SESSION.findall(README.read_text())
        self.assertEqual(len(shown), 1)
        for command, expected in shown:
            self.assertEqual(run_of_readme(command), expected, command)

    def test_links(self):
        for path in [README, *sorted((harness.SOURCE / "docs").glob("*.md"))]:
            for link in re.findall(r"\]\(([^)#:]+)\)", path.read_text()):
                self.assertTrue((path.parent / link).exists(), "%s: %s" % (path.name, link))


class Isolation(unittest.TestCase):
    def test_transcripts_it_names(self):
        """`[innodb: words]` is a section of that transcript with the words in its title."""
        text = (harness.SOURCE / "docs" / "isolation.md").read_text()
        named = re.findall(r"\[([a-z_]+): ([^\]]+)\]", text)
        self.assertGreater(len(named), 100)
        for name, words in named:
            path = harness.SOURCE / "tests" / "engine" / "transcripts" / (name + ".txt")
            titles = [line for line in path.read_text().splitlines() if line.startswith("## ")]
            words = " ".join(words.split())
            self.assertTrue(any(words in title for title in titles), "%s: %s" % (name, words))


class Golden(unittest.TestCase):
    maxDiff = None

    def test_each(self):
        files = sorted(GOLDEN.glob("*.txt"))
        self.assertGreater(len(files), 5)
        for path in files:
            for command, expected in sessions(path.read_text()):
                with self.subTest(path.name, command=command):
                    self.assertEqual(run(command), expected)

    def test_no_blanks_at_the_end_of_a_line(self):
        for path in sorted(GOLDEN.glob("*.txt")):
            self.assertEqual(re.findall(r"^.*[ \t]$", path.read_text(), re.M), [], path.name)

    def test_width(self):
        """Only places and lines of source may be wider than the terminal."""
        for path in sorted(GOLDEN.glob("*.txt")):
            for command, expected in sessions(path.read_text()):
                if expected.startswith("{") or re.search("concise|github|gitlab", command):
                    continue
                width = int((re.search(r"COLUMNS=(\d+)", command) or [0, 100])[1])
                wide = [line for line in expected.splitlines() if len(line) > width
                        and not re.match(r"\S+:\d+:\d+: |  other writer: |\s+\d* \| ", line)]
                self.assertEqual(wide, [], path.name)

    def test_colour(self):
        """Colour adds to the text and changes none of it."""
        command = "check shop/shop/views.py"
        plain = run(command)
        coloured = run(command + " --color=always")
        self.assertNotIn("\033", plain)
        self.assertIn("\033[", coloured)
        self.assertEqual(re.sub(r"\033\[[0-9;]*m", "", coloured), plain)
        self.assertEqual(run("NO_COLOR=1 " + command), plain)
        self.assertEqual(run("NO_COLOR=1 " + command + " --color=always"), coloured)


def rewrite():
    text = README.read_text()
    new = README_SESSION.sub(lambda match: "```\n$ build/lostwrite %s\n%s```" % (
        match[1], run_of_readme(match[1])), text)
    if new != text:
        README.write_text(new)
        print("wrote README.md")
    for path in sorted(GOLDEN.glob("*.txt")):
        text = "".join("$ %s\n%s" % (command, run(command))
                       for command, _ in sessions(path.read_text()))
        if text != path.read_text():
            path.write_text(text)
            print("wrote", path.relative_to(harness.SOURCE))


if __name__ == "__main__":
    if sys.argv[1:] == ["--rewrite"]:
        rewrite()
    else:
        harness.main("report")
