/* Statements that a log has as texts: those that begin and end transactions, DDL, and DML without its rows. */
#include "binlog/internal.h"
#include "binlog/type.h"

/* Of a QUERY event's status variables, the microseconds of its time. They are numbered, each with a length of its own. */
static int64_t microseconds_of(struct str status) {
    enum { MYSQL_MICROSECONDS = 13, MARIADB_MICROSECONDS = 128, NAMES_OVER_MAX = 254 };
    static const uint8_t lengths[] = {4, 8, 0, 4, 6, 0, 0, 2, 2, 8, 4};
    struct cursor in = cursor_of(status);
    while (in.left.len > 0 && !in.is_bad) {
        uint64_t kind = cursor_le(&in, 1);
        switch (kind) {
        case MYSQL_MICROSECONDS:
        case MARIADB_MICROSECONDS:
            return (int64_t)cursor_le(&in, 3);
        case 2: /* the catalog, and a NUL */
            cursor_bytes(&in, cursor_le(&in, 1) + 1);
            break;
        case 5: /* time zone, catalog */
        case 6:
            cursor_bytes(&in, cursor_le(&in, 1));
            break;
        case 11: /* user and host */
            cursor_bytes(&in, cursor_le(&in, 1));
            cursor_bytes(&in, cursor_le(&in, 1));
            break;
        case 12: /* databases, each with a NUL */
            for (uint64_t count = cursor_le(&in, 1); count > 0 && count < NAMES_OVER_MAX && !in.is_bad; count--)
                cursor_bytes(&in, str_find(in.left, '\0', 0) + 1);
            break;
        default:
            if (kind >= sizeof(lengths))
                return 0; /* those that may follow stand behind the time */
            cursor_bytes(&in, lengths[kind]);
        }
    }
    return 0;
}

struct query {
    struct str database, sql;
    uint32_t error;
    int64_t time_us;
};

static bool parse(struct binlog *log, const struct binlog_event *event, struct query *query) {
    enum { POST_HEADER_BYTES = 13, LOAD_POST_HEADER_BYTES = 13 };
    struct cursor in = cursor_of(event->body);
    cursor_le(&in, 8); /* thread, seconds that it took */
    uint64_t database_len = cursor_le(&in, 1);
    query->error = (uint32_t)cursor_le(&in, 2);
    uint64_t status_len = cursor_le(&in, 2);
    uint8_t told = log->post_header_bytes[event->type];
    uint8_t known = event->type == EVENT_EXECUTE_LOAD_QUERY ? POST_HEADER_BYTES + LOAD_POST_HEADER_BYTES
                                                            : POST_HEADER_BYTES;
    cursor_bytes(&in, (told > POST_HEADER_BYTES ? told : known) - POST_HEADER_BYTES);
    struct str status = cursor_bytes(&in, status_len);
    query->database = cursor_bytes(&in, database_len);
    cursor_le(&in, 1);
    query->sql = in.left;
    query->time_us = (int64_t)event->time_s * 1000000 + microseconds_of(status);
    return !in.is_bad;
}

static bool strip(struct str *sql, const char *prefix) {
    size_t len = strlen(prefix);
    if (sql->len < len || !str_equal_nocase(str_sub(*sql, 0, len), str_from_c(prefix)))
        return false;
    *sql = str_sub(*sql, len, sql->len);
    return true;
}

static void tell_statement(struct binlog *log, const struct query *query) {
    struct trace_event event = tell_event(log, TRACE_STATEMENT, query->time_us);
    char code[16];
    event.database = query->database;
    event.statement = (struct trace_statement){
        .sql = query->sql,
        .outcome = query->error == 0 ? TRACE_OK : TRACE_FAILED,
        .end_us = -1,
        .row_count = -1,
    };
    if (query->error != 0) {
        snprintf(code, sizeof(code), "%lu", (unsigned long)query->error);
        event.statement.error_code = str_from_c(code);
    }
    tell(log, &event);
    if (!log->transaction.is_open)
        transaction_forget(log);
}

static void begin(struct binlog *log, int64_t time_us) {
    if (log->transaction.is_open && !log->is_mariadb) {
        tell_gap(log, log->place, "a transaction's end is missing: taken as committed", 0);
        transaction_end(log, TRACE_COMMIT, time_us);
    }
    transaction_begin(log, time_us);
}

void query_read(struct binlog *log, const struct binlog_event *event, bool is_packed) {
    struct query query;
    if (!parse(log, event, &query)) {
        tell_gap(log, log->place, "a statement's event is damaged", 0);
        return;
    }
    if (is_packed && !payload_unpack(log, query.sql, &query.sql))
        return;
    struct str rest = query.sql;
    if (str_equal_nocase(query.sql, STR("BEGIN")))
        begin(log, query.time_us);
    else if (str_equal_nocase(query.sql, STR("COMMIT")))
        transaction_end(log, TRACE_COMMIT, query.time_us);
    else if (str_equal_nocase(query.sql, STR("ROLLBACK")))
        transaction_end(log, TRACE_ROLLBACK, query.time_us);
    else if (strip(&rest, "XA START "))
        begin(log, query.time_us);
    else if (strip(&rest, "XA COMMIT "))
        transaction_xa_end(log, rest, TRACE_COMMIT, query.time_us);
    else if (strip(&rest, "XA ROLLBACK "))
        transaction_xa_end(log, rest, TRACE_ROLLBACK, query.time_us);
    else if (!strip(&rest, "XA END "))
        tell_statement(log, &query);
}
