/* Lines a second of the Python parser: bench_python_parse [FILE...]. Without files, all of the standard library
 * and of Debian's packages. The best of several rounds, in processor time; reading the files is not counted,
 * and every tree is kept until its file is done. */
#include "base/assert.h"
#include "base/file.h"
#include "base/vec.h"
#include "python/parse.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

enum { ROUNDS = 7 };

struct texts {
    struct arena arena;
    VEC(struct str) list;
    size_t byte_count;
};

static void add_file(struct texts *texts, const char *path) {
    struct str text;
    struct err err;
    if (!file_read(&texts->arena, path, &text, &err)) {
        fprintf(stderr, "%s: %s\n", path, err.message);
        return;
    }
    VEC_PUSH(&texts->arena, &texts->list, text);
    texts->byte_count += text.len;
}

static void add_folder(struct texts *texts, const char *path) {
    DIR *folder = opendir(path);
    if (folder == NULL)
        return;
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        struct stat status;
        struct str name = str_from_c(entry->d_name);
        char *inner =
            str_to_c(&texts->arena, str_printf(&texts->arena, "%s/%s", path, entry->d_name));
        if (name.ptr[0] == '.' || lstat(inner, &status) != 0)
            continue;
        if (S_ISDIR(status.st_mode))
            add_folder(texts, inner);
        else if (S_ISREG(status.st_mode) && str_ends(name, ".py"))
            add_file(texts, inner);
    }
    closedir(folder);
}

static double processor_seconds(void) {
    struct timespec time;
    LW_ASSERT(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time) == 0);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

int main(int argc, char **argv) {
    struct texts texts = {0};
    struct arena trees = {0};
    for (int i = 1; i < argc; i++)
        add_file(&texts, argv[i]);
    if (argc == 1) {
        add_folder(&texts, "/usr/lib/python3");
        add_folder(&texts, "/usr/lib/python3.11");
    }
    double best_s = 0;
    size_t line_count = 0, error_count = 0, tree_bytes_max = 0;
    for (int round = 0; round < ROUNDS; round++) {
        double start_s = processor_seconds();
        line_count = error_count = 0;
        for (size_t i = 0; i < texts.list.count; i++) {
            const struct py_module *module = py_parse(&trees, texts.list.items[i]);
            line_count += module->line_count;
            error_count += module->error_count;
            if (trees.byte_count > tree_bytes_max)
                tree_bytes_max = trees.byte_count;
            arena_reset(&trees);
        }
        double round_s = processor_seconds() - start_s;
        if (round == 0 || round_s < best_s)
            best_s = round_s;
    }
    printf("%u files, %zu lines, %zu errors: %.4f s, %.2f million lines/s, %.0f MB/s, largest "
           "tree %zu KiB\n",
           texts.list.count, line_count, error_count, best_s, (double)line_count / best_s / 1e6,
           (double)texts.byte_count / best_s / 1e6, tree_bytes_max / 1024);
    arena_release(&trees);
    arena_release(&texts.arena);
    return 0;
}
