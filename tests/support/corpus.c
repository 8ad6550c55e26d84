#include "corpus.h"

#include "base/file.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static const char mark[] = "\n-- expected\n";

/* Where the expected part of `text` begins: at its mark, or at the end. */
static size_t mark_at(struct str text) {
    for (size_t at = str_find(text, '\n', 0); at < text.len; at = str_find(text, '\n', at + 1))
        if (str_starts(str_sub(text, at, text.len), mark))
            return at;
    return text.len;
}

/* The lines of `text` as comments. */
static void add_comments(struct str text, struct buf *out) {
    for (size_t at = 0, end; at < text.len; at = end + 1) {
        end = str_find(text, '\n', at);
        buf_printf(out, "-- %.*s\n", STR_ARG(str_sub(text, at, end)));
    }
}

static void write_file(const char *path, struct str text) {
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(text.ptr, 1, text.len, file), text.len);
    assert_int_equal(fclose(file), 0);
}

/* What the file at `path` should be, from what it is: the same but for the expected part. */
static void make_whole(struct str old, bool is_apart, struct str seen, struct buf *out) {
    if (is_apart) {
        buf_add(out, seen);
        return;
    }
    size_t end = mark_at(old);
    while (end > 0 && old.ptr[end - 1] == '\n')
        end--;
    buf_add(out, str_sub(old, 0, end));
    buf_printf(out, "\n%s", mark);
    add_comments(seen, out);
}

static bool check_one(const char *txn_path, const char *path, bool is_apart,
                      corpus_describe *describe) {
    struct scenario scenario;
    struct buf seen = {0}, whole = {0};
    struct str old = {0};
    struct err err;
    bool is_update = getenv("LOSTWRITE_UPDATE") != NULL;
    scenario_load(&scenario, txn_path);
    describe(&scenario, &seen);
    if (!file_read(&scenario.arena, path, &old, &err) && !is_update)
        fail_msg("%s: %s", path, err.message);
    make_whole(old, is_apart, buf_str(&seen), &whole);
    bool is_same = str_equal(old, buf_str(&whole));
    if (!is_same && is_update)
        write_file(path, buf_str(&whole));
    if (!is_same && !is_update)
        print_error("%s: now it is\n%s", path, seen.ptr);
    buf_release(&seen);
    buf_release(&whole);
    scenario_release(&scenario);
    return is_same || is_update;
}

void corpus_check(const char *folder, const char *apart, size_t count_min,
                  corpus_describe *describe) {
    struct dirent *entry;
    size_t count = 0, wrong = 0;
    DIR *dir = opendir(folder);
    assert_non_null(dir);
    while ((entry = readdir(dir)) != NULL) {
        char txn_path[512], path[512];
        struct str name = str_from_c(entry->d_name);
        if (!str_ends(name, ".txn"))
            continue;
        snprintf(txn_path, sizeof(txn_path), "%s/%s", folder, entry->d_name);
        snprintf(path, sizeof(path), "%s/%.*s.expected", apart != NULL ? apart : folder,
                 (int)name.len - 4, name.ptr);
        wrong += !check_one(txn_path, apart != NULL ? path : txn_path, apart != NULL, describe);
        count++;
    }
    closedir(dir);
    assert_true(count >= count_min);
    assert_int_equal(wrong, 0);
}
