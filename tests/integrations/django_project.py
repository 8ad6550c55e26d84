"""Runs programs of the little project beside this file, with lostwrite_django on their path."""

import json
import os
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
PROJECT = HERE / "project"
PACKAGE = HERE.parents[1] / "integrations" / "django"


def environment(databases, **more):
    # LOSTWRITE_DJANGO: a folder with another Django than Debian's.
    path = [os.environ.get("LOSTWRITE_DJANGO"), str(PACKAGE), str(PROJECT)]
    return dict(os.environ, DATABASES=json.dumps(databases), DJANGO_SETTINGS_MODULE="settings", PYTHONDONTWRITEBYTECODE="1",
                PYTHONPATH=os.pathsep.join(entry for entry in path if entry), **more)


def run(databases, *args, timeout_s=120, **more):
    """Standard output of a Python program of the project."""
    done = subprocess.run([sys.executable, *args], cwd=PROJECT, env=environment(databases, **more), stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=timeout_s, encoding="utf-8")
    if done.returncode != 0:
        raise AssertionError("%s answered %d:\n%s%s" % (args[0], done.returncode, done.stdout, done.stderr))
    return done.stdout


def sqlite(folder):
    return {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.path.join(folder, "db.sqlite3")}}


def line_of(path, marker):
    """The number of the line marked `# line: MARKER`."""
    for number, line in enumerate((PROJECT / path).read_text().splitlines(), 1):
        if line.endswith("# line: " + marker):
            return number
    raise AssertionError("%s has no line %s" % (path, marker))


def has(module):
    return subprocess.run([sys.executable, "-c", "import " + module], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0
