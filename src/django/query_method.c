/* Methods of managers and querysets. */
#include "base/assert.h"
#include "django/choice.h"
#include "django/container.h"
#include "django/orm.h"
#include "django/values.h"

/* What a manager starts from: its get_queryset(), if the project wrote one. */
struct queryset *query_base(struct lowerer *l, struct txn_span span, struct queryset *query) {
    struct py_class *where;
    struct queryset *plain = query_copy(l, query);
    plain->is_manager = false;
    if (query->class_ == NULL || l->call_depth >= LOWER_CALLS_MAX)
        return plain;
    const struct binding *binding = class_find(l->facts, query->class_, STR("get_queryset"), &where);
    if (binding == NULL || binding->kind != BIND_FUNC)
        return plain;
    for (size_t i = 0; i < l->stack.count; i++)
        if (l->stack.items[i] == binding->func)
            return plain;
    struct args none = {.span = span};
    struct val *self = val_query(l, span, query);
    struct val *val = lower_call_func(l, func_val(l, binding->func), self, &none);
    if (val->kind != VAL_QUERYSET) {
        lower_note(l, span, STR("what this get_queryset() gives is not known"));
        return plain;
    }
    plain = query_copy(l, val->query);
    plain->is_manager = false;
    plain->owner = query->owner;
    plain->owner_field = query->owner_field;
    if (plain->class_ == NULL)
        plain->class_ = query->class_;
    for (size_t i = 0; i < query->where.count; i++) {
        bool is_there = false;
        for (size_t j = 0; j < plain->where.count; j++)
            is_there |= plain->where.items[j] == query->where.items[i];
        if (!is_there)
            VEC_PUSH(l->arena, &plain->where, query->where.items[i]);
    }
    return plain;
}

static bool add_texts(struct lowerer *l, struct args *args, struct str **items, uint32_t *count,
                      uint32_t *capacity) {
    VEC(struct str) texts = {*items, *count, *capacity};
    bool is_known = !args->is_open;
    for (size_t i = 0; i < args->positional.count; i++) {
        struct val *val = args->positional.items[i];
        struct str text;
        if (val_text(l, val, &text)) {
            VEC_PUSH(l->arena, &texts, text);
        } else if (val->kind == VAL_SEQUENCE) {
            for (size_t j = 0; j < val->items.count; j++)
                if (val_text(l, val->items.items[j], &text))
                    VEC_PUSH(l->arena, &texts, text);
                else
                    is_known = false;
        } else if (val->kind == VAL_SQL && val->sql->kind == SQLX_F) {
            VEC_PUSH(l->arena, &texts, val->sql->name);
        } else {
            is_known = false;
        }
    }
    *items = texts.items;
    *count = texts.count;
    *capacity = texts.capacity;
    return is_known;
}

#define ADD_TEXTS(l, args, vec) add_texts((l), (args), &(vec)->items, &(vec)->count, &(vec)->capacity)

static bool flag_argument(struct args *args, const char *name) {
    struct val *val = args_named(args, name);
    struct value value;
    return val != NULL && val_constant(val, &value) && value.kind == VALUE_BOOL && value.number != 0;
}

static void set_lock(struct lowerer *l, struct queryset *query, struct args *args) {
    struct val *of = args_named(args, "of");
    query->lock = flag_argument(args, "no_key") ? SQL_LOCK_NO_KEY_UPDATE : SQL_LOCK_UPDATE;
    if (flag_argument(args, "nowait"))
        query->lock_wait = SQL_NOWAIT;
    if (flag_argument(args, "skip_locked"))
        query->lock_wait = SQL_SKIP_LOCKED;
    if (of == NULL)
        return;
    struct args one = {.span = args->span};
    VEC_PUSH(l->arena, &one.positional, of);
    if (!ADD_TEXTS(l, &one, &query->lock_of))
        lower_note(l, args->span, STR("`of` of this select_for_update is not known"));
}

static void set_values(struct lowerer *l, struct queryset *query, struct args *args, bool is_list) {
    query->result = !is_list ? QUERY_DICTS : flag_argument(args, "flat") ? QUERY_FLAT : QUERY_TUPLES;
    if (!ADD_TEXTS(l, args, &query->columns))
        memset(&query->columns, 0, sizeof(query->columns)); /* all of them */
    for (size_t i = 0; i < args->names.count; i++)
        if (args->values.items[i]->kind == VAL_SQL)
            VEC_PUSH(l->arena, &query->annotations,
                     (struct annotation){args->names.items[i], args->values.items[i]->sql});
}

static void set_annotations(struct lowerer *l, struct queryset *query, struct args *args) {
    for (size_t i = 0; i < args->names.count; i++) {
        struct val *val = args->values.items[i];
        if (val->kind == VAL_SQL)
            VEC_PUSH(l->arena, &query->annotations,
                     (struct annotation){args->names.items[i], val->sql});
    } /* what isn't known is only read: a condition on it is one that isn't known */
}

static struct cond *cond_any(struct lowerer *l, struct txn_span span, struct str name) {
    struct cond *cond = cond_unknown(l, span, name);
    cond->is_any = true;
    return cond;
}

static struct val *rows_unknown(struct lowerer *l, struct txn_span span, struct str name) {
    struct val *rows = val_unknown(l, span, name);
    rows->is_orm = true;
    return rows;
}

/* Methods that give another queryset. NULL: not one of these. */
static struct val *chain(struct lowerer *l, struct queryset *query, struct str name, struct args *args) {
    struct queryset *next = query_copy(l, query);
    if (str_is(name, "filter") || str_is(name, "exclude") || str_is(name, "complex_filter")) {
        query_filter(l, next, args, str_is(name, "exclude"));
    } else if (str_is(name, "order_by")) {
        next->is_order_set = true;
        memset(&next->order_by, 0, sizeof(next->order_by));
        ADD_TEXTS(l, args, &next->order_by); /* one that isn't known: any order will do */
    } else if (str_is(name, "reverse")) {
        next->is_reversed = !next->is_reversed;
    } else if (str_is(name, "distinct")) {
        next->is_distinct = true;
    } else if (str_is(name, "select_for_update")) {
        set_lock(l, next, args);
    } else if (str_is(name, "select_related")) {
        ADD_TEXTS(l, args, &next->related);
    } else if (str_is(name, "only")) {
        ADD_TEXTS(l, args, &next->only);
    } else if (str_is(name, "defer")) {
        ADD_TEXTS(l, args, &next->defer);
    } else if (str_is(name, "values") || str_is(name, "values_list")) {
        set_values(l, next, args, str_is(name, "values_list"));
    } else if (str_is(name, "annotate") || str_is(name, "alias")) {
        set_annotations(l, next, args);
    } else if (str_is(name, "none")) {
        next->is_none = true;
    } else if (str_is(name, "prefetch_related")) {
        prefetch_add(l, next, args);
    } else if (str_is(name, "union") && args->positional.count > 0) {
        for (size_t i = 0; i < args->positional.count && next != NULL; i++) {
            struct val *other = args->positional.items[i];
            next = other->kind == VAL_QUERYSET
                       ? choice_union(l, args->span, next, other->query, false)
                       : NULL;
        }
        if (next == NULL) /* of several tables: nothing is written by way of it */
            return rows_unknown(l, args->span, name);
    } else if (str_is(name, "extra")) {
        if (args->positional.count > 1 || args_named(args, "where") != NULL)
            VEC_PUSH(l->arena, &next->where, cond_any(l, args->span, STR("extra")));
    } else if (str_is(name, "using")) {
        if (names_other_database(l, args_get(args, 0, "alias")))
            lower_note(l, args->span, STR("another database than `default`"));
    } else if (!str_is(name, "all") && !str_is(name, "get_queryset") && !str_is(name, "iterator") &&
               !str_is(name, "_clone") && !str_is(name, "db_manager")) {
        return NULL;
    }
    return val_query(l, args->span, next);
}

static struct val *latest(struct lowerer *l, struct queryset *query, struct args *args, bool is_latest) {
    struct queryset *next = query_copy(l, query);
    next->is_order_set = true;
    memset(&next->order_by, 0, sizeof(next->order_by));
    if (!ADD_TEXTS(l, args, &next->order_by) || next->order_by.count == 0)
        next->is_order_set = false; /* any order will do */
    next->is_reversed = is_latest;
    next->limit = val_int(l, args->span, 1);
    return query_get(l, args->span, next, l->hint,
                     str_printf(l->arena, "%.*s.DoesNotExist", STR_ARG(query->model->name)));
}

static struct val *query_get_method(struct lowerer *l, struct queryset *query, struct args *args) {
    struct queryset *next = query_copy(l, query);
    query_filter(l, next, args, false);
    return query_get(l, args->span, next, l->hint,
                     str_printf(l->arena, "%.*s.DoesNotExist", STR_ARG(query->model->name)));
}

/* {key: row}, of the keys given. */
static struct val *in_bulk(struct lowerer *l, struct queryset *query, struct args *args) {
    struct val *keys = args_get(args, 0, "id_list"), *by = args_named(args, "field_name");
    struct str name = STR("pk");
    struct model_field *field;
    if (by != NULL)
        val_text(l, by, &name);
    field = model_attribute(query->model, name);
    if (field == NULL || query->result != QUERY_ROWS)
        return NULL;
    struct queryset *wanted = query_copy(l, query);
    wanted->is_manager = false;
    if (keys != NULL && !val_is_none(keys))
        VEC_PUSH(l->arena, &wanted->where,
                 cond_lookup(l, args->span, str_printf(l->arena, "%.*s__in", STR_ARG(field->name)), keys));
    struct val *rows = query_rows(l, args->span, wanted, STR("rows"));
    return rows->kind == VAL_ROWS ? by_key_new(l, args->span, rows, field) : NULL;
}

/* The one call that a method stands for, evaluated at once. */
static struct val *evaluate(struct lowerer *l, struct queryset *query, struct str name,
                            struct args *args) {
    struct txn_span span = args->span;
    if (str_is(name, "get"))
        return query_get_method(l, query, args);
    if (str_is(name, "first"))
        return query_first(l, span, query, l->hint);
    if (str_is(name, "last")) {
        struct queryset *last = query_copy(l, query);
        last->is_reversed = !last->is_reversed;
        return query_first(l, span, last, l->hint);
    }
    if (str_is(name, "latest") || str_is(name, "earliest"))
        return latest(l, query, args, str_is(name, "latest"));
    if (str_is(name, "exists"))
        return query_exists(l, span, query);
    if (str_is(name, "count"))
        return query_count(l, span, query);
    if (str_is(name, "aggregate"))
        return query_aggregate(l, query, args);
    if (str_is(name, "create"))
        return query_create(l, span, query, args);
    if (str_is(name, "get_or_create") || str_is(name, "update_or_create"))
        return query_get_or_create(l, query, args, str_is(name, "update_or_create"));
    if (str_is(name, "bulk_create"))
        return query_bulk_create(l, query, args);
    if (str_is(name, "bulk_update"))
        return query_bulk_update(l, query, args);
    if (str_is(name, "update"))
        return query_update(l, query, args);
    if (str_is(name, "in_bulk"))
        return in_bulk(l, query, args);
    if (str_is(name, "delete")) {
        query_delete(l, span, query);
        struct val *pair = val_new(l, VAL_SEQUENCE, span);
        VEC_PUSH(l->arena, &pair->items,
                 l->deleted != TXN_NO_VAR ? val_scalar(l, txn_ref(&l->b, span, l->deleted))
                                          : val_unknown(l, span, STR("deleted")));
        VEC_PUSH(l->arena, &pair->items, val_unknown(l, span, STR("deleted_by_model")));
        return pair;
    }
    if (str_is(name, "add") || str_is(name, "remove") || str_is(name, "clear") || str_is(name, "set"))
        return relation_method(l, query, name, args);
    return NULL;
}

/* Whether a manager or queryset of the project may have a method of that name that writes. */
static bool is_written_here(struct lowerer *l, const struct queryset *query, struct str name) {
    const struct func_list *same = map_get(&l->facts->func_by_name, name);
    if (query->class_ == NULL && query->model->class_->module->is_contrib)
        return false;
    for (size_t i = 0; same != NULL && i < same->items.count; i++) {
        const struct py_func *func = same->items.items[i];
        if (func->may_write && func->owner != NULL && class_model(l->facts, func->owner) == NULL &&
            !func_has_decorator(func, "property") && !func_has_decorator(func, "setter"))
            return true;
    }
    return false;
}

/* Of a manager whose rows are there already: what needs no statement. */
static bool is_answered(struct str name) {
    return str_is(name, "all") || str_is(name, "get_queryset") || str_is(name, "count") || str_is(name, "exists");
}

static struct val *answer(struct lowerer *l, struct txn_span span, struct queryset *ready, struct str name) {
    if (str_is(name, "count"))
        return query_count(l, span, ready);
    return str_is(name, "exists") ? query_exists(l, span, ready) : val_query(l, span, ready);
}

struct val *query_method(struct lowerer *l, struct val *self, struct str name, struct args *args) {
    struct queryset *query = self->query;
    name = lower_sync_name(name);
    bool is_manager_own = str_is(name, "get_queryset") || str_is(name, "add") ||
                          str_is(name, "remove") || str_is(name, "clear") || str_is(name, "set");
    if (query->is_manager && query->ready != NULL && is_answered(name))
        return answer(l, args->span, query->ready, name);
    if (query->is_manager && !is_manager_own && !str_is(name, "create"))
        query = query_base(l, args->span, query);
    struct val *val = chain(l, query, name, args);
    if (val == NULL)
        val = evaluate(l, query, name, args);
    if (val != NULL)
        return val;
    if (lower_is_write(name) || is_written_here(l, query, name)) {
        lower_notef(l, args->span, "%.*s() of a queryset is not modelled", STR_ARG(name));
        return val_unknown(l, args->span, name);
    }
    /* Of a class from outside: it gives some of the rows, or something else. */
    if (str_starts(name, "get") || str_starts(name, "in_") || lower_is_plain_read(name))
        return rows_unknown(l, args->span, name);
    struct queryset *some = query_copy(l, query);
    VEC_PUSH(l->arena, &some->where, cond_any(l, args->span, name));
    return val_query(l, args->span, some);
}

struct val *query_attribute(struct lowerer *l, struct txn_span span, struct val *of, struct str name) {
    struct queryset *query = of->query;
    if (query->class_ != NULL) {
        struct val *member = class_member(l, span, of, query->class_, name);
        if (member != NULL)
            return member;
        /* A manager's method may stand on its queryset class, by from_queryset: class_find knows. */
    }
    if (str_is(name, "model")) {
        struct val *val = val_new(l, VAL_CLASS, span);
        val->class_ = query->model->class_;
        return val;
    }
    if (str_is(name, "instance") && query->owner != NULL)
        return val_row(l, span, query->owner);
    if (str_starts(name, "_") && !str_is(name, "_clone"))
        return val_unknown(l, span, name);
    struct val *val = val_new(l, VAL_METHOD, span);
    val->self = of;
    val->name = name;
    return val;
}
