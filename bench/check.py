#!/usr/bin/env python3
"""`lostwrite check` on the examples, and on the projects named in $LOSTWRITE_PROJECTS (folders, colons between them):
processor time, peak memory, what share of the functions that touch the ORM it modelled; beside ast.parse on the same
files, which does no more than read them."""
import ast
import json
import os
import pathlib
import subprocess
import sys
import time
import warnings

ROUNDS = 3


def check(path):
    """Processor seconds and peak kilobytes of one run, and its JSON."""
    command = [os.environ["LOSTWRITE"], "check", str(path), "--format", "json"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    if os.waitstatus_to_exitcode(status) not in (0, 1):
        sys.exit(f"{path}: lostwrite answered {os.waitstatus_to_exitcode(status)}")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss, json.loads(output)


def parse(path):
    start = time.process_time()
    for file in sorted(path.rglob("*.py")):
        try:
            ast.parse(file.read_bytes())
        except (SyntaxError, ValueError):
            pass
    return time.process_time() - start


def main():
    warnings.simplefilter("ignore")
    source = pathlib.Path(os.environ["LOSTWRITE_SOURCE"])
    paths = [source / "examples" / name for name in ("orm_mistakes", "polls")]
    paths += map(pathlib.Path, filter(None, os.environ.get("LOSTWRITE_PROJECTS", "").split(":")))
    for path in paths:
        runs = [check(path) for _ in range(ROUNDS)]
        seconds, kilobytes, report = min(runs, key=lambda run: run[0])
        summary, parsing = report["summary"], parse(path)
        functions = summary["orm_functions"]
        share = 100 * summary["modelled_functions"] // functions if functions else 100
        print(f"{path.name:16} {summary['lines']:7} lines  {seconds * 1e3:8.1f} ms ({seconds / parsing:5.1f}x ast.parse)"
              f"  {kilobytes / 1024:6.1f} MB  {len(report['findings']):3} findings"
              f"  {functions} ORM functions, {share} % modelled")


if __name__ == "__main__":
    main()
