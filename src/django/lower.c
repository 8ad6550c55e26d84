/* One function becomes one program. Which free values it needs is known when all of it was lowered; they become its
 * parameters then, before all other variables. */
#include "base/assert.h"
#include "django/admin.h"
#include "django/given.h"
#include "django/param.h"
#include "django/view.h"

#include <stdlib.h>

enum { NULL_INITS_MAX = 64, GIVEN_ROUNDS_MAX = 3 };

static void lowerer_init(struct lowerer *l, struct arena *arena, struct text_pool *pool,
                         struct django_facts *facts, struct txn_program *program,
                         enum sql_dialect dialect) {
    memset(l, 0, sizeof(*l));
    l->arena = arena;
    l->pool = pool;
    l->facts = facts;
    txn_builder_init(&l->b, arena, pool, program, dialect);
    map_init(&l->param_vars, arena);
    map_init(&l->statements, arena);
    map_init(&l->module_values, arena);
    map_init(&l->outside_calls, arena);
    map_init(&l->prefetches_used, arena);
}

/* The function behind its decorators, at the root: no call step around it. */
static void lower_root_value(struct lowerer *l, struct val *val, struct val *self, struct args *args) {
    if (val->kind == VAL_PARTIAL && str_is(val->name, "atomic")) {
        struct txn_step *step = lower_atomic(l, val->span, val->atomic_args);
        lower_root_value(l, val->self, self, args);
        lower_atomic_end(l, step);
        return;
    }
    if (val->kind != VAL_FUNC) {
        lower_call_value(l, val, args, STR("function"));
        return;
    }
    struct frame *frame = ARENA_NEW(l->arena, struct frame);
    frame->outer = l->frame;
    frame->closure = val->closure;
    frame->func = val->func;
    frame->module = val->func->module;
    frame->class_ = val->func->owner;
    frame->self = self;
    frame->is_root = true;
    frame->locals = fields_new(l);
    lower_bind(l, frame, val->func->node->FunctionDef.args, self, args, args->span);
    lower_run_frame(l, frame, val->func->node);
}

static bool is_non_atomic(const struct py_func *func) {
    struct py_list decorators = func->node->FunctionDef.decorator_list;
    for (uint32_t i = 0; i < decorators.count; i++) {
        const struct py_node *node = decorators.items[i];
        node = node->kind == PY_Call ? node->Call.func : node;
        if (node->kind == PY_Attribute && str_is(node->Attribute.attr, "non_atomic_requests"))
            return true;
    }
    return false;
}

static void lower_root(struct lowerer *l, const struct given_rows *before, struct py_func *func,
                       struct txn_span span, bool is_wrapped) {
    if (func->admin != NULL) {
        admin_lower(l, func->module, func->admin);
        return;
    }
    struct py_func *handler = func, *dispatch = view_dispatch(l->facts, func);
    if (dispatch != NULL) {
        l->handler = handler;
        func = dispatch;
    }
    struct frame base = {.module = func->module, .locals = fields_new(l), .class_ = func->owner};
    struct args args = {.span = span};
    l->frame = arena_copy(l->arena, &base, sizeof(base));
    struct txn_step *step = is_wrapped ? lower_atomic(l, span, NULL) : NULL;
    given_fetch(l, span, before);
    struct val *self = param_self(l, handler);
    param_args(l, func, self, &args);
    view_hook_args(l, func, self, &args);
    struct val *val = view_decorated(l, handler, func);
    struct val *inner = val;
    while (inner->kind == VAL_PARTIAL && str_is(inner->name, "atomic"))
        inner = inner->self;
    /* A wrapper of the project gets self as its first argument. */
    if (self != NULL && !(inner->kind == VAL_FUNC && inner->func == func)) {
        struct args all = args;
        memset(&all.positional, 0, sizeof(all.positional));
        VEC_PUSH(l->arena, &all.positional, self);
        for (size_t i = 0; i < args.positional.count; i++)
            VEC_PUSH(l->arena, &all.positional, args.positional.items[i]);
        lower_root_value(l, val, NULL, &all);
    } else {
        lower_root_value(l, val, self, &args);
    }
    if (step != NULL)
        lower_atomic_end(l, step);
}

static size_t declared_at(struct lowerer *l, const struct py_func *func, struct str text) {
    if (func->admin != NULL)
        return SIZE_MAX;
    const struct py_node *node = func->node->FunctionDef.args;
    struct py_list lists[] = {node->arguments.posonlyargs, node->arguments.args,
                              node->arguments.kwonlyargs};
    size_t at = 0;
    for (size_t k = 0; k < LW_COUNT_OF(lists); k++)
        for (uint32_t i = 0; i < lists[k].count; i++, at++) {
            struct str name = lists[k].items[i]->arg.arg;
            if (str_equal(name, text) ||
                str_equal(str_printf(l->arena, "%.*s_id", STR_ARG(name)), text))
                return at;
        }
    return SIZE_MAX;
}

/* The order of the parameters: the function's own as it declares them, then the others. */
static size_t *param_order(struct lowerer *l, const struct py_func *func) {
    size_t count = l->params.count;
    size_t *order = ARENA_ARRAY(l->arena, size_t, count);
    size_t *declared = ARENA_ARRAY(l->arena, size_t, count); /* of those in `order` */
    for (size_t i = 0; i < count; i++) {
        size_t at = declared_at(l, func, l->params.items[i].text), to = i;
        for (; to > 0 && declared[to - 1] > at; to--) {
            order[to] = order[to - 1];
            declared[to] = declared[to - 1];
        }
        order[to] = i;
        declared[to] = at;
    }
    return order;
}

/* A variable that only some paths set holds null before: Python would raise UnboundLocalError there. */
static bool set_null_first(struct lowerer *l, const struct err *err) {
    const char *at = strchr(err->message, '`');
    const char *end = at != NULL ? strchr(at + 1, '`') : NULL;
    if (end == NULL || strstr(err->message, "may not be set yet") == NULL)
        return false;
    struct str name = {at + 1, (size_t)(end - at - 1)};
    uint16_t var = txn_find_var(l->b.program, name);
    if (var == TXN_NO_VAR)
        return false;
    l->b.at = &l->b.program->body;
    struct txn_span span = l->b.program->span;
    struct txn_step *step = txn_build_assign(&l->b, span, var, txn_literal(&l->b, span, value_null()));
    struct txn_step **items = l->b.at->steps.items;
    size_t count = l->b.at->steps.count;
    LW_ASSERT(items[count - 1] == step);
    memmove(items + 1, items, (count - 1) * sizeof(*items));
    items[0] = step;
    return true;
}

static bool check(struct lowerer *l, struct arena *arena, struct txn_span span) {
    struct err err;
    for (int i = 0; i < NULL_INITS_MAX; i++) {
        if (txn_check(arena, &l->facts->project->schema, l->pool, l->b.program, &err))
            return true;
        if (!set_null_first(l, &err))
            break;
    }
    struct str why = lower_show_vars(l, str_from_c(err.message));
    lower_notef(l, span, "not modelled: %.*s", STR_ARG(why));
    return false;
}

static void publish_notes(struct django_facts *facts, const struct lowerer *l,
                          struct django_function *info) {
    for (size_t i = 0; i < l->notes.count; i++) {
        const struct django_note *note = &l->notes.items[i];
        uint32_t index = facts_note(facts, note->span, false, note->text);
        facts->project->notes.items[index].is_bound = note->is_bound;
        if (!note->is_bound)
            VEC_PUSH(facts->arena, &info->notes, index);
    }
}

/* The program, of `arena`, or NULL. */
static struct txn_program *lower_once(struct arena *arena, struct arena *scratch, struct lowerer *l,
                                      struct django_facts *facts, size_t function,
                                      enum sql_dialect dialect, bool is_small) {
    struct django_function *info = &facts->project->functions.items[function];
    struct py_func *func = facts->funcs.items[function];
    bool is_wrapped =
        facts->project->settings.atomic_requests && info->is_view && !is_non_atomic(func);
    struct txn_program *built;
    size_t known;
    struct given_rows before = {0};
    struct map prefetches = {0};
    for (int round = 0;; round++) {
        known = before.items.count;
        size_t prefetch_count = prefetches.count;
        built = txn_program_new(scratch, info->symbol, info->span);
        lowerer_init(l, scratch, facts->pool, facts, built, dialect);
        l->is_small = is_small;
        l->prefetches = round > 0 ? &prefetches : NULL;
        lower_root(l, &before, func, info->span, is_wrapped);
        lower_tell_lost_sets(l);
        bool is_settled = l->given.items.count == known && l->prefetches_used.count <= prefetch_count;
        if (is_settled || round == GIVEN_ROUNDS_MAX)
            break;
        before = l->given; /* rows that were there before may make more of them known */
        if (l->prefetches_used.count > prefetch_count)
            prefetches = l->prefetches_used;
    }
    if (l->b.has_failed)
        lower_notef(l, info->span, "not modelled: %s", l->b.err.message);
    struct txn_program *program = NULL;
    if (l->has_sql && !l->is_too_large && !l->b.has_failed) {
        program = txn_move(arena, scratch, &facts->texts, built);
        lower_settle(l, arena, program, param_order(l, func));
        l->is_too_large = program->vars.count >= TXN_VARS_MAX;
    }
    if (l->is_too_large)
        lower_note(l, info->span, STR("this function is too large to be modelled"));
    if (program == NULL)
        return NULL;
    txn_builder_init(&l->b, arena, facts->pool, program, dialect);
    if (l->is_too_large || !check(l, arena, info->span))
        return NULL;
    txn_share_statements(&facts->texts, program);
    return program;
}

struct txn_program *django_lower(struct arena *arena, struct text_pool *pool,
                                 struct django_project *project, size_t function,
                                 enum sql_dialect dialect) {
    struct django_facts *facts = project->facts;
    LW_ASSERT(function < project->functions.count && pool == facts->pool);
    struct django_function *info = &project->functions.items[function];
    struct py_func *func = facts->funcs.items[function];
    if (!func->touches_orm)
        return NULL;
    struct lowerer *l = mem_alloc(sizeof(*l));
    struct arena scratch = {0}; /* only the program itself outlives its making */
    struct txn_program *program =
        lower_once(arena, &scratch, l, facts, function, dialect, false);
    if (program == NULL && l->has_sql && (facts->receivers.count > 0 || l->has_recursion)) {
        arena_reset(&scratch);
        program = lower_once(arena, &scratch, l, facts, function, dialect, true);
    }
    info->touches_orm = l->has_sql || (l->has_note && func->has_verb);
    if (info->touches_orm)
        publish_notes(facts, l, info);
    info->is_modelled = program != NULL && !l->has_note;
    info->has_code = func->admin == NULL || func->admin->is_view || l->called.count > 0;
    for (size_t i = 0; program != NULL && i < l->called.count; i++)
        callgraph_add(facts, function, l->called.items[i]);
    for (size_t i = 0; program != NULL && i < l->covered.count; i++)
        if (l->covered.items[i]->function >= 0)
            VEC_PUSH(facts->arena, &info->inlined, (uint32_t)l->covered.items[i]->function);
    arena_release(&scratch);
    free(l);
    return program;
}
