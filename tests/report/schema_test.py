#!/usr/bin/env python3
"""The JSON output against docs/json.schema.json, and docs/json.md against the schema."""
import json
import pathlib
import re
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import harness

DOCS = harness.SOURCE / "docs"
SCHEMA = json.loads((DOCS / "json.schema.json").read_text())
TYPES = {"object": dict, "array": list, "string": str, "boolean": bool, "integer": int, "null": type(None)}


def problems(value, schema, path="$"):
    """What is wrong with the value, by the keywords that the schema uses."""
    if "$ref" in schema:
        schema = SCHEMA["$defs"][schema["$ref"].rsplit("/", 1)[1]]
    if "anyOf" in schema:
        tries = [problems(value, choice, path) for choice in schema["anyOf"]]
        return [] if [] in tries else min(tries, key=len)
    if "const" in schema and value != schema["const"] or value not in schema.get("enum", [value]):
        return ["%s: %r" % (path, value)]
    kind = TYPES.get(schema.get("type"), object)
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        return ["%s: %r is no %s" % (path, value, schema["type"])]
    found = []
    if isinstance(value, list):
        for i, item in enumerate(value):
            found += problems(item, schema["items"], "%s[%d]" % (path, i))
    if isinstance(value, dict):
        known = schema["properties"]
        found += ["%s.%s is missing" % (path, name) for name in schema["required"] if name not in value]
        for name, item in value.items():
            found += problems(item, known[name], path + "." + name) if name in known else [
                "%s.%s is not in the schema" % (path, name)]
    return found


class Schema(unittest.TestCase):
    def output(self, *args, answer=1):
        code, out, err = harness.lostwrite(*args, "--format", "json",
                                           cwd=harness.SOURCE / "tests" / "report")
        self.assertEqual((code, err), (answer, ""), args)
        value = json.loads(out)
        self.assertEqual(problems(value, SCHEMA), [], args)
        self.assertEqual(out.count("\n"), 1)
        return value

    def test_check(self):
        value = self.output("check", "shop")
        self.assertEqual([f["code"] for f in value["findings"]], ["LW003", "LW004", "LW008"])
        self.assertEqual(value["summary"]["findings"], 3)
        self.assertEqual((value["suppressed"], value["warnings"]), ([], []))
        never_saved = value["findings"][2]
        self.assertEqual((never_saved["engines"], never_saved["witness"], never_saved["other"]),
                         ([], None, None))
        self.assertEqual(len(value["findings"][0]["engines"]), 12)

    def test_check_the_example(self):
        value = self.output("check", str(harness.SOURCE / "examples" / "orm_mistakes"))
        self.assertEqual(sorted({f["code"] for f in value["findings"]}),
                         ["LW001", "LW002", "LW003", "LW004", "LW005", "LW006"])

    def test_check_errors(self):
        value = self.output("check", "broken", answer=2)
        self.assertEqual([(e["path"], e["line"]) for e in value["errors"]], [("broken/broken.py", 2)])

    def test_prove(self):
        value = self.output("prove", "txn/increment.txn")
        self.assertEqual(value["sessions"], ["increment", "increment"])
        self.assertEqual(value["runs"], [])
        self.assertNotIn("counts", value["engines"][0])
        witness = value["witness"]
        self.assertEqual(witness["steps"][0]["before"], ["BEGIN"])
        self.assertNotIn(witness["outcome"], witness["serial"])

    def test_prove_several_runs(self):
        value = self.output("prove", "txn/three.txn")
        self.assertNotIn("engines", value)
        self.assertEqual([(run["name"], len(run["sessions"])) for run in value["runs"]],
                         [("three_of_them", 3), ("in_place", 2)])
        self.assertIsNone(value["runs"][1]["witness"])

    def test_versions(self):
        value = self.output("prove", "txn/increment.txn", "--engine=mariadb:11.8", answer=0)
        self.assertEqual({(c["engine"], c.get("version")) for c in value["engines"]},
                         {("postgresql", None), ("mysql", None), ("mariadb", "11.8"), ("sqlite", None)})
        self.assertEqual(value["witness"]["version"], "11.8")

    def test_compare(self):
        value = self.output("prove", "txn/increment.txn", "--compare", "mariadb:10.11", "mariadb:11.8")
        (run,) = value["compared"]
        pairs = {p["from"]["isolation"]: p for p in run["pairs"]}
        self.assertEqual([p["changes"] for p in run["pairs"]], [False, True, False])
        changed = pairs["repeatable read"]
        self.assertEqual((changed["from"]["verdict"], changed["to"]["verdict"], changed["to"]["detail"]),
                         ("lost", "error", "1020"))
        self.assertEqual((changed["to"]["isolation"], changed["from"]["default"], changed["to"]["default"]),
                         ("snapshot isolation", True, True))
        self.assertNotIn(changed["from"]["witness"]["outcome"], changed["from"]["witness"]["serial"])
        self.assertIn("error 1020", json.dumps(changed["to"]["witness"]["steps"]))
        self.assertIsNone(pairs["serializable"]["from"]["witness"])
        value = self.output("prove", "txn/three.txn", "--compare", "mysql", "postgresql", "--all-schedules")
        self.assertEqual([run["name"] for run in value["compared"]], ["three_of_them", "in_place"])
        self.assertIn("counts", value["compared"][0]["pairs"][0]["from"])

    def test_counts(self):
        value = self.output("prove", "txn/increment.txn", "--all-schedules")
        cell = value["engines"][0]
        self.assertEqual((cell["engine"], cell["isolation"]), ("postgresql", "read committed"))
        self.assertEqual(cell["counts"], {"schedules": 14, "wrong": 12, "serialization": 0, "deadlock": 0,
                                          "timeout": 0, "unique": 0, "waits": 6})

    def test_validator(self):
        """It does find what is wrong."""
        cell = {"engine": "mysql", "isolation": "serializable", "verdict": "lost", "detail": ""}
        schema = SCHEMA["$defs"]["cell"]
        self.assertEqual(problems(cell, schema), [])
        self.assertEqual(len(problems(dict(cell, engine="oracle"), schema)), 1)
        self.assertEqual(len(problems(dict(cell, more=1), schema)), 1)
        self.assertEqual(len(problems(dict(cell, detail=3), schema)), 1)
        self.assertEqual(len(problems({"engine": "mysql"}, schema)), 3)

    def test_every_field_is_documented(self):
        text = (DOCS / "json.md").read_text()
        for name, part in SCHEMA["$defs"].items():
            for field, value in part["properties"].items():
                self.assertRegex(text, "`%s`" % re.escape(field), "%s.%s" % (name, field))
                for choice in value.get("enum", []):
                    if not str(choice).startswith("LW"):
                        self.assertIn("`%s`" % choice, text, "%s.%s" % (name, field))


if __name__ == "__main__":
    harness.main("schema")
