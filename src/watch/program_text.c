/* Recalled programs as text in the .txn notation. */
#include "watch/program_text.h"

enum { NAME_MAX_BYTES = 48 };

enum column_role { ROLE_CARRIED, ROLE_STEPPED, ROLE_SOURCED, ROLE_GIVEN, ROLE_COMPUTED };

struct program {
    struct writing *w;
    const struct recalled *recalled;
    struct buf body, before; /* `before`: what must be known at the beginning */
    VEC(struct str) params;
    bool has_var[UNIT_ROWS_MAX]; /* the row is in its variable */
    bool is_needed[UNIT_ROWS_MAX]; /* its column stands in `before` */
    const char *indent;
};

static const struct meant_column *meant_of(const struct meant_column *columns, size_t count, uint32_t column) {
    for (size_t i = 0; i < count; i++)
        if (columns[i].column == column)
            return &columns[i];
    return NULL;
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

/* --- names of variables: `r`, `id` of the first row, `r2`, `id2` of the second --- */

static struct str numbered(const struct program *program, const char *name, size_t index) {
    return index == 0 ? str_printf(program->w->arena, "%s", name) : str_printf(program->w->arena, "%s%zu", name, index + 1);
}

static struct str param(struct program *program, struct str name) {
    for (size_t i = 0; i < program->params.count; i++)
        if (str_equal(program->params.items[i], name))
            return name;
    VEC_PUSH(program->w->arena, &program->params, name);
    return name;
}

static struct str column_of_row(struct program *program, uint32_t row, uint32_t column) {
    struct buf out = {0};
    buf_printf(&out, "%.*s.", STR_ARG(numbered(program, "r", row)));
    sql_print_name(names_get(&program->w->watch->names, column), SQL_POSTGRESQL, &out);
    struct str text = str_dup(program->w->arena, buf_str(&out));
    buf_release(&out);
    return text;
}

static void put_to(struct writing *w, struct buf *out, uint32_t name) {
    sql_print_name(names_get(&w->watch->names, name), SQL_POSTGRESQL, out);
}

/* A row's key that stands in a column of a row which is read later: looked up at the beginning. */
static struct str looked_up(struct program *program, uint32_t row, const struct value_source *source) {
    struct writing *w = program->w;
    const struct recalled_row *child = &program->recalled->rows[source->index];
    struct str name = numbered(program, "key", row), id = param(program, numbered(program, "id", source->index));
    if (!program->is_needed[row]) {
        program->is_needed[row] = true;
        buf_printf(&program->before, "    value %.*s = SELECT ", STR_ARG(name));
        put_to(w, &program->before, source->column);
        buf_add_c(&program->before, " FROM ");
        put_to(w, &program->before, child->table);
        buf_add_c(&program->before, " WHERE ");
        put_to(w, &program->before, tables_key(&w->watch->tables, child->table));
        buf_printf(&program->before, " = :%.*s;\n", STR_ARG(id));
    }
    return name;
}

static struct str key_of_row(struct program *program, uint32_t row) {
    const struct recalled_row *known = &program->recalled->rows[row];
    const struct value_source *source = recall_source(&program->w->watch->recall, program->recalled, &known->key, row);
    if (known->is_made && program->has_var[row])
        return column_of_row(program, row, tables_key(&program->w->watch->tables, known->table));
    if (source != NULL && source->kind == SOURCE_COLUMN) {
        const struct recalled_row *child = &program->recalled->rows[source->index];
        if (program->has_var[source->index])
            return column_of_row(program, source->index, source->column);
        bool is_plain = recall_source(&program->w->watch->recall, program->recalled, &child->key, source->index) == NULL;
        if (is_plain && !child->is_made)
            return looked_up(program, row, source);
    }
    return param(program, numbered(program, "id", row));
}

static struct str literal_text(struct program *program, size_t at, size_t literal);

/* Where the value comes from; empty: from outside. */
static struct str source_text(struct program *program, const struct recalled_value *value) {
    const struct value_source *source = recall_source(&program->w->watch->recall, program->recalled, value, NO_ROW);
    if (source == NULL)
        return (struct str){0};
    if (source->kind == SOURCE_RESULT)
        return numbered(program, "n", source->index);
    if (source->kind == SOURCE_KEY)
        return key_of_row(program, source->index);
    if (source->kind == SOURCE_LITERAL)
        return literal_text(program, source->index, source->column);
    return program->has_var[source->index] && !program->recalled->rows[source->index].is_made
               ? column_of_row(program, source->index, source->column)
               : (struct str){0};
}

/* A parameter for the literal of an item: `v3` of the first that writes, `v3_2` of another. */
static struct str given(struct program *program, size_t item, const char *prefix, size_t number) {
    size_t order = 0;
    for (size_t i = 0; i < item; i++)
        order += program->recalled->items[i].kind >= UNIT_VALUE;
    struct str name = order == 0 ? str_printf(program->w->arena, "%s%zu", prefix, number)
                                 : str_printf(program->w->arena, "%s%zu_%zu", prefix, number, order + 1);
    return param(program, name);
}

/* --- statements of rows by their keys --- */

/* Where a value that is written comes from, by all writes that were seen. A step of one is a count; any other must have been
 * taken from several old values. */
static enum column_role role_of(struct program *program, size_t at, size_t column) {
    const struct recalled_item *item = &program->recalled->items[at];
    const struct recalled_value *value = &item->values[column];
    const struct meant_column *meant = meant_of(item->meaning->set.items, item->meaning->set.count, value->column);
    if (meant == NULL || meant->literal < 0)
        return ROLE_COMPUTED;
    bool has_row = item->row != NO_ROW && program->has_var[item->row] && value->known_count > 0;
    if (has_row && value->same_count == value->known_count)
        return ROLE_CARRIED;
    bool is_count = value->step == 1 || value->step == -1;
    if (has_row && !value->is_text && value->step_count == value->known_count && (is_count || value->has_bases))
        return ROLE_STEPPED;
    return source_text(program, value).len > 0 ? ROLE_SOURCED : ROLE_GIVEN;
}

static struct str outside_value(struct program *program, size_t at, size_t column) {
    const struct recalled_item *item = &program->recalled->items[at];
    const struct recalled_value *value = &item->values[column];
    struct str source = source_text(program, value);
    const struct meant_column *meant = meant_of(item->meaning->set.items, item->meaning->set.count, value->column);
    return source.len > 0 ? source : given(program, at, "v", (size_t)meant->literal);
}

static void put_read(struct program *program, size_t at) {
    const struct recalled_item *item = &program->recalled->items[at];
    struct writing *w = program->w;
    const struct table_text *table = table_of(w, program->recalled->rows[item->row].table);
    struct str key = key_of_row(program, item->row), row = numbered(program, "r", item->row);
    buf_printf(w->out, "%srow %.*s = SELECT ", program->indent, STR_ARG(row));
    for (size_t i = 0; i < table->columns.count; i++) {
        buf_add_c(w->out, i > 0 ? ", " : "");
        put_name(w, table->columns.items[i]);
    }
    buf_add_c(w->out, " FROM ");
    put_name(w, table->table);
    buf_add_c(w->out, " WHERE ");
    put_name(w, table->key);
    buf_printf(w->out, " = :%.*s%s", STR_ARG(key), item->is_locked ? " FOR UPDATE" : "");
    put_origin(w, item->tag);
    buf_printf(w->out, ";\n%sif %.*s is null { raise DoesNotExist; }\n", program->indent, STR_ARG(row));
    program->has_var[item->row] = true;
}

static void put_assignments(struct program *program, size_t at) {
    const struct recalled_item *item = &program->recalled->items[at];
    struct writing *w = program->w;
    for (size_t i = 0; program->has_var[item->row] && i < item->column_count; i++) {
        const struct recalled_value *value = &item->values[i];
        enum column_role role = role_of(program, at, i);
        if (role == ROLE_CARRIED || role == ROLE_COMPUTED)
            continue;
        struct str column = column_of_row(program, item->row, value->column);
        buf_printf(w->out, "%s%.*s = ", program->indent, STR_ARG(column));
        if (role == ROLE_STEPPED)
            buf_printf(w->out, "%.*s %c %llu", STR_ARG(column), value->step < 0 ? '-' : '+',
                       (unsigned long long)(value->step < 0 ? -(uint64_t)value->step : (uint64_t)value->step));
        else
            buf_add(w->out, outside_value(program, at, i));
        put_origin(w, item->tag);
        buf_add_c(w->out, ";\n");
    }
}

static void put_value(struct program *program, size_t at, size_t column) {
    struct writing *w = program->w;
    const struct recalled_item *item = &program->recalled->items[at];
    if (role_of(program, at, column) == ROLE_COMPUTED)
        sql_print_expr(set_expr(w->watch, item, item->values[column].column), item->meaning->stmt, &w->watch->meanings.pool,
                       SQL_POSTGRESQL, w->out);
    else if (program->has_var[item->row])
        buf_printf(w->out, ":%.*s", STR_ARG(column_of_row(program, item->row, item->values[column].column)));
    else
        buf_printf(w->out, ":%.*s", STR_ARG(outside_value(program, at, column)));
}

/* Parameters of the expressions that the database computes. */
static void add_expr_params(struct program *program, const struct recalled_item *item) {
    const struct sql_stmt *stmt = item->meaning->stmt;
    for (size_t i = 0; i < stmt->hosts.count; i++) {
        bool is_plain = false;
        for (size_t j = 0; j < item->meaning->set.count + item->meaning->where.count; j++) {
            const struct meant_column *meant = j < item->meaning->set.count
                                                   ? &item->meaning->set.items[j]
                                                   : &item->meaning->where.items[j - item->meaning->set.count];
            char literal[16];
            snprintf(literal, sizeof(literal), "v%d", meant->literal);
            is_plain = is_plain || str_is(stmt->hosts.items[i].name, literal);
        }
        if (!is_plain)
            param(program, stmt->hosts.items[i].name);
    }
}

static void put_guards(struct program *program, size_t at) {
    const struct recalled_item *item = &program->recalled->items[at];
    struct writing *w = program->w;
    for (size_t i = item->column_count; i < item->value_count; i++) {
        const struct recalled_value *guard = &item->values[i];
        /* With what the row was read to hold, as far as seen; else with what comes from outside. */
        bool is_as_read = program->has_var[item->row] && guard->known_count > 0 && guard->same_count == guard->known_count;
        struct str source = is_as_read ? column_of_row(program, item->row, guard->column) : source_text(program, guard);
        buf_add_c(w->out, " AND ");
        put_name(w, guard->column);
        buf_printf(w->out, " = :%.*s", STR_ARG(source.len > 0 ? source : given(program, at, "g", i - item->column_count)));
    }
}

static void put_write(struct program *program, size_t at) {
    const struct recalled_item *item = &program->recalled->items[at];
    struct writing *w = program->w;
    const struct table_text *table = table_of(w, item->meaning->table);
    bool is_update = item->meaning->kind == MEANS_UPDATE;
    if (is_update)
        put_assignments(program, at);
    struct str key = key_of_row(program, item->row);
    buf_printf(w->out, "%s%s%s", program->indent, is_update && program->has_var[item->row] ? "save " : "",
               is_update ? "UPDATE " : "DELETE FROM ");
    put_name(w, table->table);
    for (size_t i = 0; is_update && i < item->column_count; i++) {
        buf_add_c(w->out, i > 0 ? ", " : " SET ");
        put_name(w, item->values[i].column);
        buf_add_c(w->out, " = ");
        put_value(program, at, i);
    }
    add_expr_params(program, item);
    buf_add_c(w->out, " WHERE ");
    put_name(w, table->key);
    buf_printf(w->out, " = :%.*s", STR_ARG(key));
    put_guards(program, at);
    put_origin(w, item->tag);
    buf_add_c(w->out, ";\n");
}

/* --- other statements: as they are, with their literals' sources --- */

struct literals {
    struct program *program;
    size_t at;
};

static struct str literal_text(struct program *program, size_t at, size_t literal) {
    struct str source = source_text(program, &program->recalled->items[at].values[literal]);
    return source.len > 0 ? source : given(program, at, "v", literal);
}

static void put_literal(void *context, uint16_t host, struct buf *out) {
    struct literals *literals = context;
    struct str name = literals->program->recalled->items[literals->at].meaning->stmt->hosts.items[host].name;
    size_t number = 0;
    for (size_t i = 1; i < name.len; i++)
        number = number * 10 + (size_t)(name.ptr[i] - '0');
    buf_printf(out, ":%.*s", STR_ARG(literal_text(literals->program, literals->at, number)));
}

static void put_made_columns(struct program *program, size_t at) {
    const struct meaning *meaning = program->recalled->items[at].meaning;
    size_t count = 0;
    for (size_t i = 0; i < meaning->set.count; i++) {
        const struct meant_column *set = &meaning->set.items[i];
        if (set->literal < 0)
            continue;
        buf_add_c(program->w->out, count++ == 0 ? "(" : ", ");
        put_name(program->w, set->column);
        buf_printf(program->w->out, " = %.*s", STR_ARG(literal_text(program, at, (size_t)set->literal)));
    }
    buf_add_c(program->w->out, count == 0 ? "()" : ")");
}

static void put_statement(struct program *program, size_t at) {
    const struct recalled_item *item = &program->recalled->items[at];
    struct writing *w = program->w;
    const struct recalled_row *row = item->row != NO_ROW ? &program->recalled->rows[item->row] : NULL;
    struct sql_stmt stmt = *item->meaning->stmt;
    stmt.returning.count = 0;
    buf_add_c(w->out, program->indent);
    if (item->kind == UNIT_VALUE)
        buf_printf(w->out, "value %.*s = ", STR_ARG(numbered(program, "n", at)));
    if (row != NULL && row->is_made) {
        struct str name = numbered(program, "r", item->row);
        buf_printf(w->out, "%.*s = new ", STR_ARG(name));
        put_name(w, row->table);
        put_made_columns(program, at);
        buf_printf(w->out, ";\n%skey ", program->indent);
        buf_add(w->out, column_of_row(program, item->row, tables_key(&w->watch->tables, row->table)));
        buf_add_c(w->out, " = ");
    }
    struct literals literals = {program, at};
    struct sql_host_printer printer = {put_literal, &literals};
    sql_print_filled(&stmt, &w->watch->meanings.pool, SQL_POSTGRESQL, &printer, w->out);
    put_origin(w, item->tag);
    buf_add_c(w->out, ";\n");
    if (row != NULL && row->is_made)
        program->has_var[item->row] = true;
}

/* The INSERT of what was looked for. */
static size_t insert_of(const struct program *program, size_t at) {
    size_t i = at + 1;
    while (i < program->recalled->item_count && (program->recalled->items[i].kind != UNIT_STATEMENT ||
                                                 program->recalled->items[i].meaning->kind != MEANS_INSERT ||
                                                 program->recalled->items[i].meaning->table != program->recalled->items[at].meaning->table))
        i++;
    return i;
}

static void put_absence(struct program *program, size_t at) {
    const struct recalled_item *item = &program->recalled->items[at];
    struct writing *w = program->w;
    size_t insert = insert_of(program, at);
    if (insert == program->recalled->item_count)
        return;
    const struct meaning *meaning = program->recalled->items[insert].meaning;
    struct str name = numbered(program, "found", at);
    buf_printf(w->out, "%srow %.*s = SELECT ", program->indent, STR_ARG(name));
    put_name(w, table_of(w, item->meaning->table)->key);
    buf_add_c(w->out, " FROM ");
    put_name(w, item->meaning->table);
    for (size_t i = 0; i < 4 && item->key_columns[i] != NO_NAME; i++) {
        const struct meant_column *meant = meant_of(meaning->set.items, meaning->set.count, item->key_columns[i]);
        buf_add_c(w->out, i == 0 ? " WHERE " : " AND ");
        put_name(w, item->key_columns[i]);
        buf_printf(w->out, " = :%.*s", STR_ARG(literal_text(program, insert, (size_t)meant->literal)));
    }
    put_origin(w, item->tag);
    buf_printf(w->out, ";\n%sif %.*s is not null { raise Exists; }\n", program->indent, STR_ARG(name));
}

/* --- programs --- */

static bool is_used(const struct program *program, size_t value_item) {
    const struct recalled *recalled = program->recalled;
    for (size_t i = value_item + 1; i < recalled->item_count; i++)
        for (size_t k = 0; k < recalled->items[i].value_count; k++) {
            const struct value_source *source =
                recall_source(&program->w->watch->recall, recalled, &recalled->items[i].values[k], NO_ROW);
            if (source != NULL && source->kind == SOURCE_RESULT && source->index == value_item)
                return true;
        }
    return false;
}

static void put_item(struct program *program, size_t at) {
    switch (program->recalled->items[at].kind) {
    case UNIT_READ:
        put_read(program, at);
        break;
    case UNIT_ABSENCE:
        put_absence(program, at);
        break;
    case UNIT_VALUE:
        if (is_used(program, at))
            put_statement(program, at);
        break;
    case UNIT_WRITE:
        put_write(program, at);
        break;
    case UNIT_STATEMENT:
        put_statement(program, at);
        break;
    }
}

static void put_body(struct program *program) {
    const struct recalled *recalled = program->recalled;
    bool is_open = false;
    program->indent = "    ";
    for (size_t i = 0; i < recalled->item_count; i++) {
        if (recalled->items[i].is_atomic && !is_open) {
            buf_add_c(program->w->out, "    atomic {\n");
            is_open = true;
            program->indent = "        ";
        }
        put_item(program, i);
    }
    buf_add_c(program->w->out, is_open ? "    }\n" : "");
}

static void put_comment(const struct writing *w, const char *what, struct str text) {
    if (text.len == 0)
        return;
    buf_printf(w->out, "-- %s", what);
    for (size_t i = 0; i < text.len; i++)
        buf_add_char(w->out, text.ptr[i] == '\n' || text.ptr[i] == '\r' ? ' ' : text.ptr[i]);
    buf_add_char(w->out, '\n');
}

static const struct recalled_item *main_item(const struct recalled *recalled) {
    for (size_t i = 0; i < recalled->item_count; i++)
        if (recalled->items[i].kind == UNIT_WRITE || recalled->items[i].kind == UNIT_STATEMENT)
            return &recalled->items[i];
    return NULL;
}

static void put_header(const struct program *program, size_t number) {
    const struct writing *w = program->w;
    const struct recalled_item *item = main_item(program->recalled);
    static const char *const verbs[] = {[MEANS_INSERT] = "insert", [MEANS_UPDATE] = "update", [MEANS_DELETE] = "delete"};
    bool is_save = item->kind == UNIT_WRITE && item->meaning->kind == MEANS_UPDATE && program->has_var[item->row];
    buf_add_char(w->out, '\n');
    put_comment(w, "", item->tag);
    for (size_t i = 0; i < program->recalled->item_count; i++)
        if (i == 0 || program->recalled->items[i].meaning != program->recalled->items[i - 1].meaning)
            put_comment(w, "", program->recalled->items[i].meaning->sql);
    buf_add_c(w->out, "program `");
    struct str table = names_get(&w->watch->names, item->meaning->table);
    for (size_t i = 0; i < table.len; i++)
        buf_add_repeat(w->out, table.ptr[i], table.ptr[i] == '`' ? 2 : 1);
    buf_printf(w->out, "`.%s_%zu(", is_save ? "save" : verbs[item->meaning->kind], number);
    for (size_t i = 0; i < program->params.count; i++)
        buf_printf(w->out, "%s%.*s", i > 0 ? ", " : "", STR_ARG(program->params.items[i]));
    buf_add_c(w->out, ") {\n");
}

/* What must hold for the program to lose what the search says: a source does not tell of constraints. */
static struct str assumption_of(const struct program *program) {
    struct buf out = {0};
    for (size_t i = 0; i < program->recalled->item_count && out.len == 0; i++) {
        const struct recalled_item *item = &program->recalled->items[i];
        for (size_t k = 0; item->kind == UNIT_ABSENCE && k < 4 && item->key_columns[k] != NO_NAME; k++)
            buf_printf(&out, "%s%.*s", k == 0 ? "no constraint keeps " : ", ",
                       STR_ARG(names_get(&program->w->watch->names, item->key_columns[k])));
    }
    if (out.len > 0)
        buf_printf(&out, " of %.*s unique", STR_ARG(names_get(&program->w->watch->names, main_item(program->recalled)->meaning->table)));
    struct str text = str_dup(program->w->arena, buf_str(&out));
    buf_release(&out);
    return text;
}

/* False: the same as one before. */
static bool put_program(struct writing *w, const struct recalled *recalled, size_t number, struct map *bodies,
                        struct watch_programs *programs) {
    struct buf *out = w->out;
    struct program program = {.w = w, .recalled = recalled};
    w->out = &program.body;
    put_body(&program);
    w->out = out;
    struct str body = str_printf(w->arena, "%.*s%.*s", STR_ARG(buf_str(&program.before)), STR_ARG(buf_str(&program.body)));
    buf_release(&program.body);
    buf_release(&program.before);
    if (map_has(bodies, body))
        return false;
    map_put(bodies, body, bodies);
    put_header(&program, number);
    buf_add(w->out, body);
    buf_add_c(w->out, "}\n");
    VEC_PUSH(programs->arena, &programs->assumptions, str_dup(programs->arena, assumption_of(&program)));
    return true;
}

void watch_programs(struct watch *watch, struct watch_programs *programs, struct buf *out) {
    watch_settle(watch, NULL);
    struct arena arena = {0};
    struct writing w = {.watch = watch, .arena = &arena, .out = out};
    struct map bodies;
    map_init(&bodies, &arena);
    for (size_t i = 0; i < watch->recall.by_key.count; i++)
        if (is_tellable(watch->recall.by_key.entries[i].value, watch))
            need_columns(&w, watch->recall.by_key.entries[i].value);
    put_tables(&w);
    for (size_t i = 0; i < watch->recall.by_key.count; i++)
        if (is_tellable(watch->recall.by_key.entries[i].value, watch))
            programs->count += put_program(&w, watch->recall.by_key.entries[i].value, programs->count + 1, &bodies, programs);
    arena_release(&arena);
}
