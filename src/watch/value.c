#include "watch/value.h"

#include "sql/value.h"

static uint64_t rotate(uint64_t x, int bits) {
    return x << bits | x >> (64 - bits);
}

static void sip_round(uint64_t v[4]) {
    v[0] += v[1];
    v[1] = rotate(v[1], 13) ^ v[0];
    v[0] = rotate(v[0], 32);
    v[2] += v[3];
    v[3] = rotate(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = rotate(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = rotate(v[1], 17) ^ v[2];
    v[2] = rotate(v[2], 32);
}

static uint64_t little_endian(const char *bytes, size_t count) {
    uint64_t word = 0;
    for (size_t i = count; i-- > 0;)
        word = word << 8 | (unsigned char)bytes[i];
    return word;
}

static void sip_word(uint64_t v[4], uint64_t word) {
    v[3] ^= word;
    sip_round(v);
    sip_round(v);
    v[0] ^= word;
}

uint64_t keyed_hash(const struct hash_key *key, struct str bytes) {
    uint64_t v[4] = {key->k[0] ^ 0x736f6d6570736575u, key->k[1] ^ 0x646f72616e646f6du,
                     key->k[0] ^ 0x6c7967656e657261u, key->k[1] ^ 0x7465646279746573u};
    size_t whole = bytes.len & ~(size_t)7;
    for (size_t i = 0; i < whole; i += 8)
        sip_word(v, little_endian(bytes.ptr + i, 8));
    uint64_t last = bytes.len > whole ? little_endian(bytes.ptr + whole, bytes.len - whole) : 0;
    sip_word(v, (uint64_t)bytes.len << 56 | last);
    v[2] ^= 0xff;
    for (int i = 0; i < 4; i++)
        sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

/* A number's text without its plus, leading zeros, and zeros behind its point; empty: it is none. */
static struct str number_text(struct str text, char buffer[64]) {
    bool is_negative = text.len > 0 && text.ptr[0] == '-';
    size_t at = text.len > 0 && (text.ptr[0] == '-' || text.ptr[0] == '+');
    size_t point = text.len, end = text.len;
    if (at == text.len || text.len >= 60)
        return (struct str){0};
    for (size_t i = at; i < text.len; i++) {
        char byte = text.ptr[i];
        if (byte == '.' && point == text.len)
            point = i;
        else if (byte < '0' || byte > '9')
            return (struct str){0};
    }
    if (point < text.len) {
        while (end > point + 1 && text.ptr[end - 1] == '0')
            end--;
        if (end == point + 1)
            end = point;
    }
    while (at + 1 < end && text.ptr[at] == '0' && text.ptr[at + 1] != '.')
        at++;
    bool is_zero = end - at == 1 && text.ptr[at] == '0';
    size_t len = 0;
    if (is_negative && !is_zero)
        buffer[len++] = '-';
    memcpy(buffer + len, text.ptr + at, end - at);
    return (struct str){buffer, len + end - at};
}

static bool parse_integer(struct str text, int64_t *number) {
    bool is_negative = text.len > 0 && text.ptr[0] == '-';
    if (text.len == 0 || text.len > 18)
        return false;
    int64_t value = 0;
    for (size_t i = is_negative; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return false;
        value = value * 10 + (text.ptr[i] - '0');
    }
    *number = is_negative ? -value : value;
    return true;
}

static bool looks_like_time(struct str text) {
    return text.len >= 10 && text.len <= 40 && text.ptr[4] == '-' && text.ptr[7] == '-' &&
           text.ptr[0] >= '0' && text.ptr[0] <= '9';
}

struct seen_value seen_value(const struct hash_key *key, struct str text, bool is_text) {
    struct seen_value seen = {.state = TRACE_VALUE};
    char buffer[64];
    struct str canonical = number_text(text, buffer);
    struct value time;
    if (canonical.len > 0) {
        seen.is_integer = parse_integer(canonical, &seen.number);
    } else if (looks_like_time(text) && value_parse_time(text, &time)) {
        seen.is_time = true;
        seen.number = time.number;
        memcpy(buffer, &time.number, sizeof(time.number));
        canonical = (struct str){buffer, sizeof(time.number)};
    } else if (str_equal_nocase(text, STR("true")) && !is_text) {
        canonical = STR("t");
    } else if (str_equal_nocase(text, STR("false")) && !is_text) {
        canonical = STR("f");
    } else {
        canonical = text;
    }
    seen.hash = keyed_hash(key, canonical);
    seen.text = text;
    return seen;
}

struct seen_value seen_null(void) {
    return (struct seen_value){.state = TRACE_NULL};
}

struct seen_value seen_traced(const struct hash_key *key, const struct trace_value *value) {
    if (value->state == TRACE_VALUE)
        return seen_value(key, value->text, value->is_text);
    return (struct seen_value){.state = (uint8_t)value->state};
}

bool seen_equal(const struct seen_value *a, const struct seen_value *b) {
    return a->state != TRACE_ABSENT && a->state == b->state && a->hash == b->hash;
}

bool seen_is_clock(const struct seen_value *value, int64_t now_us) {
    enum { MINUTE = 60 };
    if (!value->is_time || now_us < 0)
        return false;
    const int64_t half = (int64_t)30 * MINUTE * 1000000, slack = (int64_t)2 * MINUTE * 1000000;
    int64_t apart = value->number - now_us;
    if (apart > 30 * half || apart < -30 * half)
        return false;
    int64_t rest = apart % half;
    rest = rest < 0 ? rest + half : rest;
    return rest <= slack || rest >= half - slack;
}

void seen_print(const struct seen_value *value, struct buf *out) {
    if (value->state == TRACE_ABSENT)
        buf_add_c(out, "?");
    else if (value->state == TRACE_NULL)
        buf_add_c(out, "NULL");
    else if (value->text.ptr != NULL)
        buf_add(out, value->text);
    else
        buf_printf(out, "#%06x", (unsigned)(value->hash & 0xffffff));
}
