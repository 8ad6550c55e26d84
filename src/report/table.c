#include "report/table.h"

#include "base/assert.h"
#include "engine/version.h"
#include "report/common.h"
#include "report/layout.h"

_Static_assert(POLICY_COUNT < 32, "one bit a policy");

/* Headings in two lines, so that the table fits into 80 columns. */
static const struct level {
    const char *name, *upper, *lower;
} levels[] = {
    {"read committed", "read", "committed"},
    {"repeatable read", "repeatable", "read"},
    {"snapshot isolation", "snapshot", "isolation"},
    {"serializable", "serializable", ""},
    {"immediate", "immediate", ""},
};

/* The policy of an engine at a level, or -1. */
static int policy_at(const struct report *report, enum engine_kind engine,
                     const struct level *level) {
    for (int i = 0; i < POLICY_COUNT; i++) {
        const struct db_config *config = &policy_info(i)->config;
        if (config->engine == engine && strcmp(level_name(config), level->name) == 0)
            return policy_is_there(&report->policies, (enum policy_id)i) ? i : -1;
    }
    return -1;
}

/* "mariadb", "mariadb 11.8". */
static void put_engine_cell(const struct report *report, enum engine_kind engine, struct buf *out) {
    buf_add_c(out, "  ");
    put_engine_name(engine, report->policies.version[engine], out);
}

/* Of the column of engines, two blanks at its end. */
static size_t engine_width(const struct report *report) {
    size_t width = 0;
    for (int engine = ENGINE_POSTGRESQL; engine <= ENGINE_SQLITE; engine++) {
        struct buf text = {0};
        put_engine_cell(report, (enum engine_kind)engine, &text);
        width = text.len > width ? text.len : width;
        buf_release(&text);
    }
    return width + 2;
}

void cell_print(const struct cell_verdict *cell, enum engine_kind engine, struct buf *out) {
    switch (cell->verdict) {
    case VERDICT_LOST:
        buf_add_c(out, "LOST");
        return;
    case VERDICT_OK:
        buf_add_c(out, "ok");
        return;
    case VERDICT_LIMIT:
        buf_add_c(out, "LIMIT");
        return;
    case VERDICT_DEADLOCK:
    case VERDICT_ERROR:
        buf_add_c(out, db_error_code(cell->error, engine));
        buf_add_c(out, cell->has_failed_effects ? " !" : "");
        return;
    }
}

enum style cell_style(const struct cell_verdict *cell) {
    switch (cell->verdict) {
    case VERDICT_LOST:
        return STYLE_RED;
    case VERDICT_OK:
        return STYLE_GREEN;
    default:
        return STYLE_YELLOW;
    }
}

static size_t column_width(size_t level) {
    size_t upper = strlen(levels[level].upper), lower = strlen(levels[level].lower);
    return (upper > lower ? upper : lower) + 2;
}

static void put_headings(const struct report *report, struct buf *out) {
    struct buf line = {0};
    for (size_t half = 0; half < 2; half++) {
        buf_clear(&line);
        buf_add_repeat(&line, ' ', engine_width(report));
        for (size_t i = 0; i < LW_COUNT_OF(levels); i++)
            buf_printf(&line, "%-*s", (int)column_width(i),
                       half == 0 ? levels[i].upper : levels[i].lower);
        struct str text = buf_str(&line);
        while (text.len > 0 && text.ptr[text.len - 1] == ' ')
            text.len--;
        put_styled(report, STYLE_BOLD, text, out);
        buf_add_char(out, '\n');
    }
    buf_release(&line);
}

static void put_engine(const struct report *report, enum engine_kind engine,
                       const struct cell_verdict *cells, const struct db_config *witness,
                       struct buf *out) {
    size_t start = out->len;
    put_engine_cell(report, engine, out);
    size_t missing = engine_width(report) - (out->len - start);
    for (size_t i = 0; i < LW_COUNT_OF(levels); i++) {
        int policy = policy_at(report, engine, &levels[i]);
        struct buf text = {0};
        buf_add_repeat(out, ' ', missing);
        if (policy < 0) {
            buf_add_char(out, '-');
            missing = column_width(i) - 1;
            continue;
        }
        cell_print(&cells[policy], engine, &text);
        if (witness != NULL && policy_is((enum policy_id)policy, witness))
            buf_add_c(&text, " *");
        put_styled(report, cell_style(&cells[policy]), buf_str(&text), out);
        missing = text.len < column_width(i) ? column_width(i) - text.len : 1;
        buf_release(&text);
    }
    buf_add_char(out, '\n');
}

/* One word for each mark and code that stands in the table. */
static void put_legend(const struct report *report, const struct cell_verdict *cells,
                       const struct db_config *witness, struct buf *out) {
    struct buf text = {0};
    bool has_effects = false, has_limit = false;
    const char *seen[POLICY_COUNT];
    size_t seen_count = 0;
    buf_add_c(&text, witness != NULL ? "* the witness's level; " : "");
    if (version_has(ENGINE_MARIADB, report->policies.version[ENGINE_MARIADB],
                    TRAIT_SNAPSHOT_ISOLATION_ON))
        buf_add_c(&text, "mariadb has snapshot isolation unless it is set off; ");
    for (int i = 0; i < POLICY_COUNT; i++) {
        has_limit |= cells[i].verdict == VERDICT_LIMIT;
        if (cells[i].verdict != VERDICT_ERROR && cells[i].verdict != VERDICT_DEADLOCK)
            continue;
        has_effects |= cells[i].has_failed_effects;
        const char *code = db_error_code(cells[i].error, policy_info(i)->config.engine);
        bool is_new = true;
        for (size_t k = 0; k < seen_count; k++)
            is_new &= strcmp(seen[k], code) != 0;
        if (!is_new)
            continue;
        seen[seen_count++] = code;
        buf_printf(&text, "%s %s; ", code, db_error_text(cells[i].error));
    }
    buf_add_c(&text, has_effects ? "! after an effect that stays; " : "");
    buf_add_c(&text, has_limit ? "LIMIT the search was cut off; " : "");
    buf_add_c(&text, "- no such level");
    buf_add_c(out, style(report, STYLE_DIM));
    put_wrapped(out, buf_str(&text), 2, 2, report_width(report));
    buf_add_c(out, style(report, STYLE_PLAIN));
    buf_release(&text);
}

void table_print(const struct report *report, const struct cell_verdict *cells,
                 const struct db_config *witness, struct buf *out) {
    put_headings(report, out);
    for (int engine = ENGINE_POSTGRESQL; engine <= ENGINE_SQLITE; engine++)
        put_engine(report, (enum engine_kind)engine, cells, witness, out);
    put_legend(report, cells, witness, out);
}

void count_table_print(const struct report *report, const struct cell_verdict *cells,
                       struct buf *out) {
    enum { NUMBERS_AT = 37 };
    size_t level_at = engine_width(report) - 1;
    buf_printf(out, "  %-*s%10s%10s%8s%10s%9s%8s%8s\n", NUMBERS_AT - 2, "every schedule", "schedules",
               "wrong", "serial.", "deadlock", "timeout", "unique", "waits");
    for (int i = 0; i < POLICY_COUNT; i++) {
        const struct db_config *config = &policy_info(i)->config;
        const struct counts *c = &cells[i].counts;
        size_t start = out->len;
        if (!policy_is_there(&report->policies, (enum policy_id)i))
            continue;
        put_engine_cell(report, config->engine, out);
        buf_add_repeat(out, ' ', level_at - (out->len - start));
        buf_printf(out, "%-*s%10llu%10llu%8llu%10llu%9llu%8llu%8llu%s\n",
                   (int)(NUMBERS_AT - level_at), level_name(config),
                   (unsigned long long)c->schedules, (unsigned long long)c->wrong,
                   (unsigned long long)c->serialization, (unsigned long long)c->deadlock,
                   (unsigned long long)c->timeout, (unsigned long long)c->unique,
                   (unsigned long long)c->waits, cells[i].is_complete ? "" : "  LIMIT");
    }
}

static uint32_t policies_of(enum engine_kind engine) {
    uint32_t policies = 0;
    for (int i = 0; i < POLICY_COUNT; i++)
        if (policy_info(i)->config.engine == engine)
            policies |= 1u << i;
    return policies;
}

void put_policies(uint32_t policies, uint32_t all, struct buf *out) {
    const char *between = "";
    for (int engine = ENGINE_POSTGRESQL; engine <= ENGINE_SQLITE; engine++) {
        uint32_t own = policies_of((enum engine_kind)engine), here = policies & own;
        if (here == 0)
            continue;
        buf_printf(out, "%s%s", between, engine_name((enum engine_kind)engine));
        between = "; ";
        const char *comma = " ";
        for (int i = 0; here != (all & own) && i < POLICY_COUNT; i++) {
            if (!(here & 1u << i))
                continue;
            buf_printf(out, "%s%s", comma, level_name(&policy_info(i)->config));
            comma = ", ";
        }
    }
}
