/* URLs of databases: any bytes are read as one, and shown. What is refused has a message without line ends, and
 * of a URL that is taken every password is hidden. */
#include "live/url.h"
#include "base/assert.h"
#include "live/live.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t count_of(struct str text, struct str part) {
    size_t count = 0;
    for (size_t i = 0; i + part.len <= text.len; i++)
        count += memcmp(text.ptr + i, part.ptr, part.len) == 0;
    return count;
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
            /* As given it is gone from where it stood, though a name may be the same. */
            bool is_given = secret.ptr >= text.ptr && secret.ptr < text.ptr + text.len;
            LW_ASSERT(!is_given || str_is(secret, "***") || secret.len < 4 ||
                      count_of(shown, secret) < count_of(text, secret));
        }
    }
    arena_release(&arena);
    return 0;
}
