/* Whether a write that is committed takes back what others have committed since its session read the row. */
#include "watch/own.h"

/* Whether the write is only done if a column that the other has changed is as its session knew it. */
static bool is_guarded(const struct row_write *write, const struct row_write *other) {
    for (size_t i = 0; i < write->guard_count; i++)
        if (write_column(other, write->guards[i].column) != NULL)
            return true;
    return false;
}

/* Not one of the two that a flag goes between. */
static bool is_amount(const struct seen_value *value) {
    return value->is_integer && (value->number < 0 || value->number > 1);
}

enum lost { LOST_NOTHING, LOST_SAME, LOST_REVERTED, LOST_COMPUTED, LOST_OVERWRITTEN, LOST_PERHAPS };

/* What becomes of the other's value of a column: `by` wrote a literal there, after it. */
static enum lost fate_of(const struct column_write *by, const struct column_write *lost, int64_t now_us,
                         bool changed_nothing) {
    if (by->is_computed || by->value.state == TRACE_ABSENT)
        return LOST_NOTHING;
    bool is_same = !lost->is_computed && seen_equal(&by->value, &lost->value);
    if (changed_nothing && !is_same)
        return LOST_NOTHING;
    bool is_amounts = by->base.is_integer && by->value.is_integer &&
                      (is_amount(&by->base) || is_amount(&by->value));
    bool both_read = seen_equal(&by->base, &lost->base);
    bool has_changed = by->base.state != TRACE_ABSENT && !seen_equal(&by->value, &by->base);
    if (has_changed && is_amounts && both_read && !seen_equal(&lost->value, &lost->base))
        return LOST_COMPUTED;
    if (is_same && by->value.is_integer && is_amount(&by->value) && by->base.state == TRACE_ABSENT &&
        lost->base.state == TRACE_ABSENT)
        return LOST_PERHAPS;
    if (is_same || (seen_is_clock(&by->value, now_us) &&
                    (lost->is_computed || lost->value.is_time)))
        return LOST_SAME;
    if (seen_equal(&by->value, &by->base))
        return lost->is_computed || !seen_equal(&lost->value, &by->base) ? LOST_REVERTED : LOST_SAME;
    /* The other left it as this one had read it. */
    if (by->base.state != TRACE_ABSENT && !lost->is_computed && seen_equal(&lost->value, &by->base))
        return LOST_SAME;
    /* An update by the database, of what this one had read, is gone. */
    if (has_changed && is_amounts && lost->is_computed)
        return LOST_COMPUTED;
    return LOST_OVERWRITTEN;
}

struct judging {
    struct watch *watch;
    const struct book_row *row;
    size_t version; /* of the row, which is `lost` */
    const struct row_write *by, *lost;
    struct seen_loss found[4]; /* from LOST_REVERTED on */
    size_t same_count;
};

static void add_column(struct seen_loss *loss, uint32_t column) {
    if (loss->column_count < sizeof(loss->columns) / sizeof(loss->columns[0]))
        loss->columns[loss->column_count++] = column;
}

/* Whether the session has written over it before. */
static bool is_lost_already(const struct judging *judging, uint32_t column) {
    for (size_t i = 0; i < judging->version; i++)
        if (judging->row->versions[i]->origin.session == judging->by->origin.session &&
            write_column(judging->row->versions[i], column) != NULL)
            return true;
    return false;
}

static void compare(struct judging *judging) {
    const struct row_write *by = judging->by, *lost = judging->lost;
    for (size_t i = 0; i < by->column_count; i++) {
        const struct column_write *other = write_column(lost, by->columns[i].column);
        if (other == NULL || is_lost_already(judging, other->column))
            continue;
        enum lost fate = fate_of(&by->columns[i], other, by->origin.time_us, by->row_count == 0);
        /* The same number twice: of two that had both read, each may have added to it. */
        if (fate == LOST_PERHAPS && (lost->read.seq == 0 || lost->read_is_locked))
            fate = LOST_SAME;
        judging->same_count += fate == LOST_SAME;
        if (fate >= LOST_REVERTED)
            add_column(&judging->found[fate - LOST_REVERTED], by->columns[i].column);
    }
}

/* A save of the whole row, or of what was computed? Of values that were not seen only the number of columns tells. */
static enum rule rule_of_order(const struct row_write *by) {
    return by->column_count > 1 ? RULE_STALE_SAVE : RULE_READ_MODIFY_WRITE;
}

static void tell(struct judging *judging) {
    static const struct {
        enum rule rule;
        enum watch_evidence evidence;
    } kinds[] = {{RULE_STALE_SAVE, WATCH_REVERT},
                 {RULE_READ_MODIFY_WRITE, WATCH_ARITHMETIC},
                 {RULE_READ_MODIFY_WRITE, WATCH_ORDER},
                 {RULE_READ_MODIFY_WRITE, WATCH_ORDER}};
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        struct seen_loss *loss = &judging->found[i];
        if (loss->column_count == 0)
            continue;
        loss->rule = kinds[i].evidence == WATCH_ORDER ? rule_of_order(judging->by) : kinds[i].rule;
        loss->evidence = kinds[i].evidence;
        loss->by = judging->by;
        loss->lost = judging->lost;
        if (i == LOST_PERHAPS - LOST_REVERTED)
            loss->doubt = "both wrote the same number, and what they had read is not told: one is lost if each added to it";
        if (judging->by->read_is_doubtful)
            loss->doubt = "it is not told which row the SELECT gave";
        enum replay_answer answer = watch_replay(judging->row, loss);
        loss->is_replayed = answer == REPLAY_IMPOSSIBLE;
        if (answer == REPLAY_EXPLAINED)
            loss->doubt = "one after the other, in another order, the transactions come to the same";
        struct watch *watch = judging->watch;
        tally_add(&watch->tally, loss, watch_key_name(watch, judging->by->table));
    }
    judging->watch->stats.harmless_count += judging->same_count > 0;
}

/* The session has read the row twice, written it from one of its objects, and now writes another one, which still has the old
 * value of a column: what it changed itself is gone. */
static void judge_aliased(struct watch *watch, const struct row_write *by, const struct row_write *own) {
    struct seen_loss loss = {.rule = RULE_ALIASED_OBJECTS, .evidence = WATCH_REVERT, .by = by, .lost = own};
    bool has_own_change = false;
    if (own->read_count < 2 || own->kind != WROTE_UPDATE || by->read_is_doubtful || by->read.seq > own->origin.seq)
        return;
    for (size_t i = 0; i < by->column_count; i++) {
        const struct column_write *column = &by->columns[i], *other = write_column(own, column->column);
        bool is_back = seen_equal(&column->value, &column->base);
        has_own_change |= !is_back && !seen_is_clock(&column->value, by->origin.time_us);
        if (other != NULL && is_back && !other->is_computed && other->value.state != TRACE_ABSENT &&
            !seen_equal(&other->value, &column->base) && !seen_is_clock(&other->value, own->origin.time_us))
            add_column(&loss, column->column);
    }
    if (loss.column_count > 0 && has_own_change)
        tally_add(&watch->tally, &loss, watch_key_name(watch, by->table));
}

static void judge(struct watch *watch, const struct row_write *by, const struct book_row *row) {
    for (size_t i = 0; i < VERSIONS_MAX && row->versions[i] != NULL; i++) {
        const struct row_write *lost = row->versions[i];
        if (lost->commit_seq <= by->read.seq)
            break;
        if (lost->origin.session == by->origin.session && i == 0)
            judge_aliased(watch, by, lost);
        if (lost->origin.session == by->origin.session || lost->kind == WROTE_INSERT)
            continue;
        if (is_guarded(by, lost)) {
            watch->stats.prevented_count++;
            continue;
        }
        struct judging judging = {watch, row, i, by, lost, {{0}}, 0};
        compare(&judging);
        tell(&judging);
    }
}

/* Of two that looked for a row and found none each has inserted it. */
static void judge_duplicate(struct watch *watch, const struct row_write *by, const struct book_row *row) {
    const struct row_write *other = row->versions[0];
    if (other->commit_seq <= by->read.seq || other->origin.session == by->origin.session || !other->is_of_absence)
        return;
    struct seen_loss loss = {.rule = RULE_DUPLICATE_CREATE, .by = by, .lost = other,
                             .evidence = by->absence_is_seen ? WATCH_DUPLICATE : WATCH_ORDER};
    if (by->is_unanswered || other->is_unanswered)
        loss.doubt = "whether an INSERT failed is not told";
    struct buf names = {0};
    for (size_t i = 0; i < sizeof(by->key_columns) / sizeof(by->key_columns[0]) && by->key_columns[i] != NO_NAME; i++) {
        loss.columns[loss.column_count++] = by->key_columns[i];
        buf_printf(&names, "%s%.*s", i > 0 ? "," : "", STR_ARG(names_get(&watch->names, by->key_columns[i])));
    }
    tally_add(&watch->tally, &loss, buf_str(&names));
    buf_release(&names);
}

/* An INSERT of a row that another has deleted since this session read it. */
static void judge_insert(struct watch *watch, const struct row_write *by, const struct book_row *row) {
    const struct row_write *gone = row->versions[0];
    if (gone->kind != WROTE_DELETE || gone->commit_seq <= by->read.seq || gone->origin.session == by->origin.session ||
        by->read_is_doubtful)
        return;
    struct seen_loss loss = {.rule = RULE_RESURRECTED_ROW, .evidence = WATCH_REVERT, .by = by, .lost = gone};
    tally_add(&watch->tally, &loss, watch_key_name(watch, by->table));
}

void watch_infer(struct watch *watch, struct row_write *write) {
    const struct book_row *row = book_find(&watch->book, write->row);
    if (row == NULL || write->read.seq == 0 || write->read_is_doubtful)
        return;
    for (size_t i = 0; i < write->column_count; i++) {
        struct column_write *column = &write->columns[i];
        const struct column_write *then = NULL;
        for (size_t k = 0; k < VERSIONS_MAX && row->versions[k] != NULL && then == NULL; k++)
            if (row->versions[k]->commit_seq <= write->read.seq)
                then = write_column(row->versions[k], column->column);
        if (column->base.state != TRACE_ABSENT || then == NULL || then->is_computed)
            continue;
        column->base = seen_keep(then->value);
        column->is_inferred = then->value.state != TRACE_ABSENT;
    }
}

void watch_commit(struct watch *watch, struct row_write *write, uint64_t commit_seq, int64_t commit_us) {
    write->commit_seq = commit_seq;
    write->commit_us = commit_us;
    const struct book_row *row = book_find(&watch->book, write->row);
    if (row == NULL || write->read.seq == 0 || write->read_is_locked)
        ; /* nobody was there before, or nobody could be */
    else if (write->kind == WROTE_UPDATE)
        judge(watch, write, row);
    else if (write->is_of_absence)
        judge_duplicate(watch, write, row);
    else if (write->kind == WROTE_INSERT)
        judge_insert(watch, write, row);
    book_add(&watch->book, write);
}
