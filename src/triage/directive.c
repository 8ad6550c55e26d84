/* `# noqa`, `# noqa: LW003,E501 reason` as flake8 and ruff have it; `# lostwrite: ignore[LW003] reason`. Several may stand
 * in one comment, each behind a '#' of its own. */
#include "triage/directive.h"

enum { ALL_RULES = (1 << RULE_COUNT) - 1 };

enum keyword { KEYWORD_NONE, KEYWORD_NOQA, KEYWORD_OWN };

struct reader {
    struct triage *triage;
    struct str path, text; /* the comment */
    struct pos pos;        /* where it begins */
    size_t at;
    bool is_wrong; /* said so already */
};

void triage_warn(struct triage *triage, struct txn_span span, bool is_detail, struct str text) {
    VEC_PUSH(triage->arena, &triage->warnings, (struct triage_warning){span, text, is_detail});
}

static bool is_blank(char byte) {
    return byte == ' ' || byte == '\t' || byte == '\f';
}

static bool is_letter(char byte) {
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
}

static bool is_digit(char byte) {
    return byte >= '0' && byte <= '9';
}

static char peek(const struct reader *r) {
    return r->at < r->text.len ? r->text.ptr[r->at] : '\0';
}

static void skip_blanks(struct reader *r) {
    while (is_blank(peek(r)))
        r->at++;
}

static struct txn_span span_from(const struct reader *r, size_t from, size_t to) {
    uint32_t column = r->pos.column;
    return (struct txn_span){.path = r->path,
                             .start = {r->pos.line, column + (uint32_t)from},
                             .end = {r->pos.line, column + (uint32_t)to}};
}

static void warn(struct reader *r, size_t from, size_t to, struct str text) {
    triage_warn(r->triage, span_from(r, from, to), false, text);
    r->is_wrong = true;
}

/* What the '#' at `at` begins; `*end` is then behind the word. */
static enum keyword keyword_at(struct str text, size_t at, size_t *end) {
    static const char own[] = "lostwrite:";
    for (at++; at < text.len && is_blank(text.ptr[at]); at++)
        ;
    struct str rest = str_sub(text, at, text.len);
    if (rest.len >= 4 && str_equal_nocase(str_sub(rest, 0, 4), STR("noqa"))) {
        char next = rest.len > 4 ? rest.ptr[4] : ' ';
        *end = at + 4;
        return is_letter(next) || is_digit(next) || next == '_' || next == '-' ? KEYWORD_NONE
                                                                               : KEYWORD_NOQA;
    }
    *end = at + strlen(own);
    return str_starts(rest, own) ? KEYWORD_OWN : KEYWORD_NONE;
}

/* The '#' of the next directive at or behind `from`, or the end. */
static size_t next_directive(struct str text, size_t from) {
    size_t end, at = str_find(text, '#', from);
    while (at < text.len && keyword_at(text, at, &end) == KEYWORD_NONE)
        at = str_find(text, '#', at + 1);
    return at;
}

/* What stands between here and `end`, without the dash or colon that leads to it. */
static struct str read_reason(struct reader *r, size_t end) {
    static const char *const dashes[] = {"-", ":", ";", ".", "\xe2\x80\x93", "\xe2\x80\x94"};
    for (;;) {
        skip_blanks(r);
        size_t before = r->at;
        for (size_t i = 0; i < sizeof(dashes) / sizeof(dashes[0]); i++)
            if (r->at < end && str_starts(str_sub(r->text, r->at, end), dashes[i]))
                r->at += strlen(dashes[i]);
        if (r->at == before)
            break;
    }
    size_t from = r->at < end ? r->at : end;
    while (end > from && is_blank(r->text.ptr[end - 1]))
        end--;
    r->at = end;
    return str_sub(r->text, from, end);
}

/* Letters and digits, as in E501: `*end` is behind them. */
static bool is_code(struct str text, size_t at, size_t *end) {
    size_t from = at;
    while (at < text.len && is_letter(text.ptr[at]))
        at++;
    size_t digits = at;
    while (at < text.len && is_digit(text.ptr[at]))
        at++;
    *end = at;
    bool goes_on = at < text.len && (is_letter(text.ptr[at]) || text.ptr[at] == '_');
    return digits > from && at > digits && !goes_on;
}

static void add_code(struct reader *r, size_t from, size_t to, bool is_own, uint32_t *rules) {
    struct str code = str_sub(r->text, from, to);
    enum rule rule;
    if (rule_parse(code, &rule))
        *rules |= 1u << rule;
    else if (is_own || (code.len > 2 && str_equal_nocase(str_sub(code, 0, 2), STR("LW"))))
        warn(r, from, to,
             str_printf(r->triage->arena, "unknown code '%.*s'; `lostwrite explain` lists them",
                        STR_ARG(code)));
}

/* Behind "noqa". False: a colon and no code, which means nothing. */
static bool read_noqa(struct reader *r, struct directive *d) {
    size_t end, code_count = 0;
    d->is_noqa = d->is_blanket = true;
    d->rules = ALL_RULES;
    skip_blanks(r);
    if (peek(r) != ':')
        return true;
    r->at++;
    d->is_blanket = false;
    d->rules = 0;
    skip_blanks(r);
    for (; is_code(r->text, r->at, &end); code_count++) {
        add_code(r, r->at, end, false, &d->rules);
        r->at = end;
        while (is_blank(peek(r)) || peek(r) == ',')
            r->at++;
    }
    return code_count > 0 && d->rules != 0;
}

static bool read_brackets(struct reader *r, size_t from, struct directive *d) {
    size_t close = str_find(r->text, ']', r->at);
    if (close == r->text.len) {
        warn(r, from, close, STR("a suppression without its ']'"));
        return false;
    }
    d->is_blanket = false;
    d->rules = 0;
    while (r->at < close) {
        size_t start = r->at + 1, end = start;
        while (end < close && r->text.ptr[end] != ',')
            end++;
        r->at = end;
        while (start < end && is_blank(r->text.ptr[start]))
            start++;
        while (end > start && is_blank(r->text.ptr[end - 1]))
            end--;
        add_code(r, start, end, true, &d->rules);
    }
    r->at = close + 1;
    return d->rules != 0;
}

/* Behind "lostwrite:", the directive having begun at `from`. */
static bool read_own(struct reader *r, size_t from, struct directive *d) {
    skip_blanks(r);
    size_t start = r->at;
    while (is_letter(peek(r)) || peek(r) == '-')
        r->at++;
    struct str word = str_sub(r->text, start, r->at);
    if (!str_is(word, "ignore")) {
        warn(r, from, r->at > start ? r->at : r->text.len,
             STR("not understood: `# lostwrite: ignore[LW003] reason` is what can be said"));
        return false;
    }
    d->is_blanket = true;
    d->rules = ALL_RULES;
    skip_blanks(r);
    return peek(r) != '[' || read_brackets(r, from, d);
}

static void read_comment(struct reader *r, const struct directive *place,
                         struct directives *directives) {
    size_t end = 0;
    for (size_t from = next_directive(r->text, 0); from < r->text.len; from = end) {
        struct directive d = *place;
        enum keyword keyword = keyword_at(r->text, from, &r->at);
        end = next_directive(r->text, from + 1);
        bool is_read = keyword == KEYWORD_NOQA ? read_noqa(r, &d) : read_own(r, from, &d);
        if (!is_read)
            continue;
        d.reason = read_reason(r, end);
        d.span = span_from(r, from, r->at);
        VEC_PUSH(r->triage->arena, &directives->items, d);
    }
}

void directives_read(struct triage *triage, struct str path, const struct py_module *module,
                     struct directives *directives) {
    for (uint32_t i = 0; i < module->comment_count; i++) {
        const struct py_comment *comment = &module->comments[i];
        struct str text = str_sub(module->text, comment->start, comment->end);
        if (next_directive(text, 0) == text.len)
            continue;
        struct py_joined lines = py_statement_lines(module, comment->line);
        struct directive place = {.first = lines.first, .last = lines.last,
                                  .is_alone = comment->is_alone};
        struct reader reader = {.triage = triage, .path = path, .text = text,
                                .pos = py_pos(module, comment->start)};
        read_comment(&reader, &place, directives);
    }
}
