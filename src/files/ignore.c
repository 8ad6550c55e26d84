#include "files/ignore.h"

/* Blanks at the end don't count, unless a backslash stands before them. */
static struct str trim_end(struct str line) {
    size_t len = 0;
    for (size_t i = 0; i < line.len; i++) {
        if (line.ptr[i] == '\\' && i + 1 < line.len)
            len = ++i + 1;
        else if (line.ptr[i] != ' ')
            len = i + 1;
    }
    return str_sub(line, 0, len);
}

void ignore_add(struct arena *arena, struct ignore_list *list, struct str line) {
    struct ignore_pattern pattern = {0};
    if (line.len > 0 && line.ptr[0] == '#')
        return;
    line = trim_end(line);
    if (line.len > 0 && line.ptr[0] == '!') {
        pattern.is_negated = true;
        line = str_sub(line, 1, line.len);
    }
    if (line.len > 0 && line.ptr[line.len - 1] == '/') {
        pattern.is_folder_only = true;
        line = str_sub(line, 0, line.len - 1);
    }
    pattern.is_tied = str_find(line, '/', 0) < line.len;
    if (pattern.is_tied && line.ptr[0] == '/')
        line = str_sub(line, 1, line.len);
    if (line.len == 0)
        return;
    pattern.text = line;
    VEC_PUSH(arena, &list->patterns, pattern);
}

void ignore_add_lines(struct arena *arena, struct ignore_list *list, struct str text) {
    size_t start = str_starts(text, "\xef\xbb\xbf") ? 3 : 0;
    while (start < text.len) {
        size_t end = str_find(text, '\n', start), next = end + 1;
        if (end > start && end < text.len && text.ptr[end - 1] == '\r')
            end--;
        ignore_add(arena, list, str_sub(text, start, end));
        start = next;
    }
}

/* Git compares what is literal first, and only the rest as a pattern: `**` behind it is at the start of one. */
static bool matches(struct str pattern, struct str path) {
    size_t len = glob_literal_len(pattern);
    if (path.len < len || !str_equal(str_sub(pattern, 0, len), str_sub(path, 0, len)))
        return false;
    return glob_match(str_sub(pattern, len, pattern.len), str_sub(path, len, path.len));
}

static enum ignore_answer ask_one(const struct ignore_list *list, struct str full_path,
                                  bool is_folder) {
    size_t skip = list->folder.len + 1;
    if (full_path.len <= skip || full_path.ptr[skip - 1] != '/' ||
        !str_equal(str_sub(full_path, 0, skip - 1), list->folder))
        return IGNORE_UNKNOWN;
    struct str path = str_sub(full_path, skip, full_path.len), name = path;
    for (size_t slash = 0; (slash = str_find(name, '/', 0)) < name.len;)
        name = str_sub(name, slash + 1, name.len);
    for (size_t i = list->patterns.count; i-- > 0;) {
        const struct ignore_pattern *pattern = &list->patterns.items[i];
        if ((is_folder || !pattern->is_folder_only) &&
            matches(pattern->text, pattern->is_tied ? path : name))
            return pattern->is_negated ? IGNORE_NO : IGNORE_YES;
    }
    return IGNORE_UNKNOWN;
}

enum ignore_answer ignore_ask(const struct ignore_list *list, struct str full_path, bool is_folder) {
    for (; list != NULL; list = list->outer) {
        enum ignore_answer answer = ask_one(list, full_path, is_folder);
        if (answer != IGNORE_UNKNOWN)
            return answer;
    }
    return IGNORE_UNKNOWN;
}

bool ignore_has(const struct ignore_list *list, struct str full_path) {
    for (size_t at = list->folder.len + 1; at < full_path.len; at++) {
        at = str_find(full_path, '/', at);
        if (ignore_ask(list, str_sub(full_path, 0, at), at < full_path.len) == IGNORE_YES)
            return true;
    }
    return false;
}
