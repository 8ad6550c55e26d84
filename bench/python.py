#!/usr/bin/env python3
"""The Python parser beside CPython's `ast.parse` and pyflakes: the same files in the same run, in processor
time. ast.parse builds the tree pyflakes starts from; pyflakes is what people wait for."""
import ast
import glob
import importlib.util
import os
import pathlib
import re
import subprocess
import sys
import time
import warnings

LIBRARY = pathlib.Path(os.__file__).parent
DJANGO = "/usr/lib/python3/dist-packages/django"
EVERY = 4  # of the files; pyflakes takes a minute for all
PYFLAKES_EVERY = 4  # of those


def find_files():
    files = sorted(glob.glob(f"{LIBRARY}/**/*.py", recursive=True))
    files = [path for path in files if "/site-packages/" not in path]
    return (files + sorted(glob.glob(f"{DJANGO}/**/*.py", recursive=True)))[::EVERY]


def count_lines(paths):
    return sum(pathlib.Path(path).read_bytes().count(b"\n") for path in paths)


def ours(paths):
    build = pathlib.Path(os.environ["LOSTWRITE"]).resolve().parent
    program = next(
        folder / "bench" / "bench_python_parse"
        for folder in (build, *build.parents)
        if (folder / "bench" / "bench_python_parse").exists()
    )
    output = subprocess.run([program, *paths], stdout=subprocess.PIPE, check=True, text=True).stdout
    print(f"lostwrite: {output.strip()}")
    return float(re.search(r": ([\d.]+) s", output).group(1))


def timed(work, paths):
    """The best of two rounds, reading not counted."""
    texts = [(path, pathlib.Path(path).read_bytes()) for path in paths]
    rounds = []
    for _ in range(2):
        start = time.process_time()
        for path, text in texts:
            work(path, text)
        rounds.append(time.process_time() - start)
    return min(rounds)


def parse(_path, text):
    try:
        ast.parse(text)
    except SyntaxError:
        pass


def report(name, seconds, lines, our_seconds_per_line):
    ratio = seconds / lines / our_seconds_per_line
    print(f"{name}: {lines / seconds / 1e6:.3f} million lines/s; lostwrite is {ratio:.1f} times as fast")


def main():
    warnings.simplefilter("ignore")
    paths = find_files()
    lines = count_lines(paths)
    our_seconds_per_line = ours(paths) / lines
    report("ast.parse", timed(parse, paths), lines, our_seconds_per_line)
    if importlib.util.find_spec("pyflakes") is None:
        print("pyflakes: not installed (Debian: python3-pyflakes)")
        return 0
    from pyflakes import checker

    def flake(path, text):
        try:
            checker.Checker(ast.parse(text), filename=path)
        except (SyntaxError, RecursionError):
            pass

    few = paths[::PYFLAKES_EVERY]
    report("pyflakes", timed(flake, few), count_lines(few), our_seconds_per_line)
    return 0


if __name__ == "__main__":
    sys.exit(main())
