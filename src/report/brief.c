#include "report/brief.h"

#include "base/assert.h"
#include "report/common.h"

enum {
    NAMES_SHOWN_MAX = 3, /* columns of an INSERT beyond which only those that matter are named */
    ROWS_SHOWN_MAX = 3,
    ARGS_BYTES_MAX = 32,
    GET_LIMIT = 21 /* get() asks for so many rows, to be able to say how many it found */
};

static bool in_focus(const struct focus *focus, struct str table, struct str column) {
    if (focus->table.len == 0)
        return true;
    if (!str_equal(focus->table, table))
        return false;
    for (size_t i = 0; i < focus->column_count && i < FOCUS_COLUMNS_MAX; i++)
        if (str_equal(focus->columns[i], column))
            return true;
    return false;
}

struct str written_table(const struct witness_line *line) {
    const struct sql_stmt *stmt = line->event->stmt;
    if (stmt == NULL)
        return (struct str){0};
    switch (stmt->kind) {
    case SQL_STMT_INSERT:
        return stmt->insert->table;
    case SQL_STMT_UPDATE:
        return stmt->update->target.table;
    case SQL_STMT_DELETE:
        return stmt->delete_->target.table;
    default:
        return (struct str){0};
    }
}

/* Which columns of one statement to name. */
struct shown {
    const struct brief *brief;
    const struct witness_line *line;
    bool is_all;
    size_t assigned_count;
};

static bool is_assigned(const struct ran_event *event, struct str column) {
    if (event->stmt->kind == SQL_STMT_INSERT)
        return true;
    if (event->stmt->kind != SQL_STMT_UPDATE)
        return false;
    for (size_t i = 0; i < event->stmt->update->set.count && i < event->cell_count; i++)
        if (str_equal(event->stmt->update->set.items[i].column, column))
            return event->cells[i].is_assigned;
    return true;
}

static bool shows(void *context, struct str column) {
    const struct shown *shown = context;
    const struct sql_stmt *stmt = shown->line->event->stmt;
    if (shown->is_all)
        return true;
    if (stmt->kind == SQL_STMT_SELECT)
        return false;
    if (in_focus(&shown->brief->focus, written_table(shown->line), column))
        return true;
    /* Of the rest those that the program meant to set, as long as they are few. */
    return shown->assigned_count <= NAMES_SHOWN_MAX && is_assigned(shown->line->event, column);
}

static bool is_short(const struct sql_stmt *stmt) {
    switch (stmt->kind) {
    case SQL_STMT_SELECT:
        return stmt->select->items.count == 1;
    case SQL_STMT_INSERT:
        return stmt->insert->columns.count <= NAMES_SHOWN_MAX;
    case SQL_STMT_UPDATE:
        return stmt->update->set.count == 1;
    default:
        return true;
    }
}

static void brief_sql(const struct brief *brief, const struct witness_line *line, struct buf *out) {
    struct shown shown = {brief, line, is_short(line->event->stmt), 0};
    for (size_t i = 0; i < line->event->cell_count; i++)
        shown.assigned_count += line->event->cells[i].is_assigned;
    struct sql_brief how = {.shows = shows, .context = &shown, .limit_hidden = GET_LIMIT};
    trace_print_brief(line->event, brief->pool, engine_dialect(brief->engine), &how, out);
}

void brief_text(const struct brief *brief, const struct witness_line *line, struct buf *out) {
    if (line->is_resumed) {
        buf_add_c(out, "... goes on");
        return;
    }
    if (line->kind == RAN_STATEMENT && line->event->stmt != NULL) {
        brief_sql(brief, line, out);
        return;
    }
    size_t bracket = str_find(line->text, '(', 0);
    if (line->kind == RAN_EFFECT && line->text.len > bracket + ARGS_BYTES_MAX) {
        buf_add(out, str_sub(line->text, 0, bracket));
        buf_add_c(out, "(...)");
        return;
    }
    buf_add(out, line->text);
}

/* The name of a result's column: its alias, its column, else what was computed. */
static void item_name(const struct brief *brief, const struct sql_stmt *stmt, size_t i,
                      struct buf *out) {
    const struct sql_item *item = &stmt->select->items.items[i];
    if (item->alias.len > 0)
        buf_add(out, item->alias);
    else if (item->expr->kind == SQL_COLUMN)
        buf_add(out, item->expr->name);
    else
        sql_print_expr(item->expr, stmt, brief->pool, engine_dialect(brief->engine), out);
}

static bool item_matters(const struct brief *brief, const struct sql_stmt *stmt, size_t i) {
    const struct sql_select *select = stmt->select;
    const struct sql_expr *expr = select->items.items[i].expr;
    if (expr == NULL)
        return false;
    if (expr->kind != SQL_COLUMN)
        return expr->kind != SQL_LITERAL;
    if (expr->depth > 0 || expr->source >= select->sources.count)
        return false;
    return select->items.count == 1 ||
           in_focus(&brief->focus, select->sources.items[expr->source].table, expr->name);
}

/* "count=100", of several rows "count=100, 200, 300". */
static void item_values(const struct brief *brief, const struct ran_event *event, size_t i,
                        struct buf *out) {
    item_name(brief, event->stmt, i, out);
    buf_add_char(out, '=');
    for (size_t row = 0; row < event->row_count && row < ROWS_SHOWN_MAX; row++) {
        buf_add_c(out, row > 0 ? ", " : "");
        value_print(brief->pool, event->rows[row * event->column_count + i], out);
    }
    if (event->row_count > ROWS_SHOWN_MAX)
        buf_add_c(out, ", ...");
}

static void select_result(const struct brief *brief, const struct ran_event *event,
                          struct buf *out) {
    size_t shown = 0;
    if (event->row_count == 0) {
        buf_add_c(out, "no row");
        return;
    }
    if (event->row_count > 1)
        buf_printf(out, "%zu rows", event->row_count);
    for (size_t i = 0; i < event->column_count && i < event->stmt->select->items.count; i++) {
        if (!item_matters(brief, event->stmt, i))
            continue;
        buf_add_c(out, shown++ > 0 || event->row_count > 1 ? "  " : "");
        item_values(brief, event, i, out);
    }
    if (shown == 0 && event->row_count == 1)
        buf_add_c(out, "1 row");
}

static void affected(struct str result, struct buf *out) {
    size_t blank = str_find(result, ' ', 0);
    struct str count = str_sub(result, blank < result.len ? blank + 1 : blank, result.len);
    if (str_is(count, "0"))
        buf_add_c(out, "no row");
    else if (!str_is(count, "1"))
        buf_printf(out, "%.*s rows", STR_ARG(count));
}

void brief_result(const struct brief *brief, const struct witness_line *line, struct buf *out) {
    const struct ran_event *event = line->event;
    bool is_statement = line->kind == RAN_STATEMENT && event->stmt != NULL;
    if (line->waits_for.len > 0)
        buf_printf(out, "waits for %.*s", STR_ARG(line->waits_for));
    else if (line->result.len == 0 || event->error != DB_OK_NO_ERROR || !is_statement)
        buf_add(out, line->result);
    else if (event->stmt->kind == SQL_STMT_SELECT)
        select_result(brief, event, out);
    else
        affected(line->result, out);
}

static int written_at(const struct sql_stmt *stmt, struct str column) {
    if (stmt->kind == SQL_STMT_UPDATE) {
        for (size_t i = 0; i < stmt->update->set.count; i++)
            if (str_equal(stmt->update->set.items[i].column, column))
                return (int)i;
    } else if (stmt->kind == SQL_STMT_INSERT) {
        for (size_t i = 0; i < stmt->insert->columns.count; i++)
            if (str_equal(stmt->insert->columns.items[i], column))
                return (int)i;
    }
    return -1;
}

bool brief_written(const struct brief *brief, const struct witness_line *line, struct str column,
                   struct buf *out) {
    const struct ran_event *event = line->event;
    int at = event->stmt != NULL ? written_at(event->stmt, column) : -1;
    if (at < 0 || (size_t)at >= event->cell_count || event->cells[at].is_pending)
        return false;
    value_print(brief->pool, event->cells[at].value, out);
    return true;
}
