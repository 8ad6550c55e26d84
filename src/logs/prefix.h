/* log_line_prefix of PostgreSQL: what stands at the beginning of each line of a stderr log, before `LOG:  `. Given by the
 * user, or found by looking at some lines. PostgreSQL manual, 20.8.3.
 */
#ifndef LW_LOGS_PREFIX_H
#define LW_LOGS_PREFIX_H

#include "logs/clock.h"

enum { LOG_PREFIX_ITEMS_MAX = 48, LOG_PREFIX_BYTES_MAX = 256 };

struct log_prefix_item {
    char escape;        /* 'p' of %p; 0: text that stands for itself */
    bool is_name;       /* any text: %u, %a, ...; it ends where the rest of the prefix goes on */
    bool is_padded;     /* %5p, %-10u: spaces may stand around it */
    struct str literal; /* of `text` */
};

struct log_prefix {
    char text[LOG_PREFIX_BYTES_MAX]; /* as in postgresql.conf */
    struct log_prefix_item items[LOG_PREFIX_ITEMS_MAX];
    size_t item_count;
};

/* What a line says of itself. What is not there is empty, 0, or -1. */
struct log_prefix_line {
    uint64_t pid, start;
    int64_t time_us;
    struct str user, database, application, sqlstate;
    struct str severity; /* "LOG", "ERROR", "STATEMENT", ... */
    size_t text_from;    /* where what it tells begins */
};

/* False if the pattern is too long, or has an escape that PostgreSQL does not know. */
bool log_prefix_parse(struct log_prefix *prefix, struct str pattern);

/* Reads a line that begins with this prefix. */
bool log_prefix_match(const struct log_prefix *prefix, struct log_clock *clock, struct str line,
                      struct log_prefix_line *out);

/* The prefix of these lines: of well-known ones, and of what can be told from the lines, the one that most lines have, and
 * which tells most. `*share` is how many in a hundred of the lines that hold a message have it. False if not even half do. */
bool log_prefix_guess(struct str head, struct log_prefix *prefix, int *share);

/* Takes `LOG:  ` and the like off the front; the name is `*severity`. */
bool log_severity(struct str *text, struct str *severity);

#endif
