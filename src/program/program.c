/* Variables of programs, and deep copies. */
#include "program/vars.h"

#include "base/assert.h"

uint16_t txn_find_var(const struct txn_program *program, struct str name) {
    if (program->names.count == program->vars.count)
        return program->vars.count > 0 ? (uint16_t)((uintptr_t)map_get(&program->names, name) - 1)
                                       : TXN_NO_VAR;
    for (size_t i = 0; i < program->vars.count; i++)
        if (str_equal(program->vars.items[i].name, name))
            return (uint16_t)i;
    return TXN_NO_VAR;
}

void txn_index_vars(struct arena *arena, struct txn_program *program) {
    map_init(&program->names, arena);
    for (uintptr_t i = 0; i < program->vars.count; i++)
        map_put(&program->names, program->vars.items[i].name, (void *)(i + 1));
}

/* Beyond TXN_VARS_MAX variables are still made, up to what an index can say; txn_check reports
 * them. */
uint16_t txn_var(struct arena *arena, struct txn_program *program, struct str name) {
    uint16_t found = txn_find_var(program, name);
    if (found != TXN_NO_VAR)
        return found;
    LW_ASSERT(program->vars.count < TXN_NO_VAR - 1);
    if (program->names.count != program->vars.count || program->vars.count == 0)
        txn_index_vars(arena, program);
    VEC_PUSH(arena, &program->vars, (struct txn_var){.name = name});
    map_put(&program->names, name, (void *)(uintptr_t)program->vars.count);
    return (uint16_t)(program->vars.count - 1);
}

uint16_t txn_new_var(struct arena *arena, struct txn_program *program, struct str name) {
    LW_ASSERT(program->vars.count < TXN_NO_VAR - 1);
    VEC_PUSH(arena, &program->vars, (struct txn_var){.name = name});
    return (uint16_t)(program->vars.count - 1);
}

static struct txn_expr *copy_expr(struct arena *arena, const struct txn_expr *expr);

/* Copies `*from` and everything in it to `*to`; a macro since each VEC is a type of its own. */
#define COPY_ITEMS(arena, to, from)                                                                \
    do {                                                                                           \
        (to)->count = (to)->capacity = (from)->count;                                              \
        (to)->items = (from)->count == 0 ? NULL                                                    \
                                         : arena_copy((arena), (from)->items,                      \
                                                      (from)->count * sizeof(*(from)->items));     \
    } while (0)

static struct txn_expr *copy_expr(struct arena *arena, const struct txn_expr *expr) {
    if (expr == NULL)
        return NULL;
    struct txn_expr *copy = arena_copy(arena, expr, sizeof(*expr));
    COPY_ITEMS(arena, &copy->args, &expr->args);
    for (size_t i = 0; i < copy->args.count; i++)
        copy->args.items[i] = copy_expr(arena, expr->args.items[i]);
    return copy;
}

struct copying {
    struct arena *arena, *statements;
    bool shares_parts; /* expressions, and what is resolved */
};

static void copy_block(const struct copying *c, struct txn_block *to, const struct txn_block *from);

/* The holder of the hosts of a `sql(...)`: a statement without a tree. */
static struct sql_stmt *copy_holder(struct arena *arena, const struct sql_stmt *holder) {
    if (holder == NULL)
        return NULL;
    struct sql_stmt *copy = arena_copy(arena, holder, sizeof(*holder));
    COPY_ITEMS(arena, &copy->hosts, &holder->hosts);
    return copy;
}

static void copy_parts(struct arena *arena, struct txn_step *copy, const struct txn_step *step) {
    copy->expr = copy_expr(arena, step->expr);
    copy->sql_hosts = copy_holder(arena, step->sql_hosts);
    /* What the checker resolved it resolves anew: the copy is there to be changed. */
    copy->host_var = copy->host_column = NULL;
    copy->sql.host_var = copy->sql.host_column = NULL;
    copy->new_column_index = NULL;
    COPY_ITEMS(arena, &copy->new_columns, &step->new_columns);
    COPY_ITEMS(arena, &copy->args, &step->args);
    for (size_t i = 0; i < copy->args.count; i++)
        copy->args.items[i] = copy_expr(arena, step->args.items[i]);
}

static struct txn_step *copy_step(const struct copying *c, const struct txn_step *step) {
    struct txn_step *copy = arena_copy(c->arena, step, sizeof(*step));
    if (!c->shares_parts)
        copy_parts(c->arena, copy, step);
    copy->sql_expr = step->sql_expr == NULL ? NULL : sql_copy_expr(c->arena, step->sql_expr);
    if (step->sql.stmt != NULL)
        copy->sql.stmt = sql_copy(c->statements, step->sql.stmt);
    copy_block(c, &copy->body, &step->body);
    copy_block(c, &copy->else_body, &step->else_body);
    copy_block(c, &copy->finally_body, &step->finally_body);
    COPY_ITEMS(c->arena, &copy->handlers, &step->handlers);
    for (size_t i = 0; i < copy->handlers.count; i++) {
        const struct txn_handler *from = &step->handlers.items[i];
        COPY_ITEMS(c->arena, &copy->handlers.items[i].classes, &from->classes);
        copy_block(c, &copy->handlers.items[i].body, &from->body);
    }
    return copy;
}

static void copy_block(const struct copying *c, struct txn_block *to, const struct txn_block *from) {
    COPY_ITEMS(c->arena, &to->steps, &from->steps);
    for (size_t i = 0; i < to->steps.count; i++)
        to->steps.items[i] = copy_step(c, from->steps.items[i]);
}

struct txn_program *txn_copy(struct arena *arena, const struct txn_program *program) {
    return txn_copy_apart(arena, arena, program);
}

struct txn_program *txn_copy_apart(struct arena *arena, struct arena *statements,
                                   const struct txn_program *program) {
    struct txn_program *copy = arena_copy(arena, program, sizeof(*program));
    struct copying copying = {.arena = arena, .statements = statements};
    COPY_ITEMS(statements, &copy->vars, &program->vars);
    copy->names = (struct map){0};
    copy_block(&copying, &copy->body, &program->body);
    copy->is_checked = false;
    return copy;
}

struct txn_program *txn_copy_statements(struct arena *arena, const struct txn_program *program) {
    struct txn_program *copy = arena_copy(arena, program, sizeof(*program));
    struct copying copying = {.arena = arena, .statements = arena, .shares_parts = true};
    LW_ASSERT(program->is_checked);
    COPY_ITEMS(arena, &copy->vars, &program->vars);
    copy_block(&copying, &copy->body, &program->body);
    return copy;
}
