#!/usr/bin/env python3
"""`lostwrite check --diff`: what it prints is a patch that `git apply` and `patch` take, and after which the findings it
says it repaired are gone. The cases of tests/check are the corpus.

    tests/patch/diff_of_check_test.py                     all
    tests/patch/diff_of_check_test.py corpus/toggle.case  the diff of one case, printed
"""
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS), str(TESTS / "check")]
import check_test
import harness

SECONDS_MAX = 600
DONE = re.compile(r"(\d+) of (\d+) findings? repaired by this patch\.\n\Z")
LEFT = re.compile(r"^(\S+):(\d+):(\d+): (LW\d{3}) not repaired: \S.*$", re.M)

MODELS = """from django.db import models


class Counter(models.Model):
    count = models.IntegerField(default=0)
    note = models.TextField()
"""
VIEWS = """from .models import Counter


def increment(counter_id):
    counter = Counter.objects.get(id=counter_id)
    counter.count += 1  # größer
    counter.save()
"""
PATCHED = """from django.db.models import F
from .models import Counter


def increment(counter_id):
    counter = Counter.objects.get(id=counter_id)
    counter.count = F("count") + 1  # größer
    counter.save(update_fields=["count"])
"""


def findings(folder, *options):
    code, out, err = harness.lostwrite("check", ".", "--format", "json", *options, cwd=folder, timeout_s=SECONDS_MAX)
    assert code in (0, 1, 2), err
    return json.loads(out)["findings"]


def diff(folder, *options, path="."):
    """(the diff, how many findings it says it repairs, of how many, what it says of the others)"""
    done = subprocess.run([harness.BINARY, "check", path, "--diff", *options], cwd=folder, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=SECONDS_MAX)
    out, err = done.stdout.decode(), done.stderr.decode()  # line ends as they are
    assert done.returncode in (0, 1), err
    repaired, count = map(int, DONE.search(err).groups())
    left = LEFT.findall(err)
    assert len(left) == count - repaired and (out or not repaired), err
    assert len(err.splitlines()) == len(left) + 1, err
    return out, repaired, count, left


def tree(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in pathlib.Path(folder).rglob("*") if path.is_file()}


def apply(command, folder, patch):
    done = subprocess.run(command, cwd=folder, input=patch.encode(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert done.returncode == 0, done.stdout.decode()


def kinds(found):
    return sorted((f["code"], f["path"], f["symbol"], f["table"]) for f in found)


def compiles(path):
    try:
        compile(path.read_bytes(), str(path), "exec")
        return True
    except (SyntaxError, ValueError):
        return False


class Diffs(unittest.TestCase):
    maxDiff = None

    def applied(self, folder, *options):
        """Checks all that holds of any project: (repaired, count). `folder` is as patched then."""
        before, found = tree(folder), findings(folder, *options)
        patch, repaired, count, left = diff(folder, *options)
        self.assertEqual(count, len(found))
        self.assertEqual(tree(folder), before, "--diff wrote a file")
        if not patch:
            return repaired, count
        with tempfile.TemporaryDirectory() as outer:
            copy = pathlib.Path(outer) / "copy"
            shutil.copytree(folder, copy)
            sound = {path for path in copy.rglob("*.py") if compiles(path)}
            apply(["patch", "-p1", "--fuzz=0", "--no-backup-if-mismatch"], copy, patch)
            apply(["git", "apply", "-"], folder, patch)
            self.assertEqual(tree(copy), tree(folder))
            self.assertEqual([path for path in sound if not compiles(path)], [])
        after = kinds(findings(folder, *options))
        self.assertEqual(len(after), count - repaired)
        rest = kinds(found)
        for kind in after:
            self.assertIn(kind, rest, "a new finding")
            rest.remove(kind)
        self.assertEqual(sorted(kind[:2] for kind in after), sorted((code, path) for path, _, _, code in left))
        return repaired, count

    def test_cases(self):
        sums = [0, 0]
        for path in check_test.cases_of("corpus") + check_test.cases_of("beyond"):
            case = check_test.Case(path)
            if not case.expected:
                continue
            with self.subTest(path.name), tempfile.TemporaryDirectory() as folder:
                case.write(pathlib.Path(folder))
                for i, number in enumerate(self.applied(folder, *case.options)):
                    sums[i] += number
        print("%d of %d findings of the corpus repaired" % tuple(sums))
        self.assertGreater(sums[0], sums[1] * 3 // 4)

    def test_example(self):
        """All eight; each in its own way."""
        with tempfile.TemporaryDirectory() as outer:
            folder = pathlib.Path(outer) / "copy"
            shutil.copytree(harness.SOURCE / "examples" / "orm_mistakes", folder)
            patch, *_ = diff(folder)
            self.assertEqual(self.applied(folder), (8, 8))
            self.assertEqual(findings(folder), [])
        for line in ('parcel.save(update_fields=["status"])', 'counter.count = F("count") + 1',
                     "updated = Order.objects.filter(pk=order.pk, state=old_state).update(state=order.state)",
                     "invoice = Invoice.objects.select_for_update().get(id=invoice_id)"):
            self.assertRegex(patch, r"(?m)^\+ +%s$" % re.escape(line))


class Files(unittest.TestCase):
    """What a file looks like stays."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def project(self, views=VIEWS, inner="shop", encoding="utf-8"):
        app = self.folder / inner
        app.mkdir(parents=True)
        (app / "__init__.py").touch()
        (app / "models.py").write_text(MODELS, encoding="utf-8")
        self.views = app / "views.py"
        self.views.write_bytes(views.encode(encoding))

    def patched(self, command=("git", "apply", "-"), **options):
        patch, repaired, _, _ = diff(self.folder, **options)
        self.assertEqual(repaired, 1)
        apply(list(command), self.folder, patch)
        return self.views.read_bytes().decode()

    def test_plain(self):
        self.project()
        self.assertEqual(self.patched(), PATCHED)

    def test_line_ends(self):
        self.project(VIEWS.replace("\n", "\r\n"))
        self.assertEqual(self.patched(), PATCHED.replace("\n", "\r\n"))

    def test_no_line_end_at_the_end(self):
        for command in (("git", "apply", "-"), ("patch", "-p1", "-s")):
            self.project(VIEWS.rstrip("\n"), inner="shop_%s" % command[0])
            patch, *_ = diff(self.folder / ("shop_%s" % command[0]))
            apply(command, self.views.parent, patch)
            self.assertEqual(self.views.read_text(), PATCHED.rstrip("\n"))

    def test_names_with_blanks(self):
        for command in (("git", "apply", "-"), ("patch", "-p1", "-s")):
            with self.subTest(command):
                self.project(inner="my shop/%s/shop" % command[0])
                self.assertEqual(self.patched(command, path="my shop/%s" % command[0]), PATCHED)

    def test_from_elsewhere(self):
        """An absolute path below the current folder is relative in the diff."""
        self.project()
        self.assertEqual(self.patched(path=str(self.folder)), PATCHED)

    def test_quotes_and_tabs(self):
        self.project(VIEWS.replace("    ", "\t") + "\n\nNAMES = ['a', 'b', 'c']\n")
        text = self.patched()
        self.assertIn("\n\tcounter.count = F('count') + 1  # größer\n\tcounter.save(update_fields=['count'])\n", text)

    def test_other_encodings_are_left_alone(self):
        self.project("# coding: latin-1\n" + VIEWS, encoding="latin-1")
        patch, repaired, count, left = diff(self.folder)
        self.assertEqual((patch, repaired, count, len(left)), ("", 0, 1, 1))

    def test_imports(self):
        """A name that is there is used; one that means something else is not touched."""
        for start, wanted in (("from django.db.models import F\n", 'F("count")'),
                              ("from django.db.models import F as Field\n", 'Field("count")'),
                              ("from django.db import models\n", 'models.F("count")'),
                              ("from django.db.models import Sum\n", 'import Sum, F\n')):
            with self.subTest(start):
                self.project(start + VIEWS, inner="shop%d" % abs(hash(start)))
                patch, *_ = diff(self.views.parent)
                self.assertIn(wanted, patch)
                self.assertNotIn("+from django.db.models import F\n", patch)
        self.project("F = 7\n" + VIEWS, inner="taken")
        patch, repaired, *_ = diff(self.views.parent)
        self.assertEqual(repaired, 1)
        self.assertNotIn("F(", patch)

    def test_the_value_is_read_afterwards(self):
        self.project(VIEWS + "    return counter.count\n")
        self.assertTrue(self.patched().endswith(
            '    counter.save(update_fields=["count"])\n    counter.refresh_from_db(fields=["count"])\n    return counter.count\n'))

    def test_the_value_is_read_between(self):
        """F() would break what looks at the number before it is saved: the next safe fix is taken."""
        self.project(VIEWS.replace("    counter.save()", "    if counter.count > 9:\n        counter.note = 'x'\n    counter.save()"))
        text = self.patched()
        self.assertNotIn("F(", text)
        self.assertIn("@transaction.atomic\ndef increment(counter_id):\n    counter = Counter.objects.select_for_update().get(", text)

    def test_a_save_that_may_insert_keeps_all_fields(self):
        self.project(VIEWS + "\n\ndef create(note):\n    store(Counter(note=note))\n\n\ndef change(pk, note):\n"
                     "    counter = Counter.objects.get(pk=pk)\n    counter.note = note\n    store(counter)\n\n\n"
                     "def store(counter):\n    counter.save()\n")
        patch, *_ = diff(self.folder)
        self.assertNotIn('+    counter.save(update_fields=["note"])', patch)

    def test_a_manager_of_another_name(self):
        """Such a model has no `objects`."""
        self.project(VIEWS.replace("from .models", "from django.shortcuts import get_object_or_404\nfrom .models")
                     .replace("Counter.objects.get(id=counter_id)", "get_object_or_404(Counter, id=counter_id)")
                     .replace("+= 1", "+= 2 if counter.note else 1"))
        patch, repaired, *_ = diff(self.folder)
        self.assertIn("+    counter = get_object_or_404(Counter.objects.select_for_update(), id=counter_id)\n", patch)
        models = self.views.with_name("models.py")
        models.write_text(models.read_text().replace("    note", "    rows = models.Manager()\n    note"))
        patch, repaired, count, left = diff(self.folder)
        self.assertEqual((patch, repaired, count), ("", 0, 1))

    def test_documentation(self):
        """docs/diff.md shows what is printed (without the blank of an empty line)."""
        shown = re.findall(r"^```\n(.*?)^```$", (harness.SOURCE / "docs" / "diff.md").read_text(), re.M | re.S)
        code, out, err = harness.lostwrite("check", "shop", "--diff", cwd=TESTS / "report")
        self.assertEqual(code, 1)
        self.assertEqual(shown, ["$ lostwrite check shop --diff\n" + re.sub(r"(?m)^ $", "", out), err])

    def test_nothing_found(self):
        self.project("")
        code, out, err = harness.lostwrite("check", ".", "--diff", cwd=self.folder)
        self.assertEqual((code, out, err), (0, "", "0 of 0 findings repaired by this patch.\n"))

    def test_no_report_beside_it(self):
        code, out, err = harness.lostwrite("check", ".", "--diff", "--format", "json", cwd=self.folder)
        self.assertEqual((code, out), (2, ""))
        self.assertIn("--diff prints a patch, no report", err)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        for case in map(check_test.Case, check_test.cases_of(sys.argv[1])):
            with tempfile.TemporaryDirectory() as project:
                case.write(pathlib.Path(project))
                print(*harness.lostwrite("check", ".", "--diff", *case.options, cwd=project)[1:], sep="")
    else:
        harness.main("diff_of_check")
