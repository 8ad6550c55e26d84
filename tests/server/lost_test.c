/* The end of a run by a signal, a connection that is cut, a server that dies: one clear error, and the place is gone if
 * there still is a server to drop it. On PostgreSQL, MySQL and MariaDB. Ends with the server killed. */
#include "support.h"

#include "base/buf.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { CUT_TRIES = 200 };

static void pause_ms(long ms) {
    struct timespec time = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&time, NULL);
}

static bool is_postgresql(void) {
    return str_starts(lab_url(), "postgresql");
}

static void open_table(struct lab *lab, size_t sessions) {
    lab_open(lab, sessions, false);
    lab_run(lab, "CREATE TABLE t (id int PRIMARY KEY, n int)");
    lab_run(lab, "INSERT INTO t VALUES (1, 10), (2, 20)");
}

static size_t count_places(struct lab *lab) {
    struct live *other = lab_other(lab);
    const struct live_answer *answer;
    const char *sql = is_postgresql() ? "SELECT 1 FROM pg_namespace WHERE nspname ~ '^lostwrite_'"
                                      : "SHOW DATABASES LIKE 'lostwrite%'";
    assert_true(live_query(other, str_from_c(sql), &answer, &lab->err));
    size_t count = answer->row_count;
    assert_true(live_close(other, &lab->err));
    return count;
}

static void on_alarm(int signal_number) {
    (void)signal_number;
    live_interrupt();
}

/* In a process of its own, as an interrupt is for good. `exit` tells what went wrong. */
static void be_interrupted(bool in_wait) {
    struct lab lab;
    open_table(&lab, 2);
    lab_exec(&lab, 0, "BEGIN");
    lab_exec(&lab, 0, "UPDATE t SET n = 0");
    struct sigaction action = {.sa_handler = on_alarm};
    sigaction(SIGALRM, &action, NULL);
    const struct live_answer *answer;
    struct timespec from, to;
    if (in_wait && lab_exec(&lab, 1, "UPDATE t SET n = 1")->status != LIVE_WAITING)
        _exit(2);
    clock_gettime(CLOCK_MONOTONIC, &from);
    alarm(1);
    bool goes_on = true;
    while (in_wait && goes_on) {
        int session;
        goes_on = live_resume(lab.live, &session, &answer, &lab.err);
    }
    const char *sleep_sql = is_postgresql() ? "SELECT pg_sleep(20)" : "SELECT SLEEP(20)";
    if (!in_wait && live_exec(lab.live, 1, str_from_c(sleep_sql), &answer, &lab.err))
        _exit(3);
    clock_gettime(CLOCK_MONOTONIC, &to);
    if (to.tv_sec - from.tv_sec > 3)
        _exit(4);
    if (strcmp(lab.err.message, "interrupted") != 0)
        _exit(5);
    if (live_run(lab.live, STR("SELECT 1"), &lab.err) ||
        strcmp(lab.err.message, "interrupted") != 0)
        _exit(6);
    if (!live_close(lab.live, &lab.err))
        _exit(7);
    arena_release(&lab.arena);
    _exit(0);
}

static void test_interrupted(void **state) {
    (void)state;
    struct lab lab = {0};
    size_t before = count_places(&lab);
    for (int in_wait = 0; in_wait < 2; in_wait++) {
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0)
            be_interrupted(in_wait != 0);
        int status;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 0);
    }
    assert_int_equal(count_places(&lab), before);
}

/* Another connection cuts the control connection: who waits is not to be had any more, the place is dropped anew. */
static void test_control_cut(void **state) {
    (void)state;
    struct lab lab;
    struct arena arena = {0};
    size_t before = count_places(&(struct lab){0});
    open_table(&lab, 2);
    const struct live_answer *answer;
    const char *own = is_postgresql() ? "SELECT pg_backend_pid()" : "SELECT CONNECTION_ID()";
    assert_true(live_query(lab.live, str_from_c(own), &answer, &lab.err));
    struct str cut =
        str_printf(&arena, is_postgresql() ? "SELECT pg_terminate_backend(%.*s)" : "KILL %.*s",
                   STR_ARG(answer->cells[0]));
    lab_exec(&lab, 0, "BEGIN");
    lab_exec(&lab, 0, "UPDATE t SET n = 0");
    struct live *other = lab_other(&lab);
    assert_true(live_run(other, cut, &lab.err));
    pause_ms(100);
    assert_false(live_run(lab.live, STR("SELECT 1"), &lab.err) &&
                 live_run(lab.live, STR("SELECT 1"), &lab.err));
    assert_false(live_exec(lab.live, 1, STR("SELECT 1"), &answer, &lab.err));
    assert_true(live_close(lab.live, &lab.err));
    assert_true(live_close(other, &lab.err));
    assert_int_equal(count_places(&lab), before);
    arena_release(&arena);
    arena_release(&lab.arena);
}

/* PostgreSQL restarts itself when one of its processes is killed, and ends all connections. */
static void test_crash(void **state) {
    (void)state;
    size_t before = count_places(&(struct lab){0});
    struct lab lab;
    open_table(&lab, 2);
    const struct live_answer *answer = lab_exec(&lab, 0, "SELECT pg_backend_pid()");
    pid_t pid = (pid_t)strtol(answer->cells[0].ptr, NULL, 10);
    assert_true(pid > 1);
    assert_int_equal(kill(pid, SIGKILL), 0);
    pause_ms(100);
    bool is_answer = live_exec(lab.live, 0, STR("SELECT 1"), &answer, &lab.err);
    assert_true(!is_answer || answer->status == LIVE_FAILED);
    assert_false(live_exec(lab.live, 0, STR("SELECT 1"), &answer, &lab.err));
    assert_memory_equal(lab.err.message, "lost the server", 15);
    if (!live_close(lab.live, &lab.err))
        fail_msg("%s", lab.err.message);
    assert_int_equal(count_places(&lab), before);
    arena_release(&lab.arena);
}

static void test_server_killed(void **state) {
    (void)state;
    struct lab lab;
    open_table(&lab, 2);
    pid_t pid = (pid_t)strtol(lab_environment("LOSTWRITE_SERVER_PID"), NULL, 10);
    assert_true(pid > 1);
    assert_int_equal(kill(pid, SIGKILL), 0);
    const struct live_answer *answer;
    bool goes_on = true;
    for (int i = 0; goes_on && i < CUT_TRIES; i++) {
        goes_on = live_exec(lab.live, 0, STR("SELECT 1"), &answer, &lab.err);
        pause_ms(20);
    }
    assert_false(goes_on);
    assert_memory_equal(lab.err.message, "lost the server", 15);
    assert_false(live_close(lab.live, &lab.err));
    assert_memory_equal(lab.err.message, "could not drop ", 15);
    assert_non_null(strstr(lab.err.message, is_postgresql()
                                                ? "drop it with: DROP SCHEMA lostwrite_"
                                                : "drop it with: DROP DATABASE lostwrite_"));
    arena_release(&lab.arena);
}

int main(void) {
    const struct CMUnitTest on_all[] = {
        cmocka_unit_test(test_interrupted),
        cmocka_unit_test(test_control_cut),
    };
    const struct CMUnitTest on_postgresql[] = {cmocka_unit_test(test_crash)};
    const struct CMUnitTest at_last[] = {cmocka_unit_test(test_server_killed)};
    int failed = cmocka_run_group_tests(on_all, NULL, NULL);
    if (is_postgresql())
        failed += cmocka_run_group_tests(on_postgresql, NULL, NULL);
    return failed + cmocka_run_group_tests(at_last, NULL, NULL);
}
