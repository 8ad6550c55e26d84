/* URLs of databases: what each part is, what is refused and why, and that no password is ever shown. */
#include "live/url.h"

#include "base/assert.h"
#include "live/live.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static void expect(struct str got, const char *expected) {
    if (expected == NULL)
        assert_null(got.ptr);
    else if (!str_is(got, expected))
        fail_msg("got \"%.*s\", expected \"%s\"", STR_ARG(got), expected);
}

static void test_parts(void **state) {
    (void)state;
    static const struct {
        const char *url, *user, *password, *host, *database;
        unsigned port;
        enum live_scheme scheme;
    } cases[] = {
        {"postgresql://", NULL, NULL, NULL, NULL, 0, LIVE_SCHEME_POSTGRESQL},
        {"postgres://h/d", NULL, NULL, "h", "d", 0, LIVE_SCHEME_POSTGRESQL},
        {"postgresql://u@h:5433/d", "u", NULL, "h", "d", 5433, LIVE_SCHEME_POSTGRESQL},
        {"postgresql://u:p@h1:1,h2:2/d", "u", "p", "h2", "d", 2, LIVE_SCHEME_POSTGRESQL},
        {"postgresql:///d?host=/tmp", NULL, NULL, NULL, "d", 0, LIVE_SCHEME_POSTGRESQL},
        {"postgresql://u:a%40b%2Fc@h/d", "u", "a@b/c", "h", "d", 0, LIVE_SCHEME_POSTGRESQL},
        {"postgresql://[::1]:5433/d", NULL, NULL, "::1", "d", 5433, LIVE_SCHEME_POSTGRESQL},
        {"PostgreSQL://h", NULL, NULL, "h", NULL, 0, LIVE_SCHEME_POSTGRESQL},
        {"mysql://root@127.0.0.1:3306/", "root", NULL, "127.0.0.1", "", 3306, LIVE_SCHEME_MYSQL},
        {"mariadb://root:@h", "root", "", "h", NULL, 0, LIVE_SCHEME_MYSQL},
        {"mysql://[fe80::1%25eth0]:1/x", NULL, NULL, "fe80::1%eth0", "x", 1, LIVE_SCHEME_MYSQL},
        {"mysql://u%3Av:w:x@h", "u:v", "w:x", "h", NULL, 0, LIVE_SCHEME_MYSQL},
        {"sqlite:a/b.db", NULL, NULL, NULL, "a/b.db", 0, LIVE_SCHEME_SQLITE},
        {"sqlite:/a/b%3Fc?journal_mode=wal", NULL, NULL, NULL, "/a/b?c", 0, LIVE_SCHEME_SQLITE},
        {"sqlite:C:\\x", NULL, NULL, NULL, "C:\\x", 0, LIVE_SCHEME_SQLITE},
    };
    for (size_t i = 0; i < LW_COUNT_OF(cases); i++) {
        struct arena arena = {0};
        struct live_url url;
        struct err err;
        if (!live_url_parse(&arena, str_from_c(cases[i].url), &url, &err))
            fail_msg("%s: %s", cases[i].url, err.message);
        assert_int_equal(url.scheme, cases[i].scheme);
        expect(url.user, cases[i].user);
        expect(url.password, cases[i].password);
        expect(url.host, cases[i].host);
        expect(url.database, cases[i].database);
        assert_int_equal(url.port, cases[i].port);
        arena_release(&arena);
    }
}

static void test_options(void **state) {
    (void)state;
    struct arena arena = {0};
    struct live_url url;
    struct err err;
    assert_true(live_url_parse(&arena, STR("mysql://h/?ssl_mode=REQUIRED&socket=%2Ftmp%2Fs&x="),
                               &url, &err));
    expect(live_url_option(&url, "ssl-mode"), "REQUIRED");
    expect(live_url_option(&url, "socket"), "/tmp/s");
    expect(live_url_option(&url, "x"), "");
    expect(live_url_option(&url, "y"), NULL);
    arena_release(&arena);
}

static void test_refused(void **state) {
    (void)state;
    static const struct {
        const char *url, *part;
    } cases[] = {
        {"", "no URL of a database"},
        {"postgresql", "no URL of a database"},
        {"oracle://h", "no URL of a database"},
        {"://h", "no URL of a database"},
        {"/some/path", "no URL of a database"},
        {"postgresql:h", "no \"//\""},
        {"mysql:/h", "no \"//\""},
        {"mysql://h:0", "port"},
        {"mysql://h:65536", "port"},
        {"mysql://h:99999999999999999999", "port"},
        {"mysql://h:", "port"},
        {"mysql://h:12a", "port"},
        {"postgresql://h1:1,h2:x/d", "port"},
        {"mysql://[::1/x", "without its ']'"},
        {"mysql://[::1]x", "behind its ']'"},
        {"mysql://u:p@ss@h/d", "%40"},
        {"mysql://u:p/ss@h/d", "%2F"},
        {"mysql://u:p?ss@h/d", "%3F"},
        {"mysql://h/d?x", "name=value"},
        {"mysql://h/d?=x", "name=value"},
        {"mysql://h/d?a=1&a=2", "given twice"},
        {"mysql://h/d?a%0Ab=1", "control character"},
        {"mysql://h/d?a_b=1&a-b=2", "given twice"},
        {"mysql://%zz@h/d", "user name"},
        {"mysql://u:%z@h/d", "password"},
        {"mysql://u:%@h/d", "password"},
        {"mysql://u:%00@h/d", "password"},
        {"mysql://%4@h/d", "user name"},
        {"mysql://h%2/d", "host"},
        {"mysql://h/d%", "database name"},
        {"mysql://h/d?a=%", "option value"},
        {"mysql://h/d?%=a", "option name"},
        {"mysql://h/d\n", "control character"},
        {"sqlite:", "no path"},
        {"sqlite:?journal_mode=wal", "no path"},
        {"sqlite:///a", "without \"//\""},
        {"sqlite:a%", "path"},
        {"sqlite:a?b", "name=value"},
    };
    for (size_t i = 0; i < LW_COUNT_OF(cases); i++) {
        struct arena arena = {0};
        struct live_url url;
        struct err err;
        if (live_url_parse(&arena, str_from_c(cases[i].url), &url, &err))
            fail_msg("%s is taken", cases[i].url);
        if (strstr(err.message, cases[i].part) == NULL)
            fail_msg("%s: %s", cases[i].url, err.message);
        arena_release(&arena);
    }
}

static void test_too_long(void **state) {
    (void)state;
    struct arena arena = {0};
    struct live_url url;
    struct err err;
    static char text[10000];
    memset(text, 'x', sizeof(text));
    memcpy(text, "mysql://", 8);
    assert_false(live_url_parse(&arena, (struct str){text, sizeof(text)}, &url, &err));
    assert_non_null(strstr(err.message, "longer than"));
    arena_release(&arena);
}

/* Whatever is wrong with a URL, what stands where a password may stand is in neither the message nor what is shown. */
static void test_no_password(void **state) {
    (void)state;
    static const char *const urls[] = {
        "postgresql://u:Secret@h/d",
        "postgresql://u:Secret@h:x/d",
        "postgresql://u:Secret@h/d?x",
        "postgresql://u:Sec%zzSecret@h/d",
        "postgresql://u:Secret@Secret@h/d",
        "postgresql://u:Secret/Secret@h/d",
        "postgresql://u:Secret?Secret@h/d",
        "postgresql://u:Secret?a=Secret@h/d",
        "postgresql://h/d?password=Secret",
        "postgresql://h/d?user=u&sslpassword=Secret&x=%",
        "postgresql://h/d?%70assword=Secret&x",
        "postgresql:u:Secret@h",
        "mysql://u:Secret@h:99999/d",
        "mysql://u:Secret@[h/d",
        "mysql://u:Secret@h/d?password=Secret&password=Secret",
        "mysq://u:Secret@h/d",
        "u:Secret@h/d",
        "//u:Secret@h/d",
        "postgresql://h:1/d?password=a@Secret",
        "postgresql://u:p@h/d?x=@y&password=Secret",
        "postgresql://u@h/d?password=Secret@Secret?Secret",
        "postgresql://h/d?x?password=Secret",
        "postgresql://u@h/d?password=Secret&x=a:b@c",
    };
    for (size_t i = 0; i < LW_COUNT_OF(urls); i++) {
        struct arena arena = {0};
        struct live_url url;
        struct err err = {0};
        struct str text = str_from_c(urls[i]);
        if (!live_url_parse(&arena, text, &url, &err) && strstr(err.message, "Secret") != NULL)
            fail_msg("%s: %s", urls[i], err.message);
        struct str shown = live_url_shown(&arena, text);
        if (strstr(shown.ptr, "Secret") != NULL)
            fail_msg("%s is shown as %s", urls[i], shown.ptr);
        arena_release(&arena);
    }
}

static void test_shown(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        {"postgresql://u:p@h:1/d?sslmode=require", "postgresql://u:***@h:1/d?sslmode=require"},
        {"postgresql://u@h:1/d", "postgresql://u@h:1/d"},
        {"postgresql://h:1/d?password=p&x=1", "postgresql://h:1/d?password=***&x=1"},
        {"mysql://u:@h", "mysql://u:***@h"},
        {"sqlite:a/b?journal_mode=wal", "sqlite:a/b?journal_mode=wal"},
        {"", ""},
        {"nonsense", "nonsense"},
    };
    for (size_t i = 0; i < LW_COUNT_OF(cases); i++) {
        struct arena arena = {0};
        expect(live_url_shown(&arena, str_from_c(cases[i][0])), cases[i][1]);
        arena_release(&arena);
    }
}

static void test_scrub(void **state) {
    (void)state;
    struct arena arena = {0};
    struct live_url url;
    struct err err;
    assert_true(live_url_parse(&arena, STR("mysql://u:a%40b@h?password=cc"), &url, &err));
    expect(live_url_scrub(&arena, &url, STR("a%40b, a@b and cc, not c")),
           "***, *** and ***, not c");
    expect(live_url_scrub(&arena, &url, STR("")), "");
    arena_release(&arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parts),       cmocka_unit_test(test_options),
        cmocka_unit_test(test_refused),     cmocka_unit_test(test_too_long),
        cmocka_unit_test(test_no_password), cmocka_unit_test(test_shown),
        cmocka_unit_test(test_scrub),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
