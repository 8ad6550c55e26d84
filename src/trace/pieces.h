/* Bytes that come in pieces of any size, for a decoder that deals with them in steps: what a step needs more of is kept until it is there,
 * and nothing else is copied. Owns what it keeps. */
#ifndef LW_TRACE_PIECES_H
#define LW_TRACE_PIECES_H

#include "base/buf.h"

struct pieces {
    struct buf held; /* the front of something that is cut */
    size_t wanted;   /* bytes it has to have before it is looked at again */
};

/* Deals with the front of `window`, of which `*taken` bytes are done then. False: there is nothing to be done before it has `*wanted` bytes,
 * more than it has. */
typedef bool pieces_step(void *context, struct str window, size_t *taken, size_t *wanted);

void pieces_feed(struct pieces *pieces, struct str bytes, pieces_step *step, void *context);
/* Deals with what is kept once more: the step may see it in another way now. */
void pieces_again(struct pieces *pieces, pieces_step *step, void *context);

#endif
