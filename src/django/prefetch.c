/* prefetch_related(): Django reads the rows of the relations right after the rows themselves. Here each relation that is
 * used is read when its row is: with a single row that is the same; of rows that a loop goes through, each round
 * reads its own. Which ones are used shows in a first pass over the function, so that the rest costs nothing. */
#include "base/assert.h"
#include "django/orm.h"
#include "django/values.h"

static struct str first_part(struct str path, struct str *rest) {
    size_t end = 0;
    while (end < path.len && !str_starts(str_sub(path, end, path.len), "__"))
        end++;
    *rest = end < path.len ? str_sub(path, end + 2, path.len) : (struct str){0};
    return str_sub(path, 0, end);
}

/* What the rows are an attribute by: to_attr of the whole path, else the relation's own name. */
static struct str name_of(const struct prefetch *prefetch) {
    struct str rest, first = first_part(prefetch->path, &rest);
    return rest.len == 0 && prefetch->to_attr.len > 0 ? prefetch->to_attr : first;
}

static struct str use_of(struct lowerer *l, const struct row *row, struct str name) {
    return str_printf(l->arena, "%.*s.%.*s", STR_ARG(row->model->table_name), STR_ARG(name));
}

static struct cell *cell_of(struct lowerer *l, struct row *row, struct str name) {
    return row_cache(l, row, str_printf(l->arena, "prefetched %.*s", STR_ARG(name)));
}

void prefetch_add(struct lowerer *l, struct queryset *query, const struct args *args) {
    for (size_t i = 0; i < args->positional.count; i++) {
        const struct val *val = args->positional.items[i];
        struct prefetch prefetch = {{0}, NULL, {0}};
        if (val_is_none(val)) {
            memset(&query->prefetched, 0, sizeof(query->prefetched));
            continue;
        }
        if (val->kind == VAL_PARTIAL && str_is(val->name, "prefetch"))
            prefetch = *val->prefetch;
        else if (!val_text(l, val, &prefetch.path))
            continue; /* one that isn't known brings rows that nobody asks for by a name */
        VEC_PUSH(l->arena, &query->prefetched, prefetch);
    }
}

struct val *prefetch_object(struct lowerer *l, const struct args *args) {
    struct val *path = args_get(args, 0, "lookup"), *query = args_get(args, 1, "queryset");
    struct val *to_attr = args_get(args, 2, "to_attr"), *val = val_new(l, VAL_PARTIAL, args->span);
    struct prefetch *prefetch = ARENA_NEW(l->arena, struct prefetch);
    if (path == NULL || !val_text(l, path, &prefetch->path))
        return NULL;
    if (query != NULL && query->kind == VAL_QUERYSET)
        prefetch->query = query->query;
    if (to_attr != NULL)
        val_text(l, to_attr, &prefetch->to_attr);
    val->name = STR("prefetch");
    val->self = path;
    val->prefetch = prefetch;
    return val;
}

/* The rows that the relation leads to, as Prefetch(queryset=...) has them. NULL: no relation of many. */
static struct queryset *rows_of(struct lowerer *l, struct txn_span span, const struct prefetch *prefetch,
                                struct val *manager) {
    struct str rest;
    first_part(prefetch->path, &rest);
    if (manager == NULL || manager->kind != VAL_QUERYSET)
        return NULL;
    const struct queryset *of = manager->query;
    struct queryset *rows;
    if (rest.len == 0 && prefetch->query != NULL && prefetch->query->model == of->model) {
        rows = query_copy(l, prefetch->query->is_manager ? query_base(l, span, prefetch->query) : prefetch->query);
        for (size_t i = 0; i < of->where.count; i++)
            VEC_PUSH(l->arena, &rows->where, of->where.items[i]);
        rows->owner = of->owner;
        rows->owner_field = of->owner_field;
    } else {
        rows = query_copy(l, query_base(l, span, manager->query));
    }
    rows->is_manager = false;
    if (rest.len > 0) {
        struct prefetch inner = {rest, prefetch->query, prefetch->to_attr};
        VEC_PUSH(l->arena, &rows->prefetched, inner);
    }
    return rows;
}

/* Reads the relation now; what it leads to is kept with the row. */
static void fetch(struct lowerer *l, struct txn_span span, struct row *row, const struct prefetch *prefetch) {
    struct str rest, relation = first_part(prefetch->path, &rest);
    struct val *related = row_related(l, span, val_row(l, span, row), relation);
    if (related != NULL && related->kind == VAL_ROW && rest.len > 0) {
        VEC_PUSH(l->arena, &related->row->prefetched, ((struct prefetch){rest, prefetch->query, prefetch->to_attr}));
        prefetch_row(l, span, related->row);
    }
    struct queryset *rows = rows_of(l, span, prefetch, related);
    if (rows == NULL || l->frame->is_terminated)
        return;
    struct str hint = l->hint;
    l->hint = (struct str){0};
    query_rows(l, span, rows, STR("rows"));
    l->hint = hint;
    if (!l->frame->is_terminated)
        cell_set(l, cell_of(l, row, name_of(prefetch)), val_query(l, span, rows));
}

static bool is_used(struct lowerer *l, const struct row *row, struct str name) {
    return l->prefetches != NULL && map_has(l->prefetches, use_of(l, row, name));
}

void prefetch_each(struct lowerer *l, struct txn_span span, const struct val *element) {
    size_t before = l->sql_count;
    if (l->dry_depth > 0)
        return;
    if (element->kind == VAL_ROW)
        prefetch_row(l, span, element->row);
    for (size_t i = 0; element->kind == VAL_SEQUENCE && i < element->items.count; i++)
        if (element->items.items[i]->kind == VAL_ROW)
            prefetch_row(l, span, element->items.items[i]->row);
    if (l->sql_count > before)
        lower_bound(l, span, STR("prefetched rows are fetched when the turn of their row comes"));
}

void prefetch_row(struct lowerer *l, struct txn_span span, struct row *row) {
    for (size_t i = 0; i < row->prefetched.count && !l->frame->is_terminated; i++)
        if (is_used(l, row, name_of(&row->prefetched.items[i])))
            fetch(l, span, row, &row->prefetched.items[i]);
}

struct queryset *prefetch_of(struct lowerer *l, struct txn_span span, struct row *row, struct str name) {
    for (size_t i = row->prefetched.count; i-- > 0;) {
        const struct prefetch *prefetch = &row->prefetched.items[i];
        if (!str_equal(name_of(prefetch), name))
            continue;
        struct cell *cell = cell_of(l, row, name), *object = fields_find(row->caches, name);
        if (object != NULL && object->val != NULL) /* one row, that is there */
            return NULL;
        if (cell->val == NULL && is_used(l, row, name))
            lower_note(l, span, STR("prefetched rows are taken as fetched here, where they are used"));
        map_put(&l->prefetches_used, use_of(l, row, name), l);
        if (cell->val != NULL)
            return cell->val->query;
        struct str rest, relation = first_part(prefetch->path, &rest);
        if (prefetch->to_attr.len == 0 || rest.len > 0)
            return NULL;
        return rows_of(l, span, prefetch, row_related(l, span, val_row(l, span, row), relation));
    }
    return NULL;
}
