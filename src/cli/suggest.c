/* The distance is the one of optimal string alignment: Levenshtein's, with the swap of two neighbours as
 * one step, since that is the commonest typing error. */
#include "cli/suggest.h"

#include "base/assert.h"

enum { NAME_BYTES_MAX = 48 };

static char lower(char byte) {
    if (byte == '_' || byte == ' ')
        return '-';
    return byte >= 'A' && byte <= 'Z' ? (char)(byte - 'A' + 'a') : byte;
}

static size_t min3(size_t a, size_t b, size_t c) {
    size_t ab = a < b ? a : b;
    return ab < c ? ab : c;
}

/* Both at most NAME_BYTES_MAX long. */
static size_t distance(struct str a, struct str b) {
    LW_ASSERT(a.len <= NAME_BYTES_MAX && b.len <= NAME_BYTES_MAX);
    size_t rows[3][NAME_BYTES_MAX + 1];
    size_t *two_up = rows[0], *up = rows[1], *row = rows[2];
    for (size_t j = 0; j <= b.len; j++)
        up[j] = j;
    for (size_t i = 1; i <= a.len; i++) {
        row[0] = i;
        for (size_t j = 1; j <= b.len; j++) {
            char x = lower(a.ptr[i - 1]), y = lower(b.ptr[j - 1]);
            row[j] = min3(up[j] + 1, row[j - 1] + 1, up[j - 1] + (x != y));
            if (i > 1 && j > 1 && x == lower(b.ptr[j - 2]) && lower(a.ptr[i - 2]) == y &&
                two_up[j - 2] + 1 < row[j])
                row[j] = two_up[j - 2] + 1;
        }
        size_t *spare = two_up;
        two_up = up;
        up = row;
        row = spare;
    }
    return up[b.len];
}

const char *suggest(struct str word, const char *const *names, size_t count) {
    const char *nearest = NULL;
    size_t nearest_distance = SIZE_MAX;
    if (word.len == 0 || word.len > NAME_BYTES_MAX)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        struct str name = str_from_c(names[i]);
        if (name.len > NAME_BYTES_MAX)
            continue;
        size_t d = distance(word, name);
        if (d < nearest_distance && d <= (name.len + 2) / 3) {
            nearest = names[i];
            nearest_distance = d;
        }
    }
    return nearest;
}
