#include "watch/session.h"

#include "base/assert.h"

#include <stdlib.h>

enum { SLOTS = 4096, READS_FIRST = 8, FILTER_BITS = 10 };

void sessions_init(struct sessions *sessions) {
    *sessions = (struct sessions){.slot_count = SLOTS};
    sessions->slots = mem_alloc(SLOTS * sizeof(*sessions->slots));
    memset(sessions->slots, 0, SLOTS * sizeof(*sessions->slots));
}

static struct session **place_of(const struct sessions *sessions, uint64_t id) {
    uint64_t hash = id * 0x9E3779B97F4A7C15u;
    struct session **place = &sessions->slots[(hash >> 40) & (sessions->slot_count - 1)];
    while (*place != NULL && (*place)->id != id)
        place = &(*place)->next;
    return place;
}

void session_drop_pending(struct session *session, size_t from) {
    for (size_t i = from; i < session->pending.count; i++)
        row_write_free(session->pending.items[i]);
    session->pending.count = from < session->pending.count ? from : session->pending.count;
}

void session_add_loose(struct session *session, struct loose_statement loose) {
    if (session->loose.count == LOOSE_MAX) {
        session->is_unit_cut = true;
        loose_free(&loose);
        return;
    }
    MVEC_PUSH(&session->loose, loose);
}

void session_drop_loose(struct session *session, uint64_t seq) {
    while (session->loose.count > 0 && session->loose.items[session->loose.count - 1].origin.seq >= seq)
        loose_free(&session->loose.items[--session->loose.count]);
}

void session_end_unit(struct session *session) {
    enum { KEPT_MAX = 8 };
    size_t kept = 0, count = session->loose.count;
    for (size_t i = 0; i < count; i++) {
        struct loose_statement *loose = &session->loose.items[i];
        bool is_alone = loose->transaction == 0 && loose->origin.meaning->kind == MEANS_READ;
        if (is_alone && count - i <= KEPT_MAX)
            session->loose.items[kept++] = *loose;
        else
            loose_free(loose);
    }
    session->loose.count = kept;
    session->is_unit_cut = false;
}

void session_drop_written(struct session *session, uint64_t seq) {
    size_t from = session->pending.count;
    while (from > 0 && session->pending.items[from - 1]->origin.seq == seq)
        from--;
    session_drop_pending(session, from);
    session_drop_loose(session, seq);
}

void session_unsettle(struct sessions *sessions, struct session *session) {
    session->is_unsettled = true;
    session->settles_next = NULL;
    *(sessions->settles_last != NULL ? &sessions->settles_last->settles_next
                                     : &sessions->settles_first) = session;
    sessions->settles_last = session;
}

struct session *session_settle_first(struct sessions *sessions) {
    struct session *session = sessions->settles_first;
    if (session == NULL)
        return NULL;
    sessions->settles_first = session->settles_next;
    if (sessions->settles_first == NULL)
        sessions->settles_last = NULL;
    session->is_unsettled = false;
    return session;
}

bool session_is_in_test_alone(const struct session *session) {
    return session->is_test && session->savepoints.count <= session->test_depth;
}

static uint16_t *filter_of(const struct session *session, uint64_t row) {
    return &session->read_filter[(row * 0x9E3779B97F4A7C15u) >> (64 - FILTER_BITS)];
}

/* Of a session that reads much. */
static void begin_filter(struct session *session) {
    session->read_filter = mem_alloc(sizeof(*session->read_filter) << FILTER_BITS);
    for (size_t i = 0; i < session->read_count; i++)
        ++*filter_of(session, session->read_rows[i]);
}

void session_forget_reads(struct session *session) {
    for (size_t i = 0; i < session->read_count; i++)
        column_values_free(session->reads[i].values, session->reads[i].value_count);
    session->read_count = session->read_next = session->unknown_read_count = 0;
    free(session->read_filter);
    session->read_filter = NULL;
}

static void session_free(struct session *session) {
    session_drop_pending(session, 0);
    session_forget_reads(session);
    free(session->reads);
    free(session->read_rows);
    session_drop_loose(session, 0);
    free(session->loose.items);
    free(session->pending.items);
    free(session->savepoints.items);
    free(session);
}

static void unlink_session(struct sessions *sessions, struct session *session) {
    *(session->newer != NULL ? &session->newer->older : &sessions->newest) = session->older;
    *(session->older != NULL ? &session->older->newer : &sessions->oldest) = session->newer;
}

static void link_newest(struct sessions *sessions, struct session *session) {
    session->newer = NULL;
    session->older = sessions->newest;
    *(sessions->newest != NULL ? &sessions->newest->newer : &sessions->oldest) = session;
    sessions->newest = session;
}

void session_end(struct sessions *sessions, uint64_t id) {
    struct session **place = place_of(sessions, id), *session = *place;
    if (session == NULL)
        return;
    LW_ASSERT(!session->is_unsettled);
    *place = session->next;
    unlink_session(sessions, session);
    session_free(session);
    sessions->count--;
}

void sessions_release(struct sessions *sessions) {
    while (session_settle_first(sessions) != NULL)
        continue;
    for (size_t i = 0; i < sessions->slot_count; i++)
        while (sessions->slots[i] != NULL)
            session_end(sessions, sessions->slots[i]->id);
    free(sessions->slots);
}

struct session *session_find(struct sessions *sessions, uint64_t id) {
    struct session *session = *place_of(sessions, id);
    if (session != NULL && session != sessions->newest) {
        unlink_session(sessions, session);
        link_newest(sessions, session);
    }
    return session;
}

struct session *session_add(struct sessions *sessions, uint64_t id) {
    if (sessions->count == SESSIONS_MAX) {
        session_end(sessions, sessions->oldest->id);
        sessions->dropped_count++;
    }
    struct session *session = mem_alloc(sizeof(*session));
    *session = (struct session){.id = id};
    *place_of(sessions, id) = session;
    link_newest(sessions, session);
    sessions->count++;
    return session;
}

struct row_read *session_add_read(struct session *session, uint64_t row) {
    if (session->read_count == session->read_capacity && session->read_capacity < READS_MAX) {
        session->read_capacity = session->read_capacity == 0 ? READS_FIRST : session->read_capacity * 2;
        session->reads = mem_realloc(session->reads, session->read_capacity * sizeof(*session->reads));
        session->read_rows = mem_realloc(session->read_rows, session->read_capacity * sizeof(*session->read_rows));
    }
    struct row_read *read = &session->reads[session->read_next];
    uint64_t *read_row = &session->read_rows[session->read_next];
    if (session->read_count == READS_MAX) {
        column_values_free(read->values, read->value_count);
        session->unknown_read_count -= *read_row == 0;
        --*filter_of(session, *read_row);
        ++*filter_of(session, row);
    } else if (++session->read_count == READS_MAX) {
        *read_row = row;
        begin_filter(session);
    }
    *read_row = row;
    session->unknown_read_count += row == 0;
    session->read_next = (session->read_next + 1) % READS_MAX;
    *read = (struct row_read){.row = row};
    return read;
}

const struct row_read *session_find_read(const struct session *session, uint64_t row, uint32_t table,
                                         int64_t since_us, bool *is_doubtful) {
    const struct row_read *found = NULL;
    *is_doubtful = false;
    if (session->read_filter != NULL && session->unknown_read_count == 0 && *filter_of(session, row) == 0)
        return NULL;
    for (size_t i = 1; i <= session->read_count; i++) {
        size_t at = (session->read_next + READS_MAX - i) % READS_MAX;
        bool is_row = session->read_rows[at] == row;
        if (!is_row && (session->read_rows[at] != 0 || found != NULL))
            continue;
        const struct row_read *read = &session->reads[at];
        if (read->is_absence || read->table != table)
            continue;
        if (read->origin.time_us >= 0 && read->origin.time_us < since_us)
            break;
        found = read;
        *is_doubtful = !is_row;
        if (is_row)
            break;
    }
    return found;
}

uint32_t session_count_reads(const struct session *session, uint64_t row, int64_t since_us) {
    uint32_t count = 0;
    for (size_t i = 0; i < session->read_count; i++) {
        const struct row_read *read = &session->reads[i];
        count += session->read_rows[i] == row && !read->is_absence &&
                 (read->origin.time_us < 0 || read->origin.time_us >= since_us);
    }
    return count;
}
