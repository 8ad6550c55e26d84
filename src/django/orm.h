/* What Django's objects do: rows, querysets and managers. Each method of theirs becomes the statements that the
 * ORM would send.
 */
#ifndef LW_DJANGO_ORM_H
#define LW_DJANGO_ORM_H

#include "django/values.h"

/* row.c: what instances do. */
struct val *row_attribute(struct lowerer *l, struct txn_span span, struct val *of, struct str name);
void row_set_attribute(struct lowerer *l, struct txn_span span, struct row *row, struct str name,
                       struct val *val);
/* save() and delete() of the file that a column of a row names (SCALAR with its row and the field's name). */
struct val *row_file_method(struct lowerer *l, const struct val *file, struct str name, struct args *args);
struct val *row_method(struct lowerer *l, struct val *self, struct str name, struct args *args);
struct val *row_construct(struct lowerer *l, struct txn_span span, struct model *model,
                          struct args *args);
/* row._state.adding: whether it was made here and not saved yet. */
struct val *row_is_adding(struct lowerer *l, struct txn_span span, const struct row *row);
/* The cell of a related object. */
struct cell *row_cache(struct lowerer *l, struct row *row, struct str name);
/* What select_related("path") of the query brings along: the objects of the path, loaded and locked with the row. */
void row_load_related(struct lowerer *l, struct txn_span span, struct row *row,
                      const struct queryset *query, struct str path);
/* SELECT into the object: the columns it has loaded, or the key and `only`. */
void row_reload(struct lowerer *l, struct txn_span span, struct row *row, const struct model_field *only);
/* What a relation of the row leads to: a row, or a manager. NULL: it has none of that name. */
struct val *row_related(struct lowerer *l, struct txn_span span, struct val *of, struct str name);
/* raw_sql.c: cursor.execute(). */
struct val *raw_execute(struct lowerer *l, struct args *args);
/* translate.c */
/* Whether the field is a translated one. */
bool model_translates(const struct model *model, struct str name);
void translation_set(struct lowerer *l, struct txn_span span, struct row *row, struct str name, struct val *val);
/* What save() sends for the translation that was set. */
void translation_save(struct lowerer *l, struct txn_span span, struct row *row);
/* NULL: not one of django-parler's. */
struct val *translation_method(struct lowerer *l, struct row *row, struct str name, struct args *args);
/* prefetch.c */
void prefetch_add(struct lowerer *l, struct queryset *query, const struct args *args);
/* Prefetch(...); NULL: of what isn't known. */
struct val *prefetch_object(struct lowerer *l, const struct args *args);
/* Reads what comes with a row that has just been read. */
void prefetch_row(struct lowerer *l, struct txn_span span, struct row *row);
/* The same of an element of a loop, a row or a pair with one. */
void prefetch_each(struct lowerer *l, struct txn_span span, const struct val *element);
/* The rows that came by that name; NULL: none did, or they are read where they are used. */
struct queryset *prefetch_of(struct lowerer *l, struct txn_span span, struct row *row, struct str name);
/* save.c */
void row_save(struct lowerer *l, struct txn_span span, struct row *row, struct args *args);
void object_insert(struct lowerer *l, struct txn_span span, struct row *row);
/* delete.c */
void row_delete(struct lowerer *l, struct txn_span span, struct row *row);
void query_delete(struct lowerer *l, struct txn_span span, struct queryset *query);
bool model_has_dependents(const struct model *model);

/* query.c, query_method.c */
struct queryset *query_new(struct lowerer *l, struct txn_span span, struct model *model);
struct queryset *query_copy(struct lowerer *l, const struct queryset *query);
struct val *query_attribute(struct lowerer *l, struct txn_span span, struct val *of, struct str name);
struct val *query_method(struct lowerer *l, struct val *self, struct str name, struct args *args);
struct val *query_aggregate(struct lowerer *l, struct queryset *query, struct args *args);
/* The queryset a manager starts from. */
struct queryset *query_base(struct lowerer *l, struct txn_span span, struct queryset *query);
/* The model whose class has a manager (or queryset) of this class; NULL: none. */
struct model *manager_model(struct django_facts *facts, struct py_class *class_);
/* Whether the model has a manager of that name; `class_` gets the project's own class of it, or NULL. */
bool manager_find(struct django_facts *facts, struct model *model, struct str name, struct py_class **class_);
/* All rows, sent once: the value is then kept by the queryset. */
struct val *query_rows(struct lowerer *l, struct txn_span span, struct queryset *query, struct str name);
/* QuerySet(model), or a class of the project below it; NULL: the model isn't known. */
struct val *query_of_class(struct lowerer *l, struct args *args, struct py_class *class_);
/* What a row knows from the queryset it came from: its columns, and the related object it was asked for. */
void query_adopt_row(struct lowerer *l, const struct queryset *query, struct row *row);
/* The single row get() gives. `missing`: the class raised if there is none. */
struct val *query_get(struct lowerer *l, struct txn_span span, struct queryset *query, struct str name,
                      struct str missing);
/* As query_get, into the variable of a row that exists already. */
void query_get_into(struct lowerer *l, struct txn_span span, struct queryset *query, struct row *row,
                    struct str missing);
struct val *query_first(struct lowerer *l, struct txn_span span, struct queryset *query, struct str name);
struct val *query_exists(struct lowerer *l, struct txn_span span, struct queryset *query);
struct val *query_count(struct lowerer *l, struct txn_span span, struct queryset *query);
struct val *query_index(struct lowerer *l, struct txn_span span, struct queryset *query, struct val *index);
/* Whether its rows come with that field, by only(), defer() and values(). */
bool query_loads(const struct queryset *query, const struct model_field *field);
/* Adds keyword and Q arguments as conditions. */
void query_filter(struct lowerer *l, struct queryset *query, struct args *args, bool is_excluded);
struct cond *lower_conditions(struct lowerer *l, struct args *args);
struct cond *cond_lookup(struct lowerer *l, struct txn_span span, struct str path, struct val *val);
/* Conditions that are not known: a parameter of that name says whether they hold. */
struct cond *cond_unknown(struct lowerer *l, struct txn_span span, struct str name);
bool cond_is_empty(const struct cond *cond); /* Q() */
struct queryset *manager_of(struct lowerer *l, struct txn_span span, struct model *model, struct str name);
/* create.c */
/* save() of the model's own class, or Django's. */
void row_call_save(struct lowerer *l, struct txn_span span, struct row *row, bool is_insert);
struct val *query_create(struct lowerer *l, struct txn_span span, struct queryset *query, struct args *args);
struct val *query_get_or_create(struct lowerer *l, struct queryset *query, struct args *args, bool is_update);
struct val *query_bulk_create(struct lowerer *l, struct queryset *query, struct args *args);
struct val *query_bulk_update(struct lowerer *l, struct queryset *query, struct args *args);
struct val *query_update(struct lowerer *l, struct queryset *query, struct args *args);
/* relation.c: add(), remove(), clear(), set() of a manager of related objects. */
struct val *relation_method(struct lowerer *l, struct queryset *query, struct str name,
                            struct args *args);
#endif
