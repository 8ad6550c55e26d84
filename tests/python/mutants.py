#!/usr/bin/env python3
"""Programs that are almost Python: tokens of real statements deleted, doubled, swapped, replaced. CPython and we
must agree on each whether it is Python, and if so, on its tree.

    mutants.py DUMPER [--count N] [--seed N] PATH...
"""

import argparse
import ast
import os
import random
import re
import sys
import tempfile
import textwrap
import warnings

import compare

TOKEN = re.compile(
    r"[rbfuRBFU]{0,2}(?:\"\"\".*?\"\"\"|'''.*?'''|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*')"
    r"|\w+|\n[ \t]*|[ \t]+|\*\*=?|//=?|<<=?|>>=?|->|:=|[-+*/%@&|^<>=!]=|\.\.\.|.",
    re.S,
)
POOL = (
    "( ) [ ] { } , : ; . = == != := -> * ** / // @ + - ~ | & ^ << >> += @= ... ! ' \" \\ "
    "a b_c 0 1.5 2j 0x1f 07 1_0 'x' b'y' f'{a!r:>{b}}' f'{a=}' rb'' None True not in is and or if else "
    "elif for while def class lambda await async yield from import as with try except finally raise "
    "return del global nonlocal assert pass break continue match case type _ \n \t"
).split(" ") + ["\n    ", "  "]
LINES_MAX = 12


def statements(path):
    """The source of the statements of a file that are short."""
    with open(path, "rb") as file:
        text = file.read()
    try:
        tree = ast.parse(text)
        lines = text.decode().split("\n")
    except (SyntaxError, ValueError):
        return
    for node in ast.walk(tree):
        if isinstance(node, (ast.stmt, ast.expr)) and node.end_lineno - node.lineno < LINES_MAX:
            if isinstance(node, ast.stmt):
                chunk = lines[node.lineno - 1 : node.end_lineno]
                yield textwrap.dedent("\n".join(chunk)) + "\n"


def mutate(random_source, text):
    tokens = TOKEN.findall(text)
    for _ in range(random_source.choice((1, 1, 1, 2, 3))):
        at = random_source.randrange(len(tokens))
        other = random_source.randrange(len(tokens))
        how = random_source.randrange(5)
        if how == 0:
            del tokens[at]
        elif how == 1:
            tokens.insert(at, tokens[other])
        elif how == 2:
            tokens[at], tokens[other] = tokens[other], tokens[at]
        elif how == 3:
            tokens[at] = random_source.choice(POOL)
        else:
            tokens.insert(at, random_source.choice(POOL))
        if not tokens:
            tokens = ["\n"]
    return "".join(tokens)


def is_ours_only(text, error):
    """Syntax that this Python doesn't know yet, or checks we leave out."""
    message = str(error)
    return (
        compare.is_newer(error)
        or "unknown Unicode character name" in message
        or (sys.version_info < (3, 14) and re.search(r"\b[tT][rR]?['\"]|\b[rR][tT]['\"]", text))
    )


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("dumper")
    parser.add_argument("paths", nargs="+")
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--show", type=int, default=10)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    source = random.Random(options.seed)
    pool = [text for path in compare.find_files(options.paths, 1) for text in statements(path)]
    agreed = python = failed = skipped = 0
    with tempfile.TemporaryDirectory() as folder:
        for start in range(0, options.count, compare.BATCH):
            texts = [mutate(source, source.choice(pool)) for _ in range(compare.BATCH)]
            paths = [os.path.join(folder, f"{i}.py") for i in range(len(texts))]
            for path, text in zip(paths, texts):
                with open(path, "wb") as file:
                    file.write(text.encode())
            dumps = compare.run_dumper(options.dumper, paths)
            for path, text in zip(paths, texts):
                ours = dumps.get(path, [])
                rejected = any(line.startswith("error ") for line in ours)
                try:
                    tree = ast.parse(text.encode())
                    theirs = []
                    compare.dump(tree, None, 0, theirs)
                    python += 1
                    if compare.same(ours, theirs):
                        agreed += 1
                        continue
                    reason = ours[-1] if rejected else "the trees differ"
                except (SyntaxError, ValueError) as error:
                    if rejected:
                        agreed += 1
                        continue
                    if is_ours_only(text, error):
                        skipped += 1
                        continue
                    reason = f"Python rejects it: {error}"
                failed += 1
                if failed <= options.show:
                    print(f"--- {reason}\n{text}")
    print(f"{python} of them are Python; {skipped} only to newer ones")
    print(f"mutants: {agreed} passed, {failed} failed, 0 skipped")
    return 1 if failed or not agreed else 0


if __name__ == "__main__":
    sys.exit(main())
