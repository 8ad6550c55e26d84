#!/usr/bin/env python3
"""What services are told: SARIF, GitHub's workflow commands, GitLab's Code Quality report."""
import json
import pathlib
import re
import sys
import tempfile
import unittest
import urllib.parse

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[1]), str(pathlib.Path(__file__).resolve().parents[1] / "live")]
import harness
import packages

SCHEMA = ("@microsoft/jest-sarif", "1.0.0-beta.0", "lib/schemas/sarif-2.1.0-rtm.5.json")
EXAMPLE = "examples/orm_mistakes"
MODELS = """from django.db import models

class Counter(models.Model):
    count = models.IntegerField(default=0)
"""
VIEWS = """from .models import Counter

def increment(counter_id):
    counter = Counter.objects.get(id=counter_id)
    counter.count += 1
    größe = "\N{CRAB}\N{SNOWMAN}"; counter.save()
"""
SUPPRESSION = "  # lostwrite: ignore[LW003] a rough count will do"


def example():
    code, out, err = harness.lostwrite("check", EXAMPLE, "--format", "sarif", cwd=harness.SOURCE)
    assert (code, err) == (1, ""), err
    return json.loads(out)


def text_at(lines, region):
    """What the region means, its columns being UTF-16 code units."""
    line = lines[region["startLine"] - 1].encode("utf-16-le")
    assert region["startLine"] == region["endLine"]
    return line[2 * (region["startColumn"] - 1):2 * (region["endColumn"] - 1)].decode("utf-16-le")


class Sarif(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.log = example()
        (cls.run_,) = cls.log["runs"]
        cls.rules = cls.run_["tool"]["driver"]["rules"]
        cls.findings = json.loads(harness.lostwrite("check", EXAMPLE, "--format", "json", cwd=harness.SOURCE)[1])["findings"]

    def test_schema(self):
        try:
            folder = packages.unpacked(*SCHEMA[:2])
        except packages.PackageError as error:
            self.skipTest(str(error))
        try:
            import jsonschema
        except ImportError as error:
            self.skipTest(str(error))
        schema = json.loads((pathlib.Path(folder) / SCHEMA[2]).read_text())
        validator = jsonschema.Draft7Validator(schema)
        broken = json.loads(harness.lostwrite("check", "broken", "--format", "sarif", cwd=pathlib.Path(__file__).parent)[1])
        with tempfile.TemporaryDirectory() as folder:
            app = pathlib.Path(folder) / "shop"
            app.mkdir()
            (app / "models.py").write_text(MODELS, encoding="utf-8")
            (app / "views.py").write_text(VIEWS.rstrip() + SUPPRESSION + "\n", encoding="utf-8")
            suppressed = json.loads(harness.lostwrite("check", ".", "--format", "sarif", "--verbose", cwd=folder)[1])
        self.assertEqual([len(result["suppressions"]) for result in suppressed["runs"][0]["results"]], [1])
        for log in (self.log, broken, suppressed):
            self.assertEqual([str(error) for error in validator.iter_errors(log)], [])
        self.assertTrue(list(validator.iter_errors(dict(self.log, version="1.0"))))

    def test_rules(self):
        self.assertEqual([rule["id"] for rule in self.rules], ["LW%03d" % n for n in range(1, 14)])
        for rule in self.rules:
            page = harness.lostwrite("explain", rule["id"])[1]
            self.assertEqual(rule["help"]["markdown"], rule["help"]["text"])
            self.assertEqual(re.sub(r"^#+ ", "", rule["help"]["text"], flags=re.M), page)
            self.assertIn(rule["fullDescription"]["text"], page)
            self.assertNotIn("#", rule["fullDescription"]["text"])
            self.assertIn(rule["name"], page)
            self.assertIn(rule["defaultConfiguration"]["level"], ("error", "warning"))

    def test_results_are_the_findings(self):
        self.assertEqual(len(self.run_["results"]), len(self.findings))
        for result, finding in zip(self.run_["results"], self.findings):
            self.assertEqual(result["ruleId"], finding["code"])
            self.assertEqual(self.rules[result["ruleIndex"]]["id"], finding["code"])
            self.assertEqual(result["partialFingerprints"], {"lostwriteFinding/v1": finding["id"]})
            self.assertTrue(result["message"]["text"].startswith(finding["message"]))
            (location,) = result["locations"]
            place = location["physicalLocation"]
            self.assertEqual(place["artifactLocation"], {"uri": finding["path"], "uriBaseId": "SRCROOT"})
            self.assertEqual((place["region"]["startLine"], place["region"]["startColumn"]),
                             (finding["line"], finding["column"]))
            self.assertEqual(location["logicalLocations"][0]["fullyQualifiedName"], finding["symbol"])
            lines = (harness.SOURCE / finding["path"]).read_text().split("\n")
            self.assertRegex(text_at(lines, place["region"]), r"^\w.*\)$")

    def test_links_name_related_locations(self):
        for result, finding in zip(self.run_["results"], self.findings):
            links = [int(n) for n in re.findall(r"(?<!\\)\]\((\d+)\)", result["message"]["text"])]
            self.assertEqual(links, [place["id"] for place in result["relatedLocations"]])
            lines = [place["physicalLocation"]["region"]["startLine"] for place in result["relatedLocations"]]
            other = [finding["other"]["line"]] if finding["other"] else []
            self.assertEqual(lines, [read["line"] for read in finding["reads"]] + other)

    def test_code_flow_is_the_witness(self):
        for result, finding in zip(self.run_["results"], self.findings):
            (flow,) = result["codeFlows"]
            sessions = sorted({step["session"] for step in finding["witness"]["steps"]})
            self.assertEqual([thread["id"] for thread in flow["threadFlows"]], sessions)
            steps = [(place["executionOrder"], thread["id"], place["location"])
                     for thread in flow["threadFlows"] for place in thread["locations"]]
            steps.sort(key=lambda step: step[0])
            self.assertEqual([step[0] for step in steps], list(range(1, len(steps) + 1)))
            shown = [(thread, place["message"]["text"].split("  -> ")[0], place["physicalLocation"]["region"]["startLine"])
                     for _, thread, place in steps]
            at = 0
            for step in finding["witness"]["steps"]:
                wanted = (step["session"], step["sql"].replace("[", "\\[").replace("]", "\\]"), step["line"])
                if step["line"] == 0:
                    continue
                self.assertIn(wanted, shown[at:])
                at = shown.index(wanted, at) + 1

    def test_invocation(self):
        (invocation,) = self.run_["invocations"]
        self.assertEqual(invocation, {"executionSuccessful": True, "toolExecutionNotifications": []})
        self.assertEqual(self.run_["columnKind"], "utf16CodeUnits")
        self.assertIn("SRCROOT", self.run_["originalUriBaseIds"])
        code, out, _ = harness.lostwrite("check", "broken", "--format", "sarif", cwd=pathlib.Path(__file__).parent)
        (run,) = json.loads(out)["runs"]
        self.assertEqual((code, run["results"]), (2, []))
        (invocation,) = run["invocations"]
        (note,) = invocation["toolExecutionNotifications"]
        self.assertEqual((invocation["executionSuccessful"], note["level"]), (False, "error"))
        place = note["locations"][0]["physicalLocation"]
        self.assertEqual((place["artifactLocation"]["uri"], place["region"]["startLine"]), ("broken/broken.py", 2))


class Places(unittest.TestCase):
    """Folders with odd names, lines that are not ASCII."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        cls.app = pathlib.Path(cls.folder.name) / "50%, a:b" / "shop"
        cls.app.mkdir(parents=True)
        (cls.app / "models.py").write_text(MODELS, encoding="utf-8")
        (cls.app / "views.py").write_text(VIEWS, encoding="utf-8")
        (cls.app / "__init__.py").touch()

    def check(self, form, path):
        code, out, err = harness.lostwrite("check", path, "--format", form, cwd=self.folder.name)
        self.assertEqual((code, err), (1, ""))
        return out

    def test_sarif(self):
        for path in ("50%, a:b", ".", "./50%, a:b/", str(self.app)):
            (result,) = json.loads(self.check("sarif", path))["runs"][0]["results"]
            place = result["locations"][0]["physicalLocation"]
            self.assertEqual(place["artifactLocation"], {"uri": "50%25%2C%20a%3Ab/shop/views.py", "uriBaseId": "SRCROOT"})
            self.assertEqual(text_at(VIEWS.split("\n"), place["region"]), "counter.save()")

    def test_sarif_outside(self):
        with tempfile.TemporaryDirectory() as elsewhere:
            code, out, _ = harness.lostwrite("check", str(self.app), "--format", "sarif", cwd=elsewhere)
        place = json.loads(out)["runs"][0]["results"][0]["locations"][0]["physicalLocation"]
        self.assertEqual(code, 1)
        self.assertEqual(place["artifactLocation"], {"uri": "file://" + urllib.parse.quote(str(self.app / "views.py"), safe="/")})

    def test_encodings(self):
        source = "# coding: latin-1\n" + VIEWS.replace("\N{CRAB}\N{SNOWMAN}", "é")
        (self.app / "views.py").write_text(source, encoding="latin-1")
        self.addCleanup((self.app / "views.py").write_text, VIEWS, encoding="utf-8")
        (result,) = json.loads(self.check("sarif", "."))["runs"][0]["results"]
        region = result["locations"][0]["physicalLocation"]["region"]
        self.assertEqual(text_at(source.split("\n"), region), "counter.save()")
        self.assertIn('größe = "é"; counter.save()', self.check("text", "."))

    def test_suppressions(self):
        """A comment is told with its place and reason; the other services get no suppressed finding."""
        self.addCleanup((self.app / "views.py").write_text, VIEWS, encoding="utf-8")
        (self.app / "views.py").write_text(VIEWS.replace("counter.save()", "counter.save()" + SUPPRESSION), encoding="utf-8")
        for form, wanted in (("sarif", None), ("github", ""), ("gitlab", "[]\n")):
            code, out, err = harness.lostwrite("check", ".", "--format", form, cwd=self.folder.name)
            self.assertEqual((code, err), (0, ""))
            self.assertIn(wanted, (out, None))
            if form != "sarif":
                continue
            (result,) = json.loads(out)["runs"][0]["results"]
            (suppression,) = result["suppressions"]
            place = suppression.pop("location")["physicalLocation"]
            self.assertEqual(suppression, {"kind": "inSource", "status": "accepted", "justification": "a rough count will do"})
            self.assertEqual(place["region"]["startLine"], 6)

    def test_github(self):
        (line,) = self.check("github", ".").splitlines()
        match = re.fullmatch(r"::error (.*?)::(.*)", line)
        pairs = dict(pair.split("=", 1) for pair in match.group(1).split(","))
        self.assertEqual(pairs, {"file": "50%25%2C a%3Ab/shop/views.py", "line": "6", "col": "20", "endLine": "6",
                                 "endColumn": "34", "title": "LW003 read-modify-write"})
        self.assertIn("one of the two changes is lost", match.group(2))

    def test_gitlab(self):
        (entry,) = json.loads(self.check("gitlab", "."))
        self.assertEqual(entry["location"], {"path": "50%, a:b/shop/views.py", "lines": {"begin": 6, "end": 6}})
        self.assertEqual((entry["check_name"], entry["severity"]), ("read-modify-write", "major"))
        self.assertRegex(entry["fingerprint"], r"^LW003-[0-9a-f]{8}$")
        self.assertTrue(entry["description"].startswith("LW003: count of shop_counter"))


class Services(unittest.TestCase):
    def check(self, form, path="shop", answer=1):
        code, out, err = harness.lostwrite("check", path, "--format", form, cwd=pathlib.Path(__file__).parent)
        self.assertEqual((code, err), (answer, ""))
        return out

    def test_levels(self):
        """LW008 is a hazard: a warning."""
        lines = self.check("github").splitlines()
        self.assertEqual([line.split(" ")[0] for line in lines], ["::error", "::error", "::warning"])
        results = json.loads(self.check("sarif"))["runs"][0]["results"]
        self.assertEqual([result["level"] for result in results], ["error", "error", "warning"])
        entries = json.loads(self.check("gitlab"))
        self.assertEqual([entry["severity"] for entry in entries], ["major", "major", "minor"])
        self.assertEqual(len({entry["fingerprint"] for entry in entries}), 3)

    def test_broken_file(self):
        self.assertRegex(self.check("github", "broken", 2), r"^::error file=broken/broken\.py,line=2,col=\d+.*::.+\n$")
        (entry,) = json.loads(self.check("gitlab", "broken", 2))
        self.assertEqual((entry["check_name"], entry["location"]["path"]), ("unreadable-source", "broken/broken.py"))

    def test_nothing_found(self):
        with tempfile.TemporaryDirectory() as folder:
            (pathlib.Path(folder) / "empty.py").touch()
            for form, wanted in (("github", ""), ("gitlab", "[]\n")):
                self.assertEqual(self.check(form, folder, 0), wanted)
            self.assertEqual(json.loads(self.check("sarif", folder, 0))["runs"][0]["results"], [])


if __name__ == "__main__":
    harness.main("services")
