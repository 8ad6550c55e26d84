#include "spec/script.h"

#include "base/assert.h"

/* The place in the file of byte `offset` of the block. */
static struct pos pos_in(const struct spec_block *block, size_t offset) {
    struct pos pos = pos_of_offset(block->sql, offset);
    if (pos.line == 1)
        pos.column += block->pos.column - 1;
    pos.line += block->pos.line - 1;
    return pos;
}

static bool is_space(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f';
}

/* Where the first token stands: blanks and `--` comments aside. */
static size_t skip_to_token(struct str sql, size_t at) {
    for (;;) {
        while (at < sql.len && is_space(sql.ptr[at]))
            at++;
        if (at + 1 >= sql.len || sql.ptr[at] != '-' || sql.ptr[at + 1] != '-')
            return at;
        at = str_find(sql, '\n', at);
    }
}

/* Whether the text begins with these words, each followed by a blank or the end. */
static bool starts_with(struct str sql, const char *words) {
    size_t at = 0;
    for (const char *c = words; *c != '\0'; c++) {
        if (*c == ' ') {
            size_t start = at;
            at = skip_to_token(sql, at);
            if (at == start)
                return false;
            continue;
        }
        if (at >= sql.len || (sql.ptr[at] & ~0x20) != *c)
            return false;
        at++;
    }
    return at == sql.len || is_space(sql.ptr[at]) || sql.ptr[at] == ';';
}

/* Statements without an effect on what sessions can see of each other. */
static bool is_skipped(struct str sql, enum script_use use) {
    static const char *const tidy[] = {"VACUUM", "ANALYZE", "DROP TABLE IF EXISTS"};
    static const char *const drop[] = {"DROP TABLE", "DROP INDEX"};
    for (size_t i = 0; use == SCRIPT_SETUP && i < LW_COUNT_OF(tidy); i++)
        if (starts_with(sql, tidy[i]))
            return true;
    for (size_t i = 0; use == SCRIPT_TEARDOWN && i < LW_COUNT_OF(drop); i++)
        if (starts_with(sql, drop[i]))
            return true;
    return false;
}

bool script_parse(struct arena *arena, struct text_pool *pool, const struct spec_block *block,
                  enum script_use use, struct script *script, struct err *err) {
    struct str sql = block->sql;
    *script = (struct script){0};
    for (size_t at = skip_to_token(sql, 0); at < sql.len; at = skip_to_token(sql, at + 1)) {
        struct pos pos = pos_in(block, at);
        size_t end;
        if (!sql_statement_end(sql, at, pos, SQL_POSTGRESQL, &end, err))
            return false;
        struct str text = str_sub(sql, at, end);
        struct sql_stmt *stmt;
        script->ends_in_skipped = text.len > 0 && is_skipped(text, use);
        at = end;
        if (text.len == 0 || script->ends_in_skipped)
            continue;
        if (!sql_parse(arena, pool, text, pos, SQL_POSTGRESQL, &stmt, err))
            return false;
        VEC_PUSH(arena, &script->stmts, stmt);
    }
    return true;
}
