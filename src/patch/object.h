/* Row objects in the source: who else sees one. Private to this folder.
 */
#ifndef LW_PATCH_OBJECT_H
#define LW_PATCH_OBJECT_H

#include "patch/make.h"

/* An object as a function calls it: "counter", "self.voucher". */
struct row_object {
    struct module *module;
    const struct py_node *def; /* the function */
    struct str text;
    const struct model *model;
};

/* How an object is used in [from, to) of its function: as a whole (handed on, returned, one of its methods or properties
 * but save()), or one of its attributes read. */
struct uses {
    bool is_whole, is_read;
};
struct uses object_uses(const struct row_object *object, struct str attribute, uint32_t from, uint32_t to);

/* Whether the function makes or fetches the object itself, so that nobody else holds it. */
bool object_is_local(const struct row_object *object);

/* The save() of the object that is the first behind this place of the function; NULL: there is none. */
const struct py_node *object_save_behind(const struct row_object *object, uint32_t at);

#endif
