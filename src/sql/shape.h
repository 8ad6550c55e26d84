/* Statements that differ in their values only have one shape. Traffic has few shapes and many statements: what a shape
 * means is found out once. One pass over the text, without memory of its own but the list of literals; any bytes are taken.
 */
#ifndef LW_SQL_SHAPE_H
#define LW_SQL_SHAPE_H

#include "sql/sql.h"

enum sql_literal_kind {
    SQL_LITERAL_NUMBER,
    SQL_LITERAL_TEXT,
    SQL_LITERAL_WORD,      /* NULL, TRUE, FALSE where a value stands */
    SQL_LITERAL_PARAMETER, /* `$1`, `?`, `%s`-free: the value came beside the text */
};

struct sql_literal {
    enum sql_literal_kind kind;
    bool is_escaped;    /* TEXT: `text` has doubled quotes or backslashes, see sql_literal_text */
    bool has_backslashes; /* TEXT: a backslash in it escapes */
    bool is_member;     /* stands behind another one in a list that is only literals: `IN (1, 2)`; not part of the shape */
    uint32_t parameter; /* PARAMETER: its number, from 0 */
    struct str text;    /* as written, TEXT without its quotes */
    size_t start, end;  /* bytes of the statement that it takes up */
};

struct sql_shape {
    uint64_t hash[2]; /* of all but literals and comments; alike for two statements: one shape */
    VEC(struct sql_literal) literals; /* owned: MVEC_PUSH */;
    size_t member_count;  /* of the literals */
    struct str comment; /* the last comment with a `=` in it, without its marks: a tag of the request; empty: none */
    bool is_broken;     /* a quote or comment is not closed */
};

/* Reads the statement into `shape`, whose memory is used again. */
void sql_shape_read(struct sql_shape *shape, struct str text, enum sql_dialect dialect);
void sql_shape_release(struct sql_shape *shape);

/* Where in `literals` the one with that number stands, if members are not counted: what statements of one shape have in common. At
 * most the count of literals. */
size_t sql_shape_literal(const struct sql_shape *shape, size_t number);

/* The statement with host values in place of its literals, which sql_parse reads: the literal with number i is `:v<i>`;
 * members of a list are left out. */
void sql_shape_template(const struct sql_shape *shape, struct str text, struct buf *out);

/* A text literal without doubled quotes and backslashes; a slice of the statement if there are none. */
struct str sql_literal_text(struct arena *arena, const struct sql_literal *literal,
                            enum sql_dialect dialect);

#endif
