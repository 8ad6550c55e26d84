/* JSON read into a tree that keeps where each value stands, for errors about what it says.
 *
 *     struct json_value *root;
 *     if (!json_parse(arena, text, &root, err)) return false;
 *     const struct json_value *version = json_member(root, "version");
 */
#ifndef LW_BASE_JSON_H
#define LW_BASE_JSON_H

#include "base/err.h"

enum json_kind { JSON_NULL, JSON_FALSE, JSON_TRUE, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

struct json_value {
    enum json_kind kind;
    size_t offset;             /* where it begins in the text */
    struct str name;           /* of a member of an object */
    struct str text;           /* STRING: decoded; NUMBER: as it stands */
    struct json_value *first;  /* ARRAY, OBJECT: what is in it, in order; NULL: nothing */
    struct json_value *next;   /* beside it */
};

enum { JSON_NESTING_MAX = 64 };

/* Reads a whole text (RFC 8259). Strings are in the arena. False, with the place, if it is no JSON. */
bool json_parse(struct arena *arena, struct str text, struct json_value **root, struct err *err);

/* The member of an object (the last, if there are several), or NULL; also for what is no object. */
const struct json_value *json_member(const struct json_value *object, const char *name);

/* A whole number from 0 to `max` without sign, fraction or exponent. False if the value is none. */
bool json_count(const struct json_value *value, size_t max, size_t *count);

#endif
