#include "logs/sessions.h"

#include "base/assert.h"

#include <stdlib.h>

static uint64_t mix(uint64_t value) {
    value ^= value >> 32;
    value *= 0x9e3779b97f4a7c15u;
    return value ^ value >> 29;
}

uint64_t log_hash(struct str text) {
    uint64_t hash = text.len + 1;
    size_t i = 0;
    for (; i + 8 <= text.len; i += 8) {
        uint64_t word;
        memcpy(&word, text.ptr + i, 8);
        hash = mix(hash ^ word);
    }
    uint64_t word = 0;
    if (i < text.len)
        memcpy(&word, text.ptr + i, text.len - i);
    hash = mix(hash ^ word);
    return hash != 0 ? hash : 1;
}

void log_sessions_release(struct log_sessions *sessions) {
    free(sessions->slots);
    *sessions = (struct log_sessions){0};
}

/* Where the session is, or would be. */
static struct log_session *slot_of(struct log_sessions *sessions, uint64_t id, uint64_t start) {
    size_t mask = sessions->slot_count - 1;
    for (size_t i = mix(id ^ mix(start)) & mask;; i = (i + 1) & mask) {
        struct log_session *slot = &sessions->slots[i];
        if (slot->number == 0 || (slot->id == id && slot->start == start))
            return slot;
    }
}

/* Puts those that were used since `used_min` into a table of another size. */
static void rebuild(struct log_sessions *sessions, size_t slot_count, uint64_t used_min) {
    struct log_session *old = sessions->slots;
    size_t old_count = sessions->slot_count;
    size_t byte_size = slot_count * sizeof(*sessions->slots);
    sessions->slots = mem_alloc(byte_size);
    memset(sessions->slots, 0, byte_size);
    sessions->slot_count = slot_count;
    sessions->count = 0;
    for (size_t i = 0; i < old_count; i++) {
        if (old[i].number == 0 || old[i].used < used_min)
            continue;
        *slot_of(sessions, old[i].id, old[i].start) = old[i];
        sessions->count++;
    }
    free(old);
}

static int compare_uses(const void *a, const void *b) {
    uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
    return left < right ? -1 : left > right;
}

/* The half that was not used for longest goes. */
static void forget_half(struct log_sessions *sessions) {
    uint64_t *uses = mem_alloc(sessions->count * sizeof(*uses));
    size_t count = 0;
    for (size_t i = 0; i < sessions->slot_count; i++)
        if (sessions->slots[i].number != 0)
            uses[count++] = sessions->slots[i].used;
    LW_ASSERT(count == sessions->count);
    qsort(uses, count, sizeof(*uses), compare_uses);
    rebuild(sessions, sessions->slot_count, uses[count / 2]);
    free(uses);
}

struct log_session *log_sessions_find(struct log_sessions *sessions, uint64_t id, uint64_t start) {
    if (sessions->slot_count == 0)
        return NULL;
    struct log_session *slot = slot_of(sessions, id, start);
    return slot->number != 0 ? slot : NULL;
}

struct log_session *log_sessions_get(struct log_sessions *sessions, uint64_t id, uint64_t start) {
    struct log_session *found = log_sessions_find(sessions, id, start);
    if (found == NULL) {
        if (sessions->count >= LOG_SESSIONS_MAX)
            forget_half(sessions);
        else if (2 * (sessions->count + 1) > sessions->slot_count)
            rebuild(sessions, sessions->slot_count > 0 ? 2 * sessions->slot_count : 64, 0);
        found = slot_of(sessions, id, start);
        *found = (struct log_session){.id = id, .start = start, .number = ++sessions->last_number};
        sessions->count++;
    }
    found->used = ++sessions->uses;
    return found;
}

void log_sessions_remove(struct log_sessions *sessions, struct log_session *session) {
    LW_ASSERT(session->number != 0 && sessions->count > 0);
    size_t mask = sessions->slot_count - 1;
    size_t hole = (size_t)(session - sessions->slots);
    sessions->count--;
    /* What stands behind the hole, up to a free slot, and may be looked for from before it moves there. */
    for (size_t i = (hole + 1) & mask; sessions->slots[i].number != 0; i = (i + 1) & mask) {
        size_t home = mix(sessions->slots[i].id ^ mix(sessions->slots[i].start)) & mask;
        if (((i - home) & mask) >= ((i - hole) & mask)) {
            sessions->slots[hole] = sessions->slots[i];
            hole = i;
        }
    }
    sessions->slots[hole].number = 0;
}
