#include "cli/config_keys.h"

#include "base/assert.h"
#include "cli/check_options.h"
#include "cli/suggest.h"

static const struct pos nowhere = {0, 0};

/* ---- What the values set ---- */

static bool set_engine(void *config, struct str value, struct err *err) {
    return target_set_engine(&((struct config *)config)->target, value, err);
}

static bool set_isolation(void *config, struct str value, struct err *err) {
    return target_set_isolation(&((struct config *)config)->target, value, err);
}

static bool add_selected(void *config, struct str value, struct err *err) {
    return rule_bits_set(&((struct config *)config)->selected, value, err);
}

static bool add_ignored(void *config, struct str value, struct err *err) {
    return rule_bits_set(&((struct config *)config)->ignored, value, err);
}

static bool add_exclude(void *into, struct str value, struct err *err) {
    struct config *config = into;
    if (value.len == 0)
        return err_set(err, nowhere, "an empty pattern");
    ignore_add(config->arena, &config->exclude, value);
    return true;
}

static bool add_root(void *into, struct str value, struct err *err) {
    struct config *config = into;
    if (value.len == 0)
        return err_set(err, nowhere, "an empty name");
    VEC_PUSH(config->arena, &config->roots, value);
    return true;
}

/* From the folder of the configuration. */
static bool set_baseline(void *into, struct str value, struct err *err) {
    struct config *config = into;
    if (value.len == 0)
        return err_set(err, nowhere, "an empty path");
    size_t len = config->path.len;
    while (len > 0 && config->path.ptr[len - 1] != '/')
        len--;
    bool is_full = value.ptr[0] == '/';
    config->baseline = str_printf(config->arena, "%.*s%.*s", is_full ? 0 : (int)len,
                                  config->path.ptr, STR_ARG(value)).ptr;
    return true;
}

static bool set_include_tests(void *config, struct str value, struct err *err) {
    (void)err;
    ((struct config *)config)->with_tests = value.len > 0;
    return true;
}

static bool set_include_migrations(void *config, struct str value, struct err *err) {
    (void)err;
    ((struct config *)config)->with_migrations = value.len > 0;
    return true;
}

static bool set_require_reason(void *config, struct str value, struct err *err) {
    (void)err;
    ((struct config *)config)->require_reason = value.len > 0;
    return true;
}

/* ---- Reading them ---- */

enum shape { SHAPE_TEXT, SHAPE_LIST, SHAPE_SWITCH, SHAPE_CODES_BY_FILE };

struct config_key {
    const char *name;
    enum shape shape;
    cli_setter *set; /* given a text; of a switch the empty one is off */
};

static const struct config_key keys[] = {
    {"engine", SHAPE_TEXT, set_engine},
    {"isolation", SHAPE_TEXT, set_isolation},
    {"select", SHAPE_LIST, add_selected},
    {"ignore", SHAPE_LIST, add_ignored},
    {"per-file-ignores", SHAPE_CODES_BY_FILE, NULL},
    {"exclude", SHAPE_LIST, add_exclude},
    {"include-tests", SHAPE_SWITCH, set_include_tests},
    {"include-migrations", SHAPE_SWITCH, set_include_migrations},
    {"roots", SHAPE_LIST, add_root},
    {"baseline", SHAPE_TEXT, set_baseline},
    {"require-reason", SHAPE_SWITCH, set_require_reason},
};

struct reader {
    struct config *config;
    struct str text;
    struct err *err;
};

static bool fail(struct reader *r, size_t offset, const char *what, const char *name) {
    return err_set(r->err, pos_of_offset(r->text, offset), "%s: %s", name, what);
}

/* Gives a string to the setter; its message gets the place and the key. */
static bool set_text(struct reader *r, const struct config_key *key, cli_setter *set, void *into,
                     const struct toml_value *value) {
    struct err inner;
    if (value->kind != TOML_STRING)
        return fail(r, value->offset, "a string is wanted here", key->name);
    return set(into, value->text, &inner) || fail(r, value->offset, inner.message, key->name);
}

static bool set_list(struct reader *r, const struct config_key *key, cli_setter *set, void *into,
                     const struct toml_value *value) {
    if (value->kind != TOML_ARRAY)
        return fail(r, value->offset, "an array of strings is wanted here", key->name);
    for (const struct toml_value *item = value->first; item != NULL; item = item->next)
        if (!set_text(r, key, set, into, item))
            return false;
    return true;
}

static bool add_file_rule(void *ignore, struct str value, struct err *err) {
    uint32_t *rules = &((struct config_ignore *)ignore)->rules;
    if (str_is(value, "all")) {
        *rules = ((uint32_t)1 << RULE_COUNT) - 1;
        return true;
    }
    return rule_bits_set(rules, value, err);
}

/* `"shop/legacy/" = ["LW002"]` */
static bool read_file_ignores(struct reader *r, const struct config_key *key,
                              const struct toml_value *table) {
    if (table->kind != TOML_TABLE)
        return fail(r, table->offset, "a table of patterns is wanted here", key->name);
    for (const struct toml_value *codes = table->first; codes != NULL; codes = codes->next) {
        struct config_ignore ignore = {.is_negated = str_starts(codes->name, "!")};
        struct str pattern = str_sub(codes->name, ignore.is_negated, codes->name.len);
        ignore.files.folder = r->config->exclude.folder;
        ignore_add(r->config->arena, &ignore.files, pattern);
        if (ignore.files.patterns.count == 0)
            return fail(r, codes->name_offset, "a pattern that names no file", key->name);
        if (!set_list(r, key, add_file_rule, &ignore, codes))
            return false;
        VEC_PUSH(r->config->arena, &r->config->per_file_ignores, ignore);
    }
    return true;
}

static bool read_value(struct reader *r, const struct config_key *key,
                       const struct toml_value *value) {
    switch (key->shape) {
    case SHAPE_TEXT:
        return set_text(r, key, key->set, r->config, value);
    case SHAPE_LIST:
        return set_list(r, key, key->set, r->config, value);
    case SHAPE_SWITCH:
        if (value->kind != TOML_BOOLEAN)
            return fail(r, value->offset, "true or false is wanted here", key->name);
        return key->set(r->config, value->is_true ? STR("true") : STR(""), r->err);
    case SHAPE_CODES_BY_FILE:
        return read_file_ignores(r, key, value);
    }
    LW_UNREACHABLE();
}

static bool unknown_key(struct reader *r, const struct toml_value *value) {
    const char *names[LW_COUNT_OF(keys)];
    struct pos pos = pos_of_offset(r->text, value->name_offset);
    for (size_t i = 0; i < LW_COUNT_OF(keys); i++)
        names[i] = keys[i].name;
    if (str_is(value->name, "tool"))
        return err_set(r->err, pos, "unknown key 'tool': here the keys stand outside of any table");
    const char *meant = suggest(value->name, names, LW_COUNT_OF(names));
    if (meant == NULL)
        return err_set(r->err, pos, "unknown key '%.*s'", STR_ARG(value->name));
    return err_set(r->err, pos, "unknown key '%.*s'; did you mean '%s'?", STR_ARG(value->name),
                   meant);
}

static const struct config_key *find_key(struct str name) {
    for (size_t i = 0; i < LW_COUNT_OF(keys); i++)
        if (str_is(name, keys[i].name))
            return &keys[i];
    return NULL;
}

bool config_read_keys(struct config *config, struct str text, const struct toml_value *table,
                      struct err *err) {
    struct reader r = {config, text, err};
    struct err inner;
    if (table->kind != TOML_TABLE)
        return fail(&r, table->offset, "a table is wanted here", "tool.lostwrite");
    for (const struct toml_value *value = table->first; value != NULL; value = value->next) {
        const struct config_key *key = find_key(value->name);
        if (key == NULL)
            return unknown_key(&r, value);
        if (!read_value(&r, key, value))
            return false;
    }
    if (target_check(&config->target, &inner))
        return true;
    const char *message = inner.message; /* of an option: the key is called the same */
    return err_set(err, pos_of_offset(text, toml_member(table, STR("isolation"))->offset), "%s",
                   strncmp(message, "--", 2) == 0 ? message + 2 : message);
}
