#include "cli/prove_options.h"

#include "base/assert.h"
#include "cli/spec_run.h"

static const struct pos nowhere = {0, 0};

static bool set_engine(void *options, struct str value, struct err *err) {
    return target_set_engine(&((struct prove_options *)options)->target, value, err);
}

static bool set_isolation(void *options, struct str value, struct err *err) {
    return target_set_isolation(&((struct prove_options *)options)->target, value, err);
}

static bool set_sessions(void *options, struct str value, struct err *err) {
    return cli_number(value, "number", 1, DB_SESSIONS_MAX,
                      &((struct prove_options *)options)->session_count, err);
}

static bool set_format(void *options, struct str value, struct err *err) {
    static const char *const names[] = {"text", "json"}; /* as enum prove_format */
    size_t chosen;
    if (!cli_choose(value, "format", names, LW_COUNT_OF(names), &chosen, err))
        return false;
    ((struct prove_options *)options)->format = (enum prove_format)chosen;
    return true;
}

static bool set_all_schedules(void *options, struct str value, struct err *err) {
    (void)value, (void)err;
    ((struct prove_options *)options)->all_schedules = true;
    return true;
}

static bool set_compare(void *options, struct str value, struct err *err) {
    return compare_add(&((struct prove_options *)options)->compare, value, err);
}

static bool set_on(void *options, struct str value, struct err *err) {
    if (value.len == 0)
        return err_set(err, nowhere, "which server? postgresql://, mysql:// or sqlite:PATH");
    ((struct prove_options *)options)->on = value;
    return true;
}

static bool set_color(void *options, struct str value, struct err *err) {
    return color_set(&((struct prove_options *)options)->color, value, err);
}

static bool set_verbose(void *options, struct str value, struct err *err) {
    (void)value, (void)err;
    ((struct prove_options *)options)->is_verbose = true;
    return true;
}

static bool set_from(void *options, struct str value, struct err *err) {
    if (value.len == 0)
        return err_set(err, nowhere, "which file? one that `check --format json` wrote");
    ((struct prove_options *)options)->from = value;
    return true;
}

/* A finding goes alone, and to a server: what the built-in engine says of it is check's answer. */
static bool finding_check(const struct prove_options *options, struct err *err) {
    if (options->inputs.items.count > 0 || options->compare.count > 0 || options->session_count > 0)
        return err_set(err, nowhere, "a finding goes alone, without --compare and --sessions");
    if (options->on.len == 0)
        return err_set(err, nowhere, "a finding is replayed on a real server: which? --on URL");
    if (options->finding.id.len > 0 && options->from.len == 0)
        return err_set(err, nowhere, "where does %.*s stand? --from FILE, which `check --format json` "
                       "wrote", STR_ARG(options->finding.id));
    return true;
}

static bool add_input(void *into, struct str value, struct err *err) {
    struct prove_options *options = into;
    struct input input = {.path = value};
    if (compare_takes(&options->compare, value))
        return compare_add(&options->compare, value, err);
    struct finding_input finding = {0};
    if (finding_input_read(value, &finding)) {
        bool is_second = finding_input_is_given(&options->finding);
        options->finding = finding;
        return !is_second || err_set(err, nowhere, "'%.*s': one finding at a time", STR_ARG(value));
    }
    if (!spec_is_path(value) && !input_read(value, &input, err))
        return false;
    VEC_PUSH(options->arena, &options->inputs.items, input);
    return true;
}

static const struct cli_option prove_cli_options[] = {
    {"engine", 0, "NAME[:VERSION]",
     "postgresql, mysql, mariadb or sqlite; else that of the settings;\n"
     "else PostgreSQL and MySQL at their default levels;\n"
     "the version as in mariadb:11.8", set_engine},
    {"isolation", 0, "LEVEL",
     "\"read committed\", \"repeatable read\", serializable;\n"
     "mariadb: \"snapshot isolation\"; sqlite: deferred, immediate",
     set_isolation},
    {"compare", 0, "SERVER SERVER",
     "what changes from one to the other; SERVER is\n"
     "NAME[:VERSION][/LEVEL...], as in mariadb:10.11 mariadb:11.8", set_compare},
    {"sessions", 0, "N", "how many sessions run side by side;\n"
     "one function alone: 2", set_sessions},
    {"format", 0, "FORMAT", "text or json", set_format},
    {"all-schedules", 0, NULL, "leave no schedule out, and count them", set_all_schedules},
    {"on", 0, "URL", "also run it on a real server (a .spec file: only there):\n"
     "postgresql://, mysql://, sqlite:PATH; in a schema of its own,\n"
     "dropped at the end", set_on},
    {"from", 0, "FILE", "JSON of check, which says where a finding stands", set_from},
    {"color", 0, "WHEN", "auto, always or never; auto obeys NO_COLOR", set_color},
    {"verbose", 'v', NULL, "also say what was not modelled, and where", set_verbose},
};

const struct cli_syntax prove_syntax = {prove_cli_options, LW_COUNT_OF(prove_cli_options),
                                        add_input};

bool prove_options_parse(struct arena *arena, int argc, char **argv, struct prove_options *options,
                         struct err *err) {
    *options = (struct prove_options){.arena = arena};
    if (!cli_parse(&prove_syntax, argc, argv, options, err) || !target_check(&options->target, err) ||
        !compare_check(&options->compare, &options->target, err))
        return false;
    if (finding_input_is_given(&options->finding))
        return finding_check(options, err);
    if (options->from.len > 0)
        return err_set(err, nowhere, "--from: which finding of it? LW003-1a2b3c4d");
    if (options->inputs.items.count == 0)
        return err_set(err, nowhere, "what is to be proved? FILE.txn, FILE.spec or PATH.py:FUNCTION");
    if (!inputs_check(&options->inputs, err))
        return false;
    if (options->session_count != 0 && options->session_count < options->inputs.items.count)
        return err_set(err, nowhere, "--sessions: %u sessions for %u functions",
                       options->session_count, options->inputs.items.count);
    return true;
}
