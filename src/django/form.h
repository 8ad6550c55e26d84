/* Forms and serializers as objects that a view makes, checks and saves: django/forms/models.py and rest_framework/serializers.py.
 *
 * One is a VAL_INSTANCE. Its attributes hold what Django's hold: `instance`, the row that it is for (null: a new one, of a
 * serializer), and `cleaned_data` or `validated_data`, a dict with a parameter of the program for each field: what
 * somebody sent. Its own methods (clean(), save(), create() ...) are the project's if it has such, else they are here.
 */
#ifndef LW_DJANGO_FORM_H
#define LW_DJANGO_FORM_H

#include "django/values.h"

/* Whether the class is a form, or a serializer. */
bool is_form_class(struct lowerer *l, struct py_class *class_);
bool is_serializer_class(struct lowerer *l, struct py_class *class_);
/* FooForm(request.POST, instance=x), FooSerializer(x, data=...). */
struct val *form_new(struct lowerer *l, struct py_class *class_, struct args *args);
/* The same for a form that a view makes of its attributes: `of` the view's class, of a model, with these fields (may be NULL). */
struct val *form_of_model(struct lowerer *l, struct txn_span span, struct model *model,
                          struct val *fields, struct args *args);
/* Binds a form to a row, as instance=row does. */
void form_bind(struct lowerer *l, struct txn_span span, struct val *form, struct val *row);
/* The model of the form's rows; NULL: it has none, or it isn't known. */
struct model *form_model(struct lowerer *l, const struct val *self);
/* What a method of a serializer gets for its parameter of that name; NULL: nothing that is known. */
struct val *form_param(const struct val *self, struct str name);
/* A method that the project doesn't have. NULL: `self` is no form, or it is none that is known. */
struct val *form_method(struct lowerer *l, struct val *self, struct str name, struct args *args);
/* Whether a form's attribute of that name is such a method. */
bool form_has_method(struct lowerer *l, const struct val *self, struct str name);
/* What form.is_valid() says, and form.save() does, by the project's own methods if there are such. */
struct val *form_check(struct lowerer *l, struct txn_span span, struct val *form);
struct val *form_save(struct lowerer *l, struct txn_span span, struct val *form);

#endif
