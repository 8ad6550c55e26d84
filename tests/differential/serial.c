/* Is there a serial order? The committed transactions of a script are run one after the other, in every order, as far as
 * each gives its answers again.
 *
 * Left out is what a statement that failed told: an error of a unique key or of NOWAIT may speak of a transaction that
 * is not before this one in any order, on the servers too. The same goes for a row that ON CONFLICT DO NOTHING passed
 * over: PostgreSQL's serializable level does not take note of it. A script that passed over locked rows is not looked at.
 */
#include "base/assert.h"
#include "builtin.h"

enum { TRANSACTIONS_MAX = 8, STATEMENTS_MAX = 64, TRIES_MAX = 20000 };

struct transaction {
    size_t count;
    const struct script_line *lines[STATEMENTS_MAX];
    const struct sql_stmt *stmts[STATEMENTS_MAX];
};

struct search {
    struct builtin *builtin;
    const struct script *script;
    struct arena arena;
    size_t transaction_count;
    struct transaction transactions[TRANSACTIONS_MAX];
    const struct sql_stmt *begin, *commit;
    struct db *at[TRANSACTIONS_MAX + 1]; /* after so many */
    size_t try_count;
    bool is_over_limit;
};

/* ---- the committed transactions ---- */

static bool is_word(const struct script_line *line, const char *word) {
    return sql_is(line->sql, word);
}

static void keep(struct search *search, const struct transaction *transaction) {
    if (transaction->count == 0)
        return;
    if (search->transaction_count == TRANSACTIONS_MAX)
        search->is_over_limit = true;
    else
        search->transactions[search->transaction_count++] = *transaction;
}

static void add(struct search *search, struct transaction *transaction,
                const struct script_line *line) {
    struct err err;
    if (transaction->count == STATEMENTS_MAX) {
        search->is_over_limit = true;
        return;
    }
    const struct sql_stmt *stmt = builtin_stmt(search->builtin, line->sql, &err);
    LW_ASSERT(stmt != NULL);
    transaction->lines[transaction->count] = line;
    transaction->stmts[transaction->count++] = stmt;
}

static bool tells_of_a_key_only(const struct script_line *line) {
    return str_ends(line->sql, " on conflict do nothing") && line->answer.affected == 0;
}

static void collect_session(struct search *search, size_t session) {
    struct transaction transaction = {0};
    bool is_open = false;
    for (size_t i = 0; i < search->script->lines.count; i++) {
        const struct script_line *line = &search->script->lines.items[i];
        const struct answer *answer = &line->answer;
        if (line->session != session || line->is_final || answer->kind == ANSWER_WAITS)
            continue;
        if (is_word(line, "begin") || is_word(line, "rollback") || is_word(line, "commit")) {
            bool is_rollback_to = sql_is(line->sql, "rollback to");
            if (is_rollback_to && answer->kind != ANSWER_FAILED)
                add(search, &transaction, line);
            if (is_rollback_to || (is_word(line, "begin") && is_open))
                continue;
            if (is_word(line, "commit") && answer->kind == ANSWER_DONE && !answer->rolled_back)
                keep(search, &transaction);
            transaction.count = 0;
            is_open = is_word(line, "begin") && answer->kind == ANSWER_DONE;
        } else if (answer->kind == ANSWER_FAILED) {
            is_open = is_open && !answer->ended_transaction;
            if (!is_open)
                transaction.count = 0;
        } else if (!tells_of_a_key_only(line)) {
            add(search, &transaction, line);
            if (!is_open) {
                keep(search, &transaction);
                transaction.count = 0;
            }
        }
    }
}

/* ---- the search ---- */

static bool gives(struct search *search, struct db *db, const struct script_line *line,
                  const struct sql_stmt *stmt) {
    struct db_result result;
    struct answer answer;
    db_exec(db, 0, stmt, NULL, &result);
    arena_reset(&search->arena);
    builtin_answer(search->builtin, &search->arena, stmt, line->sql, &result, &answer);
    return answer_compare(line, &answer, SQL_READ_COMMITTED) == DIFFERENCE_NONE;
}

static bool run(struct search *search, struct db *db, const struct transaction *transaction) {
    struct db_result result;
    db_exec(db, 0, search->begin, NULL, &result);
    for (size_t i = 0; i < transaction->count; i++)
        if (!gives(search, db, transaction->lines[i], transaction->stmts[i]))
            return false;
    db_exec(db, 0, search->commit, NULL, &result);
    return result.status == DB_OK && !result.ended_transaction;
}

static bool ends_so(struct search *search, struct db *db) {
    struct err err;
    for (size_t i = 0; i < search->script->lines.count; i++) {
        const struct script_line *line = &search->script->lines.items[i];
        if (line->is_final &&
            !gives(search, db, line, builtin_stmt(search->builtin, line->sql, &err)))
            return false;
    }
    return true;
}

static bool find_order(struct search *search, size_t count, unsigned used) {
    if (count == search->transaction_count)
        return ends_so(search, search->at[count]);
    for (size_t i = 0; i < search->transaction_count; i++) {
        if (used & (1u << i))
            continue;
        if (++search->try_count > TRIES_MAX) {
            search->is_over_limit = true;
            return false;
        }
        db_copy(search->at[count + 1], search->at[count]);
        if (run(search, search->at[count + 1], &search->transactions[i]) &&
            find_order(search, count + 1, used | (1u << i)))
            return true;
    }
    return false;
}

static bool has_skipped_rows(const struct script *script) {
    for (size_t i = 0; i < script->lines.count; i++)
        if (str_ends(script->lines.items[i].sql, " skip locked"))
            return true;
    return false;
}

bool builtin_is_serializable(struct builtin *builtin, const struct script *script,
                             bool *is_known) {
    struct search search = {.builtin = builtin, .script = script};
    struct err err;
    search.is_over_limit = has_skipped_rows(script) || script->is_cut;
    for (size_t s = 0; s < TRIAL_SESSIONS_MAX; s++)
        collect_session(&search, s);
    bool found = false;
    if (!search.is_over_limit) {
        search.begin = builtin_stmt(builtin, STR("begin"), &err);
        search.commit = builtin_stmt(builtin, STR("commit"), &err);
        for (size_t i = 0; i <= search.transaction_count; i++)
            search.at[i] = db_copy_new(builtin->loaded);
        found = find_order(&search, 0, 0);
    }
    for (size_t i = 0; i <= TRANSACTIONS_MAX; i++)
        db_free(search.at[i]);
    arena_release(&search.arena);
    *is_known = !search.is_over_limit;
    return found;
}
