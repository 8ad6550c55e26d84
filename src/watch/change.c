/* Changed rows of a binlog or of logical decoding: nobody's reads are told, but what stood there before is. A column that goes
 * A, B, A was written back. */
#include "watch/own.h"

#include <stdio.h>

static uint32_t column_name(struct watch *watch, const struct trace_change *change, size_t at) {
    char number[24];
    if (change->columns != NULL)
        return names_add(&watch->names, change->columns[at]);
    snprintf(number, sizeof(number), "@%zu", at + 1);
    return names_add(&watch->names, str_from_c(number));
}

/* The key of the row: the columns that the source says are its key, or the first. False: they are not in the image. */
static bool key_of(struct watch *watch, const struct trace_change *change, uint32_t table, struct seen_value *key) {
    const struct trace_value *image = change->before != NULL ? change->before : change->after;
    struct buf text = {0};
    size_t parts = 0;
    bool is_known = image != NULL;
    for (size_t i = 0; is_known && i < change->column_count; i++) {
        if (!(change->is_key != NULL ? change->is_key[i] : i == 0))
            continue;
        const struct trace_value *value = &image[i];
        if (value->state == TRACE_ABSENT && change->after != NULL)
            value = &change->after[i];
        is_known = value->state == TRACE_VALUE;
        if (parts++ == 0) {
            struct table_state *state = watch_table(watch, table);
            state->key_column = column_name(watch, change, i);
            state->is_key_sure = true;
        } else {
            buf_add_char(&text, ',');
        }
        buf_add(&text, value->text);
    }
    is_known = is_known && parts > 0;
    if (is_known)
        *key = seen_value(&watch->key, str_dup(&watch->scratch, buf_str(&text)), false);
    buf_release(&text);
    return is_known;
}

/* The columns whose value is another one now; all of a row that is new or gone. */
static void keep_columns(struct watch *watch, const struct trace_change *change, struct row_write *write) {
    for (size_t i = 0; i < change->column_count; i++) {
        struct seen_value before = {.state = TRACE_ABSENT}, after = before;
        if (change->before != NULL)
            before = seen_traced(&watch->key, &change->before[i]);
        if (change->after != NULL)
            after = seen_traced(&watch->key, &change->after[i]);
        if (seen_equal(&before, &after) || (after.state == TRACE_ABSENT && change->kind == TRACE_UPDATE))
            continue;
        write->columns[write->column_count++] =
            (struct column_write){.column = column_name(watch, change, i),
                                  .value = watch_keep(watch, after),
                                  .base = watch_keep(watch, before)};
    }
}

/* What the annotated statement sets, by name: which columns the database computed. */
static const struct meaning *annotate(struct watch *watch, const struct trace_event *event, struct row_write *write) {
    struct str sql = event->change.sql;
    if (sql.len == 0)
        return NULL;
    enum sql_dialect dialect = event->server == TRACE_POSTGRESQL ? SQL_POSTGRESQL : SQL_MYSQL;
    sql_shape_read(&watch->shape, sql, dialect);
    const struct meaning *meaning = meaning_of(&watch->meanings, &watch->shape, sql, dialect);
    for (size_t i = 0; i < meaning->set.count; i++)
        for (size_t j = 0; j < write->column_count; j++)
            if (write->columns[j].column == meaning->set.items[i].column && meaning->set.items[i].literal < 0)
                write->columns[j].is_computed = true;
    return meaning;
}

void watch_change(struct watch *watch, const struct trace_event *event) {
    const struct trace_change *change = &event->change;
    static const enum write_kind kinds[] = {
        [TRACE_INSERT] = WROTE_INSERT, [TRACE_UPDATE] = WROTE_UPDATE, [TRACE_DELETE] = WROTE_DELETE};
    uint32_t table = names_add(&watch->names, change->table);
    struct seen_value key;
    watch->stats.write_count++;
    if (!key_of(watch, change, table, &key) || watch->changes.count == PENDING_MAX) {
        watch->stats.unknown_row_count++;
        return;
    }
    uint64_t row = watch_row(table, &key);
    if (!watch_samples(watch, row))
        return;
    watch->stats.watched_count++;
    struct row_write *write = row_write_new(change->column_count, 0);
    write->kind = kinds[change->kind];
    write->row = row;
    write->table = table;
    write->key = watch_keep(watch, key);
    keep_columns(watch, change, write);
    const struct meaning *meaning = annotate(watch, event, write);
    write->origin = (struct origin){.seq = watch->seq, .session = event->session, .time_us = event->time_us,
                                    .place = event->place, .who = watch->change_transaction,
                                    .sql = meaning != NULL ? meaning->sql : (struct str){0},
                                    .meaning = meaning};
    if (meaning != NULL && watch->shape.comment.len > 0)
        write->origin.tag = watch_tag(watch, watch->shape.comment);
    write->origin.place.file = watch_file(watch, event->place.file);
    MVEC_PUSH(&watch->changes, write);
}

/* The newest earlier change of the column, by another transaction. */
static const struct column_write *last_of(const struct book_row *row, uint32_t column, int64_t since_us,
                                          const struct row_write **write) {
    for (size_t i = 0; i < VERSIONS_MAX && row->versions[i] != NULL; i++) {
        *write = row->versions[i];
        if ((*write)->commit_us >= 0 && (*write)->commit_us < since_us)
            return NULL;
        for (size_t j = 0; j < (*write)->column_count; j++)
            if ((*write)->columns[j].column == column)
                return &(*write)->columns[j];
    }
    return NULL;
}

/* Whether the statement, if it is known, sets more than the columns that went back: it saved a row, not a value. */
static bool saves_more(const struct row_write *write, size_t column_count) {
    return write->origin.meaning != NULL && write->origin.meaning->set.count > column_count + 1;
}

static void judge_update(struct watch *watch, const struct row_write *by, const struct book_row *row) {
    int64_t since = by->origin.time_us < 0 ? INT64_MIN : by->origin.time_us - watch->options.window_us;
    struct seen_loss loss = {.rule = RULE_STALE_SAVE, .evidence = WATCH_REVERT, .by = by};
    size_t meant_count = 0;
    for (size_t i = 0; i < by->column_count; i++) {
        const struct column_write *column = &by->columns[i];
        const struct row_write *earlier;
        const struct column_write *other = last_of(row, column->column, since, &earlier);
        bool is_back = other != NULL && earlier->kind == WROTE_UPDATE && !column->is_computed &&
                       seen_equal(&column->value, &other->base) && seen_equal(&column->base, &other->value) &&
                       (loss.lost == NULL || loss.lost == earlier);
        if (!is_back) {
            meant_count += !seen_is_clock(&column->value, by->origin.time_us);
        } else if (loss.column_count < sizeof(loss.columns) / sizeof(loss.columns[0])) {
            loss.lost = earlier;
            loss.columns[loss.column_count++] = column->column;
        }
    }
    if (loss.column_count == 0)
        return;
    if (meant_count == 0 && !saves_more(by, loss.column_count))
        loss.doubt = "nothing else was changed with it: somebody may have meant to set it back";
    tally_add(&watch->tally, &loss, names_get(&watch->names, watch_table(watch, by->table)->key_column));
}

/* A row that was deleted and is there again, as it was but for what its writer set. */
static void judge_insert(struct watch *watch, const struct row_write *by, const struct book_row *row) {
    const struct row_write *gone = row->versions[0];
    int64_t since = by->origin.time_us < 0 ? INT64_MIN : by->origin.time_us - watch->options.window_us;
    if (gone->kind != WROTE_DELETE || (gone->commit_us >= 0 && gone->commit_us < since))
        return;
    size_t same_count = 0;
    for (size_t i = 0; i < by->column_count; i++)
        for (size_t j = 0; j < gone->column_count; j++)
            same_count += by->columns[i].column == gone->columns[j].column &&
                          seen_equal(&by->columns[i].value, &gone->columns[j].base);
    if (same_count < 2 || same_count * 2 < by->column_count)
        return;
    struct seen_loss loss = {.rule = RULE_RESURRECTED_ROW, .evidence = WATCH_REVERT, .by = by, .lost = gone};
    tally_add(&watch->tally, &loss, names_get(&watch->names, watch_table(watch, by->table)->key_column));
}

void watch_commit_changes(struct watch *watch, const struct trace_event *event) {
    for (size_t i = 0; i < watch->changes.count; i++) {
        struct row_write *write = watch->changes.items[i];
        const struct book_row *row = book_find(&watch->book, write->row);
        write->commit_us = event->time_us;
        write->commit_seq = watch->seq;
        bool is_own = row != NULL && row->versions[0]->commit_seq == watch->seq;
        if (row != NULL && !is_own && write->kind == WROTE_UPDATE)
            judge_update(watch, write, row);
        else if (row != NULL && !is_own && write->kind == WROTE_INSERT)
            judge_insert(watch, write, row);
        book_add(&watch->book, write);
    }
    watch->changes.count = 0;
    watch->stats.transaction_count++;
}

void watch_drop_changes(struct watch *watch) {
    for (size_t i = 0; i < watch->changes.count; i++)
        row_write_free(watch->changes.items[i]);
    watch->changes.count = 0;
}
