/* Attributes and items of values. */
#include "base/assert.h"
#include "django/choice.h"
#include "django/given.h"
#include "django/container.h"
#include "django/form.h"
#include "django/view.h"
#include "django/orm.h"
#include "django/roots.h"
#include "django/values.h"

struct val *func_val(struct lowerer *l, struct py_func *func) {
    struct val *val = val_new(l, VAL_FUNC, module_span(func->module, func->node));
    val->func = func;
    return val;
}

/* Methods that send something at once: what stands so in a module or class is sent when that is loaded. */
static bool is_sent_at_once(struct str name) {
    static const char *const names[] = {"get",    "first",  "last",   "latest",        "earliest",         "count",
                                        "exists", "create", "update", "get_or_create", "update_or_create", "delete",
                                        "in_bulk", "aggregate", "bulk_create", "bulk_update", "iterator"};
    for (size_t i = 0; i < LW_COUNT_OF(names); i++)
        if (str_is(name, names[i]))
            return true;
    return false;
}

/* `Order.objects.filter(...)`, `Service()`, `dict(a=1)`: what a module or class holds for all that use it. */
static bool is_held(struct lowerer *l, struct module *module, const struct py_node *node) {
    const struct py_node *func = node->Call.func;
    struct symbol symbol = symbol_of_expr(l->facts, module, func);
    if (symbol.kind == SYMBOL_CLASS)
        return class_model(l->facts, symbol.class_) == NULL && node->Call.args.count == 0 &&
               node->Call.keywords.count == 0;
    if (symbol.kind == SYMBOL_NONE && func->kind == PY_Name && str_is(func->Name.id, "dict"))
        return node->Call.args.count == 0;
    while (func->kind == PY_Attribute || func->kind == PY_Call) {
        if (func->kind == PY_Attribute && is_sent_at_once(func->Attribute.attr))
            return false;
        func = func->kind == PY_Call ? func->Call.func : func->Attribute.value;
        symbol = symbol_of_expr(l->facts, module, func);
        if (symbol.kind == SYMBOL_CLASS)
            return class_model(l->facts, symbol.class_) != NULL;
    }
    return false;
}

/* The object itself was made when its module was loaded. */
static struct val *held_value(struct lowerer *l, struct txn_span span, const struct py_node *node) {
    struct symbol symbol = symbol_of_expr(l->facts, l->frame->module, node->Call.func);
    if (symbol.kind != SYMBOL_CLASS)
        return lower_expr(l, node);
    struct val *val = val_new(l, VAL_INSTANCE, span);
    val->class_ = symbol.class_;
    val->fields = fields_new(l);
    return val;
}

/* All that lowering leaves behind, besides the value it gives. */
struct traces {
    size_t counts[13];
};

static struct traces traces_of(const struct lowerer *l) {
    return (struct traces){{l->trail.count, l->notes.count, l->called.count, l->covered.count,
                            l->b.program->vars.count, l->params.count, l->given.items.count, l->site_count,
                            l->step_count, l->b.at->steps.count, l->on_commit.count,
                            l->outside_calls.count, l->prefetches_used.count}};
}

/* A value of its own for each who asks: a list may be changed in place. What it holds besides lists may not. */
static struct val *copy_plain(struct lowerer *l, struct val *val) {
    if (val->kind != VAL_SEQUENCE && val->kind != VAL_DICT)
        return val;
    struct val *copy = arena_copy(l->arena, val, sizeof(*val));
    size_t count = copy->items.count, key_count = copy->keys.count;
    copy->items.items = ARENA_ARRAY(l->arena, struct val *, count);
    copy->items.capacity = copy->items.count;
    for (size_t i = 0; i < count; i++)
        copy->items.items[i] = copy_plain(l, val->items.items[i]);
    copy->keys.items = ARENA_ARRAY(l->arena, struct val *, key_count);
    copy->keys.capacity = copy->keys.count;
    for (size_t i = 0; i < key_count; i++)
        copy->keys.items[i] = copy_plain(l, val->keys.items[i]);
    return copy;
}

static bool is_plain(const struct val *val) {
    bool is_leaf = val->kind == VAL_EXTERNAL || (val->kind == VAL_UNKNOWN && val->expr == NULL) ||
                   (val->kind == VAL_SCALAR && val->expr->kind == TXN_EXPR_LITERAL);
    if (val->content != NULL || !(is_leaf || val->kind == VAL_SEQUENCE || val->kind == VAL_DICT))
        return false;
    for (size_t i = 0; i < val->items.count; i++)
        if (!is_plain(val->items.items[i]))
            return false;
    for (size_t i = 0; i < val->keys.count; i++)
        if (!is_plain(val->keys.items[i]))
            return false;
    return true;
}

/* Long tables of constants are asked for again and again: they are evaluated once. */
static struct val *table_value(struct lowerer *l, const struct py_node *node) {
    enum { CALLS_LEFT = 4, DEPTH_LEFT = 40 }; /* no limit would cut it short */
    bool is_table = node->kind == PY_Tuple || node->kind == PY_List || node->kind == PY_Dict;
    if (!is_table || l->frame->module->is_contrib || l->call_depth + CALLS_LEFT > LOWER_CALLS_MAX ||
        l->expr_depth + DEPTH_LEFT > LOWER_EXPR_DEPTH_MAX || l->is_too_large)
        return lower_expr(l, node);
    struct val *known = type_find(&l->module_values, node);
    if (known != NULL)
        return copy_plain(l, known);
    struct traces before = traces_of(l);
    struct val *val = lower_expr(l, node);
    struct traces after = traces_of(l);
    if (memcmp(&before, &after, sizeof(before)) == 0 && is_plain(val) && !l->is_too_large)
        map_put(&l->module_values, type_key(l->arena, node), copy_plain(l, val));
    return val;
}

/* A module-level expression, evaluated where it stands. */
static struct val *module_value(struct lowerer *l, struct txn_span span, struct symbol symbol,
                                struct str text) {
    struct value value;
    if (symbol.value == NULL || symbol.is_rebound)
        return val_unknown(l, span, text);
    if (constant_value(l->facts, symbol.module, NULL, symbol.value, &value))
        return val_literal(l, span, value);
    if (symbol.value->kind == PY_Call) {
        struct model *model = model_of_call(l->facts, symbol.module, symbol.value);
        if (model != NULL) {
            struct val *val = val_new(l, VAL_CLASS, span);
            val->class_ = model->class_;
            return val;
        }
    }
    switch (symbol.value->kind) {
    case PY_Name:
    case PY_Tuple:
    case PY_List:
    case PY_Set:
    case PY_Dict:
    case PY_Attribute:
    case PY_Lambda:
        break;
    case PY_Call:
        if (is_held(l, symbol.module, symbol.value))
            break;
        return val_unknown(l, span, text);
    default:
        return val_unknown(l, span, text);
    }
    if (l->call_depth >= LOWER_CALLS_MAX)
        return val_unknown(l, span, text);
    struct frame frame = {.outer = l->frame, .module = symbol.module, .locals = fields_new(l),
                          .call_span = span};
    struct frame *outer = l->frame;
    l->frame = arena_copy(l->arena, &frame, sizeof(frame));
    l->call_depth++;
    struct val *val = symbol.value->kind == PY_Call ? held_value(l, span, symbol.value)
                                                    : table_value(l, symbol.value);
    l->call_depth--;
    l->frame = outer;
    return val->kind == VAL_UNKNOWN ? val_unknown(l, span, text) : val;
}

struct val *symbol_val(struct lowerer *l, struct txn_span span, struct symbol symbol, struct str text) {
    struct val *val;
    switch (symbol.kind) {
    case SYMBOL_FUNC:
        return lower_decorated(l, func_val(l, symbol.func),
                               symbol.func->node->FunctionDef.decorator_list);
    case SYMBOL_CLASS:
        val = val_new(l, VAL_CLASS, span);
        val->class_ = symbol.class_;
        return val;
    case SYMBOL_MODULE:
        val = val_new(l, VAL_MODULE, span);
        val->module = symbol.module;
        return val;
    case SYMBOL_EXTERNAL:
        return val_external(l, span, symbol.dotted);
    case SYMBOL_VALUE:
        return module_value(l, span, symbol, text);
    case SYMBOL_NONE:
        break;
    }
    return val_unknown(l, span, text);
}

struct val *class_of_object(struct lowerer *l, struct txn_span span, const struct val *of) {
    struct py_class *class_ = of->kind == VAL_ROW        ? of->row->model->class_
                              : of->kind == VAL_UNKNOWN && of->model != NULL && !of->is_many
                                  ? of->model->class_
                              : of->kind == VAL_INSTANCE ? of->class_
                                                         : NULL;
    if (class_ == NULL)
        return NULL;
    struct val *val = val_new(l, VAL_CLASS, span);
    val->class_ = class_;
    return val;
}

/* A cached_property keeps what it gave first as an attribute of its object. */
static void keep_property(struct lowerer *l, struct val *self, struct str name, struct val *val) {
    if (self->kind == VAL_ROW && !l->frame->is_terminated)
        cell_set(l, row_cache(l, self->row, name), val);
    else if (self->kind == VAL_INSTANCE && !l->frame->is_terminated)
        cell_set(l, fields_cell(l, self->fields, name), val);
}

/* A method as seen through an object: bound, or called at once if it is a property. */
static struct val *bind_method(struct lowerer *l, struct txn_span span, struct val *self,
                               struct py_func *func) {
    bool is_property = func_has_decorator(func, "property") || func_has_decorator(func, "cached_property");
    struct val *val = lower_decorated(l, func_val(l, func), func->node->FunctionDef.decorator_list);
    if (func_has_decorator(func, "staticmethod"))
        return val;
    struct val *bound = val_new(l, VAL_BOUND, span);
    bound->func = func;
    bound->self = self;
    if (func_has_decorator(func, "classmethod") && self->kind != VAL_CLASS) {
        bound->self = class_of_object(l, span, self);
        if (bound->self == NULL) {
            bound->self = val_new(l, VAL_CLASS, span);
            bound->self->class_ = func->owner;
        }
    }
    VEC_PUSH(l->arena, &bound->items, val);
    if (!is_property)
        return bound;
    struct args none = {.span = span};
    struct val *got = lower_call_value(l, bound, &none, func->name);
    if (func_has_decorator(func, "cached_property"))
        keep_property(l, self, func->name, got);
    return got;
}

struct val *class_member(struct lowerer *l, struct txn_span span, struct val *self,
                         struct py_class *class_, struct str name) {
    struct py_class *where;
    struct value value;
    const struct binding *binding = class_find(l->facts, class_, name, &where);
    if (binding == NULL)
        return NULL;
    if (binding->kind == BIND_FUNC) {
        bool is_plain = self->kind == VAL_CLASS && !func_has_decorator(binding->func, "classmethod");
        if (is_plain)
            return lower_decorated(l, func_val(l, binding->func),
                                   binding->func->node->FunctionDef.decorator_list);
        return bind_method(l, span, self, binding->func);
    }
    if (binding->kind == BIND_VALUE && binding->value != NULL && !binding->is_rebound) {
        const struct py_node *node = binding->value;
        bool is_member = class_has_external_base(l->facts, where, "Choices");
        if (is_member && node->kind == PY_Tuple && node->Tuple.elts.count > 0)
            node = node->Tuple.elts.items[0];
        if (constant_value(l->facts, where->module, where, node, &value))
            return val_literal(l, span, value);
        struct symbol symbol = {.kind = SYMBOL_VALUE, .module = where->module, .value = node};
        return module_value(l, span, symbol, name);
    }
    return symbol_val(l, span, symbol_of_binding(l->facts, where->module, binding), name);
}

static struct val *class_attribute(struct lowerer *l, struct txn_span span, struct val *of,
                                   struct str name) {
    struct model *model = class_model(l->facts, of->class_);
    if (model != NULL && !model->is_abstract) {
        struct queryset *manager = manager_of(l, span, model, name);
        if (manager != NULL)
            return val_query(l, span, manager);
    }
    struct val *member = class_member(l, span, of, of->class_, name);
    if (member != NULL)
        return member;
    struct str manager;
    if (model != NULL && !model->is_abstract && type_of_set_manager(l->facts, model, name, &manager))
        return val_query(l, span, manager_of(l, span, model, manager));
    if (str_is(name, "__name__"))
        return val_literal(l, span, value_text(l->pool, of->class_->name));
    struct str text = str_printf(l->arena, "%.*s.%.*s", STR_ARG(of->class_->name), STR_ARG(name));
    struct val *unknown = val_unknown(l, span, text);
    if (model != NULL && !model->is_abstract && str_is(name, "_meta"))
        unknown->class_ = of->class_;
    return unknown;
}

/* x._meta.db_table. NULL: something else. What Django's other names of a model lead to is read from tables of its own: it may
 * be any. */
static struct val *option_of_model(struct lowerer *l, struct txn_span span, const struct val *options, struct str name) {
    const struct model *model = options->class_ != NULL ? class_model(l->facts, options->class_) : NULL;
    return model != NULL && str_is(name, "db_table") ? val_literal(l, span, value_text(l->pool, model->table_name))
                                                     : NULL;
}

static struct val *method_of(struct lowerer *l, struct txn_span span, struct val *self,
                             struct str name) {
    struct val *val = val_new(l, VAL_METHOD, span);
    val->self = self;
    val->name = name;
    return val;
}

static struct val *instance_attribute(struct lowerer *l, struct txn_span span, struct val *of,
                                      struct str name) {
    struct cell *cell = fields_find(of->fields, name);
    if (cell != NULL && cell->val != NULL)
        return cell->val;
    struct val *member = class_member(l, span, of, of->class_, name);
    if (member != NULL && !val_is_none(member))
        return member;
    struct str owner = is_form_class(l, of->class_) ? of->class_->name : STR("self");
    struct str text = str_printf(l->arena, "%.*s.%.*s", STR_ARG(owner), STR_ARG(name));
    if (str_is(name, "request") && is_view_class(l->facts, of->class_))
        return given_request(l, span, text);
    /* What another method set. */
    struct type type = type_of_member(l->facts, of->class_, name);
    struct val *given = given_value(l, span, &type, text);
    if (given != NULL && given->kind == VAL_UNKNOWN && given->model != NULL)
        given->is_request = is_view_class(l->facts, of->class_);
    if (given != NULL)
        return given;
    if (member != NULL)
        return member;
    if (str_is(name, "get_object") || str_is(name, "get_queryset") || form_has_method(l, of, name) ||
        view_edits(l, of, name))
        return method_of(l, span, of, name);
    return val_unknown(l, span, text);
}

static struct val *super_attribute(struct lowerer *l, struct txn_span span, struct val *of,
                                   struct str name) {
    struct val *self = of->self;
    struct py_class *start = self->kind == VAL_ROW        ? self->row->model->class_
                             : self->kind == VAL_INSTANCE ? self->class_
                             : self->kind == VAL_CLASS    ? self->class_
                             : self->kind == VAL_QUERYSET ? self->query->class_
                                                          : NULL;
    struct py_func *found = class_super(l->facts, start, of->class_, name);
    if (found != NULL)
        return bind_method(l, span, self, found);
    return method_of(l, span, self, name);
}

struct attribute_of {
    struct txn_span span;
    struct str name;
    const struct py_node *node;
    struct val *val; /* to be set; NULL: read */
};

static struct val *attribute_of_item(struct lowerer *l, struct val *item, void *context) {
    struct attribute_of *attribute = context;
    if (attribute->val == NULL)
        return lower_attribute(l, attribute->span, item, attribute->name, attribute->node);
    lower_set_attribute(l, attribute->span, item, attribute->name, attribute->val);
    return val_null(l, attribute->span);
}

/* What it is set to is one thing or another. */
static struct val *set_to_item(struct lowerer *l, struct val *item, void *context) {
    struct attribute_of *attribute = context;
    lower_set_attribute(l, attribute->span, attribute->val, attribute->name, item);
    return val_null(l, attribute->span);
}

struct val *lower_attribute(struct lowerer *l, struct txn_span span, struct val *of, struct str name,
                            const struct py_node *node) {
    struct value value;
    struct val *class_ = str_is(name, "__class__") ? class_of_object(l, span, of) : NULL;
    if (class_ != NULL)
        return class_;
    switch (of->kind) {
    case VAL_CHOICE: {
        struct attribute_of attribute = {span, name, node, NULL};
        return choice_each(l, span, of, attribute_of_item, &attribute);
    }
    case VAL_ROW:
        return row_attribute(l, span, of, name);
    case VAL_QUERYSET:
        return query_attribute(l, span, of, name);
    case VAL_CLASS:
        return class_attribute(l, span, of, name);
    case VAL_INSTANCE:
        return instance_attribute(l, span, of, name);
    case VAL_SUPER:
        return super_attribute(l, span, of, name);
    case VAL_MODULE: {
        struct symbol symbol = {.kind = SYMBOL_MODULE, .module = of->module};
        struct symbol inner = symbol_attribute(l->facts, symbol, name);
        return symbol_val(l, span, inner, node != NULL ? module_text(l->frame->module, node) : name);
    }
    case VAL_EXTERNAL:
        return val_external(l, span, str_printf(l->arena, "%.*s.%.*s", STR_ARG(of->name),
                                                STR_ARG(name)));
    case VAL_UNKNOWN: {
        struct val *given = option_of_model(l, span, of, name);
        if (given == NULL)
            given = given_attribute(l, span, of, name);
        if (given != NULL)
            return given;
        struct val *unknown = val_unknown(l, span, str_printf(l->arena, "%.*s.%.*s", STR_ARG(of->name),
                                                              STR_ARG(name)));
        unknown->is_orm = of->is_orm && !of->is_container;
        unknown->is_plain = of->is_plain;
        return unknown;
    }
    case VAL_SCALAR:
        if (str_is(name, "value") && val_constant(of, &value))
            return of;
        return method_of(l, span, of, name);
    case VAL_PARTIAL:
        if (str_is(of->name, "row_state") && str_is(name, "adding"))
            return row_is_adding(l, span, of->self->row);
        return method_of(l, span, of, name);
    case VAL_FUNC:
    case VAL_BOUND:
    case VAL_SEQUENCE:
    case VAL_DICT:
    case VAL_ROWS:
    case VAL_SQL:
    case VAL_COND:
    case VAL_METHOD:
    case VAL_LOCK:
        return method_of(l, span, of, name);
    }
    return val_unknown(l, span, name);
}

/* Whether code may run where an attribute of that name is set. */
static bool may_run(struct lowerer *l, const struct val *of, struct str name) {
    const struct func_list *setters = map_get(&l->facts->func_by_name, name);
    for (size_t i = 0; setters != NULL && i < setters->items.count; i++)
        if (setters->items.items[i]->owner != NULL && func_is_decorated(setters->items.items[i], "setter") &&
            (!of->is_object || setters->items.items[i]->may_write))
            return true;
    return false;
}

/* To save an unknown object is a gap by itself; what is assigned to it is one if it may be a row that is saved elsewhere. */
void lower_tell_lost_sets(struct lowerer *l) {
    for (size_t i = 0; i < l->lost_sets.count; i++) {
        const struct lost_set *lost = &l->lost_sets.items[i];
        bool is_saved = false;
        for (size_t k = 0; k < l->saved.count && !is_saved; k++)
            is_saved = model_attribute(l->saved.items[k], lost->name) != NULL;
        if (is_saved)
            lower_note(l, lost->span, STR("assignment to an attribute of a value that is not known"));
    }
}

void lower_set_attribute(struct lowerer *l, struct txn_span span, struct val *of, struct str name,
                         struct val *val) {
    struct attribute_of attribute = {span, name, NULL, val};
    switch (of->kind) {
    case VAL_CHOICE:
        choice_each(l, span, of, attribute_of_item, &attribute);
        return;
    case VAL_ROW:
        attribute.val = of;
        if (val->kind == VAL_CHOICE)
            choice_each(l, span, val, set_to_item, &attribute);
        else
            row_set_attribute(l, span, of->row, name, val);
        return;
    case VAL_INSTANCE:
        cell_set(l, fields_cell(l, of->fields, name), val_stable(l, val, name));
        return;
    case VAL_UNKNOWN:
        attribute.val = given_row(l, span, of);
        if (attribute.val != NULL) {
            lower_set_attribute(l, span, attribute.val, name, val);
            return;
        }
        if (of->is_orm && may_run(l, of, name))
            lower_note(l, span, STR("assignment to an attribute of a value that is not known"));
        else if (of->is_orm && !of->is_object && l->dry_depth == 0)
            VEC_PUSH(l->arena, &l->lost_sets, ((struct lost_set){name, span}));
        return;
    case VAL_EXTERNAL:
        if (of->is_orm)
            lower_note(l, span, STR("assignment to an attribute of a value that is not known"));
        return;
    case VAL_ROWS:
        lower_note(l, span, STR("assignment to this attribute is not modelled"));
        return;
    default: /* func.short_description = "...": no row's */
        return;
    }
}

static struct val *subscript_known(struct lowerer *l, struct val *of, struct val *key) {
    struct value wanted, known;
    if (!val_constant(key, &wanted))
        return NULL;
    if (of->kind == VAL_SEQUENCE && wanted.kind == VALUE_INT) {
        int64_t index = wanted.number < 0 ? wanted.number + (int64_t)of->items.count : wanted.number;
        return index >= 0 && index < (int64_t)of->items.count ? of->items.items[index] : NULL;
    }
    for (size_t i = 0; of->kind == VAL_DICT && i < of->keys.count; i++)
        if (val_constant(of->keys.items[i], &known) && value_equal(l->pool, known, wanted))
            return of->items.items[i];
    return NULL;
}

static struct val *slice_query(struct lowerer *l, const struct py_node *slice, struct val *of) {
    struct txn_span span = lower_span(l, slice);
    struct queryset *query = query_copy(l, of->query);
    query->is_manager = false;
    struct val *lower = slice->Slice.lower != NULL ? lower_expr(l, slice->Slice.lower) : NULL;
    struct val *upper = slice->Slice.upper != NULL ? lower_expr(l, slice->Slice.upper) : NULL;
    struct value a = value_int(0), b;
    if (lower != NULL && !val_constant(lower, &a)) {
        query->offset = lower;
        if (upper != NULL)
            query->limit = val_scalar(l, txn_binary(&l->b, span, TXN_OP_SUB, val_expr(l, upper),
                                                    val_expr(l, lower)));
        return val_query(l, span, query);
    }
    if (a.kind == VALUE_INT && a.number > 0)
        query->offset = lower;
    if (upper != NULL && val_constant(upper, &b) && b.kind == VALUE_INT)
        query->limit = val_int(l, span, b.number - a.number);
    else if (upper != NULL)
        query->limit = upper;
    return val_query(l, span, query);
}

/* Something in a value that isn't known, or an item that isn't. */
static struct val *unknown_part(struct lowerer *l, struct txn_span span, const struct val *of,
                                struct str text) {
    struct val *part = val_unknown(l, span, text);
    part->is_orm = val_is_orm(of);
    return part;
}

/* An item by its key; a slice: `key` is NULL. */
static struct val *subscript(struct lowerer *l, const struct py_node *node, struct val *of,
                             struct val *key) {
    const struct py_node *slice = node->Subscript.slice;
    struct txn_span span = lower_span(l, node);
    struct str text = module_text(l->frame->module, node);
    if (key == NULL) {
        if (of->kind == VAL_QUERYSET)
            return slice_query(l, slice, of);
        if (of->kind == VAL_ROWS)
            lower_note(l, span, STR("a slice of rows is not modelled"));
        return of->kind == VAL_UNKNOWN ? unknown_part(l, span, of, text) : of;
    }
    struct val *known = subscript_known(l, of, key);
    if (known != NULL)
        return known;
    if (val_is_by_key(of))
        return by_key_item(l, span, of, key, true);
    if (of->kind == VAL_QUERYSET)
        return query_index(l, span, of->query, key);
    if (of->kind == VAL_ROWS && of->model != NULL) {
        struct value index;
        if (!val_constant(key, &index) || index.number != 0)
            lower_note(l, span, STR("an item of rows other than the first is not modelled"));
        struct row *row = row_new(l, of->model, lower_var(l, STR("item")));
        row->pk_state.val = val_bool(l, span, true);
        row->is_null_possible = true;
        txn_build_assign(&l->b, span, row->var, txn_of_list(&l->b, span, TXN_EXPR_FIRST, of->var));
        return val_row(l, span, row);
    }
    if (of->kind == VAL_SCALAR) {
        struct txn_expr *call = txn_opaque(&l->b, span, STR("item"));
        txn_add_arg(&l->b, call, of->expr);
        txn_add_arg(&l->b, call, val_expr(l, key));
        return val_scalar(l, call);
    }
    if (of->kind == VAL_UNKNOWN) {
        /* request.POST["x"]: by what the receiver is called where it comes from. */
        struct str key_text = module_text(l->frame->module, slice);
        return unknown_part(l, span, of, str_printf(l->arena, "%.*s[%.*s]", STR_ARG(of->name),
                                                    STR_ARG(key_text)));
    }
    return unknown_part(l, span, of, text);
}

struct subscript_of {
    const struct py_node *node;
    struct val *key;
};

static struct val *subscript_of_item(struct lowerer *l, struct val *item, void *context) {
    struct subscript_of *of = context;
    return subscript(l, of->node, item, of->key);
}

struct val *lower_subscript(struct lowerer *l, const struct py_node *node) {
    struct val *of = lower_expr(l, node->Subscript.value);
    bool is_slice = node->Subscript.slice->kind == PY_Slice;
    struct subscript_of each = {node, is_slice ? NULL : lower_expr(l, node->Subscript.slice)};
    if (of->kind == VAL_CHOICE)
        return choice_each(l, lower_span(l, node), of, subscript_of_item, &each);
    return subscript(l, node, of, each.key);
}
