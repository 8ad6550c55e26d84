"""What connect_test.c is run with: servers with a user who has a password, a certificate, a socket."""
import os
import shutil
import subprocess
import sys
import pathlib

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "live"))
import servers


def make_certificate(server):
    """(certificate, key), signed by itself, for localhost and 127.0.0.1; the server's user can read both."""
    certificate, key = (os.path.join(server.folder, name) for name in ("tls.crt", "tls.key"))
    server.run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
               "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-out", certificate, "-keyout", key)
    os.chmod(key, 0o600)
    return certificate, key


def environment(opens, refused, **more):
    return dict(more, LOSTWRITE_URL=opens[0], LOSTWRITE_OPENS="\n".join(opens),
                LOSTWRITE_REFUSED="\n".join("%s %s" % one for one in refused))


class PostgreSQL(servers.PostgreSQL):
    def prepare(self):
        super().prepare()
        self.certificate, self.key = make_certificate(self)
        hba = os.path.join(self.folder, "data", "pg_hba.conf")
        with open(hba) as file:
            text = file.read()
        with open(hba, "w") as file:
            file.write("host all guarded 127.0.0.1/32 scram-sha-256\n" + text)

    def command(self):
        return super().command() + ["-c", "ssl=on", "-c", "ssl_cert_file=" + self.certificate,
                                    "-c", "ssl_key_file=" + self.key]


def postgresql():
    with PostgreSQL() as server:
        connection = server.connect()
        connection.cursor().execute("CREATE ROLE guarded LOGIN SUPERUSER PASSWORD 'S3cret@/x'")
        connection.close()
        guarded = "postgresql://guarded%%s@127.0.0.1:%d/postgres%%s" % server.port
        socket = "postgresql://lab@/postgres?host=%s&port=%d" % (server.folder.replace("/", "%2F"), server.port)
        passfile = os.path.join(server.folder, "passfile")
        with open(passfile, "w") as file:
            file.write("127.0.0.1:%d:*:guarded:S3cret@/x\n" % server.port)
        os.chmod(passfile, 0o600)
        refused = [
            (guarded % (":Secret%40", ""), "authentication failed"),
            (guarded % ("", "?password=Secret"), "authentication failed"),
            (guarded % (":S3cret%40%2Fx", "?sslmode=verify-full&sslrootcert=%2Fno%2Fsuch"), "does not exist"),
            (guarded.replace("postgres%s", "missing%s") % (":S3cret%40%2Fx", ""), "does not exist"),
        ]
        opens = [
            guarded % (":S3cret%40%2Fx", ""),
            guarded % (":S3cret%40%2Fx", "?sslmode=require"),
            guarded % (":S3cret%40%2Fx", "?sslmode=verify-full&sslrootcert=" + server.certificate),
            guarded % ("", "?password=S3cret%40%2Fx&sslmode=disable"),
            socket,
        ]
        yield "connect", environment(opens, refused)
        without = [guarded % ("", "")]
        yield "connect", environment(without, refused, PGPASSFILE=passfile)
        yield "connect", environment(without, refused, PGPASSWORD="S3cret@/x")


class MariaDB(servers.MariaDB):
    def prepare(self):
        super().prepare()
        self.certificate, self.key = make_certificate(self)

    def command(self):
        return super().command() + ["--ssl-cert=" + self.certificate, "--ssl-key=" + self.key]


def mariadb():
    with MariaDB() as server:
        connection = server.connect()
        cursor = connection.cursor()
        cursor.execute("CREATE USER guarded@'%' IDENTIFIED BY 'S3cret@/x'")
        cursor.execute("GRANT ALL ON *.* TO guarded@'%'")
        cursor.execute("CREATE USER blind@'%' IDENTIFIED BY ''")
        cursor.execute("GRANT CREATE, DROP ON *.* TO blind@'%'")
        connection.close()
        guarded = "mysql://guarded%%s@%%s:%d/%%s" % server.port
        password = ":S3cret%40%2Fx"
        refused = [
            (guarded % (":Secret%40", "127.0.0.1", ""), "Access denied"),
            (guarded % ("", "127.0.0.1", "?password=Secret"), "Access denied"),
            ("mysql://blind@127.0.0.1:%d" % server.port, "PROCESS privilege"),
            (guarded % (password, "127.0.0.1", "?ssl-mode=VERIFY_IDENTITY"), "certificate"),
        ]
        opens = [
            guarded % (password, "127.0.0.1", ""),
            guarded % (password, "localhost", "not_looked_at?ssl-mode=REQUIRED"),
            guarded % (password, "127.0.0.1", "?ssl-mode=verify_identity&ssl-ca=" + server.certificate),
            guarded % ("", "127.0.0.1", "?password=S3cret%40%2Fx&ssl_mode=disabled"),
            "mysql://root@localhost/?socket=" + os.path.join(server.folder, "socket"),
        ]
        home = os.path.join(server.folder, "home")
        os.mkdir(home)
        yield "connect", environment(opens, refused, HOME=home)
        without = [guarded % ("", "127.0.0.1", "")]
        yield "connect", environment(without, refused[:1], HOME=home, MYSQL_PWD="S3cret@/x")
        with open(os.path.join(home, ".my.cnf"), "w") as file:
            file.write('[client]\npassword="S3cret@/x"\n')
        yield "connect", environment(without, refused[:1], HOME=home)
