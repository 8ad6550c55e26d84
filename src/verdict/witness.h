/* A witness: one schedule, replayed and judged. It shows each step with its SQL and answer, says which write (or
 * effect) rested on something out of date, and of which class (LW001 ...) that is.
 */
#ifndef LW_VERDICT_WITNESS_H
#define LW_VERDICT_WITNESS_H

#include "explain/rules.h"
#include "verdict/verdict.h"

/* One line of a step: what was sent, or happened, and the answer. */
struct witness_line {
    uint8_t session;
    const struct txn_step *at; /* NULL: none */
    struct txn_span span;      /* path empty: none */
    enum ran_kind kind;
    const struct ran_event *event; /* all that is known of it */
    struct str text;           /* "SELECT ...", "lock foo", "effect charge(5)" */
    struct str result;         /* empty: nothing to say */
    struct str waits_for;      /* "A": it waited first */
    bool in_transaction;
    bool is_resumed;           /* the end of a wait that began in an earlier step */
};

/* One step of the schedule: `lines[main]` is its visible operation. */
struct witness_step {
    uint8_t session;
    VEC(struct witness_line) lines;
    size_t main;
};

/* A write that rested on something out of date. */
struct culprit {
    enum rule rule;
    uint8_t session;
    const struct txn_step *at;      /* the write, or the effect */
    struct txn_span span;
    uint16_t table;                 /* SCHEMA_TABLES_MAX: none (an effect) */
    VEC(uint16_t) columns;          /* written wrongly, or decided wrongly */
    VEC(struct txn_span) reads;     /* what was out of date */
    VEC(const struct txn_step *) read_steps;
    uint8_t other;                  /* the session that changed it meanwhile; may be the session itself (LW001) */
    const struct txn_step *other_at;
    struct txn_span other_span;
    uint32_t read_transaction, write_transaction; /* numbers; 0: autocommit */
    bool is_own_row; /* the session has inserted it itself, and done nothing outside of the database since */
};

struct witness {
    VEC(struct witness_step) steps;
    struct ending ending;
    struct str outcome;             /* the ending on one line */
    VEC(struct culprit) culprits;   /* in order of their writes; may be empty: an anomaly of no known class */
};

/* Replays `schedule` under `config` and judges it. All memory is of `arena`. False if the rows cannot be loaded. */
bool witness_make(struct arena *arena, const struct run_setup *setup,
                  const struct db_config *config, const struct schedule *schedule,
                  struct witness *witness, struct err *err);

/* "A" to "H". */
char session_letter(uint8_t session);

/* The place of a step: its span, or that of the innermost step around it that has one. */
struct txn_span step_span(const struct txn_step *step);

#endif
