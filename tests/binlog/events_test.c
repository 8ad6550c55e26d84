/* What no server of the tests writes: logs put together here, event by event. */
#include "base/assert.h"
#include "binlog/binlog.h"
#include "../support/changes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define MAGIC "\xfe\x62\x69\x6e"

enum {
    QUERY = 2, FORMAT = 15, XID = 16, TABLE_MAP = 19, WRITE_ROWS_V0 = 20, WRITE_ROWS = 30, INCIDENT = 26,
    XA_PREPARE = 38, PAYLOAD = 40, START_ENCRYPTION = 164, QUERY_COMPRESSED = 165,
};

static void add_le(struct buf *out, uint64_t value, size_t bytes) {
    for (size_t i = 0; i < bytes; i++, value >>= 8)
        buf_add_char(out, (char)value);
}

static void add_event(struct buf *out, unsigned type, struct str body, unsigned flags) {
    size_t size = 19 + body.len;
    add_le(out, 1000, 4);
    add_le(out, type, 1);
    add_le(out, 7, 4);
    add_le(out, size, 4);
    add_le(out, out->len + size - 13, 4);
    add_le(out, flags, 2);
    buf_add(out, body);
}

/* A file of a MySQL 8 without checksums. */
static void add_file(struct buf *out) {
    struct buf body = {0};
    add_le(&body, 4, 2);
    buf_add_c(&body, "8.0.36");
    buf_add_repeat(&body, '\0', 50 - 6);
    add_le(&body, 0, 4);
    add_le(&body, 19, 1);
    for (int type = 1; type <= 171; type++)
        add_le(&body, type == QUERY || type == QUERY_COMPRESSED ? 13 : type == TABLE_MAP ? 8 : type == WRITE_ROWS ? 10 : 0, 1);
    add_le(&body, 0, 5);
    buf_add_c(out, MAGIC);
    add_event(out, FORMAT, buf_str(&body), 0);
    buf_release(&body);
}

static void add_query_of(struct buf *out, unsigned type, struct str sql) {
    struct buf body = {0};
    add_le(&body, 0, 8);
    add_le(&body, 2, 1);
    add_le(&body, 0, 4);
    buf_add(&body, STR("db\0"));
    buf_add(&body, sql);
    add_event(out, type, buf_str(&body), 0);
    buf_release(&body);
}

static void add_query(struct buf *out, const char *sql) {
    add_query_of(out, QUERY, str_from_c(sql));
}

/* Table 9, `db`.`t`, of an INT and of one more column with its metadata. */
static void add_table(struct buf *out, unsigned type, struct str metadata) {
    struct buf body = {0};
    add_le(&body, 9, 6);
    add_le(&body, 1, 2);
    buf_add(&body, STR("\x02" "db\0\x01t\0\x02\x03"));
    add_le(&body, type, 1);
    add_le(&body, metadata.len, 1);
    buf_add(&body, metadata);
    add_le(&body, 3, 1);
    add_event(out, TABLE_MAP, buf_str(&body), 0);
    buf_release(&body);
}

/* A row of 1 and of the bytes of a value. */
static void add_row(struct buf *out, struct str value) {
    struct buf body = {0};
    add_le(&body, 9, 6);
    add_le(&body, 1, 2);
    buf_add(&body, STR("\x02\0\x02\x03\0"));
    add_le(&body, 1, 4);
    buf_add(&body, value);
    add_event(out, WRITE_ROWS, buf_str(&body), 0);
    buf_release(&body);
}

static void expect(const struct buf *log, const char *wanted) {
    struct buf told = {0};
    print_events(&told, &binlog_decoder, buf_str(log), 0, true);
    if (!str_is(buf_str(&told), wanted))
        fail_msg("told:\n%s\nwanted:\n%s", told.ptr ? told.ptr : "", wanted);
    buf_release(&told);
}

/* `value` of a column of this type must be told as `wanted`, which is JSON. */
static void expect_told(unsigned type, struct str metadata, struct str value, const char *wanted) {
    struct buf log = {0}, told = {0};
    add_file(&log);
    add_table(&log, type, metadata);
    add_row(&log, value);
    add_event(&log, XID, STR("12345678"), 0);
    print_events(&told, &binlog_decoder, buf_str(&log), 0, true);
    struct buf image = {0};
    buf_printf(&image, "\"after\": {\"@1\": \"1\"%s%s}", *wanted ? ", \"@2\": " : "", wanted);
    if (strstr(told.ptr, image.ptr) == NULL)
        fail_msg("%s is not in:\n%s", image.ptr, told.ptr);
    buf_release(&image);
    buf_release(&told);
    buf_release(&log);
}

static void test_old_times(void **state) {
    (void)state;
    expect_told(11, STR(""), STR("\x40\xe2\x01"), "\"12:34:56\"");       /* TIME: 123456 */
    expect_told(11, STR(""), STR("\xc0\x1d\xfe"), "\"-12:34:56\"");      /* -123456 */
    expect_told(12, STR(""), STR("\xf2\x59\x1d\x8d\x6f\x12\x00\x00"), "\"2027-03-18 18:08:50\""); /* 20270318180850 */
    expect_told(7, STR(""), STR("\x00\x00\x00\x00"), "\"0000-00-00 00:00:00\"");
    expect_told(7, STR(""), STR("\xff\xff\xff\xff"), "\"2106-02-07 06:28:15\"");
}

static void test_damaged_json(void **state) {
    (void)state;
    static const struct {
        struct str bytes;
        const char *wanted; /* "": left out */
    } cases[] = {
        {STR("\x04\x01"), "\"true\""},
        {STR(""), "\"null\""},
        {STR("\x04\x07"), ""},                           /* no such literal */
        {STR("\x0c\x05" "ab"), ""},                      /* a text that ends before its end */
        {STR("\x02\x01\0\xff\xff\x04\0\0"), ""},         /* an array larger than its bytes */
        {STR("\x02\x01\0\x07\0\x02\0\0"), ""},           /* an array that holds itself */
        {STR("\x02\xff\xff\x07\0\x04\0\0"), ""},         /* of more entries than there are */
        {STR("\x0f\xf6\x03\x80\x01\x80"), ""},           /* a decimal of 128 digits */
        {STR("\x63\x01"), ""},                           /* no such type */
        {STR("\x02\x01\0\x07\0\x04\x02\0"), "\"[false]\""},
    };
    for (size_t i = 0; i < LW_COUNT_OF(cases); i++) {
        struct buf value = {0};
        add_le(&value, cases[i].bytes.len, 4);
        buf_add(&value, cases[i].bytes);
        expect_told(245, STR("\x04"), buf_str(&value), cases[i].wanted);
        buf_release(&value);
    }
}

/* An array of two references to the one before it, again and again: its text would have 2^40 parts. */
static void test_json_that_shares(void **state) {
    (void)state;
    enum { LEVELS = 40, ENTRY = 12 };
    struct buf json = {0}, value = {0};
    add_le(&json, 2, 1);
    for (int i = 0; i < LEVELS; i++) {
        add_le(&json, 2, 2);
        add_le(&json, (uint64_t)(LEVELS - i) * ENTRY, 2);
        for (int k = 0; k < 2; k++) {
            add_le(&json, i + 1 < LEVELS ? 2 : 4, 1);
            add_le(&json, i + 1 < LEVELS ? ENTRY : 0, 2);
        }
        add_le(&json, 0, 2);
    }
    add_le(&value, json.len, 4);
    buf_add(&value, buf_str(&json));
    expect_told(245, STR("\x04"), buf_str(&value), "");
    buf_release(&json);
    buf_release(&value);
}

static void test_encrypted(void **state) {
    (void)state;
    struct buf log = {0};
    buf_add(&log, STR("\xfd\x62\x69\x6e\x01"));
    buf_add_repeat(&log, 'x', 600);
    expect(&log, "{\"kind\": \"gap\", \"at\": 0, \"reason\": \"the binary log is encrypted\", \"bytes\": 605, \"encrypted\": true}\n");
    buf_release(&log);
}

/* MariaDB's: the file is readable up to this event, and the next file is again. */
static void test_start_encryption(void **state) {
    (void)state;
    struct buf log = {0};
    add_file(&log);
    add_event(&log, START_ENCRYPTION, STR("\x01\x01\0\0\0" "123456789012"), 0);
    buf_add_repeat(&log, '\x13', 100);
    add_file(&log);
    add_query(&log, "DROP TABLE t");
    expect(&log, "{\"kind\": \"gap\", \"at\": 292, \"reason\": \"the binary log is encrypted\", \"bytes\": 100, \"encrypted\": true}\n"
                 "{\"kind\": \"statement\", \"at\": 648, \"time_us\": 1000000000, \"database\": \"db\", \"sql\": \"DROP TABLE t\"}\n");
    buf_release(&log);
}

static void test_events_that_are_gaps(void **state) {
    (void)state;
    static const struct {
        unsigned type, flags;
        struct str body;
        const char *reason; /* NULL: none */
    } cases[] = {
        {INCIDENT, 0, STR("\x01\0\0"), "the server tells of an incident: events may be missing here"},
        {WRITE_ROWS_V0, 0, STR("123456\0\0"), "rows in the form of MySQL before 5.1.18"},
        {WRITE_ROWS, 0, STR("\x09\0\0\0\0\0\x01\0\x02\0\x02\x03\0"), "rows of a table that is not described before them"},
        {WRITE_ROWS, 0, STR("\x09\0\0"), "an event of rows is damaged"},
        {TABLE_MAP, 0, STR("\x09\0\0"), "a table's description is damaged"},
        {99, 0, STR("future"), "an event of a type that is not known"},
        {99, 0x80, STR("future"), NULL}, /* says itself that it may be passed over */
        {XA_PREPARE, 0, STR("\0"), "an XA PREPARE event is damaged"},
        {33, 0, STR("\0"), "a GTID event is damaged"},
        {QUERY, 0, STR("\0"), "a statement's event is damaged"},
        {PAYLOAD, 0, STR("\x01\x01\x09\0"), "a compressed transaction is damaged"},
        {PAYLOAD, 0, STR("\x02\x01\0\x01\x01\x04\0abcd"), "a compressed transaction is damaged"},
    };
    for (size_t i = 0; i < LW_COUNT_OF(cases); i++) {
        struct buf log = {0}, told = {0};
        add_file(&log);
        add_event(&log, cases[i].type, cases[i].body, cases[i].flags);
        add_query(&log, "DROP TABLE t");
        print_events(&told, &binlog_decoder, buf_str(&log), 0, true);
        assert_non_null(strstr(told.ptr, "DROP TABLE t"));
        if (cases[i].reason == NULL)
            assert_null(strstr(told.ptr, "\"gap\""));
        else if (strstr(told.ptr, cases[i].reason) == NULL)
            fail_msg("case %zu: %s is not in:\n%s", i, cases[i].reason, told.ptr);
        buf_release(&log);
        buf_release(&told);
    }
}

/* An event above the cap is passed over, however many pieces it comes in, and reading goes on behind it. */
static void test_event_above_cap(void **state) {
    (void)state;
    enum { BODY_BYTES = BINLOG_EVENT_BYTES_MAX + 1 };
    struct buf log = {0}, told = {0}, body = {0};
    add_file(&log);
    add_query(&log, "one");
    add_query(&log, "two");
    buf_add_repeat(&body, 'x', BODY_BYTES);
    add_event(&log, QUERY, buf_str(&body), 0);
    add_query(&log, "three");
    print_events(&told, &binlog_decoder, buf_str(&log), 1 << 20, true);
    assert_non_null(strstr(told.ptr, "an event is larger than what is kept of one"));
    assert_non_null(strstr(told.ptr, "\"three\""));
    buf_release(&log);
    buf_release(&told);
    buf_release(&body);
}

static void add_xa(struct buf *log, const char *gtrid, bool is_one_phase) {
    struct buf body = {0};
    add_le(&body, is_one_phase, 1);
    add_le(&body, 1, 4);
    add_le(&body, strlen(gtrid), 4);
    add_le(&body, 0, 4);
    buf_add_c(&body, gtrid);
    add_query(log, "XA START X'61',X'',1");
    add_query(log, "XA END X'61',X'',1");
    add_event(log, XA_PREPARE, buf_str(&body), 0);
    buf_release(&body);
}

/* Of XA transactions that never end, the newest are kept. */
static void test_prepared_above_cap(void **state) {
    (void)state;
    struct buf log = {0}, told = {0};
    add_file(&log);
    for (int i = 0; i < 1025; i++)
        add_xa(&log, i == 0 ? "a" : i == 1024 ? "c" : "b", false);
    add_query(&log, "XA COMMIT X'61',X'',1");
    add_query(&log, "XA COMMIT X'63', X'' ,1");
    print_events(&told, &binlog_decoder, buf_str(&log), 0, true);
    assert_non_null(strstr(told.ptr, "more XA transactions are prepared than are kept"));
    assert_non_null(strstr(told.ptr, "an XA transaction ends whose changes stand before this source"));
    assert_non_null(strstr(told.ptr, "\"commit\""));
    buf_release(&log);
    buf_release(&told);
}

static void test_not_a_log(void **state) {
    (void)state;
    struct buf log = {0};
    buf_add_c(&log, "2026-11-27 10:55:42 UTC LOG:  this is a log of another kind");
    expect(&log, "{\"kind\": \"gap\", \"at\": 0, \"reason\": \"no binary log begins here\", \"bytes\": 59}\n");
    buf_release(&log);
    expect(&(struct buf){0}, "");
}

static void test_detect(void **state) {
    (void)state;
    assert_int_equal(binlog_decoder.detect(STR(MAGIC "rest")), 100);
    assert_int_equal(binlog_decoder.detect(STR("\xfd\x62\x69\x6e")), 100);
    assert_int_equal(binlog_decoder.detect(STR("\xfe\x62\x69")), 0);
    assert_int_equal(binlog_decoder.detect(STR("")), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_old_times),
        cmocka_unit_test(test_damaged_json),
        cmocka_unit_test(test_json_that_shares),
        cmocka_unit_test(test_encrypted),
        cmocka_unit_test(test_start_encryption),
        cmocka_unit_test(test_events_that_are_gaps),
        cmocka_unit_test(test_event_above_cap),
        cmocka_unit_test(test_prepared_above_cap),
        cmocka_unit_test(test_not_a_log),
        cmocka_unit_test(test_detect),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
