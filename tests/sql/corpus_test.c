/* The statements of tests/sql/corpus: what each is printed as, or why it is refused and where;
 * and for all that are read, that printing and copying lose nothing in any dialect. */
#include "base/assert.h"
#include "base/file.h"
#include "support.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

struct tally {
    size_t read, refused;
};

static void check_refused(struct fixture *f, enum sql_dialect dialect, struct str statement,
                          struct str expected) {
    struct sql_stmt *stmt;
    if (sql_parse(&f->arena, &f->pool, statement, (struct pos){1, 1}, dialect, &stmt, &f->err))
        fail_msg("%.*s should be refused", STR_ARG(statement));
    struct str actual =
        str_printf(&f->arena, "%u:%u: %s", f->err.pos.line, f->err.pos.column, f->err.message);
    if (!str_equal(actual, expected))
        fail_msg("%.*s\ngot      %.*s\nexpected %.*s", STR_ARG(statement), STR_ARG(actual),
                 STR_ARG(expected));
}

static void check_read(struct fixture *f, enum sql_dialect dialect, struct str statement,
                       struct str expected) {
    size_t end;
    struct sql_stmt *stmt = must_parse(f, dialect, statement);
    struct str actual = printed(f, stmt, dialect);
    if (!str_equal(actual, expected))
        fail_msg("%.*s\ngot      %.*s\nexpected %.*s", STR_ARG(statement), STR_ARG(actual),
                 STR_ARG(expected));
    must_round_trip(f, stmt);
    assert_true(sql_equal(stmt, sql_copy(&f->arena, stmt), &f->pool));
    assert_true(sql_statement_end(statement, 0, stmt->pos, dialect, &end, &f->err));
    assert_true(end == statement.len || statement.ptr[end] == ';');
}

static struct str take_line(struct str *rest) {
    size_t end = str_find(*rest, '\n', 0);
    struct str line = str_sub(*rest, 0, end);
    *rest = str_sub(*rest, end < rest->len ? end + 1 : end, rest->len);
    return line;
}

static struct tally check_corpus(enum sql_dialect dialect, const char *path) {
    struct arena files;
    struct str rest;
    struct err err;
    struct tally tally = {0};
    arena_init(&files);
    if (!file_read(&files, path, &rest, &err))
        fail_msg("%s", err.message);
    while (rest.len > 0) {
        struct str line = take_line(&rest);
        if (line.len == 0 || line.ptr[0] == '#')
            continue;
        struct fixture f;
        fixture_init(&f);
        if (str_starts(rest, "! ")) {
            struct str expected = take_line(&rest);
            check_refused(&f, dialect, line, str_sub(expected, 2, expected.len));
            tally.refused++;
        } else {
            struct str expected = line;
            if (str_starts(rest, "= ")) {
                expected = take_line(&rest);
                expected = str_sub(expected, 2, expected.len);
            }
            check_read(&f, dialect, line, expected);
            tally.read++;
        }
        fixture_release(&f);
    }
    arena_release(&files);
    return tally;
}

static void test_postgresql(void **state) {
    (void)state;
    struct tally tally = check_corpus(SQL_POSTGRESQL, "tests/sql/corpus/postgresql.txt");
    assert_true(tally.read >= 200 && tally.refused >= 100);
}

static void test_mysql(void **state) {
    (void)state;
    struct tally tally = check_corpus(SQL_MYSQL, "tests/sql/corpus/mysql.txt");
    assert_true(tally.read >= 40 && tally.refused >= 20);
}

static void test_sqlite(void **state) {
    (void)state;
    struct tally tally = check_corpus(SQL_SQLITE, "tests/sql/corpus/sqlite.txt");
    assert_true(tally.read >= 19 && tally.refused >= 6);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_postgresql),
        cmocka_unit_test(test_mysql),
        cmocka_unit_test(test_sqlite),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
