/* The notation: every example is read, printed and read back in each dialect; what a text means
 * is looked at field by field; places and origins; and texts that differ in one thing are not
 * equal. */
#include "support.h"

#include "base/file.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static int is_example(const struct dirent *entry) {
    return str_ends(str_from_c(entry->d_name), ".txn");
}

static void examples_survive_printing(void **state) {
    struct dirent **examples;
    int count = scandir("examples/txn", &examples, is_example, alphasort);
    (void)state;
    assert_true(count >= 25);
    for (int i = 0; i < count; i++) {
        for (int dialect = SQL_POSTGRESQL; dialect <= SQL_SQLITE; dialect++) {
            struct fixture f;
            struct str text;
            struct err err;
            struct txn_scenario *scenario;
            fixture_init(&f);
            struct str path = str_printf(&f.arena, "examples/txn/%s", examples[i]->d_name);
            assert_true(file_read(&f.arena, path.ptr, &text, &err));
            if (!txn_parse(&f.arena, &f.pool, path, text, (enum sql_dialect)dialect, &scenario,
                           &err))
                fail_msg("%s:%u:%u: %s", err.path, err.pos.line, err.pos.column, err.message);
            assert_true(scenario->programs.count > 0 && scenario->runs.count > 0);
            fixture_round_trip(&f, scenario, (enum sql_dialect)dialect);
            fixture_release(&f);
        }
        free(examples[i]);
    }
    free(examples);
}

/* The fenced texts of the manual are whole files, and stay right. */
static void the_manual_is_right(void **state) {
    struct fixture f;
    struct str text;
    struct err err;
    size_t count = 0;
    (void)state;
    fixture_init(&f);
    assert_true(file_read(&f.arena, "docs/notation.md", &text, &err));
    for (const char *at = strstr(text.ptr, "```\n"); at != NULL; at = strstr(at, "```\n")) {
        const char *end = strstr(at + 4, "```\n");
        assert_non_null(end);
        struct str part = str_dup(&f.arena, (struct str){at + 4, (size_t)(end - at - 4)});
        fixture_round_trip(&f, fixture_parse(&f, part.ptr), SQL_POSTGRESQL);
        at = end + 4;
        count++;
    }
    assert_int_equal(count, 2);
    fixture_release(&f);
}

/* The only program of a text that is put after the schema. */
static struct txn_program *program_of(struct fixture *f, const char *program) {
    struct str text = str_printf(&f->arena, "%s%s", fixture_schema, program);
    struct txn_scenario *scenario = fixture_parse(f, text.ptr);
    assert_int_equal(scenario->programs.count, 1);
    fixture_round_trip(f, scenario, SQL_POSTGRESQL);
    return scenario->programs.items[0];
}

static const struct txn_step *step_at(const struct txn_block *block, size_t index) {
    assert_true(index < block->steps.count);
    return block->steps.items[index];
}

static void steps_mean_what_they_say(void **state) {
    struct fixture f;
    (void)state;
    fixture_init(&f);
    const struct txn_program *p = program_of(
        &f, "program shop.add(id, n) {\n"
            "    row counter = SELECT id, count FROM counter WHERE id = :id FOR UPDATE;\n"
            "    counter.count = sql(count + :n);\n"
            "    save count written = UPDATE counter SET count = :counter.count WHERE id = "
            ":counter.id;\n"
            "    x = new counter(count = n * 2, name = 'a');\n"
            "    key x.id = INSERT INTO counter (count) VALUES (:x.count);\n"
            "    reload x = SELECT name FROM counter WHERE id = :x.id;\n"
            "    y = x;\n"
            "}\n");
    assert_true(str_is(p->name, "shop.add") && p->is_checked);
    assert_int_equal(p->param_count, 2);
    assert_int_equal(p->body.steps.count, 7);
    const struct txn_step *read = step_at(&p->body, 0);
    uint16_t counter = txn_find_var(p, STR("counter")), x = txn_find_var(p, STR("x"));
    assert_int_equal(read->kind, TXN_STEP_SQL);
    assert_int_equal(read->sql.into, TXN_INTO_ROW);
    assert_int_equal(read->sql.var, counter);
    assert_int_equal(read->sql.stmt->select->lock, SQL_LOCK_UPDATE);
    assert_int_equal(read->sql.host_var[0], txn_find_var(p, STR("id")));
    assert_int_equal(read->sql.host_column[0], TXN_NO_VAR);
    assert_int_equal(p->vars.items[counter].type, TXN_ROW);
    assert_int_equal(p->vars.items[counter].table, 0);

    const struct txn_step *set = step_at(&p->body, 1);
    assert_int_equal(set->kind, TXN_STEP_SET_COLUMN);
    assert_int_equal(set->column, 1);
    assert_non_null(set->sql_expr);
    assert_int_equal(set->sql_expr->kind, SQL_BINARY);
    assert_int_equal(set->host_var[0], txn_find_var(p, STR("n")));

    const struct txn_step *write = step_at(&p->body, 2);
    assert_true(write->sql.is_save);
    assert_int_equal(write->sql.into, TXN_INTO_COUNT);
    assert_int_equal(write->sql.host_var[0], counter);
    assert_int_equal(write->sql.host_column[0], 1);
    assert_int_equal(write->sql.host_column[1], 0);

    const struct txn_step *new_x = step_at(&p->body, 3);
    assert_int_equal(new_x->kind, TXN_STEP_NEW);
    assert_int_equal(new_x->new_columns.count, 2);
    assert_int_equal(new_x->new_column_index[0], 1);
    assert_int_equal(new_x->new_column_index[1], 2);
    assert_int_equal(step_at(&p->body, 4)->sql.into, TXN_INTO_KEY);
    assert_int_equal(step_at(&p->body, 4)->sql.column, 0);
    assert_int_equal(step_at(&p->body, 5)->sql.into, TXN_INTO_RELOAD);
    assert_int_equal(step_at(&p->body, 5)->sql.var, x);
    assert_int_equal(p->vars.items[txn_find_var(p, STR("y"))].type, TXN_ROW);
    fixture_release(&f);
}

static void blocks_nest_as_written(void **state) {
    struct fixture f;
    (void)state;
    fixture_init(&f);
    const struct txn_program *p = program_of(
        &f, "program p(id) {\n"
            "    rows xs = SELECT id FROM counter;\n"
            "    list ids = SELECT id FROM counter;\n"
            "    n = 0;\n"
            "    atomic isolation level repeatable read {\n"
            "        atomic without savepoint { n = len(xs); }\n"
            "        for x in xs { if x.id == id { break; } else if x.id > 3 { continue; } else { "
            "n = 1; } }\n"
            "        for k in ids { n = n + k; }\n"
            "    }\n"
            "    try { raise shop.Full; } except IntegrityError, shop.Full { raise; } except { n = "
            "2; }\n"
            "    else { n = 3; } finally { n = 4; }\n"
            "    repeat 3 { n = call f { with lock \"a\" (n) { return 1; } } }\n"
            "    lock \"b\"; unlock \"b\"; effect \"mail\" (n, 'x'); effect \"done\"; return n;\n"
            "}\n");
    const struct txn_step *atomic = step_at(&p->body, 3);
    assert_int_equal(atomic->kind, TXN_STEP_ATOMIC);
    assert_int_equal(atomic->isolation, SQL_REPEATABLE_READ);
    assert_false(atomic->is_savepoint_off);
    assert_true(step_at(&atomic->body, 0)->is_savepoint_off);
    const struct txn_step *loop = step_at(&atomic->body, 1), *branch = step_at(&loop->body, 0);
    assert_int_equal(loop->kind, TXN_STEP_FOR);
    assert_int_equal(branch->kind, TXN_STEP_IF);
    assert_int_equal(branch->else_body.steps.count, 1);
    assert_int_equal(step_at(&branch->else_body, 0)->else_body.steps.count, 1);
    assert_int_equal(p->vars.items[txn_find_var(p, STR("x"))].type, TXN_ROW);
    assert_int_equal(p->vars.items[txn_find_var(p, STR("k"))].type, TXN_SCALAR);
    assert_int_equal(p->vars.items[txn_find_var(p, STR("ids"))].type, TXN_LIST);
    assert_int_equal(p->vars.items[txn_find_var(p, STR("xs"))].type, TXN_ROWS);
    const struct txn_step *tried = step_at(&p->body, 4);
    assert_int_equal(tried->handlers.count, 2);
    assert_int_equal(tried->handlers.items[0].classes.count, 2);
    assert_true(str_is(tried->handlers.items[0].classes.items[1], "shop.Full"));
    assert_int_equal(tried->handlers.items[1].classes.count, 0);
    assert_int_equal(tried->else_body.steps.count, 1);
    assert_int_equal(tried->finally_body.steps.count, 1);
    const struct txn_step *repeat = step_at(&p->body, 5), *call = step_at(&repeat->body, 0);
    assert_int_equal(repeat->repeat_max, 3);
    assert_int_equal(call->kind, TXN_STEP_CALL);
    assert_int_equal(call->var, txn_find_var(p, STR("n")));
    assert_non_null(step_at(&call->body, 0)->expr);
    assert_null(step_at(&p->body, 6)->expr);
    assert_int_equal(step_at(&p->body, 8)->args.count, 2);
    assert_int_equal(step_at(&p->body, 9)->args.count, 0);
    fixture_release(&f);
}

/* The expression of `x = ...;`, printed. */
static const char *expr_text(struct fixture *f, const char *expr) {
    struct str program = str_printf(
        &f->arena,
        "program p(a, b, c) { rows xs = SELECT id FROM counter; row r = SELECT id FROM counter;"
        " row q = SELECT id FROM counter; x = %s; }\n",
        expr);
    const struct txn_program *p = program_of(f, program.ptr);
    struct buf out = {0};
    txn_print_expr(p, step_at(&p->body, 3)->expr, &f->pool, &out);
    struct str text = str_dup(&f->arena, buf_str(&out));
    buf_release(&out);
    return text.ptr;
}

static void expressions_bind_as_documented(void **state) {
    /* Left: as read. Right: as printed, with the parentheses that are needed and no others. */
    static const char *const pairs[][2] = {
        {"((a))", "a"},
        {"a + b * c", "a + b * c"},
        {"(a + b) * c", "(a + b) * c"},
        {"a - b - c", "a - b - c"},
        {"a - (b - c)", "a - (b - c)"},
        {"a + (b + c)", "a + (b + c)"},
        {"a or b and not c == 1", "a or b and not c == 1"},
        {"(a or b) and c", "(a or b) and c"},
        {"not (a and b)", "not (a and b)"},
        {"not not a", "not not a"},
        {"(not a) == b", "(not a) == b"},
        {"(a == b) == c", "(a == b) == c"},
        {"-a * b", "-a * b"},
        {"-(a * b)", "-(a * b)"},
        {"-(-a)", "-(-a)"},
        {"- 5", "-5"},
        {"-(5)", "-(5)"},
        {"-(-5)", "-(-5)"},
        {"a - -5", "a - -5"},
        {"a is null", "a is null"},
        {"not a is null", "a is not null"},
        {"(a + b) is null", "a + b is null"},
        {"(a is null) == b", "(a is null) == b"},
        {"r is q", "r is q"},
        {"r is not q", "r is not q"},
        {"first(xs) is r", "first(xs) is r"},
        {"len(xs) % 2", "len(xs) % 2"},
        {"a if b else c if a else b", "a if b else c if a else b"},
        {"(a if b else c) if a else b", "(a if b else c) if a else b"},
        {"a if (b if c else a) else b", "a if (b if c else a) else b"},
        {"(a if b else c) + 1", "(a if b else c) + 1"},
        {"shop.price(a, r.id + 1)", "shop.price(a, r.id + 1)"},
        {"`len`(a)", "`len`(a)"},
        {"`f(\"x\")`()", "`f(\"x\")`()"},
        {"now()", "now()"},
        {"'it''s'", "'it''s'"},
        {"\"say \"\"it\"\"\"", "'say \"it\"'"},
        {"1.50", "1.50"},
        {"-0.05", "-0.05"},
        {"7.", "7."},
        {"-9223372036854775808", "-9223372036854775808"},
        {"time \"2024-02-29 23:59:59.000001\"", "time \"2024-02-29 23:59:59.000001\""},
        {"time \"2000-02-29 00:00:00\"", "time \"2000-02-29 00:00:00\""},
        {"time \"1969-12-31 23:59:59\"", "time \"1969-12-31 23:59:59\""},
        {"time \"0001-01-01 00:00:00\"", "time \"0001-01-01 00:00:00\""},
        {"time(-9223372036854775808)", "time(-9223372036854775808)"},
        {"true", "true"},
        {"null", "null"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        struct fixture f;
        fixture_init(&f);
        assert_string_equal(expr_text(&f, pairs[i][0]), pairs[i][1]);
        fixture_release(&f);
    }
}

static void values_are_exact(void **state) {
    struct fixture f;
    (void)state;
    fixture_init(&f);
    struct str text = str_printf(
        &f.arena,
        "%sprogram p(a, b, c, d, e, g, h) { return; }\n"
        "run both: p(-7, 1.50, 'it''s', true, null, -0.5, time \"1970-01-02 00:00:01\");\n",
        fixture_schema);
    struct txn_scenario *scenario = fixture_parse(&f, text.ptr);
    fixture_round_trip(&f, scenario, SQL_POSTGRESQL);
    const struct txn_run *run = &scenario->runs.items[0];
    assert_true(str_is(run->name, "both"));
    const struct value *args = run->sessions.items[0].args.items;
    assert_int_equal(args[0].number, -7);
    assert_int_equal(args[1].kind, VALUE_DECIMAL);
    assert_int_equal(args[1].number, 150);
    assert_int_equal(args[1].scale, 2);
    assert_true(str_is(text_pool_get(&f.pool, args[2].number), "it's"));
    assert_int_equal(args[3].kind, VALUE_BOOL);
    assert_int_equal(args[4].kind, VALUE_NULL);
    assert_int_equal(args[5].number, -5);
    assert_int_equal(args[6].number, INT64_C(86401000000));
    fixture_release(&f);
}

/* Words of the notation are names too, where nothing else can be meant or in backquotes. */
static void words_can_be_names(void **state) {
    struct fixture f;
    (void)state;
    fixture_init(&f);
    const struct txn_program *p = program_of(
        &f, "program `if`(count, row, `null`) {\n"
            "    save = count; value = row; list = `null`; `true` = `null` + 1; update = 2; select "
            "= `true`;\n"
            "    row lock = SELECT id, count FROM counter WHERE id = :save;\n"
            "    lock.count = lock.count + list; effect = lock.id; run = effect; `new` = 1;\n"
            "    value key = SELECT MAX(id) FROM counter; program = key if `new` == 1 else run;\n"
            "    row \xc3\xa9t\xc3\xa9 = SELECT id FROM counter WHERE id = :program; DELETE FROM "
            "other WHERE id = :\xc3\xa9t\xc3\xa9.id;\n"
            "}\n");
    assert_true(str_is(p->name, "if"));
    assert_int_equal(p->body.steps.count, 15);
    assert_int_equal(p->vars.items[txn_find_var(p, STR("lock"))].type, TXN_ROW);
    fixture_release(&f);
}

/* What is set on every path may be read, however the paths run. */
static void what_is_set_on_every_path_may_be_read(void **state) {
    static const char *const bodies[] = {
        "try { } finally { x = 1; } y = x;",
        "try { x = 1; } except A { x = 2; } y = x;",
        "try { x = 1; } except A { raise B; } y = x;",
        "try { x = 1; } except A { return; } else { y = x; } y = x;",
        "if id == 1 { x = 1; } else if id == 2 { raise A; } else { x = 3; } y = x;",
        "repeat 3 { x = 1; if id == 1 { break; } if id == 2 { continue; } z = x; } y = x;",
        "repeat 3 { if id == 1 { return; } x = 1; } y = x;",
        "n = call f { if id == 1 { x = 1; return 1; } x = 2; return 2; } y = x + n;",
        "n = call f { x = 1; if id == 1 { raise A; } } y = x; z = n;",
        "x = null; rows cs = SELECT id FROM counter; for c in cs { x = c; } y = x is null;",
        "atomic { with lock \"a\" { x = 1; } } y = x;",
        "return; y = x; x = 1;",
    };
    (void)state;
    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        struct fixture f;
        fixture_init(&f);
        program_of(&f, str_printf(&f.arena, "program p(id) { %s }\n", bodies[i]).ptr);
        fixture_release(&f);
    }
}

static void assert_place(struct txn_span span, const char *path, uint32_t line, uint32_t column,
                         uint32_t end_line, uint32_t end_column) {
    assert_true(str_is(span.path, path));
    assert_int_equal(span.start.line, line);
    assert_int_equal(span.start.column, column);
    assert_int_equal(span.end.line, end_line);
    assert_int_equal(span.end.column, end_column);
}

static void spans_are_those_of_the_text(void **state) {
    struct fixture f;
    (void)state;
    fixture_init(&f);
    const struct txn_program *p = program_of(&f, "program p(id) {\n"
                                                 "    row x = SELECT id\n"
                                                 "        FROM counter WHERE id = :id ; -- why\n"
                                                 "    if x is null { raise DoesNotExist; }\n"
                                                 "    try { y = x.id + 1; }\n"
                                                 "    except A, B { effect \"m\" (id); }\n"
                                                 "}\n");
    assert_place(p->span, "test.txn", 3, 9, 3, 10);
    assert_place(step_at(&p->body, 0)->span, "test.txn", 4, 5, 5, 36);
    assert_int_equal(step_at(&p->body, 0)->sql.stmt->hosts.items[0].pos.line, 5);
    assert_int_equal(step_at(&p->body, 0)->sql.stmt->hosts.items[0].pos.column, 33);
    assert_place(step_at(&p->body, 1)->span, "test.txn", 6, 5, 6, 17);
    assert_place(step_at(&step_at(&p->body, 1)->body, 0)->span, "test.txn", 6, 20, 6, 38);
    const struct txn_step *tried = step_at(&p->body, 2);
    assert_place(step_at(&tried->body, 0)->span, "test.txn", 7, 11, 7, 23);
    assert_place(step_at(&tried->body, 0)->expr->args.items[0]->span, "test.txn", 7, 15, 7, 19);
    assert_place(tried->handlers.items[0].span, "test.txn", 8, 5, 8, 16);
    fixture_release(&f);
}

static void origins_survive_printing(void **state) {
    struct fixture f;
    (void)state;
    fixture_init(&f);
    struct str text = str_printf(&f.arena,
                                 "%sprogram shop.views.p(id) @ \"shop/views.py\":40:5 {\n"
                                 "    var v2 \"self.counter\";\n"
                                 "    row v2 = SELECT id, count FROM counter WHERE name <> '@ 1:2' "
                                 "AND id = :id @ 41:5-41:30;\n"
                                 "    v2.count = v2.count + 1 @ 42:5-42:20;\n"
                                 "    with lock \"a\" @ \"shop/locks.py\":7:1 {\n"
                                 "        try @ 44:9 { save UPDATE counter SET count = :v2.count @ "
                                 "45:9; } except A @ 46:9 { raise @ 47:1; }\n"
                                 "    }\n"
                                 "    DELETE FROM other WHERE id = 1;\n"
                                 "}\n",
                                 fixture_schema);
    struct txn_scenario *first = fixture_parse(&f, text.ptr);
    struct txn_scenario *again = fixture_round_trip(&f, first, SQL_POSTGRESQL);
    for (int round = 0; round < 2; round++) {
        const struct txn_program *p = (round == 0 ? first : again)->programs.items[0];
        assert_place(p->span, "shop/views.py", 40, 5, 0, 0);
        assert_true(str_is(p->vars.items[txn_find_var(p, STR("v2"))].source_name, "self.counter"));
        assert_place(step_at(&p->body, 0)->span, "shop/views.py", 41, 5, 41, 30);
        assert_place(step_at(&p->body, 1)->expr->args.items[0]->span, "shop/views.py", 42, 5, 42,
                     20);
        const struct txn_step *lock = step_at(&p->body, 2), *tried = step_at(&lock->body, 0);
        assert_place(lock->span, "shop/locks.py", 7, 1, 0, 0);
        assert_place(tried->span, "shop/views.py", 44, 9, 0, 0);
        assert_place(tried->handlers.items[0].span, "shop/views.py", 46, 9, 0, 0);
        assert_place(step_at(&tried->body, 0)->span, "shop/views.py", 45, 9, 0, 0);
        assert_true(str_is(step_at(&p->body, 3)->span.path, "test.txn"));
    }
    struct buf alone = {0};
    txn_print_program(first->programs.items[0], &f.pool, SQL_POSTGRESQL, &alone);
    assert_non_null(strstr(alone.ptr, "program shop.views.p(id) @ \"shop/views.py\":40:5 {\n"));
    assert_non_null(strstr(alone.ptr, "v2.count = v2.count + 1 @ 42:5-42:20;\n"));
    assert_null(strstr(alone.ptr, "test.txn"));
    buf_release(&alone);
    fixture_release(&f);
}

/* What looks like an origin in a string or a comment is none. */
static void comments_are_no_origins(void **state) {
    struct fixture f;
    (void)state;
    fixture_init(&f);
    const struct txn_program *p =
        program_of(&f, "program p(id) {\n"
                       "    DELETE FROM other -- as the report says @ \"a.py\":3:4\n"
                       "    ;\n"
                       "    DELETE FROM other WHERE id = 1 -- really\n"
                       "        @ \"it's@home.py\":3:4;\n"
                       "}\n");
    assert_true(str_is(step_at(&p->body, 0)->span.path, "test.txn"));
    assert_place(step_at(&p->body, 1)->span, "it's@home.py", 3, 4, 0, 0);
    fixture_release(&f);
}

/* A fault in a program with origins is still told where it is in the text that was read. */
static void faults_point_into_the_text(void **state) {
    struct fixture f;
    (void)state;
    fixture_init(&f);
    struct str text = str_printf(
        &f.arena, "%sprogram p(id) @ \"a.py\":1:1 {\n    x = y @ 9:9;\n}\n", fixture_schema);
    assert_string_equal(fixture_fault(&f, text.ptr), "4:9: unknown variable `y`");
    fixture_release(&f);
}

/* No two mean the same. */
static const char *const different_bodies[] = {
    "x = 1;",
    "x = 2;",
    "x = 1.0;",
    "x = '1';",
    "y = 1;",
    "x = 1; x = 1;",
    "x = -1;",
    "x = -(1);",
    "x = true;",
    "x = null;",
    "x = a;",
    "x = b;",
    "x = a + b;",
    "x = a - b;",
    "x = b + a;",
    "x = f(a);",
    "x = g(a);",
    "x = f(a, b);",
    "x = now();",
    "x = not a;",
    "x = a is null;",
    "x = a if b else 1;",
    "x = b if a else 1;",
    "effect \"x\";",
    "effect \"x\" (a);",
    "effect \"y\";",
    "raise A;",
    "raise B;",
    "return;",
    "return a;",
    "lock \"x\";",
    "unlock \"x\";",
    "lock \"y\";",
    "lock \"x\" (a);",
    "with lock \"x\" { return; }",
    "atomic { return; }",
    "atomic isolation level serializable { return; }",
    "atomic without savepoint { return; }",
    "repeat 2 { return; }",
    "repeat 3 { return; }",
    "if a { return; }",
    "if a { } else { return; }",
    "if b { return; }",
    "try { return; }",
    "try { return; } except { }",
    "try { return; } except A { }",
    "try { return; } except A, B { }",
    "try { return; } except A { } except B { }",
    "try { return; } finally { x = 1; }",
    "try { return; } else { x = 1; }",
    "call f { return; }",
    "call g { return; }",
    "x = call f { return; }",
    "DELETE FROM counter;",
    "DELETE FROM other;",
    "count x = DELETE FROM counter;",
    "UPDATE counter SET count = 1;",
    "save UPDATE counter SET count = 1;",
    "UPDATE counter SET count = :a;",
    "UPDATE counter SET count = :b;",
    "row x = SELECT id FROM counter;",
    "rows x = SELECT id FROM counter;",
    "value x = SELECT id FROM counter;",
    "list x = SELECT id FROM counter;",
    "x = new counter();",
    "x = new other();",
    "x = new counter(id = a);",
    "x = new counter(count = a);",
    "x = new counter(); x.count = a;",
    "x = new counter(); x.id = a;",
    "x = new counter(); x.count = sql(count + 1);",
    "x = new counter(); x.count = sql(count + :a);",
    "x = new counter(); x.count = sql(count + :b);",
    "x = new counter(); x.count = sql(:a + count);",
    "x = new counter(); key x.id = INSERT INTO counter (count) VALUES (1);",
    "x = new counter(); INSERT INTO counter (count) VALUES (1);",
    "x = new counter(); reload x = SELECT id FROM counter;",
};

static void different_texts_are_not_equal(void **state) {
    enum { COUNT = sizeof(different_bodies) / sizeof(different_bodies[0]) };
    struct fixture f;
    const struct txn_scenario *scenarios[COUNT];
    (void)state;
    fixture_init(&f);
    for (size_t i = 0; i < COUNT; i++)
        scenarios[i] = fixture_parse(&f, str_printf(&f.arena, "%sprogram p(a, b) { %s }\n",
                                                    fixture_schema, different_bodies[i])
                                             .ptr);
    for (size_t i = 0; i < COUNT; i++)
        for (size_t k = 0; k < COUNT; k++)
            if (txn_equal(scenarios[i], scenarios[k], &f.pool) != (i == k))
                fail_msg("%s and %s", different_bodies[i], different_bodies[k]);
    fixture_release(&f);
}

static void scenarios_differ_outside_of_programs(void **state) {
    static const char *const texts[] = {
        "CREATE TABLE t (id integer PRIMARY KEY);\nprogram p(a) { }",
        "CREATE TABLE t (id integer PRIMARY KEY, n integer);\nprogram p(a) { }",
        "CREATE TABLE t (id integer PRIMARY KEY);\nINSERT INTO t (id) VALUES (1);\nprogram p(a) { "
        "}",
        "CREATE TABLE t (id integer PRIMARY KEY);\nINSERT INTO t (id) VALUES (2);\nprogram p(a) { "
        "}",
        "CREATE TABLE t (id integer PRIMARY KEY);\nprogram p(b) { }",
        "CREATE TABLE t (id integer PRIMARY KEY);\nprogram q(a) { }",
        "CREATE TABLE t (id integer PRIMARY KEY);\nprogram p(a) { }\nprogram q(a) { }",
        "CREATE TABLE t (id integer PRIMARY KEY);\nprogram p(a) { }\nrun p(1);",
        "CREATE TABLE t (id integer PRIMARY KEY);\nprogram p(a) { }\nprogram q(a) { }\nrun p(1);",
        "CREATE TABLE t (id integer PRIMARY KEY);\nprogram p(a) { }\nprogram q(a) { }\nrun q(1);",
        "CREATE TABLE t (id integer PRIMARY KEY);\nprogram p(a) { }\nrun p(2);",
        "CREATE TABLE t (id integer PRIMARY KEY);\nprogram p(a) { }\nrun p(1) || p(1);",
        "CREATE TABLE t (id integer PRIMARY KEY);\nprogram p(a) { }\nrun x: p(1);",
        "CREATE TABLE t (id integer PRIMARY KEY);\nprogram p(a) { var a \"self.a\"; }",
    };
    enum { COUNT = sizeof(texts) / sizeof(texts[0]) };
    struct fixture f;
    const struct txn_scenario *scenarios[COUNT];
    (void)state;
    fixture_init(&f);
    for (size_t i = 0; i < COUNT; i++) {
        scenarios[i] = fixture_parse(&f, texts[i]);
        fixture_round_trip(&f, scenarios[i], SQL_SQLITE);
    }
    for (size_t i = 0; i < COUNT; i++)
        for (size_t k = 0; k < COUNT; k++)
            if (txn_equal(scenarios[i], scenarios[k], &f.pool) != (i == k))
                fail_msg("%s and %s", texts[i], texts[k]);
    fixture_release(&f);
}

/* Any bytes are answered; a text cut anywhere is, too. */
static void cut_texts_are_answered(void **state) {
    struct fixture f;
    struct str text;
    struct err err;
    (void)state;
    fixture_init(&f);
    assert_true(file_read(&f.arena, "examples/txn/bug6_late_lock.txn", &text, &err));
    size_t parsed = 0;
    for (size_t len = 0; len <= text.len; len++) {
        struct fixture g;
        struct txn_scenario *scenario;
        fixture_init(&g);
        /* A copy of its own, so that a read past the end is seen. */
        char *copy = mem_alloc(len);
        memcpy(copy, text.ptr, len);
        struct str cut = {copy, len};
        if (txn_parse(&g.arena, &g.pool, STR("cut.txn"), cut, SQL_POSTGRESQL, &scenario, &err))
            parsed++;
        else
            assert_true(err.pos.line > 0 && err.pos.column > 0 && err.message[0] != '\0');
        free(copy);
        fixture_release(&g);
    }
    assert_true(parsed >= 7 && parsed < 400);
    fixture_release(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(examples_survive_printing),
        cmocka_unit_test(the_manual_is_right),
        cmocka_unit_test(steps_mean_what_they_say),
        cmocka_unit_test(blocks_nest_as_written),
        cmocka_unit_test(expressions_bind_as_documented),
        cmocka_unit_test(values_are_exact),
        cmocka_unit_test(words_can_be_names),
        cmocka_unit_test(what_is_set_on_every_path_may_be_read),
        cmocka_unit_test(spans_are_those_of_the_text),
        cmocka_unit_test(origins_survive_printing),
        cmocka_unit_test(comments_are_no_origins),
        cmocka_unit_test(faults_point_into_the_text),
        cmocka_unit_test(different_texts_are_not_equal),
        cmocka_unit_test(scenarios_differ_outside_of_programs),
        cmocka_unit_test(cut_texts_are_answered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
