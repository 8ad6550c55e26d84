#!/usr/bin/env python3
"""watch --listen with --tls-cert and --upstream-tls: TLS ends in the proxy, on either side or both. Real clients and servers get what
they get without it; what is asked is decoded; no password is recorded; what can't be is refused with its reason."""
import contextlib
import os
import pathlib
import random
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest

TESTS = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TESTS), str(TESTS / "live")]
import servers
from harness import BINARY, main
from proxying import Proxy, lose_a_write

CUT_CONNECTIONS = int(os.environ.get("LOSTWRITE_CUT_CONNECTIONS", "100"))
PASSWORD = "Hush8pass"


class Certificates:
    """A CA, and certificates of `localhost` and 127.0.0.1 by it: the server's, the proxy's, and one under a passphrase."""

    def __init__(self, folder):
        self.folder = folder
        self.openssl("req", "-x509", "-nodes", "-newkey", "rsa:2048", "-keyout", "ca.key", "-out", "ca.crt", "-days", "2", "-subj", "/CN=test CA")
        with open(self.path("names"), "w", encoding="ascii") as file:
            file.write("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
        for name in ("server", "proxy"):
            self.openssl("req", "-nodes", "-newkey", "rsa:2048", "-keyout", name + ".key", "-out", name + ".csr", "-subj", "/CN=" + name)
            self.openssl("x509", "-req", "-in", name + ".csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", "names",
                         "-out", name + ".crt")
        self.openssl("rsa", "-in", "proxy.key", "-aes128", "-passout", "pass:secret", "-out", "locked.key")
        self.openssl("req", "-x509", "-nodes", "-newkey", "rsa:2048", "-keyout", "other.key", "-out", "other.crt", "-days", "2", "-subj", "/CN=other CA")

    def openssl(self, *arguments):
        subprocess.run(["openssl", *arguments], cwd=self.folder, check=True, capture_output=True, timeout=60)

    def path(self, name):
        return os.path.join(self.folder, name)

    def ends(self, name="proxy"):
        return ["--tls-cert", self.path(name + ".crt"), "--tls-key", self.path(name + ".key")]


certificates = None


def setUpModule():
    global certificates
    folder = tempfile.TemporaryDirectory()
    unittest.addModuleCleanup(folder.cleanup)
    certificates = Certificates(folder.name)


def copy_for(server, name, to):
    """A file of the certificates where the server can read it, and nobody else."""
    with open(certificates.path(name), "rb") as source, open(to, "wb") as target:
        target.write(source.read())
    user = server.user()
    os.chmod(to, 0o600)
    if user is not None:
        os.chown(to, user.pw_uid, user.pw_gid)


class SecurePostgreSQL(servers.PostgreSQL):
    has_tls = True

    def prepare(self):
        self.initialize()
        data = os.path.join(self.folder, "data")
        for name in ("server.crt", "server.key"):
            copy_for(self, name, os.path.join(data, name))
        with open(os.path.join(data, "pg_hba.conf"), "w", encoding="ascii") as file:
            file.write("host all scram 127.0.0.1/32 scram-sha-256\nhost all clear 127.0.0.1/32 password\nhostssl all tlsonly 127.0.0.1/32 trust\n"
                       "host all tlsonly 127.0.0.1/32 reject\nhost all all 127.0.0.1/32 trust\n")

    def command(self):
        return super().command() + ["-c", "ssl=%s" % ("on" if self.has_tls else "off")]


class BarePostgreSQL(SecurePostgreSQL):
    has_tls = False


class SecureMariaDB(servers.MariaDB):
    def prepare(self):
        super().prepare()
        for name in ("server.crt", "server.key", "ca.crt"):
            copy_for(self, name, os.path.join(self.folder, name))

    def command(self):
        return super().command() + ["--ssl-%s=%s" % (what, os.path.join(self.folder, name))
                                    for what, name in (("cert", "server.crt"), ("key", "server.key"), ("ca", "ca.crt"))]


class Case(unittest.TestCase):
    @contextlib.contextmanager
    def proxied(self, port, *options, host="127.0.0.1"):
        proxy = Proxy(port, *options, host=host)
        try:
            yield proxy
        finally:
            proxy.kill()

    def wait_for(self, condition):
        for _ in range(200):
            if condition():
                return
            time.sleep(0.05)
        self.fail("it does not come true")

    def check_lost_write(self, server, connect, *options):
        with self.proxied(server.port, *options) as proxy:
            lose_a_write([connect(proxy.port), connect(proxy.port)])
            code, report, said = proxy.end()
        self.assertEqual(code, 1, said)
        self.assertEqual([(loss["code"], loss["evidence"]) for loss in report["losses"]], [("LW003", "arithmetic")])
        self.assertEqual(report["summary"]["gaps"], 0, report["gaps"])

    def check_cut(self, port, begin):
        """Connections that end anywhere in the handshake leave no file open, and the next one works."""
        with self.proxied(port, *certificates.ends()) as proxy:
            before, rng = proxy.files(), random.Random(7)
            for _ in range(CUT_CONNECTIONS):
                with socket.create_connection(("127.0.0.1", proxy.port), timeout=30) as connection:
                    begin(connection)
                    hello = client_hello()
                    connection.sendall(hello[:rng.randrange(len(hello))] + os.urandom(rng.choice((0, 0, 1, 300))))
                    if rng.random() < 0.3:
                        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.wait_for(lambda: proxy.files() == before)
            code, _, said = proxy.end()
        self.assertEqual(code, 0, said)


def client_hello():
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    session = ssl.create_default_context().wrap_bio(incoming, outgoing, server_hostname="localhost")
    with contextlib.suppress(ssl.SSLWantReadError):
        session.do_handshake()
    return outgoing.read()


class PostgreSQL(Case):
    @classmethod
    def setUpClass(cls):
        cls.servers = contextlib.ExitStack()
        cls.server = cls.servers.enter_context(SecurePostgreSQL())
        cls.bare = cls.servers.enter_context(BarePostgreSQL())
        for server in (cls.server, cls.bare):
            with server.connect() as connection, connection.cursor() as cursor:
                for user in ("scram", "clear", "tlsonly"):
                    cursor.execute("CREATE USER %s PASSWORD '%s'" % (user, PASSWORD))

    @classmethod
    def tearDownClass(cls):
        cls.servers.close()

    @staticmethod
    def connect(port, user="lab", **options):
        import psycopg2

        options.setdefault("host", "localhost")
        connection = psycopg2.connect(port=port, user=user, dbname="postgres", **options)
        connection.autocommit = True
        return connection

    @staticmethod
    def ask(connection, sql, parameters=None):
        with contextlib.closing(connection), connection.cursor() as cursor:
            cursor.execute(sql, parameters)
            return cursor.fetchall()

    def has_tls(self, connection):
        """(the client's side, the server's)."""
        mine = bool(connection.info.ssl_in_use)
        return mine, self.ask(connection, "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")[0][0]

    def check_refused(self, port, message, **options):
        import psycopg2

        with self.assertRaises(psycopg2.OperationalError) as caught:
            self.connect(port, **options)
        self.assertIn(message, str(caught.exception))

    def test_either_side(self):
        for server, how, asked, expected in (
                (self.server, [], "require", (True, True)), (self.server, [], "disable", (False, True)),
                (self.server, ["--upstream-tls", "disable"], "require", (True, False)), (self.server, ["--upstream-tls", "disable"], "disable", (False, False)),
                (self.server, ["--upstream-tls", "require"], "verify-full", (True, True)),
                (self.server, ["--upstream-tls", "verify", "--upstream-ca", certificates.path("ca.crt")], "verify-full", (True, True)),
                (self.bare, [], "prefer", (False, False)), (self.bare, ["--upstream-tls", "disable"], "require", (True, False))):
            with self.subTest(how=how, asked=asked), self.proxied(server.port, *certificates.ends(), *how) as proxy:
                self.assertEqual(self.has_tls(self.connect(proxy.port, sslmode=asked, sslrootcert=certificates.path("ca.crt"))), expected)
                code, _, said = proxy.end()
                self.assertEqual(code, 0, said)
                self.assertNotIn("refused", said)

    def test_no_certificate(self):
        with self.proxied(self.server.port, "--upstream-tls", "require") as proxy:
            self.assertEqual(self.has_tls(self.connect(proxy.port)), (False, True))
            self.assertEqual(self.has_tls(self.connect(proxy.port, user="tlsonly")), (False, True))
            self.check_refused(proxy.port, "does not support SSL", sslmode="require")

    def test_same_bytes(self):
        import psycopg

        statements = ["SELECT 1", "SELECT g, repeat(md5(g::text), 300) FROM generate_series(1, 2000) g", "SELECT NULL::int, '\\x00ff'::bytea, 1.50::numeric",
                      "SELECT nothing FROM nowhere", "SELECT string_agg(g::text, '') FROM generate_series(1, 300000) g"]

        def answers(**options):
            told = []
            with psycopg.connect(host="localhost", user="lab", dbname="postgres", autocommit=True, **options) as connection:
                for sql in statements:
                    try:
                        told.append(connection.execute(sql).fetchall())
                    except psycopg.Error as error:
                        told.append((error.sqlstate, str(error)))
                connection.execute("CREATE TEMP TABLE big (t text)")
                with connection.cursor().copy("COPY big FROM STDIN") as copy:
                    for i in range(3000):
                        copy.write("%d %s\n" % (i, "x" * 1000))
                with connection.cursor().copy("COPY big TO STDOUT") as copy:
                    told.append(b"".join(bytes(piece) for piece in copy))
                with connection.pipeline():
                    told += [connection.execute("SELECT %s", (i,)).fetchone() for i in range(3)]
            return told

        direct = answers(port=self.server.port)
        with self.proxied(self.server.port, *certificates.ends()) as proxy:
            for mode in ("require", "disable", "verify-full"):
                self.assertEqual(answers(port=proxy.port, sslmode=mode, sslrootcert=certificates.path("ca.crt")), direct, mode)
            code, _, said = proxy.end()
            self.assertEqual(code, 0, said)

    def test_lost_write(self):
        self.check_lost_write(self.server, lambda port: self.connect(port, sslmode="require"), *certificates.ends())

    def test_scram(self):
        login = {"user": "scram", "password": PASSWORD}
        with self.proxied(self.server.port, *certificates.ends()) as proxy:
            self.check_refused(proxy.port, "binds a login to the server's certificate", sslmode="require", **login)
            self.assertEqual(self.has_tls(self.connect(proxy.port, sslmode="require", channel_binding="disable", **login)), (True, True))
            self.assertEqual(self.has_tls(self.connect(proxy.port, sslmode="disable", **login)), (False, True))
            self.check_refused(proxy.port, "password authentication failed", sslmode="disable", user="scram", password="other")
            code, _, said = proxy.end()
            self.assertEqual(code, 0, said)
            self.assertIn("binds a login", said)
        with self.proxied(self.server.port, *certificates.ends(), "--upstream-tls", "disable") as proxy:
            self.assertEqual(self.has_tls(self.connect(proxy.port, sslmode="require", channel_binding="prefer", **login)), (True, False))
            self.check_refused(proxy.port, "channel binding", sslmode="require", channel_binding="require", **login)
        with self.proxied(self.server.port, *certificates.ends("server")) as proxy:
            self.assertEqual(self.has_tls(self.connect(proxy.port, sslmode="verify-full", sslrootcert=certificates.path("ca.crt"), channel_binding="require",
                                                       **login)), (True, True))

    def test_passwords_are_not_recorded(self):
        recording = certificates.path("recorded")
        with self.proxied(self.server.port, *certificates.ends(), "--record", recording) as proxy:
            self.ask(self.connect(proxy.port, user="clear", password=PASSWORD, sslmode="require"), "SELECT 'seen'")
            proxy.end()
        with open(recording, "rb") as file:
            recorded = file.read()
        self.assertIn(b"SELECT 'seen'", recorded)
        self.assertNotIn(PASSWORD.encode(), recorded)

    def test_cancel(self):
        with self.proxied(self.server.port, *certificates.ends()) as proxy:
            connection = self.connect(proxy.port, sslmode="require")
            threading.Timer(0.3, connection.cancel).start()
            import psycopg2

            with self.assertRaises(psycopg2.errors.QueryCanceled):
                self.ask(connection, "SELECT pg_sleep(20)")

    def test_refused(self):
        with self.proxied(self.bare.port, *certificates.ends(), "--upstream-tls", "require") as proxy:
            for mode in ("require", "disable"):
                self.check_refused(proxy.port, "lostwrite: the server offers no TLS", sslmode=mode)
            code, _, said = proxy.end()
            self.assertEqual(code, 0, said)
            self.assertIn("2 connections refused", said)
        with self.proxied(self.bare.port, *certificates.ends()) as proxy:
            self.check_refused(proxy.port, "does not support SSL", sslmode="require")
        verify = ["--upstream-tls", "verify", "--upstream-ca"]
        with self.proxied(self.server.port, *certificates.ends(), *verify, certificates.path("other.crt")) as proxy:
            self.check_refused(proxy.port, "unable to get local issuer certificate", sslmode="require")

    def test_a_name_that_the_certificate_has_not(self):
        with self.proxied(self.server.port, *certificates.ends(), "--upstream-tls", "verify", "--upstream-ca", certificates.path("ca.crt"),
                          host="127.1") as proxy:
            self.check_refused(proxy.port, "hostname mismatch", sslmode="require")

    def test_direct(self):
        with self.proxied(self.server.port, *certificates.ends()) as proxy:
            for names, works in ((["postgresql"], True), ([], False)):
                context = ssl.create_default_context(cafile=certificates.path("ca.crt"))
                if names:
                    context.set_alpn_protocols(names)
                with socket.create_connection(("127.0.0.1", proxy.port), timeout=30) as plain, context.wrap_socket(plain, server_hostname="localhost") as one:
                    body = struct.pack("!I", 3 << 16) + b"user\0lab\0database\0postgres\0\0"
                    with contextlib.suppress(OSError):
                        one.sendall(struct.pack("!I", len(body) + 4) + body)
                        self.assertEqual(one.recv(1), b"R" if works else b"")
            _, _, said = proxy.end()
            self.assertIn("ALPN", said)

    def test_cut(self):
        def begin(connection):
            connection.sendall(struct.pack("!II", 8, 80877103))
            self.assertEqual(connection.recv(1), b"S")

        self.check_cut(self.server.port, begin)
        self.check_cut(self.server.port, lambda connection: None)


class MariaDB(Case):
    @classmethod
    def setUpClass(cls):
        cls.servers = contextlib.ExitStack()
        cls.server = cls.servers.enter_context(SecureMariaDB())
        cls.bare = cls.servers.enter_context(servers.MariaDB())
        for server in (cls.server, cls.bare):
            server.create_database("shop")
            with contextlib.closing(server.connect()) as connection:
                cursor = connection.cursor()
                cursor.execute("CREATE USER secret@'%%' IDENTIFIED BY '%s'" % PASSWORD)
                cursor.execute("CREATE USER tlsonly@'%%' IDENTIFIED BY '%s' REQUIRE SSL" % PASSWORD)
                cursor.execute("GRANT ALL ON *.* TO secret@'%', tlsonly@'%'")

    @classmethod
    def tearDownClass(cls):
        cls.servers.close()

    def client(self, port, *options, sql="SHOW STATUS LIKE 'Ssl_cipher'", user="secret"):
        """What the server answers, and says of an error."""
        done = subprocess.run(["mariadb", "--no-defaults", "-h", "127.0.0.1", "-P", str(port), "-u", user, "-p" + PASSWORD, "-N", *options, "-e", sql, "shop"],
                              capture_output=True, timeout=60)
        return done.stdout.decode(), done.stderr.decode()

    @staticmethod
    def connect(port, tls=True, user="secret", **options):
        import MySQLdb

        if tls:
            options["ssl"] = {"ca": certificates.path("ca.crt")}
        return MySQLdb.connect(host="127.0.0.1", port=port, user=user, password=PASSWORD, database="shop", autocommit=True, **options)

    def test_either_side(self):
        verify = ["--upstream-tls", "verify", "--upstream-ca", certificates.path("ca.crt")]
        for server, how, client, is_upstream in (
                (self.server, [], ["--ssl"], True), (self.server, [], ["--skip-ssl"], True), (self.server, ["--upstream-tls", "disable"], ["--ssl"], False),
                (self.server, ["--upstream-tls", "disable"], ["--skip-ssl"], False), (self.server, verify, ["--ssl"], True),
                (self.server, [], ["--ssl", "--compress"], True), (self.server, [], ["--skip-ssl", "--compress"], True),
                (self.bare, [], ["--skip-ssl"], False), (self.bare, ["--upstream-tls", "disable"], ["--ssl"], False)):
            with self.subTest(how=how, client=client), self.proxied(server.port, *certificates.ends(), *how) as proxy:
                out, err = self.client(proxy.port, *client, *(["--ssl-ca=" + certificates.path("ca.crt"), "--ssl-verify-server-cert"]
                                                              if "--ssl" in client else []))
                self.assertEqual(out.split(), ["Ssl_cipher", "TLS_AES_256_GCM_SHA384"] if is_upstream else ["Ssl_cipher"], err)
                code, _, said = proxy.end()
                self.assertEqual(code, 0, said)
                self.assertNotIn("refused", said)

    def test_no_certificate(self):
        with self.proxied(self.server.port, "--upstream-tls", "require") as proxy:
            self.assertIn("TLS_AES", self.client(proxy.port, "--skip-ssl", user="tlsonly")[0])
            self.assertIn("SSL is required", self.client(proxy.port, "--ssl", "--ssl-verify-server-cert")[1])

    def test_same_bytes(self):
        statements = ["SELECT 1, NULL, 'x', 1.50, x'00ff'", "SELECT seq, REPEAT(MD5(seq), 300) FROM seq_1_to_2000", "SELECT nothing FROM nowhere",
                      "SELECT REPEAT('y', 3000000)", "CREATE TEMPORARY TABLE big (t LONGTEXT)", "INSERT INTO big VALUES ('" + "z" * 500000 + "')",
                      "SELECT LENGTH(t), MD5(t) FROM big"]

        def answers(port, tls, **options):
            import MySQLdb

            told = []
            with contextlib.closing(self.connect(port, tls, **options)) as connection:
                for sql in statements:
                    cursor = connection.cursor()
                    try:
                        cursor.execute(sql)
                        told.append((cursor.rowcount, cursor.fetchall()))
                    except MySQLdb.Error as error:
                        told.append(error.args)
            return told

        direct = answers(self.server.port, False)
        with self.proxied(self.server.port, *certificates.ends()) as proxy:
            for tls in (True, False):
                self.assertEqual(answers(proxy.port, tls), direct)
                self.assertEqual(answers(proxy.port, tls, compress=True), direct)

    def test_lost_write(self):
        for tls in (True, False):
            self.check_lost_write(self.server, lambda port, tls=tls: self.connect(port, tls), *certificates.ends())
            with contextlib.closing(self.server.connect("shop")) as connection:
                connection.cursor().execute("DROP TABLE counter")

    def test_refused(self):
        with self.proxied(self.bare.port, *certificates.ends(), "--upstream-tls", "require") as proxy:
            self.assertIn("lostwrite: the server offers no TLS", self.client(proxy.port, "--ssl")[1])
        with self.proxied(self.bare.port, *certificates.ends()) as proxy:
            self.assertIn("SSL is required", self.client(proxy.port, "--ssl", "--ssl-verify-server-cert")[1])
        with self.proxied(self.server.port, *certificates.ends(), "--upstream-tls", "verify", "--upstream-ca", certificates.path("other.crt")) as proxy:
            for option in ("--ssl", "--skip-ssl"):
                self.assertIn("certificate not accepted", self.client(proxy.port, option)[1])
        with self.proxied(self.server.port, *certificates.ends()) as proxy:
            import MySQLdb

            with self.assertRaisesRegex(MySQLdb.OperationalError, "Access denied"):
                self.connect(proxy.port, user="nobody")

    def test_cut(self):
        def begin(connection):
            greeting = connection.recv(4096)
            self.assertEqual(greeting[4], 10)
            connection.sendall(struct.pack("<I", 32 | 1 << 24) + struct.pack("<IIB23x", 0x000fa685 | 1 << 11, 1 << 24, 45))

        self.check_cut(self.server.port, begin)


class Script:
    """A server of MySQL's protocol that says these packets, and keeps what it is told."""

    GREETING = b"\x0a8.0.36\0" + struct.pack("<I", 1) + b"saltsalt\0" + struct.pack("<HBHHB10x", 0xf7df, 45, 2, 0x01ff, 21) + b"saltsaltsalt\0caching_sha2_password\0"

    def __init__(self, answers):
        self.answers, self.heard = answers, []
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    @staticmethod
    def packet(number, body):
        return struct.pack("<I", len(body) | number << 24) + body

    def serve(self):
        with self.socket, self.socket.accept()[0] as client:
            client.sendall(self.packet(0, self.GREETING))
            for answer in self.answers:
                self.heard.append(client.recv(4096))
                client.sendall(self.packet(self.heard[-1][3] + 1, answer))
            self.heard.append(client.recv(4096))


class FullLogin(Case):
    """caching_sha2_password sends the password itself where the client has TLS: it is not let out on a connection that has none."""

    def test_it_is_refused(self):
        for answer in (b"\x01\x04", b"\xfemysql_clear_password\0", b"\xfesha256_password\0salt"):
            script = Script([answer])
            with self.proxied(script.port, *certificates.ends(), "--upstream-tls", "disable") as proxy:
                done = subprocess.run(["mariadb", "--no-defaults", "-h", "127.0.0.1", "-P", str(proxy.port), "-u", "secret", "-p" + PASSWORD, "--ssl", "-e", "SELECT 1"],
                                      capture_output=True, timeout=60)
                self.assertIn("lostwrite: this login sends the password itself", done.stderr.decode())
                proxy.end()
            self.assertEqual(script.heard[0][3], 1) # as if there had been no request for TLS
            self.assertNotIn(PASSWORD.encode(), b"".join(script.heard))

    def test_numbers_of_packets(self):
        script = Script([b"\x01\x03", b""])
        with self.proxied(script.port, *certificates.ends(), "--upstream-tls", "disable") as proxy, \
                socket.create_connection(("127.0.0.1", proxy.port), timeout=30) as plain:
            self.assertTrue(struct.unpack_from("<H", plain.recv(4096), 4 + 7 + 1 + 4 + 9)[0] & 1 << 11)
            head = struct.pack("<IIB23x", 0x000fa685 | 1 << 11, 1 << 24, 45)
            plain.sendall(Script.packet(1, head))
            with ssl.create_default_context(cafile=certificates.path("ca.crt")).wrap_socket(plain, server_hostname="localhost") as connection:
                connection.sendall(Script.packet(2, head + b"me\0\x02ab" + b"caching_sha2_password\0"))
                self.assertEqual(connection.recv(4096), Script.packet(3, b"\x01\x03"))
                connection.sendall(Script.packet(4, b"secret"))
                self.assertEqual(connection.recv(4096), Script.packet(5, b""))
        plain_head = struct.pack("<I", 0x000fa685 & ~(1 << 11)) + head[4:]
        self.assertEqual(script.heard[:2], [Script.packet(1, plain_head + b"me\0\x02ab" + b"caching_sha2_password\0"), Script.packet(3, b"secret")])


class Usage(unittest.TestCase):
    def test_errors(self):
        listen = ["--listen", "127.0.0.1:0", "--upstream"]
        path = certificates.path
        for arguments, message in (
                (["--tls-cert", "x", "a.log"], "are for a proxy"), ([*listen, ":1", "--tls-cert", path("proxy.crt")], "belong together"),
                ([*listen, ":1", "--upstream-ca", path("ca.crt")], "is for --upstream-tls verify"),
                ([*listen, ":1", "--upstream-tls", "maybe"], "maybe"),
                ([*listen, ":1", "--tls-cert", path("none.crt"), "--tls-key", path("proxy.key")], "none.crt: no certificate in PEM form: No such file or directory"),
                ([*listen, ":1", "--tls-cert", path("proxy.key"), "--tls-key", path("proxy.key")], "no certificate in PEM form"),
                ([*listen, ":1", "--tls-cert", path("proxy.crt"), "--tls-key", path("server.key")], "server.key: no private key"),
                ([*listen, ":1", "--tls-cert", path("proxy.crt"), "--tls-key", path("locked.key")], "without a passphrase"),
                ([*listen, "localhost:1", "--upstream-tls", "verify", "--upstream-ca", path("names")], "names: no certificates in PEM form"),
                ([*listen, "/tmp/socket", "--upstream-tls", "verify"], "names no host"), ([*listen, ":1", "--upstream-tls", "verify"], "names no host")):
            done = subprocess.run([BINARY, "watch", *arguments], capture_output=True, timeout=60)
            self.assertEqual(done.returncode, 2, arguments)
            self.assertIn(message, done.stderr.decode())


if __name__ == "__main__":
    main("tls")
