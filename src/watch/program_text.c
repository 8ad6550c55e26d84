/* Recalled programs as text in the .txn notation. */
#include "watch/own.h"

struct table_text {
    uint32_t table, key;
    VEC(uint32_t) columns;
    VEC(uint32_t) texts; /* of these, those that are no numbers */
};

struct writing {
    struct watch *watch;
    struct arena *arena;
    struct buf *out;
    VEC(struct table_text) tables;
};

static void put_name(const struct writing *w, uint32_t name) {
    sql_print_name(names_get(&w->watch->names, name), SQL_POSTGRESQL, w->out);
}

static struct table_text *table_of(struct writing *w, uint32_t table) {
    for (size_t i = 0; i < w->tables.count; i++)
        if (w->tables.items[i].table == table)
            return &w->tables.items[i];
    struct table_text new = {.table = table, .key = watch_table(w->watch, table)->key_column};
    VEC_PUSH(w->arena, &new.columns, new.key);
    VEC_PUSH(w->arena, &w->tables, new);
    return &w->tables.items[w->tables.count - 1];
}

static bool has(const uint32_t *items, size_t count, uint32_t item) {
    for (size_t i = 0; i < count; i++)
        if (items[i] == item)
            return true;
    return false;
}

static void need_column(struct writing *w, struct table_text *table, uint32_t column, bool is_text) {
    if (!has(table->columns.items, table->columns.count, column))
        VEC_PUSH(w->arena, &table->columns, column);
    if (is_text && !has(table->texts.items, table->texts.count, column))
        VEC_PUSH(w->arena, &table->texts, column);
}

/* Columns that an expression of the statement names. */
static void need_of_expr(struct writing *w, struct table_text *table, const struct sql_expr *expr) {
    if (expr->kind == SQL_COLUMN)
        need_column(w, table, names_add(&w->watch->names, expr->name), false);
    for (size_t i = 0; i < expr->args.count; i++)
        need_of_expr(w, table, expr->args.items[i]);
}

static const struct meant_column *meant_of(const struct meant_column *columns, size_t count, uint32_t column) {
    for (size_t i = 0; i < count; i++)
        if (columns[i].column == column)
            return &columns[i];
    return NULL;
}

static const struct sql_expr *expr_of(const struct recalled *recalled, const struct watch *watch, uint32_t column) {
    const struct sql_update *update = recalled->write->stmt->update;
    for (size_t i = 0; i < update->set.count; i++)
        if (str_equal(update->set.items[i].column, names_get(&watch->names, column)))
            return update->set.items[i].value;
    return NULL;
}

static bool has_subquery(const struct sql_expr *expr) {
    if (expr->select != NULL)
        return true;
    for (size_t i = 0; i < expr->args.count; i++)
        if (has_subquery(expr->args.items[i]))
            return true;
    return false;
}

/* Whether all that it does can be told by its own table alone. */
static bool is_tellable(const struct recalled *recalled, struct watch *watch) {
    const struct meaning *write = recalled->write;
    if (write->stmt == NULL || write->kind != MEANS_UPDATE || !write->is_exact || recalled->column_count == 0 ||
        watch_table(watch, write->table)->key_column == NO_NAME)
        return false;
    for (size_t i = 0; i < recalled->column_count; i++) {
        const struct sql_expr *expr = expr_of(recalled, watch, recalled->columns[i].column);
        if (expr == NULL || has_subquery(expr))
            return false;
    }
    return true;
}

static void need_columns(struct writing *w, const struct recalled *recalled) {
    struct table_text *table = table_of(w, recalled->write->table);
    for (size_t i = 0; i < recalled->column_count; i++) {
        need_column(w, table, recalled->columns[i].column, recalled->columns[i].is_text);
        need_of_expr(w, table, expr_of(recalled, w->watch, recalled->columns[i].column));
    }
    for (size_t i = 0; i < recalled->guard_count; i++)
        need_column(w, table, recalled->guards[i].column, recalled->guards[i].is_text);
}

static void put_tables(struct writing *w) {
    for (size_t i = 0; i < w->tables.count; i++) {
        const struct table_text *table = &w->tables.items[i];
        buf_add_c(w->out, "CREATE TABLE ");
        put_name(w, table->table);
        for (size_t j = 0; j < table->columns.count; j++) {
            uint32_t column = table->columns.items[j];
            bool is_text = has(table->texts.items, table->texts.count, column);
            buf_add_c(w->out, j == 0 ? " (" : ", ");
            put_name(w, column);
            buf_printf(w->out, " %s%s", is_text ? "text" : "integer", j == 0 ? " PRIMARY KEY" : "");
        }
        buf_add_c(w->out, ");\n");
    }
}

enum column_role { ROLE_CARRIED, ROLE_STEPPED, ROLE_GIVEN, ROLE_COMPUTED };

/* Where a value that is written comes from, by all writes that were seen. A step of one is a count; any other must have been
 * taken from several old values. */
static enum column_role role_of(const struct recalled *recalled, const struct recalled_column *column,
                                const struct meant_column *meant) {
    if (meant == NULL || meant->literal < 0)
        return ROLE_COMPUTED;
    if (recalled->read == NULL || column->known_count == 0)
        return ROLE_GIVEN;
    if (column->same_count == column->known_count)
        return ROLE_CARRIED;
    bool is_count = column->step == 1 || column->step == -1;
    if (!column->is_text && column->step_count == column->known_count && (is_count || column->has_bases))
        return ROLE_STEPPED;
    return ROLE_GIVEN;
}

struct program {
    struct writing *w;
    const struct recalled *recalled;
    const struct table_text *table;
    bool has_row;
};

static enum column_role role_at(const struct program *program, size_t at) {
    const struct meaning *write = program->recalled->write;
    const struct recalled_column *column = &program->recalled->columns[at];
    return role_of(program->recalled, column, meant_of(write->set.items, write->set.count, column->column));
}

static int literal_at(const struct program *program, uint32_t column) {
    const struct meaning *write = program->recalled->write;
    return meant_of(write->set.items, write->set.count, column)->literal;
}

/* `@ "shop/views.py":42:1`, from a tag of file='shop/views.py:42'. */
static void put_origin(const struct writing *w, struct str tag) {
    static const char mark[] = "file=";
    for (size_t at = 0; at + sizeof(mark) - 1 < tag.len; at++) {
        if (memcmp(tag.ptr + at, mark, sizeof(mark) - 1) != 0 || (at > 0 && tag.ptr[at - 1] != ' '))
            continue;
        size_t start = at + sizeof(mark) - 1, end = str_find(tag, ',', start), colon = end;
        while (colon > start && tag.ptr[colon - 1] != ':')
            colon--;
        bool is_number = colon > start && colon < end && end - colon < 8;
        for (size_t i = colon; i < end; i++)
            is_number = is_number && tag.ptr[i] >= '0' && tag.ptr[i] <= '9';
        if (is_number && str_find(str_sub(tag, start, colon), '"', 0) == colon - start)
            buf_printf(w->out, " @ \"%.*s\":%.*s:1", (int)(colon - 1 - start), tag.ptr + start, (int)(end - colon),
                       tag.ptr + colon);
        return;
    }
}

/* Whether the guard compares with what the row was read to hold, as far as seen; else with what comes from outside. */
static bool guards_as_read(const struct program *program, const struct recalled_column *guard) {
    return program->has_row && guard->known_count > 0 && guard->same_count == guard->known_count;
}

static void put_parameters(const struct program *program) {
    const struct recalled *recalled = program->recalled;
    struct buf *out = program->w->out;
    buf_add_c(out, "(id");
    for (size_t i = 0; i < recalled->column_count; i++)
        if (role_at(program, i) == ROLE_GIVEN)
            buf_printf(out, ", v%d", literal_at(program, recalled->columns[i].column));
    for (size_t i = 0; i < recalled->write->stmt->hosts.count; i++) {
        /* Those of expressions that the database computes. */
        struct str name = recalled->write->stmt->hosts.items[i].name;
        bool is_plain = false;
        for (size_t j = 0; j < recalled->write->set.count + recalled->write->where.count; j++) {
            const struct meant_column *meant = j < recalled->write->set.count
                                                   ? &recalled->write->set.items[j]
                                                   : &recalled->write->where.items[j - recalled->write->set.count];
            char literal[16];
            snprintf(literal, sizeof(literal), "v%d", meant->literal);
            is_plain = is_plain || str_is(name, literal);
        }
        if (!is_plain)
            buf_printf(out, ", %.*s", STR_ARG(name));
    }
    for (size_t i = 0; i < recalled->guard_count; i++)
        if (!guards_as_read(program, &recalled->guards[i]))
            buf_printf(out, ", g%zu", i);
    buf_add_c(out, ")");
}

static void put_read(const struct program *program, const char *indent) {
    const struct writing *w = program->w;
    buf_printf(w->out, "%srow r = SELECT ", indent);
    for (size_t i = 0; i < program->table->columns.count; i++) {
        buf_add_c(w->out, i > 0 ? ", " : "");
        put_name(w, program->table->columns.items[i]);
    }
    buf_add_c(w->out, " FROM ");
    put_name(w, program->table->table);
    buf_add_c(w->out, " WHERE ");
    put_name(w, program->table->key);
    buf_printf(w->out, " = :id%s", program->recalled->is_locked ? " FOR UPDATE" : "");
    put_origin(w, program->recalled->read_tag);
    buf_printf(w->out, ";\n%sif r is null { raise DoesNotExist; }\n", indent);
}

static void put_assignments(const struct program *program, const char *indent) {
    const struct writing *w = program->w;
    for (size_t i = 0; program->has_row && i < program->recalled->column_count; i++) {
        const struct recalled_column *column = &program->recalled->columns[i];
        enum column_role role = role_at(program, i);
        if (role != ROLE_STEPPED && role != ROLE_GIVEN)
            continue;
        buf_printf(w->out, "%sr.", indent);
        put_name(w, column->column);
        if (role == ROLE_GIVEN) {
            buf_printf(w->out, " = v%d", literal_at(program, column->column));
        } else {
            buf_add_c(w->out, " = r.");
            put_name(w, column->column);
            buf_printf(w->out, " %c %lld", column->step < 0 ? '-' : '+',
                       (long long)(column->step < 0 ? -column->step : column->step));
        }
        put_origin(w, program->recalled->write_tag);
        buf_add_c(w->out, ";\n");
    }
}

static void put_value(const struct program *program, size_t at) {
    const struct writing *w = program->w;
    const struct recalled_column *column = &program->recalled->columns[at];
    if (role_at(program, at) == ROLE_COMPUTED) {
        sql_print_expr(expr_of(program->recalled, w->watch, column->column), program->recalled->write->stmt,
                       &w->watch->meanings.pool, SQL_POSTGRESQL, w->out);
    } else if (program->has_row) {
        buf_add_c(w->out, ":r.");
        put_name(w, column->column);
    } else {
        buf_printf(w->out, ":v%d", literal_at(program, column->column));
    }
}

static void put_write(const struct program *program, const char *indent) {
    const struct writing *w = program->w;
    const struct recalled *recalled = program->recalled;
    buf_printf(w->out, "%s%sUPDATE ", indent, program->has_row ? "save " : "");
    put_name(w, program->table->table);
    for (size_t i = 0; i < recalled->column_count; i++) {
        buf_add_c(w->out, i > 0 ? ", " : " SET ");
        put_name(w, recalled->columns[i].column);
        buf_add_c(w->out, " = ");
        put_value(program, i);
    }
    buf_add_c(w->out, " WHERE ");
    put_name(w, program->table->key);
    buf_add_c(w->out, " = :id");
    for (size_t i = 0; i < recalled->guard_count; i++) {
        const struct recalled_column *guard = &recalled->guards[i];
        buf_add_c(w->out, " AND ");
        put_name(w, guard->column);
        if (guards_as_read(program, guard)) {
            buf_add_c(w->out, " = :r.");
            put_name(w, guard->column);
        } else {
            buf_printf(w->out, " = :g%zu", i);
        }
    }
    put_origin(w, recalled->write_tag);
    buf_add_c(w->out, ";\n");
}

static void put_comment(const struct writing *w, const char *what, struct str text) {
    if (text.len == 0)
        return;
    buf_printf(w->out, "-- %s", what);
    for (size_t i = 0; i < text.len; i++)
        buf_add_char(w->out, text.ptr[i] == '\n' || text.ptr[i] == '\r' ? ' ' : text.ptr[i]);
    buf_add_char(w->out, '\n');
}

static void put_program(struct writing *w, const struct recalled *recalled, size_t number) {
    struct program program = {w, recalled, table_of(w, recalled->write->table), recalled->read != NULL};
    const char *indent = recalled->is_atomic ? "        " : "    ";
    buf_add_char(w->out, '\n');
    put_comment(w, "", recalled->write_tag);
    if (program.has_row)
        put_comment(w, "", recalled->read->sql);
    put_comment(w, "", recalled->write->sql);
    buf_add_c(w->out, "program ");
    struct str table = names_get(&w->watch->names, recalled->write->table);
    buf_add_c(w->out, "`");
    for (size_t i = 0; i < table.len; i++)
        buf_add_repeat(w->out, table.ptr[i], table.ptr[i] == '`' ? 2 : 1);
    buf_printf(w->out, "`.%s_%zu", program.has_row ? "save" : "update", number);
    put_parameters(&program);
    buf_add_c(w->out, " {\n");
    if (recalled->is_atomic)
        buf_add_c(w->out, "    atomic {\n");
    if (program.has_row) {
        put_read(&program, indent);
        put_assignments(&program, indent);
    }
    put_write(&program, indent);
    buf_add_c(w->out, recalled->is_atomic ? "    }\n}\n" : "}\n");
}

size_t watch_programs(struct watch *watch, struct buf *out) {
    watch_settle(watch, NULL);
    struct arena arena = {0};
    struct writing w = {.watch = watch, .arena = &arena, .out = out};
    size_t count = 0;
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < watch->recall.by_key.count; i++) {
            const struct recalled *recalled = watch->recall.by_key.entries[i].value;
            if (!is_tellable(recalled, watch))
                continue;
            if (pass == 0)
                need_columns(&w, recalled);
            else
                put_program(&w, recalled, ++count);
        }
        if (pass == 0)
            put_tables(&w);
    }
    arena_release(&arena);
    return count;
}
