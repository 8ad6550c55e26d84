#!/usr/bin/env python3
"""Baselines: written, read, compared with what is found later."""
import json
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import project
from project import harness, places, warnings

SAVE = '    counter.save(update_fields=["count"])'
WRITTEN = """\
{
  "version": 1,
  "findings": [
    {"code": "LW003", "symbol": "shop.views.decrement", "statement": "counter.save(update_fields=[\\"count\\", \\"name\\"])", "count": 1},
    {"code": "LW003", "symbol": "shop.views.increment", "statement": "counter.save(update_fields=[\\"count\\"])", "count": 1}
  ]
}
"""


class Baseline(unittest.TestCase):
    maxDiff = None

    def written(self, *args):
        """A project with its baseline."""
        p = project.Project()
        p.__enter__()
        self.addCleanup(p.__exit__)
        self.assertEqual(p.run("check", "--write-baseline", "base.json", *args),
                         (0, "base.json: 2 findings\n", ""))
        return p

    def test_form(self):
        self.assertEqual(self.written().read("base.json"), WRITTEN)

    def test_nothing_new(self):
        p = self.written()
        document = p.check("--baseline", "base.json")
        self.assertEqual((document["findings"], document["warnings"]), ([], []))
        self.assertEqual(len(document["suppressed"]), 2)
        self.assertEqual(document["suppressed"][0]["suppression"],
                         {"kind": "baseline", "path": "base.json", "line": 5, "column": 5, "reason": ""})
        self.assertEqual(document["summary"]["known_to_baseline"], 2)
        code, out, _ = p.run("check", "--baseline=base.json")
        self.assertEqual(code, 0)
        self.assertIn("2 findings known to the baseline.\n", out)

    def test_written_anew_it_is_the_same(self):
        p = self.written()
        p.run("check", "--baseline", "base.json", "--write-baseline", "base.json")
        self.assertEqual(p.read("base.json"), WRITTEN)

    def same(self, old, new):
        p = self.written()
        p.replace("shop/views.py", old, new)
        document = p.check("--baseline", "base.json")
        self.assertEqual((document["findings"], document["warnings"]), ([], []), new)

    def test_lines_move(self):
        self.same("def increment", "import os\n\n\n\ndef increment")

    def test_formatting_does_not_count(self):
        self.same(SAVE, '    counter.save(  # why\n        update_fields = ["count"])'.replace(" = ", "="))
        self.same(SAVE, '    counter.save(\n        update_fields=[\n            "count",\n        ],\n    )')
        self.same(SAVE, '    counter . save(update_fields=["count"])'.replace(" . ", "."))
        self.same(SAVE, SAVE + "  # noqa: E501")
        self.same(SAVE, '    counter.save( \\\n  update_fields=["count"])')

    def test_another_statement_is_new(self):
        p = self.written()
        p.replace("shop/views.py", SAVE, "    counter.save()")
        document = p.check("--baseline", "base.json")
        self.assertEqual(sorted(places(document["findings"])),
                         [("shop/views.py", 7, "LW002"), ("shop/views.py", 7, "LW003")])
        self.assertEqual(warnings(document), [("base.json", 5, 5, (
            'no longer found: LW003 in shop.views.increment: counter.save(update_fields=["count"])'))])

    def test_counts(self):
        p = self.written()
        twice = "    if counter.name == \"a\":\n    " + SAVE + "\n    else:\n    " + SAVE
        p.replace("shop/views.py", SAVE, twice)
        document = p.check("--baseline", "base.json")
        self.assertEqual(sorted(places(document["findings"])), [("shop/views.py", 10, "LW003")])
        p.run("check", "--write-baseline", "base.json")
        self.assertEqual([e["count"] for e in json.loads(p.read("base.json"))["findings"]], [1, 2])
        self.assertEqual(p.check("--baseline", "base.json")["findings"], [])
        p.replace("shop/views.py", twice, SAVE)
        document = p.check("--baseline", "base.json")
        self.assertEqual((document["findings"], document["summary"]["no_longer_found"]), ([], 1))
        self.assertIn("(1 of 2)", document["warnings"][0]["text"])

    def test_no_longer_found(self):
        p = self.written()
        p.replace("shop/views.py", "    counter = Counter.objects.get(pk=pk)\n    counter.count += 1\n" + SAVE, "    pass")
        code, out, _ = p.run("check", "--baseline=base.json")
        self.assertEqual(code, 0)
        self.assertIn("1 finding of the baseline no longer found (--verbose lists them).\n", out)
        self.assertNotIn("base.json:5", out)
        out = p.run("check", "--baseline=base.json", "-v")[1]
        self.assertIn("base.json:5:5: warning: no longer found: LW003 in shop.views.increment: counter.save", out)

    def test_rules_not_looked_for(self):
        p = self.written()
        document = p.check("--baseline=base.json", "--ignore=LW003")
        self.assertEqual((document["findings"], document["warnings"]), ([], []))

    def test_a_part_of_the_project(self):
        p = self.written()
        document = p.check("shop/models.py", "--baseline=base.json")
        self.assertEqual((document["findings"], document["suppressed"], document["warnings"]), ([], [], []))

    def test_comments_come_first(self):
        p = self.written()
        p.replace("shop/views.py", SAVE, SAVE + "  # noqa")
        document = p.check("--baseline=base.json")
        self.assertEqual([f["suppression"]["kind"] for f in document["suppressed"]], ["comment", "baseline"])
        p.run("check", "--write-baseline", "base.json")
        self.assertEqual(len(json.loads(p.read("base.json"))["findings"]), 1)

    def test_nothing_to_write(self):
        p = self.written()
        p.write("shop/views.py", "")
        self.assertEqual(p.run("check", "--write-baseline", "base.json"), (0, "base.json: 0 findings\n", ""))
        self.assertEqual(p.read("base.json"), '{\n  "version": 1,\n  "findings": []\n}\n')
        self.assertEqual(p.check("--baseline=base.json")["findings"], [])

    def bad(self, text, message):
        with project.Project() as p:
            p.write("base.json", text)
            code, out, err = p.run("check", "--baseline", "base.json")
            self.assertEqual((code, out, err), (2, "", "base.json:" + message + "\n"))

    def test_malformed(self):
        one = '{"code": "LW003", "symbol": "s", "statement": "t", "count": %s}'
        for text, message in (
                ("", "1:1: error: no JSON: a value is wanted here"),
                ('{"version": 1,\n "findings": [}', "2:15: error: no JSON: a value is wanted here"),
                ("[]", "1:1: error: no baseline: it is no object"),
                ("{}", '1:1: error: no baseline: it has no "version"'),
                ('{"version": 2, "findings": []}', "1:13: error: no baseline: this lostwrite reads version 1 only"),
                ('{"version": 1}', '1:1: error: no baseline: "findings" is to be an array'),
                ('{"version": 1, "findings": {}}', '1:28: error: no baseline: "findings" is to be an array'),
                ('{"version": 1, "findings": [], "x": 1}', '1:37: error: no baseline: unknown member "x"'),
                ('{"version": 1, "findings": [\n 7]}', "2:2: error: no baseline: an entry is an object"),
                ('{"version": 1, "findings": [\n {"code": "LW003"}]}',
                 '2:2: error: no baseline: an entry without "symbol"'),
                ('{"version": 1, "findings": [\n {"code": 3}]}', '2:11: error: no baseline: "code" wants a string'),
                ('{"version": 1, "findings": [\n' + one % 1 + ",\n" + one.replace("003", "099") % 1 + "]}",
                 "3:10: error: no baseline: unknown code 'LW099'"),
                ('{"version": 1, "findings": [\n' + one % 0 + "]}",
                 '2:61: error: no baseline: "count" wants a number from 1 to 1000000'),
                ('{"version": 1, "findings": [\n' + one % '"1"' + "]}",
                 '2:61: error: no baseline: "count" wants a number from 1 to 1000000')):
            with self.subTest(text):
                self.bad(text, message)

    def test_duplicates_add_up(self):
        """A merge of two branches may leave an entry twice."""
        p = self.written()
        lines = WRITTEN.splitlines()
        p.write("base.json", "\n".join(lines[:4] + lines[3:]))
        self.assertEqual(p.check("--baseline=base.json")["summary"]["no_longer_found"], 1)

    def test_files(self):
        with project.Project() as p:
            self.assertEqual(p.run("check", "--baseline=no.json")[::2],
                             (2, "no.json: error: cannot read: No such file or directory\n"))
            self.assertEqual(p.run("check", "--write-baseline=no/base.json")[::2],
                             (2, "no/base.json: error: cannot write: No such file or directory\n"))


if __name__ == "__main__":
    harness.main("triage baseline")
