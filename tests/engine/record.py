#!/usr/bin/python3
"""Plays transcripts on the real databases and fills in, in place, what they answer.

    record.py FILE...

A FILE is as transcripts/README.md says; answers that stand in it are replaced, `(unblocked)` lines are made
anew. A wait is waited out where its session goes on before anything has ended it, or the section ends.
"""

import sys

import player

COLUMN = 65


def line_text(name, sql, answer):
    return ("  %s %s" % (name, sql)).ljust(COLUMN) + "  " + answer


def is_statement(line):
    return len(line) > 4 and line[:2] == "  " and line[2] in "ABCD" and line[3] == " "


class Section:
    """The lines from one title to the next."""

    def __init__(self, lines):
        self.lines = lines
        self.settings = next((line[4:] for line in lines if line.startswith("  = ")), "")
        self.schema = [line[4:] for line in lines if line.startswith("  + ")]

    def recorded(self, lab):
        if not any(map(is_statement, self.lines)):
            return self.lines
        head = [line for line in self.lines if not is_statement(line)]
        with lab.player(self.settings, self.schema) as play:
            answers = []
            for line in filter(is_statement, self.lines):
                sql, _, answer = line[4:].partition("  ")
                if not answer.strip().startswith("(unblocked)"):
                    answers += play.play(line[2], sql.strip())
            answers += play.outwait_all()
        return head + [line_text(*answer) for answer in answers]


def sections_of(lines):
    starts = [i for i, line in enumerate(lines) if line.startswith("## ")] + [len(lines)]
    yield Section(lines[: starts[0]])
    for start, end in zip(starts, starts[1:]):
        yield Section(lines[start:end])


def main():
    with player.Lab() as lab:
        for path in sys.argv[1:]:
            with open(path) as file:
                lines = file.read().splitlines()
            out = [line for section in sections_of(lines) for line in section.recorded(lab)]
            with open(path, "w") as file:
                file.write("\n".join(out) + "\n")


if __name__ == "__main__":
    main()
