"""For the tests written in Python: unittest, with the summary line that tests/run reads.

    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
    import harness
    ...
    if __name__ == "__main__":
        harness.main("cli")
"""
import os
import pathlib
import subprocess
import sys
import unittest

SOURCE = pathlib.Path(__file__).resolve().parents[1]
BINARY = os.environ.get("LOSTWRITE", str(SOURCE / "build" / "lostwrite"))


def lostwrite(*args, env=None, cwd=None, stdin=None, timeout_s=60):
    """Runs the binary: (exit code, stdout, stderr) as text. `env` adds to the environment."""
    answer = subprocess.run(
        [BINARY, *args], env=dict(os.environ, **(env or {})), cwd=cwd, input=stdin or "",
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=timeout_s, encoding="utf-8")
    return answer.returncode, answer.stdout, answer.stderr


def main(name):
    """Runs the unittest cases of the calling program, prints `name: N passed, ...`, and exits."""
    suite = unittest.defaultTestLoader.loadTestsFromModule(sys.modules["__main__"])
    result = unittest.TextTestRunner(stream=sys.stdout, verbosity=1).run(suite)
    failed = len({test.id().split(" ")[0] for test, _ in result.failures + result.errors})
    skipped = len(result.skipped)
    passed = max(result.testsRun - failed - skipped, 0)
    print("%s: %d passed, %d failed, %d skipped" % (name, passed, failed, skipped))
    sys.exit(0 if result.wasSuccessful() and passed + skipped > 0 else 1)
