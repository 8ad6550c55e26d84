/* A finding in a baseline is known by its code, its function and its statement: not by its line, which moves, nor by its
 * id, in which the other writer is, who may be another one tomorrow. */
#include "base/json.h"
#include "triage/directive.h"

#include <stdarg.h>
#include <stdlib.h>

enum { BASELINE_VERSION = 1, COUNT_MAX = 1000000 };

struct entry {
    enum rule rule;
    struct str symbol, statement;
    size_t count;
    size_t left; /* of `count`: not met yet */
    struct txn_span span;
};

static bool is_blank(char byte) {
    return byte == ' ' || byte == '\t' || byte == '\f' || byte == '\n' || byte == '\r';
}

static bool opens(char byte) {
    return byte == '(' || byte == '[' || byte == '{';
}

static bool closes(char byte) {
    return byte == ')' || byte == ']' || byte == '}';
}

/* The first comment that does not begin before `offset`. */
static uint32_t comment_from(const struct py_module *module, uint32_t offset) {
    uint32_t low = 0, high = module->comment_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (module->comments[middle].start < offset)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* A byte of the statement that is no blank; `has_blank`: one stood before it. */
static void add_byte(struct buf *out, char byte, bool has_blank) {
    char before = out->len > 0 ? out->ptr[out->len - 1] : '(';
    if (closes(byte) && before == ',') { /* black's trailing comma */
        out->ptr[--out->len] = '\0';
    } else if (has_blank && !opens(before) && !closes(byte)) {
        buf_add_char(out, ' ');
    }
    buf_add_char(out, byte);
}

struct str triage_statement(struct triage *triage, struct str path, uint32_t line) {
    const struct py_module *module = triage->module(triage->context, path);
    if (module == NULL || line == 0 || line > module->line_count)
        return (struct str){0};
    struct py_joined lines = py_statement_lines(module, line);
    uint32_t at = module->line_starts[lines.first - 1];
    uint32_t end = lines.last < module->line_count ? module->line_starts[lines.last]
                                                   : (uint32_t)module->text.len;
    uint32_t comment = comment_from(module, at);
    struct buf out = {0};
    bool has_blank = false;
    while (at < end) {
        char byte = module->text.ptr[at];
        bool is_joint = byte == '\\' && at + 1 < end && is_blank(module->text.ptr[at + 1]);
        if (comment < module->comment_count && module->comments[comment].start == at) {
            at = module->comments[comment++].end;
            continue;
        }
        if (!is_blank(byte) && !is_joint)
            add_byte(&out, byte, has_blank);
        has_blank = is_blank(byte) || is_joint;
        at++;
    }
    struct str text = str_dup(triage->arena, buf_str(&out));
    buf_release(&out);
    return text;
}

/* ---- Writing ---- */

static int compare_entries(const void *a, const void *b) {
    const struct entry *left = a, *right = b;
    int order = str_compare(left->symbol, right->symbol);
    if (order == 0)
        order = (int)left->rule - (int)right->rule;
    return order != 0 ? order : str_compare(left->statement, right->statement);
}

static void print_entry(const struct entry *entry, bool is_last, struct buf *out) {
    buf_printf(out, "    {\"code\": \"%s\", \"symbol\": ", rule_code(entry->rule));
    buf_add_json(out, entry->symbol);
    buf_add_c(out, ", \"statement\": ");
    buf_add_json(out, entry->statement);
    buf_printf(out, ", \"count\": %zu}%s\n", entry->count, is_last ? "" : ",");
}

void baseline_print(struct triage *triage, const struct findings *findings, struct buf *out) {
    size_t count = findings->items.count, kept = 0;
    struct entry *entries = ARENA_ARRAY(triage->arena, struct entry, count);
    for (size_t i = 0; i < count; i++) {
        const struct finding *finding = &findings->items.items[i];
        entries[i] = (struct entry){
            .rule = finding->rule,
            .symbol = finding->symbol,
            .statement = triage_statement(triage, finding->span.path, finding->span.start.line),
            .count = 1};
    }
    if (count > 1)
        qsort(entries, count, sizeof(*entries), compare_entries);
    for (size_t i = 0; i < count; i++) {
        if (kept > 0 && compare_entries(&entries[kept - 1], &entries[i]) == 0)
            entries[kept - 1].count++;
        else
            entries[kept++] = entries[i];
    }
    buf_printf(out, "{\n  \"version\": %d,\n  \"findings\": [%s", BASELINE_VERSION,
               kept > 0 ? "\n" : "");
    for (size_t i = 0; i < kept; i++)
        print_entry(&entries[i], i + 1 == kept, out);
    buf_printf(out, "%s]\n}\n", kept > 0 ? "  " : "");
}

/* ---- Reading ---- */

struct reader {
    struct arena *arena;
    struct str text;
    struct baseline *baseline;
    struct err *err;
};

__attribute__((format(printf, 3, 4))) static bool fail(struct reader *r,
                                                       const struct json_value *at,
                                                       const char *format, ...) {
    char message[ERR_MESSAGE_BYTES];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    return err_set(r->err, pos_of_offset(r->text, at->offset), "no baseline: %s", message);
}

static struct str entry_key(struct arena *arena, enum rule rule, struct str symbol,
                            struct str statement) {
    return str_printf(arena, "%s %.*s %.*s", rule_code(rule), STR_ARG(symbol), STR_ARG(statement));
}

static bool read_text(struct reader *r, const struct json_value *object, const char *name,
                      struct str *text) {
    const struct json_value *value = json_member(object, name);
    if (value == NULL)
        return fail(r, object, "an entry without \"%s\"", name);
    if (value->kind != JSON_STRING)
        return fail(r, value, "\"%s\" wants a string", name);
    *text = value->text;
    return true;
}

static bool check_members(struct reader *r, const struct json_value *object,
                          const char *const *names, size_t count) {
    for (const struct json_value *member = object->first; member != NULL; member = member->next) {
        bool is_known = false;
        for (size_t i = 0; i < count; i++)
            is_known |= str_is(member->name, names[i]);
        if (!is_known)
            return fail(r, member, "unknown member \"%.*s\"", STR_ARG(member->name));
    }
    return true;
}

static bool read_entry(struct reader *r, const struct json_value *value, struct pos pos) {
    static const char *const names[] = {"code", "symbol", "statement", "count"};
    struct entry entry = {.span = {.path = r->baseline->path, .start = pos, .end = pos}};
    struct str code;
    if (value->kind != JSON_OBJECT)
        return fail(r, value, "an entry is an object");
    if (!check_members(r, value, names, sizeof(names) / sizeof(names[0])) ||
        !read_text(r, value, "code", &code) || !read_text(r, value, "symbol", &entry.symbol) ||
        !read_text(r, value, "statement", &entry.statement))
        return false;
    if (!rule_parse(code, &entry.rule))
        return fail(r, json_member(value, "code"), "unknown code '%.*s'", STR_ARG(code));
    const struct json_value *count = json_member(value, "count");
    if (!json_count(count, COUNT_MAX, &entry.count) || entry.count == 0)
        return fail(r, count != NULL ? count : value, "\"count\" wants a number from 1 to %d",
                    COUNT_MAX);
    struct str key = entry_key(r->arena, entry.rule, entry.symbol, entry.statement);
    struct entry *known = map_get(&r->baseline->entries, key);
    if (known == NULL) {
        known = ARENA_NEW(r->arena, struct entry);
        *known = entry;
        map_put(&r->baseline->entries, key, known);
    } else {
        known->count += entry.count;
    }
    known->left = known->count;
    return true;
}

/* Offsets that ascend to positions, in one pass over the text. */
struct place {
    size_t offset;
    struct pos pos;
};

static struct pos advance_to(struct str text, struct place *place, size_t offset) {
    for (; place->offset < offset; place->offset++) {
        bool is_end = text.ptr[place->offset] == '\n';
        place->pos.line += is_end;
        place->pos.column = is_end ? 1 : place->pos.column + 1;
    }
    return place->pos;
}

bool baseline_parse(struct arena *arena, struct str path, struct str text,
                    struct baseline *baseline, struct err *err) {
    static const char *const names[] = {"version", "findings"};
    struct reader reader = {arena, text, baseline, err}, *r = &reader;
    struct json_value *root;
    size_t version;
    baseline->path = path;
    map_init(&baseline->entries, arena);
    if (!json_parse(arena, text, &root, err))
        return false;
    if (root->kind != JSON_OBJECT)
        return fail(r, root, "it is no object");
    const struct json_value *number = json_member(root, "version");
    const struct json_value *list = json_member(root, "findings");
    if (number == NULL)
        return fail(r, root, "it has no \"version\"");
    if (!json_count(number, BASELINE_VERSION, &version) || version != BASELINE_VERSION)
        return fail(r, number, "this lostwrite reads version %d only", BASELINE_VERSION);
    if (!check_members(r, root, names, sizeof(names) / sizeof(names[0])))
        return false;
    if (list == NULL || list->kind != JSON_ARRAY)
        return fail(r, list != NULL ? list : root, "\"findings\" is to be an array");
    struct place place = {0, {1, 1}};
    for (const struct json_value *entry = list->first; entry != NULL; entry = entry->next)
        if (!read_entry(r, entry, advance_to(text, &place, entry->offset)))
            return false;
    return true;
}

/* ---- Comparing ---- */

static void warn_of_stale(struct triage *triage, const struct entry *entry) {
    struct str times = {0};
    if (entry->left == 0 || (triage->rules >> entry->rule & 1) == 0)
        return;
    triage->stale_count += entry->left;
    if (entry->count > 1)
        times = str_printf(triage->arena, " (%zu of %zu)", entry->left, entry->count);
    triage_warn(triage, entry->span, true,
                str_printf(triage->arena, "no longer found: %s in %.*s: %.*s%.*s",
                           rule_code(entry->rule), STR_ARG(entry->symbol),
                           STR_ARG(entry->statement), STR_ARG(times)));
}

void triage_baseline(struct triage *triage, struct baseline *baseline, struct findings *findings) {
    struct arena scratch = {0};
    for (size_t i = 0; i < findings->items.count; i++) {
        struct finding *finding = &findings->items.items[i];
        if (finding->suppression.kind != SUPPRESSION_NONE)
            continue;
        struct str statement =
            triage_statement(triage, finding->span.path, finding->span.start.line);
        struct entry *entry = map_get(&baseline->entries, entry_key(&scratch, finding->rule,
                                                                     finding->symbol, statement));
        if (entry == NULL || entry->left == 0)
            continue;
        entry->left--;
        finding->suppression = (struct suppression){.kind = SUPPRESSION_BASELINE,
                                                    .span = entry->span};
    }
    for (size_t i = 0; i < baseline->entries.count; i++)
        warn_of_stale(triage, baseline->entries.entries[i].value);
    arena_release(&scratch);
}
