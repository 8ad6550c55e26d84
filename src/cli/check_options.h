/* The options of `lostwrite check`, read and checked. Slices and pointers are into argv. */
#ifndef LW_CLI_CHECK_OPTIONS_H
#define LW_CLI_CHECK_OPTIONS_H

#include "base/arena.h"
#include "cli/config.h"
#include "cli/exit.h"
#include "cli/option.h"
#include "cli/target.h"
#include "cli/terminal.h"
#include "explain/rules.h"
#include "files/walk.h"

enum check_format {
    CHECK_TEXT,
    CHECK_JSON,
    CHECK_CONCISE,
    CHECK_SARIF,
    CHECK_GITHUB,
    CHECK_GITLAB
};

struct check_options {
    struct arena *arena; /* for `paths` */
    const char **paths;  /* at least one: "." if none was given */
    size_t path_count, path_capacity;
    struct target target;
    struct file_options files;  /* which files of a folder are read */
    struct ignore_list exclude; /* what `files` excludes */
    enum check_format format;
    uint32_t selected, ignored; /* bit per enum rule, as given; `selected` 0: all */
    uint32_t rules;             /* what to report: selected and not ignored; not empty */
    enum color_when color;
    bool is_diff;    /* print a patch in place of a report */
    bool is_verbose; /* also say what is not modelled, with its place */
    bool is_pedantic; /* findings too that rest on an assumption */
    bool is_quiet;   /* findings and errors only */
    bool exit_zero;  /* findings are no reason to answer 1 */
    bool has_statistics; /* how many of each rule, instead of the findings */
    bool shows_files;    /* which files are read, instead of the findings */
    bool require_reason; /* a comment without one suppresses nothing */
    const char *baseline, *write_baseline; /* paths of files; NULL: none */
    const char *diff_only; /* a commit: report what changed since; NULL: all */
    unsigned jobs; /* threads; 0: one a core */
    const char *config_file; /* NULL: whichever is found */
    bool no_config;
    struct config config; /* as it was read: `per_file_ignores` and `roots` stand nowhere else */
};

extern const struct cli_syntax check_syntax;

/* Reads the arguments after `check` into `*options`. The path array goes to `arena`. */
bool check_options_parse(struct arena *arena, int argc, char **argv, struct check_options *options,
                         struct err *err);

/* Reads the configuration for the paths into `config`, and takes from it what the command line did not say. False, with
 * the place, if it is wrong. */
bool check_options_configure(struct check_options *options, struct err *err);

/* Whether findings of `rule` are to be reported. */
bool check_options_wants(const struct check_options *options, enum rule rule);

/* Setter of a comma-separated list of codes or names into a set of bits. */
bool rule_bits_set(uint32_t *bits, struct str value, struct err *err);

/* The nearest rule code or name to a mistyped one, or NULL. */
const char *rule_suggest(struct str word);

/* Checks what the options name, and prints the findings. Prints its own errors. */
enum cli_exit check_run(const struct check_options *options);

#endif
