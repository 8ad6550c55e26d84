/* Which transaction the log is in. One is written as a whole, from its GTID or BEGIN to its XID or COMMIT, save that an XA
 * transaction ends with its preparation and has its COMMIT or ROLLBACK anywhere behind it. */
#include "binlog/internal.h"

#include <stdlib.h>

static void set(struct buf *buf, struct str text) {
    buf_clear(buf);
    buf_add(buf, text);
}

void transaction_forget(struct binlog *log) {
    struct transaction *transaction = &log->transaction;
    transaction->is_open = transaction->is_named = transaction->is_xa = false;
    transaction->commit_us = -1;
    buf_clear(&transaction->name);
    buf_clear(&log->annotation);
}

void transaction_end(struct binlog *log, enum trace_event_kind how, int64_t time_us) {
    struct transaction *transaction = &log->transaction;
    if (transaction->is_open) {
        struct trace_event event =
            tell_event(log, how, transaction->commit_us >= 0 ? transaction->commit_us : time_us);
        tell(log, &event);
    }
    transaction_forget(log);
}

void transaction_name(struct binlog *log, struct str name, int64_t commit_us, int64_t time_us) {
    if (log->transaction.is_open) {
        /* Groups are written whole: this one's end has been lost. */
        tell_gap(log, log->place, "a transaction's end is missing: taken as committed", 0);
        transaction_end(log, TRACE_COMMIT, time_us);
    }
    transaction_forget(log);
    log->transaction.is_named = name.len > 0;
    log->transaction.commit_us = commit_us;
    set(&log->transaction.name, name);
}

void transaction_begin(struct binlog *log, int64_t time_us) {
    struct transaction *transaction = &log->transaction;
    if (transaction->is_open)
        return;
    if (!transaction->is_named)
        buf_printf(&transaction->name, "@%llu", (unsigned long long)(log->before_file + log->place));
    transaction->is_named = transaction->is_open = true;
    struct trace_event event = tell_event(log, TRACE_BEGIN, time_us);
    tell(log, &event);
}

static void drop_prepared(struct binlog *log, size_t index) {
    buf_release(&log->prepared[index].xid);
    buf_release(&log->prepared[index].transaction);
    log->prepared_count--;
    memmove(&log->prepared[index], &log->prepared[index + 1],
            (log->prepared_count - index) * sizeof(log->prepared[0]));
}

static void add_hex(struct buf *buf, struct str bytes) {
    buf_add_c(buf, "x'");
    for (size_t i = 0; i < bytes.len; i++)
        buf_printf(buf, "%02x", (unsigned char)bytes.ptr[i]);
    buf_add_c(buf, "'");
}

void transaction_xa_prepare(struct binlog *log, struct str body, int64_t time_us) {
    struct cursor in = cursor_of(body);
    bool is_one_phase = cursor_le(&in, 1) != 0;
    uint32_t format = (uint32_t)cursor_le(&in, 4);
    uint64_t gtrid_len = cursor_le(&in, 4), bqual_len = cursor_le(&in, 4);
    struct str gtrid = cursor_bytes(&in, gtrid_len), bqual = cursor_bytes(&in, bqual_len);
    if (in.is_bad) {
        tell_gap(log, log->place, "an XA PREPARE event is damaged", 0);
        transaction_forget(log);
        return;
    }
    if (is_one_phase) {
        transaction_end(log, TRACE_COMMIT, time_us);
        return;
    }
    if (log->transaction.is_open) {
        if (log->prepared_count == XA_PREPARED_MAX) {
            tell_gap(log, log->place, "more XA transactions are prepared than are kept", 0);
            drop_prepared(log, 0);
        }
        struct xa_prepared *prepared = &log->prepared[log->prepared_count++];
        *prepared = (struct xa_prepared){0};
        add_hex(&prepared->xid, gtrid);
        buf_add_char(&prepared->xid, ',');
        add_hex(&prepared->xid, bqual);
        buf_printf(&prepared->xid, ",%lu", (unsigned long)format);
        buf_add(&prepared->transaction, buf_str(&log->transaction.name));
    }
    transaction_forget(log);
}

void transaction_xa_end(struct binlog *log, struct str xid, enum trace_event_kind how,
                        int64_t time_us) {
    struct buf key = {0};
    for (size_t i = 0; i < xid.len; i++) {
        char byte = xid.ptr[i];
        if (byte != ' ')
            buf_add_char(&key, byte >= 'A' && byte <= 'Z' ? (char)(byte | 0x20) : byte);
    }
    size_t at = log->prepared_count;
    while (at > 0 && !str_equal(buf_str(&log->prepared[at - 1].xid), buf_str(&key)))
        at--;
    buf_release(&key);
    int64_t commit_us = log->transaction.commit_us;
    transaction_forget(log);
    if (at == 0) {
        tell_gap(log, log->place, "an XA transaction ends whose changes stand before this source", 0);
        return;
    }
    set(&log->transaction.name, buf_str(&log->prepared[at - 1].transaction));
    log->transaction.is_open = true;
    log->transaction.commit_us = commit_us;
    drop_prepared(log, at - 1);
    transaction_end(log, how, time_us);
}

void transaction_release(struct binlog *log) {
    while (log->prepared_count > 0)
        drop_prepared(log, log->prepared_count - 1);
    buf_release(&log->transaction.name);
}
