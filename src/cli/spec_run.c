#include "cli/spec_run.h"

#include "base/file.h"
#include "cli/pipeline.h"
#include "spec/builtin.h"
#include "spec/run.h"

static const struct pos nowhere = {0, 0};

bool spec_is_path(struct str text) {
    return str_ends(text, ".spec");
}

static void write_piece(void *context, struct str text) {
    bool *has_failed = context;
    *has_failed |= fwrite(text.ptr, 1, text.len, stdout) != text.len || fflush(stdout) != 0;
}

static bool check_target(const struct target *target, struct err *err) {
    if (target->has_engine && target->engine != ENGINE_POSTGRESQL)
        return err_set(err, nowhere, "a .spec file runs on PostgreSQL only");
    return true;
}

static bool run_builtin(const struct spec *spec, const struct target *target,
                        const struct spec_run_options *run, struct spec_counts *counts,
                        struct err *err) {
    if (spec->sessions.count > DB_SESSIONS_MAX)
        return err_set(err, nowhere, "%zu sessions; at most %d are possible", spec->sessions.count,
                       DB_SESSIONS_MAX);
    struct builtin *builtin =
        builtin_new(spec, target->has_isolation ? target->isolation : SQL_READ_COMMITTED);
    bool ok = spec_run(spec, builtin_server(builtin), run, counts, err);
    builtin_free(builtin);
    return ok;
}

/* Without the tester's output nothing is lost: how many permutations did not run is said apart. */
static void print_counts(const struct spec_counts *counts) {
    if (counts->not_modelled > 0)
        fprintf(stderr, "lostwrite: %zu of %zu permutations not run: not modelled\n",
                counts->not_modelled, counts->permutations);
}

enum cli_exit spec_prove(const struct prove_options *options) {
    struct arena *arena = options->arena;
    struct str path = options->inputs.items.items[0].path, text;
    bool has_failed = false;
    struct spec_run_options run = {.write = write_piece, .context = &has_failed};
    struct spec_counts counts = {0};
    struct spec *spec;
    struct err err;
    if (!check_target(&options->target, &err))
        return pipeline_print_error(&err);
    if (!file_read(arena, str_to_c(arena, path), &text, &err))
        return pipeline_print_error(&err);
    if (!spec_parse(arena, text, &spec, &err) ||
        !run_builtin(spec, &options->target, &run, &counts, &err)) {
        err_in_file(&err, path);
        return pipeline_print_error(&err);
    }
    print_counts(&counts);
    if (has_failed) {
        err_set(&err, nowhere, "standard output can't be written");
        return pipeline_print_error(&err);
    }
    return counts.not_modelled > 0 ? CLI_ERROR : CLI_CLEAN;
}
