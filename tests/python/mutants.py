#!/usr/bin/env python3
"""Programs that are almost Python: tokens or bytes of real statements deleted, doubled, swapped, replaced. CPython
and we must agree on each whether it is Python, and if so, on its tree.

    mutants.py DUMPER [--count N] [--seed N] [--show N] PATH...
"""

import argparse
import ast
import os
import random
import re
import sys
import tempfile
import textwrap

import compare

TOKEN = re.compile(
    r"[rbfuRBFU]{0,2}(?:\"\"\".*?\"\"\"|'''.*?'''|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*')"
    r"|\w+|\n[ \t]*|[ \t]+|\*\*=?|//=?|<<=?|>>=?|->|:=|[-+*/%@&|^<>=!]=|\.\.\.|.",
    re.S,
)
TOKENS = (
    "( ) [ ] { } , : ; . = == != := -> * ** / // @ + - ~ | & ^ << >> += @= ... ! ' \" \\ "
    "a b_c 0 1.5 2j 0x1f 07 1_0 'x' b'y' f'{a!r:>{b}}' f'{a=}' rb'' None True not in is and or if else "
    "elif for while def class lambda await async yield from import as with try except finally raise "
    "return del global nonlocal assert pass break continue match case type _ \n \t"
).split(" ") + ["\n    ", "  "]
# Byte sequences that mean something to the lexer, to strings or to nobody.
BYTES = [
    *(b"\r|\r\n|\n|\t|\x0c|\\\n|\\\r\n|\\|'|\"|'''|\"\"\"|{|}|{{|}}|!|:|#|_|0|1|.|e|j|x|o|b|L|f|r|u").split(b"|"),
    *(b"B|R| |  |    |        |=|$|?|`|\x01|\x7f|(|)|[|]|,|*|**|@|->|;|\\x4|\\x41|\\u12|\\N{|\\777").split(b"|"),
    *(b"\xc3\xa9|\xe2\x82\xac|\xc2\xa0|\xef\xbb\xbf|\xf0\x9f\x98\x80|\xef\xbd\x81|\xff|\\U00110000").split(b"|"),
    b"# coding: latin-1\n",
]
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
        if isinstance(node, ast.stmt) and node.end_lineno - node.lineno < LINES_MAX:
            chunk = lines[node.lineno - 1 : node.end_lineno]
            yield textwrap.dedent("\n".join(chunk)) + "\n"


def mutate_tokens(source, text):
    tokens = TOKEN.findall(text)
    for _ in range(source.choice((1, 1, 1, 2, 3))):
        at = source.randrange(len(tokens))
        other = source.randrange(len(tokens))
        how = source.randrange(5)
        if how == 0:
            del tokens[at]
        elif how == 1:
            tokens.insert(at, tokens[other])
        elif how == 2:
            tokens[at], tokens[other] = tokens[other], tokens[at]
        elif how == 3:
            tokens[at] = source.choice(TOKENS)
        else:
            tokens.insert(at, source.choice(TOKENS))
        if not tokens:
            tokens = ["\n"]
    return "".join(tokens).encode()


def mutate_bytes(source, text):
    data = bytearray(text.encode())
    for _ in range(source.choice((1, 1, 1, 2, 2, 3))):
        at = source.randrange(len(data) + 1)
        how = source.randrange(4)
        if how == 0:
            data[at:at] = source.choice(BYTES)
        elif how == 1:
            data[at : at + 1] = source.choice(BYTES)
        elif how == 2:
            del data[at : at + source.choice((1, 1, 2, 3, 8))]
        else:
            other = source.randrange(len(data) + 1)
            data[at:at] = data[other : other + source.choice((1, 2, 3, 5, 10))]
    return bytes(data)


def compare_mutants(dumper, paths, count, seed, tally):
    """Adds the results of `count` mutants of the statements of the files to the tally."""
    source = random.Random(seed)
    pool = [text for path in compare.find_files(paths) for text in statements(path)]
    with tempfile.TemporaryDirectory() as folder:
        mutants = [os.path.join(folder, f"{i}.py") for i in range(count)]
        for i, path in enumerate(mutants):
            mutate = mutate_bytes if i % 2 else mutate_tokens
            with open(path, "wb") as file:
                file.write(mutate(source, source.choice(pool)))
        compare.compare(dumper, mutants, tally)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("dumper")
    parser.add_argument("paths", nargs="+")
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--show", type=int, default=10)
    options = parser.parse_args()
    tally = compare.Tally(options.show)
    compare_mutants(options.dumper, options.paths, options.count, options.seed, tally)
    print(tally)
    return 1 if tally.failed or not tally.same else 0


if __name__ == "__main__":
    sys.exit(main())
