/* Random trials on the built-in engine and a server: see docs/differential.md. Answers 1 if a difference is not
 * explained, 2 if the run could not be made.
 */
#include "base/assert.h"
#include "builtin.h"
#include "engine/version.h"
#include "jobs.h"
#include "options.h"
#include "server.h"
#include "shrink.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct counts {
    uint64_t cases, cut, steps, waits, mixed, checked_serial, not_serializable, not_modelled;
    uint64_t differences[DIFFERENCE_KINDS];
    uint64_t passing; /* differences that did not come again */
};

/* What one job counts. */
struct tally {
    struct counts counts[POLICIES_MAX];
    atomic_uint_fast64_t open_count;
};

struct program {
    struct options options;
    struct tally *tallies; /* of all jobs */
    unsigned job;          /* this one */
    struct server server;
    bool has_server;
    struct world world;
    struct builtin builtin;
    uint64_t world_number;
    bool has_world;
    struct policy_under_test policies[POLICIES_MAX]; /* with the server's version */
};

static double now_seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static void on_signal(int number) {
    (void)number;
    live_interrupt();
}

static const struct trial *under_way; /* for an assertion that fails in the engine: it is in this thread */

static void on_abort(int number) {
    struct buf out = {0};
    (void)number;
    if (under_way == NULL)
        return;
    trial_print(under_way, &out);
    fprintf(stderr, "%.*s", STR_ARG(buf_str(&out)));
    buf_release(&out);
}

/* Whether the rest of the program can't go on. */
static bool fail(const struct err *err, const struct trial *trial) {
    fflush(stdout);
    fprintf(stderr, "differential: case %llu: %s\n",
            trial != NULL ? (unsigned long long)trial->number : 0, err->message);
    return false;
}

static bool set_up(struct program *program, uint64_t number, size_t policy, struct err *err) {
    uint64_t world_number = number / WORLD_TRIALS;
    const struct policy_under_test *under_test = &program->policies[policy];
    if (!program->has_world || program->world_number != world_number) {
        if (program->has_world) {
            builtin_close(&program->builtin);
            world_release(&program->world);
        }
        trial_world(&program->world, under_test->config.engine, program->options.seed, number);
        program->has_world = true;
        program->world_number = world_number;
        if (!builtin_open(&program->builtin, &program->world, under_test, err))
            return false;
    }
    return !program->has_server ||
           server_set_up(&program->server, &program->world, world_number, under_test, err);
}

/* ---- one trial ---- */

struct outcome {
    struct script script;
    struct disagreement disagreement;
    bool is_checked, is_serializable;
    struct err err;
    bool is_lost; /* the server, or the rows could not be loaded */
};

static bool runs_serializable(const struct trial *trial) {
    return trial->policy->config.engine == ENGINE_POSTGRESQL &&
           trial->policy->config.isolation == SQL_SERIALIZABLE && !trial->is_mixed;
}

static void play(struct program *program, struct trial *trial, struct outcome *outcome) {
    *outcome = (struct outcome){.is_serializable = true};
    if (!builtin_play(&program->builtin, trial, &outcome->script, &outcome->err)) {
        outcome->is_lost = true;
        return;
    }
    if (outcome->script.not_modelled.len > 0)
        return;
    if (runs_serializable(trial)) {
        bool is_known;
        bool is_serial = builtin_is_serializable(&program->builtin, &outcome->script, &is_known);
        outcome->is_checked = is_known;
        outcome->is_serializable = is_serial || !is_known;
    }
    if (program->has_server)
        outcome->is_lost = !server_play(&program->server, trial, &outcome->script,
                                        &outcome->disagreement, &outcome->err);
}

struct shrink_context {
    struct program *program;
    enum difference kind;
    bool is_serializable;
};

static bool still_wrong(void *context, struct trial *trial) {
    const struct shrink_context *wanted = context;
    struct outcome outcome;
    struct err err;
    size_t policy = (size_t)(trial->policy - wanted->program->policies);
    if (!set_up(wanted->program, trial->number, policy, &err))
        return false;
    play(wanted->program, trial, &outcome);
    return !outcome.is_lost && outcome.disagreement.kind == wanted->kind &&
           (wanted->is_serializable || !outcome.is_serializable);
}

enum { PLAYED_AGAIN = 2 };

/* Whether the server answers otherwise when it is asked again: else it was busy, and was seen at a wrong moment. */
static bool comes_again(struct program *program, struct trial *trial) {
    for (int i = 0; i < PLAYED_AGAIN; i++) {
        struct outcome outcome;
        struct err err;
        if (!set_up(program, trial->number, (size_t)(trial->policy - program->policies), &err))
            return true;
        play(program, trial, &outcome);
        if (outcome.is_lost || outcome.disagreement.kind != DIFFERENCE_NONE)
            return true;
    }
    return false;
}

/* ---- reporting ---- */

static void print_difference(const struct trial *trial, const struct outcome *outcome,
                             struct buf *out) {
    const struct disagreement *found = &outcome->disagreement;
    if (found->kind == DIFFERENCE_NONE) {
        script_print(trial, &outcome->script, outcome->script.lines.count, NULL, out);
        if (!outcome->is_serializable)
            buf_add_c(out, "# no serial order gives this\n");
        return;
    }
    size_t count = found->line_count;
    const struct script_line *line = &outcome->script.lines.items[count - 1];
    script_print(trial, &outcome->script, count, found->is_unexpected ? NULL : &found->answer, out);
    if (found->is_unexpected)
        buf_printf(out, "  %c %.*s  (unblocked) %.*s\n# %s: built-in: still waits\n",
                   'A' + found->session, STR_ARG(found->sql), STR_ARG(found->answer.shown),
                   difference_name(found->kind));
    else
        buf_printf(out, "# %s: built-in: %.*s", difference_name(found->kind),
                   STR_ARG(line->answer.shown));
    if (found->kind == DIFFERENCE_BLOCKERS)
        buf_printf(out, " by sessions %x, server: %x", line->answer.blockers,
                   found->answer.blockers);
    if (!found->is_unexpected)
        buf_add_char(out, '\n');
}

static void report_passing(const struct trial *trial, const struct outcome *outcome) {
    struct buf out = {0};
    print_difference(trial, outcome, &out);
    printf("%.*s# not so when it was played again\n\n", STR_ARG(buf_str(&out)));
    buf_release(&out);
}

static void keep_difference(const struct program *program, const struct trial *trial,
                            const struct outcome *outcome, struct str text) {
    char path[512];
    snprintf(path, sizeof(path), "%s/%s-%s-seed%llu-%llu.txt", program->options.keep,
             trial->policy->name, difference_name(outcome->disagreement.kind),
             (unsigned long long)trial->seed, (unsigned long long)trial->number);
    for (char *at = path + strlen(program->options.keep); *at != '\0'; at++)
        if (*at == ' ')
            *at = '_';
    FILE *file = fopen(path, "w");
    if (file == NULL) {
        fprintf(stderr, "differential: %s can't be written\n", path);
        return;
    }
    fwrite(text.ptr, 1, text.len, file);
    fclose(file);
}

static void report(struct program *program, struct trial *trial, struct outcome *outcome) {
    struct buf out = {0};
    bool differs = outcome->disagreement.kind != DIFFERENCE_NONE || !outcome->is_serializable;
    print_difference(trial, outcome, &out);
    if (program->options.shrinks && differs) {
        struct shrink_context context = {program, outcome->disagreement.kind,
                                         outcome->is_serializable};
        trial_shrink(trial, still_wrong, &context);
        if (still_wrong(&context, trial)) {
            play(program, trial, outcome);
            buf_clear(&out);
            print_difference(trial, outcome, &out);
        } else {
            buf_add_c(&out, "# not so when it was played again\n");
        }
    }
    printf("%.*s\n", STR_ARG(buf_str(&out)));
    fflush(stdout);
    if (program->options.keep != NULL)
        keep_difference(program, trial, outcome, buf_str(&out));
    buf_release(&out);
}

static void count(struct counts *counts, const struct trial *trial,
                  const struct outcome *outcome) {
    counts->cases++;
    counts->mixed += trial->is_mixed;
    counts->cut += outcome->script.is_cut;
    counts->steps += outcome->script.step_count;
    counts->waits += outcome->script.wait_count;
    counts->checked_serial += outcome->is_checked;
    counts->not_serializable += !outcome->is_serializable;
    counts->not_modelled += outcome->script.not_modelled.len > 0;
    counts->differences[outcome->disagreement.kind]++;
}

/* Returns whether the run can go on; `*is_open`: an unexplained difference. */
static bool one_trial(struct program *program, uint64_t number, size_t policy, bool *is_open) {
    struct trial trial;
    struct outcome outcome;
    struct err err;
    bool ok = true;
    *is_open = false;
    if (!set_up(program, number, policy, &err))
        return fail(&err, NULL);
    trial_make(&trial, &program->world, &program->policies[policy], program->options.seed, number,
               program->options.is_wide);
    under_way = &trial;
    play(program, &trial, &outcome);
    if (!outcome.is_lost && outcome.disagreement.kind != DIFFERENCE_NONE &&
        !comes_again(program, &trial)) {
        report_passing(&trial, &outcome);
        program->tallies[program->job].counts[policy].passing++;
        play(program, &trial, &outcome);
    }
    if (outcome.is_lost) {
        ok = fail(&outcome.err, &trial);
    } else {
        count(&program->tallies[program->job].counts[policy], &trial, &outcome);
        bool is_ssi = outcome.disagreement.kind == DIFFERENCE_SSI;
        bool differs = outcome.disagreement.kind != DIFFERENCE_NONE || !outcome.is_serializable;
        bool server_does_so = program->has_server && outcome.disagreement.kind == DIFFERENCE_NONE;
        *is_open = differs && !(is_ssi && outcome.is_serializable) && !server_does_so;
        if (outcome.script.not_modelled.len > 0)
            printf("not modelled: %.*s\n", STR_ARG(outcome.script.not_modelled));
        if (program->options.hashes)
            printf("%llu %016llx\n", (unsigned long long)number,
                   (unsigned long long)script_hash(&trial, &outcome.script));
        if (differs || program->options.prints)
            report(program, &trial, &outcome);
    }
    under_way = NULL;
    trial_release(&trial);
    return ok;
}

static void add_counts(struct counts *total, const struct counts *part) {
    total->cases += part->cases;
    total->mixed += part->mixed;
    total->cut += part->cut;
    total->steps += part->steps;
    total->waits += part->waits;
    total->checked_serial += part->checked_serial;
    total->not_serializable += part->not_serializable;
    total->not_modelled += part->not_modelled;
    total->passing += part->passing;
    for (size_t kind = 0; kind < DIFFERENCE_KINDS; kind++)
        total->differences[kind] += part->differences[kind];
}

static struct counts policy_counts(const struct program *program, size_t policy) {
    struct counts total = {0};
    for (unsigned job = 0; job < program->options.jobs; job++)
        add_counts(&total, &program->tallies[job].counts[policy]);
    return total;
}

static void print_policy(const char *name, const struct counts *counts) {
    bool any = false;
    printf("%s: %llu cases, %llu steps, %llu waits, %llu of mixed levels, %llu cut off", name,
           (unsigned long long)counts->cases, (unsigned long long)counts->steps,
           (unsigned long long)counts->waits, (unsigned long long)counts->mixed,
           (unsigned long long)counts->cut);
    if (counts->checked_serial > 0)
        printf(", %llu checked to be serializable, %llu are not",
               (unsigned long long)counts->checked_serial,
               (unsigned long long)counts->not_serializable);
    if (counts->not_modelled > 0)
        printf(", %llu not modelled", (unsigned long long)counts->not_modelled);
    printf("; differences:");
    for (size_t kind = 1; kind < DIFFERENCE_KINDS; kind++) {
        if (counts->differences[kind] == 0)
            continue;
        printf(" %s %llu", difference_name(kind), (unsigned long long)counts->differences[kind]);
        any = true;
    }
    printf("%s", any ? "" : " none");
    if (counts->passing > 0)
        printf("; %llu did not come again", (unsigned long long)counts->passing);
    putchar('\n');
}

static void print_counts(const struct program *program, double seconds) {
    uint64_t total = 0;
    for (size_t i = 0; i < program->options.policy_count; i++) {
        struct counts counts = policy_counts(program, i);
        total += counts.cases;
        print_policy(program->policies[i].name, &counts);
    }
    printf("%llu cases in %.1f s, %.0f a second\n", (unsigned long long)total, seconds,
           (double)total / seconds);
}

static uint64_t open_count(const struct program *program) {
    uint64_t count = 0;
    for (unsigned job = 0; job < program->options.jobs; job++)
        count += program->tallies[job].open_count;
    return count;
}

/* A job takes every so-many-th round of worlds, in which each policy has one. */
static bool is_of_job(const struct program *program, uint64_t number) {
    uint64_t round = number / WORLD_TRIALS / program->options.policy_count;
    return round % program->options.jobs == program->job;
}

/* The number of the next case; false: there is none. */
static bool next_case(const struct options *options, FILE *only, uint64_t done, uint64_t *number) {
    char line[32];
    *number = options->first + done;
    if (only == NULL || done >= options->cases)
        return done < options->cases;
    if (fgets(line, sizeof(line), only) == NULL)
        return false;
    *number = strtoull(line, NULL, 10);
    return true;
}

/* 0, or what the program answers. `only`: the numbers of the cases; NULL: all from `first`. */
static int run_cases(struct program *program, FILE *only) {
    const struct options *options = &program->options;
    struct tally *tally = &program->tallies[program->job];
    double start = now_seconds();
    uint64_t not_modelled = 0, number;
    bool ok = true;
    for (uint64_t i = 0; ok && next_case(options, only, i, &number); i++) {
        if (now_seconds() - start > options->seconds || open_count(program) >= options->differences_max)
            break;
        bool is_open;
        if (!is_of_job(program, number))
            continue;
        ok = one_trial(program, number, (number / WORLD_TRIALS) % options->policy_count, &is_open);
        tally->open_count += is_open;
    }
    for (size_t i = 0; i < options->policy_count; i++)
        not_modelled += tally->counts[i].not_modelled;
    return !ok ? 2 : tally->open_count > 0 || not_modelled > 0 ? 1 : 0;
}

static int run_chosen_cases(struct program *program) {
    if (program->options.only == NULL)
        return run_cases(program, NULL);
    FILE *only = fopen(program->options.only, "r");
    if (only == NULL) {
        fprintf(stderr, "differential: %s can't be read\n", program->options.only);
        return 2;
    }
    int answer = run_cases(program, only);
    fclose(only);
    return answer;
}

static bool open_server(struct program *program, struct err *err) {
    unsigned version[3];
    if (program->options.server == NULL)
        return true;
    program->has_server = true;
    if (!server_open(&program->server, program->options.server, program->options.finds_blockers,
                     err))
        return false;
    live_version(program->server.live, version);
    bool is_postgresql = live_kind(program->server.live) == LIVE_POSTGRESQL;
    for (size_t i = 0; i < program->options.policy_count; i++)
        program->policies[i].config.version =
            is_postgresql ? version[0] * 10000 + version[1]
                          : version[0] * 10000 + version[1] * 100 + version[2];
    if (program->job == 0)
        printf("%s\n", live_server(program->server.live));
    fflush(stdout);
    return true;
}

static bool set_version(struct program *program, const char *text) {
    struct err err;
    for (size_t i = 0; i < program->options.policy_count; i++) {
        struct db_config *config = &program->policies[i].config;
        if (!version_parse(config->engine, str_from_c(text), &config->version, &err)) {
            fprintf(stderr, "differential: %s\n", err.message);
            return false;
        }
    }
    return true;
}

static int run_job(void *context, unsigned job) {
    struct program *program = context;
    struct err err;
    int answer = 2;
    program->job = job;
    signal(SIGINT, on_signal);
    signal(SIGTERM, on_signal);
    signal(SIGABRT, on_abort);
    if (open_server(program, &err))
        answer = run_chosen_cases(program);
    else
        fail(&err, NULL);
    if (program->has_server && !server_close(&program->server, &err)) {
        fail(&err, NULL);
        answer = 2;
    }
    if (program->has_world) {
        builtin_close(&program->builtin);
        world_release(&program->world);
    }
    return answer;
}

int main(int argc, char **argv) {
    static struct program program;
    if (!options_read(&program.options, argc, argv))
        return 2;
    for (size_t i = 0; i < program.options.policy_count; i++)
        program.policies[i] = *program.options.policies[i];
    if (program.options.version != NULL && !set_version(&program, program.options.version))
        return 2;
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ); /* jobs write to one place */
    program.tallies = jobs_memory(program.options.jobs * sizeof(struct tally));
    double start = now_seconds();
    int answer = jobs_run(program.options.jobs, run_job, &program);
    print_counts(&program, now_seconds() - start);
    return answer;
}
