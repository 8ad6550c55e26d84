/* Directives beside findings: both are in the order of the file, so each file is one merge. */
#include "triage/directive.h"

static bool suppresses(const struct triage *triage, const struct directive *d) {
    return !d->is_alone && (!triage->require_reason || (d->reason.len > 0 && !(d->is_noqa && d->is_blanket)));
}

static struct str code_list(struct arena *arena, uint32_t rules) {
    struct str text = {0};
    for (int i = 0; i < RULE_COUNT; i++)
        if ((rules >> i & 1) != 0)
            text = str_printf(arena, "%.*s%s%s", STR_ARG(text), text.len > 0 ? ", " : "",
                              rule_code((enum rule)i));
    return text;
}

static void warn_of(struct triage *triage, const struct directive *d, uint32_t rules,
                    bool has_errors) {
    if (d->is_noqa && d->is_blanket)
        return;
    uint32_t unused = d->rules & ~d->used & rules;
    if (d->is_alone) {
        triage_warn(triage, d->span, false,
                    STR("a suppression on a line of its own does nothing: it goes on the line of the write"));
    } else if (!suppresses(triage, d) && d->used != 0) {
        triage_warn(triage, d->span, false,
                    STR("a suppression without a reason does nothing here (require-reason)"));
    } else if (has_errors) {
        return; /* what could not be read may be why nothing was found */
    } else if (d->is_blanket && d->used == 0 && rules == d->rules) {
        triage_warn(triage, d->span, false, STR("unused suppression: nothing is found here"));
    } else if (!d->is_blanket && unused != 0) {
        struct str codes = code_list(triage->arena, unused);
        triage_warn(triage, d->span, false,
                    str_printf(triage->arena, "unused suppression: no %.*s is found here",
                               STR_ARG(codes)));
    }
}

/* The directives beside one statement, and the findings in it. */
static void judge_statement(struct triage *triage, struct directive *directives, size_t count,
                            struct finding *findings, size_t finding_count) {
    const struct directive *by_rule[RULE_COUNT] = {NULL};
    uint32_t found = 0;
    for (size_t i = 0; i < finding_count; i++)
        found |= 1u << findings[i].rule;
    for (size_t i = 0; i < count; i++) {
        struct directive *d = &directives[i];
        d->used = d->is_alone ? 0 : d->rules & found;
        for (int rule = 0; rule < RULE_COUNT && suppresses(triage, d); rule++)
            if ((d->rules >> rule & 1) != 0 && (by_rule[rule] == NULL || by_rule[rule]->is_blanket))
                by_rule[rule] = d;
    }
    for (size_t i = 0; i < finding_count; i++) {
        const struct directive *d = by_rule[findings[i].rule];
        if (d == NULL)
            continue;
        findings[i].suppression = (struct suppression){SUPPRESSION_COMMENT, d->span, d->reason};
    }
}

static void judge_file(struct triage *triage, struct str path, uint32_t rules,
                       struct finding *findings, size_t finding_count) {
    const struct py_module *module = triage->module(triage->context, path);
    struct directives directives = {0};
    if (module == NULL)
        return;
    directives_read(triage, path, module, &directives);
    size_t at = 0;
    for (size_t i = 0, next; i < directives.items.count; i = next) {
        struct directive *first = &directives.items.items[i];
        for (next = i + 1; next < directives.items.count &&
                           directives.items.items[next].first == first->first;)
            next++;
        while (at < finding_count && findings[at].span.start.line < first->first)
            at++;
        size_t from = at;
        while (at < finding_count && findings[at].span.start.line <= first->last)
            at++;
        judge_statement(triage, first, next - i, at > from ? &findings[from] : NULL, at - from);
    }
    for (size_t i = 0; i < directives.items.count; i++)
        warn_of(triage, &directives.items.items[i], rules, module->error_count > 0);
}

void triage_rules(struct triage *triage, struct findings *findings) {
    struct arena scratch = {0};
    struct map by_path; /* path -> its entry in path_rules */
    size_t kept = 0;
    map_init(&by_path, &scratch);
    for (size_t i = 0; i < triage->path_count; i++)
        map_put(&by_path, triage->paths[i], (void *)&triage->path_rules[i]);
    for (size_t i = 0; i < findings->items.count; i++) {
        const struct finding *finding = &findings->items.items[i];
        const uint32_t *rules = map_get(&by_path, finding->span.path);
        if (rules == NULL || (*rules >> finding->rule & 1) != 0)
            findings->items.items[kept++] = *finding;
    }
    findings->items.count = kept;
    arena_release(&scratch);
}

struct stretch {
    struct finding *first;
    size_t count;
};

void triage_comments(struct triage *triage, struct findings *findings) {
    struct arena scratch = {0};
    struct map by_path;
    static const struct stretch none = {0};
    map_init(&by_path, &scratch);
    for (size_t i = 0; i < findings->items.count; i++) {
        struct finding *finding = &findings->items.items[i];
        struct stretch *stretch = map_get(&by_path, finding->span.path);
        if (stretch == NULL) {
            stretch = ARENA_NEW(&scratch, struct stretch);
            stretch->first = finding;
            map_put(&by_path, finding->span.path, stretch);
        }
        stretch->count++;
    }
    for (size_t i = 0; i < triage->path_count; i++) {
        const struct stretch *stretch = map_get(&by_path, triage->paths[i]);
        if (stretch == NULL)
            stretch = &none;
        judge_file(triage, triage->paths[i], triage->path_rules[i], stretch->first, stretch->count);
    }
    arena_release(&scratch);
}

void triage_move(struct triage *triage, struct findings *findings) {
    size_t kept = 0;
    for (size_t i = 0; i < findings->items.count; i++) {
        struct finding *finding = &findings->items.items[i];
        if (finding->suppression.kind == SUPPRESSION_NONE)
            findings->items.items[kept++] = *finding;
        else
            VEC_PUSH(triage->arena, &findings->suppressed, *finding);
    }
    findings->items.count = kept;
}
