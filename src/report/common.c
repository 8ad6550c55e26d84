#include "report/common.h"

#include "engine/version.h"

const char *level_name(const struct db_config *config) {
    if (config->engine == ENGINE_SQLITE)
        return config->sqlite_immediate ? "immediate" : "serializable";
    if (is_snapshot_isolation(config))
        return "snapshot isolation";
    switch (config->isolation) {
    case SQL_READ_COMMITTED:
        return "read committed";
    case SQL_REPEATABLE_READ:
        return "repeatable read";
    default:
        return "serializable";
    }
}

void line_result(const struct witness_line *line, struct buf *out) {
    if (line->waits_for.len > 0)
        buf_printf(out, "waits for %.*s", STR_ARG(line->waits_for));
    else
        buf_add(out, line->result);
}

void put_engine_name(enum engine_kind engine, uint32_t version, struct buf *out) {
    buf_add_c(out, engine_name(engine));
    if (version == 0)
        return;
    buf_add_char(out, ' ');
    version_print(engine, version, out);
}

void put_level(const struct db_config *config, struct buf *out) {
    put_engine_name(config->engine, config->version, out);
    buf_printf(out, ", %s", level_name(config));
}

size_t report_width(const struct report *report) {
    enum { WIDTH_DEFAULT = 100, WIDTH_MIN = 60, WIDTH_MAX = 160 };
    if (report->width == 0)
        return WIDTH_DEFAULT;
    return report->width < WIDTH_MIN   ? WIDTH_MIN
           : report->width > WIDTH_MAX ? WIDTH_MAX
                                       : report->width;
}

struct str report_source_line(const struct report *report, struct txn_span span, uint32_t line) {
    if (report->source == NULL || span.path.len == 0)
        return (struct str){0};
    return text_line(report->source(report->source_context, span.path), line);
}
