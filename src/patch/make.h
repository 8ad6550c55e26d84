/* The edits of one repair, in the making. Private to this folder.
 */
#ifndef LW_PATCH_MAKE_H
#define LW_PATCH_MAKE_H

#include "patch/place.h"

struct making {
    const struct patch_source *source;
    const struct repair *repair;
    struct arena *arena; /* source->arena */
    struct model *model; /* that the finding is about; NULL: it is not known */
    struct patch *patch;
    bool is_import; /* what is added now is one */
    struct str why; /* it was refused */
};

/* Always false. */
bool refuse(struct making *m, const char *reason);

/* Adds an edit; false if it overlaps with one that is there. */
bool add(struct making *m, struct module *module, uint32_t from, uint32_t to, struct str text);
/* A line of its own before a statement, and behind one, indented as it is. `text` has no line end. */
bool add_line_before(struct making *m, struct module *module, const struct py_node *statement,
                     struct str text);
bool add_line_behind(struct making *m, struct module *module, const struct py_node *statement,
                     struct str text);

/* The text as a string literal in the quotes that the file prefers. */
struct str quoted(struct making *m, const struct module *module, struct str text);

/* The field of the model in that column; NULL: none, or the model isn't known. */
const struct model_field *field_of_column(const struct making *m, struct str column);

/* What `django.db.models.F`, `django.db.transaction.atomic` are called in the module; an import is added for it if need be.
 * False if the name stands for something else there. */
bool name_f(struct making *m, struct module *module, struct str *name);
bool name_atomic(struct making *m, struct module *module, struct str *name);
/* Whether the class has a manager called `objects`: it has not where it names another and not this one. */
bool has_objects(struct making *m, struct py_class *class_);
/* What the model is called in the module; false if it has no name there. */
bool name_model(struct making *m, struct module *module, struct str *name);

/* One a kind of fix_edit. */
bool make_fields(struct making *m, const struct fix_edit *edit);
bool make_expression(struct making *m, const struct fix_edit *edit);
bool make_update(struct making *m, const struct fix_edit *edit);
bool make_lock(struct making *m, const struct fix_edit *edit);
bool make_atomic(struct making *m, const struct fix_edit *edit);
bool make_reload_ahead(struct making *m, const struct fix_edit *edit);
bool make_reload_behind(struct making *m, const struct fix_edit *edit);
bool make_guard(struct making *m, const struct fix_edit *edit);

/* Whether the edit is within the repair's reach. */
bool is_wanted(const struct making *m, const struct fix_edit *edit);

#endif
