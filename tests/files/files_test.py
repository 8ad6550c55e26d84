#!/usr/bin/env python3
"""Which files are read: tests, migrations, virtual environments, .gitignore as git understands it, --exclude."""
import os
import pathlib
import random
import shutil
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import harness
from project import Project


def tree(*names):
    return Project({name: "" for name in names})


class OwnSource(unittest.TestCase):
    def test_what_is_never_read(self):
        with tree("a.py", "venv/b.py", ".venv/c.py", "node_modules/d.py", ".git/e.py", "site-packages/f.py",
                  "__pycache__/g.py", "other/pyvenv.cfg", "other/h.py", "i.txt") as p:
            self.assertEqual(p.files_read(), ["a.py"])
            self.assertEqual(p.files_read("--include-tests", "--include-migrations"), ["a.py"])

    NAMES = ("shop/a.py", "shop/tests/b.py", "shop/tests/unit/test_c.py", "shop/test_d.py", "shop/e_test.py",
             "shop/tests.py", "conftest.py", "shop/migrations/0001.py", "shop/contest.py")

    def test_tests_and_migrations(self):
        with tree(*self.NAMES) as p:
            self.assertEqual(p.files_read(), ["shop/a.py", "shop/contest.py"])
            self.assertEqual(p.files_read("--include-migrations"),
                             ["shop/a.py", "shop/contest.py", "shop/migrations/0001.py"])
            self.assertEqual(p.files_read("--include-tests", "--include-migrations"), sorted(self.NAMES))

    def test_the_project_around_the_current_folder(self):
        """Whatever the path is relative to, the folder that holds manage.py is found above it."""
        from project import MODELS
        views = "from .models import Counter\n\n\ndef bump(pk):\n    c = Counter.objects.get(pk=pk)\n    c.count += 1\n    c.save()\n"
        files = {"manage.py": "", "shop/__init__.py": "", "shop/models.py": MODELS, "shop/views.py": views,
                 "shop/deep/__init__.py": "", "shop/deep/tasks.py": views.replace("from .models", "from ..models")}
        with Project(files) as p:
            for folder, path, shown in (("shop", "views.py", "views.py"), ("shop", ".", "views.py"),
                                        ("shop/deep", "tasks.py", "tasks.py"), ("shop/deep", ".", "tasks.py"),
                                        ("shop/deep", "../views.py", "../views.py"), ("shop/deep", "..", "../views.py"),
                                        ("shop/deep", "..", "tasks.py"), ("shop", "deep", "deep/tasks.py"),
                                        ("shop/deep", "../../shop/views.py", "../../shop/views.py")):
                found = {f["path"] for f in p.check(path, cwd=folder)["findings"]}
                self.assertIn(shown, found, (folder, path))

    def test_what_is_named_is_read(self):
        with tree("manage.py", *self.NAMES) as p:
            self.assertEqual(p.files_read("shop/tests"), ["shop/tests/b.py", "shop/tests/unit/test_c.py"])
            self.assertEqual(p.files_read("shop/tests/unit"), ["shop/tests/unit/test_c.py"])
            self.assertEqual(p.files_read("shop/migrations"), ["shop/migrations/0001.py"])
            self.assertEqual(p.files_read("shop/test_d.py", "shop/a.py"), ["shop/a.py", "shop/test_d.py"])
            self.assertEqual(p.files_read("shop"), ["shop/a.py", "shop/contest.py"])

    def test_a_project_in_a_folder_called_tests(self):
        with tree("tests/manage.py", "tests/shop/a.py", "tests/shop/test_b.py") as p:
            self.assertEqual(p.files_read("shop", cwd="tests"), ["shop/a.py"])

    def test_a_folder_of_tests_alone(self):
        with tree("tests/test_a.py") as p:
            self.assertEqual(p.files_read("tests"), ["tests/test_a.py"])
            code, _, err = p.run("check", "--show-files")
            self.assertEqual((code, err), (2, ".: error: there is no Python source here\n"))

    def test_links_are_not_followed(self):
        with tree("a.py", "b/c.py") as p:
            os.symlink("..", p.path("b/loop"))
            os.symlink("../a.py", p.path("b/link.py"))
            self.assertEqual(p.files_read(), ["a.py", "b/c.py"])


class Exclude(unittest.TestCase):
    def test_patterns(self):
        with tree("manage.py", "a.py", "gen/b.py", "shop/gen/c.py", "shop/d_pb2.py", "shop/e.py") as p:
            everything = ["a.py", "gen/b.py", "manage.py", "shop/d_pb2.py", "shop/e.py", "shop/gen/c.py"]
            for patterns, gone in ((["gen"], ["gen/b.py", "shop/gen/c.py"]), (["/gen/"], ["gen/b.py"]),
                                   (["*_pb2.py"], ["shop/d_pb2.py"]), (["shop/**/c.py"], ["shop/gen/c.py"]),
                                   (["shop/*", "!shop/e.py"], ["shop/d_pb2.py", "shop/gen/c.py"]),
                                   (["# no"], [])):
                args = [f"--exclude={pattern}" for pattern in patterns]
                self.assertEqual(p.files_read(*args), [name for name in everything if name not in gone], patterns)

    def test_are_tied_to_the_current_folder(self):
        with tree("manage.py", "shop/a.py", "shop/shop/b.py") as p:
            self.assertEqual(p.files_read("--exclude=/shop/", cwd="shop"), ["a.py"])

    def test_what_is_named_is_read(self):
        with tree("manage.py", "gen/b.py") as p:
            self.assertEqual(p.files_read("--exclude=gen/", "gen"), ["gen/b.py"])
            self.assertEqual(p.files_read("--exclude=*.py", "gen/b.py"), ["gen/b.py"])

    def test_many_stars(self):
        """Where each star tries each length in turn this takes longer than anybody lives."""
        name = "a" * 200 + ".py"
        with tree("b.py", name) as p:
            self.assertEqual(p.files_read("--exclude=" + "*a" * 90 + "*b"), [name, "b.py"])
            self.assertEqual(p.files_read("--exclude=" + "**/" * 1000 + "a*.py"), ["b.py"])
            p.git("init", "-q")
            p.write(".gitignore", "*a" * 10000000 + "\n" + "**/" * 100000 + "\n")
            self.assertEqual(p.files_read(), [name, "b.py"])
            self.assertEqual(p.files_read("--exclude=" + "**/" * 90 + "*a" * 90 + "?py"), ["b.py"])

    def test_empty(self):
        with tree("a.py") as p:
            self.assertEqual(p.run("check", "--exclude=")[0], 2)


@unittest.skipUnless(shutil.which("git"), "no git here")
class GitIgnore(unittest.TestCase):
    def listed(self, p, folder="."):
        """What git would add, without what lostwrite never reads."""
        out = p.git("-C", folder, "-c", "core.excludesFile=/dev/null", "-c", "core.quotePath=false", "ls-files", "--others",
                    "--exclude-standard", "-z", "--", "*.py")
        return sorted(name for name in out.split("\0")
                      if name and not any(part.startswith(".") for part in name.split("/")))

    def same(self, p, where=""):
        """Two ways to ask git, one answer."""
        read = p.files_read()
        self.assertEqual(read, self.listed(p), where)
        names = [str(path.relative_to(p.folder)) for path in p.folder.rglob("*.py")
                 if ".git" not in path.relative_to(p.folder).parts]
        ignored = subprocess.run(["git", "-c", "core.excludesFile=/dev/null", "check-ignore", "-z", "--stdin", "--no-index"],
                                 cwd=p.folder, input="\0".join(names), stdout=subprocess.PIPE, encoding="utf-8").stdout
        self.assertEqual(read, sorted(set(names) - set(ignored.split("\0"))), where)

    def of(self, patterns, *names, at=".gitignore"):
        with tree(*names) as p:
            p.git("init", "-q")
            p.write(at, patterns)
            self.same(p, patterns)
            return p.files_read()

    def test_forms(self):
        names = ("a.py", "b.py", "x/a.py", "x/y/a.py", "x/y/b.py", "y/a.py", "y/z/b.py", "#c.py", "!d.py", "e .py", "x/[f].py")
        for patterns, kept in (
                ("a.py", "!d.py #c.py b.py e|.py x/[f].py x/y/b.py y/z/b.py"),
                ("/a.py", None), ("x/a.py", None), ("y", None), ("y/", None), ("/y/", None), ("x/*", None),
                ("**/y/a.py", None), ("x/**/b.py", None), ("x/**", None), ("a.py/", None),
                ("*.py\n!b.py", None), ("x/\n!x/a.py", None), ("x/*\n!x/a.py\n!x/y/\nx/y/b.py", None),
                ("\\#c.py\n\\!d.py", None), ("#c.py", None), ("e\\ .py", None), ("a.py   ", None), ("a.py\\ ", None),
                ("a.py\t", None), ("[ab].py", None), ("[!a].py", None), ("[^a].py", None), ("[[:alpha:]].py", None),
                ("[a-b].py", None), ("[b-a].py", None), ("[a", None), ("\\[f\\].py", None), ("?.py", None), ("x/?.py", None),
                ("x/y*", None), ("x**", None), ("x/y**/b.py", None), ("**", None), ("/**", None), ("**/", None), ("/", None),
                ("!", None), ("", None), ("*", None), ("*/", None), ("a.py\r\nb.py\r\n", None), ("\ufeffa.py", None),
                ("[]a].py", None), ("[a-]b].py", None), ("[[:nope:]a].py", None), ("\\a.py", None), ("a.py\\", None),
                ("x/./a.py", None), ("./a.py", None), ("x//a.py", None), ("//a.py", None)):
            with self.subTest(patterns):
                left = self.of(patterns, *names) if patterns not in ("*", "**", "/**") else None
                if kept is not None:
                    self.assertEqual(left, [name.replace("|", " ") for name in kept.split()])

    def test_nested(self):
        with tree("a.py", "b.py", "x/a.py", "x/b.py", "x/y/a.py", "x/y/b.py") as p:
            p.git("init", "-q")
            p.write(".gitignore", "a.py\n")
            p.write("x/.gitignore", "!a.py\n/b.py\n")
            p.write("x/y/.gitignore", "a.py\n")
            self.same(p)
            self.assertEqual(p.files_read(), ["b.py", "x/a.py", "x/y/b.py"])
            self.assertEqual(p.files_read(cwd="x"), ["a.py", "y/b.py"])
            self.assertEqual(p.files_read("x/y"), ["x/y/b.py"])

    def test_info_exclude(self):
        with tree("a.py", "b.py") as p:
            p.git("init", "-q")
            p.write(".git/info/exclude", "a.py\nb.py\n")
            p.write(".gitignore", "!b.py\n")
            self.same(p)
            self.assertEqual(p.files_read(), ["b.py"])

    def test_outside_of_a_repository(self):
        with tree("a.py", "b.py") as p:
            p.write(".gitignore", "a.py\n")
            self.assertEqual(p.files_read(), ["a.py", "b.py"])

    def test_what_is_named_is_read(self):
        with tree("manage.py", "gen/a.py", "gen/b.py", "c.py") as p:
            p.git("init", "-q")
            p.write(".gitignore", "gen/\nc.py\n")
            self.assertEqual(p.files_read(), ["manage.py"])
            self.assertEqual(p.files_read("gen"), ["gen/a.py", "gen/b.py"])
            self.assertEqual(p.files_read("c.py", "gen/b.py"), ["c.py", "gen/b.py"])

    def test_repository_in_a_repository(self):
        with tree("a.py", "inner/a.py", "inner/b.py") as p:
            p.git("init", "-q")
            p.git("init", "-q", "inner")
            p.write(".gitignore", "a.py\n")
            p.write("inner/.gitignore", "b.py\n")
            self.assertEqual(p.files_read(), ["inner/a.py"])

    def test_random_trees(self):
        seed = int(os.environ.get("LOSTWRITE_SEED", "1"))
        for number in range(int(os.environ.get("LOSTWRITE_TREES", "40"))):
            self.random_tree(random.Random(f"{seed}.{number}"), f"LOSTWRITE_SEED={seed}, tree {number}")

    def random_tree(self, rand, where):
        parts = ["a", "b", "ab", "ba", "a-b", "a]b", "c"]
        files = {"/".join(rand.choices(parts, k=rand.randint(0, 3)) + [rand.choice(parts) + ".py"]) for _ in range(25)}
        folders = {""} | {name.rsplit("/", i)[0] for name in files for i in (1, 2) if name.count("/") >= i}

        def piece():
            return "".join(rand.choices(["a", "b", "c", "*", "?", "[ab]", "[!b]", "[a-c]", "[^a-b]", "\\a", "[[:alpha:]]", "-", "]", ".py"],
                                        weights=[6, 6, 3, 5, 2, 2, 1, 2, 1, 1, 1, 1, 1, 2], k=rand.randint(1, 3)))

        def pattern():
            middle = "/".join(rand.choice([piece, piece, lambda: "**", lambda: rand.choice(parts)])()
                              for _ in range(rand.randint(1, 3)))
            return (rand.choice(["", "", "", "!"]) + rand.choice(["", "", "/"]) + middle + rand.choice(["", "", "/", ".py", "*"])
                    + rand.choice(["", "", "", " "]))

        with tree(*files) as p:
            p.git("init", "-q")
            for folder in rand.sample(sorted(folders), min(len(folders), rand.randint(1, 3))):
                lines = [pattern() for _ in range(rand.randint(1, 5))]
                p.write(f"{folder}/.gitignore" if folder else ".gitignore", rand.choice(["\n", "\n", "\r\n"]).join(lines))
            p.write("zz.py", "")
            shown = {str(path.relative_to(p.folder)): path.read_text() for path in p.folder.rglob(".gitignore")}
            try:
                self.same(p, f"{where}: {shown}")
            except AssertionError:
                if not self.listed(p):
                    return  # nothing is left, and check says so
                raise


if __name__ == "__main__":
    harness.main("files")
