#include "explore/trace.h"

#include "base/assert.h"

void trace_init(struct trace *trace, struct arena *arena) {
    *trace = (struct trace){.arena = arena};
    VEC_PUSH(arena, &trace->sets, (struct trace_set){0});
}

uint32_t trace_set_of(struct trace *trace, struct trace_source source) {
    struct trace_set set = {0};
    VEC_PUSH(trace->arena, &set.sources, source);
    VEC_PUSH(trace->arena, &trace->sets, set);
    return (uint32_t)trace->sets.count - 1;
}

const struct trace_set *trace_set_get(const struct trace *trace, uint32_t set) {
    LW_ASSERT(set < trace->sets.count);
    return &trace->sets.items[set];
}

static bool set_has(const struct trace_set *set, struct trace_source source) {
    for (size_t i = 0; i < set->sources.count; i++) {
        const struct trace_source *have = &set->sources.items[i];
        if (have->read == source.read && have->row == source.row && have->item == source.item)
            return true;
    }
    return false;
}

uint32_t trace_union(struct trace *trace, uint32_t a, uint32_t b) {
    if (trace == NULL || a == b || b == 0)
        return a;
    if (a == 0)
        return b;
    struct trace_set both = {0};
    struct trace_set left = *trace_set_get(trace, a), right = *trace_set_get(trace, b);
    for (size_t i = 0; i < left.sources.count; i++)
        VEC_PUSH(trace->arena, &both.sources, left.sources.items[i]);
    for (size_t i = 0; i < right.sources.count; i++)
        if (!set_has(&left, right.sources.items[i]))
            VEC_PUSH(trace->arena, &both.sources, right.sources.items[i]);
    if (both.sources.count == left.sources.count)
        return a;
    VEC_PUSH(trace->arena, &trace->sets, both);
    return (uint32_t)trace->sets.count - 1;
}
