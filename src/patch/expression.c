/* F(): values that the database computes. What Python made of the object's own attributes is left to it, the rest of the
 * expression stays as it was written. Numbers only, and +, -, *: there Python and every database mean the same. */
#include "django/signal.h"
#include "patch/object.h"

enum { INLINED_MAX = 8 };

struct computing {
    struct making *m;
    struct row_object object;
    struct str f; /* what F is called */
    size_t depth;
    bool has_f;
};

static bool is_number(const struct model_field *field) {
    return field != NULL && (field->type == COLUMN_INT || field->type == COLUMN_DECIMAL);
}

struct mention_search {
    const struct row_object *object;
    bool is_mentioned;
};

static void find_mention(const struct py_node *node, void *context) {
    struct mention_search *search = context;
    search->is_mentioned |= (node->kind == PY_Name || node->kind == PY_Attribute) &&
                            text_is(search->object->module, node, search->object->text);
}

static bool mentions(const struct row_object *object, const struct py_node *node) {
    struct mention_search search = {object, false};
    node_walk(node, find_mention, &search);
    return search.is_mentioned;
}

struct name_search {
    struct str name;
    const struct py_node *value;
    size_t count;
};

static void find_value(const struct py_node *node, void *context) {
    struct name_search *search = context;
    if (node->kind == PY_Name && node->ctx != PY_Load && str_equal(node->Name.id, search->name))
        search->count++;
    if (node->kind == PY_Assign && node->Assign.targets.count == 1 &&
        node->Assign.targets.items[0]->kind == PY_Name &&
        str_equal(node->Assign.targets.items[0]->Name.id, search->name))
        search->value = node->Assign.value;
}

/* The one value that a local name ever has, if it comes of the object. */
static const struct py_node *value_of_object(const struct computing *c, struct str name) {
    struct name_search search = {name, NULL, 0};
    node_walk(c->object.def, find_value, &search);
    return search.count == 1 && search.value != NULL && mentions(&c->object, search.value)
               ? search.value
               : NULL;
}

static bool put(struct computing *c, const struct py_node *node, struct buf *out);

static bool put_operands(struct computing *c, const struct py_node *node, struct buf *out) {
    const struct py_node *left = node->BinOp.left, *right = node->BinOp.right;
    struct str text = c->object.module->py->text;
    if (node->op != PY_OP_Add && node->op != PY_OP_Sub && node->op != PY_OP_Mult)
        return refuse(c->m, "the database would not compute the same");
    buf_add(out, str_sub(text, node->start, left->start));
    if (!put(c, left, out))
        return false;
    buf_add(out, str_sub(text, left->end, right->start));
    if (!put(c, right, out))
        return false;
    buf_add(out, str_sub(text, right->end, node->end));
    return true;
}

static bool put_field(struct computing *c, const struct py_node *node, struct buf *out) {
    const struct model_field *field = model_field(c->m->model, node->Attribute.attr);
    if (!is_number(field))
        return refuse(c->m, "the database would not compute the same");
    c->has_f = true;
    buf_printf(out, "%.*s(%.*s)", STR_ARG(c->f), STR_ARG(quoted(c->m, c->object.module, field->name)));
    return true;
}

static bool put(struct computing *c, const struct py_node *node, struct buf *out) {
    const struct py_node *value =
        node->kind == PY_Name && c->depth < INLINED_MAX ? value_of_object(c, node->Name.id) : NULL;
    if (value != NULL && !text_is(c->object.module, node, c->object.text)) {
        bool is_atom = value->kind == PY_Attribute || value->kind == PY_Name;
        c->depth++;
        buf_add_c(out, is_atom ? "" : "(");
        bool ok = put(c, value, out);
        buf_add_c(out, is_atom ? "" : ")");
        c->depth--;
        return ok;
    }
    if (!mentions(&c->object, node) && node->kind != PY_BinOp) {
        buf_add(out, module_text(c->object.module, node));
        return true;
    }
    if (node->kind == PY_Attribute && text_is(c->object.module, node->Attribute.value, c->object.text))
        return put_field(c, node, out);
    if (node->kind == PY_BinOp)
        return put_operands(c, node, out);
    return refuse(c->m, "the value is computed in a way that is not for the database");
}

/* `x.n += k`: x.n = F("n") + k, with k in brackets unless it binds closer than the operator. */
static bool put_augmented(struct computing *c, const struct py_node *node, struct buf *out) {
    static const char signs[] = {[PY_OP_Add] = '+', [PY_OP_Sub] = '-', [PY_OP_Mult] = '*'};
    const struct py_node *value = node->AugAssign.value;
    if (node->op != PY_OP_Add && node->op != PY_OP_Sub && node->op != PY_OP_Mult)
        return refuse(c->m, "the database would not compute the same");
    bool is_close = value->kind == PY_Constant || value->kind == PY_Name ||
                    value->kind == PY_Attribute || value->kind == PY_Call ||
                    value->kind == PY_Subscript;
    if (!put_field(c, node->AugAssign.target, out))
        return false;
    buf_printf(out, " %c %s", signs[node->op], is_close ? "" : "(");
    if (!put(c, value, out))
        return false;
    buf_add_c(out, is_close ? "" : ")");
    return true;
}

/* An expression stays on the object when it is saved: whoever reads the column afterwards must load it. */
static bool load_behind(struct computing *c, const struct py_node *statement,
                        const struct py_node *target) {
    struct making *m = c->m;
    const struct py_node *save = object_save_behind(&c->object, statement->end);
    if (save == NULL)
        return refuse(m, "the object is saved elsewhere");
    struct str attribute = target->Attribute.attr;
    struct uses between = object_uses(&c->object, attribute, statement->end, save->start);
    struct uses behind = object_uses(&c->object, attribute, save->end, c->object.def->end);
    if (between.is_read || between.is_whole)
        return refuse(m, "the value is used before it is saved");
    if (object_is_local(&c->object) && !behind.is_read && !behind.is_whole)
        return true;
    struct txn_span span = module_span(c->object.module, save);
    struct place place;
    if (!place_find(m->source, span, &place, &m->why))
        return false;
    const struct py_node *around = place_around(&place, 1);
    if (around == NULL || around->kind != PY_Expr)
        return refuse(m, "the save() is no statement of its own");
    return add_line_behind(m, c->object.module, around,
                           str_printf(m->arena, "%.*s.refresh_from_db(fields=[%.*s])",
                                      STR_ARG(c->object.text),
                                      STR_ARG(quoted(m, c->object.module, attribute))));
}

static bool begin(struct computing *c, struct making *m, const struct place *place,
                  const struct py_node *object) {
    const struct py_node *def = place_def(place);
    if (m->model == NULL || def == NULL)
        return refuse(m, "the model or the function is not known");
    if (signal_has(m->source->facts, SIGNAL_PRE_SAVE, m->model) ||
        signal_has(m->source->facts, SIGNAL_POST_SAVE, m->model))
        return refuse(m, "receivers of the model's signals would see an expression");
    *c = (struct computing){.m = m,
                            .object = {place->module, def, module_text(place->module, object), m->model}};
    return name_f(m, place->module, &c->f);
}

bool make_expression(struct making *m, const struct fix_edit *edit) {
    struct place place;
    struct computing c;
    if (!place_find(m->source, edit->span, &place, &m->why))
        return false;
    const struct py_node *target = place_node(&place), *statement = place_around(&place, 1);
    bool is_plain = statement != NULL && statement->kind == PY_Assign &&
                    statement->Assign.targets.count == 1;
    if (target->kind != PY_Attribute || statement == NULL ||
        (!is_plain && statement->kind != PY_AugAssign))
        return refuse(m, "the value is not assigned to an attribute by a plain assignment");
    if (!begin(&c, m, &place, target->Attribute.value))
        return false;
    struct buf out = {0};
    bool ok = is_plain ? put(&c, statement->Assign.value, &out) : put_augmented(&c, statement, &out);
    if (ok && !c.has_f)
        ok = refuse(m, "the value does not come from the object at hand");
    uint32_t from = is_plain ? statement->Assign.value->start : target->end;
    struct str value = str_printf(m->arena, "%s%.*s", is_plain ? "" : " = ", STR_ARG(buf_str(&out)));
    buf_release(&out);
    return ok && add(m, place.module, from, statement->end, value) &&
           load_behind(&c, statement, target);
}

/* The object whose attribute the expression reads: that of the first one. */
struct first_object {
    const struct model *model;
    const struct py_node *object;
};

static void find_object(const struct py_node *node, void *context) {
    struct first_object *search = context;
    if (search->object == NULL && node->kind == PY_Attribute && node->Attribute.value->kind == PY_Name &&
        model_field(search->model, node->Attribute.attr) != NULL)
        search->object = node->Attribute.value;
}

bool make_update(struct making *m, const struct fix_edit *edit) {
    struct place place;
    struct computing c;
    const struct model_field *field =
        edit->columns.count > 0 ? field_of_column(m, edit->columns.items[0]) : NULL;
    if (!place_find(m->source, edit->span, &place, &m->why))
        return false;
    const struct py_node *call = place_node(&place);
    if (!is_call_of(call, "update") || field == NULL)
        return refuse(m, "the write is no update() of a queryset");
    for (uint32_t i = 0; i < call->Call.keywords.count; i++) {
        const struct py_node *keyword = call->Call.keywords.items[i];
        if (keyword->keyword.arg.ptr == NULL || !str_equal(keyword->keyword.arg, field->name))
            continue;
        struct first_object first = {m->model, NULL};
        node_walk(keyword->keyword.value, find_object, &first);
        if (first.object == NULL)
            break;
        if (!begin(&c, m, &place, first.object))
            return false;
        struct buf out = {0};
        bool ok = put(&c, keyword->keyword.value, &out);
        struct str value = str_dup(m->arena, buf_str(&out));
        buf_release(&out);
        return ok && add(m, place.module, keyword->keyword.value->start,
                         keyword->keyword.value->end, value);
    }
    return refuse(m, "the value does not come from an object at hand");
}
