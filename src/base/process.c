#include "base/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { EXEC_FAILED = 127 };

struct stream {
    int fd; /* -1: closed */
    struct buf text;
};

static void close_all(const int *fds, size_t count) {
    for (size_t i = 0; i < count; i++)
        close(fds[i]);
}

/* In the child: becomes the program, or tells `failed` why not. */
static void become(const char *const *argv, int out, int err, int failed) {
    int in = open("/dev/null", O_RDONLY);
    if (in >= 0 && dup2(in, STDIN_FILENO) >= 0 && dup2(out, STDOUT_FILENO) >= 0 &&
        dup2(err, STDERR_FILENO) >= 0)
        execvp(argv[0], (char *const *)argv);
    int reason = errno;
    ssize_t written = write(failed, &reason, sizeof(reason));
    _exit(written > 0 ? EXEC_FAILED : EXEC_FAILED - 1);
}

/* What is there to be read; closes the stream at its end. */
static void read_some(struct stream *stream) {
    char bytes[16384];
    ssize_t got = read(stream->fd, bytes, sizeof(bytes));
    if (got > 0) {
        buf_add(&stream->text, (struct str){bytes, (size_t)got});
    } else if (got == 0 || errno != EINTR) {
        close(stream->fd);
        stream->fd = -1;
    }
}

/* Reads both to their ends. False: they are too long. */
static bool read_streams(struct stream streams[2]) {
    while (streams[0].fd >= 0 || streams[1].fd >= 0) {
        struct pollfd polls[] = {{.fd = streams[0].fd, .events = POLLIN},
                                 {.fd = streams[1].fd, .events = POLLIN}};
        if (poll(polls, 2, -1) < 0 && errno != EINTR)
            return false;
        for (int i = 0; i < 2; i++)
            if (streams[i].fd >= 0 && (polls[i].revents & (POLLIN | POLLHUP | POLLERR)) != 0)
                read_some(&streams[i]);
        if (streams[0].text.len + streams[1].text.len > PROCESS_BYTES_MAX)
            return false;
    }
    return true;
}

static int wait_for(pid_t child) {
    int status;
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static bool open_pipes(int fds[6]) {
    for (size_t i = 0; i < 6; i += 2) {
        if (pipe(fds + i) != 0) {
            close_all(fds, i);
            return false;
        }
        fcntl(fds[i], F_SETFD, FD_CLOEXEC);
        fcntl(fds[i + 1], F_SETFD, FD_CLOEXEC);
    }
    return true;
}

static bool failed(struct err *err, const char *program, const char *reason) {
    return err_set(err, (struct pos){0}, "cannot run %s: %s", program, reason);
}

bool process_run(struct arena *arena, const char *const *argv, struct process_output *output,
                 struct err *err) {
    int fds[6]; /* of standard output, of standard error, of why it could not be started */
    if (!open_pipes(fds))
        return failed(err, argv[0], strerror(errno));
    pid_t child = fork();
    if (child == 0)
        become(argv, fds[1], fds[3], fds[5]);
    if (child < 0) {
        int reason = errno;
        close_all(fds, 6);
        return failed(err, argv[0], strerror(reason));
    }
    close(fds[1]);
    close(fds[3]);
    close(fds[5]);
    struct stream streams[] = {{.fd = fds[0]}, {.fd = fds[2]}};
    int reason = 0;
    bool is_whole = read_streams(streams);
    for (int i = 0; i < 2; i++)
        if (streams[i].fd >= 0)
            close(streams[i].fd);
    bool has_failed = read(fds[4], &reason, sizeof(reason)) == sizeof(reason);
    close(fds[4]);
    output->code = wait_for(child);
    output->out = str_dup(arena, buf_str(&streams[0].text));
    output->err = str_dup(arena, buf_str(&streams[1].text));
    buf_release(&streams[0].text);
    buf_release(&streams[1].text);
    if (has_failed)
        return failed(err, argv[0], strerror(reason));
    return is_whole || failed(err, argv[0], "it prints too much");
}
