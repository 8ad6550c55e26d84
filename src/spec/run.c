/* The rules of when a step is reported, which are the isolation tester's: a step is sent as soon as its session is
 * free. It is `<waiting ...>` when it waits for another session or something named in its permutation holds it
 * back, and `<... completed>` later; those that wait are looked at after each step, in the order in which they
 * began to wait. */
#include "spec/run.h"

#include "base/assert.h"
#include "spec/print.h"

#include <stdlib.h>

static const struct pos nowhere = {0, 0};

enum { SESSIONS_MAX = 8 };

struct busy {
    const struct spec_turn *turn; /* NULL: the session is free */
    size_t *notices_wanted;       /* for each blocker: what the other session's count must reach */
};

struct runner {
    const struct spec *spec;
    struct spec_server *server;
    struct arena arena; /* of one permutation */
    struct buf out;
    struct busy busy[SESSIONS_MAX];
    struct buf told[SESSIONS_MAX];     /* notices that came in, to be printed when the session is looked at */
    size_t told_count[SESSIONS_MAX];
    size_t notices[SESSIONS_MAX];      /* printed */
    size_t waiting[SESSIONS_MAX], waiting_count; /* sessions, in the order in which they began to wait */
    bool has_new_notice;
    struct err *err;
};

static void on_notice(void *context, size_t session, struct str severity, struct str message) {
    struct runner *run = context;
    if (session == SPEC_CONTROL)
        return;
    buf_printf(&run->told[session], "%.*s: %.*s:  %.*s\n",
               STR_ARG(run->spec->sessions.items[session].name), STR_ARG(severity),
               STR_ARG(message));
    run->told_count[session]++;
}

static void print_notices(struct runner *run, size_t session) {
    buf_add(&run->out, buf_str(&run->told[session]));
    buf_clear(&run->told[session]);
    run->notices[session] += run->told_count[session];
    run->has_new_notice |= run->told_count[session] > 0;
    run->told_count[session] = 0;
}

static const struct spec_step *step_of(const struct runner *run, const struct spec_turn *turn) {
    return &run->spec->steps.items[turn->step];
}

/* Blockers. */

static bool is_held_back(const struct runner *run, size_t session) {
    const struct busy *busy = &run->busy[session];
    for (size_t i = 0; i < busy->turn->blockers.count; i++) {
        const struct spec_blocker *blocker = &busy->turn->blockers.items[i];
        if (blocker->kind == SPEC_BLOCKER_ONCE)
            continue;
        size_t other = run->spec->steps.items[blocker->step].session;
        const struct spec_turn *active = run->busy[other].turn;
        if (blocker->kind == SPEC_BLOCKER_STEP && active != NULL && active->step == blocker->step)
            return true;
        if (blocker->kind == SPEC_BLOCKER_NOTICES && run->notices[other] < busy->notices_wanted[i])
            return true;
    }
    return false;
}

static bool is_held_once(const struct spec_turn *turn) {
    for (size_t i = 0; i < turn->blockers.count; i++)
        if (turn->blockers.items[i].kind == SPEC_BLOCKER_ONCE)
            return true;
    return false;
}

static void take_turn(struct runner *run, size_t session, const struct spec_turn *turn) {
    struct busy *busy = &run->busy[session];
    size_t count = turn->blockers.count;
    *busy = (struct busy){.turn = turn, .notices_wanted = ARENA_ARRAY(&run->arena, size_t, count)};
    for (size_t i = 0; i < count; i++) {
        const struct spec_blocker *blocker = &turn->blockers.items[i];
        if (blocker->kind == SPEC_BLOCKER_NOTICES)
            busy->notices_wanted[i] =
                blocker->notices + run->notices[run->spec->steps.items[blocker->step].session];
    }
}

/* Reports. */

static void report_step(struct runner *run, const struct spec_turn *turn, const char *end) {
    const struct spec_step *step = step_of(run, turn);
    buf_printf(&run->out, "step %.*s: %.*s%s\n", STR_ARG(step->name), STR_ARG(step->block.sql),
               end);
}

static void print_answer(struct runner *run, const struct spec_answer *answer) {
    for (size_t i = 0; i < answer->parts.count; i++) {
        const struct spec_part *part = &answer->parts.items[i];
        if (part->is_error)
            buf_printf(&run->out, "%.*s:  %.*s\n", STR_ARG(part->severity),
                       STR_ARG(part->message));
        else
            spec_print_table(&run->arena, &part->table, &run->out);
    }
}

static void complete(struct runner *run, size_t session, bool is_retry) {
    const struct spec_turn *turn = run->busy[session].turn;
    if (is_retry)
        buf_printf(&run->out, "step %.*s: <... completed>\n", STR_ARG(step_of(run, turn)->name));
    else
        report_step(run, turn, "");
    print_answer(run, run->server->answer(run->server, session));
    run->busy[session].turn = NULL;
}

/* Reports the session's step if it is done and nothing holds it back, else on the first try that it waits.
 * `waits`: where the statement is not done, stay until it is. */
static bool try_step(struct runner *run, size_t session, bool is_retry, bool waits,
                     bool *is_complete) {
    const struct spec_turn *turn = run->busy[session].turn;
    bool is_open = !is_retry && is_held_once(turn);
    *is_complete = false;
    if (!is_open)
        print_notices(run, session);
    if (!is_open && run->server->answer(run->server, session) == NULL) {
        unsigned seconds = 0;
        is_open = !waits;
        if (waits && !run->server->wait(run->server, session, &seconds, run->err))
            return false;
        if (waits)
            print_notices(run, session);
        if (seconds > 0)
            buf_printf(&run->out, "isolationtester: canceling step %.*s after %u seconds\n",
                       STR_ARG(step_of(run, turn)->name), seconds);
    }
    if (is_open || is_held_back(run, session)) {
        if (!is_retry)
            report_step(run, turn, " <waiting ...>");
        return true;
    }
    complete(run, session, is_retry);
    *is_complete = true;
    return true;
}

static void stop_waiting(struct runner *run, size_t index) {
    run->waiting_count--;
    memmove(&run->waiting[index], &run->waiting[index + 1],
            (run->waiting_count - index) * sizeof(run->waiting[0]));
}

/* Tries all that wait, over again while something that is held back may have been let go. */
static bool try_waiting(struct runner *run, bool waits) {
    bool goes_on;
    do {
        size_t before = run->waiting_count;
        bool has_blocker = false;
        run->has_new_notice = false;
        for (size_t i = 0; i < run->waiting_count;) {
            size_t session = run->waiting[i];
            const struct spec_turn *turn = run->busy[session].turn;
            bool is_complete;
            if (!try_step(run, session, true, waits, &is_complete))
                return false;
            if (is_complete) {
                stop_waiting(run, i);
                continue;
            }
            has_blocker |= turn->blockers.count > 0;
            i++;
        }
        goes_on = has_blocker && (run->waiting_count < before || run->has_new_notice);
    } while (goes_on);
    return true;
}

/* Nothing has changed, and the session's step is still held back. */
static bool idle(struct runner *run, size_t session, uint64_t *idle_us) {
    if (run->server->idle == NULL)
        return err_set(run->err, nowhere, "step %.*s can't complete: what holds it back waits too",
                       STR_ARG(step_of(run, run->busy[session].turn)->name));
    return run->server->idle(run->server, idle_us, run->err);
}

/* Until the session is free for its next step. */
static bool free_session(struct runner *run, size_t session) {
    uint64_t idle_us = 0;
    while (run->busy[session].turn != NULL) {
        size_t before = run->waiting_count, index = 0;
        bool is_complete;
        if (!try_step(run, session, true, true, &is_complete))
            return false;
        while (is_complete && run->waiting[index] != session)
            index++;
        if (is_complete)
            stop_waiting(run, index);
        run->has_new_notice = false;
        if (!try_waiting(run, false))
            return false;
        if (run->busy[session].turn != NULL && run->waiting_count == before &&
            !run->has_new_notice && !idle(run, session, &idle_us))
            return false;
    }
    return true;
}

static bool run_turn(struct runner *run, const struct spec_turn *turn) {
    size_t session = step_of(run, turn)->session;
    bool is_complete;
    if (!free_session(run, session))
        return false;
    if (!run->server->send(run->server, session, &step_of(run, turn)->block, run->err))
        return false;
    take_turn(run, session, turn);
    if (!try_step(run, session, false, false, &is_complete) || !try_waiting(run, false))
        return false;
    if (!is_complete) {
        LW_ASSERT(run->waiting_count < SESSIONS_MAX);
        run->waiting[run->waiting_count++] = session;
    }
    return true;
}

/* Setup and teardown: of their answers only the last is printed, if it has rows. */
static bool run_block(struct runner *run, size_t session, const struct spec_block *block,
                      const char *what, bool must_succeed) {
    struct spec_answer answer = {0};
    if (!block->is_there)
        return true;
    if (!run->server->run(run->server, session, block, &answer, run->err))
        return false;
    if (session != SPEC_CONTROL)
        print_notices(run, session);
    const struct spec_part *last =
        answer.parts.count == 0 ? NULL : &answer.parts.items[answer.parts.count - 1];
    if (last != NULL && last->is_error && must_succeed)
        return err_set(run->err, block->pos, "%s failed: %.*s", what, STR_ARG(last->message));
    if (last != NULL && last->is_error)
        buf_printf(&run->out, "%s failed: %.*s:  %.*s\n", what, STR_ARG(last->severity),
                   STR_ARG(last->message));
    else if (last != NULL && !answer.ends_without_rows)
        spec_print_table(&run->arena, &last->table, &run->out);
    return true;
}

static bool run_setups(struct runner *run) {
    const struct spec *spec = run->spec;
    for (size_t i = 0; i < spec->setups.count; i++)
        if (!run_block(run, SPEC_CONTROL, &spec->setups.items[i], "setup", true))
            return false;
    for (size_t i = 0; i < spec->sessions.count; i++)
        if (!run_block(run, i, &spec->sessions.items[i].setup, "setup of a session", true))
            return false;
    return true;
}

static bool run_teardowns(struct runner *run) {
    const struct spec *spec = run->spec;
    for (size_t i = 0; i < spec->sessions.count; i++) {
        struct str what = str_printf(&run->arena, "teardown of session %.*s",
                                     STR_ARG(spec->sessions.items[i].name));
        if (!run_block(run, i, &spec->sessions.items[i].teardown, what.ptr, false))
            return false;
    }
    return run_block(run, SPEC_CONTROL, &spec->teardown, "teardown", false);
}

static bool run_turns(struct runner *run, const struct spec_turn *const *turns, size_t count) {
    memset(run->busy, 0, sizeof(run->busy));
    memset(run->notices, 0, sizeof(run->notices));
    memset(run->told_count, 0, sizeof(run->told_count));
    for (size_t i = 0; i < SESSIONS_MAX; i++)
        buf_clear(&run->told[i]);
    run->waiting_count = 0;
    if (!run->server->begin(run->server, run->err) || !run_setups(run))
        return false;
    for (size_t i = 0; i < count; i++)
        if (!run_turn(run, turns[i]))
            return false;
    if (!try_waiting(run, true))
        return false;
    if (run->waiting_count > 0)
        return err_set(run->err, nowhere, "the steps that are left hold each other back");
    return run_teardowns(run);
}

struct all {
    struct runner *run;
    const struct spec_run_options *options;
    struct spec_counts *counts;
    struct spec_turn *turns; /* one for each step */
    const struct spec_turn **order;
    size_t *taken; /* of each session */
};

static bool run_permutation(struct all *all, const struct spec_turn *const *turns, size_t count) {
    struct runner *run = all->run;
    arena_reset(&run->arena);
    buf_add_c(&run->out, "\nstarting permutation:");
    for (size_t i = 0; i < count; i++)
        buf_printf(&run->out, " %.*s", STR_ARG(turns[i]->name));
    buf_add_char(&run->out, '\n');
    size_t start = run->out.len;
    run->server->is_not_modelled = false;
    bool ok = run_turns(run, turns, count);
    all->counts->permutations++;
    if (!ok && run->server->is_not_modelled) {
        run->out.len = start;
        all->counts->not_modelled++;
        buf_printf(&run->out, "not run: %u:%u: %s\n", run->err->pos.line, run->err->pos.column,
                   run->err->message);
        ok = true;
    }
    all->options->write(all->options->context, buf_str(&run->out));
    buf_clear(&run->out);
    return ok;
}

/* All orders of the sessions' steps, the first session first. As deep as there are steps. */
static bool run_from(struct all *all, size_t depth) {
    const struct spec *spec = all->run->spec;
    if (depth == spec->steps.count)
        return run_permutation(all, all->order, depth);
    for (size_t s = 0; s < spec->sessions.count; s++) {
        const struct spec_session *session = &spec->sessions.items[s];
        if (all->taken[s] == session->steps.count)
            continue;
        all->order[depth] = &all->turns[session->steps.items[all->taken[s]]];
        all->taken[s]++;
        if (!run_from(all, depth + 1))
            return false;
        all->taken[s]--;
    }
    return true;
}

static bool run_all(struct arena *arena, struct all *all) {
    const struct spec *spec = all->run->spec;
    all->turns = ARENA_ARRAY(arena, struct spec_turn, spec->steps.count);
    all->order = ARENA_ARRAY(arena, const struct spec_turn *, spec->steps.count);
    all->taken = ARENA_ARRAY(arena, size_t, spec->sessions.count);
    for (size_t i = 0; i < spec->steps.count; i++)
        all->turns[i] = (struct spec_turn){.name = spec->steps.items[i].name, .step = i};
    return run_from(all, 0);
}

static bool run_named(struct arena *arena, struct all *all) {
    const struct spec *spec = all->run->spec;
    for (size_t i = 0; i < spec->permutations.count; i++) {
        const struct spec_permutation *permutation = &spec->permutations.items[i];
        size_t count = permutation->turns.count;
        const struct spec_turn **turns = ARENA_ARRAY(arena, const struct spec_turn *, count);
        for (size_t k = 0; k < count; k++)
            turns[k] = &permutation->turns.items[k];
        if (!run_permutation(all, turns, count))
            return false;
    }
    return true;
}

unsigned spec_step_seconds(void) {
    enum { TESTER_SECONDS = 360, SECONDS_MAX = 1000000 };
    const char *text = getenv("PGISOLATIONTIMEOUT");
    unsigned long seconds = text != NULL ? strtoul(text, NULL, 10) : 0;
    return seconds > 0 && seconds < SECONDS_MAX ? (unsigned)seconds : TESTER_SECONDS;
}

size_t spec_permutation_count(const struct spec *spec) {
    size_t count = 1, placed = 0;
    if (spec->permutations.count > 0)
        return spec->permutations.count;
    for (size_t s = 0; s < spec->sessions.count; s++)
        for (size_t k = 1; k <= spec->sessions.items[s].steps.count; k++) {
            placed++;
            if (count > SIZE_MAX / placed)
                return SIZE_MAX;
            count = count * placed / k; /* a binomial coefficient at each step: divides evenly */
        }
    return count;
}

static bool is_runnable(const struct spec *spec, struct err *err) {
    if (spec->sessions.count > SESSIONS_MAX)
        return err_set(err, nowhere, "%u sessions; at most %d are possible", spec->sessions.count,
                       SESSIONS_MAX);
    if (spec_permutation_count(spec) > SPEC_PERMUTATIONS_MAX)
        return err_set(err, nowhere,
                       "its steps have more than %d orders; name those to run by `permutation`",
                       SPEC_PERMUTATIONS_MAX);
    return true;
}

static int compare_names(const void *a, const void *b) {
    return str_compare(*(const struct str *)a, *(const struct str *)b);
}

static void print_head(struct runner *run) {
    const struct spec *spec = run->spec;
    struct str *unused = ARENA_ARRAY(&run->arena, struct str, spec->steps.count);
    size_t count = 0;
    for (size_t i = 0; i < spec->steps.count && spec->permutations.count > 0; i++)
        if (!spec->steps.items[i].is_used)
            unused[count++] = spec->steps.items[i].name;
    qsort(unused, count, sizeof(unused[0]), compare_names);
    for (size_t i = 0; i < count; i++)
        buf_printf(&run->out, "unused step name: %.*s\n", STR_ARG(unused[i]));
    buf_printf(&run->out, "Parsed test spec with %u sessions\n", spec->sessions.count);
}

bool spec_run(const struct spec *spec, struct spec_server *server,
              const struct spec_run_options *options, struct spec_counts *counts, struct err *err) {
    struct runner run = {.spec = spec, .server = server, .err = err};
    struct all all = {.run = &run, .options = options, .counts = counts};
    struct arena arena = {0};
    *counts = (struct spec_counts){0};
    if (!is_runnable(spec, err))
        return false;
    server->notice = on_notice;
    server->notice_context = &run;
    print_head(&run);
    bool ok = spec->permutations.count > 0 ? run_named(&arena, &all) : run_all(&arena, &all);
    if (!ok && run.out.len > 0)
        options->write(options->context, buf_str(&run.out));
    arena_release(&arena);
    arena_release(&run.arena);
    buf_release(&run.out);
    for (size_t i = 0; i < SESSIONS_MAX; i++)
        buf_release(&run.told[i]);
    return ok;
}
