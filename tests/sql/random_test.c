/* Trees made at random, as front ends build them, not only as the parser does: each is printed
 * in each dialect and must be read back as it was. The seed is fixed, so a failure comes again. */
#include "base/assert.h"
#include "support.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { STATEMENTS = 12000, DEPTH_MAX = 5 };

struct maker {
    struct fixture *f;
    struct arena *arena;
    struct sql_stmt *stmt;
    uint64_t random;
    bool in_conflict;
};

/* xorshift64* */
static uint64_t next_random(struct maker *m) {
    m->random ^= m->random >> 12;
    m->random ^= m->random << 25;
    m->random ^= m->random >> 27;
    return m->random * 2685821657736338717u;
}

static unsigned below(struct maker *m, unsigned limit) {
    return (unsigned)((next_random(m) >> 33) % limit);
}

static bool one_in(struct maker *m, unsigned chance) {
    return below(m, chance) == 0;
}

static struct str pick(struct maker *m, const char *const *texts, size_t count) {
    return str_from_c(texts[below(m, (unsigned)count)]);
}

#define PICK(m, texts) pick((m), (texts), LW_COUNT_OF(texts))

static struct str make_name(struct maker *m) {
    static const char *const names[] = {
        "a",         "b",        "id",     "count",        "name",     "state",      "value",
        "key",       "order",    "select", "Mixed",        "UPPER",    "with space", "do\"uble",
        "back`tick", "br]acket", "9lives", "ünï",          "user",     "rank",       "index",
        "date",      "only",     "ignore", "excluded",     "left",     "in",         "row",
        "default",   "a.b",      "x$y",    "current_date", "interval", "binary",     "values",
        "filter",    "over",     "lock",   "of",           "nowait"};
    return PICK(m, names);
}

static struct value make_literal(struct maker *m) {
    static const char *const texts[] = {"",     "x",     "it's", "a\\b", "100\\%", "\\_", "\n",
                                        "\r\n", "\t",    "--",   "/*",   ";",      "$$",  ":x",
                                        "ü",    "\\'\\", "\"",   "%s",   "E'"};
    switch (below(m, 7)) {
    case 0:
        return value_null();
    case 1:
        return value_bool(one_in(m, 2));
    case 2:
        return value_int((int64_t)next_random(m));
    case 3:
        return value_decimal((int64_t)next_random(m) >> below(m, 60), (uint8_t)below(m, 19));
    case 4:
        return value_text(&m->f->pool, PICK(m, texts));
    case 5:
        return value_time((int64_t)(next_random(m) % 253402300800000000u));
    default:
        return value_int(below(m, 10));
    }
}

static struct sql_expr *new_expr(struct maker *m, enum sql_expr_kind kind) {
    struct sql_expr *expr = ARENA_NEW(m->arena, struct sql_expr);
    expr->kind = kind;
    return expr;
}

static struct sql_expr *make_expr(struct maker *m, unsigned depth);
static struct sql_select *make_select(struct maker *m, unsigned depth);

static void add_arg(struct maker *m, struct sql_expr *expr, unsigned depth) {
    struct sql_expr *arg = make_expr(m, depth + 1);
    VEC_PUSH(m->arena, &expr->args, arg);
}

static bool takes_hosts(const struct maker *m) {
    return m->stmt->kind != SQL_STMT_CREATE_TABLE && m->stmt->kind != SQL_STMT_CREATE_INDEX;
}

static struct sql_expr *make_host(struct maker *m, bool is_list) {
    static const char *const names[] = {"x", "y", "Row", "id_1"};
    struct sql_expr *expr = new_expr(m, SQL_HOST);
    struct sql_host host = {.name = PICK(m, names), .is_list = is_list};
    if (one_in(m, 2))
        host.column = PICK(m, names);
    expr->host = (uint16_t)m->stmt->hosts.count;
    for (size_t i = 0; i < m->stmt->hosts.count; i++) {
        const struct sql_host *old = &m->stmt->hosts.items[i];
        if (str_equal(old->name, host.name) && str_equal(old->column, host.column) &&
            old->is_list == is_list)
            expr->host = (uint16_t)i;
    }
    if (expr->host == m->stmt->hosts.count)
        VEC_PUSH(m->arena, &m->stmt->hosts, host);
    return expr;
}

static struct sql_expr *make_column(struct maker *m) {
    struct sql_expr *expr = new_expr(m, SQL_COLUMN);
    expr->name = make_name(m);
    if (one_in(m, 3))
        expr->qualifier = make_name(m);
    if (m->in_conflict && one_in(m, 2))
        expr->qualifier = STR("excluded");
    return expr;
}

static struct sql_expr *make_leaf(struct maker *m) {
    if (takes_hosts(m) && one_in(m, 4))
        return make_host(m, false);
    if (one_in(m, 2))
        return make_column(m);
    struct sql_expr *expr = new_expr(m, SQL_LITERAL);
    expr->literal = make_literal(m);
    return expr;
}

static struct sql_expr *make_in(struct maker *m, unsigned depth) {
    struct sql_expr *expr = new_expr(m, SQL_IN);
    expr->is_negated = one_in(m, 2);
    add_arg(m, expr, depth);
    unsigned form = below(m, 3);
    if (form == 0) {
        expr->select = make_select(m, depth + 1);
    } else if (form == 1 && takes_hosts(m)) {
        struct sql_expr *host = make_host(m, true);
        VEC_PUSH(m->arena, &expr->args, host);
    } else {
        for (unsigned i = below(m, 3) + 1; i > 0; i--)
            add_arg(m, expr, depth);
    }
    return expr;
}

static struct sql_expr *make_case(struct maker *m, unsigned depth) {
    struct sql_expr *expr = new_expr(m, SQL_CASE);
    expr->case_has_base = one_in(m, 2);
    expr->case_has_else = one_in(m, 2);
    unsigned count = 2 * (below(m, 2) + 1) + expr->case_has_base + expr->case_has_else;
    for (unsigned i = 0; i < count; i++)
        add_arg(m, expr, depth);
    return expr;
}

static struct sql_expr *make_call(struct maker *m, unsigned depth) {
    static const char *const names[] = {
        "COUNT", "SUM",   "COALESCE",          "CONCAT",      "LEFT", "NOW",
        "MOD",   "LOWER", "CURRENT_TIMESTAMP", "@@AUTOCOMMIT"};
    struct sql_expr *expr = new_expr(m, SQL_CALL);
    expr->name = PICK(m, names);
    if (str_starts(expr->name, "@@"))
        return expr;
    if (str_is(expr->name, "COUNT") && one_in(m, 2)) {
        expr->is_star = true;
        return expr;
    }
    for (unsigned i = below(m, 3); i > 0; i--)
        add_arg(m, expr, depth);
    expr->is_distinct = expr->args.count > 0 && one_in(m, 4);
    return expr;
}

static struct sql_expr *make_cast(struct maker *m, unsigned depth) {
    static const char *const types[] = {
        "integer", "numeric(10, 2)", "double precision",         "character(3)",
        "text[]",  "BINARY",         "timestamp with time zone", "unsigned integer"};
    struct sql_expr *expr = new_expr(m, SQL_CAST);
    expr->qualifier = PICK(m, types);
    add_arg(m, expr, depth);
    return expr;
}

static struct sql_expr *with_args(struct maker *m, enum sql_expr_kind kind, unsigned count,
                                  unsigned depth) {
    struct sql_expr *expr = new_expr(m, kind);
    for (unsigned i = 0; i < count; i++)
        add_arg(m, expr, depth);
    return expr;
}

static struct sql_expr *make_operator(struct maker *m, unsigned depth) {
    enum sql_op op = (enum sql_op)below(m, SQL_OP_NEG + 1);
    bool is_unary = op == SQL_OP_NOT || op == SQL_OP_NEG;
    struct sql_expr *expr =
        with_args(m, is_unary ? SQL_UNARY : SQL_BINARY, is_unary ? 1 : 2, depth);
    expr->op = op;
    return expr;
}

static struct sql_expr *make_expr(struct maker *m, unsigned depth) {
    struct sql_expr *expr;
    if (depth >= DEPTH_MAX || one_in(m, 4))
        return make_leaf(m);
    switch (below(m, 16)) {
    case 0:
        return make_in(m, depth);
    case 1:
        return make_case(m, depth);
    case 2:
        return make_call(m, depth);
    case 3:
        return make_cast(m, depth);
    case 4:
        return with_args(m, SQL_ROW, below(m, 2) + 2, depth);
    case 5:
        expr = with_args(m, SQL_IS_NULL, 1, depth);
        expr->is_negated = one_in(m, 2);
        return expr;
    case 6:
        expr = with_args(m, SQL_BETWEEN, 3, depth);
        expr->is_negated = one_in(m, 2);
        return expr;
    case 7:
        expr = with_args(m, SQL_LIKE, 2 + one_in(m, 3), depth);
        expr->is_negated = one_in(m, 2);
        expr->is_nocase = one_in(m, 2);
        return expr;
    case 8:
        expr = new_expr(m, one_in(m, 2) ? SQL_EXISTS : SQL_SUBQUERY);
        expr->is_negated = expr->kind == SQL_EXISTS && one_in(m, 2);
        expr->select = make_select(m, depth + 1);
        return expr;
    default:
        return make_operator(m, depth);
    }
}

static struct sql_source make_source(struct maker *m, unsigned depth, bool is_first) {
    struct sql_source source = {.join = SQL_JOIN_CROSS};
    if (depth < DEPTH_MAX && one_in(m, 5))
        source.subquery = make_select(m, depth + 2);
    else
        source.table = make_name(m);
    if (source.subquery != NULL || one_in(m, 2))
        source.alias = make_name(m);
    if (!is_first && one_in(m, 2)) {
        source.join = one_in(m, 2) ? SQL_JOIN_LEFT : SQL_JOIN_INNER;
        source.on = make_expr(m, depth + 1);
    }
    return source;
}

static struct sql_item make_item(struct maker *m, unsigned depth) {
    struct sql_item item = {0};
    unsigned form = below(m, 6);
    if (form == 0) {
        if (one_in(m, 2))
            item.star_of = make_name(m);
        return item;
    }
    item.expr = make_expr(m, depth + 1);
    if (form == 1)
        item.alias = make_name(m);
    return item;
}

static struct sql_order make_order(struct maker *m, unsigned depth) {
    return (struct sql_order){make_expr(m, depth + 1), one_in(m, 2)};
}

static void make_lock(struct maker *m, struct sql_select *select) {
    select->lock = (enum sql_lock)below(m, SQL_LOCK_UPDATE + 1);
    if (select->lock == SQL_LOCK_NONE)
        return;
    select->lock_wait = (enum sql_lock_wait)below(m, SQL_SKIP_LOCKED + 1);
    if (one_in(m, 3))
        VEC_PUSH(m->arena, &select->lock_of, make_name(m));
}

static struct sql_select *make_select(struct maker *m, unsigned depth) {
    struct sql_select *select = ARENA_NEW(m->arena, struct sql_select);
    select->is_distinct = one_in(m, 5);
    for (unsigned i = below(m, 3) + 1; i > 0; i--) {
        struct sql_item item = make_item(m, depth);
        VEC_PUSH(m->arena, &select->items, item);
    }
    for (unsigned i = 0, count = below(m, 4); i < count; i++) {
        struct sql_source source = make_source(m, depth, i == 0);
        VEC_PUSH(m->arena, &select->sources, source);
    }
    if (one_in(m, 2))
        select->where = make_expr(m, depth + 1);
    for (unsigned i = one_in(m, 3) ? below(m, 3) : 0; i > 0; i--) {
        struct sql_expr *expr = make_expr(m, depth + 1);
        VEC_PUSH(m->arena, &select->group_by, expr);
    }
    if (one_in(m, 5))
        select->having = make_expr(m, depth + 1);
    for (unsigned i = below(m, 3); i > 0; i--) {
        struct sql_order order = make_order(m, depth);
        VEC_PUSH(m->arena, &select->order_by, order);
    }
    if (one_in(m, 3))
        select->limit = make_expr(m, depth + 2);
    if (one_in(m, 3))
        select->offset = make_expr(m, depth + 2);
    make_lock(m, select);
    return select;
}

static struct sql_expr *make_new_value(struct maker *m) {
    return one_in(m, 5) ? new_expr(m, SQL_DEFAULT) : make_expr(m, 1);
}

static struct sql_assignment make_assignment(struct maker *m) {
    return (struct sql_assignment){.column = make_name(m), .value = make_new_value(m)};
}

static void make_conflict(struct maker *m, struct sql_insert *insert) {
    insert->conflict = (enum sql_conflict)below(m, SQL_CONFLICT_UPDATE + 1);
    if (insert->conflict == SQL_CONFLICT_ERROR)
        return;
    unsigned target = below(m, 3);
    if (target == 0)
        VEC_PUSH(m->arena, &insert->conflict_columns, make_name(m));
    else if (target == 1)
        insert->conflict_constraint = make_name(m);
    if (target == 0 && one_in(m, 2))
        insert->conflict_index_where = make_expr(m, 2);
    if (insert->conflict == SQL_CONFLICT_UPDATE) {
        m->in_conflict = true;
        for (unsigned i = below(m, 2) + 1; i > 0; i--) {
            struct sql_assignment set = make_assignment(m);
            VEC_PUSH(m->arena, &insert->conflict_set, set);
        }
        if (one_in(m, 3))
            insert->conflict_where = make_expr(m, 2);
        m->in_conflict = false;
    }
    insert->is_mysql_duplicate_key = target == 2 && insert->conflict_where == NULL;
}

static void make_insert(struct maker *m) {
    struct sql_insert *insert = ARENA_NEW(m->arena, struct sql_insert);
    m->stmt->insert = insert;
    insert->table = make_name(m);
    unsigned columns = below(m, 3), rows = below(m, 3) + 1;
    insert->column_count = columns;
    for (unsigned i = 0; i < columns; i++)
        VEC_PUSH(m->arena, &insert->columns, make_name(m));
    if (one_in(m, 4)) {
        insert->select = make_select(m, 1);
        if (columns == 0)
            insert->column_count = insert->select->items.count;
    }
    for (unsigned i = 0; insert->select == NULL && i < rows; i++) {
        struct sql_expr **row = ARENA_ARRAY(m->arena, struct sql_expr *, columns);
        for (unsigned k = 0; k < columns; k++)
            row[k] = make_new_value(m);
        VEC_PUSH(m->arena, &insert->rows, row);
    }
    make_conflict(m, insert);
}

static void make_update(struct maker *m) {
    struct sql_update *update = ARENA_NEW(m->arena, struct sql_update);
    m->stmt->update = update;
    update->target.table = make_name(m);
    if (one_in(m, 3))
        update->target.alias = make_name(m);
    for (unsigned i = below(m, 3) + 1; i > 0; i--) {
        struct sql_assignment set = make_assignment(m);
        VEC_PUSH(m->arena, &update->set, set);
    }
    for (unsigned i = 0, count = one_in(m, 3) ? 2 : 0; i < count; i++) {
        struct sql_source source = make_source(m, 1, i == 0);
        VEC_PUSH(m->arena, &update->from, source);
    }
    if (one_in(m, 2))
        update->where = make_expr(m, 0);
    if (one_in(m, 4))
        VEC_PUSH(m->arena, &update->order_by, make_order(m, 2));
    if (one_in(m, 4))
        update->limit = make_expr(m, 2);
}

static void make_delete(struct maker *m) {
    struct sql_delete *delete_ = ARENA_NEW(m->arena, struct sql_delete);
    m->stmt->delete_ = delete_;
    delete_->target.table = make_name(m);
    if (one_in(m, 3))
        delete_->target.alias = make_name(m);
    if (one_in(m, 3)) {
        struct sql_source source = make_source(m, 1, true);
        VEC_PUSH(m->arena, &delete_->using_sources, source);
    }
    if (one_in(m, 2))
        delete_->where = make_expr(m, 0);
    if (one_in(m, 4))
        VEC_PUSH(m->arena, &delete_->order_by, make_order(m, 2));
    if (one_in(m, 4))
        delete_->limit = make_expr(m, 2);
}

static void make_transaction(struct maker *m) {
    struct sql_transaction *transaction = ARENA_NEW(m->arena, struct sql_transaction);
    m->stmt->transaction = transaction;
    switch (m->stmt->kind) {
    case SQL_STMT_SAVEPOINT:
    case SQL_STMT_RELEASE:
    case SQL_STMT_ROLLBACK_TO:
    case SQL_STMT_PREPARE_TRANSACTION:
    case SQL_STMT_COMMIT_PREPARED:
    case SQL_STMT_ROLLBACK_PREPARED:
        transaction->savepoint = make_name(m);
        return;
    case SQL_STMT_BEGIN:
        transaction->begin_mode = (enum sql_begin_mode)below(m, SQL_BEGIN_EXCLUSIVE + 1);
        break;
    case SQL_STMT_SET_TRANSACTION:
        transaction->is_session = one_in(m, 2);
        break;
    default:
        return;
    }
    transaction->isolation = (enum sql_isolation)below(m, SQL_SERIALIZABLE + 1);
    transaction->is_read_only = one_in(m, 3);
    transaction->is_deferrable = one_in(m, 3);
    transaction->with_snapshot = one_in(m, 3);
}

static void make_set(struct maker *m) {
    static const char *const names[] = {"autocommit",  "lock_timeout", "app.user",
                                        "names",       "session",      "local",
                                        "transaction", "timezone",     "order"};
    struct sql_set *set = ARENA_NEW(m->arena, struct sql_set);
    m->stmt->set = set;
    set->name = PICK(m, names);
    set->is_global = one_in(m, 4);
    set->is_local = !set->is_global && one_in(m, 4);
    set->value = one_in(m, 4) ? new_expr(m, SQL_DEFAULT) : make_expr(m, 2);
}

static void make_lock_table(struct maker *m) {
    static const char *const modes[] = {"ACCESS SHARE",  "ROW SHARE",
                                        "ROW EXCLUSIVE", "SHARE UPDATE EXCLUSIVE",
                                        "SHARE",         "SHARE ROW EXCLUSIVE",
                                        "EXCLUSIVE",     "ACCESS EXCLUSIVE",
                                        "READ",          "WRITE"};
    struct sql_lock_table *lock = ARENA_NEW(m->arena, struct sql_lock_table);
    m->stmt->lock_table = lock;
    lock->mode = PICK(m, modes);
    for (unsigned i = below(m, 2) + 1; i > 0; i--)
        VEC_PUSH(m->arena, &lock->tables, make_name(m));
    lock->is_nowait = !str_is(lock->mode, "READ") && !str_is(lock->mode, "WRITE") && one_in(m, 3);
}

static struct sql_fk_def make_fk(struct maker *m, struct str column) {
    struct sql_fk_def fk = {.parent = make_name(m),
                            .on_delete = (uint8_t)below(m, FK_SET_DEFAULT + 1),
                            .on_update = (uint8_t)below(m, FK_SET_DEFAULT + 1)};
    VEC_PUSH(m->arena, &fk.columns, column);
    if (one_in(m, 2))
        VEC_PUSH(m->arena, &fk.parent_columns, make_name(m));
    if (one_in(m, 3))
        fk.name = make_name(m);
    fk.is_deferrable = one_in(m, 2);
    fk.is_deferred = fk.is_deferrable && one_in(m, 2);
    return fk;
}

static struct sql_column_def make_column_def(struct maker *m) {
    static const char *const types[] = {"integer",
                                        "serial",
                                        "varchar(10)",
                                        "numeric(10, 2)",
                                        "boolean",
                                        "INTEGER",
                                        "bigint",
                                        "text",
                                        "",
                                        "timestamp with time zone"};
    struct sql_column_def column = {.name = make_name(m), .type_text = PICK(m, types)};
    column.is_serial = str_is(column.type_text, "serial") || one_in(m, 4);
    column.is_primary = one_in(m, 4);
    column.not_null = one_in(m, 2);
    column.is_unique = one_in(m, 4);
    if (one_in(m, 3))
        column.default_expr = make_expr(m, 2);
    if (one_in(m, 4))
        column.check = make_expr(m, 2);
    if (one_in(m, 4)) {
        struct sql_fk_def fk = make_fk(m, column.name);
        column.references = arena_copy(m->arena, &fk, sizeof(fk));
    }
    return column;
}

static struct sql_key_def make_key(struct maker *m) {
    struct sql_key_def key = {.is_primary = one_in(m, 3)};
    key.is_unique = key.is_primary || one_in(m, 2);
    if (one_in(m, 2))
        key.name = make_name(m);
    for (unsigned i = below(m, 2) + 1; i > 0; i--)
        VEC_PUSH(m->arena, &key.columns, make_name(m));
    return key;
}

static void make_create(struct maker *m) {
    struct sql_create *create = ARENA_NEW(m->arena, struct sql_create);
    m->stmt->create = create;
    create->table = make_name(m);
    create->is_index = m->stmt->kind == SQL_STMT_CREATE_INDEX;
    if (create->is_index) {
        struct sql_key_def key = make_key(m);
        key.is_primary = false;
        if (one_in(m, 2))
            key.where = make_expr(m, 2);
        create->if_not_exists = key.name.len > 0 && one_in(m, 3);
        VEC_PUSH(m->arena, &create->keys, key);
        return;
    }
    create->if_not_exists = one_in(m, 3);
    for (unsigned i = below(m, 3) + 1; i > 0; i--) {
        struct sql_column_def column = make_column_def(m);
        VEC_PUSH(m->arena, &create->columns, column);
    }
    for (unsigned i = below(m, 3); i > 0; i--)
        VEC_PUSH(m->arena, &create->keys, make_key(m));
    if (one_in(m, 3))
        VEC_PUSH(m->arena, &create->foreign_keys, make_fk(m, make_name(m)));
    if (one_in(m, 3)) {
        struct sql_check_def check = {make_name(m), make_expr(m, 2)};
        VEC_PUSH(m->arena, &create->checks, check);
    }
}

static void make_statement(struct maker *m) {
    switch (m->stmt->kind) {
    case SQL_STMT_SELECT:
        m->stmt->select = make_select(m, 0);
        break;
    case SQL_STMT_INSERT:
        make_insert(m);
        break;
    case SQL_STMT_UPDATE:
        make_update(m);
        break;
    case SQL_STMT_DELETE:
        make_delete(m);
        break;
    case SQL_STMT_SET:
        make_set(m);
        break;
    case SQL_STMT_LOCK_TABLE:
        make_lock_table(m);
        break;
    case SQL_STMT_CREATE_TABLE:
    case SQL_STMT_CREATE_INDEX:
        make_create(m);
        break;
    default:
        make_transaction(m);
        break;
    }
    bool has_returning = m->stmt->kind == SQL_STMT_INSERT || m->stmt->kind == SQL_STMT_UPDATE ||
                         m->stmt->kind == SQL_STMT_DELETE;
    if (has_returning && one_in(m, 3))
        VEC_PUSH(m->arena, &m->stmt->returning, make_item(m, 1));
}

static void test_random_trees(void **state) {
    (void)state;
    uint64_t seed = 20240229;
    for (int i = 0; i < STATEMENTS; i++) {
        struct fixture f;
        fixture_init(&f);
        struct sql_stmt *stmt = ARENA_NEW(&f.arena, struct sql_stmt);
        struct maker m = {.f = &f, .arena = &f.arena, .stmt = stmt, .random = seed};
        stmt->kind = one_in(&m, 3) ? (enum sql_stmt_kind)below(&m, SQL_STMT_CREATE_INDEX + 1)
                                   : (enum sql_stmt_kind)below(&m, SQL_STMT_DELETE + 1);
        make_statement(&m);
        seed = m.random;
        must_round_trip(&f, stmt);
        assert_true(sql_equal(stmt, sql_copy(&f.arena, stmt), &f.pool));
        fixture_release(&f);
    }
}

/* All different. */
static const char *const alike[] = {
    "SELECT a FROM t",
    "SELECT b FROM t",
    "SELECT a FROM u",
    "SELECT DISTINCT a FROM t",
    "SELECT a AS b FROM t",
    "SELECT t.a FROM t",
    "SELECT a FROM t x",
    "SELECT a FROM t, u",
    "SELECT a FROM t INNER JOIN u ON (1 = 1)",
    "SELECT a FROM t LEFT OUTER JOIN u ON (1 = 1)",
    "SELECT a FROM t WHERE a = 1",
    "SELECT a FROM t WHERE a = 1.0",
    "SELECT a FROM t WHERE a = '1'",
    "SELECT a FROM t WHERE a = :x",
    "SELECT a FROM t WHERE a = :x.a",
    "SELECT a FROM t WHERE a IN (:x)",
    "SELECT a FROM t WHERE a NOT IN (:x)",
    "SELECT a FROM t WHERE a < 1",
    "SELECT a FROM t WHERE a LIKE 'x'",
    "SELECT a FROM t WHERE a ILIKE 'x'",
    "SELECT a FROM t GROUP BY a",
    "SELECT a FROM t GROUP BY a HAVING a = 1",
    "SELECT a FROM t ORDER BY a",
    "SELECT a FROM t ORDER BY a DESC",
    "SELECT a FROM t LIMIT 1",
    "SELECT a FROM t OFFSET 1",
    "SELECT a FROM t FOR UPDATE",
    "SELECT a FROM t FOR UPDATE OF t",
    "SELECT a FROM t FOR UPDATE NOWAIT",
    "SELECT a FROM t FOR SHARE",
    "INSERT INTO t (a) VALUES (1)",
    "INSERT INTO t (b) VALUES (1)",
    "INSERT INTO t (a) VALUES (2)",
    "INSERT INTO t (a) VALUES (1) RETURNING a",
    "INSERT INTO t (a) VALUES (1) ON CONFLICT DO NOTHING",
    "INSERT INTO t (a) VALUES (1) ON CONFLICT (a) DO NOTHING",
    "INSERT INTO t (a) VALUES (1) ON CONFLICT (a) WHERE a = 1 DO NOTHING",
    "INSERT INTO t (a) VALUES (1) ON CONFLICT (a) DO UPDATE SET a = 1",
    "INSERT INTO t (a) VALUES (1) ON CONFLICT (a) DO UPDATE SET a = 1 WHERE t.a = 1",
    "UPDATE t SET a = 1",
    "UPDATE t SET a = DEFAULT",
    "UPDATE t SET a = 1 FROM u",
    "UPDATE t SET a = 1 LIMIT 1",
    "DELETE FROM t",
    "DELETE FROM t USING u",
    "BEGIN",
    "BEGIN IMMEDIATE",
    "BEGIN READ ONLY",
    "BEGIN ISOLATION LEVEL SERIALIZABLE",
    "SAVEPOINT a",
    "SAVEPOINT b",
    "SET a = 1",
    "SET LOCAL a = 1",
    "LOCK TABLE t",
    "LOCK TABLE t IN SHARE MODE",
    "LOCK TABLE t NOWAIT",
    "CREATE TABLE t (a int)",
    "CREATE TABLE t (a int NOT NULL)",
    "CREATE TABLE t (a int UNIQUE)",
    "CREATE TABLE t (a int PRIMARY KEY)",
    "CREATE TABLE t (a int DEFAULT 1)",
    "CREATE TABLE t (a int REFERENCES u)",
    "CREATE TABLE t (a int REFERENCES u ON DELETE CASCADE)",
    "CREATE TABLE t (a int, UNIQUE (a))",
    "CREATE TABLE t (a int, CHECK (a = 1))",
    "CREATE INDEX i ON t (a)",
    "CREATE UNIQUE INDEX i ON t (a)",
    "CREATE INDEX i ON t (a) WHERE a = 1",
};

/* The test above can only be as good as sql_equal: a change anywhere must be seen. */
static void test_changes_are_seen(void **state) {
    (void)state;
    struct fixture f;
    struct sql_stmt *stmts[LW_COUNT_OF(alike)];
    fixture_init(&f);
    for (size_t i = 0; i < LW_COUNT_OF(alike); i++)
        stmts[i] = must_parse(&f, SQL_POSTGRESQL, str_from_c(alike[i]));
    for (size_t i = 0; i < LW_COUNT_OF(alike); i++)
        for (size_t k = 0; k < LW_COUNT_OF(alike); k++)
            if (sql_equal(stmts[i], stmts[k], &f.pool) != (i == k))
                fail_msg("%s and %s", alike[i], alike[k]);
    fixture_release(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_trees),
        cmocka_unit_test(test_changes_are_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
