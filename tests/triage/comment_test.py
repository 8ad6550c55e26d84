#!/usr/bin/env python3
"""Comments that suppress findings: which, where they count, what is said about those that do nothing."""
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import project
from project import harness, places, warnings

SAVE = '    counter.save(update_fields=["count"])'
BOTH = [("shop/views.py", 7, "LW003"), ("shop/views.py", 14, "LW003")]


class Comments(unittest.TestCase):
    def of(self, comment, *args, line=SAVE):
        """The document with a comment behind a line."""
        with project.Project() as p:
            p.replace("shop/views.py", line + "\n", line + comment + "\n")
            return p.check(*args)

    def test_nothing(self):
        document = self.of("")
        self.assertEqual(places(document["findings"]), BOTH)
        self.assertEqual((document["suppressed"], document["warnings"]), ([], []))

    def suppresses(self, comment, reason, *args):
        document = self.of(comment, *args)
        self.assertEqual(places(document["findings"]), BOTH[1:], comment)
        self.assertEqual(places(document["suppressed"]), BOTH[:1], comment)
        suppression = document["suppressed"][0]["suppression"]
        self.assertEqual((suppression["kind"], suppression["path"], suppression["line"], suppression["reason"]),
                         ("comment", "shop/views.py", 7, reason), comment)
        self.assertEqual(document["warnings"], [], comment)
        self.assertEqual(document["summary"]["suppressed_by_comments"], 1)

    def test_forms(self):
        for comment, reason in (
                ("  # noqa", ""), ("  #NOQA", ""), ("  # noqa: LW003", ""), ("  # noqa:E501,LW003", ""),
                ("  # noqa : lw003 E501", ""), ("  # noqa: LW003 one writer", "one writer"),
                ("  # type: ignore # noqa: LW003 - only the cron job #12", "only the cron job #12"),
                ("  # lostwrite: ignore[LW003] one writer, see #12", "one writer, see #12"),
                ("  # lostwrite: ignore[ read-modify-write ]: why", "why"),
                ("  # lostwrite: ignore", ""), ("  # lostwrite: ignore — why not", "why not"),
                ("  # noqa: E501 # lostwrite: ignore[LW003] why", "why"),
                ("  # lostwrite: ignore[LW003] why # noqa: E501", "why")):
            with self.subTest(comment):
                self.suppresses(comment, reason)

    def test_the_more_exact_one_gives_the_reason(self):
        self.suppresses("  # noqa # lostwrite: ignore[LW003] why", "why")

    def test_other_comments(self):
        for comment in ("  # noqa: E501", "  # noqa: for the sake of it", "  # noqarter", "  # no qa",
                        "  # see `noqa`", "  # noqa-file"):
            document = self.of(comment)
            self.assertEqual((places(document["findings"]), document["warnings"]), (BOTH, []), comment)

    def test_strings_are_no_comments(self):
        document = self.of("; '# noqa'")
        self.assertEqual(places(document["findings"]), BOTH)

    def test_any_line_of_the_statement(self):
        for line in ("    counter.save(", '        update_fields=["count", "name"],', "    )"):
            document = self.of("  # noqa: LW003", line=line)
            self.assertEqual((places(document["findings"]), document["warnings"]), (BOTH[:1], []), line)

    def test_not_beside_the_write(self):
        document = self.of("  # noqa: LW003", line="    counter.count += 1")
        self.assertEqual(places(document["findings"]), BOTH)
        self.assertEqual(warnings(document),
                         [("shop/views.py", 6, 25, "unused suppression: no LW003 is found here")])

    def unused(self, comment, *texts):
        document = self.of(comment, line="    counter.count += 1")
        self.assertEqual([w["text"] for w in document["warnings"]], list(texts), comment)

    def test_unused(self):
        self.unused("  # noqa")
        self.unused("  # noqa: E501, W605")
        self.unused("  # noqa: LW003,LW002,E501", "unused suppression: no LW002, LW003 is found here")
        self.unused("  # lostwrite: ignore[LW003] why", "unused suppression: no LW003 is found here")
        self.unused("  # lostwrite: ignore", "unused suppression: nothing is found here")

    def test_partly_used(self):
        document = self.of("  # noqa: LW003,LW002")
        self.assertEqual([w["text"] for w in document["warnings"]], ["unused suppression: no LW002 is found here"])
        self.assertEqual(places(document["suppressed"]), BOTH[:1])

    def test_not_looked_for_is_not_unused(self):
        document = self.of("  # noqa: LW003,LW002", "--ignore=LW002")
        self.assertEqual(document["warnings"], [])
        document = self.of("  # lostwrite: ignore", "--select=LW001")
        self.assertEqual(document["warnings"], [])

    def test_a_line_of_its_own(self):
        document = self.of("\n    # lostwrite: ignore[LW003]", line="    counter.count += 1")
        self.assertEqual(places(document["findings"])[0], ("shop/views.py", 8, "LW003"))
        self.assertEqual(warnings(document), [(
            "shop/views.py", 7, 5,
            "a suppression on a line of its own does nothing: it goes on the line of the write")])

    def test_not_understood(self):
        form = "not understood: `# lostwrite: ignore[LW003] reason` is what can be said"
        for comment, column, text in (
                ("  # noqa: LW03", 51 - 2, "unknown code 'LW03'; `lostwrite explain` lists them"),
                ("  # lostwrite: ignore[LW003, E501]", 70 - 2, "unknown code 'E501'; `lostwrite explain` lists them"),
                ("  # lostwrite: ignore[]", 63, "unknown code ''; `lostwrite explain` lists them"),
                ("  # lostwrite: ignore[LW003", 42, "a suppression without its ']'"),
                ("  # lostwrite: ignroe[LW003]", 42, form), ("  # lostwrite: one writer", 42, form)):
            document = self.of(comment)
            self.assertEqual([(w["line"], w["text"]) for w in document["warnings"]], [(7, text)], comment)

    def test_broken_file(self):
        """What could not be read may be why nothing is found."""
        with project.Project() as p:
            p.write("shop/views.py", "def broken(:\n    pass\n\n\nx = 1  # noqa: LW003\n")
            code, out, _ = p.run("check")
            self.assertEqual(code, 2)
            self.assertNotIn("unused", out)

    def test_only_files_asked_for(self):
        with project.Project() as p:
            p.replace("shop/models.py", "Model):\n", "Model):  # noqa: LW003\n")
            self.assertEqual(p.check("shop/views.py")["warnings"], [])
            self.assertEqual(len(p.check("shop")["warnings"]), 1)


class RequireReason(unittest.TestCase):
    def of(self, comment):
        with project.Project() as p:
            p.replace("shop/views.py", SAVE + "\n", SAVE + comment + "\n")
            document = p.check("--require-reason")
            return places(document["suppressed"]), [w["text"] for w in document["warnings"]]

    def test_with_one(self):
        for comment in ("  # noqa: LW003 one writer", "  # lostwrite: ignore[LW003] one writer",
                        "  # lostwrite: ignore one writer"):
            self.assertEqual(self.of(comment), (BOTH[:1], []), comment)

    def test_without(self):
        for comment in ("  # noqa: LW003", "  # lostwrite: ignore[LW003]", "  # lostwrite: ignore[LW003] -"):
            self.assertEqual(self.of(comment), ([], [
                "a suppression without a reason does nothing here (require-reason)"]), comment)

    def test_blanket_noqa_has_none(self):
        self.assertEqual(self.of("  # noqa one writer"), ([], []))


class Text(unittest.TestCase):
    def test_summary_and_warnings(self):
        with project.Project() as p:
            p.replace("shop/views.py", SAVE, SAVE + "  # noqa: LW003, LW008")
            warning = "shop/views.py:7:44: warning: unused suppression: no LW008 is found here\n"
            code, out, err = p.run("check")
            self.assertEqual((code, err), (1, ""))
            self.assertIn(warning, out)
            self.assertIn("\n1 finding suppressed by comments.\n", out)
            code, out, err = p.run("check", "--format=concise")
            self.assertTrue(out.endswith(warning), out)
            self.assertEqual(p.run("check", "--format=concise", "-q")[1].count("\n"), 1)

    def test_services(self):
        with project.Project() as p:
            p.replace("shop/views.py", "counter.count += 1", "counter.count += 1  # noqa: LW003")
            annotation = ("::warning file=shop/views.py,line=6,col=25,endLine=6,endColumn=38,title=lostwrite::"
                          "unused suppression: no LW003 is found here\n")
            self.assertTrue(p.run("check", "--format=github")[1].endswith(annotation))
            self.assertNotIn("::warning", p.run("check", "--format=github", "--quiet")[1])
            out = p.run("check", "--format=sarif")[1]
            self.assertIn("unused suppression: no LW003 is found here", out)

    def test_verbose_lists_what_is_suppressed(self):
        with project.Project() as p:
            p.run("check", "--write-baseline=base.json")
            p.replace("shop/views.py", SAVE, SAVE + "  # noqa: LW003 one writer")
            out = p.run("check", "--verbose", "--baseline=base.json")[1]
            self.assertIn("shop/views.py:7:5: suppressed: LW003, one writer\n", out)
            self.assertIn("shop/views.py:14:5: known to the baseline: LW003\n", out)


if __name__ == "__main__":
    harness.main("triage comments")
