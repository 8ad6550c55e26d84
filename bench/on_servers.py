#!/usr/bin/env python3
"""bench_on_server on PostgreSQL and on MariaDB, each started for it; the first argument names one alone."""
import os
import pathlib
import subprocess
import sys

SOURCE = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(SOURCE / "tests" / "live"))
import servers

PROGRAM = pathlib.Path(os.environ.get("LOSTWRITE", SOURCE / "build" / "lostwrite")).parent / "bench" / "bench_on_server"


def main(only=None):
    answers = []
    for kind, url in ((servers.PostgreSQL, "postgresql://lab@127.0.0.1:%d/postgres"),
                      (servers.MariaDB, "mysql://root@127.0.0.1:%d/")):
        if only in (None, kind.__name__):
            with kind() as server:
                answers.append(subprocess.run([str(PROGRAM), url % server.port]).returncode)
    return max(answers)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
