/* Managers of related objects: add(), remove(), clear(), set(), as django/db/models/fields/related_descriptors.py has them.
 * Links of a many-to-many field are rows of the table between; the other end of a foreign key is a column of the rows
 * themselves.
 *
 * Of what is added it may be known which values, or only that they are the rows of a list: each_target() goes over
 * both. Links that are no longer wanted are deleted one by one where Django sends one DELETE. */
#include "base/assert.h"
#include "django/choice.h"
#include "django/container.h"
#include "django/model_meta.h"
#include "django/orm.h"
#include "django/signal.h"
#include "django/values.h"

struct relation {
    struct lowerer *l;
    struct txn_span span;
    struct row *owner;
    struct model *through;
    struct model_field *near, *far; /* ends of the link: the owner's, the other */
    bool is_reverse;
    struct model *target;
    struct val *defaults; /* through_defaults */
    uint16_t old;         /* set(): the keys that are there; else TXN_NO_VAR */
    uint16_t found;       /* set by a search among keys */
    struct val *key;      /* what is searched for */
};

typedef void relation_case(struct relation *relation, struct val *target);

struct targets {
    struct relation *relation;
    relation_case *each;
};

static void each_target(struct relation *relation, struct val *targets, relation_case *each);

static struct val *each_of_item(struct lowerer *l, struct val *item, void *context) {
    struct targets *targets = context;
    each_target(targets->relation, item, targets->each);
    return val_null(l, item->span);
}

static void each_row(struct relation *relation, const struct val *rows, relation_case *each) {
    struct lowerer *l = relation->l;
    uint16_t var = lower_var(l, str_lower(l->arena, relation->target->name));
    l->is_pinned[var] = true;
    struct txn_step *step = txn_build_for(&l->b, relation->span, var, rows->var);
    size_t mark = flow_mark(l);
    if (rows->model == NULL) {
        each(relation, val_scalar(l, txn_ref(&l->b, relation->span, var)));
    } else {
        struct row *row = row_new(l, rows->model, var);
        row->pk_state.val = val_bool(l, relation->span, true);
        each(relation, val_row(l, relation->span, row));
    }
    flow_undo(l, mark);
    txn_build_end(&l->b, step);
}

/* A list of objects or keys, or one whose elements are not known: then one of them. */
static void each_target(struct relation *relation, struct val *targets, relation_case *each) {
    struct lowerer *l = relation->l;
    if (targets->kind == VAL_CHOICE) {
        struct targets context = {relation, each};
        choice_each(l, relation->span, targets, each_of_item, &context);
        return;
    }
    if (targets->kind == VAL_QUERYSET)
        targets = query_rows(l, relation->span, targets->query, STR("rows"));
    if (targets->kind == VAL_ROWS) {
        each_row(relation, targets, each);
    } else if (targets->kind == VAL_SEQUENCE && targets->is_sample) {
        struct val *item;
        struct txn_step *step = sample_begin(l, relation->span, targets, &item);
        size_t mark = flow_mark(l);
        each(relation, item);
        flow_undo(l, mark);
        txn_build_end(&l->b, step);
    } else if (targets->kind == VAL_SEQUENCE && !targets->is_partial) {
        for (size_t i = 0; i < targets->items.count; i++)
            each(relation, targets->items.items[i]);
    } else {
        struct str name = targets->name.len > 0 ? targets->name : relation->target->name;
        each(relation, val_unknown(l, relation->span,
                                   str_printf(l->arena, "%.*s[]", STR_ARG(name))));
    }
}

static void link_equals(const struct relation *relation, const struct model_field *field,
                        struct val *val, struct buf *out) {
    sql_name(relation->l, relation->through->table_name, out);
    buf_add_char(out, '.');
    sql_name(relation->l, field->column, out);
    buf_add_c(out, " = ");
    val_sql(relation->l, val, out);
}

static void of_owner(const struct relation *relation, struct buf *out) {
    buf_add_c(out, " WHERE ");
    link_equals(relation, relation->near, val_row(relation->l, relation->span, relation->owner), out);
}

/* An INSERT of the two keys alone: a table that Django made. */
static void insert_keys(struct relation *relation, struct val *target) {
    struct lowerer *l = relation->l;
    bool is_mysql = l->b.dialect == SQL_MYSQL;
    struct buf sql = {0};
    buf_add_c(&sql, is_mysql ? "INSERT IGNORE INTO " : "INSERT INTO ");
    sql_name(l, relation->through->table_name, &sql);
    buf_add_c(&sql, " (");
    sql_name(l, relation->near->column, &sql);
    buf_add_c(&sql, ", ");
    sql_name(l, relation->far->column, &sql);
    buf_add_c(&sql, ") VALUES (");
    val_sql(l, val_row(l, relation->span, relation->owner), &sql);
    buf_add_c(&sql, ", ");
    val_sql(l, target, &sql);
    buf_add_c(&sql, is_mysql ? ")" : ") ON CONFLICT DO NOTHING");
    lower_sql(l, relation->span, TXN_INTO_NOTHING, TXN_NO_VAR, &sql);
    buf_release(&sql);
}

/* An object of the project's own model of the link. */
static void insert_object(struct relation *relation, struct val *target) {
    struct lowerer *l = relation->l;
    struct args args = {.span = relation->span};
    struct val *defaults = relation->defaults;
    for (size_t i = 0; defaults != NULL && defaults->kind == VAL_DICT && i < defaults->keys.count; i++) {
        struct str name;
        if (!val_text(l, defaults->keys.items[i], &name))
            continue;
        VEC_PUSH(l->arena, &args.names, name);
        VEC_PUSH(l->arena, &args.values, defaults->items.items[i]);
    }
    VEC_PUSH(l->arena, &args.names, relation->near->name);
    VEC_PUSH(l->arena, &args.values, val_row(l, relation->span, relation->owner));
    VEC_PUSH(l->arena, &args.names, relation->far->name);
    VEC_PUSH(l->arena, &args.values, target);
    object_insert(l, relation->span,
                  row_construct(l, relation->span, relation->through, &args)->row);
}

static void send_changed(struct relation *relation, const char *action, struct val *target) {
    signal_send_changed(relation->l, relation->span, relation->through, relation->owner,
                        str_from_c(action), relation->is_reverse, relation->target, target);
}

/* What has receivers, or is no table of Django's own, is looked for first. */
static void add_link(struct relation *relation, struct val *target) {
    struct lowerer *l = relation->l;
    bool is_told = signal_has(l->facts, SIGNAL_M2M_CHANGED, relation->through);
    if (relation->through->is_auto && !is_told) {
        insert_keys(relation, target);
        return;
    }
    struct buf sql = {0};
    uint16_t there = lower_var(l, STR("is_there"));
    buf_add_c(&sql, "SELECT ");
    sql_name(l, relation->far->column, &sql);
    buf_add_c(&sql, " FROM ");
    sql_name(l, relation->through->table_name, &sql);
    of_owner(relation, &sql);
    buf_add_c(&sql, " AND ");
    link_equals(relation, relation->far, target, &sql);
    lower_sql(l, relation->span, TXN_INTO_VALUE, there, &sql);
    buf_release(&sql);
    struct txn_step *step = txn_build_if(
        &l->b, relation->span,
        txn_unary(&l->b, relation->span, TXN_EXPR_IS_NULL, txn_ref(&l->b, relation->span, there)));
    size_t mark = flow_mark(l);
    send_changed(relation, "pre_add", target);
    if (relation->through->is_auto)
        insert_keys(relation, target);
    else
        insert_object(relation, target);
    send_changed(relation, "post_add", target);
    flow_undo(l, mark);
    txn_build_end(&l->b, step);
}

static void delete_links(struct relation *relation, struct val *target) {
    struct lowerer *l = relation->l;
    struct buf sql = {0};
    buf_add_c(&sql, "DELETE FROM ");
    sql_name(l, relation->through->table_name, &sql);
    of_owner(relation, &sql);
    if (target != NULL) {
        buf_add_c(&sql, " AND ");
        link_equals(relation, relation->far, target, &sql);
    }
    lower_sql(l, relation->span, TXN_INTO_NOTHING, TXN_NO_VAR, &sql);
    buf_release(&sql);
}

static void remove_link(struct relation *relation, struct val *target) {
    send_changed(relation, "pre_remove", target);
    delete_links(relation, target);
    send_changed(relation, "post_remove", target);
}

static void clear_links(struct relation *relation) {
    send_changed(relation, "pre_clear", NULL);
    delete_links(relation, NULL);
    send_changed(relation, "post_clear", NULL);
}

/* `found = true` if the target is the key that is searched for. */
static void compare_key(struct relation *relation, struct val *target) {
    struct lowerer *l = relation->l;
    struct txn_span span = relation->span;
    struct txn_step *step =
        txn_build_if(&l->b, span, txn_binary(&l->b, span, TXN_OP_EQ, val_expr(l, target),
                                             val_expr(l, relation->key)));
    txn_build_assign(&l->b, span, relation->found, txn_literal(&l->b, span, value_bool(true)));
    txn_build_end(&l->b, step);
}

static struct txn_step *if_not_found(struct relation *relation, struct val *key, struct val *among) {
    struct lowerer *l = relation->l;
    struct txn_span span = relation->span;
    relation->found = lower_var(l, STR("is_found"));
    l->is_pinned[relation->found] = true;
    relation->key = key;
    txn_build_assign(&l->b, span, relation->found, txn_literal(&l->b, span, value_bool(false)));
    each_target(relation, among, compare_key);
    return txn_build_if(&l->b, span, txn_unary(&l->b, span, TXN_EXPR_NOT,
                                               txn_ref(&l->b, span, relation->found)));
}

static void add_if_new(struct relation *relation, struct val *target) {
    struct lowerer *l = relation->l;
    struct val *old = val_rows(l, relation->span, relation->old, NULL);
    struct txn_step *step = if_not_found(relation, target, old);
    size_t mark = flow_mark(l);
    add_link(relation, target);
    flow_undo(l, mark);
    txn_build_end(&l->b, step);
}

/* set(): what isn't wanted goes, what isn't there comes. */
static void set_links(struct relation *relation, struct val *targets) {
    struct lowerer *l = relation->l;
    struct txn_span span = relation->span;
    struct buf sql = {0};
    relation->old = lower_var(l, STR("old"));
    buf_add_c(&sql, "SELECT ");
    sql_name(l, relation->far->column, &sql);
    buf_add_c(&sql, " FROM ");
    sql_name(l, relation->through->table_name, &sql);
    of_owner(relation, &sql);
    lower_sql(l, span, TXN_INTO_LIST, relation->old, &sql);
    buf_release(&sql);
    uint16_t key = lower_var(l, STR("key"));
    l->is_pinned[key] = true;
    struct txn_step *loop = txn_build_for(&l->b, span, key, relation->old);
    size_t mark = flow_mark(l);
    struct val *unwanted = val_scalar(l, txn_ref(&l->b, span, key));
    struct txn_step *step = if_not_found(relation, unwanted, targets);
    remove_link(relation, unwanted);
    txn_build_end(&l->b, step);
    flow_undo(l, mark);
    txn_build_end(&l->b, loop);
    each_target(relation, targets, add_if_new);
}

/* The ends of the table between; false: they are not known. */
static bool find_ends(struct relation *relation, const struct queryset *query) {
    const struct model_field *field = query->owner_m2m;
    struct model_field *first = NULL, *second = NULL;
    relation->is_reverse = query->owner_reverse != NULL;
    const struct model *from = relation->is_reverse ? query->model : query->owner->model;
    for (size_t i = 0; i < field->through->fields.count; i++) {
        struct model_field *end = field->through->fields.items[i];
        bool is_link = end->kind == FIELD_FOREIGN_KEY || end->kind == FIELD_ONE_TO_ONE;
        if (is_link && first == NULL && end->target == from)
            first = end;
        else if (is_link && second == NULL && end->target == field->target)
            second = end;
        else if (is_link && first == NULL && second == NULL) /* of a base of the model */
            first = end;
    }
    relation->near = relation->is_reverse ? second : first;
    relation->far = relation->is_reverse ? first : second;
    return first != NULL && second != NULL;
}

static struct val *targets_of(struct lowerer *l, const struct args *args) {
    struct val *all = val_new(l, VAL_SEQUENCE, args->span);
    for (size_t i = 0; i < args->positional.count; i++)
        VEC_PUSH(l->arena, &all->items, args->positional.items[i]);
    return all;
}

static void change_links(struct relation *relation, struct str name, struct args *args) {
    struct lowerer *l = relation->l;
    struct val *targets = args_get(args, 0, "objs"), *clear = args_named(args, "clear");
    if (targets != NULL && targets->kind == VAL_QUERYSET && str_is(name, "set"))
        targets = query_rows(l, args->span, targets->query, STR("rows"));
    struct txn_step *atomic = lower_atomic(l, args->span, NULL);
    atomic->is_savepoint_off = true;
    if (str_is(name, "clear")) {
        clear_links(relation);
    } else if (str_is(name, "set") && targets != NULL) {
        if (clear != NULL && val_known_truth(l, clear) == 1) {
            clear_links(relation);
            each_target(relation, targets, add_link);
        } else {
            set_links(relation, targets);
        }
    } else {
        relation_case *each = str_is(name, "add") ? add_link : remove_link;
        each_target(relation, targets_of(l, args), each);
        if (args->rest != NULL)
            each_target(relation, args->rest, each);
    }
    lower_atomic_end(l, atomic);
}

static void update_child(struct relation *relation, struct val *target, bool is_added) {
    struct lowerer *l = relation->l;
    struct queryset *child = query_new(l, relation->span, relation->target);
    struct args update = {.span = relation->span};
    struct val *owner = val_row(l, relation->span, relation->owner);
    if (!is_added)
        VEC_PUSH(l->arena, &child->where, cond_lookup(l, relation->span, relation->near->name, owner));
    if (target != NULL)
        VEC_PUSH(l->arena, &child->where, cond_lookup(l, relation->span, STR("pk"), target));
    VEC_PUSH(l->arena, &update.names, relation->near->name);
    VEC_PUSH(l->arena, &update.values, is_added ? owner : val_null(l, relation->span));
    query_update(l, child, &update);
}

static void add_child(struct relation *relation, struct val *target) {
    update_child(relation, target, true);
}

static void remove_child(struct relation *relation, struct val *target) {
    update_child(relation, target, false);
}

/* The other end of a foreign key. */
static void change_children(struct relation *relation, struct str name, struct args *args) {
    struct lowerer *l = relation->l;
    if (str_is(name, "clear")) {
        update_child(relation, NULL, false);
        return;
    }
    relation_case *each = str_is(name, "add") ? add_child : remove_child;
    each_target(relation, targets_of(l, args), each);
    if (args->rest != NULL)
        each_target(relation, args->rest, each);
}

struct val *relation_method(struct lowerer *l, struct queryset *query, struct str name,
                            struct args *args) {
    struct relation relation = {.l = l, .span = args->span, .owner = query->owner,
                                .target = query->model, .old = TXN_NO_VAR, .found = TXN_NO_VAR,
                                .defaults = args_named(args, "through_defaults")};
    const struct model_field *field = query->owner_m2m;
    if (query->owner != NULL && field == NULL && query->owner_field != NULL && !str_is(name, "set")) {
        relation.near = query->owner_field;
        change_children(&relation, name, args);
        return val_null(l, args->span);
    }
    if (query->owner == NULL || field == NULL || field->through == NULL || field->through->table < 0) {
        lower_notef(l, args->span, "%.*s() of this relation is not modelled", STR_ARG(name));
        return val_null(l, args->span);
    }
    relation.through = field->through;
    if (find_ends(&relation, query))
        change_links(&relation, name, args);
    else
        lower_note(l, args->span, STR("the table of this relation is not modelled"));
    return val_null(l, args->span);
}
