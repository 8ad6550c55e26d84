/* Places in the syntax tree, and the text around them. Private to this folder.
 */
#ifndef LW_PATCH_PLACE_H
#define LW_PATCH_PLACE_H

#include "patch/patch.h"

/* A node with all that it stands in: the module's root first, the node last. */
struct place {
    struct module *module;
    VEC(const struct py_node *) nodes;
};

/* The innermost node with just this span. False if there is none, or the file cannot be patched (`*why`). */
bool place_find(const struct patch_source *source, struct txn_span span, struct place *place,
                struct str *why);
/* The def whose name stands there. */
bool place_find_def(const struct patch_source *source, struct txn_span name, struct place *place,
                    struct str *why);

const struct py_node *place_node(const struct place *place);
/* The n-th node around it, 1 being its parent; NULL: there is none. */
const struct py_node *place_around(const struct place *place, size_t n);
/* The innermost statement that it is or stands in, and the innermost def around it; NULL: none. */
const struct py_node *place_statement(const struct place *place);
const struct py_node *place_def(const struct place *place);

bool is_statement(const struct py_node *node);
bool is_def(const struct py_node *node);

/* Calls `visit` for the node and all in it, outer before inner. */
void node_walk(const struct py_node *node, void (*visit)(const struct py_node *node, void *context),
               void *context);

bool text_is(const struct module *module, const struct py_node *node, struct str text);
bool is_call_of(const struct py_node *node, const char *method); /* `<...>.method(...)` */

/* The blanks before a statement that begins its line; false if something else does. */
bool line_indent(const struct module *module, const struct py_node *statement, struct str *indent);
/* Where the line of this byte begins, and where the next one does. */
uint32_t line_start(const struct module *module, uint32_t offset);
uint32_t line_after(const struct module *module, uint32_t offset);
/* Whether nothing but a comment follows on the line. */
bool ends_line(const struct module *module, uint32_t offset);
/* "\n" or "\r\n", as the file has it. */
struct str line_end(const struct module *module);

#endif
