#include "cli/dump_options.h"

#include "base/assert.h"

static const struct pos nowhere = {0, 0};

static bool set_stage(void *into, struct str value, struct err *err) {
    struct dump_options *options = into;
    static const char *const names[] = {"syntax", "program", "sql", "schedules"}; /* dump_stage */
    size_t chosen;
    if (!cli_choose(value, "stage", names, LW_COUNT_OF(names), &chosen, err))
        return false;
    options->stage = (enum dump_stage)chosen;
    options->has_stage = true;
    return true;
}

static bool set_engine(void *options, struct str value, struct err *err) {
    return target_set_engine(&((struct dump_options *)options)->target, value, err);
}

static bool set_isolation(void *options, struct str value, struct err *err) {
    return target_set_isolation(&((struct dump_options *)options)->target, value, err);
}

static bool set_path(void *into, struct str value, struct err *err) {
    struct dump_options *options = into;
    if (options->path != NULL)
        return err_set(err, nowhere, "one path at a time: '%s', then '%.*s'", options->path,
                       STR_ARG(value));
    if (value.len == 0)
        return err_set(err, nowhere, "an empty path");
    options->path = value.ptr;
    return true;
}

static const struct cli_option dump_cli_options[] = {
    {"stage", 0, "STAGE",
     "syntax (the Python tree), program (as .txn), sql (what is sent),\n"
     "or schedules (each one, with its outcome)",
     set_stage},
    {"engine", 0, "NAME", "postgresql, mysql, mariadb or sqlite", set_engine},
    {"isolation", 0, "LEVEL", "as for check", set_isolation},
};

const struct cli_syntax dump_syntax = {dump_cli_options, LW_COUNT_OF(dump_cli_options), set_path};

bool dump_options_parse(int argc, char **argv, struct dump_options *options, struct err *err) {
    *options = (struct dump_options){0};
    if (!cli_parse(&dump_syntax, argc, argv, options, err) || !target_check(&options->target, err))
        return false;
    if (!options->has_stage)
        return err_set(err, nowhere, "which stage? --stage=syntax, program, sql or schedules");
    if (options->path == NULL)
        return err_set(err, nowhere, "a path is missing");
    return true;
}
