/* The decoder's parts, in the order in which bytes pass them: split.c finds the events in a stream of bytes, event.c follows the
 * transactions, table.c and rows.c read what changed, value.c, temporal.c, number.c and json.c give values their texts. */
#ifndef LW_BINLOG_INTERNAL_H
#define LW_BINLOG_INTERNAL_H

#include "base/buf.h"
#include "binlog/binlog.h"
#include "binlog/cursor.h"
#include "binlog/table.h"
#include "trace/pieces.h"
#include "unpack/unpack.h"

enum {
    EVENT_HEADER_BYTES = 19,
    CHECKSUM_BYTES = 4,
    EVENT_TYPES_MAX = 256,
    XA_PREPARED_MAX = 1024, /* of which the end has not been seen */
};

/* One event, its checksum already off. */
struct binlog_event {
    uint8_t type;
    uint32_t time_s; /* seconds since the epoch */
    uint16_t flags;
    struct str body; /* behind the header */
};

enum split_state {
    SPLIT_FILE,   /* a file's magic number, or an event */
    SPLIT_EVENTS, /* the same; what the file says of its format is known */
    SPLIT_SKIP,   /* bytes of an event that is not looked at */
    SPLIT_LOST,   /* bytes in which an event has to be found */
};

/* Where events begin in a stream of bytes. */
struct split {
    enum split_state state;
    uint64_t offset;  /* of the first byte that is not dealt with */
    struct pieces pieces; /* from there on */
    uint64_t skip;    /* SKIP: bytes left */
    uint64_t gap_at;  /* LOST: where it began */
    const char *reason;
    bool is_encrypted;
    bool has_checksum;     /* events end with a CRC-32 */
    bool knows_shift;      /* two events in a row had the same `shift` */
    uint32_t shift;        /* offset less the position that the last event gave of itself */
    uint32_t server_id;    /* of the last event */
};

/* What is known of the transaction that the log is in. */
struct transaction {
    bool is_open;       /* TRACE_BEGIN is told */
    bool is_named;      /* by a GTID whose transaction has not begun yet, or by the one that is open */
    bool is_xa;
    struct buf name;
    int64_t commit_us;  /* as the GTID tells; -1 */
};

/* An XA transaction that is prepared: its XA name, and the one that its changes were told under. */
struct xa_prepared {
    struct buf xid, transaction;
};

/* The values of one row, of as many columns as any table had. */
struct row_images {
    struct trace_value *before, *after;
    size_t capacity;
};

struct binlog {
    const struct trace_sink *sink;
    const struct trace_lookup *lookup; /* NULL: nobody to ask for names of columns */
    struct str file;
    struct split split;
    bool is_mariadb;
    uint8_t post_header_bytes[EVENT_TYPES_MAX]; /* by type; 0: not told */
    uint64_t place;     /* offset of the event that is told of */
    uint64_t before_file; /* bytes of the files before this one */
    struct transaction transaction;
    struct xa_prepared prepared[XA_PREPARED_MAX];
    size_t prepared_count;
    struct table_cache tables;
    struct buf annotation; /* the statement of the rows that follow; empty: not told */
    struct arena scratch;  /* texts of one row */
    struct row_images images;
    struct unpack *zlib, *zstd, *deflate; /* opened when first needed */
    struct buf unpacked;        /* a compressed event */
    struct buf inner;           /* an event of a transaction's payload that is cut */
    bool is_in_payload;
};

/* split.c */
void split_feed(struct binlog *log, struct str bytes);
/* No more bytes come. */
void split_end(struct binlog *log);
/* Whether a server of this version is a MariaDB. */
bool version_is_mariadb(struct str version);

/* event.c: what one event says. False if it can't be what it says to be: a gap is to be told then. */
void event_read(struct binlog *log, const struct binlog_event *event);
/* The file ends or another begins: what is open did not come to its end. */
void event_end_file(struct binlog *log);

/* Telling: fills in what is common to all events. */
struct trace_event tell_event(struct binlog *log, enum trace_event_kind kind, int64_t time_us);
void tell(struct binlog *log, const struct trace_event *event);
void tell_gap(struct binlog *log, uint64_t offset, const char *reason, uint64_t byte_count);

/* transaction.c */
void transaction_name(struct binlog *log, struct str name, int64_t commit_us, int64_t time_us);
/* Opens one if none is open. */
void transaction_begin(struct binlog *log, int64_t time_us);
void transaction_end(struct binlog *log, enum trace_event_kind how, int64_t time_us);
/* Behind a statement that is none's: the GTID before it was its own. */
void transaction_forget(struct binlog *log);
void transaction_xa_prepare(struct binlog *log, struct str body, int64_t time_us);
/* XA COMMIT or XA ROLLBACK of the transaction whose name in SQL is `xid`. */
void transaction_xa_end(struct binlog *log, struct str xid, enum trace_event_kind how, int64_t time_us);
void transaction_release(struct binlog *log);

/* query.c */
void query_read(struct binlog *log, const struct binlog_event *event, bool is_packed);

/* payload.c: events in compressed form. */
void payload_read(struct binlog *log, const struct binlog_event *event);
/* The bytes that MariaDB's header says of, in memory that lives until the next call; false: a gap has been told. */
bool payload_unpack(struct binlog *log, struct str packed, struct str *unpacked);

/* rows.c */
void rows_read(struct binlog *log, const struct binlog_event *event);

/* crc32.c: as zlib computes it. */
uint32_t crc32_of(uint32_t before, struct str bytes);

#endif
