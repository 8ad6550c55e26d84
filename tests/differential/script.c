#include "script.h"

#include "base/assert.h"

#include <stdlib.h>

enum { TRANSCRIPT_COLUMN = 65 };

const char *difference_name(enum difference difference) {
    static const char *const names[] = {"none",  "wait",       "blockers", "error", "rows",
                                        "count", "final rows", "ssi"};
    LW_ASSERT(difference < LW_COUNT_OF(names));
    return names[difference];
}

bool sql_is(struct str sql, const char *word) {
    return str_starts(sql, word) && (sql.len == strlen(word) || sql.ptr[strlen(word)] == ' ');
}

bool sql_is_ordered(struct str sql) {
    static const char order[] = " order by ";
    for (size_t i = 0; i + sizeof(order) <= sql.len; i++)
        if (memcmp(sql.ptr + i, order, sizeof(order) - 1) == 0)
            return true;
    return false;
}

static enum difference compare_kinds(const struct answer *ours, const struct answer *server,
                                     enum sql_isolation isolation) {
    bool ours_fails = ours->kind == ANSWER_FAILED, theirs_fails = server->kind == ANSWER_FAILED;
    bool is_40001 = (ours_fails && strcmp(ours->code, "40001") == 0) !=
                    (theirs_fails && strcmp(server->code, "40001") == 0);
    if (isolation == SQL_SERIALIZABLE && is_40001)
        return DIFFERENCE_SSI;
    if (ours->kind == ANSWER_WAITS || server->kind == ANSWER_WAITS)
        return DIFFERENCE_WAIT;
    return DIFFERENCE_ERROR;
}

enum difference answer_compare(const struct script_line *line, const struct answer *server,
                               enum sql_isolation isolation) {
    const struct answer *ours = &line->answer;
    if (ours->kind != server->kind)
        return compare_kinds(ours, server, isolation);
    switch (ours->kind) {
    case ANSWER_WAITS:
        return server->blockers != 0 && ours->blockers != server->blockers ? DIFFERENCE_BLOCKERS
                                                                           : DIFFERENCE_NONE;
    case ANSWER_FAILED:
        return strcmp(ours->code, server->code) != 0 ? compare_kinds(ours, server, isolation)
                                                     : DIFFERENCE_NONE;
    case ANSWER_ROWS:
        if (str_equal(ours->rows, server->rows))
            return DIFFERENCE_NONE;
        return line->is_final ? DIFFERENCE_FINAL_ROWS : DIFFERENCE_ROWS;
    case ANSWER_DONE:
        return ours->affected != server->affected || ours->rolled_back != server->rolled_back
                   ? DIFFERENCE_COUNT
                   : DIFFERENCE_NONE;
    }
    LW_UNREACHABLE();
}

static int compare_texts(const void *a, const void *b) {
    return str_compare(*(const struct str *)a, *(const struct str *)b);
}

struct str rows_shown(struct arena *arena, const struct str *cells, size_t row_count,
                      size_t column_count, bool is_ordered) {
    struct str *rows = ARENA_ARRAY(arena, struct str, row_count);
    struct buf out = {0};
    for (size_t r = 0; r < row_count; r++) {
        buf_clear(&out);
        buf_add_char(&out, '(');
        for (size_t c = 0; c < column_count; c++) {
            struct str cell = cells[r * column_count + c];
            buf_add_c(&out, c > 0 ? ", " : "");
            if (cell.ptr == NULL)
                buf_add_c(&out, "None");
            else
                buf_printf(&out, "'%.*s'", STR_ARG(cell));
        }
        buf_add_c(&out, column_count == 1 ? ",)" : ")");
        rows[r] = str_dup(arena, buf_str(&out));
    }
    if (!is_ordered && row_count > 1)
        qsort(rows, row_count, sizeof(rows[0]), compare_texts);
    buf_clear(&out);
    buf_add_char(&out, '[');
    for (size_t r = 0; r < row_count; r++)
        buf_printf(&out, "%s%.*s", r > 0 ? ", " : "", STR_ARG(rows[r]));
    buf_add_char(&out, ']');
    struct str text = str_dup(arena, buf_str(&out));
    buf_release(&out);
    return text;
}

static void print_head(const struct trial *trial, struct buf *out) {
    buf_printf(out, "## seed %llu case %llu\n  = %s\n", (unsigned long long)trial->seed,
               (unsigned long long)trial->number, trial->policy->name);
    for (size_t i = 0; i < trial->world->ddl.count; i++)
        buf_printf(out, "  + %.*s\n", STR_ARG(trial->world->ddl.items[i]));
    for (size_t i = 0; i < trial->rows.count; i++)
        buf_printf(out, "  + %.*s\n", STR_ARG(trial->rows.items[i]));
}

static uint64_t hash_more(uint64_t hash, const void *bytes, size_t size) { /* FNV-1a */
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ ((const unsigned char *)bytes)[i]) * 0x100000001b3;
    return hash;
}

static uint64_t hash_text(uint64_t hash, struct str text) {
    return hash_more(hash_more(hash, text.ptr, text.len), "", 1);
}

uint64_t script_hash(const struct trial *trial, const struct script *script) {
    struct buf head = {0};
    print_head(trial, &head);
    uint64_t hash = hash_text(0xcbf29ce484222325, buf_str(&head));
    buf_release(&head);
    for (size_t i = 0; i < script->lines.count; i++) {
        const struct script_line *line = &script->lines.items[i];
        const struct answer *answer = &line->answer;
        const int64_t numbers[] = {line->kind,       line->session,       line->is_final,
                                   answer->kind,     answer->affected,    answer->rolled_back,
                                   answer->blockers, answer->ended_transaction};
        hash = hash_more(hash, numbers, sizeof(numbers));
        hash = hash_text(hash, line->sql);
        hash = hash_text(hash, answer->rows);
        hash = hash_text(hash, str_from_c(answer->code));
    }
    return hash;
}

static void print_line(const struct script_line *line, const struct answer *answer,
                       struct buf *out) {
    size_t start = out->len;
    buf_printf(out, "  %c %.*s", 'A' + line->session, STR_ARG(line->sql));
    if (out->len - start < TRANSCRIPT_COLUMN)
        buf_add_repeat(out, ' ', TRANSCRIPT_COLUMN - (out->len - start));
    buf_printf(out, "  %s%.*s\n", line->kind == LINE_STATEMENT ? "" : "(unblocked) ",
               STR_ARG(answer->shown));
}

void trial_print(const struct trial *trial, struct buf *out) {
    print_head(trial, out);
    for (size_t i = 0; i < trial->steps.count; i++)
        buf_printf(out, "  %c %.*s\n", 'A' + trial->steps.items[i].session,
                   STR_ARG(trial->steps.items[i].sql));
}

void script_print(const struct trial *trial, const struct script *script, size_t count,
                  const struct answer *last, struct buf *out) {
    print_head(trial, out);
    for (size_t i = 0; i < count; i++) {
        const struct script_line *line = &script->lines.items[i];
        print_line(line, last != NULL && i + 1 == count ? last : &line->answer, out);
    }
}
