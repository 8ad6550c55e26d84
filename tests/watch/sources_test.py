#!/usr/bin/env python3
"""One load with known lost writes, read by each source at once: which kinds of loss each of them sees, and that none of them
tells of one in the correct variant. `sources_test.py --table ROUNDS [--pedantic]` prints the table of docs/watch.md."""
import contextlib
import glob
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent), str(HERE.parent / "live"), str(HERE / "load"), str(HERE.parent / "pgoutput")]
import harness
import load
import recall
import recorder
import servers
from proxy_test import Proxy

ROUNDS = 3


class PostgreSQL(recorder.LogicalServer):
    identity = "FULL"

    def command(self):
        logs = os.path.join(self.folder, "log")
        os.makedirs(logs, exist_ok=True)
        os.chmod(logs, 0o777)
        command = super().command()
        for setting in ("logging_collector=on", "log_destination=stderr,csvlog,jsonlog", "log_directory=" + logs, "log_file_mode=0644",
                        "log_filename=db.log", "log_statement=all", "log_line_prefix=%m [%p] %q%u@%d "):
            command += ["-c", setting]
        return command

    def sources(self):
        logs = os.path.join(self.folder, "log")
        return {"PostgreSQL stderr log": os.path.join(logs, "db.log"), "PostgreSQL csvlog": os.path.join(logs, "db.csv"),
                "PostgreSQL jsonlog": os.path.join(logs, "db.json")}

    @contextlib.contextmanager
    def followed(self, folder):
        """What the server sends a subscriber meanwhile: {source: path}."""
        path = os.path.join(folder, "logical.lw")
        connection = self.connect("shop")
        cursor = connection.cursor()
        cursor.execute("SELECT oid::regclass FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace")
        for table, in cursor.fetchall():
            cursor.execute("ALTER TABLE %s REPLICA IDENTITY %s" % (table, self.identity))
        connection.close()
        with recorder.Follower(self, "shop", "--create-publication", "--no-search", "--record", path) as follower:
            yield {self.title + " logical decoding": path}
            code, _, errors = follower.end()
        if code not in (0, 1) or errors:
            raise AssertionError(errors)

    engine, title = "postgresql", "PostgreSQL"


class PostgreSQLByKey(PostgreSQL):
    """As tables are made: the row before a change is not sent."""
    identity = "DEFAULT"

    def sources(self):
        return {}


class MariaDB(servers.MariaDB):
    def command(self):
        return super().command() + ["--general-log=1", "--general-log-file=general.log", "--slow-query-log=1", "--slow-query-log-file=slow.log",
                                    "--long-query-time=0", "--log-bin=binlog", "--binlog-format=ROW", "--binlog-row-image=FULL",
                                    "--binlog-row-metadata=FULL", "--binlog-annotate-row-events=1", "--server-id=1"]

    def sources(self):
        data = os.path.join(self.folder, "data")
        found = {"MariaDB general log": "general.log", "MariaDB slow log": "slow.log", "MariaDB binary log": "binlog.000001"}
        return {name: glob.glob(os.path.join(self.folder, "**", file), recursive=True)[0] for name, file in found.items()}

    @contextlib.contextmanager
    def followed(self, folder):
        yield {}

    engine, title = "mysql", "MariaDB"


def databases(server, port):
    environment = server.environment("shop")
    return {"default": {"ENGINE": "django.db.backends." + server.engine, "NAME": "shop", "USER": environment["DB_USER"],
                        "PASSWORD": environment["DB_PASSWORD"], "HOST": environment["DB_HOST"], "PORT": str(port)}}


def watch(path, *options):
    done = subprocess.run([harness.BINARY, "watch", "--show-values", "--no-search", "--format", "json", path, *options], capture_output=True, timeout=300)
    if done.returncode not in (0, 1):
        raise AssertionError("%s: %s" % (path, done.stderr.decode()))
    return json.loads(done.stdout)


def run(server_class, variant, rounds, *options):
    """(what was lost in fact, {source: report}) of one load."""
    with tempfile.TemporaryDirectory() as folder, server_class() as server:
        server.create_database("shop")
        recorded = os.path.join(folder, "proxy.lw")
        proxy = Proxy(server.port, "--record", recorded)
        try:
            with load.Load(databases(server, proxy.port), recording=os.path.join(folder, "app.jsonl")) as it:
                it.prepare()
                with server.followed(folder) as sent:
                    truth = it.run(variant, rounds)
            proxy.end()
            time.sleep(1) # the log's collector writes
            sources = dict(server.sources(), **{server_class.title + " proxy": recorded}, **sent)
            recordings = sorted(glob.glob(os.path.join(folder, "app.jsonl*")))
            reports = {name: watch(path, *options) for name, path in sources.items()}
            both = os.path.join(folder, "both")
            os.mkdir(both)
            for i, path in enumerate(recordings):
                os.rename(path, os.path.join(both, "%d.jsonl" % i))
            if recordings:
                reports[server_class.title + " recording"] = watch(both, *options)
        finally:
            proxy.kill()
    return truth, reports


class OnServer:
    def test_what_each_source_sees(self):
        truth, reports = run(self.server, "lossy", ROUNDS)
        _, correct = run(self.server, "correct", ROUNDS)
        for source, report in reports.items():
            counts, _ = recall.recall(truth, report)
            for rule in self.seen[source.split(" ", 1)[1]]:
                self.assertEqual(counts[rule], (ROUNDS, ROUNDS), (source, rule, report["losses"]))
            self.assertEqual(correct[source]["losses"], [], source)
            self.assertGreater(correct[source]["summary"]["writes"], 0, source)


# Without --pedantic. A log does not show what was read: two that wrote the same number may each have meant it.
LOG = ["LW002", "LW004", "LW005", "LW006"]
ALL = ["LW001", "LW002", "LW003", "LW004", "LW005", "LW006", "LW007"]


class OnPostgreSQL(OnServer, unittest.TestCase):
    server = PostgreSQL
    seen = {"stderr log": LOG + ["LW007"], "csvlog": LOG + ["LW007"], "jsonlog": LOG + ["LW007"], "proxy": ALL, "recording": ALL,
            "logical decoding": ["LW002"]}


class OnPostgreSQLByKey(OnServer, unittest.TestCase):
    """What was there before follows from what was told before."""
    server = PostgreSQLByKey
    seen = {"proxy": ALL, "recording": ALL, "logical decoding": ["LW002"]}


class OnMariaDB(OnServer, unittest.TestCase):
    server = MariaDB
    seen = {"general log": LOG, "slow log": LOG, "binary log": ["LW002"], "proxy": ALL, "recording": ALL}


def print_table(rounds, *options):
    for server in (PostgreSQL, PostgreSQLByKey, MariaDB):
        truth, reports = run(server, "lossy", rounds, *options)
        _, correct = run(server, "correct", rounds, *options)
        rules = sorted({lost["rule"] for lost in truth["lost"]})
        print("| source | " + " | ".join(rules) + " | told of the correct variant |")
        for source, report in reports.items():
            counts, _ = recall.recall(truth, report)
            print("| %s | %s | %d |" % (source, " | ".join("%d of %d" % counts[rule] for rule in rules), len(correct[source]["losses"])))
            for loss in correct[source]["losses"]:
                print("    correct:", loss["code"], loss["evidence"], loss["table"], loss["columns"], loss["count"], json.dumps(loss["examples"][0])[:1500])


if __name__ == "__main__":
    if sys.argv[1:2] == ["--table"]:
        print_table(int(sys.argv[2]), *sys.argv[3:])
    else:
        harness.main("sources")
