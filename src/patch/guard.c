/* The check goes into the WHERE: filter(pk=..., state=old_state).update(state=...), and what the check raises where no
 * row was left to change. */
#include "django/signal.h"
#include "patch/object.h"

/* One guard in the making. */
struct guarding {
    struct making *m;
    const struct fix_edit *edit;
    struct place save;                /* the call */
    const struct py_node *statement;  /* of the save() */
    struct row_object object;
    struct str raise;                 /* as the check has it */
};

/* update() sends no signals, calls no save() and sets no auto_now field. */
static bool is_plain_model(struct making *m) {
    struct py_class *where;
    if (m->model == NULL || m->model->class_ == NULL)
        return refuse(m, "the model is not known");
    for (size_t i = 0; i < m->model->fields.count; i++)
        if (m->model->fields.items[i]->is_auto_now)
            return refuse(m, "update() would not set the model's auto_now field");
    if (signal_has(m->source->facts, SIGNAL_PRE_SAVE, m->model) ||
        signal_has(m->source->facts, SIGNAL_POST_SAVE, m->model))
        return refuse(m, "update() would not send the model's signals");
    if (class_find(m->source->facts, m->model->class_, STR("save"), &where) != NULL)
        return refuse(m, "update() would not call the model's own save()");
    return has_objects(m, m->model->class_) || refuse(m, "the model has no manager `objects`");
}

static bool find_save(struct guarding *g) {
    struct making *m = g->m;
    if (!place_find(m->source, g->edit->span, &g->save, &m->why))
        return false;
    const struct py_node *call = place_node(&g->save);
    g->statement = place_around(&g->save, 1);
    if (!is_call_of(call, "save") || call->Call.args.count > 0 || call->Call.keywords.count > 0 ||
        g->statement == NULL || g->statement->kind != PY_Expr || place_def(&g->save) == NULL)
        return refuse(m, "the write is no plain save() of an object at hand");
    g->object = (struct row_object){g->save.module, place_def(&g->save),
                                module_text(g->save.module, call->Call.func->Attribute.value),
                                m->model};
    return true;
}

/* What the check raises, if it stands in the same function. */
static bool find_raise(struct guarding *g) {
    struct place place;
    if (g->edit->raise.start.line == 0)
        return refuse(g->m, "who loses the race would have to try again");
    if (!place_find(g->m->source, g->edit->raise, &place, &g->m->why))
        return false;
    const struct py_node *statement = place_statement(&place);
    if (place.module != g->save.module || place_def(&place) != g->object.def ||
        statement == NULL || statement->kind != PY_Raise || statement->Raise.exc == NULL)
        return refuse(g->m, "what the check raises stands in another function");
    g->raise = module_text(place.module, statement);
    return true;
}

struct word_search {
    struct str name;
    bool is_found;
};

static void find_name(const struct py_node *node, void *context) {
    struct word_search *search = context;
    search->is_found |= (node->kind == PY_Name && str_equal(node->Name.id, search->name)) ||
                        (node->kind == PY_arg && str_equal(node->arg.arg, search->name));
}

static bool is_free(const struct guarding *g, struct str name) {
    struct word_search search = {name, false};
    node_walk(g->object.def, find_name, &search);
    return !search.is_found;
}

/* old_state = order.state, ahead of the first assignment. */
static bool keep_old_values(struct guarding *g, struct str *filter) {
    struct making *m = g->m;
    struct place place;
    if (!place_find(m->source, g->edit->place, &place, &m->why))
        return false;
    const struct py_node *statement = place_statement(&place);
    if (place.module != g->save.module || place_def(&place) != g->object.def || statement == NULL)
        return refuse(m, "the object is changed in another function");
    for (size_t i = 0; i < g->edit->guards.count; i++) {
        const struct model_field *field = field_of_column(m, g->edit->guards.items[i]);
        if (field == NULL)
            return refuse(m, "the fields are not all known");
        struct str name = str_printf(m->arena, "old_%.*s", STR_ARG(field->name));
        if (!is_free(g, name))
            return refuse(m, "the name for the old value is taken");
        if (field->is_null)
            return refuse(m, "a field that may be null is not compared with = in SQL");
        if (!add_line_before(m, place.module, statement,
                             str_printf(m->arena, "%.*s = %.*s.%.*s", STR_ARG(name),
                                        STR_ARG(g->object.text), STR_ARG(field->name))))
            return false;
        *filter = str_printf(m->arena, "%.*s, %.*s=%.*s", STR_ARG(*filter), STR_ARG(field->name),
                             STR_ARG(name));
    }
    return true;
}

static bool name_values(struct guarding *g, struct str *values) {
    struct making *m = g->m;
    for (size_t i = 0; i < g->edit->columns.count; i++) {
        const struct model_field *field = field_of_column(m, g->edit->columns.items[i]);
        if (field == NULL)
            return refuse(m, "the fields are not all known");
        *values = str_printf(m->arena, "%.*s%s%.*s=%.*s.%.*s", STR_ARG(*values), i > 0 ? ", " : "",
                             STR_ARG(field->name), STR_ARG(g->object.text), STR_ARG(field->name));
    }
    return values->len > 0 || refuse(m, "nothing is assigned");
}

/* What was done outside the database ahead of the write, one line each, goes behind it. Answers the lines. */
static bool move_effects(struct guarding *g, struct str *moved) {
    struct making *m = g->m;
    struct module *module = g->save.module;
    const struct py_node *block = place_around(&g->save, 2);
    for (size_t i = 0; i < m->repair->edit_count; i++) {
        const struct fix_edit *edit = &m->repair->edits[i];
        struct place place;
        if (edit->kind != FIX_EDIT_EFFECT || edit->session != g->edit->session)
            continue;
        if (!place_find(m->source, edit->span, &place, &m->why))
            return false;
        const struct py_node *statement = place_statement(&place);
        struct str indent;
        if (statement == NULL || statement->kind != PY_Expr || place_around(&place, 2) != block ||
            statement->start > g->statement->start || !line_indent(module, statement, &indent) ||
            !ends_line(module, statement->end))
            return refuse(m, "what is done ahead of the write cannot be moved behind it");
        uint32_t from = line_start(module, statement->start), to = line_after(module, statement->end);
        struct str lines = str_sub(module->py->text, from, to);
        *moved = str_printf(m->arena, "%.*s%.*s", STR_ARG(*moved), STR_ARG(lines));
        if (!str_ends(lines, "\n") || !add(m, module, from, to, STR("")))
            return refuse(m, "what is done ahead of the write cannot be moved behind it");
    }
    return true;
}

bool make_guard(struct making *m, const struct fix_edit *edit) {
    struct guarding g = {.m = m, .edit = edit};
    struct str model, filter = {0}, values = {0}, moved = {0}, indent;
    if (!is_plain_model(m) || !find_save(&g) || !find_raise(&g) ||
        !name_model(m, g.save.module, &model) || !keep_old_values(&g, &filter) ||
        !name_values(&g, &values) || !move_effects(&g, &moved))
        return false;
    struct module *module = g.save.module;
    if (!line_indent(module, g.statement, &indent) || !ends_line(module, g.statement->end) ||
        line_after(module, g.statement->end) == module->py->text.len)
        return refuse(m, "the save() does not stand on a line of its own");
    if (!is_free(&g, STR("updated")))
        return refuse(m, "the name for the count of rows is taken");
    struct str end = line_end(module);
    const char *step = indent.len > 0 && indent.ptr[0] == '\t' ? "\t" : "    ";
    struct str text = str_printf(
        m->arena, "updated = %.*s.objects.filter(pk=%.*s.pk%.*s).update(%.*s)", STR_ARG(model),
        STR_ARG(g.object.text), STR_ARG(filter), STR_ARG(values));
    struct str check = str_printf(m->arena, "%.*sif not updated:%.*s%.*s%s%.*s%.*s%.*s",
                                  STR_ARG(indent), STR_ARG(end), STR_ARG(indent), step,
                                  STR_ARG(g.raise), STR_ARG(end), STR_ARG(moved));
    uint32_t behind = line_after(module, g.statement->end);
    return add(m, module, g.statement->start, g.statement->end, text) &&
           add(m, module, behind, behind, check);
}
