#include "fix/fix.h"

#include "base/assert.h"
#include "fix/rewrite.h"

#include <stdlib.h>

enum { FIX_STEPS_MAX = 3000 };

const char *fix_kind_name(enum fix_kind kind) {
    static const char *const names[] = {
#define FIX(name, kind_name, text, cost) kind_name,
#include "fix/kind.def"
#undef FIX
    };
    LW_ASSERT(kind < FIX_KIND_COUNT);
    return names[kind];
}

const char *fix_cost(enum fix_kind kind) {
    static const char *const costs[] = {
#define FIX(name, kind_name, text, cost) cost,
#include "fix/kind.def"
#undef FIX
    };
    LW_ASSERT(kind < FIX_KIND_COUNT);
    return costs[kind];
}

const char *fix_verdict_name(enum fix_verdict verdict) {
    static const char *const names[] = {[FIX_SAFE] = "safe",
                                        [FIX_LOST] = "lost",
                                        [FIX_DEADLOCK] = "deadlock",
                                        [FIX_RETRY] = "retry",
                                        [FIX_CHANGES] = "changes-behaviour",
                                        [FIX_LIMIT] = "limit"};
    return names[verdict];
}

struct trial {
    struct arena *arena, *scratch;
    const struct run_setup *setup;
    const struct culprit *culprit;
    const struct fix_options *options;
    struct fixes *fixes;
};

/* What is tried for which mistake. */
static bool fits(enum fix_kind kind, enum rule rule) {
    uint32_t rules = 0;
    switch (kind) {
    case FIX_F_EXPRESSION:
        rules = 1u << RULE_READ_MODIFY_WRITE | 1u << RULE_LATE_LOCK | 1u << RULE_EARLY_UNLOCK |
                1u << RULE_LOCK_WITHOUT_TRANSACTION;
        break;
    case FIX_UPDATE_FIELDS:
        rules = 1u << RULE_ALIASED_OBJECTS | 1u << RULE_STALE_SAVE | 1u << RULE_RESURRECTED_ROW |
                1u << RULE_F_TWICE;
        break;
    case FIX_GUARDED_UPDATE:
        rules = 1u << RULE_CHECK_THEN_ACT | 1u << RULE_READ_MODIFY_WRITE | 1u << RULE_LATE_LOCK |
                1u << RULE_EARLY_UNLOCK;
        break;
    case FIX_REUSE_OBJECT:
        rules = 1u << RULE_ALIASED_OBJECTS | 1u << RULE_F_TWICE;
        break;
    case FIX_LOCK_OUTSIDE:
        rules = 1u << RULE_LATE_LOCK | 1u << RULE_EARLY_UNLOCK;
        break;
    case FIX_UNIQUE_CONSTRAINT:
        rules = 1u << RULE_DUPLICATE_CREATE;
        break;
    case FIX_VERSION_COLUMN:
        rules = 1u << RULE_STALE_SAVE | 1u << RULE_READ_MODIFY_WRITE | 1u << RULE_CHECK_THEN_ACT |
                1u << RULE_STALE_AGGREGATE;
        break;
    case FIX_LOCK_FIRST:
    case FIX_SERIALIZABLE:
        rules = ~(1u << RULE_ALIASED_OBJECTS | 1u << RULE_NEVER_SAVED | 1u << RULE_F_TWICE);
        break;
    case FIX_KIND_COUNT:
        break;
    }
    return (rules & 1u << rule) != 0;
}

static bool rewrite(enum fix_kind kind, struct mistake *m, struct txn_program *program) {
    switch (kind) {
    case FIX_F_EXPRESSION:
        return rewrite_f_expression(m, program);
    case FIX_UPDATE_FIELDS:
        return rewrite_update_fields(m, program);
    case FIX_GUARDED_UPDATE:
        return rewrite_guarded_update(m, program);
    case FIX_REUSE_OBJECT:
        return rewrite_reuse_object(m, program);
    case FIX_LOCK_FIRST:
        return rewrite_lock_first(m, program);
    case FIX_LOCK_OUTSIDE:
        return rewrite_lock_outside(m, program);
    case FIX_VERSION_COLUMN:
        return rewrite_version_column(m, program);
    case FIX_SERIALIZABLE:
        return rewrite_serializable(m, program);
    case FIX_UNIQUE_CONSTRAINT:
        return true; /* the schema changes, not the program */
    case FIX_KIND_COUNT:
        break;
    }
    LW_UNREACHABLE();
}

static void add_lookup_columns(const struct sql_expr *where, uint16_t *columns, size_t *count) {
    if (where == NULL)
        return;
    if (where->kind == SQL_BINARY && where->op == SQL_OP_AND) {
        add_lookup_columns(where->args.items[0], columns, count);
        add_lookup_columns(where->args.items[1], columns, count);
    } else if (where->kind == SQL_BINARY && where->op == SQL_OP_EQ &&
               where->args.items[0]->kind == SQL_COLUMN && *count < KEY_COLUMNS_MAX) {
        columns[(*count)++] = where->args.items[0]->column;
    }
}

/* The schema that the fix needs; the run's own if none. */
static const struct schema *fix_schema(struct trial *t, enum fix_kind kind) {
    const struct culprit *culprit = t->culprit;
    if (kind == FIX_VERSION_COLUMN)
        return schema_with_version(t->arena, t->setup->pool, t->setup->schema, culprit->table);
    if (kind != FIX_UNIQUE_CONSTRAINT)
        return t->setup->schema;
    uint16_t columns[KEY_COLUMNS_MAX];
    size_t count = 0;
    const struct txn_step *read = culprit->read_steps.count > 0 ? culprit->read_steps.items[0] : NULL;
    if (read != NULL && read->kind == TXN_STEP_SQL && read->sql.stmt->kind == SQL_STMT_SELECT)
        add_lookup_columns(read->sql.stmt->select->where, columns, &count);
    return schema_with_key(t->arena, t->setup->schema, culprit->table, columns, count);
}

/* Rows are inserted by column, so that a column more does not matter; they are resolved anew. */
static bool copy_rows(struct trial *t, const struct schema *schema, struct run_setup *fixed) {
    struct err err;
    struct sql_stmt **rows = ARENA_ARRAY(t->arena, struct sql_stmt *, t->setup->setup_count);
    for (size_t i = 0; i < t->setup->setup_count; i++) {
        rows[i] = sql_copy(t->arena, t->setup->setup[i]);
        rows[i]->is_resolved = false;
        if (rows[i]->kind == SQL_STMT_INSERT && rows[i]->insert->columns.count == 0) {
            const struct table *table =
                t->setup->schema->tables.items[rows[i]->insert->table_index];
            for (size_t k = 0; k < table->columns.count; k++)
                VEC_PUSH(t->arena, &rows[i]->insert->columns, table->columns.items[k].name);
        }
        if (!sql_resolve(t->arena, schema, rows[i], &err))
            return false;
    }
    fixed->setup = rows;
    return true;
}

static void take_edits(struct trial *t, const struct mistake *m, size_t session, struct fix *fix) {
    for (size_t i = 0; i < m->edits.count; i++) {
        m->edits.items[i].session = (uint8_t)session;
        VEC_PUSH(t->arena, &fix->edits, m->edits.items[i]);
    }
}

static bool make_programs(struct trial *t, const struct schema *schema, struct run_setup *fixed,
                          struct fix *fix) {
    size_t count = t->setup->session_count;
    bool has_changed = false;
    for (size_t i = 0; i < count; i++) {
        const struct txn_program *original = t->setup->sessions[i].program;
        fixed->sessions[i] = t->setup->sessions[i];
        bool is_known = false;
        for (size_t k = 0; k < i && !is_known; k++) {
            is_known = t->setup->sessions[k].program == original;
            if (is_known)
                fixed->sessions[i].program = fixed->sessions[k].program;
        }
        if (is_known)
            continue;
        struct mistake m = {.arena = t->arena, .schema = schema, .pool = t->setup->pool,
                            .rule = t->culprit->rule, .table = t->culprit->table,
                            .write = t->culprit->span};
        for (size_t k = 0; k < t->culprit->columns.count; k++)
            VEC_PUSH(t->arena, &m.columns, t->culprit->columns.items[k]);
        struct txn_program *copy = txn_copy(t->arena, original);
        struct err err;
        /* Checked before, so that names are resolved for the rewriting, and after it. */
        if (!txn_check(t->arena, schema, t->setup->pool, copy, &err))
            return false;
        copy->is_checked = false;
        bool changed = rewrite(fix->kind, &m, copy);
        if (changed && !txn_check(t->arena, schema, t->setup->pool, copy, &err))
            return false;
        if (changed) {
            fixed->sessions[i].program = copy;
            take_edits(t, &m, i, fix);
        }
        if (i == t->culprit->session || (changed && fix->text.len == 0))
            fix->text = m.text;
        has_changed |= changed;
    }
    return has_changed;
}

/* Whether a fix does alone what the program did alone: the same rows, effects and fate. */
static bool does_the_same(struct trial *t, const struct run_setup *fixed,
                          const struct db_config *config) {
    struct buf before = {0}, after = {0};
    bool same = true;
    for (size_t i = 0; i < fixed->session_count && same; i++) {
        const struct run_setup *setups[] = {t->setup, fixed};
        struct buf *outcomes[] = {&before, &after};
        for (size_t k = 0; k < 2 && same; k++) {
            struct world world;
            struct err err;
            uint8_t order = 0;
            same = world_init(&world, t->scratch, setups[k]->schema, setups[k]->pool, config,
                              setups[k]->setup, setups[k]->setup_count, &setups[k]->sessions[i], 1,
                              &err);
            if (!same)
                break;
            world_start(&world, NULL);
            search_serial(&world, &order);
            world_outcome(&world, 0, outcomes[k]);
            world_free(&world);
        }
        same = same && str_equal(buf_str(&before), buf_str(&after));
    }
    buf_release(&before);
    buf_release(&after);
    return same;
}

static enum fix_verdict verdict_of(const struct cell_verdict *cell) {
    switch (cell->verdict) {
    case VERDICT_OK:
        return FIX_SAFE;
    case VERDICT_DEADLOCK:
        return FIX_DEADLOCK;
    case VERDICT_ERROR:
        return FIX_RETRY;
    case VERDICT_LIMIT:
        return FIX_LIMIT;
    case VERDICT_LOST:
        break;
    }
    return FIX_LOST;
}

/* The cell of the user's engine and level; a fix that names its own level is judged by the engine's SERIALIZABLE. */
static bool is_users(const struct trial *t, enum fix_kind kind, enum policy_id policy) {
    if (kind == FIX_SERIALIZABLE)
        return policy_info(policy)->config.engine == t->options->config->engine;
    return policy_is(policy, t->options->config);
}

static void explore(struct trial *t, struct run_setup *fixed, struct fix *fix) {
    struct judge_options options = {.steps_max = t->options->steps_max > 0 ? t->options->steps_max
                                                                           : FIX_STEPS_MAX,
                                    .any_witness = true,
                                    .room = fixed->schema == t->setup->schema ? t->options->room : NULL};
    uint32_t wanted = POLICIES_ALL;
    for (int i = 0; fix->kind == FIX_SERIALIZABLE && i < POLICY_COUNT; i++)
        if (policy_info(i)->config.isolation != SQL_SERIALIZABLE)
            wanted &= ~(1u << i);
    judge_table(fixed, &t->options->policies, wanted, &options, fix->cells);
    fix->verdict = FIX_LIMIT;
    for (int i = 0; i < POLICY_COUNT; i++) {
        bool is_there = policy_is_there(&t->options->policies, (enum policy_id)i);
        fix->is_explored[i] = is_there && (wanted & 1u << i) != 0;
        if (fix->is_explored[i] && is_users(t, fix->kind, (enum policy_id)i))
            fix->verdict = verdict_of(&fix->cells[i]);
    }
    bool same_schema = fixed->schema == t->setup->schema;
    if (fix->verdict != FIX_LOST && same_schema && fix->kind != FIX_REUSE_OBJECT &&
        fix->kind != FIX_UPDATE_FIELDS && !does_the_same(t, fixed, t->options->config))
        fix->verdict = FIX_CHANGES;
}

static void try_fix(struct trial *t, enum fix_kind kind) {
    const struct culprit *culprit = t->culprit;
    struct fix fix = {.kind = kind, .span = culprit->span};
    const struct schema *schema = fix_schema(t, kind);
    struct run_setup fixed = *t->setup;
    if (schema == NULL)
        return;
    fixed.schema = schema;
    if ((schema != t->setup->schema && !copy_rows(t, schema, &fixed)) ||
        !make_programs(t, schema, &fixed, &fix))
        return;
    if (kind == FIX_UNIQUE_CONSTRAINT)
        fix.text = STR("UniqueConstraint over what is looked up, and get_or_create or an except "
                       "IntegrityError");
    for (size_t i = 0; i < fixed.session_count; i++)
        fix.programs[i] = fixed.sessions[i].program;
    explore(t, &fixed, &fix);
    fix.run = fixed;
    VEC_PUSH(t->arena, &t->fixes->items, fix);
}

/* How soon a fix is offered: safe ones first, what only costs a retry next, what does not help last. */
static int rank(enum fix_verdict verdict) {
    static const int ranks[] = {[FIX_SAFE] = 0, [FIX_RETRY] = 1, [FIX_DEADLOCK] = 2,
                                [FIX_LIMIT] = 3, [FIX_CHANGES] = 4, [FIX_LOST] = 5};
    return ranks[verdict];
}

static int compare_fixes(const void *a, const void *b) {
    const struct fix *left = a, *right = b;
    int order = rank(left->verdict) - rank(right->verdict);
    return order != 0 ? order : (int)left->kind - (int)right->kind;
}

bool fix_try_all(struct arena *arena, struct arena *scratch, const struct run_setup *setup,
                 const struct culprit *culprit, const struct fix_options *options,
                 struct fixes *fixes, struct err *err) {
    struct trial trial = {arena, scratch, setup, culprit, options, fixes};
    (void)err;
    *fixes = (struct fixes){0};
    if (culprit->table >= setup->schema->tables.count)
        return true;
    for (int kind = 0; kind < FIX_KIND_COUNT; kind++)
        if (fits((enum fix_kind)kind, culprit->rule))
            try_fix(&trial, (enum fix_kind)kind);
    if (fixes->items.count > 1)
        qsort(fixes->items.items, fixes->items.count, sizeof(struct fix), compare_fixes);
    return true;
}
