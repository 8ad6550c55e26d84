#include "cli/check_options.h"

#include "base/assert.h"
#include "base/vec.h"
#include "cli/pipeline.h"
#include "cli/suggest.h"

enum { JOBS_MAX = 64 };

static const struct pos nowhere = {0, 0};

const char *rule_suggest(struct str word) {
    const char *codes_and_names[2 * RULE_COUNT];
    for (int i = 0; i < RULE_COUNT; i++) {
        codes_and_names[i] = rule_code((enum rule)i);
        codes_and_names[RULE_COUNT + i] = rule_name((enum rule)i);
    }
    return suggest(word, codes_and_names, LW_COUNT_OF(codes_and_names));
}

bool rule_bits_set(uint32_t *bits, struct str value, struct err *err) {
    _Static_assert(RULE_COUNT < 32, "one bit a rule");
    for (size_t start = 0; start <= value.len;) {
        size_t comma = str_find(value, ',', start);
        struct str code = str_sub(value, start, comma);
        enum rule rule;
        if (!rule_parse(code, &rule)) {
            const char *meant = rule_suggest(code);
            if (meant == NULL)
                return err_set(err, nowhere, "unknown code '%.*s'; `lostwrite explain` lists them",
                               STR_ARG(code));
            return err_set(err, nowhere, "unknown code '%.*s'; did you mean '%s'?", STR_ARG(code),
                           meant);
        }
        *bits |= (uint32_t)1 << rule;
        start = comma + 1;
    }
    return true;
}

static bool set_engine(void *options, struct str value, struct err *err) {
    return target_set_engine(&((struct check_options *)options)->target, value, err);
}

static bool set_isolation(void *options, struct str value, struct err *err) {
    return target_set_isolation(&((struct check_options *)options)->target, value, err);
}

static bool set_format(void *options, struct str value, struct err *err) {
    static const char *const names[] = {"text",  "json",   "concise", /* as enum check_format */
                                        "sarif", "github", "gitlab"};
    size_t chosen;
    if (!cli_choose(value, "format", names, LW_COUNT_OF(names), &chosen, err))
        return false;
    ((struct check_options *)options)->format = (enum check_format)chosen;
    return true;
}

static bool set_select(void *options, struct str value, struct err *err) {
    return rule_bits_set(&((struct check_options *)options)->selected, value, err);
}

static bool set_ignore(void *options, struct str value, struct err *err) {
    return rule_bits_set(&((struct check_options *)options)->ignored, value, err);
}

static bool set_color(void *options, struct str value, struct err *err) {
    return color_set(&((struct check_options *)options)->color, value, err);
}

static bool set_diff(void *options, struct str value, struct err *err) {
    (void)value, (void)err;
    ((struct check_options *)options)->is_diff = true;
    return true;
}

static bool set_verbose(void *options, struct str value, struct err *err) {
    (void)value, (void)err;
    ((struct check_options *)options)->is_verbose = true;
    return true;
}

static bool set_pedantic(void *options, struct str value, struct err *err) {
    (void)value, (void)err;
    ((struct check_options *)options)->is_pedantic = true;
    return true;
}

static bool set_quiet(void *options, struct str value, struct err *err) {
    (void)value, (void)err;
    ((struct check_options *)options)->is_quiet = true;
    return true;
}

static bool set_exit_zero(void *options, struct str value, struct err *err) {
    (void)value, (void)err;
    ((struct check_options *)options)->exit_zero = true;
    return true;
}

static bool set_jobs(void *options, struct str value, struct err *err) {
    return cli_number(value, "number", 1, JOBS_MAX, &((struct check_options *)options)->jobs, err);
}

static bool set_statistics(void *options, struct str value, struct err *err) {
    (void)value, (void)err;
    ((struct check_options *)options)->has_statistics = true;
    return true;
}

static bool set_require_reason(void *options, struct str value, struct err *err) {
    (void)value, (void)err;
    ((struct check_options *)options)->require_reason = true;
    return true;
}

static bool set_show_files(void *options, struct str value, struct err *err) {
    (void)value, (void)err;
    ((struct check_options *)options)->shows_files = true;
    return true;
}

static bool set_include_tests(void *options, struct str value, struct err *err) {
    (void)value, (void)err;
    ((struct check_options *)options)->files.with_tests = true;
    return true;
}

static bool set_include_migrations(void *options, struct str value, struct err *err) {
    (void)value, (void)err;
    ((struct check_options *)options)->files.with_migrations = true;
    return true;
}

static bool add_exclude(void *into, struct str value, struct err *err) {
    struct check_options *options = into;
    if (value.len == 0)
        return err_set(err, nowhere, "an empty pattern");
    ignore_add(options->arena, &options->exclude, value);
    options->files.exclude = &options->exclude;
    return true;
}

static bool set_no_config(void *options, struct str value, struct err *err) {
    (void)value, (void)err;
    ((struct check_options *)options)->no_config = true;
    return true;
}

static bool set_file(const char **file, struct str value, struct err *err) {
    if (value.len == 0)
        return err_set(err, nowhere, "an empty path");
    *file = value.ptr;
    return true;
}

static bool set_config(void *options, struct str value, struct err *err) {
    return set_file(&((struct check_options *)options)->config_file, value, err);
}

static bool set_diff_only(void *options, struct str value, struct err *err) {
    if (value.len == 0)
        return err_set(err, nowhere, "an empty commit");
    ((struct check_options *)options)->diff_only = value.ptr;
    return true;
}

static bool set_baseline(void *options, struct str value, struct err *err) {
    return set_file(&((struct check_options *)options)->baseline, value, err);
}

static bool set_write_baseline(void *options, struct str value, struct err *err) {
    return set_file(&((struct check_options *)options)->write_baseline, value, err);
}

static bool add_path(void *into, struct str value, struct err *err) {
    struct check_options *options = into;
    if (value.len == 0)
        return err_set(err, nowhere, "an empty path");
    struct {
        const char **items;
        size_t count, capacity;
    } paths = {options->paths, options->path_count, options->path_capacity};
    VEC_PUSH(options->arena, &paths, value.ptr);
    options->paths = paths.items;
    options->path_count = paths.count;
    options->path_capacity = paths.capacity;
    return true;
}

static const struct cli_option check_cli_options[] = {
    {"engine", 0, "NAME[:VERSION]",
     "postgresql, mysql, mariadb or sqlite; else that of the settings;\n"
     "else PostgreSQL and MySQL at their default levels;\n"
     "the version as in mariadb:11.8",
     set_engine},
    {"isolation", 0, "LEVEL",
     "\"read committed\", \"repeatable read\", serializable;\n"
     "mariadb: \"snapshot isolation\"; sqlite: deferred, immediate",
     set_isolation},
    {"format", 0, "FORMAT", "text, json, concise (one line a finding), sarif,\n"
                                 "github (annotations), gitlab (code quality)", set_format},
    {"select", 0, "CODES", "report only these rules: codes or names, joined by commas", set_select},
    {"ignore", 0, "CODES", "don't report these rules", set_ignore},
    {"exclude", 0, "PATTERN", "leave out files, as a line of .gitignore does", add_exclude},
    {"include-tests", 0, NULL, "read tests, too", set_include_tests},
    {"include-migrations", 0, NULL, "read migrations, too", set_include_migrations},
    {"show-files", 0, NULL, "print which files are read, and do nothing else", set_show_files},
    {"baseline", 0, "FILE", "report only what is not in this file", set_baseline},
    {"write-baseline", 0, "FILE", "write what is found to this file instead of reporting it",
     set_write_baseline},
    {"diff-only", 0, "COMMIT", "report only what lines that changed since this commit have a part in",
     set_diff_only},
    {"require-reason", 0, NULL, "comments that suppress a finding must say why", set_require_reason},
    {"statistics", 0, NULL, "how many findings of each rule, instead of the findings",
     set_statistics},
    {"exit-zero", 0, NULL, "answer 0 even if something was found", set_exit_zero},
    {"pedantic", 0, NULL, "also findings that rest on an assumption, which is printed", set_pedantic},
    {"quiet", 'q', NULL, "findings and errors only: no warnings, no summary", set_quiet},
    {"jobs", 'j', "N", "how many threads work at once; else one a core", set_jobs},
    {"config", 0, "FILE", "the configuration; else that of the nearest folder that has one", set_config},
    {"no-config", 0, NULL, "no configuration", set_no_config},
    {"color", 0, "WHEN", "auto, always or never; auto obeys NO_COLOR", set_color},
    {"diff", 0, NULL,
     "print the safe fixes as a patch of the source, in place of a\n"
     "report: each checked again, nothing is written",
     set_diff},
    {"verbose", 'v', NULL, "also say what was not modelled, and where", set_verbose},
};

const struct cli_syntax check_syntax = {check_cli_options, LW_COUNT_OF(check_cli_options),
                                        add_path};

static bool set_rules(struct check_options *options, uint32_t selected, uint32_t ignored,
                      struct err *err) {
    uint32_t all = ((uint32_t)1 << RULE_COUNT) - 1;
    options->rules = (selected != 0 ? selected : all) & ~ignored;
    return options->rules != 0 || err_set(err, nowhere, "--ignore leaves no rule to report");
}

bool check_options_parse(struct arena *arena, int argc, char **argv, struct check_options *options,
                         struct err *err) {
    *options = (struct check_options){.arena = arena};
    options->exclude.folder = current_folder(arena);
    if (str_is(options->exclude.folder, "/"))
        options->exclude.folder = STR("");
    if (!cli_parse(&check_syntax, argc, argv, options, err) || !target_check(&options->target, err))
        return false;
    if (options->path_count == 0 && !add_path(options, STR("."), err))
        return false;
    if (options->is_diff && options->format != CHECK_TEXT)
        return err_set(err, nowhere, "--diff prints a patch, no report: leave out --format");
    if (options->has_statistics && options->format != CHECK_TEXT && options->format != CHECK_JSON)
        return err_set(err, nowhere, "--statistics is printed as text or json only");
    if (options->write_baseline != NULL && options->diff_only != NULL)
        return err_set(err, nowhere, "--write-baseline writes all there is: not with --diff-only");
    return set_rules(options, options->selected, options->ignored, err);
}

static void exclude_too(struct check_options *options) {
    const struct ignore_list *configured = &options->config.exclude;
    if (configured->patterns.count == 0)
        return;
    if (options->files.exclude == NULL)
        options->files.exclude = configured;
    else
        options->exclude.outer = configured;
}

bool check_options_configure(struct check_options *options, struct err *err) {
    struct config *config = &options->config;
    if (options->no_config)
        return true;
    if (!config_load(options->arena, options->paths, options->path_count, options->config_file,
                     config, err))
        return false;
    target_take(&options->target, &config->target);
    options->files.with_tests |= config->with_tests;
    options->files.with_migrations |= config->with_migrations;
    options->require_reason |= config->require_reason;
    if (options->baseline == NULL)
        options->baseline = config->baseline;
    exclude_too(options);
    return target_check(&options->target, err) &&
           set_rules(options, options->selected != 0 ? options->selected : config->selected,
                     options->ignored != 0 ? options->ignored : config->ignored, err);
}

bool check_options_wants(const struct check_options *options, enum rule rule) {
    LW_ASSERT((unsigned)rule < RULE_COUNT);
    return (options->rules >> rule & 1) != 0;
}
