/* Statements of sessions: what each reads and writes, row by row, and when it is committed. */
#include "watch/own.h"

#include <stdlib.h>

/* One statement as it is looked at. */
struct act {
    struct watch *watch;
    struct session *session;
    const struct trace_statement *statement;
    const struct meaning *meaning;
    struct origin origin;
};

/* The table of a meaning, where this session has it. */
static uint32_t placed(const struct act *act, uint32_t table) {
    return tables_in(&act->watch->tables, act->session->space, table);
}

/* `index` as in the shape's list. */
static struct seen_value literal_at(const struct act *act, size_t index) {
    struct watch *watch = act->watch;
    if (index >= watch->shape.literals.count)
        return (struct seen_value){.state = TRACE_ABSENT};
    const struct sql_literal *literal = &watch->shape.literals.items[index];
    switch (literal->kind) {
    case SQL_LITERAL_PARAMETER:
        if (literal->parameter < act->statement->param_count)
            return seen_traced(&watch->key, &act->statement->params[literal->parameter]);
        return (struct seen_value){.state = TRACE_ABSENT};
    case SQL_LITERAL_WORD:
        return literal->text.len == 4 && (literal->text.ptr[0] | 0x20) == 'n'
                   ? seen_null()
                   : seen_value(&watch->key, literal->text, false);
    case SQL_LITERAL_NUMBER:
        return seen_value(&watch->key, literal->text, false);
    case SQL_LITERAL_TEXT:
        break;
    }
    struct str text = sql_literal_text(&watch->scratch, literal, act->meaning->dialect);
    return seen_value(&watch->key, text, true);
}

/* `number` as in the meaning. */
static struct seen_value literal_value(const struct act *act, int number) {
    return literal_at(act, sql_shape_literal(&act->watch->shape, (size_t)number));
}

/* The literals that the column is compared with, from `*first` on, in the shape's list. */
static size_t list_of(const struct act *act, const struct meant_column *column, size_t *first) {
    const struct sql_shape *shape = &act->watch->shape;
    size_t count = 1;
    *first = sql_shape_literal(shape, (size_t)column->literal);
    while (column->is_list && *first + count < shape->literals.count && shape->literals.items[*first + count].is_member)
        count++;
    return count;
}

static void note_key(struct watch *watch, uint32_t table, uint32_t column, bool is_only) {
    if (table == NO_NAME || column == NO_NAME)
        return;
    struct table_state *state = tables_get(&watch->tables, table);
    bool is_id = str_is(names_get(&watch->names, column), "id");
    if (!state->is_key_sure && (is_id || (is_only && state->key_column == NO_NAME))) {
        state->key_column = column;
        state->is_key_sure = is_id;
    }
}

/* Which column is the key of the tables that it names: `id`, or else what a write alone goes by. */
static void learn_keys(struct watch *watch, const struct meaning *meaning) {
    bool is_write = meaning->kind == MEANS_UPDATE || meaning->kind == MEANS_DELETE;
    for (size_t i = 0; i < meaning->where.count; i++)
        note_key(watch, meaning->where.items[i].table, meaning->where.items[i].column,
                 is_write && meaning->where.count == 1 && meaning->is_exact);
    for (size_t i = 0; i < meaning->items.count; i++)
        note_key(watch, meaning->items.items[i].table, meaning->items.items[i].column,
                 meaning->kind == MEANS_INSERT && meaning->items.count == 1);
    for (size_t i = 0; i < meaning->set.count; i++)
        note_key(watch, meaning->set.items[i].table, meaning->set.items[i].column, false);
}

static const struct meant_column *key_of(struct watch *watch, const struct meaning *meaning, uint32_t table) {
    uint32_t key = tables_key(&watch->tables, table);
    for (size_t i = 0; key != NO_NAME && i < meaning->where.count; i++)
        if (meaning->where.items[i].table == table && meaning->where.items[i].column == key)
            return &meaning->where.items[i];
    return NULL;
}

/* Keeps a statement whose rows are not told for the unit of work that it is part of. What was met often enough is known. */
static void keep_loose(const struct act *act) {
    enum { ENOUGH = 2000 };
    struct session *session = act->session;
    const struct sql_shape *shape = &act->watch->shape;
    size_t count = shape->literals.count - shape->member_count;
    if (act->meaning->count > ENOUGH || act->meaning->tables.count > 1) {
        session->is_unit_cut |= act->meaning->kind != MEANS_READ;
        return;
    }
    struct loose_statement loose = {.origin = act->origin, .transaction = session->transaction, .value_count = count};
    loose.values = mem_alloc((count + 1) * sizeof(*loose.values));
    for (size_t i = 0; i < count; i++)
        loose.values[i] = watch_keep(act->watch, literal_value(act, (int)i));
    const struct trace_rows *rows = act->statement->rows;
    if (rows != NULL && rows->row_count == 1 && rows->column_count == 1)
        loose.result = watch_keep(act->watch, seen_traced(&act->watch->key, &rows->values[0]));
    session_add_loose(session, loose);
}

/* --- reads --- */

static struct row_read *add_read(const struct act *act, uint32_t table, uint64_t row) {
    struct session *session = act->session;
    struct row_read *read = session_add_read(session, row);
    read->table = placed(act, table);
    read->transaction = session->transaction;
    read->is_locking = act->meaning->is_locking && session->transaction != 0;
    read->origin = act->origin;
    if (session->snapshot_seq != 0 && !act->meaning->is_locking)
        read->origin.seq = session->snapshot_seq;
    return read;
}

/* The table's column at that place of the result; NO_NAME: of no or another table. */
static uint32_t column_at(const struct act *act, uint32_t table, size_t at) {
    const struct meaning *meaning = act->meaning;
    if (meaning->is_star || meaning->items.count == 0)
        return meaning->tables.count <= 1
                   ? names_add(&act->watch->names, act->statement->rows->columns[at])
                   : NO_NAME;
    if (at >= meaning->items.count || meaning->items.items[at].table != table)
        return NO_NAME;
    return meaning->items.items[at].column;
}

static size_t key_position(const struct act *act, uint32_t table) {
    const struct trace_rows *rows = act->statement->rows;
    uint32_t key = tables_key(&act->watch->tables, table);
    for (size_t at = 0; key != NO_NAME && at < rows->column_count; at++)
        if (column_at(act, table, at) == key)
            return at;
    return rows->column_count;
}

static void keep_values(const struct act *act, uint32_t table, struct row_read *read, const struct trace_value *values) {
    const struct trace_rows *rows = act->statement->rows;
    read->values = mem_alloc((rows->column_count + 1) * sizeof(*read->values));
    for (size_t at = 0; at < rows->column_count; at++) {
        uint32_t column = column_at(act, table, at);
        if (column == NO_NAME || values[at].state == TRACE_ABSENT)
            continue;
        struct seen_value value = watch_keep(act->watch, seen_traced(&act->watch->key, &values[at]));
        read->values[read->value_count++] = (struct column_value){column, value};
    }
}

static void read_rows(const struct act *act, uint32_t table, size_t key_at) {
    const struct trace_rows *rows = act->statement->rows;
    for (size_t i = 0; i < rows->row_count; i++) {
        const struct trace_value *values = rows->values + i * rows->column_count;
        struct seen_value key = seen_traced(&act->watch->key, &values[key_at]);
        if (key.state != TRACE_VALUE)
            continue;
        uint64_t row = watch_row(placed(act, table), &key);
        if (watch_samples(act->watch, row))
            keep_values(act, table, add_read(act, table, row), values);
    }
}

/* The row that stands for all that have these values; 0: some are not known, or there are too many. */
static uint64_t absent_row(uint32_t table, const struct column_value *values, size_t count) {
    uint64_t row = table;
    for (size_t i = 0; i < count; i++) {
        if (values[i].value.state != TRACE_VALUE)
            return 0;
        /* A sum: the order of the columns does not matter. */
        row += (values[i].value.hash ^ values[i].column * 0x9E3779B97F4A7C15u) * 0xC2B2AE3D27D4EB4Fu;
    }
    return count > 0 && count <= 4 ? row | 1 : 0;
}

/* A look for rows with certain values that finds none, as far as is told. */
static void note_absence(const struct act *act, uint32_t table) {
    const struct meaning *meaning = act->meaning;
    const struct trace_statement *statement = act->statement;
    bool is_told = statement->rows != NULL || statement->row_count >= 0;
    uint64_t row_count = statement->rows != NULL ? statement->rows->row_count : (uint64_t)statement->row_count;
    if (meaning->tables.count != 1 || !meaning->is_exact || (is_told && row_count > 0) || meaning->where.count > 4)
        return;
    struct column_value values[4];
    size_t count = 0;
    for (size_t i = 0; i < meaning->where.count; i++) {
        if (meaning->where.items[i].is_list)
            return;
        values[count++] = (struct column_value){meaning->where.items[i].column,
                                                literal_value(act, meaning->where.items[i].literal)};
    }
    uint64_t row = absent_row(placed(act, table), values, count);
    if (row == 0 || !watch_samples(act->watch, row))
        return;
    struct row_read *read = add_read(act, table, row);
    read->is_absence = true;
    read->is_seen = is_told;
    read->values = mem_alloc(count * sizeof(*read->values));
    for (size_t i = 0; i < count; i++)
        read->values[i] = (struct column_value){values[i].column, watch_keep(act->watch, values[i].value)};
    read->value_count = count;
}

static void read_table(const struct act *act, uint32_t table) {
    note_absence(act, table);
    const struct meaning *meaning = act->meaning;
    if (act->statement->rows != NULL) {
        size_t key_at = key_position(act, table);
        if (key_at < act->statement->rows->column_count) {
            read_rows(act, table, key_at);
            return;
        }
    }
    const struct meant_column *key = key_of(act->watch, meaning, table);
    if (key == NULL) {
        if (meaning->tables.count == 1 && act->statement->row_count != 0)
            add_read(act, table, 0);
        return;
    }
    size_t first, count = list_of(act, key, &first);
    for (size_t i = 0; i < count; i++) {
        struct seen_value value = literal_at(act, first + i);
        uint64_t row = watch_row(placed(act, table), &value);
        if (value.state == TRACE_VALUE && watch_samples(act->watch, row))
            add_read(act, table, row);
    }
}

static void read_statement(const struct act *act) {
    struct session *session = act->session;
    enum sql_isolation isolation =
        session->next_isolation != SQL_ISOLATION_DEFAULT ? session->next_isolation : session->isolation;
    if (isolation == SQL_ISOLATION_DEFAULT)
        isolation = act->meaning->dialect == SQL_MYSQL ? SQL_REPEATABLE_READ : SQL_READ_COMMITTED;
    if (session->in_transaction && !session->is_test && isolation >= SQL_REPEATABLE_READ && session->snapshot_seq == 0)
        session->snapshot_seq = act->origin.seq;
    if (act->meaning->is_group) {
        if (act->statement->rows != NULL)
            keep_loose(act);
        return;
    }
    for (size_t i = 0; i < act->meaning->tables.count; i++)
        if (act->meaning->tables.items[i] != NO_NAME)
            read_table(act, act->meaning->tables.items[i]);
}

/* --- writes --- */

static const struct seen_value *value_read(const struct row_read *read, uint32_t column) {
    for (size_t i = 0; i < read->value_count; i++)
        if (read->values[i].column == column)
            return &read->values[i].value;
    return NULL;
}

/* Whether it is a column of the row that is written, other than its key. */
static bool is_written(const struct act *act, const struct meant_column *column, uint32_t key_column) {
    return column->column != key_column && column->table == act->meaning->table;
}

static size_t count_written(const struct act *act, const struct meant_column *set, size_t count, uint32_t key_column) {
    size_t written = 0;
    for (size_t i = 0; i < count; i++)
        written += is_written(act, &set[i], key_column);
    return written;
}

/* Answers how many there are. */
static size_t make_columns(const struct act *act, const struct row_read *read, const struct meant_column *set, size_t count,
                           uint32_t key_column, struct column_write *columns) {
    size_t made = 0;
    for (size_t i = 0; i < count; i++) {
        if (!is_written(act, &set[i], key_column))
            continue;
        struct column_write *column = &columns[made++];
        *column = (struct column_write){.column = set[i].column, .is_computed = set[i].literal < 0};
        if (set[i].literal >= 0)
            column->value = watch_keep(act->watch, literal_value(act, set[i].literal));
        const struct seen_value *base = read != NULL ? value_read(read, set[i].column) : NULL;
        if (base != NULL)
            column->base = seen_keep(*base);
    }
    return made;
}

/* Who inserts a row knows it, as if it had been read. */
static void know_inserted(const struct act *act, const struct row_write *write) {
    struct row_read *read = add_read(act, act->meaning->table, write->row);
    read->origin.seq = act->origin.seq;
    read->values = mem_alloc((write->column_count + 1) * sizeof(*read->values));
    for (size_t i = 0; i < write->column_count; i++)
        if (write->columns[i].value.state != TRACE_ABSENT)
            read->values[read->value_count++] =
                (struct column_value){write->columns[i].column, seen_keep(write->columns[i].value)};
}

static void write_row(const struct act *act, enum write_kind kind, const struct seen_value *key) {
    struct watch *watch = act->watch;
    const struct meaning *meaning = act->meaning;
    uint32_t table = placed(act, meaning->table);
    uint64_t row = watch_row(table, key);
    watch->stats.write_count++;
    if (key->state != TRACE_VALUE || act->session->pending.count == PENDING_MAX) {
        watch->stats.unknown_row_count++;
        return;
    }
    if (!watch_samples(watch, row))
        return;
    watch->stats.watched_count++;
    uint32_t key_column = tables_key(&watch->tables, meaning->table);
    struct row_write *write = row_write_new(count_written(act, meaning->set.items, meaning->set.count, key_column),
                                            count_written(act, meaning->where.items, meaning->where.count, key_column));
    write->kind = kind;
    write->row = row;
    write->table = table;
    write->key = watch_keep(watch, *key);
    write->origin = act->origin;
    write->row_count = act->statement->row_count;
    int64_t since = act->origin.time_us < 0 ? INT64_MIN : act->origin.time_us - watch->options.window_us;
    const struct row_read *read =
        session_find_read(act->session, row, table, since, &write->read_is_doubtful);
    if (read != NULL && read->value_count > 0)
        write->read_count = session_count_reads(act->session, row, since);
    if (read != NULL) {
        write->read = read->origin;
        write->read_is_same_transaction =
            read->transaction != 0 && read->transaction == act->session->transaction;
        write->read_is_locked = read->is_locking && write->read_is_same_transaction;
    }
    write->column_count = make_columns(act, read, meaning->set.items, meaning->set.count, key_column, write->columns);
    write->guard_count = make_columns(act, read, meaning->where.items, meaning->where.count, key_column, write->guards);
    MVEC_PUSH(&act->session->pending, write);
    if (kind == WROTE_INSERT)
        know_inserted(act, write);
}

static void unknown_rows(const struct act *act) {
    uint64_t count = act->statement->row_count > 0 ? (uint64_t)act->statement->row_count : 1;
    act->watch->stats.write_count += count;
    act->watch->stats.unknown_row_count += count;
}

/* MySQL counts rows that another value came into: of an UPDATE that counts none, the row may have had the values already. */
static bool may_be_same(const struct meaning *meaning) {
    return meaning->kind == MEANS_UPDATE && meaning->dialect == SQL_MYSQL && meaning->where.count == 1;
}

static void write_by_key(const struct act *act, enum write_kind kind) {
    const struct meaning *meaning = act->meaning;
    const struct meant_column *key = key_of(act->watch, meaning, meaning->table);
    if (act->statement->row_count == 0 && !may_be_same(meaning)) {
        act->watch->stats.prevented_count += key != NULL && meaning->where.count > 1;
        return;
    }
    if (key == NULL) {
        unknown_rows(act);
        keep_loose(act);
        return;
    }
    size_t first, count = list_of(act, key, &first);
    for (size_t i = 0; i < count; i++) {
        struct seen_value value = literal_at(act, first + i);
        write_row(act, kind, &value);
    }
}

/* Whether the INSERT has what the read looked for. */
static bool has_values(const struct act *act, const struct row_read *read) {
    for (size_t i = 0; i < read->value_count; i++) {
        bool is_in = false;
        for (size_t k = 0; k < act->meaning->set.count && !is_in; k++) {
            const struct meant_column *set = &act->meaning->set.items[k];
            if (set->column != read->values[i].column || set->literal < 0)
                continue;
            struct seen_value value = literal_value(act, set->literal);
            is_in = seen_equal(&value, &read->values[i].value);
        }
        if (!is_in)
            return false;
    }
    return true;
}

/* A row that was looked for, and not there: another session may have looked for it, too. */
static void insert_absent(const struct act *act) {
    struct session *session = act->session;
    int64_t since = act->origin.time_us < 0 ? INT64_MIN : act->origin.time_us - act->watch->options.window_us;
    for (size_t i = 1; i <= session->read_count && session->pending.count < PENDING_MAX; i++) {
        const struct row_read *read = &session->reads[(session->read_next + READS_MAX - i) % READS_MAX];
        if (read->origin.time_us >= 0 && read->origin.time_us < since)
            return;
        if (!read->is_absence || read->table != placed(act, act->meaning->table) || !has_values(act, read))
            continue;
        struct row_write *write = row_write_new(0, 0);
        write->kind = WROTE_INSERT;
        write->row = read->row;
        write->table = read->table;
        write->origin = act->origin;
        write->read = read->origin;
        write->is_of_absence = true;
        write->read_is_same_transaction = read->transaction != 0 && read->transaction == session->transaction;
        write->absence_is_seen = read->is_seen;
        write->is_unanswered = act->meaning->dialect == SQL_MYSQL && act->statement->outcome == TRACE_OUTCOME_UNKNOWN;
        struct buf key = {0};
        for (size_t k = 0; k < read->value_count; k++) {
            buf_add_c(&key, k > 0 ? "," : "");
            seen_print(&read->values[k].value, &key);
            write->key_columns[k] = read->values[k].column;
        }
        write->key = watch_keep(act->watch, seen_value(&act->watch->key, buf_str(&key), true));
        buf_release(&key);
        MVEC_PUSH(&session->pending, write);
        return;
    }
}

static void insert(const struct act *act) {
    if (act->meaning->is_one)
        insert_absent(act);
    keep_loose(act);
    const struct meaning *meaning = act->meaning;
    uint32_t key = tables_key(&act->watch->tables, meaning->table);
    const struct trace_rows *rows = act->statement->rows;
    for (size_t i = 0; meaning->is_one && i < meaning->set.count; i++) {
        if (meaning->set.items[i].column == key && meaning->set.items[i].literal >= 0) {
            struct seen_value value = literal_value(act, meaning->set.items[i].literal);
            write_row(act, WROTE_INSERT, &value);
            return;
        }
    }
    size_t at = rows != NULL && meaning->is_one && rows->row_count == 1 ? key_position(act, meaning->table) : 0;
    if (rows == NULL || rows->row_count != 1 || at == rows->column_count) {
        unknown_rows(act);
        return;
    }
    struct seen_value value = seen_traced(&act->watch->key, &rows->values[at]);
    write_row(act, WROTE_INSERT, &value);
}

/* --- transactions --- */

static void end_transaction(struct session *session) {
    session->in_transaction = session->has_failed = session->is_test = false;
    session->transaction = session->snapshot_seq = 0;
    session->next_isolation = SQL_ISOLATION_DEFAULT;
    session->savepoints.count = 0;
}

static void settle(struct watch *watch, struct session *session) {
    for (size_t i = 0; i < session->pending.count; i++)
        watch_infer(watch, session->pending.items[i]);
    watch_recall(watch, session, session->settled_transaction);
    for (size_t i = 0; i < session->pending.count; i++)
        watch_commit(watch, session->pending.items[i], session->commit_seq, session->commit_us);
    session->pending.count = 0;
    session_end_unit(session);
}

void watch_settle(struct watch *watch, const struct session *last) {
    struct session *session;
    while ((session = session_settle_first(&watch->sessions)) != NULL) {
        settle(watch, session);
        if (session == last)
            return;
    }
}

static void commit(const struct act *act) {
    struct session *session = act->session;
    session->commit_seq = act->origin.seq;
    session->settled_transaction = session->transaction;
    session->commit_us = act->statement->end_us >= 0 ? act->statement->end_us : act->origin.time_us;
    session_unsettle(&act->watch->sessions, session);
    if (act->statement->outcome != TRACE_OUTCOME_UNKNOWN)
        watch_settle(act->watch, session);
    act->watch->stats.transaction_count++;
    end_transaction(session);
}

static void rollback(const struct act *act) {
    session_drop_pending(act->session, 0);
    session_drop_loose(act->session, 0);
    session_end_unit(act->session);
    act->watch->stats.rollback_count += act->session->in_transaction;
    end_transaction(act->session);
}

/* What MySQL does before a statement that is in no transaction: whatever becomes of that, what is open is committed. */
static void commit_open(const struct act *act) {
    if (!act->session->in_transaction)
        return;
    commit(act);
    watch_settle(act->watch, act->session);
}

static void begin(const struct act *act) {
    if (act->meaning->dialect == SQL_MYSQL)
        commit_open(act);
    enum sql_isolation isolation = act->meaning->isolation;
    act->session->in_transaction = true;
    act->session->transaction = act->session->is_test ? 0 : ++act->watch->transaction_count;
    if (act->meaning->kind == MEANS_BEGIN && isolation != SQL_ISOLATION_DEFAULT)
        act->session->next_isolation = isolation;
}

static void set_isolation(const struct act *act) {
    *(act->meaning->is_session ? &act->session->isolation : &act->session->next_isolation) =
        act->meaning->isolation;
}

static void set_autocommit(const struct act *act) {
    bool is_off = act->meaning->is_off;
    if (act->meaning->literal >= 0) {
        size_t at = sql_shape_literal(&act->watch->shape, (size_t)act->meaning->literal);
        struct str text = act->watch->shape.literals.items[at].text;
        is_off = str_is(text, "0") || str_equal_nocase(text, STR("off")) || str_equal_nocase(text, STR("false"));
    }
    if (!is_off)
        commit_open(act);
    act->session->is_autocommit_off = is_off;
}

/* The newest savepoint of that name, from 1; 0: there is none. */
static size_t savepoint_number(const struct session *session, struct str name) {
    for (size_t i = session->savepoints.count; i > 0; i--)
        if (str_equal_nocase(session->savepoints.items[i - 1].name, name))
            return i;
    return 0;
}

static void to_savepoint(const struct act *act) {
    struct session *session = act->session;
    size_t number = savepoint_number(session, act->meaning->savepoint);
    if (number == 0)
        return;
    session_drop_pending(session, session->savepoints.items[number - 1].pending_count);
    session_drop_loose(session, session->savepoints.items[number - 1].seq);
    session->savepoints.count = number;
    session->has_failed = false;
}

static void add_savepoint(const struct act *act) {
    struct session *session = act->session;
    if (session_is_in_test_alone(session))
        session->transaction = ++act->watch->transaction_count;
    MVEC_PUSH(&session->savepoints, (struct savepoint){act->meaning->savepoint, session->pending.count, act->origin.seq});
}

static void release_savepoint(const struct act *act) {
    struct session *session = act->session;
    size_t number = savepoint_number(session, act->meaning->savepoint);
    if (number > 0)
        session->savepoints.count = number - 1;
}

/* SET [SESSION | LOCAL] search_path {= | TO} name, ...: the first of the names, without its quotes; `$user` is nobody's schema here. */
static struct str path_in(struct str text) {
    size_t at = 0;
    while (at + 11 <= text.len && !str_equal_nocase(str_sub(text, at, at + 11), STR("search_path")))
        at++;
    struct str rest = str_sub(text, at + 11 < text.len ? at + 11 : text.len, text.len);
    struct str name = {0};
    for (bool is_first = true; rest.len > 0 && (is_first || str_is(name, "$user")); is_first = false) {
        size_t start = 0, end;
        while (start < rest.len && strchr(" \t\n=,", rest.ptr[start]) != NULL)
            start++;
        if (is_first && rest.len - start > 3 && str_equal_nocase(str_sub(rest, start, start + 2), STR("to")) &&
            strchr(" \t\n'\"", rest.ptr[start + 2]) != NULL)
            start += 3;
        while (start < rest.len && strchr(" \t\n'\"", rest.ptr[start]) != NULL)
            start++;
        for (end = start; end < rest.len && strchr(" \t\n'\",;", rest.ptr[end]) == NULL; end++)
            continue;
        name = str_sub(rest, start, end);
        rest = str_sub(rest, end < rest.len ? end + 1 : end, rest.len);
    }
    return str_is(name, "$user") || str_equal_nocase(name, STR("default")) ? (struct str){0} : name;
}

/* Where the names of tables that follow are looked for. */
static void set_path(const struct act *act) {
    struct session *session = act->session;
    session->schema = watch_intern(act->watch, path_in(act->statement->sql));
    session->space = tables_space(&act->watch->tables, session->database, session->schema);
}

/* What would have been committed had no test been around it. */
static void end_in_test(const struct act *act) {
    struct session *session = act->session;
    watch_recall(act->watch, session, session->transaction);
    session_drop_pending(session, 0);
    session_end_unit(session);
    session->transaction = 0;
    session->is_test = session->savepoints.count >= session->test_depth;
}

/* What a session and the transaction around it come to by an error. */
static void fail(const struct act *act) {
    static const char *const prevented[] = {"40001", "40P01", "1213", "1020", "55P03", "1205", "3572"};
    struct str code = act->statement->error_code;
    for (size_t i = 0; i < sizeof(prevented) / sizeof(prevented[0]); i++)
        act->watch->stats.prevented_count += str_is(code, prevented[i]);
    if (act->meaning->dialect == SQL_POSTGRESQL)
        act->session->has_failed = act->session->in_transaction;
    else if (str_is(code, "1213") || str_is(code, "1020"))
        rollback(act);
    else if (act->meaning->commits && !str_is(code, "1064"))
        commit_open(act); /* it was understood */
}

static void perform(const struct act *act) {
    switch (act->meaning->kind) {
    case MEANS_READ:
        read_statement(act);
        break;
    case MEANS_INSERT:
        insert(act);
        break;
    case MEANS_UPDATE:
        write_by_key(act, WROTE_UPDATE);
        break;
    case MEANS_DELETE:
        write_by_key(act, WROTE_DELETE);
        break;
    case MEANS_BEGIN:
        begin(act);
        break;
    case MEANS_COMMIT:
        if (act->session->has_failed)
            rollback(act);
        else
            commit(act);
        break;
    case MEANS_ROLLBACK:
        rollback(act);
        break;
    case MEANS_SAVEPOINT:
        add_savepoint(act);
        break;
    case MEANS_ROLLBACK_TO:
        to_savepoint(act);
        break;
    case MEANS_ISOLATION:
        set_isolation(act);
        break;
    case MEANS_AUTOCOMMIT:
        set_autocommit(act);
        break;
    case MEANS_PATH:
        set_path(act);
        break;
    case MEANS_RELEASE:
        release_savepoint(act);
        break;
    case MEANS_NOTHING:
    case MEANS_UNKNOWN:
        break;
    }
}

/* A statement that commits by itself, of which no row is told. */
static void end_alone(const struct act *act) {
    if (act->meaning->kind == MEANS_READ)
        return;
    watch_recall(act->watch, act->session, 0);
    session_end_unit(act->session);
}

static bool touches_rows(const struct meaning *meaning) {
    return meaning->kind >= MEANS_READ && meaning->kind <= MEANS_DELETE;
}

void watch_statement(struct watch *watch, const struct trace_event *event) {
    const struct trace_statement *statement = &event->statement;
    enum sql_dialect dialect = event->server == TRACE_MYSQL ? SQL_MYSQL : SQL_POSTGRESQL;
    struct session *session = watch_session(watch, event->session);
    if (event->database.len > 0)
        session->space = tables_space(&watch->tables, event->database, (struct str){0});
    watch->stats.statement_count += !statement->is_more;
    if (session->is_unsettled)
        watch_settle(watch, session);
    session->last_seq = watch->seq;
    sql_shape_read(&watch->shape, statement->sql, dialect);
    struct meaning *meaning = meaning_of(&watch->meanings, &watch->shape, statement->sql, dialect);
    if (meaning->count++ == 0)
        learn_keys(watch, meaning);
    watch->stats.unparsed_count += meaning->kind == MEANS_UNKNOWN || statement->is_cut;
    if (watch->is_changing && event->session == 0 && meaning->kind >= MEANS_SAVEPOINT && meaning->kind <= MEANS_ROLLBACK_TO) {
        watch_change_savepoint(watch, meaning);
        return;
    }
    session->last = meaning;
    struct act act = {.watch = watch, .session = session, .statement = statement, .meaning = meaning};
    act.origin = (struct origin){.seq = watch->seq, .session = event->session, .time_us = event->time_us,
                                 .place = event->place, .who = session->who,
                                 .sql = meaning->sql, .meaning = meaning, .is_of_test = statement->is_of_test};
    if (watch->shape.comment.len > 0)
        act.origin.tag = watch_tag(watch, watch->shape.comment);
    act.origin.place.file = watch_file(watch, event->place.file);
    if (statement->outcome == TRACE_FAILED) {
        fail(&act);
        return;
    }
    if (statement->is_more) {
        if (meaning->kind == MEANS_READ)
            read_statement(&act);
        return;
    }
    if (statement->is_cut)
        return;
    bool is_alone = touches_rows(meaning) && !session->in_transaction;
    bool is_open = statement->transaction_after == TRACE_TRANSACTION_OPEN;
    if (is_alone && (is_open || session->is_autocommit_off)) {
        begin(&act); /* it is in the transaction that it opens: what it locks stays locked */
        is_alone = false;
    }
    if (meaning->commits)
        commit_open(&act);
    perform(&act);
    if (session_is_in_test_alone(session))
        end_in_test(&act);
    if (is_open && !session->in_transaction)
        begin(&act);
    else if (is_alone && !is_open && session->pending.count == 0)
        end_alone(&act);
    else if (is_alone ? !is_open && session->pending.count > 0
                      : session->in_transaction && statement->transaction_after == TRACE_TRANSACTION_NONE)
        commit(&act);
}

void watch_outcome(struct watch *watch, const struct trace_event *event) {
    struct session *session = session_find(&watch->sessions, event->session);
    bool has_failed = event->statement.outcome == TRACE_FAILED;
    if (session == NULL || session->last == NULL)
        return;
    bool did_nothing = event->statement.row_count == 0 && !may_be_same(session->last);
    for (size_t i = session->pending.count; i-- > 0 && session->pending.items[i]->origin.seq == session->last_seq;)
        if (event->statement.row_count >= 0)
            session->pending.items[i]->row_count = event->statement.row_count;
    if (has_failed || did_nothing) {
        struct act act = {.watch = watch, .session = session, .statement = &event->statement,
                          .meaning = session->last};
        session_drop_written(session, session->last_seq);
        if (has_failed) {
            if (session->is_unsettled)
                session_drop_pending(session, 0);
            fail(&act);
        }
    }
    if (session->is_unsettled)
        watch_settle(watch, session);
    session->last = NULL;
}

void watch_test(struct watch *watch, uint64_t id) {
    struct session *session = watch_session(watch, id);
    if (session->is_unsettled)
        watch_settle(watch, session);
    session_forget_reads(session);
    session->is_test = true;
    session->test_depth = session->savepoints.count;
    session->transaction = 0;
}

void watch_end(struct watch *watch, uint64_t id) {
    struct session *session = session_find(&watch->sessions, id);
    if (session != NULL && session->is_unsettled)
        watch_settle(watch, session);
    session_end(&watch->sessions, id);
}
