"""One process of the load: calls functions as its standard input says, a JSON object a line, and answers with one.

    {"call": "mistakes.bug3_read_modify_write:increment", "args": [1], "gate": "UPDATE"}
    -> {"gate": "UPDATE ..."} before its first statement of that kind, and waits for a line
    -> {"value": ..., "error": null}
"""

import importlib
import json
import os
import re
import sys
import traceback

RETRIES_MAX = 5
# Of PostgreSQL and MySQL: serialization failure, deadlock, lock timeout, changed since the snapshot.
PASSING = {"40001", "40P01", "55P03", 1020, 1205, 1213}


class Gate:
    """An execute wrapper that stops before the first statement of a kind."""

    def __init__(self):
        self.pattern = None

    def __call__(self, execute, sql, params, many, context):
        if self.pattern is not None and self.pattern.match(sql):
            self.pattern = None
            tell({"gate": sql})
            sys.stdin.readline()
        return execute(sql, params, many, context)


def tell(answer):
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


def is_passing(error):
    code = getattr(error.__cause__, "pgcode", None) or (error.args[0] if error.args else None)
    return code in PASSING or type(error).__name__ == "Conflict"


def call(function, args):
    """With the call made again if it lost to another, as a caller would."""
    for attempt in range(RETRIES_MAX):
        try:
            return {"value": function(*args), "error": None, "retries": attempt}
        except Exception as error:
            if not is_passing(error):
                if type(error).__module__.startswith("django"):
                    traceback.print_exc()
                return {"value": None, "error": type(error).__name__, "retries": attempt}
    return {"value": None, "error": "gave up", "retries": RETRIES_MAX}


def main():
    import django

    django.setup()
    from django.db import connection

    if os.environ.get("LOAD_RECORDING"):
        from lostwrite_django.recorder import Recorder

        Recorder(os.environ["LOAD_RECORDING"], application="load").start()
    gate = Gate()
    with connection.execute_wrapper(gate):
        tell({"ready": True})
        for line in sys.stdin:
            order = json.loads(line)
            module, _, name = order["call"].partition(":")
            gate.pattern = re.compile(order["gate"]) if order.get("gate") else None
            answer = call(getattr(importlib.import_module(module), name), order["args"])
            gate.pattern = None
            answer["value"] = getattr(answer["value"], "pk", answer["value"])
            tell(answer)
    connection.close()


if __name__ == "__main__":
    main()
