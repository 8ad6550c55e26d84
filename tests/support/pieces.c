#include "pieces.h"

#include "base/file.h"
#include "changes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

size_t lines_of(struct str text) {
    size_t count = 0;
    for (size_t at = 0; (at = str_find(text, '\n', at)) < text.len; at++)
        count++;
    return count;
}

/* How many lines both begin with. */
static size_t lines_same(struct str a, struct str b) {
    size_t count = 0;
    for (size_t i = 0; i < a.len && i < b.len && a.ptr[i] == b.ptr[i]; i++)
        count += a.ptr[i] == '\n';
    return count;
}

/* How many lines tell of events that end before `cut`: those with another behind them that begins there at last. */
static size_t lines_before(struct str events, size_t cut) {
    size_t count = 0, complete = 0;
    unsigned long last_at = 0;
    for (size_t at = 0; at < events.len; at = str_find(events, '\n', at) + 1) {
        unsigned long here = strtoul(strstr(events.ptr + at, "\"at\": ") + 6, NULL, 10);
        if (here > cut)
            break;
        if (here > last_at)
            complete = count;
        last_at = here > last_at ? here : last_at;
        count++;
    }
    return complete;
}

bool has_gap(struct str text) {
    for (size_t at = 0; at < text.len; at = str_find(text, '\n', at) + 1)
        if (str_starts(str_sub(text, at, text.len), "{\"kind\": \"gap\""))
            return true;
    return false;
}

struct str read_recorded(struct arena *arena, const char *folder, const char *name, const char *suffix) {
    struct str text;
    struct err err;
    struct str path = str_printf(arena, "%s/%s.%s", folder, name, suffix);
    if (!file_read(arena, path.ptr, &text, &err))
        fail_msg("%s: %s", path.ptr, err.message);
    return text;
}

void check_whole(const struct trace_decoder_class *class, const char *folder, const char *name, const char *kind) {
    struct arena arena = {0};
    struct buf told = {0};
    struct err err;
    print_events(&told, class, read_recorded(&arena, folder, name, kind), 0, true);
    struct str path = str_printf(&arena, "%s/%s.events", folder, name);
    if (getenv("LOSTWRITE_UPDATE") != NULL)
        assert_true(file_write(path.ptr, buf_str(&told), &err));
    struct str wanted = read_recorded(&arena, folder, name, "events");
    assert_int_equal(told.len, wanted.len);
    assert_memory_equal(told.ptr, wanted.ptr, wanted.len);
    buf_release(&told);
    arena_release(&arena);
}

void check_pieces(const struct trace_decoder_class *class, struct str bytes, struct str wanted) {
    static const size_t sizes[] = {1, 2, 3, 7, 18, 19, 20, 23, 100, 1000, 4096};
    for (size_t k = 0; k < sizeof(sizes) / sizeof(sizes[0]); k++) {
        struct buf told = {0};
        print_events(&told, class, bytes, sizes[k], true);
        assert_true(str_equal(buf_str(&told), wanted));
        buf_release(&told);
    }
}

void check_cuts(const struct trace_decoder_class *class, struct str bytes, struct str wanted, size_t end_lines) {
    for (size_t cut = 0; cut < bytes.len; cut++) {
        struct buf told = {0};
        print_events(&told, class, str_sub(bytes, 0, cut), 0, true);
        struct str text = buf_str(&told);
        assert_true(lines_of(text) <= lines_same(text, wanted) + end_lines);
        assert_true(lines_same(text, wanted) >= lines_before(wanted, cut));
        buf_release(&told);
    }
}
