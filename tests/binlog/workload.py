"""Work for a server that writes a binary log, and what SELECT says of each row before and after each change.

    with server_with_log(servers.MariaDB, "--binlog-row-metadata=FULL") as server:
        work = Work(server)
        work.run()                      work.changes: what the log must tell, in its order
        log = logs_of(server)           bytes of its files, one behind the other
"""

import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "live"))

# Column: type, values as SQL. Of each type the ends, what is negative, empty and NULL.
NUMBERS = [
    ("ti", "TINYINT", ["-128", "127", "0", "NULL"]),
    ("tu", "TINYINT UNSIGNED", ["255", "0", "128", "NULL"]),
    ("si", "SMALLINT", ["-32768", "32767", "-1", "NULL"]),
    ("mi", "MEDIUMINT", ["-8388608", "8388607", "-1", "1"]),
    ("mu", "MEDIUMINT UNSIGNED", ["16777215", "0", "8388608", "NULL"]),
    ("ii", "INT", ["-2147483648", "2147483647", "NULL", "10"]),
    ("iu", "INT UNSIGNED", ["4294967295", "0", "2147483648", "NULL"]),
    ("bi", "BIGINT", ["-9223372036854775808", "9223372036854775807", "0", "NULL"]),
    ("y", "YEAR", ["1901", "2155", "0", "NULL"]),
    ("bu", "BIGINT UNSIGNED", ["18446744073709551615", "9223372036854775808", "0", "NULL"]),
    ("de", "DECIMAL(20,6)", ["-12345678901234.567891", "0.000001", "0", "NULL"]),
    ("dl", "DECIMAL(65,30)", ["-99999999999999999999999999999999999.999999999999999999999999999999",
                              "1.5", "-0.000000000000000000000000000001", "NULL"]),
    ("di", "DECIMAL(5,0)", ["-99999", "7", "0", "10000"]),
    ("ds", "DECIMAL(9,9)", ["0.123456789", "-0.5", "0", "NULL"]),
    ("fl", "FLOAT", ["1.5", "-3.40282e38", "0.1", "1.17549e-38"]),
    ("do", "DOUBLE", ["1.7976931348623157e308", "-2.2250738585072014e-308", "0.1", "123456789012345678"]),
    ("dx", "DOUBLE", ["1e15", "1e-14", "123456.789", "-1e-15"]),
]
TIMES = [
    ("d", "DATE", ["'1000-01-01'", "'9999-12-31'", "'0000-00-00'", "NULL"]),
    ("t0", "TIME", ["'-838:59:59'", "'838:59:59'", "'00:00:00'", "NULL"]),
    ("t1", "TIME(1)", ["'-00:00:00.5'", "'12:34:56.7'", "'-01:00:00.1'", "'-838:59:58.9'"]),
    ("t3", "TIME(3)", ["'-00:00:01.001'", "'12:34:56.789'", "'-00:00:00.999'", "NULL"]),
    ("t6", "TIME(6)", ["'-00:00:00.000001'", "'12:34:56.789012'", "'-12:34:56.789012'", "NULL"]),
    ("n0", "DATETIME", ["'1000-01-01 00:00:00'", "'9999-12-31 23:59:59'", "'0000-00-00 00:00:00'", "NULL"]),
    ("n2", "DATETIME(2)", ["'2026-11-27 10:55:42.07'", "'1999-02-28 00:00:00.99'", "NULL", "NULL"]),
    ("n6", "DATETIME(6)", ["'2026-11-27 10:55:42.000123'", "'2024-02-29 12:00:00.999999'", "NULL", "NULL"]),
    ("s0", "TIMESTAMP NULL", ["'1970-01-01 00:00:01'", "'2038-01-19 03:14:07'", "'2024-02-29 23:59:59'", "NULL"]),
    ("s4", "TIMESTAMP(4) NULL", ["'1970-01-01 00:00:01.0001'", "'2026-03-01 00:00:00.5'", "'2000-02-29 01:02:03.4567'", "NULL"]),
]
TEXTS = [
    ("b1", "BIT(1)", ["b'1'", "b'0'", "NULL", "b'1'"]),
    ("b20", "BIT(20)", ["b'11110000111100001111'", "b'1'", "0", "NULL"]),
    ("b64", "BIT(64)", ["~0", "1", "0", "NULL"]),
    ("e", "ENUM('a','b','ß')", ["'a'", "'ß'", "'b'", "NULL"]),
    ("st", "SET('x','y','z')", ["'x,z'", "''", "'y'", "NULL"]),
    ("c", "CHAR(10)", ["'abc'", "''", "'äöü'", "NULL"]),
    ("cl", "CHAR(255)", ["REPEAT('ß', 255)", "' a '", "''", "NULL"]),
    ("v", "VARCHAR(100)", ["'it''s'", "''", "'  spaces  '", "NULL"]),
    ("vl", "VARCHAR(500)", ["REPEAT('x', 500)", "'€'", "''", "NULL"]),
    ("l1", "VARCHAR(20) CHARACTER SET latin1", ["'ä'", "'a'", "''", "NULL"]),
    ("bn", "BINARY(5)", ["x'0001020000'", "x'ff'", "''", "NULL"]),
    ("vb", "VARBINARY(300)", ["x'00ff00'", "''", "'text'", "NULL"]),
    ("tb", "TINYBLOB", ["x'00'", "''", "REPEAT('a', 255)", "NULL"]),
    ("bl", "BLOB", ["x'00ff'", "REPEAT('b', 300)", "''", "NULL"]),
    ("tx", "TEXT", ["'some text\\nof two lines'", "''", "REPEAT('c', 1000)", "NULL"]),
    ("mt", "MEDIUMTEXT", ["REPEAT('d', 70000)", "''", "'x'", "NULL"]),
    ("lb", "LONGBLOB", ["x'00'", "''", "'x'", "NULL"]),
    ("g", "GEOMETRY", ["ST_GeomFromText('POINT(1 2)')", "ST_GeomFromText('LINESTRING(0 0, 1 1)')", "NULL", "NULL"]),
]
JSONS = [
    ("j", "JSON", [
        """'{"b": [1, -1, 70000, -70000, 5000000000, -5000000000, 18446744073709551615], "a": null, "é": "x\\\\"y\\\\n\\\\u0001"}'""",
        "'[1.0, 0.1, 1e20, 1e-7, -3.25, true, false, \"\", {}, [], [[[]]]]'",
        """JSON_OBJECT('long', REPEAT('z', 70000), 'k', JSON_ARRAY(1, 100000, 'x'))""", "NULL"]),
]
MYSQL_JSONS = JSONS + [
    ("j2", "JSON", [
        "JSON_ARRAY(CAST(1.25 AS DECIMAL(10,2)), CAST('2026-11-27' AS DATE), CAST('10:11:12.5' AS TIME(6)), "
        "CAST('2026-11-27 10:11:12' AS DATETIME(6)), x'0001ff', CAST(-7 AS SIGNED))", "'3'", "'\"top\"'", "'null'"]),
]
COMPRESSED = [
    ("vz", "VARCHAR(2000) COMPRESSED", ["REPEAT('pack', 400)", "'short'", "''", "NULL"]),
    ("bz", "BLOB COMPRESSED", ["REPEAT('me', 3000)", "x'00'", "''", "NULL"]),
]
MARIADB_10 = [("i6", "INET6", ["'::1'", "'2001:db8::1'", "'::'", "NULL"])]
# What SELECT gives in another form than the log: as the log has it.
AS_NUMBER = ("BIT",)
AS_BYTES = {"INET6": "CAST(%s AS BINARY(16))", "VECTOR": "%s"}


def server_with_log(kind, *options):
    """A server of this class whose log is row by row."""
    class WithLog(kind):
        def command(self):
            command = [word for word in super().command() if word != "--skip-log-bin"]
            return command + ["--log-bin=log", "--server-id=7", "--binlog-format=ROW", "--sql-mode=", "--default-time-zone=+00:00",
                              "--max-allowed-packet=64M", *options]
    return WithLog()


def logs_of(server):
    """The bytes of all its log files, in order."""
    folder = os.path.join(server.folder, "data")
    names = sorted(name for name in os.listdir(folder) if name.startswith("log.") and name[4:].isdigit())
    return [pathlib.Path(folder, name).read_bytes() for name in names]


class Work:
    def __init__(self, server, columns):
        import MySQLdb
        self.connection = MySQLdb.connect(host="127.0.0.1", port=server.port, user="root", charset="utf8mb4",
                                          autocommit=True, conv={}, use_unicode=False)
        self.columns = columns
        self.changes = []  # (table, kind, before, after): rows as {column: bytes or None}
        self.statements = []  # the rows' statement for each change

    def sql(self, text):
        cursor = self.connection.cursor()
        cursor.execute(text)
        rows = cursor.fetchall()
        cursor.close()
        return rows

    def row(self, table, key):
        def shown(name, kind):
            first = kind.split("(")[0].split(" ")[0]
            if first in AS_NUMBER:
                return "%s + 0" % name
            return AS_BYTES.get(first, "%s") % name
        chosen = ", ".join(["id"] + [shown(name, kind) for name, kind, _ in self.columns])
        self.sql("SET NAMES utf8mb4")
        self.sql("SET character_set_results = NULL")  # bytes as they are stored
        rows = self.sql("SELECT %s FROM %s WHERE id = %d" % (chosen, table, key))
        self.sql("SET NAMES utf8mb4")
        if not rows:
            return None
        names = ["id"] + [name for name, _, _ in self.columns]
        as_bytes = [value.encode("latin1") if isinstance(value, str) else value for value in rows[0]]
        return dict(zip(names, as_bytes))

    def do(self, table, key, statement):
        before = self.row(table, key)
        self.sql(statement)
        after = self.row(table, key)
        kind = "insert" if before is None else "delete" if after is None else "update"
        self.changes.append((table, kind, before, after))
        self.statements.append(statement)

    def create(self, table="lw.kinds", more=""):
        self.sql("CREATE DATABASE IF NOT EXISTS lw CHARACTER SET utf8mb4")
        self.sql("CREATE TABLE %s (id INT PRIMARY KEY%s%s) ENGINE=InnoDB" % (
            table, "".join(", %s %s" % (name, kind) for name, kind, _ in self.columns), more))

    def values(self, index):
        return [values[index] for _, _, values in self.columns]

    def run(self, table="lw.kinds"):
        names = ", ".join(name for name, _, _ in self.columns)
        for key in range(4):
            self.do(table, key, "INSERT INTO %s (id, %s) VALUES (%d, %s)"
                    % (table, names, key, ", ".join(self.values(key))))
        for key in range(4):
            other = self.values((key + 1) % 4)
            self.do(table, key, "UPDATE %s SET %s WHERE id = %d" % (table, ", ".join(
                "%s = %s" % (name, value) for (name, _, _), value in zip(self.columns, other)), key))
        first = self.columns[0]
        self.do(table, 0, "UPDATE %s SET %s = %s WHERE id = 0" % (table, first[0], first[2][2]))
        for key in range(4):
            self.do(table, key, "DELETE FROM %s WHERE id = %d" % (table, key))


def columns_for(version):
    """Those that this server has."""
    number = tuple(int(part) for part in version.split("-")[0].split(".")[:2])
    columns = NUMBERS + TIMES + TEXTS
    if "MariaDB" in version:
        columns = columns + JSONS + COMPRESSED + (MARIADB_10 if number >= (10, 6) else [])
        return columns + ([("ve", "VECTOR(2)", ["x'0000803f00000040'", "x'0000000000000000'"] * 2)] if number >= (11, 7) else [])
    if number >= (5, 7):
        columns = columns + MYSQL_JSONS
    return columns + ([("ve", "VECTOR(2)", ["x'0000803f00000040'", "x'0000000000000000'", "NULL", "NULL"])] if number >= (9, 0) else [])
