#!/usr/bin/env python3
"""Random schedules a second: on the built-in engine alone, then with each server beside it (docs/differential.md)."""
import os
import pathlib
import re
import subprocess
import sys

SOURCE = pathlib.Path(os.environ.get("LOSTWRITE_SOURCE", pathlib.Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(SOURCE / "tests" / "differential"))
import compare  # noqa: E402

SECONDS = "8"


def rate(text):
    return re.search(r"(\d+) a second$", text, re.M)[1]


def main():
    policies = []
    for level in compare.LEVELS:
        policies += ["--policy", "postgresql " + level]
    done = subprocess.run([str(compare.program()), "--seconds", SECONDS] + policies,
                          stdout=subprocess.PIPE, encoding="utf-8")
    print("%-14s %s schedules a second" % ("built-in", rate(done.stdout)))
    for name in compare.SERVERS:
        output = []
        try:
            compare.compare(name, ["--seconds", SECONDS, "--differences", "100000"], output)
            print("%-14s %s schedules a second" % (name, rate(output[0])), flush=True)
        except compare.Skipped as reason:
            print("%-14s skipped: %s" % (name, reason), flush=True)


if __name__ == "__main__":
    main()
