/* Whether a project keeps its Django below 2.0: read from the files that say what it needs (requirements*.txt, and
 * those in a folder of that name, pyproject.toml, setup.py, setup.cfg, Pipfile), beside its source or one folder up.
 *
 * Each way to write it has the name and behind it versions with an operator: `Django>=1.11,<2.0`, `django = "^1.11"`.
 * Nothing else is looked at: not what those files include, nor conditions.
 */
#include "base/assert.h"
#include "base/file.h"
#include "django/facts.h"

#include <dirent.h>
#include <sys/stat.h>

enum { MAJOR_WANTED = 2, REQUIREMENTS_BYTES_MAX = 1 << 20 };

struct requirements {
    bool is_named, is_below, is_at_least;
};

struct cursor {
    struct str text;
    size_t at;
};

static char peek(const struct cursor *c) {
    return c->at < c->text.len ? c->text.ptr[c->at] : '\0';
}

static bool skip_any(struct cursor *c, const char *set) {
    size_t start = c->at;
    while (peek(c) != '\0' && strchr(set, peek(c)) != NULL)
        c->at++;
    return c->at > start;
}

static bool is_name_char(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr("_-./", c) != NULL);
}

/* A version's first number, and whether all behind it is zero: "2.0". False if there is none. */
static bool read_version(struct cursor *c, unsigned *major, bool *is_round) {
    size_t start = c->at;
    *major = 0;
    for (; peek(c) >= '0' && peek(c) <= '9'; c->at++)
        *major = *major < 1000 ? *major * 10 + (unsigned)(peek(c) - '0') : *major;
    if (c->at == start)
        return false;
    *is_round = true;
    for (; peek(c) == '.' || peek(c) == '*' || (peek(c) >= '0' && peek(c) <= '9'); c->at++)
        *is_round &= peek(c) < '1' || peek(c) > '9';
    return true;
}

/* The versions behind the name. `=` before a quote is TOML's, and a bare version there is Poetry's `^`. */
static void read_versions(struct cursor *c, struct requirements *found) {
    skip_any(c, " \t");
    if (peek(c) == '[') { /* extras */
        c->at = str_find(c->text, ']', c->at);
        c->at += c->at < c->text.len;
    }
    skip_any(c, " \t\"'");
    bool is_toml = peek(c) == '=' && c->at + 1 < c->text.len && c->text.ptr[c->at + 1] != '=';
    if (is_toml) {
        c->at++;
        skip_any(c, " \t{");
        if (str_starts(str_sub(c->text, c->at, c->text.len), "version"))
            c->at += strlen("version");
        skip_any(c, " \t=\"'");
    }
    for (bool is_first = true;; is_first = false) {
        size_t start = c->at;
        unsigned major;
        bool is_round;
        skip_any(c, "=<>~^!");
        struct str op = str_sub(c->text, start, c->at);
        skip_any(c, " \t");
        if ((op.len == 0 && !(is_toml && is_first)) || !read_version(c, &major, &is_round))
            return;
        bool is_upper = str_starts(op, "<"), is_lower = str_starts(op, ">");
        if (is_upper)
            found->is_below |= major < MAJOR_WANTED ||
                               (major == MAJOR_WANTED && is_round && str_is(op, "<"));
        else if (!str_is(op, "!=") && !is_lower)
            found->is_below |= major < MAJOR_WANTED;
        if (!is_upper && !str_is(op, "!="))
            found->is_at_least |= major >= MAJOR_WANTED;
        skip_any(c, " \t,");
    }
}

static void read_text(struct str text, struct requirements *found) {
    static const char name[] = "django";
    const size_t len = sizeof(name) - 1;
    bool is_comment = false;
    for (size_t at = 0; at + len <= text.len; at++) {
        if (text.ptr[at] == '\n' || text.ptr[at] == '#')
            is_comment = text.ptr[at] == '#';
        if (is_comment || !str_equal_nocase(str_sub(text, at, at + len), STR("django")) ||
            (at > 0 && is_name_char(text.ptr[at - 1])) ||
            (at + len < text.len && is_name_char(text.ptr[at + len])))
            continue;
        struct cursor cursor = {text, at + len};
        found->is_named = true;
        read_versions(&cursor, found);
    }
}

static void read_one(struct str folder, const char *name, struct requirements *found) {
    struct arena scratch = {0};
    struct str text;
    struct err err;
    struct stat status;
    struct str path = str_printf(&scratch, "%.*s/%s", STR_ARG(folder), name);
    if (stat(path.ptr, &status) == 0 && S_ISREG(status.st_mode) &&
        file_read(&scratch, path.ptr, &text, &err) && text.len <= REQUIREMENTS_BYTES_MAX)
        read_text(text, found);
    arena_release(&scratch);
}

/* Text files of a folder whose names begin so. */
static void read_matching(struct str folder, const char *prefix, struct requirements *found) {
    struct arena scratch = {0};
    DIR *listing = opendir(str_to_c(&scratch, folder));
    struct dirent *entry;
    while (listing != NULL && (entry = readdir(listing)) != NULL) {
        struct str name = str_from_c(entry->d_name);
        if (str_starts(name, prefix) && str_ends(name, ".txt"))
            read_one(folder, entry->d_name, found);
    }
    if (listing != NULL)
        closedir(listing);
    arena_release(&scratch);
}

static void read_folder(struct str folder, struct requirements *found) {
    static const char *const names[] = {"pyproject.toml", "setup.py", "setup.cfg", "Pipfile"};
    struct arena scratch = {0};
    for (size_t i = 0; i < LW_COUNT_OF(names); i++)
        read_one(folder, names[i], found);
    read_matching(folder, "requirements", found);
    read_matching(str_printf(&scratch, "%.*s/requirements", STR_ARG(folder)), "", found);
    arena_release(&scratch);
}

bool requirements_before_2_0(struct str folder) {
    struct requirements found = {0};
    read_folder(folder, &found);
    if (!found.is_named && folder_of(folder).len > 0)
        read_folder(folder_of(folder), &found);
    return found.is_below && !found.is_at_least;
}
