/* The parts of a step, shared by this folder's files only: host expressions, host code, statements and what
 * they answer, mutexes.
 */
#ifndef LW_EXPLORE_RUN_H
#define LW_EXPLORE_RUN_H

#include "explore/world.h"

/* The value of a host expression. A type that doesn't fit (division by zero, null plus 1) raises in
 * the session: false. */
bool host_eval(struct world *world, struct session *session, const struct txn_expr *expr,
               struct host_value *value);
bool host_is_true(const struct world *world, struct host_value value);
struct cell *host_cell(struct session *session, uint32_t object, uint16_t column);
/* A new object of the table, all cells NULL and not loaded. */
uint32_t host_new_object(struct world *world, struct session *session, uint16_t table);

/* Runs host code until the session has its next visible operation, or has ended. */
void session_run(struct world *world, struct session *session);
/* Raises in the session: the next session_run unwinds. */
void session_raise(struct session *session, struct str class_name, enum db_error error,
                   const struct txn_step *step);
/* Goes on after the operation at hand was done. */
void session_op_done(struct world *world, struct session *session);

/* Sends the statement of `step`: binds, db_exec. */
void session_send(struct world *world, struct session *session, const struct txn_step *step,
                  struct db_result *result);
/* Takes in the answer to a statement of `step`: binds result variables, or raises. */
void session_receive(struct world *world, struct session *session, const struct txn_step *step,
                     const struct db_result *result);
/* Notes that a failure has ended the whole transaction: 1213 and 1020, and on PostgreSQL any error outside of a
 * savepoint. The ROLLBACK that the program then sends is no step. */
void session_note_ended(struct world *world, struct session *session,
                        const struct db_result *result);
/* Host value `host` of a statement as it is now. */
struct db_bind session_bind(struct session *session, uint16_t var, uint16_t column);
/* `expr` with its host values put in as literals, cached in the run's arena. */
const struct sql_expr *session_fill_expr(struct world *world, struct session *session,
                                         const struct txn_step *step);

/* Takes the mutex of `step` with the key in `session->mutex_key`; it must be free or the session's own. */
void world_take_mutex(struct world *world, struct session *session, const struct txn_step *step);
/* Lets it go, if the session holds it. */
void world_release_mutex(struct world *world, struct session *session, const struct txn_step *step,
                         struct value key);
/* Sends the ROLLBACK of a transaction that an error has ended already: no step of its own. */
void session_rollback_now(struct world *world, struct session *session,
                          const struct txn_step *step);

/* Trace; each does nothing without one. Returns the event, or NULL. */
struct ran_event *trace_add(struct world *world, struct session *session, enum ran_kind kind,
                              const struct txn_step *at);
void trace_told(struct world *world);
void trace_statement(struct world *world, struct session *session, const struct txn_step *step,
                     const struct db_bind *binds);
void trace_control(struct world *world, struct session *session, struct op op,
                   const struct sql_stmt *stmt);
void trace_blocked(struct world *world, struct session *session, const struct db_result *result);
void trace_answer(struct world *world, struct session *session, const struct txn_step *step,
                  const struct db_result *result);
/* Tells the trace's owner of it, once the result is taken in: looking at the database ends the result. */
void trace_answered(struct world *world);

#endif
