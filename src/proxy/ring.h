/* Bytes from the process that forwards to the one that decodes, through memory that both have: neither waits for the other, and the
 * one lives on when the other dies. One writer, one reader.
 */
#ifndef LW_PROXY_RING_H
#define LW_PROXY_RING_H

#include "base/str.h"

struct ring;

/* Before the fork; `byte_count` is a power of two. NULL: there is no memory. */
struct ring *ring_new(size_t byte_count);

/* All of the parts one behind the other, or nothing: false if there is no room for all. */
bool ring_write(struct ring *ring, struct str first, struct str second);
/* No more is written. */
void ring_finish(struct ring *ring);

/* The bytes that can be read at once; empty: none are there now. */
struct str ring_peek(const struct ring *ring);
/* They are done with. */
void ring_done(struct ring *ring, size_t byte_count);
bool ring_is_finished(const struct ring *ring);

#endif
