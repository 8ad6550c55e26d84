/* Programs recalled from traffic. A unit of work is what one session committed together, with what it had read for it; units
 * whose statements are of the same shapes, on rows that hang together in the same way, are one program. Of all units of a program
 * it is kept where each value came from: what was always written back as it was read is a column of the row; what was always one
 * more is computed from it; what always stood in another row, or was another result, comes from there; the rest came from outside.
 * They are what the search is given, as text (docs/notation.md). Internal to watch/.
 */
#ifndef LW_WATCH_RECALL_H
#define LW_WATCH_RECALL_H

#include "watch/book.h"

enum { UNIT_ROWS_MAX = 8, UNIT_ITEMS_MAX = 24, SOURCES_MAX = 6, NO_ROW = UNIT_ROWS_MAX };

enum unit_kind {
    UNIT_READ,      /* of one row by its key */
    UNIT_ABSENCE,   /* a look for a row that is inserted later */
    UNIT_VALUE,     /* a SELECT of one value: an aggregate */
    UNIT_WRITE,     /* of one row by its key */
    UNIT_STATEMENT, /* INSERT; UPDATE and DELETE by another condition */
};

/* A statement of which no row is told, or that makes one. Owns its values. */
struct loose_statement {
    struct origin origin;
    uint64_t transaction; /* 0: none */
    struct seen_value *values; /* of its literals, list members left out */
    size_t value_count;
    struct seen_value result;  /* of a SELECT of one value */
};

struct unit_item {
    enum unit_kind kind;
    const struct origin *origin;
    uint64_t seq;
    uint32_t row; /* NO_ROW: none */
    bool is_atomic, is_locked;
    const struct row_write *write;       /* WRITE, ABSENCE */
    const struct loose_statement *loose; /* VALUE, STATEMENT */
};

struct unit_row {
    uint64_t row;
    uint32_t table;
    const struct seen_value *key;
    const struct row_read *read; /* NULL: it was not, or inserted */
    bool is_made;                /* inserted, with a key of the database's */
};

struct unit {
    struct unit_item items[UNIT_ITEMS_MAX]; /* in the order of `seq` */
    size_t item_count;
    struct unit_row rows[UNIT_ROWS_MAX];
    size_t row_count;
};

enum source_kind { SOURCE_COLUMN, SOURCE_KEY, SOURCE_RESULT, SOURCE_LITERAL };

/* Where a value may have come from: a column or the key of row `index`, the result of item `index`, or where its literal with the
 * number `column` did. */
struct value_source {
    enum source_kind kind;
    uint32_t index, column;
};

struct recalled_value {
    uint32_t column;      /* of a row's write; else NO_NAME */
    uint64_t same_count;  /* written as it was read */
    uint64_t known_count; /* what was read is known */
    uint64_t step_count;  /* written `step` more than was read */
    int64_t step, last_base;
    bool has_bases; /* it was computed from more than one old value */
    bool is_text;   /* not always a whole number */
    bool is_met, differs, is_telling; /* seen; not always the same; such that two of it are not equal by chance */
    uint64_t first_hash;
    struct value_source sources[SOURCES_MAX];
    size_t source_count;
};

struct recalled_item {
    enum unit_kind kind;
    const struct meaning *meaning;
    struct str tag;
    uint32_t row;
    bool is_atomic, is_locked;
    uint32_t key_columns[4]; /* ABSENCE: what was looked for; NO_NAME ends them */
    struct recalled_value *values; /* WRITE: columns, then guards; VALUE, STATEMENT: one for each literal */
    size_t value_count, column_count;
};

struct recalled_row {
    uint32_t table;
    bool is_read, is_made;
    struct recalled_value key;
};

struct recalled {
    struct recalled_item *items;
    size_t item_count;
    struct recalled_row rows[UNIT_ROWS_MAX];
    size_t row_count;
    uint64_t count; /* units */
};

struct recall {
    struct arena *arena;
    const struct names *names;
    struct map by_key; /* struct recalled */
    uint64_t left_out_count;
};

enum { RECALLED_MAX = 2000 };

void recall_init(struct recall *recall, struct arena *arena, const struct names *names);
void recall_add(struct recall *recall, const struct unit *unit);
/* Where the value came from, always and not by chance; NULL: from outside. `key_row`: whose key it is; NO_ROW: it is none. */
const struct value_source *recall_source(const struct recall *recall, const struct recalled *recalled,
                                         const struct recalled_value *value, uint32_t key_row);

void loose_free(struct loose_statement *loose);

#endif
