/* SQL that goes by a cursor: text of the project's own, known in full or but for holes. */
#include "base/assert.h"
#include "django/orm.h"
#include "django/template.h"

#include <ctype.h>

static bool has_word(struct str sql, const char *word) {
    size_t len = strlen(word);
    for (size_t i = 0; i + len <= sql.len; i++)
        if (str_equal_nocase(str_sub(sql, i, i + len), str_from_c(word)) &&
            (i == 0 || !(isalnum((unsigned char)sql.ptr[i - 1]) || sql.ptr[i - 1] == '_')) &&
            (i + len == sql.len || !(isalnum((unsigned char)sql.ptr[i + len]) || sql.ptr[i + len] == '_')))
            return true;
    return false;
}

static bool has_any_word(struct str sql, const char *const *words, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (has_word(sql, words[i]))
            return true;
    return false;
}

static bool starts_with(struct str sql, const char *word) {
    return sql.len > strlen(word) && str_equal_nocase(str_sub(sql, 0, strlen(word)), str_from_c(word)) &&
           !isalnum((unsigned char)sql.ptr[strlen(word)]);
}

/* Without blanks and comments before it and blanks behind it. */
static struct str trimmed(struct str sql) {
    for (;;) {
        while (sql.len > 0 && isspace((unsigned char)sql.ptr[0]))
            sql = str_sub(sql, 1, sql.len);
        if (str_starts(sql, "/*")) {
            size_t end = 2;
            while (end < sql.len && !str_starts(str_sub(sql, end, sql.len), "*/"))
                end++;
            sql = str_sub(sql, end + 2 < sql.len ? end + 2 : sql.len, sql.len);
        } else if (str_starts(sql, "--")) {
            sql = str_sub(sql, str_find(sql, '\n', 0), sql.len);
        } else {
            break;
        }
    }
    while (sql.len > 0 && isspace((unsigned char)sql.ptr[sql.len - 1]))
        sql = str_sub(sql, 0, sql.len - 1);
    return sql;
}

/* A query that neither writes nor locks, whatever its holes are; what it calls that is no table's (a sequence) isn't modelled. */
static bool only_reads(struct str sql) {
    static const char *const others[] = {"insert", "update", "delete", "merge", "into",  "lock", "share",
                                         "truncate", "call", "pg_advisory_lock", "pg_advisory_xact_lock",
                                         "pg_try_advisory_lock", "pg_try_advisory_xact_lock", "get_lock",
                                         "set_config", "dblink", "lo_unlink"};
    if (starts_with(sql, "show") || starts_with(sql, "explain"))
        return !has_word(sql, "analyze");
    return (starts_with(sql, "select") || starts_with(sql, "with")) &&
           !has_any_word(sql, others, LW_COUNT_OF(others));
}

/* What belongs to no table: sequences, and views that hold a copy. */
static bool is_of_no_table(struct lowerer *l, struct str sql) {
    static const char *const prefixes[] = {"create sequence", "drop sequence", "alter sequence"};
    static const char refresh[] = "refresh materialized view";
    for (size_t i = 0; i < LW_COUNT_OF(prefixes); i++)
        if (starts_with(sql, prefixes[i]))
            return true;
    if (!starts_with(sql, refresh) || str_find(sql, TEMPLATE_HOLE, 0) < sql.len)
        return false;
    for (size_t i = 0; i < l->facts->models.count; i++)
        if (has_word(sql, str_to_c(l->arena, l->facts->models.items[i]->table_name)))
            return false;
    return true;
}

static void note_unknown(struct lowerer *l, struct txn_span span) {
    lower_note(l, span, STR("SQL that is not known from the source"));
}

/* UPDATE t SET c = v.column2 FROM (VALUES ...) AS v WHERE t.id = v.column1: each row of the list updates one. False: not such. */
static bool of_one_row(struct lowerer *l, struct txn_span span, struct str sql, struct buf *out) {
    size_t from = 0, depth = 1, end;
    while (from < sql.len && !(has_word(str_sub(sql, from, from + 5 < sql.len ? from + 5 : sql.len), "from") &&
                               str_equal_nocase(str_sub(sql, from, from + 4), STR("from"))))
        from++;
    struct str list = trimmed(str_sub(sql, from + 4 < sql.len ? from + 4 : sql.len, sql.len));
    if (!starts_with(sql, "update") || !str_starts(list, "(") ||
        !starts_with(trimmed(str_sub(list, 1, list.len)), "values"))
        return false;
    for (end = 1; end < list.len && depth > 0; end++)
        depth += list.ptr[end] == '(' ? 1 : list.ptr[end] == ')' ? (size_t)-1 : 0;
    struct str rest = trimmed(str_sub(list, end, list.len));
    if (!starts_with(rest, "as"))
        return false;
    rest = trimmed(str_sub(rest, 2, rest.len));
    struct str name = str_sub(rest, 0, str_find(rest, ' ', 0));
    name = trimmed(str_sub(name, 0, str_find(name, '\n', 0)));
    if (name.len == 0 || name.len == rest.len)
        return false;
    struct str whole = str_printf(l->arena, "%.*s %.*s", STR_ARG(str_sub(sql, 0, from)),
                                  STR_ARG(str_sub(rest, name.len, rest.len)));
    struct str column = str_printf(l->arena, "%.*s.column", STR_ARG(name));
    for (size_t i = 0; i < whole.len; i++) {
        struct str at = str_sub(whole, i, whole.len);
        if (at.len > column.len && str_equal(str_sub(at, 0, column.len), column)) {
            size_t digits = column.len;
            while (digits < at.len && isdigit((unsigned char)at.ptr[digits]))
                digits++;
            val_sql(l, val_unknown(l, span, str_sub(at, 0, digits)), out);
            i += digits - 1;
        } else {
            buf_add_char(out, whole.ptr[i]);
        }
    }
    lower_bound(l, span, STR("of the rows in this list one is modelled"));
    return true;
}

static void build(struct lowerer *l, struct txn_span span, struct sql_stmt *stmt) {
    if (stmt->kind == SQL_STMT_SET_TRANSACTION) {
        if (l->outer_atomic != NULL && !stmt->transaction->is_session)
            l->outer_atomic->isolation = stmt->transaction->isolation;
        else
            lower_note(l, span, STR("an isolation level set outside of a transaction"));
        return;
    }
    if (stmt->kind == SQL_STMT_SET)
        return;
    if (stmt->kind != SQL_STMT_INSERT && stmt->kind != SQL_STMT_UPDATE && stmt->kind != SQL_STMT_DELETE &&
        stmt->kind != SQL_STMT_SELECT && stmt->kind != SQL_STMT_LOCK_TABLE) {
        lower_note(l, span, STR("this statement is not modelled"));
        return;
    }
    bool is_select = stmt->kind == SQL_STMT_SELECT;
    txn_build_stmt(&l->b, span, is_select ? TXN_INTO_VALUE : TXN_INTO_NOTHING,
                   is_select ? lower_var(l, STR("fetched")) : TXN_NO_VAR, stmt);
    l->has_sql = true;
    l->step_count++;
}

/* One statement, host values in their places. */
static void execute(struct lowerer *l, struct txn_span span, struct str sql) {
    struct sql_stmt *stmt, *tried;
    struct err err;
    struct buf one = {0};
    if (of_one_row(l, span, sql, &one))
        sql = str_dup(l->arena, buf_str(&one));
    buf_release(&one);
    bool is_harmless = only_reads(sql) || is_of_no_table(l, sql);
    if (sql.len == 0)
        return;
    if (str_find(sql, TEMPLATE_HOLE, 0) < sql.len) {
        if (!is_harmless)
            note_unknown(l, span);
        return;
    }
    if (!sql_parse(l->arena, l->pool, sql, (struct pos){1, 1}, l->b.dialect, &stmt, &err)) {
        if (!is_harmless)
            lower_notef(l, span, "this SQL is not modelled: %s", err.message);
        return;
    }
    /* What names tables that no model has. */
    bool is_known = !is_harmless ||
                    (sql_parse(l->arena, l->pool, sql, (struct pos){1, 1}, l->b.dialect, &tried, &err) &&
                     sql_resolve(l->arena, &l->facts->project->schema, tried, &err));
    if (is_known)
        build(l, span, stmt);
}

/* Host values for %s and %(name)s. */
static void fill(struct lowerer *l, struct txn_span span, struct str text, const struct val *params, struct buf *out) {
    size_t next = 0;
    for (size_t i = 0; i < text.len; i++) {
        struct str rest = str_sub(text, i, text.len), key, name;
        struct val *val = NULL;
        size_t len = 2;
        if (params == NULL || text.ptr[i] != '%') {
            buf_add_char(out, text.ptr[i]);
            continue;
        }
        if (str_starts(rest, "%%")) {
            buf_add_char(out, '%');
            i++;
            continue;
        }
        if (str_starts(rest, "%(")) {
            len = str_find(rest, ')', 0) + 2;
            name = str_sub(rest, 2, len - 2);
            for (size_t k = 0; params->kind == VAL_DICT && k < params->keys.count; k++)
                if (val_text(l, params->keys.items[k], &key) && str_equal(key, name))
                    val = params->items.items[k];
        } else {
            name = str_printf(l->arena, "SQL parameter %zu", next + 1);
            if (params->kind == VAL_SEQUENCE && next < params->items.count)
                val = params->items.items[next];
            next++;
        }
        bool is_plain = val != NULL && (val->kind == VAL_SCALAR || val->kind == VAL_ROW || val->kind == VAL_UNKNOWN);
        val_sql(l, is_plain ? val : val_unknown(l, span, name), out);
        i += len - 1;
    }
}

struct val *raw_execute(struct lowerer *l, struct args *args) {
    struct txn_span span = args->span;
    struct val *sql = args_get(args, 0, "sql"), *params = args_get(args, 1, "params");
    struct str text;
    struct buf filled = {0};
    if (sql == NULL || !template_of(l, sql, &text)) {
        note_unknown(l, span);
        return val_null(l, span);
    }
    if (lower_advisory_lock(l, span, text, params))
        return val_null(l, span);
    fill(l, span, text, params, &filled);
    text = str_dup(l->arena, buf_str(&filled));
    buf_release(&filled);
    size_t from = 0;
    char quote = '\0';
    for (size_t i = 0; i <= text.len; i++) {
        char at = i < text.len ? text.ptr[i] : ';';
        if (quote != '\0' && i < text.len) {
            quote = at == quote ? '\0' : quote;
        } else if (at == '\'' || at == '"' || at == '`') {
            quote = at;
        } else if (at == ';') {
            execute(l, span, trimmed(str_sub(text, from, i)));
            from = i + 1;
        }
    }
    return val_null(l, span);
}
