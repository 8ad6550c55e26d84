#include "shrink.h"

#include "base/assert.h"
#include "base/vec.h"

struct shrinker {
    struct arena arena;
    VEC(struct str) lines;
    bool (*shows)(void *context, struct str text);
    void *context;
};

static bool opens(struct str line) {
    return str_ends(line, "{");
}

static bool closes(struct str line) {
    size_t at = 0;
    while (at < line.len && line.ptr[at] == ' ')
        at++;
    return at < line.len && line.ptr[at] == '}';
}

static void split(struct shrinker *s, struct str text) {
    s->lines.count = 0;
    for (size_t at = 0, end; at < text.len; at = end + 1) {
        end = str_find(text, '\n', at);
        VEC_PUSH(&s->arena, &s->lines, str_sub(text, at, end));
    }
}

/* The line that ends the part of a block that line `at` opens. */
static size_t part_end(const struct shrinker *s, size_t at) {
    int depth = 1;
    while (++at < s->lines.count) {
        depth -= closes(s->lines.items[at]);
        if (depth == 0)
            return at;
        depth += opens(s->lines.items[at]);
    }
    return s->lines.count;
}

/* Keeps the text without lines `from` to `to` and `also`, if it still shows it. */
static bool try_without(struct shrinker *s, size_t from, size_t to, size_t also) {
    struct buf text = {0};
    if (to >= s->lines.count)
        return false;
    for (size_t i = 0; i < s->lines.count; i++)
        if ((i < from || i > to) && i != also)
            buf_printf(&text, "%.*s\n", STR_ARG(s->lines.items[i]));
    bool is_kept = s->shows(s->context, buf_str(&text));
    if (is_kept)
        split(s, str_dup(&s->arena, buf_str(&text)));
    buf_release(&text);
    return is_kept;
}

/* Takes one session out of the `run` line at `at`. */
static bool try_fewer_sessions(struct shrinker *s, size_t at) {
    struct str old = s->lines.items[at];
    for (size_t from = str_find(old, '|', 0); from < old.len; from = str_find(old, '|', from + 2)) {
        size_t to = str_find(old, '|', from + 2);
        struct str rest = to < old.len ? str_sub(old, to, old.len) : STR(";");
        s->lines.items[at] = str_printf(&s->arena, "%.*s%.*s", (int)from, old.ptr, STR_ARG(rest));
        if (try_without(s, 1, 0, s->lines.count))
            return true;
        s->lines.items[at] = old;
    }
    return false;
}

static bool try_smaller(struct shrinker *s) {
    for (size_t i = 0; i < s->lines.count; i++) {
        struct str line = s->lines.items[i];
        size_t end = opens(line) ? part_end(s, i) : i;
        bool is_middle = opens(line) && closes(line);
        if (str_starts(line, "run ") && try_fewer_sessions(s, i))
            return true;
        if (closes(line) && !is_middle)
            continue;
        if (is_middle) {
            if (try_without(s, i, end - 1, s->lines.count))
                return true;
            continue;
        }
        /* The whole block, its head with its last line, or just the line. */
        if (try_without(s, i, end, s->lines.count))
            return true;
        if (opens(line) && end < s->lines.count && try_without(s, i, i, end))
            return true;
    }
    return false;
}

void shrink(struct buf *text, bool (*shows)(void *context, struct str text), void *context) {
    struct shrinker s = {.shows = shows, .context = context};
    LW_ASSERT(shows(context, buf_str(text)));
    split(&s, str_dup(&s.arena, buf_str(text)));
    while (try_smaller(&s))
        continue;
    buf_clear(text);
    for (size_t i = 0; i < s.lines.count; i++)
        buf_printf(text, "%.*s\n", STR_ARG(s.lines.items[i]));
    arena_release(&s.arena);
}
