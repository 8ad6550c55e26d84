/* No outcome that is not serializable may commit when all sessions are SERIALIZABLE. Random
 * programs of two and three sessions are interleaved at random; what the committed ones answered,
 * and the rows in the end, must come out of running those programs one after the other in some
 * order. The same test must find anomalies one level below, else it would prove nothing.
 */
#include "base/assert.h"
#include "support.h"

#include <stdio.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { SESSIONS_MAX = 3, STEPS_MAX = 4, CASES = 6000 };

static const char schema[] = "CREATE TABLE t (id integer PRIMARY KEY, n integer, v integer);"
                             "CREATE TABLE w (id integer PRIMARY KEY, n integer UNIQUE);"
                             "INSERT INTO t VALUES (1, 1, 0), (2, 5, 0), (3, 7, 1);"
                             "INSERT INTO w VALUES (1, 1), (2, 2);";

static const char *const texts[] = {
    "SELECT n, v FROM t WHERE id = 1",
    "SELECT n, v FROM t WHERE id = 2",
    "SELECT sum(n), count(*) FROM t",
    "SELECT count(*) FROM t WHERE v = 1",
    "SELECT n FROM t WHERE id > 2 ORDER BY id",
    "SELECT n FROM t WHERE id = 1 FOR UPDATE",
    "UPDATE t SET n = n + 1 WHERE id = 1",
    "UPDATE t SET n = n + 1 WHERE id = 2",
    "UPDATE t SET v = 1 WHERE id = 2",
    "UPDATE t SET v = (SELECT sum(n) FROM w) WHERE id = 1",
    "UPDATE t SET v = v + 1 WHERE v = 1",
    "DELETE FROM t WHERE v = 1",
    "INSERT INTO t VALUES (4, 4, 1)",
    "INSERT INTO t SELECT 5, sum(n), 0 FROM t",
    "SELECT n FROM w WHERE id = 1",
    "SELECT sum(n) FROM w",
    "UPDATE w SET n = (SELECT sum(n) FROM t) WHERE id = 1",
    "UPDATE w SET n = n + 10 WHERE id = 2",
    "INSERT INTO w VALUES (3, 30)",
    "INSERT INTO w VALUES (4, 30) ON CONFLICT DO NOTHING",
    "SELECT id FROM w WHERE n = 30",
};

enum { TEXTS = sizeof(texts) / sizeof(texts[0]) };

struct trial {
    struct lab lab;
    const struct sql_stmt *stmts[TEXTS], *begin, *commit, *rollback;
    struct db *db;
    size_t session_count;
    size_t programs[SESSIONS_MAX][STEPS_MAX], lengths[SESSIONS_MAX], at[SESSIONS_MAX];
    bool is_committed[SESSIONS_MAX], is_over[SESSIONS_MAX];
    struct buf answers[SESSIONS_MAX], rows;
    long anomalies, failures;
};

static uint64_t random_state;

static unsigned random_below(unsigned bound) {
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (unsigned)((random_state >> 16) % bound);
}

static void print_row(void *context, const struct value *row) {
    for (size_t i = 0; i < 2; i++)
        buf_printf(context, " %d:%lld", row[i].kind, (long long)row[i].number);
    buf_add_char(context, ';');
}

static void print_rows(const struct db *db, struct buf *out) {
    for (uint16_t table = 0; table < 2; table++)
        db_visit_rows(db, table, print_row, out);
}

/* Takes in how a session's statement ended. */
static void take_answer(struct trial *trial, size_t session, const struct db_result *result) {
    bool was_commit = trial->at[session] == trial->lengths[session];
    if (result->status == DB_BLOCKED)
        return;
    if (result->status == DB_FAILED) {
        struct db_result ignored;
        trial->is_over[session] = true;
        trial->failures++;
        if (db_in_transaction(trial->db, session))
            db_exec(trial->db, session, trial->rollback, NULL, &ignored);
        return;
    }
    if (was_commit) {
        trial->is_over[session] = trial->is_committed[session] = true;
        return;
    }
    size_t stmt = trial->programs[session][trial->at[session]++];
    answer_print(&trial->lab, trial->db, trial->stmts[stmt], result, &trial->answers[session]);
}

static const struct sql_stmt *next_stmt(const struct trial *trial, size_t session) {
    size_t at = trial->at[session];
    return at == trial->lengths[session] ? trial->commit
                                         : trial->stmts[trial->programs[session][at]];
}

/* Ends the wait of one session, if any waits: SQLite's writers and readers may wait for each
 * other. */
static bool time_out_one(struct trial *trial) {
    for (size_t s = 0; s < trial->session_count; s++) {
        struct db_result result;
        if (!db_is_waiting(trial->db, s))
            continue;
        db_timeout(trial->db, s, &result);
        take_answer(trial, s, &result);
        return true;
    }
    return false;
}

static void run_interleaved(struct trial *trial) {
    struct db_result result;
    bool has_begun[SESSIONS_MAX] = {false};
    db_copy(trial->db, trial->lab.db);
    for (;;) {
        size_t ready[SESSIONS_MAX], count = 0;
        for (size_t s = 0; s < trial->session_count; s++)
            if (!trial->is_over[s] && !db_is_waiting(trial->db, s))
                ready[count++] = s;
        if (count == 0 && !time_out_one(trial))
            break;
        if (count > 0) {
            size_t session = ready[random_below((unsigned)count)];
            if (!has_begun[session])
                db_exec(trial->db, session, trial->begin, NULL, &result);
            has_begun[session] = true;
            db_exec(trial->db, session, next_stmt(trial, session), NULL, &result);
            take_answer(trial, session, &result);
        }
        int resumed;
        while ((resumed = db_resume(trial->db, &result)) != DB_NO_SESSION)
            take_answer(trial, (size_t)resumed, &result);
    }
    for (size_t s = 0; s < trial->session_count; s++)
        assert_true(trial->is_over[s]);
    print_rows(trial->db, &trial->rows);
}

/* Whether running the committed programs in this order gives the same answers and rows. */
static bool is_serial_order(struct trial *trial, const size_t *order, size_t count) {
    struct db_result result;
    struct buf answer = {0}, rows = {0};
    bool same = true;
    db_copy(trial->db, trial->lab.db);
    for (size_t i = 0; i < count && same; i++) {
        size_t session = order[i];
        buf_clear(&answer);
        db_exec(trial->db, session, trial->begin, NULL, &result);
        for (size_t k = 0; k < trial->lengths[session] && same; k++) {
            const struct sql_stmt *stmt = trial->stmts[trial->programs[session][k]];
            db_exec(trial->db, session, stmt, NULL, &result);
            answer_print(&trial->lab, trial->db, stmt, &result, &answer);
            same = result.status == DB_OK;
        }
        db_exec(trial->db, session, trial->commit, NULL, &result);
        same = same && str_equal(buf_str(&answer), buf_str(&trial->answers[session]));
    }
    print_rows(trial->db, &rows);
    same = same && str_equal(buf_str(&rows), buf_str(&trial->rows));
    buf_release(&answer);
    buf_release(&rows);
    return same;
}

static bool is_serializable(struct trial *trial, size_t *order, size_t count, size_t fixed) {
    if (fixed == count)
        return is_serial_order(trial, order, count);
    for (size_t i = fixed; i < count; i++) {
        size_t kept = order[fixed];
        order[fixed] = order[i];
        order[i] = kept;
        bool found = is_serializable(trial, order, count, fixed + 1);
        order[i] = order[fixed];
        order[fixed] = kept;
        if (found)
            return true;
    }
    return false;
}

static void one_trial(struct trial *trial, uint64_t seed, bool must_be_serializable) {
    random_state = seed;
    trial->session_count = 2 + random_below(2);
    for (size_t s = 0; s < SESSIONS_MAX; s++) {
        trial->lengths[s] = 1 + random_below(STEPS_MAX);
        for (size_t k = 0; k < trial->lengths[s]; k++)
            trial->programs[s][k] = random_below(TEXTS);
        trial->at[s] = 0;
        trial->is_committed[s] = trial->is_over[s] = false;
        buf_clear(&trial->answers[s]);
    }
    buf_clear(&trial->rows);
    run_interleaved(trial);
    size_t order[SESSIONS_MAX], count = 0;
    for (size_t s = 0; s < trial->session_count; s++)
        if (trial->is_committed[s])
            order[count++] = s;
    if (is_serializable(trial, order, count, 0))
        return;
    trial->anomalies++;
    if (must_be_serializable) {
        for (size_t s = 0; s < trial->session_count; s++)
            for (size_t k = 0; k < trial->lengths[s]; k++)
                print_message("%c %s\n", (char)('A' + s), texts[trial->programs[s][k]]);
        fail_msg("seed %llu: not serializable", (unsigned long long)seed);
    }
}

struct setting {
    const char *name;
    enum engine_kind engine;
    enum sql_isolation isolation;
    bool is_serializable;
};

static void test_serializable(void **state) {
    const struct setting *setting = *state;
    struct trial trial = {0};
    lab_init(&trial.lab, setting->engine, setting->isolation, SESSIONS_MAX);
    lab_setup(&trial.lab, schema);
    for (size_t i = 0; i < TEXTS; i++)
        trial.stmts[i] = lab_stmt(&trial.lab, str_from_c(texts[i]));
    trial.begin = lab_stmt(&trial.lab, STR("BEGIN"));
    trial.commit = lab_stmt(&trial.lab, STR("COMMIT"));
    trial.rollback = lab_stmt(&trial.lab, STR("ROLLBACK"));
    trial.db = db_copy_new(trial.lab.db);
    for (uint64_t seed = 1; seed <= CASES; seed++)
        one_trial(&trial, seed * 0x9e3779b97f4a7c15u | 1, setting->is_serializable);
    print_message("%s: %ld anomalies, %ld failures in %d cases\n", setting->name, trial.anomalies,
                  trial.failures, CASES);
    assert_true(setting->is_serializable || trial.anomalies > CASES / 100);
    assert_true(trial.failures < CASES);
    for (size_t s = 0; s < SESSIONS_MAX; s++)
        buf_release(&trial.answers[s]);
    buf_release(&trial.rows);
    db_free(trial.db);
    lab_release(&trial.lab);
}

static struct setting settings[] = {
    {"postgresql serializable", ENGINE_POSTGRESQL, SQL_SERIALIZABLE, true},
    {"postgresql repeatable read", ENGINE_POSTGRESQL, SQL_REPEATABLE_READ, false},
    {"postgresql read committed", ENGINE_POSTGRESQL, SQL_READ_COMMITTED, false},
    {"mariadb repeatable read", ENGINE_MARIADB, SQL_REPEATABLE_READ, false},
    {"sqlite", ENGINE_SQLITE, SQL_SERIALIZABLE, true},
};

int main(void) {
    struct CMUnitTest tests[LW_COUNT_OF(settings)];
    for (size_t i = 0; i < LW_COUNT_OF(settings); i++)
        tests[i] =
            (struct CMUnitTest){settings[i].name, test_serializable, NULL, NULL, &settings[i]};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
