/* One repair: each of its edits written into the source. */
#include "patch/make.h"

#include "base/assert.h"

bool refuse(struct making *m, const char *reason) {
    m->why = str_from_c(reason);
    return false;
}

bool add(struct making *m, struct module *module, uint32_t from, uint32_t to, struct str text) {
    struct patch_edit edit = {module, from, to, str_dup(m->arena, text), m->is_import};
    return patch_add(m->patch, edit) || refuse(m, "two of its edits would meet");
}

bool add_line_before(struct making *m, struct module *module, const struct py_node *statement,
                     struct str text) {
    struct str indent;
    if (!line_indent(module, statement, &indent))
        return refuse(m, "a statement does not stand on lines of its own");
    uint32_t at = line_start(module, statement->start);
    return add(m, module, at, at,
               str_printf(m->arena, "%.*s%.*s%.*s", STR_ARG(indent), STR_ARG(text),
                          STR_ARG(line_end(module))));
}

bool add_line_behind(struct making *m, struct module *module, const struct py_node *statement,
                     struct str text) {
    struct str indent, end = line_end(module);
    if (!line_indent(module, statement, &indent) || !ends_line(module, statement->end))
        return refuse(m, "a statement does not stand on lines of its own");
    uint32_t at = line_after(module, statement->end);
    bool is_last = at == module->py->text.len && !str_ends(module->py->text, "\n");
    return add(m, module, at, at,
               str_printf(m->arena, "%.*s%.*s%.*s%.*s", STR_ARG(is_last ? end : STR("")),
                          STR_ARG(indent), STR_ARG(text), STR_ARG(is_last ? STR("") : end)));
}

struct str quoted(struct making *m, const struct module *module, struct str text) {
    size_t singles = 0, doubles = 0;
    for (size_t i = 0; i < module->py->text.len; i++) {
        singles += module->py->text.ptr[i] == '\'';
        doubles += module->py->text.ptr[i] == '"';
    }
    char quote = singles > doubles ? '\'' : '"';
    return str_printf(m->arena, "%c%.*s%c", quote, STR_ARG(text), quote);
}

const struct model_field *field_of_column(const struct making *m, struct str column) {
    for (size_t i = 0; m->model != NULL && i < m->model->fields.count; i++)
        if (m->model->fields.items[i]->kind != FIELD_MANY_TO_MANY &&
            str_equal(m->model->fields.items[i]->column, column))
            return m->model->fields.items[i];
    return NULL;
}

static struct model *model_of_table(const struct django_facts *facts, struct str table) {
    for (size_t i = 0; i < facts->models.count; i++) {
        struct model *model = facts->models.items[i];
        if (!model->is_abstract && !model->is_proxy && !model->is_auto &&
            str_equal(model->table_name, table))
            return model;
    }
    return NULL;
}

bool is_wanted(const struct making *m, const struct fix_edit *edit) {
    const struct repair *repair = m->repair;
    bool is_write = edit->kind == FIX_EDIT_FIELDS || edit->kind == FIX_EDIT_GUARD;
    if (repair->reach == REPAIR_WRITE && is_write &&
        (edit->span.start.line != repair->write.start.line ||
         edit->span.start.column != repair->write.start.column))
        return false;
    return repair->reach == REPAIR_RUN || edit->session == repair->session;
}

static bool make(struct making *m, const struct fix_edit *edit) {
    switch (edit->kind) {
    case FIX_EDIT_FIELDS:
        return make_fields(m, edit);
    case FIX_EDIT_EXPRESSION:
        return make_expression(m, edit);
    case FIX_EDIT_UPDATE:
        return make_update(m, edit);
    case FIX_EDIT_LOCK:
        return make_lock(m, edit);
    case FIX_EDIT_ATOMIC:
        return make_atomic(m, edit);
    case FIX_EDIT_RELOAD_AHEAD:
        return make_reload_ahead(m, edit);
    case FIX_EDIT_RELOAD_BEHIND:
        return make_reload_behind(m, edit);
    case FIX_EDIT_GUARD:
        return make_guard(m, edit);
    case FIX_EDIT_EFFECT:
        return true; /* moved with its GUARD */
    }
    LW_UNREACHABLE();
}

bool patch_make(const struct patch_source *source, const struct repair *repair, struct patch *patch,
                struct str *why) {
    struct making m = {.source = source,
                       .repair = repair,
                       .arena = source->arena,
                       .model = model_of_table(source->facts, repair->table),
                       .patch = patch};
    *patch = (struct patch){.arena = source->arena};
    for (size_t i = 0; i < repair->edit_count; i++) {
        if (!is_wanted(&m, &repair->edits[i]) || make(&m, &repair->edits[i]))
            continue;
        *why = m.why;
        return false;
    }
    if (patch->edits.count > 0)
        return true;
    *why = STR("it takes more than an edit of this code");
    return false;
}
