/* Losses that are alike are told once. Internal to watch/. */
#ifndef LW_WATCH_TALLY_H
#define LW_WATCH_TALLY_H

#include "watch/book.h"
#include "watch/table.h"
#include "watch/watch.h"

/* One loss, as judge.c sees it. */
struct seen_loss {
    enum rule rule;
    enum watch_evidence evidence;
    const char *doubt; /* NULL: none */
    bool is_replayed;  /* no serial order gives it */
    const struct row_write *lost, *by; /* whose change is gone; who wrote over it */
    uint32_t columns[16]; /* at most the first so many */
    size_t column_count;
};

struct tally {
    struct arena *arena;
    const struct names *names;
    const struct tables *tables;
    struct map groups; /* key (its bytes) to struct tally_group */
    bool shows_values;
};

void tally_init(struct tally *tally, struct arena *arena, const struct names *names, const struct tables *tables,
                bool shows_values);
void tally_add(struct tally *tally, const struct seen_loss *loss, struct str key_column);
/* Copies of all groups, best first. */
void tally_result(const struct tally *tally, struct arena *arena, struct watch_result *result);

#endif
