#!/usr/bin/env python3
"""Writes unicode_data.inc from this Python's unicodedata: which characters make identifiers, and what NFKC
makes of those that do. Run it with a newer Python to follow a newer Unicode:

    python3.13 src/python/unicode_gen.py > src/python/unicode_data.inc
"""

import sys
import unicodedata

HANGUL = range(0xAC00, 0xD7A4)  # composed and decomposed by arithmetic


def id_class(point):
    char = chr(point)
    if char.isidentifier():
        return 2
    return 1 if ("a" + char).isidentifier() else 0


def ranges(classify, points):
    """(first, last, class) of neighbours of one class, class 0 left out."""
    found = []
    for point in points:
        kind = classify(point)
        if kind == 0:
            continue
        if found and found[-1][1] == point - 1 and found[-1][2] == kind:
            found[-1][1] = point
        else:
            found.append([point, point, kind])
    return found


def rows(items):
    line = "   "
    for item in items:
        if len(line) + len(item) + 2 > 100:
            yield line
            line = "   "
        line += f" {item},"
    yield line


def table(declaration, items):
    print(f"\n{declaration} = {{")
    print("\n".join(rows(items)))
    print("};")


def main():
    points = range(0x80, 0x110000)
    in_names = [point for point in points if id_class(point)]
    print(f"/* Unicode {unicodedata.unidata_version}, made by unicode_gen.py. */")
    table(
        "static const struct id_range id_ranges[]",
        (f"{{{a:#x}, {b:#x}, {k}}}" for a, b, k in ranges(id_class, points)),
    )
    table(
        "static const struct combining_range combining_ranges[]",
        (
            f"{{{a:#x}, {b:#x}, {k}}}"
            for a, b, k in ranges(lambda p: unicodedata.combining(chr(p)), points)
        ),
    )
    pool, entries = [], []
    for point in in_names:
        form = unicodedata.normalize("NFKD", chr(point))
        if form == chr(point) or point in HANGUL:
            continue
        entries.append(f"{{{point:#x}, {len(pool)}, {len(form)}}}")
        pool += [f"{ord(char):#x}" for char in form]
    table("static const uint32_t decomposed[]", pool)
    table("static const struct decomposition decompositions[]", entries)
    pairs = []
    for point in points:
        form = unicodedata.normalize("NFD", chr(point))
        canonical = unicodedata.decomposition(chr(point))
        if point in HANGUL or not canonical or canonical.startswith("<"):
            continue
        parts = [int(part, 16) for part in canonical.split()]
        if len(parts) == 2 and unicodedata.normalize("NFC", form) == chr(point):
            pairs.append((parts[0], parts[1], point))
    table(
        "static const struct composition compositions[]",
        (f"{{{a:#x}, {b:#x}, {c:#x}}}" for a, b, c in sorted(pairs)),
    )


if __name__ == "__main__":
    sys.exit(main())
