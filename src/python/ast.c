/* What nodes.def says, as tables and walks. */
#include "python/ast.h"

#include "base/assert.h"

const char *py_kind_name(enum py_kind kind) {
    static const char *const names[] = {
#define PY_NODE(name, group, fields) #name,
#include "python/nodes.def"
#undef PY_NODE
    };
    LW_ASSERT(kind < PY_KIND_COUNT);
    return names[kind];
}

const char *py_op_name(enum py_op op) {
    static const char *const names[] = {
#define PY_OP(name, text) #name,
#include "python/op.def"
#undef PY_OP
    };
    LW_ASSERT(op < PY_OP_COUNT);
    return names[op];
}

struct pos py_pos(const struct py_module *module, uint32_t offset) {
    uint32_t low = 0, high = module->line_count;
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (module->line_starts[middle] <= offset)
            low = middle;
        else
            high = middle;
    }
    return (struct pos){low + 1, offset - module->line_starts[low] + 1};
}

static void visit_list(struct py_list list,
                       void (*visit)(const struct py_node *child, void *context), void *context) {
    for (uint32_t i = 0; i < list.count; i++)
        if (list.items[i] != NULL)
            visit(list.items[i], context);
}

void py_visit_children(const struct py_node *node,
                       void (*visit)(const struct py_node *child, void *context), void *context) {
#define NODE(field) visit(fields->field, context);
#define OPT(field)                                                                                 \
    if (fields->field != NULL)                                                                     \
        visit(fields->field, context);
#define LIST(field) visit_list(fields->field, visit, context);
#define OPT_LIST(field) visit_list(fields->field, visit, context);
#define NAME(field)
#define OPT_NAME(field)
#define NAMES(field)
#define OPS(field)
#define TEXT(field)
#define COUNT(field)
#define OP
#define CTX
#define CONVERSION
#define CONSTANT
#define FLAG(field)
#define EMPTY
    switch (node->kind) {
#define PY_NODE(name, group, visits)                                                               \
    case PY_##name: {                                                                              \
        const struct py_##name *fields = &node->name;                                              \
        (void)fields;                                                                              \
        visits                                                                                     \
        return;                                                                                    \
    }
#include "python/nodes.def"
#undef PY_NODE
    default: LW_UNREACHABLE();
    }
}
