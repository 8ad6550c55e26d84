/* SELECT: items, sources and joins, clauses, row locks. */
#include "sql/parse.h"

#include "base/assert.h"

static void raise_height(struct sql_select *select, unsigned height) {
    LW_ASSERT(height <= SQL_HEIGHT_MAX);
    if (select->height < height)
        select->height = (uint16_t)height;
}

static void count_height(struct sql_select *select, const struct sql_expr *expr) {
    if (expr != NULL)
        raise_height(select, expr->height);
}

void parse_items(struct parser *p, struct item_vec *items) {
    do {
        struct sql_item item = {.expr = NULL, .star_of = STR(""), .alias = STR("")};
        struct token next = parse_peek(p), after = parse_peek2(p);
        if (parse_accept_symbol(p, SYM1('*'))) {
            VEC_PUSH(p->arena, &items->list, item);
            continue;
        }
        if (parse_at_name(p) && next.symbol == SYM1('.') && after.symbol == SYM1('*')) {
            item.star_of = parse_name(p, "a table's name");
            parse_advance(p);
            parse_advance(p);
        } else {
            item.expr = parse_expr(p);
            item.alias = parse_alias(p);
        }
        VEC_PUSH(p->arena, &items->list, item);
    } while (parse_accept_symbol(p, SYM1(',')));
}

struct sql_source parse_target(struct parser *p) {
    struct sql_source source = {.pos = p->token.pos};
    struct token next = parse_peek(p);
    if (parse_at(p, "ONLY") && (next.kind == TOKEN_WORD || next.kind == TOKEN_QUOTED) &&
        !token_is_word(&next, "SET") && !token_is_word(&next, "WHERE"))
        parse_not_modelled(p, p->token.pos, "ONLY is");
    source.table = parse_table_name(p);
    if (parse_at_symbol(p, SYM1('(')))
        parse_not_modelled(p, source.pos, "a function in FROM is");
    source.alias = parse_alias(p);
    return source;
}

static struct sql_source parse_source(struct parser *p) {
    struct sql_source source = {.pos = p->token.pos};
    if (parse_with_source(p, &source))
        return source;
    if (!parse_at_symbol(p, SYM1('(')))
        return parse_target(p);
    if (!parse_at_subquery(p))
        parse_not_modelled(p, source.pos, "a join in parentheses is");
    parse_advance(p);
    source.subquery = parse_select(p);
    parse_expect_symbol(p, SYM1(')'));
    source.alias = parse_alias(p);
    if (source.alias.len == 0)
        parse_expected(p, "an alias for the subquery");
    if (parse_at_symbol(p, SYM1('(')))
        parse_not_modelled(p, p->token.pos, "an alias with columns is");
    return source;
}

/* Reads the words of a join. False: no join here. */
static bool parse_join_words(struct parser *p, enum sql_join_kind *kind) {
    if (parse_accept_symbol(p, SYM1(','))) {
        *kind = SQL_JOIN_CROSS;
        return true;
    }
    parse_refuse(p, "NATURAL", "NATURAL JOIN is");
    parse_refuse(p, "RIGHT", "RIGHT JOIN is");
    parse_refuse(p, "FULL", "FULL JOIN is");
    parse_refuse(p, "STRAIGHT_JOIN", "STRAIGHT_JOIN is");
    if (parse_accept(p, "JOIN")) {
        *kind = SQL_JOIN_INNER;
        return true;
    }
    if (parse_accept(p, "CROSS"))
        *kind = SQL_JOIN_CROSS;
    else if (parse_accept(p, "INNER"))
        *kind = SQL_JOIN_INNER;
    else if (parse_accept(p, "LEFT"))
        *kind = SQL_JOIN_LEFT;
    else
        return false;
    if (*kind == SQL_JOIN_LEFT)
        parse_accept(p, "OUTER");
    parse_expect(p, "JOIN");
    return true;
}

static struct sql_expr *make_column(struct parser *p, struct pos pos,
                                    const struct sql_source *source, struct str name) {
    struct sql_expr *column = parse_new_expr(p, SQL_COLUMN, pos);
    column->qualifier = source->alias.len > 0 ? source->alias : source->table;
    column->name = name;
    return column;
}

/* USING (c) becomes ON left.c = right.c. With more than two sources the left one is known only
 * if every join so far uses the same column. */
static struct sql_expr *parse_using(struct parser *p, struct source_vec *sources,
                                    const struct sql_source *right) {
    struct sql_expr *on = NULL;
    struct name_vec names = {0};
    struct pos pos = p->token.pos;
    parse_name_list(p, &names);
    struct str first = names.list.items[0];
    bool is_same = sources->list.count == 1 || (names.list.count == 1 && sources->has_using &&
                                                str_equal_nocase(first, sources->using_column));
    if (!is_same)
        parse_not_modelled(p, pos, "USING after a join on something else is");
    for (size_t i = 0; i < names.list.count; i++) {
        struct str name = names.list.items[i];
        struct sql_expr *equal = parse_new_expr(p, SQL_BINARY, pos);
        equal->op = SQL_OP_EQ;
        VEC_PUSH(p->arena, &equal->args, make_column(p, pos, &sources->list.items[0], name));
        VEC_PUSH(p->arena, &equal->args, make_column(p, pos, right, name));
        equal = parse_done(p, equal);
        if (on != NULL) {
            struct sql_expr *both = parse_new_expr(p, SQL_BINARY, pos);
            both->op = SQL_OP_AND;
            VEC_PUSH(p->arena, &both->args, on);
            VEC_PUSH(p->arena, &both->args, equal);
            equal = parse_done(p, both);
        }
        on = equal;
    }
    sources->has_using = true;
    sources->using_column = names.list.count == 1 ? first : STR("");
    return on;
}

void parse_sources(struct parser *p, struct source_vec *sources) {
    enum sql_join_kind join = SQL_JOIN_CROSS;
    do {
        bool is_name = !parse_at_symbol(p, SYM1('('));
        struct sql_source source = parse_source(p);
        source.join = join;
        sources->has_with |= is_name && source.subquery != NULL;
        bool is_first = sources->list.count == 0;
        if (!is_first && join != SQL_JOIN_CROSS && parse_accept(p, "ON")) {
            source.on = parse_expr(p);
            sources->using_column = STR("");
        } else if (!is_first && join != SQL_JOIN_CROSS && parse_accept(p, "USING")) {
            source.on = parse_using(p, sources, &source);
        } else if (join == SQL_JOIN_LEFT) {
            parse_expected(p, "ON");
        } else if (join == SQL_JOIN_INNER) {
            if (p->dialect == SQL_POSTGRESQL)
                parse_expected(p, "ON");
            source.join = SQL_JOIN_CROSS;
        } else if (!is_first) {
            sources->using_column = STR("");
        }
        if (sources->list.count >= SQL_SOURCES_MAX)
            parse_fail(p, source.pos, "more than %d tables in one query", SQL_SOURCES_MAX);
        VEC_PUSH(p->arena, &sources->list, source);
    } while (parse_join_words(p, &join));
}

static struct sql_expr *copy_operand(struct parser *p, const struct sql_expr *expr) {
    return sql_copy_expr(p->arena, expr);
}

/* NULLS FIRST and LAST become a sort by x IS NULL before the sort by x. */
static void parse_nulls(struct parser *p, struct order_vec *items, const struct sql_order *order) {
    bool is_first = parse_accept(p, "FIRST");
    if (!is_first)
        parse_expect(p, "LAST");
    struct sql_expr *is_null = parse_new_expr(p, SQL_IS_NULL, order->expr->pos);
    struct sql_expr *operand = copy_operand(p, order->expr);
    VEC_PUSH(p->arena, &is_null->args, operand);
    struct sql_order by_null = {.expr = parse_done(p, is_null), .is_descending = is_first};
    VEC_PUSH(p->arena, &items->list, by_null);
}

void parse_order_by(struct parser *p, struct order_vec *items) {
    if (!parse_accept(p, "ORDER"))
        return;
    parse_expect(p, "BY");
    do {
        struct sql_order order = {.expr = parse_expr(p)};
        order.is_descending = parse_accept(p, "DESC");
        if (!order.is_descending)
            parse_accept(p, "ASC");
        parse_refuse(p, "USING", "ORDER BY ... USING is");
        if (parse_accept(p, "NULLS"))
            parse_nulls(p, items, &order);
        VEC_PUSH(p->arena, &items->list, order);
    } while (parse_accept_symbol(p, SYM1(',')));
}

/* Whether an expression can end before this token. */
static bool ends_limit(const struct token *token) {
    return token->kind != TOKEN_SYMBOL || token->symbol == SYM1(')') ||
           token->symbol == SYM1(';') || token->symbol == SYM1(',');
}

/* What stands for "no limit" where OFFSET cannot stand alone: MySQL's largest number, SQLite's
 * -1. */
static bool accept_no_limit(struct parser *p) {
    struct token next = parse_peek(p), after = parse_peek2(p);
    if (parse_accept(p, "ALL") || (ends_limit(&next) && parse_accept(p, "NULL")))
        return true;
    if (p->token.kind == TOKEN_NUMBER && ends_limit(&next) &&
        str_is(p->token.text, "18446744073709551615")) {
        parse_advance(p);
        return true;
    }
    if (p->dialect != SQL_SQLITE || !parse_at_symbol(p, SYM1('-')) || next.kind != TOKEN_NUMBER ||
        !str_is(next.text, "1") || !ends_limit(&after))
        return false;
    parse_advance(p);
    parse_advance(p);
    return true;
}

static void parse_offset(struct parser *p, struct sql_select *select) {
    select->offset = parse_operand(p);
    if (!parse_accept(p, "ROWS"))
        parse_accept(p, "ROW");
}

static void parse_limit(struct parser *p, struct sql_select *select) {
    if (!accept_no_limit(p))
        select->limit = parse_operand(p);
    if (parse_accept_symbol(p, SYM1(','))) {
        select->offset = select->limit;
        select->limit = accept_no_limit(p) ? NULL : parse_operand(p);
    }
}

/* FETCH FIRST n ROWS ONLY, with the word FETCH read. */
static void parse_fetch(struct parser *p, struct sql_select *select) {
    if (!parse_accept(p, "FIRST"))
        parse_expect(p, "NEXT");
    if (parse_at(p, "ROW") || parse_at(p, "ROWS")) {
        select->limit = parse_new_expr(p, SQL_LITERAL, p->token.pos);
        select->limit->literal = value_int(1);
    } else {
        select->limit = parse_operand(p);
    }
    if (!parse_accept(p, "ROWS"))
        parse_expect(p, "ROW");
    parse_refuse(p, "WITH", "WITH TIES is");
    parse_expect(p, "ONLY");
}

static void parse_lock_wait(struct parser *p, struct sql_select *select) {
    if (parse_accept(p, "NOWAIT"))
        select->lock_wait = SQL_NOWAIT;
    else if (parse_accept2(p, "SKIP", "LOCKED"))
        select->lock_wait = SQL_SKIP_LOCKED;
    parse_refuse(p, "WAIT", "WAIT n is");
}

static void parse_lock_options(struct parser *p, struct sql_select *select) {
    if (parse_accept(p, "OF")) {
        struct name_vec names = {0};
        do {
            struct str name = parse_name(p, "a table's name");
            VEC_PUSH(p->arena, &names.list, name);
        } while (parse_accept_symbol(p, SYM1(',')));
        VEC_MOVE(&select->lock_of, &names);
    }
    parse_lock_wait(p, select);
}

static enum sql_lock parse_lock_strength(struct parser *p) {
    if (parse_accept(p, "UPDATE"))
        return SQL_LOCK_UPDATE;
    if (parse_accept(p, "SHARE"))
        return SQL_LOCK_SHARE;
    if (parse_accept2(p, "KEY", "SHARE"))
        return SQL_LOCK_KEY_SHARE;
    if (parse_accept2(p, "NO", "KEY")) {
        parse_expect(p, "UPDATE");
        return SQL_LOCK_NO_KEY_UPDATE;
    }
    parse_expected(p, "UPDATE, NO KEY UPDATE, SHARE or KEY SHARE");
    return SQL_LOCK_UPDATE;
}

/* LIMIT, OFFSET, FETCH and the lock clause, which PostgreSQL takes in any order. */
static void parse_tail(struct parser *p, struct sql_select *select) {
    for (;;) {
        struct pos pos = p->token.pos;
        bool had_limit = select->limit != NULL, had_lock = select->lock != SQL_LOCK_NONE;
        if (parse_accept(p, "LIMIT")) {
            parse_limit(p, select);
        } else if (parse_accept(p, "OFFSET")) {
            had_limit = select->offset != NULL;
            parse_offset(p, select);
        } else if (parse_accept(p, "FETCH")) {
            parse_fetch(p, select);
        } else if (parse_accept(p, "FOR")) {
            had_limit = false;
            select->lock = parse_lock_strength(p);
            parse_lock_options(p, select);
            if (had_lock)
                parse_not_modelled(p, pos, "a second lock clause is");
            continue;
        } else if (parse_accept(p, "LOCK")) {
            parse_expect(p, "IN");
            parse_expect(p, "SHARE");
            parse_expect(p, "MODE");
            select->lock = SQL_LOCK_SHARE;
            parse_lock_wait(p, select); /* MariaDB */
            if (had_lock)
                parse_not_modelled(p, pos, "a second lock clause is");
            continue;
        } else {
            return;
        }
        if (had_limit)
            parse_fail(p, pos, "this clause stands twice");
    }
}

static void refuse_set_operation(struct parser *p) {
    parse_refuse(p, "UNION", "UNION is");
    parse_refuse(p, "INTERSECT", "INTERSECT is");
    parse_refuse(p, "EXCEPT", "EXCEPT is");
    parse_refuse(p, "WINDOW", "WINDOW is");
    parse_refuse(p, "INTO", "SELECT INTO is");
}

static void parse_head(struct parser *p, struct sql_select *select, struct item_vec *items) {
    parse_expect(p, "SELECT");
    select->is_distinct = parse_accept(p, "DISTINCT");
    if (select->is_distinct)
        parse_refuse(p, "ON", "DISTINCT ON is");
    else
        parse_accept(p, "ALL");
    if (p->dialect == SQL_MYSQL && !parse_accept(p, "SQL_NO_CACHE"))
        parse_refuse(p, "SQL_CALC_FOUND_ROWS", "SQL_CALC_FOUND_ROWS is");
    parse_items(p, items);
    refuse_set_operation(p);
}

static void refuse_star_over_using(struct parser *p, const struct sql_select *select) {
    for (size_t i = 0; i < select->items.count; i++)
        if (select->items.items[i].expr == NULL && select->items.items[i].star_of.len == 0)
            parse_not_modelled(p, select->pos, "SELECT * over JOIN ... USING is");
}

static void parse_group_by(struct parser *p, struct sql_select *select) {
    parse_expect(p, "BY");
    do {
        struct sql_expr *expr = parse_expr(p);
        VEC_PUSH(p->arena, &select->group_by, expr);
    } while (parse_accept_symbol(p, SYM1(',')));
    parse_refuse(p, "WITH", "WITH ROLLUP is");
}

static void set_height(struct sql_select *select) {
    for (size_t i = 0; i < select->items.count; i++)
        count_height(select, select->items.items[i].expr);
    for (size_t i = 0; i < select->sources.count; i++) {
        const struct sql_source *source = &select->sources.items[i];
        count_height(select, source->on);
        if (source->subquery != NULL)
            raise_height(select, source->subquery->height + 1u);
    }
    for (size_t i = 0; i < select->group_by.count; i++)
        count_height(select, select->group_by.items[i]);
    for (size_t i = 0; i < select->order_by.count; i++)
        count_height(select, select->order_by.items[i].expr);
    count_height(select, select->where);
    count_height(select, select->having);
    count_height(select, select->limit);
    count_height(select, select->offset);
}

static void parse_clauses(struct parser *p, struct sql_select *select) {
    struct item_vec items = {0};
    struct source_vec sources = {0};
    struct order_vec order = {0};
    parse_head(p, select, &items);
    VEC_MOVE(&select->items, &items);
    if (parse_accept(p, "FROM"))
        parse_sources(p, &sources);
    VEC_MOVE(&select->sources, &sources);
    if (sources.has_using)
        refuse_star_over_using(p, select);
    if (parse_accept(p, "WHERE"))
        select->where = parse_expr(p);
    if (parse_accept(p, "GROUP"))
        parse_group_by(p, select);
    if (parse_accept(p, "HAVING"))
        select->having = parse_expr(p);
    refuse_set_operation(p);
    parse_order_by(p, &order);
    VEC_MOVE(&select->order_by, &order);
    parse_tail(p, select);
    /* It would mean the rows of a subquery in FROM, but not of a WITH query, which is printed as one. */
    if (sources.has_with && select->lock != SQL_LOCK_NONE && select->lock_of.count == 0)
        parse_not_modelled(p, select->pos, "a lock clause without OF over a WITH query is");
    refuse_set_operation(p);
}

struct sql_select *parse_select(struct parser *p) {
    struct sql_select *select = ARENA_NEW(p->arena, struct sql_select);
    select->pos = p->token.pos;
    if (parse_enter(p)) {
        p->select_depth++;
        struct with_query *with = parse_with(p);
        if (parse_at_symbol(p, SYM1('(')))
            parse_not_modelled(p, p->token.pos, "SELECT in parentheses is");
        parse_clauses(p, select);
        parse_with_end(p, with);
        for (size_t i = 0; i < select->sources.count; i++)
            if (select->sources.items[i].subquery != NULL &&
                select->sources.items[i].subquery->height >= SQL_HEIGHT_MAX) {
                parse_fail(p, select->pos, "query has more than %d levels", SQL_HEIGHT_MAX);
                return select;
            }
        set_height(select);
        p->select_depth--;
    }
    parse_leave(p);
    return select;
}
