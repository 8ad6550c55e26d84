/* What nodes.def says, as tables and walks. */
#include "python/ast.h"

#include "base/assert.h"

const char *py_kind_name(enum py_kind kind) {
    static const char *const names[] = {
#define PY_NODE(name, group, fields) #name,
#include "python/nodes.def"
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

uint32_t py_line_at(const uint32_t *line_starts, uint32_t line_count, uint32_t offset) {
    uint32_t low = 0, high = line_count;
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (line_starts[middle] <= offset)
            low = middle;
        else
            high = middle;
    }
    return low + 1;
}

struct pos py_pos(const struct py_module *module, uint32_t offset) {
    uint32_t line = py_line_at(module->line_starts, module->line_count, offset);
    return (struct pos){line, offset - module->line_starts[line - 1] + 1};
}

struct pos py_pos_after(const struct py_module *module, struct pos before, uint32_t offset) {
    const uint32_t *starts = module->line_starts;
    if (before.line < module->line_count && offset >= starts[before.line])
        return py_pos(module, offset);
    return (struct pos){before.line, offset - starts[before.line - 1] + 1};
}

struct py_joined py_statement_lines(const struct py_module *module, uint32_t line) {
    uint32_t low = 0, high = module->joined_count; /* the first that does not end before the line */
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (module->joined[middle].last < line)
            low = middle + 1;
        else
            high = middle;
    }
    if (low < module->joined_count && module->joined[low].first <= line)
        return module->joined[low];
    return (struct py_joined){line, line};
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
    switch (node->kind) {
#define PY_NODE(name, group, visits)                                                               \
    case PY_##name: {                                                                              \
        const struct py_##name *fields = &node->name;                                              \
        (void)fields;                                                                              \
        visits return;                                                                             \
    }
#include "python/nodes.def"
    default:
        LW_UNREACHABLE();
    }
}
