/* Reads numbers and slices off the front of bytes from outside. What is not there reads as zero or empty, and is_bad says so
 * from then on: checked once, behind a run of reads. */
#ifndef LW_BINLOG_CURSOR_H
#define LW_BINLOG_CURSOR_H

#include "base/str.h"

struct cursor {
    struct str left;
    bool is_bad;
};

static inline struct cursor cursor_of(struct str bytes) {
    return (struct cursor){bytes, false};
}

static inline struct str cursor_bytes(struct cursor *in, uint64_t len) {
    if (len > in->left.len) {
        in->is_bad = true;
        in->left.len = 0;
        return (struct str){in->left.ptr, 0};
    }
    struct str bytes = {in->left.ptr, (size_t)len};
    in->left.ptr = len > 0 ? in->left.ptr + len : in->left.ptr;
    in->left.len -= (size_t)len;
    return bytes;
}

static inline uint64_t bytes_le(struct str bytes) {
    uint64_t value = 0;
    for (size_t i = bytes.len; i-- > 0;)
        value = value << 8 | (uint8_t)bytes.ptr[i];
    return value;
}

static inline uint64_t bytes_be(struct str bytes) {
    uint64_t value = 0;
    for (size_t i = 0; i < bytes.len; i++)
        value = value << 8 | (uint8_t)bytes.ptr[i];
    return value;
}

/* A number of `len` bytes, at most 8; the lowest byte first. */
static inline uint64_t cursor_le(struct cursor *in, size_t len) {
    return bytes_le(cursor_bytes(in, len));
}

/* The highest byte first. */
static inline uint64_t cursor_be(struct cursor *in, size_t len) {
    return bytes_be(cursor_bytes(in, len));
}

/* A number in MySQL's packed form: one byte, or a mark and 2, 3 or 8 bytes. */
static inline uint64_t cursor_packed(struct cursor *in) {
    uint64_t first = cursor_le(in, 1);
    if (first < 251)
        return first;
    if (first == 252)
        return cursor_le(in, 2);
    if (first == 253)
        return cursor_le(in, 3);
    if (first == 254)
        return cursor_le(in, 8);
    in->is_bad = true;
    return 0;
}

/* A slice with its packed length before it. */
static inline struct str cursor_counted(struct cursor *in) {
    return cursor_bytes(in, cursor_packed(in));
}

#endif
