/* class Meta: keys and indexes over several columns, ordering, names. */
#include "django/model_meta.h"

struct py_class *model_meta_class(struct django_facts *facts, struct py_class *class_) {
    struct py_class *where;
    const struct binding *binding = class_find(facts, class_, STR("Meta"), &where);
    return binding != NULL && binding->kind == BIND_CLASS ? binding->class_ : NULL;
}

bool model_meta_flag(struct django_facts *facts, struct py_class *class_, struct py_class *meta,
                     const char *name) {
    struct value value;
    const struct binding *binding =
        meta != NULL && meta->outer == class_ ? class_own(meta, str_from_c(name)) : NULL;
    return binding != NULL && binding->kind == BIND_VALUE && binding->value != NULL &&
           constant_value(facts, meta->module, NULL, binding->value, &value) &&
           value.kind == VALUE_BOOL && value.number != 0;
}

static const struct py_node *meta_value(struct django_facts *facts, struct py_class *meta,
                                        const char *name, struct py_class **where) {
    const struct binding *binding =
        meta != NULL ? class_find(facts, meta, str_from_c(name), where) : NULL;
    return binding != NULL && binding->kind == BIND_VALUE ? binding->value : NULL;
}

void model_meta_text(struct django_facts *facts, struct py_class *meta, const char *name,
                     struct str *text) {
    struct py_class *where;
    const struct py_node *node = meta_value(facts, meta, name, &where);
    if (node != NULL)
        constant_text(facts, where->module, node, text);
}

static bool elements(const struct py_node *node, struct py_list *list) {
    if (node->kind == PY_Tuple)
        *list = node->Tuple.elts;
    else if (node->kind == PY_List)
        *list = node->List.elts;
    else
        return false;
    return true;
}

/* Texts of a tuple or list, joined by commas; empty if one isn't constant. */
static struct str joined_names(struct django_facts *facts, struct module *module,
                               const struct py_node *node) {
    struct py_list list;
    struct str joined = {0}, text;
    if (!elements(node, &list))
        return joined;
    for (uint32_t i = 0; i < list.count; i++) {
        if (!constant_text(facts, module, list.items[i], &text))
            return (struct str){0};
        joined = i == 0 ? text
                        : str_printf(facts->arena, "%.*s,%.*s", STR_ARG(joined), STR_ARG(text));
    }
    return joined;
}

static void add_unique(struct django_facts *facts, struct model *model, struct str names,
                       struct str condition) {
    if (names.len == 0)
        return;
    VEC_PUSH(facts->arena, &model->unique_sets, names);
    VEC_PUSH(facts->arena, &model->unique_conditions, condition);
}

static void read_unique_together(struct django_facts *facts, struct model *model, struct py_class *meta) {
    struct py_class *where;
    const struct py_node *node = meta_value(facts, meta, "unique_together", &where);
    struct py_list list;
    if (node == NULL || !elements(node, &list) || list.count == 0)
        return;
    struct str text;
    if (constant_text(facts, where->module, list.items[0], &text)) {
        add_unique(facts, model, joined_names(facts, where->module, node), (struct str){0});
        return;
    }
    for (uint32_t i = 0; i < list.count; i++)
        add_unique(facts, model, joined_names(facts, where->module, list.items[i]), (struct str){0});
}

static struct str literal_sql(struct django_facts *facts, struct value value) {
    struct buf buf = {0};
    value_print(facts->pool, value, &buf);
    struct str text = str_dup(facts->arena, buf_str(&buf));
    buf_release(&buf);
    return text;
}

/* Q(active=True, kind="x"), with & between such: equality with constants and isnull. Empty: not understood. */
static struct str condition_sql(struct django_facts *facts, struct model *model, struct py_class *where,
                                const struct py_node *node) {
    struct str sql = {0};
    if (node->kind == PY_BinOp && node->op == PY_OP_BitAnd) {
        struct str left = condition_sql(facts, model, where, node->BinOp.left);
        struct str right = condition_sql(facts, model, where, node->BinOp.right);
        if (left.len == 0 || right.len == 0)
            return sql;
        return str_printf(facts->arena, "%.*s AND %.*s", STR_ARG(left), STR_ARG(right));
    }
    if (node->kind != PY_Call || node->Call.args.count > 0 || node->Call.keywords.count == 0)
        return sql;
    for (uint32_t i = 0; i < node->Call.keywords.count; i++) {
        const struct py_node *keyword = node->Call.keywords.items[i];
        struct str name = keyword->keyword.arg;
        bool is_null_test = str_ends(name, "__isnull");
        struct value value;
        if (is_null_test)
            name = str_sub(name, 0, name.len - 8);
        struct model_field *field = model_attribute(model, name);
        if (field == NULL ||
            !constant_value(facts, where->module, model->class_, keyword->keyword.value, &value))
            return (struct str){0};
        struct str part =
            is_null_test ? str_printf(facts->arena, "%.*s IS %sNULL", STR_ARG(field->column),
                                      value.number != 0 ? "" : "NOT ")
                         : str_printf(facts->arena, "%.*s = %.*s", STR_ARG(field->column),
                                      STR_ARG(literal_sql(facts, value)));
        sql = i == 0 ? part : str_printf(facts->arena, "%.*s AND %.*s", STR_ARG(sql), STR_ARG(part));
    }
    return sql;
}

static void read_constraint(struct django_facts *facts, struct model *model, struct py_class *where,
                            const struct py_node *node) {
    if (node->kind != PY_Call)
        return;
    struct str name = node->Call.func->kind == PY_Attribute ? node->Call.func->Attribute.attr
                      : node->Call.func->kind == PY_Name    ? node->Call.func->Name.id
                                                            : (struct str){0};
    const struct py_node *fields = NULL, *condition = NULL;
    for (uint32_t i = 0; i < node->Call.keywords.count; i++) {
        const struct py_node *keyword = node->Call.keywords.items[i];
        if (str_is(keyword->keyword.arg, "fields"))
            fields = keyword->keyword.value;
        if (str_is(keyword->keyword.arg, "condition"))
            condition = keyword->keyword.value;
    }
    if (!str_is(name, "UniqueConstraint") || fields == NULL) {
        if (!str_is(name, "Index"))
            facts_note(facts, module_span(where->module, node), false,
                       str_printf(facts->arena, "%.*s is not modelled", STR_ARG(name)));
        else if (fields != NULL && condition == NULL)
            VEC_PUSH(facts->arena, &model->index_sets, joined_names(facts, where->module, fields));
        return;
    }
    struct str sql = {0};
    if (condition != NULL) {
        sql = condition_sql(facts, model, where, condition);
        if (sql.len == 0) {
            facts_note(facts, module_span(where->module, condition), false,
                       STR("the condition of this UniqueConstraint is not modelled"));
            return;
        }
    }
    add_unique(facts, model, joined_names(facts, where->module, fields), sql);
}

static void read_list(struct django_facts *facts, struct model *model, struct py_class *meta,
                      const char *name) {
    struct py_class *where;
    const struct py_node *node = meta_value(facts, meta, name, &where);
    struct py_list list;
    if (node == NULL || !elements(node, &list))
        return;
    for (uint32_t i = 0; i < list.count; i++)
        read_constraint(facts, model, where, list.items[i]);
}

void model_meta_read(struct django_facts *facts, struct model *model, struct py_class *meta) {
    struct py_class *where;
    struct py_list list;
    struct str text;
    if (meta == NULL)
        return;
    const struct py_node *node = meta_value(facts, meta, "ordering", &where);
    if (node != NULL && elements(node, &list))
        for (uint32_t i = 0; i < list.count; i++)
            if (constant_text(facts, where->module, list.items[i], &text))
                VEC_PUSH(facts->arena, &model->ordering, text);
    read_unique_together(facts, model, meta);
    read_list(facts, model, meta, "constraints");
    read_list(facts, model, meta, "indexes");
}
