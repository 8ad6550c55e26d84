/* Changed rows of a binlog or of logical decoding: nobody's reads are told, but what stood there before is. A column that goes
 * A, B, A was written back. */
#include "watch/own.h"

#include <stdio.h>
#include <stdlib.h>

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
            struct table_state *state = tables_get(&watch->tables, table);
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

/* MySQL's schemas are its databases; of PostgreSQL's a source tells those of one. */
static uint32_t table_of(struct watch *watch, const struct trace_event *event) {
    const struct str none = {0}, schema = event->change.schema;
    bool is_mysql = event->server == TRACE_MYSQL;
    uint32_t space = tables_space(&watch->tables, is_mysql ? schema : none, is_mysql ? none : schema);
    return tables_in(&watch->tables, space, names_add(&watch->names, event->change.table));
}

/* From number `from` on. */
static void free_writes(struct row_write **writes, size_t from, size_t count) {
    for (size_t i = from; i < count; i++)
        row_write_free(writes[i]);
}

/* Takes the changes out of the list. */
static struct prepared_changes take_prepared(struct watch *watch, size_t at) {
    struct prepared_changes taken = watch->prepared.items[at];
    watch->prepared.count--;
    memmove(&watch->prepared.items[at], &watch->prepared.items[at + 1], (watch->prepared.count - at) * sizeof(taken));
    buf_release(&taken.name);
    return taken;
}

/* What was told of the open transaction waits for its end. */
static void prepare_changes(struct watch *watch) {
    struct prepared_changes prepared = {.writes = watch->changes.items, .count = watch->changes.count};
    size_t row_count = prepared.count;
    for (size_t i = 0; i < watch->prepared.count; i++)
        row_count += watch->prepared.items[i].count;
    while (watch->prepared.count > 0 && (watch->prepared.count >= PREPARED_MAX || row_count > PENDING_MAX)) {
        struct prepared_changes oldest = take_prepared(watch, 0);
        row_count -= oldest.count;
        watch->stats.watched_count -= oldest.count;
        watch->stats.unknown_row_count += oldest.count;
        free_writes(oldest.writes, 0, oldest.count);
        free(oldest.writes);
    }
    buf_add(&prepared.name, buf_str(&watch->change_name));
    MVEC_PUSH(&watch->prepared, prepared);
    watch->changes.items = NULL;
    watch->changes.count = watch->changes.capacity = 0;
}

void watch_resume_changes(struct watch *watch, struct str transaction) {
    for (size_t i = watch->prepared.count; i-- > 0;) {
        if (!str_equal(buf_str(&watch->prepared.items[i].name), transaction))
            continue;
        struct prepared_changes taken = take_prepared(watch, i);
        watch_drop_changes(watch);
        free(watch->changes.items);
        watch->changes.items = taken.writes;
        watch->changes.count = watch->changes.capacity = taken.count;
        return;
    }
}

void watch_release_changes(struct watch *watch) {
    watch_drop_changes(watch);
    while (watch->prepared.count > 0) {
        struct prepared_changes taken = take_prepared(watch, 0);
        free_writes(taken.writes, 0, taken.count);
        free(taken.writes);
    }
    free(watch->prepared.items);
    free(watch->changes.items);
    free(watch->change_savepoints.items);
    buf_release(&watch->change_name);
}

void watch_begin_changes(struct watch *watch, const struct trace_event *event) {
    if (watch->is_changing && watch->changes.count > 0)
        prepare_changes(watch);
    watch_drop_changes(watch);
    buf_clear(&watch->change_name);
    buf_add(&watch->change_name, event->transaction);
    watch->change_transaction = watch_intern(watch, event->transaction);
    watch->is_changing = true;
}

void watch_change_savepoint(struct watch *watch, const struct meaning *meaning) {
    size_t at = watch->change_savepoints.count;
    while (at > 0 && !str_equal_nocase(watch->change_savepoints.items[at - 1].name, meaning->savepoint))
        at--;
    if (meaning->kind == MEANS_SAVEPOINT && watch->change_savepoints.count < PENDING_MAX) {
        MVEC_PUSH(&watch->change_savepoints, (struct savepoint){.name = meaning->savepoint, .pending_count = watch->changes.count});
    } else if (at > 0 && meaning->kind == MEANS_RELEASE) {
        watch->change_savepoints.count = (uint32_t)at - 1;
    } else if (at > 0 && meaning->kind == MEANS_ROLLBACK_TO) {
        size_t kept = watch->change_savepoints.items[at - 1].pending_count;
        free_writes(watch->changes.items, kept, watch->changes.count);
        watch->changes.count = (uint32_t)kept;
        watch->change_savepoints.count = (uint32_t)at;
    }
}

void watch_change(struct watch *watch, const struct trace_event *event) {
    const struct trace_change *change = &event->change;
    static const enum write_kind kinds[] = {
        [TRACE_INSERT] = WROTE_INSERT, [TRACE_UPDATE] = WROTE_UPDATE, [TRACE_DELETE] = WROTE_DELETE};
    uint32_t table = table_of(watch, event);
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

/* The newest that the source has told of the column, and in `version` where; NULL: nothing since the row came to be. */
static const struct column_write *told_of(const struct book_row *row, uint32_t column, size_t *version) {
    for (size_t i = 0; i < VERSIONS_MAX && row->versions[i] != NULL && row->versions[i]->kind != WROTE_DELETE; i++)
        for (size_t j = 0; j < row->versions[i]->column_count; j++)
            if (row->versions[i]->columns[j].column == column) {
                *version = i;
                return &row->versions[i]->columns[j];
            }
    return NULL;
}

static bool is_unchanged(const struct column_write *column) {
    return seen_equal(&column->base, &column->value);
}

/* Where the source has no row before (REPLICA IDENTITY DEFAULT, MINIMAL images), it is what it told last: it tells each change. */
static void infer_bases(struct watch *watch, struct row_write *write, const struct book_row *row) {
    size_t kept = 0, inferred_count = 0, unknown_count = 0;
    for (size_t i = 0; i < write->column_count; i++) {
        struct column_write column = write->columns[i];
        size_t version = 0;
        if (column.base.state == TRACE_ABSENT) {
            const struct column_write *last = row != NULL ? told_of(row, column.column, &version) : NULL;
            column.is_inferred = last != NULL && last->value.state != TRACE_ABSENT;
            if (column.is_inferred)
                column.base = seen_keep(last->value);
            inferred_count += column.is_inferred;
            unknown_count += !column.is_inferred;
        }
        /* What is as it was is left out, unless the version that has it is about to be forgotten. */
        if (is_unchanged(&column) && version != VERSIONS_MAX - 1)
            column_write_free(&column);
        else
            write->columns[kept++] = column;
    }
    write->column_count = kept;
    watch->stats.blind_count += unknown_count > 0 && inferred_count == 0;
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
        if (is_unchanged(column))
            continue;
        const struct column_write *other = last_of(row, column->column, since, &earlier);
        bool is_back = other != NULL && earlier->kind == WROTE_UPDATE && !column->is_computed &&
                       seen_equal(&column->value, &other->base) && seen_equal(&column->base, &other->value) &&
                       (loss.lost == NULL || loss.lost == earlier);
        if (!is_back) {
            /* What was there is not known: it may be there still. */
            meant_count += column->base.state != TRACE_ABSENT && !seen_is_clock(&column->value, by->origin.time_us);
        } else if (loss.column_count < sizeof(loss.columns) / sizeof(loss.columns[0])) {
            loss.lost = earlier;
            loss.columns[loss.column_count++] = column->column;
        }
    }
    if (loss.column_count == 0)
        return;
    if (meant_count == 0 && !saves_more(by, loss.column_count))
        loss.doubt = "nothing else was changed with it: somebody may have meant to set it back";
    tally_add(&watch->tally, &loss, watch_key_name(watch, by->table));
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
    tally_add(&watch->tally, &loss, watch_key_name(watch, by->table));
}

void watch_commit_changes(struct watch *watch, const struct trace_event *event) {
    for (size_t i = 0; i < watch->changes.count; i++) {
        struct row_write *write = watch->changes.items[i];
        const struct book_row *row = book_find(&watch->book, write->row);
        if (write->kind != WROTE_INSERT)
            infer_bases(watch, write, row);
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
    watch_drop_changes(watch);
}

void watch_drop_changes(struct watch *watch) {
    free_writes(watch->changes.items, 0, watch->changes.count);
    watch->changes.count = watch->change_savepoints.count = 0;
    watch->is_changing = false;
}
