/* Between the engine's values and a server's texts. What a server generated (keys, the time) is remembered by the session
 * and ordinal that the engine names it by, so that outcomes of different schedules compare, and sent as the server
 * knows it. Private to server*.c.
 */
#ifndef LW_LIVE_TRANSLATE_H
#define LW_LIVE_TRANSLATE_H

#include "engine/engine.h"
#include "live/live.h"

enum { NO_TABLE = 0xffff };

/* A generated value, and what the server has in its place: a number, or microseconds. */
struct generated {
    struct value value;
    uint16_t table; /* INT: whose counter gave it; NO_TABLE: not known */
    int64_t number;
};

struct generated_list {
    struct generated *items; /* grown with MVEC_PUSH */
    size_t count, capacity;
};

struct translator {
    const struct schema *schema;
    struct text_pool *pool;
    enum engine_kind engine;
    struct generated_list known; /* of the run at hand */
};

/* Notes that the server's `number` is `value`, which has an origin. */
void translate_bind(struct translator *t, struct value value, uint16_t table, int64_t number);

/* The statement as it is sent. `returning`: a column that PostgreSQL is asked to tell, NULL: none. */
void translate_stmt(struct translator *t, const struct sql_stmt *stmt, const struct db_bind *binds,
                    struct buf *out);

/* The column of a table that a select item (or returned item) shows, where it is one; NULL: an expression. */
const struct column *shown_column(const struct translator *t, const struct sql_stmt *stmt,
                                  size_t item, uint16_t *table, uint16_t *column);

/* The text as a value of a table's column (NULL: of an expression of type `type`), as the engine would store it. */
struct value translate_text(struct translator *t, struct str text, enum live_type type,
                            const struct column *column, uint16_t table, uint16_t column_index);

/* Whether the text stands for the shadow's value. A generated one that is not known yet becomes so. */
bool text_is_value(struct translator *t, struct str text, struct value value);

/* The engine's name for what the server answered, e.g. SQLSTATE 40001; NOT_MODELLED if it has none. */
enum db_error translate_error(enum engine_kind engine, const struct sql_stmt *stmt,
                              const struct live_answer *answer);

#endif
