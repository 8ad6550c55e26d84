"""A PostgreSQL with logical decoding, and `lostwrite watch --follow` on it.

    with LogicalServer() as server:
        with Follower(server, "shop", "--publication", "all", "--record", path) as follower:
            ...
            code, out, errors = follower.end()
"""

import os
import pathlib
import signal
import subprocess
import sys
import time

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[1]), str(pathlib.Path(__file__).resolve().parents[1] / "live")]
import harness
import servers

SECONDS_MAX = 30


class LogicalServer(servers.PostgreSQL):
    def command(self):
        return super().command() + ["-c", "wal_level=logical", "-c", "max_wal_senders=20", "-c", "max_replication_slots=20"]

    def url(self, database, user="lab"):
        return "postgresql://%s@127.0.0.1:%d/%s" % (user, self.port, database)


def wait_until(question, seconds_max=SECONDS_MAX):
    deadline = time.monotonic() + seconds_max
    while not question():
        if time.monotonic() > deadline:
            raise AssertionError("not within %d s" % seconds_max)
        time.sleep(0.02)


class Follower:
    """`watch --follow` that is listening; `end` sends it a SIGINT once it has been sent all that is committed."""

    def __init__(self, server, database, *options):
        self.connection = server.connect(database)
        self.cursor = self.connection.cursor()
        before = self.ask("SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'")
        self.process = subprocess.Popen([harness.BINARY, "watch", "--follow", *options, server.url(database)], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        try:
            wait_until(lambda: self.process.poll() is not None or
                       self.ask("SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'") > before)
        except BaseException:
            self.kill()
            raise

    def ask(self, sql):
        self.cursor.execute(sql)
        return self.cursor.fetchone()[0]

    def catch_up(self):
        self.cursor.execute("SELECT pg_current_wal_insert_lsn()")
        now = self.cursor.fetchone()[0]
        wait_until(lambda: self.ask("SELECT coalesce(bool_and(flush_lsn >= '%s'), false) FROM pg_stat_replication" % now))

    def end(self):
        self.catch_up()
        self.process.send_signal(signal.SIGINT)
        out, errors = self.process.communicate(timeout=SECONDS_MAX)
        return self.process.returncode, out.decode(), errors.decode()

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()

    def __enter__(self):
        return self

    def __exit__(self, *exc_info):
        self.kill()
        self.connection.close()


if __name__ == "__main__":
    # recorder.py FOLDER: writes the recordings anew.
    import scenario
    for identity in ("full", "default"):
        with LogicalServer() as server:
            server.create_database("shop")
            play = scenario.play(server.connect("shop"), identity)
            path = os.path.join(sys.argv[1], "postgresql-15-%s.stream" % identity)
            with Follower(server, "shop", "--publication", "everything", "--record", path) as follower:
                play()
                print(follower.end())
