/* TOML 1.0 (toml.io), read into a tree that keeps where each key and value stands, for errors about what it says.
 *
 *     struct toml_value *root;
 *     if (!toml_parse(arena, text, &root, err)) return false;
 *     const struct toml_value *tool = toml_member(root, STR("tool"));
 *
 * Numbers, dates and times are checked and kept as they stand, but for integers that fit 64 bits.
 */
#ifndef LW_TOML_TOML_H
#define LW_TOML_TOML_H

#include "base/err.h"
#include "base/map.h"

enum toml_kind {
    TOML_STRING,
    TOML_INTEGER,
    TOML_FLOAT,
    TOML_BOOLEAN,
    TOML_DATE_TIME, /* any of the four kinds of date, time, or both */
    TOML_ARRAY,
    TOML_TABLE
};

struct toml_value {
    enum toml_kind kind;
    bool is_true;        /* BOOLEAN */
    bool is_integer;     /* INTEGER: `integer` has it */
    int64_t integer;
    struct str text;     /* STRING: decoded; the others: as it stands; ARRAY, TABLE: empty */
    size_t offset;       /* where the value begins in the text; of a table, its header or first key */
    struct str name;     /* in a table */
    size_t name_offset;
    struct toml_value *first, *last; /* ARRAY, TABLE: what is in it, in the order of the text */
    struct toml_value *next;

    /* For the parser. */
    struct map by_name;      /* TABLE */
    bool is_frozen;          /* written as a value: nothing can be added to it */
    unsigned explicit_since; /* the section from which on it may not be defined again; 0: it may */
};

enum { TOML_NESTING_MAX = 64 };

/* Reads a whole text. Values and what they hold are of the arena, or slices of `text`. False, with the place, if it is
 * no TOML. */
bool toml_parse(struct arena *arena, struct str text, struct toml_value **root, struct err *err);

/* The value under this name, or NULL; also for what is no table. */
const struct toml_value *toml_member(const struct toml_value *table, struct str name);

/* "a string", "an integer", ... */
const char *toml_kind_name(enum toml_kind kind);

#endif
