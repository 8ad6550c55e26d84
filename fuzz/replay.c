/* Runs a fuzz target over its seeds without libFuzzer: the same LLVMFuzzerTestOneInput, once for each
 * file of a folder, in the order of their names. Built in every build and run as a test, so a crash that
 * was found once stays found. The seed is named before it runs: if the target crashes, the last line
 * says on which.
 *
 *     replay_sql fuzz/seeds/sql
 */
#include "base/arena.h"
#include "base/err.h"
#include "base/file.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int is_visible(const struct dirent *entry) {
    return entry->d_name[0] != '.';
}

/* One seed. An exact copy on the heap lets ASan see a read past its end. */
static bool replay(struct arena *arena, const char *folder, const char *name) {
    struct str path = str_printf(arena, "%s/%s", folder, name);
    struct str text;
    struct err err;
    printf("seed %.*s\n", STR_ARG(path));
    fflush(stdout);
    if (!file_read(arena, path.ptr, &text, &err)) {
        printf("cannot read %.*s: %s\n", STR_ARG(path), err.message);
        return false;
    }
    uint8_t *data = mem_alloc(text.len);
    if (text.len > 0)
        memcpy(data, text.ptr, text.len);
    int answer = LLVMFuzzerTestOneInput(data, text.len);
    free(data);
    return answer == 0;
}

int main(int argc, char **argv) {
    if (argc != 2) {
        fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
        return 2;
    }
    struct dirent **seeds;
    int seed_count = scandir(argv[1], &seeds, is_visible, alphasort);
    if (seed_count <= 0) {
        fprintf(stderr, "%s: no seeds\n", argv[1]);
        return 1;
    }
    struct arena arena = {0};
    size_t passed = 0, failed = 0;
    for (int i = 0; i < seed_count; i++) {
        if (replay(&arena, argv[1], seeds[i]->d_name))
            passed++;
        else
            failed++;
        arena_reset(&arena);
        free(seeds[i]);
    }
    free(seeds);
    arena_release(&arena);
    printf("replay: %zu passed, %zu failed, 0 skipped\n", passed, failed);
    return failed > 0;
}
