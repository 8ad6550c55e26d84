#include "finding/collect.h"

#include "base/assert.h"
#include "finding/times.h"

enum { CELL_STEPS_MAX = 40000 };

bool same_place(struct txn_span a, struct txn_span b) {
    return a.start.line == b.start.line && a.start.column == b.start.column &&
           str_equal(a.path, b.path);
}

struct str place_key(struct arena *arena, struct txn_span span) {
    return str_printf(arena, "%.*s:%u:%u", STR_ARG(span.path), span.start.line, span.start.column);
}

static bool writes_back(enum rule rule) {
    return rule == RULE_STALE_SAVE || rule == RULE_ALIASED_OBJECTS || rule == RULE_RESURRECTED_ROW;
}

bool is_same_finding(enum rule a, struct txn_span a_span, enum rule b, struct txn_span b_span) {
    return same_place(a_span, b_span) && writes_back(a) == writes_back(b);
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

/* A finding in the making. */
struct making {
    struct arena *arena;
    const struct find_options *options;
    const struct judged_run *run;
    const struct run_setup *setup; /* of `run`, with a pool of its own */
    const struct discovery *of;
    struct search_room room;
};

/* The finding's table: the run judged on every engine and level. Most lose it in the schedule at hand already. */
static size_t fill_cells(struct making *m, struct finding *finding) {
    struct judge_options options = {
        .any_witness = true, .hint = &m->of->schedule, .steps_max = CELL_STEPS_MAX,
        .room = &m->room};
    size_t limit_count = 0;
    judge_table(m->setup, &m->options->policies, POLICIES_ALL, &options, finding->cells);
    for (int i = 0; i < POLICY_COUNT; i++)
        limit_count += finding->cells[i].verdict == VERDICT_LIMIT;
    finding->has_cells = true;
    return limit_count;
}

static const char *session_text(struct making *m, size_t i) {
    const struct world_session *session = &m->setup->sessions[i];
    struct buf text = {0};
    buf_printf(&text, "%.*s(", STR_ARG(m->run->symbols[i]));
    for (size_t k = 0; k < session->program->param_count; k++) {
        const struct txn_var *var = &session->program->vars.items[k];
        struct str name = var->source_name.len > 0 ? var->source_name : var->name;
        buf_printf(&text, "%s%.*s=", k > 0 ? ", " : "", STR_ARG(name));
        value_print(m->setup->pool, session->args[k], &text);
    }
    buf_add_char(&text, ')');
    const char *copy = str_to_c(m->arena, buf_str(&text));
    buf_release(&text);
    return copy;
}

static struct str symbol_at(const struct find_options *options, struct txn_span span,
                            struct str program) {
    if (options->symbol_of == NULL)
        return program;
    return options->symbol_of(options->symbol_context, span, program);
}

static void fill_culprit(struct making *m, struct finding *finding) {
    const struct judged_run *run = m->run;
    const struct culprit *culprit = &m->of->culprit;
    const struct schema *schema = run->setup.schema;
    finding->rule = culprit->rule;
    finding->span = culprit->span;
    finding->symbol = symbol_at(m->options, culprit->span, run->symbols[culprit->session]);
    finding->scope = scope_of(culprit);
    if (culprit->table < schema->tables.count) {
        const struct table *table = schema->tables.items[culprit->table];
        finding->table = table->name;
        for (size_t i = 0; i < culprit->columns.count; i++)
            VEC_PUSH(m->arena, &finding->columns,
                     table->columns.items[culprit->columns.items[i]].name);
    }
    for (size_t i = 0; i < culprit->reads.count; i++)
        VEC_PUSH(m->arena, &finding->reads, culprit->reads.items[i]);
    finding->other = (struct finding_other){
        symbol_at(m->options, culprit->other_span, run->symbols[culprit->other]),
        run->roots[culprit->other], culprit->other_span};
    finding->entry = run->symbols[culprit->session];
    finding->root = run->roots[culprit->session];
}

static void fill_details(struct making *m, struct finding *finding, size_t *limit_count) {
    const struct db_config *config = &m->of->config;
    struct err err;
    *limit_count += fill_cells(m, finding);
    if (!judge_serial_texts(m->arena, m->setup, config, &finding->serial, &err))
        finding->serial.ends.count = 0;
    if (m->options->no_fixes)
        return;
    struct fix_options options = {
        .config = config, .policies = m->options->policies, .room = &m->room};
    struct arena scratch = {0};
    if (!fix_try_all(m->arena, &scratch, m->setup, &m->of->culprit, &options, &finding->fixes,
                     &err))
        finding->fixes.items.count = 0;
    arena_release(&scratch);
}

static struct str join(struct arena *arena, struct str a, struct str b) {
    if (a.len == 0 || b.len == 0 || str_equal(a, b))
        return a.len > 0 ? a : b;
    return str_printf(arena, "%.*s, and %.*s", STR_ARG(a), STR_ARG(b));
}

static bool is_form(const struct txn_step *step) {
    return step != NULL && step->is_form;
}

/* What must hold for the two sessions to meet. */
static struct str meeting(struct arena *arena, const struct judged_run *run, const struct culprit *culprit,
                          struct str table) {
    uint8_t own = culprit->session, other = culprit->other;
    bool is_one_cell = culprit->rule == RULE_STALE_SAVE || culprit->rule == RULE_READ_MODIFY_WRITE ||
                       culprit->rule == RULE_RESURRECTED_ROW;
    if (other == own || other >= run->setup.session_count)
        return (struct str){0};
    if (culprit->is_own_row && is_one_cell)
        return str_printf(arena, "another finds the row of %.*s before %.*s, which makes it, is done with it",
                          STR_ARG(table), STR_ARG(run->symbols[own]));
    /* A value computed from an old one is wrong beside any other writer. */
    if (run->is_command[own] && run->is_command[other] && culprit->rule != RULE_READ_MODIFY_WRITE)
        return STR("two such commands run at once");
    if ((run->is_command[own] || run->is_uncalled[own]) && run->is_summary[other] &&
        !run->is_editable[other])
        return str_printf(arena, "%.*s is run while somebody edits the row in the admin",
                          STR_ARG(run->symbols[own]));
    if (is_form(culprit->at) && run->is_command[other])
        return str_printf(arena, "somebody sends the form of the row while %.*s is run",
                          STR_ARG(run->symbols[other]));
    return (struct str){0};
}

/* What must hold for both sessions to be run as they are, and for anyone to mind. */
struct str discovery_assumption(struct arena *arena, const struct discovery *discovery) {
    if (discovery->plain != NULL)
        return discovery->plain->assumption;
    const struct judged_run *run = discovery->run;
    const struct culprit *culprit = &discovery->culprit;
    struct str own = run->assumptions[culprit->session], other = {0};
    if (run->setup.session_count > 1 && culprit->other < run->setup.session_count)
        other = run->assumptions[culprit->other];
    struct str both = join(arena, own, other);
    if (culprit->table < run->setup.schema->tables.count)
        both = join(arena, both, meeting(arena, run, culprit,
                                         run->setup.schema->tables.items[culprit->table]->name));
    if (culprit->rule == RULE_RESURRECTED_ROW && is_form(culprit->at))
        both = join(arena, both, STR("the row is deleted while somebody sends its form"));
    if (discovery->ends_alike)
        both = join(arena, both, STR("it matters that both were told that they did it: the rows are as "
                                     "if one had"));
    return both;
}

/* A form that writes over, or inserts again, what another form has written or deleted: the last who sent one is right. */
static bool is_between_forms(const struct judged_run *run, const struct culprit *culprit) {
    return is_form(culprit->at) && (is_form(culprit->other_at) || run->is_summary[culprit->other]);
}

bool discovery_is_nobodys(const struct discovery *discovery) {
    const struct judged_run *run = discovery->run;
    if (run == NULL)
        return false;
    const struct culprit *culprit = &discovery->culprit;
    if (is_between_forms(run, culprit))
        return true;
    if (!run->is_summary[culprit->session] ||
        (run->is_editable[culprit->session] && !run->is_summary[culprit->other]))
        return false;
    bool is_written_back = culprit->rule == RULE_STALE_SAVE || culprit->rule == RULE_RESURRECTED_ROW;
    return is_written_back ||
           same_place(culprit->span, run->setup.sessions[culprit->session].program->span);
}

void make_finding(struct arena *arena, const struct find_options *options,
                  const struct discovery *discovery, struct finding *finding, struct run_setup *run,
                  size_t *limit_count) {
    if (discovery->plain != NULL) {
        *finding = *discovery->plain;
        return;
    }
    struct text_pool *pool = ARENA_NEW(arena, struct text_pool);
    struct making m = {.arena = arena, .options = options, .run = discovery->run, .setup = run,
                       .of = discovery};
    struct err err;
    text_pool_init_over(pool, arena, discovery->run->setup.pool);
    *run = discovery->run->setup;
    run->pool = pool;
    *finding = (struct finding){.witness_config = discovery->config,
                                .pool = pool,
                                .session_count = run->session_count,
                                .assumption = discovery_assumption(arena, discovery)};
    finding->has_witness = witness_make(arena, run, &discovery->config, &discovery->schedule,
                                        &finding->witness, &err);
    fill_culprit(&m, finding);
    for (size_t i = 0; i < run->session_count; i++)
        finding->session_symbols[i] = session_text(&m, i);
    if (!options->no_details)
        fill_details(&m, finding, limit_count);
    if (finding->assumption.len == 0 && finding->has_witness &&
        is_end_but_for_times(run->schema, &finding->witness.ending, &finding->serial))
        finding->assumption = STR("it matters which time of two stays");
    finding->message = finding_message(arena, finding);
    search_room_release(&m.room);
}

struct discovery *discover(struct unit *unit, const struct judged_run *run,
                           const struct culprit *culprit, const struct schedule *schedule,
                           const struct db_config *config) {
    if (!rule_is_wanted(unit->options, culprit->rule))
        return NULL;
    struct discovery discovery = {.run = arena_copy(&unit->arena, run, sizeof(*run)),
                                  .culprit = *culprit, .schedule = *schedule, .config = *config};
    VEC_PUSH(&unit->arena, &unit->discoveries, discovery);
    return &unit->discoveries.items[unit->discoveries.count - 1];
}

void discover_plain(struct unit *unit, enum rule rule, struct txn_span span,
                    const struct subject *subject, struct str table, struct str column) {
    if (!rule_is_wanted(unit->options, rule))
        return;
    struct finding *finding = ARENA_NEW(&unit->arena, struct finding);
    *finding = (struct finding){.rule = rule, .span = span, .table = table,
                                .symbol = symbol_at(unit->options, span, subject->symbol),
                                .entry = subject->symbol,
                                .root = subject->root,
                                .assumption = subject->assumption};
    if (column.len > 0)
        VEC_PUSH(&unit->arena, &finding->columns, column);
    finding->message = finding_message(&unit->arena, finding);
    VEC_PUSH(&unit->arena, &unit->discoveries, (struct discovery){.plain = finding});
}
