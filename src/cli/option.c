#include "cli/option.h"

#include "base/assert.h"
#include "cli/suggest.h"

enum { NAMES_MAX = 64, HELP_COLUMN = 26 };

static const struct pos nowhere = {0, 0};

static const struct cli_option *find_long(const struct cli_syntax *syntax, struct str name) {
    for (size_t i = 0; i < syntax->option_count; i++) {
        if (str_is(name, syntax->options[i].name))
            return &syntax->options[i];
    }
    return NULL;
}

static bool unknown_option(const struct cli_syntax *syntax, struct str name, struct err *err) {
    const char *names[NAMES_MAX];
    LW_ASSERT(syntax->option_count < NAMES_MAX);
    for (size_t i = 0; i < syntax->option_count; i++)
        names[i] = syntax->options[i].name;
    names[syntax->option_count] = "help";
    const char *meant = suggest(name, names, syntax->option_count + 1);
    if (meant == NULL)
        return err_set(err, nowhere, "unknown option '--%.*s'", STR_ARG(name));
    return err_set(err, nowhere, "unknown option '--%.*s'; did you mean '--%s'?", STR_ARG(name),
                   meant);
}

/* A message about a value says which option it was given to. */
static bool set_value(const struct cli_option *option, void *options, struct str value,
                      struct err *err) {
    struct err inner;
    if (option->set(options, value, &inner))
        return true;
    return err_set(err, nowhere, "--%s: %s", option->name, inner.message);
}

/* `--name`, `--name=value` or `--name value` at argv[*at]; leaves *at on its last argument. */
static bool parse_long(const struct cli_syntax *syntax, int argc, char **argv, int *at,
                       void *options, struct err *err) {
    struct str text = str_from_c(argv[*at] + 2);
    size_t equals = str_find(text, '=', 0);
    struct str name = str_sub(text, 0, equals);
    const struct cli_option *option = find_long(syntax, name);
    if (option == NULL)
        return unknown_option(syntax, name, err);
    bool has_value = equals < text.len;
    if (option->value == NULL) {
        if (has_value)
            return err_set(err, nowhere, "--%s takes no value", option->name);
        return set_value(option, options, STR(""), err);
    }
    if (has_value)
        return set_value(option, options, str_sub(text, equals + 1, text.len), err);
    if (*at + 1 >= argc)
        return err_set(err, nowhere, "--%s needs a value: --%s %s", option->name, option->name,
                       option->value);
    *at += 1;
    return set_value(option, options, str_from_c(argv[*at]), err);
}

static const struct cli_option *option_of_letter(const struct cli_syntax *syntax, char letter) {
    for (size_t i = 0; i < syntax->option_count; i++)
        if (syntax->options[i].letter == letter)
            return &syntax->options[i];
    return NULL;
}

/* `-v`, or several flags in one argument; the last may take a value: `-j4`, `-j 4`. */
static bool parse_letters(const struct cli_syntax *syntax, int argc, char **argv, int *at,
                          void *options, struct err *err) {
    const char *argument = argv[*at];
    for (const char *letter = argument + 1; *letter != '\0'; letter++) {
        const struct cli_option *option = option_of_letter(syntax, *letter);
        const char *value = "";
        if (option == NULL)
            return err_set(err, nowhere, "unknown option '%s'", argument);
        if (option->value != NULL && letter[1] != '\0') {
            return set_value(option, options, str_from_c(letter + 1), err);
        } else if (option->value != NULL) {
            if (*at + 1 == argc)
                return err_set(err, nowhere, "-%c needs a value: -%c %s", *letter, *letter, option->value);
            value = argv[++*at];
        }
        if (!set_value(option, options, str_from_c(value), err))
            return false;
    }
    return true;
}

bool cli_parse(const struct cli_syntax *syntax, int argc, char **argv, void *options,
               struct err *err) {
    bool options_ended = false;
    for (int at = 0; at < argc; at++) {
        const char *text = argv[at];
        if (!options_ended && strcmp(text, "--") == 0) {
            options_ended = true;
        } else if (!options_ended && text[0] == '-' && text[1] == '-') {
            if (!parse_long(syntax, argc, argv, &at, options, err))
                return false;
        } else if (!options_ended && text[0] == '-' && text[1] != '\0') {
            if (!parse_letters(syntax, argc, argv, &at, options, err))
                return false;
        } else if (syntax->argument == NULL) {
            return err_set(err, nowhere, "unexpected argument '%s'", text);
        } else if (!syntax->argument(options, str_from_c(text), err)) {
            return false;
        }
    }
    return true;
}

bool cli_wants_help(int argc, char **argv) {
    for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return true;
    }
    return false;
}

void cli_print_options(const struct cli_syntax *syntax, struct buf *out) {
    for (size_t i = 0; i < syntax->option_count; i++) {
        const struct cli_option *option = &syntax->options[i];
        size_t start = out->len;
        if (option->letter != '\0')
            buf_printf(out, "  -%c, --%s", option->letter, option->name);
        else
            buf_printf(out, "      --%s", option->name);
        if (option->value != NULL)
            buf_printf(out, " %s", option->value);
        if (out->len - start >= HELP_COLUMN) {
            buf_add_char(out, '\n');
            start = out->len;
        }
        buf_add_repeat(out, ' ', HELP_COLUMN - (out->len - start));
        for (const char *c = option->help; *c != '\0'; c++) {
            buf_add_char(out, *c);
            if (*c == '\n')
                buf_add_repeat(out, ' ', HELP_COLUMN);
        }
        buf_add_char(out, '\n');
    }
}

/* Case, and how words are joined, don't count. */
static bool same_words(struct str text, const char *name) {
    struct str other = str_from_c(name);
    if (text.len != other.len)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        struct str a = str_sub(text, i, i + 1), b = str_sub(other, i, i + 1);
        bool both_join = strchr("-_ ", *a.ptr) != NULL && strchr("-_ ", *b.ptr) != NULL;
        if (*a.ptr == '\0' || (!both_join && !str_equal_nocase(a, b)))
            return false;
    }
    return true;
}

bool cli_choose(struct str text, const char *what, const char *const *names, size_t count,
                size_t *chosen, struct err *err) {
    for (size_t i = 0; i < count; i++) {
        if (same_words(text, names[i])) {
            *chosen = i;
            return true;
        }
    }
    const char *meant = suggest(text, names, count);
    if (meant != NULL)
        return err_set(err, nowhere, "unknown %s '%.*s'; did you mean '%s'?", what, STR_ARG(text),
                       meant);
    struct buf choices = {0};
    for (size_t i = 0; i < count; i++)
        buf_printf(&choices, "%s%s", i == 0 ? "" : i + 1 == count ? " or " : ", ", names[i]);
    err_set(err, nowhere, "unknown %s '%.*s'; it is one of %s", what, STR_ARG(text), choices.ptr);
    buf_release(&choices);
    return false;
}

bool cli_number(struct str text, const char *what, unsigned min, unsigned max, unsigned *number,
                struct err *err) {
    unsigned value = 0;
    bool is_number = text.len > 0 && text.len <= 9; /* nine digits fit into an unsigned */
    for (size_t i = 0; is_number && i < text.len; i++) {
        is_number = text.ptr[i] >= '0' && text.ptr[i] <= '9';
        value = value * 10 + (unsigned)(text.ptr[i] - '0');
    }
    if (!is_number || value < min || value > max)
        return err_set(err, nowhere, "'%.*s' is no %s from %u to %u", STR_ARG(text), what, min,
                       max);
    *number = value;
    return true;
}
