/* Python source: any bytes are parsed. Whatever comes out must be a sound tree: spans within the file and within
 * their parents', lines that agree with offsets, no deeper than promised; each error has a place and a
 * message; every constant has a value; and the tree can be dumped. */
#include "base/assert.h"
#include "base/buf.h"
#include "python/dump.h"
#include "python/parse.h"
#include "python/value.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Where a node hangs in the tree. */
struct place {
    const struct py_module *module;
    const struct py_node *parent;
    struct arena *scratch;
    uint32_t depth;
};

static void check_constant(struct arena *scratch, const struct py_node *node) {
    struct str value;
    int64_t number;
    switch ((enum py_constant)node->constant) {
    case PY_CONST_Str:
    case PY_CONST_Bytes:
        py_string_value(scratch, node, &value);
        LW_ASSERT(value.len <= node->Constant.text.len);
        break;
    case PY_CONST_Int:
        LW_ASSERT(!py_int_value(node, &number) || number >= 0);
        break;
    case PY_CONST_Float:
    case PY_CONST_Complex:
        LW_ASSERT(py_float_value(node) >= 0);
        break;
    default:
        break;
    }
}

static bool is_decorator(const struct py_node *parent, const struct py_node *node) {
    return (parent->kind == PY_FunctionDef || parent->kind == PY_AsyncFunctionDef ||
            parent->kind == PY_ClassDef) &&
           node->end <= parent->start;
}

static void check_node(const struct py_node *node, void *context) {
    const struct place *place = context;
    LW_ASSERT(place->depth <= PY_HEIGHT_MAX);
    LW_ASSERT(node->start <= node->end && node->end <= place->module->text.len);
    LW_ASSERT(py_pos(place->module, node->start).line == node->line || node->kind == PY_Module);
    if (place->parent != NULL && !is_decorator(place->parent, node))
        LW_ASSERT(node->start >= place->parent->start && node->end <= place->parent->end);
    if (node->kind == PY_Constant)
        check_constant(place->scratch, node);
    struct place inner = {place->module, node, place->scratch, place->depth + 1};
    py_visit_children(node, check_node, &inner);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct arena arena = {0}, scratch = {0};
    struct str text = str_dup(&arena, (struct str){(const char *)data, size});
    struct py_module *module = py_parse(&arena, text);
    LW_ASSERT(module->error_count <= PY_ERRORS_MAX);
    for (uint32_t i = 0; i < module->error_count; i++) {
        const struct py_error *error = &module->errors[i];
        LW_ASSERT(error->pos.line > 0 && error->pos.column > 0 && error->message[0] != '\0');
        LW_ASSERT(i == 0 || i == PY_ERRORS_MAX - 1 || error->offset >= error[-1].offset);
    }
    struct place place = {module, NULL, &scratch, 1};
    check_node(module->root, &place);
    struct buf out = {0};
    py_dump(&out, module);
    buf_release(&out);
    arena_release(&scratch);
    arena_release(&arena);
    return 0;
}
