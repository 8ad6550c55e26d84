"""A small Django project for tests of the command line: written to a temporary folder, checked, changed, checked again."""
import json
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import harness

MODELS = """\
from django.db import models


class Counter(models.Model):
    count = models.IntegerField(default=0)
    name = models.CharField(max_length=20)
"""

# Lines 7 and 14 lose a write (LW003).
VIEWS = """\
from shop.models import Counter


def increment(pk):
    counter = Counter.objects.get(pk=pk)
    counter.count += 1
    counter.save(update_fields=["count"])


def decrement(pk):
    counter = Counter.objects.get(pk=pk)
    counter.count -= 1
    counter.name = "less"
    counter.save(
        update_fields=["count", "name"],
    )
"""


class Project:
    """The files of a project in a folder of its own; `with Project() as project`."""

    def __init__(self, files=None):
        self.files = files if files is not None else {"manage.py": "", "shop/__init__.py": "", "shop/models.py": MODELS,
                                                      "shop/views.py": VIEWS}

    def __enter__(self):
        self.holder = tempfile.TemporaryDirectory()
        self.folder = pathlib.Path(self.holder.name).resolve()
        for name, text in self.files.items():
            self.write(name, text)
        return self

    def __exit__(self, *error):
        self.holder.cleanup()

    def path(self, name):
        return self.folder / name

    def read(self, name):
        return self.path(name).read_text(encoding="utf-8")

    def write(self, name, text):
        self.path(name).parent.mkdir(parents=True, exist_ok=True)
        self.path(name).write_text(text, encoding="utf-8")

    def replace(self, name, old, new):
        text = self.read(name)
        if text.count(old) != 1:
            raise ValueError(f"{old!r} stands {text.count(old)} times in {name}")
        self.write(name, text.replace(old, new))

    def run(self, *args, cwd=".", env=None):
        """(exit code, stdout, stderr) of `lostwrite ARGS` in the folder, colours off."""
        return harness.lostwrite(*args, cwd=self.path(cwd), env={"NO_COLOR": "1", **(env or {})})

    def check(self, *args, answer=None, cwd="."):
        """The document of `check --format json`."""
        code, out, err = self.run("check", "--format", "json", *args, cwd=cwd)
        if code not in (0, 1) or err:
            raise AssertionError(f"{code}: {err}")
        document = json.loads(out)
        if code != (1 if document["findings"] else 0):
            raise AssertionError(f"answers {code}")
        return document

    def files_read(self, *args, cwd="."):
        """The paths that `check --show-files` prints."""
        code, out, err = self.run("check", "--show-files", *args, cwd=cwd)
        if code != 0 or err:
            raise AssertionError(f"{code}: {err}")
        return out.splitlines()

    def git(self, *args):
        return subprocess.run(["git", "-C", str(self.folder), "-c", "user.name=a", "-c", "user.email=a@b", *args],
                              check=True, stdout=subprocess.PIPE, encoding="utf-8").stdout


def places(findings):
    """[("shop/views.py", 7, "LW003"), ...]"""
    return [(f["path"], f["line"], f["code"]) for f in findings]


def warnings(document):
    return [(w["path"], w["line"], w["column"], w["text"]) for w in document["warnings"]]
