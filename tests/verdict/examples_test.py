#!/usr/bin/env python3
"""The examples' exact counts, against what tests/live measured on real servers for the same functions under Django."""
import json
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import harness

EXPECTED = harness.SOURCE / "tests" / "live" / "expected"

# The example, and the scenario of tests/live that sends the same statements.
SAME = {
    "bug1_aliased_objects": "register_parcel",
    "bug1_fix_one_object": "register_parcel_shared",
    "bug1_fix_refresh": "register_parcel_refreshed",
    "bug1_fix_update_fields": "register_parcel_update_fields",
    "bug2_stale_save": "set_title + set_price",
    "bug2_fix_update_fields": "set_title_update_fields + set_price_update_fields",
    "bug2_fix_queryset_update": "set_title_by_update + set_price_by_update",
    "bug2_fix_select_for_update": "set_title_locked + set_price_locked",
    "bug3_read_modify_write": "increment",
    "bug3_atomic": "increment_atomic",
    "bug3_fix_f_expression": "increment_by_f",
    "bug3_fix_queryset_update": "increment_by_update",
    "bug3_fix_select_for_update": "increment_locked",
    "bug4_check_then_act": "ship",
    "bug4_fix_select_for_update": "ship_locked",
    "bug5_stale_total": "record_payment",
    "bug5_stale_total_no_fk": "record_pledge",
    "bug5_fix_select_for_update": "record_payment_locked",
    "bug5_fix_select_for_update_no_fk": "record_pledge_locked",
    "bug5_fix_f_expression": "record_payment_by_update",
    "bug6_late_lock": "book_seat",
    "bug6_fix_lock_outside": "book_seat_lock_outside",
    "bug6_fix_select_for_update": "book_seat_locked",
    "lw006_late_lock": "record_pledge_locked_late",
}

# What the servers were measured at: (engine, isolation as prove has it) and the name in the expected file.
LEVELS = {
    "postgresql": {"read committed": "read committed", "repeatable read": "repeatable read",
                   "serializable": "serializable"},
    "mariadb": {"read committed": "read committed", "repeatable read": "repeatable read",
                "snapshot isolation": "repeatable read + snapshot isolation",
                "serializable": "serializable"},
}
COUNTS = ("schedules", "wrong", "serialization", "deadlock", "timeout", "unique", "waits")


def path_of(name):
    folder = "tests/verdict/cases" if name.startswith("lw") else "examples/txn"
    return "%s/%s.txn" % (folder, name)


class TheServers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.measured = {engine: json.loads((EXPECTED / (engine + ".json")).read_text())["scenarios"]
                        for engine in LEVELS}

    def cells(self, name):
        """{(engine, isolation): cell} of `prove --all-schedules`."""
        code, out, err = harness.lostwrite("prove", path_of(name), "--all-schedules", "--format",
                                           "json", cwd=harness.SOURCE)
        self.assertIn(code, (0, 1), err)
        runs = [json.loads(line) for line in out.splitlines() if line.strip()]
        self.assertEqual(len(runs), 1)
        return {(cell["engine"], cell["isolation"]): cell for cell in runs[0]["engines"]}

    def test_counts(self):
        differ = []
        for name, scenario in SAME.items():
            cells = self.cells(name)
            for engine, levels in LEVELS.items():
                for isolation, level in levels.items():
                    measured = self.measured[engine][scenario]["levels"][level]
                    ours = cells[engine, isolation]
                    there = {key: measured["counts"][key] for key in COUNTS}
                    if ours["counts"] != there or ours["verdict"] != measured["verdict"]:
                        differ.append("%s on %s, %s: %s %s\n    measured: %s %s" % (
                            name, engine, isolation, ours["verdict"], ours["counts"],
                            measured["verdict"], there))
        self.assertFalse(differ, "\n" + "\n".join(differ))


if __name__ == "__main__":
    harness.main("examples")
