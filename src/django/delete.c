/* Deleting: Django collects what depends on the rows by its foreign keys and deletes that first. */
#include "base/assert.h"
#include "django/model_meta.h"
#include "django/orm.h"
#include "django/signal.h"
#include "django/sqlgen.h"
#include "django/values.h"

enum { CASCADE_DEPTH_MAX = 4 };

static bool is_dependent(const struct reverse *reverse) {
    return reverse->field->kind != FIELD_MANY_TO_MANY && reverse->model->table >= 0 &&
           reverse->field->on_delete != ON_DELETE_OTHER;
}

bool model_has_dependents(const struct model *model) {
    for (size_t i = 0; i < model->reverses.count; i++)
        if (is_dependent(&model->reverses.items[i]))
            return true;
    return false;
}

static void column_in(struct lowerer *l, struct str table, struct str column, struct str keys,
                      struct buf *sql) {
    sql_name(l, table, sql);
    buf_add_char(sql, '.');
    sql_name(l, column, sql);
    buf_printf(sql, " IN (%.*s)", STR_ARG(keys));
}

static void delete_keys(struct lowerer *l, struct txn_span span, struct model *model, struct str column,
                        struct str keys) {
    struct buf sql = {0};
    buf_add_c(&sql, "DELETE FROM ");
    sql_name(l, model->table_name, &sql);
    buf_add_c(&sql, " WHERE ");
    column_in(l, model->table_name, column, keys, &sql);
    lower_sql(l, span, TXN_INTO_NOTHING, TXN_NO_VAR, &sql);
    buf_release(&sql);
}

static uint16_t select_keys(struct lowerer *l, struct txn_span span, struct model *model,
                            struct str column, struct str keys) {
    struct buf sql = {0};
    uint16_t var = lower_var(l, STR("dependents"));
    buf_add_c(&sql, "SELECT ");
    sql_name(l, model->table_name, &sql);
    buf_add_char(&sql, '.');
    sql_name(l, model->pk->column, &sql);
    buf_add_c(&sql, " FROM ");
    sql_name(l, model->table_name, &sql);
    buf_add_c(&sql, " WHERE ");
    column_in(l, model->table_name, column, keys, &sql);
    lower_sql(l, span, TXN_INTO_LIST, var, &sql);
    buf_release(&sql);
    return var;
}

/* Where it would get too large, the receivers are not run. */
static void note_signals(struct lowerer *l, struct txn_span span, const struct model *model) {
    signal_note(l, span, SIGNAL_PRE_DELETE, model);
    signal_note(l, span, SIGNAL_POST_DELETE, model);
}

static bool has_receivers(const struct lowerer *l, const struct model *model) {
    bool is_told = signal_runs(l, SIGNAL_PRE_DELETE, model) || signal_runs(l, SIGNAL_POST_DELETE, model);
    return is_told && !l->is_small && l->step_count < LOWER_STEPS_MAX / 4;
}

static void delete_dependents(struct lowerer *l, struct txn_span span, struct model *model,
                              struct str keys, int depth);

/* What is done with each row of a list: a receiver is run, or (SIGNAL_M2M_CHANGED) it is deleted. */
static void each_row(struct lowerer *l, struct txn_span span, struct model *model, uint16_t rows,
                     enum signal signal, int depth) {
    struct row *row = row_new(l, model, lower_var(l, str_lower(l->arena, model->name)));
    bool is_deleting = signal == SIGNAL_M2M_CHANGED;
    if (l->frame->is_terminated || (!is_deleting && !signal_runs(l, signal, model)))
        return;
    row->pk_state.val = val_bool(l, span, true);
    l->is_pinned[row->var] = true;
    struct txn_step *loop = txn_build_for(&l->b, span, row->var, rows);
    size_t mark = flow_mark(l);
    if (is_deleting) {
        struct str key = str_printf(l->arena, ":%.*s.%.*s",
                                    STR_ARG(l->b.program->vars.items[row->var].name),
                                    STR_ARG(model->pk->column));
        delete_dependents(l, span, model, key, depth);
        delete_keys(l, span, model, model->pk->column, key);
    } else {
        /* A message about every row that goes, whatever it is, does no harm if it is sent twice. */
        bool is_silent = signal_is_general(l, model);
        l->silent_depth += is_silent;
        signal_send(l, span, signal, row, NULL, NULL);
        l->silent_depth -= is_silent;
    }
    flow_undo(l, mark);
    l->frame->is_terminated = false;
    txn_build_end(&l->b, loop);
}

/* Rows that receivers are told of one by one. They are deleted one by one too, where Django sends one DELETE. */
static void delete_rows(struct lowerer *l, struct txn_span span, struct model *model, uint16_t rows,
                        int depth) {
    each_row(l, span, model, rows, SIGNAL_PRE_DELETE, depth);
    each_row(l, span, model, rows, SIGNAL_M2M_CHANGED, depth);
    each_row(l, span, model, rows, SIGNAL_POST_DELETE, depth);
}

static uint16_t select_rows(struct lowerer *l, struct txn_span span, struct model *model,
                            struct str column, struct str keys) {
    struct sqlgen gen;
    struct buf sql = {0};
    uint16_t var = lower_var(l, STR("dependents"));
    sqlgen_init(&gen, l, model, span);
    buf_add_c(&sql, "SELECT ");
    sqlgen_columns(&gen, query_new(l, span, model), &sql);
    sqlgen_from(&gen, &sql);
    buf_add_c(&sql, " WHERE ");
    column_in(l, model->table_name, column, keys, &sql);
    lower_sql(l, span, TXN_INTO_ROWS, var, &sql);
    buf_release(&sql);
    return var;
}

static void clear_column(struct lowerer *l, struct txn_span span, const struct reverse *reverse, struct str keys) {
    struct str column = reverse->field->column;
    struct buf sql = {0};
    buf_add_c(&sql, "UPDATE ");
    sql_name(l, reverse->model->table_name, &sql);
    buf_add_c(&sql, " SET ");
    sql_name(l, column, &sql);
    buf_add_c(&sql, " = NULL WHERE ");
    column_in(l, reverse->model->table_name, column, keys, &sql);
    lower_sql(l, span, TXN_INTO_NOTHING, TXN_NO_VAR, &sql);
    buf_release(&sql);
}

static void delete_dependent(struct lowerer *l, struct txn_span span, const struct reverse *reverse, struct str keys,
                             int depth) {
    struct model *model = reverse->model;
    struct str column = reverse->field->column;
    bool is_protected = reverse->field->on_delete == ON_DELETE_PROTECT;
    if (reverse->field->on_delete == ON_DELETE_SET_NULL) {
        clear_column(l, span, reverse, keys);
        return;
    }
    if (!is_protected && has_receivers(l, model)) {
        delete_rows(l, span, model, select_rows(l, span, model, column, keys), depth + 1);
        return;
    }
    if (!is_protected)
        note_signals(l, span, model);
    if (!is_protected && !model_has_dependents(model)) {
        delete_keys(l, span, model, column, keys);
        return;
    }
    uint16_t var = select_keys(l, span, model, column, keys);
    struct txn_step *step = txn_build_if(&l->b, span, txn_of_list(&l->b, span, TXN_EXPR_LEN, var));
    if (is_protected) {
        txn_build_raise(&l->b, span, STR("ProtectedError"));
    } else {
        struct str inner =
            str_printf(l->arena, ":%.*s", STR_ARG(l->b.program->vars.items[var].name));
        delete_dependents(l, span, model, inner, depth + 1);
        delete_keys(l, span, model, model->pk->column, inner);
    }
    txn_build_end(&l->b, step);
}

/* Receivers of every model are too many to be run for each row that goes along. */
static void delete_dependents(struct lowerer *l, struct txn_span span, struct model *model,
                              struct str keys, int depth) {
    if (depth > CASCADE_DEPTH_MAX) {
        lower_note(l, span, STR("a cascade this deep is not modelled"));
        return;
    }
    l->general_depth++;
    for (size_t i = 0; i < model->reverses.count; i++)
        if (is_dependent(&model->reverses.items[i]))
            delete_dependent(l, span, &model->reverses.items[i], keys, depth);
    l->general_depth--;
}

void row_delete(struct lowerer *l, struct txn_span span, struct row *row) {
    struct model *model = row->model;
    struct str key = str_printf(l->arena, ":%.*s.%.*s",
                                STR_ARG(l->b.program->vars.items[row->var].name),
                                STR_ARG(model->pk->column));
    bool is_wide = model_has_dependents(model) ||
                   signal_has(l->facts, SIGNAL_PRE_DELETE, model) ||
                   signal_has(l->facts, SIGNAL_POST_DELETE, model);
    struct txn_step *atomic = is_wide ? lower_atomic(l, span, NULL) : NULL;
    if (is_wide) {
        atomic->is_savepoint_off = true;
        signal_send(l, span, SIGNAL_PRE_DELETE, row, NULL, NULL);
        if (!l->frame->is_terminated)
            delete_dependents(l, span, model, key, 0);
    }
    if (!l->frame->is_terminated)
        delete_keys(l, span, model, model->pk->column, key);
    signal_send(l, span, SIGNAL_POST_DELETE, row, NULL, NULL);
    if (is_wide)
        lower_atomic_end(l, atomic);
    if (model->pk->is_serial) {
        txn_build_set_column(&l->b, span, row->var, model->pk->column,
                             txn_literal(&l->b, span, value_null()));
        cell_set(l, &row->pk_state, val_bool(l, span, false));
    }
}

/* queryset.delete(): one DELETE in a transaction of its own; with dependents the rows are read first. */
void query_delete(struct lowerer *l, struct txn_span span, struct queryset *query) {
    struct model *model = query->model;
    struct sqlgen gen;
    struct txn_step *atomic = lower_atomic(l, span, NULL);
    struct buf sql = {0};
    atomic->is_savepoint_off = true;
    if (query->is_manager)
        query = query_base(l, span, query);
    if (query->limit != NULL)
        lower_note(l, span, STR("delete() of a slice"));
    query = query_copy(l, query);
    query->is_guard = true;
    if (has_receivers(l, model) && query->result == QUERY_ROWS) {
        query->is_manager = false;
        struct val *rows = query_rows(l, span, query, STR("rows"));
        if (rows->kind == VAL_ROWS)
            delete_rows(l, span, model, rows->var, 0);
        l->deleted = TXN_NO_VAR;
        lower_atomic_end(l, atomic);
        return;
    }
    note_signals(l, span, model);
    sqlgen_init(&gen, l, model, span);
    if (!model_has_dependents(model)) {
        struct buf where = {0};
        sqlgen_where(&gen, query, &where);
        buf_add_c(&sql, "DELETE FROM ");
        sql_name(l, model->table_name, &sql);
        if (gen.joins.count == 0)
            buf_add(&sql, buf_str(&where));
        else
            sqlgen_where_keys(l, query, span, &sql);
        uint16_t count = lower_var(l, STR("deleted"));
        lower_sql(l, span, TXN_INTO_COUNT, count, &sql);
        l->deleted = count;
        buf_release(&where);
    } else {
        uint16_t var = lower_var(l, STR("keys"));
        buf_add_c(&sql, "SELECT ");
        sqlgen_column(&gen, model->pk->column, &sql);
        struct buf where = {0};
        sqlgen_where(&gen, query, &where);
        sqlgen_from(&gen, &sql);
        buf_add(&sql, buf_str(&where));
        lower_sql(l, span, TXN_INTO_LIST, var, &sql);
        buf_release(&where);
        struct str keys = str_printf(l->arena, ":%.*s", STR_ARG(l->b.program->vars.items[var].name));
        struct txn_step *step = txn_build_if(&l->b, span, txn_of_list(&l->b, span, TXN_EXPR_LEN, var));
        delete_dependents(l, span, model, keys, 0);
        delete_keys(l, span, model, model->pk->column, keys);
        txn_build_end(&l->b, step);
        l->deleted = TXN_NO_VAR;
    }
    buf_release(&sql);
    lower_atomic_end(l, atomic);
}
