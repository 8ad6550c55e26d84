/* The state of one connection of PostgreSQL, shared by the files that decode its protocol (version 3.0 and 3.2; "Frontend/Backend
 * Protocol" in PostgreSQL's manual). What the client asks waits in a queue; names are looked up when the server answers, so that a
 * pipeline sees what was prepared just before, and a Parse that failed leaves what stood under its name. */
#ifndef LW_WIRE_POSTGRESQL_H
#define LW_WIRE_POSTGRESQL_H

#include "wire/connection.h"
#include "wire/named.h"
#include "wire/reader.h"

/* What is asked: the types of the client's messages. */
enum pgwire_ask {
    PG_QUERY = 'Q',
    PG_PARSE = 'P',
    PG_BIND = 'B',
    PG_DESCRIBE = 'D',
    PG_EXECUTE = 'E',
    PG_CLOSE = 'C',
    PG_SYNC = 'S',
    PG_FUNCTION = 'F',
};

enum pgwire_phase {
    PG_STARTUP,    /* the client's first message, or the next after a refused encryption */
    PG_ENCRYPTION, /* one byte of the server says whether it will encrypt */
    PG_LOGIN,      /* until the first ReadyForQuery */
    PG_READY,
};

struct pgwire_prepared {
    struct named named;
    unsigned users; /* the table and portals */
    bool is_cut;
    struct buf sql;
    struct buf types;       /* the parameters' OIDs, 4 bytes each, as sent */
    struct buf description; /* the last RowDescription of it, as sent; empty: none seen */
};

struct pgwire_portal {
    struct named named;
    struct pgwire_prepared *prepared;
    struct buf bind; /* the Bind message */
    bool is_bind_cut, was_run;
    struct buf description;
};

struct pgwire_column {
    uint32_t type;
    bool is_binary;
};

struct pg {
    enum pgwire_phase phase;
    bool is_skipping; /* the server passes over what comes up to the next Sync */
    bool is_copy_in;
    bool is_begun, is_failed;        /* of `current` */
    struct wire_statement current;   /* of the first of what is asked */
    struct wire_statement held;      /* the last that was answered: told when it is known whether a transaction stays open */
    bool is_held;
    size_t split_at; /* in a simple query's text: the statement that is being answered */
    VEC(struct pgwire_column) columns;   /* of `current` */
    struct named_table prepared, portals;
    struct buf user, database, application;
};

/* postgresql_extended.c: the answers to Parse, Bind, Describe, Close; NULL where a name is not known. */
void pgwire_parse_complete(struct wire_connection *c, struct pg *pg);
void pgwire_bind_complete(struct wire_connection *c, struct pg *pg);
void pgwire_close_complete(struct wire_connection *c, struct pg *pg);
void pgwire_described_params(struct wire_connection *c, struct pg *pg, struct str body);
/* `body`: a RowDescription; empty: NoData. */
void pgwire_described(struct wire_connection *c, struct pg *pg, struct str body);
/* Puts text and parameters of what Parse, Bind, Describe or Execute is about into pg->current. False if it is not known. */
bool pgwire_name_statement(struct pg *pg, const struct wire_ask *ask);
/* Begins the rows of an Execute; false if their description was not seen. */
bool pgwire_begin_executed_rows(struct pg *pg, const struct wire_ask *ask);
void pgwire_note_run(struct pg *pg, const struct wire_ask *ask);
void pgwire_open_tables(struct pg *pg);

/* postgresql_rows.c */
/* Begins the rows of pg->current as a RowDescription says. `bind`: a Bind message whose result formats count instead of those in
 * the description; empty: none. False if it is malformed. */
bool pgwire_begin_rows(struct pg *pg, struct str description, struct str bind);
/* False if it is malformed. */
bool pgwire_add_row(struct pg *pg, struct str body, bool is_cut);
/* The parameters of a Bind, of these types. What a cut message does not hold is absent. */
bool pgwire_add_params(struct pg *pg, struct str bind, bool is_cut, struct str types);

#endif
