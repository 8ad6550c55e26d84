/* The models of django.contrib that a project may use without their source being part of it: written here in Python, as far
 * as they hold columns and their methods write or read. One file for each app; parsed only for projects that name it.
 */
#ifndef LW_DJANGO_CONTRIB_H
#define LW_DJANGO_CONTRIB_H

#include <stddef.h>

struct contrib_text {
    const char *app; /* the file's name without its ending: "auth" */
    const char *text;
    size_t byte_size; /* of the text, without its NUL */
};

extern const struct contrib_text contrib_texts[];
extern const size_t contrib_texts_count;

struct django_facts;

/* Adds the modules that the project's own, all added before, name. They are no files of the project: nothing in them is
 * reported, counted or run by itself. */
void contrib_add(struct django_facts *facts);

#endif
