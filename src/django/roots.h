/* Roots: the functions by which work comes in from outside, each with the way it does: a view behind its route, a
 * task, a command, a receiver. They are found from URLs, decorators, base classes and registries, never from a call.
 */
#ifndef LW_DJANGO_ROOTS_H
#define LW_DJANGO_ROOTS_H

#include "django/facts.h"

/* Marks the roots among the project's functions. After callgraph_build and admin_find. */
void roots_find(struct django_facts *facts);

/* urls.c: marks what the URL configuration and the routers lead to. */
void urls_find(struct django_facts *facts);

/* A function is a root, unless something better is known of it. `is_sure`: also if others of the project call it;
 * else the framework calls it by way of a method that the source may show. */
void root_set(struct django_facts *facts, struct py_func *func, enum django_root root, bool is_sure,
              struct str text);

/* A class whose requests end in handlers: Django's View, or one of the REST framework. */
bool is_view_class(struct django_facts *facts, struct py_class *class_);
/* The handlers of a view class, its own and those of its bases, are reached by the route; a router adds what it needs to
 * behind it: the key, the action's name. */
void root_set_view(struct django_facts *facts, struct py_class *class_, struct str route,
                   bool is_router);

#endif
