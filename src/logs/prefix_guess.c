/* Finding log_line_prefix from a log's lines. Each candidate, from a list of those that manuals and hosts propose and from
 * reading some lines themselves, is held to all sample lines. */
#include "logs/prefix.h"

#include "base/assert.h"
#include "base/buf.h"

#include <ctype.h>

enum { SAMPLES_MAX = 256, SHAPES_MAX = 12 };

static const char *const well_known[] = {
    "%m [%p] ",                                              /* the default */
    "%m [%p] %q%u@%d ",                                      /* Debian */
    "%t [%p]: [%l-1] user=%u,db=%d,app=%a,client=%h ",       /* pgBadger */
    "%t [%p]: user=%u,db=%d,app=%a,client=%h ",
    "%m [%p]: [%l-1] db=%d,user=%u ",                        /* Google Cloud SQL */
    "%t:%r:%u@%d:[%p]:",                                     /* Amazon RDS */
    "%m:%r:%u@%d:[%p]:%l:%e:%s:%v:%x:%c:%q%a:",              /* Amazon RDS 14 and later */
    "%t-%c-",                                                /* Azure */
    "%m [%p] %u@%d ",
    "%t [%p] %u@%d ",
    "",
};

struct samples {
    struct str lines[SAMPLES_MAX];
    size_t text_from[SAMPLES_MAX];
    size_t count;
};

/* Where the message of a line begins; 0 if it has none. */
static size_t find_severity(struct str line) {
    for (size_t at = str_find(line, ':', 0); at + 2 < line.len; at = str_find(line, ':', at + 1)) {
        if (line.ptr[at + 1] != ' ' || line.ptr[at + 2] != ' ')
            continue;
        size_t from = at;
        while (from > 0 && isalnum((unsigned char)line.ptr[from - 1]))
            from--;
        struct str rest = str_sub(line, from, line.len), severity;
        if (log_severity(&rest, &severity))
            return line.len - rest.len;
    }
    return 0;
}

static void collect(struct str head, struct samples *samples) {
    for (size_t from = 0; from < head.len && samples->count < SAMPLES_MAX;) {
        size_t to = str_find(head, '\n', from);
        struct str line = str_sub(head, from, to);
        from = to + 1;
        /* The last line may be cut. */
        if (to == head.len && samples->count > 0)
            break;
        size_t text_from = line.len > 0 && line.ptr[0] != '\t' ? find_severity(line) : 0;
        if (text_from == 0)
            continue;
        samples->lines[samples->count] = line;
        samples->text_from[samples->count++] = text_from;
    }
}

static int share_of(const struct log_prefix *prefix, const struct samples *samples) {
    struct log_clock clock = {0};
    size_t matched = 0;
    for (size_t i = 0; i < samples->count; i++) {
        struct log_prefix_line line;
        if (log_prefix_match(prefix, &clock, samples->lines[i], &line) &&
            line.text_from == samples->text_from[i])
            matched++;
    }
    return (int)(matched * 100 / samples->count);
}

/* How much a prefix tells of what is needed. */
static int worth_of(const struct log_prefix *prefix) {
    int worth = 0;
    for (size_t i = 0; i < prefix->item_count; i++) {
        char escape = prefix->items[i].escape;
        worth += escape == 'c' ? 20 : escape == 'p' ? 10 : escape == 'm' || escape == 'n' ? 6
                 : escape == 't' ? 5 : escape == 0 || escape == 'q' ? 0 : 1;
    }
    return worth;
}

/* What is being read of one line's prefix. */
struct reading {
    struct str text; /* what is left */
    struct buf pattern;
    bool has[128]; /* which escapes there are */
};

static void put(struct reading *reading, char escape, size_t len) {
    reading->has[(unsigned char)escape] = true;
    buf_add_char(&reading->pattern, '%');
    buf_add_char(&reading->pattern, escape);
    reading->text = str_sub(reading->text, len, reading->text.len);
}

static size_t span(struct str text, size_t from, int (*is)(int)) {
    size_t at = from;
    while (at < text.len && is((unsigned char)text.ptr[at]))
        at++;
    return at - from;
}

static int is_word_byte(int c) {
    return isalnum(c) || c == '_' || c == '.' || c == '-' || c == '[' || c == ']' || c == '$' || c >= 0x80;
}

static int is_address_byte(int c) {
    return isxdigit(c) || c == '.' || c == ':';
}

static bool read_time(struct reading *reading) {
    struct log_clock clock = {0};
    struct str rest = reading->text;
    int64_t time_us;
    if (!log_clock_date(&clock, &rest, &time_us))
        return false;
    bool is_ms = rest.ptr[-4] == '.';
    if (rest.len == 0 || rest.ptr[0] != ' ')
        return false;
    rest = str_sub(rest, 1, rest.len);
    size_t bracket = rest.len > 0 && rest.ptr[0] == '<';
    rest = str_sub(rest, bracket, rest.len);
    if (!log_clock_zone(&clock, &rest, &time_us))
        return false;
    size_t len = reading->text.len - rest.len + bracket;
    put(reading, is_ms ? 'm' : reading->has['m'] || reading->has['t'] ? 's' : 't', len);
    return true;
}

/* `user=`, `db=` and the like: the name before the value tells what it is. */
static bool read_named(struct reading *reading) {
    static const struct {
        const char *name;
        char escape;
    } names[] = {
        {"user=", 'u'},   {"db=", 'd'},      {"database=", 'd'}, {"app=", 'a'},   {"appname=", 'a'},
        {"application=", 'a'}, {"application_name=", 'a'}, {"client=", 'r'}, {"host=", 'r'},
        {"remote=", 'r'}, {"cmd=", 'i'},     {"tag=", 'i'},      {"command=", 'i'}, {"backend=", 'b'},
        {"type=", 'b'},   {"u=", 'u'},       {"d=", 'd'},        {"a=", 'a'},     {"h=", 'r'},
        {"r=", 'r'},      {"pid=", 'p'},     {"p=", 'p'},        {"session=", 'c'}, {"c=", 'c'},
        {"xid=", 'x'},    {"x=", 'x'},       {"vxid=", 'v'},     {"v=", 'v'},     {"line=", 'l'},
        {"l=", 'l'},      {"state=", 'e'},   {"sqlstate=", 'e'}, {"code=", 'e'},  {"e=", 'e'},
        {"queryid=", 'Q'}, {"qid=", 'Q'},
    };
    for (size_t i = 0; i < LW_COUNT_OF(names); i++) {
        size_t len = strlen(names[i].name);
        struct str text = reading->text;
        if (!str_starts(text, names[i].name) || reading->has[(unsigned char)names[i].escape])
            continue;
        buf_add_c(&reading->pattern, names[i].name);
        reading->text = str_sub(text, len, text.len);
        size_t end = 0;
        while (end < reading->text.len && strchr(",;| ])", reading->text.ptr[end]) == NULL)
            end++;
        if (str_starts(reading->text, "[local]") || str_starts(reading->text, "[unknown]"))
            end = str_find(reading->text, ']', 0) + 1;
        if (names[i].escape == 'r' && end < reading->text.len && reading->text.ptr[end] == ')')
            end++;
        put(reading, names[i].escape, end);
        return true;
    }
    return false;
}

static bool read_number(struct reading *reading) {
    struct str text = reading->text;
    size_t len = span(text, 0, isdigit), hex = span(text, 0, isxdigit);
    if (hex == 8 && text.len > 9 && text.ptr[8] == '.' && span(text, 9, isxdigit) > 0 &&
        !reading->has['c'])
        return put(reading, 'c', 9 + span(text, 9, isxdigit)), true;
    if (len == 0)
        return false;
    if (len == 10 && text.len >= 14 && text.ptr[10] == '.' && span(text, 11, isdigit) == 3)
        return put(reading, 'n', 14), true;
    size_t address = span(text, 0, is_address_byte);
    if (len <= 3 && address >= 7 && text.ptr[len] == '.') {
        bool has_port = address < text.len && text.ptr[address] == '(';
        size_t end = has_port ? str_find(text, ')', address) : address;
        return put(reading, has_port ? 'r' : 'h', end < text.len ? end + has_port : end), true;
    }
    if (len < text.len && text.ptr[len] == '/')
        return put(reading, 'v', len + 1 + span(text, len + 1, isdigit)), true;
    if (len == 5 && (text.len == 5 || !isalnum((unsigned char)text.ptr[5])) && !reading->has['e'] &&
        text.ptr[0] == '0' && text.ptr[1] == '0')
        return put(reading, 'e', 5), true;
    char escape = !reading->has['p'] ? 'p' : !reading->has['l'] ? 'l' : !reading->has['x'] ? 'x' : 'Q';
    if (reading->has[(unsigned char)escape])
        return false;
    return put(reading, escape, len), true;
}

/* `lab@postgres`. */
static bool read_user(struct reading *reading) {
    size_t user = span(reading->text, 0, is_word_byte);
    if (user == reading->text.len || reading->text.ptr[user] != '@' || reading->has['u'] ||
        reading->has['d'])
        return false;
    put(reading, 'u', user);
    buf_add_char(&reading->pattern, '@');
    reading->text = str_sub(reading->text, 1, reading->text.len);
    put(reading, 'd', span(reading->text, 0, is_word_byte));
    return true;
}

static bool read_kind(struct reading *reading) {
    static const char *const kinds[] = {
        "client backend", "autovacuum launcher", "autovacuum worker", "background writer", "checkpointer",
        "parallel worker", "walsender", "walwriter", "startup", "postmaster", "[local]",
    };
    for (size_t i = 0; i < LW_COUNT_OF(kinds); i++)
        if (str_starts(reading->text, kinds[i])) {
            put(reading, kinds[i][0] == '[' ? 'r' : 'b', strlen(kinds[i]));
            return true;
        }
    return false;
}

/* `[idle in transaction]`: some text. Which does not matter, as nothing is told of a command tag. */
static bool read_bracketed(struct reading *reading) {
    size_t end = str_find(reading->text, ']', 0);
    if (reading->text.ptr[0] != '[' || end == reading->text.len || reading->has['i'])
        return false;
    for (size_t i = 1; i < end; i++)
        if (!isalpha((unsigned char)reading->text.ptr[i]) && reading->text.ptr[i] != ' ')
            return false;
    buf_add_char(&reading->pattern, '[');
    reading->text = str_sub(reading->text, 1, reading->text.len);
    put(reading, 'i', end - 1);
    return true;
}

static void read_prefix(struct reading *reading) {
    while (reading->text.len > 0) {
        if (read_time(reading) || read_named(reading) || read_user(reading) || read_kind(reading) ||
            read_number(reading) || read_bracketed(reading))
            continue;
        if (reading->text.ptr[0] == '%')
            buf_add_char(&reading->pattern, '%');
        size_t len = span(reading->text, 0, isalpha);
        len = len > 0 ? len : 1;
        buf_add(&reading->pattern, str_sub(reading->text, 0, len));
        reading->text = str_sub(reading->text, len, reading->text.len);
    }
}

struct best {
    struct log_prefix prefix;
    int share, worth;
};

static void try(struct best *best, struct str pattern, const struct samples *samples) {
    struct log_prefix prefix;
    if (!log_prefix_parse(&prefix, pattern))
        return;
    int share = share_of(&prefix, samples), worth = worth_of(&prefix);
    if (share < best->share || (share == best->share && worth <= best->worth))
        return;
    best->share = share;
    best->worth = worth;
    log_prefix_parse(&best->prefix, pattern);
}

/* The pattern, and the pattern with %q at each place: processes that are no session stop there. */
static void try_with_stops(struct best *best, struct str pattern, const struct samples *samples) {
    try(best, pattern, samples);
    for (size_t at = 0; at < pattern.len && best->share < 100; at++) {
        if (pattern.ptr[at] != '%' || at == 0)
            continue;
        struct buf stopped = {0};
        buf_add(&stopped, str_sub(pattern, 0, at));
        buf_add_c(&stopped, "%q");
        buf_add(&stopped, str_sub(pattern, at, pattern.len));
        try(best, buf_str(&stopped), samples);
        buf_release(&stopped);
        at++;
    }
}

/* The same prefix with its items' slices in its own text. */
static void copy(struct log_prefix *to, const struct log_prefix *from) {
    bool ok = log_prefix_parse(to, str_from_c(from->text));
    LW_ASSERT(ok);
}

bool log_prefix_guess(struct str head, struct log_prefix *prefix, int *share) {
    struct samples samples = {.count = 0};
    collect(head, &samples);
    *share = 0;
    if (samples.count == 0)
        return false;
    struct best best = {.share = -1};
    for (size_t i = 0; i < LW_COUNT_OF(well_known); i++)
        try(&best, str_from_c(well_known[i]), &samples);
    /* Lines of different kinds, of all the sample. */
    size_t step = samples.count / SHAPES_MAX + 1;
    for (size_t i = 0; i < samples.count; i += step) {
        struct str line = samples.lines[i];
        size_t len = samples.text_from[i] - 3;
        while (len > 0 && isalnum((unsigned char)line.ptr[len - 1]))
            len--;
        struct reading reading = {.text = str_sub(line, 0, len)};
        read_prefix(&reading);
        try_with_stops(&best, buf_str(&reading.pattern), &samples);
        buf_release(&reading.pattern);
    }
    *share = best.share;
    copy(prefix, &best.prefix);
    return best.share >= 50;
}
