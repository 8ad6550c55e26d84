/* Random programs, made with the builder: each is checked, printed and read back to an equal
 * one; a copy prints the same; and a copy with one step less, or one literal changed, is not
 * equal. The generator knows the types of its variables, so a program that the checker refuses
 * is a fault of one of the two. */
#include "support.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { PROGRAMS = 1500, SCALARS = 5, ROWS = 3, BLOCK_DEPTH = 4, EXPR_DEPTH = 5 };

struct maker {
    struct fixture f;
    struct txn_builder b;
    struct txn_scenario *scenario;
    struct txn_program *program;
    uint64_t random;
    bool in_loop, in_handler;
    uint16_t scalar[SCALARS], row[ROWS], rows, list;
};

/* xorshift64: the same programs on every machine. */
static unsigned pick(struct maker *m, unsigned count) {
    m->random ^= m->random << 13;
    m->random ^= m->random >> 7;
    m->random ^= m->random << 17;
    return (unsigned)(m->random >> 33) % count;
}

static struct txn_span span_of(struct maker *m) {
    struct txn_span span = {0};
    static const char *const paths[] = {"random.txn", "shop/views.py", "shop/it\"s.py"};
    unsigned kind = pick(m, 5);
    if (kind >= 3)
        return span;
    span.path = str_from_c(paths[kind]);
    span.start = (struct pos){1 + pick(m, 500), 1 + pick(m, 80)};
    if (pick(m, 2))
        span.end = (struct pos){span.start.line, span.start.column + 7};
    return span;
}

static uint16_t scalar(struct maker *m) {
    return m->scalar[pick(m, SCALARS)];
}

static uint16_t row(struct maker *m) {
    return m->row[pick(m, ROWS)];
}

static struct value random_value(struct maker *m) {
    static const char *const texts[] = {"",  "it's",  "a\nb", "\"q\"",
                                        "`", "-- no", "; }",  "\xc3\xa9"};
    switch (pick(m, 8)) {
    case 0:
        return value_null();
    case 1:
        return value_bool(pick(m, 2) == 1);
    case 2:
        return value_int((int64_t)pick(m, 200) - 100);
    case 3:
        return value_int(pick(m, 2) ? INT64_MIN : INT64_MAX);
    case 4:
        return value_decimal((int64_t)pick(m, 100000) - 50000, (uint8_t)pick(m, 19));
    case 5:
        return value_time(((int64_t)pick(m, 1u << 30) - (1 << 29)) *
                          (int64_t)(1 + pick(m, 1u << 29)));
    default:
        return value_text(&m->f.pool, str_from_c(texts[pick(m, 8)]));
    }
}

static struct txn_expr *row_expr(struct maker *m, int depth);

static struct txn_expr *scalar_expr(struct maker *m, int depth) {
    static const char *const names[] = {"f",   "shop.price", "len", "if",
                                        "a b", "odd..name",  "x`y", "null"};
    static const char *const columns[] = {"id", "count", "name"};
    static const enum txn_expr_kind unary[] = {TXN_EXPR_NOT, TXN_EXPR_NEG, TXN_EXPR_IS_NULL};
    struct txn_builder *b = &m->b;
    struct txn_span at = span_of(m);
    switch (pick(m, depth == 0 ? 5 : 13)) {
    case 0:
    case 1:
        return txn_literal(b, at, random_value(m));
    case 2:
        return txn_ref(b, at, scalar(m));
    case 3:
        return txn_column(b, at, row(m), str_from_c(columns[pick(m, 3)]));
    case 4:
        return pick(m, 2) ? txn_now(b, at)
                          : txn_of_list(b, at, TXN_EXPR_LEN, pick(m, 2) ? m->list : m->rows);
    case 5:
        return txn_unary(b, at, unary[pick(m, 3)], scalar_expr(m, depth - 1));
    case 6:
        return txn_unary(b, at, TXN_EXPR_IS_NULL, row_expr(m, depth - 1));
    case 7: {
        struct txn_expr *left = row_expr(m, depth - 1), *right = row_expr(m, depth - 1);
        return txn_same(b, at, left, right);
    }
    case 8: {
        struct txn_expr *cond = scalar_expr(m, depth - 1), *then_expr = scalar_expr(m, depth - 1);
        return txn_cond(b, at, cond, then_expr, scalar_expr(m, depth - 1));
    }
    case 9: {
        struct txn_expr *call = txn_opaque(b, at, str_from_c(names[pick(m, 8)]));
        for (unsigned i = pick(m, 3); i > 0; i--)
            txn_add_arg(b, call, scalar_expr(m, depth - 1));
        return call;
    }
    default: {
        struct txn_expr *left = scalar_expr(m, depth - 1);
        return txn_binary(b, at, (enum txn_op)pick(m, TXN_OP_MOD + 1), left,
                          scalar_expr(m, depth - 1));
    }
    }
}

static struct txn_expr *row_expr(struct maker *m, int depth) {
    struct txn_span at = span_of(m);
    if (depth > 0 && pick(m, 4) == 0) {
        struct txn_expr *cond = scalar_expr(m, depth - 1), *then_expr = row_expr(m, depth - 1);
        return txn_cond(&m->b, at, cond, then_expr, row_expr(m, depth - 1));
    }
    if (pick(m, 3) == 0)
        return txn_of_list(&m->b, at, TXN_EXPR_FIRST, m->rows);
    return txn_ref(&m->b, at, row(m));
}

static struct str var_name(struct maker *m, uint16_t var) {
    return m->program->vars.items[var].name;
}

static void sql_step(struct maker *m) {
    static const char *const wheres[] = {"id = :%.*s", "id = :%.*s AND name LIKE 'a%%'",
                                         "id IN (:%.*s) OR count BETWEEN 1 AND 7",
                                         "count > (SELECT MAX(id) FROM other WHERE id <> :%.*s)"};
    struct txn_builder *b = &m->b;
    struct arena *a = &m->f.arena;
    struct txn_span at = span_of(m);
    struct str name = var_name(m, scalar(m)), object = var_name(m, row(m));
    struct str where = str_printf(a, wheres[pick(m, 4)], STR_ARG(name));
    struct str select = str_printf(a, "SELECT id, count FROM counter WHERE %.*s ORDER BY id DESC%s",
                                   STR_ARG(where), pick(m, 2) ? " FOR UPDATE" : "");
    struct str update =
        str_printf(a, "UPDATE counter SET count = :%.*s.count, name = 'it''s' WHERE %.*s",
                   STR_ARG(object), STR_ARG(where));
    struct str insert =
        str_printf(a, "INSERT INTO counter (count, name) VALUES (:%.*s, :%.*s.name)", STR_ARG(name),
                   STR_ARG(object));
    switch (pick(m, 9)) {
    case 0:
        txn_build_sql(b, at, TXN_INTO_ROW, row(m), select);
        return;
    case 1:
        txn_build_sql(b, at, TXN_INTO_ROWS, m->rows, select);
        return;
    case 2:
        txn_build_sql(b, at, TXN_INTO_RELOAD, row(m), select);
        return;
    case 3:
        txn_build_sql(b, at, TXN_INTO_LIST, m->list, select);
        return;
    case 4:
        txn_build_sql(b, at, TXN_INTO_VALUE, scalar(m), STR("SELECT COUNT(*) FROM counter"));
        return;
    case 5:
        txn_build_sql(b, at, TXN_INTO_COUNT, scalar(m), update)->sql.is_save = pick(m, 2) == 1;
        return;
    case 6:
        txn_build_sql(b, at, TXN_INTO_KEY, row(m), insert)->sql.column_name = STR("id");
        return;
    case 7:
        txn_build_sql(b, at, TXN_INTO_NOTHING, TXN_NO_VAR, insert)->sql.is_save = true;
        return;
    default:
        txn_build_sql(b, at, TXN_INTO_NOTHING, TXN_NO_VAR,
                      pick(m, 2) ? STR("SAVEPOINT a")
                                 : STR("DELETE FROM other WHERE id IN (1, 2)"));
    }
}

static void block(struct maker *m, int depth);

static void plain_step(struct maker *m) {
    struct txn_builder *b = &m->b;
    struct txn_span at = span_of(m);
    struct txn_step *step;
    switch (pick(m, 9)) {
    case 0:
        txn_build_assign(b, at, scalar(m), scalar_expr(m, EXPR_DEPTH));
        return;
    case 1:
        txn_build_assign(b, at, row(m), row_expr(m, 2));
        return;
    case 2:
        txn_build_set_column(b, at, row(m), STR("count"), scalar_expr(m, EXPR_DEPTH));
        return;
    case 3: {
        struct str name = var_name(m, scalar(m));
        txn_build_set_column_sql(
            b, at, row(m), STR("count"),
            str_printf(&m->f.arena, "count + :%.*s * (2 - :%.*s)", STR_ARG(name), STR_ARG(name)));
        return;
    }
    case 4:
        step = txn_build_new(b, at, row(m), STR("counter"));
        if (pick(m, 2))
            txn_new_column(b, step, STR("count"), scalar_expr(m, 2));
        if (pick(m, 2))
            txn_new_column(b, step, STR("name"), scalar_expr(m, 2));
        return;
    case 5:
        step = txn_build_effect(b, at, pick(m, 2) ? STR("mail") : STR("say \"it\""));
        for (unsigned i = pick(m, 3); i > 0; i--)
            txn_step_add_arg(b, step, scalar_expr(m, 2));
        return;
    case 6:
        txn_build_lock(b, at, pick(m, 2) ? TXN_STEP_LOCK : TXN_STEP_UNLOCK, STR("l"),
                       pick(m, 2) ? scalar_expr(m, 2) : NULL);
        return;
    default:
        sql_step(m);
    }
}

/* Steps that leave stand last in their block, half of the time. */
static void last_step(struct maker *m) {
    struct txn_builder *b = &m->b;
    struct txn_span at = span_of(m);
    switch (pick(m, 10)) {
    case 0:
        txn_build_raise(b, at, STR("shop.errors.Full"));
        return;
    case 1:
        if (m->in_handler)
            txn_build_raise(b, at, (struct str){0});
        return;
    case 2:
        txn_build_return(b, at, pick(m, 2) ? scalar_expr(m, 3) : NULL);
        return;
    case 3:
        if (m->in_loop)
            txn_build_break(b, at);
        return;
    case 4:
        if (m->in_loop)
            txn_build_continue(b, at);
        return;
    default:
        return;
    }
}

static void try_step(struct maker *m, int depth) {
    struct txn_step *step = txn_build_try(&m->b, span_of(m));
    bool was_in_handler = m->in_handler;
    block(m, depth);
    m->in_handler = true;
    for (unsigned i = pick(m, 3); i > 0; i--) {
        struct txn_handler *handler = txn_build_except(&m->b, span_of(m), step);
        for (unsigned k = pick(m, 3); k > 0; k--)
            VEC_PUSH(&m->f.arena, &handler->classes, k == 1 ? STR("IntegrityError") : STR("a.b"));
        block(m, depth);
    }
    m->in_handler = was_in_handler;
    if (pick(m, 2)) {
        txn_build_else(&m->b, step);
        block(m, depth);
    }
    if (pick(m, 2)) {
        txn_build_finally(&m->b, step);
        block(m, depth);
    }
    txn_build_end(&m->b, step);
}

static void loop_step(struct maker *m, int depth) {
    struct txn_step *step;
    bool was_in_loop = m->in_loop;
    m->in_loop = true;
    if (pick(m, 3) == 0)
        step = txn_build_repeat(&m->b, span_of(m), 1 + pick(m, TXN_REPEAT_MAX));
    else if (pick(m, 2))
        step = txn_build_for(&m->b, span_of(m), row(m), m->rows);
    else
        step = txn_build_for(&m->b, span_of(m), scalar(m), m->list);
    block(m, depth);
    txn_build_end(&m->b, step);
    m->in_loop = was_in_loop;
}

static void call_step(struct maker *m, int depth) {
    bool was_in_loop = m->in_loop;
    m->in_loop = false;
    uint16_t result = pick(m, 2) ? scalar(m) : TXN_NO_VAR;
    struct txn_step *step = txn_build_call(&m->b, span_of(m), STR("shop.models.f"), result);
    block(m, depth);
    txn_build_end(&m->b, step);
    m->in_loop = was_in_loop;
}

static void nested_step(struct maker *m, int depth) {
    struct txn_step *step;
    switch (pick(m, 6)) {
    case 0:
        step = txn_build_if(&m->b, span_of(m), scalar_expr(m, EXPR_DEPTH));
        block(m, depth);
        if (pick(m, 2)) {
            txn_build_else(&m->b, step);
            block(m, depth);
        }
        txn_build_end(&m->b, step);
        return;
    case 1:
        loop_step(m, depth);
        return;
    case 2:
        try_step(m, depth);
        return;
    case 3:
        call_step(m, depth);
        return;
    case 4:
        step = txn_build_atomic(&m->b, span_of(m));
        step->isolation = (enum sql_isolation)pick(m, SQL_SERIALIZABLE + 1);
        step->is_savepoint_off = pick(m, 2) == 1;
        block(m, depth);
        txn_build_end(&m->b, step);
        return;
    default:
        step =
            txn_build_with_lock(&m->b, span_of(m), STR("l"), pick(m, 2) ? scalar_expr(m, 1) : NULL);
        block(m, depth);
        txn_build_end(&m->b, step);
    }
}

static void block(struct maker *m, int depth) {
    for (unsigned i = pick(m, 4); i > 0; i--) {
        if (depth > 0 && pick(m, 3) == 0)
            nested_step(m, depth - 1);
        else
            plain_step(m);
    }
    last_step(m);
}

/* Every variable is set first, so that any step may read any. */
static void make_variables(struct maker *m) {
    static const char *const scalars[SCALARS] = {"a", "b", "count", "lock", "x_1"};
    static const char *const rows[ROWS] = {"counter", "save", "new"};
    struct arena *a = &m->f.arena;
    txn_add_param(a, m->program, STR("a"));
    for (int i = 0; i < SCALARS; i++) {
        m->scalar[i] = txn_var(a, m->program, str_from_c(scalars[i]));
        txn_build_assign(&m->b, span_of(m), m->scalar[i],
                         txn_literal(&m->b, span_of(m), random_value(m)));
    }
    for (int i = 0; i < ROWS; i++) {
        m->row[i] = txn_var(a, m->program, str_from_c(rows[i]));
        txn_build_sql(&m->b, span_of(m), TXN_INTO_ROW, m->row[i],
                      STR("SELECT id, count, name FROM counter WHERE id = :a"));
    }
    m->rows = txn_var(a, m->program, STR("row"));
    m->list = txn_var(a, m->program, STR("list"));
    txn_build_sql(&m->b, span_of(m), TXN_INTO_ROWS, m->rows, STR("SELECT id FROM counter"));
    txn_build_sql(&m->b, span_of(m), TXN_INTO_LIST, m->list, STR("SELECT id FROM other"));
    if (pick(m, 2))
        m->program->vars.items[m->row[0]].source_name = STR("self.\"counter\"");
}

static void make_program(struct maker *m, uint64_t seed) {
    memset(m, 0, sizeof(*m));
    fixture_init(&m->f);
    m->random = seed * 0x9e3779b97f4a7c15u + 1;
    m->scenario = fixture_parse(&m->f, fixture_schema);
    m->scenario->path = STR("random.txn");
    struct txn_span span = span_of(m);
    m->program =
        txn_program_new(&m->f.arena, pick(m, 2) ? STR("shop.views.p") : STR("odd name"), span);
    txn_builder_init(&m->b, &m->f.arena, &m->f.pool, m->program, SQL_POSTGRESQL);
    make_variables(m);
    block(m, BLOCK_DEPTH);
    block(m, BLOCK_DEPTH);
    assert_int_equal(m->b.depth, 0);
    if (m->b.has_failed)
        fail_msg("seed %u: builder: %s", (unsigned)seed, m->b.err.message);
    VEC_PUSH(&m->f.arena, &m->scenario->programs, m->program);
}

static void check(struct maker *m, uint64_t seed) {
    struct err err;
    if (!txn_check(&m->f.arena, &m->scenario->schema, &m->f.pool, m->program, &err))
        fail_msg("seed %u: %u:%u: %s", (unsigned)seed, err.pos.line, err.pos.column, err.message);
}

/* Origins, where the printer writes them: the same place again. A place in the notation's own
 * file is not written, and one without a path or a file of the program is none. */
static size_t compare_spans(const struct txn_block *a, const struct txn_block *b) {
    size_t compared = 0;
    assert_int_equal(a->steps.count, b->steps.count);
    for (size_t i = 0; i < a->steps.count; i++) {
        const struct txn_step *x = a->steps.items[i], *y = b->steps.items[i];
        if (str_ends(x->span.path, ".py")) {
            assert_true(str_equal(x->span.path, y->span.path));
            assert_memory_equal(&x->span.start, &y->span.start, sizeof(struct pos));
            assert_memory_equal(&x->span.end, &y->span.end, sizeof(struct pos));
            compared++;
        }
        compared += compare_spans(&x->body, &y->body) +
                    compare_spans(&x->else_body, &y->else_body) +
                    compare_spans(&x->finally_body, &y->finally_body);
        for (size_t h = 0; h < x->handlers.count; h++)
            compared += compare_spans(&x->handlers.items[h].body, &y->handlers.items[h].body);
    }
    return compared;
}

static void random_programs_survive_printing(void **state) {
    size_t compared = 0, step_count = 0;
    (void)state;
    for (uint64_t seed = 1; seed <= PROGRAMS; seed++) {
        struct maker m;
        make_program(&m, seed);
        check(&m, seed);
        enum sql_dialect dialect = (enum sql_dialect)(seed % 3);
        struct txn_scenario *again = fixture_round_trip(&m.f, m.scenario, dialect);
        compared += compare_spans(&m.program->body, &again->programs.items[0]->body);
        step_count += m.program->body.steps.count;
        fixture_release(&m.f);
    }
    assert_true(compared > 2 * PROGRAMS && step_count > 10 * PROGRAMS);
}

static void copies_are_equal_and_apart(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= PROGRAMS / 5; seed++) {
        struct maker m;
        make_program(&m, seed);
        struct txn_program *copy = txn_copy(&m.f.arena, m.program);
        struct txn_scenario other = *m.scenario;
        memset(&other.programs, 0, sizeof(other.programs));
        VEC_PUSH(&m.f.arena, &other.programs, copy);
        assert_true(txn_equal(m.scenario, &other, &m.f.pool));
        check(&m, seed);
        assert_false(copy->is_checked);
        struct err err;
        assert_true(txn_check(&m.f.arena, &m.scenario->schema, &m.f.pool, copy, &err));
        assert_true(txn_equal(m.scenario, &other, &m.f.pool));
        /* Changing the copy leaves the first one alone, and makes them differ. */
        struct txn_step *step = copy->body.steps.items[0];
        assert_int_equal(step->kind, TXN_STEP_ASSIGN);
        step->expr->literal = value_int(123456789);
        assert_false(txn_equal(m.scenario, &other, &m.f.pool));
        step->expr->literal = m.program->body.steps.items[0]->expr->literal;
        assert_true(txn_equal(m.scenario, &other, &m.f.pool));
        copy->body.steps.count--;
        assert_false(txn_equal(m.scenario, &other, &m.f.pool));
        fixture_release(&m.f);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_programs_survive_printing),
        cmocka_unit_test(copies_are_equal_and_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
