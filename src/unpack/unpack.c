#include "unpack/unpack.h"

#include "base/assert.h"
#include "base/library.h"

#include <limits.h>
#include <stdlib.h>

#ifdef LW_HAVE_ZLIB
#include <zlib.h>

static struct {
#define FUNCTION(name) __typeof__(&name) name;
#include "unpack/libz.def"
} libz;
#endif

#ifdef LW_HAVE_ZSTD
#include <zstd.h>

static struct {
#define FUNCTION(name) __typeof__(&name) name;
#include "unpack/libzstd.def"
} libzstd;
#endif

struct unpack {
    enum unpack_kind kind;
    union {
#ifdef LW_HAVE_ZLIB
        z_stream z;
#endif
#ifdef LW_HAVE_ZSTD
        ZSTD_DStream *zstd;
#endif
        char none;
    };
};

#ifdef LW_HAVE_ZLIB
static bool open_zlib(struct unpack *unpack, struct err *err) {
    static const struct library_function functions[] = {
#define FUNCTION(name) {#name, &libz.name},
#include "unpack/libz.def"
    };
    if (!library_load("libz.so.1", "what zlib has packed", functions, LW_COUNT_OF(functions), err))
        return false;
    int bits = unpack->kind == UNPACK_ZLIB   ? MAX_WBITS
               : unpack->kind == UNPACK_GZIP ? MAX_WBITS + 16
                                             : -MAX_WBITS;
    memset(&unpack->z, 0, sizeof(unpack->z));
    int answer = libz.inflateInit2_(&unpack->z, bits, ZLIB_VERSION, (int)sizeof(unpack->z));
    return answer == Z_OK || err_set(err, (struct pos){0}, "zlib does not start: %d", answer);
}

static enum unpack_state run_zlib(struct unpack *unpack, struct str *in, char *out, size_t capacity,
                                  size_t *written) {
    z_stream *z = &unpack->z;
    uInt in_len = in->len < INT_MAX ? (uInt)in->len : INT_MAX;
    uInt room = capacity < INT_MAX ? (uInt)capacity : INT_MAX;
    static unsigned char none;
    /* zlib's interface is older than const. */
    z->next_in = in_len > 0 ? (unsigned char *)in->ptr : &none;
    z->avail_in = in_len;
    z->next_out = room > 0 ? (unsigned char *)out : &none;
    z->avail_out = room;
    int answer = libz.inflate(z, Z_NO_FLUSH);
    *in = str_sub(*in, in_len - z->avail_in, in->len);
    *written = room - z->avail_out;
    return answer == Z_STREAM_END                    ? UNPACK_END
           : answer == Z_OK || answer == Z_BUF_ERROR ? UNPACK_MORE
                                                     : UNPACK_BAD;
}
#else
static bool open_zlib(struct unpack *unpack, struct err *err) {
    (void)unpack;
    return err_set(err, (struct pos){0}, "this lostwrite was built without zlib");
}
#endif

#ifdef LW_HAVE_ZSTD
static bool open_zstd(struct unpack *unpack, struct err *err) {
    static const struct library_function functions[] = {
#define FUNCTION(name) {#name, &libzstd.name},
#include "unpack/libzstd.def"
    };
    if (!library_load("libzstd.so.1", "what zstd has packed", functions, LW_COUNT_OF(functions),
                      err))
        return false;
    unpack->zstd = libzstd.ZSTD_createDStream();
    return unpack->zstd != NULL || err_set(err, (struct pos){0}, "zstd does not start");
}

static enum unpack_state run_zstd(struct unpack *unpack, struct str *in, char *out, size_t capacity,
                                  size_t *written) {
    static char none;
    ZSTD_inBuffer from = {in->len > 0 ? in->ptr : &none, in->len, 0};
    ZSTD_outBuffer to = {capacity > 0 ? out : &none, capacity, 0};
    size_t answer = libzstd.ZSTD_decompressStream(unpack->zstd, &to, &from);
    *in = str_sub(*in, from.pos, in->len);
    *written = to.pos;
    return libzstd.ZSTD_isError(answer) ? UNPACK_BAD : answer == 0 ? UNPACK_END : UNPACK_MORE;
}
#else
static bool open_zstd(struct unpack *unpack, struct err *err) {
    (void)unpack;
    return err_set(err, (struct pos){0}, "this lostwrite was built without zstd");
}
#endif

struct unpack *unpack_new(enum unpack_kind kind, struct err *err) {
    struct unpack *unpack = mem_alloc(sizeof(*unpack));
    unpack->kind = kind;
    if (kind == UNPACK_ZSTD ? open_zstd(unpack, err) : open_zlib(unpack, err))
        return unpack;
    free(unpack);
    return NULL;
}

void unpack_restart(struct unpack *unpack) {
#ifdef LW_HAVE_ZSTD
    if (unpack->kind == UNPACK_ZSTD)
        libzstd.ZSTD_initDStream(unpack->zstd);
#endif
#ifdef LW_HAVE_ZLIB
    if (unpack->kind != UNPACK_ZSTD)
        libz.inflateReset(&unpack->z);
#endif
}

enum unpack_state unpack_run(struct unpack *unpack, struct str *in, char *out, size_t capacity,
                             size_t *written) {
    *written = 0;
#ifdef LW_HAVE_ZSTD
    if (unpack->kind == UNPACK_ZSTD)
        return run_zstd(unpack, in, out, capacity, written);
#endif
#ifdef LW_HAVE_ZLIB
    if (unpack->kind != UNPACK_ZSTD)
        return run_zlib(unpack, in, out, capacity, written);
#endif
    LW_UNREACHABLE();
}

bool unpack_whole(struct unpack *unpack, struct str in, char *out, size_t size) {
    size_t done = 0;
    unpack_restart(unpack);
    for (;;) {
        size_t before = in.len, written;
        enum unpack_state state = unpack_run(unpack, &in, out + done, size - done, &written);
        done += written;
        if (state == UNPACK_END)
            return done == size && in.len == 0;
        if (state == UNPACK_BAD || (written == 0 && in.len == before))
            return false;
    }
}

void unpack_free(struct unpack *unpack) {
    if (unpack == NULL)
        return;
#ifdef LW_HAVE_ZSTD
    if (unpack->kind == UNPACK_ZSTD)
        libzstd.ZSTD_freeDStream(unpack->zstd);
#endif
#ifdef LW_HAVE_ZLIB
    if (unpack->kind != UNPACK_ZSTD)
        libz.inflateEnd(&unpack->z);
#endif
    free(unpack);
}
