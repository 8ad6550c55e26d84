#!/usr/bin/env python3
"""`lostwrite check` on the examples, and on the projects named in $LOSTWRITE_PROJECTS (folders, colons between them):
processor time, time on all cores, peak memory, what share of the functions that touch the ORM it modelled. Beside it
on the same files: ast.parse, which does no more than read them; on projects pyflakes, and pylint (one process, on as
many files as hold PYLINT_LINES lines, for its lines a second)."""
import ast
import json
import os
import pathlib
import subprocess
import sys
import time
import warnings

ROUNDS = 3
PYLINT_LINES = 5000
PYTHON = "/usr/bin/python3"


def run(command):
    """Processor seconds, seconds, peak kilobytes and output of one run."""
    start = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    return (usage.ru_utime + usage.ru_stime, time.monotonic() - start, usage.ru_maxrss, output,
            os.waitstatus_to_exitcode(status))


def check(path, *options):
    """Processor seconds, seconds and peak kilobytes of one run, and its JSON."""
    cpu, wall, kilobytes, output, answer = run([os.environ["LOSTWRITE"], "check", str(path), "--format", "json", *options])
    if answer not in (0, 1):
        sys.exit(f"{path}: lostwrite answered {answer}")
    return cpu, wall, kilobytes, json.loads(output)


def parse(files):
    start = time.process_time()
    for file in files:
        try:
            ast.parse(file.read_bytes())
        except (SyntaxError, ValueError):
            pass
    return time.process_time() - start


def count_lines(files):
    return sum(file.read_bytes().count(b"\n") for file in files)


def files_read(path):
    """Those that lostwrite reads of a project."""
    output = run([os.environ["LOSTWRITE"], "check", str(path), "--show-files"])[3].decode()
    return [pathlib.Path(line) for line in output.splitlines()]


def has_module(name):
    return run([PYTHON, "-c", f"import {name}"])[4] == 0


def beside_linters(path, files, wall):
    lines = count_lines(files)
    if has_module("pyflakes"):
        seconds = run([PYTHON, "-m", "pyflakes", *map(str, files)])[1]
        print(f"{'':16} pyflakes {seconds:6.2f} s: {seconds / wall:5.1f} times as long as lostwrite on all cores")
    if has_module("pylint"):
        few, some = [], 0
        for file in files:
            if some < PYLINT_LINES:
                few.append(file)
                some += count_lines([file])
        seconds = run([PYTHON, "-m", "pylint", "--jobs=1", *map(str, few)])[1] * lines / max(some, 1)
        print(f"{'':16} pylint {seconds:8.1f} s (from {some} lines): {seconds / wall:5.0f} times as long")


def main():
    warnings.simplefilter("ignore")
    source = pathlib.Path(os.environ["LOSTWRITE_SOURCE"])
    examples = [source / "examples" / name for name in ("orm_mistakes", "polls")]
    projects = list(map(pathlib.Path, filter(None, os.environ.get("LOSTWRITE_PROJECTS", "").split(":"))))
    rates = []
    for path in examples + projects:
        alone = min((check(path, "--jobs=1") for _ in range(ROUNDS)), key=lambda found: found[0])
        cpu, _, _, report = alone
        _, wall, kilobytes, _ = min((check(path) for _ in range(ROUNDS)), key=lambda found: found[1])
        files = files_read(path)
        summary, parsing = report["summary"], parse(files)
        functions = summary["orm_functions"]
        share = 100 * summary["modelled_functions"] // functions if functions else 100
        print(f"{path.name:16} {summary['lines']:7} lines  {cpu * 1e3:8.1f} ms of CPU ({cpu / parsing:5.1f}x ast.parse),"
              f" {wall * 1e3:8.1f} ms on {len(os.sched_getaffinity(0))} cores  {kilobytes / 1024:6.1f} MB"
              f"  {len(report['findings']):3} findings  {functions} ORM functions, {share} % modelled", flush=True)
        if path in projects:
            rates.append((summary["lines"] / cpu, functions / cpu, path.name))
            beside_linters(path, files, wall)
    for what, at in (("lines", 0), ("functions that touch the ORM", 1)):
        if rates:
            few, many = min(rates, key=lambda rate: rate[at]), max(rates, key=lambda rate: rate[at])
            print(f"{what} a second of CPU: {few[at]:.0f} ({few[2]}) to {many[at]:.0f} ({many[2]})")


if __name__ == "__main__":
    main()
