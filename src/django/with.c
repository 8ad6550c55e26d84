/* with: atomic(), locks, cursors, and context managers of the project. */
#include "base/assert.h"
#include "django/values.h"

static bool contains_lock(struct str name) {
    for (size_t i = 0; i + 4 <= name.len; i++) {
        struct str part = str_sub(name, i, i + 4);
        bool is_word = str_equal_nocase(part, STR("lock")) || str_equal_nocase(part, STR("mute"));
        bool is_blocked = i > 0 && (name.ptr[i - 1] == 'b' || name.ptr[i - 1] == 'B'); /* block */
        bool is_clock = i > 0 && (name.ptr[i - 1] == 'c' || name.ptr[i - 1] == 'C');
        if (is_word && !is_blocked && !is_clock)
            return true;
    }
    return false;
}

/* The last word of what is called or named: `lock` in cache.lock("x"), `_lock` in self._lock. */
static struct str last_name(const struct py_node *node) {
    if (node->kind == PY_Call)
        node = node->Call.func;
    if (node->kind == PY_Attribute)
        return node->Attribute.attr;
    if (node->kind == PY_Subscript)
        return last_name(node->Subscript.value);
    return node->kind == PY_Name ? node->Name.id : (struct str){0};
}

static bool is_lock_external(struct str dotted) {
    return str_ends(dotted, "threading.Lock") || str_ends(dotted, "threading.RLock") ||
           str_ends(dotted, "multiprocessing.Lock") || str_ends(dotted, ".lock") ||
           str_ends(dotted, ".Lock") || str_ends(dotted, ".Semaphore");
}

/* Where the value of a name of the module is made: `lock = threading.Lock()`. */
static bool is_made_as_lock(struct lowerer *l, const struct py_node *node) {
    if (node->kind == PY_Call)
        return false;
    struct symbol symbol = symbol_of_expr(l->facts, l->frame->module, node);
    if (symbol.kind != SYMBOL_VALUE || symbol.value == NULL || symbol.value->kind != PY_Call)
        return false;
    struct symbol made = symbol_of_expr(l->facts, symbol.module, symbol.value->Call.func);
    return made.kind == SYMBOL_EXTERNAL && is_lock_external(made.dotted);
}

static bool is_contextmanager(struct lowerer *l, struct py_func *func) {
    struct py_list decorators = func->node->FunctionDef.decorator_list;
    for (uint32_t i = 0; i < decorators.count; i++) {
        struct symbol symbol = symbol_of_expr(l->facts, func->module, decorators.items[i]);
        if (symbol.kind == SYMBOL_EXTERNAL && str_ends(symbol.dotted, "contextmanager"))
            return func->node->kind == PY_FunctionDef && lower_is_generator(func);
    }
    return false;
}

/* A lock by its name, unless one can see that it works through the database. */
static bool is_database_lock(struct lowerer *l, struct py_func *func) {
    struct str text = module_text(func->module, func->node);
    if (!is_contextmanager(l, func))
        return false;
    for (size_t i = 0; i + 6 <= text.len; i++)
        if (memcmp(text.ptr + i, "atomic", 6) == 0)
            return true;
    return func->has_verb;
}

static bool is_lock(struct lowerer *l, const struct py_node *node) {
    struct symbol symbol = {0};
    if (node->kind == PY_Call)
        symbol = symbol_of_expr(l->facts, l->frame->module, node->Call.func);
    if (symbol.kind == SYMBOL_FUNC && is_database_lock(l, symbol.func))
        return false;
    if (contains_lock(last_name(node)) || is_made_as_lock(l, node))
        return true;
    return symbol.kind == SYMBOL_EXTERNAL && is_lock_external(symbol.dotted);
}

/* What the lock is called: the function or object, without its arguments, which are the key. Two names for
 * one function are one lock, so a project function or class goes by its full name. */
static struct str lock_name(struct lowerer *l, const struct py_node *node) {
    const struct py_node *of = node->kind == PY_Call ? node->Call.func : node;
    struct symbol symbol = symbol_of_expr(l->facts, l->frame->module, of);
    if (symbol.kind == SYMBOL_FUNC && symbol.func->function >= 0) {
        const struct func_list *same = map_get(&l->facts->func_by_name, symbol.func->name);
        return same->items.count == 1
                   ? symbol.func->name
                   : l->facts->project->functions.items[symbol.func->function].symbol;
    }
    if (symbol.kind == SYMBOL_CLASS)
        return symbol.class_->name;
    struct str text = module_text(l->frame->module, of);
    bool is_self = str_starts(text, "self.");
    return is_self ? str_sub(text, 5, text.len) : text;
}

static struct txn_expr *lock_key(struct lowerer *l, struct txn_span span,
                                 const struct py_node *node) {
    if (node->kind == PY_Subscript)
        return val_expr(l, lower_expr(l, node->Subscript.slice));
    if (node->kind != PY_Call || node->Call.args.count == 0)
        return NULL;
    VEC(struct txn_expr *) parts = {0};
    for (uint32_t i = 0; i < node->Call.args.count; i++)
        VEC_PUSH(l->arena, &parts, val_expr(l, lower_expr(l, node->Call.args.items[i])));
    if (parts.count == 1)
        return parts.items[0];
    struct txn_expr *key = txn_opaque(&l->b, span, STR("key"));
    for (size_t i = 0; i < parts.count; i++)
        txn_add_arg(&l->b, key, parts.items[i]);
    return key;
}

struct val *lower_lock(struct lowerer *l, const struct py_node *node) {
    struct val *known = node->kind == PY_Name ? lower_name(l, node) : NULL;
    if (known != NULL && known->kind == VAL_LOCK)
        return known;
    if (!is_lock(l, node))
        return NULL;
    struct txn_span span = lower_span(l, node);
    struct val *lock = val_new(l, VAL_LOCK, span);
    lock->expr = lock_key(l, span, node);
    lock->name = node->kind == PY_Subscript ? module_text(l->frame->module, node->Subscript.value)
                                            : lock_name(l, node);
    return lock;
}

struct val *lower_made_lock(struct lowerer *l, const struct py_node *call) {
    struct symbol symbol = symbol_of_expr(l->facts, l->frame->module, call->Call.func);
    bool is_made = symbol.kind == SYMBOL_EXTERNAL && is_lock_external(symbol.dotted);
    return is_made ? lower_lock(l, call) : NULL;
}

struct val *lower_lock_method(struct lowerer *l, const struct py_node *call) {
    const struct py_node *callee = call->Call.func;
    if (callee->kind != PY_Attribute)
        return NULL;
    bool is_taken = str_is(callee->Attribute.attr, "acquire");
    if (!is_taken && !str_is(callee->Attribute.attr, "release"))
        return NULL;
    const struct py_node *of = callee->Attribute.value;
    struct val *known = of->kind == PY_Name ? lower_name(l, of) : NULL;
    if (known != NULL && (known->kind == VAL_ROW || known->kind == VAL_INSTANCE))
        return NULL; /* the project's own method */
    struct txn_span span = lower_span(l, call);
    struct val *lock = lower_lock(l, of);
    if (lock == NULL)
        return NULL;
    enum txn_step_kind kind = is_taken ? TXN_STEP_LOCK : TXN_STEP_UNLOCK;
    txn_build_lock(&l->b, span, kind, lock->name, lock->expr);
    l->step_count++;
    return val_bool(l, span, true);
}

static bool flag_is_false(const struct args *args, const char *name) {
    struct val *val = args != NULL ? args_named(args, name) : NULL;
    struct value value;
    return val != NULL && val_constant(val, &value) && value.kind == VALUE_BOOL && value.number == 0;
}

bool names_other_database(struct lowerer *l, const struct val *using) {
    struct str name;
    return using != NULL && val_text(l, using, &name) && !str_is(name, "default");
}

struct txn_step *lower_atomic(struct lowerer *l, struct txn_span span, const struct args *args) {
    struct txn_step *step = txn_build_atomic(&l->b, span);
    step->is_savepoint_off = flag_is_false(args, "savepoint");
    if (l->atomic_depth == 0) {
        l->outer_atomic = step;
        l->outer_depth = l->b.depth;
        l->outer_block = l->b.depth <= TXN_DEPTH_MAX ? l->b.outer[l->b.depth - 1] : NULL;
        l->outer_frame = l->frame;
        l->outer_returns = l->frame->returns != NULL ? l->frame->returns->items.count : 0;
    }
    if (args != NULL && names_other_database(l, args_get(args, 0, "using")))
        lower_note(l, span, STR("a transaction on another database than `default`"));
    l->atomic_depth++;
    return step;
}

/* The lock's first argument where it stands in the SQL, or among what fills it; NULL: none that is known. */
static struct txn_expr *advisory_key(struct lowerer *l, struct txn_span span, struct str text, const struct val *params) {
    size_t from = str_find(text, '(', 0), to = str_find(text, ')', from);
    struct str inner = from < to && to < text.len ? str_sub(text, from + 1, to) : (struct str){0};
    if (params != NULL && params->kind == VAL_SEQUENCE && params->items.count > 0)
        return val_expr(l, params->items.items[0]);
    return inner.len > 0 && params == NULL ? txn_literal(&l->b, span, value_text(l->pool, inner)) : NULL;
}

static bool is_blank(char c) {
    return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

bool lower_advisory_lock(struct lowerer *l, struct txn_span span, struct str text, const struct val *params) {
    static const struct {
        const char *name;
        enum txn_step_kind kind;
        bool is_until_commit;
    } calls[] = {{"pg_advisory_xact_lock(", TXN_STEP_LOCK, true},
                 {"pg_advisory_lock(", TXN_STEP_LOCK, false},
                 {"pg_advisory_unlock(", TXN_STEP_UNLOCK, false}};
    size_t at = 0;
    while (at < text.len && is_blank(text.ptr[at]))
        at++;
    if (!str_equal_nocase(str_sub(text, at, at + 6 < text.len ? at + 6 : text.len), STR("select")))
        return false;
    for (at += 6; at < text.len && is_blank(text.ptr[at]);)
        at++;
    text = str_sub(text, at, text.len);
    for (size_t i = 0; i < LW_COUNT_OF(calls); i++) {
        if (!str_starts(text, calls[i].name))
            continue;
        if (calls[i].is_until_commit && l->atomic_depth == 0)
            return true; /* it is let go with the statement */
        struct val *lock = val_new(l, VAL_LOCK, span);
        lock->name = STR("pg_advisory_lock");
        lock->expr = advisory_key(l, span, text, params);
        txn_build_lock(&l->b, span, calls[i].kind, lock->name, lock->expr);
        l->step_count++;
        if (calls[i].is_until_commit)
            lower_on_commit(l, span, lock);
        return true;
    }
    return false;
}

void lower_on_commit(struct lowerer *l, struct txn_span span, struct val *func) {
    struct pending pending = {func, TXN_NO_VAR, l->silent_depth > 0};
    bool is_conditional = false;
    if (l->atomic_depth == 0) {
        struct args none = {.span = span};
        l->is_statement = true;
        lower_call_value(l, func, &none, STR("on_commit"));
        l->is_statement = false;
        return;
    }
    for (size_t i = l->outer_depth; i < l->b.depth && i < TXN_DEPTH_MAX; i++) {
        enum txn_step_kind kind = l->b.open[i]->kind;
        is_conditional |= kind == TXN_STEP_IF || kind == TXN_STEP_FOR || kind == TXN_STEP_REPEAT ||
                          kind == TXN_STEP_TRY;
    }
    if (is_conditional) {
        struct flow_site before = {.block = l->outer_block, .before = l->outer_atomic};
        pending.flag = lower_var(l, STR("is_registered"));
        flow_assign(l, &before, span, pending.flag, txn_literal(&l->b, span, value_bool(false)));
        txn_build_assign(&l->b, span, pending.flag, txn_literal(&l->b, span, value_bool(true)));
        l->is_pinned[pending.flag] = true;
    }
    VEC_PUSH(l->arena, &l->on_commit, pending);
}

/* All paths of the block return: it becomes a call of its own, so that what waited for the commit can come
 * between the COMMIT and the return. */
static void wrap_block(struct lowerer *l, struct txn_step *step) {
    struct txn_block *block = l->b.at;
    if (l->b.has_failed || block->steps.count == 0 ||
        block->steps.items[block->steps.count - 1] != step)
        return;
    block->steps.count--;
    struct txn_step *call = txn_build_call(&l->b, step->span, STR("atomic"), TXN_NO_VAR);
    VEC_PUSH(l->arena, &l->b.at->steps, step);
    txn_build_end(&l->b, call);
}

static void run_on_commit(struct lowerer *l) {
    for (size_t i = 0; i < l->on_commit.count && !l->frame->is_terminated; i++) {
        struct pending pending = l->on_commit.items[i];
        struct txn_span span = pending.func->span;
        struct args none = {.span = span};
        struct txn_step *test = NULL;
        size_t mark = flow_mark(l);
        if (pending.flag != TXN_NO_VAR)
            test = txn_build_if(&l->b, span, txn_ref(&l->b, span, pending.flag));
        l->is_statement = true;
        l->silent_depth += pending.is_silent;
        if (pending.func->kind == VAL_LOCK)
            txn_build_lock(&l->b, span, TXN_STEP_UNLOCK, pending.func->name, pending.func->expr);
        else
            lower_call_value(l, pending.func, &none, STR("on_commit"));
        l->silent_depth -= pending.is_silent;
        l->is_statement = false;
        if (test != NULL) {
            flow_undo(l, mark);
            txn_build_end(&l->b, test);
        }
    }
    l->on_commit.count = 0;
}

void lower_atomic_end(struct lowerer *l, struct txn_step *step) {
    LW_ASSERT(l->atomic_depth > 0);
    l->atomic_depth--;
    txn_build_end(&l->b, step);
    if (l->atomic_depth > 0)
        return;
    l->outer_atomic = NULL;
    if (l->on_commit.count == 0)
        return;
    bool has_returned = l->frame->returns != NULL && l->frame == l->outer_frame &&
                        l->frame->returns->items.count > l->outer_returns;
    if (has_returned && l->frame->is_terminated) {
        wrap_block(l, step);
        l->frame->is_terminated = false;
        run_on_commit(l);
        txn_build_return(&l->b, step->span, NULL);
        l->frame->is_terminated = true;
        return;
    }
    if (has_returned)
        lower_note(l, step->span, STR("on_commit in a block that some paths leave by return"));
    run_on_commit(l);
}

static void lower_items(struct lowerer *l, struct with *with);

static void bind_manager(struct lowerer *l, const struct py_node *item, struct val *val) {
    if (item->withitem.optional_vars != NULL)
        lower_assign(l, item->withitem.optional_vars, val);
}

static bool enter_block(struct lowerer *l, const struct py_node *context, struct txn_step **step,
                        bool *is_atomic) {
    struct txn_span span = lower_span(l, context);
    *is_atomic = false;
    const struct py_node *func = context->kind == PY_Call ? context->Call.func : context;
    struct val *of = func->kind == PY_Name || func->kind == PY_Attribute ? lower_expr(l, func) : NULL;
    if (of != NULL && of->kind == VAL_EXTERNAL && str_ends(of->name, "transaction.atomic")) {
        struct args args = {.span = span};
        if (context->kind == PY_Call)
            lower_args(l, context, &args);
        *step = lower_atomic(l, span, &args);
        *is_atomic = true;
        return true;
    }
    struct val *lock = lower_lock(l, context);
    if (lock != NULL) {
        *step = txn_build_with_lock(&l->b, lower_span(l, context), lock->name, lock->expr);
        return true;
    }
    return false;
}

void lower_yield(struct lowerer *l, const struct py_node *node) {
    struct frame *generator = l->frame;
    struct with *with = generator->with;
    struct val *val = node->Yield.value != NULL ? lower_expr(l, node->Yield.value)
                                                : val_null(l, lower_span(l, node));
    if (with->is_entered) {
        lower_note(l, lower_span(l, node), STR("a second yield of a context manager"));
        return;
    }
    with->is_entered = true;
    struct with rest = {with->node, with->item + 1, with->frame, false};
    l->frame = with->frame;
    bind_manager(l, with->node->With.items.items[with->item], val);
    lower_items(l, &rest);
    generator->is_terminated |= l->frame->is_terminated;
    l->frame = generator;
}

/* A generator of the project under contextlib.contextmanager: what stands before its yield, the body, what
 * stands after. No call step is put around it, for the body may return from its own function. */
static bool lower_generator(struct lowerer *l, struct with *with, const struct py_node *context) {
    if (context->kind != PY_Call)
        return false;
    struct symbol symbol = symbol_of_expr(l->facts, l->frame->module, context->Call.func);
    if (symbol.kind != SYMBOL_FUNC || !is_contextmanager(l, symbol.func) ||
        l->call_depth >= LOWER_CALLS_MAX || l->b.depth >= LOWER_BLOCKS_MAX)
        return false;
    struct args args = {.span = lower_span(l, context)};
    struct flow_sites returns = {{0}};
    lower_args(l, context, &args);
    struct frame *outer = l->frame, *frame = ARENA_NEW(l->arena, struct frame);
    frame->outer = outer;
    frame->func = symbol.func;
    frame->module = symbol.func->module;
    frame->locals = fields_new(l);
    frame->with = with;
    frame->returns = &returns;
    lower_bind(l, frame, symbol.func->node->FunctionDef.args, NULL, &args, args.span);
    VEC_PUSH(l->arena, &l->called, symbol.func);
    VEC_PUSH(l->arena, &l->covered, symbol.func);
    l->frame = frame;
    l->call_depth++;
    lower_body(l, symbol.func->node->FunctionDef.body);
    l->call_depth--;
    l->frame = outer;
    outer->is_terminated = frame->is_terminated;
    if (!with->is_entered || returns.items.count > 0)
        lower_note(l, args.span, STR("the ways through this context manager are not modelled"));
    return true;
}

/* Made by code from outside of the project, which is taken to leave the database alone, as any call of such code is.
 * One that swallows exceptions changes which way the body is left. */
static bool is_outside_manager(struct lowerer *l, const struct py_node *context) {
    if (context->kind == PY_IfExp)
        return is_outside_manager(l, context->IfExp.body) &&
               is_outside_manager(l, context->IfExp.orelse);
    if (context->kind == PY_Call)
        context = context->Call.func;
    if (context->kind != PY_Name && context->kind != PY_Attribute)
        return false;
    struct val *of = lower_expr(l, context);
    return of->kind == VAL_EXTERNAL && !str_ends(of->name, "suppress");
}

/* A function of the project that neither writes nor locks, whatever it gives. */
static bool only_reads(struct lowerer *l, const struct py_node *context) {
    if (context->kind != PY_Call)
        return false;
    struct symbol symbol = symbol_of_expr(l->facts, l->frame->module, context->Call.func);
    return symbol.kind == SYMBOL_FUNC && !symbol.func->may_write;
}

/* A method of something that isn't known, of whose kind the project has none that writes, locks or begins a transaction:
 * the call of another was told. */
static bool calls_reader(const struct py_node *context) {
    static const char *const names[] = {"atomic", "lock", "acquire", "transaction"};
    return context->kind == PY_Call && context->Call.func->kind == PY_Attribute &&
           !str_is_one_of(context->Call.func->Attribute.attr, names, LW_COUNT_OF(names));
}

static struct py_func *method_named(struct lowerer *l, const struct val *instance, struct str name) {
    struct py_class *where;
    const struct binding *binding = class_find(l->facts, instance->class_, name, &where);
    return binding != NULL && binding->kind == BIND_FUNC ? binding->func : NULL;
}

/* An object of the project with __enter__() and __exit__(): the latter on every way out. False: it has none. */
static bool lower_instance_manager(struct lowerer *l, struct with *rest, const struct py_node *item,
                                   struct val *instance) {
    struct py_func *enter = method_named(l, instance, STR("__enter__"));
    struct py_func *leave = method_named(l, instance, STR("__exit__"));
    struct txn_span span = lower_span(l, item->withitem.context_expr);
    if (enter == NULL || leave == NULL)
        return false;
    struct args args = {.span = span};
    bind_manager(l, item, lower_call_func(l, func_val(l, enter), instance, &args));
    if (l->frame->is_terminated)
        return true;
    if (!leave->touches_orm && !leave->may_write) {
        lower_items(l, rest);
        return true;
    }
    for (int i = 0; i < 3; i++)
        VEC_PUSH(l->arena, &args.positional, val_null(l, span));
    struct flow_sites sites = {{0}};
    struct txn_step *step = txn_build_try(&l->b, span);
    size_t mark = flow_mark(l);
    lower_items(l, rest);
    flow_add_site(l, &sites, mark, NULL, NULL);
    flow_undo(l, mark);
    l->frame->is_terminated = false;
    txn_build_finally(&l->b, step);
    lower_call_func(l, func_val(l, leave), instance, &args);
    flow_undo(l, mark);
    l->frame->is_terminated = false;
    txn_build_end(&l->b, step);
    flow_merge(l, span, &sites, (struct str){0});
    return true;
}

static void lower_manager(struct lowerer *l, struct with *with, const struct py_node *item) {
    const struct py_node *context = item->withitem.context_expr;
    struct txn_span span = lower_span(l, context);
    struct txn_step *step;
    bool is_atomic;
    struct with rest = {with->node, with->item + 1, l->frame, false};
    if (enter_block(l, context, &step, &is_atomic)) {
        bind_manager(l, item, val_unknown(l, span, STR("lock")));
        lower_items(l, &rest);
        if (is_atomic)
            lower_atomic_end(l, step);
        else
            txn_build_end(&l->b, step);
        return;
    }
    if (lower_generator(l, with, context))
        return;
    struct val *val = lower_expr(l, context);
    struct str text = module_text(l->frame->module, context);
    bool is_cursor = val->kind == VAL_EXTERNAL && str_ends(val->name, ".cursor()");
    if (val->kind == VAL_INSTANCE && lower_instance_manager(l, &rest, item, val))
        return;
    bool is_known = is_cursor || is_outside_manager(l, context) || val->kind == VAL_SCALAR ||
                    (val->kind == VAL_UNKNOWN && (!val->is_orm || calls_reader(context))) || only_reads(l, context);
    if (!is_known)
        lower_notef(l, span, "the context manager %.*s is not modelled: its body is taken as it stands",
                    STR_ARG(text));
    bind_manager(l, item, val);
    lower_items(l, &rest);
}

static void lower_items(struct lowerer *l, struct with *with) {
    if (with->item < with->node->With.items.count)
        lower_manager(l, with, with->node->With.items.items[with->item]);
    else
        lower_body(l, with->node->With.body);
}

void lower_with(struct lowerer *l, const struct py_node *node) {
    struct with with = {node, 0, l->frame, false};
    lower_items(l, &with);
}
