/* What is known about a project before anything is lowered: what its names stand for (names.h), its models with
 * their fields, and its settings. Built once by django_load, read-only afterwards.
 */
#ifndef LW_DJANGO_FACTS_H
#define LW_DJANGO_FACTS_H

#include "django/names.h"
#include "files/walk.h"
#include "sql/own.h"

enum { MODEL_DEPTH_MAX = 16 };

enum field_kind { FIELD_PLAIN, FIELD_FOREIGN_KEY, FIELD_ONE_TO_ONE, FIELD_MANY_TO_MANY };
enum on_delete { ON_DELETE_CASCADE, ON_DELETE_PROTECT, ON_DELETE_SET_NULL, ON_DELETE_OTHER };

struct model_field {
    struct str name, column; /* "owner", "owner_id"; equal for plain fields */
    struct str class_name;   /* "IntegerField" */
    enum field_kind kind;
    struct txn_span span;
    enum column_type type;
    struct str type_text;
    bool is_null, is_unique, is_primary, is_index, is_serial, is_auto_now, is_auto_now_add;
    bool is_editable; /* forms show it */
    const struct py_node *default_node; /* NULL: none */
    struct module *module;              /* where the field stands */
    struct py_class *class_;            /* whose body names its default may use */
    /* Relations. */
    struct str target_name;
    const struct py_node *target_node;
    struct model *target;               /* NULL: outside of the project */
    enum on_delete on_delete;
    bool has_constraint;
    struct str related_name;            /* as given; empty: by default; "+": none */
    struct str through_name;
    struct model *through;
    bool is_parent_link;
};

/* The other end of a relation: "payments" of an invoice. */
struct reverse {
    struct str accessor, query_name;
    struct model *model; /* that holds the field */
    struct model_field *field;
};

struct model {
    struct py_class *class_;
    struct str name, app, table_name;
    struct txn_span span;
    bool is_abstract, is_proxy, is_built, is_building, is_auto; /* auto: a many-to-many's own table */
    struct model *parent;             /* concrete base: multi-table inheritance, or a proxy's model */
    VEC(struct model_field *) fields; /* in order, inherited ones first, the key first if automatic */
    VEC(struct reverse) reverses;
    struct model_field *pk;           /* NULL: abstract */
    struct model *translations;       /* of django-parler's TranslatedFields; NULL: none */
    VEC(struct str) unique_sets;      /* field names joined by ',' */
    VEC(struct str) index_sets;
    VEC(struct str) unique_conditions; /* beside unique_sets: SQL of the condition, or empty */
    VEC(struct str) ordering;
    int table; /* index into the schema, -1: none */
};

/* Functions that use a name, as they may if they call what it stands for. */
struct name_users {
    VEC(struct py_func *) items;
};

struct django_facts {
    struct arena *arena;
    struct text_pool *pool;
    struct django_project *project;
    VEC(struct module *) modules;
    struct map by_name;  /* dotted name -> struct module_list */
    struct map by_path;  /* full path -> struct module */
    struct map by_shown; /* the same by the path that reports show */
    struct map packages; /* folder -> "1" if it is a package, else "0" */
    struct map roots;    /* folders named by the user, in full */
    struct map contrib;  /* dotted name -> struct module, of Django (contrib.h) */
    VEC(struct py_class *) classes;
    VEC(struct py_class *) exceptions; /* of the project */
    VEC(struct py_func *) funcs;   /* beside project->functions */
    struct map func_by_name;       /* simple name -> struct func_list: for the call graph */
    struct map users;              /* simple name of a function -> struct name_users */
    struct map own_signals; /* names that stand for a Signal() of the project; each says only that it does */
    VEC(struct receiver) receivers; /* of model signals, in the order of files (signal.h) */
    VEC(struct model *) models;
    struct map model_by_label;     /* "app.model", lower case */
    struct map model_by_name;      /* "model", lower case; the first */
    struct map app_labels;         /* dotted package -> label */
    struct str user_model;         /* AUTH_USER_MODEL: "auth.User" */
    struct str default_auto_field; /* "BigAutoField" */
    struct type_index *type_index; /* types.h */
    struct typer *typer;
    struct map param_types, receiver_types; /* address of the node -> struct type */
    uint32_t resolve_depth;
    bool with_tests;               /* they are a part of the project as any */
    bool is_bound;                 /* all names of all modules are */
    struct map noted;              /* index + 1 of the notes made, to make each once */
    struct owner texts;            /* of programs: they have most in common */
};

/* project.c */

/* Adds a note, once for a place and text; its index. */
uint32_t facts_note(struct django_facts *facts, struct txn_span span, bool is_error,
                    struct str text);
/* The span of a node of a module. */
struct txn_span module_span(const struct module *module, const struct py_node *node);
/* The source text of a node. */
struct str module_text(const struct module *module, const struct py_node *node);
/* Registers one file whose text is at hand; a syntax error becomes a note. */
void facts_add_file(struct django_facts *facts, struct str path, struct str full_path, struct str text);
/* What follows when all files are in: settings, models, schema, call graph. */
void facts_finish(struct django_facts *facts);
/* An empty project. */
struct django_facts *facts_new(struct arena *arena, struct text_pool *pool);

/* Whether a path is "..", "../..", and so on. */
bool path_leads_up(struct str path);

/* A file or folder to read. */
struct load_root {
    const char *path;
    const char *project; /* the folder of its project, if the user named this path; else NULL */
};

/* django_load, with what is known of each path. */
bool django_load_roots(struct arena *arena, struct text_pool *pool, const struct load_root *roots,
                       size_t root_count, const struct file_options *options,
                       struct django_project **project, struct err *err);

/* packages.c */

struct str folder_of(struct str path);
bool is_package_folder(struct django_facts *facts, struct str folder);
/* Marks as packages the folders that the sources take for ones. True if that makes new names. */
bool packages_infer(struct django_facts *facts);

/* settings.c */

void settings_read(struct django_facts *facts);

/* requirements.c */

/* Whether the files in or above a folder (its full path) that say what the project needs keep its Django below 2.0. */
bool requirements_before_2_0(struct str folder);

/* constant.c: values that stand in the source. */

/* Evaluates a literal, a module's or class's constant, os.environ.get(..., default), arithmetic and
 * concatenation of such. False if it is not one. */
bool constant_value(struct django_facts *facts, struct module *module, struct py_class *class_,
                    const struct py_node *node, struct value *value);
/* A text constant. */
bool constant_text(struct django_facts *facts, struct module *module, const struct py_node *node,
                   struct str *text);

/* models.c, fields.c, schema.c */

void models_build(struct django_facts *facts);
/* Whether the class is a model, abstract ones included; builds it. */
struct model *class_model(struct django_facts *facts, struct py_class *class_);
/* Reads a field's call. False if it isn't a model field. */
bool field_read(struct django_facts *facts, struct py_class *class_, struct str name,
                const struct py_node *call, struct model_field *field);
struct model_field *model_field(const struct model *model, struct str name);
/* By name, attribute name (x_id), or "pk". */
struct model_field *model_attribute(const struct model *model, struct str name);
struct reverse *model_reverse(const struct model *model, struct str name, bool is_query);
/* "app.Model", "Model" or an expression; NULL: outside of the project. */
struct model *model_named(struct django_facts *facts, const struct model *from, struct str name);
void schema_build(struct django_facts *facts);

/* view.c: adds a function for each generic view that saves a form by itself; notes those whose model isn't known. */
void views_find(struct django_facts *facts);

/* callgraph.c */

/* One function of the project calls another; itself doesn't count. */
void callgraph_add(struct django_facts *facts, size_t caller, const struct py_func *callee);
void callgraph_build(struct django_facts *facts);
/* named.c: sets is_unnamed of functions. After roots_find. */
void named_find(struct django_facts *facts);

/* may_write.c */

/* Sets may_write of each function. */
void may_write_find(struct django_facts *facts);
/* Whether a function can be called with such arguments. */
bool func_takes_call(const struct py_func *func, const struct py_node *call);
/* Whether a call of that name, of something that isn't known but may be one of the ORM's or the project's things, can be
 * one of this function. */
bool func_is_method_of_any(struct django_facts *facts, const struct py_func *func);

#endif
