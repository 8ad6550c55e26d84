"""What lostwrite says of the example, in the lab's terms: scenarios, schedules, table cells."""

import ast
import json
import os
import re
import subprocess

import scenarios
from measure import SNAPSHOT

BINARY = os.environ.get("LOSTWRITE", os.path.join(scenarios.ROOT, "build", "lostwrite"))
CHECK_SECONDS_MAX = 60

# These take a request; the lab calls them through functions that make one.
CALLED_THROUGH = {
    "polls.views.vote": "variants.cast_vote",
    "polls.admin (Choice)": "variants.change_choice",
    "polls.admin.QuestionAdmin": "variants.change_question",
}


class ToolError(Exception):
    """lostwrite is missing, failed, or said something that its JSON format doesn't allow."""


def run(*arguments):
    """The JSON that lostwrite printed. Its exit code 1 says that something was found."""
    try:
        done = subprocess.run(
            [BINARY] + list(arguments),
            cwd=scenarios.ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            timeout=CHECK_SECONDS_MAX,
        )
    except OSError as e:
        raise ToolError("%s: %s (build it first, or set LOSTWRITE)" % (BINARY, e.strerror))
    if done.returncode not in (0, 1):
        raise ToolError("exit %d: %s" % (done.returncode, done.stderr.decode()[-1000:]))
    try:
        return json.loads(done.stdout)
    except ValueError as e:
        raise ToolError("not JSON: %s: %r" % (e, done.stdout[:200]))


def check(*options, path="examples/orm_mistakes"):
    return run("check", path, "--format", "json", *options)["findings"]


def prove_counts(scenario):
    """(server, level) -> counts of all schedules, one for each built-in engine that stands for it."""
    places = []
    called = {through: symbol for symbol, through in CALLED_THROUGH.items()}
    for symbol, _ in scenario.sessions:
        symbol = called.get(symbol, symbol)
        path, _, _ = span_of(symbol)
        place = "%s:%s" % (os.path.relpath(path, scenarios.ROOT), name_of(symbol)[1])
        if place not in places:
            places.append(place)
    options = ["--sessions", "1"] if len(scenario.sessions) == 1 else []
    report = run("prove", *places, "--all-schedules", "--format", "json", *options)
    return {key: [cell["counts"] for cell in cells] for key, cells in cells_of(report).items()}


def witness_sql(*places):
    """The SQL of the last session, whole, as `prove` shows functions side by side."""
    report = run("prove", *places, "--engine", "postgresql", "--format", "json")
    steps = report["findings"][0]["witness"]["steps"]
    last = max(step["session"] for step in steps)
    return [step["sql"] for step in steps if step["session"] == last]


def symbols_of(finding):
    """The functions that run side by side; one alone if the finding needs no other."""
    other = finding.get("other")
    if not other or not other.get("symbol"):
        return [finding["symbol"]]
    return [finding["symbol"], other["symbol"]]


def known_arguments():
    """Symbol -> (rows, [arguments]) as the scenarios call it."""
    known = {}
    for scenario in scenarios.SCENARIOS:
        for symbol, arguments in scenario.sessions:
            known.setdefault(symbol, (scenario.rows, []))[1].append(arguments)
    return known


def scenario_named_by(symbols):
    """The scenario with exactly these sessions, in any order, or None."""
    symbols = [CALLED_THROUGH.get(symbol, symbol) for symbol in symbols]
    for scenario in scenarios.SCENARIOS:
        if sorted(symbol for symbol, _ in scenario.sessions) == sorted(symbols):
            return scenario
    return None


def scenario_for(symbols):
    """A scenario that runs SYMBOLS as sessions A, B, ...: the one we know, else one made up."""
    symbols = [CALLED_THROUGH.get(symbol, symbol) for symbol in symbols]
    for scenario in scenarios.SCENARIOS:
        if [symbol for symbol, _ in scenario.sessions] == symbols:
            return scenario
    known = known_arguments()
    used, sessions, rows = {}, [], {}
    for symbol in symbols:
        if symbol not in known:
            raise ToolError("no arguments known for %s" % symbol)
        its_rows, arguments = known[symbol]
        rows.update(its_rows)
        number = used[symbol] = used.get(symbol, -1) + 1
        sessions.append((symbol, arguments[number % len(arguments)]))
    return scenarios.Scenario(" + ".join(symbols), "tool", sessions, rows)


def witness_sessions(finding):
    """Session letter -> symbol, by the source lines of the witness's steps."""
    symbols = symbols_of(finding)
    letters = sorted({step["session"] for step in finding["witness"]["steps"]})
    if len(set(symbols)) == 1:
        return dict.fromkeys(letters, symbols[0])
    spans = {symbol: span_of(symbol) for symbol in symbols}
    result = {}
    for letter in letters:
        lines = [
            (os.path.realpath(os.path.join(scenarios.ROOT, step["path"])), step["line"])
            for step in finding["witness"]["steps"]
            if step["session"] == letter and step.get("path")
        ]
        for symbol, (path, first, last) in spans.items():
            if any(p == path and first <= line <= last for p, line in lines):
                result[letter] = symbol
        if letter not in result:
            raise ToolError("session %s of the witness is none of %s" % (letter, symbols))
    return result


def name_of(symbol):
    """("polls.views", "vote"), ("polls.admin", "Choice") for "polls.admin (Choice)"."""
    admin = re.fullmatch(r"([\w.]+) \((\w+)\)", symbol)
    return admin.groups() if admin else (symbol.rpartition(".")[0], symbol.rpartition(".")[2])


def registers(node, name):
    """Whether a statement is admin.site.register(...) with NAME among the arguments."""
    call = getattr(node, "value", None)
    return (
        isinstance(call, ast.Call)
        and getattr(call.func, "attr", "") == "register"
        and name in [getattr(argument, "id", "") for argument in call.args]
    )


def span_of(symbol):
    """(file, first line, last line) of a function, or of the line that registers an admin."""
    module, name = name_of(symbol)
    for folder in (scenarios.PROJECT, scenarios.POLLS):
        path = os.path.join(folder, *module.split(".")) + ".py"
        if os.path.exists(path):
            with open(path) as f:
                tree = ast.parse(f.read())
            for node in tree.body:
                is_function = isinstance(node, ast.FunctionDef) and node.name == name
                if is_function or registers(node, name):
                    return os.path.realpath(path), node.lineno, node.end_lineno
    raise ToolError("no function %s in the examples" % symbol)


def witness_schedule(finding):
    """The order of the witness's sessions, and its programs as a scenario."""
    sessions = witness_sessions(finding)
    letters = sorted(sessions)
    scenario = scenario_for([sessions[letter] for letter in letters])
    names = {letter: chr(ord("A") + i) for i, letter in enumerate(letters)}
    schedule = "".join(names[step["session"]] for step in finding["witness"]["steps"])
    return scenario, schedule


def cells_of(finding):
    """(server, level) as in the expected files -> the tool's cells: MySQL's are MariaDB's too."""
    cells = {}
    for cell in finding["engines"]:
        level = cell["isolation"]
        server = "mariadb" if cell["engine"] == "mysql" else cell["engine"]
        if cell["engine"] == "mariadb" and level == "snapshot isolation":
            level = "repeatable read" + SNAPSHOT
        cells.setdefault((server, level), []).append(cell)
    return cells


def agrees(tool_cell, measured):
    """Whether the tool's word for a cell is what the server did."""
    said, counts = tool_cell["verdict"], measured["counts"]
    if counts["wrong"]:
        return said == "lost"
    if not counts["failed"]:
        return said == "ok"
    kinds = set()
    if counts["deadlock"]:
        kinds.add("deadlock")
    if counts["serialization"] or counts["timeout"] or counts["unique"]:
        kinds.add("error")
    return said in kinds
