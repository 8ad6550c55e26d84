/* Functions of Python, its library and Django, by their dotted names; decorators; which calls have an effect
 * outside of the database and which say nothing. */
#include "base/assert.h"
#include "django/given.h"
#include "django/lacks.h"
#include "django/orm.h"
#include "django/template.h"
#include "django/values.h"

static bool is_bracket(char c) {
    return c == ')' || c == ']';
}

/* Where the bracket that `end` is behind opens. */
static size_t opening_of(struct str text, size_t end) {
    for (size_t depth = 0; end > 0; end--) {
        char c = text.ptr[end - 1];
        depth += is_bracket(c);
        if ((c == '(' || c == '[') && --depth == 0)
            return end - 1;
    }
    return 0;
}

struct str lower_last_part(struct str dotted) {
    size_t end = dotted.len, dot;
    while (end > 0 && is_bracket(dotted.ptr[end - 1]))
        end = opening_of(dotted, end);
    dot = end;
    while (dot > 0 && dotted.ptr[dot - 1] != '.')
        dot--;
    return str_sub(dotted, dot, end);
}

/* A name in the dotted one: "stdout" in "self.stdout.write". */
static bool has_part(struct str dotted, const char *part) {
    size_t from = 0;
    for (size_t i = 0; i <= dotted.len; i++)
        if (i == dotted.len || dotted.ptr[i] == '.') {
            if (str_is(str_sub(dotted, from, i), part))
                return true;
            from = i + 1;
        }
    return false;
}

/* What a console, a cache or one visitor's session gets, what removes a file that may be gone as well, and making an object: done
 * twice, or for nothing, it does no harm. */
static bool is_harmless(struct str dotted) {
    static const char *const removals[] = {"os.remove", "os.unlink", "shutil.rmtree"};
    static const char *const logins[] = {"django.contrib.auth.login", "django.contrib.auth.logout",
                                         "django.contrib.auth.update_session_auth_hash"};
    struct str last = lower_last_part(dotted);
    return has_part(dotted, "stdout") || has_part(dotted, "stderr") || has_part(dotted, "cache") ||
           has_part(dotted, "session") || str_is_one_of(dotted, logins, LW_COUNT_OF(logins)) ||
           str_is_one_of(dotted, removals, LW_COUNT_OF(removals)) ||
           (last.len > 0 && last.ptr[0] >= 'A' && last.ptr[0] <= 'Z');
}

/* Neither an effect nor anything that the database or another process would see. */
bool lower_is_silent(struct str dotted) {
    static const char *const prefixes[] = {"logging.", "builtins.",  "warnings.", "time.", "datetime.",
                                           "random.",  "functools.", "itertools.", "collections.",
                                           "copy.",    "json.",      "re.",        "math.", "os.path.",
                                           "decimal.", "uuid.",      "hashlib.",   "typing.",
                                           "django.contrib.messages.", "django.utils.", "django.urls.",
                                           "django.http.", "django.shortcuts.", "django.template",
                                           "django.core.exceptions.", "contextlib.", "traceback.",
                                           "rest_framework.", "django.conf.", "django.forms.",
                                           "django.core.cache.", "threading.", "operator.", "string."};
    static const char *const names[] = {"debug", "info", "warning", "warn", "error", "exception",
                                        "critical", "log", "append", "extend", "add", "is_valid",
                                        "full_clean", "clean", "add_error", "setdefault", "pop", "sleep",
                                        "raise_for_status", "strip", "set_cookie", "get", "items",
                                        "get_context_data", "validate", "keys", "values", "format",
                                        "getattr", "connect", "disconnect", "clear"};
    if (is_harmless(dotted))
        return true;
    for (size_t i = 0; i < LW_COUNT_OF(prefixes); i++)
        if (str_starts(dotted, prefixes[i]))
            return true;
    if (str_starts(dotted, "requests.") || str_starts(dotted, "httpx.") ||
        str_starts(dotted, "urllib.") || str_starts(dotted, "stripe."))
        return false;
    return str_is_one_of(lower_last_part(dotted), names, LW_COUNT_OF(names));
}

/* Calls whose result is used, and which yet are there for what they do. */
bool lower_is_effect(struct str dotted) {
    static const char *const prefixes[] = {"requests.", "httpx.", "urllib.request.", "stripe.",
                                           "smtplib.", "boto3.", "subprocess.", "braintree.",
                                           "django.core.mail."};
    static const char *const names[] = {"delay", "apply_async", "send_mail", "send_email", "charge",
                                        "refund", "capture", "publish", "send_task", "enqueue",
                                        "notify", "send", "post", "put", "pay", "transfer"};
    for (size_t i = 0; i < LW_COUNT_OF(prefixes); i++)
        if (str_starts(dotted, prefixes[i]))
            return true;
    if (str_starts(dotted, "builtins.") || str_starts(dotted, "request"))
        return false;
    return str_is_one_of(lower_last_part(dotted), names, LW_COUNT_OF(names));
}

enum django_effect django_effect_kind(struct str name) {
    static const char *const tasks[] = {"delay", "apply_async", "send_task", "enqueue"};
    static const char *const queries[] = {"get", "head", "retrieve", "list"};
    struct str last = lower_last_part(name);
    if (str_is_one_of(last, tasks, LW_COUNT_OF(tasks)))
        return DJANGO_EFFECT_TASK;
    bool is_sure = lower_is_effect(name) && !str_is_one_of(last, queries, LW_COUNT_OF(queries));
    return is_sure ? DJANGO_EFFECT_SURE : DJANGO_EFFECT_UNKNOWN;
}

/* Python's own functions. Another name that isn't bound anywhere came in by a star, from outside. */
bool lower_is_builtin(struct str name) {
    static const char *const names[] = {
        "abs", "all", "any", "ascii", "bin", "bool", "bytearray", "bytes", "callable", "chr",
        "classmethod", "dict", "dir", "divmod", "enumerate", "filter", "float", "format", "frozenset",
        "getattr", "globals", "hasattr", "hash", "hex", "id", "input", "int", "isinstance",
        "issubclass", "iter", "len", "list", "locals", "map", "max", "memoryview", "min", "next",
        "object", "oct", "open", "ord", "pow", "print", "property", "range", "repr", "reversed",
        "round", "set", "setattr", "slice", "sorted", "staticmethod", "str", "sum", "super", "tuple",
        "type", "vars", "zip", "__import__", "NotImplemented"};
    return str_is_one_of(name, names, LW_COUNT_OF(names)) || str_ends(name, "Error") ||
           str_is(name, "Exception");
}

/* `something.objects.filter(...)`, `something.save()`: the ORM, of a model that isn't known. */
bool lower_is_manager_call(struct str name) {
    static const char *const names[] = {"save", "asave", "refresh_from_db", "select_for_update",
                                        "get_or_create", "update_or_create", "bulk_create",
                                        "bulk_update"};
    for (size_t i = 0; i + 9 <= name.len; i++)
        if (memcmp(name.ptr + i, ".objects.", 9) == 0)
            return true;
    return str_is_one_of(lower_last_part(name), names, LW_COUNT_OF(names));
}

/* Of libraries that know nothing of Django: what has a save() there saves a picture, a sheet or a document. */
bool lower_makes_no_rows(struct str dotted) {
    static const char *const prefixes[] = {"PIL.", "openpyxl.", "xlwt.", "docx.", "reportlab.", "qrcode.", "matplotlib."};
    for (size_t i = 0; i < LW_COUNT_OF(prefixes); i++)
        if (str_starts(dotted, prefixes[i]))
            return true;
    return false;
}

/* Methods of rows, managers and querysets that write, or that lock. */
bool lower_is_write(struct str name) {
    static const char *const names[] = {
        "save",   "asave",  "delete",   "adelete",     "update",      "aupdate",     "create", "acreate",
        "add",    "aadd",   "remove",   "aremove",     "set",         "aset",        "clear",  "aclear",
        "execute", "get_or_create", "aget_or_create", "update_or_create", "aupdate_or_create",
        "bulk_create", "abulk_create", "bulk_update", "abulk_update", "select_for_update", "raw",
        /* of the trees of django-treebeard and django-mptt */
        "add_child", "add_root", "add_sibling", "move", "move_to", "insert_at", "insert_node"};
    return str_is_one_of(name, names, LW_COUNT_OF(names));
}

/* "get" for "aget": what the ORM's asynchronous methods send is what the others do. */
struct str lower_sync_name(struct str name) {
    static const char *const names[] = {
        "aget", "acreate", "aget_or_create", "aupdate_or_create", "abulk_create", "abulk_update", "acount",
        "aiterator", "alatest", "aearliest", "afirst", "alast", "ain_bulk", "adelete", "aupdate", "aexists",
        "acontains", "aaggregate", "aadd", "aclear", "aremove", "aset", "asave", "arefresh_from_db",
        "afull_clean", "aget_object_or_404", "aget_list_or_404"};
    return str_is_one_of(name, names, LW_COUNT_OF(names)) ? str_sub(name, 1, name.len) : name;
}

/* What the ORM's own methods can't be called with is no call of theirs: update(other) is a dict's, set(key, value) a cache's. */
bool lower_is_write_call(const struct py_node *call) {
    struct py_list args = call->Call.args;
    struct str name = call->Call.func->Attribute.attr;
    for (uint32_t i = 0; i < args.count; i++)
        if (args.items[i]->kind == PY_Starred)
            return true;
    if (str_is(name, "update") || str_is(name, "create"))
        return args.count == 0;
    return !str_is(name, "set") || args.count < 2;
}

bool lower_is_plain_read(struct str name) {
    static const char *const names[] = {
        "get",    "items",  "keys",   "values", "filter", "all",     "first",  "last",  "exists", "count",
        "copy",   "index",  "append", "format", "join",   "split",   "strip",  "lower", "upper",  "replace",
        "exclude", "order_by", "distinct", "none", "only", "defer", "values_list", "select_related",
        "prefetch_related", "annotate", "aggregate", "iterator", "in_bulk", "latest", "earliest"};
    return str_is_one_of(name, names, LW_COUNT_OF(names));
}

static struct val *get_or_404(struct lowerer *l, struct args *args, bool is_list) {
    struct args rest = *args;
    struct val *of = args_get(args, 0, "klass");
    if (of == NULL)
        return NULL;
    if (of->kind == VAL_CLASS && class_model(l->facts, of->class_) != NULL)
        of = val_query(l, args->span, manager_of(l, args->span, of->class_->model, STR("_default_manager")));
    if (of->kind != VAL_QUERYSET || of->query == NULL) {
        struct val *unknown = val_unknown(l, args->span, STR("object"));
        unknown->is_orm = true;
        return unknown;
    }
    rest.positional.items = args->positional.items + 1;
    rest.positional.count = args->positional.count - 1;
    struct queryset *query = query_copy(l, of->query);
    query_filter(l, query, &rest, false);
    if (!is_list)
        return query_get(l, args->span, query, l->hint, STR("Http404"));
    struct val *rows = query_rows(l, args->span, query, STR("rows"));
    struct txn_step *step = txn_build_if(
        &l->b, args->span,
        txn_unary(&l->b, args->span, TXN_EXPR_NOT, val_truth(l, rows)));
    txn_build_raise(&l->b, args->span, STR("Http404"));
    txn_build_end(&l->b, step);
    return rows;
}

static struct val *now(struct lowerer *l, struct args *args) {
    return val_scalar(l, txn_now(&l->b, args->span));
}

static struct val *identity(struct lowerer *l, struct args *args) {
    return args->positional.count > 0 ? args->positional.items[0] : val_null(l, args->span);
}

static struct val *partial_of(struct lowerer *l, struct args *args, const char *name) {
    struct val *val = val_new(l, VAL_PARTIAL, args->span);
    val->name = str_from_c(name);
    val->self = args->positional.count > 0 ? args->positional.items[0] : NULL;
    for (size_t i = 1; i < args->positional.count; i++)
        VEC_PUSH(l->arena, &val->items, args->positional.items[i]);
    return val;
}

static struct val *atomic_of(struct lowerer *l, struct txn_span span, struct val *func,
                             struct args *args) {
    struct val *val = val_new(l, VAL_PARTIAL, span);
    val->name = STR("atomic");
    val->self = func;
    val->atomic_args = args;
    return val;
}

static struct val *decorate(struct lowerer *l, struct val *func, const struct py_node *node) {
    struct args *args = ARENA_NEW(l->arena, struct args);
    const struct py_node *callee = node->kind == PY_Call ? node->Call.func : node;
    struct txn_span span = lower_span(l, node);
    struct str text = module_text(l->frame->module, callee);
    struct val *of = callee->kind == PY_Name || callee->kind == PY_Attribute
                         ? lower_expr(l, callee)
                         : val_unknown(l, span, text);
    args->span = span;
    struct str dotted = of->kind == VAL_EXTERNAL ? of->name : text;
    if (of->kind == VAL_EXTERNAL && str_ends(dotted, "transaction.atomic")) {
        if (node->kind == PY_Call)
            lower_args(l, node, args);
        return atomic_of(l, span, func, args);
    }
    if (of->kind == VAL_EXTERNAL && str_ends(dotted, "decorators.method_decorator") &&
        node->kind == PY_Call && node->Call.args.count > 0)
        return decorate(l, func, node->Call.args.items[0]);
    if (of->kind == VAL_FUNC) {
        struct args one = {.span = span};
        if (node->kind == PY_Call) {
            lower_args(l, node, args);
            of = lower_call_value(l, of, args, text);
        }
        VEC_PUSH(l->arena, &one.positional, func);
        struct val *made = lower_call_value(l, of, &one, text);
        if (made->kind == VAL_FUNC || made->kind == VAL_PARTIAL)
            return made;
        if (of->kind == VAL_UNKNOWN || of->kind == VAL_EXTERNAL || of->kind == VAL_SCALAR ||
            (of->kind == VAL_FUNC && !of->func->may_write))
            return func;
    } else if (of->kind == VAL_EXTERNAL || of->kind == VAL_UNKNOWN || of->kind == VAL_METHOD ||
               of->kind == VAL_INSTANCE) {
        /* Code from outside of the project is taken to leave the database alone, and to call what it wraps. */
        return func;
    }
    lower_notef(l, span, "the decorator %.*s is not modelled", STR_ARG(text));
    return func;
}

struct val *lower_decorated_in(struct lowerer *l, struct module *module, struct val *func,
                               struct py_list decorators) {
    struct frame *outer = l->frame, *frame = outer;
    if (decorators.count == 0)
        return func;
    if (module != outer->module) {
        frame = ARENA_NEW(l->arena, struct frame);
        frame->outer = outer;
        frame->module = module;
        frame->locals = fields_new(l);
    }
    l->frame = frame;
    for (uint32_t i = decorators.count; i-- > 0;)
        func = decorate(l, func, decorators.items[i]);
    l->frame = outer;
    return func;
}

struct val *lower_decorated(struct lowerer *l, struct val *func, struct py_list decorators) {
    LW_ASSERT(func->kind == VAL_FUNC);
    return lower_decorated_in(l, func->closure != NULL ? l->frame->module : func->func->module, func,
                              decorators);
}

static struct val *lower_partial_call(struct lowerer *l, struct args *args) {
    struct val *val = partial_of(l, args, "partial");
    return val->self != NULL ? val : NULL;
}

/* A cache may have lost anything: code that asks whether it has goes on as if not. What it does have is old, and of another time. */
static struct val *cached(struct lowerer *l, struct args *args) {
    struct val *otherwise = args_get(args, 1, "default");
    if (otherwise != NULL)
        return otherwise;
    struct val *val = val_unknown(l, args->span, STR("cached"));
    val->is_cached = true;
    return val;
}

struct val *lower_call_external(struct lowerer *l, struct str dotted, struct args *args) {
    struct val *sql = lower_call_sqlx(l, dotted, args);
    struct str last = lower_sync_name(lower_last_part(dotted));
    if (sql != NULL)
        return sql;
    if ((str_ends(last, "sync_to_async") || str_is(last, "async_to_sync")) && args->positional.count > 0)
        return args->positional.items[0];
    if (str_is(last, "get_object_or_404"))
        return get_or_404(l, args, false);
    if (str_is(last, "get_list_or_404"))
        return get_or_404(l, args, true);
    if (str_ends(dotted, "timezone.now") || str_ends(dotted, "datetime.now") ||
        str_ends(dotted, "datetime.utcnow") || str_ends(dotted, "date.today") ||
        str_ends(dotted, "timezone.localtime") || str_ends(dotted, "timezone.localdate") ||
        str_is(dotted, "time.time"))
        return now(l, args);
    if (str_ends(dotted, "transaction.on_commit") || str_ends(dotted, "connection.on_commit")) {
        struct val *func = args_get(args, 0, "func");
        if (func != NULL)
            lower_on_commit(l, args->span, func);
        return val_null(l, args->span);
    }
    if (str_ends(dotted, "transaction.atomic")) {
        struct val *func = args_get(args, 0, "using");
        if (func != NULL && (func->kind == VAL_FUNC || func->kind == VAL_BOUND))
            return atomic_of(l, args->span, func, NULL);
    }
    if (str_ends(dotted, "transaction.set_rollback") || str_ends(dotted, "transaction.savepoint") ||
        str_ends(dotted, "transaction.savepoint_rollback") || str_ends(dotted, "transaction.commit") ||
        str_ends(dotted, "transaction.rollback") || str_ends(dotted, "transaction.set_autocommit"))
        lower_notef(l, args->span, "%.*s is not modelled", STR_ARG(dotted));
    if (str_starts(dotted, "django.core.cache.") && str_is(last, "get"))
        return cached(l, args);
    if (str_ends(dotted, "connection.cursor"))
        return val_external(l, args->span, STR("django.db.connection.cursor()"));
    if (str_ends(dotted, ".cursor().execute"))
        return raw_execute(l, args);
    if (str_starts(dotted, "django.db.models") && str_is(last, "Prefetch"))
        return prefetch_object(l, args);
    if (str_starts(dotted, "django.db.models.") && str_is(last, "QuerySet"))
        return query_of_class(l, args, NULL);
    if (str_ends(dotted, "decimal.Decimal"))
        return lower_call_builtin(l, STR("int"), args);
    if (str_ends(dotted, "functools.partial") || str_is(dotted, "functools.partial"))
        return lower_partial_call(l, args);
    if (str_is_one_of(dotted, (const char *const[]){"functools.wraps"}, 1))
        return val_external(l, args->span, STR("functools.wraps()"));
    if (str_is(dotted, "functools.wraps()") || str_is(dotted, "copy.copy") ||
        str_is(dotted, "contextlib.closing"))
        return identity(l, args);
    return NULL;
}

static struct val *builtin_len(struct lowerer *l, struct args *args) {
    struct val *of = identity(l, args);
    if (of->kind == VAL_QUERYSET)
        of = query_rows(l, args->span, of->query, STR("rows"));
    if (of->kind == VAL_ROWS)
        return val_scalar(l, txn_of_list(&l->b, args->span, TXN_EXPR_LEN, of->var));
    if ((of->kind == VAL_SEQUENCE || of->kind == VAL_DICT) && !of->is_partial)
        return val_int(l, args->span, (int64_t)of->items.count);
    return NULL;
}

static struct val *builtin_list(struct lowerer *l, struct args *args) {
    if (args->positional.count == 0)
        return val_new(l, VAL_SEQUENCE, args->span);
    struct val *of = args->positional.items[0];
    if (of->kind == VAL_QUERYSET)
        return query_rows(l, args->span, of->query, STR("rows"));
    return of->kind == VAL_ROWS || of->kind == VAL_SEQUENCE ? of : NULL;
}

/* setattr(row, name, v) of a name that only the run knows: one field or another, or no field at all. */
static bool set_some_field(struct lowerer *l, struct txn_span span, struct val *of, struct val *name, struct val *val) {
    enum { FIELDS_MAX = 64 };
    struct model *model = of->row->model;
    struct txn_expr *text = val_stable(l, val_scalar(l, val_expr(l, name)), STR("attribute"))->expr;
    if (model->fields.count > FIELDS_MAX || val->kind == VAL_CHOICE)
        return false;
    for (size_t i = 0; i < model->fields.count && !l->frame->is_terminated; i++) {
        const struct model_field *field = model->fields.items[i];
        if (field == model->pk || field->kind == FIELD_MANY_TO_MANY)
            continue;
        struct txn_expr *is_meant = txn_binary(&l->b, span, TXN_OP_EQ, text,
                                               txn_literal(&l->b, span, value_text(l->pool, field->name)));
        struct txn_step *step = txn_build_if(&l->b, span, is_meant);
        size_t mark = flow_mark(l);
        lower_set_attribute(l, span, of, field->name, val);
        flow_undo(l, mark);
        txn_build_end(&l->b, step);
        l->step_count++;
        if (field->kind != FIELD_PLAIN) /* which object it leads to isn't known any more */
            cell_set(l, row_cache(l, of->row, field->name), NULL);
    }
    /* That one of them in particular is never saved is nothing to tell. */
    l->b.program->vars.items[of->row->var].is_shown = true;
    return true;
}

/* Whether what is known of the name leaves it open that the row has a field, or the object an attribute, of it. */
static bool may_be_attribute(struct lowerer *l, const struct val *of, const struct val *name) {
    const struct model *model = of->kind == VAL_ROW ? of->row->model : NULL;
    const struct map *cells = of->kind == VAL_ROW ? &of->row->caches->cells : of->kind == VAL_INSTANCE ? &of->fields->cells : NULL;
    struct str pattern;
    if (cells == NULL || !template_of(l, name, &pattern))
        return true;
    for (size_t i = 0; model != NULL && i < model->fields.count; i++)
        if (template_may_be(pattern, model->fields.items[i]->name) ||
            template_may_be(pattern, model->fields.items[i]->column))
            return true;
    for (size_t i = 0; i < cells->count; i++)
        if (template_may_be(pattern, cells->entries[i].key))
            return true;
    return false;
}

/* setattr(x, "name", v), getattr(x, "name"), getattr(x, "name", default). */
static struct val *builtin_attr(struct lowerer *l, struct args *args, bool is_set) {
    struct str name;
    struct val *of = identity(l, args);
    struct val *row = given_row(l, args->span, of);
    of = row != NULL ? row : of;
    bool is_unknown = of->kind == VAL_UNKNOWN || of->kind == VAL_EXTERNAL;
    if (args->positional.count < 2)
        return NULL;
    if (is_unknown && !is_set && args->positional.count == 2 && val_text(l, args->positional.items[1], &name))
        return lower_attribute(l, args->span, of, name, NULL);
    if (is_unknown)
        return NULL;
    if (!val_text(l, args->positional.items[1], &name)) {
        /* A dict or list has no attributes to set. */
        bool is_known = is_set && (of->kind == VAL_DICT || of->kind == VAL_SEQUENCE || of->kind == VAL_SCALAR ||
                                   !may_be_attribute(l, of, args->positional.items[1]));
        if (!is_known && is_set && of->kind == VAL_ROW && args->positional.count > 2)
            is_known = set_some_field(l, args->span, of, args->positional.items[1], args->positional.items[2]);
        if (is_set && val_is_orm(of) && !is_known)
            lower_note(l, args->span, STR("setattr of an attribute whose name is not known"));
        struct val *attribute = val_unknown(l, args->span, STR("attribute"));
        attribute->is_orm = val_is_orm(of);
        return attribute;
    }
    bool is_lacking = of->kind == VAL_ROW ? row_lacks(l, of->row, name)
                                          : of->kind == VAL_CLASS && class_model(l->facts, of->class_) != NULL &&
                                                model_lacks(l->facts, of->class_->model, name);
    if (!is_set && args->positional.count > 2 && is_lacking)
        return args->positional.items[2];
    if (!is_set)
        return lower_attribute(l, args->span, of, name, NULL);
    if (args->positional.count > 2)
        lower_set_attribute(l, args->span, of, name, args->positional.items[2]);
    return val_null(l, args->span);
}

/* Of a row: its fields and what its classes have are there, what nothing in the project gives it isn't. NULL: not known. */
static struct val *builtin_hasattr(struct lowerer *l, struct args *args, struct val *of) {
    struct model *model = of->kind == VAL_ROW                               ? of->row->model
                          : of->kind == VAL_UNKNOWN && !of->is_many ? of->model
                                                                            : NULL;
    struct py_class *where;
    struct str name;
    if (model == NULL || args->positional.count != 2 || !val_text(l, args->positional.items[1], &name))
        return NULL;
    const struct binding *member = class_find(l->facts, model->class_, name, &where);
    struct model_field *field = model_attribute(model, name);
    if ((field != NULL && field->kind == FIELD_PLAIN) || (member != NULL && member->kind == BIND_FUNC))
        return val_bool(l, args->span, true);
    bool is_lacking = of->kind == VAL_ROW ? row_lacks(l, of->row, name) : model_lacks(l->facts, model, name);
    return is_lacking ? val_bool(l, args->span, false) : NULL;
}

static struct val *builtin_min_max(struct lowerer *l, struct args *args, bool is_min) {
    if (args->positional.count != 2 || args->names.count > 0)
        return NULL;
    struct txn_expr *a = val_expr(l, args->positional.items[0]);
    struct txn_expr *b = val_expr(l, args->positional.items[1]);
    struct txn_expr *less = txn_binary(&l->b, args->span, is_min ? TXN_OP_LE : TXN_OP_GE, a, b);
    return val_scalar(l, txn_cond(&l->b, args->span, less, a, b));
}

/* sum(x.amount for x in rows) and the like hang on all of the rows. */
struct val *lower_call_builtin(struct lowerer *l, struct str name, struct args *args) {
    struct val *of = args->positional.count > 0 ? args->positional.items[0] : NULL;
    if (str_is(name, "len"))
        return builtin_len(l, args);
    if (str_is(name, "type") && of != NULL && args->positional.count == 1)
        return class_of_object(l, args->span, of);
    if (str_is(name, "bool") && of != NULL) {
        int known = val_known_truth(l, of);
        if (known >= 0)
            return val_bool(l, args->span, known);
        return val_scalar(l, txn_cond(&l->b, args->span, val_truth(l, of),
                                      txn_literal(&l->b, args->span, value_bool(true)),
                                      txn_literal(&l->b, args->span, value_bool(false))));
    }
    if (str_is_one_of(name, (const char *const[]){"list", "tuple", "set", "sorted", "reversed", "frozenset"}, 6))
        return builtin_list(l, args);
    if (str_is_one_of(name, (const char *const[]){"int", "float", "abs", "round"}, 4) && of != NULL)
        return of->kind == VAL_SCALAR && !str_is(name, "abs") ? of : NULL;
    if (str_is(name, "range") && of != NULL) {
        struct val *val = partial_of(l, args, "range");
        memset(&val->items, 0, sizeof(val->items));
        for (size_t i = 0; i < args->positional.count; i++)
            VEC_PUSH(l->arena, &val->items, args->positional.items[i]);
        return val;
    }
    if (str_is(name, "enumerate") && of != NULL) {
        struct val *val = partial_of(l, args, "enumerate"), *start = args_named(args, "start");
        if (start != NULL)
            VEC_PUSH(l->arena, &val->items, start);
        return val;
    }
    if (str_is(name, "setattr") || str_is(name, "getattr"))
        return builtin_attr(l, args, str_is(name, "setattr"));
    if (str_is(name, "hasattr") && of != NULL)
        return builtin_hasattr(l, args, of);
    if (str_is(name, "min") || str_is(name, "max"))
        return builtin_min_max(l, args, str_is(name, "min"));
    if (str_is(name, "dict")) {
        struct val *dict = val_new(l, VAL_DICT, args->span);
        for (size_t i = 0; i < args->names.count; i++) {
            VEC_PUSH(l->arena, &dict->keys,
                     val_literal(l, args->span, value_text(l->pool, args->names.items[i])));
            VEC_PUSH(l->arena, &dict->items, args->values.items[i]);
        }
        return dict;
    }
    return NULL;
}
