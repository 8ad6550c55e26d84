/* The Django front end: reads a project's source (nothing is imported or run) and writes a transaction
 * program for each function that touches the ORM. It knows what the ORM sends, and nothing of isolation.
 *
 *     django_load   parse every file; settings, apps, models -> schema; functions, imports
 *     django_lower  one function, calls inlined -> program (or the reason why not)
 */
#ifndef LW_DJANGO_DJANGO_H
#define LW_DJANGO_DJANGO_H

#include "files/walk.h"
#include "program/program.h"
#include "python/ast.h"

enum django_engine { DJANGO_ENGINE_UNKNOWN, DJANGO_POSTGRESQL, DJANGO_MYSQL, DJANGO_SQLITE };

/* DATABASES['default'] as far as it stands in the source. */
struct django_settings {
    struct txn_span span;         /* of the ENGINE entry; path empty: no settings found */
    enum django_engine engine;
    enum sql_isolation isolation; /* OPTIONS; DEFAULT: not given (MySQL: Django sets READ COMMITTED since 2.0) */
    bool is_before_2_0;           /* the project's requirements keep Django below 2.0 */
    bool atomic_requests;
    bool sqlite_immediate;        /* OPTIONS transaction_mode IMMEDIATE */
};

/* Something in the source that has no counterpart in the program; or a fault in a file. */
struct django_note {
    struct txn_span span;
    struct str text; /* "call of requests.post is not modelled" */
    bool is_error;   /* a file that cannot be read or parsed; else: not modelled */
    bool is_bound;   /* modelled, as often or as deep as the text says: no gap of the function */
};

/* How work comes in from outside. */
enum django_root {
    DJANGO_ROOT_NONE, /* by a call of the project, or not that is known */
    DJANGO_ROOT_VIEW,
    DJANGO_ROOT_MUTATION,
    DJANGO_ROOT_TASK,
    DJANGO_ROOT_COMMAND,
    DJANGO_ROOT_MIDDLEWARE,
    DJANGO_ROOT_RECEIVER,
    DJANGO_ROOT_ADMIN, /* its forms, and methods of a ModelAdmin that they call */
    DJANGO_ROOT_ADMIN_ACTION,
    DJANGO_ROOT_NAMED /* by the user */
};

/* A function of the project. */
struct django_function {
    struct str symbol;   /* "shop.views.increment", "shop.models.Voucher.use" */
    struct txn_span span; /* of the name */
    struct str path;
    bool touches_orm;    /* itself or through calls */
    bool is_view;        /* takes a request: ATOMIC_REQUESTS applies */
    bool is_hook;        /* save(), delete() or clean() of a model */
    bool is_modelled;    /* touches_orm, and lowered without a note */
    bool is_summary;     /* no def of the project: what a form of the admin or of a generic view sends */
    bool is_edit_view;   /* a summary: of a generic view */
    bool has_code;       /* runs code of the project; false: a summary of Django's alone */
    enum django_root root;
    struct str root_text;  /* "view /orders/<pk>/", "task"; empty: no root */
    bool is_root;          /* it is one also if the project calls it */
    bool is_root_named;    /* private to roots.c: the text is the best there is */
    VEC(uint32_t) inlined; /* functions that its program runs with what they need */
    VEC(uint32_t) calls; /* functions of the project, each once: by their names, and what lowering found */
    VEC(uint32_t) notes; /* what of it isn't modelled, called functions included: indices of the project's notes */
};

struct django_project {
    struct django_settings settings;
    struct schema schema;
    VEC(struct django_function) functions; /* in order of path, then line */
    VEC(struct django_note) notes;
    size_t file_count, line_count, broken_file_count;
    struct django_facts *facts; /* private */
};

/* Reads files, and folders with all below them that are the project's (files/walk.h). Memory is of `arena`. False only if a path of the command line cannot
 * be read; a broken file is a note, the others go on. */
bool django_load(struct arena *arena, struct text_pool *pool, const char *const *paths,
                 size_t path_count, const struct file_options *options,
                 struct django_project **project, struct err *err);

/* The same for parts of a project: reads the whole project around each, from the folder that holds manage.py. Where
 * there is none, a file brings its outermost package and a folder itself. */
bool django_load_around(struct arena *arena, struct text_pool *pool, const char *const *files,
                        size_t file_count, const struct file_options *options,
                        struct django_project **project, struct err *err);

/* Lowers a function and all it calls into one checked program. SQL is written in `dialect` (what the ORM sends may differ
 * by engine). What isn't modelled is appended to project->notes. NULL if the function doesn't touch the ORM
 * or cannot be lowered at all (a note says why). */
struct txn_program *django_lower(struct arena *arena, struct text_pool *pool,
                                 struct django_project *project, size_t function,
                                 enum sql_dialect dialect);

/* Which functions are entries: the roots, then, callers first, those that no entry's program runs. All are among
 * `is_lowered`. Both have a flag for each function. To be asked when all are lowered. */
void django_entries(const struct django_project *project, const bool *is_lowered, bool *is_entry);

/* Whether some view's route is known. Without any it is a part of a project, or a few functions to try. */
bool django_has_routes(const struct django_project *project);

/* What must hold of the callers of an entry, where the project doesn't show it, for its program to be run as it is:
 * "Voucher.use() is called outside a lock". Empty: nothing. */
struct str django_assumption(struct arena *arena, const struct django_project *project,
                             size_t function, const struct txn_program *program);

/* What an effect of a program is, by its name: a call of something unknown, one that is known to do something that
 * cannot be undone, a task handed to a worker. */
enum django_effect { DJANGO_EFFECT_UNKNOWN, DJANGO_EFFECT_SURE, DJANGO_EFFECT_TASK };
enum django_effect django_effect_kind(struct str name);

/* The functions of a file, as django_find_function takes their names. */
size_t django_function_names(struct arena *arena, const struct django_project *project,
                             struct str path, const char ***names);

/* The function of the file called "increment" or "Counter.increment", or -1. */
int django_find_function(const struct django_project *project, struct str path, struct str name);

/* The paths of the project's files, in order. */
size_t django_files(struct arena *arena, const struct django_project *project, struct str **paths);

/* The full path of a file of the project, without links; the path itself if it isn't one. */
struct str django_full_path(const struct django_project *project, struct str path);

/* The parsed file of a path as the project has it, or NULL. */
const struct py_module *django_module(const struct django_project *project, struct str path);

/* The source text of a file of the project as UTF-8, what spans refer to; empty if it isn't one. */
struct str django_source(const struct django_project *project, struct str path);

/* Marks as roots the functions whose symbol is one that a pattern (a name, with `*` for any part of it) means. False if it
 * means none. Before they are lowered. */
bool django_name_roots(struct django_project *project, struct str pattern);

#endif
