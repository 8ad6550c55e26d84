/* watch --listen: a proxy in this process, the decoder beside it in another, so that whatever becomes of the one the other lives on. */
#ifndef LW_CLI_WATCH_LISTEN_H
#define LW_CLI_WATCH_LISTEN_H

#include "cli/exit.h"
#include "cli/watch_options.h"

/* Prints what was found once all is over: called in the decoder's process. */
typedef enum cli_exit watch_printer(const struct watch_run_options *options, struct watch *watch, size_t file_count);

/* Until a signal sets `stop`. Answers as the printer does; an error of its own is printed. */
enum cli_exit watch_listen(const struct watch_run_options *options, const volatile int *stop, watch_printer *print);

#endif
