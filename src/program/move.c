/* A program moved to another arena: a deep copy, and then a home for each string. */
#include "program/vars.h"
#include "sql/own.h"

#define OWN(owner, field) ((field) = own_text((owner), (field)))

static void own_expr(struct owner *owner, struct txn_expr *expr) {
    if (expr == NULL)
        return;
    OWN(owner, expr->column_name);
    OWN(owner, expr->name);
    for (size_t i = 0; i < expr->args.count; i++)
        own_expr(owner, expr->args.items[i]);
}

static void own_block(struct owner *owner, struct txn_block *block);

static void own_step(struct owner *owner, struct txn_step *step) {
    OWN(owner, step->name);
    OWN(owner, step->column_name);
    OWN(owner, step->sql.column_name);
    own_expr(owner, step->expr);
    own_sql_expr(owner, step->sql_expr);
    if (step->sql_hosts != NULL)
        own_sql_hosts(owner, step->sql_hosts);
    for (size_t i = 0; i < step->new_columns.count; i++)
        OWN(owner, step->new_columns.items[i]);
    for (size_t i = 0; i < step->args.count; i++)
        own_expr(owner, step->args.items[i]);
    own_block(owner, &step->body);
    own_block(owner, &step->else_body);
    own_block(owner, &step->finally_body);
    for (size_t i = 0; i < step->handlers.count; i++) {
        struct txn_handler *handler = &step->handlers.items[i];
        for (size_t k = 0; k < handler->classes.count; k++)
            OWN(owner, handler->classes.items[k]);
        own_block(owner, &handler->body);
    }
}

static void own_block(struct owner *owner, struct txn_block *block) {
    for (size_t i = 0; i < block->steps.count; i++)
        own_step(owner, block->steps.items[i]);
}

static void share_block(struct owner *owner, struct txn_block *block) {
    for (size_t i = 0; i < block->steps.count; i++) {
        struct txn_step *step = block->steps.items[i];
        if (step->sql.stmt != NULL)
            step->sql.stmt = own_shared(owner, step->sql.stmt);
        share_block(owner, &step->body);
        share_block(owner, &step->else_body);
        share_block(owner, &step->finally_body);
        for (size_t k = 0; k < step->handlers.count; k++)
            share_block(owner, &step->handlers.items[k].body);
    }
}

void txn_share_statements(struct owner *owner, struct txn_program *program) {
    share_block(owner, &program->body);
}

struct txn_program *txn_move(struct arena *arena, struct arena *statements, struct owner *owner,
                             const struct txn_program *program) {
    struct txn_program *copy = txn_copy_apart(arena, statements, program);
    OWN(owner, copy->name);
    for (size_t i = 0; i < copy->vars.count; i++) {
        OWN(owner, copy->vars.items[i].name);
        OWN(owner, copy->vars.items[i].source_name);
    }
    own_block(owner, &copy->body);
    return copy;
}
