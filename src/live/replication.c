#include "live/replication.h"

#ifdef LW_HAVE_LIBMARIADB
#include "base/assert.h"
#include "base/library.h"
#include "live/libmariadb.h"

#include <mariadb_rpl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define PACKET_ERROR UINT32_MAX /* of mysql_net_read_packet; the headers don't name it */

enum { CONNECT_S_MAX = 10, SILENCE_S_MAX = 30, FIRST_POSITION = 4, FILE_NAME_BYTES_MAX = 512 };

/* MariaDB leaves the texts of statements out unless asked for them. */
enum { FLAG_TO_END = 1, FLAG_ANNOTATE = 2 };

/* Of an event's header. */
enum { TYPE_AT = 4, NEXT_AT = 13, FLAGS_AT = 17, HEADER_BYTES = 19 };
enum { TYPE_ROTATE = 4, TYPE_HEARTBEAT = 27, TYPE_HEARTBEAT_V2 = 41, FLAG_ARTIFICIAL = 0x20 };

static struct {
#define FUNCTION(name) __typeof__(&name) name;
#include "live/libmariadb_rpl.def"
} rpl;

struct replication {
    struct arena arena;
    struct live_url url;
    MYSQL handle;
    MYSQL questions;     /* a connection beside it, to ask for columns */
    bool has_questions;
    MARIADB_RPL *stream; /* NULL: not asked for */
    bool has_checksums, is_whole;
    char file[FILE_NAME_BYTES_MAX];
};

static const struct pos no_pos;

static bool load(struct err *err) {
    static const struct library_function functions[] = {
#define FUNCTION(name) {#name, &rpl.name},
#include "live/libmariadb_rpl.def"
    };
    return live_libmariadb_load(err) &&
           library_load("libmariadb.so.3", "replication", functions, LW_COUNT_OF(functions), err);
}

static bool fail_on(struct replication *replication, MYSQL *handle, const char *what, struct err *err) {
    struct str message = str_from_c(libmariadb.mysql_error(handle));
    struct str shown = live_url_scrub(&replication->arena, &replication->url, message);
    return err_set(err, no_pos, "%s: %.*s", what, STR_ARG(shown));
}

static bool fail(struct replication *replication, const char *what, struct err *err) {
    return fail_on(replication, &replication->handle, what, err);
}

static bool connect_handle(struct replication *replication, MYSQL *handle, struct err *err) {
    const struct live_url *url = &replication->url;
    struct live_mysql_target target = live_mysql_target(&replication->arena, url);
    unsigned connect_s = CONNECT_S_MAX, silence_s = SILENCE_S_MAX, protocol = MYSQL_PROTOCOL_TCP;
    my_bool off = 0;
    libmariadb.mysql_optionsv(handle, MYSQL_OPT_CONNECT_TIMEOUT, &connect_s);
    libmariadb.mysql_optionsv(handle, MYSQL_OPT_READ_TIMEOUT, &silence_s);
    libmariadb.mysql_optionsv(handle, MYSQL_OPT_RECONNECT, &off);
    libmariadb.mysql_optionsv(handle, MYSQL_READ_DEFAULT_GROUP, "client");
    if (target.host != NULL && url->port != 0)
        libmariadb.mysql_optionsv(handle, MYSQL_OPT_PROTOCOL, &protocol);
    if (!live_mysql_set_options(url, handle, err))
        return false;
    if (rpl.mysql_real_connect(handle, target.host, target.user, target.password, NULL, url->port,
                               target.socket, 0) == NULL)
        return fail_on(replication, handle, "can't connect", err);
    return live_mysql_has_tls(url, handle, err);
}

static bool run(struct replication *replication, const char *sql) {
    return rpl.mysql_real_query(&replication->handle, sql, strlen(sql)) == 0;
}

/* The first row's first two values, to `cells`, each of FILE_NAME_BYTES_MAX. False: there is none, or an error. */
static bool ask(struct replication *replication, const char *sql, char cells[2][FILE_NAME_BYTES_MAX]) {
    if (!run(replication, sql))
        return false;
    MYSQL_RES *result = rpl.mysql_store_result(&replication->handle);
    MYSQL_ROW row = result != NULL ? libmariadb.mysql_fetch_row(result) : NULL;
    unsigned count = result != NULL ? libmariadb.mysql_num_fields(result) : 0;
    for (unsigned i = 0; row != NULL && i < 2 && i < count; i++)
        snprintf(cells[i], FILE_NAME_BYTES_MAX, "%s", row[i] != NULL ? row[i] : "");
    if (result != NULL)
        libmariadb.mysql_free_result(result);
    return row != NULL;
}

/* The file and position that the server writes at. */
static bool find_now(struct replication *replication, uint64_t *position, struct err *err) {
    /* MySQL 8.2 has the second, and 8.4 no longer the first. */
    char cells[2][FILE_NAME_BYTES_MAX] = {"", ""};
    if (!ask(replication, "SHOW MASTER STATUS", cells) &&
        !ask(replication, "SHOW BINARY LOG STATUS", cells)) {
        if (libmariadb.mysql_errno(&replication->handle) == 0)
            return err_set(err, no_pos, "the server writes no binary log");
        return fail(replication, "can't ask where the binary log ends", err);
    }
    snprintf(replication->file, sizeof(replication->file), "%s", cells[0]);
    *position = strtoull(cells[1], NULL, 10);
    return true;
}

static bool find_oldest(struct replication *replication, struct err *err) {
    char cells[2][FILE_NAME_BYTES_MAX] = {"", ""};
    if (!ask(replication, "SHOW BINARY LOGS", cells))
        return fail(replication, "can't ask which binary logs there are", err);
    snprintf(replication->file, sizeof(replication->file), "%s", cells[0]);
    return true;
}

/* What a replica says of itself: that it can read checksums and MariaDB's GTIDs, and that it wants a sign of life each second. */
static bool introduce(struct replication *replication, struct err *err) {
    static const char *const settings[] = {
        "SET @master_binlog_checksum = @@global.binlog_checksum",
        "SET @source_binlog_checksum = @@global.binlog_checksum",
        "SET @master_heartbeat_period = 1000000000, @source_heartbeat_period = 1000000000",
        "SET @mariadb_slave_capability = 4",
        "SET @slave_uuid = UUID(), @replica_uuid = @slave_uuid",
    };
    for (size_t i = 0; i < LW_COUNT_OF(settings); i++)
        if (!run(replication, settings[i]))
            return fail(replication, "the server refuses a replica's settings", err);
    char cells[2][FILE_NAME_BYTES_MAX] = {"", ""};
    if (!ask(replication, "SELECT @@global.binlog_checksum", cells))
        return fail(replication, "can't ask for the kind of checksum", err);
    replication->has_checksums = strcmp(cells[0], "NONE") != 0;
    return true;
}

static bool begin(struct replication *replication, const struct replication_start *from,
                  struct err *err) {
    uint64_t position = from->position < FIRST_POSITION ? FIRST_POSITION : from->position;
    if (from->file.len >= sizeof(replication->file))
        return err_set(err, no_pos, "the binary log's name is too long");
    snprintf(replication->file, sizeof(replication->file), "%.*s", STR_ARG(from->file));
    replication->is_whole = from->is_whole;
    if (from->file.len == 0 && !(from->is_whole ? find_oldest(replication, err) : find_now(replication, &position, err)))
        return false;
    if (position > UINT32_MAX)
        return err_set(err, no_pos, "replication can't begin behind 4 GiB of a binary log");
    if (!introduce(replication, err))
        return false;
    replication->stream = rpl.mariadb_rpl_init_ex(&replication->handle, MARIADB_RPL_VERSION);
    if (replication->stream == NULL)
        return fail(replication, "replication does not start", err);
    uint32_t own_id = 0xF0000000u | ((uint32_t)getpid() & 0x0FFFFFFF);
    rpl.mariadb_rpl_optionsv(replication->stream, MARIADB_RPL_FILENAME, replication->file,
                             strlen(replication->file));
    rpl.mariadb_rpl_optionsv(replication->stream, MARIADB_RPL_START, (unsigned long)position);
    rpl.mariadb_rpl_optionsv(replication->stream, MARIADB_RPL_SERVER_ID,
                             from->server_id != 0 ? from->server_id : own_id);
    bool is_mariadb = strstr(libmariadb.mysql_get_server_info(&replication->handle), "MariaDB") != NULL;
    unsigned flags = (is_mariadb ? FLAG_ANNOTATE : 0) | (from->is_whole ? FLAG_TO_END : 0);
    rpl.mariadb_rpl_optionsv(replication->stream, MARIADB_RPL_FLAGS, flags);
    if (rpl.mariadb_rpl_open(replication->stream) != 0)
        return fail(replication, "the server sends no binary log", err);
    return true;
}

struct replication *replication_open(struct str url, const struct replication_start *from, struct err *err) {
    struct replication *replication = mem_alloc(sizeof(*replication));
    memset(replication, 0, sizeof(*replication));
    if (!live_url_parse(&replication->arena, url, &replication->url, err)) {
        arena_release(&replication->arena);
        free(replication);
        return NULL;
    }
    bool is_good = replication->url.scheme == LIVE_SCHEME_MYSQL ||
                   err_set(err, no_pos, "such a URL has no binary log");
    if (!is_good || !load(err)) {
        arena_release(&replication->arena);
        free(replication);
        return NULL;
    }
    libmariadb.mysql_init(&replication->handle);
    if (connect_handle(replication, &replication->handle, err) && begin(replication, from, err))
        return replication;
    replication_close(replication);
    return NULL;
}

/* The name of the file that follows: behind the position, before the checksum. */
static void take_name(struct replication *replication, struct str event) {
    enum { NAME_AT = HEADER_BYTES + 8, CHECKSUM_BYTES = 4 };
    size_t end = event.len - (replication->has_checksums ? CHECKSUM_BYTES : 0);
    if (end > NAME_AT && end - NAME_AT < sizeof(replication->file))
        snprintf(replication->file, sizeof(replication->file), "%.*s",
                 STR_ARG(str_sub(event, NAME_AT, end)));
}

enum replication_state replication_next(struct replication *replication, struct str *bytes,
                                        struct err *err) {
    MYSQL *handle = &replication->handle;
    unsigned long len = rpl.mysql_net_read_packet(handle);
    *bytes = (struct str){0};
    if ((uint32_t)len == PACKET_ERROR || len == 0) {
        fail(replication, "the server sends no more of its binary log", err);
        return REPLICATION_OVER;
    }
    const unsigned char *packet = handle->net.read_pos;
    if (packet[0] == 0xFE && len < 9 && replication->is_whole)
        return REPLICATION_END;
    if (packet[0] == 0xFE && len < 9) {
        err_set(err, no_pos, "the server has ended its binary log");
        return REPLICATION_OVER;
    }
    struct str event = {(const char *)packet + 1, len - 1};
    if (event.len < HEADER_BYTES) {
        err_set(err, no_pos, "the server sent what is no event");
        return REPLICATION_OVER;
    }
    unsigned type = (unsigned char)event.ptr[TYPE_AT];
    bool is_artificial = ((unsigned char)event.ptr[FLAGS_AT] & FLAG_ARTIFICIAL) != 0;
    if (type == TYPE_ROTATE && is_artificial)
        take_name(replication, event);
    if (type == TYPE_HEARTBEAT || type == TYPE_HEARTBEAT_V2 || (type == TYPE_ROTATE && is_artificial))
        return REPLICATION_IDLE;
    *bytes = event;
    return REPLICATION_EVENT;
}

static void add_text(struct buf *out, struct str text) {
    buf_add_c(out, "_utf8 x'");
    for (size_t i = 0; i < text.len; i++)
        buf_printf(out, "%02x", (unsigned char)text.ptr[i]);
    buf_add_char(out, '\'');
}

static bool connect_for_questions(struct replication *replication) {
    struct err ignored;
    if (replication->has_questions)
        return true;
    libmariadb.mysql_init(&replication->questions);
    libmariadb.mysql_optionsv(&replication->questions, MYSQL_SET_CHARSET_NAME, "utf8");
    replication->has_questions = connect_handle(replication, &replication->questions, &ignored);
    if (!replication->has_questions)
        libmariadb.mysql_close(&replication->questions);
    return replication->has_questions;
}

static void read_columns(MYSQL_RES *result, struct arena *arena, struct live_columns *columns) {
    columns->names = ARENA_ARRAY(arena, struct str, (size_t)libmariadb.mysql_num_rows(result));
    columns->is_key = ARENA_ARRAY(arena, bool, (size_t)libmariadb.mysql_num_rows(result));
    for (MYSQL_ROW row; (row = libmariadb.mysql_fetch_row(result)) != NULL; columns->count++) {
        columns->names[columns->count] = str_dup(arena, str_from_c(row[0]));
        columns->is_key[columns->count] = row[1] != NULL && strcmp(row[1], "PRI") == 0;
    }
}

bool replication_table(struct replication *replication, struct arena *arena, struct str schema, struct str table,
                       struct live_columns *columns) {
    struct buf sql = {0};
    *columns = (struct live_columns){0};
    /* A connection that was silent too long is made anew, once. */
    for (int attempt = 0; attempt < 2 && columns->count == 0 && connect_for_questions(replication); attempt++) {
        buf_clear(&sql);
        buf_add_c(&sql, "SELECT COLUMN_NAME, COLUMN_KEY FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = ");
        add_text(&sql, schema);
        buf_add_c(&sql, " AND TABLE_NAME = ");
        add_text(&sql, table);
        buf_add_c(&sql, " ORDER BY ORDINAL_POSITION");
        MYSQL_RES *result = NULL;
        if (rpl.mysql_real_query(&replication->questions, sql.ptr, sql.len) == 0)
            result = rpl.mysql_store_result(&replication->questions);
        if (result != NULL) {
            read_columns(result, arena, columns);
            libmariadb.mysql_free_result(result);
            break;
        }
        libmariadb.mysql_close(&replication->questions);
        replication->has_questions = false;
    }
    buf_release(&sql);
    return columns->count > 0;
}

struct str replication_file(const struct replication *replication) {
    return str_from_c(replication->file);
}

void replication_close(struct replication *replication) {
    if (replication == NULL)
        return;
    if (replication->stream != NULL)
        rpl.mariadb_rpl_close(replication->stream);
    if (replication->has_questions)
        libmariadb.mysql_close(&replication->questions);
    libmariadb.mysql_close(&replication->handle);
    arena_release(&replication->arena);
    free(replication);
}

#else
struct replication *replication_open(struct str url, const struct replication_start *from, struct err *err) {
    (void)url;
    (void)from;
    err_set(err, (struct pos){0}, "this lostwrite was built without libmariadb");
    return NULL;
}

enum replication_state replication_next(struct replication *replication, struct str *bytes,
                                        struct err *err) {
    (void)replication;
    *bytes = (struct str){0};
    err_set(err, (struct pos){0}, "this lostwrite was built without libmariadb");
    return REPLICATION_OVER;
}

bool replication_table(struct replication *replication, struct arena *arena, struct str schema, struct str table,
                       struct live_columns *columns) {
    (void)replication, (void)arena, (void)schema, (void)table;
    *columns = (struct live_columns){0};
    return false;
}

struct str replication_file(const struct replication *replication) {
    (void)replication;
    return (struct str){0};
}

void replication_close(struct replication *replication) {
    (void)replication;
}
#endif
