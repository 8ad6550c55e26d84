#include "verdict/proof.h"

#include "base/assert.h"

struct prover {
    struct arena *scratch;
    struct run_setup setup;   /* on the built-in engine */
    struct run_setup on;      /* on the server */
    const struct proof_options *options;
    struct proof *proof;
    enum policy_id policy;    /* at hand */
    uint64_t schedule_count;
    /* The first schedules of the level at hand with an error after an effect: with a deadlock, with any error. */
    bool has_effect_schedule[2];
    enum db_error effect_error[2];
    struct schedule effect_schedule[2];
};

/* The built-in search: a witness may be wanted that shows the effect too, see choose_schedule. */
static void note_builtin(void *context, const struct schedule_end *end) {
    struct prover *p = context;
    if (!end->has_failed_effects || end->error == DB_OK_NO_ERROR)
        return;
    int slot = end->error == DB_ERROR_DEADLOCK ? 0 : 1;
    if (p->has_effect_schedule[slot])
        return;
    p->has_effect_schedule[slot] = true;
    p->effect_error[slot] = end->error;
    p->effect_schedule[slot] = *end->schedule;
}

static bool judge_builtin(struct prover *p, struct proof_cell *cell, struct err *err) {
    struct judge_options options = {.all_schedules = p->options->all_schedules,
                                    .steps_max = p->options->steps_max,
                                    .on_schedule = note_builtin, .context = p};
    p->has_effect_schedule[0] = p->has_effect_schedule[1] = false;
    return judge_cell(p->scratch, &p->setup, &cell->config, &options, &cell->builtin, err);
}

/* The schedule that shows what the cell says, if there is one. */
static void choose_witness(struct prover *p, struct proof_cell *cell) {
    cell->schedules = PROOF_WITNESS;
    cell->schedule = cell->builtin.witness;
    for (int slot = 0; cell->builtin.has_failed_effects && slot < 2; slot++)
        if (p->has_effect_schedule[slot] && p->effect_error[slot] == cell->builtin.error)
            cell->schedule = p->effect_schedule[slot];
}

/* A step of each session in turn. */
static void take_turns(const struct prover *p, struct schedule *schedule) {
    enum { TURNS_MAX = 32 };
    schedule->count = 0;
    for (size_t turn = 0; turn < TURNS_MAX; turn++)
        for (size_t i = 0; i < p->setup.session_count && schedule->count < SEARCH_DEPTH_MAX; i++)
            schedule->sessions[schedule->count++] = (uint8_t)i;
}

/* For a level whose cell has no witness: another level's, of the same engine. */
static void choose_other(struct prover *p, struct proof_cell *cell) {
    static const enum verdict wanted[] = {VERDICT_LOST, VERDICT_DEADLOCK, VERDICT_ERROR};
    cell->schedules = PROOF_OTHER;
    for (size_t w = 0; w < LW_COUNT_OF(wanted); w++) {
        for (int i = 0; i < POLICY_COUNT; i++) {
            const struct proof_cell *other = &p->proof->cells[i];
            if (!other->is_run || !other->builtin.has_witness ||
                other->builtin.verdict != wanted[w])
                continue;
            cell->other = (enum policy_id)i;
            cell->schedule = other->builtin.witness;
            return;
        }
    }
    cell->schedules = PROOF_TURNS;
    take_turns(p, &cell->schedule);
}

static void note_progress(void *context, const struct schedule_end *end) {
    struct prover *p = context;
    (void)end;
    if (p->options->on_progress != NULL)
        p->options->on_progress(p->options->context, p->policy, ++p->schedule_count);
}

static bool same_verdict(const struct cell_verdict *a, const struct cell_verdict *b) {
    return a->verdict == b->verdict && a->error == b->error &&
           a->has_failed_effects == b->has_failed_effects;
}

static bool same_counts(const struct counts *a, const struct counts *b) {
    return a->schedules == b->schedules && a->wrong == b->wrong &&
           a->serialization == b->serialization && a->deadlock == b->deadlock &&
           a->timeout == b->timeout && a->unique == b->unique && a->waits == b->waits;
}

static bool judge_on_server(struct prover *p, struct proof_cell *cell, struct err *err) {
    struct judge_options options = {.all_schedules = p->options->all_schedules,
                                    .steps_max = p->options->steps_max,
                                    .any_witness = true,
                                    .on_schedule = note_progress, .context = p};
    p->schedule_count = 0;
    if (p->options->on_progress != NULL)
        p->options->on_progress(p->options->context, p->policy, 0);
    if (!p->options->all_schedules)
        options.only = &cell->schedule;
    if (!judge_cell(p->scratch, &p->on, &cell->config, &options, &cell->server, err))
        return false;
    if (p->options->all_schedules) {
        cell->schedules = PROOF_ALL;
        cell->agrees = same_verdict(&cell->builtin, &cell->server) &&
                       same_counts(&cell->builtin.counts, &cell->server.counts);
        return true;
    }
    struct cell_verdict same;
    options.on_schedule = NULL;
    if (!judge_cell(p->scratch, &p->setup, &cell->config, &options, &same, err))
        return false;
    cell->agrees = same_verdict(&same, &cell->server);
    return true;
}

bool proof_begin(struct arena *scratch, const struct run_setup *setup,
                 const struct proof_options *options, const struct cell_verdict *known,
                 struct proof *proof, struct err *err) {
    struct prover p = {.scratch = scratch, .setup = *setup, .options = options, .proof = proof};
    *proof = (struct proof){0};
    p.setup.server = NULL;
    for (int i = 0; i < POLICY_COUNT; i++) {
        struct proof_cell *cell = &proof->cells[i];
        cell->config = policy_config(&options->versions, (enum policy_id)i);
        cell->is_run = (options->policies & 1u << i) != 0;
        if (!cell->is_run)
            continue;
        if (known != NULL && options->all_schedules)
            cell->builtin = known[i];
        else if (!judge_builtin(&p, cell, err))
            return false;
        if (cell->builtin.has_witness)
            choose_witness(&p, cell);
    }
    return true;
}

bool proof_on_server(struct arena *scratch, const struct run_setup *setup, struct server *server,
                     const struct proof_options *options, struct proof *proof, struct err *err) {
    struct prover p = {.scratch = scratch, .setup = *setup, .on = *setup, .options = options,
                       .proof = proof};
    p.setup.server = NULL;
    p.on.server = server;
    for (int i = 0; i < POLICY_COUNT; i++)
        proof->cells[i].is_run &= server_has(server, &proof->cells[i].config);
    for (int i = 0; i < POLICY_COUNT; i++) {
        struct proof_cell *cell = &proof->cells[i];
        p.policy = (enum policy_id)i;
        if (!cell->is_run)
            continue;
        if (!cell->builtin.has_witness)
            choose_other(&p, cell);
        if (!judge_on_server(&p, cell, err))
            return false;
    }
    return true;
}

uint64_t proof_differences(const struct proof *proof) {
    uint64_t count = 0;
    for (int i = 0; i < POLICY_COUNT; i++)
        count += proof->cells[i].is_run ? proof->cells[i].server.differing : 0;
    return count;
}
