#!/usr/bin/python3
"""Measure every scenario on every server and level: run all schedules, compare with serial orders.

    /usr/bin/python3 tests/live/measure.py [--only NAME] [--seconds N] [--output FOLDER]

Writes one JSON file for each server (expected/postgresql.json, expected/mariadb.json). The tests
hold lostwrite's tables and the built-in engines against these, and measure some cells again.
"""

import argparse
import collections
import contextlib
import itertools
import json
import os
import sys
import threading
import time

import scenarios
from schedules import COUNTED, InnoDBView, Lab, LabError, PostgreSQLView
from servers import MariaDB, PostgreSQL

LEVELS = ("read committed", "repeatable read", "serializable")
SNAPSHOT = " + snapshot isolation"
DATABASE = "mistakes"


class Config:
    """A server kind at a level. SNAPSHOT means MariaDB's innodb_snapshot_isolation=ON."""

    def __init__(self, vendor, level):
        self.vendor = vendor
        self.level = level
        self.snapshot = level.endswith(SNAPSHOT)
        self.isolation = level.replace(SNAPSHOT, "")

    def __str__(self):
        return "%s, %s" % (self.vendor, self.level)


CONFIGS = {
    "postgresql": [Config("postgresql", level) for level in LEVELS],
    "mariadb": [Config("mariadb", level) for level in LEVELS]
    + [Config("mariadb", level + SNAPSHOT) for level in LEVELS[1:]],
}


def set_up_django():
    """Django with the example projects; the database is chosen later, by `use`."""
    scenarios.add_projects_to_path()
    os.environ["DJANGO_SETTINGS_MODULE"] = "lab_settings"
    import django

    django.setup()


def use(server, config):
    """Make Django's default database that server at that level, for threads begun from now on."""
    from django.db import connections

    environment = server.environment(DATABASE)
    if config.vendor == "postgresql":
        from psycopg2 import extensions

        level = getattr(extensions, "ISOLATION_LEVEL_" + config.isolation.upper().replace(" ", "_"))
        engine, options = "django.db.backends.postgresql", {"isolation_level": level}
    else:
        snapshot = "ON" if config.snapshot else "OFF"
        engine = "django.db.backends.mysql"
        options = {
            "isolation_level": config.isolation,
            "init_command": "SET SESSION innodb_snapshot_isolation=%s" % snapshot,
        }
    settings = {"ENGINE": engine, "OPTIONS": options}
    for name in ("NAME", "USER", "PASSWORD", "HOST", "PORT"):
        settings[name] = environment["DB_" + name]
    connections.close_all()
    if hasattr(connections._connections, "default"):
        del connections["default"]
    connections.databases["default"] = settings
    connections.ensure_defaults("default")
    connections.prepare_test_settings("default")


def migrate(server, vendor):
    from django.core.management import call_command
    from django.db import connections

    server.create_database(DATABASE)
    use(server, CONFIGS[vendor][0])
    for app in ("mistakes", "polls"):
        call_command("migrate", app, verbosity=0)
    connections.close_all()


def view_of(server, vendor):
    return {"postgresql": PostgreSQLView, "mariadb": InnoDBView}[vendor](server, DATABASE)


class Bench:
    """A server with the tables in it; gives a lab for a level, and a fixture for a scenario."""

    def __init__(self, server, vendor):
        self.server = server
        self.vendor = vendor
        migrate(server, vendor)
        self.connection = server.connect(DATABASE)
        self.view = view_of(server, vendor)

    def lab(self, config):
        from mistakes import locks

        use(self.server, config)
        lab = Lab(self.view)
        locks._locks = lab.mutexes
        return lab

    @contextlib.contextmanager
    def locks(self):
        """The example's own locks, for code that runs in no lab."""
        from mistakes import locks

        of_lab, locks._locks = locks._locks, collections.defaultdict(threading.Lock)
        try:
            yield
        finally:
            locks._locks = of_lab

    def fixture(self, scenario):
        return scenarios.Fixture(scenario, self.connection, self.vendor)


def serial_outcomes(lab, programs, fixture):
    """By the names of those that ran: the outcomes of every order of every choice of sessions."""
    outcomes = {}
    indices = range(len(programs))
    for size in range(1, len(programs) + 1):
        for order in itertools.permutations(indices, size):
            run = lab.serial(programs, fixture, order)
            outcomes.setdefault(frozenset(run.fates), set()).add(run.outcome(run.fates))
    fixture.reset()
    outcomes[frozenset()] = {(fixture.read({}), ())}
    return outcomes


def is_wrong(run, serial, scenario):
    """No serial order of those that no database error ended gives this outcome."""
    if scenario.holds is not None and not scenario.holds(run.rows):
        return True
    return run.explained_by(serial) is None


def is_refused(run, serial):
    """Somebody raised who wouldn't have in any serial order: nothing lost, but not done either."""
    names = run.explained_by(serial)
    return names is not None and set(names) != set(run.survivors())


def measure(lab, scenario, fixture, seconds_max):
    """Count what every schedule of a scenario ends in. See expected/README.md for the fields."""
    programs = scenario.programs()
    serial = serial_outcomes(lab, programs, fixture)
    counts = dict.fromkeys(("schedules", "wrong") + COUNTED + ("waits", "failed", "refused", "stray_effects"), 0)
    cell = {"counts": counts, "codes": [], "complete": True}
    codes = set()
    begin = time.monotonic()
    for run in lab.every_schedule(programs, fixture):
        count_run(counts, run)
        counts["refused"] += is_refused(run, serial)
        codes.update(fate[2] for fate in run.fates.values() if fate[0] == "error")
        if is_wrong(run, serial, scenario):
            counts["wrong"] += 1
            if "witness" not in cell or switches(run.schedule) < switches(cell["witness"]):
                cell["witness"] = run.schedule
        if time.monotonic() - begin > seconds_max:
            cell["complete"] = False
            break
    cell["codes"] = sorted(codes)
    cell["verdict"] = verdict(counts)
    return cell


def count_run(counts, run):
    counts["schedules"] += 1
    counts["waits"] += run.waits > 0
    kinds = {kind for kind, _ in run.errors}
    for kind in COUNTED:
        counts[kind] += kind in kinds
    alive = run.survivors()
    counts["failed"] += len(alive) < len(run.fates)
    counts["stray_effects"] += any(run.effects[n] for n in run.fates if n not in alive)


def switches(schedule):
    return sum(a != b for a, b in zip(schedule, schedule[1:]))


def verdict(counts):
    """The word of a table's cell: what the worst schedule does to the caller."""
    if counts["wrong"]:
        return "lost"
    if not counts["failed"]:
        return "ok"
    return "deadlock" if counts["deadlock"] else "error"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", action="append", help="a scenario's name (repeatable)")
    parser.add_argument("--server", choices=sorted(CONFIGS))
    parser.add_argument("--seconds", type=float, default=600, help="most for one cell")
    parser.add_argument("--output", default=os.path.join(scenarios.HERE, "expected"))
    arguments = parser.parse_args()
    set_up_django()
    kinds = {"postgresql": PostgreSQL, "mariadb": MariaDB}
    for vendor in [arguments.server] if arguments.server else ("postgresql", "mariadb"):
        with kinds[vendor]() as server:
            result = measure_server(server, vendor, arguments)
        path = os.path.join(arguments.output, vendor + ".json")
        write_result(path, result, bool(arguments.only))


def measure_server(server, vendor, arguments):
    import django

    bench = Bench(server, vendor)
    cells = {}
    for config in CONFIGS[vendor]:
        with bench.lab(config) as lab:
            for scenario in scenarios.SCENARIOS:
                if arguments.only and scenario.name not in arguments.only:
                    continue
                begin = time.monotonic()
                cell = measure(lab, scenario, bench.fixture(scenario), arguments.seconds)
                cells.setdefault(scenario.name, {})[config.level] = cell
                print(
                    "%-6.1fs %s: %s: %s %s"
                    % (time.monotonic() - begin, config, scenario.name, cell["verdict"],
                       {k: v for k, v in cell["counts"].items() if v}),
                    flush=True,
                )  # fmt: skip
    return {
        "server": vendor,
        "version": server.version,
        "made_by": "tests/live/measure.py with Django %s" % django.get_version(),
        "scenarios": {
            s.name: {"kind": s.kind, "sessions": [symbol for symbol, _ in s.sessions],
                     "levels": cells[s.name]}
            for s in scenarios.SCENARIOS if s.name in cells
        },
    }  # fmt: skip


def write_result(path, result, merge):
    """Write RESULT; if MERGE, keep what the file already holds of other scenarios."""
    if merge and os.path.exists(path):
        with open(path) as f:
            old = json.load(f)
        old["scenarios"].update(result["scenarios"])
        result["scenarios"] = old["scenarios"]
    with open(path, "w") as f:
        f.write(render(result))


def render(result):
    """JSON with one line a cell, so that a change shows as a line of a diff."""
    lines = ["{"]
    for key in ("server", "version", "made_by"):
        lines.append(" %s: %s," % (json.dumps(key), json.dumps(result[key])))
    lines.append(' "scenarios": {')
    blocks = []
    for name, scenario in result["scenarios"].items():
        head = '  %s: {"kind": %s, "sessions": %s, "levels": {\n' % tuple(
            json.dumps(x) for x in (name, scenario["kind"], scenario["sessions"])
        )
        cells = ["   %s: %s" % (json.dumps(k), json.dumps(v)) for k, v in scenario["levels"].items()]
        blocks.append(head + ",\n".join(cells) + "\n  }}")
    return "\n".join(lines) + "\n" + ",\n".join(blocks) + "\n }\n}\n"


if __name__ == "__main__":
    sys.exit(main())
