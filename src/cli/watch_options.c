#include "cli/watch_options.h"

#include "base/assert.h"
#include "cli/option.h"
#include "cli/sources.h"
#include "proxy/tls.h"

enum { MEMORY_MB_MAX = 1 << 20, WINDOW_S_MAX = 86400, SAMPLE_MAX = 1000000, PORT_MAX = 65535 };

static bool set_source(void *options, struct str value, struct err *err) {
    const char *names[SOURCE_CLASSES_MAX];
    size_t chosen;
    for (size_t i = 0; i < source_class_count; i++)
        names[i] = source_classes[i]->name;
    if (!cli_choose(value, "source", names, source_class_count, &chosen, err))
        return false;
    ((struct watch_run_options *)options)->source = source_classes[chosen];
    return true;
}

static bool set_format(void *options, struct str value, struct err *err) {
    static const char *const names[] = {"text", "json", "html"}; /* as enum watch_format */
    size_t chosen;
    if (!cli_choose(value, "format", names, LW_COUNT_OF(names), &chosen, err))
        return false;
    ((struct watch_run_options *)options)->format = (enum watch_format)chosen;
    return true;
}

static bool set_prefix(void *options, struct str value, struct err *err) {
    (void)err;
    ((struct watch_run_options *)options)->trace.log_line_prefix = value;
    return true;
}

static bool set_port(void *options, struct str value, struct err *err) {
    unsigned number;
    if (!cli_number(value, "port", 1, PORT_MAX, &number, err))
        return false;
    ((struct watch_run_options *)options)->trace.server_port = (uint16_t)number;
    return true;
}

static bool set_memory(void *options, struct str value, struct err *err) {
    unsigned number;
    if (!cli_number(value, "number of megabytes", 1, MEMORY_MB_MAX, &number, err))
        return false;
    ((struct watch_run_options *)options)->watch.memory_bytes = (size_t)number << 20;
    return true;
}

static bool set_window(void *options, struct str value, struct err *err) {
    unsigned number;
    if (!cli_number(value, "number of seconds", 1, WINDOW_S_MAX, &number, err))
        return false;
    ((struct watch_run_options *)options)->watch.window_us = (int64_t)number * 1000000;
    return true;
}

static bool set_sample(void *options, struct str value, struct err *err) {
    unsigned number;
    if (!cli_number(value, "number of rows", 1, SAMPLE_MAX, &number, err))
        return false;
    ((struct watch_run_options *)options)->watch.sample_of = number;
    return true;
}

static bool set_color(void *options, struct str value, struct err *err) {
    return color_set(&((struct watch_run_options *)options)->color, value, err);
}

static bool set_show_values(void *options, struct str value, struct err *err) {
    (void)value, (void)err;
    ((struct watch_run_options *)options)->watch.shows_values = true;
    return true;
}

static bool set_pedantic(void *options, struct str value, struct err *err) {
    (void)value, (void)err;
    ((struct watch_run_options *)options)->is_pedantic = true;
    return true;
}

static bool set_verbose(void *options, struct str value, struct err *err) {
    (void)value, (void)err;
    ((struct watch_run_options *)options)->is_verbose = true;
    return true;
}

static bool set_follow(void *options, struct str value, struct err *err) {
    (void)value, (void)err;
    ((struct watch_run_options *)options)->follows = true;
    return true;
}

static bool set_listen(void *options, struct str value, struct err *err) {
    (void)err;
    ((struct watch_run_options *)options)->listen = value;
    return true;
}

static bool set_upstream(void *options, struct str value, struct err *err) {
    (void)err;
    ((struct watch_run_options *)options)->upstream = value;
    return true;
}

static bool set_protocol(void *options, struct str value, struct err *err) {
    static const char *const names[] = {"postgresql", "mysql"};
    size_t chosen;
    if (!cli_choose(value, "protocol", names, LW_COUNT_OF(names), &chosen, err))
        return false;
    ((struct watch_run_options *)options)->listen_protocol = "PM"[chosen];
    return true;
}

static bool set_tls_cert(void *options, struct str value, struct err *err) {
    (void)err;
    ((struct watch_run_options *)options)->tls_cert = value;
    return true;
}

static bool set_tls_key(void *options, struct str value, struct err *err) {
    (void)err;
    ((struct watch_run_options *)options)->tls_key = value;
    return true;
}

static bool set_upstream_tls(void *options, struct str value, struct err *err) {
    static const char *const names[] = {"prefer", "disable", "require", "verify"}; /* as enum tls_upstream */
    size_t chosen;
    if (!cli_choose(value, "way to use TLS", names, LW_COUNT_OF(names), &chosen, err))
        return false;
    ((struct watch_run_options *)options)->upstream_tls = (int)chosen;
    return true;
}

static bool set_upstream_ca(void *options, struct str value, struct err *err) {
    (void)err;
    ((struct watch_run_options *)options)->upstream_ca = value;
    return true;
}

static bool set_publication(void *options, struct str value, struct err *err) {
    (void)err;
    ((struct watch_run_options *)options)->server.publication = value;
    return true;
}

static bool set_create_publication(void *options, struct str value, struct err *err) {
    (void)value, (void)err;
    ((struct watch_run_options *)options)->server.makes_publication = true;
    return true;
}

static bool set_slot(void *options, struct str value, struct err *err) {
    (void)err;
    ((struct watch_run_options *)options)->server.slot = value;
    return true;
}

static bool set_record(void *options, struct str value, struct err *err) {
    (void)err;
    ((struct watch_run_options *)options)->record_path = value.ptr;
    return true;
}

static bool set_engine(void *options, struct str value, struct err *err) {
    return target_set_engine(&((struct watch_run_options *)options)->target, value, err);
}

static bool set_isolation(void *options, struct str value, struct err *err) {
    return target_set_isolation(&((struct watch_run_options *)options)->target, value, err);
}

static bool set_emit(void *options, struct str value, struct err *err) {
    (void)err;
    ((struct watch_run_options *)options)->emit_folder = value.ptr;
    return true;
}

static bool set_programs(void *options, struct str value, struct err *err) {
    (void)err;
    ((struct watch_run_options *)options)->programs_path = value.ptr;
    return true;
}

static bool set_no_search(void *options, struct str value, struct err *err) {
    (void)value, (void)err;
    ((struct watch_run_options *)options)->no_search = true;
    return true;
}

static bool add_path(void *into, struct str value, struct err *err) {
    (void)err;
    struct watch_run_options *options = into;
    VEC_PUSH(options->arena, &options->paths, value);
    return true;
}

static const struct cli_option watch_options[] = {
    {"source", 0, "KIND", "what the files are, if looking at them does not tell", set_source},
    {"format", 0, "FORMAT", "text, json or html", set_format},
    {"show-values", 0, NULL, "tell keys and values; else they are hashed with a key of this run", set_show_values},
    {"pedantic", 0, NULL, "also losses that may have been meant, with the doubt", set_pedantic},
    {"window", 0, "SECONDS", "a write is not computed from what was read longer ago (60)", set_window},
    {"sample", 0, "N", "look at one row of N, chosen by its key: all that is done to it", set_sample},
    {"memory", 0, "MB", "for rows and what was done to them (256); the longest untouched go first", set_memory},
    {"follow", 'f', NULL, "at the end of the last file wait for more, until Ctrl-C", set_follow},
    {"listen", 0, "ADDRESS", "be a proxy: take connections there (HOST:PORT, :PORT or a socket's path)", set_listen},
    {"upstream", 0, "ADDRESS", "of the server that the proxy forwards to, every byte as it is", set_upstream},
    {"protocol", 0, "NAME", "postgresql or mysql, if looking at the connections does not tell", set_protocol},
    {"tls-cert", 0, "FILE", "end the clients' TLS with this certificate (PEM, the chain behind it)", set_tls_cert},
    {"tls-key", 0, "FILE", "its private key", set_tls_key},
    {"upstream-tls", 0, "HOW", "TLS with the server: prefer, disable, require or verify", set_upstream_tls},
    {"upstream-ca", 0, "FILE", "authorities to verify the server by; else the system's", set_upstream_ca},
    {"record", 0, "FILE", "write what the proxy sees or PostgreSQL sends: it holds all values", set_record},
    {"publication", 0, "NAME", "of a PostgreSQL server: what is told of which tables", set_publication},
    {"create-publication", 0, NULL, "make one of all tables that have a key; it is dropped at the end",
     set_create_publication},
    {"slot", 0, "NAME", "read a PostgreSQL server's slot that is there, and leave it as it is", set_slot},
    {"no-search", 0, NULL, "only what was lost, not what can be", set_no_search},
    {"engine", 0, "ENGINE", "of the search: NAME or NAME:VERSION, as for check", set_engine},
    {"isolation", 0, "LEVEL", "of the search", set_isolation},
    {"emit-tests", 0, "DIR", "for each way to lose a write a .txn and a .spec for `lostwrite prove`",
     set_emit},
    {"programs", 0, "FILE", "write the programs that the traffic ran, made general, as .txn", set_programs},
    {"log-line-prefix", 0, "PREFIX", "PostgreSQL's setting, where looking at the log does not tell it", set_prefix},
    {"port", 0, "PORT", "the server's, in a capture", set_port},
    {"color", 0, "WHEN", "auto, always or never; auto obeys NO_COLOR", set_color},
    {"verbose", 'v', NULL, "list the statements that are not modelled", set_verbose},
};

const struct cli_syntax watch_syntax = {watch_options, LW_COUNT_OF(watch_options), add_path};

/* What belongs to a postgresql:// URL, and what that needs. */
static bool check_postgresql(struct watch_run_options *options, struct err *err) {
    struct watch_server_options *server = &options->server;
    size_t url_count = 0;
    for (size_t i = 0; i < options->paths.count; i++)
        url_count += watch_is_postgresql(options->paths.items[i]);
    if (options->listen.len == 0 && options->record_path != NULL && url_count == 0)
        return err_set(err, (struct pos){0, 0}, "--record is for a proxy (--listen, --upstream) or a postgresql:// URL");
    bool is_named = server->publication.len > 0, has_slot = server->slot.len > 0;
    server->record_path = options->record_path;
    if (url_count == 0 && (is_named || has_slot || server->makes_publication))
        return err_set(err, (struct pos){0, 0}, "--publication, --create-publication and --slot are for a postgresql:// URL");
    if (url_count > 1)
        return err_set(err, (struct pos){0, 0}, "one postgresql:// URL can be read at a time");
    if (server->makes_publication && is_named)
        return err_set(err, (struct pos){0, 0}, "either --publication or --create-publication");
    if (server->makes_publication && has_slot)
        return err_set(err, (struct pos){0, 0}, "a slot that is there holds nothing of a publication made now: --publication");
    if (url_count == 1 && !options->follows && !has_slot)
        return err_set(err, (struct pos){0, 0}, "PostgreSQL keeps no changes for who comes later: --follow reads them as they are "
                                                "committed, until Ctrl-C; --slot reads what a slot holds");
    return true;
}

/* What belongs to a proxy, and what to its TLS. */
static bool check_proxy(const struct watch_run_options *options, struct err *err) {
    bool has_tls = options->tls_cert.len > 0 || options->tls_key.len > 0 || options->upstream_tls >= 0 || options->upstream_ca.len > 0;
    if ((options->listen.len > 0) != (options->upstream.len > 0))
        return err_set(err, (struct pos){0, 0}, "--listen and --upstream belong together");
    if (options->listen.len == 0 && options->listen_protocol != 0)
        return err_set(err, (struct pos){0, 0}, "--protocol is for a proxy: --listen, --upstream");
    if (options->listen.len == 0 && has_tls)
        return err_set(err, (struct pos){0, 0}, "--tls-... and --upstream-... are for a proxy: --listen, --upstream");
    if ((options->tls_cert.len > 0) != (options->tls_key.len > 0))
        return err_set(err, (struct pos){0, 0}, "--tls-cert and --tls-key belong together");
    if (options->upstream_ca.len > 0 && options->upstream_tls != TLS_VERIFY)
        return err_set(err, (struct pos){0, 0}, "--upstream-ca is for --upstream-tls verify");
    if (options->listen.len > 0 && options->paths.count > 0)
        return err_set(err, (struct pos){0, 0}, "a proxy reads no files: either --listen or a path");
    return true;
}

bool watch_options_parse(struct arena *arena, int argc, char **argv, struct watch_run_options *options,
                         struct err *err) {
    *options = (struct watch_run_options){.arena = arena, .upstream_tls = -1};
    if (!cli_parse(&watch_syntax, argc, argv, options, err))
        return false;
    if (!target_check(&options->target, err))
        return false;
    if (!check_proxy(options, err) || !check_postgresql(options, err))
        return false;
    if (options->listen.len == 0 && options->paths.count == 0)
        return err_set(err, (struct pos){0, 0}, "nothing to read: name a log, a binlog, a capture, a folder of them, or -");
    return true;
}
