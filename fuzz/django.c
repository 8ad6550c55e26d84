/* The Django front end: any bytes are the views of a small project. It is loaded, each function is lowered in each
 * dialect, and what comes out must be a checked program that can be printed; what doesn't come out has a note with
 * its place. The project lies in a folder of its own, for files are what the front end reads. */
#include "base/assert.h"
#include "django/django.h"
#include "program/notation.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PATH_SIZE = 256 };

static const char models[] =
    "from django.db import models\n"
    "class Shelf(models.Model):\n"
    "    name = models.CharField(max_length=40, unique=True)\n"
    "class Item(models.Model):\n"
    "    shelf = models.ForeignKey(Shelf, on_delete=models.CASCADE, related_name='items')\n"
    "    tags = models.ManyToManyField('Tag')\n"
    "    title = models.CharField(max_length=40, default='')\n"
    "    count = models.IntegerField(default=0)\n"
    "    price = models.DecimalField(max_digits=8, decimal_places=2, null=True)\n"
    "    is_open = models.BooleanField(default=True)\n"
    "    changed = models.DateTimeField(auto_now=True)\n"
    "    def take(self, n=1):\n"
    "        self.count -= n\n"
    "        self.save()\n"
    "class Tag(models.Model):\n"
    "    word = models.SlugField()\n";

static char folder[PATH_SIZE];

static void file_write(const char *name, const void *bytes, size_t size) {
    char path[PATH_SIZE + 32];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *file = fopen(path, "wb");
    LW_ASSERT(file != NULL);
    LW_ASSERT(size == 0 || fwrite(bytes, 1, size, file) == size);
    LW_ASSERT(fclose(file) == 0);
}

static void folder_remove(void) {
    static const char *const names[] = {"models.py", "views.py", "__init__.py"};
    char path[PATH_SIZE + 32];
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
        unlink(path);
    }
    rmdir(folder);
}

static void folder_make(void) {
    const char *temporary = getenv("TMPDIR");
    snprintf(folder, sizeof(folder), "%s/lostwrite-fuzz-XXXXXX", temporary != NULL ? temporary : "/tmp");
    LW_ASSERT(mkdtemp(folder) != NULL);
    file_write("__init__.py", "", 0);
    file_write("models.py", models, sizeof(models) - 1);
    atexit(folder_remove);
}

static void check_notes(const struct django_project *project) {
    for (size_t i = 0; i < project->notes.count; i++) {
        const struct django_note *note = &project->notes.items[i];
        LW_ASSERT(note->text.len > 0 && note->span.path.len > 0);
        LW_ASSERT(note->is_error || (note->span.start.line > 0 && note->span.start.column > 0));
    }
}

static void check_program(struct txn_program *program, const struct django_project *project,
                          const struct text_pool *pool, enum sql_dialect dialect) {
    struct txn_scenario scenario = {.schema = project->schema};
    struct arena arena = {0};
    struct buf out = {0};
    LW_ASSERT(program->is_checked && program->param_count <= program->vars.count);
    VEC_PUSH(&arena, &scenario.programs, program);
    txn_print(&scenario, pool, dialect, &out);
    LW_ASSERT(out.len > 0);
    buf_release(&out);
    arena_release(&arena);
}

static void lower_all(enum sql_dialect dialect) {
    struct arena arena;
    struct text_pool pool;
    struct django_project *project;
    struct err err;
    const char *paths[] = {folder};
    arena_init(&arena);
    text_pool_init(&pool, &arena);
    LW_ASSERT(django_load(&arena, &pool, paths, 1, NULL, &project, &err));
    for (size_t i = 0; i < project->functions.count; i++) {
        struct txn_program *program = django_lower(&arena, &pool, project, i, dialect);
        if (program != NULL)
            check_program(program, project, &pool, dialect);
    }
    check_notes(project);
    arena_release(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (folder[0] == '\0')
        folder_make();
    file_write("views.py", data, size);
    lower_all(SQL_POSTGRESQL);
    lower_all(SQL_MYSQL);
    return 0;
}
