#include "trace/source.h"

#include "base/assert.h"
#include "unpack/unpack.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { CHUNK_BYTES = 1 << 18, FOLLOW_PAUSE_MS = 100 };

static const struct pos no_pos;

/* --- which files --- */

/* Name and number of a rotated log: "a.log.2.gz" is a.log, 2; "a.log" is its newest. */
struct rotated {
    struct str path, stem;
    unsigned long number; /* 0: it has none */
};

static struct rotated rotated_of(struct str path) {
    struct rotated file = {path, path, 0};
    if (str_ends(path, ".gz"))
        file.stem = str_sub(path, 0, path.len - 3);
    else if (str_ends(path, ".zst"))
        file.stem = str_sub(path, 0, path.len - 4);
    size_t digits = file.stem.len;
    while (digits > 0 && file.stem.ptr[digits - 1] >= '0' && file.stem.ptr[digits - 1] <= '9')
        digits--;
    size_t count = file.stem.len - digits;
    /* Binlogs have six digits and count upwards: they are in order by name. */
    if (count > 0 && count < 4 && digits > 0 && file.stem.ptr[digits - 1] == '.') {
        file.number = strtoul(file.stem.ptr + digits, NULL, 10);
        file.stem = str_sub(file.stem, 0, digits - 1);
    }
    return file;
}

static int oldest_first(const void *a, const void *b) {
    const struct rotated *left = a, *right = b;
    int order = str_compare(left->stem, right->stem);
    if (order != 0)
        return order;
    if (left->number != right->number)
        return left->number == 0 ? 1 : right->number == 0 ? -1 : left->number > right->number ? -1 : 1;
    return str_compare(left->path, right->path);
}

static bool add_folder(struct arena *arena, struct str path, DIR *folder, struct trace_paths *paths, struct err *err) {
    VEC(struct rotated) files = {0};
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        struct stat info;
        struct str full = str_printf(arena, "%.*s%s%s", STR_ARG(path), str_ends(path, "/") ? "" : "/", entry->d_name);
        /* An index of binlogs lists them, and is none. */
        if (entry->d_name[0] != '.' && !str_ends(full, ".index") && stat(full.ptr, &info) == 0 && S_ISREG(info.st_mode))
            VEC_PUSH(arena, &files, rotated_of(full));
    }
    closedir(folder);
    if (files.count == 0)
        return err_set(err, no_pos, "%.*s: the folder has no files", STR_ARG(path));
    qsort(files.items, files.count, sizeof(*files.items), oldest_first);
    for (size_t i = 0; i < files.count; i++)
        VEC_PUSH(arena, &paths->items, (struct trace_path){files.items[i].path, true});
    return true;
}

bool trace_paths_add(struct arena *arena, struct str path, struct trace_paths *paths, struct err *err) {
    struct stat info;
    const char *name = str_to_c(arena, path);
    if (str_is(path, "-")) {
        VEC_PUSH(arena, &paths->items, (struct trace_path){path, false});
        return true;
    }
    DIR *folder = NULL;
    if (stat(name, &info) != 0 || (S_ISDIR(info.st_mode) && (folder = opendir(name)) == NULL))
        return err_set(err, no_pos, "%s: %s", name, strerror(errno));
    if (folder != NULL)
        return add_folder(arena, path, folder, paths, err);
    VEC_PUSH(arena, &paths->items, (struct trace_path){path, false});
    return true;
}

/* --- one file --- */

/* The sink of one decoder: sessions of different decoders are different. */
struct trace_input {
    struct trace_sink to, own; /* `own` is the decoder's */
    uint64_t session_base;
};

static void pass(void *context, const struct trace_event *event) {
    const struct trace_input *input = context;
    if (input->session_base == 0 || event->session == 0) {
        input->to.event(input->to.context, event);
        return;
    }
    struct trace_event moved = *event;
    moved.session ^= input->session_base;
    input->to.event(input->to.context, &moved);
}

struct file {
    struct trace_reader *reader;
    struct str path;
    int fd;
    bool is_packed, is_bad;
    bool is_found;   /* in a folder */
    bool is_skipped; /* another file tells the same, or nobody knows what it is */
    struct unpack *unpack;
    enum unpack_kind kind;
    enum unpack_state state;
    size_t class; /* that reads it; SOURCE_CLASSES_MAX: not known yet */
    char *head;   /* what was read before it is known, TRACE_HEAD_BYTES at most */
    size_t head_len;
    uint64_t byte_count; /* unpacked */
    char *chunk, *unpacked;
};

static bool is_stopped(const struct trace_reader *reader) {
    return reader->stop != NULL && *reader->stop != 0;
}

static struct str folder_of(struct str path) {
    while (path.len > 0 && path.ptr[path.len - 1] != '/')
        path.len--;
    return path;
}

/* Whether another log of this folder has told the same statements: to read them twice would look like two sessions. */
static bool is_read_already(const struct file *file) {
    const struct trace_reader *reader = file->reader;
    const struct trace_decoder_class *class = reader->classes[file->class];
    for (size_t i = 0; i < reader->class_count; i++)
        if (i != file->class && reader->decoders[i] != NULL && class->same_as != NULL &&
            reader->classes[i]->same_as != NULL &&
            strcmp(class->same_as, reader->classes[i]->same_as) == 0 &&
            str_equal(reader->folders[i], folder_of(file->path)))
            return true;
    return false;
}

static bool skip(struct file *file, const char *reason) {
    struct trace_event event = {.kind = TRACE_GAP, .time_us = -1, .place = {file->path, 0, 0}};
    event.gap.reason = reason;
    file->reader->sink.event(file->reader->sink.context, &event);
    file->is_skipped = true;
    return true;
}

static bool find_class(struct file *file, struct err *err) {
    struct trace_reader *reader = file->reader;
    int best = 0;
    for (size_t i = 0; i < reader->class_count; i++) {
        int sure = reader->only == NULL ? reader->classes[i]->detect((struct str){file->head, file->head_len})
                                        : (reader->classes[i] == reader->only ? 100 : 0);
        if (sure > best) {
            best = sure;
            file->class = i;
        }
    }
    if (best == 0 && file->is_found)
        return skip(file, "not read: nothing that watch knows");
    if (best == 0)
        return err_set(err, no_pos, "%.*s: nothing that watch knows; --source says what it is, `lostwrite help watch` lists what there may be",
                       STR_ARG(file->path));
    if (is_read_already(file))
        return skip(file, "not read: another log of this folder, read before, tells the same statements");
    reader->folders[file->class] = folder_of(file->path);
    void **decoder = &reader->decoders[file->class];
    if (*decoder != NULL) {
        reader->classes[file->class]->next_file(*decoder, file->path);
        return true;
    }
    struct trace_input *input = mem_alloc(sizeof(*input));
    *input = (struct trace_input){reader->sink, {pass, input}, (uint64_t)file->class << 56};
    reader->sinks[file->class] = input;
    struct trace_options options = reader->options;
    options.file = file->path;
    *decoder = reader->classes[file->class]->open(&input->own, &options);
    return true;
}

static bool feed(struct file *file, struct str bytes, bool is_end, struct err *err) {
    struct trace_reader *reader = file->reader;
    if (file->class == SOURCE_CLASSES_MAX) {
        size_t taken = TRACE_HEAD_BYTES - file->head_len < bytes.len ? TRACE_HEAD_BYTES - file->head_len : bytes.len;
        if (taken > 0)
            memcpy(file->head + file->head_len, bytes.ptr, taken);
        file->head_len += taken;
        bytes = str_sub(bytes, taken, bytes.len);
        if ((file->head_len < TRACE_HEAD_BYTES && !is_end) || file->head_len == 0)
            return true;
        if (!find_class(file, err))
            return false;
        if (file->is_skipped)
            return true;
        file->byte_count += file->head_len;
        reader->classes[file->class]->feed(reader->decoders[file->class], (struct str){file->head, file->head_len});
    }
    file->byte_count += bytes.len;
    if (bytes.len > 0)
        reader->classes[file->class]->feed(reader->decoders[file->class], bytes);
    return true;
}

static void tell_damaged(struct file *file) {
    struct trace_event event = {.kind = TRACE_GAP, .time_us = -1, .place = {file->path, file->byte_count, 0}};
    event.gap.reason = "the packed file is damaged or cut: the rest of it is not read";
    file->reader->sink.event(file->reader->sink.context, &event);
    file->is_bad = true;
}

static bool feed_packed(struct file *file, struct str bytes, bool is_end, struct err *err) {
    while (!file->is_bad && !file->is_skipped) {
        size_t written = 0;
        if (file->state == UNPACK_END) {
            /* Zeros that pad a file, or another member. */
            while (bytes.len > 0 && bytes.ptr[0] == '\0')
                bytes = str_sub(bytes, 1, bytes.len);
            if (bytes.len == 0)
                break;
            unpack_restart(file->unpack);
        }
        file->state = unpack_run(file->unpack, &bytes, file->unpacked, CHUNK_BYTES, &written);
        if (written > 0 && !feed(file, (struct str){file->unpacked, written}, false, err))
            return false;
        if (file->state == UNPACK_BAD)
            tell_damaged(file);
        else if (file->state == UNPACK_MORE && written == 0 && bytes.len == 0)
            break;
    }
    if (is_end && !file->is_bad && !file->is_skipped && file->state == UNPACK_MORE)
        tell_damaged(file);
    return !is_end || file->is_skipped || feed(file, (struct str){0}, true, err);
}

/* Whether the first bytes are those of a packed file. */
static bool begin_packed(struct file *file, struct str bytes, struct err *err) {
    bool is_gzip = bytes.len >= 2 && memcmp(bytes.ptr, "\x1f\x8b", 2) == 0;
    bool is_zstd = bytes.len >= 4 && memcmp(bytes.ptr, "\x28\xb5\x2f\xfd", 4) == 0;
    file->is_packed = is_gzip || is_zstd;
    if (!file->is_packed)
        return true;
    file->kind = is_gzip ? UNPACK_GZIP : UNPACK_ZSTD;
    file->unpack = unpack_new(file->kind, err);
    return file->unpack != NULL;
}

/* The file was renamed and another one is in its place, or it is shorter than what was read of it. */
static bool is_rotated(const struct file *file) {
    struct stat open_one, named;
    if (fstat(file->fd, &open_one) != 0 || stat(file->path.ptr, &named) != 0)
        return false;
    return open_one.st_ino != named.st_ino || open_one.st_dev != named.st_dev ||
           lseek(file->fd, 0, SEEK_CUR) > open_one.st_size;
}

static bool reopen(struct file *file) {
    int fd = open(file->path.ptr, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    close(file->fd);
    file->fd = fd;
    if (file->class != SOURCE_CLASSES_MAX)
        file->reader->classes[file->class]->next_file(file->reader->decoders[file->class], file->path);
    return true;
}

static bool read_all(struct file *file, bool follows, struct err *err) {
    struct trace_reader *reader = file->reader;
    for (bool is_first = true; !is_stopped(reader);) {
        ssize_t count = read(file->fd, file->chunk, CHUNK_BYTES);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return err_set(err, no_pos, "%.*s: %s", STR_ARG(file->path), strerror(errno));
        struct str bytes = {file->chunk, (size_t)count};
        if (is_first && !begin_packed(file, bytes, err))
            return false;
        is_first = false;
        if (count == 0 && follows && !file->is_packed) {
            /* What is there so far has to do to know it. */
            if (!feed(file, bytes, true, err))
                return false;
            if (file->is_skipped)
                return true;
            if (is_rotated(file) && !reopen(file))
                return true;
            nanosleep(&(struct timespec){0, FOLLOW_PAUSE_MS * 1000000L}, NULL);
            continue;
        }
        if (!(file->is_packed ? feed_packed(file, bytes, count == 0, err) : feed(file, bytes, count == 0, err)))
            return false;
        if (count == 0 || file->is_skipped)
            return true;
        reader->byte_count += (uint64_t)count;
        if (reader->on_progress != NULL)
            reader->on_progress(reader->progress_context, reader->byte_count);
    }
    return true;
}

bool trace_read(struct trace_reader *reader, const struct trace_path *which, bool is_last, struct err *err) {
    LW_ASSERT(reader->class_count <= SOURCE_CLASSES_MAX);
    struct str path = which->path;
    struct file file = {.reader = reader, .path = path, .is_found = which->is_found, .class = SOURCE_CLASSES_MAX, .state = UNPACK_MORE};
    file.fd = str_is(path, "-") ? STDIN_FILENO : open(path.ptr, O_RDONLY | O_CLOEXEC);
    if (file.fd < 0)
        return err_set(err, no_pos, "%.*s: %s", STR_ARG(path), strerror(errno));
    file.head = mem_alloc(TRACE_HEAD_BYTES);
    file.chunk = mem_alloc(CHUNK_BYTES);
    file.unpacked = mem_alloc(CHUNK_BYTES);
    bool is_read = read_all(&file, reader->follows && is_last, err);
    reader->file_count++;
    unpack_free(file.unpack);
    free(file.head);
    free(file.chunk);
    free(file.unpacked);
    if (file.fd != STDIN_FILENO)
        close(file.fd);
    return is_read;
}

void trace_reader_end(struct trace_reader *reader) {
    for (size_t i = 0; i < reader->class_count; i++) {
        if (reader->decoders[i] == NULL)
            continue;
        reader->classes[i]->end(reader->decoders[i]);
        reader->classes[i]->close(reader->decoders[i]);
        free(reader->sinks[i]);
        reader->decoders[i] = NULL;
    }
}
