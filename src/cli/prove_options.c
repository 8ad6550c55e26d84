#include "cli/prove_options.h"

#include "base/assert.h"
#include "base/vec.h"

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

static bool set_color(void *options, struct str value, struct err *err) {
    return color_set(&((struct prove_options *)options)->color, value, err);
}

static bool set_verbose(void *options, struct str value, struct err *err) {
    (void)value, (void)err;
    ((struct prove_options *)options)->is_verbose = true;
    return true;
}

/* Whether the text is a Python name, or several joined by dots. Bytes above ASCII are let through: whether
 * they are letters is for the search of the function to say. */
static bool is_dotted_name(struct str text) {
    bool at_start = true;
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c >= 0x80;
        bool is_digit = c >= '0' && c <= '9';
        if (c == '.' && !at_start)
            at_start = true;
        else if (is_letter || (is_digit && !at_start))
            at_start = false;
        else
            return false;
    }
    return !at_start;
}

/* FILE.txn, `-`, or PATH.py:FUNCTION. */
static bool read_input(struct str text, struct prove_input *input, struct err *err) {
    *input = (struct prove_input){.path = text};
    if (str_is(text, "-") || str_ends(text, ".txn"))
        return true;
    size_t colon = text.len;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == ':')
            colon = i;
    }
    input->path = str_sub(text, 0, colon);
    if (!str_ends(input->path, ".py"))
        return err_set(err, nowhere, "'%.*s' is neither FILE.txn nor PATH.py:FUNCTION",
                       STR_ARG(text));
    if (colon == text.len)
        return err_set(err, nowhere, "'%.*s': name the function, as in '%.*s:increment'",
                       STR_ARG(text), STR_ARG(text));
    input->function = str_sub(text, colon + 1, text.len);
    if (!is_dotted_name(input->function))
        return err_set(err, nowhere, "'%.*s' is no name of a function", STR_ARG(input->function));
    return true;
}

static bool add_input(void *into, struct str value, struct err *err) {
    struct prove_options *options = into;
    struct prove_input input;
    if (!read_input(value, &input, err))
        return false;
    struct {
        struct prove_input *items;
        size_t count, capacity;
    } inputs = {options->inputs, options->input_count, options->input_capacity};
    VEC_PUSH(options->arena, &inputs, input);
    options->inputs = inputs.items;
    options->input_count = inputs.count;
    options->input_capacity = inputs.capacity;
    return true;
}

static const struct cli_option prove_cli_options[] = {
    {"engine", 0, "NAME", "postgresql, mysql, mariadb or sqlite; else all of them", set_engine},
    {"isolation", 0, "LEVEL",
     "\"read committed\", \"repeatable read\", serializable;\n"
     "mariadb: \"snapshot isolation\"; sqlite: deferred, immediate",
     set_isolation},
    {"sessions", 0, "N", "how many sessions run side by side;\n"
     "one function alone: 2", set_sessions},
    {"format", 0, "FORMAT", "text or json", set_format},
    {"all-schedules", 0, NULL, "leave no schedule out, and count them", set_all_schedules},
    {"color", 0, "WHEN", "auto, always or never; auto obeys NO_COLOR", set_color},
    {"verbose", 'v', NULL, "also say what was not modelled, and where", set_verbose},
};

const struct cli_syntax prove_syntax = {prove_cli_options, LW_COUNT_OF(prove_cli_options),
                                        add_input};

bool prove_options_parse(struct arena *arena, int argc, char **argv, struct prove_options *options,
                         struct err *err) {
    *options = (struct prove_options){.arena = arena};
    if (!cli_parse(&prove_syntax, argc, argv, options, err) || !target_check(&options->target, err))
        return false;
    if (options->input_count == 0)
        return err_set(err, nowhere, "what is to be proved? FILE.txn or PATH.py:FUNCTION");
    for (size_t i = 0; i < options->input_count; i++) {
        if (options->inputs[i].function.len == 0 && options->input_count > 1)
            return err_set(err, nowhere, "'%.*s' is a whole scenario: it goes alone",
                           STR_ARG(options->inputs[i].path));
    }
    if (options->input_count > DB_SESSIONS_MAX)
        return err_set(err, nowhere, "%zu functions; at most %d run side by side",
                       options->input_count, DB_SESSIONS_MAX);
    if (options->session_count != 0 && options->session_count < options->input_count)
        return err_set(err, nowhere, "--sessions: %u sessions for %zu functions",
                       options->session_count, options->input_count);
    return true;
}
