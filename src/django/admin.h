/* Django's admin. It writes rows of every model that is registered with it, in code that the
 * project doesn't show: so each registration is a function of the project without a def, whose
 * program is what the admin's change form sends when it is posted. It is there as the other writer;
 * what it may lose itself has no line of the project to change.
 */
#ifndef LW_DJANGO_ADMIN_H
#define LW_DJANGO_ADMIN_H

#include "django/facts.h"

struct lowerer;
struct args;
struct val;

/* One model registered with an admin site; or a generic view that edits a row the same way: it fetches it, lets a form
 * fill it and check it, and saves it whole. */
struct admin {
    struct model *model;
    bool is_view;            /* an UpdateView, or one of the REST framework */
    struct py_class *class_; /* the view; the ModelAdmin, or NULL: Django's own, or one from outside */
    struct str outside;      /* dotted name of a class from outside that isn't Django's plain one */
    struct txn_span span;    /* the model's name where it is registered */
};

/* Adds a function to the project for each admin.site.register(Model[, Admin]) and each
 * @admin.register(Model). */
void admin_find(struct django_facts *facts);

/* The same for a generic view. */
void admin_add_view(struct django_facts *facts, struct py_class *class_, struct model *model);

/* The statements of one POST of the change form. `module`: where it is registered. */
void admin_lower(struct lowerer *l, struct module *module, const struct admin *admin);

/* A method of ModelAdmin that the project's own class calls: super().save_model(...). NULL: `self`
 * is no admin that is being lowered, or the method does nothing that is known here. */
struct val *admin_method(struct lowerer *l, struct val *self, struct str name, struct args *args);

#endif
