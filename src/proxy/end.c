#include "proxy/end.h"

#include "base/assert.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static bool is_later(int why) {
    return why == EAGAIN || why == EWOULDBLOCK || why == EINTR;
}

static ssize_t receive_tls(struct end *end, char *bytes, size_t room) {
    size_t count = 0;
    enum tls_answer answer = tls_read(end->tls, bytes, room, &count);
    end->reads_want_out = answer == TLS_WAIT_OUT;
    if (answer == TLS_DONE)
        return (ssize_t)count;
    if (answer == TLS_WAIT_IN || answer == TLS_WAIT_OUT)
        return END_NOTHING;
    end->is_cut = answer == TLS_CUT;
    end->is_at_end = answer == TLS_CUT || answer == TLS_OVER;
    return end->is_at_end ? END_OVER : END_BROKEN;
}

ssize_t end_receive(struct end *end, char *bytes, size_t room) {
    if (end->tls != NULL)
        return receive_tls(end, bytes, room);
    ssize_t count = recv(end->fd, bytes, room, 0);
    if (count > 0)
        return count;
    if (count < 0)
        return is_later(errno) ? END_NOTHING : END_BROKEN;
    end->is_at_end = true;
    return END_OVER;
}

bool end_has_bytes(const struct end *end) {
    return end->tls != NULL && tls_has_bytes(end->tls);
}

/* How much of it the end takes at once; -1: it is gone. */
static ssize_t send_some(struct end *end, struct str bytes) {
    if (end->tls == NULL) {
        ssize_t sent = send(end->fd, bytes.ptr, bytes.len, MSG_NOSIGNAL);
        return sent >= 0 ? sent : is_later(errno) ? 0 : -1;
    }
    size_t all = 0;
    while (all < bytes.len) {
        size_t count = 0;
        enum tls_answer answer = tls_write(end->tls, str_sub(bytes, all, bytes.len), &count);
        end->sends_want_in = answer == TLS_WAIT_IN;
        if (answer == TLS_WAIT_IN || answer == TLS_WAIT_OUT)
            break;
        if (answer != TLS_DONE)
            return -1;
        all += count;
    }
    return (ssize_t)all;
}

/* Behind what waits already. */
static bool keep_waiting(struct end *end, struct str bytes) {
    if (end->waiting_len + bytes.len > END_WAITING_BYTES_MAX)
        return false;
    if (end->waiting == NULL)
        end->waiting = mem_alloc(END_WAITING_BYTES_MAX);
    if (end->waiting_len > 0)
        memmove(end->waiting, end->waiting + end->waiting_from, end->waiting_len);
    memcpy(end->waiting + end->waiting_len, bytes.ptr, bytes.len);
    end->waiting_from = 0;
    end->waiting_len += bytes.len;
    return true;
}

bool end_send(struct end *end, struct str bytes) {
    ssize_t sent = end->waiting_len > 0 ? 0 : send_some(end, bytes);
    if (sent < 0)
        return false;
    return (size_t)sent == bytes.len || keep_waiting(end, str_sub(bytes, (size_t)sent, bytes.len));
}

bool end_flush(struct end *end) {
    LW_ASSERT(end->waiting_len > 0);
    ssize_t sent = send_some(end, (struct str){end->waiting + end->waiting_from, end->waiting_len});
    if (sent < 0)
        return false;
    end->waiting_from += (size_t)sent;
    end->waiting_len -= (size_t)sent;
    if (end->waiting_len == 0) {
        free(end->waiting);
        end->waiting = NULL;
    }
    return true;
}

void end_finish(struct end *end, bool is_cut) {
    if (end->tls != NULL && !is_cut)
        tls_finish(end->tls);
    shutdown(end->fd, SHUT_WR);
    end->is_shut = true;
}

void end_release(struct end *end) {
    tls_free(end->tls);
    free(end->waiting);
    if (end->fd >= 0)
        close(end->fd);
    end->tls = NULL;
    end->waiting = NULL;
    end->waiting_len = 0;
    end->fd = -1;
}
