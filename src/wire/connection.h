/* What the decoders of both protocols share: the streams of the two sides, the queue of what was asked, doubts and how
 * to begin anew after one, telling. */
#ifndef LW_WIRE_CONNECTION_H
#define LW_WIRE_CONNECTION_H

#include "wire/statement.h"
#include "wire/wire.h"

/* What one protocol does. `decoder` is its own state. */
struct wire_class {
    enum trace_server server;
    void *(*open)(struct wire_connection *c);
    /* Reads whole messages from `bytes`; answers how many bytes are done with. What is left comes again, with more behind it. */
    size_t (*receive)(struct wire_connection *c, enum wire_side side, struct str bytes);
    /* Forgets what may no longer be true, and waits for a command. */
    void (*restart)(struct wire_connection *c);
    /* Whether a client that was silent may have sent these bytes in full, after a server sent `tail` last. */
    bool (*is_command)(struct str burst, struct str tail);
    /* The connection ends: tells what waits. */
    void (*end)(struct wire_connection *c);
    size_t (*byte_size)(const struct wire_connection *c);
    void (*close)(struct wire_connection *c);
};

extern const struct wire_class postgresql_class, mysql_class;

/* What a client asked and a server has not answered yet. */
struct wire_ask {
    struct wire_ask *next;
    uint8_t kind; /* the protocol's own */
    bool is_cut;  /* only the beginning of the body is here */
    int64_t time_us;
    uint64_t offset;
    size_t len;
    char body[];
};

enum wire_mode {
    WIRE_READING,
    WIRE_JOINING, /* waits for a point where the client sends a command and nothing else is under way */
    WIRE_BLIND,   /* encrypted, or given up: counts bytes */
};

enum { WIRE_TAIL_BYTES = 8, WIRE_BURST_BYTES_MAX = 1 << 18 };

struct wire_stream {
    struct buf pending; /* bytes of unfinished messages */
    uint64_t skip;      /* bytes of a message that was read as far as it is kept */
};

struct wire_connection {
    const struct wire_class *class;
    struct wire_source source;
    void *decoder;
    enum wire_mode mode;
    struct wire_stream streams[2];
    bool is_client_waiting; /* the client's next bytes cannot be read before the server answers */
    int64_t time_us;        /* of the piece that is being read, and its place */
    uint64_t offset;
    struct wire_ask *asked, *asked_last;
    size_t asked_bytes;
    /* A gap that is told when decoding goes on, so that its size is known. */
    const char *gap_reason;
    uint64_t gap_offset, gap_bytes;
    int64_t gap_time_us;
    bool is_gap_encrypted;
    unsigned doubt_count;
    char tail[WIRE_TAIL_BYTES]; /* JOINING: what the server sent last */
    size_t tail_len;
    int64_t burst_time_us; /* JOINING: of what the client sent since */
    uint64_t burst_offset;
    bool is_burst_bad, is_session_told, is_ended;
    struct arena scratch;
};

/* Something that can't be: what follows is passed over to the next safe point. `reason` is a literal. Whoever calls it returns
 * at once. */
void wire_doubt(struct wire_connection *c, const char *reason);
void wire_go_blind(struct wire_connection *c, const char *reason, bool is_encrypted);
/* One statement or so is not told, the rest is not in doubt. */
void wire_gap(struct wire_connection *c, const char *reason, uint64_t byte_count);

/* Appends to what is asked; false after a doubt, if that is too much. */
bool wire_ask(struct wire_connection *c, uint8_t kind, struct str body, bool is_cut);
struct str wire_ask_body(const struct wire_ask *ask);
/* Takes the first away. */
void wire_answered(struct wire_connection *c);
void wire_forget_asked(struct wire_connection *c);

/* Tells the statement; it is empty afterwards. */
void wire_tell(struct wire_connection *c, struct wire_statement *s);
void wire_tell_session(struct wire_connection *c, struct str user, struct str database,
                       struct str application);
void wire_tell_end(struct wire_connection *c);

#endif
