#include "cli/check_diff.h"

#include "base/assert.h"
#include "patch/patch.h"

#include <stdio.h>

/* One way to repair a finding, written out. */
struct candidate {
    struct patch patch;
    enum fix_kind kind;
};

enum state {
    PENDING,  /* the candidate at hand is to be tried */
    TRIED,    /* it is part of the patch in this round for the first time */
    ACCEPTED, /* it is part of the patch, which stood the check */
    COVERED,  /* gone by the patches of others */
    GIVEN_UP
};

struct repairing {
    const struct finding *finding;
    VEC(struct candidate) candidates;
    size_t at; /* the candidate at hand */
    enum state state;
    bool has_waited;  /* for another in its function, or one that its edits meet */
    struct str why;   /* what spoke against each of its fixes */
};

struct diffing {
    struct arena *arena;
    const struct check_options *options;
    const struct check_pass *before;
    const struct findings *all; /* of before, also those that are not reported */
    struct repairing *items;
    size_t count;
    struct patch patch; /* of all that are ACCEPTED or TRIED */
    size_t batch;       /* how many are TRIED in one round at most */
};

/* Each is a check. Most projects need two or three. */
enum { ROUNDS_MAX = 64 };

/* Candidates. */

/* The session whose program holds the finding's write; of several that run the same one, the first. */
static uint8_t session_of(const struct finding *f, const struct fix *fix) {
    for (size_t i = 0; i < f->witness.culprits.count; i++) {
        const struct culprit *culprit = &f->witness.culprits.items[i];
        if (culprit->rule != f->rule || culprit->span.start.line != f->span.start.line ||
            culprit->span.start.column != f->span.start.column)
            continue;
        uint8_t session = 0;
        while (session < culprit->session &&
               fix->programs[session] != fix->programs[culprit->session])
            session++;
        return session;
    }
    return 0;
}

static void add_reason(struct diffing *d, struct repairing *r, enum fix_kind kind, struct str why) {
    r->why = str_printf(d->arena, "%.*s%s%s: %.*s", STR_ARG(r->why), r->why.len > 0 ? "; " : "",
                        fix_kind_name(kind), STR_ARG(why));
}

static void add_candidate(struct diffing *d, struct repairing *r, const struct patch_source *source,
                          const struct repair *repair, enum fix_kind kind) {
    struct patch patch;
    struct str why;
    if (!patch_make(source, repair, &patch, &why)) {
        if (repair->reach == REPAIR_WRITE && !repair->is_wide)
            add_reason(d, r, kind, why);
        return;
    }
    for (size_t i = 0; i < r->candidates.count; i++)
        if (patch_is_same(&r->candidates.items[i].patch, &patch))
            return;
    VEC_PUSH(d->arena, &r->candidates, (struct candidate){patch, kind});
}

/* Alone, what the finding's own session does wrong; the transaction as narrow as it may be. Then more. */
static void add_candidates(struct diffing *d, struct repairing *r, const struct patch_source *source,
                           const struct fix *fix) {
    const struct finding *f = r->finding;
    struct repair repair = {.edits = fix->edits.items, .edit_count = fix->edits.count,
                            .rule = f->rule, .table = f->table, .write = f->span,
                            .session = session_of(f, fix)};
    for (int i = 0; i < 6; i++) {
        repair.reach = (enum repair_reach)(i / 2);
        repair.is_wide = i % 2 == 1;
        add_candidate(d, r, source, &repair, fix->kind);
    }
}

static void find_candidates(struct diffing *d, struct repairing *r,
                            const struct patch_source *source) {
    const struct finding *f = r->finding;
    bool has_safe = false;
    for (size_t i = 0; i < f->fixes.items.count; i++) {
        const struct fix *fix = &f->fixes.items.items[i];
        if (fix->verdict != FIX_SAFE)
            continue;
        has_safe = true;
        if (fix->edits.count > 0)
            add_candidates(d, r, source, fix);
    }
    if (f->rule == RULE_LOCK_WITHOUT_TRANSACTION) { /* needs no schedule, so no fix was explored */
        struct fix fix = {.kind = FIX_LOCK_FIRST};
        VEC_PUSH(d->arena, &fix.edits, (struct fix_edit){.kind = FIX_EDIT_ATOMIC, .span = f->span});
        add_candidates(d, r, source, &fix);
    }
    if (r->candidates.count > 0)
        return;
    r->state = GIVEN_UP;
    if (r->why.len == 0)
        r->why = has_safe ? STR("its safe fixes take more than an edit of this code")
                          : STR("no fix of it is known to be safe");
}

/* The check of the patched project. */

/* Whatever the lines: what a repair must not bring about, or leave. */
static bool is_alike(const struct finding *a, const struct finding *b) {
    return a->rule == b->rule && str_equal(a->span.path, b->span.path) &&
           str_equal(a->symbol, b->symbol) && str_equal(a->table, b->table);
}

static size_t count_alike(const struct findings *findings, const struct finding *like) {
    size_t count = 0;
    for (size_t i = 0; i < findings->items.count; i++)
        count += is_alike(&findings->items.items[i], like);
    return count;
}

static size_t count_notes(const struct django_project *project, struct str path) {
    size_t count = 0;
    for (size_t i = 0; i < project->notes.count; i++)
        count += str_equal(project->notes.items[i].span.path, path);
    return count;
}

static bool is_in_patch(const struct repairing *r) {
    return r->state == TRIED || r->state == ACCEPTED;
}

static void fail(struct diffing *d, struct repairing *r, const char *why) {
    enum fix_kind kind = r->candidates.items[r->at++].kind;
    if (r->at == r->candidates.count || r->candidates.items[r->at].kind != kind)
        add_reason(d, r, kind, str_from_c(why));
    r->state = r->at < r->candidates.count ? PENDING : GIVEN_UP;
}

static void fail_all(struct diffing *d, const char *why) {
    for (size_t i = 0; i < d->count; i++)
        if (d->items[i].state == TRIED)
            fail(d, &d->items[i], why);
}

/* What is tried in the function; if nothing is, the only one that is tried. False: it may be any of several. */
static bool fail_one(struct diffing *d, struct str symbol, const char *why) {
    struct repairing *only = NULL;
    size_t count = 0;
    for (size_t i = 0; i < d->count; i++) {
        struct repairing *r = &d->items[i];
        if (r->state != TRIED)
            continue;
        if (str_equal(r->finding->symbol, symbol)) {
            fail(d, r, why);
            return true;
        }
        only = r;
        count++;
    }
    if (count == 1)
        fail(d, only, why);
    return count == 1;
}

/* Findings that must be gone: fewer of their kind than before, by as many as were repaired. */
static bool is_still_there(struct diffing *d, const struct findings *after, bool *is_blamed) {
    bool is_there = false;
    for (size_t i = 0; i < d->count; i++) {
        struct repairing *r = &d->items[i];
        if (!is_in_patch(r))
            continue;
        size_t repaired = 0, left = count_alike(after, r->finding);
        for (size_t k = 0; k < d->count; k++)
            repaired += is_in_patch(&d->items[k]) && is_alike(d->items[k].finding, r->finding);
        if (left + repaired <= count_alike(d->all, r->finding))
            continue;
        is_there = true;
        *is_blamed |= fail_one(d, r->finding->symbol, "with it the finding is still there");
    }
    return is_there;
}

static bool has_new_finding(struct diffing *d, const struct findings *after, bool *is_blamed) {
    bool has_new = false;
    for (size_t i = 0; i < after->items.count; i++) {
        const struct finding *f = &after->items.items[i];
        if (count_alike(after, f) <= count_alike(d->all, f))
            continue;
        char why[80];
        snprintf(why, sizeof(why), "with it there is another finding, %s", rule_code(f->rule));
        *is_blamed |= fail_one(d, f->symbol, why);
        has_new = true;
    }
    return has_new;
}

/* What is not modelled has no findings: nothing may become so. */
static bool has_new_notes(struct diffing *d, const struct check_pass *after, bool *is_blamed) {
    for (size_t i = 0; i < d->patch.edits.count; i++) {
        struct str path = d->patch.edits.items[i].module->path;
        if (count_notes(after->project, path) <= count_notes(d->before->project, path))
            continue;
        *is_blamed |= fail_one(d, STR(""), "what it writes is not modelled");
        return true;
    }
    return false;
}

static void find_covered(struct diffing *d, const struct findings *after) {
    for (size_t i = 0; i < d->count; i++) {
        struct repairing *r = &d->items[i];
        size_t left = count_alike(after, r->finding);
        if (r->state == PENDING && r->has_waited && left == 0)
            r->state = COVERED;
        else if (r->state == COVERED && left > 0)
            r->state = PENDING;
    }
}

/* All that was tried is accepted; or what is to blame fails, and the rest is tried again, if nothing is to blame in smaller
 * numbers. */
static void settle_round(struct diffing *d, bool is_ok, bool is_blamed) {
    size_t tried = 0;
    for (size_t i = 0; i < d->count; i++) {
        if (d->items[i].state != TRIED)
            continue;
        d->items[i].state = is_ok ? ACCEPTED : PENDING;
        tried++;
    }
    if (is_ok)
        d->batch *= 2;
    else if (!is_blamed)
        d->batch = tried > 1 ? tried / 2 : 1;
}

/* Checks the patched project, and settles the round. */
static void verify(struct diffing *d) {
    struct arena arena = {0};
    struct map texts;
    struct check_pass after;
    struct err err;
    map_init(&texts, &arena);
    for (size_t i = 0; i < d->patch.edits.count; i++) {
        const struct module *module = d->patch.edits.items[i].module;
        if (map_has(&texts, module->path))
            continue;
        struct str *text = ARENA_NEW(&arena, struct str);
        *text = patch_apply(&arena, &d->patch, module);
        map_put(&texts, module->path, text);
    }
    struct check_options options = *d->options;
    options.files.texts = &texts;
    bool is_blamed = false, ok = check_pass_load(&arena, &options, &after, &err);
    if (ok) {
        check_pass_search(&arena, &options, true, &after);
        ok = !is_still_there(d, &after.findings, &is_blamed) &&
             !has_new_notes(d, &after, &is_blamed) &&
             !has_new_finding(d, &after.findings, &is_blamed);
    } else {
        fail_all(d, err.message);
    }
    settle_round(d, ok, is_blamed);
    if (ok)
        find_covered(d, &after.findings);
    arena_release(&arena);
}

/* Whether another finding of the function is tried in this round: it may repair this one too. */
static bool must_wait(const struct diffing *d, const struct repairing *r, const bool *is_new) {
    for (size_t i = 0; i < d->count; i++)
        if (is_new[i] && str_equal(d->items[i].finding->symbol, r->finding->symbol))
            return true;
    return false;
}

/* Puts together what stood so far and what is to be tried. False if nothing is new. */
static bool join(struct diffing *d) {
    size_t new_count = 0;
    bool *is_new = ARENA_ARRAY(d->arena, bool, d->count);
    d->patch = (struct patch){.arena = d->arena};
    for (size_t i = 0; i < d->count; i++)
        if (d->items[i].state == ACCEPTED)
            patch_join(&d->patch, &d->items[i].candidates.items[d->items[i].at].patch);
    for (size_t i = 0; i < d->count && new_count < d->batch; i++) {
        struct repairing *r = &d->items[i];
        if (r->state != PENDING)
            continue;
        r->has_waited = must_wait(d, r, is_new) ||
                        !patch_join(&d->patch, &r->candidates.items[r->at].patch);
        if (r->has_waited)
            continue;
        r->state = TRIED;
        is_new[i] = true;
        new_count++;
    }
    return new_count > 0;
}

static void settle(struct diffing *d) {
    d->batch = d->count;
    for (int round = 0; round < ROUNDS_MAX && join(d); round++)
        verify(d);
    d->batch = 0;
    join(d);
}

/* The answer. */

static void put_diff(const struct diffing *d, struct buf *out) {
    const struct module *last = NULL;
    struct report paths = {.root = current_folder(d->arena)};
    for (size_t i = 0; i < d->patch.edits.count; i++) {
        const struct module *module = d->patch.edits.items[i].module;
        if (module != last)
            patch_diff(report_path(&paths, module->path), module->py->text,
                       patch_apply(d->arena, &d->patch, module), out);
        last = module;
    }
}

static void put_rest(const struct diffing *d) {
    size_t repaired = 0;
    for (size_t i = 0; i < d->count; i++) {
        const struct repairing *r = &d->items[i];
        if (r->state == ACCEPTED || r->state == COVERED) {
            repaired++;
            continue;
        }
        struct str why = r->state == PENDING
                             ? STR("it waits for another finding: apply this patch, then check again")
                             : r->why;
        fprintf(stderr, "%.*s:%u:%u: %s not repaired: %.*s\n", STR_ARG(r->finding->span.path),
                r->finding->span.start.line, r->finding->span.start.column,
                rule_code(r->finding->rule), STR_ARG(why));
    }
    fprintf(stderr, "%zu of %zu finding%s repaired by this patch.\n", repaired, d->count,
            d->count == 1 ? "" : "s");
}

enum cli_exit check_diff(const struct check_options *options, const struct check_pass *pass,
                         const struct findings *all) {
    struct arena *arena = options->arena;
    struct diffing d = {.arena = arena, .options = options, .before = pass, .all = all,
                        .count = pass->findings.items.count,
                        .items = ARENA_ARRAY(arena, struct repairing, pass->findings.items.count)};
    const struct txn_program **programs =
        ARENA_ARRAY(arena, const struct txn_program *, pass->subject_count);
    for (size_t i = 0; i < pass->subject_count; i++)
        programs[i] = pass->subjects[i].program;
    struct patch_source source = {arena, pass->project->facts, programs, pass->subject_count};
    for (size_t i = 0; i < d.count; i++) {
        d.items[i].finding = &pass->findings.items.items[i];
        find_candidates(&d, &d.items[i], &source);
    }
    settle(&d);
    struct buf out = {0};
    put_diff(&d, &out);
    put_rest(&d);
    return pipeline_print(&out, d.count == 0 || options->exit_zero ? CLI_CLEAN : CLI_FINDINGS);
}
