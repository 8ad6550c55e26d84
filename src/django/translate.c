/* Translated fields of django-parler: they stand in a table of their own, with a row for each language of an object.
 * An object takes the row of its language when one of them is first set, and saves it along with itself (asked of
 * django-parler 2.3: tests/check/translated_fields_test.py). Which language that is, only the run knows. */
#include "base/assert.h"
#include "django/orm.h"
#include "django/values.h"

bool model_translates(const struct model *model, struct str name) {
    const struct model_field *field = model->translations != NULL ? model_field(model->translations, name) : NULL;
    return field != NULL && field->kind == FIELD_PLAIN && !field->is_primary && !str_is(name, "language_code");
}

static struct cell *cell_of(struct lowerer *l, struct row *row) {
    return row_cache(l, row, STR("translation in use"));
}

static struct val *made(struct lowerer *l, struct txn_span span, struct row *row, struct val *language) {
    struct args args = {.span = span};
    VEC_PUSH(l->arena, &args.names, STR("language_code"));
    VEC_PUSH(l->arena, &args.values, language);
    if (val_known_truth(l, row_is_adding(l, span, row)) != 1) {
        VEC_PUSH(l->arena, &args.names, STR("master"));
        VEC_PUSH(l->arena, &args.values, val_row(l, span, row));
    }
    struct str hint = l->hint;
    l->hint = STR("translation");
    struct val *val = row_construct(l, span, row->model->translations, &args);
    l->hint = hint;
    return val;
}

/* The row of a language, or a new one. */
static struct val *translation_in(struct lowerer *l, struct txn_span span, struct row *row, struct val *language) {
    struct model *model = row->model->translations;
    if (val_known_truth(l, row_is_adding(l, span, row)) == 1)
        return made(l, span, row, language);
    struct row *found = row_new(l, model, lower_var(l, STR("translation")));
    struct queryset *query = query_new(l, span, model);
    l->is_pinned[found->var] = true;
    VEC_PUSH(l->arena, &query->where, cond_lookup(l, span, STR("master"), val_row(l, span, row)));
    VEC_PUSH(l->arena, &query->where, cond_lookup(l, span, STR("language_code"), language));
    query_get_into(l, span, query, found, STR(""));
    struct txn_step *step = txn_build_if(
        &l->b, span, txn_unary(&l->b, span, TXN_EXPR_IS_NULL, txn_ref(&l->b, span, found->var)));
    size_t mark = flow_mark(l);
    txn_build_assign(&l->b, span, found->var, txn_ref(&l->b, span, made(l, span, row, language)->row->var));
    flow_undo(l, mark);
    txn_build_end(&l->b, step);
    return val_row(l, span, found);
}

/* Whether something of it was set that is not saved yet. */
static struct cell *changed_cell(struct lowerer *l, struct row *row) {
    return row_cache(l, row, STR("translation is changed"));
}

static bool is_changed(struct lowerer *l, struct row *row) {
    const struct val *changed = changed_cell(l, row)->val;
    return cell_of(l, row)->val != NULL && (changed == NULL || val_known_truth(l, changed) != 0);
}

void translation_set(struct lowerer *l, struct txn_span span, struct row *row, struct str name, struct val *val) {
    struct cell *cell = cell_of(l, row);
    if (cell->val == NULL)
        cell_set(l, cell, translation_in(l, span, row, val_unknown(l, span, STR("language"))));
    cell_set(l, changed_cell(l, row), val_bool(l, span, true));
    row_set_attribute(l, span, cell->val->row, name, val);
}

void translation_save(struct lowerer *l, struct txn_span span, struct row *row) {
    const struct cell *cell = cell_of(l, row);
    struct args none = {.span = span};
    if (!is_changed(l, row) || l->frame->is_terminated)
        return;
    cell_set(l, changed_cell(l, row), val_bool(l, span, false));
    row_set_attribute(l, span, cell->val->row, STR("master"), val_row(l, span, row));
    row_save(l, span, cell->val->row, &none);
}

struct val *translation_method(struct lowerer *l, struct row *row, struct str name, struct args *args) {
    struct val *language = args_get(args, 0, "language_code");
    if (row->model->translations == NULL)
        return NULL;
    if (str_is(name, "get_translation") || str_is(name, "_get_translated_model"))
        return translation_in(l, args->span, row,
                              language != NULL ? language : val_unknown(l, args->span, STR("language")));
    if (!str_is(name, "set_current_language"))
        return NULL;
    if (is_changed(l, row))
        lower_note(l, args->span, STR("translations into several languages at once are not modelled"));
    cell_set(l, cell_of(l, row), NULL);
    return val_null(l, args->span);
}
