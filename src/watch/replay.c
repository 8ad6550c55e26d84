/* Replays the transactions that wrote a row one after the other, in every order, as far as what they read and wrote of it is known: what
 * no order gives is not what they would have done one by one (serializability, after Papadimitriou, "The Serializability of Concurrent
 * Database Updates", 1979: of one column, reads and writes alone). */
#include "watch/own.h"

enum { UNITS_MAX = VERSIONS_MAX + 1 };

struct replay {
    const struct column_write *units[UNITS_MAX]; /* what each read, if `reads`, and wrote of the column */
    bool reads[UNITS_MAX];
    size_t count;
    const struct seen_value *begin, *end;
};

/* False: what it wrote is not told. One that does not touch the column has no part in it. */
static bool add_unit(struct replay *replay, const struct row_write *write, uint32_t column) {
    const struct column_write *unit = write_column(write, column);
    if (unit == NULL)
        return true;
    if (write->kind != WROTE_UPDATE || unit->is_computed || unit->value.state == TRACE_ABSENT)
        return false;
    replay->reads[replay->count] = unit->base.state != TRACE_ABSENT && !unit->is_inferred;
    replay->units[replay->count++] = unit;
    return true;
}

static bool is_explained(const struct replay *replay, uint32_t done, const struct seen_value *now) {
    if (done == (1u << replay->count) - 1)
        return seen_equal(now, replay->end);
    for (size_t i = 0; i < replay->count; i++) {
        bool is_next = (done & 1u << i) == 0 && (!replay->reads[i] || seen_equal(&replay->units[i]->base, now));
        if (is_next && is_explained(replay, done | 1u << i, &replay->units[i]->value))
            return true;
    }
    return false;
}

static enum replay_answer replay_column(const struct book_row *row, const struct row_write *by, const struct row_write *lost, uint32_t column) {
    struct replay replay = {.count = 0};
    uint64_t first = lost->read.seq != 0 && lost->read.seq < by->read.seq ? lost->read.seq : by->read.seq;
    uint64_t oldest_commit = UINT64_MAX;
    size_t i = 0;
    for (; i < VERSIONS_MAX && row->versions[i] != NULL && row->versions[i]->commit_seq > first; i++) {
        if (!add_unit(&replay, row->versions[i], column))
            return REPLAY_UNKNOWN;
        oldest_commit = row->versions[i]->commit_seq;
    }
    const struct column_write *last = write_column(by, column), *gone = write_column(lost, column);
    if (i == VERSIONS_MAX || last == NULL || gone == NULL || !add_unit(&replay, by, column))
        return REPLAY_UNKNOWN; /* older ones may not be kept */
    if (replay.reads[replay.count - 1] && by->read.seq < oldest_commit)
        replay.begin = &last->base;
    else if (gone->base.state != TRACE_ABSENT && !gone->is_inferred && lost->read.seq != 0 && lost->read.seq < oldest_commit)
        replay.begin = &gone->base;
    replay.end = &last->value;
    if (replay.begin == NULL)
        return REPLAY_UNKNOWN;
    return is_explained(&replay, 0, replay.begin) ? REPLAY_EXPLAINED : REPLAY_IMPOSSIBLE;
}

enum replay_answer watch_replay(const struct book_row *row, const struct seen_loss *loss) {
    enum replay_answer answer = REPLAY_EXPLAINED;
    for (size_t i = 0; i < loss->column_count; i++) {
        enum replay_answer one = replay_column(row, loss->by, loss->lost, loss->columns[i]);
        if (one == REPLAY_IMPOSSIBLE)
            return one;
        if (one == REPLAY_UNKNOWN)
            answer = one;
    }
    return answer;
}
