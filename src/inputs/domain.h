/* What the programs say about the values of columns and parameters: private to this folder. */
#ifndef LW_INPUTS_DOMAIN_H
#define LW_INPUTS_DOMAIN_H

#include "inputs/inputs.h"

enum { CANDIDATES_MAX = 10 };

struct candidates {
    struct value values[CANDIDATES_MAX];
    size_t count;
};

/* What a parameter is for. */
/* SWITCH: compared with a constant in SQL, for conditions that are not known: they hold, or they don't. */
enum param_use { PARAM_PLAIN, PARAM_LOOKUP, PARAM_CHOICE, PARAM_SWITCH };

struct param_domain {
    enum param_use use;
    int table, column; /* that it is looked up or stored in; -1: none */
    int bound_table, bound_column; /* otherwise compared with: a limit, a version; -1: none */
    bool is_weighed;               /* compared only to choose a value, as by max() */
    struct value on;               /* SWITCH: where they hold */
    struct candidates constants;
};

struct column_domain {
    struct candidates constants; /* compared with or assigned */
    struct candidates weighed;   /* not next to a constant that chooses a value, as in `n + 1 if n < 5 else 5` */
    bool is_null_tested;
    bool is_compared; /* with something that is no constant */
    bool is_truth_tested;
    bool is_looked_up; /* by equality with something that is no constant */
};

/* A parameter or column that a test of a program asks about. */
struct asked {
    size_t program;
    int param, table, column; /* -1: not that */
};

struct gate {
    VEC(struct asked) items;
};

struct domains {
    struct arena *arena;
    const struct schema *schema;
    struct text_pool *pool;
    struct column_domain **columns; /* per table, per column */
    struct candidates *counts;      /* per table: numbers that a count of its rows is compared with */
    VEC(struct param_domain *) params; /* per program: param_count of them */
    struct map gates;                  /* step of an if -> struct gate */
    uint64_t tables;                   /* named by a program */
    uint64_t written;                  /* of these, by a statement that writes it */
};

void candidates_add(struct candidates *candidates, const struct text_pool *pool,
                    struct value value);

/* Whether a key of the table is that column alone. */
bool is_unique_column(const struct table *table, size_t column);

/* Reads every expression and statement of the programs. */
void domains_read(struct domains *domains, const struct txn_program *const *programs,
                  size_t program_count);

#endif
