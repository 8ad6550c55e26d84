/* Two that wait for one row on PostgreSQL: who began first goes on first, and where the holder replaced the version
 * they queue for the other may overtake; a holder who only locked it or rolls back lets them in one by one.
 */
#include "base/assert.h"
#include "support.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { A, B, C, SESSIONS };

static void send(struct lab *lab, size_t session, const char *sql, enum db_status expected) {
    struct db_result result;
    lab_exec(lab, session, sql, &result);
    assert_int_equal(result.status, expected);
}

/* A holds the row, then B and C ask for it; A ends by `end`. */
static void make_queue(struct lab *lab, const char *hold, const char *end) {
    lab_init(lab, ENGINE_POSTGRESQL, SQL_READ_COMMITTED, SESSIONS);
    lab_setup(lab, "CREATE TABLE t (id integer PRIMARY KEY, v integer); INSERT INTO t VALUES (1, 0);");
    for (size_t s = 0; s < SESSIONS; s++)
        send(lab, s, "BEGIN", DB_OK);
    send(lab, A, hold, DB_OK);
    send(lab, B, "SELECT v FROM t WHERE id = 1 FOR UPDATE", DB_BLOCKED);
    send(lab, C, "SELECT v FROM t WHERE id = 1 FOR UPDATE", DB_BLOCKED);
    assert_false(db_is_raced(lab->db, B));
    assert_false(db_is_raced(lab->db, C)); /* A is not done */
    send(lab, A, end, DB_OK);
}

static void expect_row(const struct db_result *result, int64_t v) {
    assert_int_equal(result->status, DB_OK);
    assert_int_equal(result->row_count, 1);
    assert_int_equal(result->rows[0].number, v);
}

static void the_second_may_overtake_where_the_version_was_replaced(void **state) {
    struct lab lab;
    struct db_result result;
    (void)state;
    make_queue(&lab, "UPDATE t SET v = 1 WHERE id = 1", "COMMIT");
    assert_false(db_is_raced(lab.db, B)); /* the first */
    assert_true(db_is_raced(lab.db, C));
    assert_true(db_resume_before(lab.db, C, &result));
    expect_row(&result, 1);
    assert_int_equal(db_resume(lab.db, &result), DB_NO_SESSION);
    assert_true(db_is_waiting(lab.db, B));
    assert_int_equal(db_blockers(lab.db, B), 1u << C);
    send(&lab, C, "UPDATE t SET v = 2 WHERE id = 1", DB_OK);
    send(&lab, C, "COMMIT", DB_OK);
    assert_int_equal(db_resume(lab.db, &result), B);
    expect_row(&result, 2);
    lab_release(&lab);
}

static void nobody_overtakes_where_the_version_is_the_same(void **state) {
    static const char *const ways[][2] = {{"SELECT v FROM t WHERE id = 1 FOR UPDATE", "COMMIT"},
                                          {"UPDATE t SET v = 1 WHERE id = 1", "ROLLBACK"}};
    (void)state;
    for (size_t i = 0; i < LW_COUNT_OF(ways); i++) {
        struct lab lab;
        struct db_result result;
        make_queue(&lab, ways[i][0], ways[i][1]);
        assert_false(db_is_raced(lab.db, C));
        assert_int_equal(db_resume(lab.db, &result), B);
        expect_row(&result, 0);
        assert_false(db_is_raced(lab.db, C));
        assert_int_equal(db_resume(lab.db, &result), DB_NO_SESSION);
        lab_release(&lab);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_second_may_overtake_where_the_version_was_replaced),
        cmocka_unit_test(nobody_overtakes_where_the_version_is_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
