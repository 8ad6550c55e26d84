/* What can be chosen: how many rows a table has, what a column holds, what a parameter is. */
#include "inputs/maker.h"

#include "base/assert.h"

const struct foreign_key *column_fk(const struct table *table, size_t column) {
    for (size_t i = 0; i < table->foreign_keys.count; i++) {
        const struct foreign_key *fk = &table->foreign_keys.items[i];
        if (fk->column_count == 1 && fk->columns[0] == column)
            return fk;
    }
    return NULL;
}

bool is_unique_column(const struct table *table, size_t column) {
    for (size_t i = 0; i < table->keys.count; i++) {
        const struct key *key = &table->keys.items[i];
        for (size_t k = 0; key->is_unique && k < key->column_count; k++)
            if (key->columns[k] == column)
                return true;
    }
    return false;
}

static void dim_add(struct maker *m, struct dim *dim, enum choice_kind kind, struct value value) {
    for (size_t i = 0; i < dim->choice_count; i++)
        if (dim->choices[i].kind == kind &&
            (kind != CHOICE_VALUE || value_equal(m->pool, dim->choices[i].value, value)))
            return;
    if (dim->choice_count < LW_COUNT_OF(dim->choices))
        dim->choices[dim->choice_count++] = (struct choice){kind, value};
}

/* The dimension made last. */
static void note_place(struct maker *m, enum dim_kind kind, int table, int column) {
    uint8_t place = (uint8_t)m->dim_count;
    if (kind == DIM_TABLE)
        m->places[table].rows = place;
    if (kind != DIM_COLUMN)
        return;
    struct dim_places *places = &m->places[table];
    if (places->columns == NULL)
        places->columns = ARENA_ARRAY(m->scratch, uint8_t, m->schema->tables.items[table]->columns.count);
    places->columns[column] = place;
}

static struct dim *new_dim(struct maker *m, enum dim_kind kind, int table, int column) {
    struct dim *dim = ARENA_NEW(m->scratch, struct dim);
    if (m->dim_count < DIMS_MAX) { /* past the limit a dimension keeps its plain choice */
        m->dims[m->dim_count++] = dim;
        note_place(m, kind, table, column);
    }
    *dim = (struct dim){.kind = kind, .table = table, .column = column};
    dim_add(m, dim, CHOICE_DEFAULT, value_null());
    return dim;
}

static bool fits(const struct column *column, struct value value) {
    switch (value.kind) {
    case VALUE_NULL:
        return !column->not_null;
    case VALUE_BOOL:
        return column->type == COLUMN_BOOL || column->type == COLUMN_INT;
    case VALUE_INT:
    case VALUE_DECIMAL:
        return column->type == COLUMN_INT || column->type == COLUMN_DECIMAL;
    case VALUE_TEXT:
        return column->type == COLUMN_TEXT || column->type == COLUMN_OTHER;
    default:
        return column->type == COLUMN_TIME;
    }
}

static void column_dims(struct maker *m, size_t table_index) {
    const struct table *table = m->schema->tables.items[table_index];
    for (size_t i = 0; i < table->columns.count; i++) {
        const struct column_domain *domain = &m->domains.columns[table_index][i];
        const struct column *column = &table->columns.items[i];
        bool is_fk = column_fk(table, i) != NULL;
        if ((is_unique_column(table, i) && !is_fk) || table->columns.count > TABLE_COLUMNS_MAX)
            continue;
        if (domain->constants.count == 0 && !domain->is_null_tested && !domain->is_compared &&
            !domain->is_truth_tested)
            continue;
        struct dim *dim = new_dim(m, DIM_COLUMN, (int)table_index, (int)i);
        for (size_t k = 0; k < domain->constants.count && !is_fk; k++)
            if (fits(column, domain->constants.values[k]))
                dim_add(m, dim, CHOICE_VALUE, domain->constants.values[k]);
        for (size_t k = 0; k < domain->weighed.count && !is_fk; k++)
            if (fits(column, domain->weighed.values[k]))
                dim_add(m, dim, CHOICE_VALUE, domain->weighed.values[k]);
        if (is_fk)
            dim_add(m, dim, CHOICE_VALUE, value_int(1));
        if (column->type == COLUMN_BOOL)
            dim_add(m, dim, CHOICE_VALUE, value_bool(true));
        for (int64_t n = 1; domain->is_compared && column->type == COLUMN_INT && n <= 3; n++)
            dim_add(m, dim, CHOICE_VALUE, value_int(n));
        if (domain->is_compared && (column->type == COLUMN_INT || column->type == COLUMN_DECIMAL))
            dim_add(m, dim, CHOICE_VALUE, value_int(FRESH_FIRST + FRESH_STEP)); /* enough for one session only */
        if (domain->is_truth_tested && column->type == COLUMN_INT)
            dim_add(m, dim, CHOICE_VALUE, value_int(0));
        if (domain->is_truth_tested && column->type == COLUMN_TEXT)
            dim_add(m, dim, CHOICE_VALUE, value_text(m->pool, STR("")));
        if (!column->not_null)
            dim_add(m, dim, CHOICE_VALUE, value_null());
    }
}

static void param_dims(struct maker *m, size_t program) {
    for (size_t i = 0; i < m->programs[program]->param_count; i++) {
        const struct param_domain *domain = &m->domains.params.items[program][i];
        struct dim *dim = new_dim(m, DIM_PARAM, domain->table, domain->column);
        dim->program = program;
        dim->param = i;
        bool is_key = domain->table >= 0 && is_unique_column(m->schema->tables.items[domain->table],
                                                             (size_t)domain->column);
        if (domain->bound_table >= 0) {
            dim_add(m, dim, CHOICE_BEYOND, value_null());
            dim_add(m, dim, CHOICE_BOUND, value_null());
        }
        if (domain->is_weighed)
            dim_add(m, dim, CHOICE_FRESH, value_null()); /* what min() would choose */
        if (domain->use == PARAM_LOOKUP) {
            dim_add(m, dim, CHOICE_FRESH, value_null());
            if (is_key)
                dim_add(m, dim, CHOICE_ROW_2, value_null());
        } else if (is_key) {
            bool is_alone = m->program_count == 1;
            dim_add(m, dim, is_alone ? CHOICE_TAKEN : CHOICE_SHARED, value_null());
            m->has_taken |= is_alone;
        }
        if (domain->use == PARAM_SWITCH)
            dim_add(m, dim, CHOICE_FRESH, value_null());
        bool is_parent = domain->table >= 0 && !is_key && m->program_count > 1 &&
                         column_fk(m->schema->tables.items[domain->table], (size_t)domain->column) != NULL;
        if (is_parent && domain->use != PARAM_LOOKUP)
            dim_add(m, dim, CHOICE_SHARED, value_null());
        if (domain->use == PARAM_CHOICE) {
            dim_add(m, dim, CHOICE_VALUE, value_bool(true));
            dim_add(m, dim, CHOICE_VALUE, value_bool(false));
        }
        for (size_t k = 0; k < domain->constants.count; k++)
            dim_add(m, dim, CHOICE_VALUE, domain->constants.values[k]);
    }
}

size_t same_program(const struct maker *m, size_t program) {
    for (size_t i = 0; i < program; i++)
        if (m->programs[i] == m->programs[program])
            return i;
    return program;
}

/* How many rows: two, fewer, or as many as a count is compared with. */
static void table_dim(struct maker *m, size_t table) {
    struct dim *dim = new_dim(m, DIM_TABLE, (int)table, -1);
    const struct candidates *counts = &m->domains.counts[table];
    for (int64_t rows = 0; rows < ROWS_PER_TABLE; rows++)
        dim_add(m, dim, CHOICE_VALUE, value_int(rows));
    for (size_t i = 0; i < counts->count; i++)
        if (counts->values[i].kind == VALUE_INT && counts->values[i].number >= 0 &&
            counts->values[i].number <= ROWS_PER_TABLE_MAX)
            dim_add(m, dim, CHOICE_VALUE, counts->values[i]);
}

void make_dims(struct maker *m) {
    m->places = ARENA_ARRAY(m->scratch, struct dim_places, m->schema->tables.count);
    for (size_t i = 0; i < m->program_count; i++)
        if (same_program(m, i) == i)
            param_dims(m, i);
    for (size_t i = 0; i < m->schema->tables.count && i < 63; i++) {
        if (!(m->domains.tables & 1ull << i))
            continue;
        column_dims(m, i);
        table_dim(m, i);
    }
    if (m->program_count > 1)
        dim_add(m, new_dim(m, DIM_SPREAD, -1, -1), CHOICE_OWN_ROW, value_null());
}
