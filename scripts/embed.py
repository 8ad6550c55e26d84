"""Writes text files as C: embed.py HEADER STRUCT ARRAY OUT.c FILE... (a step of the build).

HEADER declares `const struct STRUCT ARRAY[]`, whose members are a file's name without its ending, its text and its size
in bytes, and `const size_t ARRAY_count`."""
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


def main(header, struct, array, out_path, *paths):
    lines = ['/* Written by embed.py. */', '#include "%s"' % header, "",
             "const struct %s %s[] = {" % (struct, array)]
    for path in sorted(paths, key=os.path.basename):
        with open(path, "rb") as file:
            text = file.read()
        lines.append('    {"%s",' % os.path.splitext(os.path.basename(path))[0])
        lines += ["     " + c_string(line) for line in text.splitlines(keepends=True)]
        lines.append("     , %d}," % len(text))
    lines += ["};", "", "const size_t %s_count = %d;" % (array, len(paths)), ""]
    with open(out_path, "w", encoding="ascii") as out:
        out.write("\n".join(lines))


main(*sys.argv[1:])
