/* NFKC as in Unicode's annex 15: decompose, order combining marks, compose. Only ever asked about
 * identifiers, so the tables hold no other characters. */
#include "python/unicode.h"

#include "base/assert.h"
#include "base/utf8.h"
#include "python/value.h"

#include <stdlib.h>

struct id_range {
    uint32_t first, last;
    uint8_t class; /* 2: may begin an identifier, 1: may continue one only */
};

struct combining_range {
    uint32_t first, last;
    uint8_t class; /* canonical combining class */
};

struct decomposition {
    uint32_t point;
    uint16_t from, count; /* in `decomposed` */
};

struct composition {
    uint32_t first, second, composed;
};

#include "python/unicode_data.inc"

/* Hangul syllables are made of three letters by arithmetic. */
enum {
    HANGUL_S = 0xac00,
    HANGUL_L = 0x1100,
    HANGUL_V = 0x1161,
    HANGUL_T = 0x11a7,
    HANGUL_L_COUNT = 19,
    HANGUL_V_COUNT = 21,
    HANGUL_T_COUNT = 28,
    HANGUL_S_COUNT = HANGUL_L_COUNT * HANGUL_V_COUNT * HANGUL_T_COUNT,
    EXPANSION_MAX = 8 /* no character of an identifier decomposes into more */
};

static int compare_id_range(const void *key, const void *item) {
    uint32_t point = *(const uint32_t *)key;
    const struct id_range *range = item;
    return point < range->first ? -1 : point > range->last;
}

static uint8_t id_class(uint32_t point) {
    const struct id_range *range =
        bsearch(&point, id_ranges, LW_COUNT_OF(id_ranges), sizeof(id_ranges[0]), compare_id_range);
    return range != NULL ? range->class : 0;
}

bool py_is_id_start(uint32_t point) {
    return id_class(point) == 2;
}

bool py_is_id_continue(uint32_t point) {
    return id_class(point) != 0;
}

static int compare_combining_range(const void *key, const void *item) {
    uint32_t point = *(const uint32_t *)key;
    const struct combining_range *range = item;
    return point < range->first ? -1 : point > range->last;
}

static uint8_t combining_class(uint32_t point) {
    const struct combining_range *range =
        bsearch(&point, combining_ranges, LW_COUNT_OF(combining_ranges),
                sizeof(combining_ranges[0]), compare_combining_range);
    return range != NULL ? range->class : 0;
}

static int compare_decomposition(const void *key, const void *item) {
    uint32_t point = *(const uint32_t *)key;
    const struct decomposition *entry = item;
    return point < entry->point ? -1 : point > entry->point;
}

/* Writes the decomposition of `point`; how many characters that is. */
static size_t decompose(uint32_t point, uint32_t *out) {
    if (point >= HANGUL_S && point < HANGUL_S + HANGUL_S_COUNT) {
        uint32_t index = point - HANGUL_S;
        out[0] = HANGUL_L + index / (HANGUL_V_COUNT * HANGUL_T_COUNT);
        out[1] = HANGUL_V + index / HANGUL_T_COUNT % HANGUL_V_COUNT;
        out[2] = HANGUL_T + index % HANGUL_T_COUNT;
        return out[2] == HANGUL_T ? 2 : 3;
    }
    const struct decomposition *entry = bsearch(&point, decompositions, LW_COUNT_OF(decompositions),
                                                sizeof(decompositions[0]), compare_decomposition);
    if (entry == NULL) {
        out[0] = point;
        return 1;
    }
    LW_ASSERT(entry->count <= EXPANSION_MAX);
    memcpy(out, decomposed + entry->from, entry->count * sizeof(*out));
    return entry->count;
}

static int compare_composition(const void *key, const void *item) {
    const struct composition *pair = key, *entry = item;
    if (pair->first != entry->first)
        return pair->first < entry->first ? -1 : 1;
    return pair->second < entry->second ? -1 : pair->second > entry->second;
}

/* What `first` and `second` become together, or 0. */
static uint32_t compose_pair(uint32_t first, uint32_t second) {
    uint32_t l = first - HANGUL_L, v = second - HANGUL_V, t = second - HANGUL_T,
             s = first - HANGUL_S;
    if (l < HANGUL_L_COUNT && v < HANGUL_V_COUNT)
        return HANGUL_S + (l * HANGUL_V_COUNT + v) * HANGUL_T_COUNT;
    if (s < HANGUL_S_COUNT && s % HANGUL_T_COUNT == 0 && t > 0 && t < HANGUL_T_COUNT)
        return first + t;
    struct composition pair = {first, second, 0};
    const struct composition *entry = bsearch(&pair, compositions, LW_COUNT_OF(compositions),
                                              sizeof(compositions[0]), compare_composition);
    return entry != NULL ? entry->composed : 0;
}

/* Puts `count` marks in the order of their classes; those of one class keep theirs. Counting, as nobody says
 * how many marks there may be. */
static void order_run(uint32_t *points, size_t count) {
    uint32_t few[32],
        *sorted = count <= LW_COUNT_OF(few) ? few : mem_alloc(count * sizeof(*sorted));
    size_t next[257] = {0};
    for (size_t i = 0; i < count; i++)
        next[combining_class(points[i]) + 1]++;
    for (size_t i = 1; i < LW_COUNT_OF(next); i++)
        next[i] += next[i - 1];
    for (size_t i = 0; i < count; i++)
        sorted[next[combining_class(points[i])]++] = points[i];
    memcpy(points, sorted, count * sizeof(*points));
    if (sorted != few)
        free(sorted);
}

static void order_marks(uint32_t *points, size_t count) {
    for (size_t i = 0, end; i < count; i = end + 1) {
        for (end = i; end < count && combining_class(points[end]) != 0; end++)
            continue;
        if (end > i + 1)
            order_run(points + i, end - i);
    }
}

static size_t compose(uint32_t *points, size_t count) {
    size_t starter = 0, kept = 1;
    uint8_t last_class = combining_class(points[0]);
    bool has_starter = last_class == 0;
    for (size_t i = 1; i < count; i++) {
        uint8_t class = combining_class(points[i]);
        bool is_blocked = kept - 1 > starter && last_class >= class;
        uint32_t composed =
            has_starter && !is_blocked ? compose_pair(points[starter], points[i]) : 0;
        if (composed != 0) {
            points[starter] = composed;
            continue;
        }
        if (class == 0) {
            starter = kept;
            has_starter = true;
        }
        last_class = class;
        points[kept++] = points[i];
    }
    return kept;
}

static struct str encode(struct arena *arena, const uint32_t *points, size_t count) {
    char *start = arena_alloc(arena, count * 4), *out = start;
    for (size_t i = 0; i < count; i++)
        out = utf8_put(out, points[i]);
    return (struct str){start, (size_t)(out - start)};
}

struct str py_nfkc(struct arena *arena, struct str text) {
    uint32_t few[512], *points = few;
    /* A character is at least one byte, so this is room for all. */
    if (text.len > LW_COUNT_OF(few) / EXPANSION_MAX)
        points = mem_alloc(text.len * EXPANSION_MAX * sizeof(*points));
    size_t count = 0, len;
    for (size_t at = 0; at < text.len; at += len) {
        int32_t point = utf8_decode(str_sub(text, at, text.len), &len);
        LW_ASSERT(point >= 0);
        count += decompose((uint32_t)point, points + count);
    }
    order_marks(points, count);
    count = count > 0 ? compose(points, count) : 0;
    struct str normal = encode(arena, points, count);
    if (points != few)
        free(points);
    return str_equal(normal, text) ? text : normal;
}
