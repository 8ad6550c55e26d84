/* MySQL and MariaDB behind live.h: answers, waits, who goes on, and that nothing is left behind. */
#include "support.h"

#include "base/buf.h"

#include <stdio.h>

static void open_table(struct lab *lab, size_t sessions, bool finds_blockers) {
    lab_open(lab, sessions, finds_blockers);
    lab_run(lab, "CREATE TABLE t (id int PRIMARY KEY, n int)");
    lab_run(lab, "CREATE TABLE c (id int PRIMARY KEY, t int, FOREIGN KEY (t) REFERENCES t (id))");
    lab_run(lab, "INSERT INTO t VALUES (1, 10), (2, 20), (3, 30)");
}

static void test_answers(void **state) {
    (void)state;
    struct lab lab;
    lab_open(&lab, 1, false);
    unsigned version[3];
    live_version(lab.live, version);
    const char *server = live_server(lab.live);
    bool is_mariadb = live_kind(lab.live) == LIVE_MARIADB;
    assert_memory_equal(server, is_mariadb ? "MariaDB " : "MySQL ", is_mariadb ? 8 : 6);
    assert_true(version[0] >= 5);
    lab_expect(&lab, 0,
               "CREATE TABLE v (i int, n numeric(6,2), f double, t varchar(20), d datetime)",
               "ok 0");
    lab_expect(&lab, 0,
               "INSERT INTO v VALUES (1, 1.5, 0.25, '', '2020-01-02 03:04:05'), (NULL, NULL, "
               "NULL, NULL, NULL)",
               "ok 2");
    const struct live_answer *answer = lab_exec(&lab, 0, "SELECT v.*, 'x' AS `Ab c` FROM v");
    assert_string_equal(lab_text(&lab, answer),
                        "1,1.50,0.25,,2020-01-02 03:04:05,x;\\N,\\N,\\N,\\N,\\N,x");
    static const enum live_type types[] = {LIVE_INTEGER, LIVE_DECIMAL, LIVE_FLOAT,
                                           LIVE_TEXT,    LIVE_TIME,    LIVE_TEXT};
    assert_int_equal(answer->column_count, 6);
    for (size_t i = 0; i < 6; i++)
        assert_int_equal(answer->columns[i].type, types[i]);
    assert_true(str_is(answer->columns[5].name, "Ab c"));
    assert_non_null(answer->cells[3].ptr); /* '' is not NULL */
    answer = lab_exec(&lab, 0, "SELECT i FROM v WHERE false");
    assert_true(answer->has_rows && answer->row_count == 0 && answer->column_count == 1);
    lab_expect(&lab, 0, "UPDATE v SET i = 3", "ok 2");
    lab_expect(&lab, 0, "UPDATE v SET i = 3", "ok 2"); /* matched, though nothing changed */
    lab_expect(&lab, 0, "CREATE TABLE a (id int AUTO_INCREMENT PRIMARY KEY, n int)", "ok 0");
    answer = lab_exec(&lab, 0, "INSERT INTO a (n) VALUES (5)");
    assert_int_equal(answer->last_insert, 1);
    answer = lab_exec(&lab, 0, "SELECT 'ü€😀'");
    assert_true(str_is(answer->cells[0], "ü€😀"));
    lab_close(&lab);
}

static void test_procedure(void **state) {
    (void)state;
    struct lab lab;
    open_table(&lab, 1, false);
    lab_run(&lab, "CREATE PROCEDURE p() BEGIN SELECT 1; UPDATE t SET n = 0; SELECT 'a', NULL; END");
    const char *text = lab_text(&lab, lab_exec(&lab, 0, "CALL p()"));
    assert_memory_equal(text, "1 | a,\\N | ok ", 14); /* MariaDB counts the rows changed inside */
    lab_run(&lab, "CREATE PROCEDURE q() BEGIN SELECT 1; SELECT nothing; END");
    lab_expect(&lab, 0, "CALL q()", "1 | ERR 1054");
    lab_expect(&lab, 0, "SELECT 2", "2");
    lab_expect(&lab, 0, "SELECT 1; SELECT 2", "ERR 1064"); /* one statement a text */
    lab_close(&lab);
}

static void test_errors(void **state) {
    (void)state;
    struct lab lab;
    open_table(&lab, 1, false);
    const struct live_answer *answer = lab_exec(&lab, 0, "INSERT INTO t VALUES (1, 1)");
    assert_int_equal(answer->status, LIVE_FAILED);
    assert_int_equal(answer->number, 1062);
    assert_string_equal(answer->sqlstate, "23000");
    assert_memory_equal(answer->message.ptr, "Duplicate entry '1' for key ", 28);
    assert_false(live_in_transaction(lab.live, 0));
    lab_expect(&lab, 0, "BEGIN", "ok 0");
    assert_true(live_in_transaction(lab.live, 0));
    answer = lab_exec(&lab, 0, "SELECT nothing");
    assert_int_equal(answer->number, 1054);
    assert_false(answer->ended_transaction);
    assert_true(live_in_transaction(lab.live, 0));
    answer = lab_exec(&lab, 0, "COMMIT");
    assert_true(answer->ended_transaction);
    assert_false(live_in_transaction(lab.live, 0));
    /* As Django does it. */
    lab_expect(&lab, 0, "SET autocommit = 0", "ok 0");
    assert_false(live_in_transaction(lab.live, 0));
    lab_expect(&lab, 0, "INSERT INTO t VALUES (1, 1)", "ERR 1062");
    lab_expect(&lab, 0, "SELECT n FROM t WHERE id = 1", "10");
    assert_true(live_in_transaction(lab.live, 0));
    lab_expect(&lab, 0, "COMMIT", "ok 0");
    assert_false(live_in_transaction(lab.live, 0));
    lab_expect(&lab, 0, "", "ERR 1065");
    assert_false(live_run(lab.live, STR("SELECT nothing"), &lab.err));
    assert_non_null(strstr(lab.err.message, "Unknown column 'nothing'"));
    assert_non_null(strstr(lab.err.message, "(1054)"));
    lab_close(&lab);
}

static void test_row_lock(void **state) {
    (void)state;
    struct lab lab;
    open_table(&lab, 3, false);
    lab_expect(&lab, 0, "BEGIN", "ok 0");
    lab_expect(&lab, 0, "UPDATE t SET n = n + 1 WHERE id = 1", "ok 1");
    lab_expect(&lab, 1, "UPDATE t SET n = n + 1 WHERE id = 1", "WAIT");
    lab_expect_resumed(&lab, "");
    lab_expect(&lab, 2, "SELECT n FROM t WHERE id = 1", "10");
    lab_expect_resumed(&lab, "");
    lab_expect(&lab, 0, "COMMIT", "ok 0");
    lab_expect_resumed(&lab, "1: ok 1");
    lab_expect_resumed(&lab, "");
    lab_query(&lab, "SELECT n FROM t WHERE id = 1", "12");
    lab_close(&lab);
}

static void test_other_waits(void **state) {
    (void)state;
    struct lab lab;
    open_table(&lab, 2, true);
    lab_expect(&lab, 0, "BEGIN", "ok 0");
    lab_expect(&lab, 0, "INSERT INTO t VALUES (9, 9)", "ok 1");
    lab_expect(&lab, 1, "INSERT INTO t VALUES (9, 8)", "WAIT 0");
    lab_expect(&lab, 0, "COMMIT", "ok 0");
    lab_expect_resumed(&lab, "1: ERR 1062");
    lab_expect(&lab, 0, "BEGIN", "ok 0");
    lab_expect(&lab, 0, "DELETE FROM t WHERE id = 9", "ok 1");
    lab_expect(&lab, 1, "INSERT INTO c VALUES (1, 9)", "WAIT 0");
    lab_expect(&lab, 0, "ROLLBACK", "ok 0");
    lab_expect_resumed(&lab, "1: ok 1");
    lab_expect(&lab, 0, "BEGIN", "ok 0");
    lab_expect(&lab, 0, "SELECT count(*) FROM t", "4");
    lab_expect(&lab, 1, "ALTER TABLE t ADD COLUMN x int", "WAIT");
    lab_expect_resumed(&lab, "");
    lab_expect(&lab, 0, "COMMIT", "ok 0");
    lab_expect_resumed(&lab, "1: ok 0");
    lab_close(&lab);
}

static void test_user_lock(void **state) {
    (void)state;
    struct lab lab;
    open_table(&lab, 3, false);
    for (int i = 0; i < 5; i++) {
        lab_expect(&lab, 0, "SELECT GET_LOCK('m', 1000)", "1");
        lab_expect(&lab, 1, "SELECT GET_LOCK('m', 1000)", "WAIT");
        lab_expect(&lab, 2, "SELECT 1", "1");
        lab_expect_resumed(&lab, "");
        lab_expect(&lab, 0, "SELECT RELEASE_LOCK('m')", "1");
        lab_expect_resumed(&lab, "1: 1");
        assert_true(live_rollback_all(lab.live, &lab.err));
    }
    lab_expect(&lab, 2, "SELECT GET_LOCK('m', 0)", "1"); /* session 1 still had it then */
    lab_close(&lab);
}

static void test_deadlock(void **state) {
    (void)state;
    struct lab lab;
    open_table(&lab, 2, false);
    for (int i = 0; i < 20; i++) {
        lab_expect(&lab, 0, "BEGIN", "ok 0");
        lab_expect(&lab, 1, "BEGIN", "ok 0");
        lab_expect(&lab, 0, "UPDATE t SET n = n + 1 WHERE id = 1", "ok 1");
        lab_expect(&lab, 1, "UPDATE t SET n = n + 1 WHERE id = 2", "ok 1");
        lab_expect(&lab, 0, "UPDATE t SET n = n + 1 WHERE id = 2", "WAIT");
        const struct live_answer *answer = lab_exec(&lab, 1, "UPDATE t SET n = n + 1 WHERE id = 1");
        assert_int_equal(answer->number, 1213);
        assert_string_equal(answer->sqlstate, "40001");
        assert_true(answer->ended_transaction);
        assert_false(live_in_transaction(lab.live, 1));
        lab_expect_resumed(&lab, "0: ok 1");
        lab_expect_resumed(&lab, "");
        assert_true(live_rollback_all(lab.live, &lab.err));
    }
    lab_close(&lab);
}

/* The victim may be who waited longer: the transaction that did less. */
static void test_other_victim(void **state) {
    (void)state;
    struct lab lab;
    open_table(&lab, 2, false);
    lab_expect(&lab, 0, "BEGIN", "ok 0");
    lab_expect(&lab, 1, "BEGIN", "ok 0");
    lab_expect(&lab, 0, "SELECT n FROM t WHERE id = 1 FOR UPDATE", "10");
    lab_expect(&lab, 1, "UPDATE t SET n = n + 1 WHERE id > 1", "ok 2");
    lab_expect(&lab, 1, "INSERT INTO t VALUES (11, 1), (12, 1), (13, 1), (14, 1)", "ok 4");
    lab_expect(&lab, 0, "SELECT n FROM t WHERE id = 2 FOR UPDATE", "WAIT");
    const struct live_answer *answer = lab_exec(&lab, 1, "UPDATE t SET n = n + 1 WHERE id = 1");
    if (answer->status == LIVE_WAITING) {
        lab_expect_resumed(&lab, "0: ERR 1213");
        lab_expect_resumed(&lab, "1: ok 1");
    } else {
        assert_int_equal(answer->affected, 1);
        lab_expect_resumed(&lab, "0: ERR 1213");
    }
    lab_expect_resumed(&lab, "");
    assert_true(live_in_transaction(lab.live, 1));
    assert_false(live_in_transaction(lab.live, 0));
    lab_close(&lab);
}

static void test_cancel(void **state) {
    (void)state;
    struct lab lab;
    open_table(&lab, 2, false);
    lab_expect(&lab, 0, "BEGIN", "ok 0");
    lab_expect(&lab, 0, "UPDATE t SET n = 0 WHERE id = 1", "ok 1");
    lab_expect(&lab, 1, "BEGIN", "ok 0");
    lab_expect(&lab, 1, "UPDATE t SET n = 1 WHERE id = 2", "ok 1");
    lab_expect(&lab, 1, "UPDATE t SET n = 1 WHERE id = 1", "WAIT");
    const struct live_answer *answer;
    assert_true(live_cancel(lab.live, 1, &answer, &lab.err));
    assert_int_equal(answer->number, 1205);
    assert_string_equal(answer->sqlstate, "HY000");
    assert_true(str_is(answer->message, "Lock wait timeout exceeded; try restarting transaction"));
    assert_true(live_in_transaction(lab.live, 1)); /* the statement alone is undone */
    lab_expect(&lab, 1, "SELECT n FROM t WHERE id = 2", "1");
    lab_expect(&lab, 0, "COMMIT", "ok 0");
    lab_expect(&lab, 1, "COMMIT", "ok 0");
    lab_query(&lab, "SELECT n FROM t ORDER BY id", "0;1;30");
    lab_close(&lab);
}

static void test_order(void **state) {
    (void)state;
    struct lab lab;
    open_table(&lab, 4, false);
    for (int i = 0; i < 10; i++) {
        lab_expect(&lab, 0, "BEGIN", "ok 0");
        lab_expect(&lab, 0, "UPDATE t SET n = 0 WHERE id = 1", "ok 1");
        lab_expect(&lab, 3, "SELECT 'a' FROM t WHERE id = 1 LOCK IN SHARE MODE", "WAIT");
        lab_expect(&lab, 1, "SELECT 'b' FROM t WHERE id = 1 LOCK IN SHARE MODE", "WAIT");
        lab_expect(&lab, 2, "UPDATE t SET n = 3 WHERE id = 1", "WAIT");
        lab_expect(&lab, 0, "COMMIT", "ok 0");
        lab_expect_resumed(&lab, "3: a");
        lab_expect_resumed(&lab, "1: b");
        lab_expect_resumed(&lab, "2: ok 1");
        lab_expect_resumed(&lab, "");
    }
    lab_close(&lab);
}

static void test_rollback_all(void **state) {
    (void)state;
    struct lab lab;
    open_table(&lab, 3, false);
    lab_expect(&lab, 0, "BEGIN", "ok 0");
    lab_expect(&lab, 0, "UPDATE t SET n = 0 WHERE id = 1", "ok 1");
    lab_expect(&lab, 1, "SET autocommit = 0", "ok 0");
    lab_expect(&lab, 1, "UPDATE t SET n = 1 WHERE id = 2", "ok 1");
    lab_expect(&lab, 1, "UPDATE t SET n = 1 WHERE id = 1", "WAIT");
    lab_expect(&lab, 2, "UPDATE t SET n = 2", "WAIT");
    assert_true(live_rollback_all(lab.live, &lab.err));
    lab_query(&lab, "SELECT n FROM t ORDER BY id", "10;20;30");
    for (size_t k = 0; k < 3; k++)
        lab_expect(&lab, 2, "UPDATE t SET n = 2", "ok 3");
    lab_close(&lab);
}

static void test_large_text(void **state) {
    (void)state;
    struct lab lab;
    open_table(&lab, 2, false);
    enum { SIZE = 300000 };
    char *sql = test_malloc(SIZE + 100);
    int len = sprintf(sql, "SELECT length('");
    memset(sql + len, 'x', SIZE);
    strcpy(sql + len + SIZE, "'), n FROM t WHERE id = 1 FOR UPDATE");
    lab_expect(&lab, 0, "BEGIN", "ok 0");
    lab_expect(&lab, 0, "UPDATE t SET n = 0 WHERE id = 1", "ok 1");
    lab_expect(&lab, 1, sql, "WAIT");
    lab_expect(&lab, 0, "ROLLBACK", "ok 0");
    lab_expect_resumed(&lab, "1: 300000,10");
    test_free(sql);
    lab_close(&lab);
}

static size_t count_places(struct live *other, struct lab *lab) {
    const struct live_answer *answer;
    assert_true(live_query(other, STR("SHOW DATABASES LIKE 'lostwrite%'"), &answer, &lab->err));
    return answer->row_count;
}

static void test_place(void **state) {
    (void)state;
    struct lab lab;
    open_table(&lab, 2, false);
    struct live *other = lab_other(&lab);
    size_t before = count_places(other, &lab);
    assert_true(before >= 1);
    assert_memory_equal(lab.place.ptr, "database lostwrite_", 19);
    lab_expect(&lab, 0, "BEGIN", "ok 0");
    lab_expect(&lab, 0, "UPDATE t SET n = 0", "ok 3");
    lab_expect(&lab, 1, "UPDATE t SET n = 1", "WAIT");
    lab_close(&lab);
    assert_int_equal(count_places(other, &lab), before - 1);
    assert_true(live_close(other, &lab.err));
    arena_release(&lab.arena);
}

static void test_killed(void **state) {
    (void)state;
    struct lab lab;
    open_table(&lab, 2, false);
    const struct live_answer *answer;
    bool is_answer = live_exec(lab.live, 0, STR("KILL CONNECTION_ID()"), &answer, &lab.err);
    assert_true(!is_answer || answer->status == LIVE_FAILED);
    assert_false(live_exec(lab.live, 0, STR("SELECT 1"), &answer, &lab.err));
    assert_memory_equal(lab.err.message, "lost the server", 15);
    assert_false(live_exec(lab.live, 1, STR("SELECT 1"), &answer, &lab.err));
    lab_close(&lab); /* the place is dropped all the same */
}

static void test_refused(void **state) {
    (void)state;
    struct live_options options = {.session_count = 1};
    struct live *live;
    struct err err;
    struct arena arena = {0};
    struct str bad = str_printf(&arena, "%.*s?nonsense=Secret1", STR_ARG(lab_url()));
    assert_false(live_open(bad, &options, &live, &err));
    assert_non_null(strstr(err.message, "nonsense"));
    assert_false(live_open(STR("mysql://u:Secret1@127.0.0.1:1"), &options, &live, &err));
    assert_null(strstr(err.message, "Secret1"));
    assert_non_null(strstr(err.message, "127.0.0.1"));
    bad = str_printf(&arena, "%.*s?ssl-mode=REQUIRED", STR_ARG(lab_url()));
    assert_false(live_open(bad, &options, &live, &err)); /* the server has no certificate */
    if (strstr(err.message, "TLS") == NULL)
        fail_msg("%s", err.message);
    bad = str_printf(&arena, "%.*s?ssl-mode=maybe", STR_ARG(lab_url()));
    assert_false(live_open(bad, &options, &live, &err));
    assert_non_null(strstr(err.message, "VERIFY_IDENTITY"));
    arena_release(&arena);
}

/* A full disk, say, is no outcome of a program: the run ends, and what it made is gone. */
static void test_full(void **state) {
    (void)state;
    struct lab lab;
    open_table(&lab, 2, false);
    const struct live_answer *answer;
    lab_run(&lab, "CREATE TABLE h (a char(255)) ENGINE = MEMORY MAX_ROWS = 1");
    lab_expect(&lab, 0, "SET max_heap_table_size = 16384", "ok 0");
    lab_expect(&lab, 0, "TRUNCATE TABLE h", "ok 0");
    lab_expect(&lab, 0, "BEGIN", "ok 0");
    lab_expect(&lab, 0, "UPDATE t SET n = 0", "ok 3");
    bool goes_on = true;
    for (int i = 0; goes_on && i < 1000; i++)
        goes_on = live_exec(lab.live, 0, STR("INSERT INTO h VALUES ('x')"), &answer, &lab.err);
    assert_false(goes_on);
    assert_memory_equal(lab.err.message, "the server can't go on: The table 'h' is full", 44);
    assert_false(live_run(lab.live, STR("SELECT 1"), &lab.err));
    lab_close(&lab);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers),      cmocka_unit_test(test_procedure),
        cmocka_unit_test(test_errors),       cmocka_unit_test(test_row_lock),
        cmocka_unit_test(test_other_waits),  cmocka_unit_test(test_user_lock),
        cmocka_unit_test(test_deadlock),     cmocka_unit_test(test_other_victim),
        cmocka_unit_test(test_cancel),       cmocka_unit_test(test_order),
        cmocka_unit_test(test_rollback_all), cmocka_unit_test(test_large_text),
        cmocka_unit_test(test_place),        cmocka_unit_test(test_killed),
        cmocka_unit_test(test_refused),      cmocka_unit_test(test_full),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
