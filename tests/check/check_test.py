#!/usr/bin/env python3
"""`lostwrite check` on Django code as people write it: one case a file, the whole product in it.

    tests/check/check_test.py                     corpus/ and beyond/
    tests/check/check_test.py open/               another folder, or single cases
    tests/check/check_test.py corpus/toggle.case

A case holds the files of a project and what is to be found in them:

    === shop/views.py           Python source; a line ending in `# expect: LW003` (or several codes) is where findings
                                must stand; `# not modelled: WORDS` (before that) is where something is reported as not modelled
                                in such words
    === options                 optional: more arguments of `lostwrite check`
    === whole                   optional, says why: nothing is reported as not modelled
    === expect                  `nothing`, or a line for each mark, in order: CODE SYMBOL [TABLE[.COLUMN,...]]
    === why                     why a careful reader of the code expects that

Each folder gets an empty __init__.py, as `manage.py startapp` makes one.

Findings must be these and no others. In beyond/ stand shapes that the front end need not know yet: a finding may
be missing there if something is reported as not modelled, but there must be none that is not expected.
"""
import json
import pathlib
import re
import shlex
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import harness

HERE = pathlib.Path(__file__).resolve().parent
SECTION = re.compile(r"^=== (.+)\n", re.MULTILINE)
NOTE = re.compile(r"# not modelled: ([^#]+?)\s*(?:#|$)")
MARK = re.compile(r"# expect: (LW\d{3}(?: LW\d{3})*)\s*$")


class Case:
    """A case file, taken apart; a malformed one raises ValueError."""

    def __init__(self, path):
        parts = SECTION.split(path.read_text(encoding="utf-8"))
        if parts[0].strip():
            raise ValueError(f"{path.name}: text before the first section")
        sections = dict(zip(parts[1::2], parts[2::2]))
        if len(sections) != len(parts) // 2:
            raise ValueError(f"{path.name}: a section twice")
        self.options = shlex.split(sections.pop("options", ""))
        expect = sections.pop("expect", "").strip().splitlines()
        if not expect or not sections.pop("why", "").strip():
            raise ValueError(f"{path.name}: needs the sections expect and why")
        self.is_whole = bool(sections.pop("whole", ""))
        self.files = sections
        if not all(name.endswith(".py") for name in sections):
            raise ValueError(f"{path.name}: unknown section among {', '.join(sections)}")
        self.notes = [(path, number, note.group(1)) for path, text in self.files.items()
                      for number, line in enumerate(text.split("\n"), 1) if (note := NOTE.search(line))]
        self.expected = sorted(self.placed([] if expect == ["nothing"] else expect, path.name))

    def placed(self, lines, name):
        """The lines of `expect`, each with the place of its mark: (path, line, code, symbol, table.columns)."""
        marks = [(path, number, code) for path, text in self.files.items()
                 for number, line in enumerate(text.split("\n"), 1) if (mark := MARK.search(line))
                 for code in mark.group(1).split()]
        wanted = [line.split() for line in lines]
        if [mark[2] for mark in marks] != [words[0] for words in wanted]:
            raise ValueError(f"{name}: the marks in the source are not the lines of expect")
        return [(*mark, words[1], words[2] if len(words) > 2 else "") for mark, words in zip(marks, wanted)]

    def write(self, folder, has_init=True):
        for name, text in self.files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        for inner in (path for path in folder.rglob("*") if path.is_dir() and has_init):
            (inner / "__init__.py").touch()


def check(case, has_init=True):
    """What `check --format json` answers for the case: (exit code, the parsed document)."""
    with tempfile.TemporaryDirectory() as folder:
        case.write(pathlib.Path(folder), has_init)
        code, out, err = harness.lostwrite("check", ".", "--format", "json", *case.options, cwd=folder,
                                        timeout_s=200)
    if code not in (0, 1):
        raise AssertionError(f"exit code {code}: {err}")
    return code, json.loads(out)


def found(document, expected):
    """The findings in the form of `expected`, without table or columns where the case names none."""
    rows = []
    for finding in document["findings"]:
        place = (finding["path"], finding["line"], finding["code"], finding["symbol"])
        named = next((row[4] for row in expected if row[:4] == place), ".")
        table = finding["table"] if named else ""
        columns = "." + ",".join(finding["columns"]) if "." in named else ""
        rows.append((*place, table + columns))
    return sorted(rows)


def text(rows):
    return "".join(f"\n    {path}:{line} {code} {symbol} {what}" for path, line, code, symbol, what in rows)


class Cases(unittest.TestCase):
    maxDiff = None

    def exactly(self, path, has_init=True):
        case = Case(path)
        code, document = check(case, has_init)
        findings = found(document, case.expected)
        self.assertEqual(code, 1 if findings else 0)
        noted = [(note["path"], note["line"], note["text"]) for note in document["not_modelled"]]
        self.assertFalse(case.is_whole and noted, noted)
        for path_, line, words in case.notes:
            self.assertTrue(any(note[:2] == (path_, line) and words in note[2] for note in noted),
                            f"{path_}:{line}: `{words}` is not among {noted}")
        if findings != case.expected:
            missing = [row for row in case.expected if row not in findings]
            extra = [row for row in findings if row not in case.expected]
            self.fail(f"missing:{text(missing)}\n  not expected:{text(extra)}\n  not modelled: {document['not_modelled']}")

    def at_most(self, path):
        case = Case(path)
        findings = found(check(case)[1], case.expected)
        extra = [row for row in findings if row not in case.expected]
        self.assertFalse(extra, f"not expected:{text(extra)}")
        if findings != case.expected:
            self.assertTrue(check(case)[1]["not_modelled"], f"missing, and nothing is not modelled:{text(case.expected)}")

    def test_without_init_files(self):
        """Names and tables are the same where folders are packages without saying so."""
        for name in ("abstract_base_counter", "increment_model_method_without_caller", "toggle",
                     "command_loop_saves_whole_rows", "alias_refreshed"):
            with self.subTest(name):
                self.exactly(HERE / "corpus" / (name + ".case"), has_init=False)


def add_tests(paths):
    for path in paths:
        judge = Cases.at_most if path.parent.name == "beyond" else Cases.exactly
        setattr(Cases, f"test_{path.parent.name}_{path.stem}", lambda self, judge=judge, path=path: judge(self, path))


def cases_of(argument):
    path = HERE / argument
    return sorted(path.glob("*.case")) if path.is_dir() else [path]


if __name__ == "__main__":
    for argument in sys.argv[1:] or ["corpus", "beyond"]:
        add_tests(cases_of(argument))
    harness.main("check")
