/* Statements. CREATE is in print_ddl.c, expressions are in print_expr.c. */
#include "sql/print.h"

#include "base/assert.h"

static const char *const isolation_names[] = {
    [SQL_ISOLATION_DEFAULT] = "DEFAULT",     [SQL_READ_UNCOMMITTED] = "READ UNCOMMITTED",
    [SQL_READ_COMMITTED] = "READ COMMITTED", [SQL_REPEATABLE_READ] = "REPEATABLE READ",
    [SQL_SERIALIZABLE] = "SERIALIZABLE",
};

const char *sql_isolation_name(enum sql_isolation isolation) {
    LW_ASSERT(isolation < LW_COUNT_OF(isolation_names));
    return isolation_names[isolation];
}

const char *sql_dialect_name(enum sql_dialect dialect) {
    static const char *const names[] = {
        [SQL_POSTGRESQL] = "postgresql", [SQL_MYSQL] = "mysql", [SQL_SQLITE] = "sqlite"};
    LW_ASSERT(dialect < LW_COUNT_OF(names));
    return names[dialect];
}

static void print_clause(struct printer *p, const char *word, const struct sql_expr *expr) {
    if (expr == NULL)
        return;
    print_c(p, word);
    print_expr(p, expr);
}

/* LIMIT's and OFFSET's operand, which the parser reads without predicates. */
static void print_bound(struct printer *p, const char *word, const struct sql_expr *expr) {
    if (expr == NULL)
        return;
    print_c(p, word);
    bool is_predicate = expr->kind == SQL_IS_NULL || expr->kind == SQL_IN ||
                        expr->kind == SQL_BETWEEN || expr->kind == SQL_LIKE ||
                        (expr->kind == SQL_EXISTS && expr->is_negated) ||
                        (expr->kind == SQL_UNARY && expr->op == SQL_OP_NOT) ||
                        (expr->kind == SQL_BINARY && expr->op < SQL_OP_CONCAT);
    /* A NULL, or SQLite's -1, in itself means that there is no limit. */
    bool is_literal =
        expr->kind == SQL_LITERAL && (expr->literal.kind == VALUE_NULL || expr->literal.number < 0);
    if (is_predicate || is_literal)
        print_c(p, "(");
    print_expr(p, expr);
    if (is_predicate || is_literal)
        print_c(p, ")");
}

/* Whether a brief text leaves the column out. */
static bool is_hidden(const struct printer *p, struct str column) {
    return p->brief != NULL && !p->brief->shows(p->brief->context, column);
}

static bool is_hidden_item(const struct printer *p, const struct sql_item *item) {
    return item->expr != NULL && item->expr->kind == SQL_COLUMN && is_hidden(p, item->expr->name);
}

/* One `...` for each stretch of hidden members of a list. */
static void print_ellipsis(struct printer *p, size_t index, bool *was_hidden) {
    if (!*was_hidden) {
        print_comma(p, index);
        print_c(p, "...");
    }
    *was_hidden = true;
}

static void print_items(struct printer *p, const struct sql_item *items, size_t count) {
    bool was_hidden = false;
    for (size_t i = 0; i < count; i++) {
        if (is_hidden_item(p, &items[i])) {
            print_ellipsis(p, i, &was_hidden);
            continue;
        }
        was_hidden = false;
        print_comma(p, i);
        if (items[i].expr != NULL) {
            print_expr(p, items[i].expr);
        } else {
            if (items[i].star_of.len > 0) {
                print_name(p, items[i].star_of);
                print_c(p, ".");
            }
            print_c(p, "*");
        }
        if (items[i].alias.len > 0) {
            print_c(p, " AS ");
            print_name(p, items[i].alias);
        }
    }
}

static void print_source(struct printer *p, const struct sql_source *source) {
    p->source_count++;
    if (source->subquery != NULL) {
        print_c(p, "(");
        print_select(p, source->subquery);
        print_c(p, ")");
    } else {
        print_name(p, source->table);
    }
    if (source->alias.len > 0) {
        print_c(p, " ");
        print_name(p, source->alias);
    }
}

/* A comma binds looser than JOIN: an ON behind it could not name what stands before it. */
static bool has_later_on(const struct sql_source *sources, size_t count, size_t from) {
    for (size_t i = from; i < count; i++)
        if (sources[i].on != NULL)
            return true;
    return false;
}

static void print_sources(struct printer *p, const char *word, const struct sql_source *sources,
                          size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (i == 0)
            print_c(p, word);
        else if (sources[i].join == SQL_JOIN_CROSS)
            print_c(p, has_later_on(sources, count, i) ? " CROSS JOIN " : ", ");
        else
            print_c(p, sources[i].join == SQL_JOIN_LEFT ? " LEFT OUTER JOIN " : " INNER JOIN ");
        print_source(p, &sources[i]);
        if (sources[i].on == NULL)
            continue;
        print_c(p, " ON (");
        print_expr(p, sources[i].on);
        print_c(p, ")");
    }
}

static void print_order_by(struct printer *p, const struct sql_order *items, size_t count) {
    for (size_t i = 0; i < count; i++) {
        print_c(p, i == 0 ? " ORDER BY " : ", ");
        print_expr(p, items[i].expr);
        print_c(p, items[i].is_descending ? " DESC" : " ASC");
    }
}

/* On the wire MySQL's FOR UPDATE and LOCK IN SHARE MODE stand for PostgreSQL's finer strengths,
 * and SQLite, which locks whole databases, gets nothing. */
static void print_lock(struct printer *p, const struct sql_select *select) {
    static const char *const clauses[] = {
        [SQL_LOCK_KEY_SHARE] = " FOR KEY SHARE",
        [SQL_LOCK_SHARE] = " FOR SHARE",
        [SQL_LOCK_NO_KEY_UPDATE] = " FOR NO KEY UPDATE",
        [SQL_LOCK_UPDATE] = " FOR UPDATE",
    };
    enum sql_lock lock = select->lock;
    if (lock == SQL_LOCK_NONE || (p->hosts != NULL && p->dialect == SQL_SQLITE))
        return;
    if (p->hosts != NULL && p->dialect == SQL_MYSQL)
        lock = lock <= SQL_LOCK_SHARE ? SQL_LOCK_SHARE : SQL_LOCK_UPDATE;
    bool is_plain = select->lock_of.count == 0 && select->lock_wait == SQL_WAIT;
    if (lock == SQL_LOCK_SHARE && p->dialect == SQL_MYSQL && is_plain) {
        print_c(p, " LOCK IN SHARE MODE");
        return;
    }
    print_c(p, clauses[lock]);
    if (select->lock_of.count > 0) {
        print_c(p, " OF ");
        print_names(p, select->lock_of.items, select->lock_of.count);
    }
    if (select->lock_wait != SQL_WAIT)
        print_c(p, select->lock_wait == SQL_NOWAIT ? " NOWAIT" : " SKIP LOCKED");
}

static void print_limit(struct printer *p, const struct sql_select *select) {
    if (select->limit == NULL && select->offset != NULL && p->dialect == SQL_MYSQL)
        print_c(p, " LIMIT 18446744073709551615");
    else if (select->limit == NULL && select->offset != NULL && p->dialect == SQL_SQLITE)
        print_c(p, " LIMIT -1");
    bool is_hidden_limit = p->brief != NULL && p->brief->limit_hidden != 0 &&
                           select->limit != NULL && select->limit->kind == SQL_LITERAL &&
                           select->limit->literal.number == p->brief->limit_hidden;
    print_bound(p, " LIMIT ", is_hidden_limit ? NULL : select->limit);
    print_bound(p, " OFFSET ", select->offset);
}

void print_select(struct printer *p, const struct sql_select *select) {
    print_c(p, select->is_distinct ? "SELECT DISTINCT " : "SELECT ");
    print_items(p, select->items.items, select->items.count);
    print_sources(p, " FROM ", select->sources.items, select->sources.count);
    print_clause(p, " WHERE ", select->where);
    for (size_t i = 0; i < select->group_by.count; i++) {
        print_c(p, i == 0 ? " GROUP BY " : ", ");
        print_expr(p, select->group_by.items[i]);
    }
    print_clause(p, " HAVING ", select->having);
    print_order_by(p, select->order_by.items, select->order_by.count);
    print_limit(p, select);
    print_lock(p, select);
}

static void print_assignments(struct printer *p, const struct sql_assignment *set, size_t count) {
    bool was_hidden = false;
    for (size_t i = 0; i < count; i++) {
        if (is_hidden(p, set[i].column)) {
            print_ellipsis(p, i, &was_hidden);
            continue;
        }
        was_hidden = false;
        print_comma(p, i);
        print_name(p, set[i].column);
        print_c(p, " = ");
        print_expr(p, set[i].value);
    }
}

static void print_rows(struct printer *p, const struct sql_insert *insert) {
    bool is_default = insert->rows.count == 1 && insert->column_count == 0;
    if (is_default && p->dialect != SQL_MYSQL) {
        print_c(p, " DEFAULT VALUES");
        return;
    }
    print_c(p, " VALUES ");
    for (size_t i = 0; i < insert->rows.count; i++) {
        bool was_hidden = false;
        print_c(p, i > 0 ? ", (" : "(");
        for (size_t k = 0; k < insert->column_count; k++) {
            if (k < insert->columns.count && is_hidden(p, insert->columns.items[k])) {
                print_ellipsis(p, k, &was_hidden);
                continue;
            }
            was_hidden = false;
            print_comma(p, k);
            print_expr(p, insert->rows.items[i][k]);
        }
        print_c(p, ")");
    }
}

/* Whether the conflict is spelled as MySQL does. On its wire any is: it knows no other. */
static bool has_mysql_conflict(const struct printer *p, const struct sql_insert *insert) {
    return p->dialect == SQL_MYSQL && insert->conflict != SQL_CONFLICT_ERROR &&
           insert->conflict_where == NULL && (insert->is_mysql_duplicate_key || p->hosts != NULL);
}

static void print_conflict_target(struct printer *p, const struct sql_insert *insert) {
    print_c(p, " ON CONFLICT");
    if (insert->conflict_constraint.len > 0) {
        print_c(p, " ON CONSTRAINT ");
        print_name(p, insert->conflict_constraint);
    }
    if (insert->conflict_columns.count > 0) {
        print_c(p, " (");
        print_names(p, insert->conflict_columns.items, insert->conflict_columns.count);
        print_c(p, ")");
    }
    print_clause(p, " WHERE ", insert->conflict_index_where);
}

static void print_conflict(struct printer *p, const struct sql_insert *insert) {
    bool is_mysql = has_mysql_conflict(p, insert);
    if (insert->conflict == SQL_CONFLICT_ERROR)
        return;
    if (insert->conflict == SQL_CONFLICT_NOTHING) {
        if (is_mysql)
            return; /* INSERT IGNORE */
        print_conflict_target(p, insert);
        print_c(p, " DO NOTHING");
        return;
    }
    if (is_mysql) {
        print_c(p, " ON DUPLICATE KEY UPDATE ");
    } else {
        print_conflict_target(p, insert);
        print_c(p, " DO UPDATE SET ");
    }
    p->in_duplicate_key = is_mysql;
    print_assignments(p, insert->conflict_set.items, insert->conflict_set.count);
    p->in_duplicate_key = false;
    print_clause(p, " WHERE ", insert->conflict_where);
}

static void print_returning(struct printer *p, const struct sql_stmt *stmt) {
    bool is_all_hidden = true;
    for (size_t i = 0; i < stmt->returning.count; i++)
        is_all_hidden &= is_hidden_item(p, &stmt->returning.items[i]);
    if (is_all_hidden)
        return;
    print_c(p, " RETURNING ");
    print_items(p, stmt->returning.items, stmt->returning.count);
}

static void print_insert_columns(struct printer *p, const struct sql_insert *insert) {
    bool was_hidden = false;
    print_c(p, " (");
    for (size_t i = 0; i < insert->columns.count; i++) {
        if (is_hidden(p, insert->columns.items[i])) {
            print_ellipsis(p, i, &was_hidden);
            continue;
        }
        was_hidden = false;
        print_comma(p, i);
        print_name(p, insert->columns.items[i]);
    }
    print_c(p, ")");
}

static void print_insert(struct printer *p, const struct sql_stmt *stmt) {
    const struct sql_insert *insert = stmt->insert;
    bool is_ignore = has_mysql_conflict(p, insert) && insert->conflict == SQL_CONFLICT_NOTHING;
    print_c(p, is_ignore ? "INSERT IGNORE INTO " : "INSERT INTO ");
    print_name(p, insert->table);
    if (insert->columns.count > 0) {
        print_insert_columns(p, insert);
    } else if (insert->column_count == 0 && insert->rows.count > 0 && p->dialect == SQL_MYSQL) {
        print_c(p, " ()");
    }
    if (insert->select != NULL) {
        print_c(p, " ");
        print_select(p, insert->select);
    } else {
        print_rows(p, insert);
    }
    print_conflict(p, insert);
    print_returning(p, stmt);
}

static void print_update(struct printer *p, const struct sql_stmt *stmt) {
    const struct sql_update *update = stmt->update;
    print_c(p, "UPDATE ");
    print_source(p, &update->target);
    print_c(p, " SET ");
    print_assignments(p, update->set.items, update->set.count);
    print_sources(p, " FROM ", update->from.items, update->from.count);
    print_clause(p, " WHERE ", update->where);
    print_order_by(p, update->order_by.items, update->order_by.count);
    print_bound(p, " LIMIT ", update->limit);
    print_returning(p, stmt);
}

static void print_delete(struct printer *p, const struct sql_stmt *stmt) {
    const struct sql_delete *delete_ = stmt->delete_;
    print_c(p, "DELETE FROM ");
    print_source(p, &delete_->target);
    print_sources(p, " USING ", delete_->using_sources.items, delete_->using_sources.count);
    print_clause(p, " WHERE ", delete_->where);
    print_order_by(p, delete_->order_by.items, delete_->order_by.count);
    print_bound(p, " LIMIT ", delete_->limit);
    print_returning(p, stmt);
}

static void print_mode(struct printer *p, const char *mode, bool *has_one) {
    print_c(p, *has_one ? ", " : " ");
    print_c(p, mode);
    *has_one = true;
}

static void print_modes(struct printer *p, const struct sql_transaction *transaction) {
    bool has_one = false;
    if (transaction->with_snapshot)
        print_mode(p, "WITH CONSISTENT SNAPSHOT", &has_one);
    if (transaction->isolation != SQL_ISOLATION_DEFAULT) {
        print_mode(p, "ISOLATION LEVEL ", &has_one);
        print_c(p, isolation_names[transaction->isolation]);
    }
    if (transaction->is_read_only)
        print_mode(p, "READ ONLY", &has_one);
    if (transaction->is_deferrable)
        print_mode(p, "DEFERRABLE", &has_one);
}

static void print_begin(struct printer *p, const struct sql_transaction *transaction) {
    static const char *const modes[] = {
        [SQL_BEGIN_PLAIN] = "BEGIN",
        [SQL_BEGIN_DEFERRED] = "BEGIN DEFERRED",
        [SQL_BEGIN_IMMEDIATE] = "BEGIN IMMEDIATE",
        [SQL_BEGIN_EXCLUSIVE] = "BEGIN EXCLUSIVE",
    };
    bool has_mysql_words = transaction->with_snapshot || transaction->is_read_only;
    bool is_start =
        p->dialect == SQL_MYSQL && has_mysql_words && transaction->begin_mode == SQL_BEGIN_PLAIN;
    print_c(p, is_start ? "START TRANSACTION" : modes[transaction->begin_mode]);
    print_modes(p, transaction);
}

static void print_savepoint(struct printer *p, const char *words,
                            const struct sql_transaction *transaction) {
    print_c(p, words);
    print_name(p, transaction->savepoint);
}

static void print_prepared(struct printer *p, const struct sql_stmt *stmt) {
    print_c(p, stmt->kind == SQL_STMT_PREPARE_TRANSACTION ? "PREPARE TRANSACTION "
               : stmt->kind == SQL_STMT_COMMIT_PREPARED   ? "COMMIT PREPARED "
                                                          : "ROLLBACK PREPARED ");
    print_text(p, stmt->transaction->savepoint);
}

static void print_set_transaction(struct printer *p, const struct sql_transaction *transaction) {
    if (!transaction->is_session)
        print_c(p, "SET TRANSACTION");
    else if (p->dialect == SQL_MYSQL)
        print_c(p, "SET SESSION TRANSACTION");
    else
        print_c(p, "SET SESSION CHARACTERISTICS AS TRANSACTION");
    print_modes(p, transaction);
    bool is_empty = !transaction->with_snapshot && !transaction->is_read_only &&
                    !transaction->is_deferrable && transaction->isolation == SQL_ISOLATION_DEFAULT;
    if (is_empty)
        print_c(p, " READ WRITE");
}

static void print_variable_name(struct printer *p, struct str name) {
    size_t dot = str_find(name, '.', 0);
    print_name(p, str_sub(name, 0, dot));
    if (dot < name.len) {
        print_c(p, ".");
        print_name(p, str_sub(name, dot + 1, name.len));
    }
}

static void print_set(struct printer *p, const struct sql_set *set) {
    bool is_names =
        p->dialect == SQL_MYSQL && str_is(set->name, "names") && !set->is_global && !set->is_local;
    print_c(p, "SET ");
    print_c(p, set->is_global ? "GLOBAL " : set->is_local ? "LOCAL " : "");
    if (is_names)
        print_c(p, "NAMES ");
    else
        print_variable_name(p, set->name);
    print_c(p, is_names ? "" : " = ");
    /* A bare word would be its text. */
    bool is_bare = set->value->kind == SQL_COLUMN || set->value->kind == SQL_CALL;
    print_clause(p, is_bare ? "(" : "", set->value);
    print_c(p, is_bare ? ")" : "");
}

static void print_lock_table(struct printer *p, const struct sql_lock_table *lock) {
    bool is_mysql = str_is(lock->mode, "READ") || str_is(lock->mode, "WRITE");
    if (str_is(lock->mode, "UNLOCK")) {
        print_c(p, "UNLOCK TABLES");
        return;
    }
    print_c(p, is_mysql ? "LOCK TABLES " : "LOCK TABLE ");
    for (size_t i = 0; i < lock->tables.count; i++) {
        print_comma(p, i);
        print_name(p, lock->tables.items[i]);
        if (is_mysql) {
            print_c(p, " ");
            buf_add(p->out, lock->mode);
        }
    }
    if (is_mysql)
        return;
    print_c(p, " IN ");
    buf_add(p->out, lock->mode);
    print_c(p, " MODE");
    if (lock->is_nowait)
        print_c(p, " NOWAIT");
}

static void print_statement(struct printer *p, const struct sql_stmt *stmt) {
    switch (stmt->kind) {
    case SQL_STMT_SELECT:
        print_select(p, stmt->select);
        return;
    case SQL_STMT_INSERT:
        print_insert(p, stmt);
        return;
    case SQL_STMT_UPDATE:
        print_update(p, stmt);
        return;
    case SQL_STMT_DELETE:
        print_delete(p, stmt);
        return;
    case SQL_STMT_BEGIN:
        print_begin(p, stmt->transaction);
        return;
    case SQL_STMT_COMMIT:
        print_c(p, "COMMIT");
        return;
    case SQL_STMT_ROLLBACK:
        print_c(p, "ROLLBACK");
        return;
    case SQL_STMT_SAVEPOINT:
        print_savepoint(p, "SAVEPOINT ", stmt->transaction);
        return;
    case SQL_STMT_RELEASE:
        print_savepoint(p, "RELEASE SAVEPOINT ", stmt->transaction);
        return;
    case SQL_STMT_ROLLBACK_TO:
        print_savepoint(p, "ROLLBACK TO SAVEPOINT ", stmt->transaction);
        return;
    case SQL_STMT_PREPARE_TRANSACTION:
    case SQL_STMT_COMMIT_PREPARED:
    case SQL_STMT_ROLLBACK_PREPARED:
        print_prepared(p, stmt);
        return;
    case SQL_STMT_SET_TRANSACTION:
        print_set_transaction(p, stmt->transaction);
        return;
    case SQL_STMT_SET:
        print_set(p, stmt->set);
        return;
    case SQL_STMT_LOCK_TABLE:
        print_lock_table(p, stmt->lock_table);
        return;
    case SQL_STMT_CREATE_TABLE:
    case SQL_STMT_CREATE_INDEX:
        print_create(p, stmt);
        return;
    }
    LW_UNREACHABLE();
}

void sql_print(const struct sql_stmt *stmt, const struct text_pool *pool, enum sql_dialect dialect,
               struct buf *out) {
    struct printer p = {.holder = stmt, .pool = pool, .dialect = dialect, .out = out};
    print_statement(&p, stmt);
}

void sql_print_filled(const struct sql_stmt *stmt, const struct text_pool *pool,
                      enum sql_dialect dialect, const struct sql_host_printer *hosts,
                      struct buf *out) {
    struct printer p = {
        .holder = stmt, .pool = pool, .dialect = dialect, .hosts = hosts, .out = out};
    print_statement(&p, stmt);
}

void sql_print_brief(const struct sql_stmt *stmt, const struct text_pool *pool,
                     enum sql_dialect dialect, const struct sql_host_printer *hosts,
                     const struct sql_brief *brief, struct buf *out) {
    struct printer p = {.holder = stmt, .pool = pool, .dialect = dialect, .hosts = hosts,
                        .out = out, .brief = brief};
    size_t from = out->len;
    print_statement(&p, stmt);
    if (p.source_count > 1)
        return;
    /* One table: nothing else can be meant. */
    out->ptr[out->len = from] = '\0';
    p.is_unqualified = true;
    print_statement(&p, stmt);
}

void sql_print_expr(const struct sql_expr *expr, const struct sql_stmt *holder,
                    const struct text_pool *pool, enum sql_dialect dialect, struct buf *out) {
    struct printer p = {.holder = holder, .pool = pool, .dialect = dialect, .out = out};
    print_expr(&p, expr);
}
