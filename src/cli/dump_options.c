#include "cli/dump_options.h"

#include "base/assert.h"
#include "engine/engine.h"

static const struct pos nowhere = {0, 0};

static bool set_stage(void *into, struct str value, struct err *err) {
    struct dump_options *options = into;
    static const char *const names[] = {"syntax", "roots", "functions", "program", "sql",
                                        "schedules"}; /* dump_stage */
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

static bool set_sessions(void *options, struct str value, struct err *err) {
    return cli_number(value, "number", 1, DB_SESSIONS_MAX,
                      &((struct dump_options *)options)->session_count, err);
}

static bool set_all_schedules(void *options, struct str value, struct err *err) {
    (void)value, (void)err;
    ((struct dump_options *)options)->all_schedules = true;
    return true;
}

/* Which stage it is for may come later: here it is only taken apart. */
static bool add_input(void *into, struct str value, struct err *err) {
    struct dump_options *options = into;
    struct input input = {.path = value};
    size_t colon = value.len;
    if (value.len == 0)
        return err_set(err, nowhere, "an empty path");
    while (colon > 0 && value.ptr[colon - 1] != ':' && value.ptr[colon - 1] != '/')
        colon--;
    bool has_function = colon > 0 && value.ptr[colon - 1] == ':' &&
                        str_ends(str_sub(value, 0, colon - 1), ".py");
    if (has_function && !input_read(value, &input, err))
        return false;
    VEC_PUSH(options->arena, &options->inputs.items, input);
    return true;
}

static const struct cli_option dump_cli_options[] = {
    {"stage", 0, "STAGE",
     "syntax (the Python tree), roots (views, tasks, commands ...), functions\n"
     "(which touch the ORM, and what of each is not modelled), program (as\n"
     ".txn), sql (what is sent), or schedules (each one, with its outcome)",
     set_stage},
    {"engine", 0, "NAME[:VERSION]", "postgresql, mysql, mariadb or sqlite", set_engine},
    {"isolation", 0, "LEVEL", "as for check", set_isolation},
    {"sessions", 0, "N", "schedules: as for prove", set_sessions},
    {"all-schedules", 0, NULL, "schedules: also those that differ only in steps that commute",
     set_all_schedules},
};

const struct cli_syntax dump_syntax = {dump_cli_options, LW_COUNT_OF(dump_cli_options), add_input};

/* Schedules need functions or a .txn file; the other stages one path. */
static bool check_inputs(const struct dump_options *options, struct err *err) {
    const struct input_list *inputs = &options->inputs;
    const struct input *first = &inputs->items.items[0];
    if (options->stage == DUMP_SCHEDULES) {
        for (size_t i = 0; i < inputs->items.count; i++) {
            const struct input *input = &inputs->items.items[i];
            if (input->function.len == 0 && !input_is_txn(input->path))
                return err_set(err, nowhere,
                               "'%.*s': schedules are of FILE.txn or PATH.py:FUNCTION...",
                               STR_ARG(input->path));
        }
        return inputs_check(inputs, err);
    }
    if (inputs->items.count > 1)
        return err_set(err, nowhere, "one path at a time: '%.*s', then '%.*s'",
                       STR_ARG(first->path), STR_ARG(inputs->items.items[1].path));
    if (options->session_count > 0 || options->all_schedules)
        return err_set(err, nowhere, "--%s is for --stage=schedules",
                       options->all_schedules ? "all-schedules" : "sessions");
    if (options->stage == DUMP_FUNCTIONS && input_is_txn(first->path))
        return err_set(err, nowhere, "functions are of Python: %.*s", STR_ARG(first->path));
    if (options->stage != DUMP_SYNTAX && options->stage != DUMP_ROOTS)
        return true;
    if (first->function.len > 0)
        return err_set(err, nowhere, "the %s of a whole file: %.*s",
                       options->stage == DUMP_SYNTAX ? "syntax is" : "roots are",
                       STR_ARG(first->path));
    if (input_is_txn(first->path))
        return err_set(err, nowhere, "'%.*s' is no Python; --stage=program shows it",
                       STR_ARG(first->path));
    return true;
}

bool dump_options_parse(struct arena *arena, int argc, char **argv, struct dump_options *options,
                        struct err *err) {
    *options = (struct dump_options){.arena = arena};
    if (!cli_parse(&dump_syntax, argc, argv, options, err) || !target_check(&options->target, err))
        return false;
    if (!options->has_stage)
        return err_set(err, nowhere,
                       "which stage? --stage=syntax, roots, functions, program, sql or schedules");
    if (options->inputs.items.count == 0)
        return err_set(err, nowhere, "a path is missing");
    return check_inputs(options, err);
}
