#include "cli/finding_file.h"

#include "base/json.h"

/* The first object below `value` that has this id, and a path. */
static const struct json_value *find(const struct json_value *value, struct str id) {
    const struct json_value *own = json_member(value, "id"), *path = json_member(value, "path");
    bool has_both = own != NULL && own->kind == JSON_STRING && path != NULL &&
                    path->kind == JSON_STRING && path->text.len > 0;
    if (has_both && str_equal(own->text, id))
        return path;
    for (const struct json_value *inner = value->first; inner != NULL; inner = inner->next) {
        path = find(inner, id);
        if (path != NULL)
            return path;
    }
    return NULL;
}

bool finding_file_path(struct arena *arena, struct str text, struct str id, struct str *path,
                       struct err *err) {
    struct json_value *root;
    if (!json_parse(arena, text, &root, err))
        return false;
    const struct json_value *found = find(root, id);
    if (found == NULL)
        return err_set(err, (struct pos){0}, "there is no finding %.*s", STR_ARG(id));
    *path = found->text;
    return true;
}
