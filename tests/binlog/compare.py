"""What the decoder tells of a log beside what SELECT said (workload.py)."""

import json
import math
import os
import pathlib
import struct
import subprocess

PROGRAM = pathlib.Path(os.environ.get("LOSTWRITE", "build/lostwrite")).parent / "tests" / "binlog" / "binlog_events"


def events(path, *args):
    done = subprocess.run([str(PROGRAM), str(path), *args], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=120)
    if done.returncode != 0:
        raise AssertionError("binlog_events: %d %s" % (done.returncode, done.stderr.decode()))
    return [json.loads(line) for line in done.stdout.decode().splitlines()]


def as_bytes(value):
    if value is None:
        return None
    return bytes.fromhex(value["hex"]) if isinstance(value, dict) else value.encode()


SIZES = {"TINYINT": 8, "SMALLINT": 16, "MEDIUMINT": 24, "INT": 32, "BIGINT": 64}


def is_same(told, selected, kind, has_metadata):
    """Whether the log's text is what SELECT gave, as far as a log without metadata can say."""
    if told is None or selected is None:
        return told == selected
    told = as_bytes(told)
    word = kind.split("(")[0].split(" ")[0]
    if word == "FLOAT":  # SELECT gives six digits
        return math.isclose(float(told), float(selected), rel_tol=1e-5) and \
            struct.unpack("f", struct.pack("f", float(told)))[0] == float(struct.unpack("f", struct.pack("f", float(told)))[0])
    if word == "JSON" and told != selected:
        return False
    if has_metadata:
        return told == selected
    if "UNSIGNED" in kind:
        return int(told) % (1 << SIZES[word]) == int(selected)
    if word in ("BINARY", "INET6"):
        return told.ljust(len(selected), b"\0") == selected
    if word in ("ENUM", "SET"):
        return told.isdigit()
    return told == selected


def differences(changes, told, columns, has_metadata, may_lack):
    """`changes` of workload.Work beside the change events told; `may_lack(image, column kind)`: this column may be absent."""
    found = []
    names = ["id"] + [name for name, _, _ in columns]
    kinds = dict({name: kind for name, kind, _ in columns}, id="INT")
    if len(changes) != len(told):
        found.append("%d changes, %d told" % (len(changes), len(told)))
    for (table, kind, before, after), event in zip(changes, told):
        if (event["op"], event["table"]) != (kind, table):
            found.append("%s %s told as %s %s" % (kind, table, event["op"], event["table"]))
            continue
        for image, row in ("before", before), ("after", after):
            if (row is None) != (image not in event):
                found.append("%s: %s %s" % (kind, image, "missing" if row else "not expected"))
                continue
            for index, name in enumerate(names if row else []):
                key = name if has_metadata else "@%d" % (index + 1)
                if key not in event[image]:
                    if not may_lack(image, kinds[name], before, after, name):
                        found.append("%s: %s lacks %s" % (kind, image, name))
                elif not is_same(event[image][key], row[name], kinds[name], has_metadata):
                    found.append("%s %s of %s: %r told, %r selected"
                                 % (kind, image, kinds[name], event[image][key], row[name]))
    return found
