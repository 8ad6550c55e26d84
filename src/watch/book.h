/* The book of rows: for each row that was written, the last few committed versions, bounded in bytes; the row that was
 * untouched longest goes first. Internal to watch/. */
#ifndef LW_WATCH_BOOK_H
#define LW_WATCH_BOOK_H

#include "watch/meaning.h"
#include "watch/value.h"

/* Who did something, where, when. Texts are interned. */
struct origin {
    uint64_t seq; /* order in the source, from 1 */
    uint64_t session;
    int64_t time_us;
    struct trace_place place;
    struct str tag, who, sql;
    const struct meaning *meaning; /* NULL: no statement is known */
    bool is_of_test; /* sent by a test's own code */
};

struct column_value {
    uint32_t column;
    struct seen_value value;
};

/* Columns that a read saw, or that its statement selects. */
struct row_read {
    uint64_t row;   /* 0: some row of the table, it is not told which */
    uint32_t table;
    uint64_t transaction; /* in which it was; 0: in none */
    bool is_locking;
    bool is_absence; /* no row had these values, or none is told of: `row` stands for all that have them */
    bool is_seen;    /* of an absence: the server told that there was none */
    struct origin origin;
    struct column_value *values; /* owned */
    size_t value_count;
};

enum write_kind { WROTE_UPDATE, WROTE_INSERT, WROTE_DELETE };

struct column_write {
    uint32_t column;
    bool is_computed;      /* by the database, from the row as it is then */
    struct seen_value value;
    struct seen_value base; /* what the writer had read, or, of a changed row, what was there */
    bool is_inferred;       /* `base` is what was last written before the read, whose values are not told */
};

/* What one transaction did to one row. Owns its columns and their texts. */
struct row_write {
    enum write_kind kind;
    uint64_t row;
    uint32_t table;
    struct seen_value key;
    struct origin origin, read; /* read.seq 0: no read of it is known */
    bool is_of_absence; /* an INSERT of what was looked for before; `row` stands for all rows that have the values */
    bool absence_is_seen, is_unanswered; /* the server told that there was none; it is not told whether it failed */
    uint32_t key_columns[4];    /* is_of_absence: what was looked for; NO_NAME ends them */
    uint32_t read_count;        /* how often the session had read it, as far as is kept */
    bool read_is_doubtful;      /* of some row, it is not told which */
    bool read_is_same_transaction;
    bool read_is_locked; /* and it has held the row since */
    int64_t commit_us;
    uint64_t commit_seq; /* 0: not yet */
    int64_t row_count;   /* that the server told; -1 */
    struct column_write *columns; /* in its own block of memory, as the guards */
    size_t column_count;
    struct column_write *guards; /* what its WHERE compares besides the key: `value` */
    size_t guard_count;
};

/* With room for so many columns and guards. */
struct row_write *row_write_new(size_t column_max, size_t guard_max);
void row_write_free(struct row_write *write);
/* What it wrote into the column; NULL: nothing. */
const struct column_write *write_column(const struct row_write *write, uint32_t column);
/* The value with a text of its own, if it has one. */
struct seen_value seen_keep(struct seen_value value);
/* The texts of one of a write's columns. */
void column_write_free(struct column_write *column);
void column_values_free(struct column_value *values, size_t count);

enum { VERSIONS_MAX = 4 };

struct book_row {
    uint64_t row;
    struct row_write *versions[VERSIONS_MAX]; /* newest first */
    struct book_row *newer, *older;           /* by last touch */
    struct book_row *next;                    /* of the same slot */
};

struct book {
    struct book_row **slots;
    size_t slot_count, row_count;
    struct book_row *newest, *oldest;
    size_t byte_count, byte_max;
    uint64_t evicted_count;
};

void book_init(struct book *book, size_t byte_max);
void book_release(struct book *book);
/* The row, or NULL. */
struct book_row *book_find(struct book *book, uint64_t row);
/* Takes the write over as the row's newest version. */
void book_add(struct book *book, struct row_write *write);

#endif
