/* The parts of a watch. Internal to watch/. */
#ifndef LW_WATCH_OWN_H
#define LW_WATCH_OWN_H

#include "watch/recall.h"
#include "watch/session.h"
#include "watch/table.h"
#include "watch/tally.h"
#include "watch/watch.h"

/* What a transaction changed whose end was not told before another began: it is prepared (XA). */
struct prepared_changes {
    struct buf name;
    struct row_write **writes; /* owned */
    uint32_t count;
};

enum { PREPARED_MAX = 1024 };

struct watch {
    struct watch_options options;
    struct hash_key key;
    struct arena arena; /* shapes, names, interned texts */
    struct names names, texts;
    struct meanings meanings;
    struct tables tables;
    struct sessions sessions;
    struct book book;
    struct tally tally;
    struct recall recall;
    struct watch_stats stats;
    struct str file; /* that the last event was from, interned */
    struct sql_shape shape;
    struct arena scratch; /* of one event */
    uint64_t seq, transaction_count;
    VEC(struct watch_gap) gaps;             /* in `arena` */
    VEC(struct row_write *) changes;        /* MVEC: of the row source's open transaction */
    struct str change_transaction;          /* its name, interned */
    struct buf change_name;                 /* the same, however many there were */
    bool is_changing;                       /* that transaction has begun */
    VEC(struct prepared_changes) prepared;  /* MVEC: the oldest first; of PENDING_MAX rows together */
    VEC(struct savepoint) change_savepoints; /* MVEC: that it has set */
};

/* The session of that number, made if need be. */
struct session *watch_session(struct watch *watch, uint64_t id);
/* The name of the column that is the table's key; empty: not known. */
struct str watch_key_name(struct watch *watch, uint32_t table);
/* A text that lives as long as the watch; beyond a number of them, the empty one. */
struct str watch_intern(struct watch *watch, struct str text);
/* The same of an event's file, which is mostly that of the one before. */
struct str watch_file(struct watch *watch, struct str file);
/* The tag of a request in a comment of sqlcommenter's form, without what differs from request to request. */
struct str watch_tag(struct watch *watch, struct str comment);
/* The hash of a row, never 0. */
uint64_t watch_row(uint32_t table, const struct seen_value *key);
/* Whether the row is one of those looked at. */
bool watch_samples(const struct watch *watch, uint64_t row);
/* As it may be kept: without its text, unless values are shown. */
struct seen_value watch_keep(const struct watch *watch, struct seen_value value);

/* statement.c, change.c */
void watch_statement(struct watch *watch, const struct trace_event *event);
/* How a session's last statement ended, told apart from it. */
void watch_outcome(struct watch *watch, const struct trace_event *event);
/* Commits what is unsettled: of all sessions up to `last`'s commit; NULL: of all. */
void watch_settle(struct watch *watch, const struct session *last);
/* What the session does from here on, a test will undo. */
void watch_test(struct watch *watch, uint64_t session);
void watch_end(struct watch *watch, uint64_t session);
void watch_begin_changes(struct watch *watch, const struct trace_event *event);
void watch_change(struct watch *watch, const struct trace_event *event);
/* A savepoint among changes, or the way back to one. */
void watch_change_savepoint(struct watch *watch, const struct meaning *meaning);
void watch_commit_changes(struct watch *watch, const struct trace_event *event);
void watch_drop_changes(struct watch *watch);
/* Goes on with the transaction of that name, which may have been prepared long ago. */
void watch_resume_changes(struct watch *watch, struct str transaction);
void watch_release_changes(struct watch *watch);

/* unit.c: what the session has written, with what it read for it, as a unit of work; `transaction` 0: it was one statement. */
void watch_recall(struct watch *watch, const struct session *session, uint64_t transaction);

enum replay_answer {
    REPLAY_UNKNOWN,   /* not enough of them is told */
    REPLAY_EXPLAINED, /* some order does, of each column by itself */
    REPLAY_IMPOSSIBLE
};

/* replay.c: whether some serial order of the transactions that wrote the row since the two read it gives what they read, as far as it
 * is told, and what the row holds then. */
enum replay_answer watch_replay(const struct book_row *row, const struct seen_loss *loss);

/* judge.c: fills what the write's session must have seen, from what is known to have been written before. */
void watch_infer(struct watch *watch, struct row_write *write);
/* Looks whether the write, about to be committed, takes back what others have committed since it was read; then
 * the book takes it over. */
void watch_commit(struct watch *watch, struct row_write *write, uint64_t commit_seq, int64_t commit_us);

#endif
