#include "support.h"

#include "base/buf.h"

struct py_module *parse_c(struct arena *arena, const char *text) {
    return py_parse(arena, str_from_c(text));
}

struct py_node *parse_expr(struct arena *arena, const char *text) {
    struct py_module *module = parse_c(arena, text);
    if (module->error_count > 0)
        fail_msg("%s: %s", text, module->errors[0].message);
    assert_int_equal(module->root->Module.body.count, 1);
    struct py_node *stmt = module->root->Module.body.items[0];
    return stmt->kind == PY_Expr ? stmt->Expr.value : stmt;
}

void assert_error(const char *text, uint32_t line, uint32_t column, const char *message,
                  uint32_t kept) {
    struct arena arena = {0};
    struct py_module *module = parse_c(&arena, text);
    if (module->error_count == 0)
        fail_msg("no error in: %s", text);
    assert_string_equal(module->errors[0].message, message);
    assert_int_equal(module->errors[0].pos.line, line);
    assert_int_equal(module->errors[0].pos.column, column);
    assert_int_equal(module->error_count, 1);
    assert_int_equal(module->root->Module.body.count, kept);
    arena_release(&arena);
}

struct str repeated(struct arena *arena, const char *start, const char *part, size_t count,
                    const char *end) {
    struct buf text = {0};
    buf_add_c(&text, start);
    for (size_t i = 0; i < count; i++)
        buf_add_c(&text, part);
    buf_add_c(&text, end);
    struct str copy = str_dup(arena, buf_str(&text));
    buf_release(&text);
    return copy;
}
