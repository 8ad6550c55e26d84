#!/usr/bin/env python3
"""Statements a second that watch reads from logs, analysis included, beside pgbadger and pt-query-digest on the same file, as
medians of interleaved runs. The logs are made here: reads and writes of rows by fifty sessions."""
import os
import pathlib
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

SOURCE = pathlib.Path(__file__).resolve().parent.parent
BINARY = os.path.abspath(os.environ.get("LOSTWRITE", str(SOURCE / "build" / "lostwrite")))
STATEMENTS, OTHERS_STATEMENTS, RUNS = 1000000, 40000, 3


def statements(count, quote):
    rng = random.Random(1)
    for i in range(count):
        key = rng.randrange(100000)
        if i % 2 == 0:
            sql = "SELECT `shop_order`.`id`, `shop_order`.`state`, `shop_order`.`total` FROM `shop_order` WHERE `shop_order`.`id` = %d LIMIT 21" % key
        else:
            sql = "UPDATE `shop_order` SET `state` = 'paid', `total` = %d WHERE `shop_order`.`id` = %d" % (rng.randrange(1000), key)
        yield i / 1000, 100 + rng.randrange(50), sql.replace("`", quote)


def clock(seconds):
    return "2026-11-27 %02d:%02d:%09.6f" % (10 + int(seconds) // 3600, int(seconds) // 60 % 60, seconds % 60)


def write_stderr_log(path, count):
    with open(path, "w", encoding="ascii") as file:
        for seconds, pid, sql in statements(count, '"'):
            file.write("%s UTC [%d] LOG:  duration: 0.100 ms  statement: %s\n" % (clock(seconds)[:-3], pid, sql))


def write_slow_log(path, count):
    with open(path, "w", encoding="ascii") as file:
        for seconds, pid, sql in statements(count, "`"):
            file.write("# Time: %sZ\n# User@Host: shop[shop] @ localhost []  Id: %d\n# Query_time: 0.000100  Lock_time: 0.000000 "
                       "Rows_sent: 1  Rows_examined: 1\nSET timestamp=%d;\n%s;\n" % (clock(seconds).replace(" ", "T"), pid, 1795773600 + int(seconds), sql))


def rate(command, count):
    began = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL, timeout=600, cwd=tempfile.gettempdir())
    return count / (time.perf_counter() - began)


def compare(folder, name, write, other):
    large, small = os.path.join(folder, name + ".log"), os.path.join(folder, name + "-small.log")
    write(large, STATEMENTS)
    write(small, OTHERS_STATEMENTS)
    ours, theirs = [], []
    for _ in range(RUNS):
        ours.append(rate([BINARY, "watch", "--no-search", large], STATEMENTS))
        if shutil.which(other[0]):
            theirs.append(rate(other + [small], OTHERS_STATEMENTS))
    line = "%-20s %9.0f statements a second" % (name, statistics.median(ours))
    if theirs:
        line += "   %s %9.0f   ratio %.0f" % (other[0], statistics.median(theirs), statistics.median(ours) / statistics.median(theirs))
    else:
        line += "   %s is not installed" % other[0]
    print(line, flush=True)


def main():
    with tempfile.TemporaryDirectory() as folder:
        compare(folder, "postgresql-stderr", write_stderr_log,
                ["pgbadger", "-q", "-f", "stderr", "-p", "%m [%p] ", "-o", os.path.join(folder, "out.html")])
        compare(folder, "mysql-slow", write_slow_log, ["pt-query-digest", "--type", "slowlog", "--progress", "time,3600"])
    return 0


if __name__ == "__main__":
    sys.exit(main())
