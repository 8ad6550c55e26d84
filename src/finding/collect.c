#include "finding/collect.h"

#include "base/assert.h"

enum { CELL_STEPS_MAX = 40000 };

bool same_place(struct txn_span a, struct txn_span b) {
    return a.start.line == b.start.line && a.start.column == b.start.column &&
           str_equal(a.path, b.path);
}

struct str place_key(struct arena *arena, struct txn_span span) {
    return str_printf(arena, "%.*s:%u:%u", STR_ARG(span.path), span.start.line, span.start.column);
}

static bool writes_back(enum rule rule) {
    return rule == RULE_STALE_SAVE || rule == RULE_ALIASED_OBJECTS;
}

struct finding *finding_at(const struct findings *findings, struct txn_span span, enum rule rule) {
    for (size_t i = 0; i < findings->items.count; i++)
        if (same_place(findings->items.items[i].span, span) &&
            writes_back(findings->items.items[i].rule) == writes_back(rule))
            return &findings->items.items[i];
    return NULL;
}

bool rule_is_wanted(const struct find_options *options, enum rule rule) {
    return options->rules == 0 || (options->rules & 1u << rule) != 0;
}

static struct str column_list(struct arena *arena, const struct finding *finding) {
    enum { COLUMNS_NAMED_MAX = 4 };
    struct str text = {0};
    size_t count = finding->columns.count;
    size_t named = count > COLUMNS_NAMED_MAX + 1 ? COLUMNS_NAMED_MAX : count;
    for (size_t i = 0; i < named; i++)
        text = str_printf(arena, "%.*s%s%.*s", STR_ARG(text), i > 0 ? ", " : "",
                          STR_ARG(finding->columns.items[i]));
    if (named < count)
        text = str_printf(arena, "%.*s and %zu more columns", STR_ARG(text), count - named);
    return text.len > 0 ? text : STR("its row");
}

struct str finding_message(struct arena *arena, const struct finding *f) {
    struct str columns = column_list(arena, f);
    struct str by = f->other.symbol;
    if (f->rule == RULE_STALE_SAVE && f->other.span.start.line > 0)
        by = str_printf(arena, "%.*s (%.*s%s%.*s:%u)", STR_ARG(by), STR_ARG(f->other.root),
                        f->other.root.len > 0 ? ", " : "", STR_ARG(f->other.span.path),
                        f->other.span.start.line);
    switch (f->rule) {
    case RULE_ALIASED_OBJECTS:
        return str_printf(arena, "writes back the old %.*s of %.*s: another object of the same row "
                          "was saved since this one was loaded", STR_ARG(columns),
                          STR_ARG(f->table));
    case RULE_STALE_SAVE:
        return str_printf(arena, "save() writes back the old %.*s of %.*s, which it did not change, over "
                          "what %.*s wrote meanwhile", STR_ARG(columns), STR_ARG(f->table),
                          STR_ARG(by));
    case RULE_READ_MODIFY_WRITE:
        return str_printf(arena, "%.*s of %.*s is computed from a value that %.*s may have changed "
                          "since it was read: one of the two changes is lost", STR_ARG(columns),
                          STR_ARG(f->table), STR_ARG(by));
    case RULE_CHECK_THEN_ACT:
        return str_printf(arena, "acts on a check that %.*s may have made untrue since: both pass "
                          "it, both act", STR_ARG(by));
    case RULE_STALE_AGGREGATE:
        return str_printf(arena, "what is written to %.*s rests on rows that %.*s may have added to or "
                          "changed since they were read", STR_ARG(f->table), STR_ARG(by));
    case RULE_LATE_LOCK:
        return str_printf(arena, "the lock comes too late: what was read is older than the lock, and %.*s "
                          "may have changed it", STR_ARG(by));
    case RULE_DUPLICATE_CREATE:
        return str_printf(arena, "looked up, not found, created: %.*s may create the same row of %.*s "
                          "in between", STR_ARG(by), STR_ARG(f->table));
    case RULE_NEVER_SAVED:
        return str_printf(arena, "%.*s of %.*s is assigned, and the object is dropped without save()",
                          STR_ARG(columns), STR_ARG(f->table));
    case RULE_EFFECT_BEFORE_COMMIT:
        return str_printf(arena, "this happens before the transaction is sure to commit; if it fails, it "
                          "has happened all the same");
    case RULE_EARLY_UNLOCK:
        return str_printf(arena, "the lock is let go before COMMIT: %.*s takes it and still reads "
                          "the old rows", STR_ARG(by));
    case RULE_LOCK_WITHOUT_TRANSACTION:
        return str_printf(arena, "a row lock outside a transaction protects nothing (Django raises "
                          "TransactionManagementError)");
    case RULE_F_TWICE:
        return str_printf(arena, "the F() expression in %.*s is still on the object: this save() "
                          "applies it again", STR_ARG(columns));
    case RULE_RESURRECTED_ROW:
        return str_printf(arena, "save() inserts again the row of %.*s that %.*s has deleted",
                          STR_ARG(f->table), STR_ARG(by));
    case RULE_COUNT:
        break;
    }
    LW_UNREACHABLE();
}

static enum finding_scope scope_of(const struct culprit *culprit) {
    if (culprit->read_transaction == 0 && culprit->write_transaction == 0)
        return SCOPE_AUTOCOMMIT;
    return culprit->read_transaction == culprit->write_transaction ? SCOPE_TRANSACTION
                                                                   : SCOPE_MIXED;
}

/* The finding's table: the run judged on every engine and level. Most lose it in the schedule at hand already. */
static void fill_cells(struct collector *c, const struct judged_run *run,
                       const struct schedule *schedule, struct finding *finding) {
    struct judge_options options = {
        .any_witness = true, .hint = schedule, .steps_max = CELL_STEPS_MAX,
        .room = &c->room};
    judge_table(&run->setup, &c->options->policies, POLICIES_ALL, &options, finding->cells);
    for (int i = 0; i < POLICY_COUNT; i++)
        c->stats->limit_count += finding->cells[i].verdict == VERDICT_LIMIT;
    finding->has_cells = true;
}

static const char *session_text(struct collector *c, const struct judged_run *run, size_t i) {
    const struct world_session *session = &run->setup.sessions[i];
    struct buf text = {0};
    buf_printf(&text, "%.*s(", STR_ARG(run->symbols[i]));
    for (size_t k = 0; k < session->program->param_count; k++) {
        const struct txn_var *var = &session->program->vars.items[k];
        struct str name = var->source_name.len > 0 ? var->source_name : var->name;
        buf_printf(&text, "%s%.*s=", k > 0 ? ", " : "", STR_ARG(name));
        value_print(c->pool, session->args[k], &text);
    }
    buf_add_char(&text, ')');
    const char *copy = str_to_c(c->arena, buf_str(&text));
    buf_release(&text);
    return copy;
}

static struct str symbol_at(const struct collector *c, struct txn_span span, struct str program) {
    if (c->options->symbol_of == NULL)
        return program;
    return c->options->symbol_of(c->options->symbol_context, span, program);
}

static void fill_culprit(struct collector *c, const struct judged_run *run,
                         const struct culprit *culprit, struct finding *finding) {
    finding->rule = culprit->rule;
    finding->span = culprit->span;
    finding->symbol = symbol_at(c, culprit->span, run->symbols[culprit->session]);
    finding->scope = scope_of(culprit);
    if (culprit->table < c->schema->tables.count) {
        const struct table *table = c->schema->tables.items[culprit->table];
        finding->table = table->name;
        for (size_t i = 0; i < culprit->columns.count; i++)
            VEC_PUSH(c->arena, &finding->columns,
                     table->columns.items[culprit->columns.items[i]].name);
    }
    for (size_t i = 0; i < culprit->reads.count; i++)
        VEC_PUSH(c->arena, &finding->reads, culprit->reads.items[i]);
    finding->other = (struct finding_other){
        symbol_at(c, culprit->other_span, run->symbols[culprit->other]), run->roots[culprit->other],
        culprit->other_span};
    finding->entry = run->symbols[culprit->session];
    finding->root = run->roots[culprit->session];
}

/* What must hold for both sessions to be run as they are. */
static struct str assumption_of(struct collector *c, const struct judged_run *run,
                                const struct culprit *culprit) {
    struct str own = run->assumptions[culprit->session], other = {0};
    if (run->setup.session_count > 1 && culprit->other < run->setup.session_count)
        other = run->assumptions[culprit->other];
    if (own.len == 0 || other.len == 0 || str_equal(own, other))
        return own.len > 0 ? own : other;
    return str_printf(c->arena, "%.*s, and %.*s", STR_ARG(own), STR_ARG(other));
}

void add_finding(struct collector *c, const struct judged_run *run, const struct culprit *culprit,
                 const struct schedule *schedule, const struct db_config *config) {
    struct finding *old = finding_at(c->findings, culprit->span, culprit->rule);
    struct str assumption = assumption_of(c, run, culprit);
    bool is_better = old == NULL || (old->assumption.len > 0 && assumption.len == 0);
    if (!rule_is_wanted(c->options, culprit->rule) || !is_better)
        return;
    struct finding finding = {.witness_config = *config,
                              .session_count = run->setup.session_count,
                              .assumption = assumption};
    struct err err;
    finding.has_witness =
        witness_make(c->arena, &run->setup, config, schedule, &finding.witness, &err);
    fill_culprit(c, run, culprit, &finding);
    if (!c->options->no_details)
        fill_cells(c, run, schedule, &finding);
    for (size_t i = 0; i < run->setup.session_count; i++)
        finding.session_symbols[i] = session_text(c, run, i);
    if (!c->options->no_details &&
        !judge_serial_texts(c->arena, &run->setup, config, &finding.serial, &err))
        finding.serial.ends.count = 0;
    struct fix_options fix_options = {
        .config = config, .policies = c->options->policies, .room = &c->room};
    if (!c->options->no_fixes && !c->options->no_details) {
        struct arena scratch = {0};
        if (!fix_try_all(c->arena, &scratch, &run->setup, culprit, &fix_options, &finding.fixes,
                         &err))
            finding.fixes.items.count = 0;
        arena_release(&scratch);
    }
    finding.message = finding_message(c->arena, &finding);
    if (c->options->on_finding != NULL && finding.has_witness)
        c->options->on_finding(c->options->finding_context, &finding, &run->setup, schedule);
    if (old != NULL)
        *old = finding;
    else
        VEC_PUSH(c->arena, &c->findings->items, finding);
}

struct finding *add_plain_finding(struct collector *c, enum rule rule, struct txn_span span,
                                  const struct subject *subject, struct str table,
                                  struct str column) {
    if (!rule_is_wanted(c->options, rule) || finding_at(c->findings, span, rule) != NULL)
        return NULL;
    struct finding finding = {.rule = rule, .span = span, .table = table,
                              .symbol = symbol_at(c, span, subject->symbol),
                              .entry = subject->symbol,
                              .root = subject->root,
                              .assumption = subject->assumption};
    if (column.len > 0)
        VEC_PUSH(c->arena, &finding.columns, column);
    finding.message = finding_message(c->arena, &finding);
    VEC_PUSH(c->arena, &c->findings->items, finding);
    return &c->findings->items.items[c->findings->items.count - 1];
}

bool find_in_run(struct arena *arena, const struct run_setup *setup, const struct str *symbols,
                 const struct find_options *options, const struct judge_options *judge,
                 struct cell_verdict cells[POLICY_COUNT], struct findings *findings,
                 struct err *err) {
    struct find_stats stats = {0};
    struct collector c = {.arena = arena, .schema = setup->schema, .pool = setup->pool,
                          .options = options, .findings = findings, .stats = &stats};
    struct judged_run run = {.setup = *setup};
    memcpy(run.symbols, symbols, setup->session_count * sizeof(*symbols));
    judge_table(setup, &options->policies, POLICIES_ALL, judge, cells);
    for (size_t i = 0; i < options->config_count; i++) {
        struct arena scratch = {0};
        struct cell_verdict cell;
        struct judge_options plain = {.steps_max = judge->steps_max};
        struct witness witness;
        if (!judge_cell(&scratch, setup, &options->configs[i], &plain, &cell, err) ||
            (cell.verdict == VERDICT_LOST &&
             !witness_make(arena, setup, &options->configs[i], &cell.witness, &witness, err))) {
            arena_release(&scratch);
            search_room_release(&c.room);
            return false;
        }
        if (cell.verdict == VERDICT_LOST) {
            for (size_t k = 0; k < witness.culprits.count; k++)
                add_finding(&c, &run, &witness.culprits.items[k], &cell.witness,
                            &options->configs[i]);
        }
        arena_release(&scratch);
    }
    search_room_release(&c.room);
    findings_set_ids(arena, findings);
    return true;
}
