/* A stream is a run of messages, each with its length. Every length and type may be wrong: then what follows is looked through for the
 * beginning of a message. */
#include "base/assert.h"
#include "pgoutput/internal.h"

static const char lost_reason[] = "no message of logical decoding can begin here";

static uint32_t length_of(struct str bytes) {
    struct reader reader = reader_of(str_sub(bytes, 1, PGOUTPUT_HEADER_BYTES));
    return (uint32_t)read_be(&reader, 4);
}

/* Whether a message may begin where the one before it ends. */
static bool may_begin(struct str bytes) {
    char type = bytes.ptr[0];
    return (type == 'd' || type == 't') && length_of(bytes) > 4 && length_of(bytes) <= INT32_MAX;
}

static void get_lost(struct split *split, const char *reason) {
    split->gap_at = split->offset;
    split->reason = reason;
    split->state = SPLIT_LOST;
}

static void tell_lost(struct pgoutput *stream) {
    struct split *split = &stream->split;
    pgout_gap(stream, split->gap_at, split->reason, split->offset - split->gap_at);
    split->reason = NULL;
}

/* Looks for a message in `window`; answers how many bytes precede it. */
static size_t find(struct pgoutput *stream, struct str window, size_t *wanted) {
    struct split *split = &stream->split;
    size_t i = split->offset == split->gap_at ? 1 : 0; /* not where it was lost */
    for (; i + MESSAGE_LOOK_BYTES <= window.len; i++) {
        if (window.ptr[i] != 'd' || !pgout_begins(str_sub(window, i, window.len)))
            continue;
        split->offset += i;
        tell_lost(stream);
        split->state = SPLIT_MESSAGES;
        return i;
    }
    size_t passed = window.len >= MESSAGE_LOOK_BYTES ? window.len - (MESSAGE_LOOK_BYTES - 1) : 0;
    split->offset += passed;
    *wanted = MESSAGE_LOOK_BYTES;
    return passed;
}

static size_t take_magic(struct pgoutput *stream, struct str window, size_t *wanted) {
    struct split *split = &stream->split;
    *wanted = PGOUTPUT_MAGIC_BYTES;
    if (window.len < PGOUTPUT_MAGIC_BYTES)
        return 0;
    if (!str_starts(window, PGOUTPUT_MAGIC)) {
        get_lost(split, "no recording of logical decoding begins here");
        return find(stream, window, wanted);
    }
    split->state = SPLIT_MESSAGES;
    split->offset += PGOUTPUT_MAGIC_BYTES;
    return PGOUTPUT_MAGIC_BYTES;
}

static size_t pass_over(struct split *split, size_t available) {
    size_t len = split->skip < available ? (size_t)split->skip : available;
    split->skip -= len;
    split->offset += len;
    if (split->skip == 0)
        split->state = SPLIT_MESSAGES;
    return len;
}

/* Deals with the front of `window`: answers how many bytes that were, or 0 and in `wanted` how many it needs. */
static size_t step(struct pgoutput *stream, struct str window, size_t *wanted) {
    struct split *split = &stream->split;
    *wanted = 1;
    if (split->state == SPLIT_SKIP)
        return pass_over(split, window.len);
    if (split->state == SPLIT_LOST)
        return find(stream, window, wanted);
    if (split->state == SPLIT_FILE)
        return take_magic(stream, window, wanted);
    *wanted = PGOUTPUT_HEADER_BYTES;
    if (window.len < PGOUTPUT_HEADER_BYTES)
        return 0;
    if (!may_begin(window)) {
        get_lost(split, lost_reason);
        return find(stream, window, wanted);
    }
    size_t size = (size_t)length_of(window) + 1;
    if (size > PGOUTPUT_MESSAGE_BYTES_MAX) {
        pgout_gap(stream, split->offset, "a message is larger than what is kept of one", size);
        split->state = SPLIT_SKIP;
        split->skip = size;
        return 0;
    }
    *wanted = size;
    if (window.len < size)
        return 0;
    stream->place = split->offset;
    split->offset += size;
    pgout_message(stream, window.ptr[0], str_sub(window, PGOUTPUT_HEADER_BYTES, size));
    return size;
}

static bool go_on(void *context, struct str window, size_t *taken, size_t *wanted) {
    struct pgoutput *stream = context;
    enum split_state before = stream->split.state;
    *taken = step(stream, window, wanted);
    return *taken > 0 || stream->split.state != before;
}

void pgout_feed(struct pgoutput *stream, struct str bytes) {
    pieces_feed(&stream->split.pieces, bytes, go_on, stream);
}

void pgout_end(struct pgoutput *stream) {
    struct split *split = &stream->split;
    while (split->state != SPLIT_LOST && split->pieces.held.len > 0) {
        /* If it is its length that is damaged, there are others in it. */
        get_lost(split, "the stream ends within a message");
        pieces_again(&split->pieces, go_on, stream);
    }
    if (split->state == SPLIT_LOST) {
        split->offset += split->pieces.held.len;
        tell_lost(stream);
    } else if (split->state == SPLIT_SKIP) {
        pgout_gap(stream, split->offset, "the stream ends within a message", 0);
    }
    buf_release(&split->pieces.held);
    pgout_end_file(stream);
}
