/* Rows are made first, so that the columns can be as wide as they need to be; then each is laid out: number,
 * session (a place of its own for each), SQL with its answer, Python. */
#include "report/timeline.h"

#include "base/assert.h"
#include "report/common.h"
#include "report/layout.h"

#include <stdlib.h>

enum {
    ROWS_MAX = 256,
    NUMBER_WIDTH = TIMELINE_LANES_AT,
    LANE_WIDTH = TIMELINE_LANE_WIDTH,
    SQL_WIDTH_MIN = 24,
    CODE_WIDTH_MIN = 28,
    LINES_MAX = 4, /* of one row */
    ROWS_WHOLE_MAX = 16, /* of a witness that is shown whole */
    FOLD_MIN = 3
};

struct row {
    size_t number; /* 0: goes with the row before */
    uint8_t session;
    bool is_marked; /* the culprit's write */
    bool is_key;    /* shown in a long witness too */
    struct buf sql, code;
};

struct rows {
    const struct timeline *t;
    struct row items[ROWS_MAX];
    size_t count, left_out;
    struct buf silent; /* "BEGIN; ", waiting for the statement it goes with */
};

const struct culprit *finding_culprit(const struct finding *finding) {
    for (size_t i = 0; i < finding->witness.culprits.count; i++) {
        const struct culprit *culprit = &finding->witness.culprits.items[i];
        if (culprit->rule == finding->rule &&
            culprit->span.start.line == finding->span.start.line &&
            culprit->span.start.column == finding->span.start.column &&
            str_equal(culprit->span.path, finding->span.path))
            return culprit;
    }
    return NULL;
}

/* What goes with the statement after it. */
static bool is_silent(const struct witness_line *line) {
    if (line->kind == RAN_BEGIN || line->kind == RAN_SAVEPOINT || line->kind == RAN_RELEASE)
        return true;
    const struct sql_stmt *stmt = line->event->stmt;
    return line->kind == RAN_STATEMENT && stmt != NULL &&
           (stmt->kind == SQL_STMT_BEGIN || stmt->kind == SQL_STMT_SAVEPOINT ||
            stmt->kind == SQL_STMT_RELEASE || stmt->kind == SQL_STMT_SET ||
            stmt->kind == SQL_STMT_SET_TRANSACTION);
}

/* Lines that no line of the source says. */
static bool has_code(const struct witness_line *line) {
    return !line->is_resumed && line->kind != RAN_COMMIT && line->kind != RAN_ROLLBACK &&
           line->kind != RAN_ROLLBACK_TO && line->kind != RAN_UNLOCK && !is_silent(line);
}

/* The last `parts` parts of a path. */
static struct str path_end(struct str path, size_t parts) {
    size_t from = path.len;
    while (from > 0 && (path.ptr[from - 1] != '/' || --parts > 0))
        from--;
    return str_sub(path, from, path.len);
}

/* A file's name, with its folder where the finding's file is called the same. */
static struct str file_name(struct str path, struct str other) {
    return path_end(path, str_equal(path_end(path, 1), path_end(other, 1)) ? 2 : 1);
}

static void put_code(const struct timeline *t, const struct witness_line *line, struct buf *out) {
    struct str code = trimmed(report_source_line(t->report, line->span, line->span.start.line));
    if (code.len == 0 || !has_code(line))
        return;
    if (!str_equal(line->span.path, t->path))
        buf_printf(out, "%.*s:", STR_ARG(file_name(line->span.path, t->path)));
    buf_printf(out, "%u  %.*s", line->span.start.line, STR_ARG(code));
}

static bool is_culprit(const struct timeline *t, const struct witness_line *line) {
    const struct culprit *culprit = t->culprit;
    return culprit != NULL && line->at == culprit->at && line->session == culprit->session &&
           !line->is_resumed && !is_silent(line);
}

/* What tells the story: the reads that were out of date, the writes, waits and errors, where transactions end. */
static bool is_key(const struct timeline *t, const struct witness_line *line) {
    const struct culprit *culprit = t->culprit;
    if (culprit == NULL || is_culprit(t, line) || line->is_resumed || line->waits_for.len > 0 ||
        line->event->error != DB_OK_NO_ERROR || line->kind == RAN_COMMIT ||
        line->kind == RAN_ROLLBACK || line->kind == RAN_LOCK || line->kind == RAN_UNLOCK)
        return true;
    if (line->session == culprit->other && line->at == culprit->other_at)
        return true;
    for (size_t i = 0; i < culprit->read_steps.count; i++)
        if (line->at == culprit->read_steps.items[i]) /* of whichever session: both read it */
            return true;
    return false;
}

static void add_row(struct rows *rows, size_t number, const struct witness_line *line) {
    if (rows->count == ROWS_MAX) {
        rows->left_out++;
        return;
    }
    struct row *row = &rows->items[rows->count++];
    *row = (struct row){.number = number, .session = line->session,
                        .is_marked = is_culprit(rows->t, line),
                        .is_key = is_key(rows->t, line)};
    buf_add(&row->sql, buf_str(&rows->silent));
    buf_clear(&rows->silent);
    brief_text(&rows->t->brief, line, &row->sql);
    struct buf result = {0};
    brief_result(&rows->t->brief, line, &result);
    if (result.len > 0)
        buf_printf(&row->sql, "  -> %s", result.ptr);
    buf_release(&result);
    put_code(rows->t, line, &row->code);
}

static void make_rows(struct rows *rows) {
    const struct witness *witness = rows->t->witness;
    for (size_t i = 0; i < witness->steps.count; i++) {
        const struct witness_step *step = &witness->steps.items[i];
        bool is_numbered = false;
        for (size_t k = 0; k < step->lines.count; k++) {
            const struct witness_line *line = &step->lines.items[k];
            if (is_silent(line) && k + 1 < step->lines.count) {
                buf_printf(&rows->silent, "%.*s; ", STR_ARG(line->text));
                continue;
            }
            add_row(rows, is_numbered ? 0 : i + 1, line);
            is_numbered = true;
        }
    }
}

/* Of a long witness, one row stands for several in a row that do not matter. */
static void fold_rows(struct rows *rows) {
    size_t kept = 0;
    for (size_t i = 0; i < rows->count;) {
        size_t end = i;
        while (end < rows->count && !rows->items[end].is_key &&
               rows->items[end].session == rows->items[i].session)
            end++;
        if (end < i + FOLD_MIN) {
            rows->items[kept++] = rows->items[i++];
            continue;
        }
        struct row folded = {.number = rows->items[i].number, .session = rows->items[i].session};
        buf_printf(&folded.sql, "... %zu steps left out", end - i);
        for (; i < end; i++) {
            buf_release(&rows->items[i].sql);
            buf_release(&rows->items[i].code);
        }
        rows->items[kept++] = folded;
    }
    rows->count = kept;
}

/* The mark under the write. */

/* The last step before step `end` in which `session` did `at`, 0: none; `*line` gets its line. */
static size_t step_of(const struct witness *witness, uint8_t session, const struct txn_step *at,
                      size_t end, const struct witness_line **line) {
    for (size_t i = end; i-- > 0;)
        for (size_t k = 0; k < witness->steps.items[i].lines.count; k++) {
            const struct witness_line *have = &witness->steps.items[i].lines.items[k];
            if (have->session == session && have->at == at && at != NULL && !is_silent(have)) {
                *line = have;
                return i + 1;
            }
        }
    return 0;
}

static void put_values(const struct timeline *t, const struct witness_line *line, struct buf *out) {
    size_t count = 0;
    for (size_t i = 0; i < t->brief.focus.column_count && line != NULL; i++) {
        struct str column = t->brief.focus.columns[i];
        struct buf value = {0};
        if (count == FOCUS_COLUMNS_MAX) {
            buf_add_c(out, " ...");
            break;
        }
        if (brief_written(&t->brief, line, column, &value))
            buf_printf(out, "%s%.*s=%s", count++ > 0 ? " " : "", STR_ARG(column), value.ptr);
        buf_release(&value);
    }
    if (count == 0)
        buf_add_c(out, "what it wrote");
}

static const char *basis(enum rule rule) {
    switch (rule) {
    case RULE_READ_MODIFY_WRITE:
        return "computed from";
    case RULE_CHECK_THEN_ACT:
    case RULE_LATE_LOCK:
    case RULE_DUPLICATE_CREATE:
        return "decided by";
    case RULE_RESURRECTED_ROW:
        return "inserts";
    default:
        return "rests on";
    }
}

/* "puts back price=100 from step 1: price=5 of step 3 is lost" */
static void put_mark(const struct timeline *t, size_t number, struct buf *out) {
    const struct culprit *culprit = t->culprit;
    const struct witness_line *write = NULL, *read = NULL, *other = NULL;
    size_t before = out->len;
    const struct txn_step *read_at =
        culprit->read_steps.count > 0 ? culprit->read_steps.items[0] : NULL;
    step_of(t->witness, culprit->session, culprit->at, number, &write);
    size_t read_step = step_of(t->witness, culprit->session, read_at, number - 1, &read);
    size_t other_step = step_of(t->witness, culprit->other, culprit->other_at, number - 1, &other);
    bool puts_back = culprit->rule == RULE_STALE_SAVE || culprit->rule == RULE_ALIASED_OBJECTS;
    if (puts_back) {
        buf_add_c(out, "puts back ");
        put_values(t, write, out);
        if (read_step > 0)
            buf_printf(out, " from step %zu", read_step);
    } else if (read_step > 0) {
        buf_printf(out, "%s what step %zu read", basis(culprit->rule), read_step);
    }
    if (other_step == 0)
        return;
    if (puts_back || culprit->rule == RULE_READ_MODIFY_WRITE) {
        buf_add_c(out, out->len > before ? ": " : "");
        put_values(t, other, out);
        buf_printf(out, " of step %zu is lost", other_step);
    } else if (read_step > other_step) {
        buf_printf(out, ", which did not see step %zu", other_step);
    } else {
        buf_printf(out, "%sstep %zu came in between", out->len > before ? ": " : "", other_step);
    }
}

/* Layout. */

struct columns {
    size_t lanes, sql, code;
};

static struct columns choose_columns(const struct rows *rows) {
    size_t width = report_width(rows->t->report), sql = SQL_WIDTH_MIN, code = 0;
    size_t lanes = NUMBER_WIDTH + LANE_WIDTH * rows->t->session_count + 1;
    for (size_t i = 0; i < rows->count; i++) {
        size_t sql_width = text_width(buf_str(&rows->items[i].sql));
        size_t code_width = text_width(buf_str(&rows->items[i].code));
        sql = sql_width > sql ? sql_width : sql;
        code = code_width > code ? code_width : code;
    }
    if (lanes + sql + 2 + code <= width)
        return (struct columns){lanes, sql, code};
    size_t least = SQL_WIDTH_MIN + CODE_WIDTH_MIN;
    size_t room = width > lanes + least + 2 ? width - lanes - 2 : least;
    size_t code_room = room > sql + CODE_WIDTH_MIN ? room - sql : CODE_WIDTH_MIN;
    code = code < code_room ? code : code_room;
    return (struct columns){lanes, room - code, code};
}

static enum style lane_style(uint8_t session) {
    return session % 2 == 0 ? STYLE_CYAN : STYLE_YELLOW;
}

static void put_lane(const struct rows *rows, const struct row *row, size_t width,
                     struct buf *out) {
    char letter[2] = {session_letter(row->session), '\0'};
    size_t before = (size_t)LANE_WIDTH * row->session;
    if (row->number > 0)
        buf_printf(out, "%4zu ", row->number);
    else
        buf_add_repeat(out, ' ', NUMBER_WIDTH);
    buf_add_repeat(out, ' ', before);
    put_styled(rows->t->report, lane_style(row->session), str_from_c(letter), out);
    buf_add_repeat(out, ' ', width - NUMBER_WIDTH - before - 1);
}

/* The row's columns, each wrapped; the code is cut where it would need more lines than the SQL. */
static void put_row(const struct rows *rows, const struct row *row, const struct columns *columns,
                    struct buf *out) {
    struct str sql = buf_str(&row->sql), code = buf_str(&row->code);
    for (size_t line = 0; line == 0 || sql.len > 0; line++) {
        size_t indent = line > 0 ? 2 : 0, from = out->len;
        bool is_last = line + 1 == LINES_MAX;
        if (line == 0)
            put_lane(rows, row, columns->lanes, out);
        else
            buf_add_repeat(out, ' ', columns->lanes + indent);
        struct str part = wrap_next(&sql, columns->sql - indent - (is_last ? 4 : 0));
        put_styled(rows->t->report, row->is_marked ? STYLE_RED : STYLE_PLAIN, part, out);
        size_t used = indent + text_width(part);
        if (is_last && sql.len > 0) {
            buf_add_c(out, " ...");
            used += 4;
            sql.len = 0;
        }
        struct str shown = code;
        if (sql.len > 0)
            shown = wrap_next(&code, columns->code);
        else
            code.len = 0;
        if (shown.len > 0) {
            buf_add_repeat(out, ' ', columns->sql - used + 2);
            buf_add_c(out, style(rows->t->report, STYLE_DIM));
            put_cut(out, trimmed(shown), columns->code);
            buf_add_c(out, style(rows->t->report, STYLE_PLAIN));
        }
        LW_ASSERT(out->len > from);
        buf_add_char(out, '\n');
    }
}

static void put_row_mark(const struct rows *rows, const struct row *row,
                         const struct columns *columns, struct buf *out) {
    struct buf mark = {0};
    buf_add_c(&mark, "^ ");
    put_mark(rows->t, row->number, &mark);
    if (mark.len > 2) {
        buf_add_c(out, style(rows->t->report, STYLE_RED));
        put_wrapped(out, buf_str(&mark), columns->lanes, 2, report_width(rows->t->report));
        buf_add_c(out, style(rows->t->report, STYLE_PLAIN));
    }
    buf_release(&mark);
}

void timeline_print(const struct timeline *timeline, struct buf *out) {
    struct rows *rows = mem_alloc(sizeof(*rows));
    *rows = (struct rows){.t = timeline};
    make_rows(rows);
    if (rows->count > ROWS_WHOLE_MAX)
        fold_rows(rows);
    struct columns columns = choose_columns(rows);
    size_t number = 0;
    for (size_t i = 0; i < rows->count; i++) {
        struct row *row = &rows->items[i];
        number = row->number > 0 ? row->number : number;
        put_row(rows, row, &columns, out);
        if (row->is_marked) {
            struct row marked = *row;
            marked.number = number;
            put_row_mark(rows, &marked, &columns, out);
        }
        buf_release(&row->sql);
        buf_release(&row->code);
    }
    if (rows->left_out > 0)
        buf_printf(out, "      ... and %zu more lines (--format json has all)\n", rows->left_out);
    buf_release(&rows->silent);
    free(rows);
}
