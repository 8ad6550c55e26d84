/* Recordings: what each line tells, what is said of lines that can't be read, and that it does not hang on how the bytes come. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/buf.h"
#include "trace/jsonl.h"

#define HEADER "{\"lostwrite\":\"recording\",\"version\":1,\"server\":\"postgresql\"}\n"
#define BEGUN "{\"event\":\"session\",\"session\":7,\"time\":1,\"user\":\"u\",\"database\":\"d\",\"application\":\"a\"}\n"
#define READ                                                                                                             \
    "{\"event\":\"statement\",\"session\":7,\"time\":2,\"end\":3,\"sql\":\"SELECT id, n FROM t WHERE id = $1\","           \
    "\"params\":[5],\"columns\":[\"id\",\"n\"],\"rows\":[[5,null],[6,\"x\\ny\"]],\"row_count\":2,\"transaction\":\"open\"}\n"
#define FAILED                                                                                                           \
    "{\"event\":\"statement\",\"session\":7,\"sql\":\"UPDATE t SET n = 1\",\"error\":\"40001\",\"message\":\"no\",\"transaction\":\"open\"}\n"
#define ENDED "{\"event\":\"end\",\"session\":7,\"time\":9}\n"

static void add_value(struct buf *out, const struct trace_value *value) {
    if (value->state == TRACE_ABSENT)
        buf_add_char(out, '?');
    else if (value->state == TRACE_NULL)
        buf_add_c(out, "NULL");
    else
        buf_printf(out, "%s%.*s%s", value->is_text ? "'" : "", STR_ARG(value->text), value->is_text ? "'" : "");
}

static void add_rows(struct buf *out, const struct trace_rows *rows) {
    for (size_t i = 0; i < rows->row_count; i++) {
        buf_add_c(out, " [");
        for (size_t j = 0; j < rows->column_count; j++) {
            buf_printf(out, "%s%.*s=", j > 0 ? " " : "", STR_ARG(rows->columns[j]));
            add_value(out, &rows->values[i * rows->column_count + j]);
        }
        buf_add_char(out, ']');
    }
    if (rows->is_cut)
        buf_add_c(out, " ...");
}

static void add_statement(struct buf *out, const struct trace_statement *statement) {
    static const char *const transactions[] = {"", " none", " open"};
    buf_printf(out, " %s\"%.*s\"%s%s", statement->is_more ? "more of " : "", STR_ARG(statement->sql), statement->is_cut ? "..." : "",
               statement->is_of_test ? " by a test" : "");
    for (size_t i = 0; i < statement->param_count; i++) {
        buf_add_char(out, ' ');
        add_value(out, &statement->params[i]);
    }
    if (statement->rows != NULL)
        add_rows(out, statement->rows);
    if (statement->outcome == TRACE_FAILED)
        buf_printf(out, " !! %.*s %.*s", STR_ARG(statement->error_code), STR_ARG(statement->error));
    buf_printf(out, " => %lld%s until %lld", (long long)statement->row_count, transactions[statement->transaction_after],
               (long long)statement->end_us);
}

static void write_event(void *context, const struct trace_event *event) {
    static const char *const servers[] = {"", "pg ", "my "};
    struct buf *out = context;
    buf_printf(out, "%s@%llu:%llu %s", event->place.file.len > 1 ? "second " : "", (unsigned long long)event->place.line,
               (unsigned long long)event->place.offset, servers[event->server]);
    if (event->kind == TRACE_GAP) {
        buf_printf(out, "gap %s, %llu bytes\n", event->gap.reason, (unsigned long long)event->gap.byte_count);
        return;
    }
    buf_printf(out, "%llu at %lld", (unsigned long long)event->session, (long long)event->time_us);
    if (event->kind == TRACE_SESSION)
        buf_printf(out, " begins %.*s@%.*s %.*s", STR_ARG(event->user), STR_ARG(event->database), STR_ARG(event->application));
    else if (event->kind == TRACE_END)
        buf_add_c(out, " ends");
    else if (event->kind == TRACE_TEST)
        buf_add_c(out, " is in a test");
    else
        add_statement(out, &event->statement);
    buf_add_char(out, '\n');
}

/* The text in pieces that end at `cut`, `2 * cut`, ...; 0: whole. Each piece is a copy of its own, so that a read past its end is seen. */
static void feed(void *decoder, struct str text, size_t cut) {
    for (size_t at = 0; at < text.len || text.len == 0; at += cut) {
        if (cut == 0 || cut > text.len)
            cut = text.len;
        size_t len = cut < text.len - at ? cut : text.len - at;
        char *piece = mem_alloc(len);
        if (len > 0)
            memcpy(piece, text.ptr + at, len);
        trace_jsonl_decoder.feed(decoder, (struct str){piece, len});
        free(piece);
        if (text.len == 0)
            break;
    }
}

static struct buf decoded(struct str text, size_t cut) {
    struct buf out = {0};
    struct trace_sink sink = {write_event, &out};
    struct trace_options options = {.file = STR("f")};
    void *decoder = trace_jsonl_decoder.open(&sink, &options);
    feed(decoder, text, cut);
    trace_jsonl_decoder.end(decoder);
    trace_jsonl_decoder.close(decoder);
    return out;
}

static void check(const char *text, const char *expected) {
    struct buf whole = decoded(str_from_c(text), 0);
    if (!str_is(buf_str(&whole), expected))
        fail_msg("expected\n%s\ntold\n%s", expected, whole.ptr);
    for (size_t cut = 1; cut <= strlen(text); cut++) {
        struct buf pieces = decoded(str_from_c(text), cut);
        if (!str_equal(buf_str(&whole), buf_str(&pieces)))
            fail_msg("in pieces of %zu bytes\n%s\nwhole\n%s", cut, pieces.ptr, whole.ptr);
        buf_release(&pieces);
    }
    buf_release(&whole);
}

static void what_is_told(void **state) {
    (void)state;
    check(HEADER BEGUN READ FAILED ENDED,
          "@2:60 pg 7 at 1 begins u@d a\n"
          "@3:145 pg 7 at 2 \"SELECT id, n FROM t WHERE id = $1\" 5 [id=5 n=NULL] [id=6 n='x\ny'] => 2 open until 3\n"
          "@4:336 pg 7 at -1 \"UPDATE t SET n = 1\" !! 40001 no => -1 open until -1\n"
          "@5:449 pg 7 at 9 ends\n");
    check(HEADER "{\"event\":\"test\",\"session\":7}\n{\"event\":\"statement\",\"session\":7,\"sql\":\"BEGIN\",\"by_test\":true}\n",
          "@2:60 pg 7 at -1 is in a test\n@3:89 pg 7 at -1 \"BEGIN\" by a test => -1 until -1\n");
    check(HEADER "\n" ENDED, "@3:61 pg 7 at 9 ends\n");
    check("", "");
    check(HEADER, "");
}

#define STATEMENT(rest) "{\"event\":\"statement\",\"session\":1,\"sql\":\"S\"," rest "}\n"

static void values(void **state) {
    (void)state;
    check(HEADER STATEMENT("\"params\":[true,{},{\"hex\":\"00ff4A\"}]") STATEMENT("\"params\":[true,false,{},{\"hex\":\"6869\"},-1.50]"),
          "@2:60 pg gap a parameter is no value, 80 bytes\n"
          "@3:140 pg 1 at -1 \"S\" t f ? 'hi' -1.50 => -1 until -1\n");
    check(HEADER STATEMENT("\"server\":\"mariadb\",\"params\":[true,false]") STATEMENT("\"params\":[true]"),
          "@2:60 my 1 at -1 \"S\" 1 0 => -1 until -1\n"
          "@3:145 pg 1 at -1 \"S\" t => -1 until -1\n");
    check(HEADER STATEMENT("\"sql_cut\":true,\"more\":true,\"columns\":[\"a\"],\"rows\":[],\"rows_cut\":true,\"transaction\":\"none\""),
          "@2:60 pg 1 at -1 more of \"S\"... ... => -1 none until -1\n");
}

static void bad_lines(void **state) {
    (void)state;
    check(HEADER "no json\n" ENDED, "@2:60 pg gap the line is no JSON object, 8 bytes\n@3:68 pg 7 at 9 ends\n");
    check(HEADER "[1]\n{\"event\":\"statement\",\"session\":1}\n{\"event\":\"end\"}\n{\"event\":\"end\",\"session\":-1}\n"
                 "{\"event\":\"begin\",\"session\":1}\n",
          "@2:60 pg gap the line is no JSON object, 4 bytes\n"
          "@3:64 pg gap a statement without its SQL, 34 bytes\n"
          "@4:98 pg gap an event without the number of its session, 16 bytes\n"
          "@5:114 pg gap an event without the number of its session, 29 bytes\n"
          "@6:143 pg gap an event of an unknown kind, 30 bytes\n");
    check(HEADER STATEMENT("\"rows\":[[1]]") STATEMENT("\"columns\":[\"a\"],\"rows\":[[1,2]]")
              STATEMENT("\"columns\":[1],\"rows\":[]") STATEMENT("\"columns\":[\"a\"],\"rows\":[[[1]]]")
                  STATEMENT("\"params\":{}"),
          "@2:60 pg gap rows without columns, 57 bytes\n"
          "@3:117 pg gap a row has not as many values as there are columns, 75 bytes\n"
          "@4:192 pg gap the name of a column is no string, 68 bytes\n"
          "@5:260 pg gap a row has what is no value, 75 bytes\n"
          "@6:335 pg gap params is no array, 56 bytes\n");
    /* A recorder that was killed. */
    check(HEADER "{\"event\":\"end\",\"sess", "@2:60 pg gap the recording ends within a line, 20 bytes\n");
    check(HEADER "{\"event\":\"end\",\"session\":7}", "@2:60 pg 7 at -1 ends\n");
}

static void headers(void **state) {
    (void)state;
    check(ENDED, "@1:0 gap the recording does not begin with its header, 0 bytes\n@1:0 7 at 9 ends\n");
    /* Of a newer version nothing is understood, up to where another recording begins. */
    check("{\"lostwrite\":\"recording\",\"version\":2}\nany\nthing\n" HEADER ENDED,
          "@1:0 gap the recording is of another version than 1, 48 bytes\n@5:108 pg 7 at 9 ends\n");
    check("{\"lostwrite\":\"recording\"}\n{}", "@1:0 gap the recording is of another version than 1, 28 bytes\n");
    assert_int_equal(trace_jsonl_decoder.detect(STR(HEADER ENDED)), 100);
    assert_int_equal(trace_jsonl_decoder.detect(STR("{\"lostwrite\":\"recording\",\"version\":9}")), 100);
    assert_int_equal(trace_jsonl_decoder.detect(STR(ENDED)), 0);
    assert_int_equal(trace_jsonl_decoder.detect(STR("")), 0);
    assert_int_equal(trace_jsonl_decoder.detect(STR("{\"lostwrite\":\"findings\"}\n")), 0);
}

static void next_file(void **state) {
    (void)state;
    struct buf out = {0};
    struct trace_sink sink = {write_event, &out};
    struct trace_options options = {.file = STR("f")};
    void *decoder = trace_jsonl_decoder.open(&sink, &options);
    feed(decoder, STR(HEADER "{\"ev"), 3);
    trace_jsonl_decoder.next_file(decoder, STR("second"));
    feed(decoder, STR(HEADER ENDED), 3);
    trace_jsonl_decoder.end(decoder);
    trace_jsonl_decoder.close(decoder);
    assert_string_equal(out.ptr, "@2:60 pg gap the recording ends within a line, 4 bytes\nsecond @2:60 pg 7 at 9 ends\n");
    buf_release(&out);
}

/* A line of more bytes than the limit is left out, whatever pieces it comes in, and takes no more memory than that. */
static void long_lines(void **state) {
    (void)state;
    struct buf text = {0};
    buf_add_c(&text, HEADER "{\"event\":\"end\",\"session\":1,\"x\":\"");
    buf_add_repeat(&text, 'x', TRACE_JSONL_LINE_BYTES);
    buf_add_c(&text, "\"}\n" ENDED);
    const size_t cuts[] = {0, 1000, 4096, TRACE_JSONL_LINE_BYTES - 1, TRACE_JSONL_LINE_BYTES + 100};
    for (size_t i = 0; i < sizeof(cuts) / sizeof(cuts[0]); i++) {
        struct buf out = decoded(buf_str(&text), cuts[i]);
        assert_string_equal(out.ptr, "@2:60 pg gap the line is longer than a recorder's may be, 1048611 bytes\n@3:1048671 pg 7 at 9 ends\n");
        buf_release(&out);
    }
    buf_clear(&text);
    buf_add_c(&text, HEADER);
    buf_add_repeat(&text, 'x', TRACE_JSONL_LINE_BYTES + 5);
    struct buf out = decoded(buf_str(&text), 4096);
    assert_string_equal(out.ptr, "@2:60 pg gap the line is longer than a recorder's may be, 1048581 bytes\n");
    buf_release(&out);
    buf_release(&text);
}

static void many_rows(void **state) {
    (void)state;
    struct buf text = {0};
    buf_add_c(&text, HEADER "{\"event\":\"statement\",\"session\":1,\"sql\":\"S\",\"columns\":[\"a\"],\"rows\":[[0]");
    for (int i = 0; i < TRACE_ROWS_MAX; i++)
        buf_add_c(&text, ",[1]");
    buf_add_c(&text, "]}\n");
    struct buf out = decoded(buf_str(&text), 0);
    size_t count = 0;
    for (const char *at = out.ptr; (at = strstr(at, "[a=")) != NULL; at++)
        count++;
    assert_int_equal(count, TRACE_ROWS_MAX);
    assert_non_null(strstr(out.ptr, "[a=1] ... =>"));
    buf_release(&out);
    buf_release(&text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_told), cmocka_unit_test(values),     cmocka_unit_test(bad_lines), cmocka_unit_test(headers),
        cmocka_unit_test(next_file),    cmocka_unit_test(long_lines), cmocka_unit_test(many_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
