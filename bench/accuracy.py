#!/usr/bin/env python3
"""Races that projects repaired (accuracy.txt): does `check` find each before its repair, and is it silent after?

    bench/accuracy.py REPOSITORIES [PROJECT | COMMIT ...]

REPOSITORIES holds a git repository a project, bare or not, in a folder of its name (or OWNER+NAME/repo). Each commit and
its first parent are unpacked into a temporary folder; nothing else is written. A function given with its file is looked
at by `prove`, beside itself only; the others by `check` of the whole project. Answers 0 if all are as they should be.
"""
import dataclasses
import json
import os
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
BINARY = os.environ.get("LOSTWRITE", str(HERE.parent / "build" / "lostwrite"))
TIMEOUT_S = int(os.environ.get("LOSTWRITE_TIMEOUT_S", "900"))


@dataclasses.dataclass
class Race:
    project: str
    commit: str
    functions: list
    codes: list
    table: str
    columns: set

    def name(self):
        return self.functions[0].rpartition(":")[2]

    def is_meant(self, finding):
        def is_in(symbol):
            names = [function.rpartition(":")[2] for function in self.functions]
            return any(symbol == name or symbol.endswith("." + name) for name in names)
        return (finding["code"] in self.codes
                and (is_in(finding["symbol"]) or is_in(finding["entry"]))
                and self.table in ("-", finding["table"])
                and (not self.columns or self.columns & set(finding["columns"])))


def races(text):
    for line in text.splitlines():
        words = line.split("#")[0].split()
        if words:
            project, commit, functions, codes, table, columns = words
            yield Race(project, commit, functions.split(","), codes.split(","), table,
                       set() if columns == "-" else set(columns.split(",")))


def repository(folder, project):
    for path in [folder / project, *folder.glob(f"*+{project}/repo"), *folder.glob(f"*+{project}")]:
        if (path / ".git").exists() or (path / "HEAD").exists():
            return path
    sys.exit(f"{folder}: no repository of {project}")


def run_git(git, *args, **more):
    return subprocess.run(["git", "-C", str(git), *args], stdout=subprocess.PIPE, check=True, **more).stdout


def unpack(git, commit, folder):
    """The sources of a commit, blob by blob: a partial clone need not have the others."""
    wanted = []
    for entry in run_git(git, "ls-tree", "-r", "-z", commit).decode().split("\0"):
        head, _, name = entry.partition("\t")
        if name.endswith((".py", "requirements.txt", "setup.cfg", "pyproject.toml")) and " blob " in head:
            wanted.append((head.split()[2], name))
    out = run_git(git, "cat-file", "--batch", input="".join(f"{blob}\n" for blob, _ in wanted).encode())
    at = 0
    for blob, name in wanted:
        end = out.index(b"\n", at)
        words = out[at:end].split()
        if words[-1] == b"missing":
            sys.exit(f"{git}: {name} of {commit} is not there")
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(out[end + 1:end + 1 + int(words[2])])
        at = end + 1 + int(words[2]) + 1


def check(git, commit, functions):
    """The findings on a commit: of `prove` if a function is given with its file, else of `check --pedantic`; None: it
    took too long, or cannot be proved."""
    with tempfile.TemporaryDirectory() as name:
        unpack(git, commit, pathlib.Path(name))
        command = ["check", ".", "--pedantic"] if ".py:" not in functions[0] else ["prove", functions[0]]
        try:
            answer = subprocess.run([BINARY, *command, "--format", "json"], cwd=name, stdout=subprocess.PIPE,
                                    stderr=subprocess.PIPE, timeout=TIMEOUT_S)
        except subprocess.TimeoutExpired:
            return None
    if answer.returncode not in (0, 1):
        print(answer.stderr.decode().strip(), file=sys.stderr)
        return None
    return json.loads(answer.stdout)["findings"]


def verdict(race, findings):
    if findings is None:
        return "no answer"
    meant = [finding for finding in findings if race.is_meant(finding)]
    if not meant:
        return "silent"
    codes = ", ".join(sorted({finding["code"] for finding in meant}))
    return codes if any(not finding["assumption"] for finding in meant) else f"({codes})"


def main():
    folder, wanted = pathlib.Path(sys.argv[1]), sys.argv[2:]
    seen, counts = {}, {"before": 0, "both": 0, "all": 0}
    print(f"{'project':15} {'repair':11} {'before':22} {'after':22} function")
    for race in races((HERE / "accuracy.txt").read_text()):
        if wanted and race.project not in wanted and race.commit not in wanted:
            continue
        git = repository(folder, race.project)
        verdicts = []
        for commit in (race.commit + "^", race.commit):
            key = (race.project, commit, race.functions[0] if ".py:" in race.functions[0] else "")
            if key not in seen:
                seen[key] = check(git, commit, race.functions)
            verdicts.append(verdict(race, seen[key]))
        is_found = verdicts[0] not in ("silent", "no answer")
        counts["all"] += 1
        counts["before"] += is_found
        counts["both"] += is_found and verdicts[1] == "silent"
        print(f"{race.project:15} {race.commit:11} {verdicts[0]:22} {verdicts[1]:22} {race.name()}", flush=True)
    print(f"{counts['all']} races: {counts['before']} found before, of these {counts['both']} silent after; "
          "in brackets: with an assumption (--pedantic)")
    sys.exit(0 if counts["both"] == counts["all"] else 1)


if __name__ == "__main__":
    main()
