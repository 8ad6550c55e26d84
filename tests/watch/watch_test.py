#!/usr/bin/env python3
"""The command watch: sources found by looking, losses told with their evidence, what can be lost, files written, errors."""
import gzip
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from harness import BINARY as LOSTWRITE, main

READ = 'SELECT "counter"."id", "counter"."count" FROM "counter" WHERE "counter"."id" = 1 LIMIT 21'
WRITE = 'UPDATE "counter" SET "count" = %d WHERE "counter"."id" = 1'


def log_line(second, pid, sql):
    return "2026-11-27 10:00:%06.3f UTC [%d] LOG:  statement: %s\n" % (second, pid, sql)


def log(statements, start=0):
    return "".join(log_line(start + i / 100, pid, sql) for i, (pid, sql) in enumerate(statements))


BEFORE = [(100, READ), (100, WRITE % 7)]
LOST = [(101, READ), (102, READ), (101, WRITE % 8), (102, WRITE % 8)]
KEPT = [(101, READ), (101, WRITE % 8), (102, READ), (102, WRITE % 9)]


def recording(events):
    lines = [{"lostwrite": "recording", "version": 1, "server": "postgresql"}]
    lines += [dict(event="statement", session=1, time=1790000000000000 + i * 1000, **event)
              for i, event in enumerate(events)]
    return "".join(json.dumps(line) + "\n" for line in lines)


GREEN_RUN = recording([
    {"sql": READ + " /*file='shop%2Fviews.py%3A12'*/", "columns": ["id", "count"], "rows": [[1, 7]], "row_count": 1},
    {"sql": WRITE % 8 + " /*file='shop%2Fviews.py%3A14'*/", "row_count": 1},
])


def answered(sql, **row):
    """A SELECT (or RETURNING) with its one row."""
    return {"sql": sql, "columns": list(row), "rows": [list(row.values())], "row_count": 1}


def item_saved(item, order, count, lock):
    """A transaction that reads an item and saves it, with or without a lock of its order."""
    statements = [answered("SELECT id, order_id, n FROM item WHERE id = %d" % item, id=item, order_id=order, n=count),
                  {"sql": "UPDATE item SET order_id = %d, n = %d WHERE id = %d" % (order, count + 1, item), "row_count": 1}]
    locked = [answered("SELECT id FROM shop_order WHERE id = %d FOR UPDATE" % order, id=order)] if lock else []
    return [{"sql": "BEGIN"}, *locked, *statements, {"sql": "COMMIT"}]


def total_added(item, order, amount, total, lock):
    """A transaction that adds an item and writes the sum into its order."""
    locked = [answered("SELECT id FROM shop_order WHERE id = %d FOR UPDATE" % order, id=order)] if lock else []
    return [{"sql": "BEGIN"}, *locked,
            answered("INSERT INTO item (order_id, n) VALUES (%d, %d) RETURNING id" % (order, amount), id=item),
            answered("SELECT SUM(n) AS s FROM item WHERE order_id = %d" % order, s=total),
            {"sql": "UPDATE shop_order SET total = %d WHERE id = %d" % (total, order), "row_count": 1}, {"sql": "COMMIT"}]


class Watch(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def path(self, name, text=None):
        path = os.path.join(self.folder.name, name)
        if text is not None:
            with (gzip.open if name.endswith(".gz") else open)(path, "wb") as file:
                file.write(text.encode())
        return path

    def watch(self, *arguments, stdin=b""):
        return subprocess.run([LOSTWRITE, "watch", *arguments], input=stdin, capture_output=True, timeout=60)

    def losses(self, *arguments, **options):
        done = self.watch("--format", "json", *arguments, **options)
        self.assertEqual(done.stderr, b"")
        report = json.loads(done.stdout)
        self.assertEqual(done.returncode, 1 if report["losses"] or report.get("can_lose", {}).get("findings") else 0)
        return [(loss["code"], loss["evidence"], loss["table"], loss["columns"], loss["count"])
                for loss in report["losses"]], report

    def test_a_log(self):
        expected = [("LW003", "arithmetic", "counter", ["count"], 1)]
        text = log(BEFORE + LOST)
        for name in ("postgresql.log", "packed.log.gz"):
            self.assertEqual(self.losses(self.path(name, text))[0], expected, name)
        self.assertEqual(self.losses("-", stdin=text.encode())[0], expected)
        self.assertEqual(self.losses(self.path("kept.log", log(BEFORE + KEPT)))[0], [])

    def test_a_rotated_log_is_one_source(self):
        folder = self.path("logs")
        os.mkdir(folder)
        self.path("logs/db.log.2.gz", log(BEFORE))
        self.path("logs/db.log.1", log(LOST[:3], 10))
        self.path("logs/db.log", log(LOST[3:], 20))
        losses, report = self.losses(folder)
        self.assertEqual(losses, [("LW003", "arithmetic", "counter", ["count"], 1)])
        self.assertEqual(report["summary"]["sources"], 3)
        self.assertEqual(report["summary"]["gaps"], 0)

    def test_a_folder_may_hold_other_files(self):
        os.mkdir(self.path("logs"))
        self.path("logs/README", "what is it? \n" * 50)
        self.path("logs/db.log", log(BEFORE + LOST))
        losses, report = self.losses(self.path("logs"))
        self.assertEqual(len(losses), 1)
        self.assertEqual([(os.path.basename(gap["file"]), gap["reason"]) for gap in report["gaps"]],
                         [("README", "not read: nothing that watch knows")])

    def test_values_are_hashed(self):
        path = self.path("a.log", log([(101, "SELECT id, name FROM person WHERE id = 48151623"), (102, "UPDATE person SET name = 'Ada Lovelace' WHERE id = 48151623"),
                                       (101, "UPDATE person SET name = 'Grace Hopper' WHERE id = 48151623")]))
        hidden, shown = self.watch(path).stdout.decode(), self.watch("--show-values", path).stdout.decode()
        self.assertIn("LW003", hidden)
        for value in ("48151623", "Ada", "Grace"):
            self.assertNotIn(value, hidden)
            self.assertIn(value, shown)

    def test_what_a_green_run_can_lose(self):
        path, folder = self.path("run.jsonl", GREEN_RUN), self.path("emitted")
        losses, report = self.losses(path, "--emit-tests", folder)
        self.assertEqual(losses, [])
        findings = report["can_lose"]["findings"]
        self.assertEqual([(f["code"], f["table"], f["columns"], f["path"], f["line"]) for f in findings],
                         [("LW003", "counter", ["count"], "shop/views.py", 14)])
        self.assertEqual(sorted(os.listdir(folder)), [findings[0]["id"] + ".spec", findings[0]["id"] + ".txn"])
        proved = subprocess.run([LOSTWRITE, "prove", os.path.join(folder, findings[0]["id"] + ".txn")],
                                capture_output=True, timeout=60)
        self.assertEqual(proved.returncode, 1, proved)
        self.assertIn(b"LW003", proved.stdout)
        played = subprocess.run([LOSTWRITE, "prove", os.path.join(folder, findings[0]["id"] + ".spec")],
                                capture_output=True, timeout=60)
        self.assertEqual(played.returncode, 0, played)
        self.assertEqual(played.stdout.count(b"UPDATE counter SET count = 101"), 2, played.stdout.decode())

    def test_programs(self):
        path = self.path("programs.txn")
        self.watch(self.path("run.jsonl", GREEN_RUN), "--no-search", "--programs", path)
        with open(path, encoding="utf-8") as file:
            text = file.read()
        self.assertIn("r.count = r.count + 1", text)
        self.assertIn("CREATE TABLE counter (id integer PRIMARY KEY, count integer);", text)

    def can_lose(self, events, *arguments):
        losses, report = self.losses(self.path("run.jsonl", recording(events)), *arguments)
        self.assertEqual(losses, [])
        self.assertNotIn("internal", report.get("can_lose", {}))
        return [(f["code"], f["table"], f["columns"]) for f in report["can_lose"]["findings"]]

    def test_a_lock_of_another_row_is_part_of_the_program(self):
        runs = lambda lock: item_saved(2, 5, 7, lock) + item_saved(3, 6, 9, lock)
        self.assertEqual(self.can_lose(runs(False)), [("LW003", "item", ["n"])])
        self.assertEqual(self.can_lose(runs(True)), [])

    def test_a_total_over_rows_that_another_adds(self):
        runs = lambda lock: total_added(8, 5, 10, 17, lock) + total_added(9, 6, 4, 4, lock)
        self.assertEqual(self.can_lose(runs(False)), [("LW005", "shop_order", ["total"])])
        self.assertEqual(self.can_lose(runs(True)), [])

    def test_looked_up_and_created(self):
        run = [{"sql": "SELECT id FROM guest WHERE mail = 'a'", "columns": ["id"], "rows": [], "row_count": 0},
               answered("INSERT INTO guest (mail) VALUES ('a') RETURNING id", id=3)]
        self.assertEqual(self.can_lose(run), [])
        self.assertEqual(self.can_lose(run, "--pedantic"), [("LW007", "guest", [])])
        self.assertIn("no constraint keeps mail of guest unique", self.watch("--pedantic", self.path("run.jsonl")).stdout.decode())

    def test_one_writes_back_what_another_deletes_or_sets_by_a_condition(self):
        save = [answered("SELECT id, order_id, n FROM item WHERE id = %d" % 2, id=2, order_id=5, n=7),
                {"sql": "UPDATE item SET order_id = 5, n = 12 WHERE id = 2", "row_count": 1}]
        self.assertEqual(self.can_lose(save), [])
        self.assertEqual(self.can_lose(save + [{"sql": "UPDATE item SET order_id = 6 WHERE order_id = 5", "row_count": 3}]),
                         [("LW002", "item", ["order_id"])])

    def test_a_version_that_is_read_and_compared(self):
        read = 'SELECT "counter"."id", "counter"."count", "counter"."version" FROM "counter" WHERE "counter"."id" = 5 LIMIT 21'
        write = 'UPDATE "counter" SET "count" = 9, "version" = 5 WHERE ("counter"."id" = 5 AND "counter"."version" = 4)'
        losses, report = self.losses(self.path("versioned.log", log([(1, read), (1, write)])))
        self.assertEqual(losses, [])
        self.assertEqual(report.get("can_lose", {}).get("findings", []), [])

    def test_damage_is_told_and_read_past(self):
        text = log(BEFORE + LOST).encode()
        packed = self.path("cut.log.gz")
        with open(packed, "wb") as file:
            file.write(gzip.compress(text)[:-12])
        losses, report = self.losses(packed)
        self.assertEqual([gap["reason"] for gap in report["gaps"]], ["the packed file is damaged or cut: the rest of it is not read"])
        losses, report = self.losses(self.path("bad.jsonl", GREEN_RUN + "{\n"))
        self.assertEqual(report["gaps"][0]["line"], 4)

    def test_errors(self):
        for arguments, message in (
                ([], "nothing to read"),
                ([self.path("none")], "No such file"),
                ([self.path("noise", "\x00\x01\x02 what is it? \n" * 50)], "nothing that watch knows"),
                (["--source", "postgres", "-"], "unknown source"),
                (["--memory", "0", "-"], "--memory"),
                (["--window", "x", "-"], "--window")):
            done = self.watch(*arguments)
            self.assertEqual(done.returncode, 2, arguments)
            self.assertIn(message, done.stderr.decode())
            self.assertEqual(done.stdout, b"")

    def test_an_empty_source_is_not_an_error(self):
        self.assertEqual(self.losses(self.path("empty.log", ""))[0], [])


if __name__ == "__main__":
    main("watch")
