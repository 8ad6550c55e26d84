/* Private to types.c and type_call.c. */
#ifndef LW_DJANGO_TYPE_CALL_H
#define LW_DJANGO_TYPE_CALL_H

#include "django/admin.h"
#include "django/types.h"

struct type_memo {
    struct type type;
};

/* A function with what its first parameter is; the top of a module without. */
struct scope {
    struct py_func *func;
    struct module *module;
    const struct type *self;      /* NULL: by itself */
    const struct type_body *body; /* NULL: none is known */
    struct map locals;            /* struct type_memo */
    bool is_returned;
    struct type returned;
};

struct typer {
    struct django_facts *facts;
    struct map scopes;  /* of a function and its self -> struct scope */
    struct map members; /* of a class or NULL for requests, and a name -> struct type_memo */
    uint32_t depth;
};

struct type type_unknown(void);
struct type type_plain(void);
struct type type_of_model(enum type_kind kind, struct model *model);
struct type type_of_class(struct typer *typer, struct py_class *class_, bool is_object);
void type_merge(struct type *to, struct type more);
struct scope *type_scope(struct typer *typer, struct py_func *func, const struct type *self);
struct type type_of(struct typer *typer, struct scope *scope, const struct py_node *node);
struct type type_at_top(struct typer *typer, struct module *module, const struct py_node *node);
struct type type_of_return(struct typer *typer, struct py_func *func, const struct type *self);

/* type_call.c */
struct type type_of_symbol(struct typer *typer, struct symbol symbol);
struct type type_of_attribute(struct typer *typer, const struct type *of, struct str name);
struct type type_of_call(struct typer *typer, struct scope *scope, const struct py_node *call);
/* What is given to an attribute of objects of the class (NULL: of requests), anywhere. */
struct type type_of_given(struct typer *typer, struct py_class *class_, struct str name);
/* What a name or dotted name stands for at the top of the module, unless the function binds it itself. */
struct symbol type_symbol(struct typer *typer, const struct scope *scope, const struct py_node *node);
/* The function of the project that is called, and what it is a method of; NULL: not known. */
struct py_func *type_callee(struct typer *typer, struct scope *scope, const struct py_node *call,
                            const struct type **self);
/* Whether a call is one of that function; `first`: of its parameters, the first that the call gives. */
bool type_is_call_of(struct typer *typer, const struct call_site *site, const struct py_func *func,
                     uint32_t *first);

#endif
