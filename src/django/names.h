/* What the names of a project stand for: its modules, the classes and functions in them, and what each name
 * was last bound to.
 *
 * Names are resolved on demand: a module's table maps each top-level name to its last binding, and
 * symbol_resolve follows imports from binding to binding until it meets a definition, a module, or a dotted
 * name outside of the project ("django.db.transaction.atomic").
 */
#ifndef LW_DJANGO_NAMES_H
#define LW_DJANGO_NAMES_H

#include "django/django.h"
#include "python/ast.h"

enum { IMPORT_DEPTH_MAX = 32 };

struct admin;
struct django_facts;
struct model;
struct module;
struct py_class;

/* A def, wherever it stands. */
struct py_func {
    struct str name;
    struct module *module;
    struct py_class *owner; /* NULL: not a method */
    const struct py_node *node;
    int function; /* index into project->functions; -1: nested in another function */
    bool touches_orm; /* as the call graph has it */
    bool has_verb;    /* names the ORM itself */
    bool has_lock;    /* names a lock of any kind */
    bool is_unnamed;  /* nothing names it, in a project whose routes are known */
    enum { YIELDS_NOT_KNOWN, YIELDS_NOTHING, YIELDS } yields; /* of a generator; filled in when it is asked for */
    bool may_write;   /* names something that writes or locks, itself or in what it calls */
    struct str write_guard; /* may_write: only where this parameter holds; empty: anyhow */
    struct py_class *root_class; /* of `self`, if requests come by way of a class below `owner`; else NULL */
    const struct admin *admin; /* the change form of a registered model: no def, no node; else NULL */
};

struct func_list {
    VEC(struct py_func *) items;
};

struct module_list {
    VEC(struct module *) items;
};

enum binding_kind { BIND_FUNC, BIND_CLASS, BIND_MODULE, BIND_FROM, BIND_VALUE };

/* What a name of a module or class body was last bound to. */
struct binding {
    enum binding_kind kind;
    struct py_func *func;
    struct py_class *class_;
    const struct py_node *value; /* VALUE: the expression; NULL: nothing that can be evaluated */
    const struct py_node *node;  /* the statement */
    struct str target;           /* MODULE: dotted name; FROM: the module's dotted name, without dots before */
    struct str attr;             /* FROM: the name in it */
    uint32_t level;              /* FROM: dots */
    bool is_rebound;             /* bound more than once: not a constant */
};

struct module {
    struct str path;      /* as given by the user */
    struct str full_path; /* absolute, by which imports are resolved */
    struct str name;      /* dotted, from the innermost folder that is not a package */
    struct str text;
    bool is_package;
    bool is_contrib;      /* ours for one of Django's (contrib.h): no file of the project */
    const struct py_module *py;
    struct map names;               /* struct binding */
    VEC(struct binding *) stars;    /* from x import * */
    uint32_t resolve_depth;
    struct map resolved;            /* struct symbol of each name that was asked for, once all names are bound */
};

enum symbol_kind { SYMBOL_NONE, SYMBOL_FUNC, SYMBOL_CLASS, SYMBOL_MODULE, SYMBOL_VALUE, SYMBOL_EXTERNAL };

struct symbol {
    enum symbol_kind kind;
    struct py_func *func;
    struct py_class *class_;
    struct module *module;        /* MODULE; VALUE: where the expression is to be read */
    const struct py_node *value;
    bool is_rebound;
    struct str dotted;            /* EXTERNAL */
};

struct py_class {
    struct str name;
    struct module *module;
    const struct py_node *node;
    struct py_class *outer; /* the class it stands in, or NULL */
    struct map names;       /* struct binding: methods, attributes, inner classes */
    struct model *model; /* NULL: not a model */
    VEC(struct symbol) line; /* what class_walk() meets, from class_line_up() on */
    VEC(struct symbol) bases; /* classes, or outside names; resolved at the first walk */
    bool has_bases, has_line, is_model_known, is_resolving;
};

/* module.c: the names of a module or class body. */
void module_bind(struct django_facts *facts, struct module *module);
/* What a function's body imports for itself, as a module that has nothing else. */
struct module *module_local_imports(struct django_facts *facts, const struct module *module,
                                    struct py_list body);
/* Whether a decorator without arguments has this last name, or one that ends so. */
bool func_has_decorator(const struct py_func *func, const char *name);
bool func_is_decorated(const struct py_func *func, const char *ending);
const struct binding *class_own(const struct py_class *class_, struct str name);

/* imports.c */

/* What a name of a module stands for, imports followed. */
struct symbol symbol_resolve(struct django_facts *facts, struct module *module, struct str name);
/* An attribute of a symbol: of a module, a class, or an outside name. */
struct symbol symbol_attribute(struct django_facts *facts, struct symbol of, struct str name);
/* A name or dotted expression in a module. */
struct symbol symbol_of_expr(struct django_facts *facts, struct module *module,
                             const struct py_node *node);
/* The model that a call of get_model("app", "Model") or get_user_model() gives, or NULL. */
struct model *model_of_call(struct django_facts *facts, struct module *module,
                            const struct py_node *call);
/* What a binding stands for. */
struct symbol symbol_of_binding(struct django_facts *facts, struct module *module,
                                const struct binding *binding);
/* The module of that absolute name, nearest to `from`, or NULL. */
struct module *module_find(struct django_facts *facts, const struct module *from, struct str dotted);
/* A base class: calls `visit` for each class in method resolution order, the class itself first, until it answers true. External bases are given as a dotted name. */
typedef bool class_visit(void *context, struct py_class *class_, struct str external);
bool class_walk(struct django_facts *facts, struct py_class *class_, class_visit *visit, void *context);
/* Notes what there is to meet, so that walks need not find it anew. */
void class_line_up(struct django_facts *facts, struct py_class *class_);
/* A name in a class or its bases; `where` gets the class it stands in. NULL: not found. */
const struct binding *class_find(struct django_facts *facts, struct py_class *class_, struct str name,
                                 struct py_class **where);
/* The method that super() in a method of `after` means where the object's class is `start`; NULL: none of the project's, or
 * `start` is NULL. */
struct py_func *class_super(struct django_facts *facts, struct py_class *start,
                            const struct py_class *after, struct str name);
/* Whether one of its bases is an outside class whose dotted name ends so. */
bool class_has_external_base(struct django_facts *facts, struct py_class *class_, const char *suffix);

#endif
