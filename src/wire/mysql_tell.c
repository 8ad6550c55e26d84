/* Statements from commands and what answered them. */
#include "wire/mysql.h"
#include "wire/split.h"

enum { ATTRIBUTES_MAX = 256 };

static const char not_known[] = "a statement was prepared where the capture did not see it";

void mywire_begin_statement(struct wire_connection *c, struct my *my) {
    if (my->is_begun)
        return;
    wire_statement_begin(&my->current, c->asked->time_us, c->asked->offset);
    my->is_begun = true;
}

/* The text of a COM_QUERY: behind its attributes, if the client sends such. */
static struct str query_text(const struct my *my, const struct wire_ask *ask) {
    struct str body = wire_ask_body(ask);
    struct reader reader = reader_of(body);
    /* No statement begins with these two bytes: without attributes there are none, and one set of them. */
    bool is_plain = !(my->capabilities & MY_QUERY_ATTRIBUTES) &&
                    !(body.len >= 2 && body.ptr[1] == 1 && (unsigned char)body.ptr[0] < 9);
    if (is_plain)
        return body;
    uint64_t count = read_lenenc(&reader);
    read_lenenc(&reader);
    if (count > 0) {
        struct str nulls = read_bytes(&reader, (count + 7) / 8);
        read_byte(&reader);
        uint8_t types[ATTRIBUTES_MAX];
        if (reader.is_short || count > ATTRIBUTES_MAX)
            return (struct str){0};
        for (uint64_t i = 0; i < count; i++) {
            types[i] = read_byte(&reader);
            read_byte(&reader);
            read_lenenc_str(&reader);
        }
        struct buf dropped = {0};
        for (uint64_t i = 0; i < count && !reader.is_short; i++) {
            struct mywire_column column = {.type = types[i], .decimals = 31};
            if (!(nulls.ptr[i / 8] >> i % 8 & 1) && !mywire_read_binary(&reader, &dropped, &column))
                reader.is_short = true;
        }
        buf_release(&dropped);
    }
    return reader.is_short ? (struct str){0} : read_rest(&reader);
}

/* Whether the one that was answered last is all there is in the text. */
static bool is_only_statement(const struct my *my, struct str text) {
    struct str one;
    size_t at = 0;
    return my->result_count > 0 && split_next(text, TRACE_MYSQL, &at, &one) &&
           (size_t)(one.ptr - text.ptr) == my->last.at;
}

/* Which statement of the text the next result belongs to. */
static bool name_query(struct my *my, const struct wire_ask *ask) {
    struct str text = query_text(my, ask), one;
    bool is_first = my->split_at == 0;
    my->current.is_more = my->is_call;
    if (!my->is_call) {
        if (!my->is_multi || ask->is_cut) {
            one = text;
            my->current.is_more = !is_first;
            my->split_at = text.len;
        } else if (!split_next(text, TRACE_MYSQL, &my->split_at, &one)) {
            if (!is_only_statement(my, text))
                return false;
            my->current.is_more = true; /* EXECUTE of a CALL, say */
            one = str_sub(text, my->last.at, my->last.at + my->last.len);
        }
        my->last = (struct wire_slice){(size_t)(one.ptr - text.ptr), one.len};
    }
    one = str_sub(text, my->last.at, my->last.at + my->last.len);
    my->current.sql = wire_statement_add(&my->current, one);
    my->current.is_cut = ask->is_cut;
    my->is_call = str_equal_nocase(split_first_word(one, TRACE_MYSQL), STR("call"));
    return text.len > 0;
}

static bool has_more_text(struct my *my, const struct wire_ask *ask) {
    struct str one;
    size_t at = my->split_at;
    return my->is_multi && !ask->is_cut && split_next(query_text(my, ask), TRACE_MYSQL, &at, &one);
}

static bool is_result_of_statement(const struct wire_ask *ask) {
    return ask->kind == COM_QUERY || ask->kind == COM_STMT_EXECUTE || ask->kind == COM_STMT_FETCH ||
           ask->kind == COM_STMT_BULK_EXECUTE;
}

static enum trace_transaction transaction_after(uint16_t status) {
    return status & MY_IN_TRANSACTION ? TRACE_TRANSACTION_OPEN : TRACE_TRANSACTION_NONE;
}

/* Each row of parameters is a run of the statement. */
static void tell_bulk(struct wire_connection *c, struct my *my, const struct mywire_ok *ok) {
    size_t at = 0, count = 0;
    const struct wire_ask *ask = c->asked;
    if (mywire_executed(my, ask) == NULL) {
        wire_gap(c, not_known, 0);
        return;
    }
    for (;; count++) {
        wire_statement_begin(&my->current, ask->time_us, ask->offset);
        if (!mywire_next_bulk(my, ask, &at))
            break;
        my->current.outcome = TRACE_OK;
        my->current.end_us = c->time_us;
        bool is_last = at >= ask->len;
        if (is_last) {
            my->current.transaction_after = transaction_after(ok->status);
            my->current.row_count = count == 0 ? (int64_t)ok->affected : -1;
        }
        wire_tell(c, &my->current);
    }
    if (at < ask->len)
        wire_gap(c, "the parameters of a bulk execution could not be read", ask->len - at);
}

static bool name_statement(struct my *my, const struct wire_ask *ask) {
    if (ask->kind == COM_QUERY)
        return name_query(my, ask);
    return mywire_name_executed(my, ask);
}

void mywire_tell_ok(struct wire_connection *c, struct my *my, const struct mywire_ok *ok, bool is_rows) {
    const struct wire_ask *ask = c->asked;
    bool is_cursor = ok->status & MY_CURSOR_EXISTS && ask->kind == COM_STMT_EXECUTE;
    bool has_more = ok->status & MY_MORE_RESULTS && ask->kind != COM_STMT_FETCH;
    mywire_begin_statement(c, my);
    my->is_begun = false;
    if (!is_result_of_statement(ask))
        return;
    if (ask->kind == COM_STMT_BULK_EXECUTE && !is_rows) {
        tell_bulk(c, my, ok);
        return;
    }
    if (!name_statement(my, ask)) {
        if (ask->kind == COM_QUERY)
            wire_doubt(c, "the server answered more statements than were sent");
        else
            wire_gap(c, not_known, 0);
        return;
    }
    if (ask->kind != COM_QUERY && my->result_count > 0)
        my->current.is_more = true;
    my->is_call &= is_rows;
    my->result_count++;
    my->current.outcome = TRACE_OK;
    my->current.transaction_after = transaction_after(ok->status);
    my->current.end_us = c->time_us;
    my->current.row_count = is_rows ? (int64_t)my->current.rows_seen : (int64_t)ok->affected;
    if (is_cursor) {
        my->current.has_rows = false;
        my->current.row_count = -1;
    }
    mywire_note_executed(my, ask, ok->status);
    wire_tell(c, &my->current);
    if (!has_more && ask->kind == COM_QUERY && has_more_text(my, ask))
        wire_doubt(c, "the server answered fewer statements than were sent");
}

void mywire_tell_error(struct wire_connection *c, struct my *my, struct str packet) {
    const struct wire_ask *ask = c->asked;
    struct reader reader = reader_of(packet);
    char code[8];
    read_byte(&reader);
    snprintf(code, sizeof(code), "%u", (unsigned)read_le(&reader, 2));
    struct str message = read_rest(&reader);
    if (message.len >= 6 && message.ptr[0] == '#')
        message = str_sub(message, 6, message.len);
    wire_statement_begin(&my->current, ask->time_us, ask->offset);
    bool is_known = true;
    size_t at = 0;
    if (ask->kind == COM_STMT_PREPARE) {
        my->current.sql = wire_statement_add(&my->current, wire_ask_body(ask));
        my->current.is_cut = ask->is_cut;
    } else if (ask->kind == COM_STMT_BULK_EXECUTE) {
        is_known = mywire_next_bulk(my, ask, &at);
    } else if (is_result_of_statement(ask)) {
        is_known = name_statement(my, ask);
        mywire_note_executed(my, ask, 0);
    } else {
        return;
    }
    if (!is_known) {
        if (ask->kind != COM_QUERY) /* a text without a statement is an error, too */
            wire_gap(c, not_known, 0);
        return;
    }
    wire_statement_fail(&my->current, str_from_c(code), message);
    my->current.end_us = c->time_us;
    wire_tell(c, &my->current);
}

void mywire_tell_unanswered(struct wire_connection *c, struct my *my) {
    const struct wire_ask *ask = c->asked;
    size_t at = 0;
    wire_statement_begin(&my->current, ask->time_us, ask->offset);
    bool is_run = ask->kind == COM_QUERY || ask->kind == COM_STMT_EXECUTE;
    if (is_run ? name_statement(my, ask) : ask->kind == COM_STMT_BULK_EXECUTE && mywire_next_bulk(my, ask, &at))
        wire_tell(c, &my->current);
}
