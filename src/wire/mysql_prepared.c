/* Prepared statements and their parameters. */
#include "wire/mysql.h"

#include "base/arena.h"
#include "base/assert.h"

#include <stdlib.h>

enum { PARAM_COUNT_SENT = 8, BULK_TYPES_SENT = 128 };
enum { INDICATOR_NONE, INDICATOR_NULL };

static void drop_long_data(struct mywire_prepared *prepared) {
    for (size_t i = 0; prepared->long_data != NULL && i < prepared->param_count; i++)
        buf_release(&prepared->long_data[i].bytes);
    free(prepared->long_data);
    prepared->long_data = NULL;
}

static void prepared_release(struct named *entry) {
    struct mywire_prepared *prepared = (struct mywire_prepared *)(void *)entry;
    drop_long_data(prepared);
    buf_release(&prepared->sql);
    buf_release(&prepared->types);
    buf_release(&prepared->fetched);
    mywire_columns_release(&prepared->columns);
    free(prepared);
}

void mywire_open_table(struct my *my) {
    my->prepared.bytes_max = WIRE_PREPARED_BYTES_MAX;
    my->prepared.release = prepared_release;
}

static struct mywire_prepared *find(const struct my *my, struct str id) {
    return (struct mywire_prepared *)(void *)named_get(&my->prepared, id);
}

struct mywire_prepared *mywire_find_prepared(const struct my *my, uint32_t id) {
    char name[4];
    if (id == UINT32_MAX)
        id = my->last_prepared_id;
    for (int i = 0; i < 4; i++)
        name[i] = (char)(id >> 8 * i);
    return find(my, (struct str){name, 4});
}

static void grow(struct my *my, struct mywire_prepared *prepared, size_t byte_size) {
    named_grow(&my->prepared, &prepared->named, byte_size);
}

void mywire_prepared_begin(struct wire_connection *c, struct my *my, uint32_t id, size_t param_count) {
    mywire_prepared_end(my);
    my->preparing = mem_alloc(sizeof(*my->preparing));
    *my->preparing = (struct mywire_prepared){.param_count = param_count, .is_cut = c->asked->is_cut};
    buf_add(&my->preparing->sql, wire_ask_body(c->asked));
    my->preparing_id = id;
}

static size_t columns_size(const struct mywire_columns *columns) {
    return columns->names.capacity + columns->list.capacity * sizeof(struct mywire_column);
}

void mywire_prepared_end(struct my *my) {
    struct mywire_prepared *prepared = my->preparing;
    char name[4];
    if (prepared == NULL)
        return;
    my->preparing = NULL;
    my->last_prepared_id = my->preparing_id;
    for (int i = 0; i < 4; i++)
        name[i] = (char)(my->preparing_id >> 8 * i);
    named_put(&my->prepared, (struct str){name, 4}, &prepared->named,
              sizeof(*prepared) + prepared->sql.capacity + columns_size(&prepared->columns));
}

void mywire_add_long_data(struct my *my, const struct wire_ask *ask) {
    struct reader reader = reader_of(wire_ask_body(ask));
    struct mywire_prepared *prepared = mywire_find_prepared(my, (uint32_t)read_le(&reader, 4));
    uint64_t param = read_le(&reader, 2);
    if (prepared == NULL || reader.is_short || param >= prepared->param_count)
        return;
    if (prepared->long_data == NULL) {
        size_t byte_size = prepared->param_count * sizeof(struct mywire_long_data);
        prepared->long_data = mem_alloc(byte_size);
        memset(prepared->long_data, 0, byte_size);
        grow(my, prepared, byte_size);
    }
    struct mywire_long_data *data = &prepared->long_data[param];
    size_t before = data->bytes.capacity;
    struct str bytes = read_rest(&reader);
    data->is_sent = true;
    data->is_cut |= ask->is_cut || data->bytes.len + bytes.len > WIRE_MESSAGE_BYTES_MAX ||
                    my->prepared.byte_size + bytes.len > WIRE_PREPARED_BYTES_MAX / 2;
    if (data->is_cut)
        return;
    buf_add(&data->bytes, bytes);
    grow(my, prepared, data->bytes.capacity - before);
}

void mywire_forget_prepared(struct my *my, struct str id) {
    struct mywire_prepared *prepared = id.len >= 4 ? find(my, str_sub(id, 0, 4)) : NULL;
    if (prepared != NULL)
        named_remove(&my->prepared, &prepared->named);
}

void mywire_reset_prepared(struct my *my, struct str id) {
    struct mywire_prepared *prepared = id.len >= 4 ? find(my, str_sub(id, 0, 4)) : NULL;
    if (prepared == NULL)
        return;
    drop_long_data(prepared);
    buf_clear(&prepared->fetched);
}

struct mywire_prepared *mywire_executed(const struct my *my, const struct wire_ask *ask) {
    struct reader reader = reader_of(wire_ask_body(ask));
    if (ask->kind != COM_STMT_EXECUTE && ask->kind != COM_STMT_FETCH &&
        ask->kind != COM_STMT_BULK_EXECUTE)
        return NULL;
    uint32_t id = (uint32_t)read_le(&reader, 4);
    return reader.is_short ? NULL : mywire_find_prepared(my, id);
}

static struct mywire_column column_of_type(struct str types, size_t i) {
    uint8_t flags = (uint8_t)types.ptr[i * 2 + 1];
    return (struct mywire_column){
        .type = (uint8_t)types.ptr[i * 2],
        .flags = flags & 0x80 ? 32 : 0, /* unsigned */
        .decimals = 31,
    };
}

static void add_param(struct wire_statement *s, struct reader *reader, const struct mywire_column *column) {
    size_t at = s->text.len;
    bool is_good = !reader->is_short && mywire_read_binary(reader, &s->text, column);
    if (!is_good) {
        s->text.len = at;
        reader->is_short = true;
    }
    wire_cell_add(s, &s->params, at, is_good ? TRACE_VALUE : TRACE_ABSENT, mywire_type_is_text(column->type));
}

static void add_absent(struct wire_statement *s, enum trace_value_state state) {
    wire_cell_add(s, &s->params, s->text.len, state, true);
}

static void add_long_param(struct wire_statement *s, const struct mywire_long_data *data) {
    size_t at = s->text.len;
    if (!data->is_cut)
        buf_add(&s->text, buf_str(&data->bytes));
    wire_cell_add(s, &s->params, at, data->is_cut ? TRACE_ABSENT : TRACE_VALUE, true);
}

/* Types come with the first execution, and when they change. `count`: of parameters and attributes. */
static void read_types(struct my *my, struct mywire_prepared *prepared, struct reader *reader, uint64_t count) {
    bool has_names = (my->capabilities & MY_QUERY_ATTRIBUTES) != 0;
    size_t before = prepared->types.capacity;
    buf_clear(&prepared->types);
    for (uint64_t i = 0; i < count && !reader->is_short; i++) {
        buf_add(&prepared->types, read_bytes(reader, 2));
        if (has_names)
            read_lenenc_str(reader);
    }
    grow(my, prepared, prepared->types.capacity - before);
}

static void add_params(struct my *my, struct mywire_prepared *prepared, struct str body) {
    struct wire_statement *s = &my->current;
    struct reader reader = reader_of(body);
    read_le(&reader, 4);
    uint8_t flags = read_byte(&reader);
    read_le(&reader, 4);
    uint64_t count = prepared->param_count;
    bool has_attributes = (my->capabilities & MY_QUERY_ATTRIBUTES) != 0;
    if (has_attributes && (count > 0 || flags & PARAM_COUNT_SENT))
        count = read_lenenc(&reader);
    if (count > UINT16_MAX || count < prepared->param_count)
        reader.is_short = true;
    struct str nulls = read_bytes(&reader, reader.is_short ? 0 : (count + 7) / 8);
    if (count > 0 && !reader.is_short && read_byte(&reader) != 0)
        read_types(my, prepared, &reader, count);
    if (prepared->types.len < prepared->param_count * 2)
        reader.is_short = true;
    for (size_t i = 0; i < prepared->param_count; i++) {
        if (prepared->long_data != NULL && prepared->long_data[i].is_sent)
            add_long_param(s, &prepared->long_data[i]);
        else if (reader.is_short)
            add_absent(s, TRACE_ABSENT);
        else if (nulls.ptr[i / 8] >> i % 8 & 1)
            add_absent(s, TRACE_NULL);
        else {
            struct mywire_column column = column_of_type(buf_str(&prepared->types), i);
            add_param(s, &reader, &column);
        }
    }
}

bool mywire_name_executed(struct my *my, const struct wire_ask *ask) {
    struct mywire_prepared *prepared = mywire_executed(my, ask);
    if (prepared == NULL)
        return false;
    my->current.sql = wire_statement_add(&my->current, buf_str(&prepared->sql));
    my->current.is_cut = prepared->is_cut;
    if (ask->kind == COM_STMT_EXECUTE) {
        add_params(my, prepared, wire_ask_body(ask));
    } else {
        my->current.is_more = true;
        if (prepared->fetched.len > 0)
            add_params(my, prepared, buf_str(&prepared->fetched));
    }
    return true;
}

void mywire_note_executed(struct my *my, const struct wire_ask *ask, uint16_t status) {
    struct mywire_prepared *prepared = mywire_executed(my, ask);
    if (prepared == NULL || ask->kind != COM_STMT_EXECUTE)
        return;
    size_t before = prepared->fetched.capacity + columns_size(&prepared->columns);
    buf_clear(&prepared->fetched);
    if (my->current.columns.count > 0)
        mywire_columns_copy(&prepared->columns, &my->columns);
    if (status & MY_CURSOR_EXISTS)
        buf_add(&prepared->fetched, wire_ask_body(ask));
    else
        drop_long_data(prepared);
    size_t after = prepared->fetched.capacity + columns_size(&prepared->columns);
    if (after > before)
        grow(my, prepared, after - before);
}

bool mywire_next_bulk(struct my *my, const struct wire_ask *ask, size_t *at) {
    struct mywire_prepared *prepared = mywire_executed(my, ask);
    struct str body = wire_ask_body(ask);
    struct reader reader = reader_of(str_sub(body, *at, body.len));
    if (prepared == NULL || prepared->param_count == 0)
        return false;
    if (*at == 0) {
        read_le(&reader, 4);
        if (read_le(&reader, 2) & BULK_TYPES_SENT) {
            buf_clear(&prepared->types);
            buf_add(&prepared->types, read_bytes(&reader, prepared->param_count * 2));
        }
    }
    if (reader_left(&reader) == 0 || prepared->types.len < prepared->param_count * 2)
        return false;
    my->current.sql = wire_statement_add(&my->current, buf_str(&prepared->sql));
    my->current.is_cut = prepared->is_cut;
    for (size_t i = 0; i < prepared->param_count && !reader.is_short; i++) {
        struct mywire_column column = column_of_type(buf_str(&prepared->types), i);
        uint8_t indicator = read_byte(&reader);
        if (indicator == INDICATOR_NONE)
            add_param(&my->current, &reader, &column);
        else
            add_absent(&my->current, indicator == INDICATOR_NULL ? TRACE_NULL : TRACE_ABSENT);
    }
    if (reader.is_short)
        return false;
    *at = body.len - reader_left(&reader);
    return true;
}
