"""The events that wire_events prints of a capture."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TESTS))
sys.path.insert(0, str(TESTS / "live"))
import harness

PROGRAM = pathlib.Path(harness.BINARY).parent / "tests" / "wire" / "wire_events"


def of_capture(capture, piece=0, port=0, keep=None):
    """All events of the bytes of a capture, fed in pieces."""
    with tempfile.TemporaryDirectory(prefix="lostwrite-wire-") as folder:
        path = keep or os.path.join(folder, "capture.pcap")
        with open(path, "wb") as file:
            file.write(capture)
        done = subprocess.run([str(PROGRAM), path, str(piece), str(port)], stdout=subprocess.PIPE, timeout=300,
                              check=True)
    return [json.loads(line) for line in done.stdout.decode("ascii").splitlines()]


def statements(events):
    return [event for event in events if event["kind"] == "statement"]


def gaps(events):
    return [event for event in events if event["kind"] == "gap"]


def text(value):
    """Of a text or value as printed: its bytes read as UTF-8; None and "absent" as they are."""
    if isinstance(value, list):
        value = value[0]
        return value.encode("latin-1").decode("utf-8", "replace")
    return value


def texts(values):
    return [text(value) for value in values]


def rows(event):
    return [texts(row) for row in event["rows"]] if "rows" in event else None
