/* What one program does wrong alone: an assignment that is never saved (LW008), a row lock outside of a transaction
 * (LW011), an effect too early (LW009, see early.c). An assignment counts only if no run in which it was made saved it. */
#include "base/assert.h"
#include "finding/collect.h"

struct assignment {
    const struct txn_step *step;
    uint32_t made, dropped; /* in how many runs */
    uint16_t table;
    bool was_made, was_dropped; /* in the run at hand */
};

struct alone {
    struct unit *unit;
    VEC(struct assignment) assignments;
    const struct txn_step *unlocked; /* raises because it locks outside of a transaction */
};

static struct assignment *assignment_of(struct alone *alone, const struct txn_step *step) {
    for (size_t i = 0; i < alone->assignments.count; i++)
        if (alone->assignments.items[i].step == step)
            return &alone->assignments.items[i];
    VEC_PUSH(alone->unit->scratch, &alone->assignments, (struct assignment){.step = step});
    return &alone->assignments.items[alone->assignments.count - 1];
}

static void note_reached(struct unit *unit, struct txn_span span) {
    struct str key = place_key(unit->scratch, span);
    if (!map_has(&unit->reached, key))
        map_put(&unit->reached, str_dup(&unit->arena, key), unit);
}

static void on_step(void *context, const struct session *session, const struct txn_step *step) {
    (void)session;
    struct alone *alone = context;
    if (step->kind == TXN_STEP_SET_COLUMN)
        assignment_of(alone, step)->was_made = true;
    else if (step->kind == TXN_STEP_RAISE && str_is(step->name, "TransactionManagementError"))
        alone->unlocked = step;
    else if (step->kind == TXN_STEP_SQL && sql_target_table(step->sql.stmt) >= 0)
        note_reached(alone->unit, step->span);
}

static bool is_returned(const struct session *session, uint32_t object) {
    const struct host_value *value = &session->returned;
    if (value->kind == HOST_ROW)
        return value->index == object;
    for (uint32_t i = 0; value->kind == HOST_LIST && value->is_rows && i < value->count; i++)
        if (session->items.items[value->index + i].index == object)
            return true;
    return false;
}

/* The object's key if it has a single column; NULL: it doesn't. */
static const struct cell *key_of(const struct world *world, const struct session *session,
                                 const struct object *object) {
    const struct table *table = world->schema->tables.items[object->table];
    if (!table->has_primary_key || table->keys.items[0].column_count != 1)
        return NULL;
    return &session->cells.items[object->first_cell + table->keys.items[0].columns[0]];
}

/* delete() takes the key off the object. */
static bool is_deleted(const struct cell *key) {
    return key != NULL && key->is_assigned && key->value.kind == VALUE_NULL;
}

/* An object that was made and never saved has no row that it could be the change of. */
static bool has_row(const struct world *world, const struct session *session, const struct object *object) {
    size_t columns = world->schema->tables.items[object->table]->columns.count;
    for (size_t i = 0; i < columns; i++)
        if (session->cells.items[object->first_cell + i].is_loaded)
            return true;
    return false;
}

/* Assigned what it was loaded with: a relation that is given to the object so that it need not be fetched. */
static bool is_as_loaded(const struct world *world, const struct object *object, size_t column, const struct cell *cell) {
    return object->ref.version != 0 && cell->pending == NULL &&
           value_equal(world->pool, db_version_value(world->db, object->ref.version, (uint16_t)column), cell->value);
}

/* Objects that the run left with an assignment in memory only, and that nobody else can save. */
static void find_dropped(struct alone *alone, const struct world *world) {
    const struct session *session = &world->sessions[0];
    for (size_t i = 0; i < session->objects.count; i++) {
        const struct object *object = &session->objects.items[i];
        size_t columns = world->schema->tables.items[object->table]->columns.count;
        const struct cell *key = key_of(world, session, object);
        if (is_returned(session, (uint32_t)i) || is_deleted(key) ||
            !has_row(world, session, object))
            continue;
        for (size_t k = 0; k < columns; k++) {
            const struct cell *cell = &session->cells.items[object->first_cell + k];
            if (cell == key || !cell->is_assigned || cell->assigned_at == NULL ||
                session->program->vars.items[cell->assigned_at->var].is_given ||
                session->program->vars.items[cell->assigned_at->var].is_shown)
                continue;
            struct assignment *assignment = assignment_of(alone, cell->assigned_at);
            assignment->was_dropped = true;
            assignment->was_made &= !is_as_loaded(world, object, k, cell);
            assignment->table = object->table;
        }
    }
}

static void run_alone(struct alone *alone, const struct subject *subject,
                      const struct input_case *input) {
    struct unit *unit = alone->unit;
    struct world world;
    struct trace trace;
    struct world_session session = {subject->program, input->args[0]};
    uint8_t order = 0;
    struct err err;
    if (!world_init(&world, unit->scratch, unit->schema, &unit->pool, &unit->options->configs[0],
                    input->setup.items, input->setup.count, &session, 1, &err))
        return;
    for (size_t i = 0; i < alone->assignments.count; i++)
        alone->assignments.items[i].was_made = alone->assignments.items[i].was_dropped = false;
    const struct observer observer = {.on_step = on_step, .context = alone};
    world.observer = &observer;
    trace_init(&trace, unit->scratch);
    world_start(&world, &trace);
    search_serial(&world, &order);
    find_early_alone(unit, subject, &trace);
    /* Where a statement failed, a save may have been what failed. */
    if (world.sessions[0].fate == FATE_DONE && !world.has_hit_limit && world.errors == 0) {
        find_dropped(alone, &world);
        for (size_t i = 0; i < alone->assignments.count; i++) {
            struct assignment *assignment = &alone->assignments.items[i];
            assignment->made += assignment->was_made;
            assignment->dropped += assignment->was_made && assignment->was_dropped;
        }
    }
    world_free(&world);
}

void find_alone(struct unit *unit, const struct subject *subject, const struct inputs *inputs) {
    struct alone alone = {.unit = unit};
    for (size_t i = 0; i < inputs->cases.count; i++)
        run_alone(&alone, subject, &inputs->cases.items[i]);
    for (size_t i = 0; i < alone.assignments.count && !subject->has_gap; i++) {
        const struct assignment *assignment = &alone.assignments.items[i];
        bool is_always = assignment->made > 0 && assignment->dropped == assignment->made;
        /* A form that isn't saved is no mistake; nor is what save() computes in passing, and is not asked to write. */
        if (!is_always || assignment->step->is_form || assignment->step->is_hook)
            continue;
        discover_plain(unit, RULE_NEVER_SAVED, step_span(assignment->step), subject,
                       unit->schema->tables.items[assignment->table]->name,
                       assignment->step->column_name);
    }
    if (alone.unlocked != NULL)
        discover_plain(unit, RULE_LOCK_WITHOUT_TRANSACTION, step_span(alone.unlocked), subject,
                       (struct str){0}, (struct str){0});
}
