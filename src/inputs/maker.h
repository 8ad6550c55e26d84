/* Private to this folder: what can be chosen of rows and arguments, and what a choice makes of them. */
#ifndef LW_INPUTS_MAKER_H
#define LW_INPUTS_MAKER_H

#include "inputs/domain.h"
#include "inputs/inputs.h"

enum { DIMS_MAX = 96, ROWS_PER_TABLE = 2, ROWS_PER_TABLE_MAX = 6, FRESH_FIRST = 5, FRESH_STEP = 2, PLAIN_ROWS_MAX = 16, LAST_TESTS = 3 };

/* OWN_ROW: each session looks up a row of its own, of one group: what is looked up and not unique is the same in all. */
enum choice_kind {
    CHOICE_VALUE,
    CHOICE_ROW_2,  /* what row 2 holds */
    CHOICE_BOUND,  /* what the column holds that it is compared with */
    CHOICE_BEYOND, /* above that, another one in each session */
    CHOICE_TAKEN,  /* what row 1 holds, where no other row may */
    CHOICE_SHARED, /* fresh, but the same in every session */
    CHOICE_FRESH,
    CHOICE_OWN_ROW,
    CHOICE_DEFAULT
};

struct choice {
    enum choice_kind kind;
    struct value value; /* VALUE */
};

enum dim_kind { DIM_TABLE, DIM_COLUMN, DIM_PARAM, DIM_SPREAD };

struct dim {
    enum dim_kind kind;
    int table, column; /* of a PARAM: what it looks up or is stored in; -1 */
    size_t program, param;
    struct choice choices[CANDIDATES_MAX + 6];
    size_t choice_count;
};

/* What a column holds in a row when nothing else is known, once it was asked for. */
struct plain {
    bool is_known;
    struct value value;
};

struct assignment {
    uint8_t at[DIMS_MAX];
};

/* Where a table's dimensions are: index + 1; 0: none. */
struct dim_places {
    uint8_t rows;     /* TABLE */
    uint8_t *columns; /* COLUMN, of each column; NULL: none of any */
};

/* What was chosen last of all that rows hang on, and the rows: assignments that differ in arguments alone share them. */
struct drawn_rows {
    struct assignment of;
    bool is_made;
    VEC(struct sql_stmt *) setup;
};

struct maker {
    struct arena *arena, *scratch;
    const struct schema *schema;
    struct text_pool *pool;
    const struct db_config *config;
    const struct txn_program *const *programs;
    size_t program_count;
    struct domains domains;
    uint64_t tables; /* that get rows */
    struct plain **plain; /* by table: PLAIN_ROWS_MAX for each column */
    struct map *inserts;  /* by table: the rows that were made, by their values */
    struct dim *dims[DIMS_MAX];
    size_t dim_count;
    struct dim_places *places; /* by table */
    struct drawn_rows drawn;   /* the rows made last */
    const struct sql_stmt *const *loaded; /* of `rows`; NULL: they could not be loaded */
    size_t loaded_count;
    size_t group;       /* the dimension that puts the rows into one group, which one session alone does not have */
    bool has_taken;     /* a key may be refused: that is to be reached too */
    struct map reached; /* steps that a kept case reached, by address; and what was refused */
    size_t reached_steps, reached_writes;
    const struct txn_step *last_tests[DB_SESSIONS_MAX][LAST_TESTS]; /* ifs that each came to, the latest first */
    uint32_t writers;   /* in the case at hand */
    struct map now;     /* steps that the case at hand reached */
    struct map tried;   /* assignments */
    struct map paths;   /* pairs of paths, alone and after another session, that a kept case took */
    int watched;        /* the session whose path is noted; -1: none */
    uint64_t path;      /* hash of the steps and answers of that session so far */
    uint64_t alone[DB_SESSIONS_MAX]; /* the path of each session in a run of its own */
    struct world rows, running; /* the rows of the case at hand, and a run on them; reused */
};

/* The foreign key of that column alone; NULL: none. */
const struct foreign_key *column_fk(const struct table *table, size_t column);

/* The dimensions of what the programs ask about, with their choices, the plainest first. */
void make_dims(struct maker *m);
/* The first session with the same program: the two share their choices. */
size_t same_program(const struct maker *m, size_t program);

/* Rows and arguments as chosen. */
struct input_case make_case(struct maker *m, const struct assignment *a);
bool is_spread(const struct maker *m, const struct assignment *a);

#endif
