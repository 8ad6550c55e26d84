/* How a run ended, for people: the rows of each table, what happened outside of the database, how each session
 * went. Plain texts, so that two ends can be compared and only what differs be shown. Generated keys and times
 * are named after the session that made them: "new_A0".
 */
#ifndef LW_EXPLORE_ENDING_H
#define LW_EXPLORE_ENDING_H

#include "explore/world.h"

struct ending_row {
    struct str key;    /* the primary key, "1" or "7,2"; empty: the table has none */
    struct str *cells; /* one text a column */
};

/* Of its own memory: what it is about may be gone when it is read. */
struct ending_table {
    struct str name;
    struct str *columns;
    size_t column_count;
    VEC(struct ending_row) rows; /* in primary key order */
};

struct ending_effect {
    uint8_t session;
    struct str name;
};

struct ending {
    VEC(struct ending_table) tables; /* those that hold rows */
    VEC(struct ending_effect) effects;
    struct str fates[DB_SESSIONS_MAX]; /* "done", "done without a write", "raised AlreadyDone", "failed with 1213 (deadlock)" */
    size_t session_count;
};

/* Takes down how `world` ended. Texts go to the arena. */
void world_ending(struct arena *arena, const struct world *world, struct ending *ending);

/* On one line: "shop_counter: (1, 11); effect charge by A; A done, B raised AlreadyDone". */
void ending_print(const struct ending *ending, struct buf *out);

#endif
