/* SELECT: matches come from the join, then go one of three ways: grouped; straight to the output, where
 * nothing has to be seen before the first row can be given (so that LIMIT can stop the scan, and with it
 * the locks it takes); or collected, sorted, and then output. */
#include "engine/query.h"

#include "base/assert.h"
#include "engine/query_group.h"
#include "engine/query_join.h"

enum { NO_LIMIT = -1 };

/* One match kept for sorting. */
struct candidate {
    struct query_tuple tuple;
    const struct value *items; /* NULL: to be computed again */
};

/* One running SELECT. */
struct selection {
    struct query *query;
    const struct sql_select *select;
    struct join join;
    struct grouping grouping;
    size_t key_count;
    VEC(struct candidate) candidates;
    VEC(struct value) keys; /* key_count for each candidate */
    int64_t limit, offset;  /* rows still to be given (NO_LIMIT: all), to be passed over */
    size_t row_capacity;
    struct query_result result;
};

/* ---- output ---- */

static bool compute_items(struct query *query, const struct sql_item *items, size_t count,
                          struct value *out) {
    for (size_t i = 0; i < count; i++) {
        LW_ASSERT(items[i].expr != NULL); /* sql_resolve has expanded `*` */
        if (!eval_expr(&query->eval, items[i].expr, &out[i]))
            return false;
    }
    return true;
}

static const struct value *selection_items(struct selection *s) {
    size_t count = s->select->items.count;
    struct value *items = ARENA_ARRAY(s->query->eval.scratch, struct value, count);
    return compute_items(s->query, s->select->items.items, count, items) ? items : NULL;
}

static bool was_given(const struct selection *s, const struct value *items) {
    const struct query_result *result = &s->result;
    for (size_t row = 0; row < result->row_count; row++) {
        size_t i = 0;
        while (i < result->column_count &&
               eval_key_order(&s->query->eval, result->rows[row * result->column_count + i],
                              items[i]) == 0)
            i++;
        if (i == result->column_count)
            return true;
    }
    return false;
}

static void grow_rows(struct selection *s) {
    struct query_result *result = &s->result;
    struct arena *scratch = s->query->eval.scratch;
    if (result->row_count < s->row_capacity)
        return;
    s->row_capacity = s->row_capacity == 0 ? 8 : s->row_capacity * 2;
    struct value *rows = ARENA_ARRAY(scratch, struct value, s->row_capacity * result->column_count);
    struct db_ref *refs = ARENA_ARRAY(scratch, struct db_ref, s->row_capacity * result->ref_count);
    if (result->row_count > 0) {
        memcpy(rows, result->rows, result->row_count * result->column_count * sizeof *rows);
        if (result->ref_count > 0)
            memcpy(refs, result->row_refs, result->row_count * result->ref_count * sizeof *refs);
    }
    result->rows = rows;
    result->row_refs = result->ref_count > 0 ? refs : NULL;
}

/* Gives one row, unless DISTINCT or OFFSET swallow it. */
static void give_row(struct selection *s, const struct value *items, const struct db_ref *refs) {
    struct query_result *result = &s->result;
    if (s->select->is_distinct && was_given(s, items))
        return;
    if (s->offset > 0 && !s->select->is_distinct) {
        s->offset--;
        return;
    }
    grow_rows(s);
    if (result->column_count > 0)
        memcpy(result->rows + result->row_count * result->column_count, items,
               result->column_count * sizeof *items);
    if (result->ref_count > 0)
        memcpy(result->row_refs + result->row_count * result->ref_count, refs,
               result->ref_count * sizeof *refs);
    result->row_count++;
}

/* With DISTINCT the rows passed over had to be kept to compare with. */
static void drop_offset(struct selection *s) {
    struct query_result *result = &s->result;
    if (!s->select->is_distinct || s->offset == 0)
        return;
    size_t drop = (uint64_t)s->offset < result->row_count ? (size_t)s->offset : result->row_count;
    result->row_count -= drop;
    result->rows += drop * result->column_count;
    if (result->ref_count > 0)
        result->row_refs += drop * result->ref_count;
}

static bool is_full(const struct selection *s) {
    int64_t kept = s->select->is_distinct ? s->offset : 0;
    return s->limit != NO_LIMIT && (int64_t)s->result.row_count - kept >= s->limit;
}

/* PostgreSQL's LockRows: *kept tells whether the match is still one. `frame` and `tuple` may be new then. */
static bool lock_tuple(struct selection *s, struct query_tuple *tuple, bool *kept,
                       bool *is_changed) {
    const struct row_source *source = &s->query->source;
    *kept = true;
    *is_changed = false;
    if (source->lock == NULL || s->select->lock == SQL_LOCK_NONE)
        return true;
    switch (source->lock(source->context, &s->query->eval, s->select, tuple)) {
    case TUPLE_KEEP:
        return true;
    case TUPLE_DROP:
        *kept = false;
        return true;
    case TUPLE_STOP:
        return false;
    case TUPLE_RECHECK:
        break;
    }
    *is_changed = true;
    join_set_tuple(&s->join, tuple);
    return join_conditions_hold(&s->join, kept);
}

/* Locks a match, and gives it. The frame is at `tuple`. */
static bool give_match(struct selection *s, struct query_tuple *tuple, const struct value *items) {
    bool kept, is_changed;
    if (!lock_tuple(s, tuple, &kept, &is_changed))
        return false;
    if (!kept)
        return true;
    join_note_reads(&s->join, tuple);
    if ((items == NULL || is_changed) && (items = selection_items(s)) == NULL)
        return false;
    give_row(s, items, tuple->refs);
    return true;
}

/* ---- the three ways ---- */

static bool emit_straight(struct join *join) {
    struct selection *s = join->context;
    if (!is_full(s) && !give_match(s, &join->tuple, NULL))
        return false;
    join->is_done = is_full(s);
    return !join->is_done;
}

static bool add_keys(struct selection *s, const struct value *items) {
    struct eval *eval = &s->query->eval;
    s->join.frame.items = items; /* an alias may stand inside of an expression */
    for (size_t i = 0; i < s->key_count; i++) {
        struct value key;
        const struct sql_expr *expr = s->select->order_by.items[i].expr;
        if (!eval_expr(eval, query_item_expr(s->select, expr), &key))
            return false;
        VEC_PUSH(eval->scratch, &s->keys, key);
    }
    s->join.frame.items = NULL;
    return true;
}

static bool emit_candidate(struct join *join) {
    struct selection *s = join->context;
    struct candidate candidate = {join_copy_tuple(join), selection_items(s)};
    if (candidate.items == NULL || !add_keys(s, candidate.items))
        return false;
    VEC_PUSH(s->query->eval.scratch, &s->candidates, candidate);
    return true;
}

static bool emit_to_group(struct join *join) {
    struct selection *s = join->context;
    join_note_reads(join, &join->tuple);
    return grouping_add(&s->grouping);
}

static uint32_t *sorted_candidates(struct selection *s) {
    uint32_t *order = ARENA_ARRAY(s->query->eval.scratch, uint32_t, s->candidates.count);
    for (size_t i = 0; i < s->candidates.count; i++)
        order[i] = (uint32_t)i;
    if (s->key_count > 0)
        query_sort(s->query, order, s->candidates.count, s->keys.items, s->key_count,
                   s->select->order_by.items);
    return order;
}

static bool give_candidates(struct selection *s) {
    const uint32_t *order = sorted_candidates(s);
    for (size_t i = 0; i < s->candidates.count && !is_full(s); i++) {
        struct candidate *candidate = &s->candidates.items[order[i]];
        join_set_tuple(&s->join, &candidate->tuple);
        if (!give_match(s, &candidate->tuple, candidate->items))
            return false;
    }
    return true;
}

/* HAVING, items and sort keys of each group; then as candidates. */
static bool give_groups(struct selection *s) {
    struct eval *eval = &s->query->eval;
    grouping_end(&s->grouping);
    for (size_t i = 0; i < s->grouping.groups.count; i++) {
        struct eval_group values;
        bool holds;
        struct candidate candidate;
        if (!grouping_enter(&s->grouping, i, &values))
            return false;
        candidate.items = selection_items(s);
        s->join.frame.items = candidate.items;
        if (candidate.items == NULL || !eval_condition(eval, s->select->having, &holds))
            return false;
        if (!holds)
            continue;
        if (!add_keys(s, candidate.items))
            return false;
        VEC_PUSH(eval->scratch, &s->candidates, candidate);
    }
    s->join.frame.group = NULL;
    s->join.frame.items = NULL;
    const uint32_t *order = sorted_candidates(s);
    for (size_t i = 0; i < s->candidates.count && !is_full(s); i++)
        give_row(s, s->candidates.items[order[i]].items, NULL);
    return true;
}

/* ---- a whole SELECT ---- */

/* LIMIT and OFFSET; NULL counts as none. `rows_max` is what the caller can use. */
static bool eval_limits(struct selection *s, int64_t rows_max) {
    struct eval *eval = &s->query->eval;
    struct value value;
    s->limit = rows_max;
    if (s->select->limit != NULL) {
        if (!eval_expr(eval, s->select->limit, &value))
            return false;
        if (value.kind != VALUE_NULL && value.kind != VALUE_INT)
            return eval_fail(eval, DB_ERROR_DATA, "LIMIT of no integer");
        /* SQLite: LIMIT -1 is no limit; elsewhere it is an error */
        if (value.kind == VALUE_INT && value.number < 0 && eval->engine != ENGINE_SQLITE)
            return eval_fail(eval, DB_ERROR_DATA, "negative LIMIT");
        if (value.kind == VALUE_INT && value.number >= 0 &&
            (s->limit == NO_LIMIT || value.number < s->limit))
            s->limit = value.number;
    }
    if (s->select->offset != NULL) {
        if (!eval_expr(eval, s->select->offset, &value))
            return false;
        if (value.kind == VALUE_INT && value.number > 0)
            s->offset = value.number;
    }
    return true;
}

static void set_scans(struct selection *s) {
    const struct sql_select *select = s->select;
    for (size_t i = 0; i < s->join.source_count; i++) {
        struct query_scan *scan = &s->join.scans[i];
        scan->select = select;
        if (select->lock_sources & (1u << i))
            scan->lock = select->lock;
        scan->lock_wait = select->lock_wait;
    }
    if (s->join.source_count == 1 && s->key_count > 0 && !select->is_aggregate) {
        s->join.scans[0].order_by = select->order_by.items;
        s->join.scans[0].order_count = s->key_count;
    }
}

/* Whether the first row given is known before the scan has ended. A scan says so when it is opened, so this
 * is asked at the first match. */
static bool emit_first(struct join *join) {
    struct selection *s = join->context;
    bool is_sorted = s->key_count == 0 || (join->source_count == 1 && join->scans[0].is_sorted);
    join->emit = is_sorted ? emit_straight : emit_candidate;
    return join->emit(join);
}

static bool selection_run(struct selection *s, int64_t rows_max) {
    s->key_count = s->select->order_by.count;
    set_scans(s);
    s->join.context = s;
    s->result.column_count = s->select->items.count;
    s->result.ref_count = s->select->is_aggregate ? 0 : s->join.source_count;
    if (!eval_limits(s, rows_max))
        return false;
    if (s->select->is_aggregate) {
        grouping_begin(&s->grouping, &s->join, s->select);
        s->join.emit = emit_to_group;
        return join_run(&s->join) && give_groups(s);
    }
    s->join.emit = emit_first;
    return join_run(&s->join) && give_candidates(s);
}

static bool run_select(struct query *query, const struct sql_select *select, int64_t rows_max,
                       struct query_result *result) {
    const struct sql_source *sources[SQL_SOURCES_MAX];
    struct selection s = {.query = query, .select = select};
    LW_ASSERT(select->sources.count <= SQL_SOURCES_MAX);
    for (size_t i = 0; i < select->sources.count; i++)
        sources[i] = &select->sources.items[i];
    if (!join_begin(&s.join, query, sources, select->sources.count, select->where))
        return false;
    bool done = selection_run(&s, rows_max);
    join_end(&s.join);
    if (done)
        drop_offset(&s);
    *result = s.result;
    return done;
}

bool query_select(struct query *query, const struct sql_select *select,
                  struct query_result *result) {
    return run_select(query, select, NO_LIMIT, result);
}

/* ---- subqueries ---- */

static bool subquery_in(struct eval *eval, const struct query_result *found,
                        const struct value *needle, size_t needle_count, struct value *result) {
    *result = value_bool(false);
    if (found->column_count != needle_count)
        return eval_fail(eval, DB_ERROR_DATA, "rows of different length compared");
    for (size_t row = 0; row < found->row_count; row++) {
        bool is_unknown = false, is_equal = true;
        for (size_t i = 0; i < needle_count && is_equal; i++) {
            struct value item = found->rows[row * needle_count + i];
            int order = 0;
            if (item.kind == VALUE_NULL || needle[i].kind == VALUE_NULL)
                is_unknown = true;
            else if (!eval_compare(eval, needle[i], item, &order))
                return false;
            is_equal = order == 0;
        }
        if (is_equal && !is_unknown) {
            *result = value_bool(true);
            return true;
        }
        if (is_equal)
            *result = value_null();
    }
    return true;
}

static bool run_scalar(struct query *query, const struct sql_select *select,
                       struct value *result) {
    struct query_result found;
    struct eval *eval = &query->eval;
    if (!run_select(query, select, 2, &found))
        return false;
    if (found.column_count != 1)
        return eval_fail(eval, DB_ERROR_DATA, "scalar subquery of %zu columns", found.column_count);
    if (found.row_count > 1)
        return eval_fail(eval, DB_ERROR_CARDINALITY, "%s", "");
    *result = found.row_count == 0 ? value_null() : found.rows[0];
    return true;
}

static bool run_scalar_once(struct query *query, const struct sql_select *select,
                            struct value *result) {
    for (size_t i = 0; i < query->once.count; i++) {
        const struct query_once *once = &query->once.items[i];
        if (once->select != select)
            continue;
        if (once->is_correlated)
            return run_scalar(query, select, result);
        *result = once->value;
        return true;
    }
    if (!run_scalar(query, select, result))
        return false;
    struct query_once once = {select, query_is_correlated(&query->eval, select), *result};
    VEC_PUSH(query->eval.scratch, &query->once, once);
    return true;
}

static bool run_subquery(struct eval *eval, const struct sql_select *select,
                         enum eval_subquery_mode mode, const struct value *needle,
                         size_t needle_count, struct value *result) {
    struct query *query = (struct query *)eval; /* its first member */
    struct query_result found;
    if (mode == EVAL_SUBQUERY_SCALAR && eval->engine == ENGINE_POSTGRESQL)
        return run_scalar_once(query, select, result);
    if (mode == EVAL_SUBQUERY_SCALAR)
        return run_scalar(query, select, result);
    if (!run_select(query, select, mode == EVAL_SUBQUERY_EXISTS ? 1 : NO_LIMIT, &found))
        return false;
    if (mode == EVAL_SUBQUERY_IN)
        return subquery_in(eval, &found, needle, needle_count, result);
    *result = value_bool(found.row_count > 0);
    return true;
}

void query_begin(struct query *query, const struct row_source *source) {
    query->source = *source;
    query->eval.subquery = run_subquery;
    query->eval.frame = NULL;
    query->eval.nesting = 0;
    query->eval.error = DB_OK_NO_ERROR;
    query->eval.detail[0] = '\0';
    memset(&query->reads, 0, sizeof query->reads);
    memset(&query->once, 0, sizeof query->once);
    query->step_count = 0;
    query->level = 0;
}

/* ---- UPDATE and DELETE ---- */

struct matching {
    const struct query_change *change;
    struct join join;
    VEC(struct query_tuple) matches; /* with ORDER BY, or if the scan is_read_first */
    VEC(struct value) keys;
    VEC(uint16_t) given; /* rows of the target; with other sources one may match more than once */
    int64_t limit;
};

static bool change_match(struct matching *m, struct query_tuple *tuple) {
    struct query *query = m->join.query;
    for (size_t i = 0; m->change->other_count > 0 && i < m->given.count; i++)
        if (m->given.items[i] == tuple->refs[0].row)
            return true;
    if (m->change->other_count > 0)
        VEC_PUSH(query->eval.scratch, &m->given, tuple->refs[0].row);
    join_note_reads(&m->join, tuple);
    enum tuple_step step = m->change->change(m->change->context, query, tuple);
    LW_ASSERT(step != TUPLE_RECHECK);
    if (step == TUPLE_STOP)
        return false;
    if (step == TUPLE_KEEP && m->limit != NO_LIMIT)
        m->limit--;
    return true;
}

static bool emit_match(struct join *join) {
    struct matching *m = join->context;
    struct eval *eval = &join->query->eval;
    struct query_tuple tuple = join_copy_tuple(join);
    join->is_done = m->change->order_count == 0 && m->limit != NO_LIMIT &&
                    (int64_t)m->matches.count >= m->limit;
    if (join->is_done)
        return true;
    VEC_PUSH(eval->scratch, &m->matches, tuple);
    for (size_t i = 0; i < m->change->order_count; i++) {
        struct value key;
        if (!eval_expr(eval, m->change->order_by[i].expr, &key))
            return false;
        VEC_PUSH(eval->scratch, &m->keys, key);
    }
    return true;
}

static bool emit_change(struct join *join) {
    struct matching *m = join->context;
    if (join->scans[0].is_read_first) {
        enum tuple_step step = m->change->hold(m->change->context, join->query, &join->tuple);
        return step != TUPLE_STOP && (step != TUPLE_KEEP || emit_match(join));
    }
    join->is_done = m->limit == 0;
    return !join->is_done && change_match(m, &join->tuple);
}

static bool change_in_order(struct matching *m) {
    struct query *query = m->join.query;
    uint32_t *order = ARENA_ARRAY(query->eval.scratch, uint32_t, m->matches.count);
    for (size_t i = 0; i < m->matches.count; i++)
        order[i] = (uint32_t)i;
    if (m->change->order_count > 0)
        query_sort(query, order, m->matches.count, m->keys.items, m->change->order_count,
                   m->change->order_by);
    for (size_t i = 0; i < m->matches.count && m->limit != 0; i++) {
        join_set_tuple(&m->join, &m->matches.items[order[i]]);
        if (!change_match(m, &m->matches.items[order[i]]))
            return false;
    }
    return true;
}

static bool matching_run(struct matching *m) {
    struct eval *eval = &m->join.query->eval;
    struct value limit;
    m->limit = NO_LIMIT;
    m->join.context = m;
    m->join.scans[0].is_target = true;
    if (m->change->limit != NULL) {
        if (!eval_expr(eval, m->change->limit, &limit))
            return false;
        if (limit.kind != VALUE_INT || limit.number < 0)
            return eval_fail(eval, DB_ERROR_DATA, "LIMIT of no integer");
        m->limit = limit.number;
    }
    m->join.emit = m->change->order_count > 0 ? emit_match : emit_change;
    return join_run(&m->join) && (m->matches.count == 0 || change_in_order(m));
}

bool query_match(struct query *query, const struct query_change *change) {
    const struct sql_source *sources[SQL_SOURCES_MAX];
    struct matching m = {.change = change};
    if (change->other_count + 1 > SQL_SOURCES_MAX)
        return eval_fail(&query->eval, DB_ERROR_LIMIT, "more than %d tables", SQL_SOURCES_MAX);
    sources[0] = change->target;
    for (size_t i = 0; i < change->other_count; i++)
        sources[i + 1] = &change->others[i];
    if (!join_begin(&m.join, query, sources, change->other_count + 1, change->where))
        return false;
    bool done = matching_run(&m);
    join_end(&m.join);
    return done;
}

bool query_recheck(struct query *query, const struct query_change *change,
                   const struct query_tuple *tuple, bool *holds) {
    /* The frame is that of the running query_match: see query_change.change. */
    struct eval_frame *frame = (struct eval_frame *)query->eval.frame;
    LW_ASSERT(frame != NULL && frame->source_count == change->other_count + 1);
    *holds = true;
    for (size_t i = 0; i < frame->source_count; i++)
        frame->rows[i] = tuple->rows[i];
    for (size_t i = 0; i < change->other_count && *holds; i++)
        if (tuple->rows[i + 1] != NULL &&
            !eval_condition(&query->eval, change->others[i].on, holds))
            return false;
    return !*holds || eval_condition(&query->eval, change->where, holds);
}

bool query_returning(struct query *query, const struct sql_item *items, size_t item_count,
                     const struct value *row, struct value *out) {
    struct eval_frame frame = {.outer = NULL, .source_count = 1, .rows = {row}};
    const struct eval_frame *outer = query->eval.frame;
    query->eval.frame = &frame;
    bool done = compute_items(query, items, item_count, out);
    query->eval.frame = outer;
    return done;
}
