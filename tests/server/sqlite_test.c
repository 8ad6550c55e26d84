/* SQLite behind live.h: answers, waits, who goes on, and that nothing is left behind. */
#include "support.h"

#include "base/buf.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void open_table(struct lab *lab, size_t sessions) {
    lab_open(lab, sessions, false);
    lab_run(lab, "CREATE TABLE t (id integer PRIMARY KEY, n integer);"
                 "CREATE TABLE c (id integer PRIMARY KEY, t integer REFERENCES t);"
                 "INSERT INTO t VALUES (1, 10), (2, 20), (3, 30);");
}

static bool is_wal(void) {
    return strstr(lab_url().ptr, "wal") != NULL;
}

static void test_answers(void **state) {
    (void)state;
    struct lab lab;
    lab_open(&lab, 1, false);
    assert_int_equal(live_kind(lab.live), LIVE_SQLITE);
    assert_memory_equal(live_server(lab.live), "SQLite 3.", 9);
    lab_query(&lab, "PRAGMA journal_mode", is_wal() ? "wal" : "delete");
    lab_expect(&lab, 0,
               "CREATE TABLE v (i integer, b bool, n decimal, f real, t varchar(9), d datetime)",
               "ok 0");
    lab_expect(&lab, 0,
               "INSERT INTO v VALUES (1, 1, 1.5, 0.25, '', '2020-01-02 03:04:05'), (NULL, NULL, "
               "NULL, NULL, NULL, NULL)",
               "ok 2");
    const struct live_answer *answer =
        lab_exec(&lab, 0, "SELECT *, 'x' AS \"Ab c\", count(*) OVER () FROM v");
    assert_string_equal(lab_text(&lab, answer),
                        "1,1,1.5,0.25,,2020-01-02 03:04:05,x,2;\\N,\\N,\\N,\\N,\\N,\\N,x,2");
    static const enum live_type types[] = {LIVE_INTEGER, LIVE_BOOL, LIVE_DECIMAL, LIVE_FLOAT,
                                           LIVE_TEXT,    LIVE_TIME, LIVE_TEXT,    LIVE_INTEGER};
    assert_int_equal(answer->column_count, 8);
    for (size_t i = 0; i < 8; i++)
        assert_int_equal(answer->columns[i].type, types[i]);
    assert_true(str_is(answer->columns[6].name, "Ab c"));
    assert_non_null(answer->cells[4].ptr); /* '' is not NULL */
    answer = lab_exec(&lab, 0, "SELECT i FROM v WHERE false");
    assert_true(answer->has_rows && answer->row_count == 0 && answer->column_count == 1);
    lab_expect(&lab, 0, "UPDATE v SET i = 3", "ok 2");
    lab_expect(&lab, 0, "SELECT 1; UPDATE v SET i = 4; -- a comment", "1 | ok 2");
    lab_expect(&lab, 0, "", "ok 0");
    lab_expect(&lab, 0, "CREATE TABLE a (id integer PRIMARY KEY, n integer)", "ok 0");
    answer = lab_exec(&lab, 0, "INSERT INTO a (n) VALUES (5)");
    assert_int_equal(answer->last_insert, 1);
    lab_expect(&lab, 0, "INSERT INTO a (n) VALUES (6) RETURNING id", "2");
    lab_close(&lab);
}

static void test_errors(void **state) {
    (void)state;
    struct lab lab;
    open_table(&lab, 1);
    const struct live_answer *answer = lab_exec(&lab, 0, "INSERT INTO t VALUES (1, 1)");
    assert_int_equal(answer->number, 1555); /* SQLITE_CONSTRAINT_PRIMARYKEY */
    assert_string_equal(answer->sqlstate, "");
    assert_true(str_is(answer->message, "UNIQUE constraint failed: t.id"));
    lab_expect(&lab, 0, "BEGIN", "ok 0");
    assert_true(live_in_transaction(lab.live, 0));
    lab_expect(&lab, 0, "SELECT missing", "ERR 1");
    lab_expect(&lab, 0, "INSERT OR ROLLBACK INTO t VALUES (1, 1)", "ERR 1555");
    assert_false(live_in_transaction(lab.live, 0));
    lab_expect(&lab, 0, "PRAGMA foreign_keys = ON", "ok 0");
    lab_expect(&lab, 0, "INSERT INTO c VALUES (1, 7)", "ERR 787");
    assert_false(live_run(lab.live, STR("SELECT missing"), &lab.err));
    if (strstr(lab.err.message, "no such column: missing") == NULL)
        fail_msg("%s", lab.err.message);
    lab_close(&lab);
}

static void test_writers(void **state) {
    (void)state;
    struct lab lab;
    open_table(&lab, 3);
    lab_expect(&lab, 0, "BEGIN IMMEDIATE", "ok 0");
    lab_expect(&lab, 1, "BEGIN IMMEDIATE", "WAIT");
    lab_expect(&lab, 2, "UPDATE t SET n = n + 1 WHERE id = 1", "WAIT");
    lab_expect_resumed(&lab, "");
    lab_expect(&lab, 0, "UPDATE t SET n = 5 WHERE id = 1", "ok 1");
    lab_expect_resumed(&lab, "");
    lab_expect(&lab, 0, "COMMIT", "ok 0");
    lab_expect_resumed(&lab, "1: ok 0");
    lab_expect_resumed(&lab, "");
    lab_expect(&lab, 1, "ROLLBACK", "ok 0");
    lab_expect_resumed(&lab, "2: ok 1");
    lab_expect_resumed(&lab, "");
    lab_query(&lab, "SELECT n FROM t WHERE id = 1", "6");
    lab_close(&lab);
}

/* A reader that wants to write: an error at once in WAL mode once its snapshot is old, or while another writes;
 * with a rollback journal both wait for each other, which SQLite ends by not calling the handler of one. */
static void test_upgrade(void **state) {
    (void)state;
    struct lab lab;
    open_table(&lab, 2);
    lab_expect(&lab, 0, "BEGIN", "ok 0");
    lab_expect(&lab, 0, "SELECT n FROM t WHERE id = 1", "10");
    lab_expect(&lab, 1, "BEGIN", "ok 0");
    lab_expect(&lab, 1, "SELECT n FROM t WHERE id = 1", "10");
    lab_expect(&lab, 1, "UPDATE t SET n = 11 WHERE id = 1", "ok 1");
    lab_expect(&lab, 0, "UPDATE t SET n = 12 WHERE id = 1", "ERR 5");
    assert_true(live_in_transaction(lab.live, 0));
    if (is_wal()) {
        lab_expect(&lab, 1, "COMMIT", "ok 0");
        lab_expect(&lab, 0, "UPDATE t SET n = 12 WHERE id = 1", "ERR 517");
    } else {
        lab_expect(&lab, 1, "COMMIT", "WAIT");
        lab_expect(&lab, 0, "ROLLBACK", "ok 0");
        lab_expect_resumed(&lab, "1: ok 0");
    }
    assert_true(live_rollback_all(lab.live, &lab.err));
    lab_query(&lab, "SELECT n FROM t WHERE id = 1", "11");
    lab_close(&lab);
}

/* Who waits to write keeps the lock that new readers then wait for, as in a program with a timeout. */
static void test_pending(void **state) {
    (void)state;
    struct lab lab;
    open_table(&lab, 3);
    lab_expect(&lab, 0, "BEGIN", "ok 0");
    lab_expect(&lab, 0, "SELECT n FROM t WHERE id = 1", "10");
    if (is_wal()) {
        lab_expect(&lab, 1, "UPDATE t SET n = 11 WHERE id = 1", "ok 1");
        lab_expect(&lab, 2, "SELECT n FROM t WHERE id = 1", "11");
        lab_expect(&lab, 0, "SELECT n FROM t WHERE id = 1", "10");
    } else {
        lab_expect(&lab, 1, "UPDATE t SET n = 11 WHERE id = 1", "WAIT");
        lab_expect(&lab, 2, "SELECT n FROM t WHERE id = 1", "WAIT");
        lab_expect(&lab, 0, "COMMIT", "ok 0");
        lab_expect_resumed(&lab, "1: ok 1");
        lab_expect_resumed(&lab, "2: 11");
    }
    lab_expect_resumed(&lab, "");
    lab_close(&lab);
}

static void test_cancel(void **state) {
    (void)state;
    struct lab lab;
    open_table(&lab, 2);
    lab_expect(&lab, 0, "BEGIN IMMEDIATE", "ok 0");
    lab_expect(&lab, 1, "BEGIN IMMEDIATE", "WAIT");
    const struct live_answer *answer;
    assert_true(live_cancel(lab.live, 1, &answer, &lab.err));
    assert_int_equal(answer->number, 5);
    assert_true(str_is(answer->message, "database is locked"));
    assert_false(live_in_transaction(lab.live, 1));
    lab_expect(&lab, 1, "UPDATE t SET n = 1", "WAIT");
    assert_true(live_rollback_all(lab.live, &lab.err));
    assert_false(live_is_waiting(lab.live, 1));
    lab_expect(&lab, 1, "UPDATE t SET n = 1", "ok 3");
    lab_close(&lab);
}

/* Closing with a wait under way; the file goes with what is beside it. */
static void test_place(void **state) {
    (void)state;
    struct lab lab;
    open_table(&lab, 2);
    assert_memory_equal(lab.place.ptr, "file ", 5);
    const char *path = str_to_c(&lab.arena, str_sub(lab.place, 5, lab.place.len));
    assert_int_equal(access(path, F_OK), 0);
    lab_expect(&lab, 0, "BEGIN IMMEDIATE", "ok 0");
    lab_expect(&lab, 0, "UPDATE t SET n = 1", "ok 3");
    lab_expect(&lab, 1, "UPDATE t SET n = 1", "WAIT");
    assert_true(live_close(lab.live, &lab.err));
    static const char *const endings[] = {"", "-journal", "-wal", "-shm"};
    for (size_t i = 0; i < 4; i++)
        assert_int_not_equal(access(str_printf(&lab.arena, "%s%s", path, endings[i]).ptr, F_OK), 0);
    arena_release(&lab.arena);
}

static void refuse(const char *url, const char *part) {
    struct live_options options = {.session_count = 1};
    struct live *live;
    struct err err;
    assert_false(live_open(str_from_c(url), &options, &live, &err));
    if (strstr(err.message, part) == NULL)
        fail_msg("%s: %s", url, err.message);
}

static void write_file(const char *path, const char *text) {
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static size_t file_size(const char *path) {
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    size_t size = 0;
    while (fgetc(file) != EOF)
        size++;
    fclose(file);
    return size;
}

static void test_somebodys_file(void **state) {
    (void)state;
    struct arena arena = {0};
    const char *path = str_printf(&arena, "%s/mine", lab_environment("LOSTWRITE_FOLDER")).ptr;
    const char *url = str_printf(&arena, "sqlite:%s", path).ptr;
    write_file(path, "precious");
    refuse(url, "is there already");
    assert_int_equal(file_size(path), 8);
    unlink(path);
    const char *journal = str_printf(&arena, "%s-journal", path).ptr;
    write_file(journal, "precious");
    refuse(url, "is there already");
    assert_int_equal(file_size(journal), 8);
    assert_int_not_equal(access(path, F_OK), 0);
    unlink(journal);
    refuse("sqlite::memory:", "one connection's alone");
    refuse("sqlite:/no/such/folder/x", "No such file");
    refuse(str_printf(&arena, "sqlite:%s", lab_environment("LOSTWRITE_FOLDER")).ptr,
           "is there already");
    refuse(str_printf(&arena, "%s?journal_mode=fast", url).ptr, "journal_mode");
    assert_int_not_equal(access(path, F_OK), 0);
    write_file(path, ""); /* an empty one is taken, and left as it was */
    struct live_options options = {.session_count = 1};
    struct live *live;
    struct err err;
    struct str place;
    assert_true(live_open(str_from_c(url), &options, &live, &err));
    assert_true(live_make_place(live, &place, &err));
    assert_true(live_run(live, STR("CREATE TABLE t (id integer)"), &err));
    assert_true(live_close(live, &err));
    assert_int_equal(file_size(path), 0);
    unlink(path);
    arena_release(&arena);
}

/* A full disk, say, is no outcome of a program: the run ends, and what it made is gone. */
static void test_full(void **state) {
    (void)state;
    struct lab lab;
    open_table(&lab, 2);
    const struct live_answer *answer;
    lab_expect(&lab, 0, "PRAGMA max_page_count = 10", "10");
    lab_expect(&lab, 0, "BEGIN; UPDATE t SET n = 0", "ok 0 | ok 3");
    assert_false(live_exec(lab.live, 0, STR("CREATE TABLE b AS SELECT zeroblob(1000000)"), &answer,
                           &lab.err));
    assert_memory_equal(lab.err.message, "SQLite: database or disk is full", 32);
    assert_false(live_run(lab.live, STR("SELECT 1"), &lab.err));
    lab_close(&lab);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers), cmocka_unit_test(test_errors),
        cmocka_unit_test(test_writers), cmocka_unit_test(test_upgrade),
        cmocka_unit_test(test_pending), cmocka_unit_test(test_cancel),
        cmocka_unit_test(test_place),   cmocka_unit_test(test_somebodys_file),
        cmocka_unit_test(test_full),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
