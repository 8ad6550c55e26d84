/* What was lost: sessions played by hand, as a log tells of them ("A SQL") and as a wire does ("A SQL -> id=1 count=7"). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/buf.h"
#include "watch/watch.h"

struct player {
    struct watch *watch;
    struct trace_sink sink;
    int64_t now_us;
    enum trace_server server;
    bool is_open;       /* a transaction of changes */
    bool tells_orders; /* how many no serial order gives */
    bool is_told_first; /* statements come before their outcome */
    struct arena arena;
};

static void player_open(struct player *player, enum trace_server server) {
    struct watch_options options = {.shows_values = true};
    *player = (struct player){.watch = watch_open(&options), .now_us = 1790000000000000, .server = server};
    player->sink = watch_sink(player->watch);
}

static void player_close(struct player *player) {
    watch_close(player->watch);
    arena_release(&player->arena);
}

/* "id=1 count=7": the columns and the row of an answer. */
static const struct trace_rows *answer(struct player *player, struct str text) {
    struct trace_rows *rows = arena_alloc(&player->arena, sizeof(*rows));
    VEC(struct str) columns = {0};
    VEC(struct trace_value) values = {0};
    for (size_t at = 0; at < text.len;) {
        size_t end = str_find(text, ' ', at), equals = str_find(text, '=', at);
        struct str value = str_sub(text, equals + 1, end);
        VEC_PUSH(&player->arena, &columns, str_sub(text, at, equals));
        VEC_PUSH(&player->arena, &values,
                 (struct trace_value){str_is(value, "NULL") ? TRACE_NULL : TRACE_VALUE, false, value});
        at = end + 1;
    }
    *rows = (struct trace_rows){columns.items, columns.count, values.items, columns.count > 0, false};
    return rows;
}

/* One statement: "A SQL", "A@shop" the session's database, "A+SQL" if a transaction is open behind it, " -> " and its row, " => " and the number of rows, " !! " and an error's code. */
static void say(struct player *player, const char *line) {
    struct str text = str_dup(&player->arena, str_from_c(line));
    struct trace_event event = {.kind = TRACE_STATEMENT, .server = player->server, .session = (uint64_t)text.ptr[0],
                                .time_us = player->now_us += 1000, .place = {STR("test.log"), 0, 1}};
    event.statement = (struct trace_statement){.row_count = -1, .end_us = -1, .outcome = TRACE_OK};
    if (text.ptr[1] == '+')
        event.statement.transaction_after = TRACE_TRANSACTION_OPEN;
    bool is_database = text.ptr[1] == '@';
    text = str_sub(text, 2, text.len);
    if (is_database) {
        event.kind = TRACE_SESSION;
        event.database = text;
        player->sink.event(player->sink.context, &event);
        return;
    }
    char *mark;
    if ((mark = strstr((char *)text.ptr, " -> ")) != NULL) {
        event.statement.rows = answer(player, str_from_c(mark + 4));
        event.statement.row_count = (int64_t)event.statement.rows->row_count;
    } else if ((mark = strstr((char *)text.ptr, " => ")) != NULL) {
        event.statement.row_count = atoi(mark + 4);
    } else if ((mark = strstr((char *)text.ptr, " !! ")) != NULL) {
        event.statement.outcome = TRACE_FAILED;
        event.statement.error_code = str_from_c(mark + 4);
    }
    if (player->is_told_first && event.statement.outcome == TRACE_OK)
        event.statement.outcome = TRACE_OUTCOME_UNKNOWN;
    if (str_starts(text, "OK") || str_starts(text, "!!")) {
        event.kind = TRACE_OUTCOME;
        event.statement.outcome = text.ptr[0] == 'O' ? TRACE_OK : TRACE_FAILED;
        event.statement.error_code = str_sub(text, 3 < text.len ? 3 : text.len, text.len);
    }
    event.statement.sql = mark != NULL ? str_sub(text, 0, (size_t)(mark - text.ptr)) : text;
    player->sink.event(player->sink.context, &event);
}

static const char *const evidence_names[] = {"arithmetic", "duplicate", "revert", "order"};

/* "LW003 arithmetic counter count x1 id=1; ..." */
static struct str told(struct player *player) {
    struct watch_result result;
    watch_result(player->watch, &player->arena, &result);
    struct buf out = {0};
    for (size_t i = 0; i < result.losses.count; i++) {
        const struct watch_loss *loss = &result.losses.items[i];
        buf_printf(&out, "%s%s %s%s %.*s", i > 0 ? "; " : "", rule_code(loss->rule),
                   loss->is_possible ? "possible " : "", evidence_names[loss->evidence], STR_ARG(loss->table));
        for (size_t j = 0; j < loss->column_count; j++)
            buf_printf(&out, " %.*s", STR_ARG(loss->columns[j]));
        if (player->tells_orders)
            buf_printf(&out, " %llu of", (unsigned long long)loss->replayed_count);
        buf_printf(&out, " x%llu %.*s", (unsigned long long)loss->count, STR_ARG(loss->keys.items[0]));
    }
    struct str text = str_dup(&player->arena, buf_str(&out));
    buf_release(&out);
    return text;
}

static void check_told(enum trace_server server, bool tells_orders, const char *const *lines, const char *expected) {
    struct player player;
    player_open(&player, server);
    player.tells_orders = tells_orders;
    for (; *lines != NULL; lines++)
        say(&player, *lines);
    struct str found = told(&player);
    if (!str_is(found, expected))
        fail_msg("expected %s, told %.*s", expected, STR_ARG(found));
    player_close(&player);
}

#define TOLD(server, expected, ...)                                                                \
    check_told(server, false, (const char *const[]){__VA_ARGS__, NULL}, expected)
#define READ "SELECT \"counter\".\"id\", \"counter\".\"count\" FROM \"counter\" WHERE \"counter\".\"id\" = 1 LIMIT 21"
#define WRITE(count) "UPDATE \"counter\" SET \"count\" = " #count " WHERE \"counter\".\"id\" = 1"

static void both_computed(void **state) {
    (void)state;
    TOLD(TRACE_POSTGRESQL, "LW003 arithmetic counter count x1 id=1", "A " READ " -> id=1 count=7",
         "B " READ " -> id=1 count=7", "A " WRITE(8) " => 1", "B " WRITE(8) " => 1");
    TOLD(TRACE_POSTGRESQL, "LW003 arithmetic counter count x1 id=1", "A " READ " -> id=1 count=7",
         "B " READ " -> id=1 count=7", "A " WRITE(8) " => 1", "B " WRITE(10) " => 1");
    /* MySQL counts no row that had the value already. */
    TOLD(TRACE_MYSQL, "LW003 arithmetic counter count x1 id=1", "A SELECT id, count FROM counter WHERE id = 1 -> id=1 count=7",
         "B SELECT id, count FROM counter WHERE id = 1 -> id=1 count=7", "A UPDATE counter SET count = 8 WHERE id = 1 => 1",
         "B UPDATE counter SET count = 8 WHERE id = 1 => 0");
    /* A log shows no values: the order alone. */
    TOLD(TRACE_POSTGRESQL, "LW003 order counter count x1 id=1", "A " READ, "B " READ, "A " WRITE(8), "B " WRITE(9));
    TOLD(TRACE_POSTGRESQL, "LW003 arithmetic counter count x1 id=1", "B " READ " -> id=1 count=7",
         "A UPDATE counter SET count = count + 1 WHERE id = 1 => 1", "B " WRITE(8) " => 1");
}

#define REPLAYED(expected, ...) check_told(TRACE_POSTGRESQL, true, (const char *const[]){__VA_ARGS__, NULL}, expected)

/* The strongest evidence: what was read and written is known, and no serial order gives it. */
static void in_no_serial_order(void **state) {
    (void)state;
    REPLAYED("LW003 arithmetic counter count 1 of x1 id=1", "A " READ " -> id=1 count=7", "B " READ " -> id=1 count=7",
             "A " WRITE(8) " => 1", "B " WRITE(8) " => 1");
    REPLAYED("LW002 revert orders status 1 of x1 id=5", "B SELECT id, name, status FROM orders WHERE id = 5 -> id=5 name=x status=new",
             "A UPDATE orders SET status = 'paid' WHERE id = 5 => 1", "B UPDATE orders SET name = 'y', status = 'new' WHERE id = 5 => 1");
    /* Three: C sets it back to what B had read. A, C, B explains what B read and wrote. */
    REPLAYED("LW003 possible arithmetic counter count 0 of x1 id=1", "A " READ " -> id=1 count=7", "B " READ " -> id=1 count=7",
             "A " WRITE(8) " => 1", "C " WRITE(7) " => 1", "B " WRITE(9) " => 1");
    /* Not known: values of a log, what the database computed, what was written before those versions that are kept. */
    REPLAYED("LW003 order counter count 0 of x1 id=1", "A " READ, "B " READ, "A " WRITE(8), "B " WRITE(9));
    REPLAYED("LW003 arithmetic counter count 0 of x1 id=1", "B " READ " -> id=1 count=7",
             "A UPDATE counter SET count = count + 1 WHERE id = 1 => 1", "B " WRITE(8) " => 1");
}

/* What a log does not show of a read follows from what was last written. */
static void inferred(void **state) {
    (void)state;
    TOLD(TRACE_POSTGRESQL, "LW003 possible order counter count x1 id=1", "A " READ, "B " READ, "A " WRITE(8), "B " WRITE(8));
    TOLD(TRACE_POSTGRESQL, "LW003 arithmetic counter count x1 id=1", "C " READ, "C " WRITE(7), "A " READ, "B " READ,
         "A " WRITE(8), "B " WRITE(8));
    TOLD(TRACE_POSTGRESQL, "LW002 revert orders status x1 id=5", "C UPDATE orders SET status = 'new' WHERE id = 5",
         "B SELECT id, name, status FROM orders WHERE id = 5", "A UPDATE orders SET status = 'paid' WHERE id = 5",
         "B UPDATE orders SET name = 'y', status = 'new' WHERE id = 5");
}

static void nothing_is_lost(void **state) {
    (void)state;
    /* One after the other. */
    TOLD(TRACE_POSTGRESQL, "", "A " READ " -> id=1 count=7", "A " WRITE(8) " => 1", "B " READ " -> id=1 count=8",
         "B " WRITE(9) " => 1");
    /* By the database. */
    TOLD(TRACE_POSTGRESQL, "", "A " READ " -> id=1 count=7", "B " READ " -> id=1 count=7",
         "A UPDATE counter SET count = count + 1 WHERE id = 1 => 1",
         "B UPDATE counter SET count = count + 1 WHERE id = 1 => 1");
    /* Locked; a log tells of the SELECT when it is sent, so it may stand before the other's COMMIT. */
    TOLD(TRACE_POSTGRESQL, "", "A BEGIN", "A " READ " FOR UPDATE", "B BEGIN", "B " READ " FOR UPDATE",
         "A " WRITE(8), "A COMMIT", "B " WRITE(9), "B COMMIT");
    /* Rolled back, failed, done to no row. */
    TOLD(TRACE_POSTGRESQL, "", "B " READ " -> id=1 count=7", "A BEGIN", "A " WRITE(8) " => 1", "A ROLLBACK",
         "B " WRITE(8) " => 1");
    TOLD(TRACE_POSTGRESQL, "", "B BEGIN", "B " READ " -> id=1 count=7", "A " WRITE(8) " => 1", "B " WRITE(9) " !! 40001",
         "B ROLLBACK");
    TOLD(TRACE_POSTGRESQL, "", "B " READ " -> id=1 count=7", "A " WRITE(8) " => 1",
         "B UPDATE counter SET count = 8 WHERE id = 1 AND count = 7 => 0");
    /* Two rows; another table. */
    TOLD(TRACE_POSTGRESQL, "", "A " READ " -> id=1 count=7", "B UPDATE counter SET count = 9 WHERE id = 2 => 1",
         "A " WRITE(8) " => 1");
}

#define ROW "SELECT id, name, status FROM orders WHERE id = 5 LIMIT 21"

static void written_back(void **state) {
    (void)state;
    TOLD(TRACE_POSTGRESQL, "LW002 revert orders status x1 id=5", "B " ROW " -> id=5 name=x status=new",
         "A UPDATE orders SET status = 'paid' WHERE id = 5 => 1",
         "B UPDATE orders SET name = 'y', status = 'new' WHERE id = 5 => 1");
    /* A version column keeps it from being lost. */
    TOLD(TRACE_POSTGRESQL, "", "B SELECT id, status, version FROM orders WHERE id = 5 -> id=5 status=new version=3",
         "A UPDATE orders SET status = 'paid', version = 4 WHERE id = 5 AND version = 3 => 1",
         "B UPDATE orders SET status = 'void', version = 4 WHERE id = 5 AND version = 3 => 0");
    /* Each saves the whole row, and changes a column of its own: the one that A did not change is not lost. */
    TOLD(TRACE_POSTGRESQL, "LW002 revert orders name x1 id=5", "A " ROW " -> id=5 name=x status=new",
         "B " ROW " -> id=5 name=x status=new", "A UPDATE orders SET name = 'y', status = 'new' WHERE id = 5 => 1",
         "B UPDATE orders SET name = 'x', status = 'paid' WHERE id = 5 => 1");
    /* Both write the same. */
    TOLD(TRACE_POSTGRESQL, "", "A " ROW " -> id=5 name=x status=new", "B " ROW " -> id=5 name=x status=new",
         "A UPDATE orders SET status = 'paid' WHERE id = 5 => 1", "B UPDATE orders SET status = 'paid' WHERE id = 5 => 1");
}

/* Lists of any length are one shape: what stands behind them is found by its number without their members. */
static void lists(void **state) {
    (void)state;
    TOLD(TRACE_POSTGRESQL, "LW003 order t n x1 id=2", "A UPDATE t SET m = 1 WHERE id IN (1, 2) AND k = 4 AND n = 5",
         "A SELECT n FROM t WHERE k IN (1, 2, 3) AND id = 2", "A SELECT n FROM t WHERE k IN (1) AND id = 2",
         "B UPDATE t SET n = 7 WHERE k IN (1, 3) AND id = 2", "A UPDATE t SET n = 8 WHERE k IN (1) AND id = 2");
}

static void in_transactions(void **state) {
    (void)state;
    TOLD(TRACE_POSTGRESQL, "LW003 arithmetic counter count x1 id=1", "A BEGIN", "A " READ " -> id=1 count=7", "B BEGIN",
         "B " READ " -> id=1 count=7", "A " WRITE(8) " => 1", "A COMMIT", "B " WRITE(8) " => 1", "B COMMIT");
    /* The snapshot of REPEATABLE READ is older than the read. */
    TOLD(TRACE_MYSQL, "LW003 order counter count x1 id=1", "B SET autocommit = 0", "B SELECT id, name FROM shop WHERE id = 3",
         "A UPDATE counter SET count = 8 WHERE id = 1", "B SELECT id, count FROM counter WHERE id = 1",
         "B UPDATE counter SET count = 9 WHERE id = 1", "B COMMIT");
    /* Autocommit set off, and on again: each by its own value. */
    TOLD(TRACE_MYSQL, "", "B SET autocommit=0", "B COMMIT", "B SET autocommit=1", "B SELECT id, count FROM counter WHERE id = 1",
         "B UPDATE counter SET count = 8 WHERE id = 1", "A SELECT id, count FROM counter WHERE id = 1",
         "A UPDATE counter SET count = 9 WHERE id = 1", "B COMMIT");
    /* A transaction that nobody is seen to begin: the lock that opens it holds, though COMMIT is told late. */
    TOLD(TRACE_POSTGRESQL, "", "A+" READ " FOR UPDATE -> id=1 count=7", "A+" WRITE(8) " => 1",
         "B+" READ " FOR UPDATE -> id=1 count=8", "A COMMIT", "B+" WRITE(9) " => 1", "B COMMIT");
    TOLD(TRACE_POSTGRESQL, "LW003 arithmetic counter count x1 id=1", "A+" READ " -> id=1 count=7", "B+" READ " -> id=1 count=7",
         "A+" WRITE(8) " => 1", "A COMMIT", "B+" WRITE(9) " => 1", "B COMMIT");
    /* What a savepoint takes back was not written. */
    TOLD(TRACE_POSTGRESQL, "", "B BEGIN", "B " READ " -> id=1 count=7", "A " WRITE(8) " => 1", "B SAVEPOINT s1",
         "B " WRITE(9) " => 1", "B ROLLBACK TO SAVEPOINT s1", "B COMMIT");
}

/* Beyond what is kept at once the session that was silent longest is forgotten, and that is counted. */
static void many_sessions(void **state) {
    (void)state;
    enum { KEPT = 20000 };
    struct player player;
    struct watch_result result;
    player_open(&player, TRACE_POSTGRESQL);
    struct trace_event event = {.kind = TRACE_STATEMENT, .server = TRACE_POSTGRESQL, .time_us = -1};
    event.statement = (struct trace_statement){.sql = STR("SELECT id FROM t WHERE id = 1"), .row_count = -1, .end_us = -1};
    for (event.session = 1; event.session <= KEPT + 3; event.session++)
        player.sink.event(player.sink.context, &event);
    watch_result(player.watch, &player.arena, &result);
    assert_int_equal(result.stats.dropped_session_count, 3);
    assert_int_equal(result.stats.session_count, KEPT + 3);
    player_close(&player);
}

/* COPY writes rows that nobody tells: it is counted as not modelled. */
static void copy_is_counted(void **state) {
    (void)state;
    struct player player;
    struct watch_result result;
    player_open(&player, TRACE_POSTGRESQL);
    say(&player, "A COPY orders (id, name) FROM STDIN");
    say(&player, "A SHOW search_path");
    watch_result(player.watch, &player.arena, &result);
    assert_int_equal(result.stats.unparsed_count, 1);
    player_close(&player);
}

/* Two objects of one session for one row. */
static void aliased(void **state) {
    (void)state;
    TOLD(TRACE_POSTGRESQL, "LW001 revert orders status x1 id=5", "A " ROW " -> id=5 name=x status=new",
         "A " ROW " -> id=5 name=x status=new", "A UPDATE orders SET name = 'x', status = 'paid' WHERE id = 5 => 1",
         "A UPDATE orders SET name = 'y', status = 'new' WHERE id = 5 => 1");
    TOLD(TRACE_POSTGRESQL, "LW001 revert orders status x1 id=5", "A BEGIN",
         "A INSERT INTO orders (name, status) VALUES ('x', 'new') RETURNING id -> id=5", "A " ROW " -> id=5 name=x status=new",
         "A UPDATE orders SET name = 'x', status = 'paid' WHERE id = 5 => 1",
         "A UPDATE orders SET name = 'y', status = 'new' WHERE id = 5 => 1", "A COMMIT");
    /* One object, saved twice. */
    TOLD(TRACE_POSTGRESQL, "", "A " ROW " -> id=5 name=x status=new",
         "A UPDATE orders SET name = 'x', status = 'busy' WHERE id = 5 => 1",
         "A UPDATE orders SET name = 'y', status = 'new' WHERE id = 5 => 1");
}

static void autocommit(void **state) {
    (void)state;
    TOLD(TRACE_MYSQL, "", "A SET autocommit = 1", "B SET autocommit = 1", "A SET autocommit = 0",
         "A SELECT id, count FROM counter WHERE id = 1 FOR UPDATE", "A UPDATE counter SET count = 8 WHERE id = 1", "A COMMIT",
         "A SET autocommit = 1", "B SELECT id, count FROM counter WHERE id = 1", "B UPDATE counter SET count = 9 WHERE id = 1",
         "A SELECT id, count FROM counter WHERE id = 1", "A UPDATE counter SET count = 10 WHERE id = 1",
         "B SELECT id, count FROM counter WHERE id = 1", "B UPDATE counter SET count = 11 WHERE id = 1");
}

#define LOOK "SELECT id FROM vote WHERE user_id = 3 AND poll_id = 9 LIMIT 21"
#define VOTE "INSERT INTO vote (poll_id, user_id, choice) VALUES (9, 3, 'a') RETURNING id"

static void duplicates(void **state) {
    (void)state;
    TOLD(TRACE_POSTGRESQL, "LW007 duplicate vote user_id poll_id x1 user_id,poll_id=3,9", "A " LOOK " => 0", "B " LOOK " => 0",
         "A " VOTE " -> id=1", "B " VOTE " -> id=2");
    TOLD(TRACE_POSTGRESQL, "LW007 order vote user_id poll_id x1 user_id,poll_id=3,9", "A " LOOK, "B " LOOK, "A " VOTE, "B " VOTE);
    TOLD(TRACE_POSTGRESQL, "", "A " LOOK " => 0", "A " VOTE " -> id=1", "B " LOOK " => 0", "B " VOTE " -> id=2");
    TOLD(TRACE_POSTGRESQL, "", "A " LOOK " => 0", "B " LOOK " => 0", "A " VOTE " -> id=1", "B " VOTE " !! 23505");
    TOLD(TRACE_POSTGRESQL, "", "A " LOOK " -> id=1", "B " LOOK " -> id=1", "A " VOTE " -> id=1", "B " VOTE " -> id=2");
}

static void comes_back(void **state) {
    (void)state;
    TOLD(TRACE_POSTGRESQL, "LW013 revert orders x1 id=5", "B " ROW " -> id=5 name=x status=new", "A DELETE FROM orders WHERE id = 5 => 1",
         "B UPDATE orders SET name = 'y', status = 'new' WHERE id = 5 => 0",
         "B INSERT INTO orders (id, name, status) VALUES (5, 'y', 'new') => 1");
    TOLD(TRACE_POSTGRESQL, "", "A DELETE FROM orders WHERE id = 5 => 1", "B " ROW " => 0",
         "B INSERT INTO orders (id, name, status) VALUES (5, 'y', 'new') => 1");
}

/* A log that tells a statement as it begins, and how it ended in a line of its own. */
static void outcomes(void **state) {
    (void)state;
    struct player player;
    player_open(&player, TRACE_POSTGRESQL);
    player.is_told_first = true;
    say(&player, "A " READ);
    say(&player, "B " READ);
    say(&player, "A " WRITE(8));
    say(&player, "A !! 23514");
    say(&player, "B " WRITE(9));
    say(&player, "B OK");
    assert_true(str_is(told(&player), ""));
    say(&player, "A " READ);
    say(&player, "B " READ);
    say(&player, "A " WRITE(10));
    say(&player, "B " WRITE(11));
    assert_true(str_is(told(&player), "LW003 arithmetic counter count x1 id=1"));
    player_close(&player);
}

static void begin_test(struct player *player) {
    struct trace_event event = {.kind = TRACE_TEST, .server = player->server, .session = 'A', .time_us = player->now_us};
    player->sink.event(player->sink.context, &event);
}

/* How many programs are recalled of what a test keeps from committing: a savepoint is a transaction, a statement outside commits alone. */
static void check_recalled(const char *const *lines, size_t program_count, const char *part) {
    struct player player;
    player_open(&player, TRACE_POSTGRESQL);
    say(&player, "A+SAVEPOINT s0");
    begin_test(&player);
    for (; *lines != NULL; lines++)
        say(&player, *lines);
    struct watch_programs programs = {.arena = &player.arena};
    struct buf text = {0};
    watch_programs(player.watch, &programs, &text);
    buf_add_char(&text, '\0');
    if (programs.count != program_count || strstr(text.ptr, part) == NULL)
        fail_msg("not %zu programs with\n%s\nin\n%s", program_count, part, text.ptr);
    assert_true(str_is(told(&player), ""));
    buf_release(&text);
    player_close(&player);
}

#define RECALLED(count, part, ...) check_recalled((const char *const[]){__VA_ARGS__, NULL}, count, part)

static void in_a_test(void **state) {
    (void)state;
    RECALLED(1, "count = r.count + 1", "A+" READ " -> id=1 count=7", "A+" WRITE(8) " => 1", "A+ROLLBACK TO SAVEPOINT s0");
    RECALLED(1, "atomic {", "A+SAVEPOINT s1", "A+" READ " -> id=1 count=7", "A+" WRITE(8) " => 1", "A+RELEASE SAVEPOINT s1");
    RECALLED(1, "FOR UPDATE", "A+SAVEPOINT s1", "A+" READ " FOR UPDATE -> id=1 count=7", "A+SAVEPOINT s2", "A+RELEASE SAVEPOINT s2",
             "A+" WRITE(8) " => 1", "A+RELEASE SAVEPOINT s1");
    /* Read before the transaction. */
    RECALLED(1, "update_1", "A+SAVEPOINT s1", "A+" WRITE(8) " => 1", "A+RELEASE SAVEPOINT s1");
    /* Rolled back by the application itself. */
    RECALLED(0, "", "A+SAVEPOINT s1", "A+" READ " -> id=1 count=7", "A+" WRITE(8) " => 1", "A+ROLLBACK TO SAVEPOINT s1",
             "A+RELEASE SAVEPOINT s1");
    /* The test is over. */
    RECALLED(0, "", "A ROLLBACK", "A+BEGIN", "A+" READ " -> id=1 count=7", "A+" WRITE(8) " => 1", "A ROLLBACK");
}

#define ORDER(id) "SELECT id, total FROM shop_order WHERE id = " #id " FOR UPDATE -> id=" #id " total=30"
#define ITEM(id, order, n) "SELECT id, order_id, n FROM item WHERE id = " #id " -> id=" #id " order_id=" #order " n=" #n

/* What a transaction does to several rows is one program. */
static void units(void **state) {
    (void)state;
    /* A lock of another row than the one that is written, which its column leads to. */
    RECALLED(1, "value key2 = SELECT order_id FROM item WHERE id = :id;\n    atomic {\n        row r2 = SELECT id FROM shop_order WHERE id = :key2 FOR UPDATE;",
             "A+SAVEPOINT s1", "A+" ORDER(5), "A+" ITEM(2, 5, 7), "A+UPDATE item SET n = 8 WHERE id = 2 => 1", "A+RELEASE SAVEPOINT s1");
    RECALLED(1, "row r2 = SELECT id FROM shop_order WHERE id = :r.order_id FOR UPDATE;", "A+" ITEM(2, 5, 7), "A+SAVEPOINT s1",
             "A+" ORDER(5), "A+UPDATE item SET n = 8 WHERE id = 2 => 1", "A+RELEASE SAVEPOINT s1");
    /* Nothing leads from one to the other. */
    RECALLED(1, "row r2 = SELECT id FROM shop_order WHERE id = :id2 FOR UPDATE;", "A+SAVEPOINT s1", "A+" ORDER(5),
             "A+SELECT id, n FROM item WHERE id = 2 -> id=2 n=7", "A+UPDATE item SET n = 8 WHERE id = 2 => 1", "A+RELEASE SAVEPOINT s1");
    /* A sum that is written to the parent: by two of it it is no chance. */
    RECALLED(1, "value n2 = SELECT SUM(n) FROM item WHERE order_id = :id2;\n        UPDATE shop_order SET total = :n2 WHERE id = :id2;", "A+SAVEPOINT s1", "A+INSERT INTO item (order_id, n) VALUES (5, 10) RETURNING id -> id=8",
             "A+SELECT SUM(n) FROM item WHERE order_id = 5 -> sum=17", "A+UPDATE shop_order SET total = 17 WHERE id = 5 => 1", "A+RELEASE SAVEPOINT s1",
             "A+SAVEPOINT s1", "A+INSERT INTO item (order_id, n) VALUES (6, 10) RETURNING id -> id=9",
             "A+SELECT SUM(n) FROM item WHERE order_id = 6 -> sum=10", "A+UPDATE shop_order SET total = 10 WHERE id = 6 => 1", "A+RELEASE SAVEPOINT s1");
    /* Made, and then written; each by its key. */
    RECALLED(1, "r = new shop_order(total = v0);\n        key r.id = INSERT INTO shop_order (total) VALUES (:v0);\n        INSERT INTO item (order_id, n) VALUES (:r.id, :v1_2);", "A+SAVEPOINT s1",
             "A+INSERT INTO shop_order (total) VALUES (3) RETURNING id -> id=8", "A+INSERT INTO item (order_id, n) VALUES (8, 3)", "A+RELEASE SAVEPOINT s1");
    RECALLED(1, "row found = SELECT id FROM guest WHERE mail = :v0;\n    if found is not null { raise Exists; }\n    INSERT INTO guest (mail) VALUES (:v0);",
             "A+SELECT id FROM guest WHERE mail = 'a' => 0", "A+INSERT INTO guest (mail) VALUES ('a')");
    /* By another condition; rows that go. */
    RECALLED(1, "UPDATE item SET n = :v0 WHERE order_id = :v1;", "A+SELECT id FROM item WHERE id = 1", "A+UPDATE item SET n = 0 WHERE order_id = 5 => 3");
    RECALLED(1, "DELETE FROM item WHERE id = :id;", "A+DELETE FROM item WHERE id = 5 => 1");
    /* What went back is none of it; what is too much for one is none at all. */
    RECALLED(1, "atomic {\n        DELETE FROM item WHERE id = :id;\n    }\n}", "A+SAVEPOINT s1", "A+SAVEPOINT s2", "A+INSERT INTO item (id, n) VALUES (8, 3)",
             "A+ROLLBACK TO SAVEPOINT s2", "A+DELETE FROM item WHERE id = 5 => 1", "A+RELEASE SAVEPOINT s1");
    RECALLED(0, "", "A+SAVEPOINT s1", "A+DELETE FROM item WHERE id = 5 => 1", "A+UPDATE item SET n = (SELECT MAX(n) FROM item) WHERE id = 6 => 1",
             "A+RELEASE SAVEPOINT s1");
}

/* A statement amid changes; COMMIT, ROLLBACK: the end of one that is prepared. */
static void change_by(struct player *player, struct str transaction, struct str sql) {
    enum trace_event_kind kind = str_is(sql, "COMMIT") ? TRACE_COMMIT : str_is(sql, "ROLLBACK") ? TRACE_ROLLBACK : TRACE_STATEMENT;
    struct trace_event event = {.kind = kind, .server = player->server, .transaction = transaction, .time_us = player->now_us};
    if (kind == TRACE_STATEMENT)
        event.statement = (struct trace_statement){.sql = sql, .row_count = -1, .end_us = -1, .outcome = TRACE_OK};
    player->sink.event(player->sink.context, &event);
}

/* One change of a row: "T1 id=1 count=7 > id=1 count=8", either side may be missing; ": " before it is not told ("T1 : id=1 ..."), "T1/shop"
 * stands in that schema. Each is a transaction; one that goes on ends with "+" ("T1+ ..."), that is prepared with "-", or begins with a statement ("T1+ SAVEPOINT s"). */
static void change(struct player *player, const char *line) {
    struct str text = str_dup(&player->arena, str_from_c(line));
    size_t space = str_find(text, ' ', 0), arrow = str_find(text, '>', 0), slash = str_find(str_sub(text, 0, space), '/', 0);
    bool goes_on = text.ptr[space - 1] == '+', is_prepared = text.ptr[space - 1] == '-', is_told = text.ptr[space + 1] != ':';
    struct str name = str_sub(text, 0, slash < space ? slash : space), schema = str_sub(text, slash < space ? slash + 1 : space, space);
    if (arrow == text.len && is_told) {
        change_by(player, name, str_sub(text, space + 1, text.len));
        return;
    }
    if (!is_told)
        arrow = space + 1;
    struct str before = str_sub(text, space + 1, arrow > space + 1 ? arrow - 1 : arrow);
    struct str after = str_sub(text, arrow + 2 < text.len ? arrow + 2 : text.len, text.len);
    struct trace_event event = {.server = player->server, .transaction = name,
                                .time_us = player->now_us += 1000, .place = {STR("binlog.1"), 4, 0}};
    const struct trace_rows *old = answer(player, before), *new = answer(player, after);
    event.kind = TRACE_BEGIN;
    if (!player->is_open)
        player->sink.event(player->sink.context, &event);
    player->is_open = goes_on;
    event.kind = TRACE_CHANGE;
    const struct trace_rows *known = old->row_count > 0 ? old : new;
    event.change = (struct trace_change){
        .schema = schema,
        .kind = !is_told ? TRACE_UPDATE : old->row_count == 0 ? TRACE_INSERT : new->row_count == 0 ? TRACE_DELETE : TRACE_UPDATE,
        .table = STR("orders"), .columns = known->columns, .column_count = known->column_count,
        .before = old->row_count > 0 ? old->values : NULL, .after = new->row_count > 0 ? new->values : NULL};
    player->sink.event(player->sink.context, &event);
    event.kind = TRACE_COMMIT;
    if (!goes_on && !is_prepared)
        player->sink.event(player->sink.context, &event);
}

static void check_changes(enum trace_server server, const char *const *lines, const char *expected) {
    struct player player;
    player_open(&player, server);
    for (; *lines != NULL; lines++)
        change(&player, *lines);
    struct str found = told(&player);
    if (!str_is(found, expected))
        fail_msg("expected %s, told %.*s", expected, STR_ARG(found));
    player_close(&player);
}

#define CHANGES_OF(server, expected, ...) check_changes(server, (const char *const[]){__VA_ARGS__, NULL}, expected)
#define CHANGES(expected, ...) CHANGES_OF(TRACE_MYSQL, expected, __VA_ARGS__)

static void changed_rows(void **state) {
    (void)state;
    CHANGES("LW002 revert orders status x1 id=5", "T1 id=5 name=x status=new > id=5 name=x status=paid",
            "T2 id=5 name=x status=paid > id=5 name=y status=new");
    /* Set back by itself: it may have been meant. */
    CHANGES("LW002 possible revert orders status x1 id=5", "T1 id=5 name=x status=new > id=5 name=x status=paid",
            "T2 id=5 name=x status=paid > id=5 name=x status=new");
    CHANGES("", "T1 id=5 name=x status=new > id=5 name=x status=paid",
            "T2 id=5 name=x status=paid > id=5 name=y status=void");
    CHANGES("LW013 revert orders x1 id=5", "T1 id=5 name=x status=new > ", "T2  > id=5 name=x status=paid");
    CHANGES("", "T1 id=5 name=x status=new > ", "T2  > id=6 name=x status=paid");
}

/* What a source does not say of the row before, it has said before. */
static void changed_unseen(void **state) {
    (void)state;
    CHANGES("LW002 revert orders status x1 id=5", "T1  > id=5 name=x status=new", "T2 : id=5 name=x status=paid", "T3 : id=5 name=y status=new");
    /* Of what it never said nothing follows; of one that was not seen to change, no doubt goes away. */
    CHANGES("", "T2 : id=5 name=x status=paid", "T3 : id=5 name=y status=new");
    CHANGES("", "T1 : id=5 name=x status=new", "T2 id=5 name=x status=new > ", "T3 : id=5 name=x status=paid", "T4 : id=5 name=y status=new");
    CHANGES("LW002 possible revert orders status x1 id=5", "T1 : id=5 status=new", "T2 : id=5 status=paid", "T3 : id=5 status=new",
            "T4 : id=6 status=x");
    CHANGES("LW002 revert orders status x1 id=5", "T1 : id=5 name=x status=new", "T2 : id=5 name=x status=paid", "T3 : id=5 name=y status=new");
    /* However often something else changed in between; and what stays as it was goes back to nothing. */
    CHANGES("LW002 revert orders status x1 id=5", "T0  > id=5 n=0 name=x status=new", "T1 : id=5 n=1 name=x status=new", "T2 : id=5 n=2 name=x status=new",
            "T3 : id=5 n=3 name=x status=new", "T4 : id=5 n=4 name=x status=new", "T5 : id=5 n=5 name=x status=new", "T6 : id=5 n=6 name=x status=paid",
            "T7 : id=5 n=7 name=x status=new", "T8 : id=5 n=8 name=x status=new", "T9 : id=5 n=9 name=x status=new", "T10 : id=5 n=10 name=x status=new",
            "T11 : id=5 n=11 name=x status=new", "T12 : id=5 n=12 name=x status=new", "T13 : id=5 n=13 name=x status=new");
    struct player player;
    struct watch_result result;
    player_open(&player, TRACE_MYSQL);
    change(&player, "T1  > id=5 status=new");
    change(&player, "T2 : id=5 status=paid");
    change(&player, "T3 : id=6 status=paid");
    watch_result(player.watch, &player.arena, &result);
    assert_int_equal(result.stats.blind_count, 1);
    player_close(&player);
}

/* MariaDB logs what a savepoint takes back if the transaction has also changed a table that can't. */
static void changed_and_undone(void **state) {
    (void)state;
    CHANGES("", "T1 id=5 name=x status=new > id=5 name=x status=paid", "T2+ id=7 name=x > id=7 name=y", "T2+ SAVEPOINT `s`",
            "T2+ id=5 name=x status=paid > id=5 name=y status=new", "T2+ ROLLBACK TO `s`", "T2 id=8 name=x > id=8 name=y");
    CHANGES("LW002 revert orders status x1 id=5", "T1 id=5 name=x status=new > id=5 name=x status=paid", "T2+ id=7 name=x > id=7 name=y",
            "T2+ SAVEPOINT `s`", "T2+ RELEASE SAVEPOINT `s`", "T2+ id=5 name=x status=paid > id=5 name=y status=new", "T2+ ROLLBACK TO `s`",
            "T2 id=8 name=x > id=8 name=y");
}

/* An XA transaction counts from its end on, whatever is told between. */
static void changed_and_prepared(void **state) {
    (void)state;
#define STALE "T1 id=5 name=x status=new > id=5 name=x status=paid", "X- id=5 name=x status=paid > id=5 name=y status=new"
    CHANGES("LW002 revert orders status x1 id=5", STALE, "T2 id=8 name=x > id=8 name=y", "Y- id=9 name=x > id=9 name=y", "T3 id=8 name=y > id=8 name=z",
            "X- COMMIT", "Y- ROLLBACK");
    CHANGES("LW002 revert orders status x1 id=5", STALE, "X- COMMIT");
    CHANGES("", STALE, "T2 id=8 name=x > id=8 name=y", "X- ROLLBACK", "X- COMMIT");
    CHANGES("", STALE, "T2 id=8 name=x > id=8 name=y");
}

/* Tables of one name in two databases or schemas have rows of their own. */
static void places(void **state) {
    (void)state;
    CHANGES("", "T1/shop id=5 name=x status=new > id=5 name=x status=paid", "T2/other id=5 name=x status=paid > id=5 name=y status=new");
    CHANGES("LW002 revert orders status x1 id=5", "T0/shop  > id=5 name=x status=new",
            "T2/shop id=5 name=x status=new > id=5 name=x status=paid", "T2/shop id=5 name=x status=paid > id=5 name=y status=new");
    CHANGES("LW002 revert other.orders status x1 id=5", "T0/shop  > id=5 name=x status=new",
            "T1/other id=5 name=x status=new > id=5 name=x status=paid", "T2/other id=5 name=x status=paid > id=5 name=y status=new");
    CHANGES("LW002 revert shop.orders status x1 id=5", "T0/shop  > id=5 name=x status=new", "T0/other  > id=5 name=x status=new",
            "T1/shop id=5 name=x status=new > id=5 name=x status=paid", "T2/shop id=5 name=x status=paid > id=5 name=y status=new");
    CHANGES_OF(TRACE_POSTGRESQL, "LW002 revert orders status x1 id=5", "T1/public id=5 name=x status=new > id=5 name=x status=paid",
               "T2/public id=5 name=x status=paid > id=5 name=y status=new");
    CHANGES_OF(TRACE_POSTGRESQL, "LW002 revert orders status x1 id=5", "T1/audit id=5 name=x status=new > id=5 name=x status=paid",
               "T2/audit id=5 name=x status=paid > id=5 name=y status=new");
    TOLD(TRACE_MYSQL, "", "A@shop", "B@other", "A SELECT id, count FROM counter WHERE id = 1 -> id=1 count=7",
         "B SELECT id, count FROM counter WHERE id = 1 -> id=1 count=7", "A UPDATE counter SET count = 8 WHERE id = 1 => 1",
         "B UPDATE counter SET count = 8 WHERE id = 1 => 1");
    TOLD(TRACE_MYSQL, "LW003 arithmetic other.counter count x1 id=1", "A@shop", "A SELECT id, count FROM counter WHERE id = 1", "A@other", "B@other",
         "A SELECT id, count FROM counter WHERE id = 1 -> id=1 count=7", "B SELECT id, count FROM counter WHERE id = 1 -> id=1 count=7",
         "A UPDATE counter SET count = 8 WHERE id = 1 => 1", "B UPDATE counter SET count = 8 WHERE id = 1 => 1");
    /* Of one database it does not matter who says so. */
    TOLD(TRACE_POSTGRESQL, "LW003 arithmetic counter count x1 id=1", "A@shop", "A " READ " -> id=1 count=7",
         "B " READ " -> id=1 count=7", "A " WRITE(8) " => 1", "B " WRITE(8) " => 1");
    TOLD(TRACE_POSTGRESQL, "LW007 duplicate vote user_id poll_id x1 user_id,poll_id=3,9", "C@shop", "A@other", "B@other", "A " LOOK " => 0",
         "B " LOOK " => 0", "A " VOTE " -> id=1", "B " VOTE " -> id=2");
    TOLD(TRACE_POSTGRESQL, "", "A@shop", "B@other", "A " LOOK " => 0", "B " LOOK " => 0", "A " VOTE " -> id=1", "B " VOTE " -> id=2");
}

#define PATHS(a, b, expected)                                                                                                    \
    TOLD(TRACE_POSTGRESQL, expected, "A " a, "B " b, "A " READ " -> id=1 count=7", "B " READ " -> id=1 count=7",                  \
         "A " WRITE(8) " => 1", "B " WRITE(8) " => 1")

static void search_path(void **state) {
    (void)state;
    PATHS("SET search_path = 'one', 'public'", "SET search_path = two,public", "");
    PATHS("SET SESSION search_path TO one", "SET search_path to \"one\"", "LW003 arithmetic counter count x1 id=1");
    PATHS("SET search_path = \"$user\", public", "SELECT 1", "LW003 arithmetic counter count x1 id=1");
    PATHS("SET search_path = public", "SET search_path TO DEFAULT", "LW003 arithmetic counter count x1 id=1");
    PATHS("SET LOCAL search_path = tome", "RESET search_path", "");
    PATHS("SET search_path =", "SET search_path", "LW003 arithmetic counter count x1 id=1");
}

/* MySQL's DDL ends what is open, also if it fails; PostgreSQL's is part of it. */
static void ddl_commits(void **state) {
    (void)state;
#define DDL(server, ddl, expected)                                                                                               \
    TOLD(server, expected, "B BEGIN", "B SELECT id, count FROM counter WHERE id = 1 -> id=1 count=7", "A BEGIN",                 \
         "A SELECT id, count FROM counter WHERE id = 1 -> id=1 count=7", "A UPDATE counter SET count = 8 WHERE id = 1 => 1",     \
         "A " ddl, "A ROLLBACK", "B UPDATE counter SET count = 8 WHERE id = 1 => 1", "B COMMIT")
    static const char lost[] = "LW003 arithmetic counter count x1 id=1";
    DDL(TRACE_MYSQL, "CREATE INDEX x ON t (a)", lost);
    DDL(TRACE_MYSQL, "create table t (id int primary key)", lost);
    DDL(TRACE_MYSQL, "TRUNCATE TABLE t", lost);
    DDL(TRACE_MYSQL, "LOCK TABLES t WRITE", lost);
    DDL(TRACE_MYSQL, "SET PASSWORD = 'x'", lost);
    DDL(TRACE_MYSQL, "DROP TABLE nothing !! 1051", lost);
    DDL(TRACE_MYSQL, "DROP TABLE , !! 1064", "");
    DDL(TRACE_MYSQL, "CREATE TEMPORARY TABLE t (id int)", "");
    DDL(TRACE_MYSQL, "DROP TEMPORARY TABLE t", "");
    DDL(TRACE_MYSQL, "SHOW CREATE TABLE t", "");
    DDL(TRACE_POSTGRESQL, "CREATE INDEX x ON t (a)", "");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_computed), cmocka_unit_test(in_no_serial_order), cmocka_unit_test(inferred), cmocka_unit_test(nothing_is_lost), cmocka_unit_test(written_back),
        cmocka_unit_test(lists), cmocka_unit_test(in_transactions), cmocka_unit_test(outcomes), cmocka_unit_test(duplicates), cmocka_unit_test(many_sessions), cmocka_unit_test(copy_is_counted), cmocka_unit_test(aliased), cmocka_unit_test(autocommit), cmocka_unit_test(comes_back), cmocka_unit_test(changed_rows), cmocka_unit_test(in_a_test), cmocka_unit_test(units),
        cmocka_unit_test(changed_unseen), cmocka_unit_test(changed_and_undone), cmocka_unit_test(changed_and_prepared), cmocka_unit_test(places), cmocka_unit_test(search_path), cmocka_unit_test(ddl_commits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
