#include "live/libmariadb.h"

#ifdef LW_HAVE_LIBMARIADB
#include "base/assert.h"
#include "base/library.h"

static const struct pos no_pos;

struct live_libmariadb libmariadb;

bool live_libmariadb_load(struct err *err) {
    static const struct library_function functions[] = {
#define FUNCTION(name) {#name, &libmariadb.name},
#include "live/libmariadb.def"
    };
    return library_load("libmariadb.so.3", "such a URL", functions, LW_COUNT_OF(functions), err);
}

static bool set_tls(const struct live_url *url, MYSQL *handle, struct err *err) {
    static const struct {
        const char *name;
        enum mysql_option option;
    } files[] = {
        {"ssl-ca", MYSQL_OPT_SSL_CA},         {"ssl-capath", MYSQL_OPT_SSL_CAPATH},
        {"ssl-cert", MYSQL_OPT_SSL_CERT},     {"ssl-key", MYSQL_OPT_SSL_KEY},
        {"ssl-cipher", MYSQL_OPT_SSL_CIPHER}, {"ssl-crl", MYSQL_OPT_SSL_CRL},
    };
    struct str mode = live_url_option(url, "ssl-mode");
    bool verifies =
        str_equal_nocase(mode, STR("VERIFY_CA")) || str_equal_nocase(mode, STR("VERIFY_IDENTITY"));
    bool requires = verifies || str_equal_nocase(mode, STR("REQUIRED"));
    if (mode.ptr != NULL && !requires && !str_equal_nocase(mode, STR("DISABLED")) &&
        !str_equal_nocase(mode, STR("PREFERRED")))
        return err_set(err, no_pos,
                       "the URL's ssl-mode is none of DISABLED, PREFERRED, REQUIRED, "
                       "VERIFY_CA, VERIFY_IDENTITY");
    struct arena scratch = {0};
    for (size_t i = 0; i < LW_COUNT_OF(files); i++) {
        struct str value = live_url_option(url, files[i].name);
        if (value.ptr != NULL)
            libmariadb.mysql_optionsv(handle, files[i].option, str_to_c(&scratch, value));
    }
    arena_release(&scratch);
    my_bool on = 1;
    if (requires)
        libmariadb.mysql_optionsv(handle, MYSQL_OPT_SSL_ENFORCE, &on);
    if (verifies)
        libmariadb.mysql_optionsv(handle, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &on);
    return true;
}

static bool check_options(const struct live_url *url, struct err *err) {
    static const char *const known[] = {"ssl-mode", "ssl-ca",     "ssl-capath", "ssl-cert",
                                        "ssl-key",  "ssl-cipher", "ssl-crl",    "socket",
                                        "password", "user"};
    for (size_t i = 0; i < url->options.count; i++) {
        bool is_known = false;
        for (size_t k = 0; k < LW_COUNT_OF(known); k++)
            is_known |= str_is(url->options.items[i].name, known[k]);
        if (!is_known)
            return err_set(
                err, no_pos,
                "the URL's option \"%.*s\" is unknown: there are socket, user, password, "
                "ssl-mode, ssl-ca, ssl-capath, ssl-cert, ssl-key, ssl-cipher, ssl-crl",
                (int)(url->options.items[i].name.len > 40 ? 40 : url->options.items[i].name.len),
                url->options.items[i].name.ptr);
    }
    return true;
}

bool live_mysql_set_options(const struct live_url *url, MYSQL *handle, struct err *err) {
    return check_options(url, err) && set_tls(url, handle, err);
}

bool live_mysql_has_tls(const struct live_url *url, MYSQL *handle, struct err *err) {
    struct str mode = live_url_option(url, "ssl-mode");
    bool may_be_plain = mode.ptr == NULL || str_equal_nocase(mode, STR("DISABLED")) ||
                        str_equal_nocase(mode, STR("PREFERRED"));
    if (!may_be_plain && libmariadb.mysql_get_ssl_cipher(handle) == NULL)
        return err_set(err, no_pos, "the connection has no TLS, which the URL's ssl-mode asks for");
    return true;
}

static const char *text_or_null(struct arena *arena, struct str text) {
    return text.ptr == NULL ? NULL : str_to_c(arena, text);
}

static struct str either(struct str first, struct str second) {
    return first.ptr != NULL ? first : second;
}

struct live_mysql_target live_mysql_target(struct arena *arena, const struct live_url *url) {
    return (struct live_mysql_target){
        .host = url->host.len > 0 ? str_to_c(arena, url->host) : NULL,
        .user = text_or_null(arena, either(url->user, live_url_option(url, "user"))),
        .password = text_or_null(arena, either(url->password, live_url_option(url, "password"))),
        .socket = text_or_null(arena, live_url_option(url, "socket")),
    };
}

#endif
