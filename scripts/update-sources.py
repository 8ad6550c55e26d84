#!/usr/bin/env python3
"""Writes the file lists of the meson.build files anew (`make sources`).

The lists stay explicit, so that a build never depends on a stray file; this only spares the typing.
A list stands between `NAME_sources = files(` or `NAME_programs = [` and the line that closes it.
With --check nothing is written: the lists that are out of date are named, and the answer is 1.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent


def relisted(text, variable, opening, closing, names):
    """`text` with the list of `variable` replaced by `names`, sorted."""
    pattern = re.compile(
        r"^%s = %s\n.*?^%s$" % (variable, re.escape(opening), re.escape(closing)), re.M | re.S)
    body = "".join("  '%s',\n" % name for name in sorted(names))
    new = "%s = %s\n%s%s" % (variable, opening, body, closing)
    if not pattern.search(text):
        return text + ("\n" if text else "") + new + "\n"
    return pattern.sub(lambda _: new, text)


def lists_of(folder):
    """(variable, opening, closing, names) of each list that belongs into the folder's meson.build."""
    place = folder.relative_to(ROOT).parts
    c_files = [path.name for path in folder.glob("*.c")]
    if place[0] == "src":
        yield ("%s_sources" % place[1], "files(", ")", [c for c in c_files if c != "main.c"])
    elif place[0] == "tests":
        part = re.sub(r"\W", "_", place[1])
        yield ("%s_c_tests" % part, "[", "]", [c for c in c_files if c.endswith("_test.c")])
        yield ("%s_shared" % part, "files(", ")", [c for c in c_files if not c.endswith("_test.c") and c != "main.c"])
        yield ("%s_py_tests" % part, "[", "]", [path.name for path in folder.glob("*_test.py")])
    elif place[0] == "fuzz":
        yield ("fuzz_targets", "[", "]", [c[:-2] for c in c_files if c != "replay.c"])
    elif place[0] == "bench":
        yield ("bench_programs", "[", "]", [c[:-2] for c in c_files])


def folders():
    for parent in ("src", "tests"):
        for folder in sorted((ROOT / parent).iterdir()):
            if folder.is_dir() and (any(folder.glob("*.c")) or any(folder.glob("*_test.py"))):
                yield folder
    yield ROOT / "fuzz"
    yield ROOT / "bench"


def main():
    check = sys.argv[1:] == ["--check"]
    if sys.argv[1:] and not check:
        print("usage: scripts/update-sources.py [--check]", file=sys.stderr)
        return 2
    stale = []
    for folder in folders():
        path = folder / "meson.build"
        old = path.read_text() if path.exists() else ""
        new = old
        for one in lists_of(folder):
            new = relisted(new, *one)
        if new != old:
            stale.append(str(path.relative_to(ROOT)))
            if not check:
                path.write_text(new)
    for name in stale:
        print("%s %s" % ("out of date:" if check else "wrote", name))
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
