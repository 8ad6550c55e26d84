/* The name of a finding that outlives edits of other lines: made of what it is about, not of where it stands. */
#include "base/map.h"
#include "finding/finding.h"

/* The parts one behind the other, each with its end marked. */
static void add_part(struct buf *text, struct str part) {
    buf_add(text, part);
    buf_add_char(text, '\0');
}

struct str finding_base_id(struct arena *arena, const struct finding *finding) {
    struct buf text = {0};
    add_part(&text, str_from_c(rule_code(finding->rule)));
    add_part(&text, finding->symbol);
    add_part(&text, finding->table);
    for (size_t i = 0; i < finding->columns.count; i++)
        add_part(&text, finding->columns.items[i]);
    add_part(&text, STR(""));
    add_part(&text, finding->session_count > 1 ? finding->other.symbol : STR(""));
    uint64_t hash = str_hash(buf_str(&text));
    buf_release(&text);
    return str_printf(arena, "%s-%08x", rule_code(finding->rule), (unsigned)(hash ^ hash >> 32));
}

void findings_set_ids(struct arena *arena, struct findings *findings) {
    struct arena scratch = {0};
    struct map counts; /* base -> how many have it so far */
    map_init(&counts, &scratch);
    for (size_t i = 0; i < findings->items.count; i++) {
        struct finding *finding = &findings->items.items[i];
        struct str base = finding_base_id(arena, finding);
        size_t *count = map_get(&counts, base);
        if (count == NULL) {
            count = ARENA_NEW(&scratch, size_t);
            map_put(&counts, base, count);
        }
        finding->id =
            ++*count == 1 ? base : str_printf(arena, "%.*s-%zu", STR_ARG(base), *count);
    }
    arena_release(&scratch);
}
