/* Which writes were lost, from what a source tells of a database's work. Events go in one by one, in the order of the
 * source; what is kept of them is bounded. A loss is told with its evidence, and losses that are alike in all but rows and
 * times are one group.
 *
 * What counts as lost, and by what evidence (after P4, lost update, of Berenson et al., "A Critique of ANSI SQL Isolation
 * Levels", 1995, and Adya's G-single; found as elle finds them, from reads and writes of single rows): a session writes a
 * literal over what another has committed since it read the row.
 */
#ifndef LW_WATCH_WATCH_H
#define LW_WATCH_WATCH_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/vec.h"
#include "explain/rules.h"
#include "trace/event.h"

/* Strongest first. */
enum watch_evidence {
    WATCH_ARITHMETIC, /* both read 7, both wrote what each computed from it: one change is missing */
    WATCH_DUPLICATE,  /* both looked for a row, found none, and inserted it */
    WATCH_REVERT,     /* a column went A, B, A: the second wrote back what it had read */
    WATCH_ORDER,      /* read, foreign commit, literal write, no lock between; values not seen */
};

struct watch_options {
    size_t memory_bytes;    /* for rows and what was done to them; 0: WATCH_MEMORY_BYTES */
    int64_t window_us;      /* a read this much older than the write is not what it was computed from; 0: WATCH_WINDOW_US */
    uint32_t sample_of;     /* look at one of so many rows, chosen by key; 0, 1: at all */
    bool shows_values;      /* else values are told by a hash with a key of this run */
    bool has_key;           /* `hash_key` is given (tests); else it is drawn */
    uint64_t hash_key[2];
};

#define WATCH_MEMORY_BYTES ((size_t)256 << 20)
#define WATCH_WINDOW_US ((int64_t)60 * 1000000)

enum watch_did { WATCH_READ, WATCH_WROTE, WATCH_COMMITTED };

/* One line of a loss's timeline. */
struct watch_step {
    char session;       /* 'A': whose change is lost; 'B': who wrote over it */
    enum watch_did did;
    int64_t time_us;    /* -1: not told */
    struct trace_place place;
    struct str sql;     /* shortened, values as they may be shown; empty: not told */
    struct str values;  /* "count=7": what it saw or wrote of the columns in question; empty: not told */
    struct str tag;     /* of the request: "route=/buy, file=shop/views.py:12"; empty: none */
    struct str who;     /* the connection or transaction, as the source names it */
};

struct watch_example {
    struct watch_step *steps;
    size_t step_count;
    struct str key; /* "id=1", hashed unless values are shown */
    int64_t time_us;
};

enum { WATCH_EXAMPLES_MAX = 3, WATCH_KEYS_MAX = 100 };

struct watch_loss {
    enum rule rule;
    enum watch_evidence evidence;
    bool is_possible; /* may be meant: told only if asked for, with `doubt` */
    struct str doubt;
    struct str table;
    struct str *columns;
    size_t column_count;
    uint64_t count; /* times seen */
    /* Of these: no serial order of the transactions that wrote the row gives what they read and what it held then. The strongest
     * evidence; it takes a source that tells what was read. */
    uint64_t replayed_count;
    int64_t first_us, last_us; /* -1: not told */
    VEC(struct watch_example) examples;
    VEC(struct str) keys;  /* of rows, the first WATCH_KEYS_MAX different ones */
    uint64_t key_count;
};

/* What was read, so that a report can say how much of it was looked at. */
struct watch_stats {
    uint64_t event_count, statement_count, unparsed_count; /* statements whose SQL is not modelled */
    uint64_t write_count;     /* rows changed, as far as told */
    uint64_t watched_count;   /* of these: looked at */
    uint64_t unknown_row_count; /* writes of which it is not told which rows they change */
    uint64_t blind_count;       /* changes of which neither the source nor what it told before says what was there */
    uint64_t evicted_count;   /* rows forgotten to stay within memory */
    uint64_t dropped_session_count; /* sessions forgotten, for there were too many at once */
    uint64_t left_out_count;  /* writes of ways beyond those that are recalled as programs */
    uint64_t transaction_count, rollback_count, session_count;
    uint64_t gap_count, gap_bytes, encrypted_count;
    uint64_t prevented_count; /* errors and guards that kept a write from being lost */
    uint64_t harmless_count;  /* written over with the same value, or by a clock */
    int64_t first_us, last_us; /* -1: not told */
};

struct watch_gap {
    struct str reason;
    struct trace_place place; /* of the first */
    uint64_t count;
};

struct watch_shape_note {
    struct str sql, reason; /* a shape that is not modelled, and why */
    uint64_t count;
};

struct watch_result {
    VEC(struct watch_loss) losses; /* best evidence first, then by how many */
    VEC(struct watch_gap) gaps;
    VEC(struct watch_shape_note) unparsed; /* most frequent first */
    struct watch_stats stats;
};

struct watch;

struct watch *watch_open(const struct watch_options *options);
/* Where events go; valid until watch_close. */
struct trace_sink watch_sink(struct watch *watch);
/* What was found so far; may be asked for at any time, more than once. The result is of `arena`. */
void watch_result(struct watch *watch, struct arena *arena, struct watch_result *result);
struct watch_programs {
    struct arena *arena; /* of the texts; set by the caller */
    size_t count;
    VEC(struct str) assumptions; /* of each: what must hold for what it is said to lose; empty: nothing */
};

/* The programs that the traffic ran, made general, with their tables, as a .txn file (docs/notation.md) whose SQL is in PostgreSQL's
 * dialect: what the search is given to find what can be lost. Nothing is known of rows that were read by a source which
 * tells no values. */
void watch_programs(struct watch *watch, struct watch_programs *programs, struct buf *out);
void watch_close(struct watch *watch);

#endif
