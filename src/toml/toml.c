/* Tables and their rules (TOML 1.0, "Keys" to "Array of Tables"). What may be defined again depends on how it was
 * defined: a header defines a table once; dotted keys define tables that their own section may add to; values in braces
 * and brackets can't be added to at all. Where the text leaves a question open it is answered as Python's tomllib does. */
#include "toml/toml.h"

#include "base/utf8.h"
#include "base/vec.h"
#include "toml/reader.h"

#include <stdarg.h>

struct parser {
    struct toml_reader r;
    struct toml_value *root;
    struct toml_value *table; /* of the last header */
    unsigned section;         /* counts headers */
};

/* The parts of a dotted key. */
struct key {
    VEC(struct str) parts;
    VEC(size_t) offsets;
};

const char *toml_kind_name(enum toml_kind kind) {
    static const char *const names[] = {"a string", "an integer", "a float", "a boolean",
                                        "a date or time", "an array", "a table"};
    return names[kind];
}

bool toml_fail(struct toml_reader *r, size_t offset, const char *format, ...) {
    char message[ERR_MESSAGE_BYTES];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    return err_set(r->err, pos_of_offset(r->text, offset), "no TOML: %s", message);
}

const struct toml_value *toml_member(const struct toml_value *table, struct str name) {
    return table != NULL && table->kind == TOML_TABLE ? map_get(&table->by_name, name) : NULL;
}

static struct toml_value *value_new(struct toml_reader *r, enum toml_kind kind, size_t offset) {
    struct toml_value *value = ARENA_NEW(r->arena, struct toml_value);
    value->kind = kind;
    value->offset = offset;
    map_init(&value->by_name, r->arena);
    return value;
}

static void append(struct toml_value *into, struct toml_value *value) {
    if (into->last == NULL)
        into->first = value;
    else
        into->last->next = value;
    into->last = value;
}

static void add_member(struct toml_value *table, struct str name, size_t offset,
                       struct toml_value *value) {
    value->name = name;
    value->name_offset = offset;
    append(table, value);
    map_put(&table->by_name, name, value);
}

static void skip_blanks(struct toml_reader *r) {
    while (toml_peek(r, 0) == ' ' || toml_peek(r, 0) == '\t')
        r->at++;
}

static bool skip_comment(struct toml_reader *r) {
    if (toml_peek(r, 0) != '#')
        return true;
    while (r->at < r->text.len && toml_line_end(r) == 0) {
        unsigned char byte = (unsigned char)r->text.ptr[r->at];
        if ((byte < 0x20 && byte != '\t') || byte == 0x7f)
            return toml_fail(r, r->at, "a control character in a comment");
        r->at++;
    }
    return true;
}

/* Blanks, comments and line ends, as between the values of an array. */
static bool skip_lines(struct toml_reader *r) {
    do {
        r->at += toml_line_end(r);
        skip_blanks(r);
        if (!skip_comment(r))
            return false;
    } while (toml_line_end(r) > 0);
    return true;
}

static bool end_line(struct toml_reader *r) {
    skip_blanks(r);
    if (!skip_comment(r))
        return false;
    if (r->at < r->text.len && toml_line_end(r) == 0)
        return toml_fail(r, r->at, "a line end is wanted here");
    r->at += toml_line_end(r);
    return true;
}

/* ---- Keys ---- */

static bool is_bare(char byte) {
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= '0' && byte <= '9') || byte == '_' || byte == '-';
}

static bool read_key(struct toml_reader *r, struct key *key) {
    for (;;) {
        struct str part;
        size_t from = r->at;
        if (toml_peek(r, 0) == '"' || toml_peek(r, 0) == '\'') {
            if (!toml_read_string(r, true, &part))
                return false;
        } else {
            while (is_bare(toml_peek(r, 0)))
                r->at++;
            part = str_sub(r->text, from, r->at);
            if (part.len == 0)
                return toml_fail(r, from, "a key is wanted here");
        }
        VEC_PUSH(r->arena, &key->parts, part);
        VEC_PUSH(r->arena, &key->offsets, from);
        skip_blanks(r);
        if (toml_peek(r, 0) != '.')
            return true;
        r->at++;
        skip_blanks(r);
    }
}

static bool is_defined(const struct parser *p, const struct toml_value *value) {
    return value->explicit_since != 0 && value->explicit_since <= p->section;
}

/* The table that part `i` of a key leads to, from `table`; made, if it isn't there. `from_dots`: in a key, not a header.
 * Of an array of tables it is the last. NULL: an error. */
static struct toml_value *step(struct parser *p, struct toml_value *table, const struct key *key,
                               size_t i, bool from_dots) {
    struct str name = key->parts.items[i];
    size_t offset = key->offsets.items[i];
    struct toml_value *inner = map_get(&table->by_name, name);
    if (inner == NULL) {
        inner = value_new(&p->r, TOML_TABLE, offset);
        add_member(table, name, offset, inner);
    } else if (from_dots && is_defined(p, inner)) {
        toml_fail(&p->r, offset, "'%.*s' is defined already, elsewhere", STR_ARG(name));
        return NULL;
    }
    if (from_dots && inner->explicit_since == 0)
        inner->explicit_since = p->section + 1; /* closed when its section ends */
    if (inner->is_frozen) {
        toml_fail(&p->r, offset, "'%.*s' is a value: nothing can be added to it", STR_ARG(name));
        return NULL;
    }
    if (inner->kind == TOML_ARRAY)
        inner = inner->last;
    if (inner == NULL || inner->kind != TOML_TABLE) {
        toml_fail(&p->r, offset, "'%.*s' is no table", STR_ARG(name));
        return NULL;
    }
    return inner;
}

static bool read_value(struct parser *p, int depth, struct toml_value **value);

/* `key = value`, into `table`. */
static bool read_pair(struct parser *p, int depth, struct toml_value *table) {
    struct toml_reader *r = &p->r;
    struct key key = {0};
    struct toml_value *value;
    if (!read_key(r, &key))
        return false;
    if (toml_peek(r, 0) != '=')
        return toml_fail(r, r->at, "'=' is wanted here");
    r->at++;
    skip_blanks(r);
    if (!read_value(p, depth, &value))
        return false;
    size_t last = key.parts.count - 1;
    for (size_t i = 0; i < last; i++) {
        table = step(p, table, &key, i, true);
        if (table == NULL)
            return false;
    }
    struct str name = key.parts.items[last];
    if (map_has(&table->by_name, name))
        return toml_fail(r, key.offsets.items[last], "'%.*s' is there already", STR_ARG(name));
    value->is_frozen = value->kind == TOML_ARRAY || value->kind == TOML_TABLE;
    add_member(table, name, key.offsets.items[last], value);
    return true;
}

/* ---- Values ---- */

static bool read_array(struct parser *p, int depth, struct toml_value *array) {
    struct toml_reader *r = &p->r;
    for (r->at++;;) {
        struct toml_value *value;
        if (!skip_lines(r))
            return false;
        if (toml_peek(r, 0) == ']')
            break;
        if (!read_value(p, depth, &value))
            return false;
        append(array, value);
        if (!skip_lines(r))
            return false;
        if (toml_peek(r, 0) == ']')
            break;
        if (toml_peek(r, 0) != ',')
            return toml_fail(r, r->at, "',' or ']' is wanted here");
        r->at++;
    }
    r->at++;
    return true;
}

/* Keys with dots in braces may add to each other, and to nothing else. */
static bool read_inline_table(struct parser *p, int depth, struct toml_value *table) {
    struct toml_reader *r = &p->r;
    r->at++;
    skip_blanks(r);
    if (toml_peek(r, 0) == '}') {
        r->at++;
        return true;
    }
    for (;;) {
        if (!read_pair(p, depth, table))
            return false;
        skip_blanks(r);
        if (toml_peek(r, 0) == '}')
            break;
        if (toml_peek(r, 0) != ',')
            return toml_fail(r, r->at, "',' or '}' is wanted here");
        r->at++;
        skip_blanks(r);
    }
    r->at++;
    return true;
}

static bool read_value(struct parser *p, int depth, struct toml_value **value) {
    struct toml_reader *r = &p->r;
    char byte = toml_peek(r, 0);
    *value = value_new(r, TOML_STRING, r->at);
    if (depth == TOML_NESTING_MAX)
        return toml_fail(r, r->at, "it is nested too deeply");
    if (byte == '"' || byte == '\'')
        return toml_read_string(r, false, &(*value)->text);
    if (byte == '[') {
        (*value)->kind = TOML_ARRAY;
        return read_array(p, depth + 1, *value);
    }
    if (byte == '{') {
        (*value)->kind = TOML_TABLE;
        return read_inline_table(p, depth + 1, *value);
    }
    return toml_read_scalar(r, *value);
}

/* ---- Headers ---- */

/* `[[a.b]]`: one more table in the array b. */
static bool open_element(struct parser *p, struct toml_value *outer, const struct key *key) {
    size_t last = key->parts.count - 1, offset = key->offsets.items[last];
    struct str name = key->parts.items[last];
    struct toml_value *array = map_get(&outer->by_name, name);
    if (array == NULL) {
        array = value_new(&p->r, TOML_ARRAY, offset);
        add_member(outer, name, offset, array);
    }
    if (array->kind != TOML_ARRAY || array->is_frozen)
        return toml_fail(&p->r, offset, "'%.*s' is no array of tables", STR_ARG(name));
    array->explicit_since = p->section;
    p->table = value_new(&p->r, TOML_TABLE, offset);
    append(array, p->table);
    return true;
}

static bool open_table(struct parser *p, struct toml_value *outer, const struct key *key) {
    size_t last = key->parts.count - 1, offset = key->offsets.items[last];
    struct str name = key->parts.items[last];
    struct toml_value *table = map_get(&outer->by_name, name);
    if (table != NULL && is_defined(p, table))
        return toml_fail(&p->r, offset, "'%.*s' is defined already", STR_ARG(name));
    p->table = step(p, outer, key, last, false);
    if (p->table == NULL)
        return false;
    p->table->explicit_since = p->section;
    p->table->offset = offset;
    return true;
}

static bool read_header(struct parser *p) {
    struct toml_reader *r = &p->r;
    bool is_element = toml_peek(r, 1) == '[';
    struct key key = {0};
    struct toml_value *outer = p->root;
    p->section++;
    r->at += is_element ? 2 : 1;
    skip_blanks(r);
    if (!read_key(r, &key))
        return false;
    if (toml_peek(r, 0) != ']' || (is_element && toml_peek(r, 1) != ']'))
        return toml_fail(r, r->at, is_element ? "']]' is wanted here" : "']' is wanted here");
    r->at += is_element ? 2 : 1;
    for (size_t i = 0; i + 1 < key.parts.count; i++) {
        outer = step(p, outer, &key, i, false);
        if (outer == NULL)
            return false;
    }
    return is_element ? open_element(p, outer, &key) : open_table(p, outer, &key);
}

static bool check_encoding(struct toml_reader *r) {
    for (size_t at = 0, len; at < r->text.len; at += len) {
        len = utf8_sequence_len(str_sub(r->text, at, r->text.len));
        if (len == 0)
            return toml_fail(r, at, "not valid UTF-8");
    }
    return true;
}

bool toml_parse(struct arena *arena, struct str text, struct toml_value **root, struct err *err) {
    struct parser parser = {.r = {.arena = arena, .text = text, .err = err}}, *p = &parser;
    struct toml_reader *r = &p->r;
    if (!check_encoding(r))
        return false;
    p->root = p->table = *root = value_new(r, TOML_TABLE, 0);
    for (;;) {
        if (!skip_lines(r))
            return false;
        if (r->at == text.len)
            return true;
        bool ok = toml_peek(r, 0) == '[' ? read_header(p) : read_pair(p, 0, p->table);
        if (!ok || !end_line(r))
            return false;
    }
}
