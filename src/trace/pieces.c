#include "trace/pieces.h"

#include "base/assert.h"

enum { HELD_KEPT_BYTES_MAX = 1 << 20 }; /* of memory that something large needed, kept for the next */

/* Deals with as much of `window` as it can; `wanted` is how many bytes what is left of it has to have. */
static size_t run(struct pieces *pieces, struct str window, pieces_step *step, void *context) {
    for (size_t done = 0;;) {
        size_t taken = 0;
        bool goes_on = step(context, str_sub(window, done, window.len), &taken, &pieces->wanted);
        done += taken;
        LW_ASSERT(done <= window.len);
        if (done == window.len || !goes_on)
            return done;
    }
}

void pieces_again(struct pieces *pieces, pieces_step *step, void *context) {
    struct buf *held = &pieces->held;
    size_t done = run(pieces, buf_str(held), step, context);
    if (done == 0)
        return;
    memmove(held->ptr, held->ptr + done, held->len - done);
    held->len -= done;
    if (held->len == 0 && held->capacity > HELD_KEPT_BYTES_MAX)
        buf_release(held);
}

void pieces_feed(struct pieces *pieces, struct str bytes, pieces_step *step, void *context) {
    struct buf *held = &pieces->held;
    while (held->len > 0 && bytes.len > 0) {
        /* Only what is missing is put to what is kept. */
        LW_ASSERT(pieces->wanted > held->len);
        size_t missing = pieces->wanted - held->len;
        size_t len = missing < bytes.len ? missing : bytes.len;
        buf_add(held, str_sub(bytes, 0, len));
        bytes = str_sub(bytes, len, bytes.len);
        if (held->len >= pieces->wanted)
            pieces_again(pieces, step, context);
    }
    if (bytes.len == 0)
        return;
    size_t done = run(pieces, bytes, step, context);
    buf_add(held, str_sub(bytes, done, bytes.len));
}
