/* The sessions of a log: what it calls them, and the numbers they have in events. A session whose end is not logged is
 * forgotten when LOG_SESSIONS_MAX others have been heard of since. */
#ifndef LW_LOGS_SESSIONS_H
#define LW_LOGS_SESSIONS_H

#include "base/str.h"

enum { LOG_SESSIONS_MAX = 65536 };

struct log_session {
    uint64_t id, start; /* process or thread; when it began, if that is told: what makes it this one */
    uint64_t number;    /* in events; 0: a free slot */
    uint64_t used;      /* counts uses of the table */
    uint64_t user_hash, database_hash, application_hash; /* as last told; 0: never */
    uint64_t pending_hash; /* of the statement that began and whose outcome is not told; 0: none */
};

struct log_sessions {
    struct log_session *slots;
    size_t slot_count, count;
    uint64_t last_number, uses;
};

void log_sessions_release(struct log_sessions *sessions);

/* The session, a new one if need be: its hashes are 0 then. Valid until the next call. */
struct log_session *log_sessions_get(struct log_sessions *sessions, uint64_t id, uint64_t start);
/* NULL if there is none. */
struct log_session *log_sessions_find(struct log_sessions *sessions, uint64_t id, uint64_t start);
void log_sessions_remove(struct log_sessions *sessions, struct log_session *session);

/* Not 0; for equal texts equal. */
uint64_t log_hash(struct str text);

#endif
