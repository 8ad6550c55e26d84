/* What the values of names and expressions can be, told from the whole project before anything is lowered: rows of a
 * model, querysets, objects of a class. It follows assignments, returns, annotations, callers and attributes, in no order of
 * time: what a name is bound to anywhere in its function counts. A value for which nothing speaks is not known, and so
 * is one for which two different things do.
 */
#ifndef LW_DJANGO_TYPES_H
#define LW_DJANGO_TYPES_H

#include "django/facts.h"

enum type_kind {
    TYPE_NONE,    /* nothing is known */
    TYPE_PLAIN,   /* a text, number or container, an object from outside: none of the ORM's or the project's */
    TYPE_ROW,     /* of `model` */
    TYPE_QUERY,   /* a manager or queryset of `model`; class_: the project's own, or NULL */
    TYPE_ROWS,    /* something that gives rows of `model`, one by one */
    TYPE_PAIR,    /* a row of `model`, and something plain */
    TYPE_MODEL,   /* the class of `model` */
    TYPE_CLASS,   /* class_, which is no model */
    TYPE_OBJECT,  /* of class_ */
    TYPE_REQUEST,
    TYPE_METHOD,  /* func, of an object of type `self` */
    TYPE_MIXED    /* of several kinds */
};

struct type {
    enum type_kind kind;
    struct model *model;
    struct py_class *class_;
    struct py_func *func;
    const struct type *self;
    bool is_null; /* or None */
    bool is_open; /* or something that isn't known */
    bool is_new;  /* ROW: or an object that was not saved yet */
};

/* Finds them all. The last of what django_load does. */
void types_build(struct django_facts *facts);

/* NULL, or a type that says something. Of a parameter of a function of the project, by its arg; */
const struct type *type_of_param(const struct django_facts *facts, const struct py_node *arg);
/* of what stands before the dot, in a function of the project; */
const struct type *type_of_receiver(const struct django_facts *facts, const struct py_node *attribute);
/* of an attribute that an object of the class is given anywhere; */
struct type type_of_member(struct django_facts *facts, struct py_class *class_, struct str name);
/* of one that requests are given. */
struct type type_of_request_member(struct django_facts *facts, struct str name);

/* Whether `Model.name = Model.manager` stands somewhere, and nothing else sets it. */
bool type_of_set_manager(struct django_facts *facts, const struct model *model, struct str name, struct str *manager);

/* Whether any object is given an attribute of that name. */
bool type_is_ever_given(const struct django_facts *facts, struct str name);

/* Whether one object can have both classes. */
bool types_are_related(const struct django_facts *facts, const struct py_class *a, const struct py_class *b);

/* Private to types.c and what it is made of. */

/* A call somewhere in the project. */
struct call_site {
    struct py_func *caller;
    const struct py_node *call;
    bool is_task; /* func.delay(...) */
};
struct call_sites {
    VEC(struct call_site) items;
};
/* x.name = value */
struct attribute_site {
    struct py_func *func;
    const struct py_node *of, *value; /* value NULL: not known */
};
struct attribute_sites {
    VEC(struct attribute_site) items;
};
/* What a function binds a name to. */
enum bound { BOUND_VALUE, BOUND_ELEMENT, BOUND_PART, BOUND_PARAM, BOUND_IMPORT, BOUND_APPENDED, BOUND_OTHER };
struct bound_site {
    enum bound bound;
    const struct py_node *node; /* the value, what is gone through, the import */
    int index;                  /* ELEMENT, PART: which one of a tuple; -1: the whole */
};
struct bound_sites {
    VEC(struct bound_site) items;
};
struct type_body {
    struct map names; /* struct bound_sites */
    VEC(const struct py_node *) returned, yielded;
    VEC(const struct py_node *) attributes; /* all that are read */
};
struct type_index {
    struct map calls;      /* by the callee's simple name -> struct call_sites */
    struct map attributes; /* by name -> struct attribute_sites */
    struct map heirs;      /* address of a class -> struct class_heirs */
    struct map bodies;     /* address of a func -> struct type_body */
};
struct class_heirs {
    VEC(struct py_class *) items; /* itself among them */
};
/* type_index.c */
struct type_index *type_index_build(struct django_facts *facts);
/* A map's key: the bytes of a pointer, in the arena. */
struct str type_key(struct arena *arena, const void *pointer);
void *type_find(const struct map *map, const void *pointer);

#endif
