/* PostgreSQL behind live.h: answers, waits, who goes on, and that nothing is left behind. */
#include "support.h"

#include "base/buf.h"

#include <signal.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

static void open_table(struct lab *lab, size_t sessions) {
    lab_open(lab, sessions, true);
    lab_run(lab, "CREATE TABLE t (id int PRIMARY KEY, n int);"
                 "CREATE TABLE c (id int PRIMARY KEY, t int REFERENCES t);"
                 "INSERT INTO t VALUES (1, 10), (2, 20), (3, 30)");
}

static void test_answers(void **state) {
    (void)state;
    struct lab lab;
    lab_open(&lab, 1, false);
    assert_int_equal(live_kind(lab.live), LIVE_POSTGRESQL);
    assert_memory_equal(live_server(lab.live), "PostgreSQL ", 11);
    unsigned version[3];
    live_version(lab.live, version);
    assert_true(version[0] >= 9);
    lab_expect(&lab, 0,
               "CREATE TABLE v (i int, b bool, n numeric(6,2), f float8, t text, d timestamp)",
               "CREATE TABLE");
    lab_expect(&lab, 0,
               "INSERT INTO v VALUES (1, true, 1.5, 0.25, '', '2020-01-02 03:04:05'), (NULL, "
               "NULL, NULL, NULL, NULL, NULL)",
               "INSERT 0 2");
    const struct live_answer *answer = lab_exec(&lab, 0, "SELECT *, 'x' AS \"Ab c\" FROM v");
    assert_string_equal(lab_text(&lab, answer),
                        "1,t,1.50,0.25,,2020-01-02 03:04:05,x;\\N,\\N,\\N,\\N,\\N,\\N,x");
    static const enum live_type types[] = {LIVE_INTEGER, LIVE_BOOL, LIVE_DECIMAL, LIVE_FLOAT,
                                           LIVE_TEXT,    LIVE_TIME, LIVE_TEXT};
    assert_int_equal(answer->column_count, 7);
    for (size_t i = 0; i < 7; i++)
        assert_int_equal(answer->columns[i].type, types[i]);
    assert_true(str_is(answer->columns[6].name, "Ab c"));
    assert_true(str_is(answer->command, "SELECT 2"));
    assert_int_equal(answer->row_count, 2);
    assert_non_null(answer->cells[4].ptr); /* '' is not NULL */
    assert_int_equal(answer->cells[4].len, 0);
    answer = lab_exec(&lab, 0, "SELECT i FROM v WHERE false");
    assert_true(answer->has_rows && answer->row_count == 0 && answer->column_count == 1);
    answer = lab_exec(&lab, 0, "UPDATE v SET i = 3");
    assert_int_equal(answer->affected, 2);
    assert_false(answer->has_rows);
    answer = lab_exec(&lab, 0, "");
    assert_int_equal(answer->status, LIVE_DONE);
    assert_int_equal(answer->command.len, 0);
    lab_close(&lab);
}

static void test_several(void **state) {
    (void)state;
    struct lab lab;
    open_table(&lab, 1);
    lab_expect(&lab, 0, "SELECT 1; UPDATE t SET n = 0; SELECT 'a', NULL", "1 | UPDATE 3 | a,\\N");
    lab_expect(&lab, 0, "UPDATE t SET n = 5; SELECT 1/0; SELECT 3", "UPDATE 3 | ERR 22012");
    lab_expect(&lab, 0, "SELECT DISTINCT n FROM t", "0"); /* one text is one transaction */
    const struct live_answer *answer =
        lab_exec(&lab, 0,
                 "DO $$ BEGIN RAISE NOTICE 'one'; RAISE WARNING 'two'; RAISE LOG 'no'; END $$; "
                 "DROP TABLE IF EXISTS missing");
    assert_string_equal(lab_text(&lab, answer), "DO | DROP TABLE");
    assert_int_equal(answer->notice_count + answer->next->notice_count, 3);
    assert_true(str_is(answer->notices[0].severity, "NOTICE"));
    assert_true(str_is(answer->notices[0].message, "one"));
    assert_true(str_is(answer->notices[1].severity, "WARNING"));
    const struct live_answer *last = answer->notice_count == 3 ? answer : answer->next;
    assert_true(str_is(last->notices[last->notice_count - 1].message,
                       "table \"missing\" does not exist, skipping"));
    lab_close(&lab);
}

static void test_errors(void **state) {
    (void)state;
    struct lab lab;
    open_table(&lab, 1);
    const struct live_answer *answer = lab_exec(&lab, 0, "INSERT INTO t VALUES (1, 1)");
    assert_int_equal(answer->status, LIVE_FAILED);
    assert_string_equal(answer->sqlstate, "23505");
    assert_true(str_is(answer->severity, "ERROR"));
    assert_true(
        str_is(answer->message, "duplicate key value violates unique constraint \"t_pkey\""));
    assert_false(answer->ended_transaction);
    lab_expect(&lab, 0, "BEGIN", "BEGIN");
    assert_true(live_in_transaction(lab.live, 0));
    lab_expect(&lab, 0, "SELECT nothing", "ERR 42703");
    assert_true(live_in_transaction(lab.live, 0));
    lab_expect(&lab, 0, "SELECT 1", "ERR 25P02");
    answer = lab_exec(&lab, 0, "COMMIT");
    assert_true(str_is(answer->command, "ROLLBACK"));
    assert_true(answer->ended_transaction);
    assert_false(live_in_transaction(lab.live, 0));
    lab_expect(&lab, 0, "COPY t FROM STDIN", "ERR 57014");
    lab_expect(&lab, 0, "COPY t TO STDOUT", "ERR 0A000");
    lab_expect(&lab, 0, "SELECT 1", "1");
    assert_false(live_run(lab.live, STR("SELECT 1; SELECT nothing"), &lab.err));
    assert_non_null(strstr(lab.err.message, "42703"));
    assert_non_null(strstr(lab.err.message, "column \"nothing\" does not exist"));
    lab_run(&lab, "SELECT 1");
    lab_close(&lab);
}

static void test_row_lock(void **state) {
    (void)state;
    struct lab lab;
    open_table(&lab, 3);
    lab_expect(&lab, 0, "BEGIN", "BEGIN");
    lab_expect(&lab, 0, "UPDATE t SET n = n + 1 WHERE id = 1", "UPDATE 1");
    lab_expect(&lab, 1, "UPDATE t SET n = n + 1 WHERE id = 1", "WAIT 0");
    lab_expect_resumed(&lab, "");
    lab_expect(&lab, 2, "SELECT n FROM t WHERE id = 1", "10");
    lab_expect_resumed(&lab, "");
    lab_expect(&lab, 0, "COMMIT", "COMMIT");
    lab_expect_resumed(&lab, "1: UPDATE 1");
    lab_expect_resumed(&lab, "");
    lab_query(&lab, "SELECT n FROM t WHERE id = 1", "12");
    lab_close(&lab);
}

static void test_other_waits(void **state) {
    (void)state;
    struct lab lab;
    open_table(&lab, 2);
    lab_expect(&lab, 0, "BEGIN", "BEGIN");
    lab_expect(&lab, 0, "INSERT INTO t VALUES (9, 9)", "INSERT 0 1");
    lab_expect(&lab, 1, "INSERT INTO t VALUES (9, 8)", "WAIT 0");
    lab_expect(&lab, 0, "COMMIT", "COMMIT");
    lab_expect_resumed(&lab, "1: ERR 23505");
    lab_expect(&lab, 0, "BEGIN; DELETE FROM t WHERE id = 9", "BEGIN | DELETE 1");
    lab_expect(&lab, 1, "INSERT INTO c VALUES (1, 9)", "WAIT 0");
    lab_expect(&lab, 0, "ROLLBACK", "ROLLBACK");
    lab_expect_resumed(&lab, "1: INSERT 0 1");
    lab_expect(&lab, 0, "SELECT pg_advisory_lock(77)", "");
    lab_expect(&lab, 1, "SELECT pg_advisory_lock(77)", "WAIT 0");
    lab_expect(&lab, 0, "SELECT pg_advisory_unlock(77)", "t");
    lab_expect_resumed(&lab, "1: ");
    lab_expect(&lab, 0, "BEGIN; LOCK TABLE t", "BEGIN | LOCK TABLE");
    lab_expect(&lab, 1, "SELECT 1; SELECT count(*) FROM t", "WAIT 0");
    lab_expect(&lab, 0, "ROLLBACK", "ROLLBACK");
    lab_expect_resumed(&lab, "1: 1 | 4");
    /* The locks of sessions end with their schedule. */
    assert_true(live_rollback_all(lab.live, &lab.err));
    lab_query(&lab, "SELECT pg_try_advisory_lock(77)", "t");
    lab_close(&lab);
}

static void test_safe_snapshot(void **state) {
    (void)state;
    struct lab lab;
    open_table(&lab, 2);
    lab_expect(&lab, 0, "BEGIN ISOLATION LEVEL SERIALIZABLE; UPDATE t SET n = 0",
               "BEGIN | UPDATE 3");
    lab_expect(&lab, 1, "BEGIN ISOLATION LEVEL SERIALIZABLE, READ ONLY, DEFERRABLE", "BEGIN");
    lab_expect(&lab, 1, "SELECT sum(n) FROM t", "WAIT 0");
    lab_expect(&lab, 0, "COMMIT", "COMMIT");
    lab_expect_resumed(&lab, "1: 60");
    lab_close(&lab);
}

/* Who closes the circle is the victim, time and again: nobody's deadlock check comes late. */
static void test_deadlock(void **state) {
    (void)state;
    struct lab lab;
    open_table(&lab, 3);
    for (int i = 0; i < 20; i++) {
        lab_expect(&lab, 0, "BEGIN; UPDATE t SET n = 0 WHERE id = 1", "BEGIN | UPDATE 1");
        lab_expect(&lab, 1, "BEGIN; UPDATE t SET n = 0 WHERE id = 2", "BEGIN | UPDATE 1");
        lab_expect(&lab, 2, "BEGIN; UPDATE t SET n = 0 WHERE id = 3", "BEGIN | UPDATE 1");
        lab_expect(&lab, 0, "UPDATE t SET n = 0 WHERE id = 2", "WAIT 1");
        lab_expect(&lab, 1, "UPDATE t SET n = 0 WHERE id = 3", "WAIT 2");
        const struct live_answer *answer = lab_exec(&lab, 2, "UPDATE t SET n = 0 WHERE id = 1");
        assert_string_equal(answer->sqlstate, "40P01");
        assert_true(str_is(answer->message, "deadlock detected"));
        assert_true(live_in_transaction(lab.live, 2));
        lab_expect_resumed(&lab, "1: UPDATE 1");
        lab_expect_resumed(&lab, "");
        assert_true(live_rollback_all(lab.live, &lab.err));
        for (size_t k = 0; k < 3; k++)
            assert_false(live_is_waiting(lab.live, k) || live_in_transaction(lab.live, k));
    }
    lab_close(&lab);
}

static void test_cancel(void **state) {
    (void)state;
    struct lab lab;
    open_table(&lab, 2);
    lab_expect(&lab, 0, "BEGIN; UPDATE t SET n = 0 WHERE id = 1", "BEGIN | UPDATE 1");
    lab_expect(&lab, 1, "BEGIN; UPDATE t SET n = 1 WHERE id = 2", "BEGIN | UPDATE 1");
    lab_expect(&lab, 1, "UPDATE t SET n = 1 WHERE id = 1", "WAIT 0");
    const struct live_answer *answer;
    assert_true(live_cancel(lab.live, 1, &answer, &lab.err));
    assert_int_equal(answer->status, LIVE_FAILED);
    assert_string_equal(answer->sqlstate, "55P03");
    assert_true(str_is(answer->message, "canceling statement due to lock timeout"));
    lab_expect(&lab, 1, "ROLLBACK", "ROLLBACK");
    lab_expect(&lab, 1, "UPDATE t SET n = 1 WHERE id = 1", "WAIT 0");
    lab_expect(&lab, 0, "COMMIT", "COMMIT");
    lab_expect_resumed(&lab, "1: UPDATE 1");
    lab_close(&lab);
}

/* Waiters of one lock go on in the order in which they came, each when its turn is there. */
static void test_order(void **state) {
    (void)state;
    struct lab lab;
    open_table(&lab, 4);
    for (int i = 0; i < 10; i++) {
        lab_expect(&lab, 0, "BEGIN; UPDATE t SET n = 0 WHERE id = 1", "BEGIN | UPDATE 1");
        lab_expect(&lab, 3, "SELECT 'a' FROM t WHERE id = 1 FOR SHARE", "WAIT 0");
        lab_expect(&lab, 1, "SELECT 'b' FROM t WHERE id = 1 FOR SHARE", "WAIT 0");
        lab_expect(&lab, 0, "COMMIT", "COMMIT");
        lab_expect_resumed(&lab, "3: a");
        lab_expect_resumed(&lab, "1: b");
        lab_expect_resumed(&lab, "");
        lab_expect(&lab, 0, "SELECT pg_advisory_lock(5)", "");
        for (size_t k = 3; k > 0; k--)
            assert_int_equal(lab_exec(&lab, k, "SELECT pg_advisory_lock(5)")->status, LIVE_WAITING);
        lab_expect(&lab, 0, "SELECT pg_advisory_unlock(5)", "t");
        for (int k = 3; k > 0; k--) {
            lab_expect_resumed(&lab, k == 3 ? "3: " : k == 2 ? "2: " : "1: ");
            lab_expect_resumed(&lab, "");
            lab_expect(&lab, (size_t)k, "SELECT pg_advisory_unlock(5)", "t");
        }
    }
    lab_close(&lab);
}

/* A wait that goes on as another wait: for the second row's owner, once the first let go. */
static void test_wait_after_wait(void **state) {
    (void)state;
    struct lab lab;
    open_table(&lab, 3);
    lab_expect(&lab, 0, "BEGIN; UPDATE t SET n = 0 WHERE id = 1", "BEGIN | UPDATE 1");
    lab_expect(&lab, 1, "BEGIN; UPDATE t SET n = 0 WHERE id = 2", "BEGIN | UPDATE 1");
    lab_expect(&lab, 2, "UPDATE t SET n = 7", "WAIT 0");
    lab_expect(&lab, 0, "COMMIT", "COMMIT");
    lab_expect_resumed(&lab, "");
    assert_true(live_is_waiting(lab.live, 2));
    lab_expect(&lab, 1, "COMMIT", "COMMIT");
    lab_expect_resumed(&lab, "2: UPDATE 3");
    lab_close(&lab);
}

static void test_slow_is_no_wait(void **state) {
    (void)state;
    struct lab lab;
    open_table(&lab, 1);
    lab_expect(&lab, 0, "SELECT pg_sleep(0.1)", "");
    lab_close(&lab);
}

static void test_rollback_all(void **state) {
    (void)state;
    struct lab lab;
    open_table(&lab, 3);
    lab_expect(&lab, 0, "BEGIN; UPDATE t SET n = 0 WHERE id = 1", "BEGIN | UPDATE 1");
    lab_expect(&lab, 1, "BEGIN; UPDATE t SET n = 1 WHERE id = 2", "BEGIN | UPDATE 1");
    lab_expect(&lab, 1, "UPDATE t SET n = 1 WHERE id = 1", "WAIT 0");
    lab_expect(&lab, 2, "UPDATE t SET n = 2", "WAIT 1"); /* behind 1, in the row's queue */
    assert_true(live_rollback_all(lab.live, &lab.err));
    lab_query(&lab, "SELECT n FROM t ORDER BY id", "10;20;30");
    for (size_t k = 0; k < 3; k++)
        lab_expect(&lab, k, "UPDATE t SET n = 2", "UPDATE 3");
    lab_close(&lab);
}

static size_t count_places(struct live *other, struct lab *lab) {
    const struct live_answer *answer;
    assert_true(live_query(other, STR("SELECT 1 FROM pg_namespace WHERE nspname ~ '^lostwrite_'"),
                           &answer, &lab->err));
    return answer->row_count;
}

/* Nothing of the user's is found by its name, nothing of the run's is left. */
static void test_place(void **state) {
    (void)state;
    struct lab lab;
    open_table(&lab, 2);
    struct live *other = lab_other(&lab);
    size_t before = count_places(other, &lab);
    assert_true(before >= 1);
    assert_memory_equal(lab.place.ptr, "schema lostwrite_", 17);
    assert_true(live_run(other, STR("CREATE TABLE IF NOT EXISTS public.users (id int)"), &lab.err));
    lab_expect(&lab, 0, "RESET ALL", "RESET");
    lab_expect(&lab, 0, "DISCARD ALL", "DISCARD ALL");
    lab_expect(&lab, 0, "SELECT * FROM users", "ERR 42P01");
    lab_expect(&lab, 0, "BEGIN; UPDATE t SET n = 0", "BEGIN | UPDATE 3");
    lab_expect(&lab, 1, "UPDATE t SET n = 1", "WAIT 0");
    lab_close(&lab);
    assert_int_equal(count_places(other, &lab), before - 1);
    assert_true(live_run(other, STR("DROP TABLE public.users"), &lab.err));
    assert_true(live_close(other, &lab.err));
    arena_release(&lab.arena);
}

/* What RESET ALL and DISCARD ALL come back to still tells waits apart from deadlocks. */
static void test_reset(void **state) {
    (void)state;
    struct lab lab;
    open_table(&lab, 2);
    for (size_t k = 0; k < 2; k++)
        lab_expect(&lab, k, "DISCARD ALL", "DISCARD ALL");
    lab_expect(&lab, 0, "BEGIN; UPDATE t SET n = 0 WHERE id = 1", "BEGIN | UPDATE 1");
    lab_expect(&lab, 1, "BEGIN; UPDATE t SET n = 0 WHERE id = 2", "BEGIN | UPDATE 1");
    lab_expect(&lab, 0, "UPDATE t SET n = 0 WHERE id = 2", "WAIT 1");
    lab_expect(&lab, 1, "UPDATE t SET n = 0 WHERE id = 1", "ERR 40P01");
    lab_expect_resumed(&lab, "0: UPDATE 1");
    lab_close(&lab);
}

/* A user who may not have a server tell of waits: those it asks for are seen all the same, and deadlocks too, though
 * whom the server picks then is who waited longest. */
static void test_plain_user(void **state) {
    (void)state;
    struct lab lab;
    lab_open(&lab, 1, true);
    lab_run(&lab, "DO $$ BEGIN EXECUTE 'GRANT CREATE ON DATABASE ' || current_database() || ' TO "
                  "plain'; END $$");
    struct live *super = lab.live;
    struct live_options options = {.session_count = 2, .finds_blockers = true};
    struct str url = str_from_c(lab_environment("LOSTWRITE_PLAIN_URL"));
    if (!live_open(url, &options, &lab.live, &lab.err) ||
        !live_make_place(lab.live, &lab.place, &lab.err))
        fail_msg("%s", lab.err.message);
    lab_run(&lab,
            "CREATE TABLE t (id int PRIMARY KEY, n int); INSERT INTO t VALUES (1, 10), (2, 20)");
    for (int i = 0; i < 3; i++) {
        lab_expect(&lab, 0, "BEGIN; UPDATE t SET n = 0 WHERE id = 1", "BEGIN | UPDATE 1");
        lab_expect(&lab, 1, "BEGIN; UPDATE t SET n = 0 WHERE id = 2", "BEGIN | UPDATE 1");
        lab_expect(&lab, 0, "UPDATE t SET n = 0 WHERE id = 2", "WAIT 1");
        const struct live_answer *answer = lab_exec(&lab, 1, "UPDATE t SET n = 0 WHERE id = 1");
        if (answer->status == LIVE_FAILED) {
            assert_string_equal(answer->sqlstate, "40P01");
            lab_expect_resumed(&lab, "0: UPDATE 1");
        } else if (answer->status == LIVE_WAITING) {
            lab_expect_resumed(&lab, "0: ERR 40P01");
            lab_expect_resumed(&lab, "1: UPDATE 1");
        } else {
            lab_expect_resumed(&lab, "0: ERR 40P01");
        }
        assert_true(live_rollback_all(lab.live, &lab.err));
    }
    lab_expect(&lab, 0, "SELECT pg_advisory_lock(3)", "");
    lab_expect(&lab, 1, "SELECT pg_advisory_lock(3)", "WAIT 0");
    lab_expect_cancelled(&lab, 1, "ERR 55P03");
    lab_close(&lab);
    assert_true(live_close(super, &lab.err));
}

/* The end of one's connection is that session's answer, and of the run. */
static void test_terminated(void **state) {
    (void)state;
    struct lab lab;
    open_table(&lab, 2);
    const struct live_answer *answer =
        lab_exec(&lab, 0, "SELECT pg_terminate_backend(pg_backend_pid())");
    assert_string_equal(answer->sqlstate, "57P01");
    assert_true(str_is(answer->severity, "FATAL"));
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
    struct str url = lab_url();
    struct str bad = str_printf(&arena, "%.*s?nonsense=Secret1", STR_ARG(url));
    assert_false(live_open(bad, &options, &live, &err));
    assert_non_null(strstr(err.message, "nonsense"));
    assert_false(live_open(STR("postgresql://u:Secret1@127.0.0.1:1/db"), &options, &live, &err));
    assert_null(strstr(err.message, "Secret1"));
    assert_non_null(strstr(err.message, "refused"));
    assert_false(
        live_open(STR("postgresql://u:Secret1@127.0.0.1:1/db?Secret1"), &options, &live, &err));
    assert_null(strstr(err.message, "Secret1"));
    arena_release(&arena);
}

/* A full disk, say, is no outcome of a program: the run ends, and what it made is gone. */
static void test_full(void **state) {
    (void)state;
    struct lab lab;
    open_table(&lab, 2);
    const struct live_answer *answer;
    lab_expect(&lab, 0, "SET temp_file_limit = '64kB'; SET work_mem = '64kB'", "SET | SET");
    lab_expect(&lab, 0, "BEGIN; UPDATE t SET n = 0", "BEGIN | UPDATE 3");
    assert_false(live_exec(lab.live, 0,
                           STR("SELECT count(*) FROM (SELECT g FROM generate_series(1, 100000) g "
                               "ORDER BY random() OFFSET 0) x"),
                           &answer, &lab.err));
    assert_memory_equal(lab.err.message, "the server can't go on: temporary file size", 43);
    assert_false(live_run(lab.live, STR("SELECT 1"), &lab.err));
    lab_close(&lab);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers),         cmocka_unit_test(test_several),
        cmocka_unit_test(test_errors),          cmocka_unit_test(test_row_lock),
        cmocka_unit_test(test_other_waits),     cmocka_unit_test(test_safe_snapshot),
        cmocka_unit_test(test_deadlock),        cmocka_unit_test(test_cancel),
        cmocka_unit_test(test_order),           cmocka_unit_test(test_wait_after_wait),
        cmocka_unit_test(test_slow_is_no_wait), cmocka_unit_test(test_rollback_all),
        cmocka_unit_test(test_place),           cmocka_unit_test(test_reset),
        cmocka_unit_test(test_plain_user),      cmocka_unit_test(test_terminated),
        cmocka_unit_test(test_refused),         cmocka_unit_test(test_full),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
