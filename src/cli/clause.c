#include "cli/clause.h"

static bool needs(const struct sql_stmt *stmt, enum version_trait *trait) {
    if (stmt->kind == SQL_STMT_INSERT && stmt->returning.count > 0) {
        *trait = TRAIT_INSERT_RETURNING;
        return true;
    }
    if (stmt->kind != SQL_STMT_SELECT || stmt->select->lock_wait == SQL_WAIT)
        return false;
    *trait = stmt->select->lock_wait == SQL_NOWAIT ? TRAIT_NOWAIT : TRAIT_SKIP_LOCKED;
    return true;
}

static const struct txn_step *find_step(const struct txn_block *block,
                                        const struct db_config *config,
                                        enum version_trait *trait) {
    for (size_t i = 0; i < block->steps.count; i++) {
        const struct txn_step *step = block->steps.items[i], *found;
        if (step->kind == TXN_STEP_SQL && needs(step->sql.stmt, trait) &&
            !db_config_has(config, *trait))
            return step;
        found = find_step(&step->body, config, trait);
        if (found == NULL)
            found = find_step(&step->else_body, config, trait);
        for (size_t k = 0; found == NULL && k < step->handlers.count; k++)
            found = find_step(&step->handlers.items[k].body, config, trait);
        if (found == NULL)
            found = find_step(&step->finally_body, config, trait);
        if (found != NULL)
            return found;
    }
    return NULL;
}

bool clause_find(struct arena *arena, const struct txn_program *program,
                 const struct db_config *config, struct txn_span *span, struct str *text) {
    enum version_trait trait;
    const struct txn_step *step =
        config->version != 0 ? find_step(&program->body, config, &trait) : NULL;
    if (step == NULL)
        return false;
    struct buf words = {0};
    buf_printf(&words, "%s ", engine_name(config->engine));
    version_print(config->engine, config->version, &words);
    buf_printf(&words, " has no %s, and answers with a syntax error; ", version_trait_text(trait));
    size_t start = words.len;
    version_print_since(config->engine, trait, &words);
    buf_add_c(&words, words.len > start ? " have it" : "no version has it");
    *span = step->span;
    *text = str_dup(arena, buf_str(&words));
    buf_release(&words);
    return true;
}

bool clause_check(const struct txn_program *const *programs, size_t count,
                  const struct db_config *config, struct err *err) {
    struct arena scratch = {0};
    bool is_fine = true;
    for (size_t i = 0; i < count && is_fine; i++) {
        struct txn_span span;
        struct str text;
        is_fine = !clause_find(&scratch, programs[i], config, &span, &text);
        if (!is_fine) {
            err_set(err, span.start, "%.*s", STR_ARG(text));
            err_in_file(err, span.path);
        }
    }
    arena_release(&scratch);
    return is_fine;
}
