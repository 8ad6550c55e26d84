#!/usr/bin/env python3
"""Runs the C programs of this folder, each against its real server, and adds up what they count."""
import os
import pathlib
import re
import subprocess
import sys
import tempfile

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TESTS))
sys.path.insert(0, str(TESTS / "live"))
import connect
import harness
import packages
import servers

PROGRAMS = pathlib.Path(harness.BINARY).parent / "tests"
PROGRAM_SECONDS_MAX = 300


def counts(output):
    """(passed, failed, skipped), as cmocka tells them."""
    started = sum(map(int, re.findall(r"^\[==========\] Running (\d+) test", output, re.M)))
    passed, skipped = (sum(map(int, re.findall(r"^\[  %s +\] (\d+) test" % word, output, re.M)))
                       for word in ("PASSED", "SKIPPED"))
    return passed, max(started - passed - skipped, 0 if started else 1), skipped


def run(name, environment):
    """Runs one program; shows what it printed if anything failed."""
    done = subprocess.run([str(PROGRAMS / ("server_%s_test" % name))], env=dict(os.environ, **environment),
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          timeout=PROGRAM_SECONDS_MAX, encoding="utf-8", errors="replace")
    passed, failed, skipped = counts(done.stdout)
    if done.returncode != 0 and failed == 0:
        failed = 1
    print("%s on %s: %d passed, %d failed, %d skipped"
          % (name, environment["LOSTWRITE_URL"].split("?")[0], passed, failed, skipped))
    if failed:
        print(done.stdout, "exit code", done.returncode)
    return passed, failed, skipped


def with_server(name, server, url, **more):
    """The program NAME, then the one that ends with the server killed."""
    environment = dict(more, LOSTWRITE_URL=url, LOSTWRITE_SERVER_PID=str(server.process.pid))
    yield name, environment
    yield "lost", environment


def postgresql(kind=servers.PostgreSQL):
    with kind() as server:
        connection = server.connect()
        connection.cursor().execute("CREATE ROLE plain LOGIN")
        connection.close()
        url = "postgresql://%%s@127.0.0.1:%d/postgres" % server.port
        yield from with_server("postgresql", server, url % "lab", LOSTWRITE_PLAIN_URL=url % "plain")


def postgresql_18():
    yield from postgresql(servers.PostgreSQL18)


def mariadb():
    with servers.MariaDB() as server:
        yield from with_server("mysql", server, "mysql://root@127.0.0.1:%d" % server.port)


def mysql():
    with servers.MySQL() as server:
        yield from with_server("mysql", server, "mysql://root@127.0.0.1:%d/" % server.port)


def sqlite():
    with tempfile.TemporaryDirectory(prefix="lostwrite-", dir=servers.fast_folder()) as folder:
        for option in "", "?journal_mode=wal":
            yield "sqlite", {"LOSTWRITE_URL": "sqlite:%s/db%s" % (folder, option), "LOSTWRITE_FOLDER": folder}
        left = os.listdir(folder)
        if left:
            raise AssertionError("left behind: %s" % left)


def run_side(side):
    try:
        return [run(name, environment) for name, environment in side()]
    except servers.ServerError as error:
        if not isinstance(error.__cause__, packages.PackageError):
            raise
        print("%s is skipped: %s" % (side.__name__, error))
        return [(0, 0, 1)]


SIDES = sqlite, postgresql, postgresql_18, mariadb, mysql, connect.postgresql, connect.mariadb


def main():
    all_counts = [one for side in SIDES for one in run_side(side)]
    passed, failed, skipped = map(sum, zip(*all_counts))
    print("server: %d passed, %d failed, %d skipped" % (passed, failed, skipped))
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
