/* The notation's printer: steps, programs, scenarios. Four spaces a level, one step a line, SQL
 * on one line. */
#include "program/print.h"
#include "base/assert.h"
#include "program/notation.h"

struct printer {
    const struct txn_program *program;
    const struct text_pool *pool;
    enum sql_dialect dialect;
    struct buf *out;
    struct str text_path; /* places in this file are not printed: it is the notation's own */
    size_t level;
};

static void print_var_name(struct printer *p, uint16_t var, bool is_in_expr) {
    LW_ASSERT(var < p->program->vars.count);
    txn_print_name(p->out, p->program->vars.items[var].name, is_in_expr);
}

static void print_expr(struct printer *p, const struct txn_expr *expr) {
    txn_print_expr(p->program, expr, p->pool, p->out);
}

/* Whether the place is one in another text than the notation's. A program alone has no file of
 * its own; there the name's ending tells. */
static bool is_origin(const struct printer *p, struct txn_span span) {
    if (span.path.len == 0 || span.start.line == 0 || span.start.column == 0)
        return false;
    if (p->text_path.len > 0)
        return !str_equal(span.path, p->text_path);
    return !str_ends(span.path, ".txn");
}

/* ` @ "shop/views.py":42:9-42:30`, the path only where it isn't the program's. */
static void print_origin(struct printer *p, struct txn_span span, bool with_path) {
    if (!is_origin(p, span))
        return;
    buf_add_c(p->out, " @ ");
    bool is_known = is_origin(p, p->program->span) && str_equal(span.path, p->program->span.path);
    if (with_path || !is_known) {
        txn_print_quoted(p->out, span.path, '"');
        buf_add_char(p->out, ':');
    }
    buf_printf(p->out, "%u:%u", (unsigned)span.start.line, (unsigned)span.start.column);
    if (span.end.line != 0 && span.end.column != 0)
        buf_printf(p->out, "-%u:%u", (unsigned)span.end.line, (unsigned)span.end.column);
}

static void print_indent(struct printer *p) {
    buf_add_repeat(p->out, ' ', 4 * p->level);
}

static void print_step(struct printer *p, const struct txn_step *step);

/* From the `{` to the `}`, without a line end. */
static void print_block(struct printer *p, const struct txn_block *block) {
    buf_add_c(p->out, "{\n");
    p->level++;
    for (size_t i = 0; i < block->steps.count; i++) {
        print_indent(p);
        print_step(p, block->steps.items[i]);
        buf_add_char(p->out, '\n');
    }
    p->level--;
    print_indent(p);
    buf_add_char(p->out, '}');
}

static void print_body(struct printer *p, const struct txn_step *step) {
    print_origin(p, step->span, false);
    buf_add_char(p->out, ' ');
    print_block(p, &step->body);
}

static void print_end(struct printer *p, const struct txn_step *step) {
    print_origin(p, step->span, false);
    buf_add_char(p->out, ';');
}

static void print_sql(struct printer *p, const struct txn_step *step) {
    static const char *const words[] = {
        [TXN_INTO_ROW] = "row ",     [TXN_INTO_RELOAD] = "reload ", [TXN_INTO_ROWS] = "rows ",
        [TXN_INTO_VALUE] = "value ", [TXN_INTO_LIST] = "list ",     [TXN_INTO_COUNT] = "count ",
        [TXN_INTO_KEY] = "key ",
    };
    const struct txn_sql *sql = &step->sql;
    if (sql->is_save)
        buf_add_c(p->out, "save ");
    if (sql->into != TXN_INTO_NOTHING) {
        buf_add_c(p->out, words[sql->into]);
        print_var_name(p, sql->var, false);
        if (sql->into == TXN_INTO_KEY) {
            buf_add_char(p->out, '.');
            txn_print_name(p->out, sql->column_name, false);
        }
        buf_add_c(p->out, " = ");
    }
    sql_print(sql->stmt, p->pool, p->dialect, p->out);
    print_end(p, step);
}

static void print_assignment(struct printer *p, const struct txn_step *step) {
    print_var_name(p, step->var, false);
    if (step->kind == TXN_STEP_SET_COLUMN) {
        buf_add_char(p->out, '.');
        txn_print_name(p->out, step->column_name, false);
    }
    buf_add_c(p->out, " = ");
    if (step->kind == TXN_STEP_SET_COLUMN && step->sql_expr != NULL) {
        buf_add_c(p->out, "sql(");
        sql_print_expr(step->sql_expr, step->sql_hosts, p->pool, p->dialect, p->out);
        buf_add_char(p->out, ')');
    } else {
        print_expr(p, step->expr);
    }
    print_end(p, step);
}

static void print_new(struct printer *p, const struct txn_step *step) {
    print_var_name(p, step->var, false);
    buf_add_c(p->out, " = new ");
    txn_print_name(p->out, step->name, false);
    buf_add_char(p->out, '(');
    for (size_t i = 0; i < step->args.count; i++) {
        if (i > 0)
            buf_add_c(p->out, ", ");
        txn_print_name(p->out, step->new_columns.items[i], false);
        buf_add_c(p->out, " = ");
        print_expr(p, step->args.items[i]);
    }
    buf_add_char(p->out, ')');
    print_end(p, step);
}

/* An `else` that holds one `if` alone goes on in the same line. */
static void print_if(struct printer *p, const struct txn_step *step) {
    buf_add_c(p->out, "if ");
    print_expr(p, step->expr);
    print_body(p, step);
    const struct txn_block *otherwise = &step->else_body;
    if (otherwise->steps.count == 0)
        return;
    buf_add_c(p->out, " else ");
    if (otherwise->steps.count == 1 && otherwise->steps.items[0]->kind == TXN_STEP_IF)
        print_if(p, otherwise->steps.items[0]);
    else
        print_block(p, otherwise);
}

static void print_atomic(struct printer *p, const struct txn_step *step) {
    static const char *const levels[] = {
        [SQL_ISOLATION_DEFAULT] = "",
        [SQL_READ_UNCOMMITTED] = " isolation level read uncommitted",
        [SQL_READ_COMMITTED] = " isolation level read committed",
        [SQL_REPEATABLE_READ] = " isolation level repeatable read",
        [SQL_SERIALIZABLE] = " isolation level serializable",
    };
    buf_printf(p->out, "atomic%s", levels[step->isolation]);
    if (step->is_savepoint_off)
        buf_add_c(p->out, " without savepoint");
    print_body(p, step);
}

static void print_try(struct printer *p, const struct txn_step *step) {
    buf_add_c(p->out, "try");
    print_body(p, step);
    for (size_t i = 0; i < step->handlers.count; i++) {
        const struct txn_handler *handler = &step->handlers.items[i];
        buf_add_c(p->out, " except");
        for (size_t k = 0; k < handler->classes.count; k++) {
            buf_add_c(p->out, k > 0 ? ", " : " ");
            txn_print_dotted(p->out, handler->classes.items[k], false);
        }
        print_origin(p, handler->span, false);
        buf_add_char(p->out, ' ');
        print_block(p, &handler->body);
    }
    if (step->else_body.steps.count > 0) {
        buf_add_c(p->out, " else ");
        print_block(p, &step->else_body);
    }
    if (step->finally_body.steps.count > 0) {
        buf_add_c(p->out, " finally ");
        print_block(p, &step->finally_body);
    }
}

static void print_call(struct printer *p, const struct txn_step *step) {
    if (step->var != TXN_NO_VAR) {
        print_var_name(p, step->var, false);
        buf_add_c(p->out, " = ");
    }
    buf_add_c(p->out, "call ");
    txn_print_dotted(p->out, step->name, false);
    print_body(p, step);
}

static void print_lock(struct printer *p, const struct txn_step *step, const char *words) {
    buf_add_c(p->out, words);
    txn_print_quoted(p->out, step->name, '"');
    if (step->expr == NULL)
        return;
    buf_add_c(p->out, " (");
    print_expr(p, step->expr);
    buf_add_char(p->out, ')');
}

static void print_effect(struct printer *p, const struct txn_step *step) {
    buf_add_c(p->out, "effect ");
    txn_print_quoted(p->out, step->name, '"');
    for (size_t i = 0; i < step->args.count; i++) {
        buf_add_c(p->out, i == 0 ? " (" : ", ");
        print_expr(p, step->args.items[i]);
    }
    if (step->args.count > 0)
        buf_add_char(p->out, ')');
    print_end(p, step);
}

static void print_word(struct printer *p, const struct txn_step *step, const char *word) {
    buf_add_c(p->out, word);
    if (step->kind == TXN_STEP_RAISE && step->name.len > 0) {
        buf_add_char(p->out, ' ');
        txn_print_dotted(p->out, step->name, false);
    }
    if (step->kind == TXN_STEP_RETURN && step->expr != NULL) {
        buf_add_char(p->out, ' ');
        print_expr(p, step->expr);
    }
    print_end(p, step);
}

static void print_step(struct printer *p, const struct txn_step *step) {
    switch (step->kind) {
    case TXN_STEP_SQL:
        print_sql(p, step);
        return;
    case TXN_STEP_ASSIGN:
    case TXN_STEP_SET_COLUMN:
        print_assignment(p, step);
        return;
    case TXN_STEP_NEW:
        print_new(p, step);
        return;
    case TXN_STEP_IF:
        print_if(p, step);
        return;
    case TXN_STEP_FOR:
        buf_add_c(p->out, "for ");
        print_var_name(p, step->var, false);
        buf_add_c(p->out, " in ");
        print_var_name(p, step->list_var, false);
        print_body(p, step);
        return;
    case TXN_STEP_REPEAT:
        buf_printf(p->out, "repeat %u", (unsigned)step->repeat_max);
        print_body(p, step);
        return;
    case TXN_STEP_BREAK:
        print_word(p, step, "break");
        return;
    case TXN_STEP_CONTINUE:
        print_word(p, step, "continue");
        return;
    case TXN_STEP_ATOMIC:
        print_atomic(p, step);
        return;
    case TXN_STEP_TRY:
        print_try(p, step);
        return;
    case TXN_STEP_RAISE:
        print_word(p, step, "raise");
        return;
    case TXN_STEP_CALL:
        print_call(p, step);
        return;
    case TXN_STEP_RETURN:
        print_word(p, step, "return");
        return;
    case TXN_STEP_WITH_LOCK:
        print_lock(p, step, "with lock ");
        print_body(p, step);
        return;
    case TXN_STEP_LOCK:
    case TXN_STEP_UNLOCK:
        print_lock(p, step, step->kind == TXN_STEP_LOCK ? "lock " : "unlock ");
        print_end(p, step);
        return;
    case TXN_STEP_EFFECT:
        print_effect(p, step);
        return;
    }
    LW_UNREACHABLE();
}

static void print_var_declarations(struct printer *p) {
    for (size_t i = 0; i < p->program->vars.count; i++) {
        const struct txn_var *var = &p->program->vars.items[i];
        if (var->source_name.len == 0 || str_equal(var->source_name, var->name))
            continue;
        buf_add_c(p->out, "    var ");
        txn_print_name(p->out, var->name, false);
        buf_add_char(p->out, ' ');
        txn_print_quoted(p->out, var->source_name, '"');
        buf_add_c(p->out, ";\n");
    }
}

static void print_program(struct printer *p, const struct txn_program *program) {
    p->program = program;
    buf_add_c(p->out, "program ");
    txn_print_dotted(p->out, program->name, false);
    buf_add_char(p->out, '(');
    for (size_t i = 0; i < program->param_count; i++) {
        if (i > 0)
            buf_add_c(p->out, ", ");
        print_var_name(p, (uint16_t)i, false);
    }
    buf_add_char(p->out, ')');
    print_origin(p, program->span, true);
    buf_add_c(p->out, " {\n");
    print_var_declarations(p);
    p->level = 1;
    for (size_t i = 0; i < program->body.steps.count; i++) {
        print_indent(p);
        print_step(p, program->body.steps.items[i]);
        buf_add_char(p->out, '\n');
    }
    p->level = 0;
    buf_add_c(p->out, "}\n");
}

void txn_print_program(const struct txn_program *program, const struct text_pool *pool,
                       enum sql_dialect dialect, struct buf *out) {
    struct printer p = {.pool = pool, .dialect = dialect, .out = out};
    print_program(&p, program);
}

static void print_run(const struct txn_scenario *scenario, const struct txn_run *run,
                      const struct text_pool *pool, struct buf *out) {
    buf_add_c(out, "run ");
    if (run->name.len > 0) {
        txn_print_dotted(out, run->name, false);
        buf_add_c(out, ": ");
    }
    for (size_t i = 0; i < run->sessions.count; i++) {
        const struct txn_session *session = &run->sessions.items[i];
        if (i > 0)
            buf_add_c(out, " || ");
        txn_print_dotted(out, scenario->programs.items[session->program]->name, false);
        buf_add_char(out, '(');
        for (size_t k = 0; k < session->args.count; k++) {
            if (k > 0)
                buf_add_c(out, ", ");
            txn_print_value(out, pool, session->args.items[k]);
        }
        buf_add_char(out, ')');
    }
    buf_add_c(out, ";\n");
}

/* schema_print writes PostgreSQL's dialect, which others quote differently: there its text is
 * read and written anew. */
static void print_schema(const struct schema *schema, const struct text_pool *pool,
                         enum sql_dialect dialect, struct buf *out) {
    struct buf printed = {0};
    struct arena scratch;
    struct text_pool texts;
    arena_init(&scratch);
    text_pool_init(&texts, &scratch);
    schema_print(schema, pool, &printed);
    struct str text = buf_str(&printed);
    for (size_t from = 0; dialect != SQL_POSTGRESQL && from < text.len;) {
        struct sql_stmt *stmt = NULL;
        size_t end = text.len;
        bool is_read =
            sql_statement_end(text, from, (struct pos){1, 1}, SQL_POSTGRESQL, &end, NULL) &&
            sql_parse(&scratch, &texts, str_sub(text, from, end), (struct pos){1, 1},
                      SQL_POSTGRESQL, &stmt, NULL);
        LW_ASSERT(is_read);
        sql_print(stmt, &texts, dialect, out);
        buf_add_c(out, ";\n");
        from = end + 1;
        while (from < text.len && text.ptr[from] == '\n')
            from++;
    }
    if (dialect == SQL_POSTGRESQL)
        buf_add(out, text);
    buf_release(&printed);
    arena_release(&scratch);
}

void txn_print(const struct txn_scenario *scenario, const struct text_pool *pool,
               enum sql_dialect dialect, struct buf *out) {
    struct printer p = {.pool = pool, .dialect = dialect, .out = out, .text_path = scenario->path};
    print_schema(&scenario->schema, pool, dialect, out);
    for (size_t i = 0; i < scenario->setup.count; i++) {
        sql_print(scenario->setup.items[i], pool, dialect, out);
        buf_add_c(out, ";\n");
    }
    for (size_t i = 0; i < scenario->programs.count; i++) {
        if (out->len > 0)
            buf_add_char(out, '\n');
        print_program(&p, scenario->programs.items[i]);
    }
    if (scenario->runs.count > 0 && out->len > 0)
        buf_add_char(out, '\n');
    for (size_t i = 0; i < scenario->runs.count; i++)
        print_run(scenario, &scenario->runs.items[i], pool, out);
}
