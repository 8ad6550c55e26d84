/* The option reader, and the option tables of check, prove and dump. */
#include "base/vec.h"
#include "cli/check_options.h"
#include "cli/dump_options.h"
#include "cli/prove_options.h"
#include "cli/suggest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { ARGS_MAX = 16 };

/* One command line: its words, and what became of it. */
struct line {
    struct arena arena;
    int argc;
    char *argv[ARGS_MAX];
    struct err err;
};

/* Words are separated by '|', so that one can hold blanks or be empty. "" has no words. */
static void line_init(struct line *line, const char *words) {
    memset(line, 0, sizeof(*line));
    struct str text = str_from_c(words);
    for (size_t start = 0; text.len > 0 && start <= text.len;) {
        size_t end = str_find(text, '|', start);
        assert_true(line->argc < ARGS_MAX);
        line->argv[line->argc++] = str_to_c(&line->arena, str_sub(text, start, end));
        start = end + 1;
    }
}

static void assert_message(struct line *line, const char *part) {
    if (strstr(line->err.message, part) == NULL)
        fail_msg("'%s' is not in '%s'", part, line->err.message);
}

static void check_ok(struct line *line, struct check_options *options, const char *words) {
    line_init(line, words);
    if (!check_options_parse(&line->arena, line->argc, line->argv, options, &line->err))
        fail_msg("%s: %s", words, line->err.message);
}

static void check_bad(const char *words, const char *part) {
    struct line line;
    struct check_options options;
    line_init(&line, words);
    if (check_options_parse(&line.arena, line.argc, line.argv, &options, &line.err))
        fail_msg("%s: no error", words);
    assert_message(&line, part);
    arena_release(&line.arena);
}

static void test_check_defaults(void **state) {
    (void)state;
    struct line line;
    struct check_options options;
    check_ok(&line, &options, "");
    assert_int_equal(options.path_count, 1);
    assert_string_equal(options.paths[0], ".");
    assert_false(options.target.has_engine);
    assert_false(options.target.has_isolation);
    assert_int_equal(options.format, CHECK_TEXT);
    assert_int_equal(options.color, COLOR_AUTO);
    assert_false(options.is_verbose);
    for (int i = 0; i < RULE_COUNT; i++)
        assert_true(check_options_wants(&options, (enum rule)i));
    arena_release(&line.arena);
}

static void test_check_all_options(void **state) {
    (void)state;
    struct line line;
    struct check_options options;
    check_ok(&line, &options,
             "shop|--engine|mysql|--isolation=REPEATABLE-READ|--format|concise|-v|--color=never|"
             "--select|LW003,check-then-act|--ignore=lw004|cart/views.py|--|--odd");
    assert_int_equal(options.path_count, 3);
    assert_string_equal(options.paths[0], "shop");
    assert_string_equal(options.paths[1], "cart/views.py");
    assert_string_equal(options.paths[2], "--odd");
    assert_true(options.target.has_engine && options.target.has_isolation);
    assert_int_equal(options.target.engine, ENGINE_MYSQL);
    assert_int_equal(options.target.isolation, SQL_REPEATABLE_READ);
    assert_int_equal(options.format, CHECK_CONCISE);
    assert_int_equal(options.color, COLOR_NEVER);
    assert_true(options.is_verbose);
    assert_int_equal(options.rules, 1u << RULE_READ_MODIFY_WRITE);
    assert_false(check_options_wants(&options, RULE_CHECK_THEN_ACT));
    arena_release(&line.arena);
}

static void test_ignore_alone(void **state) {
    (void)state;
    struct line line;
    struct check_options options;
    check_ok(&line, &options, "--ignore=LW008");
    assert_false(check_options_wants(&options, RULE_NEVER_SAVED));
    assert_true(check_options_wants(&options, RULE_ALIASED_OBJECTS));
    arena_release(&line.arena);
}

static void test_many_paths(void **state) {
    (void)state;
    struct line line;
    struct check_options options;
    check_ok(&line, &options, "a|b|c|d|e|f|g|h|i|j|-");
    assert_int_equal(options.path_count, 11);
    assert_string_equal(options.paths[9], "j");
    assert_string_equal(options.paths[10], "-");
    arena_release(&line.arena);
}

static void test_check_errors(void **state) {
    (void)state;
    check_bad("--egine|mysql", "unknown option '--egine'; did you mean '--engine'?");
    check_bad("--xyzzy=1", "unknown option '--xyzzy'");
    check_bad("-x", "unknown option '-x'");
    check_bad("-vx", "unknown option '-vx'");
    check_bad("--engine", "--engine needs a value: --engine NAME");
    check_bad("--engine=",
              "--engine: unknown engine ''; it is one of postgresql, mysql, mariadb or sqlite");
    check_bad("--engine|postgres", "did you mean 'postgresql'?");
    check_bad("--engine=oracle", "it is one of postgresql, mysql, mariadb or sqlite");
    check_bad("--isolation=repeatable", "unknown isolation level 'repeatable'");
    check_bad("--isolation=read comitted", "did you mean 'read committed'?");
    check_bad("--format=jsn", "--format: unknown format 'jsn'; did you mean 'json'?");
    check_bad("--color=sometimes", "it is one of auto, always or never");
    check_bad("--verbose=1", "--verbose takes no value");
    check_bad("--select=LW003,LW03", "--select: unknown code 'LW03'; did you mean 'LW003'?");
    check_bad("--select=", "unknown code ''");
    check_bad("--ignore=zzz", "unknown code 'zzz'");
    check_bad("--select=LW003|--ignore=LW003", "leaves no rule");
    check_bad("shop||cart", "an empty path");
}

static void test_levels_of_one_engine(void **state) {
    (void)state;
    struct line line;
    struct check_options options;
    check_ok(&line, &options, "--isolation|snapshot isolation");
    assert_int_equal(options.target.engine, ENGINE_MARIADB);
    assert_int_equal(options.target.isolation, SQL_REPEATABLE_READ);
    assert_true(options.target.has_engine && options.target.innodb_snapshot_isolation);
    arena_release(&line.arena);

    check_ok(&line, &options, "--isolation=Immediate|--engine=SQLite");
    assert_true(options.target.sqlite_immediate);
    assert_false(options.target.sqlite_deferred);
    assert_int_equal(options.target.engine, ENGINE_SQLITE);
    arena_release(&line.arena);

    check_ok(&line, &options, "--isolation=deferred");
    assert_true(options.target.sqlite_deferred);
    assert_int_equal(options.target.engine, ENGINE_SQLITE);
    arena_release(&line.arena);

    check_ok(&line, &options, "--engine=sqlite|--isolation=serializable");
    assert_true(options.target.sqlite_deferred);
    assert_int_equal(options.target.isolation, SQL_SERIALIZABLE);
    arena_release(&line.arena);

    /* The last one given counts, wholly. */
    check_ok(&line, &options, "--isolation=immediate|--isolation=serializable|--engine=mysql");
    assert_false(options.target.sqlite_immediate);
    assert_int_equal(options.target.isolation, SQL_SERIALIZABLE);
    arena_release(&line.arena);

    check_ok(&line, &options, "--engine=MariaDB:11.8");
    assert_int_equal(options.target.engine, ENGINE_MARIADB);
    assert_int_equal(options.target.version, 110899);
    arena_release(&line.arena);

    /* The version goes with its engine. */
    check_ok(&line, &options, "--engine=mysql:5.6.24|--engine=mariadb");
    assert_int_equal(options.target.version, 0);
    arena_release(&line.arena);

    check_bad("--engine=mysql:3.23", "--engine: unknown version '3.23' of mysql; known are 5.6 to 5.7");
    check_bad("--engine=mysql:", "unknown version '' of mysql");
    check_bad("--engine=:8.0", "unknown engine ''");
    check_bad("--engine=mariadb:11.3|--isolation=snapshot isolation",
              "mariadb 11.3 has no innodb_snapshot_isolation; 10.6.18");
    check_bad("--isolation=immediate|--engine=mysql", "only sqlite has 'immediate', not mysql");
    check_bad("--isolation=snapshot_isolation|--engine=mysql", "only mariadb has");
    check_bad("--engine=sqlite|--isolation=read committed", "sqlite is always serializable");
}

static void prove_ok(struct line *line, struct prove_options *options, const char *words) {
    line_init(line, words);
    if (!prove_options_parse(&line->arena, line->argc, line->argv, options, &line->err))
        fail_msg("%s: %s", words, line->err.message);
}

static void prove_bad(const char *words, const char *part) {
    struct line line;
    struct prove_options options;
    line_init(&line, words);
    if (prove_options_parse(&line.arena, line.argc, line.argv, &options, &line.err))
        fail_msg("%s: no error", words);
    assert_message(&line, part);
    arena_release(&line.arena);
}

static void test_prove_scenario(void **state) {
    (void)state;
    struct line line;
    struct prove_options options;
    prove_ok(&line, &options, "bug3.txn|--all-schedules|--format=json|--sessions=3");
    assert_int_equal(options.inputs.items.count, 1);
    assert_true(str_is(options.inputs.items.items[0].path, "bug3.txn"));
    assert_int_equal(options.inputs.items.items[0].function.len, 0);
    assert_true(options.all_schedules);
    assert_int_equal(options.format, PROVE_JSON);
    assert_int_equal(options.session_count, 3);
    arena_release(&line.arena);
}

static void test_prove_functions(void **state) {
    (void)state;
    struct line line;
    struct prove_options options;
    prove_ok(&line, &options, "shop/views.py:increment|c:/x.py:Counter.bump_2|--engine=sqlite");
    assert_int_equal(options.inputs.items.count, 2);
    assert_true(str_is(options.inputs.items.items[0].path, "shop/views.py"));
    assert_true(str_is(options.inputs.items.items[0].function, "increment"));
    assert_true(str_is(options.inputs.items.items[1].path, "c:/x.py"));
    assert_true(str_is(options.inputs.items.items[1].function, "Counter.bump_2"));
    assert_int_equal(options.session_count, 0);
    arena_release(&line.arena);
}

static void test_prove_errors(void **state) {
    (void)state;
    prove_bad("", "what is to be proved?");
    prove_bad("shop/views.py", "name the function, as in 'shop/views.py:increment'");
    prove_bad("shop", "'shop' is neither FILE.txn nor PATH.py:FUNCTION");
    prove_bad("shop:increment", "is neither FILE.txn nor PATH.py:FUNCTION");
    prove_bad("a.py:", "'' is no name of a function");
    prove_bad("a.py:1x", "'1x' is no name of a function");
    prove_bad("a.py:a..b", "is no name of a function");
    prove_bad("a.py:a.", "is no name of a function");
    prove_bad("a.py:f()", "is no name of a function");
    prove_bad("a.txn|b.txn", "is a whole scenario: it goes alone");
    prove_bad("a.py:f|-", "is a whole scenario: it goes alone");
    prove_bad("a.txn|--sessions=0", "'0' is no number from 1 to 8");
    prove_bad("a.txn|--sessions=9", "'9' is no number from 1 to 8");
    prove_bad("a.txn|--sessions=two", "'two' is no number");
    prove_bad("a.txn|--sessions=", "'' is no number");
    prove_bad("a.txn|--sessions=99999999999999999999", "is no number");
    prove_bad("a.txn|--sessions|-1", "'-1' is no number");
    prove_bad("a.py:f|b.py:g|--sessions=1", "1 sessions for 2 functions");
    prove_bad("a.txn|--format=concise", "unknown format 'concise'; it is one of text or json");
    prove_bad("a.txn|--all-schedule", "did you mean '--all-schedules'?");
    prove_bad("a.py:f|a.py:f|a.py:f|a.py:f|a.py:f|a.py:f|a.py:f|a.py:f|a.py:f", "9 functions");
}

static void test_compare(void **state) {
    (void)state;
    struct line line;
    struct prove_options options;
    prove_ok(&line, &options, "--compare|mariadb:10.11|mariadb:11.8|a.txn");
    assert_int_equal(options.compare.count, 2);
    assert_int_equal(options.compare.items[0].server.version, 101199);
    assert_int_equal(options.compare.items[1].server.version, 110899);
    assert_int_equal(options.inputs.items.count, 1);
    arena_release(&line.arena);

    prove_ok(&line, &options, "a.py:f|--compare=mysql/serializable/read-committed|sqlite:3.40/immediate"
                              "|postgresql|b.py:g");
    assert_int_equal(options.compare.count, 3);
    assert_int_equal(options.compare.items[0].level_count, 2);
    assert_int_equal(options.compare.items[0].levels[0].isolation, SQL_SERIALIZABLE);
    assert_int_equal(options.compare.items[0].levels[1].isolation, SQL_READ_COMMITTED);
    assert_true(options.compare.items[1].levels[0].sqlite_immediate);
    assert_int_equal(options.compare.items[2].level_count, 0);
    assert_int_equal(options.inputs.items.count, 2);
    arena_release(&line.arena);

    prove_bad("a.txn|--compare|mysql", "--compare needs two servers");
    prove_bad("--compare|mysql|a.txn", "unknown engine 'a.txn'");
    prove_bad("--compare|mysql|oracle|a.txn", "unknown engine 'oracle'");
    prove_bad("--compare|mysql:4.1|mysql|a.txn", "--compare: unknown version '4.1' of mysql");
    prove_bad("--compare|mysql/dirty|mysql|a.txn", "unknown isolation level 'dirty'");
    prove_bad("--compare|mysql/|mysql|a.txn", "unknown isolation level ''");
    prove_bad("--compare|mysql/immediate|mysql|a.txn", "only sqlite has 'immediate'");
    prove_bad("--compare|mariadb:10.5/snapshot isolation|mysql|a.txn",
              "mariadb 10.5 has no innodb_snapshot_isolation");
    prove_bad("--compare|mysql|sqlite|mariadb|postgresql|mysql|a.txn", "more than 4 servers");
    prove_bad("--compare|mysql|sqlite", "what is to be proved?");
    prove_bad("--compare|mysql|sqlite|a.txn|--engine=mysql", "--engine does not go with --compare");
    prove_bad("--compare|mysql|sqlite|a.txn|--isolation=serializable",
              "--isolation does not go with --compare");
    prove_bad("--compare|mysql/serializable/read committed/SERIALIZABLE|mysql|a.txn",
              "a level stands twice in 'mysql/serializable/read committed/SERIALIZABLE'");
    prove_bad("--compare|sqlite/deferred/serializable|mysql|a.txn", "a level stands twice");
    prove_bad("--compare|mariadb:11.8/repeatable read/snapshot isolation|mysql|a.txn",
              "a level stands twice");
}

static void dump_bad(const char *words, const char *part) {
    struct line line;
    struct dump_options options;
    line_init(&line, words);
    if (dump_options_parse(&line.arena, line.argc, line.argv, &options, &line.err))
        fail_msg("%s: no error", words);
    assert_message(&line, part);
    arena_release(&line.arena);
}

static void test_dump(void **state) {
    (void)state;
    static const char *const stages[] = {"syntax", "roots", "functions", "program", "sql", "schedules"};
    for (size_t i = 0; i < 6; i++) {
        struct line line;
        struct dump_options options;
        char words[64];
        snprintf(words, sizeof(words), "--stage=%s|a.py%s|--engine=mariadb", stages[i],
                 i == 5 ? ":f" : "");
        line_init(&line, words);
        assert_true(dump_options_parse(&line.arena, line.argc, line.argv, &options, &line.err));
        assert_int_equal(options.stage, i);
        assert_true(str_is(options.inputs.items.items[0].path, "a.py"));
        assert_int_equal(options.target.engine, ENGINE_MARIADB);
        arena_release(&line.arena);
    }
    dump_bad("a.py", "which stage?");
    dump_bad("--stage=sql", "a path is missing");
    dump_bad("--stage=sqll|a.py", "did you mean 'sql'?");
    dump_bad("--stage=sql|a.py|b.py", "one path at a time: 'a.py', then 'b.py'");
    dump_bad("--stage=sql|", "an empty path");
    dump_bad("--stage=syntax|a.txn", "'a.txn' is no Python; --stage=program shows it");
    dump_bad("--stage=functions|a.txn", "functions are of Python: a.txn");
    dump_bad("--stage=syntax|a.py:f", "the syntax is of a whole file: a.py");
    dump_bad("--stage=schedules|a.py", "'a.py': schedules are of FILE.txn or PATH.py:FUNCTION");
    dump_bad("--stage=schedules|a.py:f|b.txn", "is a whole scenario: it goes alone");
    dump_bad("--stage=sql|a.py|--sessions=2", "--sessions is for --stage=schedules");
    dump_bad("--stage=sql|a.py|--all-schedules", "--all-schedules is for --stage=schedules");
    dump_bad("--stage=sql|a.py:f g", "is no name of a function");
}

/* Every option has a help text, and its lines fit. */
static void test_help_fits(void **state) {
    (void)state;
    const struct cli_syntax *syntaxes[] = {&check_syntax, &prove_syntax, &dump_syntax};
    for (size_t i = 0; i < 3; i++) {
        struct buf out = {0};
        cli_print_options(syntaxes[i], &out);
        struct str text = buf_str(&out);
        for (size_t j = 0; j < syntaxes[i]->option_count; j++) {
            assert_non_null(strstr(out.ptr, syntaxes[i]->options[j].name));
            assert_true(syntaxes[i]->options[j].help[0] != '\0');
        }
        for (size_t start = 0; start < text.len;) {
            size_t end = str_find(text, '\n', start);
            assert_in_range(end - start, 1, 100);
            start = end + 1;
        }
        buf_release(&out);
    }
}

static void test_wants_help(void **state) {
    (void)state;
    struct line line;
    line_init(&line, "a|--help");
    assert_true(cli_wants_help(line.argc, line.argv));
    arena_release(&line.arena);
    line_init(&line, "a|-h");
    assert_true(cli_wants_help(line.argc, line.argv));
    arena_release(&line.arena);
    line_init(&line, "a|--|--help");
    assert_false(cli_wants_help(line.argc, line.argv));
    arena_release(&line.arena);
}

static void test_suggest(void **state) {
    (void)state;
    static const char *const names[] = {"check", "prove", "explain", "dump", "read-modify-write"};
    const size_t count = sizeof(names) / sizeof(names[0]);
    assert_string_equal(suggest(STR("chekc"), names, count), "check");
    assert_string_equal(suggest(STR("Chec"), names, count), "check");
    assert_string_equal(suggest(STR("explan"), names, count), "explain");
    assert_string_equal(suggest(STR("read_modfy_write"), names, count), "read-modify-write");
    assert_null(suggest(STR("frobnicate"), names, count));
    assert_null(suggest(STR("xx"), names, count));
    assert_null(suggest(STR(""), names, count));
    char long_word[200];
    memset(long_word, 'a', sizeof(long_word));
    assert_null(suggest((struct str){long_word, sizeof(long_word)}, names, count));
}

static void test_color(void **state) {
    (void)state;
    FILE *file = tmpfile();
    assert_non_null(file);
    assert_true(color_wanted(COLOR_ALWAYS, file));
    assert_false(color_wanted(COLOR_NEVER, file));
    assert_false(color_wanted(COLOR_AUTO, file));
    fclose(file);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_check_defaults), cmocka_unit_test(test_check_all_options),
        cmocka_unit_test(test_ignore_alone),   cmocka_unit_test(test_many_paths),
        cmocka_unit_test(test_check_errors),   cmocka_unit_test(test_levels_of_one_engine),
        cmocka_unit_test(test_prove_scenario), cmocka_unit_test(test_prove_functions),
        cmocka_unit_test(test_prove_errors),   cmocka_unit_test(test_dump),
        cmocka_unit_test(test_compare),
        cmocka_unit_test(test_help_fits),      cmocka_unit_test(test_wants_help),
        cmocka_unit_test(test_suggest),        cmocka_unit_test(test_color),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
