/* The builder: where steps go, how its errors read, and what the checker says of programs that a
 * front end made, whose SQL stands nowhere in the source. */
#include "support.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

struct build {
    struct fixture f;
    struct txn_scenario *scenario;
    struct txn_program *program;
    struct txn_builder b;
};

static const struct txn_span nowhere = {{0}, {0, 0}, {0, 0}};

static struct txn_span line(uint32_t number) {
    return (struct txn_span){STR("shop/views.py"), {number, 5}, {number, 20}};
}

static void build_init(struct build *t) {
    memset(t, 0, sizeof(*t));
    fixture_init(&t->f);
    t->scenario = fixture_parse(&t->f, fixture_schema);
    t->program = txn_program_new(&t->f.arena, STR("shop.views.add"), line(1));
    txn_add_param(&t->f.arena, t->program, STR("id"));
    txn_builder_init(&t->b, &t->f.arena, &t->f.pool, t->program, SQL_POSTGRESQL);
}

static uint16_t var(struct build *t, const char *name) {
    return txn_var(&t->f.arena, t->program, str_from_c(name));
}

/* What the checker says: "line:column: message", or "" if nothing. */
static const char *check(struct build *t) {
    struct err err;
    if (txn_check(&t->f.arena, &t->scenario->schema, &t->f.pool, t->program, &err))
        return "";
    assert_string_equal(err.path, "shop/views.py");
    return str_printf(&t->f.arena, "%u:%u: %s", err.pos.line, err.pos.column, err.message).ptr;
}

static const char *printed(struct build *t) {
    struct buf out = {0};
    assert_false(t->b.has_failed);
    txn_print_program(t->program, &t->f.pool, SQL_POSTGRESQL, &out);
    struct str text = str_dup(&t->f.arena, buf_str(&out));
    buf_release(&out);
    return text.ptr;
}

static void steps_go_where_the_cursor_is(void **state) {
    struct build t;
    (void)state;
    build_init(&t);
    t.program->span = nowhere;
    uint16_t n = var(&t, "n"), id = var(&t, "id");
    struct txn_expr *one = txn_literal(&t.b, nowhere, value_int(1));
    struct txn_step *branch = txn_build_if(&t.b, nowhere, txn_ref(&t.b, nowhere, id));
    struct txn_step *tried = txn_build_try(&t.b, nowhere);
    txn_build_assign(&t.b, nowhere, n, one);
    struct txn_handler *handler = txn_build_except(&t.b, nowhere, tried);
    VEC_PUSH(&t.f.arena, &handler->classes, STR("A"));
    txn_build_raise(&t.b, nowhere, STR(""));
    txn_build_except(&t.b, nowhere, tried);
    txn_build_else(&t.b, tried);
    txn_build_effect(&t.b, nowhere, STR("else"));
    txn_build_finally(&t.b, tried);
    txn_build_effect(&t.b, nowhere, STR("finally"));
    txn_build_end(&t.b, tried);
    txn_build_else(&t.b, branch);
    txn_build_return(&t.b, nowhere, NULL);
    txn_build_end(&t.b, branch);
    txn_build_effect(&t.b, nowhere, STR("after"));
    assert_string_equal(check(&t), "");
    assert_string_equal(printed(&t), "program shop.views.add(id) {\n"
                                     "    if id {\n"
                                     "        try {\n"
                                     "            n = 1;\n"
                                     "        } except A {\n"
                                     "            raise;\n"
                                     "        } except {\n"
                                     "        } else {\n"
                                     "            effect \"else\";\n"
                                     "        } finally {\n"
                                     "            effect \"finally\";\n"
                                     "        }\n"
                                     "    } else {\n"
                                     "        return;\n"
                                     "    }\n"
                                     "    effect \"after\";\n"
                                     "}\n");
    fixture_release(&t.f);
}

static void bad_sql_is_kept_with_its_step(void **state) {
    struct build t;
    (void)state;
    build_init(&t);
    txn_build_sql(&t.b, line(7), TXN_INTO_NOTHING, TXN_NO_VAR, STR("DELETE FROM counter WHERE"));
    txn_build_sql(&t.b, line(8), TXN_INTO_NOTHING, TXN_NO_VAR, STR("also wrong"));
    assert_true(t.b.has_failed);
    assert_string_equal(t.b.err.path, "shop/views.py");
    assert_int_equal(t.b.err.pos.line, 7);
    assert_int_equal(t.b.err.pos.column, 5);
    assert_non_null(strstr(t.b.err.message, "in the SQL at 1:26: "));
    assert_non_null(strstr(t.b.err.message, "DELETE FROM counter WHERE"));
    fixture_release(&t.f);
}

static void too_deep_is_an_error_not_a_crash(void **state) {
    struct build t;
    struct txn_step *open[TXN_DEPTH_MAX + 9];
    enum { DEPTH = sizeof(open) / sizeof(open[0]) };
    (void)state;
    build_init(&t);
    for (int i = 0; i < DEPTH; i++)
        open[i] = txn_build_atomic(&t.b, line(3));
    txn_build_return(&t.b, line(4), NULL);
    for (int i = DEPTH; i > 0; i--)
        txn_build_end(&t.b, open[i - 1]);
    assert_int_equal(t.b.depth, 0);
    assert_ptr_equal(t.b.at, &t.program->body);
    assert_true(t.b.has_failed);
    assert_string_equal(t.b.err.message, "blocks are nested too deeply (64 at most)");
    fixture_release(&t.f);
}

static void faults_in_made_sql_are_told_at_the_step(void **state) {
    static const struct {
        enum txn_into into;
        const char *sql, *said;
    } cases[] = {
        {TXN_INTO_ROW, "SELECT id FROM counter WHERE id = :idd",
         "7:5: in the SQL at 1:35: unknown variable `idd`; did you mean `id`?: "
         "SELECT id FROM counter WHERE id = :idd"},
        {TXN_INTO_ROWS, "SELECT id, COUNT(*) FROM counter GROUP BY id",
         "7:5: in the SQL at 1:12: a row holds columns of a table, and this is none; take it with "
         "`value` "
         "or `list`: SELECT id, COUNT(*) FROM counter GROUP BY id"},
        {TXN_INTO_COUNT, "SELECT id FROM counter",
         "7:5: `count` is of rows that INSERT, UPDATE or DELETE changed, not of SELECT"},
        {TXN_INTO_ROW, "SELECT id FROM counter WHERE id = :id.count",
         "7:5: in the SQL at 1:35: `id` is a scalar, so it has no column `count`: "
         "SELECT id FROM counter WHERE id = :id.count"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct build t;
        build_init(&t);
        txn_build_sql(&t.b, line(7), cases[i].into, var(&t, "x"), str_from_c(cases[i].sql));
        assert_false(t.b.has_failed);
        assert_string_equal(check(&t), cases[i].said);
        fixture_release(&t.f);
    }
}

static void returning_gives_rows_of_the_target(void **state) {
    struct build t;
    (void)state;
    build_init(&t);
    uint16_t x = var(&t, "x");
    txn_build_sql(&t.b, line(2), TXN_INTO_ROW, x,
                  STR("UPDATE counter SET count = 1 WHERE id = :id RETURNING id, count"));
    txn_build_set_column(&t.b, line(3), x, STR("count"), txn_column(&t.b, line(3), x, STR("id")));
    assert_string_equal(check(&t), "");
    assert_int_equal(t.program->vars.items[x].type, TXN_ROW);
    assert_int_equal(t.program->vars.items[x].table, 0);
    fixture_release(&t.f);
}

static void names_must_be_such_that_sql_has_them(void **state) {
    struct build t;
    (void)state;
    build_init(&t);
    var(&t, "self.counter");
    assert_string_equal(check(&t), "1:5: `self.counter` is not a name for a variable");
    fixture_release(&t.f);
}

static void deep_expressions_are_refused(void **state) {
    struct build t;
    (void)state;
    build_init(&t);
    struct txn_expr *expr = txn_literal(&t.b, line(9), value_int(1));
    for (int i = 0; i < 100000; i++)
        expr = txn_unary(&t.b, line(9), TXN_EXPR_NOT, expr);
    txn_build_assign(&t.b, line(9), var(&t, "x"), expr);
    assert_string_equal(check(&t), "9:5: the expression is nested too deeply (128 at most)");
    fixture_release(&t.f);
}

static void many_variables_are_refused(void **state) {
    struct build t;
    (void)state;
    build_init(&t);
    for (int i = 0; i < TXN_VARS_MAX; i++)
        txn_build_assign(&t.b, line(2), var(&t, str_printf(&t.f.arena, "v%d", i).ptr),
                         txn_literal(&t.b, line(2), value_int(i)));
    assert_string_equal(check(&t), "1:5: 1025 variables, 1024 at most");
    fixture_release(&t.f);
}

static void copies_share_nothing_that_changes(void **state) {
    struct build t;
    (void)state;
    build_init(&t);
    uint16_t x = var(&t, "x");
    struct txn_step *new_x = txn_build_new(&t.b, line(2), x, STR("counter"));
    txn_new_column(&t.b, new_x, STR("count"), txn_literal(&t.b, line(2), value_int(1)));
    txn_build_sql(&t.b, line(3), TXN_INTO_NOTHING, TXN_NO_VAR,
                  STR("UPDATE counter SET count = :x.count"));
    txn_build_set_column_sql(&t.b, line(4), x, STR("count"), STR("count + :id"));
    assert_string_equal(check(&t), "");
    struct txn_program *copy = txn_copy(&t.f.arena, t.program);
    assert_true(t.program->is_checked);
    assert_false(copy->is_checked);
    for (size_t i = 0; i < 3; i++) {
        const struct txn_step *a = t.program->body.steps.items[i], *b = copy->body.steps.items[i];
        assert_ptr_not_equal(a, b);
        if (i == 0)
            assert_ptr_not_equal(a->args.items[0], b->args.items[0]);
        if (i == 1)
            assert_ptr_not_equal(a->sql.stmt, b->sql.stmt);
        if (i == 2) {
            assert_ptr_not_equal(a->sql_expr, b->sql_expr);
            assert_ptr_not_equal(a->sql_hosts, b->sql_hosts);
        }
    }
    copy->vars.items[x].name = STR("renamed");
    assert_true(str_is(t.program->vars.items[x].name, "x"));
    fixture_release(&t.f);
}

/* An alias chain against the order of the text: types go backwards, one round for each link. */
static void types_flow_against_the_text(void **state) {
    enum { LINKS = 200 };
    struct build t;
    (void)state;
    build_init(&t);
    for (int i = 0; i <= LINKS; i++)
        txn_build_assign(&t.b, line(2), var(&t, str_printf(&t.f.arena, "v%d", i).ptr),
                         txn_literal(&t.b, line(2), value_null()));
    struct txn_step *loop = txn_build_repeat(&t.b, line(3), 3);
    for (int i = 0; i < LINKS; i++)
        txn_build_assign(&t.b, line(4), var(&t, str_printf(&t.f.arena, "v%d", i).ptr),
                         txn_ref(&t.b, line(4), var(&t, str_printf(&t.f.arena, "v%d", i + 1).ptr)));
    txn_build_new(&t.b, line(5), var(&t, "v200"), STR("other"));
    txn_build_end(&t.b, loop);
    assert_string_equal(check(&t), "");
    assert_int_equal(t.program->vars.items[var(&t, "v0")].type, TXN_ROW);
    assert_int_equal(t.program->vars.items[var(&t, "v0")].table, 1);
    fixture_release(&t.f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_go_where_the_cursor_is),
        cmocka_unit_test(bad_sql_is_kept_with_its_step),
        cmocka_unit_test(too_deep_is_an_error_not_a_crash),
        cmocka_unit_test(faults_in_made_sql_are_told_at_the_step),
        cmocka_unit_test(returning_gives_rows_of_the_target),
        cmocka_unit_test(names_must_be_such_that_sql_has_them),
        cmocka_unit_test(deep_expressions_are_refused),
        cmocka_unit_test(many_variables_are_refused),
        cmocka_unit_test(copies_share_nothing_that_changes),
        cmocka_unit_test(types_flow_against_the_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
