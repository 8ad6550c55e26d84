/* Ends are compared fact by fact: a row's being there, the value of a column, how often an effect happened, how
 * a session went. A fact that is the same in all ends is not worth a word. */
#include "report/difference.h"

#include "report/common.h"
#include "report/layout.h"

enum { ENDS_MAX = DB_SESSIONS_MAX + 1, FACTS_SHOWN_MAX = 5 };

enum fact_kind { FACT_ROW, FACT_COLUMN, FACT_EFFECT, FACT_FATE };

struct fact {
    enum fact_kind kind;
    const struct ending_table *table; /* ROW, COLUMN; of whichever end */
    struct str key;            /* of the row; EFFECT: its name */
    uint16_t column;           /* COLUMN; FATE: the session */
};

struct difference {
    struct arena arena;
    const struct ending *ends[ENDS_MAX]; /* the run's own first */
    size_t end_count;
    VEC(struct fact) facts;
};

/* The key of a row, else its place. */
static struct str row_key(struct arena *arena, const struct ending_table *table, size_t row) {
    struct str key = table->rows.items[row].key;
    return key.len > 0 ? key : str_printf(arena, "#%zu", row + 1);
}

static const struct str *find_row(struct arena *arena, const struct ending *ending,
                                  struct str table, struct str key) {
    for (size_t i = 0; i < ending->tables.count; i++) {
        const struct ending_table *have = &ending->tables.items[i];
        for (size_t row = 0; str_equal(have->name, table) && row < have->rows.count; row++)
            if (str_equal(row_key(arena, have, row), key))
                return have->rows.items[row].cells;
    }
    return NULL;
}

static bool same_table(const struct ending_table *a, const struct ending_table *b) {
    return a == b || (a != NULL && b != NULL && str_equal(a->name, b->name));
}

static size_t effect_count(const struct ending *ending, struct str name) {
    size_t count = 0;
    for (size_t i = 0; i < ending->effects.count; i++)
        count += str_equal(ending->effects.items[i].name, name);
    return count;
}

static bool has_fact(const struct difference *d, enum fact_kind kind,
                     const struct ending_table *table, struct str key) {
    for (size_t i = 0; i < d->facts.count; i++) {
        const struct fact *fact = &d->facts.items[i];
        if (fact->kind == kind && same_table(fact->table, table) && str_equal(fact->key, key))
            return true;
    }
    return false;
}

/* The facts about one row in which the ends differ. */
static void add_row(struct difference *d, const struct ending_table *table, struct str key) {
    const struct str *rows[ENDS_MAX];
    if (has_fact(d, FACT_ROW, table, key) || has_fact(d, FACT_COLUMN, table, key))
        return;
    bool is_everywhere = true;
    for (size_t i = 0; i < d->end_count; i++) {
        rows[i] = find_row(&d->arena, d->ends[i], table->name, key);
        is_everywhere &= rows[i] != NULL;
    }
    if (!is_everywhere) {
        VEC_PUSH(&d->arena, &d->facts, (struct fact){FACT_ROW, table, key, 0});
        return;
    }
    for (size_t column = 0; column < table->column_count; column++) {
        bool differs = false;
        for (size_t i = 1; i < d->end_count; i++)
            differs |= !str_equal(rows[i][column], rows[0][column]);
        if (differs)
            VEC_PUSH(&d->arena, &d->facts,
                     (struct fact){FACT_COLUMN, table, key, (uint16_t)column});
    }
}

static void add_effects(struct difference *d, const struct ending *from) {
    for (size_t k = 0; k < from->effects.count; k++) {
        struct str name = from->effects.items[k].name;
        bool differs = false;
        for (size_t i = 1; i < d->end_count; i++)
            differs |= effect_count(d->ends[i], name) != effect_count(d->ends[0], name);
        if (differs && !has_fact(d, FACT_EFFECT, NULL, name))
            VEC_PUSH(&d->arena, &d->facts, (struct fact){FACT_EFFECT, NULL, name, 0});
    }
}

static void find_facts(struct difference *d) {
    for (size_t i = 0; i < d->end_count; i++)
        for (size_t t = 0; t < d->ends[i]->tables.count; t++) {
            const struct ending_table *table = &d->ends[i]->tables.items[t];
            for (size_t row = 0; row < table->rows.count; row++)
                add_row(d, table, row_key(&d->arena, table, row));
        }
    for (size_t i = 0; i < d->end_count; i++)
        add_effects(d, d->ends[i]);
    for (size_t session = 0; session < d->ends[0]->session_count; session++) {
        bool differs = false;
        for (size_t i = 1; i < d->end_count; i++)
            differs |= !str_equal(d->ends[i]->fates[session], d->ends[0]->fates[session]);
        if (differs)
            VEC_PUSH(&d->arena, &d->facts,
                     (struct fact){FACT_FATE, NULL, {0}, (uint16_t)session});
    }
}

/* All facts about rows are about one row: it need not be named. */
static bool is_one_row(const struct difference *d) {
    for (size_t i = 0; i < d->facts.count; i++) {
        const struct fact *fact = &d->facts.items[i];
        if (fact->kind == FACT_ROW)
            return false;
        if (fact->kind == FACT_COLUMN && (!same_table(fact->table, d->facts.items[0].table) ||
                                          !str_equal(fact->key, d->facts.items[0].key)))
            return false;
    }
    return true;
}

static void put_row(const struct fact *fact, const struct str *row, struct buf *out) {
    const char *between = " (";
    if (row == NULL) {
        buf_printf(out, "no %.*s %.*s", STR_ARG(fact->table->name), STR_ARG(fact->key));
        return;
    }
    buf_printf(out, "%.*s %.*s", STR_ARG(fact->table->name), STR_ARG(fact->key));
    for (size_t i = 0; i < fact->table->column_count; i++) {
        bool is_key = str_equal(row[i], fact->key);
        if (is_key)
            continue;
        buf_printf(out, "%s%.*s=%.*s", between, STR_ARG(fact->table->columns[i]),
                   STR_ARG(row[i]));
        between = " ";
    }
    buf_add_c(out, between[1] == '(' ? "" : ")");
}

static void put_effect(size_t count, struct str name, struct buf *out) {
    if (count == 0)
        buf_printf(out, "no %.*s", STR_ARG(name));
    else if (count == 1)
        buf_printf(out, "%.*s once", STR_ARG(name));
    else if (count == 2)
        buf_printf(out, "%.*s twice", STR_ARG(name));
    else
        buf_printf(out, "%.*s %zu times", STR_ARG(name), count);
}

static void put_fact(struct difference *d, const struct ending *ending, const struct fact *fact,
                     bool is_one, struct buf *out) {
    const struct str *row = fact->table != NULL
                                ? find_row(&d->arena, ending, fact->table->name, fact->key)
                                : NULL;
    switch (fact->kind) {
    case FACT_ROW:
        put_row(fact, row, out);
        return;
    case FACT_COLUMN:
        if (!is_one)
            buf_printf(out, "%.*s %.*s: ", STR_ARG(fact->table->name), STR_ARG(fact->key));
        buf_printf(out, "%.*s=%.*s", STR_ARG(fact->table->columns[fact->column]),
                   STR_ARG(row[fact->column]));
        return;
    case FACT_EFFECT:
        put_effect(effect_count(ending, fact->key), fact->key, out);
        return;
    case FACT_FATE:
        buf_printf(out, "%c %.*s", session_letter((uint8_t)fact->column),
                   STR_ARG(ending->fates[fact->column]));
        return;
    }
}

/* The facts as they are in one end; at most about `shown_max` of them. */
static struct str facts_text(struct difference *d, const struct ending *ending, size_t shown_max) {
    bool is_one = is_one_row(d);
    struct buf text = {0};
    for (size_t i = 0; i < d->facts.count; i++) {
        buf_add_c(&text, i > 0 ? ", " : "");
        if (i == shown_max && d->facts.count > shown_max + 1) {
            buf_printf(&text, "and %zu more", d->facts.count - i);
            break;
        }
        put_fact(d, ending, &d->facts.items[i], is_one, &text);
    }
    struct str copy = str_dup(&d->arena, buf_str(&text));
    buf_release(&text);
    return copy;
}

static bool are_same(const struct str *texts, size_t from, size_t count) {
    for (size_t i = from; i < count; i++)
        if (!str_equal(texts[i], texts[from]))
            return false;
    return true;
}

/* "A then B" */
static void put_order(const struct serial_end *end, struct buf *out) {
    for (size_t i = 0; i < end->ending.session_count; i++)
        buf_printf(out, "%s%c", i > 0 ? " then " : "", session_letter(end->order[i]));
}

/* `is_same`: all orders end alike. */
static void put_ends(const struct report *report, const struct serial_texts *serial,
                     const struct str *texts, size_t count, bool is_same, struct buf *out) {
    size_t width = report_width(report), sessions = serial->ends.items[0].ending.session_count;
    struct buf line = {0};
    buf_printf(&line, "ends with %.*s", STR_ARG(texts[0]));
    if (is_same) {
        buf_printf(&line, "; %s it would be %.*s",
                   sessions == 2 ? "in either order" : "one after the other", STR_ARG(texts[1]));
        put_wrapped(out, buf_str(&line), 4, 2, width);
        buf_release(&line);
        return;
    }
    put_wrapped(out, buf_str(&line), 4, 2, width);
    for (size_t i = 1; i < count; i++) {
        buf_clear(&line);
        put_order(&serial->ends.items[i - 1], &line);
        buf_printf(&line, " would end with %.*s", STR_ARG(texts[i]));
        put_wrapped(out, buf_str(&line), 4, 2, width);
    }
    buf_release(&line);
}

void difference_print(const struct report *report, const struct ending *ending,
                      const struct serial_texts *serial, struct buf *out) {
    struct difference d = {.end_count = 1};
    struct str texts[ENDS_MAX];
    d.ends[0] = ending;
    for (size_t i = 0; i < serial->ends.count && d.end_count < ENDS_MAX; i++)
        d.ends[d.end_count++] = &serial->ends.items[i].ending;
    find_facts(&d);
    for (size_t i = 0; i < d.end_count; i++)
        texts[i] = facts_text(&d, d.ends[i], d.facts.count);
    bool is_same = are_same(texts, 1, d.end_count);
    for (size_t i = 0; i < d.end_count; i++)
        texts[i] = facts_text(&d, d.ends[i], FACTS_SHOWN_MAX);
    if (d.facts.count > 0 && d.end_count > 1)
        put_ends(report, serial, texts, d.end_count, is_same, out);
    arena_release(&d.arena);
}
