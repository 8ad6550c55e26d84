/* Transaction control, SET, LOCK TABLE. */
#include "sql/parse.h"

#include "base/assert.h"

static struct sql_transaction *new_transaction(struct parser *p, enum sql_stmt_kind kind) {
    p->holder->kind = kind;
    p->holder->transaction = ARENA_NEW(p->arena, struct sql_transaction);
    return p->holder->transaction;
}

static enum sql_isolation parse_level(struct parser *p) {
    if (parse_accept2(p, "READ", "UNCOMMITTED"))
        return SQL_READ_UNCOMMITTED;
    if (parse_accept2(p, "READ", "COMMITTED"))
        return SQL_READ_COMMITTED;
    if (parse_accept2(p, "REPEATABLE", "READ"))
        return SQL_REPEATABLE_READ;
    if (parse_accept(p, "SERIALIZABLE"))
        return SQL_SERIALIZABLE;
    parse_expected(p, "an isolation level");
    return SQL_ISOLATION_DEFAULT;
}

/* One mode after BEGIN or SET TRANSACTION; false if there is none. */
static bool parse_mode(struct parser *p, struct sql_transaction *transaction) {
    if (parse_accept(p, "ISOLATION")) {
        parse_expect(p, "LEVEL");
        transaction->isolation = parse_level(p);
    } else if (parse_accept2(p, "READ", "ONLY")) {
        transaction->is_read_only = true;
    } else if (parse_accept2(p, "READ", "WRITE")) {
        transaction->is_read_only = false;
    } else if (parse_accept(p, "DEFERRABLE")) {
        transaction->is_deferrable = true;
    } else if (parse_accept2(p, "NOT", "DEFERRABLE")) {
        transaction->is_deferrable = false;
    } else if (parse_accept2(p, "WITH", "CONSISTENT")) {
        parse_expect(p, "SNAPSHOT");
        transaction->with_snapshot = true;
    } else {
        return false;
    }
    return true;
}

/* Modes with or without commas between them. */
static void parse_modes(struct parser *p, struct sql_transaction *transaction, bool is_needed) {
    bool has_comma = false;
    while (parse_mode(p, transaction)) {
        is_needed = false;
        has_comma = parse_accept_symbol(p, SYM1(','));
    }
    if (is_needed || has_comma)
        parse_expected(p, "ISOLATION LEVEL, READ ONLY or READ WRITE");
}

void parse_begin(struct parser *p) {
    struct sql_transaction *transaction = new_transaction(p, SQL_STMT_BEGIN);
    if (parse_accept(p, "START")) {
        parse_expect(p, "TRANSACTION");
        parse_modes(p, transaction, false);
        return;
    }
    parse_advance(p);
    if (parse_accept(p, "DEFERRED"))
        transaction->begin_mode = SQL_BEGIN_DEFERRED;
    else if (parse_accept(p, "IMMEDIATE"))
        transaction->begin_mode = SQL_BEGIN_IMMEDIATE;
    else if (parse_accept(p, "EXCLUSIVE"))
        transaction->begin_mode = SQL_BEGIN_EXCLUSIVE;
    if (!parse_accept(p, "TRANSACTION"))
        parse_accept(p, "WORK");
    parse_modes(p, transaction, false);
}

static void parse_chain(struct parser *p) {
    if (parse_accept(p, "AND")) {
        parse_refuse(p, "CHAIN", "AND CHAIN is");
        parse_expect(p, "NO");
        parse_expect(p, "CHAIN");
    }
    if (parse_accept(p, "NO"))
        parse_expect(p, "RELEASE");
    parse_refuse(p, "RELEASE", "RELEASE after COMMIT or ROLLBACK is");
}

static void parse_savepoint_name(struct parser *p, enum sql_stmt_kind kind) {
    new_transaction(p, kind)->savepoint = parse_name(p, "a savepoint's name");
}

/* Two-phase commit: the name, a text. */
static void parse_prepared_name(struct parser *p, enum sql_stmt_kind kind) {
    struct sql_transaction *transaction = new_transaction(p, kind);
    if (p->token.kind != TOKEN_STRING)
        parse_expected(p, "the transaction's name as a text");
    transaction->savepoint = p->token.text;
    parse_advance(p);
}

void parse_prepare_transaction(struct parser *p) {
    parse_prepared_name(p, SQL_STMT_PREPARE_TRANSACTION);
}

void parse_end(struct parser *p) {
    if (parse_accept(p, "SAVEPOINT")) {
        parse_savepoint_name(p, SQL_STMT_SAVEPOINT);
        return;
    }
    if (parse_accept(p, "RELEASE")) {
        parse_accept(p, "SAVEPOINT");
        parse_savepoint_name(p, SQL_STMT_RELEASE);
        return;
    }
    bool is_commit = parse_accept(p, "COMMIT") || parse_accept(p, "END");
    if (!is_commit)
        parse_advance(p);
    if (parse_accept(p, "PREPARED")) {
        parse_prepared_name(p, is_commit ? SQL_STMT_COMMIT_PREPARED : SQL_STMT_ROLLBACK_PREPARED);
        return;
    }
    if (!parse_accept(p, "TRANSACTION"))
        parse_accept(p, "WORK");
    if (!is_commit && parse_accept(p, "TO")) {
        parse_accept(p, "SAVEPOINT");
        parse_savepoint_name(p, SQL_STMT_ROLLBACK_TO);
        return;
    }
    new_transaction(p, is_commit ? SQL_STMT_COMMIT : SQL_STMT_ROLLBACK);
    parse_chain(p);
}

static struct str lower_case(struct parser *p, struct str text) {
    char *lower = str_to_c(p->arena, text);
    for (size_t i = 0; i < text.len; i++)
        if (lower[i] >= 'A' && lower[i] <= 'Z')
            lower[i] = (char)(lower[i] - 'A' + 'a');
    return (struct str){lower, text.len};
}

/* Words are their text (on, off, utf8mb4), anything else is an expression. */
static struct sql_expr *parse_set_value(struct parser *p) {
    struct pos pos = p->token.pos;
    struct token next = parse_peek(p);
    bool is_last = next.kind == TOKEN_END || next.symbol == SYM1(';') || next.symbol == SYM1(',');
    if (parse_at(p, "DEFAULT")) {
        parse_advance(p);
        return parse_new_expr(p, SQL_DEFAULT, pos);
    }
    bool is_literal = parse_at(p, "TRUE") || parse_at(p, "FALSE") || parse_at(p, "NULL");
    bool is_word = p->token.kind == TOKEN_WORD && !is_literal;
    if ((is_word || p->token.kind == TOKEN_QUOTED) && is_last) {
        struct str word = is_word ? lower_case(p, p->token.text) : p->token.text;
        parse_advance(p);
        return parse_text_literal(p, pos, word);
    }
    return parse_expr(p);
}

static struct str parse_variable_name(struct parser *p, struct sql_set *set) {
    struct str name = p->token.text;
    if (p->token.kind == TOKEN_VARIABLE) {
        size_t dot = str_find(name, '.', 0);
        struct str scope = str_sub(name, 0, dot);
        set->is_global = dot < name.len && str_equal_nocase(scope, STR("global"));
        if (dot < name.len && !set->is_global && !str_equal_nocase(scope, STR("session")) &&
            !str_equal_nocase(scope, STR("local")))
            parse_not_modelled(p, p->token.pos, "this variable is");
        name = dot < name.len ? str_sub(name, dot + 1, name.len) : name;
        parse_advance(p);
    } else if (parse_accept2(p, "TIME", "ZONE")) {
        return STR("timezone");
    } else {
        if (parse_at_symbol(p, SYM1('@')))
            parse_not_modelled(p, p->token.pos, "a user variable is");
        if (p->token.kind == TOKEN_QUOTED && str_find(name, '.', 0) < name.len)
            parse_not_modelled(p, p->token.pos, "this variable is");
        name = parse_name(p, "a variable's name");
        if (parse_accept_symbol(p, SYM1('.'))) {
            struct str rest = parse_name(p, "a variable's name");
            name = str_printf(p->arena, "%.*s.%.*s", STR_ARG(name), STR_ARG(rest));
        }
    }
    return lower_case(p, name);
}

static void parse_set_variable(struct parser *p) {
    struct sql_set *set = ARENA_NEW(p->arena, struct sql_set);
    struct pos pos = p->token.pos;
    p->holder->kind = SQL_STMT_SET;
    p->holder->set = set;
    set->name = parse_variable_name(p, set);
    bool has_mark = parse_accept_symbol(p, SYM1('=')) || parse_accept_symbol(p, SYM2(':', '=')) ||
                    parse_accept(p, "TO");
    bool is_bare = str_is(set->name, "names") || str_is(set->name, "timezone");
    if (str_is(set->name, "constraints") && !has_mark)
        parse_not_modelled(p, pos, "SET CONSTRAINTS is");
    if (str_is(set->name, "role") && !has_mark)
        parse_not_modelled(p, pos, "SET ROLE is");
    if (!has_mark && !is_bare)
        parse_expected(p, "= or TO");
    set->value = parse_set_value(p);
    if (parse_at_symbol(p, SYM1(',')))
        parse_not_modelled(p, p->token.pos, "a list in SET is");
}

/* SESSION TRANSACTION, unless a variable called transaction is set. */
static bool accept_scope(struct parser *p, const char *scope) {
    struct token after = parse_peek2(p);
    return after.symbol != SYM1('=') && !token_is_word(&after, "TO") &&
           parse_accept2(p, scope, "TRANSACTION");
}

/* SET TRANSACTION ..., SET SESSION TRANSACTION ..., SET SESSION CHARACTERISTICS AS TRANSACTION
 * ... */
static bool parse_set_transaction(struct parser *p) {
    bool is_session = false;
    if (parse_accept2(p, "SESSION", "CHARACTERISTICS")) {
        parse_expect(p, "AS");
        parse_expect(p, "TRANSACTION");
        is_session = true;
    } else if (accept_scope(p, "SESSION") ||
               (p->dialect == SQL_MYSQL && accept_scope(p, "LOCAL"))) {
        is_session = true;
    } else {
        struct token next = parse_peek(p);
        if (!parse_at(p, "TRANSACTION") || next.symbol == SYM1('=') || token_is_word(&next, "TO"))
            return false;
        parse_advance(p);
    }
    parse_refuse(p, "SNAPSHOT", "SET TRANSACTION SNAPSHOT is");
    struct sql_transaction *transaction = new_transaction(p, SQL_STMT_SET_TRANSACTION);
    transaction->is_session = is_session;
    parse_modes(p, transaction, true);
    return true;
}

void parse_set(struct parser *p) {
    parse_advance(p);
    struct pos pos = p->token.pos;
    if (parse_set_transaction(p))
        return;
    if (accept_scope(p, "GLOBAL"))
        parse_not_modelled(p, pos, "SET GLOBAL TRANSACTION is");
    struct token next = parse_peek(p);
    bool is_scope = next.kind == TOKEN_WORD || next.kind == TOKEN_QUOTED;
    bool is_global = is_scope && !token_is_word(&next, "TO") && parse_accept(p, "GLOBAL");
    bool is_local =
        is_scope && !is_global && !token_is_word(&next, "TO") && parse_accept(p, "LOCAL");
    if (is_scope && !token_is_word(&next, "TO") && !is_global && !is_local)
        parse_accept(p, "SESSION");
    parse_set_variable(p);
    p->holder->set->is_global |= is_global;
    p->holder->set->is_local = is_local;
}

static struct str parse_postgresql_mode(struct parser *p) {
    static const char *const modes[][3] = {
        {"ACCESS", "SHARE", "ACCESS SHARE"},
        {"ROW", "SHARE", "ROW SHARE"},
        {"ROW", "EXCLUSIVE", "ROW EXCLUSIVE"},
        {"ACCESS", "EXCLUSIVE", "ACCESS EXCLUSIVE"},
    };
    struct str mode = STR("ACCESS EXCLUSIVE");
    for (size_t i = 0; i < LW_COUNT_OF(modes); i++)
        if (parse_accept2(p, modes[i][0], modes[i][1]))
            return str_from_c(modes[i][2]);
    if (parse_accept2(p, "SHARE", "UPDATE")) {
        parse_expect(p, "EXCLUSIVE");
        return STR("SHARE UPDATE EXCLUSIVE");
    }
    if (parse_accept2(p, "SHARE", "ROW")) {
        parse_expect(p, "EXCLUSIVE");
        return STR("SHARE ROW EXCLUSIVE");
    }
    if (parse_accept(p, "SHARE"))
        return STR("SHARE");
    if (parse_accept(p, "EXCLUSIVE"))
        return STR("EXCLUSIVE");
    parse_expected(p, "a lock mode such as SHARE ROW EXCLUSIVE");
    return mode;
}

/* MySQL's READ or WRITE after each table; empty if there is none. */
static struct str parse_mysql_mode(struct parser *p) {
    if (parse_accept(p, "READ")) {
        parse_refuse(p, "LOCAL", "READ LOCAL is");
        return STR("READ");
    }
    return parse_accept(p, "WRITE") ? STR("WRITE") : STR("");
}

static void parse_locked_tables(struct parser *p, struct sql_lock_table *lock) {
    do {
        struct pos pos = p->token.pos;
        struct str table = parse_table_name(p);
        VEC_PUSH(p->arena, &lock->tables, table);
        if (parse_at(p, "AS"))
            parse_not_modelled(p, p->token.pos, "an alias in LOCK TABLES is");
        struct str mode = parse_mysql_mode(p);
        if (lock->tables.count > 1 && !str_equal(mode, lock->mode))
            parse_not_modelled(p, pos, "LOCK TABLES in different modes is");
        lock->mode = mode;
    } while (parse_accept_symbol(p, SYM1(',')));
}

void parse_lock_table(struct parser *p) {
    struct sql_lock_table *lock = ARENA_NEW(p->arena, struct sql_lock_table);
    p->holder->kind = SQL_STMT_LOCK_TABLE;
    p->holder->lock_table = lock;
    if (parse_accept(p, "UNLOCK")) {
        if (!parse_accept(p, "TABLES"))
            parse_expect(p, "TABLE");
        lock->mode = STR("UNLOCK");
        return;
    }
    parse_advance(p);
    if (!parse_accept(p, "TABLES"))
        parse_accept(p, "TABLE");
    parse_refuse(p, "ONLY", "ONLY is");
    parse_locked_tables(p, lock);
    if (lock->mode.len > 0)
        return;
    lock->mode = STR("ACCESS EXCLUSIVE");
    if (parse_accept(p, "IN")) {
        lock->mode = parse_postgresql_mode(p);
        parse_expect(p, "MODE");
    }
    lock->is_nowait = parse_accept(p, "NOWAIT");
}
