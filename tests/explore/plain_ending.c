#include "plain_ending.h"

#include "base/assert.h"

#include <stdlib.h>

enum { GENERATED_MAX = 256 };

struct printer {
    const struct world *world;
    struct arena arena;
    struct value generated[GENERATED_MAX];
    size_t generated_count;
    uint16_t columns; /* of the table being visited */
    VEC(struct str) lines;
};

static void note(struct printer *e, struct value value) {
    if (value.origin == 0)
        return;
    for (size_t i = 0; i < e->generated_count; i++)
        if (memcmp(&e->generated[i], &value, sizeof(value)) == 0)
            return;
    LW_ASSERT(e->generated_count < GENERATED_MAX);
    e->generated[e->generated_count++] = value;
}

/* A generated value is known by the session that made it and its rank among those of it that are left. */
static void print_value(const struct printer *e, struct value value, struct buf *out) {
    if (value.origin == 0) {
        value_print(e->world->pool, value, out);
        return;
    }
    size_t rank = 0;
    for (size_t i = 0; i < e->generated_count; i++)
        rank += e->generated[i].kind == value.kind && e->generated[i].origin == value.origin &&
                e->generated[i].ordinal < value.ordinal;
    buf_printf(out, "%s of %c no %zu", value.kind == VALUE_TIME ? "time" : "key",
               'A' + value.origin - 1, rank);
}

static void note_row(void *context, const struct value *row) {
    struct printer *e = context;
    for (size_t i = 0; i < e->columns; i++)
        note(e, row[i]);
}

static void add_line(struct printer *e, struct buf *line) {
    VEC_PUSH(&e->arena, &e->lines, str_dup(&e->arena, buf_str(line)));
    buf_release(line);
}

static void print_row(void *context, const struct value *row) {
    struct printer *e = context;
    struct buf line = {0};
    for (size_t i = 0; i < e->columns; i++) {
        buf_add_c(&line, i > 0 ? ", " : "(");
        print_value(e, row[i], &line);
    }
    buf_add_c(&line, ")");
    add_line(e, &line);
}

static int compare_lines(const void *a, const void *b) {
    return str_compare(*(const struct str *)a, *(const struct str *)b);
}

static void print_sorted(struct printer *e, struct buf *out) {
    if (e->lines.count > 0)
        qsort(e->lines.items, e->lines.count, sizeof(*e->lines.items), compare_lines);
    for (size_t i = 0; i < e->lines.count; i++)
        buf_printf(out, "%.*s ", STR_ARG(e->lines.items[i]));
    e->lines.count = 0;
}

static bool is_hidden(const struct world *world, const struct effect *effect, uint32_t hidden) {
    return (hidden & 1u << effect->session) != 0 &&
           world->sessions[effect->session].fate != FATE_RAISED;
}

static void note_all(struct printer *e, uint32_t hidden) {
    const struct world *world = e->world;
    for (uint16_t i = 0; i < world->schema->tables.count; i++) {
        e->columns = (uint16_t)world->schema->tables.items[i]->columns.count;
        db_visit_rows(world->db, i, note_row, e);
    }
    for (size_t i = 0; i < world->effects.count; i++) {
        const struct effect *effect = &world->effects.items[i];
        for (size_t k = 0; !is_hidden(world, effect, hidden) && k < effect->arg_count; k++)
            note(e, world->effect_args.items[effect->first_arg + k]);
    }
}

static void print_rows(struct printer *e, struct buf *out) {
    const struct schema *schema = e->world->schema;
    for (uint16_t i = 0; i < schema->tables.count; i++) {
        e->columns = (uint16_t)schema->tables.items[i]->columns.count;
        db_visit_rows(e->world->db, i, print_row, e);
        buf_printf(out, "%.*s: ", STR_ARG(schema->tables.items[i]->name));
        print_sorted(e, out);
        buf_add_c(out, "; ");
    }
}

static void print_effects(struct printer *e, uint32_t hidden, bool by_session, struct buf *out) {
    const struct world *world = e->world;
    for (size_t i = 0; i < world->effects.count; i++) {
        const struct effect *effect = &world->effects.items[i];
        struct buf line = {0};
        if (is_hidden(world, effect, hidden))
            continue;
        buf_printf(&line, "%.*s(", STR_ARG(effect->name));
        for (size_t k = 0; k < effect->arg_count; k++) {
            buf_add_c(&line, k > 0 ? ", " : "");
            print_value(e, world->effect_args.items[effect->first_arg + k], &line);
        }
        buf_add_c(&line, ")");
        if (by_session)
            buf_printf(&line, " by %c", 'A' + effect->session);
        add_line(e, &line);
    }
    print_sorted(e, out);
}

static void print_fates(const struct world *world, uint32_t hidden, struct buf *out) {
    static const char *const names[] = {[FATE_RUNNING] = "running",
                                        [FATE_DONE] = "done",
                                        [FATE_RAISED] = "raised",
                                        [FATE_FAILED] = "failed",
                                        [FATE_STUCK] = "stuck"};
    for (size_t i = 0; i < world->session_count; i++) {
        const struct session *session = &world->sessions[i];
        bool is_left_out = (hidden & 1u << i) != 0;
        buf_printf(out, "; %s", is_left_out ? "?" : names[session->fate]);
        if (!is_left_out && session->fate == FATE_RAISED)
            buf_printf(out, " %.*s", STR_ARG(session->exception.class_name));
    }
}

void plain_ending(const struct world *world, uint32_t hidden, struct buf *out) {
    struct printer ending = {.world = world};
    note_all(&ending, hidden);
    print_rows(&ending, out);
    print_effects(&ending, hidden, false, out);
    print_fates(world, hidden, out);
    arena_release(&ending.arena);
}

void plain_ending_all(const struct world *world, struct buf *out) {
    struct printer ending = {.world = world};
    note_all(&ending, 0);
    print_rows(&ending, out);
    print_effects(&ending, 0, true, out);
    print_fates(world, 0, out);
    for (size_t i = 0; i < world->session_count; i++)
        if (world->sessions[i].fate == FATE_FAILED)
            buf_printf(out, "; %c error %d", (char)('A' + i), world->sessions[i].exception.error);
    buf_printf(out, "; flags %u", world_flags(world));
    arena_release(&ending.arena);
}
