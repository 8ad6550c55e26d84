#include "live/url.h"

#include "base/buf.h"
#include "live/live.h"

enum { URL_BYTES_MAX = 4096, PORT_MAX = 65535 };

static const struct pos no_pos;
static const char hidden[] = "***";

static const struct {
    const char *name;
    enum live_scheme scheme;
} schemes[] = {
    {"postgresql", LIVE_SCHEME_POSTGRESQL}, {"postgres", LIVE_SCHEME_POSTGRESQL},
    {"mysql", LIVE_SCHEME_MYSQL},           {"mariadb", LIVE_SCHEME_MYSQL},
    {"sqlite", LIVE_SCHEME_SQLITE},
};

/* False for a '%' without two hexadecimal digits, or for %00. */
static bool decode(struct arena *arena, struct str raw, struct str *decoded) {
    char *out = arena_alloc(arena, raw.len + 1);
    size_t len = 0;
    for (size_t i = 0; i < raw.len; i++) {
        char c = raw.ptr[i];
        if (c == '%') {
            int high = i + 2 < raw.len ? hex_digit(raw.ptr[i + 1]) : -1;
            int low = i + 2 < raw.len ? hex_digit(raw.ptr[i + 2]) : -1;
            if (high < 0 || low < 0 || (high == 0 && low == 0))
                return false;
            c = (char)(high * 16 + low);
            i += 2;
        }
        out[len++] = c;
    }
    *decoded = (struct str){out, len};
    return true;
}

static bool decode_part(struct arena *arena, const char *part, struct str raw, struct str *decoded,
                        struct err *err) {
    if (!decode(arena, raw, decoded))
        return err_set(err, no_pos,
                       "the URL's %s has a '%%' that does not begin a percent-encoded byte", part);
    return true;
}

static bool is_secret_name(struct str name) {
    return str_equal_nocase(name, STR("password")) || str_equal_nocase(name, STR("sslpassword")) ||
           str_equal_nocase(name, STR("passwd"));
}

static void note_secret(struct arena *arena, struct live_url *url, struct str secret) {
    if (secret.len > 0)
        VEC_PUSH(arena, &url->secrets, secret);
}

static bool read_option(struct arena *arena, struct live_url *url, struct str raw,
                        struct err *err) {
    size_t equals = str_find(raw, '=', 0);
    if (equals == 0 || equals == raw.len)
        return err_set(err, no_pos, "the URL's options, behind '?', are name=value joined by '&'");
    struct str raw_value = str_sub(raw, equals + 1, raw.len);
    struct live_url_option option;
    if (!decode_part(arena, "option name", str_sub(raw, 0, equals), &option.name, err) ||
        !decode_part(arena, "option value", raw_value, &option.value, err))
        return false;
    for (size_t i = 0; i < option.name.len; i++)
        if ((unsigned char)option.name.ptr[i] < 0x20 || option.name.ptr[i] == 0x7f)
            return err_set(err, no_pos, "the name of an option of the URL has a control character");
    char *name = str_to_c(arena, option.name);
    for (char *c = name; *c != '\0'; c++)
        if (*c == '_')
            *c = '-';
    option.name.ptr = name;
    if (is_secret_name(option.name)) {
        note_secret(arena, url, raw_value);
        note_secret(arena, url, option.value);
    }
    if (live_url_option(url, name).ptr != NULL)
        return err_set(err, no_pos, "the URL's option \"%s\" is given twice", name);
    VEC_PUSH(arena, &url->options, option);
    return true;
}

static bool read_options(struct arena *arena, struct live_url *url, struct str text,
                         struct err *err) {
    for (size_t from = 0; from < text.len;) {
        size_t to = str_find(text, '&', from);
        if (!read_option(arena, url, str_sub(text, from, to), err))
            return false;
        from = to + 1;
    }
    return true;
}

static bool read_port(struct str text, unsigned *port, struct err *err) {
    unsigned value = 0;
    bool is_number = text.len > 0 && text.len <= 5;
    for (size_t i = 0; is_number && i < text.len; i++) {
        is_number = text.ptr[i] >= '0' && text.ptr[i] <= '9';
        value = value * 10 + (unsigned)(text.ptr[i] - '0');
    }
    if (!is_number || value == 0 || value > PORT_MAX)
        return err_set(err, no_pos, "the URL's port is no number from 1 to %d", PORT_MAX);
    *port = value;
    return true;
}

static bool read_host(struct arena *arena, struct live_url *url, struct str text, struct err *err) {
    if (text.len == 0)
        return true;
    size_t end;
    struct str host;
    if (text.ptr[0] == '[') {
        end = str_find(text, ']', 0);
        if (end == text.len)
            return err_set(err, no_pos, "the URL's host has a '[' without its ']'");
        host = str_sub(text, 1, end++);
    } else {
        end = str_find(text, ':', 0);
        host = str_sub(text, 0, end);
    }
    if (end < text.len && text.ptr[end] != ':')
        return err_set(err, no_pos, "the URL's host has something behind its ']'");
    if (end < text.len && !read_port(str_sub(text, end + 1, text.len), &url->port, err))
        return false;
    return decode_part(arena, "host", host, &url->host, err);
}

/* libpq reads these once more; checked here so that no message of its own echoes what may be part of a password. */
static bool read_hosts(struct arena *arena, struct live_url *url, struct str text,
                       struct err *err) {
    for (size_t from = 0; from < text.len;) {
        size_t to = str_find(text, ',', from);
        if (!read_host(arena, url, str_sub(text, from, to), err))
            return false;
        from = to + 1;
    }
    return true;
}

static bool read_user(struct arena *arena, struct live_url *url, struct str text, struct err *err) {
    size_t colon = str_find(text, ':', 0);
    if (!decode_part(arena, "user name", str_sub(text, 0, colon), &url->user, err))
        return false;
    if (colon == text.len)
        return true;
    struct str raw = str_sub(text, colon + 1, text.len);
    note_secret(arena, url, raw);
    if (!decode_part(arena, "password", raw, &url->password, err))
        return false;
    note_secret(arena, url, url->password);
    return true;
}

/* What stands behind "//". */
static bool read_server(struct arena *arena, struct live_url *url, struct str text,
                        struct err *err) {
    size_t authority = str_find(text, '/', 0);
    size_t query = str_find(text, '?', 0);
    if (query < authority)
        authority = query;
    size_t at = text.len;
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] == '@' && i < query)
            at = i;
    if (at != text.len && (at > authority || str_find(text, '@', 0) != at))
        return err_set(err, no_pos,
                       "the URL has '@', '/' or '?' in its user name or password: write %%40, "
                       "%%2F, %%3F");
    if (at == text.len && str_find(text, '@', query) < str_find(text, '=', query))
        return err_set(err, no_pos,
                       "the URL has '?' in its user name or password: write it as %%3F");
    bool has_user = at < authority;
    if (has_user && !read_user(arena, url, str_sub(text, 0, at), err))
        return false;
    struct str host = str_sub(text, has_user ? at + 1 : 0, authority);
    if (url->scheme == LIVE_SCHEME_POSTGRESQL ? !read_hosts(arena, url, host, err)
                                              : !read_host(arena, url, host, err))
        return false;
    if (authority < query && !decode_part(arena, "database name",
                                          str_sub(text, authority + 1, query), &url->database, err))
        return false;
    return query == text.len || read_options(arena, url, str_sub(text, query + 1, text.len), err);
}

static bool read_file(struct arena *arena, struct live_url *url, struct str text, struct err *err) {
    if (str_starts(text, "//"))
        return err_set(err, no_pos,
                       "a SQLite URL is sqlite:PATH, without \"//\": sqlite:a/b, sqlite:/a/b");
    size_t query = str_find(text, '?', 0);
    if (query == 0)
        return err_set(err, no_pos, "the URL has no path: sqlite:PATH");
    return decode_part(arena, "path", str_sub(text, 0, query), &url->database, err) &&
           (query == text.len || read_options(arena, url, str_sub(text, query + 1, text.len), err));
}

static bool read_scheme(struct str text, struct live_url *url, size_t *end, struct err *err) {
    *end = str_find(text, ':', 0);
    struct str name = str_sub(text, 0, *end);
    for (size_t i = 0; *end < text.len && i < sizeof(schemes) / sizeof(schemes[0]); i++) {
        if (str_equal_nocase(name, str_from_c(schemes[i].name))) {
            url->scheme = schemes[i].scheme;
            ++*end;
            return true;
        }
    }
    return err_set(err, no_pos,
                   "no URL of a database: it begins with postgresql://, mysql:// or sqlite:");
}

bool live_url_parse(struct arena *arena, struct str text, struct live_url *url, struct err *err) {
    *url = (struct live_url){.text = text};
    if (text.len > URL_BYTES_MAX)
        return err_set(err, no_pos, "the URL is longer than %d bytes", URL_BYTES_MAX);
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.ptr[i] < 0x20 || text.ptr[i] == 0x7f)
            return err_set(err, no_pos, "the URL has a control character: write it as %%%02X",
                           (unsigned)text.ptr[i]);
    size_t end;
    if (!read_scheme(text, url, &end, err))
        return false;
    struct str rest = str_sub(text, end, text.len);
    if (url->scheme == LIVE_SCHEME_SQLITE)
        return read_file(arena, url, rest, err);
    if (!str_starts(rest, "//"))
        return err_set(err, no_pos, "the URL has no \"//\" behind \"%.*s\"", (int)end, text.ptr);
    return read_server(arena, url, str_sub(rest, 2, rest.len), err);
}

struct str live_url_option(const struct live_url *url, const char *name) {
    for (size_t i = 0; i < url->options.count; i++)
        if (str_is(url->options.items[i].name, name))
            return url->options.items[i].value;
    return (struct str){0};
}

struct str live_url_scrub(struct arena *arena, const struct live_url *url, struct str message) {
    struct buf out = {0};
    for (size_t i = 0; i < message.len;) {
        size_t longest = 0;
        for (size_t k = 0; k < url->secrets.count; k++) {
            struct str secret = url->secrets.items[k];
            if (secret.len > longest && secret.len <= message.len - i &&
                memcmp(message.ptr + i, secret.ptr, secret.len) == 0)
                longest = secret.len;
        }
        if (longest > 0)
            buf_add_c(&out, hidden);
        else
            buf_add_char(&out, message.ptr[i]);
        i += longest > 0 ? longest : 1;
    }
    struct str scrubbed = str_dup(arena, buf_str(&out));
    buf_release(&out);
    return scrubbed;
}

/* Options, the values of passwords hidden. */
static void show_options(struct arena *arena, struct str text, struct buf *out) {
    for (size_t from = 0; from < text.len;) {
        size_t to = str_find(text, '&', from);
        size_t equals = str_find(text, '=', from);
        struct str name;
        bool is_secret = equals < to && decode(arena, str_sub(text, from, equals), &name) &&
                         (is_secret_name(name) || str_ends(name, "password"));
        buf_add(out, str_sub(text, from, is_secret ? equals + 1 : to));
        if (is_secret)
            buf_add_c(out, hidden);
        if (to < text.len)
            buf_add_char(out, '&');
        from = to + 1;
    }
}

/* For any text, also one that is no URL: rather too much is hidden than a password shown. */
struct str live_url_shown(struct arena *arena, struct str url) {
    struct buf out = {0};
    size_t scheme = str_find(url, ':', 0);
    bool has_server = scheme + 3 <= url.len && memcmp(url.ptr + scheme, "://", 3) == 0;
    size_t from = has_server ? scheme + 3 : 0;
    size_t at = url.len;
    for (size_t i = from; i < url.len && !str_starts(url, "sqlite:"); i++)
        if (url.ptr[i] == '@')
            at = i;
    size_t colon = str_find(url, ':', from), query = str_find(url, '?', from);
    if (at < url.len && colon < at && colon < query) {
        buf_add(&out, str_sub(url, 0, colon + 1));
        buf_add_c(&out, hidden);
        if (query < at) /* in an option, or in a password: what is behind may be the rest of one */
            at = query = url.len;
        buf_add(&out, str_sub(url, at, query));
    } else {
        buf_add(&out, str_sub(url, 0, query));
    }
    if (query < url.len) {
        buf_add_char(&out, '?');
        show_options(arena, str_sub(url, query + 1, url.len), &out);
    }
    struct str shown = str_dup(arena, buf_str(&out));
    buf_release(&out);
    return shown;
}
