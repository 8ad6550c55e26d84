/* What a TABLE_MAP event says of a table, kept for the rows that follow it: types, and as much more as the server was asked to log.
 * Servers repeat it before each statement, mostly word by word; then what was read of it serves again. */
#ifndef LW_BINLOG_TABLE_H
#define LW_BINLOG_TABLE_H

#include "base/str.h"
#include "trace/decoder.h"

enum column_type {
    COLUMN_DECIMAL = 0,
    COLUMN_TINY = 1,
    COLUMN_SHORT = 2,
    COLUMN_LONG = 3,
    COLUMN_FLOAT = 4,
    COLUMN_DOUBLE = 5,
    COLUMN_NULL = 6,
    COLUMN_TIMESTAMP = 7,
    COLUMN_LONGLONG = 8,
    COLUMN_INT24 = 9,
    COLUMN_DATE = 10,
    COLUMN_TIME = 11,
    COLUMN_DATETIME = 12,
    COLUMN_YEAR = 13,
    COLUMN_NEWDATE = 14,
    COLUMN_VARCHAR = 15,
    COLUMN_BIT = 16,
    COLUMN_TIMESTAMP2 = 17,
    COLUMN_DATETIME2 = 18,
    COLUMN_TIME2 = 19,
    COLUMN_TYPED_ARRAY = 20, /* hidden columns of MySQL's multi-valued indexes */
    COLUMN_BLOB_COMPRESSED = 140, /* MariaDB's */
    COLUMN_VARCHAR_COMPRESSED = 141,
    COLUMN_VECTOR = 242,
    COLUMN_JSON = 245,
    COLUMN_NEWDECIMAL = 246,
    COLUMN_ENUM = 247,
    COLUMN_SET = 248,
    COLUMN_TINY_BLOB = 249,
    COLUMN_MEDIUM_BLOB = 250,
    COLUMN_LONG_BLOB = 251,
    COLUMN_BLOB = 252,
    COLUMN_VAR_STRING = 253,
    COLUMN_STRING = 254,
    COLUMN_GEOMETRY = 255,
};

enum { COLUMNS_MAX = 4096, CHARSET_UNKNOWN = 0, CHARSET_BINARY = 63 };

struct column {
    uint8_t type;       /* of enum column_type; ENUM and SET, not the STRING they are logged as */
    bool is_unsigned;   /* as far as the log says */
    uint32_t size;      /* in bytes: of texts and sets the longest, of a blob that of its length, of numbers the number's */
    uint8_t precision;  /* digits of a decimal */
    uint8_t scale;      /* its digits behind the point; digits of a time's fraction */
    uint32_t charset;   /* number of the collation; CHARSET_UNKNOWN: not told */
    const struct str *labels; /* of an ENUM or SET; NULL: not told */
    size_t label_count;
};

struct table {
    uint64_t id;
    struct arena arena;
    struct str body; /* of the event */
    struct str schema, name;
    struct column *columns;
    size_t column_count;
    const struct str *names; /* NULL: not told */
    const bool *is_key;      /* NULL: not told */
    size_t json_count;
};

enum { TABLES_MAX = 1024, TABLE_BYTES_MAX = 32 << 20 };

struct table_cache {
    struct table *slots[TABLES_MAX]; /* by id modulo the size, the newest of those that meet there */
    bool has_stale; /* a table has not the columns that its server has for it now: its names are not taken; to be told once */
    size_t byte_count;
};

/* Takes in the body of an event; `id_bytes` is how long its table's id is. Where the event has no names, `lookup` (NULL: nobody) is asked for
 * them. False: it is damaged. */
bool table_cache_read(struct table_cache *cache, struct str body, size_t id_bytes, const struct trace_lookup *lookup);
/* NULL: not known. */
const struct table *table_cache_get(const struct table_cache *cache, uint64_t id);
void table_cache_clear(struct table_cache *cache);

#endif
