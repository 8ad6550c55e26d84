#!/usr/bin/python3
"""Random schedules on the built-in engine and on servers started for it: docs/differential.md.

    compare.py [--seconds N] [--servers NAME,...] [--seed N] [--keep FOLDER] [further options of the program]

SERVERS are names of `SERVERS` below; each is started, compared with for N seconds at each of its levels in turn, and
stopped. A server that can't be had here is passed over with the reason.
"""

import argparse
import contextlib
import os
import pathlib
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "live"))
import servers  # noqa: E402



# Each trial truncates its tables, which is dearer with a file for each and with statistics that are kept.
TRUNCATED_OFTEN = ["--innodb-file-per-table=0", "--innodb-adaptive-hash-index=0"]


class MariaDB(servers.MariaDB):
    def command(self):
        return super().command() + TRUNCATED_OFTEN + ["--innodb-stats-persistent=0"]


class MySQL(servers.MySQL):
    """With the library beside the program preloaded that has it see a killed wait at once, not within a second."""

    def command(self):
        return super().command() + TRUNCATED_OFTEN

    def libraries(self):
        found = super().libraries()
        ticks = program().parent / "ticks.so"
        if ticks.exists():
            mine = pathlib.Path(self.folder) / "ticks.so"  # where the server's user can read it
            shutil.copyfile(ticks, mine)
            mine.chmod(0o755)
            found["LD_PRELOAD"] = str(mine)
        return found


LEVELS = ["read committed", "repeatable read", "serializable"]
SERVERS = {
    "postgresql15": (servers.PostgreSQL, "postgresql", LEVELS),
    "postgresql18": (servers.PostgreSQL18, "postgresql", LEVELS),
    "mariadb": (MariaDB, "mariadb", LEVELS + [one + " snapshot_isolation" for one in LEVELS]),
    "mysql56": (MySQL, "mysql", LEVELS),
}
DEADLOCK_MS = 1  # each wait is waited for until it is past the deadlock check


def program():
    """The binary beside lostwrite's."""
    binary = pathlib.Path(os.environ.get("LOSTWRITE", "build/lostwrite")).resolve()
    return binary.parent / "tests" / "differential" / "differential"


def url_of(server):
    if isinstance(server, servers.PostgreSQL):
        return "postgresql://lab@127.0.0.1:%d/postgres" % server.port
    return "mysql://root@localhost/?socket=" + os.path.join(server.folder, "socket")


class Skipped(Exception):
    """The server is not to be had here; the text says why."""


def compare(name, options, output=None):
    """Runs the program on one server; what it answers: 0 no open difference, 1 some, 2 it could not go on. With `output` a
    text of what it printed is appended to that list."""
    kind, engine, levels = SERVERS[name]
    kind = type(kind.__name__, (kind,), {"DEADLOCK_MS": DEADLOCK_MS})
    server = kind()
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(server)
        except (servers.ServerError, FileNotFoundError, ImportError) as error:
            raise Skipped(str(error)) from error
        command = [str(program()), "--server", url_of(server)] + options
        for level in levels:
            command += ["--policy", "%s %s" % (engine, level)]
        if engine == "postgresql":
            command.append("--blockers")
        done = subprocess.run(command, stdin=subprocess.DEVNULL, encoding="utf-8",
                              stdout=subprocess.PIPE if output is not None else None,
                              stderr=subprocess.STDOUT if output is not None else None)
        if output is not None:
            output.append(done.stdout)
    return done.returncode


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", default="60")
    parser.add_argument("--servers", default=",".join(SERVERS))
    parser.add_argument("--seed", default="1")
    options, further = parser.parse_known_args()
    worst = 0
    for name in options.servers.split(","):
        if name not in SERVERS:
            parser.error("no server %s: %s" % (name, ", ".join(SERVERS)))
        print("== " + name, flush=True)
        try:
            worst = max(worst, compare(name, ["--seconds", options.seconds, "--seed", options.seed] + further))
        except Skipped as reason:
            print("skipped: %s" % reason, flush=True)
    return worst


if __name__ == "__main__":
    sys.exit(main())
