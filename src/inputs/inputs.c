/* Assignments are vectors of choices, one per dimension: how many rows a table has, what a column holds, what a
 * parameter is. The plainest assignment comes first; then, breadth first, those that differ from a kept one in one
 * choice, kept if they reach a step that no kept one reached, or if one session takes another path when it comes
 * after the other than when it is alone: where that is so, it matters who comes first. */
#include "inputs/inputs.h"

#include "base/assert.h"
#include "inputs/domain.h"

enum { DIMS_MAX = 96, ROWS_PER_TABLE = 2, ROWS_PER_TABLE_MAX = 6, PATH_RUNS_MAX = 40, FRESH_FIRST = 5, FRESH_STEP = 2, PLAIN_ROWS_MAX = 16 };

/* OWN_ROW: each session looks up a row of its own, of one group: what is looked up and not unique is the same in all. */
enum choice_kind {
    CHOICE_VALUE,
    CHOICE_ROW_2,  /* what row 2 holds */
    CHOICE_BOUND,  /* what the column holds that it is compared with */
    CHOICE_BEYOND, /* above that, another one in each session */
    CHOICE_TAKEN,  /* what row 1 holds, where no other row may */
    CHOICE_SHARED, /* fresh, but the same in every session */
    CHOICE_FRESH,
    CHOICE_OWN_ROW,
    CHOICE_DEFAULT
};

struct choice {
    enum choice_kind kind;
    struct value value; /* VALUE */
};

enum dim_kind { DIM_TABLE, DIM_COLUMN, DIM_PARAM, DIM_SPREAD };

struct dim {
    enum dim_kind kind;
    int table, column; /* of a PARAM: what it looks up or is stored in; -1 */
    size_t program, param;
    struct choice choices[CANDIDATES_MAX + 6];
    size_t choice_count;
};

/* What a column holds in a row when nothing else is known, once it was asked for. */
struct plain {
    bool is_known;
    struct value value;
};

struct assignment {
    uint8_t at[DIMS_MAX];
};

struct maker {
    struct arena *arena, *scratch;
    const struct schema *schema;
    struct text_pool *pool;
    const struct db_config *config;
    const struct txn_program *const *programs;
    size_t program_count;
    struct domains domains;
    uint64_t tables; /* that get rows */
    struct plain **plain; /* by table: PLAIN_ROWS_MAX for each column */
    struct map *inserts;  /* by table: the rows that were made, by their values */
    struct dim *dims[DIMS_MAX];
    size_t dim_count;
    size_t group;       /* the dimension that puts the rows into one group, which one session alone does not have */
    bool has_taken;     /* a key may be refused: that is to be reached too */
    struct map reached; /* steps that a kept case reached, by address; and what was refused */
    size_t reached_steps, reached_writes;
    uint32_t writers;   /* in the case at hand */
    struct map now;     /* steps that the case at hand reached */
    struct map tried;   /* assignments */
    struct map paths;   /* pairs of paths, alone and after another session, that a kept case took */
    int watched;        /* the session whose path is noted; -1: none */
    uint64_t path;      /* hash of the steps and answers of that session so far */
    uint64_t alone[DB_SESSIONS_MAX]; /* the path of each session in a run of its own */
    struct world rows, running; /* the rows of the case at hand, and a run on them; reused */
};

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

static const struct foreign_key *column_fk(const struct table *table, size_t column) {
    for (size_t i = 0; i < table->foreign_keys.count; i++) {
        const struct foreign_key *fk = &table->foreign_keys.items[i];
        if (fk->column_count == 1 && fk->columns[0] == column)
            return fk;
    }
    return NULL;
}

static bool is_unique_column(const struct table *table, size_t column) {
    for (size_t i = 0; i < table->keys.count; i++) {
        const struct key *key = &table->keys.items[i];
        for (size_t k = 0; key->is_unique && k < key->column_count; k++)
            if (key->columns[k] == column)
                return true;
    }
    return false;
}

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

static void dim_add(struct maker *m, struct dim *dim, enum choice_kind kind, struct value value) {
    for (size_t i = 0; i < dim->choice_count; i++)
        if (dim->choices[i].kind == kind &&
            (kind != CHOICE_VALUE || value_equal(m->pool, dim->choices[i].value, value)))
            return;
    if (dim->choice_count < LW_COUNT_OF(dim->choices))
        dim->choices[dim->choice_count++] = (struct choice){kind, value};
}

static struct dim *new_dim(struct maker *m, enum dim_kind kind, int table, int column) {
    static struct dim unused; /* past the limit a dimension keeps its plain choice */
    unused = (struct dim){0};
    struct dim *dim = &unused;
    if (m->dim_count < DIMS_MAX)
        dim = m->dims[m->dim_count++] = ARENA_NEW(m->scratch, struct dim);
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
        if (domain->use == PARAM_CHOICE) {
            dim_add(m, dim, CHOICE_VALUE, value_bool(true));
            dim_add(m, dim, CHOICE_VALUE, value_bool(false));
        }
        for (size_t k = 0; k < domain->constants.count; k++)
            dim_add(m, dim, CHOICE_VALUE, domain->constants.values[k]);
    }
}

/* The first session with the same program: the two share their choices. */
static size_t same_program(const struct maker *m, size_t program) {
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

static void make_dims(struct maker *m) {
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

static const struct choice *chosen(const struct maker *m, const struct assignment *a,
                                   enum dim_kind kind, int table, int column) {
    for (size_t i = 0; i < m->dim_count; i++) {
        const struct dim *dim = m->dims[i];
        if (dim->kind == kind && dim->table == table && dim->column == column)
            return &dim->choices[a->at[i]];
    }
    return NULL;
}

static bool is_spread(const struct maker *m, const struct assignment *a) {
    const struct choice *choice = chosen(m, a, DIM_SPREAD, -1, -1);
    return choice != NULL && choice->kind == CHOICE_OWN_ROW;
}

static struct value column_value(struct maker *m, const struct assignment *a, size_t table_index,
                                 size_t column, int64_t row) {
    const struct table *table = m->schema->tables.items[table_index];
    const struct choice *choice = chosen(m, a, DIM_COLUMN, (int)table_index, (int)column);
    if (choice != NULL && choice->kind == CHOICE_VALUE)
        return choice->value;
    bool is_shared = m->domains.columns[table_index][column].is_looked_up &&
                     !is_unique_column(table, column) &&
                     is_spread(m, a);
    return plain_value(m, table_index, column, is_shared ? 1 : row);
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
            /* A row that is there: the same for all where it is written, for that is what they may lose. */
            bool is_shared = fk->parent >= 63 || (m->domains.written & 1ull << fk->parent) != 0;
            return plain_value(m, fk->parent, fk->parent_columns[0],
                               is_shared ? 1 : 1 + (int64_t)session % ROWS_PER_TABLE);
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

/* Most rows are the same from case to case, so each statement is made once. */
static void add_row(struct maker *m, const struct assignment *a, size_t table_index, int64_t row,
                    struct input_case *made) {
    const struct table *table = m->schema->tables.items[table_index];
    size_t byte_size = table->columns.count * sizeof(struct value);
    struct value values[TABLE_COLUMNS_MAX];
    for (size_t i = 0; i < table->columns.count; i++)
        values[i] = column_value(m, a, table_index, i, row);
    struct str key = {(const char *)values, byte_size};
    struct map *inserts = &m->inserts[table_index];
    if (inserts->arena == NULL)
        map_init(inserts, m->scratch);
    struct sql_stmt *stmt = map_get(inserts, key);
    if (stmt == NULL && (stmt = make_insert(m, table, values)) != NULL)
        map_put(inserts, str_dup(m->scratch, key), stmt);
    if (stmt != NULL)
        VEC_PUSH(m->arena, &made->setup, stmt);
}

/* Parents before children; a cycle of foreign keys is cut where it closes (its columns are nullable or
 * deferred, else no row could ever be there). */
static void add_table_rows(struct maker *m, const struct assignment *a, size_t table_index,
                           uint64_t *done, struct input_case *made) {
    if (table_index >= 63 || (*done & 1ull << table_index))
        return;
    *done |= 1ull << table_index;
    const struct table *table = m->schema->tables.items[table_index];
    for (size_t i = 0; i < table->foreign_keys.count; i++)
        add_table_rows(m, a, table->foreign_keys.items[i].parent, done, made);
    const struct choice *count = chosen(m, a, DIM_TABLE, (int)table_index, -1);
    int64_t rows = count != NULL && count->kind == CHOICE_VALUE ? count->value.number : ROWS_PER_TABLE;
    for (int64_t row = 1; row <= rows; row++)
        add_row(m, a, table_index, row, made);
}

static struct input_case make_case(struct maker *m, const struct assignment *a) {
    struct input_case made = {0};
    uint64_t done = 0;
    for (size_t i = 0; i < m->schema->tables.count && i < 63; i++)
        if (m->tables & 1ull << i)
            add_table_rows(m, a, i, &done, &made);
    for (size_t s = 0; s < m->program_count; s++) {
        made.args[s] = ARENA_ARRAY(m->arena, struct value, m->programs[s]->param_count);
        for (size_t i = 0; i < m->dim_count; i++)
            if (m->dims[i]->kind == DIM_PARAM && m->dims[i]->program == same_program(m, s))
                made.args[s][m->dims[i]->param] = param_value(m, a, i, s);
    }
    return made;
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
    return step->kind == TXN_STEP_SQL && step->sql.stmt->kind != SQL_STMT_SELECT;
}

static void note_step(void *context, const struct session *session, const struct txn_step *step) {
    struct maker *m = context;
    if (is_write(step))
        m->writers |= 1u << session->index;
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
    world_free(&m->rows);
    return world_init(&m->rows, m->scratch, m->schema, m->pool, m->config, made->setup.items,
                      made->setup.count, sessions, m->program_count, &err);
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
    size_t runs_left = runs_for(inputs, INPUT_RUNS_MAX);
    for (size_t from = 0; from < kept->count; from++) {
        struct assignment base = kept->items[from];
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

static void vary(struct maker *m, enum inputs_aim aim, struct inputs *inputs) {
    struct kept kept = {0};
    struct assignment plain = {{0}};
    struct input_case first = make_case(m, &plain);
    was_tried(m, &plain);
    m->group = group_dim(m);
    if (run_case(m, &first))
        reaches_more(m);
    keep(m, inputs, &kept, &plain, first);
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
