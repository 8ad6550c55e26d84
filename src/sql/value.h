/* A scalar that the database holds and the program computes with: 16 bytes, passed by value.
 *
 * Text is interned: two equal texts have the same number, so values compare and hash without
 * touching bytes. Generated values (serial keys, now(), uuids) are ordinary INT, TIME or TEXT
 * values that also remember which session made them as its how-manieth (`origin`, `ordinal`), so
 * that outcomes of two schedules can be compared although the numbers themselves differ.
 */
#ifndef LW_SQL_VALUE_H
#define LW_SQL_VALUE_H

#include "base/buf.h"
#include "base/map.h"
#include "base/str.h"

enum value_kind {
    VALUE_NULL,
    VALUE_BOOL,
    VALUE_INT,
    VALUE_DECIMAL, /* number / 10^scale, without trailing zeros beyond what was written */
    VALUE_TEXT,    /* number: index into the run's text pool */
    VALUE_TIME,    /* number: microseconds, or a generated instant */
};

struct value {
    uint8_t kind;    /* enum value_kind */
    uint8_t scale;   /* DECIMAL: digits after the point, 0 to 18 */
    uint8_t origin;  /* generated: 1 + index of the session that made it; 0: not generated */
    uint8_t ordinal; /* generated: which one of that session, from 0; asserted below 255 */
    uint32_t spare;  /* zero, so that values can be compared and hashed as bytes */
    int64_t number;
};

/* The texts of one run. Owns copies of them. `{0}` is not usable: call text_pool_init. */
struct text_pool {
    struct arena *arena;
    const struct text_pool *base; /* whose texts come first; not added to as long as this one is used */
    size_t base_count;
    struct map index; /* text to entry */
    struct str *items;
    size_t count, capacity;
};

void text_pool_init(struct text_pool *pool, struct arena *arena);
/* A pool that has the texts of `base`, under the same numbers, and texts of its own. Several threads may have one each on the
 * same base. */
void text_pool_init_over(struct text_pool *pool, struct arena *arena, const struct text_pool *base);
/* The number of `text`, the same for equal texts. */
int64_t text_pool_add(struct text_pool *pool, struct str text);
/* The text under a number; asserted to exist. */
struct str text_pool_get(const struct text_pool *pool, int64_t number);

struct value value_null(void);
struct value value_bool(bool truth);
struct value value_int(int64_t number);
struct value value_decimal(int64_t number, uint8_t scale);
struct value value_text(struct text_pool *pool, struct str text);
struct value value_time(int64_t microseconds);

/* SQL comparison of two values that are not NULL: <0, 0, >0. Numbers compare as numbers (BOOL
 * counts as 0 or 1), texts by bytes, times by instant; different kinds otherwise by kind, so
 * that the order is total. */
int value_compare(const struct text_pool *pool, struct value a, struct value b);
/* The same kind and the same content; 1 and 1.0 are equal. NULL equals NULL here (not SQL's
 * `=`). */
bool value_equal(const struct text_pool *pool, struct value a, struct value b);

enum value_op { VALUE_ADD, VALUE_SUB, VALUE_MUL, VALUE_DIV, VALUE_MOD };

/* Arithmetic; NULL if either is NULL. False if the kinds don't fit, on division by zero or
 * overflow. `integer_division`: INT / INT truncates (PostgreSQL, SQLite) instead of giving a
 * DECIMAL (MySQL). */
bool value_arith(enum value_op op, struct value a, struct value b, bool integer_division,
                 struct value *result);

/* A date, or a date and a time of day (`2024-02-29`, `2024-02-29T12:00:00.5+02:00`), as an
 * instant; a text without a zone counts as UTC. False if it is no such text. */
bool value_parse_time(struct str text, struct value *time);
/* Writes an instant as value_parse_time reads it, without quotes. False, and nothing written, if
 * its year has not four digits. */
bool value_time_text(struct value time, struct buf *out);

/* As SQL text: NULL, true, 7, 1.50, 'it''s', and generated ones as their number. */
void value_print(const struct text_pool *pool, struct value value, struct buf *out);

#endif
