/* Statements are written so that neither which index serves them nor in which order rows come is the planner's choice:
 * a condition names columns of one index, or of none; more rows than one are ordered by what they are found by, or
 * compared without order (answer.c). What is left to chance otherwise: docs/differential.md.
 */
#include "trial.h"

#include "base/assert.h"

enum { STEPS_MIN = 6, STEPS_SPREAD = 14, IDS = 6 };

struct generator {
    struct rng rng;
    struct trial *trial;
    const struct world_table *table; /* the statement's */
    unsigned hot_id, hot_other;      /* most values are these, so that sessions meet */
    bool is_mysql;
};

static bool chance(struct generator *g, unsigned percent) {
    return rng_chance(&g->rng, percent);
}

/* ---- values and conditions ---- */

static unsigned an_id(struct generator *g) {
    return chance(g, 65) ? g->hot_id : 1 + rng_below(&g->rng, IDS);
}

static void add_value(struct generator *g, struct buf *out, const struct world_column *column) {
    unsigned other = chance(g, 50) ? g->hot_other : rng_below(&g->rng, 5);
    if (column->is_nullable && chance(g, 15)) {
        buf_add_c(out, "null");
        return;
    }
    switch (column->role) {
    case ROLE_ID:
    case ROLE_PARENT:
        buf_printf(out, "%u", an_id(g));
        break;
    case ROLE_PART:
    case ROLE_WITH:
        buf_printf(out, "%u", 1 + other % 2);
        break;
    case ROLE_UNIQUE:
        buf_printf(out, "%u", 10 * an_id(g));
        break;
    case ROLE_KEY:
        buf_printf(out, "%u", 2 * other + 1);
        break;
    case ROLE_VALUE:
        buf_printf(out, "%u", other % 3);
        break;
    }
}

static void add_equality(struct generator *g, struct buf *out, const struct world_column *column) {
    size_t before = out->len;
    buf_printf(out, "%s = ", column->name);
    add_value(g, out, column);
    if (str_ends(buf_str(out), "null")) {
        out->len = before;
        buf_printf(out, "%s is null", column->name);
    }
}

/* One that no index helps with: where an index has the column as its second, the planner might go along it all. */
static void add_plain_condition(struct generator *g, struct buf *out) {
    buf_printf(out, "v%s = %u", g->table->is_key_with_value ? " + 0" : "", rng_below(&g->rng, 3));
}

static void where_range(struct generator *g, struct buf *out) {
    unsigned low = an_id(g), high = low + rng_below(&g->rng, 3);
    switch (rng_below(&g->rng, 5)) {
    case 0:
        buf_printf(out, "id > %u", low);
        break;
    case 1:
        buf_printf(out, "id >= %u", low);
        break;
    case 2:
        buf_printf(out, "id < %u", low);
        break;
    case 3:
        buf_printf(out, "id between %u and %u", low, high);
        break;
    default:
        buf_printf(out, "id in (%u, %u)", low, an_id(g));
        break;
    }
}

static void where_id(struct generator *g, struct buf *out) {
    const struct world_column *part = world_find(g->table, ROLE_PART);
    buf_printf(out, "id = %u", an_id(g));
    if (part != NULL && chance(g, 70)) {
        buf_add_c(out, " and ");
        add_equality(g, out, part);
    }
    if (chance(g, 12)) {
        buf_add_c(out, " and ");
        add_plain_condition(g, out);
    }
}

/* By a secondary index; by the primary key if there is none. */
static void where_secondary(struct generator *g, struct buf *out) {
    static const enum role roles[] = {ROLE_UNIQUE, ROLE_KEY, ROLE_PARENT};
    enum role role = roles[rng_below(&g->rng, 3)];
    const struct world_column *column = world_find(g->table, role);
    const struct world_column *with = world_find(g->table, ROLE_WITH);
    if (column == NULL) {
        where_id(g, out);
        return;
    }
    add_equality(g, out, column);
    if (role == ROLE_UNIQUE && with != NULL && chance(g, 80)) {
        buf_add_c(out, " and ");
        add_equality(g, out, with);
    }
    if (role == ROLE_KEY && g->table->is_key_with_value && chance(g, 50))
        buf_printf(out, " and v = %u", rng_below(&g->rng, 3));
}

static void add_where(struct generator *g, struct buf *out) {
    unsigned roll = rng_below(&g->rng, 100);
    buf_add_c(out, " where ");
    if (roll < 45)
        where_id(g, out);
    else if (roll < 70)
        where_secondary(g, out);
    else if (roll < 88)
        where_range(g, out);
    else
        add_plain_condition(g, out);
}

/* ---- statements ---- */

static void add_columns(struct generator *g, struct buf *out) {
    for (size_t i = 0; i < g->table->column_count; i++)
        buf_printf(out, "%s%s", i > 0 ? ", " : "", g->table->columns[i].name);
}

static void add_lock(struct generator *g, struct buf *out) {
    if (g->is_mysql)
        buf_add_c(out, chance(g, 60) ? " for update" : " lock in share mode");
    else
        buf_printf(out, " for %s",
                   RNG_ONE_OF(&g->rng, "update", "update", "no key update", "share", "key share"));
    if (g->trial->policy->has_skip_locked && chance(g, 25))
        buf_add_c(out, chance(g, 50) ? " nowait" : " skip locked");
}

/* Some of the columns, which an index may have all; the first rows by the primary key. Of a key of two columns the planner
 * may go through all. */
static void a_wide_select(struct generator *g, struct buf *out) {
    bool has_part = world_find(g->table, ROLE_PART) != NULL, is_first = !has_part && chance(g, 50);
    buf_printf(out, "select id%s from %s where ", has_part ? ", g" : "", g->table->name);
    if (!is_first)
        where_secondary(g, out);
    else
        where_range(g, out);
    if (is_first)
        buf_printf(out, " order by id limit %u", 1 + rng_below(&g->rng, 2));
    if (chance(g, 60))
        add_lock(g, out);
}

static void a_select(struct generator *g, struct buf *out) {
    if (g->trial->is_wide && chance(g, 40)) {
        a_wide_select(g, out);
        return;
    }
    bool is_sum = chance(g, 20);
    buf_add_c(out, "select ");
    if (is_sum)
        buf_add_c(out, "sum(v), count(*)");
    else
        add_columns(g, out);
    buf_printf(out, " from %s", g->table->name);
    if (chance(g, is_sum ? 50 : 92))
        add_where(g, out);
    if (!is_sum && chance(g, 45))
        add_lock(g, out);
}

static void an_assignment(struct generator *g, struct buf *out) {
    const struct world_column *column =
        &g->table->columns[rng_below(&g->rng, (unsigned)g->table->column_count)];
    if (chance(g, 55)) {
        buf_add_c(out, "v = v + 1");
        return;
    }
    if (column->role == ROLE_ID && chance(g, 50))
        column = &g->table->columns[g->table->column_count - 1];
    buf_printf(out, "%s = ", column->name);
    add_value(g, out, column);
}

/* Of all columns but the key, one of them by what it was. */
static void several_assignments(struct generator *g, struct buf *out) {
    const struct world_column *key = world_find(g->table, ROLE_KEY);
    bool is_first = true;
    for (size_t i = 0; i < g->table->column_count; i++) {
        const struct world_column *column = &g->table->columns[i];
        if (column->role == ROLE_ID || column->role == ROLE_PART || chance(g, 30))
            continue;
        buf_printf(out, "%s%s = ", is_first ? "" : ", ", column->name);
        is_first = false;
        if (column == key)
            buf_printf(out, "%s + 2", column->name);
        else
            add_value(g, out, column);
    }
    if (is_first)
        buf_add_c(out, "v = v + 1");
}

static void an_update(struct generator *g, struct buf *out) {
    buf_printf(out, "update %s set ", g->table->name);
    const struct world *world = g->trial->world;
    const struct world_table *other = &world->tables[rng_below(&g->rng, (unsigned)world->table_count)];
    if (chance(g, 8) && (!g->is_mysql || other != g->table)) {
        const struct world_column *parent = world_find(other, ROLE_PARENT);
        buf_printf(out, "v = (select sum(v) from %s", other->name);
        if (g->trial->is_wide && parent != NULL)
            buf_printf(out, " where %s = %u", parent->name, an_id(g));
        buf_printf(out, ") where id = %u", an_id(g));
        return;
    }
    if (g->trial->is_wide && chance(g, 30))
        several_assignments(g, out);
    else
        an_assignment(g, out);
    if (chance(g, 96))
        add_where(g, out);
    if (!g->is_mysql && chance(g, 15)) {
        buf_add_c(out, " returning ");
        add_columns(g, out);
    }
}

/* Mostly of a new key: the other end is soon met. */
static void add_row(struct generator *g, struct buf *out) {
    unsigned id = chance(g, 40) ? an_id(g) : 1 + rng_below(&g->rng, IDS + 3);
    buf_add_char(out, '(');
    for (size_t i = 0; i < g->table->column_count; i++) {
        const struct world_column *column = &g->table->columns[i];
        if (i > 0)
            buf_add_c(out, ", ");
        if (column->role == ROLE_ID)
            buf_printf(out, "%u", id);
        else if (column->role == ROLE_UNIQUE && chance(g, 70))
            buf_printf(out, "%u", 10 * id);
        else
            add_value(g, out, column);
    }
    buf_add_char(out, ')');
}

static void add_conflict(struct generator *g, struct buf *out) {
    if (g->is_mysql)
        buf_add_c(out, " on duplicate key update v = v + 1");
    else if (chance(g, 50))
        buf_add_c(out, " on conflict do nothing");
    else
        buf_printf(out, " on conflict (%s) do update set v = %s.v + 1",
                   world_find(g->table, ROLE_PART) != NULL ? "id, g" : "id", g->table->name);
}

/* A copy of rows with other keys. */
static void an_insert_select(struct generator *g, struct buf *out) {
    buf_printf(out, "insert into %s select ", g->table->name);
    for (size_t i = 0; i < g->table->column_count; i++) {
        const struct world_column *column = &g->table->columns[i];
        buf_add_c(out, i > 0 ? ", " : "");
        if (column->role == ROLE_UNIQUE && column->is_nullable)
            buf_add_c(out, "null");
        else
            buf_printf(out, "%s%s", column->name,
                       column->role == ROLE_ID       ? " + 3"
                       : column->role == ROLE_UNIQUE ? " + 30"
                                                     : "");
    }
    buf_printf(out, " from %s", g->table->name);
    add_where(g, out);
}

static void an_insert(struct generator *g, struct buf *out) {
    if (g->trial->is_wide && chance(g, 15)) {
        an_insert_select(g, out);
        return;
    }
    bool is_ignore = g->is_mysql && chance(g, 7);
    bool takes_conflict = !is_ignore && chance(g, 15);
    buf_printf(out, "insert %sinto %s values ", is_ignore ? "ignore " : "", g->table->name);
    add_row(g, out);
    if (!takes_conflict && chance(g, 12)) {
        buf_add_c(out, ", ");
        add_row(g, out);
    }
    if (takes_conflict)
        add_conflict(g, out);
}

static void a_delete(struct generator *g, struct buf *out) {
    buf_printf(out, "delete from %s", g->table->name);
    add_where(g, out);
}

static void a_statement(struct generator *g, struct buf *out) {
    const struct world *world = g->trial->world;
    unsigned roll = rng_below(&g->rng, 100);
    g->table = &world->tables[chance(g, 40) ? 0 : rng_below(&g->rng, (unsigned)world->table_count)];
    if (roll < 38)
        a_select(g, out);
    else if (roll < 66)
        an_update(g, out);
    else if (roll < 86)
        an_insert(g, out);
    else
        a_delete(g, out);
}

/* ---- programs and their order ---- */

struct program {
    bool is_open;      /* as far as a plan can tell */
    bool has_savepoint;
};

static const char *a_level(struct generator *g) {
    return RNG_ONE_OF(&g->rng, "read committed", "repeatable read", "serializable");
}

static void push(struct generator *g, unsigned session, struct str sql) {
    VEC_PUSH(&g->trial->arena, &g->trial->steps,
             (struct trial_step){(uint8_t)session, str_dup(&g->trial->arena, sql)});
}

static void push_begin(struct generator *g, unsigned session) {
    struct buf out = {0};
    bool is_mixed = g->trial->is_mixed && chance(g, 60);
    if (is_mixed && g->is_mysql) {
        buf_printf(&out, "set transaction isolation level %s", a_level(g));
        push(g, session, buf_str(&out));
    }
    buf_clear(&out);
    buf_add_c(&out, "begin");
    if (is_mixed && !g->is_mysql)
        buf_printf(&out, " isolation level %s", a_level(g));
    push(g, session, buf_str(&out));
    buf_release(&out);
}

/* The next step or two of a session. */
static void push_step(struct generator *g, unsigned session, struct program *program) {
    struct buf out = {0};
    unsigned roll = rng_below(&g->rng, 100);
    if (!program->is_open && roll < 85) {
        push_begin(g, session);
        *program = (struct program){.is_open = true};
        return;
    }
    if (program->is_open && roll < 14) {
        buf_add_c(&out, chance(g, 80) ? "commit" : "rollback");
        *program = (struct program){0};
    } else if (program->is_open && roll < 20) {
        if (!program->has_savepoint || chance(g, 30))
            buf_add_c(&out, "savepoint s");
        else
            buf_add_c(&out, chance(g, 80) ? "rollback to savepoint s" : "release savepoint s");
        program->has_savepoint = true;
    } else {
        a_statement(g, &out);
    }
    push(g, session, buf_str(&out));
    buf_release(&out);
}

static void make_steps(struct generator *g) {
    struct program programs[TRIAL_SESSIONS_MAX] = {{0}};
    size_t count = STEPS_MIN + rng_below(&g->rng, STEPS_SPREAD);
    while (g->trial->steps.count < count) {
        unsigned session = rng_below(&g->rng, (unsigned)g->trial->session_count);
        push_step(g, session, &programs[session]);
    }
}

/* ---- rows ---- */

static void add_initial_value(struct generator *g, struct buf *out,
                              const struct world_column *column, unsigned id,
                              const bool *parent_ids) {
    unsigned parent = 1 + rng_below(&g->rng, IDS);
    switch (column->role) {
    case ROLE_ID:
        buf_printf(out, "%u", id);
        break;
    case ROLE_UNIQUE:
        if (column->is_nullable && chance(g, 20))
            buf_add_c(out, "null");
        else
            buf_printf(out, "%u", 10 * id);
        break;
    case ROLE_PARENT:
        while (!parent_ids[parent])
            parent = 1 + parent % IDS;
        if (column->is_nullable && chance(g, 20))
            buf_add_c(out, "null");
        else
            buf_printf(out, "%u", parent);
        break;
    case ROLE_KEY:
        /* At most two rows have the same: MySQL and MariaDB pass an index over that finds most of a table. */
        if (column->is_nullable && chance(g, 15))
            buf_add_c(out, "null");
        else
            buf_printf(out, "%u", 1 + 2 * ((id + g->hot_other) % 4));
        break;
    default:
        add_value(g, out, column);
        break;
    }
}

/* Every table has a row, for children to refer to. */
static void make_rows(struct generator *g) {
    bool ids[WORLD_TABLES_MAX][IDS + 1] = {{false}};
    const struct world *world = g->trial->world;
    for (size_t t = 0; t < world->table_count; t++) {
        struct buf out = {0};
        bool is_first = true;
        g->table = &world->tables[t];
        buf_printf(&out, "insert into %s values ", g->table->name);
        unsigned sure = 1 + rng_below(&g->rng, IDS);
        for (unsigned id = 1; id <= IDS; id++) {
            if (id != sure && !chance(g, 50))
                continue;
            ids[t][id] = true;
            buf_add_c(&out, is_first ? "(" : ", (");
            is_first = false;
            for (size_t i = 0; i < g->table->column_count; i++) {
                if (i > 0)
                    buf_add_c(&out, ", ");
                add_initial_value(g, &out, &g->table->columns[i], id,
                                  g->table->parent >= 0 ? ids[g->table->parent] : ids[t]);
            }
            buf_add_char(&out, ')');
        }
        VEC_PUSH(&g->trial->arena, &g->trial->rows, str_dup(&g->trial->arena, buf_str(&out)));
        buf_release(&out);
    }
}

void trial_world(struct world *world, enum engine_kind engine, uint64_t seed, uint64_t number) {
    struct rng rng = rng_of(seed * 2 + 1, number / WORLD_TRIALS);
    world_make(world, engine, &rng);
}

void trial_make(struct trial *trial, const struct world *world,
                const struct policy_under_test *policy, uint64_t seed, uint64_t number,
                bool is_wide) {
    *trial = (struct trial){
        .world = world, .policy = policy, .seed = seed, .number = number, .is_wide = is_wide};
    struct generator g = {.rng = rng_of(seed * 2, number), .trial = trial};
    g.is_mysql = world->engine == ENGINE_MYSQL || world->engine == ENGINE_MARIADB;
    g.hot_id = 1 + rng_below(&g.rng, IDS);
    g.hot_other = rng_below(&g.rng, 5);
    trial->session_count = 2 + (rng_chance(&g.rng, 40) ? 1 : 0) + (rng_chance(&g.rng, 10) ? 1 : 0);
    LW_ASSERT(trial->session_count <= TRIAL_SESSIONS_MAX);
    trial->is_mixed = rng_chance(&g.rng, 15);
    make_rows(&g);
    make_steps(&g);
}

void trial_release(struct trial *trial) {
    arena_release(&trial->arena);
    *trial = (struct trial){0};
}
