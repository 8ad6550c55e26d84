#include "cli/spec_run.h"

#include "base/file.h"
#include "cli/pipeline.h"
#include "spec/builtin.h"
#include "spec/real.h"
#include "spec/run.h"

#include <signal.h>

static const struct pos nowhere = {0, 0};

bool spec_is_path(struct str text) {
    return str_ends(text, ".spec");
}

static void write_piece(void *context, struct str text) {
    bool *has_failed = context;
    *has_failed |= fwrite(text.ptr, 1, text.len, stdout) != text.len || fflush(stdout) != 0;
}

/* What says nothing of a spec is refused, rather than passed over. */
static bool check_options(const struct prove_options *options, struct err *err) {
    const struct target *target = &options->target;
    const char *refused = options->session_count > 0      ? "--sessions"
                          : options->format != PROVE_TEXT ? "--format json"
                          : options->all_schedules        ? "--all-schedules"
                                                          : NULL;
    if (refused != NULL)
        return err_set(err, nowhere, "%s does not go with a .spec file", refused);
    if (target->has_engine && target->engine != ENGINE_POSTGRESQL)
        return err_set(err, nowhere, "a .spec file runs on PostgreSQL only");
    return true;
}

static bool run_builtin(const struct spec *spec, const struct target *target,
                        const struct spec_run_options *run, struct spec_counts *counts,
                        struct err *err) {
    if (spec->sessions.count > DB_SESSIONS_MAX)
        return err_set(err, nowhere, "%u sessions; at most %d are possible", spec->sessions.count,
                       DB_SESSIONS_MAX);
    struct builtin *builtin =
        builtin_new(spec, target->has_isolation ? target->isolation : SQL_READ_COMMITTED);
    bool ok = spec_run(spec, builtin_server(builtin), run, counts, err);
    builtin_free(builtin);
    return ok;
}

static void on_signal(int number) {
    (void)number;
    live_interrupt();
}

/* A signal that asks for the end has what was made dropped first. */
static void catch_signals(bool catches) {
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
    struct sigaction action = {0};
    action.sa_handler = catches ? on_signal : SIG_DFL;
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
        sigaction(signals[i], &action, NULL);
}

static bool run_on_live(struct live *live, const struct spec *spec, enum sql_isolation isolation,
                        const struct spec_run_options *run, struct spec_counts *counts,
                        struct err *err) {
    struct real *real;
    struct str place;
    if (live_kind(live) != LIVE_POSTGRESQL)
        return err_set(err, nowhere, "a .spec file runs on PostgreSQL only; this is %s",
                       live_server(live));
    if (!live_make_place(live, &place, err))
        return false;
    fprintf(stderr, "lostwrite: %s, in %.*s, which is dropped at the end\n", live_server(live),
            STR_ARG(place));
    if (!real_new(live, spec, isolation, &real, err))
        return false;
    bool ok = spec_run(spec, real_server(real), run, counts, err);
    real_free(real);
    return ok;
}

static bool run_real(const struct prove_options *options, const struct spec *spec,
                     const struct spec_run_options *run, struct spec_counts *counts,
                     struct err *err) {
    struct live_options live_options = {.session_count = spec->sessions.count};
    const struct target *target = &options->target;
    struct live *live;
    if (spec->sessions.count > LIVE_SESSIONS_MAX)
        return err_set(err, nowhere, "%u sessions; at most %d are possible", spec->sessions.count,
                       LIVE_SESSIONS_MAX);
    if (!live_open(options->on, &live_options, &live, err))
        return false;
    catch_signals(true);
    bool ok =
        run_on_live(live, spec, target->has_isolation ? target->isolation : SQL_ISOLATION_DEFAULT,
                    run, counts, err);
    struct err close_err;
    bool is_closed = live_close(live, &close_err);
    catch_signals(false);
    if (ok && !is_closed)
        *err = close_err;
    else if (!is_closed)
        pipeline_print_error(&close_err);
    return ok && is_closed;
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
    if (!check_options(options, &err))
        return pipeline_print_error(&err);
    if (!file_read(arena, str_to_c(arena, path), &text, &err))
        return pipeline_print_error(&err);
    if (!spec_parse(arena, text, &spec, &err) ||
        !(options->on.len > 0 ? run_real(options, spec, &run, &counts, &err)
                              : run_builtin(spec, &options->target, &run, &counts, &err))) {
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
