/* What a trial came to: the statements as they were really sent, in order, each with its answer. The built-in engine
 * makes the script of a trial (builtin.h), a server is then asked the same (server.h).
 */
#ifndef LW_TESTS_DIFFERENTIAL_SCRIPT_H
#define LW_TESTS_DIFFERENTIAL_SCRIPT_H

#include "trial.h"

enum answer_kind { ANSWER_DONE, ANSWER_ROWS, ANSWER_WAITS, ANSWER_FAILED };

struct answer {
    enum answer_kind kind;
    struct str rows;     /* ROWS: as a transcript has them; in an order of their own if the statement gives none */
    int64_t affected;    /* DONE: rows, as Django counts; -1: tells nothing */
    bool rolled_back;    /* DONE: a COMMIT that was a ROLLBACK */
    uint32_t blockers;   /* WAITS: bit per session; 0: not known */
    char code[24];       /* FAILED */
    bool ended_transaction; /* FAILED: the whole transaction is gone */
    struct str shown;    /* as a transcript has it */
};

enum line_kind {
    LINE_STATEMENT,
    LINE_RESUMED, /* the end of a statement that waited */
    LINE_TIMEOUT, /* the same, ended by its timeout */
};

struct script_line {
    enum line_kind kind;
    uint8_t session;
    bool is_final; /* reads what is left in the end */
    struct str sql;
    struct answer answer;
};

struct script {
    struct arena *arena;
    VEC(struct script_line) lines;
    size_t wait_count, step_count;
    bool is_cut;             /* went no further: what follows would be a race on a server */
    struct str not_modelled; /* a statement that the engine doesn't know, and why; empty: none */
};

enum difference {
    DIFFERENCE_NONE,
    DIFFERENCE_WAIT,     /* only one of the two waits */
    DIFFERENCE_BLOCKERS, /* for others */
    DIFFERENCE_ERROR,    /* only one fails, or with another error */
    DIFFERENCE_ROWS,
    DIFFERENCE_COUNT,
    DIFFERENCE_FINAL_ROWS,
    DIFFERENCE_SSI, /* only one of the two has PostgreSQL's 40001 at SERIALIZABLE */
    DIFFERENCE_KINDS
};

const char *difference_name(enum difference difference);

/* How the two answers to a line differ. */
enum difference answer_compare(const struct script_line *line, const struct answer *server,
                               enum sql_isolation isolation);

/* `cells` as a row of a transcript: ('1', None). NULL pointer: NULL. */
struct str rows_shown(struct arena *arena, const struct str *cells, size_t row_count,
                      size_t column_count, bool is_ordered);

/* Whether the order of a statement's rows counts. */
bool sql_is_ordered(struct str sql);
/* The first word, in lower case as all statements here have it, is `word`. */
bool sql_is(struct str sql, const char *word);

/* A trial as a transcript: its first `count` lines, with `last` for the answer of the last one if it is not NULL. */
void script_print(const struct trial *trial, const struct script *script, size_t count,
                  const struct answer *last, struct buf *out);

/* A hash of all that a server's answers are compared with. */
uint64_t script_hash(const struct trial *trial, const struct script *script);

#endif
