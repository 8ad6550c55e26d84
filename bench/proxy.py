#!/usr/bin/env python3
"""pgbench through `watch --listen`, HAProxy (TCP mode) and PgBouncer (session mode), as shares of direct: medians of
interleaved runs, select-only and TPC-B, with 1, 8 and 32 clients. `proxy.py SECONDS RUNS` (2, 3)."""
import os
import pathlib
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

SOURCE = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(SOURCE / "tests" / "live"))
import servers

BINARY = os.path.abspath(os.environ.get("LOSTWRITE", str(SOURCE / "build" / "lostwrite")))


def start_watch(port, folder, running):
    process = subprocess.Popen([BINARY, "watch", "--listen", "127.0.0.1:0", "--upstream", "127.0.0.1:%d" % port, "--no-search", "--protocol", "postgresql"],
                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    running.append(process)
    return int(re.search(rb"\(port (\d+)\)", process.stderr.readline()).group(1))


def start_haproxy(port, folder, running):
    listen, path = servers.free_port(), os.path.join(folder, "haproxy.cfg")
    with open(path, "w", encoding="ascii") as file:
        file.write("global\n  maxconn 1000\ndefaults\n  mode tcp\n  timeout connect 5s\n  timeout client 1m\n  timeout server 1m\n"
                   "listen db\n  bind 127.0.0.1:%d\n  server one 127.0.0.1:%d\n" % (listen, port))
    running.append(subprocess.Popen(["haproxy", "-db", "-q", "-f", path], stderr=subprocess.DEVNULL))
    return listen


def start_pgbouncer(port, folder, running):
    listen, path = servers.free_port(), os.path.join(folder, "pgbouncer.ini")
    with open(path, "w", encoding="ascii") as file:
        file.write("[databases]\n* = host=127.0.0.1 port=%d\n[pgbouncer]\nlisten_addr=127.0.0.1\nlisten_port=%d\nauth_type=any\n"
                   "pool_mode=session\nmax_client_conn=200\ndefault_pool_size=80\nunix_socket_dir=\nuser=nobody\n"
                   "[databases]\npostgres = host=127.0.0.1 port=%d user=lab\n" % (port, listen, port))
    os.chmod(path, 0o644)
    os.chmod(folder, 0o755)
    running.append(subprocess.Popen(["pgbouncer", "-q", "-u", "nobody", path], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL))
    return listen


STARTERS = {"watch": (BINARY, start_watch), "haproxy": ("haproxy", start_haproxy), "pgbouncer": ("pgbouncer", start_pgbouncer)}


def tps(port, clients, options, seconds):
    done = subprocess.run([os.path.join(servers.postgresql_bin(), "pgbench"), "-h", "127.0.0.1", "-p", str(port), "-U", "lab", "-n", "-c", str(clients), "-j", "1",
                           "-T", str(seconds), *options, "postgres"], capture_output=True, timeout=120)
    found = re.search(rb"tps = ([\d.]+)", done.stdout)
    if found is None:
        raise SystemExit("pgbench: " + done.stderr.decode())
    return float(found.group(1))


def main(seconds=2, runs=3):
    running = []
    with servers.PostgreSQL() as server, tempfile.TemporaryDirectory() as folder:
        try:
            ports = {"direct": server.port}
            for name, (program, start) in STARTERS.items():
                if shutil.which(program):
                    ports[name] = start(server.port, folder, running)
                else:
                    print("%s is not installed" % name)
            subprocess.run([os.path.join(servers.postgresql_bin(), "pgbench"), "-h", "127.0.0.1", "-p", str(server.port), "-U", "lab", "-i", "-q", "-s", "10",
                            "postgres"], capture_output=True, check=True, timeout=300)
            time.sleep(1)
            for title, options in (("select-only", ["-S"]), ("TPC-B", [])):
                for clients in (1, 8, 32):
                    rates = {name: [] for name in ports}
                    for _ in range(int(runs)):
                        for name, port in ports.items():
                            rates[name].append(tps(port, clients, options, int(seconds)))
                    direct = statistics.median(rates["direct"])
                    shares = ["%s %.2f" % (name, statistics.median(rates[name]) / direct) for name in ports if name != "direct"]
                    print("%-11s %2d clients: direct %6.0f a second, of that: %s" % (title, clients, direct, ", ".join(shares)), flush=True)
        finally:
            for process in running:
                process.send_signal(signal.SIGINT if process.args[0] == BINARY else signal.SIGTERM)
                process.wait(timeout=60)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
