/* INSERT, UPDATE and DELETE. */
#include "sql/parse.h"

#include "base/assert.h"

static void parse_returning(struct parser *p) {
    struct item_vec items = {0};
    if (!parse_accept(p, "RETURNING"))
        return;
    parse_items(p, &items);
    parse_refuse(p, "INTO", "RETURNING INTO is");
    VEC_MOVE(&p->holder->returning, &items);
}

/* A new value of a column: an expression or DEFAULT. */
static struct sql_expr *parse_new_value(struct parser *p) {
    struct token next = parse_peek(p);
    if (!parse_at(p, "DEFAULT") || next.symbol == SYM1('('))
        return parse_expr(p);
    struct sql_expr *expr = parse_new_expr(p, SQL_DEFAULT, p->token.pos);
    parse_advance(p);
    return expr;
}

/* The column that is set; before it may stand the table's name or alias, as MySQL allows. */
static struct sql_assignment parse_set_column(struct parser *p, const struct sql_source *target) {
    struct sql_assignment set = {.pos = p->token.pos};
    set.column = parse_name(p, "a column's name");
    if (!parse_accept_symbol(p, SYM1('.')))
        return set;
    struct str owner = target->alias.len > 0 ? target->alias : target->table;
    if (!str_equal_nocase(set.column, owner))
        parse_not_modelled(p, set.pos, "UPDATE of several tables is");
    set.column = parse_name(p, "a column's name");
    return set;
}

/* (a, b) = (1, 2) is a = 1, b = 2. */
static void parse_set_row(struct parser *p, struct assignment_vec *list) {
    struct pos pos = p->token.pos;
    struct name_vec names = {0};
    parse_name_list(p, &names);
    parse_expect_symbol(p, SYM1('='));
    parse_accept(p, "ROW");
    if (parse_at_subquery(p))
        parse_not_modelled(p, p->token.pos, "SET (...) = (SELECT ...) is");
    parse_expect_symbol(p, SYM1('('));
    for (size_t i = 0; i < names.list.count; i++) {
        if (i > 0)
            parse_expect_symbol(p, SYM1(','));
        struct sql_assignment set = {.pos = pos, .column = names.list.items[i]};
        set.value = parse_new_value(p);
        VEC_PUSH(p->arena, &list->list, set);
    }
    parse_expect_symbol(p, SYM1(')'));
}

static void parse_assignments(struct parser *p, const struct sql_source *target,
                              struct assignment_vec *list) {
    do {
        if (parse_at_symbol(p, SYM1('('))) {
            parse_set_row(p, list);
            continue;
        }
        struct sql_assignment set = parse_set_column(p, target);
        parse_expect_symbol(p, SYM1('='));
        set.value = parse_new_value(p);
        VEC_PUSH(p->arena, &list->list, set);
    } while (parse_accept_symbol(p, SYM1(',')));
}

/* INSERT OR IGNORE (SQLite), INSERT IGNORE (MySQL). */
static void parse_insert_head(struct parser *p, struct sql_insert *insert) {
    parse_expect(p, "INSERT");
    bool has_or = parse_accept(p, "OR");
    if (parse_accept(p, "IGNORE")) {
        insert->conflict = SQL_CONFLICT_NOTHING;
        insert->is_mysql_duplicate_key = true;
    } else if (has_or) {
        parse_not_modelled(p, p->token.pos, "INSERT OR other than OR IGNORE is");
    }
    parse_refuse(p, "LOW_PRIORITY", "LOW_PRIORITY is");
    parse_refuse(p, "DELAYED", "DELAYED is");
    parse_refuse(p, "HIGH_PRIORITY", "HIGH_PRIORITY is");
    if (!parse_accept(p, "INTO") && p->dialect != SQL_MYSQL)
        parse_expected(p, "INTO");
}

static void parse_row_values(struct parser *p, struct sql_insert *insert, bool is_first) {
    VEC(struct sql_expr *) row = {0};
    struct pos pos = p->token.pos;
    parse_expect_symbol(p, SYM1('('));
    if (!parse_at_symbol(p, SYM1(')'))) {
        do {
            struct sql_expr *value = parse_new_value(p);
            VEC_PUSH(p->arena, &row, value);
        } while (parse_accept_symbol(p, SYM1(',')));
    }
    parse_expect_symbol(p, SYM1(')'));
    size_t expected = is_first && insert->columns.count == 0 ? row.count : insert->column_count;
    if (row.count != expected)
        parse_fail(p, pos, "this row has %u values where %zu are expected", row.count, expected);
    insert->column_count = expected;
    struct sql_expr **values =
        row.items != NULL ? row.items : ARENA_NEW(p->arena, struct sql_expr *);
    VEC_PUSH(p->arena, &insert->rows, values);
}

/* MySQL's INSERT INTO t SET a = 1, b = 2. */
static void parse_insert_set(struct parser *p, struct sql_insert *insert) {
    struct assignment_vec list = {0};
    struct sql_source target = {.table = insert->table};
    parse_assignments(p, &target, &list);
    struct sql_expr **values = ARENA_ARRAY(p->arena, struct sql_expr *, list.list.count);
    for (size_t i = 0; i < list.list.count; i++) {
        VEC_PUSH(p->arena, &insert->columns, list.list.items[i].column);
        values[i] = list.list.items[i].value;
    }
    insert->column_count = list.list.count;
    VEC_PUSH(p->arena, &insert->rows, values);
}

static void parse_insert_source(struct parser *p, struct sql_insert *insert) {
    parse_refuse(p, "OVERRIDING", "OVERRIDING is");
    insert->column_count = insert->columns.count;
    if (parse_accept2(p, "DEFAULT", "VALUES")) {
        if (insert->columns.count > 0)
            parse_expected(p, "VALUES");
        VEC_PUSH(p->arena, &insert->rows, ARENA_NEW(p->arena, struct sql_expr *));
    } else if (parse_accept(p, "VALUES") || parse_accept(p, "VALUE")) {
        bool is_first = true;
        do {
            parse_row_values(p, insert, is_first);
            is_first = false;
        } while (parse_accept_symbol(p, SYM1(',')));
    } else if (p->dialect == SQL_MYSQL && insert->columns.count == 0 && parse_accept(p, "SET")) {
        parse_insert_set(p, insert);
    } else if (parse_at(p, "SELECT") || parse_at(p, "WITH") || parse_at_subquery(p)) {
        bool has_paren = parse_accept_symbol(p, SYM1('('));
        insert->select = parse_select(p);
        if (has_paren)
            parse_expect_symbol(p, SYM1(')'));
        if (insert->columns.count == 0)
            insert->column_count = insert->select->items.count; /* a * is counted by sql_resolve */
    } else {
        parse_expected(p, "VALUES, DEFAULT VALUES or SELECT");
    }
}

static void parse_conflict_target(struct parser *p, struct sql_insert *insert) {
    struct name_vec names = {0};
    if (parse_accept(p, "ON")) {
        parse_expect(p, "CONSTRAINT");
        insert->conflict_constraint = parse_name(p, "a constraint's name");
        return;
    }
    if (!parse_at_symbol(p, SYM1('(')))
        return;
    parse_name_list(p, &names);
    VEC_MOVE(&insert->conflict_columns, &names);
    if (parse_accept(p, "WHERE"))
        insert->conflict_index_where = parse_expr(p);
}

static void parse_conflict_update(struct parser *p, struct sql_insert *insert) {
    struct assignment_vec list = {0};
    struct sql_source target = {.table = insert->table};
    insert->conflict = SQL_CONFLICT_UPDATE;
    p->in_conflict = true;
    parse_assignments(p, &target, &list);
    VEC_MOVE(&insert->conflict_set, &list);
    if (!insert->is_mysql_duplicate_key && parse_accept(p, "WHERE"))
        insert->conflict_where = parse_expr(p);
    p->in_conflict = false;
}

static void parse_conflict(struct parser *p, struct sql_insert *insert) {
    struct pos pos = p->token.pos;
    if (!parse_accept(p, "ON"))
        return;
    if (insert->conflict != SQL_CONFLICT_ERROR)
        parse_not_modelled(p, pos, "IGNORE together with ON CONFLICT or ON DUPLICATE KEY is");
    if (parse_accept(p, "DUPLICATE")) {
        parse_expect(p, "KEY");
        parse_expect(p, "UPDATE");
        insert->is_mysql_duplicate_key = true;
        parse_conflict_update(p, insert);
        return;
    }
    parse_expect(p, "CONFLICT");
    parse_conflict_target(p, insert);
    parse_expect(p, "DO");
    /* Without columns it is any key that counts, as in MySQL: one meaning, one form. */
    bool is_any = insert->conflict_columns.count == 0 && insert->conflict_constraint.len == 0;
    if (parse_accept(p, "NOTHING")) {
        insert->conflict = SQL_CONFLICT_NOTHING;
        insert->is_mysql_duplicate_key = is_any;
        return;
    }
    parse_expect(p, "UPDATE");
    parse_expect(p, "SET");
    parse_conflict_update(p, insert);
    insert->is_mysql_duplicate_key = is_any && insert->conflict_where == NULL;
    if (parse_at(p, "ON"))
        parse_not_modelled(p, p->token.pos, "a second ON CONFLICT is");
}

void parse_insert(struct parser *p) {
    struct sql_insert *insert = ARENA_NEW(p->arena, struct sql_insert);
    p->holder->kind = SQL_STMT_INSERT;
    p->holder->insert = insert;
    insert->conflict_key = -1;
    parse_insert_head(p, insert);
    insert->table = parse_table_name(p);
    if (parse_accept(p, "AS")) {
        p->insert_table = insert->table;
        p->insert_alias = parse_name(p, "an alias");
    }
    struct token next = parse_peek(p);
    bool is_select = parse_at_symbol(p, SYM1('(')) && token_is_word(&next, "SELECT");
    if (parse_at_symbol(p, SYM1('(')) && next.symbol == SYM1(')')) {
        parse_advance(p);
        parse_advance(p);
    } else if (parse_at_symbol(p, SYM1('(')) && !is_select) {
        struct name_vec names = {0};
        parse_name_list(p, &names);
        VEC_MOVE(&insert->columns, &names);
    }
    parse_insert_source(p, insert);
    if (insert->select == NULL && parse_accept(p, "AS"))
        p->row_alias = parse_name(p, "an alias");
    parse_conflict(p, insert);
    parse_returning(p);
}

static void parse_dml_tail(struct parser *p, struct sql_expr **where, struct order_vec *order,
                           struct sql_expr **limit) {
    if (parse_accept(p, "WHERE")) {
        struct token next = parse_peek(p);
        if (parse_at(p, "CURRENT") && token_is_word(&next, "OF"))
            parse_not_modelled(p, p->token.pos, "WHERE CURRENT OF is");
        *where = parse_expr(p);
    }
    parse_order_by(p, order);
    if (parse_accept(p, "LIMIT"))
        *limit = parse_operand(p);
    parse_returning(p);
}

/* The target and at most SQL_SOURCES_MAX - 1 more: sources are numbered through. */
static void parse_more_sources(struct parser *p, struct source_vec *sources) {
    struct pos pos = p->token.pos;
    parse_sources(p, sources);
    if (sources->list.count >= SQL_SOURCES_MAX)
        parse_fail(p, pos, "more than %d tables in one statement", SQL_SOURCES_MAX);
}

void parse_update(struct parser *p) {
    struct sql_update *update = ARENA_NEW(p->arena, struct sql_update);
    struct assignment_vec set = {0};
    struct source_vec from = {0};
    struct order_vec order = {0};
    p->holder->kind = SQL_STMT_UPDATE;
    p->holder->update = update;
    parse_advance(p);
    struct token next = parse_peek(p);
    if ((parse_at(p, "IGNORE") || parse_at(p, "OR")) && !token_is_word(&next, "SET"))
        parse_not_modelled(p, p->token.pos, "UPDATE IGNORE is");
    update->target = parse_target(p);
    if (parse_at_symbol(p, SYM1(',')) || parse_at(p, "JOIN") || parse_at(p, "INNER") ||
        parse_at(p, "LEFT") || parse_at(p, "CROSS"))
        parse_not_modelled(p, p->token.pos, "UPDATE of several tables is");
    parse_expect(p, "SET");
    parse_assignments(p, &update->target, &set);
    VEC_MOVE(&update->set, &set);
    if (parse_accept(p, "FROM"))
        parse_more_sources(p, &from);
    VEC_MOVE(&update->from, &from);
    parse_dml_tail(p, &update->where, &order, &update->limit);
    VEC_MOVE(&update->order_by, &order);
}

void parse_delete(struct parser *p) {
    struct sql_delete *delete_ = ARENA_NEW(p->arena, struct sql_delete);
    struct source_vec sources = {0};
    struct order_vec order = {0};
    p->holder->kind = SQL_STMT_DELETE;
    p->holder->delete_ = delete_;
    parse_advance(p);
    if (!parse_at(p, "FROM") && parse_at_name(p))
        parse_not_modelled(p, p->token.pos, "DELETE of several tables is");
    parse_expect(p, "FROM");
    delete_->target = parse_target(p);
    if (parse_accept(p, "USING"))
        parse_more_sources(p, &sources);
    if (parse_at_symbol(p, SYM1(',')) || parse_at(p, "JOIN") || parse_at(p, "INNER") ||
        parse_at(p, "LEFT") || parse_at(p, "CROSS"))
        parse_not_modelled(p, p->token.pos, "DELETE from a join is");
    VEC_MOVE(&delete_->using_sources, &sources);
    parse_dml_tail(p, &delete_->where, &order, &delete_->limit);
    VEC_MOVE(&delete_->order_by, &order);
}
