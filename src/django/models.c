/* Models: which classes are some, their fields in Django's order (automatic key, those of abstract bases, own
 * ones), Meta, and both ends of each relation. */
#include "base/assert.h"
#include "django/facts.h"
#include "django/model_meta.h"
#include "python/value.h"

#include <ctype.h>

struct str str_lower(struct arena *arena, struct str text) {
    char *copy = str_to_c(arena, text);
    for (size_t i = 0; i < text.len; i++)
        copy[i] = (char)tolower((unsigned char)copy[i]);
    return (struct str){copy, text.len};
}

/* Abstract models of Django and of much used packages, with what they hold. */
static const struct outside_base {
    const char *suffix;
    const char *fields; /* "name Class[?]", ? for null, separated by commas */
} outside_bases[] = {
    {"mp_tree.MP_Node", "path CharField,depth PositiveIntegerField,numchild PositiveIntegerField"},
    {"mptt.models.MPTTModel", "lft PositiveIntegerField,rght PositiveIntegerField,"
                              "tree_id PositiveIntegerField,level PositiveIntegerField"},
    {"parler.models.TranslatableModel", ""},
    {"model_utils.models.TimeStampedModel", "created DateTimeField,modified DateTimeField"},
    {"django_extensions.db.models.TimeStampedModel", "created DateTimeField,modified DateTimeField"},
};

static const struct outside_base *outside_base(struct str dotted) {
    for (size_t i = 0; i < LW_COUNT_OF(outside_bases); i++)
        if (str_ends(dotted, outside_bases[i].suffix))
            return &outside_bases[i];
    return NULL;
}

/* Packages whose models are none of Django's. */
static bool is_of_other_kind(struct str dotted) {
    static const char *const packages[] = {"pydantic.", "pydantic_settings.", "sqlmodel.", "peewee.",
                                           "mongoengine.", "keras.", "tensorflow.", "transformers."};
    bool is_other = false;
    for (size_t i = 0; i < LW_COUNT_OF(packages); i++)
        is_other |= str_starts(dotted, packages[i]);
    return is_other;
}

static bool is_outside_model(struct str dotted) {
    if (is_of_other_kind(dotted))
        return false;
    return str_is(dotted, "django.db.models.Model") || str_is(dotted, "django.db.models.base.Model") ||
           str_ends(dotted, "models.Model") || outside_base(dotted) != NULL ||
           (str_ends(dotted, "Model") && str_find(dotted, '.', 0) < dotted.len &&
            !str_starts(dotted, "django."));
}

static bool reaches_model(void *context, struct py_class *class_, struct str dotted) {
    (void)context;
    if (class_ != NULL)
        return class_->is_model_known && class_->model != NULL;
    return is_outside_model(dotted);
}

struct collector {
    struct django_facts *facts;
    struct model *model;
    VEC(struct py_class *) bases; /* nearest first, the class itself first */
    VEC(struct str) outside;
};

static bool collect_base(void *context, struct py_class *class_, struct str dotted) {
    struct collector *collector = context;
    if (class_ == NULL) {
        VEC_PUSH(collector->facts->arena, &collector->outside, dotted);
        return false;
    }
    for (size_t i = 0; i < collector->bases.count; i++)
        if (collector->bases.items[i] == class_)
            return false;
    VEC_PUSH(collector->facts->arena, &collector->bases, class_);
    return false;
}

static void add_field(struct django_facts *facts, struct model *model,
                      const struct model_field *field, bool is_first) {
    for (size_t i = 0; i < model->fields.count; i++)
        if (str_equal(model->fields.items[i]->name, field->name)) {
            *model->fields.items[i] = *field;
            return;
        }
    struct model_field *copy = arena_copy(facts->arena, field, sizeof(*field));
    VEC_PUSH(facts->arena, &model->fields, copy);
    for (size_t i = model->fields.count - 1; is_first && i > 0; i--)
        model->fields.items[i] = model->fields.items[i - 1];
    if (is_first)
        model->fields.items[0] = copy;
}

/* Writes "name Class?" lists as fields. */
static void add_outside_fields(struct django_facts *facts, struct model *model, struct str dotted) {
    const struct outside_base *base = outside_base(dotted);
    if (base == NULL) {
        if (!str_ends(dotted, "models.Model") && is_outside_model(dotted))
            facts_note(facts, model->span, false,
                       str_printf(facts->arena, "fields inherited from %.*s are not known",
                                  STR_ARG(dotted)));
        return;
    }
    struct str rest = str_from_c(base->fields);
    while (rest.len > 0) {
        size_t end = str_find(rest, ',', 0);
        struct str item = str_sub(rest, 0, end);
        rest = str_sub(rest, end < rest.len ? end + 1 : end, rest.len);
        size_t space = str_find(item, ' ', 0);
        struct model_field field = {.name = str_sub(item, 0, space), .module = model->class_->module,
                                    .class_ = model->class_, .span = model->span};
        field.column = field.name;
        field.class_name = str_sub(item, space + 1, item.len);
        field.is_null = str_ends(item, "?");
        bool is_time = str_starts(field.class_name, "DateTime");
        bool is_bool = str_starts(field.class_name, "Boolean");
        bool is_number = str_ends(field.class_name, "IntegerField");
        field.type = is_time     ? COLUMN_TIME
                     : is_bool   ? COLUMN_BOOL
                     : is_number ? COLUMN_INT
                                 : COLUMN_TEXT;
        field.type_text = is_time     ? STR("timestamp")
                          : is_bool   ? STR("boolean")
                          : is_number ? STR("integer")
                                      : STR("varchar(254)");
        add_field(facts, model, &field, false);
    }
}

static void add_own_fields(struct django_facts *facts, struct model *model, struct py_class *class_) {
    for (size_t i = 0; i < class_->names.count; i++) {
        const struct binding *binding = class_->names.entries[i].value;
        struct str name = class_->names.entries[i].key;
        struct model_field field;
        if (binding->kind == BIND_VALUE && field_read(facts, class_, name, binding->value, &field))
            add_field(facts, model, &field, false);
    }
}

/* The id that Django adds. Its class is the setting's, unless an AppConfig says otherwise. */
static void add_automatic_key(struct django_facts *facts, struct model *model) {
    struct model_field field = {.name = STR("id"), .column = STR("id"), .is_primary = true,
                                .is_serial = true, .type = COLUMN_INT};
    field.class_name = facts->default_auto_field;
    field.type_text = str_starts(field.class_name, "Big") ? STR("bigint") : STR("integer");
    field.span = model->span;
    field.module = model->class_->module;
    field.class_ = model->class_;
    if (str_ends(field.class_name, "UUIDField")) {
        field.type = COLUMN_OTHER;
        field.type_text = STR("uuid");
    }
    add_field(facts, model, &field, true);
}

static void find_key(struct django_facts *facts, struct model *model) {
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < model->fields.count; i++)
            if (model->fields.items[i]->is_primary) {
                model->pk = model->fields.items[i];
                return;
            }
        if (!model->is_abstract)
            add_automatic_key(facts, model);
    }
}

static void inherit_concrete(struct django_facts *facts, struct model *model, struct model *base) {
    if (model->is_proxy) {
        model->parent = base;
        model->table_name = base->table_name;
        for (size_t i = 0; i < base->fields.count; i++)
            VEC_PUSH(facts->arena, &model->fields, base->fields.items[i]);
        model->pk = base->pk;
        return;
    }
    model->parent = base;
    facts_note(facts, model->span, false,
               str_printf(facts->arena, "multi-table inheritance: the columns that %.*s has from %.*s",
                          STR_ARG(model->name), STR_ARG(base->name)));
    struct str lower = str_lower(facts->arena, base->name);
    struct model_field link = {.kind = FIELD_ONE_TO_ONE, .is_primary = true, .is_unique = true,
                               .has_constraint = true, .type = COLUMN_INT, .is_parent_link = true};
    link.name = str_printf(facts->arena, "%.*s_ptr", STR_ARG(lower));
    link.column = str_printf(facts->arena, "%.*s_ptr_id", STR_ARG(lower));
    link.class_name = STR("OneToOneField");
    link.target = base;
    link.type_text = STR("integer");
    link.module = model->class_->module;
    link.class_ = model->class_;
    link.span = model->span;
    add_field(facts, model, &link, false);
}

static struct str app_of(struct django_facts *facts, const struct module *module) {
    struct str name = module->name, best = {0};
    size_t best_len = 0;
    for (size_t i = 0; i < facts->app_labels.count; i++) {
        struct str package = facts->app_labels.entries[i].key;
        bool is_in = name.len >= package.len && str_equal(str_sub(name, 0, package.len), package) &&
                     (name.len == package.len || name.ptr[package.len] == '.');
        if (is_in && package.len > best_len) {
            best = str_from_c(facts->app_labels.entries[i].value);
            best_len = package.len;
        }
    }
    if (best_len > 0)
        return best;
    size_t end = name.len;
    for (size_t i = 0; i + 6 <= name.len; i++)
        if (memcmp(name.ptr + i, "models", 6) == 0 && i > 0 && name.ptr[i - 1] == '.' &&
            (i + 6 == name.len || name.ptr[i + 6] == '.')) {
            end = i - 1;
            break;
        }
    if (end == name.len && !module->is_package)
        while (end > 0 && name.ptr[--end] != '.')
            continue;
    if (end == 0)
        return STR("app");
    size_t start = end;
    while (start > 0 && name.ptr[start - 1] != '.')
        start--;
    return str_sub(name, start, end);
}

static void build_model(struct django_facts *facts, struct model *model) {
    struct py_class *class_ = model->class_;
    struct collector collector = {.facts = facts, .model = model};
    model->is_building = true;
    struct py_class *meta = model_meta_class(facts, class_);
    model->is_abstract = model_meta_flag(facts, class_, meta, "abstract");
    model->is_proxy = model_meta_flag(facts, class_, meta, "proxy");
    model->app = app_of(facts, class_->module);
    model_meta_text(facts, meta, "app_label", &model->app);
    model->table_name = str_printf(facts->arena, "%.*s_%.*s", STR_ARG(model->app),
                                   STR_ARG(str_lower(facts->arena, model->name)));
    if (meta != NULL)
        model_meta_text(facts, meta, "db_table", &model->table_name);
    class_walk(facts, class_, collect_base, &collector);
    struct model *concrete = NULL;
    for (size_t i = collector.outside.count; i-- > 0;)
        add_outside_fields(facts, model, collector.outside.items[i]);
    for (size_t i = collector.bases.count; i-- > 1;) {
        struct model *base = class_model(facts, collector.bases.items[i]);
        if (base != NULL && !base->is_abstract)
            concrete = base;
    }
    for (size_t i = collector.bases.count; i-- > 1 && concrete == NULL;)
        add_own_fields(facts, model, collector.bases.items[i]);
    if (concrete != NULL)
        inherit_concrete(facts, model, concrete);
    for (size_t i = collector.bases.count; i-- > 1 && concrete != NULL;) {
        struct model *base = class_model(facts, collector.bases.items[i]);
        if (base == NULL || base->is_abstract)
            add_own_fields(facts, model, collector.bases.items[i]);
    }
    add_own_fields(facts, model, class_);
    if (model->pk == NULL)
        find_key(facts, model);
    model_meta_read(facts, model, meta);
    model->is_building = false;
    model->is_built = true;
}

/* auth.User has no table where the settings name another model. */
static bool is_swapped(const struct django_facts *facts, const struct py_class *class_) {
    return class_->module->is_contrib && str_is(class_->name, "User") &&
           !str_equal_nocase(facts->user_model, STR("auth.User"));
}

struct model *class_model(struct django_facts *facts, struct py_class *class_) {
    if (class_->is_model_known)
        return class_->model;
    class_->is_model_known = true;
    if (!class_walk(facts, class_, reaches_model, NULL) || is_swapped(facts, class_))
        return NULL;
    struct model *model = ARENA_NEW(facts->arena, struct model);
    class_->model = model;
    model->class_ = class_;
    model->name = class_->name;
    model->span = module_span(class_->module, class_->node);
    model->table = -1;
    build_model(facts, model);
    if (!model->is_abstract) {
        struct str name = str_lower(facts->arena, model->name);
        struct str label = str_printf(facts->arena, "%.*s.%.*s",
                                      STR_ARG(str_lower(facts->arena, model->app)), STR_ARG(name));
        VEC_PUSH(facts->arena, &facts->models, model);
        map_put(&facts->model_by_label, label, model);
        if (!map_has(&facts->model_by_name, name))
            map_put(&facts->model_by_name, name, model);
    }
    return model;
}

struct model *model_named(struct django_facts *facts, const struct model *from, struct str name) {
    name = str_lower(facts->arena, name);
    size_t dot = name.len;
    while (dot > 0 && name.ptr[dot - 1] != '.')
        dot--;
    if (dot > 0) {
        struct model *model = map_get(&facts->model_by_label, name);
        /* A label whose app is called otherwise here: a name that is unique will do. */
        return model;
    }
    struct str label = from == NULL ? name
                                    : str_printf(facts->arena, "%.*s.%.*s",
                                                 STR_ARG(str_lower(facts->arena, from->app)),
                                                 STR_ARG(name));
    struct model *model = map_get(&facts->model_by_label, label);
    return model != NULL ? model : map_get(&facts->model_by_name, name);
}

struct model *model_of_call(struct django_facts *facts, struct module *module,
                            const struct py_node *call) {
    const struct py_node *callee = call->Call.func;
    struct str name = callee->kind == PY_Attribute ? callee->Attribute.attr
                      : callee->kind == PY_Name    ? callee->Name.id
                                                   : (struct str){0};
    struct str app, model;
    if (str_is(name, "get_user_model") && call->Call.args.count == 0)
        return model_named(facts, NULL, facts->user_model);
    if (!str_is(name, "get_model") || call->Call.args.count == 0 || call->Call.args.count > 2 ||
        !constant_text(facts, module, call->Call.args.items[0], &app))
        return NULL;
    if (call->Call.args.count == 1)
        return str_find(app, '.', 0) < app.len ? model_named(facts, NULL, app) : NULL;
    if (!constant_text(facts, module, call->Call.args.items[1], &model))
        return NULL;
    return model_named(facts, NULL,
                       str_printf(facts->arena, "%.*s.%.*s", STR_ARG(app), STR_ARG(model)));
}

static struct model *target_of(struct django_facts *facts, struct model *model,
                               struct model_field *field) {
    if (field->target != NULL)
        return field->target;
    if (str_is(field->target_name, "self"))
        return model;
    if (field->target_name.len > 0)
        return model_named(facts, model, field->target_name);
    if (field->target_node == NULL)
        return NULL;
    struct symbol symbol = {0};
    if (field->target_node->kind == PY_Name && field->class_->outer != NULL) {
        const struct binding *own = class_own(field->class_->outer, field->target_node->Name.id);
        if (own != NULL)
            symbol = symbol_of_binding(facts, field->module, own);
    }
    if (symbol.kind == SYMBOL_NONE)
        symbol = symbol_of_expr(facts, field->module, field->target_node);
    if (symbol.kind == SYMBOL_CLASS)
        return class_model(facts, symbol.class_);
    struct str text;
    /* AUTH_USER_MODEL = settings.AUTH_USER_MODEL */
    for (int depth = 0; symbol.kind == SYMBOL_VALUE && symbol.value != NULL && depth < 4; depth++) {
        const struct py_node *value = symbol.value;
        /* getattr(settings, "AUTH_USER_MODEL", "auth.User") */
        if (value->kind == PY_Call && value->Call.args.count > 1 &&
            constant_text(facts, symbol.module, value->Call.args.items[1], &text) &&
            str_is(text, "AUTH_USER_MODEL"))
            return model_named(facts, NULL, facts->user_model);
        struct symbol next = symbol_of_expr(facts, symbol.module, value);
        if (next.kind == SYMBOL_NONE)
            break;
        symbol = next;
    }
    if (symbol.kind == SYMBOL_EXTERNAL && str_ends(symbol.dotted, "settings.AUTH_USER_MODEL"))
        return model_named(facts, NULL, facts->user_model);
    if (field->target_node->kind == PY_Call)
        return model_of_call(facts, field->module, field->target_node);
    if (constant_text(facts, field->module, field->target_node, &text))
        return model_named(facts, model, text);
    return NULL;
}

/* '%(class)s' and '%(app_label)s' in a related_name of an abstract base. */
static struct str expand_name(struct django_facts *facts, const struct model *model, struct str name) {
    struct buf buf = {0};
    for (size_t i = 0; i < name.len; i++) {
        struct str rest = str_sub(name, i, name.len);
        if (str_starts(rest, "%(class)s")) {
            buf_add(&buf, str_lower(facts->arena, model->name));
            i += 8;
        } else if (str_starts(rest, "%(app_label)s")) {
            buf_add(&buf, model->app);
            i += 12;
        } else {
            buf_add_char(&buf, name.ptr[i]);
        }
    }
    struct str result = str_dup(facts->arena, buf_str(&buf));
    buf_release(&buf);
    return result;
}

static void link_field(struct django_facts *facts, struct model *model, struct model_field *field) {
    field->target = target_of(facts, model, field);
    if (field->target == NULL || field->target->is_abstract) {
        field->target = NULL;
        return;
    }
    struct model *to = field->target;
    while (to->is_proxy && to->parent != NULL)
        to = to->parent;
    struct str lower = str_lower(facts->arena, model->name);
    struct reverse reverse = {.model = model, .field = field};
    reverse.query_name = reverse.accessor = expand_name(facts, model, field->related_name);
    if (reverse.accessor.len == 0) {
        reverse.query_name = lower;
        reverse.accessor = field->kind == FIELD_ONE_TO_ONE
                               ? lower
                               : str_printf(facts->arena, "%.*s_set", STR_ARG(lower));
    }
    VEC_PUSH(facts->arena, &to->reverses, reverse);
}

/* The table of a many-to-many field without a model of its own. */
static void make_through(struct django_facts *facts, struct model *model, struct model_field *field) {
    if (field->target == NULL)
        return;
    if (field->through_name.len > 0) {
        field->through = model_named(facts, model, field->through_name);
        return;
    }
    struct arena *arena = facts->arena;
    struct model *through = ARENA_NEW(arena, struct model);
    struct str from = str_lower(arena, model->name), to = str_lower(arena, field->target->name);
    bool is_self = field->target == model;
    through->class_ = model->class_;
    through->is_auto = through->is_built = true;
    through->name = str_printf(arena, "%.*s_%.*s", STR_ARG(model->name), STR_ARG(field->name));
    through->app = model->app;
    through->span = field->span;
    through->table = -1;
    through->table_name = str_printf(arena, "%.*s_%.*s", STR_ARG(model->table_name),
                                     STR_ARG(field->name));
    add_automatic_key(facts, through);
    through->pk = through->fields.items[0];
    struct model *ends[] = {model, field->target};
    struct str names[] = {is_self ? str_printf(arena, "from_%.*s", STR_ARG(from)) : from,
                          is_self ? str_printf(arena, "to_%.*s", STR_ARG(to)) : to};
    for (int i = 0; i < 2; i++) {
        struct model_field end = {.kind = FIELD_FOREIGN_KEY, .type = COLUMN_INT, .is_index = true,
                                  .has_constraint = true, .related_name = STR("+")};
        end.name = names[i];
        end.column = str_printf(arena, "%.*s_id", STR_ARG(names[i]));
        end.class_name = STR("ForeignKey");
        end.target = ends[i];
        end.module = field->module;
        end.class_ = field->class_;
        end.span = field->span;
        add_field(facts, through, &end, false);
        /* Hidden, but deleting one end deletes the links. */
        struct reverse reverse = {STR("+"), STR("+"), through,
                                  through->fields.items[through->fields.count - 1]};
        VEC_PUSH(arena, &ends[i]->reverses, reverse);
    }
    VEC_PUSH(arena, &through->unique_sets,
             str_printf(arena, "%.*s,%.*s", STR_ARG(names[0]), STR_ARG(names[1])));
    VEC_PUSH(arena, &through->unique_conditions, (struct str){0});
    VEC_PUSH(arena, &facts->models, through);
    field->through = through;
}

/* X = TranslatedFields(name=models.CharField(), ...) of django-parler: a table with a row for each language. */
static void make_translations(struct django_facts *facts, struct model *model, struct py_class *class_,
                              struct str name, const struct py_node *call) {
    struct arena *arena = facts->arena;
    struct model *made = ARENA_NEW(arena, struct model);
    made->class_ = model->class_;
    made->is_auto = made->is_built = true;
    made->name = str_printf(arena, "%.*sTranslation", STR_ARG(model->name));
    made->app = model->app;
    made->span = module_span(class_->module, call);
    made->table = -1;
    made->table_name = str_printf(arena, "%.*s_translation", STR_ARG(model->table_name));
    add_automatic_key(facts, made);
    made->pk = made->fields.items[0];
    struct model_field language = {.type = COLUMN_TEXT, .is_index = true, .module = class_->module, .class_ = class_,
                                   .span = made->span};
    language.name = language.column = STR("language_code");
    language.class_name = STR("CharField");
    language.type_text = STR("varchar(15)");
    add_field(facts, made, &language, false);
    for (uint32_t i = 0; i < call->Call.keywords.count; i++) {
        const struct py_node *keyword = call->Call.keywords.items[i];
        struct model_field field;
        if (keyword->keyword.arg.ptr != NULL &&
            field_read(facts, class_, keyword->keyword.arg, keyword->keyword.value, &field) &&
            field.kind == FIELD_PLAIN)
            add_field(facts, made, &field, false);
    }
    struct model_field master = {.kind = FIELD_FOREIGN_KEY, .type = COLUMN_INT, .is_index = true, .is_null = true,
                                 .has_constraint = true, .module = class_->module, .class_ = class_,
                                 .span = made->span};
    master.name = STR("master");
    master.column = STR("master_id");
    master.class_name = STR("ForeignKey");
    master.target = model;
    master.related_name = name;
    add_field(facts, made, &master, false);
    struct reverse reverse = {name, name, made, made->fields.items[made->fields.count - 1]};
    VEC_PUSH(arena, &model->reverses, reverse);
    VEC_PUSH(arena, &made->unique_sets, STR("language_code,master"));
    VEC_PUSH(arena, &made->unique_conditions, (struct str){0});
    VEC_PUSH(arena, &facts->models, made);
    model->translations = made;
}

struct translating {
    struct django_facts *facts;
    struct model *model;
};

/* Of the class itself and its abstract bases. */
static bool find_translations(void *context, struct py_class *class_, struct str dotted) {
    struct translating *at = context;
    (void)dotted;
    if (class_ == NULL || (class_ != at->model->class_ && class_->model != NULL && !class_->model->is_abstract))
        return false;
    for (size_t i = 0; i < class_->names.count && at->model->translations == NULL; i++) {
        const struct binding *binding = class_->names.entries[i].value;
        if (binding->kind != BIND_VALUE || binding->value == NULL || binding->value->kind != PY_Call)
            continue;
        struct symbol symbol = symbol_of_expr(at->facts, class_->module, binding->value->Call.func);
        if (symbol.kind == SYMBOL_EXTERNAL && str_starts(symbol.dotted, "parler.") &&
            str_ends(symbol.dotted, ".TranslatedFields"))
            make_translations(at->facts, at->model, class_, class_->names.entries[i].key, binding->value);
    }
    return false;
}

void models_build(struct django_facts *facts) {
    for (size_t i = 0; i < facts->classes.count; i++)
        class_model(facts, facts->classes.items[i]);
    size_t count = facts->models.count;
    for (size_t i = 0; i < count; i++) {
        struct model *model = facts->models.items[i];
        for (size_t j = 0; j < model->fields.count && !model->is_proxy; j++)
            if (model->fields.items[j]->kind != FIELD_PLAIN)
                link_field(facts, model, model->fields.items[j]);
    }
    for (size_t i = 0; i < count; i++) {
        struct model *model = facts->models.items[i];
        for (size_t j = 0; j < model->fields.count && !model->is_proxy; j++)
            if (model->fields.items[j]->kind == FIELD_MANY_TO_MANY)
                make_through(facts, model, model->fields.items[j]);
    }
    for (size_t i = 0; i < count; i++) {
        struct translating at = {facts, facts->models.items[i]};
        if (!at.model->is_proxy)
            class_walk(facts, at.model->class_, find_translations, &at);
    }
}
