/* What a choice makes: the rows of the tables, the arguments of the sessions. */
#include "inputs/maker.h"

#include "base/assert.h"

/* The numbers of a type: 12 and 2 of numeric(12, 2), 20 of varchar(20). 0: not given. */
static void type_sizes(struct str type_text, uint32_t sizes[2]) {
    size_t at = str_find(type_text, '(', 0);
    sizes[0] = sizes[1] = 0;
    for (size_t i = 0; at < type_text.len && i < 2; at++) {
        char byte = type_text.ptr[at];
        if (byte >= '0' && byte <= '9' && sizes[i] < 10000)
            sizes[i] = sizes[i] * 10 + (uint32_t)(byte - '0');
        i += byte == ',';
    }
}

/* The text as far as the column holds it; its last byte, which tells it from others, stays. */
static struct value text_for(struct maker *m, const struct column *column, struct str text) {
    uint32_t sizes[2];
    type_sizes(column->type_text, sizes);
    if (column->type == COLUMN_TEXT && sizes[0] > 0 && text.len > sizes[0])
        text = str_printf(m->scratch, "%.*s%c", (int)sizes[0] - 1, text.ptr, text.ptr[text.len - 1]);
    return value_text(m->pool, text);
}

/* A number in a row: not one that another row's key could be, where the column has room for such. */
static struct value number_for(const struct column *column, int64_t row) {
    uint32_t sizes[2];
    type_sizes(column->type_text, sizes);
    bool is_narrow = sizes[0] > 0 && sizes[0] < sizes[1] + 3;
    return value_int(is_narrow ? row : 100 * row);
}

static struct value plain_value(struct maker *m, size_t table_index, size_t column, int64_t row);

/* A flag that the programs know as false alone: what sets it is to change something. */
static bool is_only_false(const struct maker *m, size_t table_index, size_t column) {
    if (table_index >= 63 || !(m->domains.tables & 1ull << table_index))
        return false;
    const struct candidates *known = &m->domains.columns[table_index][column].constants;
    bool is_false = known->count > 0;
    for (size_t i = 0; i < known->count; i++)
        is_false &= known->values[i].kind == VALUE_BOOL && known->values[i].number == 0;
    return is_false;
}

static struct value make_plain(struct maker *m, size_t table_index, size_t column, int64_t row) {
    const struct table *table = m->schema->tables.items[table_index];
    const struct column *info = &table->columns.items[column];
    bool is_key = is_unique_column(table, column);
    const struct foreign_key *fk = column_fk(table, column);
    if (fk != NULL && !info->not_null)
        return value_null();
    if (fk != NULL && fk->parent == table_index)
        return value_int(1);
    if (fk != NULL)
        return plain_value(m, fk->parent, fk->parent_columns[0], is_key ? row : 1);
    switch (info->type) {
    case COLUMN_INT:
    case COLUMN_DECIMAL:
        return is_key ? value_int(row) : number_for(info, row);
    case COLUMN_BOOL:
        return value_bool(is_only_false(m, table_index, column));
    case COLUMN_TIME:
        return value_time(row * 1000);
    default: {
        struct str text = str_printf(m->scratch, "%.*s%lld", STR_ARG(info->name), (long long)row);
        return text_for(m, info, text);
    }
    }
}

/* The value of a column in row `row` (from 1) when nothing else is known. */
static struct value plain_value(struct maker *m, size_t table_index, size_t column, int64_t row) {
    size_t column_count = m->schema->tables.items[table_index]->columns.count;
    struct plain **known = &m->plain[table_index];
    LW_ASSERT(row > 0 && row < PLAIN_ROWS_MAX);
    if (*known == NULL)
        *known = ARENA_ARRAY(m->scratch, struct plain, column_count * PLAIN_ROWS_MAX);
    struct plain *plain = &(*known)[column * PLAIN_ROWS_MAX + (size_t)row];
    if (!plain->is_known)
        *plain = (struct plain){true, make_plain(m, table_index, column, row)};
    return plain->value;
}

static const struct choice *choice_at(const struct maker *m, const struct assignment *a, uint8_t place) {
    return place > 0 ? &m->dims[place - 1]->choices[a->at[place - 1]] : NULL;
}

bool is_spread(const struct maker *m, const struct assignment *a) {
    for (size_t i = m->dim_count; i > 0; i--)
        if (m->dims[i - 1]->kind == DIM_SPREAD)
            return m->dims[i - 1]->choices[a->at[i - 1]].kind == CHOICE_OWN_ROW;
    return false;
}

static struct value column_value(struct maker *m, const struct assignment *a, size_t table_index,
                                 size_t column, int64_t row) {
    const struct table *table = m->schema->tables.items[table_index];
    const uint8_t *places = m->places[table_index].columns;
    const struct choice *choice = places != NULL ? choice_at(m, a, places[column]) : NULL;
    if (choice != NULL && choice->kind == CHOICE_VALUE)
        return choice->value;
    bool is_shared = m->domains.columns[table_index][column].is_looked_up &&
                     !is_unique_column(table, column) &&
                     is_spread(m, a);
    return plain_value(m, table_index, column, is_shared ? 1 : row);
}

static bool is_one_to_one(const struct table *table, size_t column) {
    for (size_t i = 0; i < table->keys.count; i++) {
        const struct key *key = &table->keys.items[i];
        if (key->is_unique && key->column_count == 1 && key->columns[0] == column)
            return true;
    }
    return false;
}

/* A fresh value: of no row, and for parameters that are stored another one in each session. */
static struct value fresh_value(struct maker *m, const struct dim *dim, size_t session) {
    static const struct column any = {.type = COLUMN_INT};
    const struct column *column = &any;
    int64_t number = FRESH_FIRST + FRESH_STEP * (int64_t)session;
    if (dim->table >= 0) {
        const struct table *table = m->schema->tables.items[dim->table];
        const struct foreign_key *fk = column_fk(table, (size_t)dim->column);
        if (fk != NULL) {
            /* A row that is there: the same for all where it is written, for that is what they may lose; and where only
             * one row may hold it, that of the row that all look up. */
            bool is_shared = fk->parent >= 63 || (m->domains.written & 1ull << fk->parent) != 0 ||
                             is_one_to_one(table, (size_t)dim->column);
            int64_t row = is_shared ? 1 : 1 + (int64_t)session % ROWS_PER_TABLE;
            if (fk->parent == (size_t)dim->table)
                row = ROWS_PER_TABLE; /* the first is what is looked up: nothing is its own parent */
            return plain_value(m, fk->parent, fk->parent_columns[0], row);
        }
        column = &table->columns.items[dim->column];
    }
    switch (column->type) {
    case COLUMN_BOOL:
        return value_bool(session == 0);
    case COLUMN_TIME:
        return value_time(100000 + number);
    case COLUMN_TEXT:
    case COLUMN_OTHER:
        return text_for(m, column, str_printf(m->scratch, "value%c", 'A' + (int)session));
    default:
        return value_int(number);
    }
}

static struct value param_value(struct maker *m, const struct assignment *a, size_t dim_index,
                                size_t session) {
    const struct dim *dim = m->dims[dim_index];
    const struct choice *choice = &dim->choices[a->at[dim_index]];
    const struct param_domain *domain = &m->domains.params.items[dim->program][dim->param];
    if (choice->kind == CHOICE_VALUE)
        return choice->value;
    if (choice->kind == CHOICE_BOUND)
        return column_value(m, a, (size_t)domain->bound_table, (size_t)domain->bound_column, 1);
    if (choice->kind == CHOICE_SHARED)
        return fresh_value(m, dim, 0);
    if (choice->kind == CHOICE_TAKEN)
        return column_value(m, a, (size_t)dim->table, (size_t)dim->column, 1);
    if (choice->kind == CHOICE_ROW_2)
        return column_value(m, a, (size_t)dim->table, (size_t)dim->column, 2);
    if (domain->use == PARAM_LOOKUP && choice->kind == CHOICE_FRESH) {
        struct value fresh = fresh_value(m, dim, 0);
        return fresh.kind == VALUE_INT ? value_int(999) : fresh;
    }
    if (domain->use == PARAM_LOOKUP)
        return column_value(m, a, (size_t)dim->table, (size_t)dim->column,
                            is_spread(m, a) ? 1 + (int64_t)session : 1);
    if (domain->use == PARAM_CHOICE)
        return value_bool(true);
    if (domain->use == PARAM_SWITCH && choice->kind != CHOICE_FRESH)
        return domain->on;
    struct value fresh = fresh_value(m, dim, session);
    bool is_weighed = domain->is_weighed && choice->kind != CHOICE_FRESH;
    bool is_beyond = domain->bound_table >= 0 && (is_weighed || choice->kind == CHOICE_BEYOND);
    if (!is_beyond || fresh.kind != VALUE_INT)
        return fresh;
    struct value bound = column_value(m, a, (size_t)domain->bound_table, (size_t)domain->bound_column, 1);
    return bound.kind == VALUE_INT ? value_int(bound.number + fresh.number) : fresh;
}

/* INSERT of one row; NULL if it cannot be. */
static struct sql_stmt *make_insert(struct maker *m, const struct table *table,
                                    const struct value *values) {
    struct sql_insert *insert = ARENA_NEW(m->arena, struct sql_insert);
    struct sql_stmt *stmt = ARENA_NEW(m->arena, struct sql_stmt);
    struct sql_expr **exprs = ARENA_ARRAY(m->arena, struct sql_expr *, table->columns.count);
    for (size_t i = 0; i < table->columns.count; i++) {
        exprs[i] = ARENA_NEW(m->arena, struct sql_expr);
        exprs[i]->kind = SQL_LITERAL;
        exprs[i]->literal = values[i];
        VEC_PUSH(m->arena, &insert->columns, table->columns.items[i].name);
    }
    insert->table = table->name;
    insert->column_count = table->columns.count;
    insert->conflict_key = -1;
    VEC_PUSH(m->arena, &insert->rows, exprs);
    stmt->kind = SQL_STMT_INSERT;
    stmt->insert = insert;
    struct err err;
    return sql_resolve(m->arena, m->schema, stmt, &err) ? stmt : NULL;
}

/* Nothing is its own parent. */
static void cut_off_from_itself(const struct maker *m, size_t table_index, struct value *values) {
    const struct table *table = m->schema->tables.items[table_index];
    for (size_t i = 0; i < table->foreign_keys.count; i++) {
        const struct foreign_key *fk = &table->foreign_keys.items[i];
        bool is_own = fk->parent == table_index && fk->column_count == 1 &&
                      !table->columns.items[fk->columns[0]].not_null &&
                      value_equal(m->pool, values[fk->columns[0]], values[fk->parent_columns[0]]);
        if (is_own)
            values[fk->columns[0]] = value_null();
    }
}

/* Most rows are the same from case to case, so each statement is made once. */
static void add_row(struct maker *m, const struct assignment *a, size_t table_index, int64_t row) {
    const struct table *table = m->schema->tables.items[table_index];
    size_t byte_size = table->columns.count * sizeof(struct value);
    struct value values[TABLE_COLUMNS_MAX];
    for (size_t i = 0; i < table->columns.count; i++)
        values[i] = column_value(m, a, table_index, i, row);
    cut_off_from_itself(m, table_index, values);
    struct str key = {(const char *)values, byte_size};
    struct map *inserts = &m->inserts[table_index];
    if (inserts->arena == NULL)
        map_init(inserts, m->scratch);
    struct sql_stmt *stmt = map_get(inserts, key);
    if (stmt == NULL && (stmt = make_insert(m, table, values)) != NULL)
        map_put(inserts, str_dup(m->scratch, key), stmt);
    if (stmt != NULL)
        VEC_PUSH(m->arena, &m->drawn.setup, stmt);
}

/* Parents before children; a cycle of foreign keys is cut where it closes (its columns are nullable or
 * deferred, else no row could ever be there). */
static void add_table_rows(struct maker *m, const struct assignment *a, size_t table_index,
                           uint64_t *done) {
    if (table_index >= 63 || (*done & 1ull << table_index))
        return;
    *done |= 1ull << table_index;
    const struct table *table = m->schema->tables.items[table_index];
    for (size_t i = 0; i < table->foreign_keys.count; i++)
        add_table_rows(m, a, table->foreign_keys.items[i].parent, done);
    const struct choice *count = choice_at(m, a, m->places[table_index].rows);
    int64_t rows = count != NULL && count->kind == CHOICE_VALUE ? count->value.number : ROWS_PER_TABLE;
    for (int64_t row = 1; row <= rows; row++)
        add_row(m, a, table_index, row);
}

/* Whether the rows made last are those of the assignment. */
static bool has_drawn(const struct maker *m, const struct assignment *a) {
    bool has = m->drawn.is_made;
    for (size_t i = 0; i < m->dim_count && has; i++)
        has = m->dims[i]->kind == DIM_PARAM || m->drawn.of.at[i] == a->at[i];
    return has;
}

static void draw_rows(struct maker *m, const struct assignment *a) {
    uint64_t done = 0;
    m->drawn = (struct drawn_rows){.of = *a, .is_made = true};
    for (size_t i = 0; i < m->schema->tables.count && i < 63; i++)
        if (m->tables & 1ull << i)
            add_table_rows(m, a, i, &done);
}

struct input_case make_case(struct maker *m, const struct assignment *a) {
    struct input_case made = {0};
    if (!has_drawn(m, a))
        draw_rows(m, a);
    made.setup.items = m->drawn.setup.items;
    made.setup.count = made.setup.capacity = m->drawn.setup.count;
    for (size_t s = 0; s < m->program_count; s++) {
        made.args[s] = ARENA_ARRAY(m->arena, struct value, m->programs[s]->param_count);
        for (size_t i = 0; i < m->dim_count; i++)
            if (m->dims[i]->kind == DIM_PARAM && m->dims[i]->program == same_program(m, s))
                made.args[s][m->dims[i]->param] = param_value(m, a, i, s);
    }
    return made;
}
