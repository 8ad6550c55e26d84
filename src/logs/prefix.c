#include "logs/prefix.h"

#include "base/assert.h"

/* Names that a prefix may have several places for are found by trying: so many tries a line. */
enum { TRIES_MAX = 256 };

bool log_severity(struct str *text, struct str *severity) {
    static const struct str names[] = {
        STR("LOG"),     STR("STATEMENT"), STR("DETAIL"), STR("ERROR"),  STR("CONTEXT"),
        STR("WARNING"), STR("HINT"),      STR("FATAL"),  STR("NOTICE"), STR("QUERY"),
        STR("LOCATION"), STR("PANIC"),    STR("INFO"),   STR("DEBUG"),  STR("DEBUG1"),
        STR("DEBUG2"),  STR("DEBUG3"),    STR("DEBUG4"), STR("DEBUG5"), STR("BACKTRACE"),
    };
    if (text->len < 4 || text->ptr[0] < 'A' || text->ptr[0] > 'W')
        return false;
    for (size_t i = 0; i < LW_COUNT_OF(names); i++) {
        size_t len = names[i].len;
        if (text->len >= len + 3 && memcmp(text->ptr, names[i].ptr, len) == 0 &&
            memcmp(text->ptr + len, ":  ", 3) == 0) {
            *severity = names[i];
            *text = str_sub(*text, len + 3, text->len);
            return true;
        }
    }
    return false;
}

bool log_prefix_parse(struct log_prefix *prefix, struct str pattern) {
    *prefix = (struct log_prefix){0};
    if (pattern.len >= LOG_PREFIX_BYTES_MAX)
        return false;
    if (pattern.len > 0)
        memcpy(prefix->text, pattern.ptr, pattern.len);
    pattern.ptr = prefix->text;
    size_t literal_from = 0, i = 0;
    bool is_literal = false;
    while (i <= pattern.len) {
        bool is_escape = i == pattern.len || pattern.ptr[i] == '%';
        if (is_escape && i > literal_from && prefix->item_count < LOG_PREFIX_ITEMS_MAX)
            prefix->items[prefix->item_count++] =
                (struct log_prefix_item){.literal = str_sub(pattern, literal_from, i)};
        if (i == pattern.len || !is_escape) {
            i++;
            continue;
        }
        size_t at = i + 1;
        while (at < pattern.len && (pattern.ptr[at] == '-' || (pattern.ptr[at] >= '0' && pattern.ptr[at] <= '9')))
            at++;
        char escape = at < pattern.len ? pattern.ptr[at] : '\0';
        is_literal = escape == '%';
        if (escape == '\0' || strchr("audrhbpPtmnieclsvxqQL%", escape) == NULL ||
            prefix->item_count == LOG_PREFIX_ITEMS_MAX)
            return false;
        prefix->items[prefix->item_count++] = (struct log_prefix_item){
            .escape = is_literal ? '\0' : escape,
            .is_padded = at > i + 1,
            .is_name = strchr("audrhbiL", escape) != NULL,
            .literal = is_literal ? str_sub(pattern, at, at + 1) : (struct str){0},
        };
        i = literal_from = at + 1;
    }
    return prefix->item_count < LOG_PREFIX_ITEMS_MAX;
}

struct match {
    const struct log_prefix *prefix;
    struct log_clock *clock;
    struct str line;
    struct log_prefix_line *out;
    int tries;
};

static bool is_digit_byte(char c) {
    return c >= '0' && c <= '9';
}

static bool take_literal(struct str *text, struct str literal) {
    if (text->len < literal.len || memcmp(text->ptr, literal.ptr, literal.len) != 0)
        return false;
    *text = str_sub(*text, literal.len, text->len);
    return true;
}

static bool take_digits(struct str *text) {
    size_t i = 0;
    if (text->len > 0 && text->ptr[0] == '-')
        i++;
    while (i < text->len && is_digit_byte(text->ptr[i]))
        i++;
    *text = str_sub(*text, i, text->len);
    return true; /* %P, %x and %Q may be empty or 0 */
}

static bool take_time(struct match *match, struct str *text, int64_t *time_us) {
    if (!log_clock_date(match->clock, text, time_us))
        return false;
    if (text->len == 0 || text->ptr[0] != ' ')
        return false;
    *text = str_sub(*text, 1, text->len);
    if (text->len > 0 && text->ptr[0] == '<') /* <+03> */
        *text = str_sub(*text, 1, text->len);
    if (!log_clock_zone(match->clock, text, time_us))
        return false;
    if (text->len > 0 && text->ptr[0] == '>')
        *text = str_sub(*text, 1, text->len);
    return true;
}

/* %c: when the session began and its process, in hexadecimal. */
static bool take_session(struct match *match, struct str *text) {
    uint64_t start, pid;
    if (!log_hex_number(text, &start) || text->len == 0 || text->ptr[0] != '.')
        return false;
    *text = str_sub(*text, 1, text->len);
    if (!log_hex_number(text, &pid))
        return false;
    match->out->start = start;
    match->out->pid = pid;
    return true;
}

static bool take_sqlstate(struct match *match, struct str *text) {
    if (text->len < 5)
        return false;
    for (size_t i = 0; i < 5; i++)
        if (!is_digit_byte(text->ptr[i]) && !(text->ptr[i] >= 'A' && text->ptr[i] <= 'Z'))
            return false;
    match->out->sqlstate = str_sub(*text, 0, 5);
    *text = str_sub(*text, 5, text->len);
    return true;
}

/* %v: backend/transaction, or nothing. */
static bool take_virtual(struct str *text) {
    size_t i = 0;
    while (i < text->len && (is_digit_byte(text->ptr[i]) || text->ptr[i] == '/' || text->ptr[i] == '-'))
        i++;
    *text = str_sub(*text, i, text->len);
    return true;
}

/* An escape whose end it tells itself. */
static bool take_typed(struct match *match, char escape, struct str *text) {
    struct log_prefix_line *out = match->out;
    int64_t time_us;
    uint64_t number;
    switch (escape) {
    case 't':
    case 'm':
        return take_time(match, text, &out->time_us);
    case 's':
        if (!take_time(match, text, &time_us))
            return false;
        if (out->start == 0)
            out->start = (uint64_t)(time_us / 1000000);
        return true;
    case 'n':
        return log_millionths(text, &out->time_us);
    case 'p':
        if (!log_number(text, &number))
            return false;
        out->pid = number;
        return true;
    case 'c':
        return take_session(match, text);
    case 'e':
        return take_sqlstate(match, text);
    case 'v':
        return take_virtual(text);
    default: /* P l x Q */
        return take_digits(text);
    }
}

static void set_text(struct log_prefix_line *out, char escape, struct str value) {
    while (value.len > 0 && value.ptr[value.len - 1] == ' ')
        value.len--;
    if (str_is(value, "[unknown]"))
        value.len = 0;
    if (escape == 'u')
        out->user = value;
    else if (escape == 'd')
        out->database = value;
    else if (escape == 'a')
        out->application = value;
}

static bool match_items(struct match *match, size_t i, struct str text);

/* The message's kind, behind the whole prefix. */
static bool match_severity(struct match *match, struct str text) {
    if (!log_severity(&text, &match->out->severity))
        return false;
    match->out->text_from = match->line.len - text.len;
    return true;
}

/* A name ends where what is behind it in the prefix goes on: the first place at which all the rest is right. */
static bool match_text(struct match *match, size_t i, struct str text) {
    const struct log_prefix *prefix = match->prefix;
    struct str behind = i + 1 < prefix->item_count ? prefix->items[i + 1].literal : (struct str){0};
    for (size_t to = 0; to <= text.len; to++) {
        if (behind.len > 0)
            to = str_find(text, behind.ptr[0], to);
        if (to == text.len && behind.len > 0)
            return false;
        if (match->tries-- <= 0)
            return false;
        if (match_items(match, i + 1, str_sub(text, to, text.len))) {
            set_text(match->out, prefix->items[i].escape, str_sub(text, 0, to));
            return true;
        }
    }
    return false;
}

/* The spaces behind what was padded, but for those that the prefix has there itself. */
static void take_padding(struct str *text, struct str behind) {
    size_t spaces = 0, own = 0;
    while (spaces < text->len && text->ptr[spaces] == ' ')
        spaces++;
    while (own < behind.len && behind.ptr[own] == ' ')
        own++;
    if (spaces > own)
        *text = str_sub(*text, spaces - own, text->len);
}

static bool match_items(struct match *match, size_t i, struct str text) {
    const struct log_prefix *prefix = match->prefix;
    for (; i < prefix->item_count; i++) {
        const struct log_prefix_item *item = &prefix->items[i];
        if (item->escape == '\0') {
            if (!take_literal(&text, item->literal))
                return false;
            continue;
        }
        if (item->escape == 'q') {
            struct log_prefix_line before = *match->out;
            if (match_items(match, i + 1, text))
                return true;
            *match->out = before;
            return match_severity(match, text);
        }
        while (item->is_padded && text.len > 0 && text.ptr[0] == ' ')
            text = str_sub(text, 1, text.len);
        if (item->is_name)
            return match_text(match, i, text);
        if (!take_typed(match, item->escape, &text))
            return false;
        if (item->is_padded)
            take_padding(&text, i + 1 < prefix->item_count ? prefix->items[i + 1].literal
                                                           : (struct str){0});
    }
    return match_severity(match, text);
}

bool log_prefix_match(const struct log_prefix *prefix, struct log_clock *clock, struct str line,
                      struct log_prefix_line *out) {
    *out = (struct log_prefix_line){.time_us = -1};
    struct match match = {prefix, clock, line, out, TRIES_MAX};
    bool was_assumed = clock->is_zone_assumed;
    if (match_items(&match, 0, line))
        return true;
    clock->is_zone_assumed = was_assumed; /* what is no line of this log says nothing of its zone */
    return false;
}
