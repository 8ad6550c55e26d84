/* DATABASES['default'] and its kin, as far as they stand in the source. The settings module is the one that
 * manage.py names, else one called settings. */
#include "base/assert.h"
#include "django/facts.h"

enum { FOLLOW_DEPTH_MAX = 16 };

struct located {
    struct module *module;
    const struct py_node *node;
};

struct name_finder {
    struct django_facts *facts;
    struct module *module;
    struct str found;
};

static void find_setdefault(const struct py_node *node, void *context) {
    struct name_finder *finder = context;
    struct str key;
    if (finder->found.len > 0)
        return;
    if (node->kind == PY_Call && node->Call.func->kind == PY_Attribute &&
        str_is(node->Call.func->Attribute.attr, "setdefault") && node->Call.args.count == 2 &&
        constant_text(finder->facts, finder->module, node->Call.args.items[0], &key) &&
        str_is(key, "DJANGO_SETTINGS_MODULE") &&
        constant_text(finder->facts, finder->module, node->Call.args.items[1], &finder->found))
        return;
    py_visit_children(node, find_setdefault, context);
}

static struct module *named_by_manage(struct django_facts *facts) {
    for (size_t i = 0; i < facts->modules.count; i++) {
        struct module *module = facts->modules.items[i];
        if (!str_ends(module->full_path, "/manage.py") && !str_is(module->full_path, "manage.py"))
            continue;
        struct name_finder finder = {facts, module, {0}};
        py_visit_children(module->py->root, find_setdefault, &finder);
        struct module *settings =
            finder.found.len > 0 ? module_find(facts, module, finder.found) : NULL;
        if (settings != NULL)
            return settings;
    }
    return NULL;
}

static bool has_databases(struct django_facts *facts, struct module *module) {
    return symbol_resolve(facts, module, STR("DATABASES")).kind == SYMBOL_VALUE;
}

static struct module *settings_module(struct django_facts *facts) {
    struct module *module = named_by_manage(facts);
    if (module != NULL)
        return module;
    static const char *const tails[] = {"settings.py", "settings/__init__.py", "settings/base.py",
                                        "settings/production.py", "settings/common.py"};
    for (size_t tail = 0; tail < LW_COUNT_OF(tails); tail++)
        for (size_t i = 0; i < facts->modules.count; i++)
            if (str_ends(facts->modules.items[i]->full_path, tails[tail]) &&
                has_databases(facts, facts->modules.items[i]))
                return facts->modules.items[i];
    return NULL;
}

static bool dict_get(struct django_facts *facts, struct located dict, const char *key,
                     struct located *value);

/* Follows names and lookups in constant tables to the expression that holds the value. */
static struct located follow(struct django_facts *facts, struct located at, int depth) {
    if (at.node == NULL || depth > FOLLOW_DEPTH_MAX)
        return at;
    if (at.node->kind == PY_Name) {
        struct symbol symbol = symbol_resolve(facts, at.module, at.node->Name.id);
        if (symbol.kind == SYMBOL_VALUE && symbol.value != NULL)
            return follow(facts, (struct located){symbol.module, symbol.value}, depth + 1);
    }
    if (at.node->kind == PY_Subscript) {
        struct located of = follow(facts, (struct located){at.module, at.node->Subscript.value},
                                   depth + 1);
        struct str key;
        struct located value;
        if (of.node->kind == PY_Dict &&
            constant_text(facts, at.module, at.node->Subscript.slice, &key) &&
            dict_get(facts, of, str_to_c(facts->arena, key), &value))
            return follow(facts, value, depth + 1);
    }
    return at;
}

static bool dict_get(struct django_facts *facts, struct located dict, const char *key,
                     struct located *value) {
    struct str text;
    for (uint32_t i = dict.node->Dict.keys.count; i-- > 0;) {
        const struct py_node *item = dict.node->Dict.keys.items[i];
        const struct py_node *of = dict.node->Dict.values.items[i];
        if (item == NULL) {
            struct located inner = follow(facts, (struct located){dict.module, of}, 1);
            if (inner.node->kind == PY_Dict && inner.node != dict.node &&
                dict_get(facts, inner, key, value))
                return true;
            continue;
        }
        if (constant_text(facts, dict.module, item, &text) && str_is(text, key)) {
            *value = (struct located){dict.module, of};
            return true;
        }
    }
    return false;
}

static enum django_engine engine_of(struct str name) {
    if (str_ends(name, "postgresql") || str_ends(name, "postgresql_psycopg2") ||
        str_ends(name, "postgis") || str_starts(name, "postgres"))
        return DJANGO_POSTGRESQL;
    if (str_ends(name, "mysql") || str_starts(name, "mysql:"))
        return DJANGO_MYSQL;
    if (str_ends(name, "sqlite3") || str_starts(name, "sqlite:") || str_ends(name, "spatialite"))
        return DJANGO_SQLITE;
    return DJANGO_ENGINE_UNKNOWN;
}

static enum sql_isolation isolation_of_text(struct str text) {
    static const struct {
        const char *name;
        enum sql_isolation level;
    } levels[] = {{"read uncommitted", SQL_READ_UNCOMMITTED}, {"read committed", SQL_READ_COMMITTED},
                  {"repeatable read", SQL_REPEATABLE_READ},   {"serializable", SQL_SERIALIZABLE},
                  {"READ_UNCOMMITTED", SQL_READ_UNCOMMITTED}, {"READ_COMMITTED", SQL_READ_COMMITTED},
                  {"REPEATABLE_READ", SQL_REPEATABLE_READ}};
    for (size_t i = 0; i < LW_COUNT_OF(levels); i++)
        if (str_equal_nocase(text, str_from_c(levels[i].name)))
            return levels[i].level;
    return SQL_ISOLATION_DEFAULT;
}

/* psycopg's numbers: psycopg2 and psycopg 3 agree on these. */
static enum sql_isolation isolation_of_number(int64_t number) {
    static const enum sql_isolation levels[] = {SQL_ISOLATION_DEFAULT, SQL_READ_COMMITTED,
                                                SQL_REPEATABLE_READ, SQL_SERIALIZABLE,
                                                SQL_READ_UNCOMMITTED};
    return number >= 0 && number < 5 ? levels[number] : SQL_ISOLATION_DEFAULT;
}

static enum sql_isolation isolation_of(struct django_facts *facts, struct located at) {
    struct value value;
    at = follow(facts, at, 0);
    if (constant_value(facts, at.module, NULL, at.node, &value)) {
        if (value.kind == VALUE_TEXT)
            return isolation_of_text(text_pool_get(facts->pool, value.number));
        return value.kind == VALUE_INT ? isolation_of_number(value.number) : SQL_ISOLATION_DEFAULT;
    }
    struct symbol symbol = symbol_of_expr(facts, at.module, at.node);
    struct str name = symbol.kind == SYMBOL_EXTERNAL ? symbol.dotted : (struct str){0};
    size_t dot = name.len;
    while (dot > 0 && name.ptr[dot - 1] != '.')
        dot--;
    name = str_sub(name, dot, name.len);
    if (str_starts(name, "ISOLATION_LEVEL_"))
        name = str_sub(name, 16, name.len);
    enum sql_isolation level = isolation_of_text(name);
    if (level == SQL_ISOLATION_DEFAULT)
        facts_note(facts, module_span(at.module, at.node), false,
                   STR("the isolation level in these settings is not known from the source"));
    return level;
}

static void read_engine(struct django_facts *facts, struct located at) {
    struct django_settings *settings = &facts->project->settings;
    struct str text;
    settings->span = module_span(at.module, at.node);
    if (constant_text(facts, at.module, at.node, &text))
        settings->engine = engine_of(text);
    if (settings->engine == DJANGO_ENGINE_UNKNOWN)
        facts_note(facts, settings->span, false, STR("the database engine is not known from the source"));
}

static void read_option(struct django_facts *facts, const char *key, struct located value) {
    struct django_settings *settings = &facts->project->settings;
    struct str text;
    if (strcmp(key, "isolation_level") == 0)
        settings->isolation = isolation_of(facts, value);
    else if (constant_text(facts, value.module, value.node, &text))
        settings->sqlite_immediate = str_equal_nocase(text, STR("IMMEDIATE"));
}

static void read_default(struct django_facts *facts, struct located at) {
    struct located value, option;
    struct value truth;
    at = follow(facts, at, 0);
    if (at.node->kind == PY_Call) { /* dj_database_url.config(default="postgres://..."), env.db(...) */
        facts->project->settings.span = module_span(at.module, at.node);
        struct str text;
        for (uint32_t i = 0; i < at.node->Call.args.count; i++)
            if (constant_text(facts, at.module, at.node->Call.args.items[i], &text) &&
                facts->project->settings.engine == DJANGO_ENGINE_UNKNOWN)
                facts->project->settings.engine = engine_of(text);
        for (uint32_t i = 0; i < at.node->Call.keywords.count; i++)
            if (str_is(at.node->Call.keywords.items[i]->keyword.arg, "default") &&
                constant_text(facts, at.module, at.node->Call.keywords.items[i]->keyword.value, &text))
                facts->project->settings.engine = engine_of(text);
        if (facts->project->settings.engine == DJANGO_ENGINE_UNKNOWN)
            facts_note(facts, facts->project->settings.span, false,
                       STR("the database engine is not known from the source"));
        return;
    }
    if (at.node->kind != PY_Dict)
        return;
    if (dict_get(facts, at, "ENGINE", &value))
        read_engine(facts, value);
    if (dict_get(facts, at, "ATOMIC_REQUESTS", &value) &&
        constant_value(facts, value.module, NULL, value.node, &truth))
        facts->project->settings.atomic_requests = truth.kind == VALUE_BOOL && truth.number != 0;
    if (!dict_get(facts, at, "OPTIONS", &value))
        return;
    value = follow(facts, value, 0);
    if (value.node->kind != PY_Dict)
        return;
    if (dict_get(facts, value, "isolation_level", &option))
        read_option(facts, "isolation_level", option);
    if (dict_get(facts, value, "transaction_mode", &option))
        read_option(facts, "transaction_mode", option);
}

/* DATABASES["default"]["ATOMIC_REQUESTS"] = True, as a statement of its own. */
static void read_statements(struct django_facts *facts, struct module *module) {
    struct py_list body = module->py->root->Module.body;
    for (uint32_t i = 0; i < body.count; i++) {
        const struct py_node *node = body.items[i];
        struct str alias, key;
        struct value value;
        if (node->kind != PY_Assign || node->Assign.targets.count != 1)
            continue;
        const struct py_node *target = node->Assign.targets.items[0];
        if (target->kind != PY_Subscript || target->Subscript.value->kind != PY_Subscript)
            continue;
        const struct py_node *outer = target->Subscript.value;
        if (outer->Subscript.value->kind != PY_Name ||
            !str_is(outer->Subscript.value->Name.id, "DATABASES") ||
            !constant_text(facts, module, outer->Subscript.slice, &alias) ||
            !str_is(alias, "default") || !constant_text(facts, module, target->Subscript.slice, &key))
            continue;
        if (str_is(key, "ATOMIC_REQUESTS") &&
            constant_value(facts, module, NULL, node->Assign.value, &value))
            facts->project->settings.atomic_requests = value.kind == VALUE_BOOL && value.number != 0;
        if (str_is(key, "ENGINE"))
            read_engine(facts, (struct located){module, node->Assign.value});
    }
}

static void read_apps(struct django_facts *facts) {
    for (size_t i = 0; i < facts->classes.count; i++) {
        struct py_class *class_ = facts->classes.items[i];
        const struct binding *name = class_own(class_, STR("name"));
        const struct binding *label = class_own(class_, STR("label"));
        struct str package, text;
        if (name == NULL || name->kind != BIND_VALUE || name->value == NULL ||
            !class_has_external_base(facts, class_, "AppConfig") ||
            !constant_text(facts, class_->module, name->value, &package))
            continue;
        size_t dot = package.len;
        while (dot > 0 && package.ptr[dot - 1] != '.')
            dot--;
        text = str_sub(package, dot, package.len);
        if (label != NULL && label->kind == BIND_VALUE && label->value != NULL)
            constant_text(facts, class_->module, label->value, &text);
        map_put(&facts->app_labels, package, str_to_c(facts->arena, text));
    }
}

struct installing {
    struct django_facts *facts;
    struct module *module;
};

/* An app without an AppConfig of its own is called by the last part of its package's name. */
static void add_installed(const struct py_node *node, void *context) {
    const struct installing *installing = context;
    struct django_facts *facts = installing->facts;
    struct str package;
    if (node->kind == PY_Constant && constant_text(facts, installing->module, node, &package) &&
        !map_has(&facts->app_labels, package)) {
        size_t dot = package.len;
        while (dot > 0 && package.ptr[dot - 1] != '.')
            dot--;
        map_put(&facts->app_labels, package, str_to_c(facts->arena, str_sub(package, dot, package.len)));
    }
    py_visit_children(node, add_installed, context);
}

/* INSTALLED_APPS, and the lists that it is made of: LOCAL_APPS, ... */
static void read_installed(struct django_facts *facts) {
    for (size_t i = 0; i < facts->modules.count; i++) {
        struct module *module = facts->modules.items[i];
        struct installing installing = {facts, module};
        struct py_list body = module->py->root->Module.body;
        for (uint32_t k = 0; k < body.count; k++) {
            const struct py_node *node = body.items[k], *target = NULL;
            if (node->kind == PY_Assign && node->Assign.targets.count == 1)
                target = node->Assign.targets.items[0];
            else if (node->kind == PY_AugAssign)
                target = node->AugAssign.target;
            if (target != NULL && target->kind == PY_Name && str_ends(target->Name.id, "_APPS"))
                add_installed(node, &installing);
        }
    }
}

/* Whether some module takes fields that only PostgreSQL has. */
static bool has_postgresql_fields(const struct django_facts *facts) {
    for (size_t i = 0; i < facts->modules.count; i++) {
        const struct map *names = &facts->modules.items[i]->names;
        for (size_t k = 0; k < names->count; k++) {
            const struct binding *binding = names->entries[k].value;
            if (binding->kind == BIND_FROM && str_starts(binding->target, "django.contrib.postgres.fields"))
                return true;
        }
    }
    return false;
}

static void read_settings(struct django_facts *facts, struct module *module);

void settings_read(struct django_facts *facts) {
    read_apps(facts);
    read_installed(facts);
    struct module *module = settings_module(facts);
    if (module != NULL)
        read_settings(facts, module);
    if (facts->project->settings.engine == DJANGO_ENGINE_UNKNOWN && has_postgresql_fields(facts))
        facts->project->settings.engine = DJANGO_POSTGRESQL;
}

static void read_settings(struct django_facts *facts, struct module *module) {
    struct symbol databases = symbol_resolve(facts, module, STR("DATABASES"));
    struct located at = {databases.module, databases.value}, value;
    if (databases.kind == SYMBOL_VALUE && at.node != NULL) {
        at = follow(facts, at, 0);
        if (at.node->kind == PY_Dict && dict_get(facts, at, "default", &value))
            read_default(facts, value);
        if (databases.module != module)
            read_statements(facts, databases.module);
        read_statements(facts, module);
    }
    struct symbol field = symbol_resolve(facts, module, STR("DEFAULT_AUTO_FIELD"));
    struct symbol user = symbol_resolve(facts, module, STR("AUTH_USER_MODEL"));
    struct str text;
    if (user.kind == SYMBOL_VALUE && user.value != NULL)
        constant_text(facts, user.module, user.value, &facts->user_model);
    if (field.kind == SYMBOL_VALUE && field.value != NULL &&
        constant_text(facts, field.module, field.value, &text)) {
        size_t dot = text.len;
        while (dot > 0 && text.ptr[dot - 1] != '.')
            dot--;
        facts->default_auto_field = str_sub(text, dot, text.len);
    }
}
