/* URLs of databases: any bytes are read as one, and shown. What is refused has a message without line ends, and
 * of a URL that is taken every password is hidden. */
#include "live/url.h"
#include "base/assert.h"
#include "live/live.h"

#include <ctype.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The text with other letters and digits where a part of it stands. */
static struct str with_other(struct arena *arena, struct str text, struct str part) {
    char *copy = arena_alloc(arena, text.len + 1);
    memcpy(copy, text.ptr, text.len);
    for (char *c = copy + (part.ptr - text.ptr); c < copy + (part.ptr - text.ptr) + part.len; c++)
        if (isalnum((unsigned char)*c))
            *c = *c == 'x' ? 'y' : 'x';
    return (struct str){copy, text.len};
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct arena arena = {0};
    struct live_url url;
    struct err err = {0};
    struct str text = {(const char *)data, size};
    struct str shown = live_url_shown(&arena, text);
    if (!live_url_parse(&arena, text, &url, &err)) {
        LW_ASSERT(err.message[0] != '\0' && strchr(err.message, '\n') == NULL);
    } else {
        for (size_t i = 0; i < url.secrets.count; i++) {
            struct str secret = url.secrets.items[i];
            struct str scrubbed = live_url_scrub(&arena, &url, secret);
            LW_ASSERT(str_is(scrubbed, "***"));
            /* What is shown depends on no letter of a secret that stands in the URL. */
            if (secret.ptr >= text.ptr && secret.ptr < text.ptr + text.len)
                LW_ASSERT(str_equal(
                    shown, live_url_shown(&arena, with_other(&arena, text, secret))));
        }
    }
    arena_release(&arena);
    return 0;
}
