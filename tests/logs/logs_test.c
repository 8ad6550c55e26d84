/* Small logs: what is read of each (samples/NAME.events; LOSTWRITE_UPDATE=1 writes them anew), however they are cut; and limits. */
#include "dump.h"

#include "base/assert.h"
#include "base/file.h"
#include "logs/lines.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define SAMPLES "tests/logs/samples/"

static const struct {
    const char *file, *class;
} samples[] = {
    {"postgresql.log", "postgresql-stderr"},   {"postgresql.csv", "postgresql-csv"},
    {"postgresql.json", "postgresql-json"},    {"mysql-general-5.6.log", "mysql-general"},
    {"mysql-general-8.log", "mysql-general"},  {"mariadb-general.log", "mysql-general"},
    {"mysql-slow-8.log", "mysql-slow"},        {"mariadb-slow.log", "mysql-slow"},
};

/* Reads `text` in pieces: `first` bytes, then `piece` bytes at a time. */
static void read_text(const struct trace_decoder_class *class, struct str text, size_t first,
                      size_t piece, struct buf *out) {
    struct trace_sink sink = {dump_event, out};
    struct trace_options options = {.file = STR("a.log")};
    void *decoder = class->open(&sink, &options);
    for (size_t at = 0, len = first; at < text.len; at += len, len = piece) {
        len = len < text.len - at ? len : text.len - at;
        /* A copy of its own, so that a sanitizer sees a read beyond it. */
        char *copy = mem_alloc(len + 1);
        memcpy(copy, text.ptr + at, len);
        class->feed(decoder, (struct str){copy, len});
        memset(copy, 'x', len);
        free(copy);
    }
    class->end(decoder);
    class->close(decoder);
}

static struct str read_sample(struct arena *arena, const char *name) {
    struct str text;
    struct err err;
    if (!file_read(arena, str_printf(arena, SAMPLES "%s", name).ptr, &text, &err))
        fail_msg("%s: %s", name, err.message);
    return text;
}

static void test_samples(void **state) {
    (void)state;
    struct arena arena = {0};
    for (size_t i = 0; i < LW_COUNT_OF(samples); i++) {
        struct str text = read_sample(&arena, samples[i].file);
        const struct trace_decoder_class *class = dump_class_of(text);
        struct buf out = {0};
        struct err err;
        assert_non_null(class);
        assert_string_equal(class->name, samples[i].class);
        read_text(class, text, text.len, 1, &out);
        struct str path = str_printf(&arena, SAMPLES "%s.events", samples[i].file);
        if (getenv("LOSTWRITE_UPDATE") != NULL)
            assert_true(file_write(path.ptr, buf_str(&out), &err));
        struct str wanted = read_sample(&arena, str_printf(&arena, "%s.events", samples[i].file).ptr);
        assert_string_equal(out.ptr, wanted.ptr);
        buf_release(&out);
    }
    arena_release(&arena);
}

static void test_cuts(void **state) {
    (void)state;
    struct arena arena = {0};
    for (size_t i = 0; i < LW_COUNT_OF(samples); i++) {
        struct str text = read_sample(&arena, samples[i].file);
        const struct trace_decoder_class *class = dump_class_named(samples[i].class);
        struct buf whole = {0}, out = {0};
        read_text(class, text, text.len, 1, &whole);
        read_text(class, text, 1, 1, &out);
        assert_string_equal(out.ptr, whole.ptr);
        for (size_t cut = 1; cut < text.len; cut++) {
            buf_clear(&out);
            read_text(class, text, cut, text.len, &out);
            assert_string_equal(out.ptr, whole.ptr);
        }
        buf_release(&whole);
        buf_release(&out);
    }
    arena_release(&arena);
}

/* A sample ends anywhere: all but the last line or so that is told of it is also told of the whole. */
static void test_cut_off(void **state) {
    (void)state;
    struct arena arena = {0};
    for (size_t i = 0; i < LW_COUNT_OF(samples); i++) {
        struct str text = read_sample(&arena, samples[i].file);
        const struct trace_decoder_class *class = dump_class_named(samples[i].class);
        struct buf whole = {0}, out = {0};
        read_text(class, text, text.len, 1, &whole);
        for (size_t len = 0; len < text.len; len++) {
            buf_clear(&out);
            read_text(class, str_sub(text, 0, len), len + 1, 16, &out);
            size_t same = 0;
            while (same < out.len && out.ptr[same] == whole.ptr[same])
                same++;
            struct str rest = str_sub(buf_str(&out), same, out.len);
            size_t end = str_find(rest, '\n', 0);
            size_t second = end < rest.len ? str_find(rest, '\n', end + 1) : rest.len;
            if (second + 1 < rest.len)
                fail_msg("%s cut at %zu: %.*s", samples[i].file, len, STR_ARG(rest));
        }
        buf_release(&whole);
        buf_release(&out);
    }
    arena_release(&arena);
}

/* Counts, and what is told of the longest statement. */
struct told {
    size_t statements, gaps, longest;
    uint64_t left_out;
    bool is_longest_cut;
};

static void tell(void *context, const struct trace_event *event) {
    struct told *told = context;
    if (event->kind == TRACE_GAP) {
        told->gaps++;
        told->left_out += event->gap.byte_count;
    }
    if (event->kind != TRACE_STATEMENT)
        return;
    told->statements++;
    if (event->statement.sql.len > told->longest) {
        told->longest = event->statement.sql.len;
        told->is_longest_cut = event->statement.is_cut;
    }
}

static struct told told_of(const char *class_name, struct str text, size_t piece) {
    const struct trace_decoder_class *class = dump_class_named(class_name);
    struct told told = {0};
    struct trace_sink sink = {tell, &told};
    struct trace_options options = {.file = STR("a.log"), .log_line_prefix = STR("%m [%p] ")};
    void *decoder = class->open(&sink, &options);
    for (size_t at = 0; at < text.len; at += piece)
        class->feed(decoder, str_sub(text, at, at + piece < text.len ? at + piece : text.len));
    class->end(decoder);
    class->close(decoder);
    return told;
}

static const struct {
    const char *class, *before, *break_, *after, *next;
} long_ones[] = {
    {"postgresql-stderr", "2026-11-27 11:10:02.003 CET [201] LOG:  statement: ", "\n\t", "\n",
     "2026-11-27 11:10:02.003 CET [201] LOG:  statement: SELECT 1\n"},
    {"postgresql-csv",
     "2026-11-27 11:10:02.003 UTC,\"u\",\"d\",201,\"h\",6748f1aa.c9,3,\"SELECT\",2026-11-27 11:10:00 UTC,3/7,0,LOG,00000,\"statement: ",
     "\n", "\",,,,,,,,,\"web\"\n",
     "2026-11-27 11:10:02.003 UTC,\"u\",\"d\",201,\"h\",6748f1aa.c9,3,\"SELECT\",2026-11-27 11:10:00 UTC,3/7,0,LOG,00000,\"statement: SELECT 1\",,,,,,,,,\"web\"\n"},
    {"postgresql-json",
     "{\"timestamp\":\"2026-11-27 11:10:02.003 CET\",\"pid\":201,\"session_id\":\"6748f1aa.c9\",\"error_severity\":\"LOG\",\"message\":\"statement: ",
     "\\n", "\"}\n",
     "{\"timestamp\":\"2026-11-27 11:10:02.003 CET\",\"pid\":201,\"session_id\":\"6748f1aa.c9\",\"error_severity\":\"LOG\",\"message\":\"statement: SELECT 1\"}\n"},
    {"mysql-general", "2026-11-27T09:05:06.000223Z\t    8 Query\t", "\n", "\n",
     "2026-11-27T09:05:06.000223Z\t    8 Query\tSELECT 1\n"},
    {"mysql-slow", "# User@Host: a[a] @ h []  Id: 8\n# Query_time: 0.1 \nSET timestamp=1795770306;\n", "\n", ";\n",
     "# User@Host: a[a] @ h []  Id: 8\n# Query_time: 0.1 \nSET timestamp=1795770306;\nSELECT 1;\n"},
};

/* A statement of `len` bytes, in lines or in one, then a short one. */
static void check_long(size_t i, size_t len, bool has_lines, size_t piece) {
    struct buf text = {0};
    buf_add_c(&text, long_ones[i].before);
    size_t start = text.len;
    while (text.len - start < len) {
        buf_add_c(&text, "SELECT * FROM a_table WHERE a_column = 7 AND another_column = 8 ");
        if (has_lines)
            buf_add_c(&text, long_ones[i].break_);
    }
    buf_add_c(&text, long_ones[i].after);
    buf_add_c(&text, long_ones[i].next);
    struct told told = told_of(long_ones[i].class, buf_str(&text), piece);
    bool is_over = len > LOG_ENTRY_BYTES_MAX;
    assert_int_equal(told.statements, 2);
    assert_int_equal(told.gaps, is_over);
    assert_int_equal(told.is_longest_cut, is_over);
    if (is_over) {
        assert_true(told.longest <= LOG_ENTRY_BYTES_MAX + LOG_PIECE_BYTES_MAX);
        assert_true(told.longest > LOG_ENTRY_BYTES_MAX - LOG_PIECE_BYTES_MAX);
        /* Line ends have more bytes in the log than in the statement. */
        assert_true(told.left_out > 0 && told.left_out + told.longest <= text.len);
        assert_true(has_lines || told.left_out + told.longest > text.len - 512);
    }
    buf_release(&text);
}

static void test_long_statements(void **state) {
    (void)state;
    for (size_t i = 0; i < LW_COUNT_OF(long_ones); i++) {
        for (int has_lines = 0; has_lines < 2; has_lines++) {
            check_long(i, 1000, has_lines, 100000);
            check_long(i, LOG_ENTRY_BYTES_MAX - 100000, has_lines, 100000);
            check_long(i, 2 * LOG_ENTRY_BYTES_MAX, has_lines, 100000);
            check_long(i, 2 * LOG_ENTRY_BYTES_MAX, has_lines, (size_t)1 << 30);
        }
    }
}

/* A log that was rotated: sessions live on, places count anew. */
static void test_next_file(void **state) {
    (void)state;
    const struct trace_decoder_class *class = dump_class_named("postgresql-stderr");
    struct buf out = {0};
    struct trace_sink sink = {dump_event, &out};
    struct trace_options options = {.file = STR("a"), .log_line_prefix = STR("%n [%p] ")};
    void *decoder = class->open(&sink, &options);
    class->feed(decoder, STR("1795770306.001 [7] LOG:  statement: BEGIN\n1795770306.002 [7] LOG:  statement: COM"));
    class->next_file(decoder, STR("b"));
    class->feed(decoder, STR("1795770306.003 [7] ERROR:  deadlock detected\n"));
    class->end(decoder);
    class->close(decoder);
    assert_string_equal(
        out.ptr,
        "{\"kind\":\"statement\",\"offset\":0,\"line\":1,\"file\":\"a\",\"session\":1,\"time_us\":1795770306001000,\"sql\":\"BEGIN\"}\n"
        "{\"kind\":\"statement\",\"offset\":42,\"line\":2,\"file\":\"a\",\"session\":1,\"time_us\":1795770306002000,\"sql\":\"COM\"}\n"
        "{\"kind\":\"outcome\",\"offset\":0,\"line\":1,\"file\":\"b\",\"session\":1,\"time_us\":1795770306003000,"
        "\"outcome\":\"failed\",\"code\":\"40P01\",\"error\":\"deadlock detected\",\"end_us\":1795770306003000}\n");
    buf_release(&out);
}

static void test_nothing_known(void **state) {
    (void)state;
    assert_null(dump_class_of(STR("")));
    assert_null(dump_class_of(STR("hello\nworld\n\n")));
    assert_null(dump_class_of(STR("127.0.0.1 - - [27/Nov/2026:10:00:00 +0000] \"GET / HTTP/1.1\" 200 5\n")));
    assert_null(dump_class_of(STR("\xfe" "bin\x01\x02\x03\x04\x05\x06")));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_samples),         cmocka_unit_test(test_cuts),
        cmocka_unit_test(test_cut_off),         cmocka_unit_test(test_long_statements),
        cmocka_unit_test(test_next_file),       cmocka_unit_test(test_nothing_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
