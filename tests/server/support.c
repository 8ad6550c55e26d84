#include "support.h"

#include "base/buf.h"

const char *lab_environment(const char *name) {
    const char *value = getenv(name);
    if (value == NULL)
        fail_msg("%s is not set: server_test.py runs this", name);
    return value;
}

struct str lab_url(void) {
    return str_from_c(lab_environment("LOSTWRITE_URL"));
}

void lab_open(struct lab *lab, size_t sessions, bool finds_blockers) {
    memset(lab, 0, sizeof(*lab));
    struct live_options options = {.session_count = sessions, .finds_blockers = finds_blockers};
    if (!live_open(lab_url(), &options, &lab->live, &lab->err) ||
        !live_make_place(lab->live, &lab->place, &lab->err))
        fail_msg("%s", lab->err.message);
}

void lab_close(struct lab *lab) {
    if (!live_close(lab->live, &lab->err))
        fail_msg("%s", lab->err.message);
    arena_release(&lab->arena);
}

void lab_run(struct lab *lab, const char *sql) {
    if (!live_run(lab->live, str_from_c(sql), &lab->err))
        fail_msg("%s: %s", sql, lab->err.message);
}

static void add_rows(const struct live_answer *answer, struct buf *out) {
    for (size_t i = 0; i < answer->row_count * answer->column_count; i++) {
        if (i > 0)
            buf_add_char(out, i % answer->column_count == 0 ? ';' : ',');
        if (answer->cells[i].ptr == NULL)
            buf_add_c(out, "\\N");
        else
            buf_add(out, answer->cells[i]);
    }
}

static void add_answer(const struct live_answer *answer, struct buf *out) {
    if (answer->status == LIVE_WAITING) {
        buf_add_c(out, "WAIT");
        for (unsigned i = 0; i < LIVE_SESSIONS_MAX; i++)
            if ((answer->blockers & 1u << i) != 0)
                buf_printf(out, " %u", i);
    } else if (answer->status == LIVE_FAILED) {
        if (answer->number != 0)
            buf_printf(out, "ERR %d", answer->number);
        else
            buf_printf(out, "ERR %s", answer->sqlstate);
    } else if (answer->has_rows) {
        add_rows(answer, out);
    } else if (answer->command.len > 0) {
        buf_add(out, answer->command);
    } else {
        buf_printf(out, "ok %lld", (long long)answer->affected);
    }
}

const char *lab_text(struct lab *lab, const struct live_answer *answer) {
    struct buf out = {0};
    for (; answer != NULL; answer = answer->next) {
        add_answer(answer, &out);
        if (answer->next != NULL)
            buf_add_c(&out, " | ");
    }
    char *text = str_to_c(&lab->arena, buf_str(&out));
    buf_release(&out);
    return text;
}

void lab_query(struct lab *lab, const char *sql, const char *expected) {
    const struct live_answer *answer;
    if (!live_query(lab->live, str_from_c(sql), &answer, &lab->err))
        fail_msg("%s: %s", sql, lab->err.message);
    assert_string_equal(lab_text(lab, answer), expected);
}

const struct live_answer *lab_exec(struct lab *lab, size_t session, const char *sql) {
    const struct live_answer *answer;
    if (!live_exec(lab->live, session, str_from_c(sql), &answer, &lab->err))
        fail_msg("%s: %s", sql, lab->err.message);
    assert_int_equal(live_is_waiting(lab->live, session), answer->status == LIVE_WAITING);
    return answer;
}

void lab_expect(struct lab *lab, size_t session, const char *sql, const char *expected) {
    const struct live_answer *answer = lab_exec(lab, session, sql);
    const char *text = lab_text(lab, answer);
    if (strcmp(text, expected) != 0)
        fail_msg("%zu: %s: got \"%s\" (%.*s), expected \"%s\"", session, sql, text,
                 STR_ARG(answer->message), expected);
}

void lab_expect_resumed(struct lab *lab, const char *expected) {
    int session;
    const struct live_answer *answer;
    if (!live_resume(lab->live, &session, &answer, &lab->err))
        fail_msg("resume: %s", lab->err.message);
    const char *text = "";
    if (session != LIVE_NO_SESSION)
        text = str_printf(&lab->arena, "%d: %s", session, lab_text(lab, answer)).ptr;
    assert_string_equal(text, expected);
}

void lab_expect_cancelled(struct lab *lab, size_t session, const char *expected) {
    const struct live_answer *answer;
    if (!live_cancel(lab->live, session, &answer, &lab->err))
        fail_msg("cancel: %s", lab->err.message);
    assert_false(live_is_waiting(lab->live, session));
    assert_string_equal(lab_text(lab, answer), expected);
}

struct live *lab_other(struct lab *lab) {
    struct live_options options = {.session_count = 1};
    struct live *other;
    if (!live_open(lab_url(), &options, &other, &lab->err))
        fail_msg("%s", lab->err.message);
    return other;
}
