/* Making abstract values, and turning them into what a program needs: expressions, conditions, variables. */
#ifndef LW_DJANGO_VALUES_H
#define LW_DJANGO_VALUES_H

#include "django/lower.h"

struct val *val_new(struct lowerer *l, enum val_kind kind, struct txn_span span);
struct val *val_scalar(struct lowerer *l, struct txn_expr *expr);
struct val *val_literal(struct lowerer *l, struct txn_span span, struct value value);
struct val *val_null(struct lowerer *l, struct txn_span span);
struct val *val_bool(struct lowerer *l, struct txn_span span, bool truth);
struct val *val_int(struct lowerer *l, struct txn_span span, int64_t number);
struct val *val_row(struct lowerer *l, struct txn_span span, struct row *row);
struct val *val_rows(struct lowerer *l, struct txn_span span, uint16_t var, struct model *model);
struct val *val_unknown(struct lowerer *l, struct txn_span span, struct str text);
struct val *val_external(struct lowerer *l, struct txn_span span, struct str dotted);
struct val *val_query(struct lowerer *l, struct txn_span span, struct queryset *query);
struct row *row_new(struct lowerer *l, struct model *model, uint16_t var);

/* A container that is changed in place: what it holds from now on, wherever it is held. */
void val_change(struct lowerer *l, struct val *container, struct val *content);
/* A copy to be changed. */
struct val *val_copy(struct lowerer *l, const struct val *container);
/* The literal of a folded scalar. */
bool val_constant(const struct val *val, struct value *value);
/* The bytes of a folded text. */
bool val_text(struct lowerer *l, const struct val *val, struct str *text);
bool val_is_none(const struct val *val);

/* As a scalar of the program. A row is its primary key; what isn't known is a parameter. */
struct txn_expr *val_expr(struct lowerer *l, struct val *val);
/* Whether it hangs on parameters alone, not on what the database holds. */
bool expr_is_outside(const struct lowerer *l, const struct txn_expr *expr);
/* What a call of something unknown gives: what hangs on parameters alone may be anything, as they may. `text`: the call's. */
struct val *val_of_call(struct lowerer *l, struct txn_expr *call, struct str text);
/* As a condition. */
struct txn_expr *val_truth(struct lowerer *l, struct val *val);
/* Known at lowering time: 1 true, 0 false, -1 not known. */
int val_known_truth(struct lowerer *l, const struct val *val);
/* The same value, no longer hanging on columns that may change: put into a variable called `name`. */
struct val *val_stable(struct lowerer *l, struct val *val, struct str name);
/* Appends the value as it stands in SQL: a literal, :var or :row.column. */
void val_sql(struct lowerer *l, struct val *val, struct buf *out);

/* `"name"`, quoted where the dialect needs it. */
void sql_name(struct lowerer *l, struct str name, struct buf *out);
/* An SQL step from text, or a note if it isn't understood. NULL then. */
struct txn_step *lower_sql(struct lowerer *l, struct txn_span span, enum txn_into into, uint16_t var,
                           struct buf *sql);

/* A fresh variable of the program, named after `hint`. */
uint16_t lower_var(struct lowerer *l, struct str hint);
/* A free value of the program: the parameter named after this source text. */
struct txn_expr *lower_param(struct lowerer *l, struct txn_span span, struct str text);
/* How many variables to keep where all behind the first `var_count` are thrown away: the parameters among them stay. */
size_t lower_vars_from(const struct lowerer *l, size_t var_count);
/* Gives a moved copy of what was built its final variables: parameters first, in the order of `order` (indices in l->params), and
 * then those that are used, named as if made in that order. */
void lower_settle(struct lowerer *l, struct arena *arena, struct txn_program *program,
                  const size_t *order);
/* A text with SQL in which draft variables have the names that a reader knows. */
struct str lower_show_vars(struct lowerer *l, struct str text);
/* An identifier of the notation made of a source text. */
struct str lower_identifier(struct lowerer *l, struct str text);
/* The text on one line, cut if it is long. */
struct str lower_one_line(struct lowerer *l, struct str text);
/* Something has no counterpart in the program. */
void lower_note(struct lowerer *l, struct txn_span span, struct str text);
/* Something has one only as often or as deep as the text says: told, and yet no gap. */
void lower_bound(struct lowerer *l, struct txn_span span, struct str text);
__attribute__((format(printf, 3, 4))) void lower_notef(struct lowerer *l, struct txn_span span,
                                                       const char *format, ...);
struct txn_span lower_span(const struct lowerer *l, const struct py_node *node);

/* expr.c */
struct val *lower_expr(struct lowerer *l, const struct py_node *node);
struct val *lower_name(struct lowerer *l, const struct py_node *node);
struct val *lower_binary(struct lowerer *l, const struct py_node *node, enum py_op op, struct val *left,
                         struct val *right);
/* What a test says about the values of names in its branch: `x is None` where it holds. */
void lower_refine(struct lowerer *l, const struct py_node *test, bool holds);
/* stmt.c */
void lower_body(struct lowerer *l, struct py_list body);
void lower_assign(struct lowerer *l, const struct py_node *target, struct val *val);
/* loop.c */
void lower_for(struct lowerer *l, const struct py_node *node);
void lower_while(struct lowerer *l, const struct py_node *node);
/* comprehension.c: over what is known each element, else a value that isn't known. */
struct val *lower_comprehension(struct lowerer *l, const struct py_node *node);
/* sum() of a comprehension; NULL: another call. */
struct val *lower_sum(struct lowerer *l, const struct py_node *call);
/* match.c */
void lower_match(struct lowerer *l, const struct py_node *node);
/* with.c */
void lower_with(struct lowerer *l, const struct py_node *node);
/* An application lock by its name or by how it is made; NULL: not one. */
struct val *lower_lock(struct lowerer *l, const struct py_node *node);
/* `cache.lock("x")` as a value; NULL: not the making of a lock. */
struct val *lower_made_lock(struct lowerer *l, const struct py_node *call);
/* lock.acquire() and lock.release(); NULL: not these. */
struct val *lower_lock_method(struct lowerer *l, const struct py_node *call);
/* The yield of a context manager's generator: the body of its with statement. */
void lower_yield(struct lowerer *l, const struct py_node *node);
/* try.c */
void lower_try(struct lowerer *l, const struct py_node *node);
void lower_raise(struct lowerer *l, const struct py_node *node);
/* Steps that raise a class of that name; what follows isn't reached. */
void lower_raise_class(struct lowerer *l, struct txn_span span, struct str name);
/* attr.c */
struct val *lower_attribute(struct lowerer *l, struct txn_span span, struct val *of, struct str name,
                            const struct py_node *node);
struct val *lower_subscript(struct lowerer *l, const struct py_node *node);
/* Notes the assignments to unknown objects that may have been to rows which the program saves. */
void lower_tell_lost_sets(struct lowerer *l);
void lower_set_attribute(struct lowerer *l, struct txn_span span, struct val *of, struct str name,
                         struct val *val);
/* type(x) of a model instance or another object of a class of the project; NULL: not known. */
struct val *class_of_object(struct lowerer *l, struct txn_span span, const struct val *of);
struct val *symbol_val(struct lowerer *l, struct txn_span span, struct symbol symbol, struct str text);

/* A member of a class as seen through `self` (which may be the class): methods bound, properties called.
 * NULL: it has none of that name. */
struct val *class_member(struct lowerer *l, struct txn_span span, struct val *self,
                         struct py_class *class_, struct str name);

/* call.c */

/* The arguments of a call, evaluated. */
struct args {
    struct txn_span span;
    const struct py_node *node; /* the Call, or NULL */
    VEC(struct val *) positional;
    VEC(struct str) names;
    VEC(struct val *) values;
    bool is_open; /* *args or **kwargs that are not known */
    struct val *rest; /* what the last such *args goes over; or NULL */
};
void lower_args(struct lowerer *l, const struct py_node *call, struct args *args);
struct val *args_get(const struct args *args, size_t position, const char *name);
struct val *args_named(const struct args *args, const char *name);
struct val *lower_call(struct lowerer *l, const struct py_node *node);
struct val *lower_call_value(struct lowerer *l, struct val *func, struct args *args, struct str text);
/* Runs a function of the project in a frame of its own. `self` may be NULL. */
struct val *lower_call_func(struct lowerer *l, struct val *func, struct val *self, struct args *args);
/* Binds parameters into the frame's locals. */
void lower_bind(struct lowerer *l, struct frame *frame, const struct py_node *arguments,
                struct val *self, struct args *args, struct txn_span span);
/* The function behind its decorators, which are evaluated where it stands. */
struct val *lower_decorated(struct lowerer *l, struct val *func, struct py_list decorators);
/* What decorators of that module make of a function, or of what others made of it. */
struct val *lower_decorated_in(struct lowerer *l, struct module *module, struct val *func,
                               struct py_list decorators);
struct val *func_val(struct lowerer *l, struct py_func *func);
/* A block of the program that is one atomic(); ends with lower_atomic_end. */
struct txn_step *lower_atomic(struct lowerer *l, struct txn_span span, const struct args *args);
void lower_atomic_end(struct lowerer *l, struct txn_step *step);
/* SELECT pg_advisory_xact_lock(...) and its kin through a cursor: the lock is taken, or let go; that of a transaction with its
 * commit. False if the SQL is none of these. */
bool lower_advisory_lock(struct lowerer *l, struct txn_span span, struct str text, const struct val *params);
/* Whether `using` is the name of a database that is not `default`. One that only the run knows is taken for `default`. */
bool names_other_database(struct lowerer *l, const struct val *using);
/* transaction.on_commit(func). */
void lower_on_commit(struct lowerer *l, struct txn_span span, struct val *func);
/* What an unknown call does to the world. */
struct val *lower_effect(struct lowerer *l, struct args *args, struct str name);

bool lower_is_builtin(struct str name);
bool lower_is_silent(struct str dotted);
bool lower_is_effect(struct str dotted);
bool lower_is_manager_call(struct str name);
bool lower_is_write(struct str name);
bool lower_makes_no_rows(struct str dotted);
struct str lower_sync_name(struct str name);
/* A call by such a name, of an attribute: whether its arguments are such. */
bool lower_is_write_call(const struct py_node *call);
/* Methods that rows, querysets, dicts and texts have alike: of what isn't known, whatever else in the project is called so. */
bool lower_is_plain_read(struct str name);
/* "c" of a.b.c(...). */
struct str lower_last_part(struct str dotted);
bool lower_is_generator(struct py_func *func);
/* Lowers the body of a function in its frame; the merged value it returns. */
struct val *lower_run_frame(struct lowerer *l, struct frame *frame, const struct py_node *node);
/* external.c: Django's, the standard library's and Python's own functions. NULL: not one of these. */
struct val *lower_call_external(struct lowerer *l, struct str dotted, struct args *args);
struct val *lower_call_builtin(struct lowerer *l, struct str name, struct args *args);
/* sqlx.c: F, Q, Sum... NULL: not one. */
struct val *lower_call_sqlx(struct lowerer *l, struct str dotted, struct args *args);
struct val *lower_sql_binary(struct lowerer *l, struct txn_span span, enum py_op op, struct val *left,
                             struct val *right);

#endif
