/* Which tables programs touch, and what is left of a schema that is cut to them. */
#include "inputs/tables.h"

#include "base/buf.h"
#include "program/notation.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

struct fixture {
    struct arena arena;
    struct text_pool pool;
    struct txn_scenario *scenario;
};

/* A shop: `line` needs an order, which needs a customer and may have a coupon. */
static const char *const shop =
    "CREATE TABLE noise (id integer PRIMARY KEY);\n"
    "CREATE TABLE coupon (id integer PRIMARY KEY, code varchar(9));\n"
    "CREATE TABLE customer (id integer PRIMARY KEY, boss_id integer REFERENCES customer (id));\n"
    "CREATE TABLE orders (id integer PRIMARY KEY, customer_id integer NOT NULL REFERENCES customer (id),\n"
    "    coupon_id integer REFERENCES coupon (id));\n"
    "CREATE TABLE line (id integer PRIMARY KEY, order_id integer NOT NULL REFERENCES orders (id),\n"
    "    amount integer NOT NULL);\n";

static void fixture_init(struct fixture *f, const char *schema, const char *programs) {
    struct err err;
    memset(f, 0, sizeof(*f));
    text_pool_init(&f->pool, &f->arena);
    struct str text = str_printf(&f->arena, "%s%s", schema, programs);
    if (!txn_parse(&f->arena, &f->pool, STR("test.txn"), text, SQL_POSTGRESQL, &f->scenario, &err))
        fail_msg("%u:%u: %s", err.pos.line, err.pos.column, err.message);
}

static const char *names(struct fixture *f, const struct schema *schema,
                         const struct table_set *set) {
    struct str text = {0};
    for (size_t i = 0; i < schema->tables.count; i++)
        if (set == NULL || table_set_has(set, i))
            text = str_printf(&f->arena, "%.*s%s%.*s", STR_ARG(text), text.len > 0 ? " " : "",
                              STR_ARG(schema->tables.items[i]->name));
    return str_to_c(&f->arena, text);
}

static const char *printed(struct fixture *f, const struct txn_program *program) {
    struct buf out = {0};
    txn_print_program(program, &f->pool, SQL_POSTGRESQL, &out);
    const char *text = str_to_c(&f->arena, buf_str(&out));
    buf_release(&out);
    return text;
}

static bool cut(struct fixture *f, size_t count, struct cut *cut_to) {
    const struct txn_program *programs[DB_SESSIONS_MAX];
    for (size_t i = 0; i < count; i++)
        programs[i] = f->scenario->programs.items[i % f->scenario->programs.count];
    return cut_make(&f->arena, &f->scenario->schema, programs, count, cut_to);
}

static void reads_are_found_wherever_a_select_stands(void **state) {
    struct fixture f;
    struct table_set reads, writes;
    (void)state;
    fixture_init(&f, shop,
                 "program p() {\n"
                 "    UPDATE line SET amount = (SELECT COUNT(*) FROM noise) WHERE order_id IN\n"
                 "        (SELECT id FROM orders WHERE EXISTS (SELECT 1 FROM coupon));\n"
                 "}\n");
    program_tables(&f.arena, &f.scenario->schema, f.scenario->programs.items[0], &reads, &writes);
    assert_string_equal(names(&f, &f.scenario->schema, &reads), "noise coupon orders");
    assert_string_equal(names(&f, &f.scenario->schema, &writes), "line");
    assert_false(table_set_meets(&reads, &writes));
    assert_false(table_set_is_empty(&writes));
    arena_release(&f.arena);
}

static void parents_are_kept_where_rows_need_them(void **state) {
    struct fixture f;
    struct cut made;
    (void)state;
    fixture_init(&f, shop, "program p() { UPDATE line SET amount = 1; }\n");
    assert_true(cut(&f, 1, &made));
    assert_string_equal(names(&f, made.schema, NULL), "customer orders line");
    const struct table *orders = made.schema->tables.items[1], *line = made.schema->tables.items[2];
    /* The order's coupon may be NULL, and nobody gives it one. */
    assert_int_equal(orders->foreign_keys.count, 1);
    assert_int_equal(orders->foreign_keys.items[0].parent, 0);
    assert_int_equal(line->foreign_keys.items[0].parent, 1);
    assert_int_equal(made.schema->tables.items[0]->foreign_keys.count, 0);
    /* The whole schema is as it was. */
    assert_int_equal(f.scenario->schema.tables.items[3]->foreign_keys.count, 2);
    arena_release(&f.arena);
}

static void a_named_table_keeps_all_its_keys(void **state) {
    struct fixture f;
    struct cut made;
    (void)state;
    fixture_init(&f, shop, "program p(c) { UPDATE orders SET coupon_id = :c; }\n");
    assert_true(cut(&f, 1, &made));
    assert_string_equal(names(&f, made.schema, NULL), "coupon customer orders");
    assert_int_equal(made.schema->tables.items[2]->foreign_keys.count, 2);
    arena_release(&f.arena);
}

static void programs_stay_what_they_are(void **state) {
    struct fixture f;
    struct cut made;
    (void)state;
    fixture_init(&f, shop,
                 "program add(id) {\n"
                 "    row o = SELECT id, customer_id, coupon_id FROM orders WHERE id = :id;\n"
                 "    x = new line(order_id = o.id, amount = 2);\n"
                 "    key x.id = INSERT INTO line (order_id, amount) VALUES (:x.order_id, :x.amount);\n"
                 "}\n"
                 "program drop_line(id) { DELETE FROM line WHERE id = :id; }\n");
    assert_true(cut(&f, 3, &made));
    assert_ptr_equal(made.programs[0], made.programs[2]);
    assert_ptr_not_equal(made.programs[0], f.scenario->programs.items[0]);
    for (size_t i = 0; i < 2; i++) {
        assert_true(made.programs[i]->is_checked);
        assert_string_equal(printed(&f, made.programs[i]), printed(&f, f.scenario->programs.items[i]));
    }
    uint16_t table = made.programs[1]->body.steps.items[0]->sql.stmt->delete_->target.table_index;
    assert_true(str_is(made.schema->tables.items[table]->name, "line"));
    arena_release(&f.arena);
}

/* A copy that the checker resolves in the schema that is left names the same tables. */
static void tables_are_numbered_as_the_checker_does(void **state) {
    struct fixture f;
    struct cut made;
    struct err err;
    struct table_set reads[2], writes[2];
    (void)state;
    fixture_init(&f, shop,
                 "program p(id) {\n"
                 "    row o = SELECT orders.id, orders.customer_id, orders.coupon_id FROM orders\n"
                 "        INNER JOIN customer ON customer.id = orders.customer_id\n"
                 "        AND EXISTS (SELECT 1 FROM coupon) WHERE orders.id = :id\n"
                 "        ORDER BY (SELECT MAX(id) FROM coupon) LIMIT (SELECT COUNT(*) FROM line);\n"
                 "    rows lines = SELECT id, order_id, amount FROM line WHERE order_id = :o.id;\n"
                 "    for l in lines {\n"
                 "        l.amount = sql(amount + (SELECT COUNT(*) FROM orders));\n"
                 "        try { UPDATE line SET amount = (SELECT MIN(id) FROM customer) WHERE id = :l.id; }\n"
                 "        except { LOCK TABLE line IN SHARE MODE; }\n"
                 "        finally { count n = DELETE FROM line WHERE order_id IN (SELECT id FROM orders); }\n"
                 "    }\n"
                 "    x = new line(order_id = o.id, amount = 2);\n"
                 "    if o.id > 1 {\n"
                 "        INSERT INTO coupon (id, code) SELECT id, 'x' FROM customer;\n"
                 "    } else {\n"
                 "        INSERT INTO coupon (id, code) VALUES ((SELECT MAX(id) FROM line), 'y')\n"
                 "            ON CONFLICT (id) DO UPDATE SET code = (SELECT MAX(code) FROM coupon)\n"
                 "            WHERE EXISTS (SELECT 1 FROM customer);\n"
                 "    }\n"
                 "}\n");
    assert_true(cut(&f, 1, &made));
    assert_string_equal(names(&f, made.schema, NULL), "coupon customer orders line");
    struct txn_program *again = txn_copy(&f.arena, made.programs[0]);
    if (!txn_check(&f.arena, made.schema, &f.pool, again, &err))
        fail_msg("%u:%u: %s", err.pos.line, err.pos.column, err.message);
    const struct txn_program *programs[] = {made.programs[0], again};
    for (size_t i = 0; i < 2; i++)
        program_tables(&f.arena, made.schema, programs[i], &reads[i], &writes[i]);
    assert_string_equal(names(&f, made.schema, &reads[0]), names(&f, made.schema, &reads[1]));
    assert_string_equal(names(&f, made.schema, &writes[0]), names(&f, made.schema, &writes[1]));
    assert_int_equal(again->vars.count, made.programs[0]->vars.count);
    for (size_t i = 0; i < again->vars.count; i++) {
        assert_int_equal(again->vars.items[i].type, made.programs[0]->vars.items[i].type);
        assert_int_equal(again->vars.items[i].table, made.programs[0]->vars.items[i].table);
    }
    arena_release(&f.arena);
}

static void more_tables_than_a_run_can_have(void **state) {
    struct fixture f;
    struct cut made;
    struct str schema = {0}, body = {0};
    (void)state;
    memset(&f, 0, sizeof(f));
    for (int i = 0; i <= TABLES_RUN_MAX; i++) {
        schema = str_printf(&f.arena, "%.*sCREATE TABLE t%d (id integer PRIMARY KEY);\n",
                            STR_ARG(schema), i);
        body = str_printf(&f.arena, "%.*sDELETE FROM t%d;\n", STR_ARG(body), i);
    }
    struct arena texts = f.arena;
    fixture_init(&f, str_to_c(&texts, schema),
                 str_printf(&texts, "program p() {\n%.*s}\n", STR_ARG(body)).ptr);
    assert_false(cut(&f, 1, &made));
    arena_release(&f.arena);
    arena_release(&texts);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_are_found_wherever_a_select_stands),
        cmocka_unit_test(parents_are_kept_where_rows_need_them),
        cmocka_unit_test(a_named_table_keeps_all_its_keys),
        cmocka_unit_test(programs_stay_what_they_are),
        cmocka_unit_test(tables_are_numbered_as_the_checker_does),
        cmocka_unit_test(more_tables_than_a_run_can_have),
    };
    return cmocka_run_group_tests_name("inputs/tables", tests, NULL, NULL);
}
