/* CREATE TABLE and CREATE INDEX. What says how rows are stored (ENGINE, COLLATE, fillfactor,
 * USING btree) is read over; what changes which rows are allowed is read or refused. */
#include "sql/parse.h"

#include "base/assert.h"

static enum fk_action parse_fk_action(struct parser *p) {
    if (parse_accept2(p, "NO", "ACTION"))
        return FK_NO_ACTION;
    if (parse_accept(p, "RESTRICT"))
        return FK_RESTRICT;
    if (parse_accept(p, "CASCADE"))
        return FK_CASCADE;
    if (parse_accept2(p, "SET", "NULL"))
        return FK_SET_NULL;
    if (parse_accept2(p, "SET", "DEFAULT"))
        return FK_SET_DEFAULT;
    parse_expected(p, "NO ACTION, RESTRICT, CASCADE, SET NULL or SET DEFAULT");
    return FK_NO_ACTION;
}

static void parse_deferrable(struct parser *p, struct sql_fk_def *fk) {
    if (parse_accept2(p, "NOT", "DEFERRABLE"))
        fk->is_deferrable = false;
    else if (parse_accept(p, "DEFERRABLE"))
        fk->is_deferrable = true;
    if (!parse_accept(p, "INITIALLY"))
        return;
    fk->is_deferred = parse_accept(p, "DEFERRED");
    if (!fk->is_deferred)
        parse_expect(p, "IMMEDIATE");
    fk->is_deferrable |= fk->is_deferred;
}

/* REFERENCES parent [(columns)] and what follows, with the columns of the child already in `fk`. */
static void parse_references(struct parser *p, struct sql_fk_def *fk) {
    struct name_vec names = {0};
    parse_expect(p, "REFERENCES");
    fk->parent = parse_table_name(p);
    if (parse_at_symbol(p, SYM1('(')))
        parse_name_list(p, &names);
    VEC_MOVE(&fk->parent_columns, &names);
    for (;;) {
        struct token next = parse_peek(p);
        if (parse_at(p, "ON") && token_is_word(&next, "DELETE")) {
            parse_advance(p);
            parse_advance(p);
            fk->on_delete = (uint8_t)parse_fk_action(p);
        } else if (parse_at(p, "ON") && token_is_word(&next, "UPDATE")) {
            parse_advance(p);
            parse_advance(p);
            fk->on_update = (uint8_t)parse_fk_action(p);
        } else if (parse_at(p, "MATCH")) {
            parse_advance(p);
            if (!parse_accept(p, "SIMPLE"))
                parse_not_modelled(p, p->token.pos, "MATCH other than SIMPLE is");
        } else {
            break;
        }
    }
    parse_deferrable(p, fk);
}

/* A prefix of a column, or an order or class of an index column. */
static void parse_key_column_tail(struct parser *p, bool is_unique) {
    if (parse_at_symbol(p, SYM1('('))) {
        if (is_unique)
            parse_not_modelled(p, p->token.pos, "a unique key on a part of a column is");
        parse_advance(p);
        if (p->token.kind != TOKEN_NUMBER)
            parse_not_modelled(p, p->token.pos, "an index on an expression is");
        parse_advance(p);
        parse_expect_symbol(p, SYM1(')'));
    }
    if (parse_accept(p, "COLLATE"))
        parse_name(p, "a collation");
    if (!parse_at(p, "ASC") && !parse_at(p, "DESC") && !parse_at(p, "NULLS") && parse_at_name(p))
        parse_name(p, "an operator class");
    if (!parse_accept(p, "ASC"))
        parse_accept(p, "DESC");
    if (parse_accept(p, "NULLS") && !parse_accept(p, "FIRST"))
        parse_expect(p, "LAST");
}

static void parse_key_columns(struct parser *p, struct sql_key_def *key) {
    parse_expect_symbol(p, SYM1('('));
    do {
        if (parse_at_symbol(p, SYM1('(')))
            parse_not_modelled(p, p->token.pos, "an index on an expression is");
        struct str name = parse_name(p, "a column's name");
        VEC_PUSH(p->arena, &key->columns, name);
        parse_key_column_tail(p, key->is_unique);
    } while (parse_accept_symbol(p, SYM1(',')));
    parse_expect_symbol(p, SYM1(')'));
}

static void parse_using_method(struct parser *p) {
    if (parse_accept(p, "USING"))
        parse_name(p, "an index method");
}

/* Columns that an index holds besides its key's: no row is found by them. */
static void skip_include(struct parser *p) {
    struct name_vec names = {0};
    if (parse_accept(p, "INCLUDE"))
        parse_name_list(p, &names);
}

/* A unique constraint that is checked late would need state that struct key does not have. */
static void refuse_deferrable(struct parser *p) {
    struct token next = parse_peek(p);
    if (parse_at(p, "NOT") && token_is_word(&next, "DEFERRABLE")) {
        parse_advance(p);
        parse_advance(p);
    }
    parse_refuse(p, "DEFERRABLE", "a deferrable key is");
}

static struct sql_expr *parse_check(struct parser *p) {
    parse_expect_symbol(p, SYM1('('));
    struct sql_expr *expr = parse_expr(p);
    parse_expect_symbol(p, SYM1(')'));
    if (parse_accept(p, "NO"))
        parse_expect(p, "INHERIT");
    return expr;
}

static void parse_identity(struct parser *p, struct sql_column_def *column) {
    struct pos pos = p->token.pos;
    if (!parse_accept(p, "ALWAYS")) {
        parse_expect(p, "BY");
        parse_expect(p, "DEFAULT");
    }
    parse_expect(p, "AS");
    if (!parse_accept(p, "IDENTITY"))
        parse_not_modelled(p, pos, "a generated column is");
    if (parse_at_symbol(p, SYM1('(')))
        parse_not_modelled(p, p->token.pos, "options of a sequence are");
    column->is_serial = true;
}

static bool is_type(struct str type, const char *name) {
    return str_equal_nocase(type, str_from_c(name));
}

/* INTEGER PRIMARY KEY is SQLite's row id and fills itself; with DESC after it it is a plain column
 * (SQLite, "ROWIDs and the INTEGER PRIMARY KEY"). */
static void parse_column_primary(struct parser *p, struct sql_column_def *column) {
    parse_expect(p, "KEY");
    column->is_primary = true;
    bool is_descending = parse_accept(p, "DESC");
    if (!is_descending)
        parse_accept(p, "ASC");
    if (p->dialect == SQL_SQLITE && is_type(column->type_text, "integer") && !is_descending)
        column->is_serial = true;
    refuse_deferrable(p);
}

static void parse_column_default(struct parser *p, struct sql_column_def *column) {
    struct pos pos = p->token.pos;
    column->default_expr = parse_operand(p);
    if (column->default_expr->kind == SQL_CALL && str_is(column->default_expr->name, "NEXTVAL")) {
        column->default_expr = NULL;
        column->is_serial = true;
    }
    if (parse_at(p, "ON"))
        parse_not_modelled(p, pos, "ON UPDATE of a column is");
}

/* A column's constraint with its first word read; the word is known to start one. */
static bool parse_column_constraint(struct parser *p, struct sql_column_def *column) {
    if (parse_accept2(p, "NOT", "NULL")) {
        column->not_null = true;
    } else if (parse_accept(p, "NULL")) {
        column->not_null = false;
    } else if (parse_accept(p, "PRIMARY")) {
        parse_column_primary(p, column);
    } else if (parse_accept(p, "UNIQUE")) {
        parse_accept(p, "KEY");
        column->is_unique = true;
        refuse_deferrable(p);
    } else if (parse_accept(p, "DEFAULT")) {
        parse_column_default(p, column);
    } else if (parse_accept(p, "CHECK")) {
        column->check = parse_check(p);
    } else if (parse_accept(p, "GENERATED")) {
        parse_identity(p, column);
    } else if (parse_accept(p, "AUTO_INCREMENT") || parse_accept(p, "AUTOINCREMENT")) {
        column->is_serial = true;
    } else if (parse_at(p, "REFERENCES")) {
        column->references = ARENA_NEW(p->arena, struct sql_fk_def);
        column->references->pos = p->token.pos;
        VEC_PUSH(p->arena, &column->references->columns, column->name);
        parse_references(p, column->references);
    } else if (parse_accept(p, "COLLATE")) {
        parse_name(p, "a collation");
    } else if (parse_accept2(p, "CHARACTER", "SET") || parse_accept(p, "CHARSET")) {
        parse_name(p, "a character set");
    } else if (parse_accept(p, "COMMENT") && p->token.kind == TOKEN_STRING) {
        parse_advance(p);
    } else {
        return false;
    }
    return true;
}

static bool is_serial_type(struct str type) {
    return is_type(type, "serial") || is_type(type, "bigserial") || is_type(type, "smallserial");
}

/* A constraint of a column, if there is one. A column has room for one of a kind, a foreign key
 * alone with its name; others become the table's. */
static bool parse_one_constraint(struct parser *p, struct sql_create *create,
                                 struct sql_column_def *column) {
    struct sql_expr *old_check = column->check;
    struct sql_fk_def *old_references = column->references;
    bool old_unique = column->is_unique, has_name = parse_accept(p, "CONSTRAINT");
    struct str name = has_name ? parse_name(p, "a constraint's name") : STR("");
    bool is_key = parse_at(p, "UNIQUE");
    column->check = NULL;
    column->references = NULL;
    bool is_constraint = parse_column_constraint(p, column);
    if (has_name && !is_constraint)
        parse_expected(p, "a constraint");
    if (is_key && name.len > 0) {
        struct sql_key_def key = {.pos = column->pos, .name = name, .is_unique = true};
        VEC_PUSH(p->arena, &key.columns, column->name);
        VEC_PUSH(p->arena, &create->keys, key);
        column->is_unique = old_unique;
    }
    if (column->check != NULL && (name.len > 0 || old_check != NULL)) {
        struct sql_check_def check = {name, column->check};
        VEC_PUSH(p->arena, &create->checks, check);
        column->check = NULL;
    }
    if (column->references != NULL) {
        column->references->name = name;
        if (old_references != NULL)
            VEC_PUSH(p->arena, &create->foreign_keys, *column->references);
    }
    if (old_check != NULL)
        column->check = old_check;
    if (old_references != NULL)
        column->references = old_references;
    return is_constraint;
}

static void parse_column_def(struct parser *p, struct sql_create *create) {
    struct sql_column_def column = {.pos = p->token.pos};
    column.name = parse_name(p, "a column's name");
    bool has_type = p->token.kind == TOKEN_WORD &&
                    (parse_at_name(p) || parse_at(p, "INTERVAL") || parse_at(p, "BINARY"));
    if (has_type) /* SQLite's may have none */
        column.type_text = parse_type(p);
    column.is_serial = is_serial_type(column.type_text);
    while (parse_one_constraint(p, create, &column))
        continue;
    if (parse_at(p, "ON"))
        parse_not_modelled(p, p->token.pos, "ON UPDATE of a column is");
    VEC_PUSH(p->arena, &create->columns, column);
}

static void parse_table_fk(struct parser *p, struct sql_create *create, struct str name) {
    struct sql_fk_def fk = {.pos = p->token.pos, .name = name};
    struct name_vec names = {0};
    parse_advance(p);
    parse_expect(p, "KEY");
    if (!parse_at_symbol(p, SYM1('(')))
        fk.name = parse_name(p, "(");
    parse_name_list(p, &names);
    VEC_MOVE(&fk.columns, &names);
    parse_references(p, &fk);
    VEC_PUSH(p->arena, &create->foreign_keys, fk);
}

/* PRIMARY KEY (...), UNIQUE [KEY] [name] (...), KEY [name] (...): the first word read. */
static void parse_table_key(struct parser *p, struct sql_create *create, struct sql_key_def key) {
    if (key.is_primary)
        parse_expect(p, "KEY");
    else if (key.is_unique && !parse_accept(p, "KEY"))
        parse_accept(p, "INDEX");
    if (parse_at(p, "NULLS"))
        parse_not_modelled(p, p->token.pos, "NULLS NOT DISTINCT is");
    parse_using_method(p);
    if (!key.is_primary && parse_at_name(p))
        key.name = parse_name(p, "a key's name");
    parse_using_method(p);
    parse_key_columns(p, &key);
    parse_using_method(p);
    skip_include(p);
    refuse_deferrable(p);
    VEC_PUSH(p->arena, &create->keys, key);
}

/* A constraint or key among the columns. False: it is a column. */
static bool parse_table_constraint(struct parser *p, struct sql_create *create) {
    struct token next = parse_peek(p);
    struct sql_key_def key = {.pos = p->token.pos};
    bool has_name = parse_accept(p, "CONSTRAINT");
    if (has_name)
        key.name = parse_name(p, "a constraint's name");
    if (parse_accept(p, "PRIMARY")) {
        key.is_primary = key.is_unique = true;
        parse_table_key(p, create, key);
    } else if (parse_accept(p, "UNIQUE")) {
        key.is_unique = true;
        parse_table_key(p, create, key);
    } else if (parse_at(p, "FOREIGN")) {
        parse_table_fk(p, create, key.name);
    } else if (parse_accept(p, "CHECK")) {
        struct sql_check_def check = {key.name, parse_check(p)};
        VEC_PUSH(p->arena, &create->checks, check);
    } else if (has_name) {
        parse_expected(p, "PRIMARY KEY, UNIQUE, FOREIGN KEY or CHECK");
    } else {
        struct token after = parse_peek2(p);
        /* Elsewhere than in MySQL `index a (7)` is a column of type a(7): no type is quoted,
         * though. */
        bool is_named =
            after.symbol == SYM1('(') && (p->dialect == SQL_MYSQL || next.kind == TOKEN_QUOTED);
        bool is_key =
            (parse_at(p, "KEY") || parse_at(p, "INDEX")) && (next.symbol == SYM1('(') || is_named);
        if (!has_name &&
            (parse_at(p, "FULLTEXT") || parse_at(p, "SPATIAL") || parse_at(p, "EXCLUDE")) &&
            next.kind == TOKEN_WORD &&
            (token_is_word(&next, "KEY") || token_is_word(&next, "INDEX") ||
             token_is_word(&next, "USING")))
            parse_not_modelled(p, p->token.pos, "this kind of key is");
        if (!is_key)
            return false;
        parse_advance(p);
        parse_table_key(p, create, key);
    }
    return true;
}

/* ENGINE=InnoDB DEFAULT CHARSET=utf8mb4, WITH (fillfactor = 70), WITHOUT ROWID. */
static void skip_table_options(struct parser *p) {
    static const char *const refused[] = {"AS", "SELECT", "PARTITION", "INHERITS", "LIKE", "UNION"};
    size_t depth = 0;
    while (p->token.kind != TOKEN_END && !parse_at_symbol(p, SYM1(';'))) {
        for (size_t i = 0; i < LW_COUNT_OF(refused); i++)
            if (parse_at(p, refused[i]))
                parse_fail(p, p->token.pos, "%s in CREATE TABLE is not modelled", refused[i]);
        if (parse_at_symbol(p, SYM1('(')))
            depth++;
        else if (parse_at_symbol(p, SYM1(')')) && depth-- == 0)
            parse_expected(p, "the end");
        else if (p->token.kind == TOKEN_SYMBOL && !parse_at_symbol(p, SYM1(')')) &&
                 !parse_at_symbol(p, SYM1('=')) && !parse_at_symbol(p, SYM1(',')))
            parse_expected(p, "a table option");
        parse_advance(p);
    }
    if (depth > 0)
        parse_expected(p, ")");
}

static void parse_if_not_exists(struct parser *p, struct sql_create *create) {
    if (!parse_accept(p, "IF"))
        return;
    parse_expect(p, "NOT");
    parse_expect(p, "EXISTS");
    create->if_not_exists = true;
}

static void parse_create_table(struct parser *p, struct sql_create *create) {
    p->holder->kind = SQL_STMT_CREATE_TABLE;
    parse_if_not_exists(p, create);
    create->table = parse_table_name(p);
    if (parse_at(p, "AS") || parse_at(p, "SELECT") || parse_at(p, "LIKE") || parse_at(p, "OF"))
        parse_not_modelled(p, p->token.pos, "CREATE TABLE from something else is");
    parse_expect_symbol(p, SYM1('('));
    do {
        parse_refuse(p, "LIKE", "LIKE in CREATE TABLE is");
        if (!parse_table_constraint(p, create))
            parse_column_def(p, create);
    } while (parse_accept_symbol(p, SYM1(',')));
    parse_expect_symbol(p, SYM1(')'));
    skip_table_options(p);
}

static void parse_create_index(struct parser *p, struct sql_create *create, bool is_unique) {
    struct sql_key_def key = {.pos = p->token.pos, .is_unique = is_unique};
    p->holder->kind = SQL_STMT_CREATE_INDEX;
    create->is_index = true;
    parse_accept(p, "CONCURRENTLY");
    parse_if_not_exists(p, create);
    if (!parse_at(p, "ON"))
        key.name = parse_name(p, "an index's name");
    parse_using_method(p);
    parse_expect(p, "ON");
    struct token next = parse_peek(p);
    if (parse_at(p, "ONLY") && next.kind == TOKEN_WORD && !token_is_word(&next, "USING"))
        parse_not_modelled(p, p->token.pos, "ONLY is");
    create->table = parse_table_name(p);
    parse_using_method(p);
    parse_key_columns(p, &key);
    parse_using_method(p);
    skip_include(p);
    if (parse_at(p, "NULLS"))
        parse_not_modelled(p, p->token.pos, "NULLS NOT DISTINCT is");
    if (parse_accept(p, "WITH") || parse_accept(p, "TABLESPACE"))
        parse_not_modelled(p, p->token.pos, "an index option is");
    if (parse_accept(p, "WHERE"))
        key.where = parse_expr(p);
    VEC_PUSH(p->arena, &create->keys, key);
}

void parse_create(struct parser *p) {
    struct sql_create *create = ARENA_NEW(p->arena, struct sql_create);
    p->holder->create = create;
    p->holder->kind = SQL_STMT_CREATE_TABLE;
    parse_advance(p);
    if (parse_at(p, "TEMP") || parse_at(p, "TEMPORARY") || parse_at(p, "UNLOGGED"))
        parse_fail(p, p->token.pos, "a %.*s table is not modelled", STR_ARG(p->token.text));
    bool is_unique = parse_accept(p, "UNIQUE");
    if (parse_accept(p, "INDEX"))
        parse_create_index(p, create, is_unique);
    else if (!is_unique && parse_accept(p, "TABLE"))
        parse_create_table(p, create);
    else if (p->token.kind == TOKEN_WORD)
        parse_fail(p, p->token.pos, "CREATE %.*s is not modelled", STR_ARG(p->token.text));
    else
        parse_expected(p, "TABLE or INDEX");
    /* A schema outlives the statement, and with it whatever would name the value. */
    if (p->holder->hosts.count > 0)
        parse_fail(p, p->holder->hosts.items[0].pos, "a host value cannot stand in CREATE");
}

/* ALTER TABLE t ADD [CONSTRAINT name] PRIMARY KEY (...): like an index that is made later. */
void parse_alter(struct parser *p) {
    struct sql_create *create = ARENA_NEW(p->arena, struct sql_create);
    struct sql_key_def key = {.is_primary = true, .is_unique = true};
    struct pos pos = p->token.pos;
    p->holder->kind = SQL_STMT_CREATE_INDEX;
    p->holder->create = create;
    parse_advance(p);
    bool is_add = parse_accept(p, "TABLE");
    if (is_add && !p->has_failed)
        create->table = parse_table_name(p);
    is_add = is_add && parse_accept(p, "ADD");
    if (is_add && parse_accept(p, "CONSTRAINT"))
        key.name = parse_name(p, "a constraint's name");
    if (!is_add || !parse_at(p, "PRIMARY"))
        parse_not_modelled(p, pos, "ALTER other than ALTER TABLE ... ADD PRIMARY KEY is");
    key.pos = p->token.pos;
    parse_expect(p, "PRIMARY");
    create->is_index = true;
    parse_table_key(p, create, key);
}
