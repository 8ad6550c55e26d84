/* How fast the built-in engines are: copies of a small database, and steps (a SELECT and an
 * UPDATE by primary key, an INSERT), each on a fresh copy as a search makes them. Prints
 * nanoseconds of CPU time each.
 *
 *     bench_engine [ROUNDS]
 */
#include "engine/engine.h"
#include "base/assert.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static const char *const setup[] = {
    "CREATE TABLE counter (id integer PRIMARY KEY, name varchar(20), count integer NOT NULL)",
    "CREATE TABLE entry (id serial PRIMARY KEY, n integer, counter_id integer REFERENCES counter)",
    "INSERT INTO counter VALUES (1, 'a', 0), (2, 'b', 5), (3, 'c', 7)",
    "INSERT INTO entry (counter_id, n) VALUES (1, 1), (1, 2), (2, 3)",
};

static const char *const steps[] = {
    "SELECT id, name, count FROM counter WHERE id = :id",
    "UPDATE counter SET name = 'x', count = 1 WHERE id = :id",
    "INSERT INTO entry (counter_id, n) VALUES (:id, 4)",
};

struct bench {
    struct arena arena;
    struct text_pool pool;
    struct schema schema;
    enum engine_kind engine;
    long rounds;
};

static double seconds_now(void) {
    struct timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static struct sql_stmt *bench_stmt(struct bench *bench, const char *sql) {
    struct sql_stmt *stmt = NULL;
    struct err err;
    struct pos start = {1, 1};
    if (!sql_parse(&bench->arena, &bench->pool, str_from_c(sql), start,
                   engine_dialect(bench->engine), &stmt, &err)) {
        fprintf(stderr, "%s: %s\n", sql, err.message);
        exit(1);
    }
    bool is_ddl = stmt->kind == SQL_STMT_CREATE_TABLE;
    bool ok = is_ddl ? schema_apply(&bench->arena, &bench->schema, stmt, &err)
                     : sql_resolve(&bench->arena, &bench->schema, stmt, &err);
    if (!ok) {
        fprintf(stderr, "%s: %s\n", sql, err.message);
        exit(1);
    }
    return stmt;
}

static struct db *bench_db(struct bench *bench, enum sql_isolation isolation) {
    struct db_config config = {.engine = bench->engine, .isolation = isolation};
    struct db *db = NULL;
    struct err err;
    for (size_t i = 0; i < LW_COUNT_OF(setup); i++) {
        struct sql_stmt *stmt = bench_stmt(bench, setup[i]);
        if (stmt->kind == SQL_STMT_CREATE_TABLE)
            continue;
        if (db == NULL)
            db = db_new(&config, &bench->schema, &bench->pool, 2);
        if (!db_load(db, stmt, &err)) {
            fprintf(stderr, "%s: %s\n", setup[i], err.message);
            exit(1);
        }
    }
    return db;
}

static double time_copies(const struct bench *bench, struct db *into, const struct db *from) {
    double began = seconds_now();
    for (long i = 0; i < bench->rounds; i++)
        db_copy(into, from);
    return (seconds_now() - began) / (double)bench->rounds;
}

/* A step within a transaction, without the copy before it. */
static double time_step(const struct bench *bench, struct db *into, const struct db *from,
                        const struct sql_stmt *stmt, double copy_s) {
    struct db_bind bind = {.kind = DB_BIND_VALUE, .value = value_int(2)};
    struct db_result result;
    double began = seconds_now();
    for (long i = 0; i < bench->rounds; i++) {
        db_copy(into, from);
        db_exec(into, 0, stmt, &bind, &result);
        if (result.status != DB_OK) {
            fprintf(stderr, "%s: %s\n", db_error_text(result.error), result.detail);
            exit(1);
        }
    }
    return (seconds_now() - began) / (double)bench->rounds - copy_s;
}

static void bench_run(enum engine_kind engine, enum sql_isolation isolation, long rounds) {
    struct bench bench = {.engine = engine, .rounds = rounds};
    text_pool_init(&bench.pool, &bench.arena);
    struct db *db = bench_db(&bench, isolation);
    struct db *copy = db_copy_new(db);
    struct db_result result;
    db_exec(db, 0, bench_stmt(&bench, "BEGIN"), NULL, &result);
    double copy_s = time_copies(&bench, copy, db);
    printf("%-11s %-16s copy %5.0f ns", engine_name(engine), sql_isolation_name(isolation),
           copy_s * 1e9);
    double all_s = 0;
    for (size_t i = 0; i < LW_COUNT_OF(steps); i++) {
        struct sql_stmt *stmt = bench_stmt(&bench, steps[i]);
        double step_s = time_step(&bench, copy, db, stmt, copy_s);
        all_s += step_s;
        printf("  %.6s %5.0f ns", steps[i], step_s * 1e9);
    }
    printf("  %8.0f steps/s\n", (double)LW_COUNT_OF(steps) / (all_s + 3 * copy_s));
    db_free(copy);
    db_free(db);
    arena_release(&bench.arena);
}

int main(int argc, char **argv) {
    long rounds = argc > 1 ? strtol(argv[1], NULL, 10) : 200000;
    if (rounds <= 0) {
        fprintf(stderr, "usage: bench_engine [ROUNDS]\n");
        return 2;
    }
    for (enum sql_isolation level = SQL_READ_COMMITTED; level <= SQL_SERIALIZABLE; level++) {
        bench_run(ENGINE_POSTGRESQL, level, rounds);
        bench_run(ENGINE_MARIADB, level, rounds);
    }
    return 0;
}
