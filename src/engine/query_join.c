/* Nested-loop joins: see query_join.h. */
#include "engine/query_join.h"

#include "base/assert.h"

/* The last source of the running query that `expr` needs. Subqueries are taken to need all. */
static size_t expr_level(const struct sql_expr *expr, size_t last) {
    if (expr->kind == SQL_COLUMN)
        return expr->depth == 0 && expr->source <= last ? expr->source : 0;
    if (expr->select != NULL)
        return last;
    size_t level = 0;
    for (size_t i = 0; i < expr->args.count && level < last; i++) {
        size_t needed = expr_level(expr->args.items[i], last);
        level = needed > level ? needed : level;
    }
    return level;
}

static size_t count_conjuncts(const struct sql_expr *expr) {
    size_t count = 1;
    for (; expr->kind == SQL_BINARY && expr->op == SQL_OP_AND; expr = expr->args.items[0])
        count += count_conjuncts(expr->args.items[1]);
    return count;
}

static void add_conjuncts(struct join *join, const struct sql_expr *expr) {
    if (expr->kind == SQL_BINARY && expr->op == SQL_OP_AND) {
        add_conjuncts(join, expr->args.items[0]);
        add_conjuncts(join, expr->args.items[1]);
        return;
    }
    join->conditions[join->condition_count++] =
        (struct join_condition){expr, expr_level(expr, join->source_count - 1)};
}

static void split_where(struct join *join) {
    struct arena *scratch = join->query->eval.scratch;
    if (join->where == NULL)
        return;
    if (join->source_count <= 1) {
        join->conditions = ARENA_NEW(scratch, struct join_condition);
        join->conditions[join->condition_count++] = (struct join_condition){join->where, 0};
        return;
    }
    join->conditions = ARENA_ARRAY(scratch, struct join_condition, count_conjuncts(join->where));
    add_conjuncts(join, join->where);
}

bool join_begin(struct join *join, struct query *query, const struct sql_source *const *sources,
                size_t source_count, const struct sql_expr *where) {
    struct eval *eval = &query->eval;
    LW_ASSERT(source_count <= SQL_SOURCES_MAX);
    if (query->level >= QUERY_NESTING_MAX)
        return eval_fail(eval, DB_ERROR_LIMIT, "queries nested too deeply");
    *join = (struct join){
        .query = query, .sources = sources, .source_count = source_count, .where = where};
    join->frame.outer = eval->frame;
    join->frame.source_count = source_count;
    join->scans = ARENA_ARRAY(eval->scratch, struct query_scan, source_count);
    join->refs = ARENA_ARRAY(eval->scratch, struct db_ref, source_count);
    join->tuple = (struct query_tuple){join->frame.rows, join->refs};
    for (size_t i = 0; i < source_count; i++) {
        struct query_scan *scan = &join->scans[i];
        scan->table = sources[i]->table_index;
        scan->source = (uint8_t)i;
        scan->level = query->level;
        /* WHERE comes after the rows that an outer join adds: it does not choose what is joined. */
        scan->where = sources[i]->join == SQL_JOIN_LEFT ? NULL : where;
        scan->on = sources[i]->on;
    }
    split_where(join);
    eval->frame = &join->frame;
    query->level++;
    return true;
}

void join_end(struct join *join) {
    LW_ASSERT(join->query->level > 0);
    join->query->level--;
    join->query->eval.frame = join->frame.outer;
}

static bool level_holds(struct join *join, size_t level, bool *holds) {
    *holds = true;
    for (size_t i = 0; i < join->condition_count && *holds; i++)
        if (join->conditions[i].level == level &&
            !eval_condition(&join->query->eval, join->conditions[i].expr, holds))
            return false;
    return true;
}

static bool join_level(struct join *join, size_t level);

/* The source's row is in the frame: goes on with the next source if the conditions hold. */
static bool join_row(struct join *join, size_t level, bool with_on, bool *on_holds, bool *holds) {
    struct eval *eval = &join->query->eval;
    *on_holds = *holds = true;
    if (join->query->step_count++ >= QUERY_STEPS_MAX)
        return eval_fail(eval, DB_ERROR_LIMIT, "more than %d rows looked at", QUERY_STEPS_MAX);
    if (with_on && !eval_condition(eval, join->sources[level]->on, on_holds))
        return false;
    *holds = *on_holds;
    if (*holds && !level_holds(join, level, holds))
        return false;
    return !*holds || join_level(join, level + 1);
}

static bool join_derived(struct join *join, size_t level, bool *any_on) {
    for (size_t i = 0; i < join->derived[level].row_count; i++) {
        bool on_holds, holds;
        join->frame.rows[level] = join->derived[level].rows + i * join->derived[level].column_count;
        if (!join_row(join, level, true, &on_holds, &holds))
            return false;
        *any_on = *any_on || on_holds;
    }
    return true;
}

static bool join_table(struct join *join, size_t level, bool *any_on) {
    struct query *query = join->query;
    const struct row_source *source = &query->source;
    struct query_scan *scan = &join->scans[level];
    scan->place = 0;
    memset(scan->note, 0, sizeof scan->note);
    scan->state = NULL;
    if (!source->open(source->context, &query->eval, scan))
        return false;
    for (;;) {
        enum row_step step = source->next(source->context, &query->eval, scan);
        if (step == ROW_END)
            return true;
        if (step == ROW_STOP)
            return false;
        bool on_holds, holds;
        join->frame.rows[level] = scan->values;
        join->refs[level] = scan->ref;
        if (!join_row(join, level, true, &on_holds, &holds))
            return false;
        *any_on = *any_on || on_holds;
        if (!holds && source->reject != NULL)
            source->reject(source->context, &query->eval, scan);
    }
}

static bool join_level(struct join *join, size_t level) {
    if (level == join->source_count)
        return join->emit(join);
    const struct sql_source *source = join->sources[level];
    bool any_on = false, on_holds, holds;
    join->frame.rows[level] = NULL;
    join->refs[level] = (struct db_ref){0};
    bool done = source->subquery != NULL ? join_derived(join, level, &any_on)
                                         : join_table(join, level, &any_on);
    if (done && !any_on && source->join == SQL_JOIN_LEFT) {
        join->frame.rows[level] = NULL;
        join->refs[level] = (struct db_ref){0};
        done = join_row(join, level, false, &on_holds, &holds);
    }
    join->frame.rows[level] = NULL; /* what comes to the left of it must not see this row */
    return done;
}

static bool derive_sources(struct join *join) {
    struct arena *scratch = join->query->eval.scratch;
    for (size_t i = 0; i < join->source_count; i++) {
        struct query_result result;
        if (join->sources[i]->subquery == NULL)
            continue;
        if (join->derived == NULL)
            join->derived = arena_alloc_array(scratch, join->source_count, sizeof *join->derived);
        if (!query_select(join->query, join->sources[i]->subquery, &result))
            return false;
        join->derived[i].rows = result.rows;
        join->derived[i].row_count = result.row_count;
        join->derived[i].column_count = result.column_count;
    }
    return true;
}

bool join_run(struct join *join) {
    LW_ASSERT(join->emit != NULL);
    if (!derive_sources(join))
        return false;
    if (join->source_count == 0) {
        bool holds;
        if (!level_holds(join, 0, &holds))
            return false;
        return !holds || join->emit(join) || join->is_done;
    }
    return join_level(join, 0) || join->is_done;
}

void join_set_tuple(struct join *join, const struct query_tuple *tuple) {
    for (size_t i = 0; i < join->source_count; i++) {
        join->frame.rows[i] = tuple->rows[i];
        join->refs[i] = tuple->refs[i];
    }
}

bool join_conditions_hold(struct join *join, bool *holds) {
    struct eval *eval = &join->query->eval;
    *holds = true;
    for (size_t i = 0; i < join->source_count && *holds; i++)
        if (join->frame.rows[i] != NULL && !eval_condition(eval, join->sources[i]->on, holds))
            return false;
    return !*holds || eval_condition(eval, join->where, holds);
}

struct query_tuple join_copy_tuple(const struct join *join) {
    struct arena *scratch = join->query->eval.scratch;
    struct query_tuple copy = {
        arena_copy(scratch, join->frame.rows, join->source_count * sizeof *copy.rows),
        arena_copy(scratch, join->refs, join->source_count * sizeof *copy.refs)};
    return copy;
}

void join_note_reads(struct join *join, const struct query_tuple *tuple) {
    struct query *query = join->query;
    for (size_t i = 0; i < join->source_count; i++) {
        struct db_ref ref = tuple->refs[i];
        if (ref.version == 0)
            continue;
        /* Subqueries run once per outer row: most repeats are near the end. */
        size_t from = query->reads.count > 64 ? query->reads.count - 64 : 0, k = from;
        while (k < query->reads.count && query->reads.items[k].version != ref.version)
            k++;
        if (k == query->reads.count)
            VEC_PUSH(query->eval.scratch, &query->reads, ref);
    }
}

static int compare_keys(struct query *query, const struct value *a, const struct value *b,
                        size_t key_count, const struct sql_order *order_by) {
    for (size_t i = 0; i < key_count; i++) {
        int order = eval_sort_order(&query->eval, a[i], b[i], order_by[i].is_descending);
        if (order != 0)
            return order;
    }
    return 0;
}

void query_sort(struct query *query, uint32_t *numbers, size_t count, const struct value *keys,
                size_t key_count, const struct sql_order *order_by) {
    uint32_t *other = ARENA_ARRAY(query->eval.scratch, uint32_t, count), *from = numbers;
    for (size_t width = 1; width < count; width *= 2) {
        for (size_t low = 0; low < count; low += 2 * width) {
            size_t middle = low + width < count ? low + width : count;
            size_t high = low + 2 * width < count ? low + 2 * width : count;
            for (size_t a = low, b = middle, out = low; out < high; out++) {
                bool take_right =
                    a == middle ||
                    (b < high && compare_keys(query, keys + from[b] * key_count,
                                              keys + from[a] * key_count, key_count, order_by) < 0);
                other[out] = take_right ? from[b++] : from[a++];
            }
        }
        uint32_t *swap = from;
        from = other;
        other = swap;
    }
    if (from != numbers)
        memcpy(numbers, from, count * sizeof *numbers);
}
