#!/usr/bin/env python3
"""Real traffic of real servers and drivers, recorded by a relay: what is told of it is what was sent and received, also when packets
come in any form, order and number."""
import io
import os
import random
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import clients
import events
import harness
import recorder
import servers

SEED = int(os.environ.get("LOSTWRITE_SEED", "1"))
INT4, TEXT, FLOAT8, NUMERIC, TIMESTAMP, TIMESTAMPTZ, BYTEA, BOOL, UUID, DATE = (
    23, 25, 701, 1700, 1114, 1184, 17, 16, 2950, 1082)


def short(told):
    """A statement as a tuple: what is compared where all else is the same."""
    return (told["session"], told["sql"], told["params"], told["outcome"], told["after"], told["row_count"], told["code"],
            told.get("rows"), told["is_more"])


def by_session(told):
    """Packets in another order may shift sessions against each other."""
    out = {}
    for statement in events.statements(told):
        out.setdefault(statement["session"], []).append(short(statement))
    return sorted(out.values(), key=repr)


class Damaged:
    """What a capture may look like on disk and what networks do to packets. `packets`, `server_port` and `told` are of the class."""

    def same(self, capture, message, piece=0, port=0):
        told = events.of_capture(capture, piece, port)
        self.assertEqual(events.gaps(told), self.gaps, message)
        self.assertEqual(by_session(told), by_session(self.told), message)

    def test_forms(self):
        for link in recorder.LINKS:
            for order in "<>":
                self.same(recorder.pcap(self.packets, self.server_port, link, order, order == ">"), (link, order))
        for resolution in (3, 6, 9, 0x8a, 0x94):
            self.same(recorder.pcapng(self.packets, self.server_port, "qinq", "<>"[resolution % 2], resolution, 3), resolution)
        self.same(recorder.pcapng(self.packets, self.server_port, simple=True), "simple packets")

    def test_times(self):
        first = events.statements(self.told)[0]
        for capture in (recorder.pcap(self.packets, self.server_port, nanoseconds=True),
                        recorder.pcapng(self.packets, self.server_port, resolution=9)):
            told = events.statements(events.of_capture(capture))[0]
            self.assertEqual((told["time_us"], told["end_us"]), (first["time_us"], first["end_us"]))
        self.assertLess(first["time_us"], first["end_us"])

    def test_pieces(self):
        capture = recorder.pcap(self.packets, self.server_port)
        for piece in (1, 7, -40, -3000):
            self.same(capture, piece, piece)

    def test_cut_into_small_packets(self):
        for size in (1, 5, 100):
            packets = recorder.split([p for p in self.packets if self.is_small(p)], size)
            told = events.of_capture(recorder.pcap(packets, self.server_port))
            whole = events.of_capture(recorder.pcap([p for p in self.packets if self.is_small(p)], self.server_port))
            self.assertEqual(by_session(told), by_session(whole), size)

    def is_small(self, packet):
        """Of the connection with fewest bytes: a byte a packet is slow."""
        sizes = {}
        for one in self.packets:
            sizes[one.client_port] = sizes.get(one.client_port, 0) + len(one.data)
        return packet.client_port == min((size, port) for port, size in sizes.items() if size > 2000)[1]

    def test_shuffled_and_sent_again(self):
        for seed in range(SEED, SEED + 5):
            self.same(recorder.pcap(recorder.shuffled(self.packets, seed), self.server_port), seed)
            packets = recorder.duplicated(self.packets, seed)
            self.same(recorder.pcap(packets, self.server_port), seed)
            self.same(recorder.pcap(recorder.shuffled(packets, seed, 20), self.server_port), seed)

    def test_other_port(self):
        capture = recorder.pcap(self.packets, 7777)
        self.same(capture, "by looking")
        self.same(capture, "by the option", 0, 7777)
        self.assertEqual(events.of_capture(capture, 0, 7778), [])

    def test_dropped(self):
        """What is missing is told as a gap; what is told was sent, and in its order."""
        for seed in range(SEED, SEED + 5):
            packets = recorder.dropped(self.packets, seed)
            told = events.of_capture(recorder.pcap(packets, self.server_port))
            if len(packets) < len(self.packets):
                self.assertGreater(len(events.gaps(told)), len(self.gaps), seed)
            self.within(told, seed)

    def test_begins_midway(self):
        for seed in range(SEED, SEED + 5):
            packets = self.packets[random.Random(seed).randrange(20, len(self.packets)):]
            told = events.of_capture(recorder.pcap(packets, self.server_port))
            self.within(told, seed)

    def test_damaged_file(self):
        for form in (recorder.pcap, recorder.pcapng):
            whole = form(self.packets, self.server_port)
            for seed in range(SEED, SEED + 5):
                rng = random.Random(seed)
                at = len(form(self.packets[:rng.randrange(20, len(self.packets) - 20)], self.server_port))
                told = events.of_capture(whole[:at] + rng.randbytes(14) + whole[at + 14:])
                self.assertIn("the capture is damaged", [gap["reason"] for gap in events.gaps(told)])
                self.within(told, (form, seed))

    def within(self, told, message):
        """Each connection's statements are some of those that it sent, in order."""
        sent = [[(s[1], s[3], s[5]) for s in session] for session in by_session(self.told)]
        for session in by_session(told):
            mine = [(s[1], s[3], s[5]) for s in session if s[3] != "unknown"]
            self.assertTrue(any(is_part(mine, one) for one in sent), (message, mine))


def is_part(part, whole):
    at = iter(whole)
    return all(any(one == other for other in at) for one in part)


class PostgreSQL(Damaged, unittest.TestCase):
    server_port = 5432
    gaps = []

    @classmethod
    def setUpClass(cls):
        with servers.PostgreSQL() as server, recorder.Recorder(server.port) as relay:
            cls.dsn = "host=127.0.0.1 port=%d user=lab dbname=postgres sslmode=disable application_name=" % relay.port
            cls.by_psycopg2(cls.dsn + "psycopg2")
            cls.by_libpq(cls.dsn + "libpq")
            cls.by_psycopg(cls.dsn + "psycopg")
        cls.packets = relay.packets
        cls.told = events.of_capture(recorder.pcap(cls.packets, 5432))

    @classmethod
    def by_psycopg2(cls, dsn):
        import psycopg2
        connection = psycopg2.connect(dsn)
        connection.autocommit = True
        cursor = connection.cursor()
        cursor.execute("CREATE TABLE t (id serial PRIMARY KEY, n int, s text); INSERT INTO t (n, s) VALUES (1, 'a;b'), (2, NULL);"
                       "SELECT * FROM t ORDER BY id -- ;")
        for sql in ("SELECT 1; SELECT 1/0; SELECT 2", "SELEC", ";", "DO $x$ BEGIN PERFORM 1; END $x$; SELECT 'x;''y'"):
            try:
                cursor.execute(sql)
            except psycopg2.Error:
                pass
        cursor.execute("SET application_name = 'renamed'")
        cursor.copy_from(io.StringIO("5\tx\n6\ty\n"), "t", columns=("n", "s"))
        cursor.copy_to(io.StringIO(), "t")
        try:
            cursor.copy_from(io.StringIO("bad\tx\n"), "t", columns=("n", "s"))
        except psycopg2.Error:
            pass
        connection.autocommit = False
        cursor.execute("UPDATE t SET n = n + 1 WHERE id = %s", (1,))
        connection.commit()
        cursor.execute("SELECT g, repeat('x', 20) FROM generate_series(1, 1500) g")
        cls.rows = cursor.fetchall()
        cursor.execute("SELECT length(%s)", ("y" * 2000000,))
        connection.rollback()
        connection.close()

    @classmethod
    def by_libpq(cls, dsn):
        connection = clients.Libpq(dsn)
        connection.query("CREATE TABLE v (i int, f float8, n numeric, b bool, s text, y bytea, d date, t timestamp, z timestamptz, u uuid)")
        cls.params = [
            (INT4, 1, clients.be("i", -7)), (FLOAT8, 1, clients.be("d", 0.1)),
            (NUMERIC, 1, clients.be("hhHHhhhh", 4, 1, 0x4000, 5, 12, 3456, 7890, 1200)), (BOOL, 1, b"\1"), (TEXT, 1, "é".encode()),
            (BYTEA, 1, b"\0\xff\\"), (DATE, 1, clients.be("i", 7364)), (TIMESTAMP, 1, clients.be("q", 636253323000040)),
            (TIMESTAMPTZ, 1, clients.be("q", -1)), (UUID, 1, bytes(range(16)))]
        insert = "INSERT INTO v VALUES (%s)" % ", ".join("$%d" % (i + 1) for i in range(10))
        connection.params(insert, cls.params, True)
        connection.params(insert, [(oid, form, None) for oid, form, _ in cls.params], True)
        connection.prepare("read", "SELECT * FROM v WHERE i = $1")
        connection.describe("read")
        connection.query("SET TimeZone = 'Asia/Kolkata'")
        for is_binary in (True, False):
            connection.run("read", [(0, 1, clients.be("i", -7))], is_binary)
        connection.query("SET bytea_output = escape")
        cls.as_text = connection.run("read", [(0, 0, b"-7")], False)
        connection.params("SELECT 1.5e300::float8, 1e15::float8, 123456::float4, 1e6::float4, 'NaN'::numeric, 'infinity'::timestamp,"
                          " 0.000::numeric, '{1,2}'::int[], '{\"a\": 1}'::jsonb, '04:05:06.7'::time, 5::bigint, NULL::int", [], True)
        connection.params("SELECT 1 / $1::int", [(INT4, 0, b"0")], False)
        connection.params("SELECT $1::int", [(INT4, 0, b"word")], False)
        connection.params("SELEC $1", [(INT4, 0, b"1")], False)
        connection.pipeline(["INSERT INTO v (i) VALUES (10)", "INSERT INTO v (i) VALUES (11)", None, "INSERT INTO v (i) VALUES (12)",
                             "SELECT 1/0", "SELECT 2", None, "SELECT count(*) FROM v WHERE i >= 10", None])
        connection.copy_in("COPY v (i) FROM STDIN", b"20\n21\n22\n")
        connection.query("BEGIN ISOLATION LEVEL SERIALIZABLE; SELECT 1")
        connection.query("COMMIT")
        connection.close()

    @classmethod
    def by_psycopg(cls, dsn):
        cls.has_psycopg = True
        try:
            import psycopg
        except ImportError:
            cls.has_psycopg = False
            return
        with psycopg.connect(dsn, autocommit=True) as connection:
            for number in range(7):  # from the sixth on it is prepared
                connection.execute("SELECT %s::int4 + n FROM t WHERE id = %s", (number, 1))
            with connection.pipeline():
                connection.execute("INSERT INTO t (n) VALUES (10)")
                connection.execute("INSERT INTO t (n) VALUES (11)")
            with connection.transaction(), connection.cursor("named") as cursor:
                cursor.execute("SELECT id FROM t ORDER BY id")
                cursor.fetchmany(2)
                cursor.fetchall()

    def of(self, application):
        """The statements of one client's connection."""
        session = [e["session"] for e in self.told if e["kind"] == "session" and e["application"] == application][0]
        return [s for s in events.statements(self.told) if s["session"] == session]

    def test_sessions(self):
        session = [e for e in self.told if e["kind"] == "session"][0]
        self.assertEqual((session["user"], session["database"], session["application"]), ("lab", "postgres", "psycopg2"))
        self.assertIn("renamed", [e.get("application") for e in self.told])
        self.assertEqual(events.gaps(self.told), [])
        self.assertEqual(len([e for e in self.told if e["kind"] == "end"]), 2 + self.has_psycopg)

    def test_simple(self):
        told = [(s["sql"], s["outcome"], s["after"], s["row_count"], s["code"]) for s in self.of("psycopg2")]
        self.assertEqual(told[:9], [
            ("CREATE TABLE t (id serial PRIMARY KEY, n int, s text)", "ok", "open", -1, ""),
            ("INSERT INTO t (n, s) VALUES (1, 'a;b'), (2, NULL)", "ok", "open", 2, ""),
            ("SELECT * FROM t ORDER BY id -- ;", "ok", "none", 2, ""),
            ("SELECT 1", "ok", "open", 1, ""),
            ("SELECT 1/0", "failed", "none", -1, "22012"),
            ("SELEC", "failed", "none", -1, "42601"),
            ("DO $x$ BEGIN PERFORM 1; END $x$", "ok", "open", -1, ""),
            ("SELECT 'x;''y'", "ok", "none", 1, ""),
            ("SET application_name = 'renamed'", "ok", "none", -1, "")])
        copies = [one[1:] for one in told if one[0].startswith("COPY")]
        self.assertEqual(copies, [("ok", "none", 2, ""), ("ok", "none", 4, ""), ("failed", "none", -1, "22P02")])
        self.assertIn(("UPDATE t SET n = n + 1 WHERE id = 1", "ok", "open", 1, ""), told)

    def test_rows(self):
        read = [s for s in self.of("psycopg2") if "generate_series" in s["sql"]][0]
        self.assertEqual((read["row_count"], read["is_rows_cut"], len(read["rows"])), (1500, 1, 1000))
        self.assertEqual(events.rows(read), [[str(number), text] for number, text in self.rows[:1000]])
        self.assertEqual(read["columns"], ["g", "repeat"])

    def test_long_text(self):
        read = [s for s in self.of("psycopg2") if s["sql"].startswith("SELECT length(")][0]
        self.assertEqual((read["is_cut"], read["outcome"]), (1, "ok"))
        self.assertGreater(len(read["sql"]), 1000000)

    def test_binary(self):
        inserts = [s for s in self.of("libpq") if s["sql"].startswith("INSERT INTO v VALUES")]
        expected = ["-7", "0.1", "-123456.78901", "t", "é", "\0\ufffd\\", "2020-02-29", "2020-02-29 01:02:03.00004",
                    "1999-12-31 23:59:59.999999+00", "00010203-0405-0607-0809-0a0b0c0d0e0f"]
        self.assertEqual(events.texts(inserts[0]["params"]), expected)
        self.assertEqual(inserts[1]["params"], [None] * 10)
        # Binary and text, in another time zone and another form of bytes: all the same.
        reads = [s for s in self.of("libpq") if s["sql"].startswith("SELECT * FROM v")]
        self.assertEqual([events.rows(s) for s in reads], [[expected]] * 3)
        self.assertEqual([s["params"] for s in reads], [[["-7", False]]] * 3)
        self.assertIn(b"+05:30", self.as_text[0][8])
        others = [s for s in self.of("libpq") if s["sql"].startswith("SELECT 1.5e300")][0]
        self.assertEqual(events.rows(others), [["1.5e+300", "1e+15", "123456", "1e+06", "NaN", "infinity", "0.000", "absent", '{"a": 1}',
                                                "04:05:06.7", "5", None]])

    def test_extended_errors(self):
        told = [(s["sql"], events.texts(s["params"]), s["code"]) for s in self.of("libpq") if s["outcome"] == "failed"]
        self.assertEqual(told, [("SELECT 1 / $1::int", ["0"], "22012"), ("SELECT $1::int", ["word"], "22P02"), ("SELEC $1", [], "42601"),
                                ("SELECT 1/0", [], "22012")])

    def test_pipeline(self):
        told = [(s["sql"], s["outcome"], s["after"]) for s in self.of("libpq")]
        at = told.index(("INSERT INTO v (i) VALUES (10)", "ok", "open"))
        self.assertEqual(told[at:], [
            ("INSERT INTO v (i) VALUES (10)", "ok", "open"), ("INSERT INTO v (i) VALUES (11)", "ok", "none"),
            ("INSERT INTO v (i) VALUES (12)", "ok", "open"), ("SELECT 1/0", "failed", "none"),
            ("SELECT count(*) FROM v WHERE i >= 10", "ok", "none"), ("COPY v (i) FROM STDIN", "ok", "none"),
            ("BEGIN ISOLATION LEVEL SERIALIZABLE", "ok", "open"), ("SELECT 1", "ok", "open"), ("COMMIT", "ok", "none")])

    def test_psycopg(self):
        if not self.has_psycopg:
            self.skipTest("no psycopg 3")
        told = self.of("psycopg")
        self.assertEqual([events.rows(s) for s in told[:7]], [[[str(2 + number)]] for number in range(7)])
        self.assertEqual([events.texts(s["params"]) for s in told[:7]], [[str(number), "1"] for number in range(7)])
        self.assertEqual([s["row_count"] for s in told if s["sql"].startswith("FETCH")][0], 2)


class MariaDB(Damaged, unittest.TestCase):
    server_port = 3306
    gaps = []
    kind = servers.MariaDB
    COLUMNS = ("a TINYINT, b SMALLINT UNSIGNED, c INT, d BIGINT UNSIGNED, e FLOAT, f DOUBLE, g DECIMAL(10, 2), h VARCHAR(20), i BLOB,"
               " j DATE, k DATETIME(6), l TIME(6), z INT(6) ZEROFILL")
    EXPECTED = ["-5", "200", "-70000", "9223372036854775813", "1.5", "0.1", "-12.50", "it's", "\0\ufffd\1", "2020-02-29",
                "2020-02-29 01:02:03.000040", "-51:00:00.500000", "42"]

    @classmethod
    def setUpClass(cls):
        with cls.kind() as server, recorder.Recorder(server.port) as relay:
            server.create_database("d")
            cls.by_mysqldb(relay.port)
            cls.by_statements(relay.port, 0)
            cls.by_statements(relay.port, clients.COMPRESS)
            cls.reads_large(relay.port)
        cls.packets = relay.packets
        cls.told = events.of_capture(recorder.pcap(cls.packets, 3306))

    @classmethod
    def by_mysqldb(cls, port):
        import MySQLdb
        from MySQLdb.constants import CLIENT
        connection = MySQLdb.connect(host="127.0.0.1", port=port, user="root", db="d", autocommit=True, charset="utf8mb4",
                                     client_flag=CLIENT.MULTI_STATEMENTS, local_infile=1)
        cursor = connection.cursor()

        def run(sql, args=None):
            try:
                cursor.execute(sql, args)
                while cursor.nextset():
                    pass
            except MySQLdb.Error:
                pass

        run("CREATE TABLE t (id INT PRIMARY KEY AUTO_INCREMENT, n INT, s VARCHAR(20)) ENGINE=InnoDB")
        run("INSERT INTO t (n, s) VALUES (%s, %s), (3, NULL)", (1, "a;b'"))
        run("SELECT * FROM t")
        run("SELECT nothere FROM t")
        run("CREATE PROCEDURE p() BEGIN SELECT 1 AS one; SELECT 2 AS two; END")
        run("SELECT 1; CALL p(); UPDATE t SET n = n + 1; SELECT 3 -- x;\n")
        run("SELECT 1; SELECT nope; SELECT 3")
        run("BEGIN; UPDATE t SET n = 9 WHERE id = 1; COMMIT")
        run("SELECT 1; ; /* no statement; */")
        connection.select_db("mysql")
        connection.ping()
        connection.close()

    @classmethod
    def by_statements(cls, port, flags):
        connection = clients.Libmariadb(port, flags, b"d")
        connection.query("DROP TABLE IF EXISTS v")
        connection.query("CREATE TABLE v (%s)" % cls.COLUMNS)
        insert = connection.prepare("INSERT INTO v VALUES (%s)" % ", ".join("?" * 13))
        ctypes = clients.ctypes
        insert.bind([
            (clients.TINY, ctypes.c_byte(-5), False), (clients.LONG, ctypes.c_int(200), False), (clients.LONG, ctypes.c_int(-70000), False),
            (clients.LONGLONG, ctypes.c_ulonglong(2 ** 63 + 5), True), (clients.DOUBLE, ctypes.c_double(1.5), False),
            (clients.DOUBLE, ctypes.c_double(0.1), False), (clients.STRING, b"-12.50", False), (clients.STRING, b"it's", False),
            (clients.BLOB, b"\0\xff\1", False), (clients.DATE, clients.Time(2020, 2, 29, time_type=0), False),
            (clients.DATETIME, clients.Time(2020, 2, 29, 1, 2, 3, 40, time_type=1), False),
            (clients.TIME, clients.Time(0, 0, 2, 3, 0, 0, 500000, b"\1", 2), False), (clients.LONG, ctypes.c_int(42), False)])
        insert.execute()
        insert.execute()  # its types are not sent again
        insert.bind([(clients.NULL, None, False)] * 13)
        insert.execute()
        insert.close()
        read = connection.prepare("SELECT * FROM v WHERE a < ?")
        read.bind([(clients.LONG, ctypes.c_int(100), False)])
        read.execute()
        read.attribute(clients.CURSOR_TYPE, 1)
        read.attribute(clients.PREFETCH, 1)
        read.execute()
        read.close()
        connection.query("SELECT * FROM v WHERE a < 100")
        long = connection.prepare("UPDATE v SET i = ?, c = ? WHERE a = 1")
        long.bind([(clients.BLOB, b"", False), (clients.LONG, ctypes.c_int(1), False)])
        long.long_data(0, b"first ")
        long.long_data(0, b"second")
        long.execute()
        if cls.kind is servers.MariaDB:
            bulk = connection.prepare("INSERT INTO v (a, c) VALUES (?, ?)")
            bulk.bind_rows([(1, 10), (2, None), (3, 30)])
            bulk.execute()
        try:
            connection.prepare("SELECT nothere FROM v")
        except OSError:
            pass
        connection.query("BEGIN")
        connection.change_user(b"d")
        connection.query("SELECT 'again'")
        connection.close()

    @classmethod
    def reads_large(cls, port):
        connection = clients.Libmariadb(port, clients.COMPRESS, b"d")
        connection.query("SELECT REPEAT('ab', 1000000), 7")
        connection.query("SELECT LENGTH('%s')" % ("z" * 2000000))
        connection.query("SELECT seq.n, REPEAT('x', 20) FROM (%s) seq" % " UNION ALL ".join("SELECT %d AS n" % n for n in range(1500)))
        connection.query("SELECT 'behind'")
        connection.close()

    def session(self, number):
        return [s for s in events.statements(self.told) if s["session"] == number]

    def test_sessions(self):
        self.assertEqual(events.gaps(self.told), [])
        sessions = [e for e in self.told if e["kind"] == "session" and e["session"] == 1]
        self.assertEqual([(e["user"], e["database"]) for e in sessions], [("root", "d"), ("root", "mysql")])
        # A change of user ends the session, and what was open.
        kinds = [e["kind"] for e in self.told if e["session"] == 2 and e["kind"] != "statement"]
        self.assertEqual(kinds, ["session", "end", "session", "end"])

    def test_text(self):
        told = [(s["sql"].strip(), s["outcome"], s["after"], s["row_count"], s["code"], s["is_more"]) for s in self.session(1)]
        at = [one[0] for one in told].index("SELECT nothere FROM t")
        self.assertEqual(told[at - 2:at], [
            ("INSERT INTO t (n, s) VALUES (1, 'a;b\\''), (3, NULL)", "ok", "none", 2, "", 0), ("SELECT * FROM t", "ok", "none", 2, "", 0)])
        self.assertEqual(told[at:], [
            ("SELECT nothere FROM t", "failed", "unknown", -1, "1054", 0),
            ("CREATE PROCEDURE p() BEGIN SELECT 1 AS one; SELECT 2 AS two; END", "ok", "none", 0, "", 0),
            ("SELECT 1", "ok", "none", 1, "", 0), ("CALL p()", "ok", "none", 1, "", 0), ("CALL p()", "ok", "none", 1, "", 1),
            ("CALL p()", "ok", "none", 0, "", 1), ("UPDATE t SET n = n + 1", "ok", "none", 2, "", 0), ("SELECT 3 -- x;", "ok", "none", 1, "", 0),
            ("SELECT 1", "ok", "none", 1, "", 0), ("SELECT nope", "failed", "unknown", -1, "1054", 0),
            ("BEGIN", "ok", "open", 0, "", 0), ("UPDATE t SET n = 9 WHERE id = 1", "ok", "open", 1, "", 0), ("COMMIT", "ok", "none", 0, "", 0),
            ("SELECT 1", "ok", "none", 1, "", 0)] + told[at + 14:])
        rows = [s for s in self.session(1) if s["sql"] == "SELECT * FROM t"][0]
        self.assertEqual((rows["columns"], rows["rows"]), (["id", "n", "s"], [[["1", False], ["1", False], ["a;b'", True]], [["2", False], ["3", False], None]]))

    def test_binary(self):
        for number in (2, 3):  # plain, compressed
            told = self.session(number)
            inserts = [s for s in told if s["sql"].startswith("INSERT INTO v VALUES")]
            self.assertEqual([events.texts(s["params"]) for s in inserts], [self.EXPECTED, self.EXPECTED, [None] * 13])
            self.assertEqual([s["row_count"] for s in inserts], [1, 1, 1])
            reads = [s for s in told if s["sql"].startswith("SELECT * FROM v") and s.get("rows")]
            self.assertEqual(sum((events.rows(s) for s in reads[:1]), []), [self.EXPECTED] * 2)
            self.assertEqual(events.rows(reads[-1]), [self.EXPECTED] * 2)
            fetches = [s for s in reads if s["is_more"]]
            self.assertEqual(sum((events.rows(s) for s in fetches), []), [self.EXPECTED] * 2)
            self.assertEqual(fetches[0]["params"], [["100", False]])
            self.assertIn(["first second", "1"], [events.texts(s["params"]) for s in told])
            self.assertIn("1054", [s["code"] for s in told])
            if self.kind is servers.MariaDB:
                bulk = [(events.texts(s["params"]), s["outcome"], s["after"]) for s in told if "(a, c)" in s["sql"]]
                self.assertEqual(bulk, [(["1", "10"], "ok", "unknown"), (["2", None], "ok", "unknown"), (["3", "30"], "ok", "none")])
            self.assertEqual(told[-1]["sql"], "SELECT 'again'")

    def test_large(self):
        large, long, many, behind = self.session(4)[-4:]
        self.assertEqual((large["row_count"], large["columns"][1], large["rows"]), (1, "7", [["absent", "absent"]]))
        self.assertEqual((long["is_cut"], long["row_count"]), (1, 1))
        self.assertEqual((many["row_count"], many["is_rows_cut"], len(many["rows"])), (1500, 1, 1000))
        self.assertEqual(behind["rows"], [[["behind", True]]])


class MySQL(MariaDB):
    kind = servers.MySQL

    @classmethod
    def setUpClass(cls):
        try:
            super().setUpClass()
        except servers.ServerError as error:
            raise unittest.SkipTest(str(error)) from None


if __name__ == "__main__":
    harness.main("traffic")
