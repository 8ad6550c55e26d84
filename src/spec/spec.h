/* A `.spec` file of PostgreSQL's isolation tester: sessions of named steps, and the orders in which to run
 * them. Plain data in an arena; slices are of the file's text. What SQL stands in the blocks is not
 * looked at here.
 *
 *     setup { CREATE TABLE t (i int); }
 *     session s1
 *     step a { UPDATE t SET i = 1; }
 *     session s2
 *     step b { UPDATE t SET i = 2; }
 *     permutation a b(*)
 */
#ifndef LW_SPEC_SPEC_H
#define LW_SPEC_SPEC_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"
#include "base/vec.h"

/* What stands between `{` and `}`, blanks at both ends aside. */
struct spec_block {
    struct str sql;
    struct pos pos; /* of its first byte */
    bool is_there;
};

struct spec_step {
    struct str name;
    struct pos pos;
    struct spec_block block;
    size_t session;
    bool is_used; /* by a permutation */
};

struct spec_session {
    struct str name;
    struct spec_block setup, teardown;
    VEC(size_t) steps; /* indexes into spec.steps */
};

/* What keeps a step from being reported as completed. */
enum spec_blocker_kind {
    SPEC_BLOCKER_ONCE,   /* `*`: reported as waiting first, whether it waited or not */
    SPEC_BLOCKER_STEP,   /* `other`: while that step is not completed */
    SPEC_BLOCKER_NOTICES /* `other notices 2`: until its session has had so many since */
};

struct spec_blocker {
    enum spec_blocker_kind kind;
    struct str step_name;
    struct pos pos;
    size_t step;
    size_t notices;
};

struct spec_turn {
    struct str name;
    struct pos pos;
    size_t step;
    VEC(struct spec_blocker) blockers;
};

struct spec_permutation {
    VEC(struct spec_turn) turns;
};

struct spec {
    VEC(struct spec_block) setups;
    struct spec_block teardown;
    VEC(struct spec_step) steps; /* session by session */
    VEC(struct spec_session) sessions;
    VEC(struct spec_permutation) permutations; /* none: all orders */
};

/* Reads a file's text, which must live as long as the spec. False, with the position, if it does not
 * follow the grammar, if a name is there twice or unknown, or if a blocker is of its own session. */
bool spec_parse(struct arena *arena, struct str text, struct spec **spec, struct err *err);

#endif
