/* Runs the transcripts in tests/engine/transcripts: what real servers answered to two or more
 * sessions, line by line, must be what the built-in engine answers. Each section is a test. See
 * README.md there for the form.
 */
#include "base/assert.h"
#include "base/file.h"
#include "base/vec.h"
#include "engine/version.h"
#include "support.h"

#include <stdio.h>
#include <stdlib.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const char *const files[] = {
    "tests/engine/transcripts/servers.txt",
    "tests/engine/transcripts/postgresql.txt",
    "tests/engine/transcripts/postgresql_serializable.txt",
    "tests/engine/transcripts/innodb.txt",
    "tests/engine/transcripts/mysql.txt",
    "tests/engine/transcripts/mysql80.txt",
    "tests/engine/transcripts/sqlite.txt",
};

enum { SESSIONS = 4 };

static const char default_schema[] =
    "CREATE TABLE t (id integer PRIMARY KEY, n integer, v integer);"
    "CREATE TABLE c (id serial PRIMARY KEY, tid integer REFERENCES t (id));"
    "INSERT INTO t VALUES (1, 1, 0), (2, 5, 0);";

struct section {
    const char *path;
    char *title;
    struct str text;
    uint32_t line; /* of the title */
};

struct replay {
    const struct section *section;
    struct lab lab;
    uint32_t line;
    bool is_ready;
    struct buf setup;
    struct buf answers[SESSIONS]; /* of statements that waited and have ended */
    const struct sql_stmt *waiting[SESSIONS];
};

static void bad_line(const struct replay *replay, const char *message) {
    fail_msg("%s:%u: %s", replay->section->path, replay->line, message);
}

static bool word_is(struct str *words, const char *word) {
    size_t len = strlen(word);
    while (words->len > 0 && words->ptr[0] == ' ')
        *words = str_sub(*words, 1, words->len);
    if (!str_starts(*words, word))
        return false;
    if (words->len > len && words->ptr[len] != ' ')
        return false;
    *words = str_sub(*words, len, words->len);
    return true;
}

/* `mysql:5.6`; without version the engine's default is meant. */
static void engine_words(struct replay *replay, struct str *words) {
    struct db_config *config = &replay->lab.config;
    size_t end = str_find(*words, ' ', 0), colon = str_find(*words, ':', 0);
    struct err err;
    for (enum engine_kind e = ENGINE_POSTGRESQL; e <= ENGINE_SQLITE; e++)
        if (str_is(str_sub(*words, 0, colon < end ? colon : end), engine_name(e)))
            config->engine = e;
    if (colon < end &&
        !version_parse(config->engine, str_sub(*words, colon + 1, end), &config->version, &err))
        bad_line(replay, err.message);
    *words = str_sub(*words, end, words->len);
}

/* `= mariadb repeatable read snapshot_isolation` */
static void config_line(struct replay *replay, struct str words) {
    struct db_config *config = &replay->lab.config;
    engine_words(replay, &words);
    config->isolation = SQL_READ_COMMITTED;
    if (word_is(&words, "repeatable read"))
        config->isolation = SQL_REPEATABLE_READ;
    else if (word_is(&words, "serializable"))
        config->isolation = SQL_SERIALIZABLE;
    else if (!word_is(&words, "read committed"))
        bad_line(replay, "no isolation level");
    for (;;) {
        if (word_is(&words, "snapshot_isolation"))
            config->innodb_snapshot_isolation = true;
        else if (word_is(&words, "immediate"))
            config->sqlite_immediate = true;
        else if (word_is(&words, "index_scans"))
            ; /* the engine goes by an index wherever there is one */
        else if (word_is(&words, "django"))
            config->autocommit_read_committed = true;
        else
            break;
    }
    if (words.len > 0)
        bad_line(replay, "unknown setting");
}

static void replay_begin(struct replay *replay) {
    if (replay->is_ready)
        return;
    replay->is_ready = true;
    lab_setup(&replay->lab, replay->setup.len > 0 ? replay->setup.ptr : default_schema);
}

/* Collects the ends of statements that can go on. */
static void collect_resumed(struct replay *replay) {
    struct db_result result;
    int session;
    while ((session = db_resume(replay->lab.db, &result)) != DB_NO_SESSION) {
        if (replay->answers[session].len > 0)
            bad_line(replay, "a session answered twice");
        answer_print(&replay->lab, replay->lab.db, replay->waiting[session], &result,
                     &replay->answers[session]);
    }
}

/* The expected answer without an error's message. */
static struct str expected_core(struct str expected) {
    if (!str_starts(expected, "ERR "))
        return expected;
    size_t end = str_find(expected, ' ', 4);
    return str_sub(expected, 0, end);
}

static void check_answer(const struct replay *replay, struct str sql, struct str expected,
                         const struct buf *answer) {
    if (!str_equal(buf_str(answer), expected_core(expected)))
        fail_msg("%s:%u: %.*s: expected %.*s, got %s", replay->section->path, replay->line,
                 STR_ARG(sql), STR_ARG(expected), answer->len > 0 ? answer->ptr : "nothing");
}

/* A line that says how a statement that waited ended. */
static void check_unblocked(struct replay *replay, size_t session, struct str sql,
                            struct str expected) {
    struct buf *answer = &replay->answers[session];
    bool is_timeout = str_starts(expected, "ERR 1205") || str_starts(expected, "ERR 55P03") ||
                      str_starts(expected, "ERR SQLITE_BUSY");
    if (answer->len == 0 && is_timeout && db_is_waiting(replay->lab.db, session)) {
        struct db_result result;
        db_timeout(replay->lab.db, session, &result);
        answer_print(&replay->lab, replay->lab.db, replay->waiting[session], &result, answer);
        collect_resumed(replay);
    }
    check_answer(replay, sql, expected, answer);
    buf_clear(answer);
}

static void statement_line(struct replay *replay, struct str line) {
    size_t session = (size_t)(line.ptr[0] - 'A');
    size_t cut = 2;
    while (cut + 1 < line.len && !(line.ptr[cut] == ' ' && line.ptr[cut + 1] == ' '))
        cut++;
    struct str sql = str_sub(line, 2, cut), expected = str_sub(line, cut, line.len);
    while (expected.len > 0 && expected.ptr[0] == ' ')
        expected = str_sub(expected, 1, expected.len);
    if (expected.len == 0)
        bad_line(replay, "no answer");
    replay_begin(replay);
    if (str_starts(expected, "(unblocked) ")) {
        check_unblocked(replay, session, sql, str_sub(expected, 12, expected.len));
        return;
    }
    struct buf answer = {0};
    if (db_is_waiting(replay->lab.db, session) || replay->answers[session].len > 0)
        bad_line(replay, "the session still waits, or was not asked how it ended");
    if (str_is(sql, "select @@in_transaction")) {
        buf_printf(&answer, "[('%d',)]", db_in_transaction(replay->lab.db, session));
    } else {
        struct db_result result;
        const struct sql_stmt *stmt = lab_stmt(&replay->lab, sql);
        replay->waiting[session] = stmt;
        db_exec(replay->lab.db, session, stmt, NULL, &result);
        answer_print(&replay->lab, replay->lab.db, stmt, &result, &answer);
        collect_resumed(replay);
    }
    check_answer(replay, sql, expected, &answer);
    buf_release(&answer);
}

static void section_line(struct replay *replay, struct str line) {
    while (line.len > 0 && line.ptr[0] == ' ')
        line = str_sub(line, 1, line.len);
    while (line.len > 0 && line.ptr[line.len - 1] == ' ')
        line = str_sub(line, 0, line.len - 1);
    if (line.len == 0 || line.ptr[0] == '#')
        return;
    if (str_starts(line, "= ")) {
        config_line(replay, str_sub(line, 2, line.len));
    } else if (str_starts(line, "+ ")) {
        buf_add(&replay->setup, str_sub(line, 2, line.len));
        buf_add_char(&replay->setup, ';');
    } else if (line.len > 2 && line.ptr[1] == ' ' && line.ptr[0] >= 'A' &&
               line.ptr[0] < 'A' + SESSIONS) {
        statement_line(replay, line);
    } else {
        bad_line(replay, "not understood");
    }
}

static void run_section(void **state) {
    const struct section *section = *state;
    struct replay replay = {.section = section, .line = section->line};
    lab_init(&replay.lab, ENGINE_POSTGRESQL, SQL_READ_COMMITTED, SESSIONS);
    struct str text = section->text;
    for (size_t at = 0; at < text.len;) {
        size_t end = str_find(text, '\n', at);
        replay.line++;
        section_line(&replay, str_sub(text, at, end));
        at = end + 1;
    }
    assert_true(replay.is_ready);
    for (size_t s = 0; s < SESSIONS; s++) {
        if (replay.answers[s].len > 0)
            bad_line(&replay, "an answer nobody asked for");
        buf_release(&replay.answers[s]);
    }
    buf_release(&replay.setup);
    lab_release(&replay.lab);
}

struct tests {
    struct CMUnitTest *items;
    size_t count, capacity;
};

static void add_sections(struct arena *arena, const char *path, struct str text,
                         struct tests *tests) {
    uint32_t line = 0;
    struct section *section = NULL;
    for (size_t at = 0; at < text.len;) {
        size_t end = str_find(text, '\n', at);
        struct str one = str_sub(text, at, end);
        line++;
        if (str_starts(one, "## ")) {
            section = ARENA_NEW(arena, struct section);
            section->path = path;
            section->line = line;
            section->title = str_to_c(arena, str_sub(one, 3, one.len));
            section->text.ptr = text.ptr + end + (end < text.len);
            MVEC_PUSH(tests, (struct CMUnitTest){.name = section->title,
                                                 .test_func = run_section,
                                                 .initial_state = section});
        } else if (section != NULL) {
            section->text.len = (size_t)(text.ptr + end - section->text.ptr);
        }
        at = end + 1;
    }
}

int main(int argc, char **argv) {
    struct arena arena = {0};
    struct tests tests = {0};
    struct err err;
    for (size_t i = 0; i < LW_COUNT_OF(files); i++) {
        struct str text;
        const char *path = argc > 1 ? argv[1] : files[i];
        if (!file_read(&arena, path, &text, &err)) {
            fprintf(stderr, "%s: %s\n", path, err.message);
            return 1;
        }
        add_sections(&arena, path, text, &tests);
        if (argc > 1)
            break;
    }
    int failed = _cmocka_run_group_tests("transcripts", tests.items, tests.count, NULL, NULL);
    free(tests.items);
    arena_release(&arena);
    return failed;
}
