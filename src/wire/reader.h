/* Reads numbers and texts from a slice of bytes. What goes beyond the end is 0 or empty, and sets is_short: callers read a
 * whole message and look at it once. */
#ifndef LW_WIRE_READER_H
#define LW_WIRE_READER_H

#include "base/str.h"

struct reader {
    const unsigned char *at, *end;
    bool is_short;
};

struct reader reader_of(struct str bytes);
size_t reader_left(const struct reader *reader);

/* The next `count` bytes. */
struct str read_bytes(struct reader *reader, uint64_t count);
struct str read_rest(struct reader *reader);
/* Up to a NUL, which is passed over. */
struct str read_c_string(struct reader *reader);

/* Big-endian, as PostgreSQL has it. */
uint64_t read_be(struct reader *reader, size_t byte_count);
/* Little-endian, as MySQL has it. */
uint64_t read_le(struct reader *reader, size_t byte_count);
uint8_t read_byte(struct reader *reader);

/* MySQL's length-encoded number; 0xfb (NULL) and 0xff are none: is_short. */
uint64_t read_lenenc(struct reader *reader);
struct str read_lenenc_str(struct reader *reader);

#endif
