#include "watch/watch.h"

#include "watch/own.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { TEXTS_MAX = 100000, TAG_MAX = 200, GAP_KINDS_MAX = 100, UNPARSED_MAX = 50 };

struct str watch_key_name(struct watch *watch, uint32_t table) {
    return names_get(&watch->names, tables_key(&watch->tables, table));
}

struct str watch_file(struct watch *watch, struct str file) {
    if (!str_equal(file, watch->file))
        watch->file = watch_intern(watch, file);
    return watch->file;
}

struct str watch_intern(struct watch *watch, struct str text) {
    if (text.len == 0)
        return (struct str){0};
    if (watch->texts.items.count >= TEXTS_MAX && !map_has(&watch->texts.index, text))
        return (struct str){0};
    return names_get(&watch->texts, names_add(&watch->texts, text));
}

static void add_decoded(struct buf *out, struct str text) {
    for (size_t i = 0; i < text.len; i++) {
        int high = text.ptr[i] == '%' && i + 2 < text.len ? hex_digit(text.ptr[i + 1]) : -1;
        int low = high >= 0 ? hex_digit(text.ptr[i + 2]) : -1;
        if (low >= 0)
            i += 2;
        char byte = low >= 0 ? (char)(high * 16 + low) : text.ptr[i];
        buf_add_char(out, (unsigned char)byte < 0x20 ? ' ' : byte);
    }
}

struct str watch_tag(struct watch *watch, struct str comment) {
    struct buf out = {0};
    for (size_t from = 0; from < comment.len;) {
        size_t equals = str_find(comment, '=', from), open = equals + 1;
        if (open >= comment.len || comment.ptr[open] != '\'')
            break;
        size_t close = str_find(comment, '\'', open + 1);
        size_t start = from;
        while (start < equals && (comment.ptr[start] == ' ' || comment.ptr[start] == ','))
            start++;
        struct str name = str_sub(comment, start, equals);
        if (!str_starts(name, "trace") && close < comment.len) {
            buf_printf(&out, "%s%.*s=", out.len > 0 ? ", " : "", STR_ARG(name));
            add_decoded(&out, str_sub(comment, open + 1, close));
        }
        from = close + 1;
    }
    struct str all = buf_str(&out);
    struct str tag = watch_intern(watch, str_sub(all, 0, all.len < TAG_MAX ? all.len : TAG_MAX));
    buf_release(&out);
    return tag;
}

uint64_t watch_row(uint32_t table, const struct seen_value *key) {
    uint64_t row = (key->hash ^ table * 0x9E3779B97F4A7C15u) * 0xC2B2AE3D27D4EB4Fu;
    row ^= row >> 29;
    return row != 0 ? row : 1;
}

bool watch_samples(const struct watch *watch, uint64_t row) {
    return watch->options.sample_of <= 1 || row % watch->options.sample_of == 0;
}

struct seen_value watch_keep(const struct watch *watch, struct seen_value value) {
    if (watch->options.shows_values)
        return seen_keep(value);
    value.text = (struct str){0};
    return value;
}

static void draw_key(struct hash_key *key) {
    FILE *random = fopen("/dev/urandom", "rb");
    bool is_drawn = random != NULL && fread(key, sizeof(*key), 1, random) == 1;
    if (random != NULL)
        fclose(random);
    if (!is_drawn) {
        struct timespec now;
        clock_gettime(CLOCK_REALTIME, &now);
        key->k[0] = (uint64_t)now.tv_nsec * 0x9E3779B97F4A7C15u;
        key->k[1] = (uint64_t)now.tv_sec ^ (uint64_t)(uintptr_t)key;
    }
}

struct watch *watch_open(const struct watch_options *options) {
    struct watch *watch = mem_alloc(sizeof(*watch));
    *watch = (struct watch){.options = *options};
    if (watch->options.memory_bytes == 0)
        watch->options.memory_bytes = WATCH_MEMORY_BYTES;
    if (watch->options.window_us == 0)
        watch->options.window_us = WATCH_WINDOW_US;
    if (options->has_key)
        memcpy(&watch->key, options->hash_key, sizeof(watch->key));
    else
        draw_key(&watch->key);
    watch->names.arena = watch->texts.arena = &watch->arena;
    map_init(&watch->names.index, &watch->arena);
    map_init(&watch->texts.index, &watch->arena);
    meanings_init(&watch->meanings, &watch->arena, &watch->names);
    sessions_init(&watch->sessions);
    book_init(&watch->book, watch->options.memory_bytes);
    tables_init(&watch->tables, &watch->arena, &watch->names);
    tally_init(&watch->tally, &watch->arena, &watch->names, &watch->tables, options->shows_values);
    recall_init(&watch->recall, &watch->arena, &watch->names);
    watch->stats.first_us = watch->stats.last_us = -1;
    return watch;
}

void watch_close(struct watch *watch) {
    watch_release_changes(watch);
    sessions_release(&watch->sessions);
    book_release(&watch->book);
    sql_shape_release(&watch->shape);
    arena_release(&watch->scratch);
    arena_release(&watch->arena);
    free(watch);
}

static void note_gap(struct watch *watch, const struct trace_event *event) {
    watch->stats.encrypted_count += event->gap.is_encrypted;
    watch->stats.gap_count += !event->gap.is_encrypted;
    watch->stats.gap_bytes += event->gap.byte_count;
    struct str reason = str_from_c(event->gap.reason);
    for (size_t i = 0; i < watch->gaps.count; i++) {
        if (str_equal(watch->gaps.items[i].reason, reason)) {
            watch->gaps.items[i].count++;
            return;
        }
    }
    if (watch->gaps.count == GAP_KINDS_MAX)
        return;
    struct watch_gap gap = {str_dup(&watch->arena, reason), event->place, 1};
    gap.place.file = watch_intern(watch, event->place.file);
    VEC_PUSH(&watch->arena, &watch->gaps, gap);
}

struct session *watch_session(struct watch *watch, uint64_t id) {
    struct session *session = session_find(&watch->sessions, id);
    if (session != NULL)
        return session;
    if (watch->sessions.count == SESSIONS_MAX)
        watch_settle(watch, NULL);
    watch->stats.session_count++;
    return session_add(&watch->sessions, id);
}

static void session_is_in(struct watch *watch, struct session *session, struct str database) {
    session->database = watch_intern(watch, database);
    session->space = tables_space(&watch->tables, session->database, session->schema);
}

static void note_session(struct watch *watch, const struct trace_event *event) {
    struct session *session = watch_session(watch, event->session);
    struct str who = str_printf(&watch->scratch, "%.*s@%.*s%s%.*s", STR_ARG(event->user),
                                STR_ARG(event->database), event->application.len > 0 ? " " : "",
                                STR_ARG(event->application));
    if (who.len > 1)
        session->who = watch_intern(watch, who);
    if (event->database.len > 0)
        session_is_in(watch, session, event->database);
}

static void take(void *context, const struct trace_event *event) {
    struct watch *watch = context;
    watch->seq++;
    watch->stats.event_count++;
    if (event->time_us >= 0) {
        if (watch->stats.first_us < 0 || event->time_us < watch->stats.first_us)
            watch->stats.first_us = event->time_us;
        if (event->time_us > watch->stats.last_us)
            watch->stats.last_us = event->time_us;
    }
    switch (event->kind) {
    case TRACE_SESSION:
        note_session(watch, event);
        break;
    case TRACE_STATEMENT:
        watch_statement(watch, event);
        break;
    case TRACE_OUTCOME:
        watch_outcome(watch, event);
        break;
    case TRACE_BEGIN:
        watch_begin_changes(watch, event);
        break;
    case TRACE_CHANGE:
        watch_change(watch, event);
        break;
    case TRACE_COMMIT:
        watch_resume_changes(watch, event->transaction);
        watch_commit_changes(watch, event);
        break;
    case TRACE_ROLLBACK:
        watch->stats.rollback_count++;
        watch_resume_changes(watch, event->transaction);
        watch_drop_changes(watch);
        break;
    case TRACE_TEST:
        watch_test(watch, event->session);
        break;
    case TRACE_END:
        watch_end(watch, event->session);
        break;
    case TRACE_GAP:
        note_gap(watch, event);
        break;
    }
    arena_reset(&watch->scratch);
}

struct trace_sink watch_sink(struct watch *watch) {
    return (struct trace_sink){take, watch};
}

static int by_count(const void *a, const void *b) {
    const struct meaning *left = *(struct meaning *const *)a, *right = *(struct meaning *const *)b;
    if (left->count != right->count)
        return left->count < right->count ? 1 : -1;
    return str_compare(left->sql, right->sql);
}

static void list_unparsed(struct watch *watch, struct arena *arena, struct watch_result *result) {
    struct meaning **unknown = arena_alloc_array(arena, watch->meanings.count + 1, sizeof(*unknown));
    size_t count = 0;
    for (size_t i = 0; i < watch->meanings.slot_count; i++)
        if (watch->meanings.slots[i] != NULL && watch->meanings.slots[i]->kind == MEANS_UNKNOWN)
            unknown[count++] = watch->meanings.slots[i];
    qsort(unknown, count, sizeof(*unknown), by_count);
    for (size_t i = 0; i < count && i < UNPARSED_MAX; i++)
        VEC_PUSH(arena, &result->unparsed,
                 (struct watch_shape_note){str_dup(arena, unknown[i]->sql), str_dup(arena, unknown[i]->reason),
                                           unknown[i]->count});
}

void watch_result(struct watch *watch, struct arena *arena, struct watch_result *result) {
    watch_settle(watch, NULL);
    *result = (struct watch_result){.stats = watch->stats};
    result->stats.evicted_count = watch->book.evicted_count;
    result->stats.dropped_session_count = watch->sessions.dropped_count;
    result->stats.left_out_count = watch->recall.left_out_count;
    for (size_t i = 0; i < watch->gaps.count; i++)
        VEC_PUSH(arena, &result->gaps, watch->gaps.items[i]);
    list_unparsed(watch, arena, result);
    tally_result(&watch->tally, arena, result);
}
