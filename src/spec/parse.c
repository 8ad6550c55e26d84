/* The grammar of a spec: blocks, sessions, steps, permutations. Tokens are cut off as they are needed, and nothing
 * nests. The first error ends the text. */
#include "base/assert.h"
#include "base/map.h"
#include "spec/spec.h"

enum token_kind { TOKEN_END, TOKEN_NAME, TOKEN_BLOCK, TOKEN_NUMBER, TOKEN_SYMBOL };

struct token {
    enum token_kind kind;
    struct pos pos;
    struct str text;  /* NAME: without quotes; BLOCK: trimmed */
    bool is_quoted;   /* a quoted name is no keyword */
    struct pos inner; /* BLOCK: of its text */
};

struct reader {
    struct arena *arena;
    struct str text;
    size_t at, line_start;
    uint32_t line;
    struct token token; /* the next one to be read */
    bool has_failed;
    struct err *err;
};

static struct pos pos_here(const struct reader *r) {
    return (struct pos){r->line, (uint32_t)(r->at - r->line_start + 1)};
}

static void fail(struct reader *r, struct pos pos, const char *what) {
    if (!r->has_failed)
        err_set(r->err, pos, "%s", what);
    r->has_failed = true;
    r->token = (struct token){.kind = TOKEN_END, .pos = pos};
}

static bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\f';
}

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static bool starts_name(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (unsigned char)c >= 0x80;
}

static void next_line(struct reader *r) {
    r->at++;
    r->line++;
    r->line_start = r->at;
}

static void skip_blanks(struct reader *r) {
    while (r->at < r->text.len) {
        char c = r->text.ptr[r->at];
        if (c == '\n')
            next_line(r);
        else if (is_blank(c))
            r->at++;
        else if (c == '#')
            r->at = str_find(r->text, '\n', r->at);
        else
            return;
    }
}

/* "a name", where "" is one quote. */
static void read_quoted(struct reader *r) {
    struct buf name = {0};
    struct pos pos = pos_here(r);
    bool is_closed = false;
    r->at++;
    while (r->at < r->text.len && !is_closed) {
        char c = r->text.ptr[r->at++];
        bool is_quote = c == '"';
        if (c == '\n' || c == '\0')
            break;
        is_closed = is_quote && (r->at >= r->text.len || r->text.ptr[r->at] != '"');
        if (is_quote && !is_closed)
            r->at++;
        if (!is_closed)
            buf_add_char(&name, c);
    }
    r->token = (struct token){.kind = TOKEN_NAME, .pos = pos, .is_quoted = true};
    r->token.text = str_dup(r->arena, buf_str(&name));
    buf_release(&name);
    if (!is_closed)
        fail(r, pos, "this name's quote is not closed on its line");
}

static void read_block(struct reader *r) {
    r->token = (struct token){.kind = TOKEN_BLOCK, .pos = pos_here(r)};
    r->at++;
    while (r->at < r->text.len && is_blank(r->text.ptr[r->at]))
        r->at++;
    size_t start = r->at, end = str_find(r->text, '}', start);
    r->token.inner = pos_here(r);
    if (end == r->text.len) {
        fail(r, r->token.pos, "this { is not closed");
        return;
    }
    while (r->at < end) {
        if (r->text.ptr[r->at] == '\n')
            next_line(r);
        else
            r->at++;
    }
    r->at = end + 1;
    while (end > start && is_blank(r->text.ptr[end - 1]))
        end--;
    r->token.text = str_sub(r->text, start, end);
    if (memchr(r->token.text.ptr, '\0', r->token.text.len) != NULL)
        fail(r, r->token.inner, "this block has a byte of value zero");
}

static void advance(struct reader *r) {
    if (r->has_failed)
        return;
    skip_blanks(r);
    size_t start = r->at;
    struct pos pos = pos_here(r);
    char c = start < r->text.len ? r->text.ptr[start] : '\0';
    if (start >= r->text.len) {
        r->token = (struct token){.kind = TOKEN_END, .pos = pos};
    } else if (c == '"') {
        read_quoted(r);
    } else if (c == '{') {
        read_block(r);
    } else if (starts_name(c) || is_digit(c)) {
        bool is_name = starts_name(c);
        while (r->at < r->text.len &&
               (is_digit(r->text.ptr[r->at]) ||
                (is_name && (starts_name(r->text.ptr[r->at]) || r->text.ptr[r->at] == '$'))))
            r->at++;
        r->token = (struct token){.kind = is_name ? TOKEN_NAME : TOKEN_NUMBER,
                                  .pos = pos,
                                  .text = str_sub(r->text, start, r->at)};
    } else if (c == ',' || c == '(' || c == ')' || c == '*') {
        r->at++;
        r->token = (struct token){
            .kind = TOKEN_SYMBOL, .pos = pos, .text = str_sub(r->text, start, r->at)};
    } else {
        fail(r, pos, "this byte can't stand here");
    }
}

static bool at_keyword(const struct reader *r, const char *word) {
    return r->token.kind == TOKEN_NAME && !r->token.is_quoted && str_is(r->token.text, word);
}

static bool at_any_keyword(const struct reader *r) {
    static const char *const words[] = {"notices", "permutation", "session",
                                        "setup",   "step",        "teardown"};
    for (size_t i = 0; i < LW_COUNT_OF(words); i++)
        if (at_keyword(r, words[i]))
            return true;
    return false;
}

static bool accept_keyword(struct reader *r, const char *word) {
    if (!at_keyword(r, word))
        return false;
    advance(r);
    return true;
}

static bool accept_symbol(struct reader *r, const char *symbol) {
    if (r->token.kind != TOKEN_SYMBOL || !str_is(r->token.text, symbol))
        return false;
    advance(r);
    return true;
}

static bool at_name(const struct reader *r) {
    return r->token.kind == TOKEN_NAME && !at_any_keyword(r);
}

static struct str read_name(struct reader *r, const char *what) {
    struct str name = r->token.text;
    if (!at_name(r)) {
        fail(r, r->token.pos, what);
        return STR("");
    }
    advance(r);
    return name;
}

static struct spec_block read_sql(struct reader *r) {
    struct spec_block block = {.sql = r->token.text, .pos = r->token.inner, .is_there = true};
    if (r->token.kind != TOKEN_BLOCK) {
        fail(r, r->token.pos, "expected { and SQL");
        return (struct spec_block){.sql = STR("")};
    }
    advance(r);
    return block;
}

static void read_session(struct reader *r, struct spec *spec) {
    size_t number = spec->sessions.count;
    struct spec_session session = {.name = read_name(r, "expected a session's name")};
    if (accept_keyword(r, "setup"))
        session.setup = read_sql(r);
    if (!at_keyword(r, "step"))
        fail(r, r->token.pos, "expected the session's setup or its first step");
    while (at_keyword(r, "step")) {
        advance(r);
        struct spec_step step = {.pos = r->token.pos, .session = number};
        step.name = read_name(r, "expected a step's name");
        step.block = read_sql(r);
        VEC_PUSH(r->arena, &session.steps, spec->steps.count);
        VEC_PUSH(r->arena, &spec->steps, step);
    }
    if (accept_keyword(r, "teardown"))
        session.teardown = read_sql(r);
    VEC_PUSH(r->arena, &spec->sessions, session);
}

static size_t read_number(struct reader *r) {
    size_t number = 0;
    enum { NOTICES_MAX = 1000000 };
    if (r->token.kind != TOKEN_NUMBER)
        fail(r, r->token.pos, "expected a number of notices");
    for (size_t i = 0; i < r->token.text.len && number <= NOTICES_MAX; i++)
        number = number * 10 + (size_t)(r->token.text.ptr[i] - '0');
    if (number > NOTICES_MAX)
        fail(r, r->token.pos, "so many notices are not possible");
    advance(r);
    return number;
}

static void read_blockers(struct reader *r, struct spec_turn *turn) {
    if (!accept_symbol(r, "("))
        return;
    do {
        struct spec_blocker blocker = {.kind = SPEC_BLOCKER_ONCE, .pos = r->token.pos};
        if (!accept_symbol(r, "*")) {
            blocker.kind = SPEC_BLOCKER_STEP;
            blocker.step_name = read_name(r, "expected a step's name or *");
            if (accept_keyword(r, "notices")) {
                blocker.kind = SPEC_BLOCKER_NOTICES;
                blocker.notices = read_number(r);
            }
        }
        VEC_PUSH(r->arena, &turn->blockers, blocker);
    } while (accept_symbol(r, ","));
    if (!accept_symbol(r, ")"))
        fail(r, r->token.pos, "expected , or )");
}

static void read_permutation(struct reader *r, struct spec *spec) {
    struct spec_permutation permutation = {0};
    do {
        struct spec_turn turn = {.pos = r->token.pos};
        turn.name = read_name(r, "expected a step's name");
        read_blockers(r, &turn);
        VEC_PUSH(r->arena, &permutation.turns, turn);
    } while (at_name(r));
    VEC_PUSH(r->arena, &spec->permutations, permutation);
}

static void read_spec(struct reader *r, struct spec *spec) {
    while (accept_keyword(r, "setup")) {
        struct spec_block setup = read_sql(r);
        VEC_PUSH(r->arena, &spec->setups, setup);
    }
    if (accept_keyword(r, "teardown"))
        spec->teardown = read_sql(r);
    if (!at_keyword(r, "session"))
        fail(r, r->token.pos, "expected setup, teardown or session");
    while (accept_keyword(r, "session"))
        read_session(r, spec);
    while (accept_keyword(r, "permutation"))
        read_permutation(r, spec);
    if (r->token.kind != TOKEN_END)
        fail(r, r->token.pos,
             spec->permutations.count > 0 ? "expected permutation or the end"
                                          : "expected session, permutation or the end");
}

/* Links. */

static bool index_steps(const struct spec *spec, struct map *steps, struct err *err) {
    for (size_t i = 0; i < spec->steps.count; i++) {
        const struct spec_step *step = &spec->steps.items[i];
        if (map_has(steps, step->name))
            return err_set(err, step->pos, "there is a step %.*s already", STR_ARG(step->name));
        map_put(steps, step->name, (void *)(uintptr_t)(i + 1));
    }
    return true;
}

/* A blocker's step must be one of the same permutation. */
static bool link_blockers(const struct spec *spec, const struct spec_permutation *permutation,
                          const struct map *steps, struct spec_turn *turn, struct err *err) {
    for (size_t i = 0; i < turn->blockers.count; i++) {
        struct spec_blocker *blocker = &turn->blockers.items[i];
        if (blocker->kind == SPEC_BLOCKER_ONCE)
            continue;
        size_t step = (size_t)(uintptr_t)map_get(steps, blocker->step_name);
        bool is_there = false;
        for (size_t k = 0; k < permutation->turns.count && step > 0; k++)
            is_there |= permutation->turns.items[k].step == step - 1;
        if (!is_there)
            return err_set(err, blocker->pos, "there is no step %.*s in this permutation",
                           STR_ARG(blocker->step_name));
        blocker->step = step - 1;
        if (spec->steps.items[step - 1].session == spec->steps.items[turn->step].session)
            return err_set(err, blocker->pos, "a step can't be held back by its own session");
    }
    return true;
}

static bool link(struct reader *r, struct spec *spec) {
    struct map steps;
    map_init(&steps, r->arena);
    if (!index_steps(spec, &steps, r->err))
        return false;
    for (size_t i = 0; i < spec->permutations.count; i++) {
        struct spec_permutation *permutation = &spec->permutations.items[i];
        for (size_t k = 0; k < permutation->turns.count; k++) {
            struct spec_turn *turn = &permutation->turns.items[k];
            size_t step = (size_t)(uintptr_t)map_get(&steps, turn->name);
            if (step == 0)
                return err_set(r->err, turn->pos, "there is no step %.*s", STR_ARG(turn->name));
            turn->step = step - 1;
            spec->steps.items[step - 1].is_used = true;
        }
        for (size_t k = 0; k < permutation->turns.count; k++)
            if (!link_blockers(spec, permutation, &steps, &permutation->turns.items[k], r->err))
                return false;
    }
    return true;
}

bool spec_parse(struct arena *arena, struct str text, struct spec **spec, struct err *err) {
    struct reader r = {.arena = arena, .text = text, .line = 1, .err = err};
    struct spec *made = ARENA_NEW(arena, struct spec);
    advance(&r);
    read_spec(&r, made);
    if (r.has_failed || !link(&r, made))
        return false;
    *spec = made;
    return true;
}
