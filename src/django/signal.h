/* Signals of models: functions of the project that Django calls when it saves or deletes a row. They are found where they
 * are connected, by @receiver or connect(); lowering runs them where the signal is sent. What is sent where is as
 * django/db/models/base.py and deletion.py have it: by save() and delete() of one object, and by what is made of
 * these; update(), bulk_create() and bulk_update() send nothing.
 */
#ifndef LW_DJANGO_SIGNAL_H
#define LW_DJANGO_SIGNAL_H

#include "django/facts.h"

struct lowerer;
struct row;
struct val;

enum signal {
    SIGNAL_PRE_SAVE,
    SIGNAL_POST_SAVE,
    SIGNAL_PRE_DELETE,
    SIGNAL_POST_DELETE,
    SIGNAL_M2M_CHANGED
};

/* A function connected to a signal. */
struct receiver {
    enum signal signal;
    struct model *sender; /* NULL: any */
    struct py_func *func;
};

/* Finds the receivers of the project; notes those that are not known. */
void signals_find(struct django_facts *facts);
/* Whether the dotted name is a method of a signal that the project makes itself: `order_placed.send`. */
bool signal_is_own(const struct django_facts *facts, struct str dotted);

/* Whether a signal of this model has a receiver. */
bool signal_has(const struct django_facts *facts, enum signal signal, const struct model *model);

/* Whether sending it here runs one. Receivers of every model are run for what a function saves and deletes, not for what
 * such a receiver does itself, nor for what is deleted along with something. */
bool signal_runs(const struct lowerer *l, enum signal signal, const struct model *model);

/* Whether deleting a row of the model is told to no receiver of that model in particular. */
bool signal_is_general(const struct lowerer *l, const struct model *model);

/* Runs the receivers in the order of their connection. `created` and `fields` (update_fields) are NULL where the signal
 * has none. What follows isn't reached if one of them always raises: see l->frame->is_terminated. */
void signal_send(struct lowerer *l, struct txn_span span, enum signal signal, struct row *row,
                 struct val *created, struct val *fields);

/* The same for m2m_changed. `target`: the key or object of the link; NULL: all of them. */
void signal_send_changed(struct lowerer *l, struct txn_span span, const struct model *through,
                         struct row *row, struct str action, bool is_reverse,
                         const struct model *model, struct val *target);

/* Notes that receivers run here, if the signal has any: they are not modelled at this place. */
void signal_note(struct lowerer *l, struct txn_span span, enum signal signal,
                 const struct model *model);

#endif
