/* The times of a log: `2026-11-27 10:55:42.123 UTC`, `2026-11-27T10:55:42.123456Z`, `261127 10:55:42`. In microseconds since the
 * epoch. Most lines of a log are of the same minute as the one before, so that is remembered. */
#ifndef LW_LOGS_CLOCK_H
#define LW_LOGS_CLOCK_H

#include "base/str.h"

enum { LOG_MINUTE_BYTES = 16, LOG_ZONE_BYTES = 8 };

struct log_clock {
    char minute[LOG_MINUTE_BYTES]; /* as it was written; minute[0] 0: none */
    int64_t minute_us;             /* in UTC, if the time had no zone */
    char zone[LOG_ZONE_BYTES];     /* as it was written, zeros behind */
    int64_t zone_us;               /* east of UTC */
    bool is_zone_assumed; /* some time had a zone that is not known, or none: it was taken as UTC */
};

/* Takes `YYYY-MM-DD HH:MM:SS`, a T in place of the space, and a fraction, off the front of `text`. */
bool log_clock_date(struct log_clock *clock, struct str *text, int64_t *time_us);

/* The same of `YYMMDD HH:MM:SS`, where the hour may have a space for its first digit. It never has a zone: that UTC is assumed
 * is for the caller to note. */
bool log_clock_short_date(struct log_clock *clock, struct str *text, int64_t *time_us);

/* Takes a zone off the front of `text` (`Z`, `+01:00`, `-03`, `CEST`) and makes `*time_us` UTC. False if there is none. */
bool log_clock_zone(struct log_clock *clock, struct str *text, int64_t *time_us);

/* Takes digits off the front; false if there is none, or too many. */
bool log_number(struct str *text, uint64_t *number);
/* The same of hexadecimal digits. */
bool log_hex_number(struct str *text, uint64_t *number);
/* The same of seconds (or milliseconds, ...) with a fraction: in millionths. */
bool log_millionths(struct str *text, int64_t *millionths);

#endif
