#include "finding/writers.h"

static int worth(const struct subject *subject) {
    return subject->assumption.len > 0 ? 2 : subject->root.len == 0;
}

void partners_sort(struct partners *partners, const struct subject *subjects) {
    for (size_t i = 1; i < partners->items.count; i++) {
        uint32_t partner = partners->items.items[i];
        size_t at = i;
        for (; at > 0 && worth(&subjects[partners->items.items[at - 1]]) > worth(&subjects[partner]);
             at--)
            partners->items.items[at] = partners->items.items[at - 1];
        partners->items.items[at] = partner;
    }
}

static const struct table *table_of(const struct schema *schema, struct str name, uint16_t *index) {
    for (size_t i = 0; i < schema->tables.count; i++)
        if (str_equal(schema->tables.items[i]->name, name)) {
            *index = (uint16_t)i;
            return schema->tables.items[i];
        }
    return NULL;
}

static uint64_t columns_of(const struct table *table, const struct finding *finding) {
    uint64_t columns = 0;
    for (size_t i = 0; i < table->columns.count; i++)
        for (size_t k = 0; k < finding->columns.count; k++)
            if (str_equal(table->columns.items[i].name, finding->columns.items[k]))
                columns |= 1ull << i % 64;
    return finding->columns.count > 0 ? columns : UINT64_MAX;
}

static bool writes(const struct write_set *set, uint16_t table, uint64_t columns) {
    for (size_t i = 0; i < set->tables.count; i++) {
        const struct table_writes *of = &set->tables.items[i];
        if (of->table == table && (((of->carried | of->changed) & columns) != 0 || of->deletes))
            return true;
    }
    return false;
}

void find_writers(struct arena *arena, const struct schema *schema, const struct subject *subjects,
                  const struct write_set *sets, size_t subject_count, struct finding *finding) {
    uint16_t index;
    const struct table *table = table_of(schema, finding->table, &index);
    if (table == NULL || finding->session_count < 2)
        return;
    uint64_t columns = columns_of(table, finding);
    for (size_t i = 0; i < subject_count; i++) {
        if (str_equal(subjects[i].symbol, finding->entry) || !writes(&sets[i], index, columns))
            continue;
        struct finding_writer writer = {subjects[i].symbol, subjects[i].root,
                                        subjects[i].program->span};
        VEC_PUSH(arena, &finding->writers, writer);
    }
}
