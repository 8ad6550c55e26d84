/* The options of watch. */
#ifndef LW_CLI_WATCH_OPTIONS_H
#define LW_CLI_WATCH_OPTIONS_H

#include "base/vec.h"
#include "cli/target.h"
#include "cli/terminal.h"
#include "cli/watch_server.h"
#include "trace/source.h"
#include "watch/watch.h"

enum watch_format { WATCH_TEXT, WATCH_JSON, WATCH_HTML };

struct watch_run_options {
    struct arena *arena;
    VEC(struct str) paths;
    const struct trace_decoder_class *source; /* NULL: found by looking */
    struct trace_options trace;
    struct watch_options watch;
    enum watch_format format;
    enum color_when color;
    struct target target; /* engines and levels for the search of what can be lost */
    struct str listen, upstream; /* addresses of the proxy; empty: files are read */
    char listen_protocol;        /* 'P', 'M'; 0: found by looking */
    struct str tls_cert, tls_key; /* files: the proxy ends the clients' TLS; empty: it does not */
    struct str upstream_ca;
    int upstream_tls;            /* as enum tls_upstream; -1: not said */
    struct watch_server_options server;
    const char *record_path;     /* what the proxy sees, or PostgreSQL sends, is written there; NULL: nowhere */
    const char *emit_folder; /* NULL: no tests are written */
    const char *programs_path; /* where the recalled programs go; NULL: nowhere */
    bool is_pedantic, is_verbose, follows, no_search;
};

extern const struct cli_syntax watch_syntax;

/* False, with a message, at the first thing that is wrong. */
bool watch_options_parse(struct arena *arena, int argc, char **argv, struct watch_run_options *options,
                         struct err *err);

#endif
