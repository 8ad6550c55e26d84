/* A decoder turns the bytes of one kind of source into events. Bytes come in pieces of any size, cut anywhere; a
 * decoder keeps what it needs of an unfinished event, and no more than a stated bound of it. Bad input is a TRACE_GAP with its
 * place, after which it goes on at the next event it can find; it never fails as a whole. */
#ifndef LW_TRACE_DECODER_H
#define LW_TRACE_DECODER_H

#include "base/arena.h"
#include "trace/event.h"

/* The columns of a table as its server's catalog has them now, in their order. */
struct trace_table {
    const struct str *columns;
    const bool *is_key; /* of the primary key */
    size_t column_count;
};

/* Who can be asked what a stream of changed rows does not say of a table; a decoder asks once a description. */
struct trace_lookup {
    /* False: it is not told. What it answers is of `arena`. */
    bool (*table)(void *context, struct arena *arena, struct str schema, struct str table, struct trace_table *answer);
    void *context;
};

/* What the user said of a source that it does not say itself; {0}: nothing. */
struct trace_options {
    struct str file;            /* its name, for places */
    struct str log_line_prefix; /* of PostgreSQL's stderr logs, as in postgresql.conf; empty: found by looking */
    const struct trace_lookup *lookup; /* NULL: nobody to ask; must outlive the decoder */
    uint16_t server_port;       /* of wire captures; 0: PostgreSQL's 5432 and MySQL's 3306, or by looking */
};

struct trace_decoder_class {
    const char *name;  /* "mysql-binlog": what --source takes */
    const char *title; /* "MySQL or MariaDB binary log" */
    /* Of logs that a server may write side by side of the same statements, the same for each; else NULL. Of one folder only
     * one of them is read. */
    const char *same_as;
    /* How sure the first bytes of a source (up to TRACE_HEAD_BYTES; all of a shorter one) are of this kind: 0 not at
     * all, 100 without doubt. The highest of all classes wins. */
    int (*detect)(struct str head);
    /* A new decoder, which owns its memory. The sink and the options' texts must outlive it. */
    void *(*open)(const struct trace_sink *sink, const struct trace_options *options);
    void (*feed)(void *decoder, struct str bytes);
    /* The source goes on in another file, as a rotated log or the next binlog does: sessions live on, offset and line count
     * from its beginning. What the file before left unfinished is told as by `end`. */
    void (*next_file)(void *decoder, struct str file);
    /* No more bytes come: what is unfinished is told, as a gap if need be. */
    void (*end)(void *decoder);
    void (*close)(void *decoder);
};

enum { TRACE_HEAD_BYTES = 65536 };

#endif
