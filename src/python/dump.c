/* The dump walks nodes.def: a macro a sort of field, once for what stands in the node's own line and once for
 * its children. */
#include "python/dump.h"

#include "base/assert.h"
#include "base/buf.h"
#include "python/value.h"

struct dump {
    struct buf *out;
    const struct py_module *module;
    struct arena scratch;
    uint32_t depth;
};

static void dump_node(struct dump *dump, const char *field, const struct py_node *node);

static void dump_span(struct dump *dump, const struct py_node *node) {
    struct pos start = py_pos(dump->module, node->start), end = py_pos(dump->module, node->end);
    buf_printf(dump->out, " @%u:%u-%u:%u", start.line, start.column - 1, end.line, end.column - 1);
}

static void dump_bytes(struct buf *out, struct str bytes) {
    buf_add_c(out, "b\"");
    for (size_t i = 0; i < bytes.len; i++) {
        unsigned char byte = (unsigned char)bytes.ptr[i];
        if (byte < 0x20 || byte >= 0x7f || byte == '"' || byte == '\\')
            buf_printf(out, "\\x%02x", byte);
        else
            buf_add_char(out, (char)byte);
    }
    buf_add_char(out, '"');
}

static void dump_string(struct dump *dump, const struct py_node *node) {
    struct str value;
    bool is_exact = py_string_value(&dump->scratch, node, &value);
    if (node->constant == PY_CONST_Bytes)
        dump_bytes(dump->out, value);
    else if (is_exact)
        buf_add_json(dump->out, value);
    else
        buf_add_c(dump->out, "named-escape");
    if ((node->form & PY_STRING_U) != 0)
        buf_add_c(dump->out, " kind=u");
    arena_reset(&dump->scratch);
}

static void dump_constant(struct dump *dump, const struct py_node *node) {
    struct buf *out = dump->out;
    int64_t number;
    buf_add_c(out, " value=");
    switch ((enum py_constant)node->constant) {
    case PY_CONST_None:
        buf_add_c(out, "None");
        break;
    case PY_CONST_True:
        buf_add_c(out, "True");
        break;
    case PY_CONST_False:
        buf_add_c(out, "False");
        break;
    case PY_CONST_Ellipsis:
        buf_add_c(out, "Ellipsis");
        break;
    case PY_CONST_Int:
        if (py_int_value(node, &number))
            buf_printf(out, "%lld", (long long)number);
        else
            buf_add_c(out, "big");
        break;
    case PY_CONST_Float:
        buf_printf(out, "float:%.17g", py_float_value(node));
        break;
    case PY_CONST_Complex:
        buf_printf(out, "complex:%.17g", py_float_value(node));
        break;
    case PY_CONST_Str:
    case PY_CONST_Bytes:
        dump_string(dump, node);
        break;
    }
}

static void dump_text(struct dump *dump, const char *field, struct str text) {
    if (text.ptr == NULL)
        return;
    buf_printf(dump->out, " %s=", field);
    buf_add_json(dump->out, text);
}

static void dump_names(struct dump *dump, const char *field, struct py_names names) {
    buf_printf(dump->out, " %s=[", field);
    for (uint32_t i = 0; i < names.count; i++) {
        if (i > 0)
            buf_add_char(dump->out, ',');
        buf_add_json(dump->out, names.items[i]);
    }
    buf_add_char(dump->out, ']');
}

static void dump_ops(struct dump *dump, const char *field, struct py_ops ops) {
    buf_printf(dump->out, " %s=[", field);
    for (uint32_t i = 0; i < ops.count; i++)
        buf_printf(dump->out, "%s%s", i > 0 ? "," : "", py_op_name(ops.items[i]));
    buf_add_char(dump->out, ']');
}

static void dump_ctx(struct dump *dump, enum py_ctx ctx) {
    static const char *const names[] = {"Load", "Store", "Del"};
    buf_printf(dump->out, " ctx=%s", names[ctx]);
}

static void dump_conversion(struct dump *dump, uint8_t conversion) {
    if (conversion != 0)
        buf_printf(dump->out, " conversion=%c", conversion);
}

static void dump_attributes(struct dump *dump, const struct py_node *node) {
    if (node->kind == PY_Constant) {
        dump_constant(dump, node);
        return;
    }
#define NAME(field) dump_text(dump, #field, fields->field);
#define OPT_NAME(field) dump_text(dump, #field, fields->field);
#define NAMES(field) dump_names(dump, #field, fields->field);
#define OPS(field) dump_ops(dump, #field, fields->field);
#define TEXT(field) dump_text(dump, #field, fields->field);
#define COUNT(field) buf_printf(dump->out, " " #field "=%u", fields->field);
#define OP buf_printf(dump->out, " op=%s", py_op_name(node->op));
#define CTX dump_ctx(dump, node->ctx);
#define CONVERSION dump_conversion(dump, node->conversion);
#define CONSTANT dump_constant(dump, node);
#define FLAG(field) buf_printf(dump->out, " " #field "=%u", node->field);
    switch (node->kind) {
#define PY_NODE(name, group, parts)                                                                \
    case PY_##name: {                                                                              \
        const struct py_##name *fields = &node->name;                                              \
        (void)fields;                                                                              \
        parts return;                                                                              \
    }
#include "python/nodes.def"
    default:
        LW_UNREACHABLE();
    }
}

static void dump_list(struct dump *dump, const char *field, struct py_list list) {
    for (uint32_t i = 0; i < list.count; i++)
        dump_node(dump, field, list.items[i]);
}

static void dump_children(struct dump *dump, const struct py_node *node) {
#define NODE(field) dump_node(dump, #field, fields->field);
#define OPT(field)                                                                                 \
    if (fields->field != NULL)                                                                     \
        dump_node(dump, #field, fields->field);
#define LIST(field) dump_list(dump, #field, fields->field);
#define OPT_LIST(field) dump_list(dump, #field, fields->field);
    switch (node->kind) {
#define PY_NODE(name, group, parts)                                                                \
    case PY_##name: {                                                                              \
        const struct py_##name *fields = &node->name;                                              \
        (void)fields;                                                                              \
        parts return;                                                                              \
    }
#include "python/nodes.def"
    default:
        LW_UNREACHABLE();
    }
}

/* These have no position in CPython. */
static bool has_span(enum py_kind kind) {
    return kind != PY_Module && kind != PY_arguments && kind != PY_comprehension &&
           kind != PY_withitem && kind != PY_match_case;
}

static void dump_node(struct dump *dump, const char *field, const struct py_node *node) {
    buf_add_repeat(dump->out, ' ', (size_t)dump->depth * 2);
    if (field != NULL)
        buf_printf(dump->out, "%s: ", field);
    if (node == NULL) {
        buf_add_c(dump->out, "None\n");
        return;
    }
    buf_add_c(dump->out, py_kind_name(node->kind));
    if (has_span(node->kind))
        dump_span(dump, node);
    dump_attributes(dump, node);
    buf_add_char(dump->out, '\n');
    dump->depth++;
    LW_ASSERT(dump->depth <= PY_HEIGHT_MAX);
    dump_children(dump, node);
    dump->depth--;
}

void py_dump(struct buf *out, const struct py_module *module) {
    struct dump dump = {.out = out, .module = module};
    dump_node(&dump, NULL, module->root);
    for (uint32_t i = 0; i < module->error_count; i++)
        buf_printf(out, "error %u:%u: %s\n", module->errors[i].pos.line,
                   module->errors[i].pos.column, module->errors[i].message);
    arena_release(&dump.scratch);
}
