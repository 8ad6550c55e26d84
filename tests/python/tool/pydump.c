/* Dumps the syntax tree of each file named, for compare.py: `== PATH`, then py_dump. */
#include "base/file.h"
#include "python/dump.h"
#include "python/parse.h"

#include <stdio.h>

int main(int argc, char **argv) {
    struct arena arena = {0};
    struct buf out = {0};
    int status = 0;
    for (int i = 1; i < argc; i++) {
        struct str text;
        struct err err;
        buf_printf(&out, "== %s\n", argv[i]);
        if (file_read(&arena, argv[i], &text, &err)) {
            py_dump(&out, py_parse(&arena, text));
        } else {
            err_print(&err, &out);
            status = 2;
        }
        fwrite(out.ptr, 1, out.len, stdout);
        buf_clear(&out);
        arena_reset(&arena);
    }
    buf_release(&out);
    arena_release(&arena);
    return status;
}
