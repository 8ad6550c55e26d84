/* Versions: reading and printing them, and what they differ in. */
#include "engine/version.h"
#include "support.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static uint32_t parsed(enum engine_kind engine, const char *text) {
    uint32_t version = 0;
    struct err err;
    if (!version_parse(engine, str_from_c(text), &version, &err))
        fail_msg("%s: %s", text, err.message);
    return version;
}

static void check_bad(enum engine_kind engine, const char *text, const char *message) {
    uint32_t version = 7;
    struct err err;
    assert_false(version_parse(engine, str_from_c(text), &version, &err));
    assert_int_equal(version, 7);
    assert_string_equal(err.message, message);
}

static void test_parse(void **state) {
    (void)state;
    assert_int_equal(parsed(ENGINE_MARIADB, "11.6.2"), 110602);
    assert_int_equal(parsed(ENGINE_MARIADB, "11.8"), 110899);
    assert_int_equal(parsed(ENGINE_MARIADB, "10.11.19"), 101119);
    assert_int_equal(parsed(ENGINE_MYSQL, "5.6.24"), 50624);
    assert_int_equal(parsed(ENGINE_MYSQL, "8.0"), 80099);
    assert_int_equal(parsed(ENGINE_POSTGRESQL, "15"), 150099);
    assert_int_equal(parsed(ENGINE_POSTGRESQL, "15.18"), 150018);
    assert_int_equal(parsed(ENGINE_SQLITE, "3.40.1"), 34001);
}

static void test_parse_errors(void **state) {
    (void)state;
    static const char mysql[] = "' of mysql; known are 5.6 to 5.7, 8.0, 8.4, 9.0 to 9.4";
    static const char *const texts[] = {"",    "8",    "8.",    ".8",     "8.1",     "8.0.100",
                                        "8.0.1.2", "8..0", "v8.0", "8.0 ", "008.0",
                                        "4294967304.0", "5.5.62", "9.5", "-8.0"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct buf message = {0};
        buf_printf(&message, "unknown version '%s%s", texts[i], mysql);
        check_bad(ENGINE_MYSQL, texts[i], message.ptr);
        buf_release(&message);
    }
    check_bad(ENGINE_POSTGRESQL, "9.6", "unknown version '9.6' of postgresql; known are 10 to 18");
    check_bad(ENGINE_POSTGRESQL, "15.1.2",
              "unknown version '15.1.2' of postgresql; known are 10 to 18");
    check_bad(ENGINE_MARIADB, "11",
              "unknown version '11' of mariadb; known are 10.2 to 10.11, 11.0 to 11.8, 12.0 to 12.1");
}

static void check_print(enum engine_kind engine, uint32_t version, const char *expected) {
    struct buf text = {0};
    version_print(engine, version, &text);
    assert_string_equal(text.ptr, expected);
    buf_release(&text);
}

static void test_print(void **state) {
    (void)state;
    check_print(ENGINE_MARIADB, 110602, "11.6.2");
    check_print(ENGINE_MARIADB, 110899, "11.8");
    check_print(ENGINE_MARIADB, 110600, "11.6.0");
    check_print(ENGINE_POSTGRESQL, 150018, "15.18");
    check_print(ENGINE_POSTGRESQL, 180099, "18");
    check_print(ENGINE_POSTGRESQL, 0, "15.18");
    check_print(ENGINE_MYSQL, 0, "8.0");
    check_print(ENGINE_SQLITE, 0, "3.40.1");
}

/* Each default is a version that can be asked for. */
static void test_defaults_are_known(void **state) {
    (void)state;
    for (int engine = ENGINE_POSTGRESQL; engine <= ENGINE_SQLITE; engine++) {
        struct buf text = {0};
        version_print((enum engine_kind)engine, 0, &text);
        assert_int_equal(parsed((enum engine_kind)engine, text.ptr),
                         version_default((enum engine_kind)engine));
        buf_release(&text);
    }
}

static void test_snapshot_isolation(void **state) {
    (void)state;
    static const struct {
        const char *version;
        bool has, is_on;
    } cases[] = {
        {"10.2", false, false},   {"10.5", false, false},   {"10.6.17", false, false},
        {"10.6.18", true, false}, {"10.6", true, false},    {"10.7", false, false},
        {"10.11.7", false, false}, {"10.11.8", true, false}, {"11.3", false, false},
        {"11.4.1", false, false}, {"11.4", true, false},    {"11.6.1", true, false},
        {"11.6.2", true, true},   {"11.6", true, true},     {"11.8", true, true},
        {"12.0.1", true, true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint32_t version = parsed(ENGINE_MARIADB, cases[i].version);
        struct db_config config = version_config(ENGINE_MARIADB, version, SQL_REPEATABLE_READ);
        assert_int_equal(db_config_has(&config, TRAIT_SNAPSHOT_ISOLATION), cases[i].has);
        assert_int_equal(config.innodb_snapshot_isolation, cases[i].is_on);
        assert_int_equal(config.version, version);
    }
    assert_true(version_has(ENGINE_MARIADB, 0, TRAIT_SNAPSHOT_ISOLATION));
    assert_false(version_config(ENGINE_MARIADB, 0, SQL_REPEATABLE_READ).innodb_snapshot_isolation);
    assert_false(version_has(ENGINE_MYSQL, 80099, TRAIT_SNAPSHOT_ISOLATION));
}

static void test_lock_clauses(void **state) {
    (void)state;
    assert_false(version_has(ENGINE_MYSQL, 50624, TRAIT_NOWAIT));
    assert_false(version_has(ENGINE_MYSQL, 50799, TRAIT_SKIP_LOCKED));
    assert_false(version_has(ENGINE_MYSQL, 80000, TRAIT_SKIP_LOCKED));
    assert_true(version_has(ENGINE_MYSQL, 80001, TRAIT_SKIP_LOCKED));
    assert_true(version_has(ENGINE_MYSQL, 0, TRAIT_NOWAIT));
    assert_false(version_has(ENGINE_MARIADB, 100299, TRAIT_NOWAIT));
    assert_true(version_has(ENGINE_MARIADB, 100599, TRAIT_NOWAIT));
    assert_false(version_has(ENGINE_MARIADB, 100599, TRAIT_SKIP_LOCKED));
    assert_true(version_has(ENGINE_MARIADB, 100600, TRAIT_SKIP_LOCKED));
    assert_true(version_has(ENGINE_POSTGRESQL, 100000, TRAIT_SKIP_LOCKED));
    assert_false(version_has(ENGINE_SQLITE, 0, TRAIT_NOWAIT));
}

static void test_since_in_words(void **state) {
    (void)state;
    struct buf text = {0};
    version_print_since(ENGINE_MARIADB, TRAIT_SNAPSHOT_ISOLATION, &text);
    assert_string_equal(text.ptr, "10.6.18, 10.11.8, 11.0.6, 11.1.5, 11.2.4, 11.4.2 and later");
    buf_clear(&text);
    version_print_since(ENGINE_MYSQL, TRAIT_SKIP_LOCKED, &text);
    assert_string_equal(text.ptr, "8.0.1 and later");
    buf_clear(&text);
    version_print_since(ENGINE_SQLITE, TRAIT_SKIP_LOCKED, &text);
    assert_int_equal(text.len, 0);
    buf_release(&text);
    assert_string_equal(version_trait_text(TRAIT_SKIP_LOCKED), "SKIP LOCKED");
}

static enum db_error error_of(enum engine_kind engine, uint32_t version, const char *sql) {
    struct lab lab;
    struct db_result result;
    lab_init(&lab, engine, SQL_REPEATABLE_READ, 1);
    lab.config.version = version;
    lab_setup(&lab, "CREATE TABLE t (id integer PRIMARY KEY, n integer, CHECK (n > 0));"
                    "INSERT INTO t VALUES (1, 1);");
    lab_exec(&lab, 0, sql, &result);
    enum db_error error = result.status == DB_FAILED ? result.error : DB_OK_NO_ERROR;
    lab_release(&lab);
    return error;
}

static void test_what_the_engine_knows(void **state) {
    (void)state;
    static const char skip[] = "SELECT n FROM t WHERE id = 1 FOR UPDATE SKIP LOCKED";
    static const char nowait[] = "SELECT n FROM t WHERE id = 1 FOR UPDATE NOWAIT";
    static const char check[] = "UPDATE t SET n = 0 WHERE id = 1";
    assert_int_equal(error_of(ENGINE_MYSQL, 50699, skip), DB_ERROR_SYNTAX);
    assert_int_equal(error_of(ENGINE_MYSQL, 50699, nowait), DB_ERROR_SYNTAX);
    assert_int_equal(error_of(ENGINE_MYSQL, 80499, skip), DB_OK_NO_ERROR);
    assert_int_equal(error_of(ENGINE_MYSQL, 0, nowait), DB_OK_NO_ERROR);
    assert_int_equal(error_of(ENGINE_MARIADB, 100599, skip), DB_ERROR_SYNTAX);
    assert_int_equal(error_of(ENGINE_MARIADB, 100599, nowait), DB_OK_NO_ERROR);
    assert_int_equal(error_of(ENGINE_POSTGRESQL, 100099, skip), DB_OK_NO_ERROR);
    assert_int_equal(error_of(ENGINE_MYSQL, 80015, check), DB_OK_NO_ERROR);
    assert_int_equal(error_of(ENGINE_MYSQL, 80016, check), DB_ERROR_CHECK);
    assert_int_equal(error_of(ENGINE_MYSQL, 0, check), DB_ERROR_CHECK);
    assert_int_equal(error_of(ENGINE_SQLITE, 0, check), DB_ERROR_CHECK);
    assert_string_equal(db_error_code(DB_ERROR_CHECK, ENGINE_MYSQL), "3819");
    assert_string_equal(db_error_code(DB_ERROR_CHECK, ENGINE_MARIADB), "4025");
}

/* The lab's second session has changed row 1, and committed or not; what the first one's UPDATE of it gives. */
static struct db_result snapshot_update(struct lab *lab, uint32_t version, enum sql_isolation level,
                                        bool is_committed) {
    static const char *const first[] = {"BEGIN", "SELECT n FROM t WHERE id = 2",
                                        "UPDATE t SET n = 7 WHERE id = 3"};
    static const char *const second[] = {"BEGIN", "UPDATE t SET n = 9 WHERE id = 1", "COMMIT"};
    struct db_result result;
    lab_init(lab, ENGINE_MARIADB, level, 2);
    lab->config = version_config(ENGINE_MARIADB, version, level);
    assert_true(lab->config.innodb_snapshot_isolation);
    lab_setup(lab, "CREATE TABLE t (id integer PRIMARY KEY, n integer);"
                   "INSERT INTO t VALUES (1, 1), (2, 2), (3, 3);");
    for (size_t i = 0; i < 3; i++) {
        lab_exec(lab, 0, first[i], &result);
        assert_int_equal(result.status, DB_OK);
    }
    for (size_t i = 0; i < (is_committed ? 3u : 2u); i++) {
        lab_exec(lab, 1, second[i], &result);
        assert_int_equal(result.status, DB_OK);
    }
    lab_exec(lab, 0, "UPDATE t SET n = 5 WHERE id = 1", &result);
    return result;
}

static void test_snapshot_isolation_grew_up(void **state) {
    (void)state;
    static const struct {
        uint32_t version;
        bool waits, has_serializable;
    } cases[] = {{110602, false, false}, {110799, false, false}, {110801, false, false},
                 {110802, true, false},  {110803, true, true},   {110899, true, true},
                 {120001, true, false},  {120199, true, true}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct lab lab;
        struct db_result open = snapshot_update(&lab, cases[i].version, SQL_REPEATABLE_READ, false);
        assert_int_equal(open.status, cases[i].waits ? DB_BLOCKED : DB_FAILED);
        if (!cases[i].waits)
            assert_int_equal(open.error, DB_ERROR_CHANGED_ROW);
        lab_release(&lab);
        struct db_result done = snapshot_update(&lab, cases[i].version, SQL_REPEATABLE_READ, true);
        assert_int_equal(done.error, DB_ERROR_CHANGED_ROW);
        lab_release(&lab);
        done = snapshot_update(&lab, cases[i].version, SQL_SERIALIZABLE, true);
        assert_int_equal(done.status, cases[i].has_serializable ? DB_FAILED : DB_OK);
        lab_release(&lab);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_parse_errors),
        cmocka_unit_test(test_print),
        cmocka_unit_test(test_defaults_are_known),
        cmocka_unit_test(test_snapshot_isolation),
        cmocka_unit_test(test_lock_clauses),
        cmocka_unit_test(test_since_in_words),
        cmocka_unit_test(test_what_the_engine_knows),
        cmocka_unit_test(test_snapshot_isolation_grew_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
