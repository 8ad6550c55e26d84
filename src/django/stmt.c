/* Statements. After one that ends the path (return, raise, break, continue) the rest of the body isn't reached. */
#include "base/assert.h"
#include "django/choice.h"

static struct cell *cell_of_name(struct lowerer *l, struct str name) {
    struct frame *frame = l->frame;
    if (frame->globals != NULL && map_has(frame->globals, name))
        for (struct frame *outer = frame->closure; outer != NULL; outer = outer->closure) {
            struct cell *cell = fields_find(outer->locals, name);
            if (cell != NULL)
                return cell;
        }
    return fields_cell(l, frame->locals, name);
}

struct unpacking {
    const struct py_node *target;
    struct py_list targets;
};

static void assign_items(struct lowerer *l, const struct py_node *target, struct py_list targets,
                         struct val *val);

static struct val *assign_items_of(struct lowerer *l, struct val *item, void *context) {
    struct unpacking *unpacking = context;
    assign_items(l, unpacking->target, unpacking->targets, item);
    return val_null(l, item->span);
}

static void assign_items(struct lowerer *l, const struct py_node *target, struct py_list targets,
                         struct val *val) {
    if (val->kind == VAL_SEQUENCE && val->items.count == targets.count) {
        for (uint32_t i = 0; i < targets.count; i++)
            lower_assign(l, targets.items[i], val->items.items[i]);
        return;
    }
    if (val->kind == VAL_CHOICE) {
        struct unpacking unpacking = {target, targets};
        choice_each(l, lower_span(l, target), val, assign_items_of, &unpacking);
        return;
    }
    struct str text = module_text(l->frame->module, target);
    bool is_orm = val_is_orm(val);
    for (uint32_t i = 0; i < targets.count; i++) {
        struct str part = str_printf(l->arena, "%.*s[%u]",
                                     STR_ARG(val->kind == VAL_UNKNOWN ? val->name : text), i);
        struct val *item = val_unknown(l, val->span, part);
        item->is_orm = is_orm;
        lower_assign(l, targets.items[i], item);
    }
}

struct item_of {
    const struct py_node *target;
    struct val *key, *val;
};

static struct val *assign_item(struct lowerer *l, struct val *of, void *context);

static void assign_subscript(struct lowerer *l, const struct py_node *target, struct val *val) {
    struct val *of = lower_expr(l, target->Subscript.value);
    struct item_of item = {target, lower_expr(l, target->Subscript.slice), val};
    if (of->kind == VAL_CHOICE)
        choice_each(l, lower_span(l, target), of, assign_item, &item);
    else
        assign_item(l, of, &item);
}

static struct val *assign_item(struct lowerer *l, struct val *of, void *context) {
    struct item_of *item = context;
    const struct py_node *target = item->target;
    struct val *key = item->key, *val = item->val, *nothing = val_null(l, val->span);
    struct txn_span span = lower_span(l, target);
    struct value wanted, known;
    if (of->kind == VAL_DICT && val_constant(key, &wanted)) {
        struct val *changed = val_new(l, VAL_DICT, of->span);
        changed->is_partial = of->is_partial;
        changed->name = of->name;
        for (size_t i = 0; i < of->keys.count; i++) {
            bool is_same = val_constant(of->keys.items[i], &known) && value_equal(l->pool, known, wanted);
            if (is_same)
                continue;
            VEC_PUSH(l->arena, &changed->keys, of->keys.items[i]);
            VEC_PUSH(l->arena, &changed->items, of->items.items[i]);
        }
        VEC_PUSH(l->arena, &changed->keys, key);
        VEC_PUSH(l->arena, &changed->items, val_stable(l, val, STR("item")));
        val_change(l, of, changed);
        return nothing;
    }
    if (of->kind == VAL_DICT) {
        struct val *changed = val_copy(l, of);
        changed->is_partial = true;
        val_change(l, of, changed);
        return nothing;
    }
    /* x.data["key"] = v changes the value that the column holds, in place. */
    const struct py_node *inner = target->Subscript.value;
    if (inner->kind == PY_Attribute && of->kind == VAL_SCALAR && of->expr->kind == TXN_EXPR_COLUMN) {
        struct txn_expr *changed = txn_opaque(&l->b, span, STR("set_item"));
        txn_add_arg(&l->b, changed, of->expr);
        txn_add_arg(&l->b, changed, val_expr(l, key));
        txn_add_arg(&l->b, changed, val_expr(l, val));
        txn_build_set_column(&l->b, span, of->expr->var, of->expr->column_name, changed);
        return nothing;
    }
    if (of->kind == VAL_ROWS)
        lower_note(l, span, STR("assignment to this item is not modelled"));
    return nothing;
}

void lower_assign(struct lowerer *l, const struct py_node *target, struct val *val) {
    switch (target->kind) {
    case PY_Name:
        cell_set(l, cell_of_name(l, target->Name.id), val_stable(l, val, target->Name.id));
        return;
    case PY_Tuple:
        assign_items(l, target, target->Tuple.elts, val);
        return;
    case PY_List:
        assign_items(l, target, target->List.elts, val);
        return;
    case PY_Attribute: {
        struct val *of = lower_expr(l, target->Attribute.value);
        lower_set_attribute(l, lower_span(l, target), of, target->Attribute.attr, val);
        return;
    }
    case PY_Subscript:
        assign_subscript(l, target, val);
        return;
    case PY_Starred:
        lower_assign(l, target->Starred.value, val_unknown(l, val->span, STR("rest")));
        return;
    default:
        lower_note(l, lower_span(l, target), STR("assignment to this target is not modelled"));
    }
}

/* A row fetched into a name is called so in the program: the hint goes down to where it is fetched. */
static struct val *lower_value_for(struct lowerer *l, const struct py_node *target,
                                   const struct py_node *value) {
    struct str saved = l->hint;
    if (target->kind == PY_Tuple && target->Tuple.elts.count > 0)
        target = target->Tuple.elts.items[0];
    l->hint = target->kind == PY_Name ? target->Name.id : (struct str){0};
    struct val *val = lower_expr(l, value);
    l->hint = saved;
    return val;
}

static void lower_aug_assign(struct lowerer *l, const struct py_node *node) {
    const struct py_node *target = node->AugAssign.target;
    struct val *old = lower_expr(l, target);
    struct val *value = lower_expr(l, node->AugAssign.value);
    struct val *sum = lower_binary(l, node, node->op, old, value);
    lower_assign(l, target, sum);
}

static void lower_return(struct lowerer *l, const struct py_node *node) {
    struct frame *frame = l->frame;
    struct txn_span span = lower_span(l, node);
    struct val *val = node->Return.value != NULL ? lower_expr(l, node->Return.value)
                                                 : val_null(l, span);
    if (frame->is_terminated)
        return;
    struct txn_step *step = txn_build_return(&l->b, span, NULL);
    flow_add_site(l, frame->returns, frame->mark, val, step);
    frame->is_terminated = true;
}

static void lower_if(struct lowerer *l, const struct py_node *node) {
    struct txn_span span = lower_span(l, node->If.test);
    struct val *test = lower_expr(l, node->If.test);
    int known = val_known_truth(l, test);
    if (l->frame->is_terminated)
        return;
    if (known >= 0) {
        lower_body(l, known ? node->If.body : node->If.orelse);
        return;
    }
    struct flow_sites sites = {{0}};
    struct txn_step *step = txn_build_if(&l->b, span, val_truth(l, test));
    size_t mark = flow_mark(l);
    lower_refine(l, node->If.test, true);
    lower_body(l, node->If.body);
    flow_add_site(l, &sites, mark, NULL, NULL);
    flow_undo(l, mark);
    l->frame->is_terminated = false;
    txn_build_else(&l->b, step);
    lower_refine(l, node->If.test, false);
    lower_body(l, node->If.orelse);
    flow_add_site(l, &sites, mark, NULL, NULL);
    flow_undo(l, mark);
    txn_build_end(&l->b, step);
    flow_merge(l, span, &sites, (struct str){0});
}

static void lower_delete_statement(struct lowerer *l, const struct py_node *node) {
    for (uint32_t i = 0; i < node->Delete.targets.count; i++) {
        const struct py_node *target = node->Delete.targets.items[i];
        if (target->kind == PY_Name)
            cell_set(l, fields_cell(l, l->frame->locals, target->Name.id), NULL);
    }
}

static void lower_nested_function(struct lowerer *l, const struct py_node *node) {
    struct py_func *func = ARENA_NEW(l->arena, struct py_func);
    func->name = node->FunctionDef.name;
    func->module = l->frame->module;
    func->node = node;
    func->function = -1;
    func->owner = NULL;
    struct val *val = val_new(l, VAL_FUNC, lower_span(l, node));
    val->func = func;
    val->closure = l->frame;
    val = lower_decorated(l, val, node->FunctionDef.decorator_list);
    cell_set(l, fields_cell(l, l->frame->locals, func->name), val);
}

static void lower_names(struct lowerer *l, struct py_names names) {
    if (l->frame->globals == NULL) {
        l->frame->globals = ARENA_NEW(l->arena, struct map);
        map_init(l->frame->globals, l->arena);
    }
    for (uint32_t i = 0; i < names.count; i++)
        map_put(l->frame->globals, names.items[i], l);
}

/* Imports within a function bind its locals. */
static void lower_import(struct lowerer *l, const struct py_node *node) {
    struct module *module = l->frame->module;
    bool is_from = node->kind == PY_ImportFrom;
    struct py_list names = is_from ? node->ImportFrom.names : node->Import.names;
    for (uint32_t i = 0; i < names.count; i++) {
        const struct py_node *alias = names.items[i];
        struct str name = alias->alias.name, bound = alias->alias.asname;
        struct binding binding = {.kind = is_from ? BIND_FROM : BIND_MODULE, .node = node};
        if (!is_from && bound.ptr == NULL)
            name = str_sub(name, 0, str_find(name, '.', 0));
        binding.target = is_from ? node->ImportFrom.module : name;
        binding.attr = name;
        binding.level = is_from ? node->ImportFrom.level : 0;
        struct symbol symbol = symbol_of_binding(l->facts, module, &binding);
        cell_set(l, fields_cell(l, l->frame->locals, bound.ptr != NULL ? bound : name),
                 symbol_val(l, lower_span(l, node), symbol, name));
    }
}

static void lower_assert(struct lowerer *l, const struct py_node *node) {
    struct txn_span span = lower_span(l, node);
    struct val *test = lower_expr(l, node->Assert.test);
    if (l->frame->is_terminated || val_known_truth(l, test) == 1)
        return;
    struct txn_step *step =
        txn_build_if(&l->b, span, txn_unary(&l->b, span, TXN_EXPR_NOT, val_truth(l, test)));
    txn_build_raise(&l->b, span, STR("AssertionError"));
    txn_build_end(&l->b, step);
}

static void lower_jump(struct lowerer *l, const struct py_node *node) {
    struct flow_sites *sites = node->kind == PY_Break ? l->frame->breaks : l->frame->continues;
    struct txn_span span = lower_span(l, node);
    if (sites == NULL) {
        lower_note(l, span, STR("this jump out of an unrolled loop is not modelled"));
        return;
    }
    struct txn_step *step = node->kind == PY_Break ? txn_build_break(&l->b, span)
                                                   : txn_build_continue(&l->b, span);
    flow_add_site(l, sites, l->frame->loop_mark, NULL, step);
    l->frame->is_terminated = true;
}

static void lower_assign_statement(struct lowerer *l, const struct py_node *node) {
    struct py_list targets = node->Assign.targets;
    struct val *val = lower_value_for(l, targets.items[0], node->Assign.value);
    for (uint32_t i = 0; i < targets.count && !l->frame->is_terminated; i++)
        lower_assign(l, targets.items[i], val);
}

static void lower_expr_statement(struct lowerer *l, const struct py_node *node) {
    const struct py_node *value = node->Expr.value;
    if (value->kind == PY_Await)
        value = value->Await.value;
    l->is_statement = value->kind == PY_Call;
    lower_expr(l, value);
    l->is_statement = false;
}

static void lower_annotated(struct lowerer *l, const struct py_node *node) {
    if (node->AnnAssign.value != NULL)
        lower_assign(l, node->AnnAssign.target,
                     lower_value_for(l, node->AnnAssign.target, node->AnnAssign.value));
}

static void lower_stmt(struct lowerer *l, const struct py_node *node) {
    switch (node->kind) {
    case PY_Expr:
        lower_expr_statement(l, node);
        break;
    case PY_Assign:
        lower_assign_statement(l, node);
        break;
    case PY_AnnAssign:
        lower_annotated(l, node);
        break;
    case PY_AugAssign:
        lower_aug_assign(l, node);
        break;
    case PY_Return:
        lower_return(l, node);
        break;
    case PY_If:
        lower_if(l, node);
        break;
    case PY_For:
    case PY_AsyncFor:
        lower_for(l, node);
        break;
    case PY_While:
        lower_while(l, node);
        break;
    case PY_With:
    case PY_AsyncWith:
        lower_with(l, node);
        break;
    case PY_Match:
        lower_match(l, node);
        break;
    case PY_Try:
        lower_try(l, node);
        break;
    case PY_Raise:
        lower_raise(l, node);
        break;
    case PY_Delete:
        lower_delete_statement(l, node);
        break;
    case PY_FunctionDef:
    case PY_AsyncFunctionDef:
        lower_nested_function(l, node);
        break;
    case PY_Import:
    case PY_ImportFrom:
        lower_import(l, node);
        break;
    case PY_Assert:
        lower_assert(l, node);
        break;
    case PY_Break:
    case PY_Continue:
        lower_jump(l, node);
        break;
    case PY_Nonlocal:
        lower_names(l, node->Nonlocal.names);
        break;
    case PY_Global:
    case PY_Pass:
        break;
    default:
        lower_notef(l, lower_span(l, node), "%s is not modelled", py_kind_name(node->kind));
    }
}

void lower_body(struct lowerer *l, struct py_list body) {
    for (uint32_t i = 0; i < body.count && !l->frame->is_terminated; i++) {
        if (l->is_too_large || l->step_count > LOWER_STEPS_MAX) {
            l->is_too_large = true;
            return;
        }
        lower_stmt(l, body.items[i]);
    }
}
