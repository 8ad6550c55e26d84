/* What zlib and zstd pack, unpacked piece by piece in bounded memory: .gz and .zst files, compressed events of a binlog, a
 * compressed connection. The libraries are loaded when they are first needed; without one, that is said.
 *
 *     struct unpack *unpack = unpack_new(UNPACK_GZIP, &err);
 *     while ((state = unpack_run(unpack, &in, out, sizeof(out), &written)) == UNPACK_MORE && (written > 0 || in.len > 0))
 *         ...take `written` bytes of `out`...
 */
#ifndef LW_UNPACK_UNPACK_H
#define LW_UNPACK_UNPACK_H

#include "base/err.h"

enum unpack_kind {
    UNPACK_ZLIB,    /* RFC 1950 */
    UNPACK_DEFLATE, /* RFC 1951: no header, no checksum */
    UNPACK_GZIP,    /* RFC 1952: one member */
    UNPACK_ZSTD,    /* RFC 8878: one frame */
};

enum unpack_state {
    UNPACK_MORE, /* more input, or more room for output, is needed */
    UNPACK_END,  /* all of it is unpacked; what is left of the input is something else, as another member or frame */
    UNPACK_BAD,  /* damaged, or packed with too large a window (zstd: above 128 MiB) */
};

struct unpack;

/* A new one, the caller's to free. NULL if the library is not there, or this lostwrite was built without it. */
struct unpack *unpack_new(enum unpack_kind kind, struct err *err);

/* Ready for another stream of its kind. */
void unpack_restart(struct unpack *unpack);

/* Takes bytes off the front of `in` and puts at most `capacity` bytes to `out`; `*written` says how many. May be called
 * again after UNPACK_MORE only. */
enum unpack_state unpack_run(struct unpack *unpack, struct str *in, char *out, size_t capacity,
                             size_t *written);

/* A whole stream at once, which must unpack to `size` bytes, no more and no less, to `out`. */
bool unpack_whole(struct unpack *unpack, struct str in, char *out, size_t size);

/* NULL is nothing to free. */
void unpack_free(struct unpack *unpack);

#endif
