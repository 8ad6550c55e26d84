/* Specs of the isolation tester: any bytes are read; one of few orders is run on the built-in engine, too, whatever SQL
 * stands in it. */
#include "base/assert.h"
#include "spec/builtin.h"
#include "spec/run.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PERMUTATIONS_RUN_MAX = 8, BYTES_RUN_MAX = 4096 };

static void count_bytes(void *context, struct str text) {
    *(size_t *)context += text.len;
}

/* Rows by the thousand take their time. */
static bool has_series(struct str text) {
    for (size_t at = str_find(text, '_', 0); at < text.len; at = str_find(text, '_', at + 1))
        if (text.len - at >= 7 && str_equal_nocase(str_sub(text, at, at + 7), STR("_series")))
            return true;
    return false;
}

static void run(const struct spec *spec) {
    size_t bytes = 0;
    struct spec_run_options options = {.write = count_bytes, .context = &bytes};
    struct spec_counts counts;
    struct err err;
    struct builtin *builtin = builtin_new(spec, SQL_READ_COMMITTED);
    bool ok = spec_run(spec, builtin_server(builtin), &options, &counts, &err);
    LW_ASSERT(bytes > 0);
    LW_ASSERT(ok ? counts.permutations == spec_permutation_count(spec) : err.message[0] != '\0');
    builtin_free(builtin);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct arena arena = {0};
    struct str text = {(const char *)data, size};
    struct spec *spec;
    struct err err;
    if (spec_parse(&arena, text, &spec, &err)) {
        if (spec_permutation_count(spec) <= PERMUTATIONS_RUN_MAX && size <= BYTES_RUN_MAX &&
            spec->sessions.count <= DB_SESSIONS_MAX && !has_series(text))
            run(spec);
    } else {
        LW_ASSERT(err.pos.line > 0 && err.pos.column > 0 && err.message[0] != '\0');
    }
    arena_release(&arena);
    return 0;
}
