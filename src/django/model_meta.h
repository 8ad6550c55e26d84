/* What class Meta says about a model: its own, or the one of the nearest abstract base. */
#ifndef LW_DJANGO_MODEL_META_H
#define LW_DJANGO_MODEL_META_H

#include "django/facts.h"

/* The class called Meta that holds for a model's class, or NULL. */
struct py_class *model_meta_class(struct django_facts *facts, struct py_class *class_);
/* A flag that isn't inherited (abstract, proxy): only in the class's own Meta. */
bool model_meta_flag(struct django_facts *facts, struct py_class *class_, struct py_class *meta,
                     const char *name);
/* A text; left alone if it isn't given. */
void model_meta_text(struct django_facts *facts, struct py_class *meta, const char *name,
                     struct str *text);
/* ordering, unique_together, constraints, indexes. */
void model_meta_read(struct django_facts *facts, struct model *model, struct py_class *meta);
/* ASCII lower case, in the arena. */
struct str str_lower(struct arena *arena, struct str text);

#endif
