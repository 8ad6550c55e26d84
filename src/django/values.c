/* Abstract values and what the program makes of them. */
#include "django/choice.h"
#include "django/orm.h"
#include "program/vars.h"

#include "base/assert.h"

#include <stdarg.h>

struct val *val_new(struct lowerer *l, enum val_kind kind, struct txn_span span) {
    struct val *val = ARENA_NEW(l->arena, struct val);
    val->kind = kind;
    val->span = span;
    val->var = TXN_NO_VAR;
    return val;
}

struct val *val_scalar(struct lowerer *l, struct txn_expr *expr) {
    struct val *val = val_new(l, VAL_SCALAR, expr->span);
    val->expr = expr;
    return val;
}

struct val *val_literal(struct lowerer *l, struct txn_span span, struct value value) {
    return val_scalar(l, txn_literal(&l->b, span, value));
}

struct val *val_null(struct lowerer *l, struct txn_span span) {
    return val_literal(l, span, value_null());
}

struct val *val_bool(struct lowerer *l, struct txn_span span, bool truth) {
    return val_literal(l, span, value_bool(truth));
}

struct val *val_int(struct lowerer *l, struct txn_span span, int64_t number) {
    return val_literal(l, span, value_int(number));
}

struct row *row_new(struct lowerer *l, struct model *model, uint16_t var) {
    struct row *row = ARENA_NEW(l->arena, struct row);
    row->model = model;
    row->var = var;
    row->caches = fields_new(l);
    row->pk_state.is_cache = true;
    return row;
}

struct val *val_row(struct lowerer *l, struct txn_span span, struct row *row) {
    struct val *val = val_new(l, VAL_ROW, span);
    val->row = row;
    return val;
}

struct val *val_rows(struct lowerer *l, struct txn_span span, uint16_t var, struct model *model) {
    struct val *val = val_new(l, VAL_ROWS, span);
    val->var = var;
    val->model = model;
    return val;
}

/* A name that is made of names may double with every step; beyond a length it stands for itself by its hash. */
static struct str bounded_name(struct lowerer *l, struct str name) {
    enum { NAME_BYTES_MAX = 512, NAME_BYTES_KEPT = 256 };
    if (name.len <= NAME_BYTES_MAX)
        return name;
    return str_printf(l->arena, "%.*s... %016llx", STR_ARG(str_sub(name, 0, NAME_BYTES_KEPT)),
                      (unsigned long long)str_hash(name));
}

struct val *val_unknown(struct lowerer *l, struct txn_span span, struct str text) {
    struct val *val = val_new(l, VAL_UNKNOWN, span);
    val->name = bounded_name(l, text);
    return val;
}

struct val *val_external(struct lowerer *l, struct txn_span span, struct str dotted) {
    struct val *val = val_new(l, VAL_EXTERNAL, span);
    val->name = bounded_name(l, dotted);
    return val;
}

struct val *val_query(struct lowerer *l, struct txn_span span, struct queryset *query) {
    struct val *val = val_new(l, VAL_QUERYSET, span);
    val->query = query;
    return val;
}

struct val *val_copy(struct lowerer *l, const struct val *container) {
    struct val *copy = arena_copy(l->arena, container, sizeof(*container));
    copy->items.capacity = copy->items.count;
    copy->keys.capacity = copy->keys.count;
    return copy;
}

void val_change(struct lowerer *l, struct val *container, struct val *content) {
    if (container->content == NULL) {
        container->content = ARENA_NEW(l->arena, struct cell);
        container->content->name = container->name.len > 0 ? container->name : STR("items");
        container->content->val = container;
    }
    content->content = container->content;
    cell_set(l, container->content, content);
}

bool val_constant(const struct val *val, struct value *value) {
    if (val->kind != VAL_SCALAR || val->expr->kind != TXN_EXPR_LITERAL)
        return false;
    *value = val->expr->literal;
    return true;
}

bool val_text(struct lowerer *l, const struct val *val, struct str *text) {
    struct value value;
    if (!val_constant(val, &value) || value.kind != VALUE_TEXT)
        return false;
    *text = text_pool_get(l->pool, value.number);
    return true;
}

bool val_is_none(const struct val *val) {
    struct value value;
    return val_constant(val, &value) && value.kind == VALUE_NULL;
}

struct txn_span lower_span(const struct lowerer *l, const struct py_node *node) {
    const struct frame *frame = l->frame;
    return frame->module->is_contrib ? frame->call_span : module_span(frame->module, node);
}

struct str lower_one_line(struct lowerer *l, struct str text) {
    enum { SHOWN_MAX = 120 };
    struct buf buf = {0};
    for (size_t i = 0; i < text.len && buf.len < SHOWN_MAX; i++) {
        bool is_space = text.ptr[i] == ' ' || text.ptr[i] == '\n' || text.ptr[i] == '\r' ||
                        text.ptr[i] == '\t';
        if (!is_space)
            buf_add_char(&buf, text.ptr[i]);
        else if (buf.len > 0 && buf.ptr[buf.len - 1] != ' ')
            buf_add_char(&buf, ' ');
    }
    struct str line = str_dup(l->arena, buf_str(&buf));
    buf_release(&buf);
    return line;
}

void lower_note(struct lowerer *l, struct txn_span span, struct str text) {
    if (l->dry_depth > 0)
        return;
    struct django_note note = {.span = span, .text = lower_one_line(l, text)};
    VEC_PUSH(l->arena, &l->notes, note);
    l->has_note = true;
}

void lower_bound(struct lowerer *l, struct txn_span span, struct str text) {
    if (l->dry_depth > 0)
        return;
    struct django_note note = {.span = span, .text = lower_one_line(l, text), .is_bound = true};
    VEC_PUSH(l->arena, &l->notes, note);
}

void lower_notef(struct lowerer *l, struct txn_span span, const char *format, ...) {
    char text[400];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    lower_note(l, span, str_from_c(text));
}

static bool is_word_byte(char byte) {
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || byte == '_' ||
           (byte >= '0' && byte <= '9') || (unsigned char)byte >= 0x80;
}

/* Words of the notation, which no variable may be called. */
static bool is_reserved(struct str name) {
    static const char *const words[] = {
        "and",   "atomic", "break", "call",  "continue", "count", "effect", "else",   "except",
        "false", "finally", "first", "for",   "if",       "is",    "in",     "key",    "len",
        "list",  "lock",   "new",   "not",   "now",      "null",  "or",     "raise",  "reload",
        "repeat", "return", "row",  "rows",  "sql",      "time",  "true",   "try",    "unlock",
        "value", "with",   "select", "insert", "update", "delete", "same",  "opaque"};
    for (size_t i = 0; i < LW_COUNT_OF(words); i++)
        if (str_equal_nocase(name, str_from_c(words[i])))
            return true;
    return false;
}

/* An identifier made of a source text: request.POST["x"] becomes request_POST_x. */
static struct str identifier(struct lowerer *l, struct str text) {
    enum { LENGTH_MAX = 48 };
    struct buf buf = {0};
    for (size_t i = 0; i < text.len && buf.len < LENGTH_MAX; i++) {
        if (is_word_byte(text.ptr[i]) && (unsigned char)text.ptr[i] < 0x80)
            buf_add_char(&buf, text.ptr[i]);
        else if (buf.len > 0 && buf.ptr[buf.len - 1] != '_')
            buf_add_char(&buf, '_');
    }
    while (buf.len > 1 && buf.ptr[buf.len - 1] == '_')
        buf.ptr[--buf.len] = '\0';
    if (buf.len == 0 || (buf.ptr[0] >= '0' && buf.ptr[0] <= '9'))
        buf_add_char(&buf, 'x');
    struct str name = str_dup(l->arena, buf_str(&buf));
    if (name.ptr[0] >= '0' && name.ptr[0] <= '9')
        name = str_printf(l->arena, "x%.*s", STR_ARG(name));
    if (is_reserved(name))
        name = str_printf(l->arena, "%.*s_", STR_ARG(name));
    buf_release(&buf);
    return name;
}

/* A name of that base which no variable has. `numbers`: by base, the last number that tells its variables apart. */
static struct str free_name(struct arena *arena, const struct txn_program *program,
                            struct map *numbers, struct str base) {
    struct str name = base;
    uintptr_t number = (uintptr_t)map_get(numbers, base);
    if (number > 0)
        name = str_printf(arena, "%.*s_%d", STR_ARG(base), (int)++number);
    while (txn_find_var(program, name) != TXN_NO_VAR) {
        number = number > 0 ? number + 1 : 2;
        name = str_printf(arena, "%.*s_%d", STR_ARG(base), (int)number);
    }
    if (number > 0)
        map_put(numbers, base, (void *)number);
    return name;
}

/* Until all is settled a variable is named by its number. */
static struct str draft_name(struct arena *arena, size_t number) {
    char *text = arena_alloc(arena, 8);
    size_t at = 8;
    for (; number > 9; number /= 10)
        text[--at] = (char)('0' + number % 10);
    text[--at] = (char)('0' + number);
    text[--at] = 'v';
    return (struct str){text + at, 8 - at};
}

uint16_t lower_var(struct lowerer *l, struct str hint) {
    struct txn_program *program = l->b.program;
    if (program->vars.count >= LOWER_VARS_MAX) {
        l->is_too_large = true;
        return 0;
    }
    uint16_t var = txn_new_var(l->arena, program, draft_name(l->arena, program->vars.count));
    program->vars.items[var].source_name = hint;
    return var;
}

struct txn_expr *lower_param(struct lowerer *l, struct txn_span span, struct str text) {
    uintptr_t known = (uintptr_t)map_get(&l->param_vars, text);
    if (known == 0) {
        uint16_t var = lower_var(l, text);
        l->b.program->vars.items[var].source_name = lower_one_line(l, text);
        l->is_outside[var] = true;
        known = var + 1u;
        map_put(&l->param_vars, text, (void *)known);
        VEC_PUSH(l->arena, &l->params, ((struct lower_param){text, var}));
    }
    return txn_ref(&l->b, span, (uint16_t)(known - 1));
}

size_t lower_vars_from(const struct lowerer *l, size_t var_count) {
    size_t count = l->params.count;
    size_t behind = count > 0 ? l->params.items[count - 1].var + 1u : 0;
    return behind > var_count ? behind : var_count;
}

struct str lower_show_vars(struct lowerer *l, struct str text) {
    struct buf shown = {0};
    for (size_t at = 0; at < text.len;) {
        size_t end = at + 2, var = 0;
        bool is_var = str_starts(str_sub(text, at, text.len), ":v");
        for (; is_var && end < text.len && text.ptr[end] >= '0' && text.ptr[end] <= '9' && end - at < 8; end++)
            var = var * 10 + (size_t)(text.ptr[end] - '0');
        if (!is_var || end == at + 2 || var >= l->draft_count) {
            buf_add_char(&shown, text.ptr[at++]);
            continue;
        }
        buf_add_char(&shown, ':');
        buf_add(&shown, l->settled == NULL
                            ? identifier(l, l->b.program->vars.items[var].source_name)
                            : l->b.program->vars.items[l->settled[var]].name);
        at = end;
    }
    struct str copy = str_dup(l->arena, buf_str(&shown));
    buf_release(&shown);
    return copy;
}

/* The variables of a settled program in the making. */
struct settling {
    struct lowerer *l;
    struct txn_program *to;
    struct map numbers;
    uint16_t *number; /* by the variable it was */
};

static void take_var(struct settling *s, uint16_t var, struct str hint) {
    const struct txn_var *from = &s->l->b.program->vars.items[var];
    struct str name = free_name(s->l->arena, s->to, &s->numbers, identifier(s->l, hint));
    struct owner *texts = &s->l->facts->texts;
    uint16_t taken = txn_var(s->l->arena, s->to, own_text(texts, name));
    s->to->vars.items[taken].source_name = own_text(texts, from->source_name);
    s->to->vars.items[taken].is_given = from->is_given;
    s->to->vars.items[taken].is_shown = from->is_shown;
    s->number[var] = taken;
}

void lower_settle(struct lowerer *l, struct arena *arena, struct txn_program *program,
                  const size_t *order) {
    const struct txn_program *from = l->b.program;
    size_t count = from->vars.count;
    bool *is_used = ARENA_ARRAY(l->arena, bool, count);
    struct settling s = {.l = l,
                         .to = txn_program_new(l->arena, from->name, from->span),
                         .number = ARENA_ARRAY(l->arena, uint16_t, count)};
    map_init(&s.numbers, l->arena);
    txn_find_uses(l->arena, program, is_used);
    for (size_t i = 0; i < l->params.count; i++) {
        const struct lower_param *param = &l->params.items[order[i]];
        take_var(&s, param->var, param->text);
        is_used[param->var] = false; /* done */
    }
    for (size_t i = 0; i < count; i++)
        if (is_used[i])
            take_var(&s, (uint16_t)i, from->vars.items[i].source_name);
    l->settled = s.number;
    l->draft_count = count;
    txn_renumber(arena, program, s.number, s.to->vars.items, s.to->vars.count, l->params.count);
}

struct str lower_identifier(struct lowerer *l, struct str text) {
    return identifier(l, text);
}

static struct txn_expr *opaque_items(struct lowerer *l, struct val *val, const char *name) {
    struct txn_expr *call = txn_opaque(&l->b, val->span, str_from_c(name));
    for (size_t i = 0; i < val->items.count; i++)
        txn_add_arg(&l->b, call, val_expr(l, val->items.items[i]));
    return call;
}

static struct val *scalar_of(struct lowerer *l, struct val *item, void *context) {
    (void)context;
    return val_scalar(l, val_expr(l, item));
}

static struct val *truth_of(struct lowerer *l, struct val *item, void *context) {
    (void)context;
    return val_scalar(l, val_truth(l, item));
}

struct txn_expr *val_expr(struct lowerer *l, struct val *val) {
    switch (val->kind) {
    case VAL_SCALAR:
        return val->expr;
    case VAL_ROW:
        if (val->row->is_null_possible) {
            struct txn_expr *ref = txn_ref(&l->b, val->span, val->row->var);
            return txn_cond(&l->b, val->span, txn_unary(&l->b, val->span, TXN_EXPR_IS_NULL, ref),
                            txn_literal(&l->b, val->span, value_null()),
                            txn_column(&l->b, val->span, val->row->var, val->row->model->pk->column));
        }
        return txn_column(&l->b, val->span, val->row->var, val->row->model->pk->column);
    case VAL_ROWS:
        return txn_of_list(&l->b, val->span, TXN_EXPR_LEN, val->var);
    case VAL_UNKNOWN:
        if (val->expr != NULL)
            return val->expr;
        return lower_param(l, val->span, val->name);
    case VAL_EXTERNAL:
        return lower_param(l, val->span, val->name);
    case VAL_SEQUENCE:
        return opaque_items(l, val, "sequence");
    case VAL_DICT:
        return opaque_items(l, val, "dict");
    case VAL_QUERYSET: {
        struct val *rows = query_rows(l, val->span, val->query, STR("rows"));
        if (rows->kind == VAL_ROWS)
            return txn_of_list(&l->b, val->span, TXN_EXPR_LEN, rows->var);
        break;
    }
    case VAL_CHOICE:
        return choice_each(l, val->span, val, scalar_of, NULL)->expr;
    case VAL_CLASS:
        return txn_literal(&l->b, val->span, value_text(l->pool, val->class_->name));
    case VAL_FUNC:
    case VAL_BOUND:
    case VAL_METHOD:
    case VAL_MODULE:
        return txn_literal(&l->b, val->span, value_text(l->pool, STR("function")));
    default:
        break;
    }
    return lower_param(l, val->span, val->name.len > 0 ? val->name : STR("value"));
}

int val_known_truth(struct lowerer *l, const struct val *val) {
    struct value value;
    if (val_constant(val, &value)) {
        if (value.kind == VALUE_TEXT)
            return text_pool_get(l->pool, value.number).len > 0;
        return value.kind != VALUE_NULL && value.number != 0;
    }
    switch (val->kind) {
    case VAL_UNKNOWN:
        return val->is_cached ? 0 : -1;
    case VAL_ROW:
        return val->row->is_null_possible ? -1 : 1;
    case VAL_SEQUENCE:
    case VAL_DICT:
        return val->is_partial ? -1 : val->items.count > 0;
    case VAL_CLASS:
    case VAL_FUNC:
    case VAL_BOUND:
    case VAL_METHOD:
    case VAL_MODULE:
    case VAL_INSTANCE:
        return 1;
    default:
        return -1;
    }
}

struct txn_expr *val_truth(struct lowerer *l, struct val *val) {
    int known = val_known_truth(l, val);
    if (known >= 0)
        return txn_literal(&l->b, val->span, value_bool(known == 1));
    if (val->kind == VAL_CHOICE)
        return choice_each(l, val->span, val, truth_of, NULL)->expr;
    if (val->kind == VAL_ROW) {
        struct txn_expr *ref = txn_ref(&l->b, val->span, val->row->var);
        return txn_unary(&l->b, val->span, TXN_EXPR_NOT,
                         txn_unary(&l->b, val->span, TXN_EXPR_IS_NULL, ref));
    }
    return val_expr(l, val);
}

/* Whether the expression reads nothing that can change later. */
bool expr_is_outside(const struct lowerer *l, const struct txn_expr *expr) {
    if (expr->kind == TXN_EXPR_LITERAL)
        return true;
    if (expr->kind == TXN_EXPR_VAR)
        return l->is_outside[expr->var];
    bool is_composed = expr->kind == TXN_EXPR_OPAQUE || expr->kind == TXN_EXPR_BINARY ||
                       expr->kind == TXN_EXPR_NOT || expr->kind == TXN_EXPR_NEG ||
                       expr->kind == TXN_EXPR_IS_NULL || expr->kind == TXN_EXPR_COND;
    for (size_t i = 0; i < expr->args.count; i++)
        is_composed = is_composed && expr_is_outside(l, expr->args.items[i]);
    return is_composed && expr->args.count > 0;
}

static void add_leaves(struct buf *out, const struct txn_expr *expr) {
    if (expr->kind == TXN_EXPR_VAR)
        buf_printf(out, ":%u", expr->var);
    for (size_t i = 0; i < expr->args.count; i++)
        add_leaves(out, expr->args.items[i]);
}

struct val *val_of_call(struct lowerer *l, struct txn_expr *call, struct str text) {
    struct buf leaves = {0};
    if (!expr_is_outside(l, call))
        return val_scalar(l, call);
    buf_add(&leaves, text);
    add_leaves(&leaves, call);
    struct str key = str_dup(l->arena, buf_str(&leaves));
    buf_release(&leaves);
    if (key.len == text.len)
        return val_scalar(l, call);
    if (l->dry_depth > 0)
        return val_unknown(l, call->span, text);
    const struct str *known = map_get(&l->outside_calls, key);
    if (known == NULL) {
        uintptr_t count = (uintptr_t)map_get(&l->outside_calls, text) + 1;
        struct str name = count == 1 ? text : str_printf(l->arena, "%.*s (%d)", STR_ARG(text), (int)count);
        map_put(&l->outside_calls, text, (void *)count);
        known = arena_copy(l->arena, &name, sizeof(name));
        map_put(&l->outside_calls, key, (void *)(uintptr_t)known);
    }
    return val_unknown(l, call->span, *known);
}

static bool is_stable(const struct lowerer *l, const struct txn_expr *expr) {
    if (expr->kind == TXN_EXPR_LITERAL)
        return true;
    return expr->kind == TXN_EXPR_VAR && !l->is_pinned[expr->var];
}

static void stabilise_cond(struct lowerer *l, struct cond *cond) {
    for (size_t i = 0; i < cond->args.count; i++)
        stabilise_cond(l, cond->args.items[i]);
    if (cond->value != NULL && cond->value->kind == VAL_SCALAR &&
        !is_stable(l, cond->value->expr) && cond->value->expr->kind != TXN_EXPR_COLUMN)
        cond->value = val_stable(l, cond->value, cond->path);
}

struct val *val_stable(struct lowerer *l, struct val *val, struct str name) {
    switch (val->kind) {
    case VAL_SCALAR: {
        if (is_stable(l, val->expr))
            return val;
        uint16_t var = lower_var(l, name);
        txn_build_assign(&l->b, val->span, var, val->expr);
        l->is_outside[var] = expr_is_outside(l, val->expr);
        l->step_count++;
        struct val *stable = val_scalar(l, txn_ref(&l->b, val->span, var));
        stable->pattern = val->pattern;
        return stable;
    }
    case VAL_QUERYSET:
        for (size_t i = 0; i < val->query->where.count; i++)
            stabilise_cond(l, val->query->where.items[i]);
        return val;
    case VAL_SEQUENCE: {
        struct val *copy = arena_copy(l->arena, val, sizeof(*val));
        copy->items.items = ARENA_ARRAY(l->arena, struct val *, val->items.count);
        copy->items.capacity = val->items.count;
        for (size_t i = 0; i < val->items.count; i++)
            copy->items.items[i] = val_stable(l, val->items.items[i], name);
        return copy;
    }
    default:
        return val;
    }
}

void val_sql(struct lowerer *l, struct val *val, struct buf *out) {
    struct txn_expr *expr;
    if (val->kind == VAL_ROWS) {
        buf_printf(out, ":%.*s", STR_ARG(l->b.program->vars.items[val->var].name));
        return;
    }
    if (val->kind == VAL_ROW && !val->row->is_null_possible)
        expr = txn_column(&l->b, val->span, val->row->var, val->row->model->pk->column);
    else
        expr = val_expr(l, val);
    if (expr->kind == TXN_EXPR_LITERAL) {
        value_print(l->pool, expr->literal, out);
        return;
    }
    if (expr->kind != TXN_EXPR_VAR && expr->kind != TXN_EXPR_COLUMN) {
        uint16_t var = lower_var(l, l->sql_hint.len > 0 ? l->sql_hint : STR("argument"));
        txn_build_assign(&l->b, val->span, var, expr);
        l->step_count++;
        buf_printf(out, ":%.*s", STR_ARG(l->b.program->vars.items[var].name));
        return;
    }
    buf_printf(out, ":%.*s", STR_ARG(l->b.program->vars.items[expr->var].name));
    if (expr->kind == TXN_EXPR_COLUMN)
        buf_printf(out, ".%.*s", STR_ARG(expr->column_name));
}
