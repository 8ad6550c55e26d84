/* The names of engines and of their errors, from error.def. */
#include "engine/engine.h"

#include "base/assert.h"

struct error_names {
    const char *what, *postgresql, *mysql, *sqlite, *django;
};

static const struct error_names names[] = {
    {"no error", "-", "-", "-", "-"},
#define DB_ERROR(name, what, postgresql, mysql, sqlite, django)                                    \
    {what, postgresql, mysql, sqlite, django},
#include "engine/error.def"
#undef DB_ERROR
};

const char *engine_name(enum engine_kind engine) {
    static const char *const engines[] = {"postgresql", "mysql", "mariadb", "sqlite"};
    LW_ASSERT((size_t)engine < LW_COUNT_OF(engines));
    return engines[engine];
}

enum sql_dialect engine_dialect(enum engine_kind engine) {
    switch (engine) {
    case ENGINE_POSTGRESQL:
        return SQL_POSTGRESQL;
    case ENGINE_MYSQL:
    case ENGINE_MARIADB:
        return SQL_MYSQL;
    case ENGINE_SQLITE:
        return SQL_SQLITE;
    }
    LW_UNREACHABLE();
}

static const struct error_names *error_names(enum db_error error) {
    LW_ASSERT((size_t)error < LW_COUNT_OF(names));
    return &names[error];
}

const char *db_error_text(enum db_error error) {
    return error_names(error)->what;
}

const char *db_error_code(enum db_error error, enum engine_kind engine) {
    switch (engine) {
    case ENGINE_POSTGRESQL:
        return error_names(error)->postgresql;
    case ENGINE_MYSQL:
        return error == DB_ERROR_CHECK ? "3819" : error_names(error)->mysql;
    case ENGINE_MARIADB:
        return error_names(error)->mysql;
    case ENGINE_SQLITE:
        return error_names(error)->sqlite;
    }
    LW_UNREACHABLE();
}

const char *db_error_class(enum db_error error) {
    return error_names(error)->django;
}
