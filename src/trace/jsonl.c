#include "trace/jsonl.h"

#include "base/json.h"
#include "base/vec.h"

#include <stdlib.h>

/* Where lines of no use are summed up into one gap: the events behind a header that can't be read. */
struct unread {
    bool is_open;
    struct trace_place place;
    uint64_t byte_count;
};

struct jsonl {
    const struct trace_sink *sink;
    struct str file;
    enum trace_server server; /* of the header */
    bool has_header;
    bool is_cut_off;    /* within a line that is too long */
    uint64_t long_from; /* that line's place */
    struct unread unread;
    uint64_t offset;    /* of the line that is read, in bytes from the beginning */
    uint64_t line;      /* its number, from 1 */
    struct buf rest;    /* of an unfinished line */
    struct arena scratch; /* of one line */
};

static struct trace_place place_of(const struct jsonl *jsonl) {
    return (struct trace_place){jsonl->file, jsonl->offset, jsonl->line};
}

static void give_gap(const struct jsonl *jsonl, struct trace_place place, const char *why, uint64_t byte_count) {
    struct trace_event event = {.kind = TRACE_GAP, .server = jsonl->server, .place = place, .time_us = -1};
    event.gap = (struct trace_gap){.reason = why, .byte_count = byte_count};
    jsonl->sink->event(jsonl->sink->context, &event);
}

static void end_unread(struct jsonl *jsonl) {
    if (jsonl->unread.is_open)
        give_gap(jsonl, jsonl->unread.place, "the recording is of another version than 1", jsonl->unread.byte_count);
    jsonl->unread = (struct unread){0};
}

/* Lower case only: one form for one value. */
static int lower_hex_digit(char c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool hex_bytes(struct arena *arena, struct str text, struct str *bytes) {
    char *out = arena_alloc(arena, text.len / 2 + 1);
    for (size_t i = 0; i < text.len; i++) {
        int digit = lower_hex_digit(text.ptr[i]);
        if (digit < 0)
            return false;
        out[i / 2] = (char)(out[i / 2] * 16 + digit);
    }
    *bytes = (struct str){out, text.len / 2};
    return text.len % 2 == 0;
}

/* null; a number; a string; true and false as the server prints them; {"hex": ...}: bytes; {}: not told. */
static bool read_value(struct jsonl *jsonl, const struct json_value *json, struct trace_value *value) {
    bool is_mysql = jsonl->server == TRACE_MYSQL;
    *value = (struct trace_value){.state = TRACE_VALUE, .text = json->text};
    switch (json->kind) {
    case JSON_NULL:
        value->state = TRACE_NULL;
        return true;
    case JSON_TRUE:
        value->text = is_mysql ? STR("1") : STR("t");
        return true;
    case JSON_FALSE:
        value->text = is_mysql ? STR("0") : STR("f");
        return true;
    case JSON_NUMBER:
        return true;
    case JSON_STRING:
        value->is_text = true;
        return true;
    case JSON_OBJECT:
        if (json->first == NULL) {
            value->state = TRACE_ABSENT;
            return true;
        }
        value->is_text = true;
        return str_is(json->first->name, "hex") && json->first->kind == JSON_STRING && json->first->next == NULL &&
               hex_bytes(&jsonl->scratch, json->first->text, &value->text);
    case JSON_ARRAY:
        break;
    }
    return false;
}

static size_t length_of(const struct json_value *array) {
    size_t count = 0;
    for (const struct json_value *item = array->first; item != NULL; item = item->next)
        count++;
    return count;
}

static const char *read_params(struct jsonl *jsonl, const struct json_value *json, struct trace_statement *statement) {
    if (json == NULL)
        return NULL;
    if (json->kind != JSON_ARRAY)
        return "params is no array";
    size_t count = length_of(json), i = 0;
    struct trace_value *params = ARENA_ARRAY(&jsonl->scratch, struct trace_value, count);
    for (const struct json_value *item = json->first; item != NULL; item = item->next)
        if (!read_value(jsonl, item, &params[i++]))
            return "a parameter is no value";
    statement->params = params;
    statement->param_count = count;
    return NULL;
}

static const char *read_row(struct jsonl *jsonl, const struct json_value *json, size_t column_count, struct trace_value *values) {
    if (json->kind != JSON_ARRAY || length_of(json) != column_count)
        return "a row has not as many values as there are columns";
    for (const struct json_value *item = json->first; item != NULL; item = item->next)
        if (!read_value(jsonl, item, values++))
            return "a row has what is no value";
    return NULL;
}

static const char *read_rows(struct jsonl *jsonl, const struct json_value *line, struct trace_statement *statement) {
    const struct json_value *columns = json_member(line, "columns"), *json = json_member(line, "rows");
    if (json == NULL)
        return NULL;
    if (columns == NULL || columns->kind != JSON_ARRAY || json->kind != JSON_ARRAY)
        return "rows without columns";
    struct trace_rows *rows = ARENA_NEW(&jsonl->scratch, struct trace_rows);
    struct str *names = ARENA_ARRAY(&jsonl->scratch, struct str, length_of(columns));
    for (const struct json_value *name = columns->first; name != NULL; name = name->next) {
        if (name->kind != JSON_STRING)
            return "the name of a column is no string";
        names[rows->column_count++] = name->text;
    }
    size_t count = length_of(json), kept = count < TRACE_ROWS_MAX ? count : TRACE_ROWS_MAX;
    struct trace_value *values = ARENA_ARRAY(&jsonl->scratch, struct trace_value, kept * rows->column_count);
    const struct json_value *row = json->first;
    for (; rows->row_count < kept; row = row->next) {
        const char *why = read_row(jsonl, row, rows->column_count, values + rows->row_count++ * rows->column_count);
        if (why != NULL)
            return why;
    }
    const struct json_value *is_cut = json_member(line, "rows_cut");
    rows->is_cut = kept < count || (is_cut != NULL && is_cut->kind == JSON_TRUE);
    rows->columns = names;
    rows->values = values;
    statement->rows = rows;
    return NULL;
}

/* A whole number that is not negative, or -1: not told. */
static int64_t number_of(const struct json_value *line, const char *name) {
    const struct json_value *json = json_member(line, name);
    if (json == NULL || json->kind != JSON_NUMBER || json->text.len > 18)
        return -1;
    int64_t number = 0;
    for (size_t i = 0; i < json->text.len; i++) {
        if (json->text.ptr[i] < '0' || json->text.ptr[i] > '9')
            return -1;
        number = number * 10 + (json->text.ptr[i] - '0');
    }
    return number;
}

static struct str text_of(const struct json_value *line, const char *name) {
    const struct json_value *json = json_member(line, name);
    return json != NULL && json->kind == JSON_STRING ? json->text : (struct str){0};
}

static bool is_true(const struct json_value *line, const char *name) {
    const struct json_value *json = json_member(line, name);
    return json != NULL && json->kind == JSON_TRUE;
}

static bool read_server(const struct json_value *line, enum trace_server *server) {
    struct str name = text_of(line, "server");
    if (name.len == 0)
        return false;
    *server = str_is(name, "postgresql")                    ? TRACE_POSTGRESQL
              : STR_IS_ONE_OF(name, "mysql", "mariadb") ? TRACE_MYSQL
                                                            : TRACE_SERVER_UNKNOWN;
    return true;
}

static void read_outcome(const struct json_value *line, struct trace_statement *statement) {
    struct str transaction = text_of(line, "transaction");
    statement->error_code = text_of(line, "error");
    statement->error = text_of(line, "message");
    statement->outcome = json_member(line, "error") != NULL ? TRACE_FAILED : TRACE_OK;
    statement->transaction_after = str_is(transaction, "open")   ? TRACE_TRANSACTION_OPEN
                                   : str_is(transaction, "none") ? TRACE_TRANSACTION_NONE
                                                                 : TRACE_TRANSACTION_UNKNOWN;
    statement->end_us = number_of(line, "end");
    statement->row_count = number_of(line, "row_count");
}

static const char *read_statement(struct jsonl *jsonl, const struct json_value *line, struct trace_event *event) {
    struct trace_statement *statement = &event->statement;
    const struct json_value *sql = json_member(line, "sql");
    if (sql == NULL || sql->kind != JSON_STRING)
        return "a statement without its SQL";
    statement->sql = sql->text;
    statement->is_cut = is_true(line, "sql_cut");
    statement->is_more = is_true(line, "more");
    statement->is_of_test = is_true(line, "by_test");
    read_outcome(line, statement);
    const char *why = read_params(jsonl, json_member(line, "params"), statement);
    return why != NULL ? why : read_rows(jsonl, line, statement);
}

static const char *read_event(struct jsonl *jsonl, const struct json_value *line) {
    struct trace_event event = {.server = jsonl->server, .place = place_of(jsonl), .time_us = number_of(line, "time")};
    struct str kind = text_of(line, "event");
    int64_t session = number_of(line, "session");
    const char *why = NULL;
    if (session <= 0)
        return "an event without the number of its session";
    event.session = (uint64_t)session;
    read_server(line, &event.server);
    if (str_is(kind, "statement")) {
        event.kind = TRACE_STATEMENT;
        enum trace_server of_header = jsonl->server;
        jsonl->server = event.server; /* whose true and false are read */
        why = read_statement(jsonl, line, &event);
        jsonl->server = of_header;
    } else if (str_is(kind, "session")) {
        event.kind = TRACE_SESSION;
        event.user = text_of(line, "user");
        event.database = text_of(line, "database");
        event.application = text_of(line, "application");
    } else if (str_is(kind, "test")) {
        event.kind = TRACE_TEST;
    } else if (str_is(kind, "end")) {
        event.kind = TRACE_END;
    } else {
        return "an event of an unknown kind";
    }
    if (why == NULL)
        jsonl->sink->event(jsonl->sink->context, &event);
    return why;
}

static bool is_header(const struct json_value *line) {
    return str_is(text_of(line, "lostwrite"), "recording");
}

/* Sessions live on behind a header: recordings may be put one behind the other. */
static void read_header(struct jsonl *jsonl, const struct json_value *line, size_t byte_count) {
    end_unread(jsonl);
    jsonl->has_header = true;
    if (number_of(line, "version") != TRACE_JSONL_VERSION) {
        jsonl->unread = (struct unread){true, place_of(jsonl), byte_count};
        return;
    }
    if (!read_server(line, &jsonl->server))
        jsonl->server = TRACE_SERVER_UNKNOWN;
}

static bool is_blank(struct str text) {
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] != ' ' && text.ptr[i] != '\t' && text.ptr[i] != '\r')
            return false;
    return true;
}

/* A line with its end, of `byte_count` bytes. */
static void read_line(struct jsonl *jsonl, struct str text, size_t byte_count) {
    struct json_value *line = NULL;
    const char *why = NULL;
    bool is_json = !is_blank(text) && json_parse(&jsonl->scratch, text, &line, NULL) && line->kind == JSON_OBJECT;
    if (is_json && is_header(line)) {
        read_header(jsonl, line, byte_count);
    } else if (jsonl->unread.is_open) {
        jsonl->unread.byte_count += byte_count;
    } else if (!is_blank(text)) {
        if (!jsonl->has_header)
            give_gap(jsonl, place_of(jsonl), "the recording does not begin with its header", 0);
        jsonl->has_header = true;
        why = is_json ? read_event(jsonl, line) : "the line is no JSON object";
    }
    if (why != NULL)
        give_gap(jsonl, place_of(jsonl), why, byte_count);
    arena_reset(&jsonl->scratch);
}

/* Behind a line: the next one. */
static void next_line(struct jsonl *jsonl, size_t byte_count) {
    jsonl->offset += byte_count;
    jsonl->line++;
}

static void end_long_line(struct jsonl *jsonl) {
    uint64_t byte_count = jsonl->offset - jsonl->long_from;
    struct trace_place place = {jsonl->file, jsonl->long_from, jsonl->line};
    jsonl->is_cut_off = false;
    if (jsonl->unread.is_open)
        jsonl->unread.byte_count += byte_count;
    else
        give_gap(jsonl, place, "the line is longer than a recorder's may be", byte_count);
}

static bool is_too_long(const struct jsonl *jsonl, struct str part) {
    return jsonl->rest.len + part.len > TRACE_JSONL_LINE_BYTES;
}

/* The end of a line, or what there is of it. */
static void take_part(struct jsonl *jsonl, struct str part, bool is_last) {
    size_t end_bytes = is_last ? 1 : 0;
    if (!jsonl->is_cut_off && is_too_long(jsonl, part)) {
        jsonl->is_cut_off = true;
        jsonl->long_from = jsonl->offset;
        jsonl->offset += jsonl->rest.len;
        buf_clear(&jsonl->rest);
    }
    if (jsonl->is_cut_off) {
        jsonl->offset += part.len + end_bytes;
        if (is_last) {
            end_long_line(jsonl);
            jsonl->line++;
        }
        return;
    }
    if (!is_last) {
        buf_add(&jsonl->rest, part);
        return;
    }
    if (jsonl->rest.len > 0) {
        buf_add(&jsonl->rest, part);
        part = buf_str(&jsonl->rest);
    }
    read_line(jsonl, part, part.len + end_bytes);
    next_line(jsonl, part.len + end_bytes);
    buf_clear(&jsonl->rest);
}

static void *jsonl_open(const struct trace_sink *sink, const struct trace_options *options) {
    struct jsonl *jsonl = mem_alloc(sizeof(*jsonl));
    *jsonl = (struct jsonl){.sink = sink, .file = options->file, .line = 1};
    return jsonl;
}

static void jsonl_feed(void *decoder, struct str bytes) {
    struct jsonl *jsonl = decoder;
    for (size_t at = 0; at < bytes.len;) {
        size_t end = str_find(bytes, '\n', at);
        bool is_last = end < bytes.len;
        take_part(jsonl, str_sub(bytes, at, end), is_last);
        at = end + is_last;
    }
}

/* A last line without an end is read if it is whole; a recorder that was killed leaves half of one. */
static void jsonl_end(void *decoder) {
    struct jsonl *jsonl = decoder;
    if (jsonl->is_cut_off) {
        end_long_line(jsonl);
    } else if (jsonl->rest.len > 0) {
        struct str text = buf_str(&jsonl->rest);
        struct json_value *line;
        if (json_parse(&jsonl->scratch, text, &line, NULL) || jsonl->unread.is_open)
            read_line(jsonl, text, text.len);
        else
            give_gap(jsonl, place_of(jsonl), "the recording ends within a line", text.len);
        next_line(jsonl, text.len);
    }
    end_unread(jsonl);
    arena_reset(&jsonl->scratch);
    buf_clear(&jsonl->rest);
}

static void jsonl_next_file(void *decoder, struct str file) {
    struct jsonl *jsonl = decoder;
    jsonl_end(jsonl);
    jsonl->file = file;
    jsonl->offset = 0;
    jsonl->line = 1;
    jsonl->has_header = false;
}

static void jsonl_close(void *decoder) {
    struct jsonl *jsonl = decoder;
    buf_release(&jsonl->rest);
    arena_release(&jsonl->scratch);
    free(jsonl);
}

static int jsonl_detect(struct str head) {
    struct arena scratch = {0};
    struct json_value *line;
    size_t end = str_find(head, '\n', 0);
    bool is_ours = json_parse(&scratch, str_sub(head, 0, end), &line, NULL) && is_header(line);
    arena_release(&scratch);
    return is_ours ? 100 : 0;
}

const struct trace_decoder_class trace_jsonl_decoder = {
    .name = "recording",
    .title = "recording of lostwrite",
    .detect = jsonl_detect,
    .open = jsonl_open,
    .feed = jsonl_feed,
    .next_file = jsonl_next_file,
    .end = jsonl_end,
    .close = jsonl_close,
};
