"""What the lab runs: the functions of examples/orm_mistakes side by side, and on which rows.

A scenario is sessions (function and arguments), the rows to begin with, and, where one session is
enough to lose a write so that serial orders tell nothing, what has to hold at the end.
"""

import importlib
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
PROJECT = os.path.join(ROOT, "examples", "orm_mistakes")
POLLS = os.path.join(ROOT, "examples", "polls")

BUG1 = "mistakes.bug1_aliased_objects."
BUG2 = "mistakes.bug2_stale_save."
BUG3 = "mistakes.bug3_read_modify_write."
BUG4 = "mistakes.bug4_check_then_act."
BUG5 = "mistakes.bug5_stale_total."
BUG6 = "mistakes.bug6_late_lock."

LISTING = {"Listing": [{"id": 1, "title": "lamp", "price": 10}]}
COUNTER = {"Counter": [{"id": 1, "count": 7}]}
VERSIONED = {"VersionedCounter": [{"id": 1, "count": 7, "version": 3}]}
ORDER = {"Order": [{"id": 1, "email": "a@example.com", "state": "paid"}]}
INVOICE = {"Invoice": [{"id": 1, "paid": 0}], "Payment": []}
CAMPAIGN = {"Campaign": [{"id": 1, "pledged": 0}], "Pledge": []}
ACCOUNT = {"Account": [{"id": 1, "owner": "ann"}], "Entry": []}
SEAT = {"Seat": [{"id": 1, "booking_id": None}], "Booking": []}
QUESTION = {
    "polls.Question": [{"id": 1, "question_text": "Tea?", "pub_date": "2024-01-01 00:00:00"}],
    "polls.Choice": [{"id": 1, "question_id": 1, "choice_text": "yes", "votes": 3}],
}
TWO_CHOICES = {
    "polls.Question": QUESTION["polls.Question"],
    "polls.Choice": QUESTION["polls.Choice"]
    + [{"id": 2, "question_id": 1, "choice_text": "perhaps", "votes": 2}],
}
CABIN = {"Cabin": [{"id": 1, "number": 12}], "Reservation": []}


def courier_kept(rows):
    """Every parcel has the courier (2nd column) that was chosen for it."""
    return all(row[2] == 1 for row in rows if row[0] == "mistakes_parcel")


class Scenario:
    def __init__(self, name, kind, sessions, rows, holds=None):
        self.name = name
        # "bug", "fix"; "half fixed": a bug beside a fixed function; "admin": a view beside the
        # admin's forms; "variant": not in the examples, a check of the lab
        self.kind = kind
        self.sessions = sessions
        self.rows = rows
        self.holds = holds

    def programs(self):
        return [(resolve(symbol), args) for symbol, args in self.sessions]


def resolve(symbol):
    module, _, name = symbol.rpartition(".")
    return getattr(importlib.import_module(module), name)


def twice(symbol, *arguments):
    """SYMBOL beside itself: with each of ARGUMENTS, or with the same single one."""
    if len(arguments) == 1:
        arguments *= 2
    return [(symbol, args) for args in arguments]


def alone(name, kind):
    return Scenario(name, kind, [(BUG1 + name, ())], {"Parcel": []}, courier_kept)


def titles(kind, suffix, module=BUG2):
    title, price = "set_title" + suffix, "set_price" + suffix
    sessions = [(module + title, (1, "desk lamp")), (module + price, (1, 12))]
    return Scenario("%s + %s" % (title, price), kind, sessions, LISTING)


def pair(name, kind, module, rows, *arguments):
    return Scenario(name, kind, twice(module + name, *arguments), rows)


AMOUNTS = ((1, 30), (1, 50))
NAMES = ((1, "ann"), (1, "bob"))

SCENARIOS = [
    alone("register_parcel", "bug"),
    alone("register_parcel_refreshed", "fix"),
    alone("register_parcel_shared", "fix"),
    alone("register_parcel_update_fields", "fix"),
    titles("bug", ""),
    titles("fix", "_update_fields"),
    titles("fix", "_by_update"),
    titles("fix", "_locked"),
    pair("increment", "bug", BUG3, COUNTER, (1,)),
    pair("increment_by_f", "fix", BUG3, COUNTER, (1,)),
    pair("increment_by_update", "fix", BUG3, COUNTER, (1,)),
    pair("increment_locked", "fix", BUG3, COUNTER, (1,)),
    pair("increment_versioned", "fix", BUG3, VERSIONED, (1,)),
    pair("increment_serializable", "fix", BUG3, COUNTER, (1,)),
    pair("ship", "bug", BUG4, ORDER, (1,)),
    pair("ship_locked", "fix", BUG4, ORDER, (1,)),
    pair("ship_guarded", "fix", BUG4, ORDER, (1,)),
    pair("record_payment", "bug", BUG5, INVOICE, *AMOUNTS),
    pair("record_pledge", "bug", BUG5, CAMPAIGN, *AMOUNTS),
    pair("record_payment_locked", "fix", BUG5, INVOICE, *AMOUNTS),
    pair("record_pledge_locked", "fix", BUG5, CAMPAIGN, *AMOUNTS),
    pair("record_payment_by_update", "fix", BUG5, INVOICE, *AMOUNTS),
    pair("record_payment_serializable", "fix", BUG5, INVOICE, *AMOUNTS),
    pair("post_entry", "fix", BUG5, ACCOUNT, *AMOUNTS),
    pair("book_seat", "bug", BUG6, SEAT, *NAMES),
    pair("book_seat_lock_outside", "fix", BUG6, SEAT, *NAMES),
    pair("book_seat_locked", "fix", BUG6, SEAT, *NAMES),
    pair("reserve_cabin", "fix", BUG6, CABIN, *NAMES),
    Scenario(
        "set_title + set_price_update_fields",
        "half fixed",
        [(BUG2 + "set_title", (1, "desk lamp")), (BUG2 + "set_price_update_fields", (1, 12))],
        LISTING,
    ),
    Scenario(
        "set_price + set_title_update_fields",
        "half fixed",
        [(BUG2 + "set_price", (1, 12)), (BUG2 + "set_title_update_fields", (1, "desk lamp"))],
        LISTING,
    ),
    pair("increment_atomic", "variant", "variants.", COUNTER, (1,)),
    pair("increment_read_outside", "variant", "variants.", COUNTER, (1,)),
    titles("variant", "_atomic", "variants."),
    pair("record_pledge_locked_late", "variant", "variants.", CAMPAIGN, *AMOUNTS),
    pair("record_payment_locked_late", "variant", "variants.", INVOICE, *AMOUNTS),
    pair("book_seat_locked_late", "variant", "variants.", SEAT, *NAMES),
    pair("cast_vote", "variant", "variants.", QUESTION, (1, 1)),
    Scenario(
        "cast_vote + rename_choice",
        "variant",
        [("variants.cast_vote", (1, 1)), ("variants.rename_choice", (1, "no"))],
        QUESTION,
    ),
    Scenario(
        "cast_vote + change_choice",
        "admin",
        [("variants.cast_vote", (1, 1)), ("variants.change_choice", (1, "no", 5))],
        QUESTION,
    ),
    Scenario(
        "cast_vote + change_question",
        "admin",
        [
            ("variants.cast_vote", (1, 1)),
            ("variants.change_question", (1, "Milk?", ((1, "no", 5), (2, "perhaps", 2)))),
        ],
        TWO_CHOICES,
    ),
]
BY_NAME = {scenario.name: scenario for scenario in SCENARIOS}


class Fixture:
    """The rows a scenario begins with, and the reading of what it ends with.

    Tables are truncated, not emptied by DELETE: deleted rows that wait for InnoDB's purge split
    gaps, and so change which locks exclude each other.
    """

    FIRST_GENERATED_ID = 100

    def __init__(self, scenario, connection, vendor):
        from django.apps import apps

        self.connection = connection
        self.vendor = vendor
        self.tables = []
        for name, rows in scenario.rows.items():
            label, _, model = name.rpartition(".")
            self.tables.append((apps.get_model(label or "mistakes", model)._meta, rows))
        self.statements = list(self.reset_statements())

    def reset_statements(self):
        names = [meta.db_table for meta, _ in self.tables]
        if self.vendor == "postgresql":
            yield "TRUNCATE %s RESTART IDENTITY CASCADE" % ", ".join(names), ()
        else:
            yield "SET foreign_key_checks = 0", ()
            for name in names:
                yield "TRUNCATE %s" % name, ()
            yield "SET foreign_key_checks = 1", ()
        for meta, rows in self.tables:
            for row in rows:
                columns = ", ".join(self.quote(name) for name in row)
                values = ", ".join(["%s"] * len(row))
                statement = "INSERT INTO %s (%s) VALUES (%s)" % (meta.db_table, columns, values)
                yield statement, tuple(row.values())
            if self.vendor == "postgresql":
                yield "SELECT setval(pg_get_serial_sequence(%s, 'id'), %s, false)", (
                    meta.db_table,
                    self.FIRST_GENERATED_ID,
                )
            else:
                yield "ALTER TABLE %s AUTO_INCREMENT = %d" % (
                    meta.db_table,
                    self.FIRST_GENERATED_ID,
                ), ()

    def quote(self, name):
        return '"%s"' % name if self.vendor == "postgresql" else "`%s`" % name

    def reset(self):
        cursor = self.connection.cursor()
        for statement, values in self.statements:
            cursor.execute(statement, values)

    def read(self, created):
        """All rows, as (table, values...). CREATED: session -> [(table, id)] in order; a generated
        key becomes the name of its session and a number, counting the rows that are still there."""
        cursor = self.connection.cursor()
        contents = []
        for meta, _ in self.tables:
            columns = ", ".join(self.quote(f.column) for f in meta.concrete_fields)
            cursor.execute("SELECT %s FROM %s ORDER BY id" % (columns, meta.db_table))
            contents.append((meta, cursor.fetchall()))
        there = {(meta.db_table, row[0]) for meta, rows in contents for row in rows}
        names = {}
        for session, keys in created.items():
            for table in {table for table, _ in keys}:
                ids = [key for t, key in keys if t == table and (t, key) in there]
                for number, key in enumerate(ids, 1):
                    names[table, key] = "%s%d" % (session, number)
        result = []
        for meta, rows in contents:
            for row in rows:
                values = [self.named(f, v, names) for f, v in zip(meta.concrete_fields, row)]
                result.append((meta.db_table,) + tuple(values))
        return tuple(sorted(result, key=repr))

    @staticmethod
    def named(field, value, names):
        if field.primary_key:
            return names.get((field.model._meta.db_table, value), value)
        if field.remote_field is not None:
            return names.get((field.remote_field.model._meta.db_table, value), value)
        return value


def add_projects_to_path():
    for folder in (PROJECT, POLLS, HERE):
        if folder not in sys.path:
            sys.path.insert(0, folder)
