"""What is played on a server for the recordings of tests/pgoutput/streams: each kind of message that pgoutput writes."""

TABLES = """
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE SCHEMA other;
CREATE TABLE item (note text, id int PRIMARY KEY, title text, price numeric(8,2), big text, t timestamptz, data bytea, is_on boolean, m mood);
CREATE TABLE pair (a int, b text, v double precision, PRIMARY KEY (a, b));
CREATE TABLE other.item (id bigint PRIMARY KEY, n int);
CREATE TABLE keyless (n int);
CREATE TABLE "odd ""name" (id int PRIMARY KEY);
ALTER TABLE item ALTER COLUMN big SET STORAGE EXTERNAL;
"""

BIG = "repeat('big', 800)"

STATEMENTS = [
    "INSERT INTO item VALUES ('n', 1, 'lamp', 10.50, %s, '2026-11-27 10:00:00+01', '\\x00ff', true, 'ok')" % BIG,
    "INSERT INTO item (id, title) VALUES (2, 'Stuhl äöü'), (3, NULL)",
    "UPDATE item SET title = 'desk lamp' WHERE id = 1",
    "UPDATE item SET title = 'lamp', price = 12 WHERE id = 1",
    "UPDATE item SET big = NULL, is_on = NULL WHERE id = 1",
    "UPDATE item SET id = 4 WHERE id = 3",
    "BEGIN; INSERT INTO pair VALUES (1, 'x', 0.1); SAVEPOINT s; UPDATE pair SET v = 9; ROLLBACK TO SAVEPOINT s; UPDATE pair SET v = 1e300; COMMIT",
    "BEGIN; INSERT INTO pair VALUES (2, 'y', 2); ROLLBACK",
    "UPDATE pair SET b = 'z' WHERE a = 1",
    "INSERT INTO other.item VALUES (1, 7)",
    "INSERT INTO keyless VALUES (1), (2)",
    "ALTER TABLE other.item ADD COLUMN extra text DEFAULT 'e'",
    "UPDATE other.item SET n = 8",
    "SELECT pg_logical_emit_message(true, 'lostwrite', 'no row')",
    "DELETE FROM pair",
    "DELETE FROM item WHERE id = 2",
    "INSERT INTO \"odd \"\"name\" VALUES (1)",
    "TRUNCATE item, \"odd \"\"name\"",
]


def play(connection, identity):
    """Makes the tables; the statements are played by what is answered."""
    cursor = connection.cursor()
    cursor.execute(TABLES)
    if identity == "full":
        for table in ("item", "pair", "other.item", "keyless"):
            cursor.execute("ALTER TABLE %s REPLICA IDENTITY FULL" % table)
    cursor.execute("CREATE PUBLICATION everything FOR ALL TABLES")

    def play_statements():
        for statement in STATEMENTS:
            cursor.execute(statement)

    return play_statements
