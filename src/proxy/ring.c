/* MAP_ANONYMOUS is in POSIX since 2024 only. */
#define _DEFAULT_SOURCE
#include "proxy/ring.h"

#include "base/assert.h"

#include <stdatomic.h>
#include <sys/mman.h>

struct ring {
    _Alignas(64) _Atomic uint64_t written;
    _Alignas(64) _Atomic uint64_t read;
    _Alignas(64) _Atomic int is_finished;
    size_t byte_count;
    _Alignas(64) char bytes[];
};

struct ring *ring_new(size_t byte_count) {
    LW_ASSERT((byte_count & (byte_count - 1)) == 0);
    void *memory = mmap(NULL, sizeof(struct ring) + byte_count, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return NULL;
    struct ring *ring = memory;
    ring->byte_count = byte_count;
    return ring;
}

static void put(struct ring *ring, uint64_t at, struct str bytes) {
    size_t from = at & (ring->byte_count - 1), first = ring->byte_count - from;
    first = first < bytes.len ? first : bytes.len;
    if (first > 0)
        memcpy(ring->bytes + from, bytes.ptr, first);
    if (bytes.len > first)
        memcpy(ring->bytes, bytes.ptr + first, bytes.len - first);
}

bool ring_write(struct ring *ring, struct str first, struct str second) {
    uint64_t written = atomic_load_explicit(&ring->written, memory_order_relaxed);
    uint64_t read = atomic_load_explicit(&ring->read, memory_order_acquire);
    if (ring->byte_count - (size_t)(written - read) < first.len + second.len)
        return false;
    put(ring, written, first);
    put(ring, written + first.len, second);
    atomic_store_explicit(&ring->written, written + first.len + second.len, memory_order_release);
    return true;
}

void ring_finish(struct ring *ring) {
    atomic_store_explicit(&ring->is_finished, 1, memory_order_release);
}

struct str ring_peek(const struct ring *ring) {
    uint64_t read = atomic_load_explicit(&ring->read, memory_order_relaxed);
    uint64_t written = atomic_load_explicit(&ring->written, memory_order_acquire);
    size_t from = read & (ring->byte_count - 1), there = (size_t)(written - read), whole = ring->byte_count - from;
    return (struct str){ring->bytes + from, there < whole ? there : whole};
}

void ring_done(struct ring *ring, size_t byte_count) {
    uint64_t read = atomic_load_explicit(&ring->read, memory_order_relaxed);
    atomic_store_explicit(&ring->read, read + byte_count, memory_order_release);
}

bool ring_is_finished(const struct ring *ring) {
    return atomic_load_explicit(&ring->is_finished, memory_order_acquire) != 0;
}
