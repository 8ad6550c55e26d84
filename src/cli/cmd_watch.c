#include "base/file.h"
#include "cli/command.h"
#include "cli/pipeline.h"
#include "cli/progress.h"
#include "cli/sources.h"
#include "cli/watch_listen.h"
#include "cli/watch_options.h"
#include "cli/watch_search.h"
#include "cli/watch_server.h"
#include "report/watch.h"

#include <signal.h>

static volatile int is_interrupted;

/* Let go by the end of the process: row by row it would take as long as reading a tenth of them. */
static struct watch *volatile watched;

static void interrupt(int number) {
    (void)number;
    is_interrupted = 1;
}

/* A first Ctrl-C ends the reading, and what was found so far is told; a second one ends the program. */
static void catch_interrupt(void) {
    struct sigaction action = {.sa_handler = interrupt, .sa_flags = (int)SA_RESETHAND};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

static void show_progress(void *progress, uint64_t byte_count) {
    progress_show(progress, "%.1f MB read", (double)byte_count / (1 << 20));
}

/* How the reading went; of what is cut off, what was read before counts. */
static enum watch_server_end read_sources(const struct watch_run_options *options, struct watch *watch, size_t *file_count,
                                          struct err *err) {
    struct trace_paths paths = {0};
    for (size_t i = 0; i < options->paths.count; i++)
        if (watch_is_server(options->paths.items[i]))
            VEC_PUSH(options->arena, &paths.items, (struct trace_path){options->paths.items[i], false});
        else if (!trace_paths_add(options->arena, options->paths.items[i], &paths, err))
            return WATCH_SERVER_REFUSED;
    struct progress progress;
    struct trace_reader reader = {.classes = source_classes, .class_count = source_class_count,
                                  .only = options->source, .options = options->trace,
                                  .sink = watch_sink(watch), .follows = options->follows,
                                  .stop = &is_interrupted, .on_progress = show_progress,
                                  .progress_context = &progress};
    progress_begin(&progress);
    enum watch_server_end answer = WATCH_SERVER_READ;
    for (size_t i = 0; i < paths.items.count && answer == WATCH_SERVER_READ && !is_interrupted; i++) {
        const struct trace_path *path = &paths.items.items[i];
        if (watch_is_server(path->path))
            answer = watch_server_read(&reader, path->path, &options->server, err);
        else if (!trace_read(&reader, path, i + 1 == paths.items.count, err))
            answer = WATCH_SERVER_REFUSED;
    }
    trace_reader_end(&reader);
    progress_end(&progress);
    *file_count = reader.file_count;
    return answer;
}

/* What the recorded transactions can lose, and the files that were asked for. False: a file could not be written. */
static bool search_programs(const struct watch_run_options *options, struct watch *watch, struct watch_search *search,
                            struct err *err) {
    struct watch_programs programs = {.arena = options->arena};
    struct buf written = {0};
    watch_programs(watch, &programs, &written);
    struct str text = str_dup(options->arena, buf_str(&written));
    buf_release(&written);
    if (options->programs_path != NULL && !file_write(options->programs_path, text, err))
        return false;
    if (programs.count == 0 || options->no_search)
        return true;
    size_t emitted;
    search->is_pedantic = options->is_pedantic;
    return watch_search(search, text, &programs, &options->target, err) &&
           (options->emit_folder == NULL || watch_emit(search, options->emit_folder, &emitted, err));
}

static enum cli_exit print_result(const struct watch_run_options *options, struct watch *watch, size_t file_count) {
    struct watch_result result;
    struct watch_search search = {.arena = options->arena};
    struct report look = {.version = LW_VERSION, .is_verbose = options->is_verbose, .root = current_folder(options->arena),
                          .is_colored = color_wanted(options->color, stdout), .width = terminal_width(stdout)};
    struct watch_report report = {.result = &result, .shows_values = options->watch.shows_values,
                                  .is_pedantic = options->is_pedantic, .source_count = file_count, .report = &look};
    struct err err;
    struct buf out = {0};
    watch_result(watch, options->arena, &result);
    if (!search_programs(options, watch, &search, &err))
        return pipeline_print_error(&err);
    if (search.program_count > 0)
        watch_search_report(&search, &look);
    size_t count = watch_report_count(&report) + search.findings.items.count;
    if (options->format == WATCH_JSON)
        report_watch_json(&report, &out);
    else if (options->format == WATCH_HTML)
        report_watch_html(&report, &out);
    else
        report_watch_text(&report, &out);
    return pipeline_print(&out, count > 0 ? CLI_FINDINGS : CLI_CLEAN);
}

static enum cli_exit run_watch(const struct watch_run_options *options) {
    if (options->listen.len > 0) {
        catch_interrupt();
        return watch_listen(options, &is_interrupted, print_result);
    }
    struct watch *watch = watch_open(&options->watch);
    watched = watch;
    size_t file_count;
    struct err err;
    mem_keep_freed();
    catch_interrupt();
    enum watch_server_end end = read_sources(options, watch, &file_count, &err);
    enum cli_exit answer = end != WATCH_SERVER_REFUSED ? print_result(options, watch, file_count) : pipeline_print_error(&err);
    if (end == WATCH_SERVER_LOST)
        answer = pipeline_print_error(&err);
    return answer;
}

static enum cli_exit run(int argc, char **argv) {
    struct arena arena = {0};
    struct watch_run_options options;
    struct err err;
    enum cli_exit answer = watch_options_parse(&arena, argc, argv, &options, &err)
                               ? run_watch(&options)
                               : command_error(&cmd_watch, &err);
    arena_release(&arena);
    return answer;
}

const struct command cmd_watch = {
    .name = "watch",
    .summary = "find the writes that were lost, in what a server's logs, binlogs or traffic tell",
    .usage = "PATH... | --listen ADDRESS --upstream ADDRESS [options]",
    .help = "A path is a file, a folder of files, or - for standard input; .gz and .zst are unpacked. What\n"
            "each is, is found by looking at it. Files of one kind are one source that goes on. Of a URL,\n"
            "mysql://USER:PASSWORD@HOST/, the server's binary log is read, as a replica would; of\n"
            "postgresql://USER:PASSWORD@HOST/DATABASE its logical decoding, as a subscriber would.\n"
            "\n"
            "What is told of a lost write says by what evidence, strongest first: arithmetic (both computed\n"
            "a value from the same old one), revert (a column went A, B, A: the old value was written\n"
            "back), order (a row was read, changed by another, and written, without a lock).\n"
            "\n"
            "The transactions that were recorded, made general, then go through the search of `check`: what\n"
            "they can lose is told even if nothing was lost. That takes a source that tells what was read.\n"
            "\n"
            "No server is asked but that of a URL, nothing is sent anywhere. docs/watch.md has more.\n"
            "\n"
            "Answers 0 if nothing was found, 1 if something was, 2 if the usage was wrong or a\n"
            "path could not be read.",
    .syntax = &watch_syntax,
    .run = run,
};
