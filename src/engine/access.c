/* Access paths from conditions: the AND-ed conjuncts of WHERE and ON that compare a column of the
 * scanned source with something known. Only what is sure to restrict the rows is used; the rest
 * is left to the conditions.
 */
#include "engine/internal.h"

enum { CONJUNCTS_MAX = 32 };

/* One usable conjunct: `column op value`, or several values (IN). */
struct bound {
    uint16_t column;
    enum sql_op op; /* EQ, LT, LE, GT, GE */
    size_t count;
    struct value values[ACCESS_RANGES_MAX];
};

struct bounds {
    struct eval *eval;
    const struct query_scan *scan;
    const struct table *table;
    size_t count;
    bool is_empty; /* compared with NULL */
    struct bound items[CONJUNCTS_MAX];
};

/* Whether the expression has a value before the scanned source has a row: constants, host values,
 * columns of sources to its left and of outer queries. Subqueries are left out: a plan may or may
 * not run them first. */
static bool is_known(const struct bounds *bounds, const struct sql_expr *expr, unsigned depth) {
    const struct eval *eval = bounds->eval;
    if (depth > QUERY_NESTING_MAX)
        return false;
    switch (expr->kind) {
    case SQL_COLUMN:
        return expr->depth > 0 || expr->source < bounds->scan->source;
    case SQL_SUBQUERY:
    case SQL_EXISTS:
    case SQL_DEFAULT:
        return false;
    case SQL_HOST:
        return expr->host < eval->bind_count && eval->binds[expr->host].kind == DB_BIND_VALUE;
    case SQL_CALL:
        if (eval_is_aggregate(expr))
            return false;
        break;
    default:
        break;
    }
    if (expr->select != NULL)
        return false;
    for (size_t i = 0; i < expr->args.count; i++)
        if (expr->args.items[i] != NULL && !is_known(bounds, expr->args.items[i], depth + 1))
            return false;
    return true;
}

static bool is_own_column(const struct bounds *bounds, const struct sql_expr *expr) {
    return expr->kind == SQL_COLUMN && expr->depth == 0 && expr->source == bounds->scan->source;
}

/* Whether an index on the column can find the value without converting each entry. */
static bool kinds_fit(const struct column *column, struct value value) {
    bool is_number =
        value.kind == VALUE_INT || value.kind == VALUE_DECIMAL || value.kind == VALUE_BOOL;
    switch (column->type) {
    case COLUMN_INT:
    case COLUMN_DECIMAL:
    case COLUMN_BOOL:
        return is_number;
    case COLUMN_TIME:
        return value.kind == VALUE_TIME || value.kind == VALUE_TEXT;
    case COLUMN_TEXT:
    case COLUMN_OTHER:
        return value.kind == VALUE_TEXT;
    }
    return false;
}

/* Adds a value to a bound; false: it can't be used. */
static bool bound_add(struct bounds *bounds, struct bound *bound, struct value value) {
    const struct column *column = &bounds->table->columns.items[bound->column];
    if (value.kind == VALUE_NULL)
        return true; /* matches nothing; adds no range */
    if (!kinds_fit(column, value) || bound->count == ACCESS_RANGES_MAX)
        return false;
    struct value stored;
    if (bound->op != SQL_OP_EQ || !eval_store(bounds->eval, column, value, &stored)) {
        bounds->eval->error = DB_OK_NO_ERROR;
        stored = value;
    }
    bound->values[bound->count++] = stored;
    return true;
}

static enum sql_op op_mirrored(enum sql_op op) {
    switch (op) {
    case SQL_OP_LT:
        return SQL_OP_GT;
    case SQL_OP_LE:
        return SQL_OP_GE;
    case SQL_OP_GT:
        return SQL_OP_LT;
    case SQL_OP_GE:
        return SQL_OP_LE;
    default:
        return op;
    }
}

static void bound_keep(struct bounds *bounds, const struct bound *bound) {
    if (bound->count == 0)
        bounds->is_empty = true;
    else if (bounds->count < CONJUNCTS_MAX)
        bounds->items[bounds->count++] = *bound;
}

static bool is_innodb(const struct eval *eval) {
    return eval->engine == ENGINE_MYSQL || eval->engine == ENGINE_MARIADB;
}

/* `column = NULL` finds nothing; `column <=> NULL` the index's NULL entries. */
static void bound_null(const struct bounds *bounds, struct bound *bound) {
    bound->count = bounds->table->columns.items[bound->column].not_null ? 0 : 1;
    bound->values[0] = value_null();
}

static bool take_comparison(struct bounds *bounds, const struct sql_expr *expr) {
    const struct sql_expr *left = expr->args.items[0], *right = expr->args.items[1];
    bool is_null_safe = expr->op == SQL_OP_NULL_SAFE_EQ;
    struct bound bound = {.op = is_null_safe ? SQL_OP_EQ : expr->op};
    if (!is_own_column(bounds, left)) {
        const struct sql_expr *swap = left;
        left = right;
        right = swap;
        bound.op = op_mirrored(bound.op);
    }
    if (!is_own_column(bounds, left) || !is_known(bounds, right, 0))
        return true;
    struct value value;
    if (!eval_expr(bounds->eval, right, &value))
        return false;
    bound.column = left->column;
    bool is_null = is_null_safe && value.kind == VALUE_NULL;
    if (is_null)
        bound_null(bounds, &bound);
    if (is_null || bound_add(bounds, &bound, value))
        bound_keep(bounds, &bound);
    return true;
}

static bool take_between(struct bounds *bounds, const struct sql_expr *expr) {
    struct value values[3];
    bool is_both = true;
    if (expr->is_negated || !is_own_column(bounds, expr->args.items[0]))
        return true;
    for (size_t i = 1; i <= 2; i++) {
        values[i] = value_null();
        if (!is_known(bounds, expr->args.items[i], 0))
            is_both = false;
        else if (!eval_expr(bounds->eval, expr->args.items[i], &values[i]))
            return false;
    }
    bool is_one = is_both && values[1].kind != VALUE_NULL && values[1].kind == values[2].kind &&
                  eval_key_order(bounds->eval, values[1], values[2]) == 0;
    for (size_t i = 1; i <= (is_one ? 1 : 2); i++) {
        struct bound bound = {.column = expr->args.items[0]->column,
                              .op = is_one   ? SQL_OP_EQ
                                    : i == 1 ? SQL_OP_GE
                                             : SQL_OP_LE};
        if (is_known(bounds, expr->args.items[i], 0) && bound_add(bounds, &bound, values[i]))
            bound_keep(bounds, &bound);
    }
    return true;
}

/* `column IS NULL` is an equality with the index's NULL entries. */
static void take_is_null(struct bounds *bounds, const struct sql_expr *expr) {
    if (expr->is_negated || !is_own_column(bounds, expr->args.items[0]))
        return;
    struct bound bound = {.column = expr->args.items[0]->column, .op = SQL_OP_EQ};
    bound_null(bounds, &bound);
    bound_keep(bounds, &bound);
}

/* The order in which an index is searched for the members of a list, each once. */
static void bound_sort(const struct bounds *bounds, struct bound *bound) {
    size_t count = 0;
    for (size_t i = 0; i < bound->count; i++) {
        struct value value = bound->values[i];
        size_t at = count;
        while (at > 0 && eval_key_order(bounds->eval, bound->values[at - 1], value) > 0)
            at--;
        if (at > 0 && eval_key_order(bounds->eval, bound->values[at - 1], value) == 0)
            continue;
        memmove(&bound->values[at + 1], &bound->values[at], (count - at) * sizeof(value));
        bound->values[at] = value;
        count++;
    }
    bound->count = count;
}

static bool take_in(struct bounds *bounds, const struct sql_expr *expr) {
    if (expr->is_negated || expr->select != NULL || !is_own_column(bounds, expr->args.items[0]))
        return true;
    struct bound bound = {.column = expr->args.items[0]->column, .op = SQL_OP_EQ};
    const struct eval *eval = bounds->eval;
    for (size_t i = 1; i < expr->args.count; i++) {
        const struct sql_expr *member = expr->args.items[i];
        if (member->kind == SQL_HOST && member->host < eval->bind_count &&
            eval->binds[member->host].kind == DB_BIND_LIST) {
            const struct db_bind *bind = &eval->binds[member->host];
            for (size_t k = 0; k < bind->list_count; k++)
                if (!bound_add(bounds, &bound, bind->list[k]))
                    return true;
            continue;
        }
        struct value value;
        if (!is_known(bounds, member, 0))
            return true;
        if (!eval_expr(bounds->eval, member, &value))
            return false;
        if (!bound_add(bounds, &bound, value))
            return true;
    }
    bound_sort(bounds, &bound);
    bound_keep(bounds, &bound);
    return true;
}

/* Goes through the AND-ed parts of a condition. */
static bool take_condition(struct bounds *bounds, const struct sql_expr *expr, unsigned depth) {
    if (expr == NULL || depth > QUERY_NESTING_MAX)
        return true;
    if (expr->kind == SQL_BETWEEN)
        return take_between(bounds, expr);
    if (expr->kind == SQL_IN)
        return take_in(bounds, expr);
    if (expr->kind == SQL_IS_NULL)
        take_is_null(bounds, expr);
    if (expr->kind != SQL_BINARY)
        return true;
    switch (expr->op) {
    case SQL_OP_AND:
        return take_condition(bounds, expr->args.items[0], depth + 1) &&
               take_condition(bounds, expr->args.items[1], depth + 1);
    case SQL_OP_EQ:
    case SQL_OP_LT:
    case SQL_OP_LE:
    case SQL_OP_GT:
    case SQL_OP_GE:
        return take_comparison(bounds, expr);
    case SQL_OP_NULL_SAFE_EQ: /* PostgreSQL does not look for it in an index */
        return !is_innodb(bounds->eval) || take_comparison(bounds, expr);
    default:
        return true;
    }
}

static const struct bound *find_equality(const struct bounds *bounds, uint16_t column) {
    const struct bound *best = NULL;
    for (size_t i = 0; i < bounds->count; i++) {
        const struct bound *bound = &bounds->items[i];
        if (bound->column == column && bound->op == SQL_OP_EQ &&
            (best == NULL || bound->count < best->count))
            best = bound;
    }
    return best;
}

/* Fills the range part of `range` for the column after its equalities; whether there is any. */
static bool take_range(const struct bounds *bounds, uint16_t column, struct key_range *range) {
    for (size_t i = 0; i < bounds->count; i++) {
        const struct bound *bound = &bounds->items[i];
        if (bound->column != column)
            continue;
        if (!range->has_low && (bound->op == SQL_OP_GT || bound->op == SQL_OP_GE)) {
            range->has_low = true;
            range->low_open = bound->op == SQL_OP_GT;
            range->low = bound->values[0];
        } else if (!range->has_high && (bound->op == SQL_OP_LT || bound->op == SQL_OP_LE)) {
            range->has_high = true;
            range->high_open = bound->op == SQL_OP_LT;
            range->high = bound->values[0];
        }
    }
    return range->has_low || range->has_high;
}

struct key access_key(const struct eval *eval, const struct table *table, size_t index) {
    struct key key = table->keys.items[index];
    bool is_extended = eval->engine == ENGINE_MYSQL || eval->engine == ENGINE_MARIADB;
    if (!is_extended || key.is_unique || !table->has_primary_key)
        return key;
    const struct key *primary = &table->keys.items[0];
    for (size_t i = 0; i < primary->column_count && key.column_count < KEY_COLUMNS_MAX; i++) {
        size_t at = 0;
        while (at < key.column_count && key.columns[at] != primary->columns[i])
            at++;
        if (at == key.column_count)
            key.columns[key.column_count++] = primary->columns[i];
    }
    return key;
}

static bool has_bound(const struct bounds *bounds, uint16_t column) {
    for (size_t i = 0; i < bounds->count; i++)
        if (bounds->items[i].column == column)
            return true;
    return false;
}

/* The access by key `index`; key -1 if the conditions say nothing of its first column, and nothing else of it is set then. */
static void access_by_key(const struct bounds *bounds, size_t index, struct access *access) {
    access->key = -1;
    if (!has_bound(bounds, bounds->table->keys.items[index].columns[0]))
        return;
    const struct key extended = access_key(bounds->eval, bounds->table, index), *key = &extended;
    struct key_range *ranges = access->ranges;
    bool has_null = false;
    access->is_point = false;
    access->range_count = 1;
    memset(&ranges[0], 0, sizeof(ranges[0]));
    size_t bound_columns = 0;
    for (; bound_columns < key->column_count; bound_columns++) {
        const struct bound *bound = find_equality(bounds, key->columns[bound_columns]);
        if (bound == NULL || bound->count * access->range_count > ACCESS_RANGES_MAX)
            break;
        has_null = has_null || bound->values[0].kind == VALUE_NULL;
        /* The alternatives so far, once for each value. */
        size_t old_count = access->range_count;
        for (size_t v = 0; v < bound->count; v++)
            for (size_t r = 0; r < old_count; r++) {
                struct key_range *range = &ranges[v * old_count + r];
                if (v > 0)
                    *range = ranges[r];
                range->equal[bound_columns] = bound->values[v];
                range->equal_count = (uint8_t)(bound_columns + 1);
            }
        access->range_count = (uint8_t)(old_count * bound->count);
    }
    bool has_range = false;
    if (bound_columns < key->column_count)
        for (size_t r = 0; r < access->range_count; r++)
            has_range = take_range(bounds, key->columns[bound_columns], &ranges[r]);
    if (bound_columns > 0 || has_range)
        access->key = (int16_t)index;
    access->is_point = key->is_unique && bound_columns == key->column_count && !has_null;
}

/* Of the ranges, those that there are. */
static void access_copy(struct access *into, const struct access *from) {
    into->key = from->key;
    into->is_point = from->is_point;
    into->range_count = from->range_count;
    memcpy(into->ranges, from->ranges, from->range_count * sizeof(*from->ranges));
}

/* How good an access path is: higher is better. */
static int access_score(const struct access *access) {
    if (access->key < 0)
        return 0;
    if (access->is_point)
        return 1000 - access->range_count;
    const struct key_range *range = &access->ranges[0];
    return 10 * range->equal_count + 4 * (range->has_low && range->has_high) +
           2 * (range->has_low || range->has_high) + 1;
}

static bool bounds_collect(struct bounds *bounds) {
    return take_condition(bounds, bounds->scan->where, 0) &&
           take_condition(bounds, bounds->scan->on, 0);
}

/* PostgreSQL: Django gives a unique text column a second index for LIKE, and the planner takes
 * that one for equality, too (ENGINES, fact 13). */
static bool is_twin(const struct table *table, size_t index, const struct access *chosen,
                    const struct access *tried) {
    const struct key *a = &table->keys.items[index];
    const struct key *b = chosen->key < 0 ? NULL : &table->keys.items[chosen->key];
    return b != NULL && chosen->is_point && !b->is_primary && tried->key >= 0 &&
           str_ends(a->name, "_like") && a->column_count == b->column_count &&
           memcmp(a->columns, b->columns, a->column_count * sizeof(a->columns[0])) == 0;
}

/* UPDATE and DELETE of MySQL and MariaDB know no constant tables: they compare the costs of index
 * ranges, and to MariaDB one entry of a secondary key counts for less than a row of the primary key (seen by EXPLAIN
 * on 10.11.19; not so on MySQL 5.6.24). */
static bool is_cheaper(const struct bounds *bounds, const struct access *chosen,
                       const struct access *tried) {
    if (!is_innodb(bounds->eval) || !bounds->scan->is_target || chosen->key != 0 || tried->key <= 0 ||
        !bounds->table->has_primary_key || !chosen->is_point || chosen->range_count != 1 ||
        tried->range_count != 1)
        return false;
    const struct key key = access_key(bounds->eval, bounds->table, (size_t)tried->key);
    if (!tried->is_point && tried->ranges[0].equal_count != key.column_count)
        return false;
    struct db_twin *twin = bounds->eval->twin;
    if (twin != NULL && twin->engine != bounds->eval->engine)
        twin->differs = true;
    return bounds->eval->engine == ENGINE_MARIADB;
}

bool access_choose(struct eval *eval, const struct query_scan *scan, struct access *access) {
    const struct table *table = eval->schema->tables.items[scan->table];
    struct bounds bounds;
    struct access tried;
    bounds.eval = eval;
    bounds.scan = scan;
    bounds.table = table;
    bounds.count = 0;
    bounds.is_empty = false;
    access->table = tried.table = scan->table;
    access->key = -1;
    access->is_point = access->is_empty = tried.is_empty = false;
    access->range_count = 0;
    if (!bounds_collect(&bounds))
        return false;
    access->is_empty = bounds.is_empty;
    if (bounds.count == 0 || bounds.is_empty)
        return true;
    for (size_t i = 0; i < table->keys.count; i++) {
        if (table->keys.items[i].where != NULL)
            continue; /* whether the conditions imply it is more than we look into */
        access_by_key(&bounds, i, &tried);
        bool is_better = access_score(&tried) > access_score(access);
        if (eval->engine == ENGINE_POSTGRESQL)
            is_better = is_better || is_twin(table, i, access, &tried);
        if (is_better || is_cheaper(&bounds, access, &tried))
            access_copy(access, &tried);
        if (access->is_point && access->range_count == 1 && table->keys.items[i].is_primary &&
            !scan->is_target)
            break;
    }
    return true;
}

bool key_range_has(struct eval *eval, const struct key *key, const struct key_range *range,
                   const struct value *values) {
    for (size_t i = 0; i < range->equal_count; i++)
        if (eval_key_order(eval, values[key->columns[i]], range->equal[i]) != 0)
            return false;
    if (!range->has_low && !range->has_high)
        return true;
    struct value value = values[key->columns[range->equal_count]];
    if (value.kind == VALUE_NULL)
        return false;
    if (range->has_low) {
        int order = eval_key_order(eval, value, range->low);
        if (order < 0 || (order == 0 && range->low_open))
            return false;
    }
    if (range->has_high) {
        int order = eval_key_order(eval, value, range->high);
        if (order > 0 || (order == 0 && range->high_open))
            return false;
    }
    return true;
}

bool access_has(struct eval *eval, const struct access *access, const struct value *values) {
    if (access->is_empty)
        return false;
    if (access->key < 0)
        return true;
    const struct key key =
        access_key(eval, eval->schema->tables.items[access->table], (size_t)access->key);
    for (size_t i = 0; i < access->range_count; i++)
        if (key_range_has(eval, &key, &access->ranges[i], values))
            return true;
    return false;
}

bool key_equal(struct eval *eval, const struct key *key, const struct value *a,
               const struct value *b) {
    for (size_t i = 0; i < key->column_count; i++)
        if (!eval_same_key(eval, a[key->columns[i]], b[key->columns[i]]))
            return false;
    return true;
}

int key_compare(const struct eval *eval, const struct key *key, const struct value *a,
                const struct value *b) {
    for (size_t i = 0; i < key->column_count; i++) {
        int order = eval_key_order(eval, a[key->columns[i]], b[key->columns[i]]);
        if (order != 0)
            return order;
    }
    return 0;
}

bool key_covers(struct eval *eval, const struct key *key, const struct value *values,
                bool *covers) {
    *covers = true;
    if (key->where == NULL)
        return true;
    struct eval_frame frame = {.source_count = 1, .rows = {values}};
    const struct eval_frame *outer = eval->frame;
    eval->frame = &frame;
    bool ok = eval_condition(eval, key->where, covers);
    eval->frame = outer;
    return ok;
}

bool key_changes(struct eval *eval, const struct key *key, const struct value *old,
                 const struct value *values) {
    for (size_t i = 0; i < key->column_count; i++) {
        struct value a = old[key->columns[i]], b = values[key->columns[i]];
        bool same = a.kind == VALUE_NULL || b.kind == VALUE_NULL ? a.kind == b.kind
                                                                 : eval_same_key(eval, a, b);
        if (!same)
            return true;
    }
    return false;
}
