#include "patch/place.h"

#include "base/assert.h"

enum group { GROUP_mod, GROUP_stmt, GROUP_expr, GROUP_pattern, GROUP_type_param, GROUP_part };

static enum group group_of(const struct py_node *node) {
    static const enum group groups[] = {
#define PY_NODE(name, group, fields) GROUP_##group,
#include "python/nodes.def"
    };
    return groups[node->kind];
}

bool is_statement(const struct py_node *node) {
    return group_of(node) == GROUP_stmt;
}

bool is_def(const struct py_node *node) {
    return node->kind == PY_FunctionDef || node->kind == PY_AsyncFunctionDef;
}

struct walk {
    void (*visit)(const struct py_node *node, void *context);
    void *context;
};

static void walk_child(const struct py_node *child, void *context) {
    const struct walk *walk = context;
    node_walk(child, walk->visit, walk->context);
}

void node_walk(const struct py_node *node, void (*visit)(const struct py_node *node, void *context),
               void *context) {
    struct walk walk = {visit, context};
    visit(node, context);
    py_visit_children(node, walk_child, &walk);
}

/* The child that covers [from, to). */
struct descent {
    uint32_t from, to;
    const struct py_node *child;
};

static void take_covering(const struct py_node *child, void *context) {
    struct descent *descent = context;
    if (child->start <= descent->from && child->end >= descent->to)
        descent->child = child;
}

static void descend(struct arena *arena, uint32_t from, uint32_t to, struct place *place) {
    const struct py_node *node = place->module->py->root;
    while (node != NULL) {
        struct descent descent = {from, to, NULL};
        VEC_PUSH(arena, &place->nodes, node);
        py_visit_children(node, take_covering, &descent);
        node = descent.child;
    }
}

static bool refuse(struct str *why, const char *reason) {
    *why = str_from_c(reason);
    return false;
}

static bool open_module(const struct patch_source *source, struct txn_span span, struct place *place,
                        struct str *why) {
    *place = (struct place){0};
    for (size_t i = 0; i < source->facts->modules.count; i++)
        if (str_equal(source->facts->modules.items[i]->path, span.path))
            place->module = source->facts->modules.items[i];
    if (place->module == NULL || span.start.line == 0)
        return refuse(why, "it has no place in the project's source");
    const struct module *module = place->module;
    if (module->py->error_count > 0)
        return refuse(why, "the file has a syntax error");
    if (!str_equal(module->text, module->py->text))
        return refuse(why, "the file is not in UTF-8");
    return span.start.line <= module->py->line_count ||
           refuse(why, "it has no place in the project's source");
}

static uint32_t offset_of(const struct module *module, struct pos pos) {
    size_t offset = (size_t)module->py->line_starts[pos.line - 1] + pos.column - 1;
    return (uint32_t)(offset < module->py->text.len ? offset : module->py->text.len);
}

bool place_find(const struct patch_source *source, struct txn_span span, struct place *place,
                struct str *why) {
    if (!open_module(source, span, place, why))
        return false;
    if (span.end.line == 0 || span.end.line > place->module->py->line_count)
        return refuse(why, "where it ends in the source is not known");
    uint32_t from = offset_of(place->module, span.start), to = offset_of(place->module, span.end);
    descend(source->arena, from, to, place);
    const struct py_node *node = place_node(place);
    return (node->start == from && node->end == to) ||
           refuse(why, "it is no whole expression of the source");
}

bool place_find_def(const struct patch_source *source, struct txn_span name, struct place *place,
                    struct str *why) {
    if (!open_module(source, name, place, why))
        return false;
    uint32_t at = offset_of(place->module, name.start);
    descend(source->arena, at, at, place);
    while (place->nodes.count > 0 && !is_def(place_node(place)))
        place->nodes.count--;
    return place->nodes.count > 0 || refuse(why, "there is no function to change");
}

const struct py_node *place_node(const struct place *place) {
    LW_ASSERT(place->nodes.count > 0);
    return place->nodes.items[place->nodes.count - 1];
}

const struct py_node *place_around(const struct place *place, size_t n) {
    return n < place->nodes.count ? place->nodes.items[place->nodes.count - 1 - n] : NULL;
}

const struct py_node *place_statement(const struct place *place) {
    for (size_t i = place->nodes.count; i > 0; i--)
        if (is_statement(place->nodes.items[i - 1]))
            return place->nodes.items[i - 1];
    return NULL;
}

const struct py_node *place_def(const struct place *place) {
    for (size_t i = place->nodes.count; i > 0; i--)
        if (is_def(place->nodes.items[i - 1]) || place->nodes.items[i - 1]->kind == PY_Lambda)
            return is_def(place->nodes.items[i - 1]) ? place->nodes.items[i - 1] : NULL;
    return NULL;
}

bool text_is(const struct module *module, const struct py_node *node, struct str text) {
    return str_equal(module_text(module, node), text);
}

bool is_call_of(const struct py_node *node, const char *method) {
    return node->kind == PY_Call && node->Call.func->kind == PY_Attribute &&
           str_is(node->Call.func->Attribute.attr, method);
}

uint32_t line_start(const struct module *module, uint32_t offset) {
    uint32_t line = py_line_at(module->py->line_starts, module->py->line_count, offset);
    return module->py->line_starts[line - 1];
}

uint32_t line_after(const struct module *module, uint32_t offset) {
    uint32_t line = py_line_at(module->py->line_starts, module->py->line_count, offset);
    return line < module->py->line_count ? module->py->line_starts[line]
                                         : (uint32_t)module->py->text.len;
}

bool line_indent(const struct module *module, const struct py_node *statement, struct str *indent) {
    uint32_t from = line_start(module, statement->start);
    *indent = str_sub(module->py->text, from, statement->start);
    for (size_t i = 0; i < indent->len; i++)
        if (indent->ptr[i] != ' ' && indent->ptr[i] != '\t')
            return false;
    return true;
}

bool ends_line(const struct module *module, uint32_t offset) {
    struct str text = module->py->text;
    while (offset < text.len && (text.ptr[offset] == ' ' || text.ptr[offset] == '\t'))
        offset++;
    return offset == text.len || text.ptr[offset] == '#' || text.ptr[offset] == '\n' ||
           text.ptr[offset] == '\r';
}

struct str line_end(const struct module *module) {
    size_t end = str_find(module->py->text, '\n', 0);
    return end > 0 && end < module->py->text.len && module->py->text.ptr[end - 1] == '\r' ? STR("\r\n")
                                                                                       : STR("\n");
}
