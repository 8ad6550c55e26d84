#!/usr/bin/env python3
"""How much of each project the front end models, and what stands in the way: the reasons, each with the functions that
nothing else spoils. Folders are arguments, or those of $LOSTWRITE_PROJECTS (colons between them).

    bench/coverage.py [--reasons N] [--show WORDS] [FOLDER...]
"""
import argparse
import collections
import os
import pathlib
import re
import subprocess

HEAD = re.compile(r"^(\S.*?): (modelled|not modelled|summary)$")
# What a reason names of the project: it is the same reason without.
NAMES = [(re.compile(pattern), text) for pattern, text in [
    (r"(SQL that is not modelled: [^:]*).*", r"\1"),
    (r"(this SQL is not modelled: [^:]*).*", r"\1"),
    (r"^(recursion|calls this deep|an async function|a generator): \S+ is", r"\1: X is"),
    (r"the model behind .* is", "the model behind X is"),
    (r"^.* is not the same kind", "X is not the same kind"),
    (r"the lookup \S+ is", "the lookup X is"),
    (r"the decorator \S+ is", "the decorator X is"),
    (r"the value of .* is", "the value of X is"),
    (r"update\(\) of \S+, which", "update() of X, which"),
    (r"(not modelled: )[^ ]*", r"\1"),
]]


def reason(note):
    text = note.strip().split(": ", 1)[1]
    for pattern, replacement in NAMES:
        text = pattern.sub(replacement, text)
    return text


def functions(binary, folder):
    """(name, is modelled, its notes) of each function of the project's code that touches the ORM."""
    text = subprocess.run([binary, "dump", "--stage=functions", str(folder)], stdout=subprocess.PIPE, check=True,
                          encoding="utf-8", errors="replace").stdout
    rows = []
    for line in text.splitlines():
        head = HEAD.match(line)
        if head:
            rows.append((head.group(1), head.group(2), []))
        elif rows:
            rows[-1][2].append(line)
    return [(name, kind == "modelled", notes) for name, kind, notes in rows if kind != "summary"]


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--reasons", type=int, default=40)
    options.add_argument("--show", help="the functions that are spoiled by reasons with these words alone")
    options.add_argument("folders", nargs="*")
    options = options.parse_args()
    source = pathlib.Path(__file__).resolve().parents[1]
    binary = os.environ.get("LOSTWRITE", str(source / "build" / "lostwrite"))
    folders = options.folders or [f for f in os.environ.get("LOSTWRITE_PROJECTS", "").split(":") if f]
    alone, among, places = collections.Counter(), collections.Counter(), collections.Counter()
    for folder in folders:
        rows = functions(binary, folder)
        modelled = sum(is_modelled for _, is_modelled, _ in rows)
        print(f"{pathlib.Path(folder).name:16} {modelled:5} of {len(rows):5} functions modelled, "
              f"{100 * modelled / max(len(rows), 1):5.1f} %", flush=True)
        for name, is_modelled, notes in rows:
            reasons = {reason(note) for note in notes}
            among.update(reasons)
            if len(reasons) == 1:
                alone[reasons.pop()] += 1
                places.update(set(notes))
                if options.show and all(options.show in note for note in notes):
                    print(f"  {name}")
                    for note in notes:
                        print(f"  {note}")
    print("\n  alone  among")
    for text, count in sorted(among.items(), key=lambda item: (-alone[item[0]], -item[1]))[:options.reasons]:
        print(f"  {alone[text]:5}  {count:5}  {text}")
    print("\n  functions that one place alone spoils")
    for text, count in places.most_common(options.reasons):
        print(f"  {count:5}  {text.strip()}")


if __name__ == "__main__":
    main()
