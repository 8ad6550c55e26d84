#include "spec/rows.h"

#include "base/assert.h"

#include <inttypes.h>

/* The sources that a statement's items name. */
struct scope {
    const struct schema *schema;
    const struct sql_source *sources[SQL_SOURCES_MAX];
    size_t count;
};

static void scope_add(struct scope *scope, const struct sql_source *sources, size_t count) {
    for (size_t i = 0; i < count; i++) {
        LW_ASSERT(scope->count < SQL_SOURCES_MAX);
        scope->sources[scope->count++] = &sources[i];
    }
}

static struct scope scope_of_select(const struct schema *schema, const struct sql_select *select) {
    struct scope scope = {.schema = schema};
    scope_add(&scope, select->sources.items, select->sources.count);
    return scope;
}

/* The type's text of what an expression gives; empty: not known, or one that says all by its value. */
static struct str type_of(const struct scope *scope, const struct sql_expr *expr, unsigned depth) {
    enum { DEPTH_MAX = 50 };
    if (depth > DEPTH_MAX)
        return STR("");
    if (expr->kind == SQL_CAST)
        return expr->qualifier;
    if (expr->kind == SQL_CALL && expr->args.count > 0 &&
        (str_is(expr->name, "MIN") || str_is(expr->name, "MAX") || str_is(expr->name, "COALESCE")))
        return type_of(scope, expr->args.items[0], depth + 1);
    if (expr->kind != SQL_COLUMN || expr->depth > 0 || expr->source >= scope->count)
        return STR("");
    const struct sql_source *source = scope->sources[expr->source];
    if (source->subquery == NULL)
        return scope->schema->tables.items[source->table_index]->columns.items[expr->column].type_text;
    struct scope inner = scope_of_select(scope->schema, source->subquery);
    return type_of(&inner, source->subquery->items.items[expr->column].expr, depth + 1);
}

static struct str lower(struct arena *arena, struct str name) {
    char *text = str_to_c(arena, name);
    for (size_t i = 0; i < name.len; i++)
        if (text[i] >= 'A' && text[i] <= 'Z')
            text[i] = (char)(text[i] - 'A' + 'a');
    return (struct str){text, name.len};
}

/* The name PostgreSQL gives a column (FigureColname): that of what stands outermost. */
static struct str column_name(struct arena *arena, const struct sql_expr *expr) {
    for (unsigned depth = 0; depth < SQL_HEIGHT_MAX; depth++) {
        if (expr->kind == SQL_COLUMN)
            return expr->name;
        if (expr->kind == SQL_CALL)
            return lower(arena, expr->name);
        if (expr->kind == SQL_CASE)
            return STR("case");
        if (expr->kind == SQL_EXISTS)
            return STR("exists");
        if (expr->kind == SQL_ROW)
            return STR("row");
        if (expr->kind == SQL_LITERAL && expr->literal.kind == VALUE_BOOL)
            return STR("bool");
        if (expr->kind == SQL_SUBQUERY && expr->select->items.items[0].alias.len > 0)
            return expr->select->items.items[0].alias;
        if (expr->kind == SQL_SUBQUERY)
            expr = expr->select->items.items[0].expr;
        else if (expr->kind == SQL_CAST && expr->args.items[0]->kind == SQL_COLUMN)
            expr = expr->args.items[0];
        else if (expr->kind == SQL_CAST)
            return lower(arena, expr->qualifier);
        else
            break;
    }
    return STR("?column?");
}

/* The digits after the point that `numeric(13,2)` asks for. */
static unsigned scale_of(struct str type) {
    size_t comma = str_find(type, ',', 0);
    unsigned scale = 0;
    for (size_t i = comma; i < type.len && scale < 100; i++)
        if (type.ptr[i] >= '0' && type.ptr[i] <= '9')
            scale = scale * 10 + (unsigned)(type.ptr[i] - '0');
    return scale;
}

static void print_number(const struct text_pool *pool, struct value value, struct str type,
                         struct buf *out) {
    unsigned have = value.kind == VALUE_DECIMAL ? value.scale : 0;
    unsigned want = str_starts(type, "numeric") || str_starts(type, "decimal") ? scale_of(type) : 0;
    value_print(pool, value, out);
    if (want > have && have == 0)
        buf_add_char(out, '.');
    if (want > have)
        buf_add_repeat(out, '0', want - have);
}

/* `12-22-2008`, and `Mon Dec 22 10:00:00 2008` of a timestamp. A time zone's name would take its rules. */
static bool print_time(struct value value, struct str type, struct buf *out) {
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    static const char *const days[] = {"Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"};
    const int64_t day_us = (int64_t)86400 * 1000000;
    struct buf iso = {0};
    int year, month, day;
    bool is_date = str_equal_nocase(type, STR("date"));
    bool ok = (is_date || str_equal_nocase(type, STR("timestamp"))) && value.origin == 0 &&
              value_time_text(value, &iso) && sscanf(iso.ptr, "%d-%d-%d", &year, &month, &day) == 3;
    buf_release(&iso);
    if (!ok)
        return false;
    int64_t number = value.number / day_us - (value.number % day_us < 0);
    int64_t seconds = (value.number - number * day_us) / 1000000;
    int64_t fraction = (value.number - number * day_us) % 1000000;
    if (fraction != 0)
        return false;
    if (is_date)
        buf_printf(out, "%02d-%02d-%04d", month, day, year);
    else
        buf_printf(out, "%s %s %02d %02d:%02d:%02d %04d", days[((number % 7) + 7) % 7],
                   months[month - 1], day, (int)(seconds / 3600), (int)(seconds / 60 % 60),
                   (int)(seconds % 60), year);
    return true;
}

/* char(3) is filled up with blanks. */
static void print_text(struct str text, struct str type, struct buf *out) {
    unsigned width = 0;
    bool is_char = str_starts(type, "char(") || str_starts(type, "character(") ||
                   str_starts(type, "CHAR(") || str_starts(type, "CHARACTER(");
    for (size_t i = str_find(type, '(', 0); is_char && i < type.len && width < 100000; i++)
        if (type.ptr[i] >= '0' && type.ptr[i] <= '9')
            width = width * 10 + (unsigned)(type.ptr[i] - '0');
    buf_add(out, text);
    if (width > text.len)
        buf_add_repeat(out, ' ', width - text.len);
}

static bool print_cell(const struct text_pool *pool, struct value value, struct str type,
                       struct buf *out) {
    switch ((enum value_kind)value.kind) {
    case VALUE_NULL:
        return true;
    case VALUE_BOOL:
        buf_add_char(out, value.number != 0 ? 't' : 'f');
        return true;
    case VALUE_INT:
    case VALUE_DECIMAL:
        print_number(pool, value, type, out);
        return true;
    case VALUE_TEXT:
        print_text(text_pool_get(pool, value.number), type, out);
        return true;
    case VALUE_TIME:
        return print_time(value, type, out);
    }
    LW_UNREACHABLE();
}

static struct scope scope_of(const struct schema *schema, const struct sql_stmt *stmt,
                             struct sql_source *inserted) {
    struct scope scope = {.schema = schema};
    if (stmt->kind == SQL_STMT_SELECT)
        return scope_of_select(schema, stmt->select);
    if (stmt->kind == SQL_STMT_UPDATE) {
        scope_add(&scope, &stmt->update->target, 1);
        scope_add(&scope, stmt->update->from.items, stmt->update->from.count);
    } else if (stmt->kind == SQL_STMT_DELETE) {
        scope_add(&scope, &stmt->delete_->target, 1);
        scope_add(&scope, stmt->delete_->using_sources.items, stmt->delete_->using_sources.count);
    } else {
        *inserted = (struct sql_source){.table_index = stmt->insert->table_index};
        scope_add(&scope, inserted, 1);
    }
    return scope;
}

bool rows_to_table(struct arena *arena, const struct schema *schema, const struct text_pool *pool,
                   const struct sql_stmt *stmt, const struct db_result *result,
                   struct spec_table *table, struct err *err) {
    struct sql_source inserted;
    struct scope scope = scope_of(schema, stmt, &inserted);
    const struct sql_item *items =
        stmt->kind == SQL_STMT_SELECT ? stmt->select->items.items : stmt->returning.items;
    size_t columns =
        stmt->kind == SQL_STMT_SELECT ? stmt->select->items.count : stmt->returning.count;
    size_t cells = result->row_count * columns;
    LW_ASSERT(result->row_count == 0 || result->column_count == columns);
    struct str *names = ARENA_ARRAY(arena, struct str, columns);
    struct str *texts = ARENA_ARRAY(arena, struct str, cells);
    for (size_t i = 0; i < columns; i++)
        names[i] = items[i].alias.len > 0 ? items[i].alias : column_name(arena, items[i].expr);
    for (size_t i = 0; i < cells; i++) {
        struct buf text = {0};
        const struct sql_expr *expr = items[i % columns].expr;
        bool ok = print_cell(pool, result->rows[i], type_of(&scope, expr, 0), &text);
        if (ok)
            texts[i] = str_dup(arena, buf_str(&text));
        buf_release(&text);
        if (!ok)
            return err_set(err, expr->pos, "the text of this value is not modelled");
    }
    *table = (struct spec_table){columns, result->row_count, names, texts};
    return true;
}
