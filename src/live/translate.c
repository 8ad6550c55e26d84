#include "live/translate.h"

#include "base/assert.h"

#include <stdio.h>

/* Generated values. */

static const struct generated *known_value(const struct translator *t, struct value value) {
    for (size_t i = 0; i < t->known.count; i++) {
        const struct generated *have = &t->known.items[i];
        if (have->value.kind == value.kind && have->value.origin == value.origin &&
            have->value.ordinal == value.ordinal)
            return have;
    }
    return NULL;
}

void translate_bind(struct translator *t, struct value value, uint16_t table, int64_t number) {
    LW_ASSERT(value.origin != 0);
    if (known_value(t, value) == NULL)
        MVEC_PUSH(&t->known, (struct generated){value, table, number});
}

/* The table whose counter fills a column: its own, or that of the column it refers to. */
static uint16_t counter_of(const struct schema *schema, uint16_t table, uint16_t column) {
    enum { LINKS_MAX = 8 };
    for (int links = 0; links < LINKS_MAX; links++) {
        const struct table *at = schema->tables.items[table];
        if (at->columns.items[column].is_serial)
            return table;
        bool has_parent = false;
        for (size_t i = 0; i < at->foreign_keys.count && !has_parent; i++) {
            const struct foreign_key *fk = &at->foreign_keys.items[i];
            for (size_t k = 0; k < fk->column_count && !has_parent; k++) {
                if (fk->columns[k] != column)
                    continue;
                table = fk->parent;
                column = fk->parent_columns[k];
                has_parent = true;
            }
        }
        if (!has_parent)
            return NO_TABLE;
    }
    return NO_TABLE;
}

/* The generated value that a plain one read from a column is, or itself. */
static struct value name_value(const struct translator *t, struct value value, uint16_t table,
                               uint16_t column) {
    uint16_t counter = value.kind == VALUE_INT && table != NO_TABLE
                           ? counter_of(t->schema, table, column)
                           : NO_TABLE;
    if (value.kind != VALUE_TIME && counter == NO_TABLE)
        return value;
    for (size_t i = 0; i < t->known.count; i++) {
        const struct generated *have = &t->known.items[i];
        if (have->value.kind == value.kind && have->number == value.number &&
            (have->table == counter || have->table == NO_TABLE))
            return have->value;
    }
    return value;
}

/* Statements. */

struct filler {
    struct translator *t;
    const struct sql_stmt *stmt;
    const struct db_bind *binds;
};

/* As the server knows it. */
static struct value sent_value(struct translator *t, struct value value) {
    if (value.origin == 0)
        return value;
    const struct generated *have = known_value(t, value);
    if (value.kind == VALUE_TIME && have == NULL) {
        translate_bind(t, value, NO_TABLE, value.number);
        return value_time(value.number);
    }
    struct value sent = {.kind = value.kind, .scale = value.scale, .number = value.number};
    if (have != NULL)
        sent.number = have->number;
    return sent;
}

static void put_value(struct filler *filler, struct value value, struct buf *out) {
    struct value sent = sent_value(filler->t, value);
    enum sql_dialect dialect = engine_dialect(filler->t->engine);
    if (sent.kind == VALUE_TIME) { /* a text that every server reads, also where a date is wanted */
        buf_add_char(out, '\'');
        if (!value_time_text(sent, out))
            buf_add_c(out, "0001-01-01");
        buf_add_char(out, '\'');
        return;
    }
    struct sql_expr literal = {.kind = SQL_LITERAL, .literal = sent};
    bool is_negative = (sent.kind == VALUE_INT || sent.kind == VALUE_DECIMAL) && sent.number < 0;
    buf_add_c(out, is_negative ? "(" : "");
    sql_print_expr(&literal, filler->stmt, filler->t->pool, dialect, out);
    buf_add_c(out, is_negative ? ")" : "");
}

static void put_known(struct translator *t, struct sql_expr *expr) {
    if (expr->kind == SQL_LITERAL)
        expr->literal = sent_value(t, expr->literal);
    for (size_t i = 0; i < expr->args.count; i++)
        put_known(t, expr->args.items[i]);
}

static void put_expr(struct filler *filler, const struct sql_expr *expr, struct buf *out) {
    struct arena scratch = {0};
    struct sql_expr *copy = sql_copy_expr(&scratch, expr);
    put_known(filler->t, copy);
    sql_print_expr(copy, filler->stmt, filler->t->pool, engine_dialect(filler->t->engine), out);
    arena_release(&scratch);
}

static void put_bind(void *context, uint16_t host, struct buf *out) {
    struct filler *filler = context;
    const struct db_bind *bind = &filler->binds[host];
    switch (bind->kind) {
    case DB_BIND_VALUE:
        put_value(filler, bind->value, out);
        return;
    case DB_BIND_EXPR:
        put_expr(filler, bind->expr, out);
        return;
    case DB_BIND_LIST:
        for (size_t i = 0; i < bind->list_count; i++) {
            buf_add_c(out, i > 0 ? ", " : "");
            put_value(filler, bind->list[i], out);
        }
        buf_add_c(out, bind->list_count == 0 ? "NULL" : "");
        return;
    }
}

void translate_stmt(struct translator *t, const struct sql_stmt *stmt, const struct db_bind *binds,
                    struct buf *out) {
    struct filler filler = {t, stmt, binds};
    struct sql_host_printer printer = {put_bind, &filler};
    sql_print_filled(stmt, t->pool, engine_dialect(t->engine), &printer, out);
}

/* Answers. */

static const struct sql_item *shown_item(const struct sql_stmt *stmt, size_t item) {
    if (stmt->kind == SQL_STMT_SELECT)
        return item < stmt->select->items.count ? &stmt->select->items.items[item] : NULL;
    return item < stmt->returning.count ? &stmt->returning.items[item] : NULL;
}

static uint16_t source_table(const struct sql_stmt *stmt, const struct sql_expr *column) {
    const struct sql_source *source = NULL;
    if (column->depth > 0)
        return NO_TABLE;
    switch (stmt->kind) {
    case SQL_STMT_SELECT:
        if (column->source < stmt->select->sources.count)
            source = &stmt->select->sources.items[column->source];
        break;
    case SQL_STMT_INSERT:
        return stmt->insert->table_index;
    case SQL_STMT_UPDATE:
        source = column->source == 0 ? &stmt->update->target : NULL;
        break;
    case SQL_STMT_DELETE:
        source = column->source == 0 ? &stmt->delete_->target : NULL;
        break;
    default:
        break;
    }
    return source != NULL && source->subquery == NULL ? source->table_index : NO_TABLE;
}

const struct column *shown_column(const struct translator *t, const struct sql_stmt *stmt,
                                  size_t item, uint16_t *table, uint16_t *column) {
    const struct sql_item *shown = shown_item(stmt, item);
    *table = NO_TABLE;
    *column = 0;
    if (shown == NULL || shown->expr == NULL || shown->expr->kind != SQL_COLUMN)
        return NULL;
    *table = source_table(stmt, shown->expr);
    *column = shown->expr->column;
    return *table != NO_TABLE ? &t->schema->tables.items[*table]->columns.items[*column] : NULL;
}

/* A decimal number of up to 18 digits, without zeros at its end. */
static bool parse_number(struct str text, struct value *value) {
    enum { DIGITS_MAX = 18 };
    bool is_negative = text.len > 0 && text.ptr[0] == '-', has_point = false;
    int64_t number = 0;
    int digits = 0, scale = 0;
    for (size_t i = is_negative; i < text.len; i++) {
        char byte = text.ptr[i];
        if (byte == '.' && !has_point) {
            has_point = true;
            continue;
        }
        if (byte < '0' || byte > '9')
            return false;
        bool is_significant = number != 0 || byte != '0';
        if (digits + is_significant > DIGITS_MAX) {
            if (has_point)
                continue; /* digits that no decimal of ours has */
            return false;
        }
        digits += is_significant;
        number = number * 10 + (byte - '0');
        scale += has_point;
        if (scale > DIGITS_MAX)
            return false;
    }
    if (text.len == (size_t)is_negative)
        return false;
    while (scale > 0 && number % 10 == 0) {
        number /= 10;
        scale--;
    }
    number = is_negative ? -number : number;
    *value = has_point ? value_decimal(number, (uint8_t)scale) : value_int(number);
    return true;
}

static bool is_true_text(struct str text) {
    return str_is(text, "t") || str_is(text, "true") || str_is(text, "1");
}

static bool is_bool_text(struct str text) {
    return is_true_text(text) || str_is(text, "f") || str_is(text, "false") || str_is(text, "0");
}

static struct value text_value(struct translator *t, struct str text, enum column_type type) {
    struct value value;
    switch (type) {
    case COLUMN_BOOL:
        if (is_bool_text(text))
            return value_bool(is_true_text(text));
        break;
    case COLUMN_INT:
    case COLUMN_DECIMAL:
        if (parse_number(text, &value)) {
            bool is_whole = value.kind == VALUE_DECIMAL && value.scale == 0;
            if (type == COLUMN_INT && is_whole)
                value = value_int(value.number);
            if (type == COLUMN_DECIMAL && value.kind == VALUE_INT)
                value = value_decimal(value.number, 0);
            return value;
        }
        break;
    case COLUMN_TIME:
        if (value_parse_time(text, &value))
            return value;
        break;
    case COLUMN_TEXT:
    case COLUMN_OTHER:
        break;
    }
    return value_text(t->pool, text);
}

static enum column_type type_of_answer(enum live_type type) {
    switch (type) {
    case LIVE_BOOL:
        return COLUMN_BOOL;
    case LIVE_INTEGER:
        return COLUMN_INT;
    case LIVE_DECIMAL:
    case LIVE_FLOAT:
        return COLUMN_DECIMAL;
    case LIVE_TIME:
        return COLUMN_TIME;
    case LIVE_TEXT:
        break;
    }
    return COLUMN_TEXT;
}

/* A sum of integers is a DECIMAL to MySQL, an integer to the program. */
static struct value as_integer(struct value value) {
    return value.kind == VALUE_DECIMAL && value.scale == 0 ? value_int(value.number) : value;
}

/* The server's own clock: all its readings of one run count as one. */
static struct value as_now(struct value value) {
    const int64_t year_2020 = (int64_t)1577836800 * 1000000, year_2030 = (int64_t)1893456000 * 1000000;
    if (value.kind != VALUE_TIME || value.number < year_2020 || value.number >= year_2030)
        return value;
    return (struct value){.kind = VALUE_TIME, .origin = 1, .ordinal = UINT8_MAX};
}

struct value translate_text(struct translator *t, struct str text, enum live_type type,
                            const struct column *column, uint16_t table, uint16_t column_index) {
    if (text.ptr == NULL)
        return value_null();
    if (column == NULL)
        return as_integer(text_value(t, text, type_of_answer(type)));
    struct value value = text_value(t, text, column->type);
    struct value named = name_value(t, value, table, column_index);
    return named.origin == 0 ? as_now(named) : named;
}

/* Comparing. */

static double as_double(struct value value) {
    double number = (double)value.number;
    for (unsigned i = 0; i < value.scale; i++)
        number /= 10;
    return number;
}

/* Averages have as many digits as each server likes. */
static bool same_number(const struct text_pool *pool, struct value a, struct value b) {
    enum { EXACT_SCALE_MAX = 6 };
    if (a.scale <= EXACT_SCALE_MAX && b.scale <= EXACT_SCALE_MAX)
        return value_compare(pool, a, b) == 0;
    double x = as_double(a), y = as_double(b), size = x < 0 ? -x : x;
    double apart = x < y ? y - x : x - y;
    return apart <= 1e-9 * (size < 1 ? 1 : size);
}

/* A text may have left out what its type does not keep: the clock, or parts of a second. */
static bool same_time(struct str text, int64_t number) {
    const int64_t second = 1000000, day = 86400 * second;
    struct value time;
    if (!value_parse_time(text, &time))
        return false;
    bool has_clock = str_find(text, ':', 0) < text.len, has_fraction = str_find(text, '.', 0) < text.len;
    int64_t unit = !has_clock ? day : has_fraction ? 1 : second;
    return time.number / unit == number / unit;
}

static bool text_is_generated(struct translator *t, struct str text, struct value value) {
    const struct generated *have = known_value(t, value);
    struct value given;
    if (value.kind == VALUE_TIME) {
        if (have != NULL)
            return same_time(text, have->number);
        if (!value_parse_time(text, &given))
            return false;
    } else if (!parse_number(text, &given)) {
        return false;
    }
    if (have != NULL)
        return have->number == given.number;
    translate_bind(t, value, NO_TABLE, given.number);
    return true;
}

/* Two texts that differ in blanks only: how a server lays out json. */
static bool same_text(struct str a, struct str b) {
    size_t i = 0, k = 0;
    for (;;) {
        while (i < a.len && a.ptr[i] == ' ')
            i++;
        while (k < b.len && b.ptr[k] == ' ')
            k++;
        if (i == a.len || k == b.len)
            return i == a.len && k == b.len;
        if (a.ptr[i++] != b.ptr[k++])
            return false;
    }
}

bool text_is_value(struct translator *t, struct str text, struct value value) {
    struct value number;
    if (text.ptr == NULL || value.kind == VALUE_NULL)
        return text.ptr == NULL && value.kind == VALUE_NULL;
    if (value.origin != 0)
        return text_is_generated(t, text, value);
    switch ((enum value_kind)value.kind) {
    case VALUE_BOOL:
        if (is_bool_text(text))
            return is_true_text(text) == (value.number != 0);
        return parse_number(text, &number) && same_number(t->pool, number, value);
    case VALUE_INT:
    case VALUE_DECIMAL:
        if (!parse_number(text, &number))
            return is_bool_text(text) && value.number == is_true_text(text);
        return same_number(t->pool, number, value);
    case VALUE_TEXT:
        return same_text(text, text_pool_get(t->pool, value.number));
    case VALUE_TIME:
        return same_time(text, value.number);
    case VALUE_NULL:
        break;
    }
    LW_UNREACHABLE();
}

/* Errors. */

static const struct {
    enum db_error error;
    const char *postgresql, *mysql;
} codes[] = {
#define DB_ERROR(name, what, postgresql, mysql, sqlite, django) {DB_ERROR_##name, postgresql, mysql},
#include "engine/error.def"
#undef DB_ERROR
};

static bool asks_nowait(const struct sql_stmt *stmt) {
    return stmt != NULL &&
           ((stmt->kind == SQL_STMT_SELECT && stmt->select->lock_wait == SQL_NOWAIT) ||
            (stmt->kind == SQL_STMT_LOCK_TABLE && stmt->lock_table->is_nowait));
}

static bool has_text(struct str text, const char *what) {
    struct str wanted = str_from_c(what);
    for (size_t i = 0; i + wanted.len <= text.len; i++)
        if (str_equal(str_sub(text, i, i + wanted.len), wanted))
            return true;
    return false;
}

static enum db_error postgresql_error(const struct sql_stmt *stmt,
                                      const struct live_answer *answer) {
    const char *state = answer->sqlstate;
    if (strcmp(state, "55P03") == 0)
        return asks_nowait(stmt) ? DB_ERROR_LOCK_NOT_AVAILABLE : DB_ERROR_LOCK_TIMEOUT;
    if (strcmp(state, "57014") == 0) /* cancelled: how the end of a wait looks */
        return DB_ERROR_LOCK_TIMEOUT;
    if (strcmp(state, "23503") == 0)
        return has_text(answer->message, "is still referenced") || has_text(answer->message, "update or delete")
                   ? DB_ERROR_REFERENCED
                   : DB_ERROR_FOREIGN_KEY;
    if (strncmp(state, "22", 2) == 0)
        return DB_ERROR_DATA;
    for (size_t i = 0; i < LW_COUNT_OF(codes); i++)
        if (strcmp(codes[i].postgresql, state) == 0)
            return codes[i].error;
    return DB_ERROR_NOT_MODELLED;
}

static enum db_error mysql_error(const struct sql_stmt *stmt, const struct live_answer *answer) {
    enum { NOWAIT_MARIADB = 1205, INTERRUPTED = 1317, DUPLICATE_NAMED = 1586, CHECK_MYSQL = 3819 };
    static const int data[] = {1264, 1292, 1365, 1366, 1406, 1690};
    char number[16];
    if (answer->number == NOWAIT_MARIADB)
        return asks_nowait(stmt) ? DB_ERROR_LOCK_NOT_AVAILABLE : DB_ERROR_LOCK_TIMEOUT;
    if (answer->number == INTERRUPTED)
        return DB_ERROR_LOCK_TIMEOUT;
    if (answer->number == DUPLICATE_NAMED)
        return DB_ERROR_UNIQUE;
    if (answer->number == CHECK_MYSQL)
        return DB_ERROR_CHECK;
    for (size_t i = 0; i < LW_COUNT_OF(data); i++)
        if (answer->number == data[i])
            return DB_ERROR_DATA;
    snprintf(number, sizeof(number), "%d", answer->number);
    for (size_t i = 0; i < LW_COUNT_OF(codes); i++)
        if (strcmp(codes[i].mysql, number) == 0)
            return codes[i].error;
    return DB_ERROR_NOT_MODELLED;
}

static enum db_error sqlite_error(int code) {
    enum {
        ERROR = 1, BUSY = 5, LOCKED = 6, FULL = 13, MISMATCH = 20, BUSY_SNAPSHOT = 517, CHECK = 275,
        FOREIGN_KEY = 787, NOT_NULL = 1299, PRIMARY_KEY = 1555, UNIQUE = 2067, ROWID = 2579
    };
    switch (code) {
    case BUSY_SNAPSHOT:
        return DB_ERROR_BUSY_SNAPSHOT;
    case CHECK:
        return DB_ERROR_CHECK;
    case FOREIGN_KEY:
        return DB_ERROR_FOREIGN_KEY;
    case NOT_NULL:
        return DB_ERROR_NOT_NULL;
    case PRIMARY_KEY:
    case UNIQUE:
    case ROWID:
        return DB_ERROR_UNIQUE;
    case MISMATCH:
        return DB_ERROR_DATA;
    case FULL:
        return DB_ERROR_LIMIT;
    default:
        return (code & 0xff) == BUSY || (code & 0xff) == LOCKED ? DB_ERROR_LOCK_TIMEOUT
                                                              : DB_ERROR_NOT_MODELLED;
    }
}

enum db_error translate_error(enum engine_kind engine, const struct sql_stmt *stmt,
                              const struct live_answer *answer) {
    switch (engine) {
    case ENGINE_POSTGRESQL:
        return postgresql_error(stmt, answer);
    case ENGINE_MYSQL:
    case ENGINE_MARIADB:
        return mysql_error(stmt, answer);
    case ENGINE_SQLITE:
        return sqlite_error(answer->number);
    }
    LW_UNREACHABLE();
}
