#include "engine/version.h"

#include "base/assert.h"

static const struct pos nowhere = {0, 0};

struct series {
    enum engine_kind engine;
    uint32_t first, last; /* of patch level 0 */
};

struct since {
    enum version_trait trait;
    enum engine_kind engine;
    uint32_t from, before; /* before 0: no end */
};

static const struct series all_series[] = {
#define SERIES(engine, first, last) {engine, first, last},
#include "engine/version.def"
};

static const struct since all_since[] = {
#define SINCE(trait, engine, from, before) {TRAIT_##trait, engine, from, before},
#include "engine/version.def"
};

uint32_t version_default(enum engine_kind engine) {
    static const uint32_t versions[] = {
#define DEFAULT(engine, version) [engine] = version,
#include "engine/version.def"
    };
    LW_ASSERT((size_t)engine < LW_COUNT_OF(versions));
    return versions[engine];
}

const char *version_trait_text(enum version_trait trait) {
    static const char *const texts[] = {
#define TRAIT(name, what) what,
#include "engine/version.def"
    };
    LW_ASSERT(trait < TRAIT_COUNT);
    return texts[trait];
}

bool version_has(enum engine_kind engine, uint32_t version, enum version_trait trait) {
    if (version == 0)
        version = version_default(engine);
    for (size_t i = 0; i < LW_COUNT_OF(all_since); i++) {
        const struct since *since = &all_since[i];
        if (since->engine == engine && since->trait == trait && version >= since->from &&
            (since->before == 0 || version < since->before))
            return true;
    }
    return false;
}

bool db_config_has(const struct db_config *config, enum version_trait trait) {
    bool has = version_has(config->engine, config->version, trait);
    struct db_twin *twin = config->twin;
    if (twin != NULL && version_has(twin->engine, twin->version, trait) != has)
        twin->differs = true;
    return has;
}

void version_print_since(enum engine_kind engine, enum version_trait trait, struct buf *out) {
    const char *between = "";
    for (size_t i = 0; i < LW_COUNT_OF(all_since); i++) {
        const struct since *since = &all_since[i];
        if (since->engine != engine || since->trait != trait)
            continue;
        buf_add_c(out, between);
        version_print(engine, since->from, out);
        buf_add_c(out, since->before == 0 ? " and later" : "");
        between = ", ";
    }
}

void version_print(enum engine_kind engine, uint32_t version, struct buf *out) {
    if (version == 0)
        version = version_default(engine);
    uint32_t patch = version % 100;
    buf_printf(out, "%u", version / 10000);
    if (engine != ENGINE_POSTGRESQL)
        buf_printf(out, ".%u", version / 100 % 100);
    if (patch != VERSION_PATCH_NEWEST && (engine != ENGINE_POSTGRESQL || patch != 0))
        buf_printf(out, ".%u", patch);
}

static bool is_known(enum engine_kind engine, uint32_t series) {
    for (size_t i = 0; i < LW_COUNT_OF(all_series); i++)
        if (all_series[i].engine == engine && series >= all_series[i].first &&
            series <= all_series[i].last)
            return true;
    return false;
}

/* "5.6 to 5.7, 8.0, 8.4" */
static void print_known(enum engine_kind engine, struct buf *out) {
    const char *between = "";
    for (size_t i = 0; i < LW_COUNT_OF(all_series); i++) {
        const struct series *series = &all_series[i];
        if (series->engine != engine)
            continue;
        buf_add_c(out, between);
        version_print(engine, series->first + VERSION_PATCH_NEWEST, out);
        if (series->last != series->first) {
            buf_add_c(out, " to ");
            version_print(engine, series->last + VERSION_PATCH_NEWEST, out);
        }
        between = ", ";
    }
}

/* Up to `count` numbers below 100 with points between them: how many, 0 if the text is something else. */
static size_t read_numbers(struct str text, uint32_t *numbers, size_t count) {
    size_t at = 0, found = 0;
    for (;;) {
        size_t start = at;
        uint32_t number = 0;
        for (; at < text.len && at < start + 2 && text.ptr[at] >= '0' && text.ptr[at] <= '9'; at++)
            number = number * 10 + (uint32_t)(text.ptr[at] - '0');
        if (at == start || found == count)
            return 0;
        numbers[found++] = number;
        if (at == text.len)
            return found;
        if (text.ptr[at++] != '.')
            return 0;
    }
}

bool version_parse(enum engine_kind engine, struct str text, uint32_t *version, struct err *err) {
    bool has_minor = engine != ENGINE_POSTGRESQL;
    uint32_t numbers[3] = {0};
    size_t series_len = has_minor ? 2 : 1;
    size_t count = read_numbers(text, numbers, series_len + 1);
    uint32_t series = numbers[0] * 10000 + (has_minor ? numbers[1] * 100 : 0);
    uint32_t patch = count > series_len ? numbers[series_len] : VERSION_PATCH_NEWEST;
    if (count >= series_len && is_known(engine, series)) {
        *version = series + patch;
        return true;
    }
    struct buf known = {0};
    print_known(engine, &known);
    err_set(err, nowhere, "unknown version '%.*s' of %s; known are %s", STR_ARG(text),
            engine_name(engine), known.ptr);
    buf_release(&known);
    return false;
}

struct db_config version_config(enum engine_kind engine, uint32_t version,
                                enum sql_isolation isolation) {
    LW_ASSERT(isolation != SQL_ISOLATION_DEFAULT);
    return (struct db_config){
        .engine = engine,
        .version = version,
        .isolation = isolation,
        .innodb_snapshot_isolation = version_has(engine, version, TRAIT_SNAPSHOT_ISOLATION_ON),
    };
}
