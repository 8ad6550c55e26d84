/* One session of a run: a transaction program in the middle of its execution. It is plain data in a few
 * growable arrays, so that a search can copy it at every branch; pointers lead only into the program, which
 * is immutable.
 *
 * The host part of a program (assignments, conditions, loops) runs eagerly: after each answer of the database
 * the session goes on until its next *visible* operation, which is what a schedule interleaves (DESIGN
 * section 5): a statement, COMMIT, ROLLBACK, taking a mutex. BEGIN, SAVEPOINT, RELEASE and SET wait in `ops` and go
 * with the next visible one.
 */
#ifndef LW_EXPLORE_SESSION_H
#define LW_EXPLORE_SESSION_H

#include "engine/engine.h"
#include "explore/trace.h"
#include "program/program.h"

enum host_kind { HOST_UNSET, HOST_SCALAR, HOST_ROW, HOST_LIST };
enum { HOST_NO_OBJECT = 0xffffffffu };

/* A variable. ROW: `index` is an object, or HOST_NO_OBJECT for null. LIST: `count` entries of `items` from
 * `index`, each an object (rows) or a scalar. */
struct host_value {
    uint8_t kind; /* enum host_kind */
    bool is_rows; /* LIST of objects */
    bool is_opaque; /* SCALAR: what an uninterpreted function gave, as a text */
    uint32_t deps; /* what it was computed from: a set of the trace, 0 without one */
    uint32_t index, count;
    struct value scalar;
};

/* A column of a row object. */
struct cell {
    struct value value;
    const struct sql_expr *pending; /* F(): an expression that the next write sends; else NULL */
    uint32_t deps;
    bool is_loaded;   /* holds, or held, what the database had */
    bool is_assigned; /* by the program since it was loaded or last written */
    uint8_t times_sent; /* how often `pending` was written */
    const struct txn_step *assigned_at; /* the assignment, while is_assigned; NULL: when the object was made */
};

struct object {
    uint16_t table;
    uint32_t first_cell; /* as many as the table has columns */
    struct db_ref ref;   /* the version it was loaded from or written as; version 0: none */
};

enum frame_role { FRAME_BODY, FRAME_ELSE, FRAME_HANDLER, FRAME_FINALLY };
enum leave { LEAVE_NONE, LEAVE_EXCEPTION, LEAVE_RETURN, LEAVE_BREAK, LEAVE_CONTINUE };

struct exception {
    struct str class_name;         /* empty: none */
    enum db_error error;           /* of the database; DB_OK_NO_ERROR: raised by the program */
    const struct txn_step *step;   /* where it came up */
    uint32_t op_number;            /* the how-manieth visible operation of the session failed */
};

struct frame {
    const struct txn_block *block;
    const struct txn_step *owner;  /* NULL: the program's body */
    const struct txn_handler *handler;
    uint32_t next;                 /* step of the block */
    uint32_t round;                /* FOR, REPEAT: how many rounds were begun */
    uint32_t deps_outside;         /* the control dependencies to go back to */
    uint8_t role;                  /* enum frame_role */
    uint8_t leave;                 /* FINALLY: how to go on after it */
    struct value key;              /* WITH_LOCK: of the mutex that was taken */
    bool has_savepoint;            /* ATOMIC: nested one that made a savepoint */
    uint8_t flags_at_savepoint;    /* ATOMIC: the session's, to go back to */
    struct exception saved;        /* HANDLER, FINALLY: the exception being handled */
};

enum op_kind {
    OP_BEGIN,     /* silent */
    OP_SAVEPOINT, /* silent */
    OP_RELEASE,   /* silent */
    OP_SILENT_STATEMENT, /* BEGIN, SET ... written as SQL */
    OP_STATEMENT,
    OP_COMMIT,
    OP_ROLLBACK,
    OP_ROLLBACK_TO,
    OP_MUTEX
};

struct op {
    uint8_t kind; /* enum op_kind */
    uint8_t isolation; /* BEGIN */
    uint16_t level;    /* SAVEPOINT, RELEASE, ROLLBACK_TO: which nested atomic */
    const struct txn_step *step;
};

enum session_status { SESSION_READY, SESSION_WAITING, SESSION_DONE };
enum fate { FATE_RUNNING, FATE_DONE, FATE_RAISED, FATE_FAILED, FATE_STUCK };

/* What the monitor saw this session write (DESIGN section 5: the second, direct monitor). */
enum session_flag {
    SESSION_CLOBBERED_OWN = 1,   /* a column not assigned was written back over the session's own newer value */
    SESSION_CLOBBERED_OTHER = 2, /* ... over another session's */
    SESSION_REPEATED_F = 4,      /* an F() expression was written twice by the same object */
    SESSION_RESURRECTED = 8,     /* save() inserted a row that was loaded and that another session deleted */
    SESSION_WROTE = 16,          /* a statement of it wrote some row, be it rolled back later */
    SESSION_CHANGED = 32,        /* ... and it was not rolled back */
    SESSION_OVERWROTE = 64,      /* an UPDATE changed a column that another session had written in this run */
};

enum { SESSION_OPS_MAX = 16 };

#define SESSION_VEC(type)                                                                          \
    struct {                                                                                       \
        type *items;                                                                               \
        size_t count, capacity;                                                                    \
    }

struct session {
    const struct txn_program *program;
    uint8_t index;
    uint8_t status; /* enum session_status */
    uint8_t fate;   /* enum fate */
    bool needs_rollback; /* Django's flag: an error inside this atomic block was not rolled back yet */
    bool is_ended;       /* an error has ended the open transaction on the server */
    uint8_t leave;  /* enum leave: unwinding, and why */
    uint8_t op_count, op_next; /* of the step at hand; the last one is visible */
    uint8_t flags, flags_at_begin; /* enum session_flag; a ROLLBACK goes back to those at BEGIN, WROTE aside */
    uint16_t atomic_depth;
    uint32_t op_number; /* visible operations done */
    uint32_t control_deps;
    uint32_t return_deps;
    struct exception exception;
    struct host_value returned;
    struct value mutex_key; /* of the OP_MUTEX at hand */
    struct op ops[SESSION_OPS_MAX];
    SESSION_VEC(struct host_value) vars;
    SESSION_VEC(struct object) objects;
    SESSION_VEC(struct cell) cells;
    SESSION_VEC(struct host_value) items;
    SESSION_VEC(struct frame) frames;
};

#endif
