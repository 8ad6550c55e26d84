/* The checker's frame, and its first pass: the shape of a program. */
#include "program/check.h"

#include "base/assert.h"

bool txn_check(struct arena *arena, const struct schema *schema, struct text_pool *pool,
               struct txn_program *program, struct err *err) {
    if (program->is_checked)
        return true;
    struct check c = {
        .arena = arena, .schema = schema, .pool = pool, .program = program, .err = err};
    struct arena scratch = {0};
    c.bound_at = ARENA_ARRAY(&scratch, struct txn_span, program->vars.count);
    c.is_bound = ARENA_ARRAY(&scratch, bool, program->vars.count);
    bool ok = txn_check_shape(&c) && txn_check_statements(&c) && txn_check_types(&c) &&
              txn_check_use(&c) && txn_check_flow(&c);
    arena_release(&scratch);
    program->is_checked = ok;
    return ok;
}

bool txn_check_each_step(struct check *c, struct txn_block *block, txn_check_visit *visit) {
    for (size_t i = 0; i < block->steps.count; i++) {
        struct txn_step *step = block->steps.items[i];
        if (!visit(c, step) || !txn_check_each_step(c, &step->body, visit) ||
            !txn_check_each_step(c, &step->else_body, visit))
            return false;
        for (size_t h = 0; h < step->handlers.count; h++)
            if (!txn_check_each_step(c, &step->handlers.items[h].body, visit))
                return false;
        if (!txn_check_each_step(c, &step->finally_body, visit))
            return false;
    }
    return true;
}

uint16_t txn_check_step_binds(const struct txn_step *step) {
    switch (step->kind) {
    case TXN_STEP_SQL:
        switch (step->sql.into) {
        case TXN_INTO_ROW:
        case TXN_INTO_ROWS:
        case TXN_INTO_VALUE:
        case TXN_INTO_LIST:
        case TXN_INTO_COUNT:
            return step->sql.var;
        case TXN_INTO_NOTHING:
        case TXN_INTO_RELOAD:
        case TXN_INTO_KEY:
            return TXN_NO_VAR;
        }
        LW_UNREACHABLE();
    case TXN_STEP_ASSIGN:
    case TXN_STEP_NEW:
    case TXN_STEP_FOR:
    case TXN_STEP_CALL:
        return step->var;
    default:
        return TXN_NO_VAR;
    }
}

/* Where a step stands, for the rules on its place. */
struct place {
    size_t depth;
    bool in_loop;    /* `break` has a loop to leave, in the same call */
    bool in_handler; /* `raise;` has an exception to raise again */
};

static bool shape_block(struct check *c, const struct txn_block *block, struct place place);

static bool shape_bodies(struct check *c, const struct txn_step *step, struct place place) {
    struct place inner = place;
    inner.depth++;
    if (step->kind == TXN_STEP_FOR || step->kind == TXN_STEP_REPEAT)
        inner.in_loop = true;
    if (step->kind == TXN_STEP_CALL)
        inner.in_loop = false;
    if (!shape_block(c, &step->body, inner) || !shape_block(c, &step->else_body, inner) ||
        !shape_block(c, &step->finally_body, inner))
        return false;
    inner.in_handler = true;
    for (size_t i = 0; i < step->handlers.count; i++)
        if (!shape_block(c, &step->handlers.items[i].body, inner))
            return false;
    return true;
}

static bool shape_step(struct check *c, const struct txn_step *step, struct place place) {
    switch (step->kind) {
    case TXN_STEP_BREAK:
    case TXN_STEP_CONTINUE:
        if (!place.in_loop)
            return txn_fault(c->err, step->span, "`%s` outside of a loop",
                             step->kind == TXN_STEP_BREAK ? "break" : "continue");
        break;
    case TXN_STEP_RAISE:
        if (step->name.len == 0 && !place.in_handler)
            return txn_fault(c->err, step->span, "`raise;` without a class outside of `except`");
        break;
    case TXN_STEP_REPEAT:
        if (step->repeat_max < 1 || step->repeat_max > TXN_REPEAT_MAX)
            return txn_fault(c->err, step->span, "`repeat` takes 1 to %d rounds, not %u",
                             (int)TXN_REPEAT_MAX, (unsigned)step->repeat_max);
        break;
    default:
        break;
    }
    return shape_bodies(c, step, place);
}

static bool shape_block(struct check *c, const struct txn_block *block, struct place place) {
    if (block->steps.count > 0 && place.depth > TXN_DEPTH_MAX)
        return txn_fault(c->err, block->steps.items[0]->span,
                         "blocks are nested too deeply (%d at most)", (int)TXN_DEPTH_MAX);
    for (size_t i = 0; i < block->steps.count; i++)
        if (!shape_step(c, block->steps.items[i], place))
            return false;
    return true;
}

static bool shape_expr(struct check *c, const struct txn_expr *expr, size_t depth) {
    if (depth >= TXN_EXPR_DEPTH_MAX)
        return txn_fault(c->err, expr->span, "the expression is nested too deeply (%d at most)",
                         (int)TXN_EXPR_DEPTH_MAX);
    for (size_t i = 0; i < expr->args.count; i++)
        if (!shape_expr(c, expr->args.items[i], depth + 1))
            return false;
    return true;
}

static bool shape_exprs(struct check *c, struct txn_step *step) {
    if (step->expr != NULL && !shape_expr(c, step->expr, 0))
        return false;
    for (size_t i = 0; i < step->args.count; i++)
        if (!shape_expr(c, step->args.items[i], 0))
            return false;
    return true;
}

/* Names of variables must be such that SQL can have them as `:name`. */
static bool name_is_identifier(struct str name) {
    for (size_t i = 0; i < name.len; i++) {
        unsigned char byte = (unsigned char)name.ptr[i];
        bool is_letter = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
                         byte == '_' || byte >= 0x80;
        if (!is_letter && !(i > 0 && byte >= '0' && byte <= '9'))
            return false;
    }
    return name.len > 0;
}

static bool note_bound(struct check *c, struct txn_step *step) {
    uint16_t var = txn_check_step_binds(step);
    if (var != TXN_NO_VAR)
        c->is_bound[var] = true;
    return true;
}

bool txn_check_shape(struct check *c) {
    struct txn_program *program = c->program;
    if (program->name.len == 0)
        return txn_fault(c->err, program->span, "a program needs a name");
    if (program->vars.count > TXN_VARS_MAX)
        return txn_fault(c->err, program->span, "%u variables, %d at most", program->vars.count,
                         (int)TXN_VARS_MAX);
    for (size_t i = 0; i < program->vars.count; i++) {
        const struct txn_var *var = &program->vars.items[i];
        if (!name_is_identifier(var->name))
            return txn_fault(c->err, program->span, "`%.*s` is not a name for a variable",
                             STR_ARG(var->name));
        c->is_bound[i] = var->is_param;
    }
    return shape_block(c, &program->body, (struct place){0}) &&
           txn_check_each_step(c, &program->body, shape_exprs) &&
           txn_check_each_step(c, &program->body, note_bound);
}
