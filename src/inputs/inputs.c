/* Assignments are vectors of choices, one per dimension: how many rows a table has, what a column holds, what a
 * parameter is. The plainest assignment comes first; then, breadth first, those that differ from a kept one in one
 * choice, kept if they reach a step that no kept one reached, or if one session takes another path when it comes
 * after the other than when it is alone: where that is so, it matters who comes first. */
#include "inputs/maker.h"

#include "base/assert.h"

enum { PATH_RUNS_MAX = 40 };

/* Which tables: those named and, again and again, the parents of their foreign keys. */
static uint64_t with_parents(const struct schema *schema, uint64_t tables) {
    for (uint64_t before = 0; before != tables;) {
        before = tables;
        for (size_t i = 0; i < schema->tables.count && i < 63; i++) {
            const struct table *table = schema->tables.items[i];
            for (size_t k = 0; (tables & 1ull << i) && k < table->foreign_keys.count; k++)
                if (table->foreign_keys.items[k].parent < 63)
                    tables |= 1ull << table->foreign_keys.items[k].parent;
        }
    }
    return tables;
}

static void mix(uint64_t *hash, uint64_t more) {
    *hash = (*hash ^ more) * 0x100000001b3u;
    *hash ^= *hash >> 29;
}

static void note_now(struct maker *m, struct str key) {
    if (!map_has(&m->now, key))
        map_put(&m->now, str_dup(m->scratch, key), m);
}

static bool is_write(const struct txn_step *step) {
    return step->kind == TXN_STEP_SQL && sql_target_table(step->sql.stmt) >= 0;
}

static void note_step(void *context, const struct session *session, const struct txn_step *step) {
    struct maker *m = context;
    if (is_write(step))
        m->writers |= 1u << session->index;
    if (step->kind == TXN_STEP_IF && session->index == m->watched) {
        const struct txn_step **last = m->last_tests[session->index];
        memmove(last + 1, last, (LAST_TESTS - 1) * sizeof(*last));
        last[0] = step;
    }
    note_now(m, (struct str){(const char *)&step, sizeof(step)});
    if (session->index == m->watched)
        mix(&m->path, (uint64_t)(uintptr_t)step);
}

/* Of an answer the path holds whether there were none, one or more rows. */
static void note_answer(void *context, const struct session *session, const struct txn_step *step,
                        const struct db_result *result) {
    struct maker *m = context;
    uint64_t rows = result->row_count > 0 ? result->row_count : (uint64_t)result->affected;
    if (result->error == DB_ERROR_UNIQUE)
        note_now(m, str_printf(m->scratch, "refused %p", (const void *)step));
    if (session->index == m->watched)
        mix(&m->path, 1 + (rows < 2 ? rows : 2) + 4 * (uint64_t)result->error);
}

static bool load_rows(struct maker *m, const struct input_case *made) {
    struct world_session sessions[DB_SESSIONS_MAX];
    struct err err;
    for (size_t i = 0; i < m->program_count; i++)
        sessions[i] = (struct world_session){m->programs[i], made->args[i]};
    if (m->loaded != NULL && m->loaded_count == made->setup.count &&
        memcmp(m->loaded, made->setup.items, m->loaded_count * sizeof(*m->loaded)) == 0) {
        world_set_args(&m->rows, sessions);
        return true;
    }
    world_free(&m->rows);
    bool is_loaded = world_init(&m->rows, m->scratch, m->schema, m->pool, m->config, made->setup.items,
                                made->setup.count, sessions, m->program_count, &err);
    m->loaded = is_loaded ? (const struct sql_stmt *const *)made->setup.items : NULL;
    m->loaded_count = made->setup.count;
    return is_loaded;
}

/* Runs the sessions of `order` one after the other on the case's rows; the path of the last one is noted. */
static void run_serial(struct maker *m, const uint8_t *order, size_t count) {
    const struct observer observer = {note_step, note_answer, m};
    m->watched = order[count - 1];
    m->path = 0;
    world_copy(&m->running, &m->rows);
    m->running.observer = &observer;
    world_start(&m->running, NULL);
    for (size_t i = 0; i < count; i++)
        search_to_end(&m->running, order[i]);
    m->running.observer = NULL;
}

static bool has_same_args(const struct maker *m, const struct input_case *made, size_t a,
                          size_t b) {
    if (m->programs[a] != m->programs[b])
        return false;
    for (size_t i = 0; i < m->programs[a]->param_count; i++)
        if (memcmp(&made->args[a][i], &made->args[b][i], sizeof(struct value)) != 0)
            return false;
    return true;
}

/* Runs each program alone on the case's rows. False if the rows cannot be loaded. */
static bool run_case(struct maker *m, struct input_case *made) {
    map_init(&m->now, m->scratch);
    memset(m->last_tests, 0, sizeof(m->last_tests));
    m->writers = 0;
    if (!load_rows(m, made))
        return false;
    for (uint8_t i = 0; i < m->program_count; i++) {
        if (i > 0 && has_same_args(m, made, i - 1u, i)) {
            m->alone[i] = m->alone[i - 1];
            m->writers |= (m->writers & 1u << (i - 1)) << 1;
            continue;
        }
        run_serial(m, &i, 1);
        m->alone[i] = m->path;
    }
    made->reached_count = m->now.count;
    made->writers = m->writers;
    return true;
}

/* Whether one of the first two sessions takes a path after the other that it does not take alone, and no kept case had this
 * pair of paths, on the same rows or on different ones; then it is remembered. To be asked after run_case. */
static bool takes_new_path(struct maker *m, const struct assignment *a,
                           const struct input_case *made) {
    static const uint8_t orders[2][2] = {{1, 0}, {0, 1}};
    bool is_new = false;
    for (int i = 0; i < 2 && m->program_count > 1; i++) {
        if (i == 1 && has_same_args(m, made, 0, 1))
            break;
        run_serial(m, orders[i], 2);
        if (m->path == m->alone[i])
            continue;
        uint64_t pair[] = {m->alone[i], m->path, is_spread(m, a)};
        struct str key = {(const char *)pair, sizeof(pair)};
        is_new |= !map_has(&m->paths, key);
        map_put(&m->paths, str_dup(m->scratch, key), m);
    }
    return is_new;
}

/* Whether the case just run reached a step that none before did; then it is remembered as reached. */
static bool reaches_more(struct maker *m) {
    bool more = false;
    for (size_t i = 0; i < m->now.count; i++) {
        if (map_has(&m->reached, m->now.entries[i].key))
            continue;
        struct str key = m->now.entries[i].key;
        map_put(&m->reached, key, m);
        const struct txn_step *step = NULL;
        if (key.len == sizeof(step))
            memcpy(&step, key.ptr, sizeof(step));
        m->reached_steps += step != NULL;
        m->reached_writes += step != NULL && is_write(step);
        more = true;
    }
    return more;
}

static size_t count_steps(const struct txn_block *block) {
    size_t count = block->steps.count;
    for (size_t i = 0; i < block->steps.count; i++) {
        const struct txn_step *step = block->steps.items[i];
        count += count_steps(&step->body) + count_steps(&step->else_body) +
                 count_steps(&step->finally_body);
        for (size_t k = 0; k < step->handlers.count; k++)
            count += count_steps(&step->handlers.items[k].body);
    }
    return count;
}

struct kept {
    struct assignment items[INPUT_CASES_MAX];
    size_t count;
};

static void keep(struct maker *m, struct inputs *inputs, struct kept *kept,
                 const struct assignment *a, struct input_case made) {
    VEC_PUSH(m->arena, &inputs->cases, made);
    kept->items[kept->count++] = *a;
}

/* Tries take as long as the programs are: of long ones fewer are made, so that a pair's share of the time stays alike. */
static size_t runs_for(const struct inputs *inputs, size_t runs_max) {
    enum { STEPS_SHORT = 64, RUNS_MIN = 12 };
    if (inputs->step_count <= STEPS_SHORT)
        return runs_max;
    size_t runs = runs_max * STEPS_SHORT / inputs->step_count;
    return runs > RUNS_MIN ? runs : RUNS_MIN;
}

static bool has_reached_all(const struct maker *m, const struct inputs *inputs) {
    bool has_goal = (inputs->goal > 0 && m->reached_steps >= inputs->goal) ||
                    (inputs->goal_writes > 0 && m->reached_writes >= inputs->goal_writes);
    return m->reached.count >= inputs->step_count || (has_goal && m->group == m->dim_count);
}

/* Whether the assignment was asked about before. */
static bool was_tried(struct maker *m, const struct assignment *a) {
    struct str key = {(const char *)a->at, m->dim_count * sizeof(*a->at)};
    if (map_has(&m->tried, key))
        return true;
    map_put(&m->tried, str_dup(m->scratch, key), m);
    return false;
}

static bool asks_about(const struct maker *m, const struct txn_step *test, const struct dim *dim) {
    const struct gate *gate = map_get(&m->domains.gates, (struct str){(const char *)&test, sizeof(test)});
    for (size_t i = 0; gate != NULL && i < gate->items.count; i++) {
        const struct asked *asked = &gate->items.items[i];
        bool is_param = dim->kind == DIM_PARAM && asked->param == (int)dim->param &&
                        same_program(m, asked->program) == same_program(m, dim->program);
        bool is_column = dim->kind == DIM_COLUMN && asked->table == dim->table && asked->table >= 0 &&
                         asked->column == dim->column;
        if (is_param || is_column)
            return true;
    }
    return false;
}

/* How far an assignment gets, and the tests that it came to last. */
struct front {
    struct assignment at;
    size_t step_count;
    const struct txn_step *tests[DB_SESSIONS_MAX][LAST_TESTS];
    size_t runs_left;
};

static void set_front(const struct maker *m, struct front *front, const struct assignment *at) {
    front->at = *at;
    front->step_count = m->now.count;
    memcpy(front->tests, m->last_tests, sizeof(front->tests));
}

/* Tries the choices that `test` asks about, until one gets further: that is the front then. */
static bool open_gate(struct maker *m, const struct txn_step *test, struct front *front) {
    for (size_t d = 0; d < m->dim_count; d++) {
        for (size_t k = 0; k < m->dims[d]->choice_count && asks_about(m, test, m->dims[d]); k++) {
            struct assignment next = front->at;
            next.at[d] = (uint8_t)k;
            if (was_tried(m, &next))
                continue;
            if (front->runs_left == 0)
                return false;
            front->runs_left--;
            struct input_case made = make_case(m, &next);
            if (run_case(m, &made) && m->now.count > front->step_count) {
                set_front(m, front, &next);
                return true;
            }
        }
    }
    return false;
}

/* Goes on and on from what got furthest, by what the tests ask about that it came to last: programs that check much before
 * they do anything are not to be come through otherwise. To be called after the plainest case was run. */
static void open_gates(struct maker *m, struct inputs *inputs, struct kept *kept) {
    enum { GATE_RUNS_MAX = 48 };
    struct front front = {.runs_left = GATE_RUNS_MAX};
    struct map tried = m->tried; /* what is passed by here is to be tried again, for what it reaches by itself */
    map_init(&m->tried, m->scratch);
    set_front(m, &front, &kept->items[0]);
    bool is_open = !has_reached_all(m, inputs), has_moved = false;
    while (is_open) {
        const struct txn_step *tests[DB_SESSIONS_MAX][LAST_TESTS];
        memcpy(tests, front.tests, sizeof(tests));
        is_open = false;
        for (size_t i = 0; i < m->program_count * LAST_TESTS && !is_open; i++) {
            const struct txn_step *test = tests[i / LAST_TESTS][i % LAST_TESTS];
            is_open = test != NULL && open_gate(m, test, &front);
        }
        has_moved |= is_open;
    }
    m->tried = tried;
    struct input_case made = make_case(m, &front.at);
    if (has_moved && run_case(m, &made) && reaches_more(m))
        keep(m, inputs, kept, &front.at, made);
}

/* What differs from the assignment in one choice, as far as it reaches more. False: no more is to be tried. */
static bool vary_one(struct maker *m, struct inputs *inputs, struct kept *kept,
                     const struct assignment *from, size_t *runs_left) {
    for (size_t d = 0; d < m->dim_count; d++) {
        for (size_t k = 1; k < m->dims[d]->choice_count; k++) {
            struct assignment next = *from;
            next.at[d] = (uint8_t)k;
            if (was_tried(m, &next))
                continue;
            if (has_reached_all(m, inputs) || kept->count == INPUT_CASES_MAX ||
                (*runs_left)-- == 0)
                return false;
            struct input_case made = make_case(m, &next);
            if (run_case(m, &made) && reaches_more(m))
                keep(m, inputs, kept, &next, made);
        }
    }
    return true;
}

/* The dimension that puts the rows into one group, if a program looks for the rows of a group; else dim_count. */
static size_t group_dim(const struct maker *m) {
    bool has_group = false;
    for (size_t i = 0; i < m->schema->tables.count && i < 63; i++) {
        const struct table *table = m->schema->tables.items[i];
        for (size_t k = 0; k < table->columns.count && (m->domains.tables & 1ull << i); k++)
            has_group |= m->domains.columns[i][k].is_looked_up && !is_unique_column(table, k) &&
                         column_fk(table, k) == NULL;
    }
    size_t d = 0;
    while (d < m->dim_count && !(has_group && m->dims[d]->kind == DIM_SPREAD))
        d++;
    return d;
}

/* Varies what is kept, one choice at a time, until every step is reached; then the plainest rows of one group, where
 * a row may have others beside it. */
static void vary_for_steps(struct maker *m, struct inputs *inputs, struct kept *kept) {
    size_t runs_left = runs_for(inputs, INPUT_RUNS_MAX), first = kept->count > 1 ? 1 : 0;
    for (size_t i = 0; i < kept->count; i++) {
        /* What got furthest first, then the plainest. */
        struct assignment base = kept->items[i == 0 ? first : i == first ? 0 : i];
        if (!vary_one(m, inputs, kept, &base, &runs_left))
            return;
    }
    if (m->group == m->dim_count)
        return;
    struct assignment base = kept->items[0];
    base.at[m->group] = 1;
    vary_one(m, inputs, kept, &base, &runs_left);
}

/* Varies the kept cases again, for paths that hang on who comes first. */
static void vary_for_paths(struct maker *m, struct inputs *inputs, struct kept *kept) {
    size_t runs = 0, step_cases = kept->count, runs_max = runs_for(inputs, PATH_RUNS_MAX);
    for (size_t i = 0; i < step_cases; i++)
        if (run_case(m, &inputs->cases.items[i]))
            takes_new_path(m, &kept->items[i], &inputs->cases.items[i]);
    for (size_t from = 0; from < step_cases; from++) {
        for (size_t d = 0; d < m->dim_count; d++) {
            for (size_t k = 1; k < m->dims[d]->choice_count; k++) {
                if (kept->count == INPUT_CASES_MAX || runs++ == runs_max)
                    return;
                struct assignment next = kept->items[from];
                if (next.at[d] == k)
                    continue;
                next.at[d] = (uint8_t)k;
                struct input_case made = make_case(m, &next);
                if (run_case(m, &made) && takes_new_path(m, &next, &made))
                    keep(m, inputs, kept, &next, made);
            }
        }
    }
}

static bool is_weighed(const struct maker *m, const struct dim *dim, size_t k) {
    if (dim->kind == DIM_PARAM)
        return m->domains.params.items[dim->program][dim->param].is_weighed &&
               dim->choices[k].kind == CHOICE_FRESH;
    if (dim->kind != DIM_COLUMN || dim->choices[k].kind != CHOICE_VALUE)
        return false;
    const struct candidates *weighed = &m->domains.columns[dim->table][dim->column].weighed;
    for (size_t i = 0; i < weighed->count; i++)
        if (value_equal(m->pool, weighed->values[i], dim->choices[k].value))
            return true;
    return false;
}

/* Which value an expression chooses is no step that is reached or not: the plainest case once with each. */
static void vary_for_values(struct maker *m, struct inputs *inputs, struct kept *kept) {
    for (size_t d = 0; d < m->dim_count; d++) {
        for (size_t k = 1; k < m->dims[d]->choice_count && kept->count < INPUT_CASES_MAX; k++) {
            struct assignment next = kept->items[0];
            if (!is_weighed(m, m->dims[d], k))
                continue;
            next.at[d] = (uint8_t)k;
            struct input_case made = make_case(m, &next);
            if (run_case(m, &made))
                keep(m, inputs, kept, &next, made);
        }
    }
}

/* What two sessions add may hang on each other where both add it to the same rows: the furthest case once so. */
static void share_parents(struct maker *m, struct inputs *inputs, struct kept *kept) {
    size_t from = kept->count > 1 ? 1 : 0;
    struct assignment next = kept->items[from];
    bool is_shared = false;
    for (size_t d = 0; d < m->dim_count; d++)
        for (size_t k = 1; k < m->dims[d]->choice_count && m->dims[d]->kind == DIM_PARAM; k++)
            if (m->dims[d]->choices[k].kind == CHOICE_SHARED && next.at[d] == 0) {
                next.at[d] = (uint8_t)k;
                is_shared = true;
            }
    if (!is_shared || kept->count == INPUT_CASES_MAX || was_tried(m, &next))
        return;
    struct input_case made = make_case(m, &next);
    if (run_case(m, &made) && made.writers != 0)
        keep(m, inputs, kept, &next, made);
}

static void vary(struct maker *m, enum inputs_aim aim, struct inputs *inputs) {
    struct kept kept = {0};
    struct assignment plain = {{0}};
    struct input_case first = make_case(m, &plain);
    was_tried(m, &plain);
    m->group = group_dim(m);
    if (run_case(m, &first))
        reaches_more(m);
    keep(m, inputs, &kept, &plain, first);
    open_gates(m, inputs, &kept);
    if (m->program_count > 1)
        share_parents(m, inputs, &kept);
    vary_for_steps(m, inputs, &kept);
    vary_for_values(m, inputs, &kept);
    if (m->program_count > 1 && aim == INPUTS_PATHS)
        vary_for_paths(m, inputs, &kept);
}

void inputs_make(struct arena *arena, struct arena *scratch, const struct schema *schema,
                 struct text_pool *pool, const struct db_config *config,
                 const struct txn_program *const *programs, size_t program_count,
                 enum inputs_aim aim, struct inputs *inputs) {
    struct maker *m = ARENA_NEW(scratch, struct maker);
    m->arena = arena;
    m->scratch = scratch;
    m->schema = schema;
    m->pool = pool;
    m->config = config;
    m->programs = programs;
    m->program_count = program_count;
    m->domains = (struct domains){.arena = scratch, .schema = schema, .pool = pool};
    LW_ASSERT(program_count <= DB_SESSIONS_MAX);
    domains_read(&m->domains, programs, program_count);
    m->tables = with_parents(schema, m->domains.tables);
    m->plain = ARENA_ARRAY(scratch, struct plain *, schema->tables.count);
    m->inserts = ARENA_ARRAY(scratch, struct map, schema->tables.count);
    map_init(&m->reached, scratch);
    map_init(&m->paths, scratch);
    map_init(&m->tried, scratch);
    make_dims(m);
    for (size_t i = 0; i < program_count; i++)
        if (same_program(m, i) == i)
            inputs->step_count += count_steps(&programs[i]->body);
    inputs->step_count += m->has_taken;
    vary(m, aim, inputs);
    inputs->reached_count = m->reached_steps;
    inputs->reached_writes = m->reached_writes;
    world_free(&m->rows);
    world_free(&m->running);
}
