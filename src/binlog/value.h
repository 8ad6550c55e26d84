/* The text of a value as the server prints it. */
#ifndef LW_BINLOG_VALUE_H
#define LW_BINLOG_VALUE_H

#include "binlog/cursor.h"
#include "binlog/table.h"
#include "trace/event.h"
#include "unpack/unpack.h"

struct value_reader {
    struct arena *scratch;   /* where texts go that don't stand in the log */
    struct unpack **zlib, **deflate; /* of compressed columns; opened when first needed */
    const char *gap;         /* set to what couldn't be read, though it is well formed */
};

/* Takes a column's value off `in`. False: it can't be one, and what follows can't be read. */
bool value_read(struct value_reader *reader, const struct column *column, struct cursor *in,
                struct trace_value *value);

/* number.c */
struct str number_unsigned(struct arena *arena, uint64_t value);
struct str number_signed(struct arena *arena, int64_t value);
/* As few digits as read back as the same number, in the server's form. */
struct str number_double(struct arena *arena, double value);
struct str number_float(struct arena *arena, float value);
/* How many bytes a DECIMAL has. */
size_t decimal_size(unsigned precision, unsigned scale);
/* False: `bytes` are none. */
bool decimal_text(struct arena *arena, unsigned precision, unsigned scale, struct str bytes,
                  struct str *text);

/* temporal.c. `bits` is what the server compares times by: date, time and microseconds in one number. */
bool temporal_read(struct arena *arena, const struct column *column, struct cursor *in,
                   struct str *text);
struct str temporal_time(struct arena *arena, int64_t bits, unsigned digits);
struct str temporal_datetime(struct arena *arena, int64_t bits, unsigned digits, bool is_date);

/* json.c: MySQL's binary JSON. False: it is damaged, or nested deeper than MySQL nests it. */
bool json_text(struct arena *arena, struct str bytes, struct str *text);

#endif
