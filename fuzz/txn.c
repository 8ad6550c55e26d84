/* The notation: any bytes are read in each dialect. What is read must survive printing: the
 * printed text is read again, to an equal scenario, and prints the same once more. */
#include "base/assert.h"
#include "program/notation.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void round_trip(struct str text, enum sql_dialect dialect) {
    struct arena arena = {0};
    struct text_pool pool;
    struct txn_scenario *first, *second;
    struct err err;
    struct buf printed = {0}, again = {0};
    arena_init(&arena);
    text_pool_init(&pool, &arena);
    if (txn_parse(&arena, &pool, STR("fuzz.txn"), text, dialect, &first, &err)) {
        txn_print(first, &pool, dialect, &printed);
        bool is_read =
            txn_parse(&arena, &pool, STR("fuzz.txn"), buf_str(&printed), dialect, &second, &err);
        if (!is_read) {
            fprintf(stderr, "%u:%u: %s in\n%s", err.pos.line, err.pos.column, err.message,
                    printed.ptr);
            LW_ASSERT(is_read);
        }
        txn_print(second, &pool, dialect, &again);
        if (!txn_equal(first, second, &pool) || !str_equal(buf_str(&printed), buf_str(&again))) {
            fprintf(stderr, "%s\nis read as\n%s", printed.ptr, again.ptr);
            LW_UNREACHABLE();
        }
    } else {
        LW_ASSERT(err.pos.line > 0 && err.pos.column > 0 && err.message[0] != '\0');
    }
    buf_release(&printed);
    buf_release(&again);
    arena_release(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct str text = {(const char *)data, size};
    round_trip(text, SQL_POSTGRESQL);
    round_trip(text, SQL_MYSQL);
    round_trip(text, SQL_SQLITE);
    return 0;
}
