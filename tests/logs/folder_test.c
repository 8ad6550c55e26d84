/* Logs in a folder: rotated ones in their order, one of those that tell the same, and a log that grows. */
#include "base/assert.h"
#include "base/file.h"
#include "logs/logs.h"
#include "trace/source.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#define LINE(ms, pid, sql) "2026-11-27 11:10:02." ms " UTC [" pid "] LOG:  statement: " sql "\n"
#define RECORD(ms, sql)                                                                            \
    "2026-11-27 11:10:02." ms " UTC,\"u\",\"d\",201,\"h\",6748f1aa.c9,3,\"SELECT\",2026-11-27 11:10:00 "  \
    "UTC,3/7,0,LOG,00000,\"statement: " sql "\",,,,,,,,,\"web\"\n"

static const struct trace_decoder_class *const classes[] = {
    &logs_postgresql_stderr, &logs_postgresql_csv, &logs_postgresql_json, &logs_mysql_general,
    &logs_mysql_slow,
};

/* What is told, in short: a letter and the SQL, or the file of a gap. */
struct told {
    struct buf text;
    volatile int stop;
    size_t stop_behind; /* as many statements; 0: never */
    size_t statements;
    struct str to_append, path; /* at the first statement */
};

static void append(const char *path, struct str text) {
    FILE *file = fopen(path, "ab");
    assert_non_null(file);
    assert_int_equal(fwrite(text.ptr, 1, text.len, file), text.len);
    fclose(file);
}

static void tell(void *context, const struct trace_event *event) {
    struct told *told = context;
    if (event->kind == TRACE_GAP) {
        const char *name = strrchr(event->place.file.ptr, '/');
        buf_printf(&told->text, "gap in %s\n", name != NULL ? name + 1 : event->place.file.ptr);
    }
    if (event->kind != TRACE_STATEMENT)
        return;
    buf_printf(&told->text, "%llu %.*s\n", (unsigned long long)event->session,
               STR_ARG(event->statement.sql));
    if (told->statements++ == 0 && told->to_append.len > 0)
        append(told->path.ptr, told->to_append);
    if (told->statements == told->stop_behind)
        told->stop = 1;
}

static struct str make_folder(struct arena *arena) {
    char *folder = str_to_c(arena, STR("/tmp/lostwrite-logs-XXXXXX"));
    assert_non_null(mkdtemp(folder));
    return str_from_c(folder);
}

static void write_file(struct arena *arena, struct str folder, const char *name, struct str text) {
    struct err err;
    assert_true(file_write(str_printf(arena, "%.*s/%s", STR_ARG(folder), name).ptr, text, &err));
}

static void remove_folder(struct arena *arena, struct str folder) {
    struct trace_paths paths = {0};
    struct err err;
    assert_true(trace_paths_add(arena, folder, &paths, &err));
    for (size_t i = 0; i < paths.items.count; i++)
        assert_int_equal(unlink(paths.items.items[i].path.ptr), 0);
    assert_int_equal(rmdir(folder.ptr), 0);
}

static void read_folder(struct arena *arena, struct str folder, struct told *told, bool follows) {
    struct trace_reader reader = {
        .classes = classes,
        .class_count = LW_COUNT_OF(classes),
        .sink = {tell, told},
        .follows = follows,
        .stop = &told->stop,
    };
    struct trace_paths paths = {0};
    struct err err;
    assert_true(trace_paths_add(arena, folder, &paths, &err));
    for (size_t i = 0; i < paths.items.count; i++)
        if (!trace_read(&reader, &paths.items.items[i], i + 1 == paths.items.count, &err))
            fail_msg("%s", err.message);
    trace_reader_end(&reader);
}

static void check(const char *const files[][2], const char *wanted) {
    struct arena arena = {0};
    struct told told = {0};
    struct str folder = make_folder(&arena);
    for (size_t i = 0; files[i][0] != NULL; i++)
        write_file(&arena, folder, files[i][0], str_from_c(files[i][1]));
    read_folder(&arena, folder, &told, false);
    assert_string_equal(told.text.ptr, wanted);
    remove_folder(&arena, folder);
    buf_release(&told.text);
    arena_release(&arena);
}

static void test_rotated(void **state) {
    (void)state;
    const char *const files[][2] = {
        {"a.log", LINE("030", "7", "COMMIT")},
        {"a.log.1", LINE("020", "7", "SELECT 2") LINE("021", "8", "SELECT 3")},
        {"a.log.10", LINE("010", "7", "BEGIN")},
        {NULL, NULL},
    };
    check(files, "1 BEGIN\n1 SELECT 2\n2 SELECT 3\n1 COMMIT\n");
}

/* log_destination = 'stderr,csvlog': what is in both is one statement. */
static void test_same_twice(void **state) {
    (void)state;
    const char *const files[][2] = {
        {"postgresql-1.csv", RECORD("001", "BEGIN")},
        {"postgresql-1.log", LINE("001", "201", "BEGIN")},
        {"postgresql-2.csv", RECORD("002", "COMMIT")},
        {"postgresql-2.log", LINE("002", "201", "COMMIT")},
        {NULL, NULL},
    };
    check(files, "72057594037927937 BEGIN\ngap in postgresql-1.log\n72057594037927937 COMMIT\n"
                 "gap in postgresql-2.log\n");
}

/* A log is known before it has TRACE_HEAD_BYTES, and read on when it grows. */
static void test_grows(void **state) {
    (void)state;
    struct arena arena = {0};
    struct str folder = make_folder(&arena);
    write_file(&arena, folder, "a.csv", STR(RECORD("001", "BEGIN")));
    struct told told = {
        .stop_behind = 2,
        .to_append = STR(RECORD("002", "COMMIT")),
        .path = str_printf(&arena, "%.*s/a.csv", STR_ARG(folder)),
    };
    read_folder(&arena, folder, &told, true);
    assert_string_equal(told.text.ptr, "72057594037927937 BEGIN\n72057594037927937 COMMIT\n");
    remove_folder(&arena, folder);
    buf_release(&told.text);
    arena_release(&arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rotated),
        cmocka_unit_test(test_same_twice),
        cmocka_unit_test(test_grows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
