/* WITH queries that only read. Where one is named it is read as if it stood there, a subquery in FROM: its text is parsed
 * at that place, with the WITH queries that stand before it. It must be named once, so that it is run once.
 */
#include "sql/parse.h"

/* Passes over what stands in parentheses, up to the closing one. */
static void skip_body(struct parser *p) {
    for (unsigned depth = 0; p->token.kind != TOKEN_END; parse_advance(p)) {
        if (parse_at_symbol(p, SYM1('(')))
            depth++;
        else if (parse_at_symbol(p, SYM1(')')) && depth-- == 0)
            return;
    }
}

static void parse_with_query(struct parser *p) {
    struct with_query *query = ARENA_NEW(p->arena, struct with_query);
    struct name_vec columns = {0};
    query->pos = p->token.pos;
    query->name = parse_name(p, "a name for the query");
    if (parse_at_symbol(p, SYM1('(')))
        parse_name_list(p, &columns);
    query->columns = columns.list.items;
    query->column_count = columns.list.count;
    parse_expect(p, "AS");
    parse_accept(p, "NOT");
    parse_accept(p, "MATERIALIZED");
    parse_expect_symbol(p, SYM1('('));
    if (!parse_at(p, "SELECT") && !parse_at(p, "WITH"))
        parse_not_modelled(p, p->token.pos, "a WITH query other than SELECT is");
    query->lexer = p->lexer;
    query->token = p->token;
    skip_body(p);
    parse_expect_symbol(p, SYM1(')'));
    query->before = p->with;
    p->with = query;
}

struct with_query *parse_with(struct parser *p) {
    struct with_query *before = p->with;
    if (p->dialect == SQL_MYSQL)
        parse_refuse(p, "WITH", "WITH queries are");
    if (!parse_accept(p, "WITH"))
        return before;
    parse_refuse(p, "RECURSIVE", "WITH RECURSIVE is");
    do
        parse_with_query(p);
    while (parse_accept_symbol(p, SYM1(',')));
    return before;
}

void parse_with_end(struct parser *p, struct with_query *before) {
    for (const struct with_query *query = p->with; query != before && !p->has_failed;
         query = query->before)
        if (!query->is_used)
            parse_not_modelled(p, query->pos, "a WITH query that is not used is");
    p->with = before;
}

static struct with_query *find_query(const struct parser *p, struct str name) {
    struct with_query *query = p->with;
    while (query != NULL && !str_equal(query->name, name))
        query = query->before;
    return query;
}

/* WITH q (a, b) AS ...: the items bear these names. */
static void name_columns(struct parser *p, const struct with_query *query,
                         struct sql_select *select) {
    for (size_t i = 0; i < query->column_count; i++) {
        if (i >= select->items.count)
            parse_fail(p, query->pos, "the query has %u columns, and there are %zu names for them",
                       select->items.count, query->column_count);
        else if (select->items.items[i].expr == NULL)
            parse_not_modelled(p, query->pos, "names for the columns of a * are");
        else
            select->items.items[i].alias = query->columns[i];
    }
}

bool parse_with_source(struct parser *p, struct sql_source *source) {
    struct token next = parse_peek(p);
    if (p->with == NULL || !parse_at_name(p) || next.symbol == SYM1('.') ||
        next.symbol == SYM1('('))
        return false;
    struct lexer lexer = p->lexer;
    struct token token = p->token;
    struct str name = parse_name(p, "a table's name");
    struct with_query *query = find_query(p, name);
    if (query == NULL) {
        p->lexer = lexer;
        p->token = token;
        return false;
    }
    if (query->is_used)
        parse_not_modelled(p, source->pos, "a WITH query that is used twice is");
    query->is_used = true;
    if (p->has_failed)
        return true;
    struct with_query *with = p->with;
    lexer = p->lexer;
    token = p->token;
    p->lexer = query->lexer;
    p->token = query->token;
    p->with = query->before;
    source->subquery = parse_select(p);
    name_columns(p, query, source->subquery);
    parse_expect_symbol(p, SYM1(')'));
    p->with = with;
    if (p->has_failed)
        return true;
    p->lexer = lexer;
    p->token = token;
    source->alias = parse_alias(p);
    if (source->alias.len == 0)
        source->alias = name;
    return true;
}
