#!/usr/bin/env python3
"""Keeps the logs that a server writes of scenario.py as one file: make_logs.py PORT DATA_FOLDER FILE.

The server is one that was started for this, with --log-bin=log --server-id=7 --binlog-format=ROW --sql-mode= and what
logs/README.md says of FILE; root has no password. What the decoder tells of FILE goes beside it, to be read before it is kept."""
import os
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import scenario


class Running:
    def __init__(self, port):
        import MySQLdb
        self.port = port
        connection = MySQLdb.connect(host="127.0.0.1", port=port, user="root")
        cursor = connection.cursor()
        cursor.execute("SELECT VERSION()")
        self.version = cursor.fetchone()[0]
        connection.close()


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    folder, file = pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
    scenario.play(Running(int(sys.argv[1])))
    logs = sorted(one for one in folder.glob("log.*") if one.suffix[1:].isdigit())
    file.write_bytes(b"".join(one.read_bytes() for one in logs))
    program = pathlib.Path(os.environ.get("LOSTWRITE", "build/lostwrite")).parent / "tests" / "binlog" / "binlog_events"
    file.with_suffix(".events").write_bytes(subprocess.run([program, file], check=True, stdout=subprocess.PIPE).stdout)


if __name__ == "__main__":
    main()
