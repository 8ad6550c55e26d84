/* Effects that come before their transaction is safe (LW009), as one program shows them alone: what was done is not
 * undone with the transaction, and a task that is handed over before COMMIT runs on the old rows, or finds none. */
#include "finding/collect.h"

enum effect_kind effect_kind_of(const struct find_options *options, struct str name) {
    return options->effect_kind != NULL ? options->effect_kind(name) : EFFECT_SURE;
}

static bool is_of_transaction(const struct ran_event *event, const struct ran_event *effect) {
    return event->session == effect->session && event->transaction == effect->transaction;
}

static bool is_undone(const struct trace *trace, const struct ran_event *effect) {
    const struct ran_event *end = trace->events.items + trace->events.count;
    for (const struct ran_event *at = effect; at < end; at++)
        if (is_of_transaction(at, effect) &&
            (at->kind == RAN_ROLLBACK ||
             (at->kind == RAN_COMMIT && at->error != DB_OK_NO_ERROR)))
            return true;
    return false;
}

static bool has_written(const struct trace *trace, const struct ran_event *effect) {
    for (const struct ran_event *at = trace->events.items; at < effect; at++)
        if (is_of_transaction(at, effect) && at->kind == RAN_STATEMENT && at->write_count > 0)
            return true;
    return false;
}

void find_early_alone(struct unit *unit, const struct subject *subject,
                      const struct trace *trace) {
    for (size_t i = 0; i < trace->events.count; i++) {
        const struct ran_event *event = &trace->events.items[i];
        if (event->kind != RAN_EFFECT || event->transaction == 0)
            continue;
        enum effect_kind kind = effect_kind_of(unit->options, event->at->name);
        bool is_early = kind == EFFECT_TASK   ? has_written(trace, event)
                        : kind == EFFECT_SURE ? is_undone(trace, event)
                                              : false;
        if (is_early)
            discover_plain(unit, RULE_EFFECT_BEFORE_COMMIT, step_span(event->at), subject,
                           (struct str){0}, (struct str){0});
    }
}
