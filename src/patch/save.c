/* Repairs at a save(): the fields it writes, and loading the object again. */
#include "patch/object.h"

static bool is_super(const struct py_node *node) {
    return node->kind == PY_Call && node->Call.func->kind == PY_Name &&
           str_is(node->Call.func->Name.id, "super");
}

/* The call `<object>.save(...)` at the place, or NULL. */
static const struct py_node *save_at(struct making *m, struct txn_span span, struct place *place) {
    if (!place_find(m->source, span, place, &m->why))
        return NULL;
    const struct py_node *node = place_node(place);
    if (is_call_of(node, "save") && !is_super(node->Call.func->Attribute.value))
        return node;
    refuse(m, "the write is no save() of an object at hand");
    return NULL;
}

/* The columns that any program assigns before it comes by this save(): others call the same line. */
static bool wanted_columns(struct making *m, const struct fix_edit *edit, struct save_uses *uses) {
    for (size_t i = 0; i < edit->columns.count; i++)
        VEC_PUSH(m->arena, &uses->columns, edit->columns.items[i]);
    size_t count = uses->columns.count;
    for (size_t i = 0; i < m->source->program_count; i++)
        save_uses_add(m->arena, m->source->programs[i], edit->span, uses);
    if (m->repair->rule == RULE_F_TWICE) /* one that is on the object since an earlier save() is left out */
        uses->columns.count = count;
    return !uses->may_insert || refuse(m, "the save() may make the row too, and then needs all fields");
}

/* In the order of the model: `"count", "updated_at"`. */
static bool name_fields(struct making *m, const struct module *module, const struct save_uses *uses,
                        struct str *names) {
    size_t found = 0;
    *names = (struct str){0};
    for (size_t i = 0; m->model != NULL && i < m->model->fields.count; i++) {
        const struct model_field *field = m->model->fields.items[i];
        for (size_t k = 0; k < uses->columns.count; k++) {
            if (field->kind == FIELD_MANY_TO_MANY || !str_equal(field->column, uses->columns.items[k]))
                continue;
            *names = str_printf(m->arena, "%.*s%s%.*s", STR_ARG(*names), found > 0 ? ", " : "",
                                STR_ARG(quoted(m, module, field->name)));
            found++;
        }
    }
    return found == uses->columns.count || refuse(m, "the fields are not all known");
}

bool make_fields(struct making *m, const struct fix_edit *edit) {
    struct place place;
    struct save_uses uses = {0};
    struct str names;
    const struct py_node *call = save_at(m, edit->span, &place);
    if (call == NULL || !wanted_columns(m, edit, &uses) ||
        !name_fields(m, place.module, &uses, &names))
        return false;
    struct py_list keywords = call->Call.keywords;
    for (uint32_t i = 0; i < keywords.count; i++)
        if (keywords.items[i]->keyword.arg.ptr == NULL ||
            str_is(keywords.items[i]->keyword.arg, "update_fields") ||
            str_is(keywords.items[i]->keyword.arg, "force_insert"))
            return refuse(m, "save() has arguments that update_fields does not go with");
    if (call->Call.args.count > 0)
        return refuse(m, "save() has arguments that update_fields does not go with");
    if (keywords.count > 0) {
        uint32_t at = keywords.items[keywords.count - 1]->end;
        return add(m, place.module, at, at,
                   str_printf(m->arena, ", update_fields=[%.*s]", STR_ARG(names)));
    }
    if (!str_is(str_sub(place.module->py->text, call->Call.func->end, call->end), "()"))
        return refuse(m, "save() is not written plainly");
    return add(m, place.module, call->end - 1, call->end - 1,
               str_printf(m->arena, "update_fields=[%.*s]", STR_ARG(names)));
}

bool make_reload_ahead(struct making *m, const struct fix_edit *edit) {
    struct place place;
    if (!place_find(m->source, edit->span, &place, &m->why))
        return false;
    const struct py_node *target = place_node(&place), *statement = place_around(&place, 1);
    if (target->kind != PY_Attribute || statement == NULL || !is_statement(statement))
        return refuse(m, "the object is not changed by an assignment to its attribute");
    struct str object = module_text(place.module, target->Attribute.value);
    return add_line_before(m, place.module, statement,
                           str_printf(m->arena, "%.*s.refresh_from_db()", STR_ARG(object)));
}

bool make_reload_behind(struct making *m, const struct fix_edit *edit) {
    struct place place;
    const struct py_node *call = save_at(m, edit->span, &place);
    const struct py_node *statement = call != NULL ? place_around(&place, 1) : NULL;
    if (call == NULL)
        return false;
    if (statement == NULL || statement->kind != PY_Expr)
        return refuse(m, "the save() is no statement of its own");
    struct str object = module_text(place.module, call->Call.func->Attribute.value);
    return add_line_behind(m, place.module, statement,
                           str_printf(m->arena, "%.*s.refresh_from_db()", STR_ARG(object)));
}
