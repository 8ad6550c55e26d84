#include "innodb_script.h"

#include "base/assert.h"
#include "base/err.h"
#include "engine/engine.h"

#include <stdlib.h>

struct script {
    struct arena arena;
    struct text_pool pool;
    struct schema schema;
    struct db_config config;
    size_t session_count;
    VEC(struct sql_stmt *) loads;
    struct db *db;
    struct buf *out;
};

static struct str take_word(struct str *line) {
    size_t end = str_find(*line, ' ', 0);
    struct str word = str_sub(*line, 0, end);
    *line = str_sub(*line, end < line->len ? end + 1 : end, line->len);
    return word;
}

static bool complain(struct script *script, const char *what, const struct err *err) {
    buf_printf(script->out, "! %s: %s\n", what, err != NULL ? err->message : "");
    return false;
}

static void script_clear(struct script *script) {
    struct buf *out = script->out;
    if (script->db != NULL)
        db_free(script->db);
    arena_release(&script->arena);
    *script = (struct script){.out = out};
}

static bool script_case(struct script *script, struct str line) {
    static const char *const levels[] = {"?", "ru", "rc", "rr", "ser"};
    script_clear(script);
    text_pool_init(&script->pool, &script->arena);
    struct str engine = take_word(&line), level = take_word(&line);
    bool known = false;
    for (int e = ENGINE_POSTGRESQL; e <= ENGINE_SQLITE; e++) {
        if (!str_is(engine, engine_name((enum engine_kind)e)))
            continue;
        script->config.engine = (enum engine_kind)e;
        known = true;
    }
    for (size_t i = 1; i < LW_COUNT_OF(levels); i++)
        if (str_is(level, levels[i]))
            script->config.isolation = (enum sql_isolation)i;
    script->session_count = 2;
    while (line.len > 0) {
        struct str option = take_word(&line);
        if (str_is(option, "si"))
            script->config.innodb_snapshot_isolation = true;
        else if (str_is(option, "immediate"))
            script->config.sqlite_immediate = true;
        else if (str_starts(option, "sessions="))
            script->session_count = (size_t)(option.ptr[9] - '0');
        else
            return complain(script, "unknown option", NULL);
    }
    return (known && script->config.isolation != SQL_ISOLATION_DEFAULT) ||
           complain(script, "unknown engine or level", NULL);
}

static struct sql_stmt *script_parse(struct script *script, struct str sql, bool resolves) {
    struct err err = {0};
    struct sql_stmt *stmt = NULL;
    sql = str_dup(&script->arena, sql); /* the tree keeps slices of it */
    if (sql_parse(&script->arena, &script->pool, sql, (struct pos){1, 1},
                  engine_dialect(script->config.engine), &stmt, &err) &&
        (!resolves || sql_resolve(&script->arena, &script->schema, stmt, &err)))
        return stmt;
    complain(script, "not understood", &err);
    return NULL;
}

static bool script_start(struct script *script) {
    struct err err = {0};
    script->db = db_new(&script->config, &script->schema, &script->pool, script->session_count);
    for (size_t i = 0; i < script->loads.count; i++)
        if (!db_load(script->db, script->loads.items[i], &err))
            return complain(script, "load", &err);
    return true;
}

static const char *error_name(enum db_error error) {
    static const char *const names[] = {
        "OK",
#define DB_ERROR(name, what, postgresql, mysql, sqlite, django) #name,
#include "engine/error.def"
#undef DB_ERROR
    };
    return names[error];
}

static void print_result(struct script *script, size_t session, const struct db_result *result) {
    struct buf *out = script->out;
    buf_printf(out, "%c ", (char)('A' + session));
    if (result->status == DB_BLOCKED) {
        buf_add_c(out, "blocked\n");
        return;
    }
    if (result->status == DB_FAILED) {
        buf_printf(out, "error %s%s\n", error_name(result->error),
                   result->ended_transaction ? " ended" : "");
        return;
    }
    if (result->column_count == 0) {
        buf_printf(out, "ok affected %lld\n", (long long)result->affected);
        return;
    }
    buf_add_c(out, "ok");
    for (size_t row = 0; row < result->row_count; row++) {
        for (size_t i = 0; i < result->column_count; i++) {
            buf_add_c(out, i == 0 ? " (" : ",");
            value_print(&script->pool, result->rows[row * result->column_count + i], out);
        }
        buf_add_c(out, ")");
    }
    buf_add_char(out, '\n');
}

static void resume_all(struct script *script) {
    struct db_result result;
    for (int session; (session = db_resume(script->db, &result)) != DB_NO_SESSION;)
        print_result(script, (size_t)session, &result);
}

static bool script_do(struct script *script, struct str line, bool is_timeout) {
    struct str name = take_word(&line);
    struct db_result result;
    size_t session = name.len == 1 ? (size_t)(name.ptr[0] - 'A') : SIZE_MAX;
    if (script->db == NULL || session >= script->session_count)
        return complain(script, "no such session", NULL);
    if (db_is_waiting(script->db, session) != is_timeout)
        return complain(script, "that session waits, or does not", NULL);
    if (is_timeout) {
        db_timeout(script->db, session, &result);
    } else {
        struct sql_stmt *stmt = script_parse(script, line, true);
        if (stmt == NULL)
            return false;
        db_exec(script->db, session, stmt, NULL, &result);
    }
    print_result(script, session, &result);
    resume_all(script);
    return true;
}

static bool script_line(struct script *script, struct str line) {
    struct err err = {0};
    struct str command = take_word(&line);
    struct sql_stmt *stmt;
    if (str_is(command, "case"))
        return script_case(script, line);
    if (str_is(command, "start"))
        return script_start(script);
    if (str_is(command, "do") || str_is(command, "timeout"))
        return script_do(script, line, str_is(command, "timeout"));
    if (str_is(command, "ddl"))
        return (stmt = script_parse(script, line, false)) != NULL &&
               (schema_apply(&script->arena, &script->schema, stmt, &err) ||
                complain(script, "ddl", &err));
    if (!str_is(command, "load"))
        return complain(script, "unknown command", NULL);
    if ((stmt = script_parse(script, line, true)) == NULL)
        return false;
    VEC_PUSH(&script->arena, &script->loads, stmt);
    return true;
}

struct script *script_new(void) {
    struct script *script = mem_alloc(sizeof *script);
    *script = (struct script){0};
    return script;
}

void script_free(struct script *script) {
    script_clear(script);
    free(script);
}

bool script_command(struct script *script, struct str line, struct buf *out) {
    script->out = out;
    return line.len == 0 || script_line(script, line);
}

bool script_serve(void) {
    struct script *script = script_new();
    struct buf out = {0};
    char *line = NULL;
    size_t capacity = 0;
    bool good = true;
    for (ssize_t len; (len = getline(&line, &capacity, stdin)) > 0;) {
        if (line[len - 1] == '\n')
            len--;
        buf_clear(&out);
        good = script_command(script, (struct str){line, (size_t)len}, &out) && good;
        buf_add_c(&out, ".\n");
        fwrite(out.ptr, 1, out.len, stdout);
        fflush(stdout);
    }
    free(line);
    buf_release(&out);
    script_free(script);
    return good;
}
