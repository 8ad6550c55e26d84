/* Edits put together, and into the text. */
#include "patch/patch.h"

static int compare(const struct patch_edit *a, const struct patch_edit *b) {
    int order = str_compare(a->module->path, b->module->path);
    if (order != 0)
        return order;
    if (a->from != b->from)
        return a->from < b->from ? -1 : 1;
    /* An insertion stands before what replaces the text behind it. */
    return a->to == b->to ? 0 : a->to < b->to ? -1 : 1;
}

static bool is_same(const struct patch_edit *a, const struct patch_edit *b) {
    return a->module == b->module && a->from == b->from && a->to == b->to &&
           str_equal(a->text, b->text);
}

static bool meets(const struct patch_edit *a, const struct patch_edit *b, bool is_one_repair) {
    if (a->module != b->module)
        return false;
    if (a->from == a->to && b->from == b->to && a->from == b->from)
        return !(a->is_import && b->is_import) &&
               !(is_one_repair && str_ends(a->text, "\n") && str_ends(b->text, "\n"));
    if (a->from == a->to || b->from == b->to) {
        const struct patch_edit *at = a->from == a->to ? a : b, *in = at == a ? b : a;
        return at->from > in->from && at->from < in->to;
    }
    return a->from < b->to && b->from < a->to;
}

/* 1: it may be added, 0: it is there already, -1: it meets another. */
static int place_for(const struct patch *patch, size_t count, const struct patch_edit *edit,
                     bool is_one_repair) {
    for (size_t i = 0; i < count; i++) {
        if (is_same(&patch->edits.items[i], edit))
            return 0;
        if (meets(&patch->edits.items[i], edit, is_one_repair))
            return -1;
    }
    return 1;
}

/* In its order: behind those at the same place. */
static void insert(struct patch *patch, struct patch_edit edit) {
    VEC_PUSH(patch->arena, &patch->edits, edit);
    size_t at = patch->edits.count - 1;
    for (; at > 0 && compare(&patch->edits.items[at - 1], &edit) > 0; at--)
        patch->edits.items[at] = patch->edits.items[at - 1];
    patch->edits.items[at] = edit;
}

bool patch_add(struct patch *patch, struct patch_edit edit) {
    int place = place_for(patch, patch->edits.count, &edit, true);
    if (place > 0)
        insert(patch, edit);
    return place >= 0;
}

bool patch_join(struct patch *into, const struct patch *more) {
    struct patch joined = {.arena = into->arena};
    for (size_t i = 0; i < into->edits.count; i++)
        VEC_PUSH(joined.arena, &joined.edits, into->edits.items[i]);
    for (size_t i = 0; i < more->edits.count; i++) {
        int place = place_for(into, into->edits.count, &more->edits.items[i], false);
        if (place < 0)
            return false;
        if (place > 0)
            insert(&joined, more->edits.items[i]);
    }
    *into = joined;
    return true;
}

bool patch_is_same(const struct patch *a, const struct patch *b) {
    if (a->edits.count != b->edits.count)
        return false;
    for (size_t i = 0; i < a->edits.count; i++)
        if (!is_same(&a->edits.items[i], &b->edits.items[i]))
            return false;
    return true;
}

struct str patch_apply(struct arena *arena, const struct patch *patch, const struct module *module) {
    struct str text = module->py->text;
    struct buf out = {0};
    size_t at = 0;
    for (size_t i = 0; i < patch->edits.count; i++) {
        const struct patch_edit *edit = &patch->edits.items[i];
        if (edit->module != module)
            continue;
        buf_add(&out, str_sub(text, at, edit->from));
        buf_add(&out, edit->text);
        at = edit->to;
    }
    buf_add(&out, str_sub(text, at, text.len));
    struct str patched = str_dup(arena, buf_str(&out));
    buf_release(&out);
    return patched;
}
