/* Unified diffs. Lines are compared by the shortest edit script between what both texts begin and end with alike (Myers,
 * "An O(ND) Difference Algorithm and Its Variations", 1986, the greedy algorithm); patches are small, so D is. */
#include "patch/patch.h"

enum { CONTEXT_LINES = 3 };

struct lines {
    struct str *items; /* each with its line end, save perhaps the last */
    size_t count;
};

static struct lines split(struct arena *arena, struct str text) {
    struct lines lines = {0};
    size_t ends = 0;
    for (size_t i = 0; i < text.len; i++)
        ends += text.ptr[i] == '\n';
    lines.items = ARENA_ARRAY(arena, struct str, ends + 1);
    for (size_t from = 0; from < text.len;) {
        size_t to = str_find(text, '\n', from);
        to += to < text.len;
        lines.items[lines.count++] = str_sub(text, from, to);
        from = to;
    }
    return lines;
}

/* Which lines of `before` go and which of `after` come; indices from the first line. */
struct script {
    bool *is_gone, *is_new;
};

/* Walks back through the furthest points of each round, and marks what each step took. */
static void trace_back(struct script *s, const ptrdiff_t *const *rounds, size_t d, ptrdiff_t offset,
                       ptrdiff_t x, ptrdiff_t y, size_t first) {
    for (; d > 0; d--) {
        const ptrdiff_t *v = rounds[d - 1];
        ptrdiff_t k = x - y;
        bool down = k == -(ptrdiff_t)d ||
                    (k != (ptrdiff_t)d && v[offset + k - 1] < v[offset + k + 1]);
        ptrdiff_t from_k = down ? k + 1 : k - 1;
        x = v[offset + from_k];
        y = x - from_k;
        if (down)
            s->is_new[first + (size_t)y] = true;
        else
            s->is_gone[first + (size_t)x] = true;
    }
}

static void shortest(struct arena *arena, struct lines a, struct lines b, size_t first, size_t a_end,
                     size_t b_end, struct script *s) {
    ptrdiff_t n = (ptrdiff_t)(a_end - first), m = (ptrdiff_t)(b_end - first), max = n + m;
    ptrdiff_t offset = max + 1;
    ptrdiff_t *v = ARENA_ARRAY(arena, ptrdiff_t, (size_t)(2 * max + 3));
    const ptrdiff_t **rounds = ARENA_ARRAY(arena, const ptrdiff_t *, (size_t)max + 1);
    for (ptrdiff_t d = 0; d <= max; d++) {
        for (ptrdiff_t k = -d; k <= d; k += 2) {
            bool down = k == -d || (k != d && v[offset + k - 1] < v[offset + k + 1]);
            ptrdiff_t x = down ? v[offset + k + 1] : v[offset + k - 1] + 1;
            while (x < n && x - k < m &&
                   str_equal(a.items[first + (size_t)x], b.items[first + (size_t)(x - k)]))
                x++;
            v[offset + k] = x;
            if (x >= n && x - k >= m) {
                trace_back(s, rounds, (size_t)d, offset, x, x - k, first);
                return;
            }
        }
        rounds[d] = arena_copy(arena, v, (size_t)(2 * max + 3) * sizeof(*v));
    }
}

/* Names with what a header line cannot hold are quoted as git does; one with a blank is ended by a tab. */
static void put_name(const char *mark, char side, struct str path, struct buf *out) {
    bool is_odd = false, has_blank = false;
    for (size_t i = 0; i < path.len; i++) {
        is_odd |= (unsigned char)path.ptr[i] < ' ' || path.ptr[i] == '"' || path.ptr[i] == '\\';
        has_blank |= path.ptr[i] == ' ';
    }
    buf_printf(out, "%s %s%c/", mark, is_odd ? "\"" : "", side);
    for (size_t i = 0; i < path.len; i++) {
        char byte = path.ptr[i];
        if (is_odd && (byte == '"' || byte == '\\'))
            buf_printf(out, "\\%c", byte);
        else if ((unsigned char)byte < ' ')
            buf_printf(out, "\\%03o", (unsigned char)byte);
        else
            buf_add_char(out, byte);
    }
    buf_add_c(out, is_odd ? "\"\n" : has_blank ? "\t\n" : "\n");
}

static void put_line(char mark, struct str line, struct buf *out) {
    buf_add_char(out, mark);
    buf_add(out, line);
    if (line.len == 0 || line.ptr[line.len - 1] != '\n')
        buf_add_c(out, "\n\\ No newline at end of file\n");
}

/* "12,3", "12", and "11,0" for nothing behind line 11. */
static void put_range(char mark, size_t from, size_t count, struct buf *out) {
    buf_printf(out, "%c%zu", mark, count == 0 ? from : from + 1);
    if (count != 1)
        buf_printf(out, ",%zu", count);
}

struct hunks {
    struct lines a, b;
    struct script s;
    struct buf *out;
};

static bool differs(const struct hunks *h, size_t i, size_t k) {
    return (i < h->a.count && h->s.is_gone[i]) || (k < h->b.count && h->s.is_new[k]);
}

static void put_lines(const struct hunks *h, size_t i, size_t k, size_t i_end, size_t k_end) {
    while (i < i_end || k < k_end) {
        if (i < i_end && h->s.is_gone[i])
            put_line('-', h->a.items[i++], h->out);
        else if (k < k_end && h->s.is_new[k])
            put_line('+', h->b.items[k++], h->out);
        else
            put_line(' ', h->a.items[i++], h->out), k++;
    }
}

/* The hunk whose first difference stands at lines i and k; both go behind it. */
static void put_hunk(const struct hunks *h, size_t *i, size_t *k) {
    size_t lead = *i < CONTEXT_LINES ? *i : CONTEXT_LINES;
    size_t i_from = *i - lead, k_from = *k - lead, same = 0;
    while ((*i < h->a.count || *k < h->b.count) && same <= 2 * CONTEXT_LINES) {
        if (*i < h->a.count && h->s.is_gone[*i]) {
            ++*i;
            same = 0;
        } else if (*k < h->b.count && h->s.is_new[*k]) {
            ++*k;
            same = 0;
        } else {
            ++*i, ++*k, same++;
        }
    }
    size_t back = same > CONTEXT_LINES ? same - CONTEXT_LINES : 0;
    *i -= back;
    *k -= back;
    buf_add_c(h->out, "@@ ");
    put_range('-', i_from, *i - i_from, h->out);
    buf_add_char(h->out, ' ');
    put_range('+', k_from, *k - k_from, h->out);
    buf_add_c(h->out, " @@\n");
    put_lines(h, i_from, k_from, *i, *k);
}

void patch_diff(struct str path, struct str before, struct str after, struct buf *out) {
    if (str_equal(before, after))
        return;
    struct arena arena = {0};
    struct hunks h = {.a = split(&arena, before), .b = split(&arena, after), .out = out};
    h.s.is_gone = ARENA_ARRAY(&arena, bool, h.a.count + 1);
    h.s.is_new = ARENA_ARRAY(&arena, bool, h.b.count + 1);
    size_t first = 0, a_end = h.a.count, b_end = h.b.count;
    while (first < a_end && first < b_end && str_equal(h.a.items[first], h.b.items[first]))
        first++;
    while (a_end > first && b_end > first && str_equal(h.a.items[a_end - 1], h.b.items[b_end - 1]))
        a_end--, b_end--;
    shortest(&arena, h.a, h.b, first, a_end, b_end, &h.s);
    put_name("---", 'a', path, out);
    put_name("+++", 'b', path, out);
    for (size_t i = 0, k = 0; i < h.a.count || k < h.b.count;) {
        if (differs(&h, i, k))
            put_hunk(&h, &i, &k);
        else
            i++, k++;
    }
    arena_release(&arena);
}
