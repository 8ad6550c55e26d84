#include "base/library.h"

#include <dlfcn.h>

static const struct pos no_pos;

bool library_load(const char *file, const char *user, const struct library_function *functions,
                  size_t count, struct err *err) {
    void *handle = dlopen(file, RTLD_NOW | RTLD_LOCAL);
    if (handle == NULL)
        return err_set(err, no_pos, "%s needs the library %s: %s", user, file, dlerror());
    for (size_t i = 0; i < count; i++) {
        void *found = dlsym(handle, functions[i].name);
        if (found == NULL)
            return err_set(err, no_pos, "the library %s has no %s: it is too old", file,
                           functions[i].name);
        /* POSIX has a function's address in a void *, which C does not know. */
        memcpy(functions[i].pointer, &found, sizeof(found));
    }
    return true;
}
