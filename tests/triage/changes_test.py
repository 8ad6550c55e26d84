#!/usr/bin/env python3
"""--diff-only: what is reported of a repository in which some lines changed."""
import pathlib
import shutil
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import harness
from project import Project, places

SAVE = '    counter.save(update_fields=["count"])'
INCREMENT, DECREMENT = ("shop/views.py", 7, "LW003"), ("shop/views.py", 14, "LW003")


@unittest.skipUnless(shutil.which("git"), "no git here")
class Changes(unittest.TestCase):
    def repository(self, files=None):
        p = Project(files)
        p.__enter__()
        self.addCleanup(p.__exit__)
        p.git("init", "-q")
        p.git("add", ".")
        p.git("commit", "-q", "-m", "one")
        return p

    def found(self, p, revision="HEAD", *args):
        return places(p.check("--diff-only", revision, *args)["findings"])

    def changed(self, old, new, *lines):
        p = self.repository()
        p.replace("shop/views.py", old, new)
        self.assertEqual([line for _, line, _ in self.found(p)], list(lines), new)

    def test_nothing(self):
        p = self.repository()
        document = p.check("--diff-only=HEAD")
        self.assertEqual((document["findings"], document["summary"]["unchanged"]), ([], 2))
        code, out, err = p.run("check", "--diff-only", "HEAD")
        self.assertEqual((code, err), (0, ""))
        self.assertIn("2 findings in which no changed line has a part.\n", out)

    def test_the_write(self):
        self.changed(SAVE, SAVE + "  # here", 7)

    def test_any_line_of_its_statement(self):
        self.changed('        update_fields=["count", "name"],', '        update_fields=["name", "count"],', 14)

    def test_the_read(self):
        self.changed("    counter = Counter.objects.get(pk=pk)\n    counter.count += 1",
                     "    counter = Counter.objects.get(id=pk)\n    counter.count += 1", 7)

    def test_lines_above(self):
        self.changed("from shop.models import Counter\n", "from shop.models import Counter\n\nLIMIT = 3\n")

    def test_other_lines_of_the_function(self):
        self.changed("    counter.count += 1\n" + SAVE, "    n = 3\n    n += 1\n    counter.count += 1\n    n += 1\n" + SAVE)

    def test_a_line_taken_out(self):
        """What stood before a write may have kept it safe."""
        p = self.repository()
        p.replace("shop/views.py", SAVE, "    print(counter)\n" + SAVE)
        p.git("commit", "-qam", "two")
        p.replace("shop/views.py", "    print(counter)\n", "")
        self.assertEqual(self.found(p), [INCREMENT])
        self.assertEqual(self.found(p, "HEAD^"), [])

    def test_the_other_writer(self):
        """A new function makes an old save() lose something."""
        p = self.repository()
        p.write("shop/views.py", "from shop.models import Counter\n\n\ndef rename(pk):\n    counter = Counter.objects.get(pk=pk)\n"
                "    counter.name = 'a'\n    counter.save()\n")
        p.git("commit", "-qam", "two")
        p.write("shop/tasks.py", "from shop.models import Counter\n\n\ndef reset(pk):\n    Counter.objects.filter(pk=pk).update(count=0)\n")
        for staged in (False, True):
            if staged:
                p.git("add", ".")
            self.assertEqual(self.found(p), [("shop/views.py", 7, "LW002")])

    def test_a_file_that_git_does_not_know(self):
        p = self.repository()
        p.write("shop/more.py", p.read("shop/views.py"))
        self.assertEqual([path for path, _, _ in self.found(p)][:2], ["shop/more.py"] * 2)

    def test_renamed(self):
        p = self.repository()
        p.git("mv", "shop/views.py", "shop/with blank \"é\".py")
        self.assertEqual(self.found(p), [])
        p.replace("shop/with blank \"é\".py", SAVE, SAVE + "  # here")
        self.assertEqual(self.found(p), [("shop/with blank \"é\".py", 7, "LW003")])

    def test_older_commits(self):
        p = self.repository()
        p.replace("shop/views.py", SAVE, SAVE + "  # two")
        p.git("commit", "-qam", "two")
        p.replace("shop/views.py", '        update_fields=["count", "name"],', '        update_fields=["name", "count"],')
        p.git("commit", "-qam", "three")
        self.assertEqual(self.found(p), [])
        self.assertEqual(self.found(p, "HEAD~1"), [DECREMENT])
        self.assertEqual(self.found(p, "HEAD~2"), [INCREMENT, DECREMENT])
        self.assertEqual(self.found(p, "HEAD~2", "shop/models.py"), [])

    def test_settings_of_the_user(self):
        p = self.repository()
        for name, value in (("diff.noprefix", "true"), ("diff.mnemonicPrefix", "true"), ("color.ui", "always"), ("diff.external", "false"),
                            ("diff.renames", "false"), ("diff.context", "9"), ("diff.interHunkContext", "50"), ("core.quotePath", "true"),
                            ("diff.relative", "true")):
            p.git("config", name, value)
        p.replace("shop/views.py", SAVE, SAVE + "  # here")
        self.assertEqual(self.found(p), [INCREMENT])
        self.assertEqual(places(p.check("--diff-only=HEAD", ".", cwd="shop")["findings"]), [("views.py", 7, "LW003")])

    def test_text_that_looks_like_a_diff(self):
        p = self.repository()
        p.replace("shop/views.py", "def increment", "TEXT = '''\n++ b/shop/views.py\n@@ -1 +14 @@\ndiff --git a b\n'''\n\n\ndef increment")
        self.assertEqual(self.found(p), [])

    def test_no_line_end(self):
        p = self.repository()
        p.write("shop/views.py", p.read("shop/views.py").rstrip("\n"))
        self.assertEqual(self.found(p), [DECREMENT])

    def test_warnings(self):
        p = self.repository()
        p.replace("shop/views.py", "    counter.count += 1", "    counter.count += 1  # noqa: LW003")
        self.assertEqual(len(p.check("--diff-only=HEAD")["warnings"]), 1)
        p.git("commit", "-qam", "two")
        self.assertEqual(p.check("--diff-only=HEAD")["warnings"], [])

    def test_many_paths(self):
        """Git is asked once a folder, and once a repository what changed."""
        p = self.repository()
        p.replace("shop/views.py", SAVE, SAVE + "  # here")
        p.write("bin/git", '#!/bin/sh\necho "$@" >> %s\nexec %s "$@"\n' % (p.path("asked"), shutil.which("git")))
        p.path("bin/git").chmod(0o755)
        paths = ["shop/views.py", "shop/models.py", "manage.py", "shop/views.py", "shop", "."]
        code, _, err = p.run("check", "--diff-only=HEAD", *paths, env={"PATH": f"{p.path('bin')}:/usr/bin:/bin"})
        self.assertEqual((code, err), (1, ""))
        asked = p.read("asked").splitlines()
        self.assertEqual((sum("diff -U0" in line for line in asked), sum("--show-toplevel" in line for line in asked)), (1, 3))

    def test_errors(self):
        with Project() as p:
            self.assertEqual(p.run("check", "--diff-only=HEAD")[::2], (2, ".: error: --diff-only: not in a git repository\n"))
            p.git("init", "-q")
            for name in ("HEAD", "no-such-branch", "--output=x", "HEAD^{tree}"):
                self.assertEqual(p.run("check", "--diff-only=" + name)[::2],
                                 (2, f"error: --diff-only: '{name}' is no commit of this repository\n"))
            code, _, err = p.run("check", "--diff-only=HEAD", env={"PATH": "/nowhere"})
            self.assertEqual((code, err), (2, "error: cannot run git: No such file or directory\n"))
            code, _, err = p.run("check", "--diff-only=HEAD", "--write-baseline=a.json")
            self.assertEqual(code, 2)
            self.assertIn("not with --diff-only", err)


if __name__ == "__main__":
    harness.main("triage changes")
