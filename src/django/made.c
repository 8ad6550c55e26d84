/* Whether a function is only called for a row that its callers have just made: nobody else knows that one yet. Who they are
 * is known by name only, and what is in a name by the assignments before the place at hand. */
#include "django/made.h"

#include "base/assert.h"

enum { MADE_DEPTH_MAX = 4 };

static bool is_made(struct django_facts *facts, const struct py_func *func, const struct py_node *node, int depth);

/* What a name may have been given before an offset. */
struct values {
    struct str name;
    uint32_t before;
    bool is_sure; /* the statement at hand runs whenever the function gets past it */
    bool is_set;  /* it has been given one for sure: what it was before doesn't count */
    bool is_other; /* or something that can't be told */
    struct arena *arena;
    VEC(const struct py_node *) items;
};

static void note_target(struct values *v, const struct py_node *target, const struct py_node *value) {
    if (target->kind == PY_Tuple)
        for (uint32_t i = 0; i < target->Tuple.elts.count; i++)
            note_target(v, target->Tuple.elts.items[i], NULL);
    if (target->kind != PY_Name || !str_equal(target->Name.id, v->name) || target->start >= v->before)
        return;
    if (v->is_sure) {
        v->items.count = 0;
        v->is_set = true;
        v->is_other = false;
    }
    if (value == NULL)
        v->is_other = true;
    else if (value->kind != PY_Constant) /* None until it is made */
        VEC_PUSH(v->arena, &v->items, value);
}

static void visit_values(const struct py_node *node, void *context) {
    struct values *v = context;
    bool was_sure = v->is_sure;
    if (node->kind == PY_Assign)
        for (uint32_t i = 0; i < node->Assign.targets.count; i++)
            note_target(v, node->Assign.targets.items[i], node->Assign.value);
    else if (node->kind == PY_AnnAssign && node->AnnAssign.value != NULL)
        note_target(v, node->AnnAssign.target, node->AnnAssign.value);
    else if (node->kind == PY_NamedExpr)
        note_target(v, node->NamedExpr.target, node->NamedExpr.value);
    else if (node->kind == PY_withitem && node->withitem.optional_vars != NULL)
        note_target(v, node->withitem.optional_vars, NULL);
    else if (node->kind != PY_With)
        v->is_sure = false; /* a branch, a loop, a handler */
    if (node->kind == PY_For || node->kind == PY_AsyncFor)
        note_target(v, node->For.target, NULL);
    py_visit_children(node, visit_values, v);
    v->is_sure = was_sure;
}

static struct str simple_name(const struct py_node *callee) {
    return callee->kind == PY_Attribute ? callee->Attribute.attr
           : callee->kind == PY_Name    ? callee->Name.id
                                        : (struct str){0};
}

/* create(), create_user(), _create_order(); not get_or_create(). */
static bool is_making_name(struct str name) {
    while (str_starts(name, "_"))
        name = str_sub(name, 1, name.len);
    return str_is(name, "create") || str_is(name, "acreate") || str_starts(name, "create_");
}

/* All values that a function returns. */
struct returns {
    struct django_facts *facts;
    const struct py_func *func;
    int depth;
    size_t count;
    bool are_made;
};

static void visit_return(const struct py_node *node, void *context) {
    struct returns *r = context;
    if (node->kind == PY_FunctionDef || node->kind == PY_AsyncFunctionDef || node->kind == PY_Lambda)
        return;
    if (node->kind == PY_Return) {
        r->count++;
        r->are_made &= node->Return.value != NULL && is_made(r->facts, r->func, node->Return.value, r->depth);
    }
    py_visit_children(node, visit_return, r);
}

static bool returns_made(struct django_facts *facts, const struct py_func *func, int depth) {
    struct returns r = {facts, func, depth, 0, true};
    for (uint32_t i = 0; func->node != NULL && i < func->node->FunctionDef.body.count; i++)
        visit_return(func->node->FunctionDef.body.items[i], &r);
    return r.count > 0 && r.are_made;
}

/* What self.name means in a method; NULL: it is none of that, or not known. */
static const struct binding *of_self(struct django_facts *facts, const struct py_func *func,
                                     const struct py_node *callee) {
    struct py_class *where;
    bool is_self = func->owner != NULL && callee->kind == PY_Attribute &&
                   callee->Attribute.value->kind == PY_Name && str_is(callee->Attribute.value->Name.id, "self");
    return is_self ? class_find(facts, func->owner, callee->Attribute.attr, &where) : NULL;
}

static bool is_making(struct django_facts *facts, const struct py_func *func, const struct py_node *call, int depth) {
    struct symbol symbol = symbol_of_expr(facts, func->module, call->Call.func);
    struct str name = simple_name(call->Call.func);
    if (symbol.kind == SYMBOL_CLASS)
        return class_model(facts, symbol.class_) != NULL;
    if (is_making_name(name))
        return true;
    if (symbol.kind == SYMBOL_FUNC)
        return returns_made(facts, symbol.func, depth + 1);
    const struct binding *own = of_self(facts, func, call->Call.func);
    if (own != NULL)
        return own->kind == BIND_FUNC && returns_made(facts, own->func, depth + 1);
    const struct func_list *same = map_get(&facts->func_by_name, name);
    for (size_t i = 0; same != NULL && i < same->items.count; i++)
        if (!returns_made(facts, same->items.items[i], depth + 1))
            return false;
    return same != NULL;
}

static int param_index(const struct py_func *func, struct str name) {
    const struct py_node *args = func->node->FunctionDef.args;
    struct py_list only = args->arguments.posonlyargs, plain = args->arguments.args;
    for (uint32_t i = 0; i < only.count + plain.count; i++) {
        const struct py_node *arg = i < only.count ? only.items[i] : plain.items[i - only.count];
        if (str_equal(arg->arg.arg, name))
            return (int)i;
    }
    return -1;
}

/* What a call gives for the parameter; NULL: nothing. */
static const struct py_node *argument(const struct py_func *func, const struct py_node *call, int index,
                                      struct str name) {
    bool has_self = func->owner != NULL && !func_is_decorated(func, "staticmethod");
    const struct py_node *callee = call->Call.func;
    if (has_self && index == 0)
        return callee->kind == PY_Attribute ? callee->Attribute.value : NULL;
    uint32_t at = (uint32_t)index - has_self;
    if (at < call->Call.args.count)
        return call->Call.args.items[at];
    for (uint32_t i = 0; i < call->Call.keywords.count; i++)
        if (str_equal(call->Call.keywords.items[i]->keyword.arg, name))
            return call->Call.keywords.items[i]->keyword.value;
    return NULL;
}

/* The calls in one function that may be of `func`. */
struct calls {
    struct django_facts *facts;
    const struct py_func *func, *user;
    struct str param;
    int index, depth;
    size_t count;
    bool are_made;
};

static void visit_call(const struct py_node *node, void *context) {
    struct calls *c = context;
    if (node->kind == PY_Call && str_equal(simple_name(node->Call.func), c->func->name) &&
        func_takes_call(c->func, node)) {
        const struct py_node *given = argument(c->func, node, c->index, c->param);
        c->count += given != NULL;
        if (given != NULL && c->are_made)
            c->are_made = is_made(c->facts, c->user, given, c->depth);
    }
    py_visit_children(node, visit_call, c);
}

static bool is_given_made(struct django_facts *facts, const struct py_func *func, struct str param, int depth) {
    const struct name_users *users = map_get(&facts->users, func->name);
    struct calls calls = {.facts = facts, .func = func, .param = param, .are_made = true};
    calls.index = func->node != NULL ? param_index(func, param) : -1;
    calls.depth = depth + 1;
    if (calls.index < 0 || depth >= MADE_DEPTH_MAX)
        return false;
    for (size_t i = 0; users != NULL && i < users->items.count && calls.are_made; i++) {
        calls.user = users->items.items[i];
        if (calls.user != func && calls.user->node != NULL)
            py_visit_children(calls.user->node, visit_call, &calls);
    }
    return calls.count > 0 && calls.are_made;
}

static bool is_made(struct django_facts *facts, const struct py_func *func, const struct py_node *node, int depth) {
    if (depth >= MADE_DEPTH_MAX)
        return false;
    if (node->kind == PY_Call)
        return is_making(facts, func, node, depth);
    if (node->kind != PY_Name)
        return false;
    struct arena scratch = {0};
    struct values values = {.name = node->Name.id, .before = node->start, .arena = &scratch};
    for (uint32_t i = 0; i < func->node->FunctionDef.body.count; i++) {
        values.is_sure = true;
        visit_values(func->node->FunctionDef.body.items[i], &values);
    }
    bool is_all_made = !values.is_other;
    for (size_t i = 0; i < values.items.count && is_all_made; i++)
        is_all_made = values.items.items[i]->kind == PY_Call && is_making(facts, func, values.items.items[i], depth);
    bool is_param = !values.is_set && (values.items.count == 0 || param_index(func, node->Name.id) >= 0);
    arena_release(&scratch);
    return is_all_made && (!is_param || is_given_made(facts, func, node->Name.id, depth));
}

bool callers_made_rows(struct django_facts *facts, const struct py_func *func, const struct txn_program *program) {
    size_t count = 0;
    for (size_t i = 0; i < program->vars.count; i++) {
        if (!program->vars.items[i].is_given)
            continue;
        count++;
        if (!is_given_made(facts, func, program->vars.items[i].name, 0))
            return false;
    }
    return count > 0;
}
