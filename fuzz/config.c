/* The small languages around a project: the first byte says which. TOML of a configuration, a baseline, lines of a .gitignore
 * and a path, comments of a Python file, a diff of git. What is refused has a place, or a message at least. */
#include "base/assert.h"
#include "base/json.h"
#include "cli/config.h"
#include "files/ignore.h"
#include "python/parse.h"
#include "triage/changes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_toml(struct arena *arena, struct str text) {
    struct config config;
    struct err err = {0};
    if (!config_parse(arena, STR("lostwrite.toml"), STR("/srv/shop"), text, &config, &err))
        LW_ASSERT(err.message[0] != '\0' && err.pos.line > 0);
}

static void read_baseline(struct arena *arena, struct str text) {
    struct baseline baseline;
    struct err err = {0};
    if (!baseline_parse(arena, STR("base.json"), text, &baseline, &err))
        LW_ASSERT(err.message[0] != '\0' && err.pos.line > 0);
}

/* The last line, to its first NUL, is a path; what ends with a slash is none of a file. */
static void match_patterns(struct arena *arena, struct str text) {
    struct ignore_list list = {.folder = STR("/srv")};
    size_t end = text.len;
    while (end > 0 && text.ptr[end - 1] != '\n')
        end--;
    struct str path = str_printf(arena, "/srv/%.*s", STR_ARG(str_sub(text, end, text.len)));
    ignore_add_lines(arena, &list, str_sub(text, 0, end));
    if (!str_ends(path, "/") && ignore_ask(&list, path, false) == IGNORE_YES)
        LW_ASSERT(ignore_has(&list, path));
}

static const struct py_module *module_of(void *module, struct str path) {
    (void)path;
    return module;
}

static void read_comments(struct arena *arena, struct str text) {
    struct py_module *module = py_parse(arena, text);
    struct str path = STR("a.py");
    uint32_t rules = UINT32_MAX;
    struct triage triage = {.arena = arena, .module = module_of, .context = module,
                            .paths = &path, .path_rules = &rules, .path_count = 1, .rules = rules};
    struct findings findings = {0};
    for (uint32_t i = 0; i < module->comment_count; i++) {
        const struct py_comment *comment = &module->comments[i];
        LW_ASSERT(module->text.ptr[comment->start] == '#' && comment->end <= module->text.len);
        LW_ASSERT(i == 0 || module->comments[i - 1].end <= comment->start);
        LW_ASSERT(py_pos(module, comment->start).line == comment->line);
    }
    for (uint32_t i = 1; i < module->joined_count; i++)
        LW_ASSERT(module->joined[i - 1].last < module->joined[i].first);
    triage_comments(&triage, &findings);
    for (uint32_t line = 1; line <= module->line_count; line++)
        triage_statement(&triage, path, line);
}

static void read_diff(struct arena *arena, struct str text) {
    struct changes changes;
    struct err err = {0};
    changes_init(&changes, arena);
    if (!changes_add_diff(arena, STR("/srv"), text, &changes, &err))
        LW_ASSERT(err.message[0] != '\0');
    changes_touch(&changes, STR("/srv/a.py"), 3, 5);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct arena arena = {0};
    if (size == 0)
        return 0;
    struct str text = str_dup(&arena, (struct str){(const char *)data + 1, size - 1});
    switch (data[0]) {
    case 't':
        read_toml(&arena, text);
        break;
    case 'j':
        read_baseline(&arena, text);
        break;
    case 'g':
        match_patterns(&arena, text);
        break;
    case 'p':
        read_comments(&arena, text);
        break;
    case 'd':
        read_diff(&arena, text);
        break;
    default:
        break;
    }
    arena_release(&arena);
    return 0;
}
