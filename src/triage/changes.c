#include "triage/changes.h"

#include "base/process.h"

#include <stdlib.h>

struct lines {
    uint32_t first, last;
};

struct changed_file {
    bool is_new;
    VEC(struct lines) lines; /* in order; they may touch, and overlap in the line between two gaps */
};

void changes_init(struct changes *changes, struct arena *arena) {
    map_init(&changes->files, arena);
    map_init(&changes->folders, arena);
    map_init(&changes->tops, arena);
}

static struct changed_file *file_of(struct arena *arena, struct changes *changes, struct str top,
                                    struct str path) {
    struct str full = str_printf(arena, "%.*s%s%.*s", STR_ARG(top), str_ends(top, "/") ? "" : "/",
                                 STR_ARG(path));
    struct changed_file *file = map_get(&changes->files, full);
    if (file == NULL) {
        file = ARENA_NEW(arena, struct changed_file);
        map_put(&changes->files, full, file);
    }
    return file;
}

/* ---- The diff ---- */

struct reader {
    struct arena *arena;
    struct str top, text;
    size_t at;
    uint32_t line;
    struct changes *changes;
    struct changed_file *file; /* NULL: it is gone */
    struct err *err;
};

static bool fail(const struct reader *r) {
    return err_set(r->err, (struct pos){0}, "line %u of what git diff printed is not understood",
                   r->line);
}

static struct str next_line(struct reader *r) {
    size_t end = str_find(r->text, '\n', r->at);
    struct str line = str_sub(r->text, r->at, end);
    r->at = end < r->text.len ? end + 1 : end;
    r->line++;
    return line;
}

/* Git quotes a path with control characters, quotes or backslashes as C does a string; behind one with blanks it
 * puts a tab. */
static struct str read_path(struct reader *r, struct str text) {
    static const char names[] = "abtnvfr\"\\", bytes[] = "\a\b\t\n\v\f\r\"\\";
    if (!str_starts(text, "\""))
        return str_sub(text, 0, str_find(text, '\t', 0));
    struct buf out = {0};
    for (size_t i = 1; i < text.len && text.ptr[i] != '"'; i++) {
        char byte = text.ptr[i];
        if (byte != '\\' || i + 1 == text.len) {
            buf_add_char(&out, byte);
            continue;
        }
        byte = text.ptr[++i];
        const char *name = byte != '\0' ? strchr(names, byte) : NULL;
        if (name != NULL) {
            buf_add_char(&out, bytes[name - names]);
            continue;
        }
        unsigned code = 0;
        size_t end = i + 3;
        for (; i < end && i < text.len && text.ptr[i] >= '0' && text.ptr[i] <= '7'; i++)
            code = code * 8 + (unsigned)(text.ptr[i] - '0');
        i--;
        buf_add_char(&out, (char)code);
    }
    struct str path = str_dup(r->arena, buf_str(&out));
    buf_release(&out);
    return path;
}

static bool take_number(struct str line, size_t *at, uint32_t *number) {
    size_t from = *at;
    *number = 0;
    while (*at < line.len && line.ptr[*at] >= '0' && line.ptr[*at] <= '9' && *at - from < 9)
        *number = *number * 10 + (uint32_t)(line.ptr[(*at)++] - '0');
    return *at > from;
}

/* `-12,3` or `+12`. */
static bool take_range(struct str line, size_t *at, char sign, uint32_t *first, uint32_t *count) {
    *count = 1;
    if (*at >= line.len || line.ptr[*at] != sign)
        return false;
    ++*at;
    if (!take_number(line, at, first))
        return false;
    if (*at >= line.len || line.ptr[*at] != ',')
        return true;
    ++*at;
    return take_number(line, at, count);
}

/* `@@ -12,3 +14 @@`, and the lines it counts. */
static bool read_hunk(struct reader *r, struct str line) {
    uint32_t old_first, old_count, first, count;
    size_t at = 3;
    if (!take_range(line, &at, '-', &old_first, &old_count) || at >= line.len ||
        line.ptr[at++] != ' ' || !take_range(line, &at, '+', &first, &count))
        return fail(r);
    for (uint32_t i = 0; i < old_count + count; i++) {
        if (r->at == r->text.len)
            return fail(r);
        struct str body = next_line(r);
        i -= str_starts(body, "\\"); /* "\ No newline at end of file" */
    }
    if (r->file != NULL) /* lines taken out between `first` and the next */
        VEC_PUSH(r->arena, &r->file->lines,
                 (struct lines){first, count > 0 ? first + count - 1 : first + 1});
    return true;
}

bool changes_add_diff(struct arena *arena, struct str top, struct str diff,
                      struct changes *changes, struct err *err) {
    struct reader reader = {.arena = arena, .top = top, .text = diff, .changes = changes, .err = err};
    struct reader *r = &reader;
    while (r->at < diff.len) {
        struct str line = next_line(r);
        if (str_starts(line, "diff --git "))
            r->file = NULL;
        if (str_starts(line, "+++ ")) {
            struct str path = read_path(r, str_sub(line, 4, line.len));
            if (str_starts(path, "b/"))
                r->file = file_of(arena, changes, top, str_sub(path, 2, path.len));
        } else if (str_starts(line, "@@ ") && !read_hunk(r, line)) {
            return false;
        }
    }
    return true;
}

/* ---- Asking git ---- */

static struct str first_line(struct str text) {
    return str_sub(text, 0, str_find(text, '\n', 0));
}

/* Runs git; what it complains about becomes the error. */
static bool git(struct arena *arena, const char *const *argv, struct process_output *output,
                struct err *err) {
    if (!process_run(arena, argv, output, err))
        return false;
    if (output->code == 0)
        return true;
    struct str reason = first_line(output->err);
    if (str_starts(reason, "fatal: "))
        reason = str_sub(reason, 7, reason.len);
    return err_set(err, (struct pos){0}, "git: %.*s", STR_ARG(reason));
}

static bool add_new_files(struct arena *arena, const char *top, struct changes *changes,
                          struct err *err) {
    const char *const argv[] = {"git", "-C", top, "ls-files", "--others", "--exclude-standard",
                                "-z", "--", "*.py", NULL};
    struct process_output output;
    if (!git(arena, argv, &output, err))
        return false;
    for (size_t at = 0; at < output.out.len;) {
        size_t end = str_find(output.out, '\0', at);
        file_of(arena, changes, str_from_c(top), str_sub(output.out, at, end))->is_new = true;
        at = end + 1;
    }
    return true;
}

/* What changed in the repository of that folder. */
static bool add_repository(struct arena *arena, const char *top, const char *revision,
                           struct changes *changes, struct err *err) {
    struct process_output output;
    struct str commit = str_printf(arena, "%s^{commit}", revision);
    const char *const commit_argv[] = {"git", "-C", top, "rev-parse", "--verify", "--quiet",
                                       commit.ptr, NULL};
    if (!process_run(arena, commit_argv, &output, err))
        return false;
    if (output.code != 0 || revision[0] == '-')
        return err_set(err, (struct pos){0}, "--diff-only: '%s' is no commit of this repository",
                       revision);
    const char *hash = str_to_c(arena, first_line(output.out));
    const char *const diff_argv[] = {
        "git", "-C", top, "-c", "core.quotePath=false", "diff", "-U0", "--inter-hunk-context=0",
        "--no-color", "--no-ext-diff", "--no-textconv", "--find-renames", "--no-relative",
        "--ignore-submodules", "--src-prefix=a/", "--dst-prefix=b/", hash, "--", "*.py", NULL};
    return git(arena, diff_argv, &output, err) &&
           changes_add_diff(arena, str_from_c(top), output.out, changes, err) &&
           add_new_files(arena, top, changes, err);
}

bool changes_add(struct arena *arena, const char *folder, const char *revision,
                 struct changes *changes, struct err *err) {
    const char *const top_argv[] = {"git", "-C", folder, "rev-parse", "--show-toplevel", NULL};
    struct process_output output;
    if (map_has(&changes->folders, str_from_c(folder)))
        return true;
    map_put(&changes->folders, str_dup(arena, str_from_c(folder)), changes);
    if (!process_run(arena, top_argv, &output, err))
        return false;
    if (output.code != 0) {
        err_set(err, (struct pos){0}, "--diff-only: not in a git repository");
        return err_in_file(err, str_from_c(folder));
    }
    struct str top = first_line(output.out);
    if (map_has(&changes->tops, top))
        return true;
    map_put(&changes->tops, top, changes);
    return add_repository(arena, str_to_c(arena, top), revision, changes, err);
}

/* ---- Findings ---- */

bool changes_touch(const struct changes *changes, struct str full_path, uint32_t first,
                   uint32_t last) {
    const struct changed_file *file = map_get(&changes->files, full_path);
    if (file == NULL || file->is_new)
        return file != NULL;
    size_t low = 0, high = file->lines.count; /* the first that ends at `first` or behind it */
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (file->lines.items[middle].last < first)
            low = middle + 1;
        else
            high = middle;
    }
    return low < file->lines.count && file->lines.items[low].first <= last;
}

/* Whether a line of the statement at this place did. */
static bool has_changed(const struct triage *t, const struct changes *changes,
                        struct txn_span span) {
    const struct py_module *module = t->module(t->context, span.path);
    if (span.start.line == 0 || module == NULL)
        return false;
    struct py_joined lines = py_statement_lines(module, span.start.line);
    return changes_touch(changes, t->full_path(t->context, span.path), lines.first, lines.last);
}

static bool is_touched(const struct triage *t, const struct changes *changes,
                       const struct finding *finding) {
    if (has_changed(t, changes, finding->span))
        return true;
    for (size_t i = 0; i < finding->reads.count; i++)
        if (has_changed(t, changes, finding->reads.items[i]))
            return true;
    if (finding->session_count > 1 && has_changed(t, changes, finding->other.span))
        return true;
    for (size_t i = 0; finding->has_witness && i < finding->witness.steps.count; i++) {
        const struct witness_step *step = &finding->witness.steps.items[i];
        for (size_t k = 0; k < step->lines.count; k++)
            if (has_changed(t, changes, step->lines.items[k].span))
                return true;
    }
    return false;
}

size_t triage_changes(struct triage *triage, const struct changes *changes,
                      struct findings *findings) {
    size_t kept = 0, count = findings->items.count;
    for (size_t i = 0; i < count; i++)
        if (is_touched(triage, changes, &findings->items.items[i]))
            findings->items.items[kept++] = findings->items.items[i];
    findings->items.count = kept;
    size_t warning_count = 0;
    for (size_t i = 0; i < triage->warnings.count; i++) {
        const struct triage_warning *w = &triage->warnings.items[i];
        if (w->is_detail || has_changed(triage, changes, w->span))
            triage->warnings.items[warning_count++] = *w;
    }
    triage->warnings.count = warning_count;
    return count - kept;
}
