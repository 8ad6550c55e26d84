/* Model fields: which class makes which column, and what a field's arguments say. */
#include "base/assert.h"
#include "django/facts.h"
#include "python/value.h"

struct field_class {
    const char *name;
    enum column_type type;
    const char *type_text; /* %: replaced by max_length */
    bool is_serial;
};

/* In alphabetical order; searched once for each field of the project. */
static const struct field_class field_classes[] = {
    {"AutoField", COLUMN_INT, "integer", true},
    {"BigAutoField", COLUMN_INT, "bigint", true},
    {"SmallAutoField", COLUMN_INT, "smallint", true},
    {"BigIntegerField", COLUMN_INT, "bigint", false},
    {"BinaryField", COLUMN_OTHER, "bytea", false},
    {"BooleanField", COLUMN_BOOL, "boolean", false},
    {"NullBooleanField", COLUMN_BOOL, "boolean", false},
    {"CharField", COLUMN_TEXT, "varchar(%)", false},
    {"CommaSeparatedIntegerField", COLUMN_TEXT, "varchar(%)", false},
    {"DateField", COLUMN_TIME, "date", false},
    {"DateTimeField", COLUMN_TIME, "timestamp", false},
    {"DecimalField", COLUMN_DECIMAL, "numeric", false},
    {"DurationField", COLUMN_INT, "bigint", false},
    {"EmailField", COLUMN_TEXT, "varchar(254)", false},
    {"FileField", COLUMN_TEXT, "varchar(100)", false},
    {"FilePathField", COLUMN_TEXT, "varchar(100)", false},
    {"FloatField", COLUMN_DECIMAL, "double precision", false},
    {"GenericIPAddressField", COLUMN_TEXT, "varchar(39)", false},
    {"IPAddressField", COLUMN_TEXT, "varchar(15)", false},
    {"ImageField", COLUMN_TEXT, "varchar(100)", false},
    {"IntegerField", COLUMN_INT, "integer", false},
    {"JSONField", COLUMN_OTHER, "json", false},
    {"PositiveBigIntegerField", COLUMN_INT, "bigint", false},
    {"PositiveIntegerField", COLUMN_INT, "integer", false},
    {"PositiveSmallIntegerField", COLUMN_INT, "smallint", false},
    {"SlugField", COLUMN_TEXT, "varchar(50)", false},
    {"SmallIntegerField", COLUMN_INT, "smallint", false},
    {"TextField", COLUMN_TEXT, "text", false},
    {"TimeField", COLUMN_TIME, "time", false},
    {"URLField", COLUMN_TEXT, "varchar(200)", false},
    {"UUIDField", COLUMN_OTHER, "uuid", false},
    {"ArrayField", COLUMN_OTHER, "array", false},
    {"HStoreField", COLUMN_OTHER, "hstore", false},
};

static struct str last_part(struct str dotted) {
    size_t dot = dotted.len;
    while (dot > 0 && dotted.ptr[dot - 1] != '.')
        dot--;
    return str_sub(dotted, dot, dotted.len);
}

static const struct field_class *field_class_named(struct str name) {
    for (size_t i = 0; i < LW_COUNT_OF(field_classes); i++)
        if (str_is(name, field_classes[i].name))
            return &field_classes[i];
    return NULL;
}

static bool is_relation(struct str name, enum field_kind *kind) {
    *kind = str_ends(name, "ForeignKey") && !str_is(name, "GenericForeignKey") ? FIELD_FOREIGN_KEY
            : str_is(name, "OneToOneField") || str_is(name, "AutoOneToOneField")
                ? FIELD_ONE_TO_ONE
            : str_is(name, "ManyToManyField") ? FIELD_MANY_TO_MANY
                                              : FIELD_PLAIN;
    return *kind != FIELD_PLAIN;
}

struct base_field {
    struct str name;
};

static bool find_field_base(void *context, struct py_class *class_, struct str dotted) {
    struct base_field *base = context;
    enum field_kind kind;
    if (class_ != NULL)
        return false;
    struct str name = last_part(dotted);
    if (field_class_named(name) == NULL && !is_relation(name, &kind) && !str_ends(name, "Field"))
        return false;
    base->name = name;
    return true;
}

/* The name of the field class that a call makes: Django's own, also below a class of the project. */
static struct str called_field(struct django_facts *facts, struct py_class *class_,
                               const struct py_node *call) {
    struct symbol symbol = symbol_of_expr(facts, class_->module, call->Call.func);
    if (symbol.kind == SYMBOL_EXTERNAL)
        return last_part(symbol.dotted);
    if (symbol.kind == SYMBOL_CLASS) {
        struct base_field base = {{0}};
        class_walk(facts, symbol.class_, find_field_base, &base);
        return base.name;
    }
    return (struct str){0};
}

static const struct py_node *argument(const struct py_node *call, uint32_t position, const char *name) {
    for (uint32_t i = 0; i < call->Call.keywords.count; i++)
        if (str_is(call->Call.keywords.items[i]->keyword.arg, name))
            return call->Call.keywords.items[i]->keyword.value;
    return position < call->Call.args.count ? call->Call.args.items[position] : NULL;
}

enum { BY_NAME_ONLY = 99 };

static bool flag(struct django_facts *facts, struct py_class *class_, const struct py_node *call,
                 const char *name, bool otherwise) {
    const struct py_node *node = argument(call, BY_NAME_ONLY, name);
    struct value value;
    if (node == NULL || !constant_value(facts, class_->module, class_, node, &value))
        return otherwise;
    return value.kind != VALUE_NULL && value.number != 0;
}

static struct str text_at(struct django_facts *facts, struct py_class *class_,
                          const struct py_node *call, uint32_t position, const char *name) {
    const struct py_node *node = argument(call, position, name);
    struct str text = {0};
    if (node != NULL && !constant_text(facts, class_->module, node, &text))
        return (struct str){0};
    return text;
}

static struct str text_argument(struct django_facts *facts, struct py_class *class_,
                                const struct py_node *call, const char *name) {
    return text_at(facts, class_, call, BY_NAME_ONLY, name);
}

static enum on_delete on_delete_of(const struct py_node *node) {
    if (node == NULL)
        return ON_DELETE_CASCADE;
    struct str name = node->kind == PY_Attribute ? node->Attribute.attr
                      : node->kind == PY_Name    ? node->Name.id
                                                 : (struct str){0};
    if (str_is(name, "CASCADE"))
        return ON_DELETE_CASCADE;
    if (str_is(name, "PROTECT") || str_is(name, "RESTRICT"))
        return ON_DELETE_PROTECT;
    if (str_is(name, "SET_NULL"))
        return ON_DELETE_SET_NULL;
    return ON_DELETE_OTHER;
}

static void read_relation(struct django_facts *facts, struct py_class *class_,
                          const struct py_node *call, struct model_field *field) {
    const struct py_node *to = argument(call, 0, "to");
    bool is_many = field->kind == FIELD_MANY_TO_MANY;
    field->type = COLUMN_INT;
    field->target_node = to;
    if (to != NULL && to->kind == PY_Constant && to->constant == PY_CONST_Str)
        py_string_value(facts->arena, to, &field->target_name);
    const struct py_node *on_delete = argument(call, is_many ? BY_NAME_ONLY : 1, "on_delete");
    field->on_delete = on_delete_of(on_delete);
    field->has_constraint = flag(facts, class_, call, "db_constraint", true);
    /* (to, on_delete, related_name), (to, related_name); OneToOneField(to, on_delete, to_field). */
    uint32_t related_at = is_many ? 1 : field->kind == FIELD_FOREIGN_KEY ? 2 : BY_NAME_ONLY;
    field->related_name = text_at(facts, class_, call, related_at, "related_name");
    field->through_name = text_argument(facts, class_, call, "through");
    const struct py_node *through = argument(call, BY_NAME_ONLY, "through");
    if (through != NULL && through->kind == PY_Name)
        field->through_name = through->Name.id;
    field->is_unique |= field->kind == FIELD_ONE_TO_ONE;
    field->is_parent_link = flag(facts, class_, call, "parent_link", false);
    field->is_index = flag(facts, class_, call, "db_index", true) && !is_many;
    struct str column = text_argument(facts, class_, call, "db_column");
    field->column = column.len > 0 ? column
                                   : str_printf(facts->arena, "%.*s_id", STR_ARG(field->name));
}

bool field_read(struct django_facts *facts, struct py_class *class_, struct str name,
                const struct py_node *call, struct model_field *field) {
    if (call == NULL || call->kind != PY_Call)
        return false;
    memset(field, 0, sizeof(*field));
    field->class_name = called_field(facts, class_, call);
    bool is_related = is_relation(field->class_name, &field->kind);
    const struct field_class *known = field_class_named(field->class_name);
    bool is_generic = str_starts(field->class_name, "Generic") && known == NULL;
    if (is_generic || (known == NULL && !is_related && !str_ends(field->class_name, "Field")))
        return false;
    field->name = name;
    field->module = class_->module;
    field->class_ = class_;
    field->span = module_span(class_->module, call);
    field->is_null = flag(facts, class_, call, "null", str_is(field->class_name, "NullBooleanField"));
    field->is_unique = flag(facts, class_, call, "unique", false);
    field->is_primary = flag(facts, class_, call, "primary_key", false);
    field->is_index = flag(facts, class_, call, "db_index", str_is(field->class_name, "SlugField"));
    field->is_auto_now = flag(facts, class_, call, "auto_now", false);
    field->is_auto_now_add = flag(facts, class_, call, "auto_now_add", false);
    field->is_editable = flag(facts, class_, call, "editable", true) && !field->is_auto_now &&
                         !field->is_auto_now_add;
    field->default_node = argument(call, BY_NAME_ONLY, "default");
    if (is_related) {
        read_relation(facts, class_, call, field);
        return true;
    }
    struct str column = text_argument(facts, class_, call, "db_column");
    field->column = column.len > 0 ? column : name;
    field->type = known != NULL ? known->type : COLUMN_OTHER;
    field->is_serial = known != NULL && known->is_serial;
    field->type_text = known != NULL ? str_from_c(known->type_text) : STR("text");
    const struct py_node *length = argument(call, BY_NAME_ONLY, "max_length");
    struct value value;
    if (str_ends(field->type_text, "(%)")) {
        bool is_known = length != NULL && constant_value(facts, class_->module, class_, length, &value) &&
                        value.kind == VALUE_INT;
        field->type_text = is_known ? str_printf(facts->arena, "varchar(%lld)", (long long)value.number)
                                    : STR("varchar(255)");
    }
    return true;
}

struct model_field *model_field(const struct model *model, struct str name) {
    for (size_t i = 0; i < model->fields.count; i++)
        if (str_equal(model->fields.items[i]->name, name))
            return model->fields.items[i];
    return NULL;
}

struct model_field *model_attribute(const struct model *model, struct str name) {
    if (str_is(name, "pk"))
        return model->pk;
    for (size_t i = 0; i < model->fields.count; i++) {
        struct model_field *field = model->fields.items[i];
        if (str_equal(field->name, name))
            return field;
        if (field->kind != FIELD_PLAIN && field->kind != FIELD_MANY_TO_MANY &&
            name.len == field->name.len + 3 && str_ends(name, "_id") &&
            str_equal(str_sub(name, 0, field->name.len), field->name))
            return field;
    }
    return NULL;
}

struct reverse *model_reverse(const struct model *model, struct str name, bool is_query) {
    for (size_t i = 0; i < model->reverses.count; i++) {
        struct reverse *reverse = &model->reverses.items[i];
        if (str_equal(is_query ? reverse->query_name : reverse->accessor, name))
            return reverse;
    }
    return NULL;
}
