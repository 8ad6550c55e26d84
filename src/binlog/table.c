#include "binlog/table.h"

#include "binlog/cursor.h"

#include <stdlib.h>

/* What follows the columns' types, each with its kind and length before it. */
enum field {
    FIELD_SIGNEDNESS = 1,
    FIELD_DEFAULT_CHARSET = 2,
    FIELD_COLUMN_CHARSET = 3,
    FIELD_NAME = 4,
    FIELD_SET_LABELS = 5,
    FIELD_ENUM_LABELS = 6,
    FIELD_SIMPLE_KEY = 8,
    FIELD_PREFIX_KEY = 9,
};

static bool is_numeric(const struct column *column) {
    switch (column->type) {
    case COLUMN_DECIMAL:
    case COLUMN_TINY:
    case COLUMN_SHORT:
    case COLUMN_INT24:
    case COLUMN_LONG:
    case COLUMN_LONGLONG:
    case COLUMN_NEWDECIMAL:
    case COLUMN_FLOAT:
    case COLUMN_DOUBLE:
        return true;
    default:
        return false;
    }
}

static bool is_character(const struct column *column) {
    switch (column->type) {
    case COLUMN_STRING:
    case COLUMN_VAR_STRING:
    case COLUMN_VARCHAR:
    case COLUMN_BLOB:
    case COLUMN_BLOB_COMPRESSED:
    case COLUMN_VARCHAR_COMPRESSED:
        return true;
    default:
        return false;
    }
}

/* A STRING's metadata: its real type, or two more bits of its length in the bits that no type of texts lacks. */
static void read_string(struct column *column, struct cursor *in) {
    uint8_t type = (uint8_t)cursor_le(in, 1);
    column->size = (uint32_t)cursor_le(in, 1);
    if ((type & 0x30) != 0x30) {
        column->size |= (uint32_t)((type & 0x30) ^ 0x30) << 4;
        type |= 0x30;
    }
    column->type = type;
}

static uint32_t integer_size(uint8_t type) {
    return type == COLUMN_TINY    ? 1
           : type == COLUMN_SHORT ? 2
           : type == COLUMN_INT24 ? 3
           : type == COLUMN_LONG  ? 4
                                  : 8;
}

/* False: a type that is not known, so that no row of the table can be read. */
static bool read_type(struct column *column, struct cursor *in) {
    switch (column->type) {
    case COLUMN_TINY:
    case COLUMN_SHORT:
    case COLUMN_INT24:
    case COLUMN_LONG:
    case COLUMN_LONGLONG:
        column->size = integer_size(column->type);
        return true;
    case COLUMN_YEAR:
    case COLUMN_NULL:
    case COLUMN_TIMESTAMP:
    case COLUMN_DATE:
    case COLUMN_NEWDATE:
    case COLUMN_TIME:
    case COLUMN_DATETIME:
        return true;
    case COLUMN_TIMESTAMP2:
    case COLUMN_DATETIME2:
    case COLUMN_TIME2:
        column->scale = (uint8_t)cursor_le(in, 1);
        return column->scale <= 6;
    case COLUMN_FLOAT:
    case COLUMN_DOUBLE:
        column->size = (uint32_t)cursor_le(in, 1);
        return column->size == (column->type == COLUMN_FLOAT ? 4 : 8);
    case COLUMN_BLOB:
    case COLUMN_BLOB_COMPRESSED:
    case COLUMN_GEOMETRY:
    case COLUMN_JSON:
    case COLUMN_VECTOR:
        column->size = (uint32_t)cursor_le(in, 1);
        return column->size >= 1 && column->size <= 4;
    case COLUMN_VARCHAR:
    case COLUMN_VARCHAR_COMPRESSED:
    case COLUMN_VAR_STRING:
        column->size = (uint32_t)cursor_le(in, 2);
        return true;
    case COLUMN_BIT: {
        uint32_t bits = (uint32_t)cursor_le(in, 1);
        column->size = (uint32_t)cursor_le(in, 1) + (bits > 0);
        return bits < 8 && column->size >= 1 && column->size <= 8;
    }
    case COLUMN_NEWDECIMAL:
        column->precision = (uint8_t)cursor_le(in, 1);
        column->scale = (uint8_t)cursor_le(in, 1);
        return column->precision >= 1 && column->precision <= 81 && column->scale <= column->precision;
    case COLUMN_STRING:
    case COLUMN_ENUM:
    case COLUMN_SET:
        read_string(column, in);
        return column->type == COLUMN_STRING || (column->type == COLUMN_ENUM && column->size >= 1 && column->size <= 2) ||
               (column->type == COLUMN_SET && column->size >= 1 && column->size <= 8);
    case COLUMN_TYPED_ARRAY: { /* that of its elements follows; of texts a byte more */
        struct column element = {.type = (uint8_t)cursor_le(in, 1)};
        if (element.type == COLUMN_VARCHAR)
            return cursor_bytes(in, 3).len == 3;
        return element.type != COLUMN_TYPED_ARRAY && read_type(&element, in);
    }
    default:
        return false;
    }
}

static void read_signs(struct table *table, struct str bits) {
    size_t bit = 0;
    for (size_t i = 0; i < table->column_count; i++) {
        if (!is_numeric(&table->columns[i]))
            continue;
        if (bit / 8 < bits.len)
            table->columns[i].is_unsigned = ((uint8_t)bits.ptr[bit / 8] >> (7 - bit % 8) & 1) != 0;
        bit++;
    }
}

/* One for all columns of texts, and those that have another. */
static void read_default_charset(struct table *table, struct cursor in) {
    uint32_t usual = (uint32_t)cursor_packed(&in);
    size_t text = 0;
    uint64_t other = UINT64_MAX, other_charset = 0;
    bool has_other = false;
    for (size_t i = 0; i < table->column_count; i++) {
        if (!is_character(&table->columns[i]))
            continue;
        if (!has_other && in.left.len > 0) {
            other = cursor_packed(&in);
            other_charset = cursor_packed(&in);
            has_other = !in.is_bad;
        }
        bool is_other = has_other && other == text;
        table->columns[i].charset = is_other ? (uint32_t)other_charset : usual;
        has_other = has_other && !is_other;
        text++;
    }
}

static void read_charsets(struct table *table, struct cursor in) {
    for (size_t i = 0; i < table->column_count && in.left.len > 0; i++)
        if (is_character(&table->columns[i]))
            table->columns[i].charset = (uint32_t)cursor_packed(&in);
}

static void read_names(struct table *table, struct cursor in) {
    struct str *names = ARENA_ARRAY(&table->arena, struct str, table->column_count);
    for (size_t i = 0; i < table->column_count; i++)
        names[i] = cursor_counted(&in);
    if (!in.is_bad)
        table->names = names;
}

static void read_labels(struct table *table, struct cursor in, uint8_t type) {
    for (size_t i = 0; i < table->column_count && in.left.len > 0; i++) {
        struct column *column = &table->columns[i];
        if (column->type != type)
            continue;
        uint64_t count = cursor_packed(&in);
        if (count > in.left.len)
            return;
        struct str *labels = ARENA_ARRAY(&table->arena, struct str, (size_t)count);
        for (uint64_t k = 0; k < count; k++)
            labels[k] = cursor_counted(&in);
        if (in.is_bad)
            return;
        column->labels = labels;
        column->label_count = (size_t)count;
    }
}

static void read_key(struct table *table, struct cursor in, bool has_prefixes) {
    bool *is_key = ARENA_ARRAY(&table->arena, bool, table->column_count);
    while (in.left.len > 0) {
        uint64_t index = cursor_packed(&in);
        if (has_prefixes)
            cursor_packed(&in);
        if (in.is_bad || index >= table->column_count)
            return;
        is_key[index] = true;
    }
    table->is_key = is_key;
}

static void read_fields(struct table *table, struct cursor *in) {
    while (in->left.len > 0 && !in->is_bad) {
        uint64_t kind = cursor_le(in, 1);
        struct cursor value = cursor_of(cursor_counted(in));
        switch (kind) {
        case FIELD_SIGNEDNESS:
            read_signs(table, value.left);
            break;
        case FIELD_DEFAULT_CHARSET:
            read_default_charset(table, value);
            break;
        case FIELD_COLUMN_CHARSET:
            read_charsets(table, value);
            break;
        case FIELD_NAME:
            read_names(table, value);
            break;
        case FIELD_SET_LABELS:
            read_labels(table, value, COLUMN_SET);
            break;
        case FIELD_ENUM_LABELS:
            read_labels(table, value, COLUMN_ENUM);
            break;
        case FIELD_SIMPLE_KEY:
        case FIELD_PREFIX_KEY:
            read_key(table, value, kind == FIELD_PREFIX_KEY);
            break;
        default: /* the kind of a geometry, visibility, ... */
            break;
        }
    }
    /* The server that logs names would have logged a key. */
    if (table->names != NULL && table->is_key == NULL)
        table->is_key = ARENA_ARRAY(&table->arena, bool, table->column_count);
}

static bool read_table(struct table *table, size_t id_bytes) {
    struct cursor in = cursor_of(table->body);
    cursor_bytes(&in, id_bytes);
    cursor_le(&in, 2);
    table->schema = cursor_bytes(&in, cursor_le(&in, 1));
    cursor_le(&in, 1);
    table->name = cursor_bytes(&in, cursor_le(&in, 1));
    cursor_le(&in, 1);
    uint64_t count = cursor_packed(&in);
    if (in.is_bad || count == 0 || count > COLUMNS_MAX)
        return false;
    table->column_count = (size_t)count;
    table->columns = ARENA_ARRAY(&table->arena, struct column, table->column_count);
    struct str types = cursor_bytes(&in, count);
    struct cursor metadata = cursor_of(cursor_counted(&in));
    cursor_bytes(&in, (count + 7) / 8); /* which may be NULL */
    if (in.is_bad)
        return false;
    for (size_t i = 0; i < table->column_count; i++) {
        table->columns[i].type = (uint8_t)types.ptr[i];
        if (!read_type(&table->columns[i], &metadata))
            return false;
        table->json_count += table->columns[i].type == COLUMN_JSON;
    }
    if (metadata.is_bad)
        return false;
    read_fields(table, &in);
    return true;
}

/* Names and key as the server's catalog has them, which may have changed since: only if there are as many columns. */
static void look_up(struct table_cache *cache, struct table *table, const struct trace_lookup *lookup) {
    struct arena scratch = {0};
    struct trace_table found;
    bool is_found = lookup->table(lookup->context, &scratch, table->schema, table->name, &found);
    if (is_found && found.column_count == table->column_count) {
        struct str *names = ARENA_ARRAY(&table->arena, struct str, table->column_count);
        for (size_t i = 0; i < table->column_count; i++)
            names[i] = str_dup(&table->arena, found.columns[i]);
        table->names = names;
        table->is_key = arena_copy(&table->arena, found.is_key, table->column_count * sizeof(*found.is_key));
    }
    cache->has_stale |= is_found && found.column_count != table->column_count;
    arena_release(&scratch);
}

static void drop(struct table_cache *cache, size_t slot) {
    struct table *table = cache->slots[slot];
    if (table == NULL)
        return;
    cache->byte_count -= table->arena.byte_count;
    arena_release(&table->arena);
    free(table);
    cache->slots[slot] = NULL;
}

void table_cache_clear(struct table_cache *cache) {
    for (size_t i = 0; i < TABLES_MAX; i++)
        drop(cache, i);
}

bool table_cache_read(struct table_cache *cache, struct str body, size_t id_bytes, const struct trace_lookup *lookup) {
    if (body.len < id_bytes)
        return false;
    uint64_t id = bytes_le(str_sub(body, 0, id_bytes));
    size_t slot = (size_t)(id % TABLES_MAX);
    if (cache->slots[slot] != NULL && str_equal(cache->slots[slot]->body, body))
        return true;
    drop(cache, slot);
    if (cache->byte_count > TABLE_BYTES_MAX)
        table_cache_clear(cache);
    struct table *table = mem_alloc(sizeof(*table));
    *table = (struct table){.id = id};
    table->body = str_dup(&table->arena, body);
    bool is_good = read_table(table, id_bytes);
    if (is_good && table->names == NULL && lookup != NULL)
        look_up(cache, table, lookup);
    cache->byte_count += table->arena.byte_count;
    cache->slots[slot] = table;
    if (!is_good)
        drop(cache, slot);
    return is_good;
}

const struct table *table_cache_get(const struct table_cache *cache, uint64_t id) {
    const struct table *table = cache->slots[id % TABLES_MAX];
    return table != NULL && table->id == id ? table : NULL;
}
