"""A short life of a database, statement by statement, with one of each kind of event that a server can log. make_logs.py keeps the
logs of it."""

GTID_UNSAFE = 1785  # a transaction of both kinds of tables, which enforce_gtid_consistency refuses
MYSQL_57, MYSQL_80, MYSQL_83 = (5, 7), (8, 0), (8, 3)

SETUP = [
    "SET timestamp = 1795776942.5",
    "CREATE DATABASE shop CHARACTER SET utf8mb4",
    "USE shop",
    "CREATE TABLE account (id INT PRIMARY KEY, owner VARCHAR(20), balance DECIMAL(10,2), visits INT UNSIGNED, "
    "state ENUM('new','active'), flags SET('a','b'), note TEXT, at DATETIME(3)) ENGINE=InnoDB",
    "CREATE TABLE pair (a BINARY(4), b INT, c CHAR(3), PRIMARY KEY (a(2), b)) ENGINE=InnoDB",
    "CREATE TABLE keyless (n BIGINT UNSIGNED, f DOUBLE) ENGINE=InnoDB",
    "CREATE TABLE loose (id INT) ENGINE=MyISAM",
]
WORK = [
    "INSERT INTO account VALUES (1, 'ann', 10.50, 4294967295, 'new', 'a,b', 'first', '2026-11-27 10:55:42.125'), "
    "(2, 'bob', -0.01, 0, 'active', '', NULL, NULL)",
    "BEGIN",
    "UPDATE account SET balance = balance + 1 WHERE id = 1 /*file='shop/views.py:12'*/",
    "UPDATE account SET balance = balance - 1, note = 'moved' WHERE id = 2",
    "COMMIT",
    "INSERT INTO pair VALUES (x'01020000', 5, 'abc')",
    "UPDATE pair SET b = 6",
    "INSERT INTO keyless VALUES (18446744073709551615, 0.1), (1, -2)",
    "DELETE FROM keyless WHERE n = 1",
    "BEGIN",
    "UPDATE account SET visits = 1 WHERE id = 1",
    "SAVEPOINT s",
    "UPDATE account SET visits = 2 WHERE id = 1",
    "ROLLBACK TO s",
    "COMMIT",
    "BEGIN",  # what of it can't be rolled back is logged
    "UPDATE account SET visits = 3 WHERE id = 1",
    "INSERT INTO loose VALUES (1)",
    "ROLLBACK",
    "BEGIN",
    "UPDATE account SET visits = 9 WHERE id = 1",
    "ROLLBACK",
    "SET SESSION binlog_format = STATEMENT",
    "UPDATE account SET visits = visits + 1 WHERE owner = 'bob'",
    "SET SESSION binlog_format = ROW",
    "UPDATE account a JOIN pair p SET a.visits = 7, p.c = 'x' WHERE a.id = 2",
    "FLUSH BINARY LOGS",
]
XA = [
    "XA START 'order', 'left', 3",
    "UPDATE account SET visits = 20 WHERE id = 1",
    "XA END 'order', 'left', 3",
    "XA PREPARE 'order', 'left', 3",
    "!other UPDATE account SET visits = 21 WHERE id = 2",
    "!other XA COMMIT 'order', 'left', 3",
    "XA START 'gone'",
    "UPDATE account SET visits = 30 WHERE id = 1",
    "XA END 'gone'",
    "XA PREPARE 'gone'",
    "XA ROLLBACK 'gone'",
    "XA START 'one'",
    "UPDATE account SET visits = 40 WHERE id = 1",
    "XA END 'one'",
    "XA COMMIT 'one' ONE PHASE",
]
MYSQL_JSON = [
    "CREATE TABLE doc (id INT PRIMARY KEY, j JSON, k JSON, tags JSON, INDEX t ((CAST(tags AS UNSIGNED ARRAY))))",
    "INSERT INTO doc VALUES (1, '{\"a\": 1, \"b\": \"some longer text\", \"c\": [1, 2]}', '[]', '[3, 4]')",
    "SET SESSION binlog_row_value_options = PARTIAL_JSON",
    "UPDATE doc SET j = JSON_SET(j, '$.a', 2), k = '[1]' WHERE id = 1",
    "UPDATE doc SET j = JSON_SET(j, '$.b', 'short') WHERE id = 1",
    "SET SESSION binlog_row_value_options = ''",
]
END = ["ALTER TABLE account ADD COLUMN more INT", "UPDATE account SET more = 1", "TRUNCATE TABLE keyless"]


def statements(version):
    number = tuple(int(part) for part in version.split("-")[0].split(".")[:2])
    is_mysql = "MariaDB" not in version
    yield from SETUP
    if is_mysql and number >= MYSQL_83:
        yield "SET SESSION binlog_format = ROW"
    yield from WORK
    if not is_mysql or number >= MYSQL_57:
        yield from XA
    if is_mysql and number >= MYSQL_80:
        yield from MYSQL_JSON
    if is_mysql and number >= MYSQL_83:
        yield "SET gtid_next = 'AUTOMATIC:job'"
        yield "UPDATE account SET visits = 50 WHERE id = 1"
        yield "SET gtid_next = 'AUTOMATIC'"
    yield from END


def play(server):
    import MySQLdb
    connections = [MySQLdb.connect(host="127.0.0.1", port=server.port, user="root", charset="utf8mb4", autocommit=True)
                   for _ in range(2)]
    connections[1].cursor().execute("SET timestamp = 1795776942.5")
    for statement in statements(server.version):
        connection = connections[0]
        if statement.startswith("!other "):
            if statement == "!other UPDATE account SET visits = 21 WHERE id = 2":
                connections[1].cursor().execute("USE shop")
            if connections[1] and "XA COMMIT" in statement:
                connections[0].close()  # what is prepared can be ended by another only then
                connections[0] = MySQLdb.connect(host="127.0.0.1", port=server.port, user="root", charset="utf8mb4",
                                                 autocommit=True, db="shop")
                connections[0].cursor().execute("SET timestamp = 1795776943.5")
            connection, statement = connections[1], statement[len("!other "):]
        cursor = connection.cursor()
        try:
            cursor.execute(statement)
        except MySQLdb.Error as error:
            if error.args[0] != GTID_UNSAFE:
                raise
        cursor.close()
    for connection in connections:
        connection.close()
