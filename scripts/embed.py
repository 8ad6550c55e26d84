"""Writes the pages of the rules as C: embed_pages.py OUT.c PAGE.md... (a step of the build)."""
import os
import sys


def c_string(line):
    """A C literal of one line. Bytes outside of ASCII, and `?` for fear of trigraphs, as octal."""
    out = []
    for byte in line:
        char = chr(byte)
        if char in '"\\':
            out.append("\\" + char)
        elif 32 <= byte < 127 and char != "?":
            out.append(char)
        else:
            out.append("\\%03o" % byte)
    return '"%s"' % "".join(out)


def main(out_path, *page_paths):
    lines = ['/* Written by embed_pages.py. */', '#include "explain/pages.h"', "",
             "const struct rule_page rule_pages[] = {"]
    for path in sorted(page_paths, key=os.path.basename):
        with open(path, "rb") as page:
            text = page.read()
        code = os.path.splitext(os.path.basename(path))[0]
        lines.append('    {"%s",' % code)
        lines += ["     " + c_string(line) for line in text.splitlines(keepends=True)]
        lines.append("     , %d}," % len(text))
    lines += ["};", "", "const size_t rule_page_count = %d;" % len(page_paths), ""]
    with open(out_path, "w", encoding="ascii") as out:
        out.write("\n".join(lines))


main(*sys.argv[1:])
