#include "base/file.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

static bool read_failed(struct err *err, const char *path, const char *reason) {
    err_set(err, (struct pos){0}, "cannot read: %s", reason);
    return err_in_file(err, str_from_c(path));
}

/* Reads `stream` to its end; false if it breaks or is too long. */
static bool read_all(struct arena *arena, FILE *stream, size_t hint, struct str *text) {
    size_t capacity = hint + 1, len = 0;
    char *bytes = arena_alloc(arena, capacity + 1);
    for (;;) {
        size_t got = fread(bytes + len, 1, capacity - len, stream);
        len += got;
        if (got == 0)
            break;
        if (len > FILE_BYTES_MAX)
            return false;
        if (len == capacity) {
            char *grown = arena_alloc(arena, capacity * 2 + 1);
            memcpy(grown, bytes, len);
            bytes = grown;
            capacity *= 2;
        }
    }
    bytes[len] = '\0';
    *text = (struct str){bytes, len};
    return ferror(stream) == 0;
}

bool file_read(struct arena *arena, const char *path, struct str *text, struct err *err) {
    bool is_stdin = strcmp(path, "-") == 0;
    FILE *stream = is_stdin ? stdin : fopen(path, "rb");
    if (stream == NULL)
        return read_failed(err, path, strerror(errno));
    struct stat info;
    bool ok = fstat(fileno(stream), &info) == 0;
    const char *reason = strerror(errno);
    if (ok && S_ISDIR(info.st_mode)) {
        ok = false;
        reason = "it is a folder";
    } else if (ok && info.st_size > FILE_BYTES_MAX) {
        ok = false;
        reason = "larger than 64 MiB";
    } else if (ok) {
        ok = read_all(arena, stream, S_ISREG(info.st_mode) ? (size_t)info.st_size : 4096, text);
        reason = errno != 0 ? strerror(errno) : "larger than 64 MiB";
    }
    if (!is_stdin)
        fclose(stream);
    return ok ? true : read_failed(err, path, reason);
}

bool file_write(const char *path, struct str text, struct err *err) {
    FILE *stream = fopen(path, "wb");
    bool ok = stream != NULL && (text.len == 0 || fwrite(text.ptr, 1, text.len, stream) == text.len);
    int reason = errno;
    if (stream != NULL && fclose(stream) != 0 && ok) {
        ok = false;
        reason = errno;
    }
    if (ok)
        return true;
    err_set(err, (struct pos){0}, "cannot write: %s", strerror(reason));
    return err_in_file(err, str_from_c(path));
}
