/* Rows of one table that a statement changed, as images: a bitmap of the columns that the event has, for each row one of
 * those that are NULL, and the values of the others. */
#include "base/assert.h"
#include "binlog/internal.h"
#include "binlog/type.h"
#include "binlog/value.h"

struct rows {
    enum trace_change_kind kind;
    bool is_partial; /* JSON values of after images may be differences */
    bool is_packed;
    bool is_v2;
    const struct table *table;
    struct str before_columns, after_columns; /* bitmaps */
    struct cursor in;
    const char *gap; /* of values that are left out; once for all rows */
};

static void read_kind(struct rows *rows, uint8_t type) {
    switch (type) {
    case EVENT_WRITE_ROWS_V1:
    case EVENT_WRITE_ROWS:
    case EVENT_WRITE_ROWS_COMPRESSED_V1:
    case EVENT_WRITE_ROWS_COMPRESSED:
        rows->kind = TRACE_INSERT;
        break;
    case EVENT_DELETE_ROWS_V1:
    case EVENT_DELETE_ROWS:
    case EVENT_DELETE_ROWS_COMPRESSED_V1:
    case EVENT_DELETE_ROWS_COMPRESSED:
        rows->kind = TRACE_DELETE;
        break;
    default:
        rows->kind = TRACE_UPDATE;
    }
    rows->is_partial = type == EVENT_PARTIAL_UPDATE_ROWS;
    rows->is_packed = type >= EVENT_WRITE_ROWS_COMPRESSED_V1;
    rows->is_v2 = (type >= EVENT_WRITE_ROWS && type <= EVENT_DELETE_ROWS) || rows->is_partial ||
                  type >= EVENT_WRITE_ROWS_COMPRESSED;
}

static bool has_bit(struct str bitmap, size_t index) {
    return ((uint8_t)bitmap.ptr[index / 8] >> index % 8 & 1) != 0;
}

static size_t count_bits(struct str bitmap, size_t count) {
    size_t bits = 0;
    for (size_t i = 0; i < count; i++)
        bits += has_bit(bitmap, i);
    return bits;
}

/* Which columns' values are differences: there is a bit for each JSON column, whether the image has it or not. */
static struct str read_partial_bits(struct rows *rows) {
    enum { HAS_PARTIAL_JSON = 1 };
    if ((cursor_packed(&rows->in) & HAS_PARTIAL_JSON) == 0)
        return (struct str){0};
    return cursor_bytes(&rows->in, (rows->table->json_count + 7) / 8);
}

static bool read_image(struct binlog *log, struct rows *rows, struct str columns, bool is_after,
                       struct trace_value *values) {
    const struct table *table = rows->table;
    struct value_reader reader = {.scratch = &log->scratch, .zlib = &log->zlib, .deflate = &log->deflate};
    struct str partial = {0};
    if (is_after && rows->is_partial)
        partial = read_partial_bits(rows);
    struct str nulls = cursor_bytes(&rows->in, (count_bits(columns, table->column_count) + 7) / 8);
    if (rows->in.is_bad)
        return false;
    size_t present = 0, json = 0;
    for (size_t i = 0; i < table->column_count; i++) {
        const struct column *column = &table->columns[i];
        bool is_difference = column->type == COLUMN_JSON && partial.len > 0 && has_bit(partial, json);
        json += column->type == COLUMN_JSON;
        values[i] = (struct trace_value){.state = TRACE_ABSENT, .is_text = true};
        if (!has_bit(columns, i))
            continue;
        if (has_bit(nulls, present++)) {
            values[i].state = TRACE_NULL;
        } else if (is_difference) {
            cursor_bytes(&rows->in, cursor_le(&rows->in, column->size));
            reader.gap = "of a JSON value only the difference is logged (binlog_row_value_options)";
        } else if (!value_read(&reader, column, &rows->in, &values[i])) {
            return false;
        }
    }
    if (reader.gap != NULL)
        rows->gap = reader.gap;
    return !rows->in.is_bad;
}

/* The fixed part and the bitmaps. NULL if all is well, else the reason why not. */
static const char *read_head(struct binlog *log, const struct binlog_event *event, struct rows *rows,
                             uint64_t *flags) {
    enum { OLD_POST_HEADER_BYTES = 6 };
    static const char damaged[] = "an event of rows is damaged";
    *rows = (struct rows){.in = cursor_of(event->body)};
    read_kind(rows, event->type);
    uint64_t id = cursor_le(&rows->in, log->post_header_bytes[event->type] == OLD_POST_HEADER_BYTES ? 4 : 6);
    *flags = cursor_le(&rows->in, 2);
    if (rows->is_v2) {
        uint64_t extra = cursor_le(&rows->in, 2);
        if (extra < 2)
            return damaged;
        cursor_bytes(&rows->in, extra - 2);
    }
    uint64_t count = cursor_packed(&rows->in);
    uint64_t bitmap_bytes = count / 8 + (count % 8 != 0);
    if (rows->kind != TRACE_INSERT)
        rows->before_columns = cursor_bytes(&rows->in, bitmap_bytes);
    if (rows->kind != TRACE_DELETE)
        rows->after_columns = cursor_bytes(&rows->in, bitmap_bytes);
    if (rows->in.is_bad)
        return damaged;
    if (count == 0 && rows->in.left.len == 0)
        return NULL; /* a statement's last, without rows */
    rows->table = table_cache_get(&log->tables, id);
    if (rows->table == NULL)
        return "rows of a table that is not described before them";
    if (rows->table->column_count != count)
        return "rows that don't have the columns of their table";
    return NULL;
}

static bool read_rows(struct binlog *log, struct rows *rows, int64_t time_us) {
    struct row_images *images = &log->images;
    const struct table *table = rows->table;
    if (images->capacity < table->column_count) {
        images->capacity = table->column_count;
        images->before = mem_realloc(images->before, images->capacity * sizeof(*images->before));
        images->after = mem_realloc(images->after, images->capacity * sizeof(*images->after));
    }
    while (rows->in.left.len > 0) {
        size_t left = rows->in.left.len;
        arena_reset(&log->scratch);
        bool has_before = rows->kind != TRACE_INSERT, has_after = rows->kind != TRACE_DELETE;
        if (has_before && !read_image(log, rows, rows->before_columns, false, images->before))
            return false;
        if (has_after && !read_image(log, rows, rows->after_columns, true, images->after))
            return false;
        struct trace_event event = tell_event(log, TRACE_CHANGE, time_us);
        event.change = (struct trace_change){
            .kind = rows->kind,
            .schema = table->schema,
            .table = table->name,
            .columns = table->names,
            .is_key = table->is_key,
            .column_count = table->column_count,
            .before = has_before ? images->before : NULL,
            .after = has_after ? images->after : NULL,
            .sql = buf_str(&log->annotation),
        };
        tell(log, &event);
        if (rows->in.left.len == left)
            return true; /* rows of no columns have no end */
    }
    return true;
}

void rows_read(struct binlog *log, const struct binlog_event *event) {
    struct rows rows;
    uint64_t flags;
    int64_t time_us = (int64_t)event->time_s * 1000000;
    const char *problem = read_head(log, event, &rows, &flags);
    if (problem != NULL) {
        tell_gap(log, log->place, problem, EVENT_HEADER_BYTES + event->body.len);
        return;
    }
    if (rows.is_packed && !payload_unpack(log, rows.in.left, &rows.in.left))
        return;
    if (rows.table != NULL) {
        transaction_begin(log, time_us);
        if (!read_rows(log, &rows, time_us))
            tell_gap(log, log->place, "an event of rows is damaged", rows.in.left.len);
        if (rows.gap != NULL)
            tell_gap(log, log->place, rows.gap, 0);
    }
    if ((flags & ROWS_FLAG_STATEMENT_END) != 0)
        buf_clear(&log->annotation);
}
