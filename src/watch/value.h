/* Values as watch keeps them: a hash with a key that nobody knows, and the number if it is a whole one. Internal to watch/. */
#ifndef LW_WATCH_VALUE_H
#define LW_WATCH_VALUE_H

#include "sql/shape.h"
#include "trace/event.h"

struct hash_key {
    uint64_t k[2];
};

enum { SEEN_TEXT_MAX = 47 };

struct seen_value {
    uint8_t state; /* enum trace_value_state */
    bool is_integer, is_time;
    uint64_t hash;  /* equal values, equal hashes */
    int64_t number; /* is_integer; is_time: microseconds since the epoch, without regard to a zone that is not told */
    struct str text; /* only if values are shown: the first bytes of it; owned by who made it */
};

/* SipHash-2-4 (Aumasson, Bernstein 2012) of the bytes. */
uint64_t keyed_hash(const struct hash_key *key, struct str bytes);

/* `1.50` and `1.5`, `t` and `true`, a time in either of its forms: equal ones are equal here. */
struct seen_value seen_value(const struct hash_key *key, struct str text, bool is_text);
struct seen_value seen_null(void);
struct seen_value seen_traced(const struct hash_key *key, const struct trace_value *value);

/* Both known, and the same. */
bool seen_equal(const struct seen_value *a, const struct seen_value *b);

/* A time within two minutes of the clock `now_us`, whole half hours of a zone aside: set by a clock, not by somebody. */
bool seen_is_clock(const struct seen_value *value, int64_t now_us);

/* As it may be shown: the text, or `#1f3a`. */
void seen_print(const struct seen_value *value, struct buf *out);

#endif
