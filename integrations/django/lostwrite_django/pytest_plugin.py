"""pytest --lostwrite: records what the test session sends to its databases, and puts lostwrite's report behind the tests' own."""

import os
import shlex
import shutil
import subprocess
import tempfile

import pytest

REPORT_SECONDS_MAX = 600


def pytest_addoption(parser):
    group = parser.getgroup("lostwrite", "lost writes")
    group.addoption("--lostwrite", action="store_true", help="record the session's SQL, and report what lostwrite finds in it")
    group.addoption("--lostwrite-record", metavar="FOLDER", help="keep the recording there (with --lostwrite)")
    parser.addini("lostwrite_binary", "lostwrite's program (default: lostwrite, from the PATH)", default="lostwrite")
    parser.addini("lostwrite_args", "further arguments of lostwrite watch", default="")


def _is_worker(config):
    return hasattr(config, "workerinput")


@pytest.hookimpl(trylast=True)
def pytest_configure(config):
    if config.getoption("lostwrite") and not config.option.help:
        config.pluginmanager.register(Session(config), "lostwrite-session")


class Session:
    def __init__(self, config):
        self.config = config
        self.recorder = None
        self.is_kept = config.getoption("lostwrite_record") is not None
        if _is_worker(config):
            self.folder = config.workerinput["lostwrite_folder"]
            self.name = config.workerinput["workerid"]
        else:
            self.folder = config.getoption("lostwrite_record") or tempfile.mkdtemp(prefix="lostwrite-")
            self.name = "session"
        os.makedirs(self.folder, exist_ok=True)

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node):
        """Of pytest-xdist, in the process that starts a worker."""
        node.workerinput["lostwrite_folder"] = os.path.abspath(self.folder)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self):
        from .recorder import Recorder

        path = os.path.join(self.folder, "%s-%d.jsonl" % (self.name, os.getpid()))
        self.recorder = Recorder(path, application="pytest" if self.name == "session" else "pytest " + self.name)
        self.recorder.start()

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self):
        if self.recorder is not None:
            self.recorder.stop()

    def _recordings(self):
        paths = sorted(os.path.join(self.folder, name) for name in os.listdir(self.folder) if name.endswith(".jsonl"))
        return [path for path in paths if _has_statement(path)]

    @pytest.hookimpl(trylast=True)
    def pytest_terminal_summary(self, terminalreporter):
        terminalreporter.section("lostwrite")
        paths = self._recordings()
        if not paths:
            terminalreporter.line("no statement was sent through Django's connections")
        elif not self._report(terminalreporter, paths):
            self.is_kept = True
        if self.is_kept and paths:
            terminalreporter.line("recording: %s" % " ".join(paths))

    def _report(self, terminalreporter, paths):
        """Whether the program could be run on them and read them."""
        name = self.config.getini("lostwrite_binary")
        program = shutil.which(name)
        if program is None:
            terminalreporter.line("%s was not found (ini option lostwrite_binary); later: %s watch RECORDING" % (name, "lostwrite"))
            return False
        command = [program, "watch"] + shlex.split(self.config.getini("lostwrite_args")) + paths
        try:
            done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                  timeout=REPORT_SECONDS_MAX)
        except (OSError, subprocess.TimeoutExpired) as error:
            terminalreporter.line("%s: %s" % (program, error))
            return False
        for text in (done.stdout, done.stderr):
            if text:
                terminalreporter.write(text.decode("utf-8", "replace").rstrip("\n") + "\n")
        if done.returncode not in (0, 1):
            terminalreporter.line("%s answered %d" % (program, done.returncode))
        return done.returncode in (0, 1)

    def pytest_unconfigure(self):
        if not _is_worker(self.config) and not self.is_kept and self.config.getoption("lostwrite_record") is None:
            shutil.rmtree(self.folder, ignore_errors=True)


def _has_statement(path):
    with open(path, "rb") as file:
        return any(b'"event":"statement"' in line for line in file)
