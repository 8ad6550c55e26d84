/* Attributes that a row does not have, since nothing has given it one. */
#include "django/lacks.h"

#include "base/assert.h"
#include "django/orm.h"
#include "django/signal.h"
#include "django/types.h"

static bool is_unseen_base(void *context, struct py_class *class_, struct str dotted) {
    (void)context;
    return class_ == NULL && !str_is(dotted, "django.db.models.Model") && !str_is(dotted, "object") &&
           !str_starts(dotted, "builtins.");
}

/* Whether neither the model nor a class of its has it, nor any that may make it up. */
static bool has_no_member(struct django_facts *facts, struct model *model, struct str name) {
    struct py_class *where;
    return model_attribute(model, name) == NULL && model_reverse(model, name, false) == NULL &&
           class_find(facts, model->class_, name, &where) == NULL && !str_starts(name, "__") &&
           class_find(facts, model->class_, STR("__getattr__"), &where) == NULL &&
           class_find(facts, model->class_, STR("__getattribute__"), &where) == NULL &&
           !class_walk(facts, model->class_, is_unseen_base, NULL);
}

bool model_lacks(struct django_facts *facts, struct model *model, struct str name) {
    return has_no_member(facts, model, name) && !type_is_ever_given(facts, name);
}

struct text_search {
    struct django_facts *facts;
    struct module *module;
    struct str text;
    bool is_found;
};

static void find_text(const struct py_node *node, void *context) {
    struct text_search *search = context;
    struct str text;
    search->is_found |= node->kind == PY_Constant &&
                        constant_text(search->facts, search->module, node, &text) &&
                        str_equal(text, search->text);
    py_visit_children(node, find_text, search);
}

/* Whether __setattr__ asks for one of the fields that the program has assigned. */
static bool notices_assigned(struct django_facts *facts, const struct py_func *setter, const struct row *row) {
    for (size_t i = 0; i < row->assigned.count; i++) {
        struct text_search search = {facts, setter->module, row->assigned.items[i].field->name, false};
        py_visit_children(setter->node, find_text, &search);
        if (search.is_found)
            return true;
    }
    return false;
}

static bool is_receiver(const struct django_facts *facts, const struct py_func *func) {
    for (size_t i = 0; i < facts->receivers.count; i++)
        if (facts->receivers.items[i].func == func)
            return true;
    return false;
}

/* Whether an assignment of the project may have run for the row although this program has not run it: as it was made or
 * loaded, or by assigning something else. */
static bool may_be_set_unseen(struct django_facts *facts, const struct py_func *func, const struct row *row) {
    if (func == NULL || func->node == NULL)
        return true;
    if (str_is(func->name, "__setattr__"))
        return notices_assigned(facts, func, row);
    return str_is(func->name, "__init__") || str_is(func->name, "from_db") || is_receiver(facts, func);
}

bool row_lacks(struct lowerer *l, const struct row *row, struct str name) {
    if (fields_find(row->caches, name) != NULL || !has_no_member(l->facts, row->model, name))
        return false;
    const struct attribute_sites *sites = map_get(&l->facts->type_index->attributes, name);
    if (sites != NULL && l->b.program->vars.items[row->var].is_given)
        return false;
    for (size_t i = 0; sites != NULL && i < sites->items.count; i++)
        if (may_be_set_unseen(l->facts, sites->items.items[i].func, row))
            return false;
    return true;
}
