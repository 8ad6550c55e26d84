/* The cursor over a TOML text, and the values that need no more than that. Private to this folder.
 */
#ifndef LW_TOML_READER_H
#define LW_TOML_READER_H

#include "toml/toml.h"

struct toml_reader {
    struct arena *arena;
    struct str text; /* valid UTF-8 */
    size_t at;
    struct err *err;
};

/* An error at `offset`. Always false. */
bool toml_fail(struct toml_reader *r, size_t offset, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The byte at `at + ahead`, or '\0' at the end (which is no byte of a TOML text). */
static inline char toml_peek(const struct toml_reader *r, size_t ahead) {
    return r->at + ahead < r->text.len ? r->text.ptr[r->at + ahead] : '\0';
}

/* Whether a line end stands at `at`; its length, 0: none. */
static inline size_t toml_line_end(const struct toml_reader *r) {
    return toml_peek(r, 0) == '\n'                               ? 1
           : toml_peek(r, 0) == '\r' && toml_peek(r, 1) == '\n' ? 2
                                                                  : 0;
}

/* A string of any of the four kinds, at its first quote; of one line only, if `is_key`. */
bool toml_read_string(struct toml_reader *r, bool is_key, struct str *text);

/* A boolean, number, date or time. */
bool toml_read_scalar(struct toml_reader *r, struct toml_value *value);

#endif
