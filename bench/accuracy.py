#!/usr/bin/env python3
"""Races that projects repaired (accuracy.txt): does `check` find each before its repair, and is it silent after?

    bench/accuracy.py REPOSITORIES [PROJECT | COMMIT ...]

REPOSITORIES holds a git repository a project, bare or not, in a folder of its name (or OWNER+NAME/repo). Each commit and
its first parent are unpacked into a temporary folder; nothing else is written. Answers 0 if all are as they should be.
"""
import dataclasses
import io
import json
import os
import pathlib
import subprocess
import sys
import tarfile
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

    def is_meant(self, finding):
        def is_in(symbol):
            return any(symbol == function or symbol.endswith("." + function) for function in self.functions)
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


def run_git(git, *args):
    return subprocess.run(["git", "-C", str(git), *args], stdout=subprocess.PIPE, check=True).stdout


def check(git, commit):
    """The findings of `check --pedantic` on a commit; None: it took too long."""
    with tempfile.TemporaryDirectory() as folder:
        names = run_git(git, "ls-tree", "-r", "--name-only", "-z", commit).decode().split("\0")
        wanted = [name for name in names if name.endswith((".py", "requirements.txt", "setup.cfg", "pyproject.toml"))]
        archive = run_git(git, "archive", commit, "--", *(f":(literal){name}" for name in wanted))
        with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
            tar.extractall(folder, [member for member in tar if member.isfile()])
        try:
            answer = subprocess.run([BINARY, "check", ".", "--pedantic", "--format", "json"], cwd=folder,
                                    stdout=subprocess.PIPE, timeout=TIMEOUT_S)
        except subprocess.TimeoutExpired:
            return None
    if answer.returncode not in (0, 1):
        sys.exit(f"{git} {commit}: lostwrite answered {answer.returncode}")
    return json.loads(answer.stdout)["findings"]


def verdict(race, findings):
    if findings is None:
        return "too long"
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
            if (race.project, commit) not in seen:
                seen[race.project, commit] = check(git, commit)
            verdicts.append(verdict(race, seen[race.project, commit]))
        is_found = verdicts[0] not in ("silent", "too long")
        counts["all"] += 1
        counts["before"] += is_found
        counts["both"] += is_found and verdicts[1] == "silent"
        print(f"{race.project:15} {race.commit:11} {verdicts[0]:22} {verdicts[1]:22} {race.functions[0]}", flush=True)
    print(f"{counts['all']} races: {counts['before']} found before, of these {counts['both']} silent after; "
          "in brackets: with an assumption (--pedantic)")
    sys.exit(0 if counts["both"] == counts["all"] else 1)


if __name__ == "__main__":
    main()
