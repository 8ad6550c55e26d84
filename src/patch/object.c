#include "patch/object.h"

struct use_search {
    const struct row_object *object;
    struct str attribute;
    uint32_t from, to;
    struct uses uses;
};

static bool is_object(const struct row_object *object, const struct py_node *node) {
    return (node->kind == PY_Name || node->kind == PY_Attribute) &&
           text_is(object->module, node, object->text);
}

/* A method or property may look at anything. */
static bool is_plain(const struct row_object *object, struct str attribute) {
    return str_is(attribute, "save") || str_is(attribute, "refresh_from_db") ||
           (object->model != NULL && model_attribute(object->model, attribute) != NULL);
}

static void find_uses(const struct py_node *node, void *context) {
    struct use_search *search = context;
    if (node->kind == PY_Attribute && is_object(search->object, node->Attribute.value)) {
        bool is_there = node->start >= search->from && node->end <= search->to;
        search->uses.is_read |= is_there && node->ctx == PY_Load &&
                                str_equal(node->Attribute.attr, search->attribute);
        search->uses.is_whole |= is_there && !is_plain(search->object, node->Attribute.attr);
        return;
    }
    search->uses.is_whole |= node->start >= search->from && node->end <= search->to &&
                             node->ctx == PY_Load && is_object(search->object, node);
    py_visit_children(node, find_uses, context);
}

struct uses object_uses(const struct row_object *object, struct str attribute, uint32_t from,
                        uint32_t to) {
    struct use_search search = {object, attribute, from, to, {false, false}};
    find_uses(object->def, &search);
    return search.uses;
}

struct binding_search {
    struct str name;
    bool is_bound;
};

static void find_binding(const struct py_node *node, void *context) {
    struct binding_search *search = context;
    search->is_bound |=
        node->kind == PY_Name && node->ctx == PY_Store && str_equal(node->Name.id, search->name);
}

static bool has_param(struct py_list args, struct str name) {
    for (uint32_t i = 0; i < args.count; i++)
        if (args.items[i] != NULL && str_equal(args.items[i]->arg.arg, name))
            return true;
    return false;
}

bool object_is_local(const struct row_object *object) {
    const struct py_node *def = object->def;
    const struct py_node *args = is_def(def) ? (def->kind == PY_FunctionDef ? def->FunctionDef.args
                                                                             : def->AsyncFunctionDef.args)
                                             : NULL;
    if (args == NULL || has_param(args->arguments.posonlyargs, object->text) ||
        has_param(args->arguments.args, object->text) ||
        has_param(args->arguments.kwonlyargs, object->text))
        return false;
    struct binding_search search = {object->text, false};
    node_walk(def, find_binding, &search);
    return search.is_bound;
}

struct save_search {
    const struct row_object *object;
    uint32_t at;
    const struct py_node *save;
};

static void find_save(const struct py_node *node, void *context) {
    struct save_search *search = context;
    if (is_call_of(node, "save") && node->start >= search->at &&
        is_object(search->object, node->Call.func->Attribute.value) &&
        (search->save == NULL || node->start < search->save->start))
        search->save = node;
}

const struct py_node *object_save_behind(const struct row_object *object, uint32_t at) {
    struct save_search search = {object, at, NULL};
    node_walk(object->def, find_save, &search);
    return search.save;
}
