#include "base/arena.h"
#include "cli/check_options.h"
#include "cli/command.h"
#include "explain/rules.h"

#include <stdio.h>

struct explain_options {
    uint32_t rules; /* bit per enum rule; 0: list them all */
};

static bool add_code(void *into, struct str value, struct err *err) {
    return rule_bits_set(&((struct explain_options *)into)->rules, value, err);
}

static const struct cli_syntax explain_syntax = {NULL, 0, add_code};

static void list_rules(struct buf *out) {
    for (int i = 0; i < RULE_COUNT; i++) {
        buf_printf(out, "%s  %s\n       %s\n", rule_code((enum rule)i), rule_name((enum rule)i),
                   rule_summary((enum rule)i));
    }
    buf_add_c(out, "\n`lostwrite explain CODE` tells more about one.\n");
}

/* A page is Markdown; on a terminal its headings read better without the marks. */
static void print_page(struct str page, struct buf *out) {
    for (size_t start = 0; start < page.len;) {
        size_t end = str_find(page, '\n', start);
        struct str line = str_sub(page, start, end);
        if (str_starts(line, "# "))
            line = str_sub(line, 2, line.len);
        else if (str_starts(line, "## "))
            line = str_sub(line, 3, line.len);
        buf_add(out, line);
        buf_add_char(out, '\n');
        start = end + 1;
    }
}

static enum cli_exit run(int argc, char **argv) {
    struct explain_options options = {0};
    struct err err;
    if (!cli_parse(&explain_syntax, argc, argv, &options, &err))
        return command_error(&cmd_explain, &err);
    struct buf out = {0};
    if (options.rules == 0)
        list_rules(&out);
    bool is_first = true;
    for (int i = 0; i < RULE_COUNT; i++) {
        if ((options.rules >> i & 1) == 0)
            continue;
        if (!is_first)
            buf_add_char(&out, '\n');
        print_page(rule_page((enum rule)i), &out);
        is_first = false;
    }
    fwrite(out.ptr, 1, out.len, stdout);
    buf_release(&out);
    return CLI_CLEAN;
}

const struct command cmd_explain = {
    .name = "explain",
    .summary = "tell problem, effect, fix and engines of a rule; without a code, list the rules",
    .usage = "[CODE...]",
    .help = "A code is LW003 or the rule's name, read-modify-write.",
    .syntax = &explain_syntax,
    .run = run,
};
