/* The decoder's parts, in the order in which bytes pass them: split.c finds the messages in a stream of bytes, message.c reads what
 * one says, relation.c keeps what tables are. Internal to pgoutput/. */
#ifndef LW_PGOUTPUT_INTERNAL_H
#define LW_PGOUTPUT_INTERNAL_H

#include "pgoutput/pgoutput.h"
#include "trace/pieces.h"
#include "wire/reader.h"

enum { COLUMNS_MAX = 1664 }; /* of a row, as the server has it */

enum split_state {
    SPLIT_FILE,     /* the magic number */
    SPLIT_MESSAGES,
    SPLIT_SKIP,     /* bytes of a message that is not looked at */
    SPLIT_LOST,     /* bytes in which a message has to be found */
};

struct split {
    enum split_state state;
    uint64_t offset; /* of the first byte that is not dealt with */
    struct pieces pieces; /* from there on */
    uint64_t skip;   /* SKIP: bytes left */
    uint64_t gap_at; /* LOST: where it began */
    const char *reason;
};

struct relation {
    uint32_t oid;
    struct arena arena;
    struct str schema, name;
    struct str *columns;
    uint32_t *types;
    bool *is_identity; /* what tells a row: the old key is of these */
    const bool *is_key; /* NULL: not told */
    size_t column_count;
};

struct relations {
    struct relation **slots; /* by oid; a power of two of them */
    size_t slot_count, count, byte_count;
};

/* NULL: not described. */
const struct relation *pgout_relation(const struct relations *relations, uint32_t oid);
void pgout_clear(struct relations *relations);

struct pgoutput {
    const struct trace_sink *sink;
    const struct trace_lookup *lookup; /* NULL: nobody to ask */
    struct str file;
    struct split split;
    uint64_t place; /* offset of the message that is told of */
    bool is_open;   /* TRACE_BEGIN is told */
    bool is_in_stream; /* between the ends of a piece of a transaction that is not committed yet */
    int64_t commit_us;
    char transaction[16];
    struct relations relations;
    struct buf described;   /* the last `t`, if no relation has come since; else empty */
    struct trace_value *before, *after; /* COLUMNS_MAX each */
    struct buf texts;       /* of one row */
    struct buf sql;
};

/* split.c */
void pgout_feed(struct pgoutput *stream, struct str bytes);
/* No more bytes come. */
void pgout_end(struct pgoutput *stream);

/* message.c: what one message holds, behind its header. */
void pgout_message(struct pgoutput *stream, char type, struct str body);
/* The file ends or another begins. */
void pgout_end_file(struct pgoutput *stream);

/* Whether the bytes may be the beginning of a message, header and all: at least MESSAGE_LOOK_BYTES of them. */
bool pgout_begins(struct str bytes);
enum { MESSAGE_LOOK_BYTES = PGOUTPUT_HEADER_BYTES + 26 };

/* relation.c: a message R. False: it is damaged. */
bool pgout_describe(struct pgoutput *stream, struct str body);

struct trace_event pgout_event(const struct pgoutput *stream, enum trace_event_kind kind);
void pgout_tell(const struct pgoutput *stream, const struct trace_event *event);
void pgout_gap(const struct pgoutput *stream, uint64_t offset, const char *reason, uint64_t byte_count);

#endif
