/* For people: a table of two columns for each move, a sentence for each level at which something changes, and the
 * schedules that show the first of them. */
#include "report/compare.h"

#include "engine/version.h"
#include "report/brief.h"
#include "report/common.h"
#include "report/difference.h"
#include "report/layout.h"
#include "report/table.h"
#include "report/timeline.h"

enum { COLUMN_GAP = 3 };

static bool has_error(const struct cell_verdict *cell) {
    return cell->verdict == VERDICT_ERROR || cell->verdict == VERDICT_DEADLOCK;
}

bool compare_differs(const struct compare_run *run, const struct compare_cell *from,
                     const struct compare_cell *to) {
    const struct cell_verdict *a = &from->cell, *b = &to->cell;
    if (a->verdict != b->verdict)
        return true;
    if (has_error(a) && strcmp(db_error_code(a->error, from->config.engine),
                               db_error_code(b->error, to->config.engine)) != 0)
        return true;
    if (has_error(a) && a->has_failed_effects != b->has_failed_effects)
        return true;
    const struct counts *x = &a->counts, *y = &b->counts;
    return run->has_counts && (x->wrong != y->wrong || x->serialization != y->serialization ||
                               x->deadlock != y->deadlock || x->timeout != y->timeout ||
                               x->unique != y->unique);
}

/* Words. */

static void put_error(const struct compare_cell *cell, struct buf *out) {
    buf_printf(out, "error %s (%s)", db_error_code(cell->cell.error, cell->config.engine),
               db_error_text(cell->cell.error));
}

/* What an error asks of the program. */
static void put_advice(const struct compare_cell *to, struct buf *out) {
    switch (to->cell.error) {
    case DB_ERROR_SERIALIZATION:
    case DB_ERROR_DEADLOCK:
    case DB_ERROR_CHANGED_ROW:
        buf_add_c(out, "; the whole transaction is rolled back and has to be run again");
        break;
    case DB_ERROR_LOCK_TIMEOUT:
    case DB_ERROR_BUSY_SNAPSHOT:
        buf_add_c(out, "; it has to be run again");
        break;
    default:
        break;
    }
    if (to->cell.has_failed_effects)
        buf_add_c(out, "; what it had done outside the database before stays done");
}

/* " (LW003 read-modify-write)": the first culprit of a schedule. */
static void put_rule(const struct compare_end *end, struct buf *out) {
    if (end->witness.culprits.count == 0)
        return;
    enum rule rule = end->witness.culprits.items[0].rule;
    buf_printf(out, " (%s %s)", rule_code(rule), rule_name(rule));
}

/* "on mariadb 11.8"; of two levels of one server "at serializable". */
static void put_where(const struct compare_cell *cell, const struct compare_cell *other,
                      struct buf *out) {
    if (cell->config.engine == other->config.engine &&
        cell->config.version == other->config.version) {
        buf_printf(out, "at %s ", level_name(&cell->config));
        return;
    }
    buf_add_c(out, "on ");
    put_engine_name(cell->config.engine, cell->config.version, out);
    buf_add_char(out, ' ');
}

/* How one cell ends, in the light of how the other does. */
static void put_end(const struct compare_cell *cell, const struct compare_cell *other,
                    const struct compare_end *end, struct buf *out) {
    bool is_lost_there = other->cell.verdict == VERDICT_LOST;
    put_where(cell, other, out);
    switch (cell->cell.verdict) {
    case VERDICT_LOST:
        buf_add_c(out, "a write can be lost");
        put_rule(end, out);
        return;
    case VERDICT_OK:
        buf_add_c(out, is_lost_there ? "none is" : "every schedule ends well");
        return;
    case VERDICT_ERROR:
    case VERDICT_DEADLOCK:
        buf_add_c(out, is_lost_there ? "none is: a session gets " : "some schedules end with ");
        put_error(cell, out);
        put_advice(cell, out);
        return;
    case VERDICT_LIMIT:
        buf_add_c(out, "the search was cut off");
        return;
    }
}

static uint64_t failed_count(const struct counts *counts) {
    return counts->serialization + counts->deadlock + counts->timeout + counts->unique;
}

static void put_cell_counts(const struct compare_cell *cell, const struct compare_cell *other,
                       struct buf *out) {
    const struct counts *counts = &cell->cell.counts;
    put_where(cell, other, out);
    buf_printf(out, "%llu of %llu schedules end wrong, %llu with an error",
               (unsigned long long)counts->wrong, (unsigned long long)counts->schedules,
               (unsigned long long)failed_count(counts));
}

void compare_words(const struct compare_run *run, size_t move, const struct compare_pair *pair,
                   struct buf *out) {
    const struct compare_cell *from = &run->sides[move].cells[pair->from],
                              *to = &run->sides[move + 1].cells[pair->to];
    if (!compare_differs(run, from, to))
        return;
    bool is_same = from->cell.verdict == to->cell.verdict && from->cell.error == to->cell.error &&
                   from->cell.has_failed_effects == to->cell.has_failed_effects;
    if (is_same) {
        put_cell_counts(from, to, out);
        buf_add_c(out, "; ");
        put_cell_counts(to, from, out);
        return;
    }
    /* "none is" needs the loss before it. */
    bool is_turned = to->cell.verdict == VERDICT_LOST && from->cell.verdict != VERDICT_LIMIT;
    if (is_turned)
        put_end(to, from, &pair->to_end, out);
    else
        put_end(from, to, &pair->from_end, out);
    buf_add_c(out, "; ");
    if (is_turned)
        put_end(from, to, &pair->from_end, out);
    else
        put_end(to, from, &pair->to_end, out);
}

/* The table. */

static void put_side(const struct compare_side *side, struct buf *out) {
    put_engine_name(side->engine, side->version, out);
}

/* As people ask for it: where snapshot isolation is what the version makes of REPEATABLE READ, that is its name. */
static const char *asked_level(const struct db_config *config) {
    return is_snapshot_isolation(config) && db_config_has(config, TRAIT_SNAPSHOT_ISOLATION_ON)
               ? "repeatable read"
               : level_name(config);
}

/* "repeatable read"; of two different levels both. */
static void put_pair_level(const struct compare_cell *from, const struct compare_cell *to,
                           struct buf *out) {
    const char *a = asked_level(&from->config), *b = asked_level(&to->config);
    buf_add_c(out, a);
    if (strcmp(a, b) != 0)
        buf_printf(out, " -> %s", b);
}

static void put_cell_text(const struct compare_run *run, const struct compare_cell *cell,
                          struct buf *out) {
    cell_print(&cell->cell, cell->config.engine, out);
    if (run->has_counts)
        buf_printf(out, " %llu/%llu", (unsigned long long)cell->cell.counts.wrong,
                   (unsigned long long)cell->cell.counts.schedules);
    buf_add_c(out, cell->is_default ? " *" : "");
}

static size_t level_width(const struct compare_run *run, size_t move) {
    const struct compare_move *m = &run->moves[move];
    size_t width = 0;
    for (size_t i = 0; i < m->pair_count; i++) {
        struct buf text = {0};
        put_pair_level(&run->sides[move].cells[m->pairs[i].from],
                       &run->sides[move + 1].cells[m->pairs[i].to], &text);
        width = text.len > width ? text.len : width;
        buf_release(&text);
    }
    return width + COLUMN_GAP;
}

static void put_padded(struct str text, size_t width, struct buf *out) {
    buf_add(out, text);
    buf_add_repeat(out, ' ', text.len < width ? width - text.len : 1);
}

static void put_table(const struct report *report, const struct compare_run *run, size_t move,
                      struct buf *out) {
    const struct compare_move *m = &run->moves[move];
    const struct compare_side *from = &run->sides[move], *to = &run->sides[move + 1];
    struct buf text = {0};
    size_t first = level_width(run, move), second;
    put_side(from, &text);
    second = (text.len > 14 ? text.len : 14) + COLUMN_GAP;
    buf_add_repeat(out, ' ', first + 2);
    put_padded(buf_str(&text), second, out);
    put_side(to, out);
    buf_add_char(out, '\n');
    for (size_t i = 0; i < m->pair_count; i++) {
        const struct compare_cell *a = &from->cells[m->pairs[i].from],
                                  *b = &to->cells[m->pairs[i].to];
        buf_clear(&text);
        put_pair_level(a, b, &text);
        buf_add_c(out, "  ");
        put_padded(buf_str(&text), first, out);
        buf_clear(&text);
        put_cell_text(run, a, &text);
        put_styled(report, cell_style(&a->cell), buf_str(&text), out);
        buf_add_repeat(out, ' ', text.len < second ? second - text.len : 1);
        buf_clear(&text);
        put_cell_text(run, b, &text);
        put_styled(report, cell_style(&b->cell), buf_str(&text), out);
        buf_add_c(out, compare_differs(run, a, b) ? "   <- changes\n" : "\n");
    }
    buf_release(&text);
}

static void put_legend(const struct report *report, const struct compare_run *run, size_t move,
                       struct buf *out) {
    struct buf text = {0};
    buf_add_c(&text, "* the level of a session that asks for none; ");
    for (size_t s = move; s < move + 2; s++) {
        const struct compare_side *side = &run->sides[s];
        if (version_has(side->engine, side->version, TRAIT_SNAPSHOT_ISOLATION_ON)) {
            put_side(side, &text);
            buf_add_c(&text, " has innodb_snapshot_isolation ON; ");
        }
        for (size_t i = 0; i < side->cell_count; i++) {
            const struct cell_verdict *cell = &side->cells[i].cell;
            struct buf word = {0};
            if (has_error(cell))
                buf_printf(&word, "%s %s; ", db_error_code(cell->error, side->engine),
                           db_error_text(cell->error));
            if (word.len > 0 && strstr(text.ptr, word.ptr) == NULL)
                buf_add(&text, buf_str(&word));
            if (cell->has_failed_effects && strstr(text.ptr, "! after") == NULL)
                buf_add_c(&text, "! after an effect that stays; ");
            buf_release(&word);
        }
    }
    text.len -= 2;
    buf_add_c(out, style(report, STYLE_DIM));
    put_wrapped(out, buf_str(&text), 2, 2, report_width(report));
    buf_add_c(out, style(report, STYLE_PLAIN));
    buf_release(&text);
}

/* What changes. */

static void put_change(const struct report *report, const struct compare_run *run, size_t move,
                       const struct compare_pair *pair, struct buf *out) {
    struct buf text = {0};
    compare_words(run, move, pair, &text);
    if (text.len > 0) {
        struct buf line = {0};
        buf_add_c(&line, "At ");
        put_pair_level(&run->sides[move].cells[pair->from], &run->sides[move + 1].cells[pair->to],
                       &line);
        buf_printf(&line, ": %s.", text.ptr);
        put_wrapped(out, buf_str(&line), 2, 2, report_width(report));
        buf_release(&line);
    }
    buf_release(&text);
}

/* What the first culprit writes is what the reader looks at. */
static struct focus focus_of(struct arena *arena, const struct compare_run *run,
                             const struct compare_end *end) {
    const struct culprit *culprit =
        end->witness.culprits.count > 0 ? &end->witness.culprits.items[0] : NULL;
    if (culprit == NULL || culprit->table >= run->setup->schema->tables.count)
        return (struct focus){0};
    const struct table *table = run->setup->schema->tables.items[culprit->table];
    struct str *columns = ARENA_ARRAY(arena, struct str, culprit->columns.count);
    for (size_t i = 0; i < culprit->columns.count; i++)
        columns[i] = table->columns.items[culprit->columns.items[i]].name;
    return (struct focus){table->name, columns, culprit->columns.count};
}

static void put_schedule(const struct report *report, const struct compare_run *run,
                         const struct compare_cell *cell, const struct compare_end *end,
                         const char *heading, const struct focus *focus, struct buf *out) {
    struct timeline timeline = {
        .report = report,
        .witness = &end->witness,
        .session_count = run->setup->session_count,
        .brief = {.pool = report->pool, .engine = cell->config.engine, .focus = *focus}};
    timeline.path = run->setup->sessions[0].program->span.path;
    if (end->witness.culprits.count > 0)
        timeline.culprit = &end->witness.culprits.items[0];
    buf_add_c(out, "\n  ");
    put_styled(report, STYLE_BOLD, str_from_c(heading), out);
    buf_add_c(out, " on ");
    put_level(&cell->config, out);
    buf_add_c(out, ":\n");
    timeline_print(&timeline, out);
    difference_print(report, &end->witness.ending, &end->serial, out);
}

/* The schedule on the server whose witness it is, then on the other. */
static void put_ends(const struct report *report, const struct compare_run *run, size_t move,
                     const struct compare_pair *pair, struct buf *out) {
    const struct compare_cell *cells[] = {&run->sides[move].cells[pair->from],
                                          &run->sides[move + 1].cells[pair->to]};
    const struct compare_end *ends[] = {&pair->from_end, &pair->to_end};
    int first = pair->is_of_to ? 1 : 0;
    struct arena scratch = {0};
    struct focus focus = focus_of(&scratch, run, ends[first]);
    put_schedule(report, run, cells[first], ends[first],
                 cells[first]->cell.verdict == VERDICT_LOST ? "Witness" : "What happens", &focus,
                 out);
    put_schedule(report, run, cells[1 - first], ends[1 - first], "The same schedule", &focus, out);
    arena_release(&scratch);
}

/* The pair to show: the first of which one side loses and the other doesn't, else the first that differs. */
static const struct compare_pair *shown_pair(const struct compare_run *run, size_t move) {
    const struct compare_pair *shown = NULL;
    for (size_t i = 0; i < run->moves[move].pair_count; i++) {
        const struct compare_pair *pair = &run->moves[move].pairs[i];
        const struct compare_cell *from = &run->sides[move].cells[pair->from],
                                  *to = &run->sides[move + 1].cells[pair->to];
        bool is_loss = (from->cell.verdict == VERDICT_LOST) != (to->cell.verdict == VERDICT_LOST);
        if (compare_differs(run, from, to) && is_loss)
            return pair;
        if (compare_differs(run, from, to) && shown == NULL)
            shown = pair;
    }
    return shown;
}

static void put_move(const struct report *report, const struct compare_run *run, size_t move,
                     struct buf *out) {
    const struct compare_side *from = &run->sides[move], *to = &run->sides[move + 1];
    const struct compare_move *m = &run->moves[move];
    struct buf heading = {0};
    buf_add_c(&heading, "from ");
    put_side(from, &heading);
    buf_add_c(&heading, " to ");
    put_side(to, &heading);
    put_styled(report, STYLE_BOLD, buf_str(&heading), out);
    buf_release(&heading);
    buf_add_c(out, "\n\n");
    put_table(report, run, move, out);
    put_legend(report, run, move, out);
    buf_add_char(out, '\n');
    const struct compare_pair *shown = shown_pair(run, move);
    for (size_t i = 0; i < m->pair_count; i++)
        put_change(report, run, move, &m->pairs[i], out);
    if (shown == NULL)
        buf_add_c(out, "  Nothing changes.\n");
    else if (shown->has_ends)
        put_ends(report, run, move, shown, out);
}

void report_compare_text(const struct report *report, const struct compare_run *runs,
                         size_t run_count, struct buf *out) {
    for (size_t i = 0; i < run_count; i++) {
        const struct compare_run *run = &runs[i];
        buf_add_c(out, style(report, STYLE_BOLD));
        if (run->name.len > 0)
            buf_printf(out, "%.*s: ", STR_ARG(run->name));
        for (size_t k = 0; k < run->setup->session_count; k++)
            buf_printf(out, "%s%c %.*s", k > 0 ? " || " : "", session_letter((uint8_t)k),
                       STR_ARG(run->symbols[k]));
        buf_printf(out, "%s\n", style(report, STYLE_PLAIN));
        for (size_t move = 0; move + 1 < run->side_count; move++) {
            put_move(report, run, move, out);
            buf_add_char(out, '\n');
        }
    }
}
