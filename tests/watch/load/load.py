"""Load with known lost writes: two Django processes call the functions of examples/orm_mistakes on a real server, in step.

    truth = load.run(DATABASES, "lossy", rounds=10)
    with load.Load(DATABASES) as it:          # to begin a capture between the two
        it.prepare()
        truth = it.run("lossy", 10)

Each round plants a loss of each kind, on rows of its own: session A stops before its write, B before its own, then A goes on
to its end, and B. Variant "correct" has the functions with F(), select_for_update, update_fields, a version, a constraint in the
same steps (a session that waits for a lock is let be). Both also do what is harmless: the same functions one after the other.

The answer is what was lost in fact, looked up at the server by a third process:

    {"variant": "lossy", "rounds": 10, "server": "PostgreSQL 15...", "planted": 70, "prevented": 0, "calls": 420,
     "lost": [{"kind": "read-modify-write", "rule": "LW003", "table": "mistakes_counter", "columns": ["count"], "key": {"id": 12},
               "round": 0, "expected": 9, "actual": 8, "functions": [...]}, ...]}

`columns` are those whose change is gone; of a row that is there twice (LW007) that by which it was looked for, as in `key`, `expected` and `actual`
being numbers of rows. As a program: load.py DATABASES.json VARIANT ROUNDS.
"""

import json
import os
import pathlib
import queue
import subprocess
import sys
import threading

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]
ANSWER_SECONDS_MAX = 60
LOCKED_SECONDS = 0.2  # a session of a correct function that has not come to its write by then waits for a lock

BUG = "mistakes.bug%s:"
ALIASED, STALE, RMW, TOTAL, LATE = (BUG % name for name in (
    "1_aliased_objects", "2_stale_save", "3_read_modify_write", "5_stale_total", "6_late_lock"))
PLANTED = "planted:"


class LoadError(Exception):
    pass


class Worker:
    """One Django process, which answers lines."""

    def __init__(self, name, environment):
        self.name = name
        self.lines = queue.Queue()
        self.process = subprocess.Popen([sys.executable, str(HERE / "worker.py")], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        env=environment, cwd=HERE, encoding="utf-8")
        threading.Thread(target=self._read, daemon=True).start()
        self.answer()

    def _read(self):
        for line in self.process.stdout:
            self.lines.put(json.loads(line))
        self.lines.put(None)

    def send(self, call, args, gate=None):
        self.process.stdin.write(json.dumps({"call": call, "args": args, "gate": gate}) + "\n")
        self.process.stdin.flush()

    def go(self):
        self.process.stdin.write("{}\n")
        self.process.stdin.flush()

    def answer(self, seconds=ANSWER_SECONDS_MAX):
        """Its next line; None: there is none in that time."""
        try:
            line = self.lines.get(timeout=seconds)
        except queue.Empty:
            if seconds < ANSWER_SECONDS_MAX:
                return None
            raise LoadError("session %s does not answer" % self.name)
        if line is None:
            raise LoadError("session %s ended with %s" % (self.name, self.process.wait()))
        return line

    def call(self, call, *args):
        self.send(call, args)
        answer = self.answer()
        if answer["error"] == "gave up" or (answer["error"] and self.name == "clerk"):
            raise LoadError("%s%s: %s" % (call, args, answer["error"]))
        return answer["value"]

    def close(self):
        self.process.stdin.close()
        try:
            self.process.wait(ANSWER_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()


class Kind:
    """One kind of loss: `rows` to begin with, the calls of A and B on them, and the column in which a change is gone.

    `expected(old, round)`: the values that are right at the end. A function in `lossy` or `correct` stands for its name in both sessions.
    """

    def __init__(self, name, rule, model, values, column, lossy, correct, args, expected, gate="UPDATE"):
        self.name, self.rule = name, rule
        self.model, self.values, self.column = model, values, column
        self.lossy, self.correct = lossy, correct
        self.args, self.expected, self.gate = args, expected, gate

    def calls(self, variant, round_):
        """[(function, args after the key), ...] of the sessions."""
        choices = self.lossy if variant == "lossy" else self.correct
        functions = choices[round_ % len(choices)]
        return list(zip(functions, self.args(round_)))


def both(*functions):
    return [(function, function) for function in functions]


KINDS = [
    Kind("stale-save", "LW002", "Listing", {"title": "lamp", "price": 10}, "title",
         [(STALE + "set_title", STALE + "set_price")],
         [(STALE + "set_title" + how, STALE + "set_price" + how) for how in ("_update_fields", "_by_update", "_locked")],
         lambda n: [["desk lamp %d" % n], [12 + n]], lambda n: ["desk lamp %d" % n]),
    Kind("read-modify-write", "LW003", "Counter", {"count": 7}, "count",
         both(RMW + "increment"), both(RMW + "increment_by_f", RMW + "increment_locked", RMW + "increment_by_update"),
         lambda n: [[], []], lambda n: [9]),
    Kind("read-modify-write", "LW003", "VersionedCounter", {"count": 7, "version": 3}, "count",
         [], both(RMW + "increment_versioned"), lambda n: [[], []], lambda n: [9]),
    Kind("check-then-act", "LW004", "Order", {"email": "a@example.com"}, "state",
         both(PLANTED + "move_order"), both(PLANTED + "move_order_guarded", PLANTED + "move_order_locked"),
         lambda n: [["shipped"], ["void"]], lambda n: ["shipped"]),
    Kind("stale-total", "LW005", "Campaign", {}, "pledged",
         both(TOTAL + "record_pledge"), both(TOTAL + "record_pledge_locked"),
         lambda n: [[100 + n], [20]], lambda n: [120 + n]),
    Kind("late-lock", "LW006", "Seat", {}, "booking__passenger",
         both(LATE + "book_seat"), both(LATE + "book_seat_locked"),
         lambda n: [["ann %d" % n], ["bob %d" % n]], lambda n: ["ann %d" % n]),
]


class Load:
    """`comments`: statements tell where they come from (integrations/django); `recording`: the file to which the processes record
    what they send; `environment`: added to theirs."""

    def __init__(self, databases, comments=False, recording=None, environment=None):
        path = [HERE, ROOT / "examples" / "orm_mistakes", ROOT / "integrations" / "django", os.environ.get("PYTHONPATH", "")]
        self.environment = dict(os.environ, LOAD_DATABASES=json.dumps(databases), LOAD_COMMENTS=str(int(comments)),
                                LOAD_RECORDING=str(recording or ""), DJANGO_SETTINGS_MODULE="load_settings",
                                PYTHONDONTWRITEBYTECODE="1", PYTHONPATH=os.pathsep.join(str(entry) for entry in path if entry),
                                **(environment or {}))
        self.workers = []

    def __enter__(self):
        try:
            self.a, self.b, self.clerk = (self._worker(name) for name in ("A", "B", "clerk"))
        except BaseException:
            self.__exit__()
            raise
        return self

    def _worker(self, name):
        worker = Worker(name, self.environment)
        self.workers.append(worker)
        return worker

    def __exit__(self, *exc_info):
        for worker in self.workers:
            worker.close()

    def prepare(self):
        """Makes the tables."""
        self.clerk.call(PLANTED + "migrate")

    def run(self, variant, rounds):
        if variant not in ("lossy", "correct"):
            raise ValueError(variant)
        self.truth = {"variant": variant, "rounds": rounds, "server": self.clerk.call(PLANTED + "server"),
                      "planted": 0, "prevented": 0, "calls": 0, "lost": []}
        for number in range(rounds):
            for kind in KINDS:
                if kind.lossy or variant == "correct":
                    self._plant(kind, variant, number)
            self._alias(variant, number)
            self._duplicate(variant, number)
            self._harmless(variant, number)
        return self.truth

    def _together(self, calls, gate, variant):
        """A and B stop before their writes; A goes on to its end, then B."""
        stopped = []
        self.truth["calls"] += len(calls)
        for worker, (function, args) in zip((self.a, self.b), calls):
            worker.send(function, args, gate)
            answer = worker.answer(ANSWER_SECONDS_MAX if variant == "lossy" else LOCKED_SECONDS)
            stopped.append(answer)
        for worker, answer in zip((self.a, self.b), stopped):
            # None: it waits for a lock, and comes to its write once the other is done.
            while answer is None or "gate" in answer:
                if answer is not None:
                    worker.go()
                answer = worker.answer()
            if answer["error"] == "gave up":
                raise LoadError("session %s: %s" % (worker.name, calls))

    def _note(self, kind, rule, table, column, key, number, expected, actual, functions):
        self.truth["planted"] += self.truth["variant"] == "lossy"
        if actual == expected:
            self.truth["prevented"] += self.truth["variant"] == "lossy"
            return
        self.truth["lost"].append({"kind": kind, "rule": rule, "table": table, "columns": [column],
                                   "key": key, "round": number, "expected": expected, "actual": actual,
                                   "functions": [function.replace(":", ".") for function in functions]})

    def _plant(self, kind, variant, number):
        key = self.clerk.call(PLANTED + "make", kind.model, kind.values)
        calls = kind.calls(variant, number)
        self._together([(function, [key] + args) for function, args in calls], kind.gate, variant)
        actual = self.clerk.call(PLANTED + "values_of", kind.model, key, kind.column)
        self._note(kind.name, kind.rule, "mistakes_" + kind.model.lower(), kind.column.partition("__")[0] + "_id" * ("__" in kind.column),
                   {"id": key}, number, kind.expected(number)[0], actual, [function for function, _ in calls])

    def _alias(self, variant, number):
        """LW001: one session, two objects for one row."""
        correct = ["register_parcel_refreshed", "register_parcel_shared", "register_parcel_update_fields"]
        function = ALIASED + ("register_parcel" if variant == "lossy" else correct[number % len(correct)])
        self.truth["calls"] += 1
        key = (self.a, self.b)[number % 2].call(function)
        courier = self.clerk.call(PLANTED + "values_of", "Parcel", key, "courier")
        self._note("aliased-objects", "LW001", "mistakes_parcel", "courier", {"id": key}, number, 1, courier, [function])

    def _duplicate(self, variant, number):
        """LW007: two sessions find no row, and create it."""
        if variant == "lossy":
            passenger = "carol %d of %d" % (number, os.getpid())
            key = {"passenger": passenger}
            calls = [(PLANTED + "book_passenger", [passenger])] * 2
            count = "Booking", key
        else:
            cabin = self.clerk.call(PLANTED + "make", "Cabin", {"number": number})
            calls = [(PLANTED + "reserve", [cabin, "carol"])] * 2
            key = {"cabin_id": cabin}
            count = "Reservation", key
        self._together(calls, "INSERT", variant)
        self._note("duplicate-create", "LW007", "mistakes_" + count[0].lower(), list(key)[0], key, number, 1,
                   self.clerk.call(PLANTED + "count_of", *count), [calls[0][0]])

    def _harmless(self, variant, number):
        """The same functions one after the other, the same value twice, reads: nothing is lost, in either variant."""
        counter = self.clerk.call(PLANTED + "make", "Counter", {"count": 0})
        listing = self.clerk.call(PLANTED + "make", "Listing", {"title": "chair", "price": 5})
        order = [(self.a, RMW + "increment", [counter]), (self.b, RMW + "increment", [counter]), (self.a, PLANTED + "look", [counter]),
                 (self.b, STALE + "set_title", [listing, "stool"]), (self.a, STALE + "set_price", [listing, 6]),
                 (self.b, PLANTED + "rename", [listing, "stool"]), (self.a, RMW + "increment_by_f", [counter])]
        for worker, function, args in order:
            worker.call(function, *args)
        self.truth["calls"] += len(order)
        found = (self.clerk.call(PLANTED + "values_of", "Counter", counter, "count"),
                 self.clerk.call(PLANTED + "values_of", "Listing", listing, "title"),
                 self.clerk.call(PLANTED + "values_of", "Listing", listing, "price"))
        if found != (3, "stool", 6):
            raise LoadError("one after the other, and yet lost: %s" % (found,))


def run(databases, variant, rounds, **options):
    with Load(databases, **options) as it:
        it.prepare()
        return it.run(variant, rounds)


if __name__ == "__main__":
    with open(sys.argv[1]) as file:
        json.dump(run(json.load(file), sys.argv[2], int(sys.argv[3])), sys.stdout, indent=2)
        print()
