/* What no server of the tests sends: messages put together here. */
#include "base/assert.h"
#include "pgoutput/pgoutput.h"
#include "../support/changes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void add_be(struct buf *out, uint64_t value, size_t bytes) {
    while (bytes-- > 0)
        buf_add_char(out, (char)(value >> bytes * 8));
}

/* A message of the plugin in its XLogData. */
static void add(struct buf *out, struct str message) {
    pgoutput_put_header(25 + message.len, out);
    buf_add_char(out, 'w');
    add_be(out, 16, 8);
    add_be(out, 16, 8);
    add_be(out, 1000000, 8);
    buf_add(out, message);
}

#define BEGIN STR("B\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\x01\0\0\0\x07")
#define COMMIT STR("C\0\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\x02\0\0\0\0\0\0\0\x01")
/* Table 9, s.t: id int, the key; v of a type. */
#define TABLE(identity, flags, type) STR("R\0\0\0\x09s\0t\0" identity "\0\x02" flags "id\0\0\0\0\x17\xff\xff\xff\xff" flags "v\0\0\0\0" type "\xff\xff\xff\xff")
#define ROW(value) STR("I\0\0\0\x09N\0\x02t\0\0\0\x01" "1" value)
#define AT "\"time_us\": 946684800000001, \"transaction\": \"7\""
#define BEGUN "{\"kind\": \"begin\", \"at\": 20, " AT "}\n"

static void begin(struct buf *out) {
    buf_add_c(out, PGOUTPUT_MAGIC);
    add(out, BEGIN);
}

/* Told without their places behind the first. */
static void expect(struct buf *stream, const struct trace_lookup *lookup, const char *wanted) {
    struct buf told = {0};
    struct trace_options options = {.file = STR("-"), .lookup = lookup};
    struct trace_sink sink = {(void (*)(void *, const struct trace_event *))print_event, &told};
    void *decoder = pgoutput_decoder.open(&sink, &options);
    pgoutput_decoder.feed(decoder, buf_str(stream));
    pgoutput_decoder.end(decoder);
    pgoutput_decoder.close(decoder);
    if (strstr(told.ptr != NULL ? told.ptr : "", wanted) == NULL)
        fail_msg("told:\n%s\nwanted:\n%s", told.ptr ? told.ptr : "", wanted);
    buf_release(&told);
    buf_release(stream);
}

static void test_values(void **state) {
    (void)state;
    static const struct {
        struct str row, table;
        const char *wanted;
    } cases[] = {
        {ROW("n"), TABLE("d", "\1", "\x17"), "\"after\": {\"id\": \"1\", \"v\": null}"},
        {ROW("t\0\0\0\0"), TABLE("d", "\1", "\x19"), "\"v\": \"\"}"},
        {ROW("b\0\0\0\x04\0\0\0\x2a"), TABLE("d", "\1", "\x17"), "\"v\": \"42\"}"},                /* binary: an int4 */
        {ROW("b\0\0\0\x01x"), TABLE("d", "\1", "\xff"), "a binary value of a type that is not known"},
        {ROW("u"), TABLE("d", "\1", "\x17"), "\"after\": {\"id\": \"1\"}"},
        {ROW("t\0\0\0\x02x"), TABLE("d", "\1", "\x17"), "a message of logical decoding is damaged"},  /* ends before its end */
        {ROW("n."), TABLE("d", "\1", "\x17"), "a message of logical decoding is damaged"},            /* has more than its columns */
        {ROW("?"), TABLE("d", "\1", "\x17"), "a message of logical decoding is damaged"},
        {STR("I\0\0\0\x08N\0\0"), TABLE("d", "\1", "\x17"), "a row of a table that is not described before it"},
        {STR("U\0\0\0\x09N\0\x02t\0\0\0\x01" "1t\0\0\0\x01" "2"), TABLE("d", "\1", "\x17"), "\"op\": \"update\", \"table\": \"s.t\", \"key\": [1, 2], \"after\""},
        {STR("D\0\0\0\x09N\0\0"), TABLE("d", "\1", "\x17"), "a message of logical decoding is damaged"}, /* a DELETE has an old row */
        {STR("I\0\0\0\x09O\0\0"), TABLE("d", "\1", "\x17"), "a message of logical decoding is damaged"},
        {STR("X"), TABLE("d", "\1", "\x17"), "of a type that is not known"},
        {STR("T\0\0\0\x01\0\0\0\0\x09"), TABLE("d", "\1", "\x17"), "TRUNCATE \\\"s\\\".\\\"t\\\""},
        {STR("T\0\0\0\x02\0\0\0\0\x09"), TABLE("d", "\1", "\x17"), "a message of logical decoding is damaged"},
        {STR("T\0\0\0\x01\0\0\0\0\x08"), TABLE("d", "\1", "\x17"), "a TRUNCATE of a table that is not described"},
        {ROW("n"), STR("R\0\0\0\x09s\0t\0d\0\x02"), "a row of a table that is not described before it"}, /* the description is cut */
        {STR("S\0\0\0\x07\x01"), TABLE("d", "\1", "\x17"), "a transaction is sent before its end: not read"},
        {STR("P"), TABLE("d", "\1", "\x17"), "a transaction of two phases is sent before its end: not read"},
    };
    for (size_t i = 0; i < LW_COUNT_OF(cases); i++) {
        struct buf stream = {0};
        begin(&stream);
        add(&stream, cases[i].table);
        add(&stream, cases[i].row);
        add(&stream, COMMIT);
        expect(&stream, NULL, cases[i].wanted);
    }
}

static void test_transactions(void **state) {
    (void)state;
    struct buf stream = {0};
    begin(&stream);
    expect(&stream, NULL, BEGUN "{\"kind\": \"gap\", \"at\": 71, \"transaction\": \"7\", \"reason\": "
                                "\"a transaction's end is missing: taken as committed\", \"bytes\": 0}\n"
                                "{\"kind\": \"commit\", \"at\": 20, " AT "}\n");
    begin(&stream);
    add(&stream, BEGIN);
    add(&stream, COMMIT);
    expect(&stream, NULL, "taken as committed");
    buf_add_c(&stream, PGOUTPUT_MAGIC);
    add(&stream, TABLE("d", "\1", "\x17"));
    add(&stream, ROW("n"));
    expect(&stream, NULL, "a changed row stands in no transaction");
    buf_add_c(&stream, "something else altogether, and longer than a message has to be");
    expect(&stream, NULL, "no recording of logical decoding begins here\", \"bytes\": 62");
    /* What is sent between the ends of a piece is told once, as not read. */
    begin(&stream);
    add(&stream, COMMIT);
    add(&stream, STR("S\0\0\0\x07\x01"));
    add(&stream, STR("\x01garbage"));
    add(&stream, STR("E"));
    add(&stream, BEGIN);
    add(&stream, COMMIT);
    expect(&stream, NULL, "not read\", \"bytes\": 36}\n{\"kind\": \"begin\"");
}

static void test_keepalive(void **state) {
    (void)state;
    struct buf stream = {0};
    begin(&stream);
    pgoutput_put_header(18, &stream);
    buf_add_char(&stream, 'k');
    buf_add_repeat(&stream, '\0', 17);
    add(&stream, COMMIT);
    expect(&stream, NULL, BEGUN "{\"kind\": \"commit\"");
}

static bool look_up(void *context, struct arena *arena, struct str schema, struct str table, struct trace_table *answer) {
    static const struct str names[] = {{"v", 1}, {"id", 2}};
    static const bool is_key[] = {true, false};
    (void)arena;
    *answer = (struct trace_table){names, is_key, 2};
    ++*(int *)context;
    return str_is(schema, "s") && str_is(table, "t");
}

/* With REPLICA IDENTITY FULL the key is what the catalog has, asked or recorded; of neither it is not told. */
static void test_key(void **state) {
    (void)state;
    int asked = 0;
    struct trace_lookup lookup = {look_up, &asked};
    struct buf stream = {0};
    begin(&stream);
    add(&stream, TABLE("f", "\1", "\x17"));
    add(&stream, ROW("n"));
    add(&stream, ROW("n"));
    expect(&stream, &lookup, "\"table\": \"s.t\", \"key\": [2], \"after\"");
    assert_int_equal(asked, 1);
    begin(&stream);
    add(&stream, TABLE("f", "\1", "\x17"));
    add(&stream, ROW("n"));
    expect(&stream, NULL, "\"table\": \"s.t\", \"after\"");
    begin(&stream);
    static const struct str names[] = {{"id", 2}, {"v", 1}};
    static const bool is_key[] = {true, false};
    struct trace_table told = {names, is_key, 2};
    pgoutput_put_table(STR("s"), STR("t"), &told, &stream);
    add(&stream, TABLE("f", "\1", "\x17"));
    add(&stream, ROW("n"));
    expect(&stream, NULL, "\"table\": \"s.t\", \"key\": [1], \"after\"");
    begin(&stream);
    pgoutput_put_table(STR("s"), STR("another"), &told, &stream);
    add(&stream, TABLE("f", "\1", "\x17"));
    add(&stream, ROW("n"));
    expect(&stream, NULL, "\"table\": \"s.t\", \"after\"");
}

/* A value that is not sent, for nobody touched it, is that of the row before. */
static void test_untouched(void **state) {
    (void)state;
    struct buf stream = {0};
    begin(&stream);
    add(&stream, TABLE("f", "\1", "\x19"));
    add(&stream, STR("U\0\0\0\x09O\0\x02t\0\0\0\x01" "1t\0\0\0\x03" "bigN\0\x02t\0\0\0\x01" "1u"));
    expect(&stream, NULL, "\"before\": {\"id\": \"1\", \"v\": \"big\"}, \"after\": {\"id\": \"1\", \"v\": \"big\"}");
}

/* More tables than are kept: told, and what follows is read. */
static void test_many_tables(void **state) {
    (void)state;
    enum { TABLES = 40000, NAME_BYTES = 1700 };
    struct buf stream = {0}, table = {0};
    begin(&stream);
    for (uint32_t i = 0; i < TABLES; i++) {
        buf_clear(&table);
        buf_add_char(&table, 'R');
        add_be(&table, i, 4);
        buf_add_repeat(&table, 's', NAME_BYTES);
        buf_add(&table, STR("\0t\0d\0\x01\x01id\0\0\0\0\x17\xff\xff\xff\xff"));
        add(&stream, buf_str(&table));
    }
    buf_clear(&table);
    buf_add_char(&table, 'I');
    add_be(&table, TABLES - 1, 4);
    buf_add(&table, STR("N\0\x01t\0\0\0\x01" "1"));
    add(&stream, buf_str(&table));
    buf_release(&table);
    struct buf told = {0};
    print_events(&told, &pgoutput_decoder, buf_str(&stream), 0, true);
    assert_non_null(strstr(told.ptr, "too many tables are described: all but the last are forgotten"));
    assert_non_null(strstr(told.ptr, "\"after\": {\"id\": \"1\"}"));
    buf_release(&told);
    buf_release(&stream);
}

/* A message that is larger than what is kept is passed over, however it comes. */
static void test_large(void **state) {
    (void)state;
    struct buf stream = {0}, told = {0};
    begin(&stream);
    pgoutput_put_header(PGOUTPUT_MESSAGE_BYTES_MAX, &stream);
    buf_add_repeat(&stream, 'w', PGOUTPUT_MESSAGE_BYTES_MAX);
    add(&stream, COMMIT);
    print_events(&told, &pgoutput_decoder, buf_str(&stream), 1 << 20, true);
    assert_non_null(strstr(told.ptr, "a message is larger than what is kept of one\", \"bytes\": 67108869}\n{\"kind\": \"commit\""));
    buf_release(&told);
    buf_release(&stream);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),    cmocka_unit_test(test_transactions), cmocka_unit_test(test_keepalive),   cmocka_unit_test(test_key),
        cmocka_unit_test(test_untouched), cmocka_unit_test(test_many_tables),  cmocka_unit_test(test_large),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
