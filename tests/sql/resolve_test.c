/* Names to indices, schemas from CREATE statements, and what each refuses. */
#include "base/assert.h"
#include "support.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static const char schema_text[] =
    "CREATE TABLE p (id serial PRIMARY KEY, total integer NOT NULL DEFAULT 0, name text UNIQUE);"
    "CREATE TABLE t (id integer NOT NULL, a integer, b numeric(10, 2), s varchar(20), p_id integer "
    "REFERENCES p ON DELETE CASCADE, PRIMARY KEY (id), CONSTRAINT ab UNIQUE (a, b), CHECK (a < "
    "100));"
    "CREATE UNIQUE INDEX t_s ON t (s) WHERE a IS NULL;"
    "CREATE INDEX ON t (b)";

struct world {
    struct fixture f;
    struct schema schema;
};

static void world_init(struct world *w) {
    *w = (struct world){0};
    fixture_init(&w->f);
    must_apply(&w->f, &w->schema, SQL_POSTGRESQL, schema_text);
}

static struct sql_stmt *resolved(struct world *w, const char *text) {
    struct sql_stmt *stmt = must_parse(&w->f, SQL_POSTGRESQL, str_from_c(text));
    if (!sql_resolve(&w->f.arena, &w->schema, stmt, &w->f.err))
        fail_msg("%u:%u: %s in %s", w->f.err.pos.line, w->f.err.pos.column, w->f.err.message, text);
    assert_true(stmt->is_resolved);
    return stmt;
}

static void check_column(const struct sql_expr *expr, unsigned depth, unsigned source,
                         unsigned column) {
    assert_int_equal(expr->kind, SQL_COLUMN);
    assert_int_equal(expr->depth, depth);
    assert_int_equal(expr->source, source);
    assert_int_equal(expr->column, column);
}

static void test_columns(void **state) {
    (void)state;
    struct world w;
    world_init(&w);
    struct sql_select *select = resolved(&w, "SELECT q.name, a FROM t LEFT JOIN p q ON p_id = q.id "
                                             "WHERE EXISTS (SELECT 1 FROM p WHERE p.id = t.p_id)")
                                    ->select;
    check_column(select->items.items[0].expr, 0, 1, 2);
    check_column(select->items.items[1].expr, 0, 0, 1);
    check_column(select->sources.items[1].on->args.items[0], 0, 0, 4);
    assert_int_equal(select->sources.items[1].table_index, 0);
    const struct sql_expr *inner = select->where->select->where;
    check_column(inner->args.items[0], 0, 0, 0);
    check_column(inner->args.items[1], 1, 0, 4);

    select = resolved(&w, "SELECT x.n FROM t, (SELECT p.id AS n FROM p WHERE p.total = "
                          "(SELECT MAX(total) FROM p r WHERE r.id = p.id)) x")
                 ->select;
    check_column(select->items.items[0].expr, 0, 1, 0);
    assert_int_equal(select->sources.items[1].table_index, UINT16_MAX);
    const struct sql_expr *nested = select->sources.items[1].subquery->where->args.items[1];
    check_column(nested->select->where->args.items[1], 1, 0, 0);
    fixture_release(&w.f);
}

static void test_stars_and_aliases(void **state) {
    (void)state;
    struct world w;
    world_init(&w);
    struct sql_stmt *stmt = resolved(&w, "SELECT *, p.* FROM t, p");
    assert_int_equal(stmt->select->items.count, 5 + 3 + 3);
    check_column(stmt->select->items.items[10].expr, 0, 1, 2);
    struct str before = printed(&w.f, stmt, SQL_POSTGRESQL);
    assert_text(before, "SELECT t.id, t.a, t.b, t.s, t.p_id, p.id, p.total, p.name, p.id, p.total, "
                        "p.name FROM t, p");
    assert_true(sql_resolve(&w.f.arena, &w.schema, stmt, &w.f.err)); /* idempotent */
    assert_text(printed(&w.f, stmt, SQL_POSTGRESQL), before.ptr);

    struct sql_select *select =
        resolved(&w, "SELECT a AS b, COUNT(*) AS n FROM t GROUP BY 1 HAVING COUNT(*) > 1 "
                     "ORDER BY n, b, 2")
            ->select;
    assert_true(select->is_aggregate);
    check_column(select->group_by.items[0], 0, 0, 1);
    check_column(select->order_by.items[0].expr, 0, SQL_SOURCE_ITEM, 1);
    check_column(select->order_by.items[1].expr, 0, SQL_SOURCE_ITEM, 0);
    assert_int_equal(select->order_by.items[2].expr->kind, SQL_CALL);
    assert_false(resolved(&w, "SELECT LOWER(s) FROM t")->select->is_aggregate);
    assert_false(resolved(&w, "SELECT (SELECT MAX(id) FROM p) FROM t")->select->is_aggregate);
    fixture_release(&w.f);
}

static void test_writes(void **state) {
    (void)state;
    struct world w;
    world_init(&w);
    struct sql_insert *insert =
        resolved(&w, "INSERT INTO t (s, id) VALUES ('x', 1) ON CONFLICT (b, a) DO UPDATE SET "
                     "a = excluded.a + t.a RETURNING *")
            ->insert;
    assert_int_equal(insert->table_index, 1);
    assert_int_equal(insert->column_index[0], 3);
    assert_int_equal(insert->column_index[1], 0);
    assert_text(w.schema.tables.items[1]->keys.items[insert->conflict_key].name, "ab");
    const struct sql_expr *sum = insert->conflict_set.items[0].value;
    check_column(sum->args.items[0], 0, SQL_SOURCE_EXCLUDED, 1);
    check_column(sum->args.items[1], 0, 0, 1);
    insert =
        resolved(&w, "INSERT INTO t (id) VALUES (1) ON CONFLICT (s) WHERE a IS NULL DO NOTHING")
            ->insert;
    assert_text(w.schema.tables.items[1]->keys.items[insert->conflict_key].name, "t_s");
    insert = resolved(&w, "INSERT INTO t (id) VALUES (1) ON CONFLICT DO NOTHING")->insert;
    assert_int_equal(insert->conflict_key, -1);
    assert_true(insert->is_mysql_duplicate_key);
    insert = resolved(&w, "INSERT INTO p SELECT * FROM p q")->insert;
    assert_int_equal(insert->column_count, 3);

    struct sql_update *update =
        resolved(&w, "UPDATE t x SET b = x.a, a = p.total FROM p WHERE p.id = x.p_id")->update;
    assert_int_equal(update->set.items[0].column_index, 2);
    check_column(update->set.items[0].value, 0, 0, 1);
    check_column(update->set.items[1].value, 0, 1, 1);
    struct sql_select *select = resolved(&w, "SELECT 1 FROM t x, p FOR UPDATE OF p")->select;
    assert_int_equal(select->lock_sources, 2);
    assert_int_equal(resolved(&w, "SELECT 1 FROM t x, p FOR UPDATE")->select->lock_sources, 3);
    assert_int_equal(resolved(&w, "LOCK TABLE t, p")->lock_table->table_index[0], 1);
    fixture_release(&w.f);
}

static void test_refused(void **state) {
    (void)state;
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"SELECT x FROM t", "1:8: column x is unknown"},
        {"SELECT t.x FROM t", "1:8: table t has no column x"},
        {"SELECT q.a FROM t", "1:8: table q is unknown here"},
        {"SELECT t.a FROM t x", "1:8: table t is unknown here"},
        {"SELECT id FROM t, p", "1:8: column id is ambiguous"},
        {"SELECT a FROM nix", "1:15: table nix is unknown"},
        {"SELECT 1 FROM t, t", "1:18: table name t stands twice"},
        {"SELECT 1 FROM t JOIN p ON q.id = 1 JOIN p q ON 1 = 1", "1:27: table q is unknown here"},
        {"SELECT 1 FROM t, (SELECT t.a FROM p) x", "1:26: table t is unknown here"},
        {"SELECT *", "1:1: * needs a FROM"},
        {"SELECT q.* FROM t", "1:1: table q is unknown here"},
        {"SELECT a FROM t WHERE COUNT(*) > 1", "1:23: aggregate COUNT is not allowed here"},
        {"SELECT SUM(COUNT(*)) FROM t", "1:12: aggregates don't nest"},
        {"SELECT a FROM t GROUP BY a FOR UPDATE",
         "1:1: rows of a query with GROUP BY cannot be locked"},
        {"SELECT DISTINCT a FROM t FOR UPDATE",
         "1:1: rows of a query with DISTINCT cannot be locked"},
        {"SELECT a FROM t FOR UPDATE OF p", "1:1: table p of the lock clause is unknown here"},
        {"SELECT a FROM t ORDER BY 2", "1:26: there is no column 2"},
        {"SELECT a FROM t LIMIT a", "1:23: column a is unknown"},
        {"SELECT a FROM t WHERE (a, b) = 1", "1:32: 1 columns where 2 are expected"},
        {"SELECT a FROM t WHERE a IN (SELECT 1, 2)", "1:29: 2 columns where 1 are expected"},
        {"SELECT (a, b) FROM t", "1:8: a row where one value is expected"},
        {"INSERT INTO t (x) VALUES (1)", "1:1: table t has no column x"},
        {"INSERT INTO t (a, a) VALUES (1, 2)", "1:1: column a is named twice"},
        {"INSERT INTO p VALUES (1, 2, 3, 4)", "1:1: 4 values for the 3 columns of table p"},
        {"INSERT INTO t (a) SELECT 1, 2", "1:19: 2 columns where 1 are expected"},
        {"INSERT INTO t (a) VALUES (b)", "1:27: column b is unknown"},
        {"INSERT INTO t (a) VALUES (1) ON CONFLICT (b) DO NOTHING",
         "1:1: ON CONFLICT names no unique key of table t"},
        {"INSERT INTO t (a) VALUES (1) ON CONFLICT (s) DO NOTHING",
         "1:1: ON CONFLICT names no unique key of table t"},
        {"INSERT INTO t (a) VALUES (1) ON CONFLICT (id) DO UPDATE SET a = excluded.x",
         "1:65: table t has no column x"},
        {"UPDATE t SET x = 1", "1:14: table t has no column x"},
        {"UPDATE t SET a = 1, A = 2", "1:21: column a is set twice"},
        {"UPDATE t SET a = SUM(b)", "1:18: aggregate SUM is not allowed here"},
        {"DELETE FROM t WHERE p.id = 1", "1:21: table p is unknown here"},
        {"LOCK TABLE nix", "1:1: table nix is unknown"},
    };
    struct world w;
    world_init(&w);
    for (size_t i = 0; i < LW_COUNT_OF(cases); i++) {
        struct sql_stmt *stmt = must_parse(&w.f, SQL_POSTGRESQL, str_from_c(cases[i].text));
        if (sql_resolve(&w.f.arena, &w.schema, stmt, &w.f.err))
            fail_msg("%s should be refused", cases[i].text);
        assert_false(stmt->is_resolved);
        assert_text(str_printf(&w.f.arena, "%u:%u: %s", w.f.err.pos.line, w.f.err.pos.column,
                               w.f.err.message),
                    cases[i].message);
    }
    fixture_release(&w.f);
}

static void test_schema(void **state) {
    (void)state;
    struct world w;
    world_init(&w);
    const struct table *p = w.schema.tables.items[0], *t = w.schema.tables.items[1];
    assert_true(p->columns.items[0].is_serial && p->columns.items[0].not_null);
    assert_int_equal(p->columns.items[1].default_expr->literal.number, 0);
    assert_int_equal(t->columns.items[2].type, COLUMN_DECIMAL);
    assert_int_equal(t->columns.items[3].type, COLUMN_TEXT);
    assert_int_equal(t->keys.count, 4);
    assert_true(t->has_primary_key && t->keys.items[0].is_primary);
    assert_text(t->keys.items[0].name, "t_pkey");
    assert_text(p->keys.items[1].name, "p_name_key");
    assert_text(t->keys.items[3].name, "t_b_idx");
    assert_non_null(t->keys.items[2].where);
    assert_int_equal(t->foreign_keys.items[0].parent, 0);
    assert_int_equal(t->foreign_keys.items[0].on_delete, FK_CASCADE);
    assert_text(t->foreign_keys.items[0].name, "t_p_id_fkey");
    check_column(t->checks.items[0].expr->args.items[0], 0, 0, 1);

    struct buf first = {0}, second = {0};
    struct schema again = {0};
    schema_print(&w.schema, &w.f.pool, &first);
    must_apply(&w.f, &again, SQL_POSTGRESQL,
               str_to_c(&w.f.arena, str_sub(buf_str(&first), 0, first.len - 2)));
    schema_print(&again, &w.f.pool, &second);
    assert_text(buf_str(&second), first.ptr);
    buf_release(&first);
    buf_release(&second);
    fixture_release(&w.f);
}

static void test_schema_refused(void **state) {
    (void)state;
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"CREATE TABLE t (a int)", "1:1: table t exists already"},
        {"CREATE TABLE n (a int, A int)", "1:24: column a stands twice"},
        {"CREATE TABLE n (a int, UNIQUE (b))", "1:24: table n has no column b"},
        {"CREATE TABLE n (a int PRIMARY KEY, b int PRIMARY KEY)",
         "1:36: table n has two primary keys"},
        {"CREATE TABLE n (a int REFERENCES nix)", "1:23: table nix is unknown"},
        {"CREATE TABLE n (a int REFERENCES t (x))", "1:23: table t has no column x"},
        {"CREATE TABLE n (a int, b int, FOREIGN KEY (a, b) REFERENCES t (id))",
         "1:31: 2 columns refer to 1"},
        {"CREATE TABLE n (a int CHECK (b > 1))", "1:30: column b is unknown"},
        {"CREATE TABLE n (a int DEFAULT b)", "1:31: column b is unknown"},
        {"CREATE TABLE n (a int, b int, c int, d int, e int, f int, g int, h int, i int, "
         "UNIQUE (a, b, c, d, e, f, g, h, i))",
         "1:80: a key has more than 8 columns"},
        {"CREATE INDEX i ON nix (a)", "1:1: table nix is unknown"},
        {"CREATE INDEX ab ON t (a)", "1:14: key ab exists already"},
        {"SELECT 1", "1:1: expected CREATE TABLE or CREATE INDEX"},
    };
    struct world w;
    world_init(&w);
    for (size_t i = 0; i < LW_COUNT_OF(cases); i++) {
        struct sql_stmt *stmt = must_parse(&w.f, SQL_POSTGRESQL, str_from_c(cases[i].text));
        if (schema_apply(&w.f.arena, &w.schema, stmt, &w.f.err))
            fail_msg("%s should be refused", cases[i].text);
        assert_text(str_printf(&w.f.arena, "%u:%u: %s", w.f.err.pos.line, w.f.err.pos.column,
                               w.f.err.message),
                    cases[i].message);
        assert_int_equal(w.schema.tables.count, 2);
    }
    must_apply(&w.f, &w.schema, SQL_POSTGRESQL, "CREATE TABLE IF NOT EXISTS t (x int)");
    assert_int_equal(w.schema.tables.count, 2);
    fixture_release(&w.f);
}

static void print_seven(void *context, uint16_t host, struct buf *out) {
    assert_non_null(context);
    buf_printf(out, "%d", 7 + host);
}

/* On the wire a dialect gets its own words for what it lacks. */
static void test_wire(void **state) {
    (void)state;
    static const struct {
        const char *text;
        enum sql_dialect dialect;
        const char *sent;
    } cases[] = {
        {"SELECT a FROM t WHERE id = :x FOR NO KEY UPDATE", SQL_MYSQL,
         "SELECT a FROM t WHERE id = 7 FOR UPDATE"},
        {"SELECT a FROM t WHERE id = :x FOR KEY SHARE", SQL_MYSQL,
         "SELECT a FROM t WHERE id = 7 LOCK IN SHARE MODE"},
        {"SELECT a FROM t WHERE id = :x FOR UPDATE", SQL_SQLITE, "SELECT a FROM t WHERE id = 7"},
        {"INSERT INTO t (id) VALUES (:x) ON CONFLICT (id) DO UPDATE SET a = excluded.a + :y",
         SQL_MYSQL, "INSERT INTO t (id) VALUES (7) ON DUPLICATE KEY UPDATE a = VALUES(a) + 8"},
        {"INSERT INTO t (id) VALUES (:x) ON CONFLICT (id) DO NOTHING", SQL_MYSQL,
         "INSERT IGNORE INTO t (id) VALUES (7)"},
        {"SELECT a FROM t WHERE s ILIKE 'x' OR s || 'y' = :s", SQL_MYSQL,
         "SELECT a FROM t WHERE s LIKE 'x' OR CONCAT(s, 'y') = 7"},
    };
    struct fixture f;
    fixture_init(&f);
    for (size_t i = 0; i < LW_COUNT_OF(cases); i++) {
        struct buf out = {0};
        struct sql_stmt *stmt = must_parse(&f, SQL_POSTGRESQL, str_from_c(cases[i].text));
        struct sql_host_printer hosts = {print_seven, stmt};
        sql_print_filled(stmt, &f.pool, cases[i].dialect, &hosts, &out);
        assert_text(buf_str(&out), cases[i].sent);
        buf_release(&out);
    }
    fixture_release(&f);
}

static void test_advisory(void **state) {
    (void)state;
    static const struct {
        const char *text;
        enum sql_advisory kind;
    } cases[] = {
        {"SELECT pg_advisory_lock(1)", SQL_ADVISORY_SESSION},
        {"SELECT pg_try_advisory_xact_lock(1)", SQL_ADVISORY_XACT},
        {"SELECT pg_advisory_xact_lock_shared(1, 2)", SQL_ADVISORY_XACT},
        {"SELECT pg_advisory_unlock_all()", SQL_ADVISORY_UNLOCK},
        {"SELECT GET_LOCK('x', 1)", SQL_ADVISORY_SESSION},
        {"SELECT RELEASE_LOCK('x')", SQL_ADVISORY_UNLOCK},
        {"SELECT now()", SQL_NO_ADVISORY},
        {"COMMIT", SQL_NO_ADVISORY},
    };
    struct fixture f;
    fixture_init(&f);
    for (size_t i = 0; i < LW_COUNT_OF(cases); i++)
        assert_int_equal(sql_advisory(must_parse(&f, SQL_POSTGRESQL, str_from_c(cases[i].text))),
                         cases[i].kind);
    fixture_release(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_columns), cmocka_unit_test(test_stars_and_aliases),
        cmocka_unit_test(test_writes),  cmocka_unit_test(test_refused),
        cmocka_unit_test(test_schema),  cmocka_unit_test(test_schema_refused),
        cmocka_unit_test(test_wire),    cmocka_unit_test(test_advisory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
