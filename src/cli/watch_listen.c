#include "cli/watch_listen.h"

#include "cli/pipeline.h"
#include "proxy/relay.h"
#include "wire/traffic.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { RING_BYTES = 64 << 20, PAUSE_US = 10000, REFUSALS_SAID_MAX = 20 };

static const struct pos no_pos;

static void ignore(int number) {
    struct sigaction action = {.sa_handler = SIG_IGN};
    sigemptyset(&action.sa_mask);
    sigaction(number, &action, NULL);
}

/* --- the decoder's process --- */

static int open_record(const char *path) {
    return open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
}

/* Writes all of it; what cannot be written ends the recording, not the watching. */
static void record(int *fd, const char *path, struct str bytes) {
    while (*fd >= 0 && bytes.len > 0) {
        ssize_t count = write(*fd, bytes.ptr, bytes.len);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0) {
            fprintf(stderr, "lostwrite: %s: %s; the recording ends here\n", path, strerror(errno));
            close(*fd);
            *fd = -1;
            return;
        }
        bytes = str_sub(bytes, (size_t)count, bytes.len);
    }
}

static enum cli_exit decode(const struct watch_run_options *options, struct ring *ring, pid_t proxy, int recording,
                            watch_printer *print) {
    struct watch *watch = watch_open(&options->watch);
    struct trace_sink sink = watch_sink(watch);
    struct trace_options trace = options->trace;
    trace.file = options->record_path != NULL ? str_from_c(options->record_path) : STR("(proxy)");
    void *decoder = traffic_decoder.open(&sink, &trace);
    traffic_decoder.feed(decoder, STR(TRAFFIC_MAGIC));
    record(&recording, options->record_path, STR(TRAFFIC_MAGIC));
    for (;;) {
        /* Asked before looking, so that nothing is left behind. */
        bool is_finished = ring_is_finished(ring) || getppid() != proxy;
        struct str bytes = ring_peek(ring);
        if (bytes.len == 0 && is_finished)
            break;
        if (bytes.len == 0) {
            nanosleep(&(struct timespec){0, PAUSE_US * 1000}, NULL);
            continue;
        }
        traffic_decoder.feed(decoder, bytes);
        record(&recording, options->record_path, bytes);
        ring_done(ring, bytes.len);
    }
    traffic_decoder.end(decoder);
    traffic_decoder.close(decoder);
    if (recording >= 0)
        close(recording);
    enum cli_exit answer = print(options, watch, 1);
    watch_close(watch);
    return answer;
}

/* --- the proxy's --- */

static bool is_child_alive(void *context) {
    pid_t *child = context;
    int status;
    if (*child != 0 && waitpid(*child, &status, WNOHANG) == *child)
        *child = 0;
    return *child != 0;
}

static void allow_files(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

static enum cli_exit forward(struct relay *relay, struct ring *ring, pid_t *child) {
    relay_run(relay);
    struct relay_stats stats = relay_stats(relay);
    ring_finish(ring);
    fprintf(stderr, "lostwrite: %llu connections, %llu bytes forwarded", (unsigned long long)stats.connection_count,
            (unsigned long long)stats.byte_count);
    if (stats.refused_count > 0)
        fprintf(stderr, ", %llu connections that the server did not take", (unsigned long long)stats.refused_count);
    if (stats.login_refused_count > 0)
        fprintf(stderr, ", %llu connections refused as TLS did not come about", (unsigned long long)stats.login_refused_count);
    if (stats.lost_count > 0)
        fprintf(stderr, ", %llu pieces forwarded without a look", (unsigned long long)stats.lost_count);
    fprintf(stderr, "\n");
    int status = 0;
    while (*child != 0 && waitpid(*child, &status, 0) < 0 && errno == EINTR)
        continue;
    if (*child == 0 || !WIFEXITED(status)) {
        fprintf(stderr, "lostwrite: the decoder died; what came after that was forwarded without a look\n");
        return CLI_ERROR;
    }
    return (enum cli_exit)WEXITSTATUS(status);
}

/* What is said of connections that are refused, up to so many. */
static void say_refused(void *context, uint64_t connection, const char *why) {
    unsigned *said = context;
    if (++*said <= REFUSALS_SAID_MAX)
        fprintf(stderr, "lostwrite: connection %llu refused: %s\n", (unsigned long long)connection, why);
}

/* *tls NULL: what comes encrypted is passed through. */
static bool open_tls(const struct watch_run_options *options, struct tls **tls, struct err *err) {
    struct tls_options wanted = {.certificate = options->tls_cert, .key = options->tls_key, .authorities = options->upstream_ca};
    *tls = NULL;
    if (options->tls_cert.len == 0 && options->upstream_tls < 0)
        return true;
    wanted.upstream = options->upstream_tls < 0 ? TLS_PREFER : (enum tls_upstream)options->upstream_tls;
    if (wanted.upstream == TLS_VERIFY && !relay_host(options->arena, options->upstream, &wanted.host, err))
        return false;
    *tls = tls_open(options->arena, &wanted, err);
    return *tls != NULL;
}

static char protocol_of(const struct watch_run_options *options) {
    return options->listen_protocol != 0 ? options->listen_protocol : '?';
}

/* Both processes, from the fork to the report. The relay is closed. */
static enum cli_exit run_both(const struct watch_run_options *options, struct relay *relay, struct ring *ring, struct tls *tls,
                              pid_t *child, int recording, watch_printer *print) {
    fflush(NULL);
    pid_t proxy = getpid();
    *child = fork();
    if (*child == 0) {
        ignore(SIGINT);
        ignore(SIGTERM);
        relay_leave(relay);
        tls_close(tls);
        enum cli_exit answer = decode(options, ring, proxy, recording, print);
        fflush(NULL);
        _exit((int)answer);
    }
    if (recording >= 0)
        close(recording);
    if (*child < 0)
        fprintf(stderr, "lostwrite: no process for the decoder: %s; nothing is looked at\n", strerror(errno));
    *child = *child < 0 ? 0 : *child;
    fprintf(stderr, "lostwrite: listening on %.*s (port %u), forwarding to %.*s\n", STR_ARG(options->listen), relay_port(relay),
            STR_ARG(options->upstream));
    enum cli_exit answer = forward(relay, ring, child);
    relay_close(relay);
    return answer;
}

static enum cli_exit listen_with(const struct watch_run_options *options, struct tls *tls, const volatile int *stop,
                                 watch_printer *print) {
    struct err err;
    pid_t child = 0;
    unsigned refusals_said = 0;
    int recording = -1;
    struct ring *ring = ring_new(RING_BYTES);
    if (ring == NULL) {
        err_set(&err, no_pos, "no memory for what is forwarded");
        return pipeline_print_error(&err);
    }
    struct relay_options relay_options = {.listen = options->listen, .upstream = options->upstream, .tls = tls,
                                          .protocol = protocol_of(options), .ring = ring, .stop = stop,
                                          .note = say_refused, .note_context = &refusals_said,
                                          .decoder_lives = is_child_alive, .decoder_context = &child};
    allow_files();
    ignore(SIGHUP);
    ignore(SIGPIPE);
    struct relay *relay = relay_open(options->arena, &relay_options, &err);
    if (relay == NULL)
        return pipeline_print_error(&err);
    if (options->record_path != NULL && (recording = open_record(options->record_path)) < 0) {
        err_set(&err, no_pos, "%s: %s", options->record_path, strerror(errno));
        relay_close(relay);
        return pipeline_print_error(&err);
    }
    return run_both(options, relay, ring, tls, &child, recording, print);
}

enum cli_exit watch_listen(const struct watch_run_options *options, const volatile int *stop, watch_printer *print) {
    struct err err;
    struct tls *tls;
    if (!open_tls(options, &tls, &err))
        return pipeline_print_error(&err);
    enum cli_exit answer = listen_with(options, tls, stop, print);
    tls_close(tls);
    return answer;
}
