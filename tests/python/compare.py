#!/usr/bin/env python3
"""Compares our syntax trees with those of CPython's `ast`, node by node, attribute by attribute.

    compare.py DUMPER [--every N] [--show N] PATH...

DUMPER is tests/python/tool/pydump.c built, or any command that prints `== PATH` and the dump for each file it
is given. Every file that this Python (3.10 or newer) parses must give the same tree, positions included; every
file it rejects must give an error, unless it only uses syntax newer than this Python (see NEWER).
Positions inside f-strings are compared from Python 3.12 on: older ones are known to be wrong.
"""

import argparse
import ast
import codecs
import difflib
import json
import os
import pathlib
import re
import subprocess
import sys
import warnings

NODES = pathlib.Path(__file__).resolve().parents[2] / "src" / "python" / "nodes.def"
WITHOUT_SPAN = {"Module", "arguments", "comprehension", "withitem", "match_case"}
EXACT_FSTRINGS = sys.version_info >= (3, 12)
EMPTY_PIECES = sys.version_info[:2] == (3, 12)  # it keeps empty Constants in formats
BATCH = 200
SHOWN_BYTES_MAX = 2000  # larger files are not shown whole

# What a Python before the version rejects and we accept: by its message, or by the source.
NEWER = [
    ((3, 14), re.compile("multiple exception types must be parenthesized"), None),
    ((3, 14), None, re.compile(rb"\b([tT][rR]?|[rR][tT])['\"]")),
    ((3, 12), re.compile("f-string"), None),
    # We don't know the names of all characters, and say so (py_string_value).
    ((99,), re.compile("unknown Unicode character name"), None),
]
# What a Python before the version accepts and we reject: by our message.
OLDER = [
    ((3, 12), "unexpected end of file after line continuation character"),  # before CR LF
    ((3, 14), "not valid UTF-8"),  # in a comment
]


def read_kinds():
    """The fields of each kind, as nodes.def has them: {kind: [(sort, field)]}."""
    text = re.sub(r"/\*.*?\*/", "", NODES.read_text(), flags=re.S)
    kinds = {}
    for entry in re.finditer(r"PY_NODE\((\w+), \w+,((?:[^()]|\([^()]*\))*)\)", text):
        fields = re.findall(r"([A-Z_]+)(?:\((\w+)\))?", entry.group(2))
        kinds[entry.group(1)] = fields
    return kinds


KINDS = read_kinds()


def json_byte(error):
    """Lone surrogates: our dump shows each byte that is no UTF-8 as \\ufffd."""
    return "\\ufffd", error.start + 1


codecs.register_error("json_byte", json_byte)


def json_text(text):
    data = json.dumps(text, ensure_ascii=False).encode("utf-8", "surrogatepass")
    return data.decode("utf-8", "json_byte")


def constant(value, kind):
    if isinstance(value, (bool, type(None))) or value is Ellipsis:
        text = repr(value)
    elif isinstance(value, int):
        text = str(value) if value < 2**63 else "big"
    elif isinstance(value, float):
        text = f"float:{value:.17g}"
    elif isinstance(value, complex):
        text = f"complex:{value.imag:.17g}"
    elif isinstance(value, bytes):
        plain = (chr(b) if 0x20 <= b < 0x7F and b not in b'"\\' else f"\\x{b:02x}" for b in value)
        text = 'b"' + "".join(plain) + '"'
    else:
        text = json_text(value)
    return f" value={text}" + (" kind=u" if kind == "u" else "")


def attribute(node, sort, field):
    """What a field adds to the line of its node."""
    if sort in ("NAME", "OPT_NAME", "TEXT"):
        value = getattr(node, field)
        return "" if value is None else f" {field}={json_text(value)}"
    if sort == "NAMES":
        return f" {field}=[{','.join(json_text(name) for name in getattr(node, field))}]"
    if sort == "OPS":
        return f" {field}=[{','.join(type(op).__name__ for op in getattr(node, field))}]"
    if sort == "COUNT":
        return f" {field}={getattr(node, field) or 0}"
    if sort == "OP":
        return f" op={type(node.op).__name__}"
    if sort == "CTX":
        return f" ctx={type(node.ctx).__name__}"
    if sort == "CONVERSION":
        return f" conversion={chr(node.conversion)}" if node.conversion > 0 else ""
    if sort == "FLAG":
        return f" {field}={int(getattr(node, field))}"
    if sort == "CONSTANT":
        return constant(node.value, None)
    return ""


def dump(node, field, depth, out):
    head = "  " * depth + (f"{field}: " if field else "")
    if node is None:
        out.append(head + "None")
        return
    kind = type(node).__name__
    line = head + kind
    if kind not in WITHOUT_SPAN:
        line += f" @{node.lineno}:{node.col_offset}-{node.end_lineno}:{node.end_col_offset}"
    fields = KINDS[kind]
    if kind == "Constant":
        line += constant(node.value, node.kind)
    else:
        for sort, name in fields:
            line += attribute(node, sort, name)
    out.append(line)
    for sort, name in fields:
        if sort in ("NODE", "OPT"):
            child = getattr(node, name, None)
            if child is not None or sort == "NODE":
                dump(child, name, depth + 1, out)
        elif sort in ("LIST", "OPT_LIST"):
            for child in getattr(node, name, ()):
                if EMPTY_PIECES and kind == "JoinedStr" and getattr(child, "value", None) == "":
                    continue
                dump(child, name, depth + 1, out)


SPAN = re.compile(r" @\d+:\d+-\d+:\d+")


def mask(lines):
    """Without the positions inside f-strings."""
    masked, fstring = [], None
    for line in lines:
        indent = len(line) - len(line.lstrip(" "))
        if fstring is not None and indent > fstring:
            line = SPAN.sub("", line).replace(" kind=u", "")
        else:
            fstring = indent if ": JoinedStr @" in line else None
        masked.append(line)
    return masked


NAMED = re.compile(r' value=(named-escape|".*")( kind=u)?$')


def same(ours, theirs):
    """True if the dumps are alike, but for the values of strings with a named escape."""
    if ours == theirs:
        return True
    if not EXACT_FSTRINGS:
        ours, theirs = mask(ours), mask(theirs)
    return len(ours) == len(theirs) and all(
        our == their
        or (" value=named-escape" in our and NAMED.sub("", our) == NAMED.sub("", their))
        for our, their in zip(ours, theirs)
    )


def run_dumper(command, paths):
    """{path: lines of its dump}"""
    result = subprocess.run(
        command.split() + paths, stdout=subprocess.PIPE, timeout=300, check=False
    )
    if result.returncode < 0:
        sys.exit(f"{command}: died of signal {-result.returncode} on one of {paths[0]} ...")
    dumps, lines = {}, None
    for line in result.stdout.decode("utf-8", "replace").split("\n"):
        if line.startswith("== "):
            lines = dumps[line[3:]] = []
        elif lines is not None and line:
            lines.append(line)
    return dumps


def is_newer(error, source):
    """True if the error of this Python is none of a later one."""
    return any(
        sys.version_info < version
        and (message is None or message.search(str(error)))
        and (text is None or text.search(source))
        for version, message, text in NEWER
    )


def is_older(errors):
    """True if later versions reject what this Python accepts."""
    return any(
        sys.version_info < version and message in error
        for error in errors
        for version, message in OLDER
    )


def find_files(paths, every=1):
    files = []
    for path in paths:
        if os.path.isfile(path):
            files.append(path)
            continue
        for folder, folders, names in os.walk(path):
            folders.sort()
            files += [os.path.join(folder, name) for name in sorted(names) if name.endswith(".py")]
    return files[::every]


class Tally:
    """What came out of the files compared; the first `show` differences are printed."""

    def __init__(self, show=10):
        self.same = self.different = self.older = 0
        self.rejected = self.newer = self.accepted = 0
        self.nodes = 0
        self.show = show

    @property
    def failed(self):
        return self.different + self.accepted

    def __str__(self):
        version = ".".join(map(str, sys.version_info[:3]))
        return (
            f"Python {version}: {self.same} files alike ({self.nodes} nodes), {self.older} of older "
            f"syntax, {self.different} different; of files it rejects: {self.rejected} rejected, "
            f"{self.newer} of newer syntax, {self.accepted} accepted"
        )

    def report(self, path, source, text):
        if self.show > 0:
            print(f"--- {path}: {text}")
            if len(source) <= SHOWN_BYTES_MAX:
                print(source.decode("utf-8", "backslashreplace"))
        self.show -= 1

    def check(self, path, ours):
        with open(path, "rb") as file:
            source = file.read()
        errors = [line for line in ours if line.startswith("error ")]
        try:
            tree = ast.parse(source)
        except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
            if errors:
                self.rejected += 1
            elif is_newer(error, source):
                self.newer += 1
            else:
                self.accepted += 1
                self.report(path, source, f"Python rejects it: {error}")
            return
        theirs = []
        dump(tree, None, 0, theirs)
        self.nodes += len(theirs)
        if same(ours, theirs):
            self.same += 1
            return
        if is_older(errors):
            self.older += 1
            return
        self.different += 1
        if not EXACT_FSTRINGS:
            ours, theirs = mask(ours), mask(theirs)
        diff = difflib.unified_diff(theirs[:20000], ours[:20000], "python", "ours", n=1, lineterm="")
        self.report(path, source, "\n".join(["the trees differ", *errors[:3], *list(diff)[:12]]))


def compare(dumper, files, tally):
    """Adds the results of `files` to the tally."""
    warnings.simplefilter("ignore")
    for start in range(0, len(files), BATCH):
        batch = files[start : start + BATCH]
        dumps = run_dumper(dumper, batch)
        for path in batch:
            tally.check(path, dumps.get(path, []))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("dumper")
    parser.add_argument("paths", nargs="+")
    parser.add_argument("--every", type=int, default=1, help="only every Nth file")
    parser.add_argument("--show", type=int, default=10, help="how many differences to print")
    options = parser.parse_args()
    files = find_files(options.paths, options.every)
    tally = Tally(options.show)
    compare(options.dumper, files, tally)
    print(tally)
    return 1 if tally.failed or not files else 0


if __name__ == "__main__":
    sys.exit(main())
