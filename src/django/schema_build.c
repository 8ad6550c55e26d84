/* Tables from models, as Django's migrations would make them: automatic keys, columns of foreign keys with
 * an index and a constraint checked at COMMIT, unique keys. */
#include "base/assert.h"
#include "django/facts.h"
#include "sql/sql.h"

static int column_of(const struct model *model, const struct table *table, struct str name) {
    struct model_field *field = model_attribute(model, name);
    return field != NULL ? table_find_column(table, field->column) : -1;
}

static void add_columns(struct django_facts *facts, const struct model *model, struct table *table) {
    for (size_t i = 0; i < model->fields.count; i++) {
        struct model_field *field = model->fields.items[i];
        if (field->kind == FIELD_MANY_TO_MANY)
            continue;
        if (table_find_column(table, field->column) >= 0)
            continue;
        if (table->columns.count == TABLE_COLUMNS_MAX) {
            facts_note(facts, field->span, false, STR("a table with more columns than are modelled"));
            return;
        }
        struct column column = {.name = field->column, .type = field->type,
                                .type_text = field->type_text, .is_serial = field->is_serial};
        column.not_null = !field->is_null || field->is_primary;
        if (field->kind != FIELD_PLAIN) {
            const struct model_field *pk = field->target != NULL ? field->target->pk : NULL;
            for (int depth = 0; pk != NULL && pk->kind != FIELD_PLAIN && depth < MODEL_DEPTH_MAX; depth++)
                pk = pk->target != NULL ? pk->target->pk : NULL;
            column.type = pk != NULL ? pk->type : COLUMN_INT;
            column.type_text = pk != NULL ? pk->type_text : STR("bigint");
        }
        VEC_PUSH(facts->arena, &table->columns, column);
    }
}

static void add_key(struct django_facts *facts, struct table *table, struct key key,
                    const char *suffix) {
    struct str name = str_printf(facts->arena, "%.*s", STR_ARG(table->name));
    for (size_t i = 0; i < key.column_count; i++)
        name = str_printf(facts->arena, "%.*s_%.*s", STR_ARG(name),
                          STR_ARG(table->columns.items[key.columns[i]].name));
    key.name = str_printf(facts->arena, "%.*s_%s", STR_ARG(name), suffix);
    VEC_PUSH(facts->arena, &table->keys, key);
}

static bool key_of_names(const struct model *model, const struct table *table, struct str names,
                         struct key *key) {
    while (names.len > 0) {
        size_t end = str_find(names, ',', 0);
        struct str name = str_sub(names, 0, end);
        if (str_starts(name, "-"))
            name = str_sub(name, 1, name.len);
        int column = column_of(model, table, name);
        if (column < 0 || key->column_count == KEY_COLUMNS_MAX)
            return false;
        key->columns[key->column_count++] = (uint16_t)column;
        names = str_sub(names, end < names.len ? end + 1 : end, names.len);
    }
    return key->column_count > 0;
}

static void add_single_keys(struct django_facts *facts, const struct model *model,
                            struct table *table) {
    for (int round = 0; round < 2; round++)
        for (size_t i = 0; i < model->fields.count; i++) {
            const struct model_field *field = model->fields.items[i];
            int column = table_find_column(table, field->column);
            if (field->kind == FIELD_MANY_TO_MANY || column < 0 || field->is_primary != (round == 0))
                continue;
            struct key key = {.column_count = 1, .columns = {(uint16_t)column}};
            key.is_primary = field->is_primary;
            key.is_unique = field->is_primary || field->is_unique;
            if (key.is_unique || field->is_index)
                add_key(facts, table, key,
                        key.is_primary  ? "pkey"
                        : key.is_unique ? "key"
                                        : "idx");
            table->has_primary_key |= field->is_primary;
        }
}

static void add_sets(struct django_facts *facts, const struct model *model, struct table *table) {
    for (size_t i = 0; i < model->unique_sets.count; i++) {
        struct key key = {.is_unique = true};
        struct str condition = model->unique_conditions.items[i];
        if (!key_of_names(model, table, model->unique_sets.items[i], &key)) {
            facts_note(facts, model->span, false,
                       str_printf(facts->arena, "the unique key over (%.*s) is not modelled",
                                  STR_ARG(model->unique_sets.items[i])));
            continue;
        }
        if (condition.len > 0) {
            struct sql_stmt *holder = ARENA_NEW(facts->arena, struct sql_stmt);
            struct sql_expr *where = NULL;
            struct err err;
            holder->kind = SQL_STMT_SELECT;
            if (!sql_parse_expr(facts->arena, facts->pool, condition, (struct pos){1, 1},
                                SQL_POSTGRESQL, holder, &where, &err)) {
                facts_note(facts, model->span, false,
                           str_printf(facts->arena, "the condition of a unique key: %s", err.message));
                continue;
            }
            key.where = where;
        }
        add_key(facts, table, key, "uniq");
    }
    for (size_t i = 0; i < model->index_sets.count; i++) {
        struct key key = {0};
        if (key_of_names(model, table, model->index_sets.items[i], &key))
            add_key(facts, table, key, "idx");
    }
}

static void add_foreign_keys(struct django_facts *facts, const struct model *model,
                             struct table *table) {
    for (size_t i = 0; i < model->fields.count; i++) {
        const struct model_field *field = model->fields.items[i];
        if (field->kind == FIELD_PLAIN || field->kind == FIELD_MANY_TO_MANY || !field->has_constraint ||
            field->target == NULL || field->target->table < 0 || field->target->pk == NULL)
            continue;
        const struct table *parent = facts->project->schema.tables.items[field->target->table];
        int column = table_find_column(table, field->column);
        int parent_column = table_find_column(parent, field->target->pk->column);
        if (column < 0 || parent_column < 0)
            continue;
        /* Django deletes children itself; the database only checks, at COMMIT. */
        struct foreign_key key = {.column_count = 1, .columns = {(uint16_t)column},
                                  .parent = (uint16_t)field->target->table,
                                  .parent_columns = {(uint16_t)parent_column},
                                  .on_delete = FK_NO_ACTION, .is_deferred = true};
        key.name = str_printf(facts->arena, "%.*s_%.*s_fk", STR_ARG(table->name), STR_ARG(field->column));
        VEC_PUSH(facts->arena, &table->foreign_keys, key);
    }
}

void schema_build(struct django_facts *facts) {
    struct schema *schema = &facts->project->schema;
    struct map by_name;
    map_init(&by_name, facts->arena);
    for (size_t i = 0; i < facts->models.count; i++) {
        struct model *model = facts->models.items[i];
        struct model *known = map_get(&by_name, model->table_name);
        if (model->is_proxy)
            continue;
        if (known != NULL || schema->tables.count == UINT16_MAX - 1) {
            facts_note(facts, model->span, false,
                       str_printf(facts->arena, "a second model for table %.*s",
                                  STR_ARG(model->table_name)));
            continue;
        }
        map_put(&by_name, model->table_name, model);
        struct table *table = ARENA_NEW(facts->arena, struct table);
        table->name = model->table_name;
        model->table = (int)schema->tables.count;
        VEC_PUSH(facts->arena, &schema->tables, table);
        add_columns(facts, model, table);
        add_single_keys(facts, model, table);
        add_sets(facts, model, table);
    }
    for (size_t i = 0; i < facts->models.count; i++) {
        struct model *model = facts->models.items[i];
        if (model->is_proxy && model->parent != NULL)
            model->table = model->parent->table;
        else if (model->table >= 0)
            add_foreign_keys(facts, model, schema->tables.items[model->table]);
    }
    /* Conditions name columns: resolved once all tables stand. */
    for (size_t t = 0; t < schema->tables.count; t++) {
        struct table *table = schema->tables.items[t];
        for (size_t i = 0; i < table->keys.count; i++) {
            struct err err;
            struct sql_expr *where = (struct sql_expr *)(uintptr_t)table->keys.items[i].where;
            if (where != NULL && !sql_resolve_expr(facts->arena, schema, (uint16_t)t, where, &err))
                table->keys.items[i].is_unique = false;
        }
    }
}
