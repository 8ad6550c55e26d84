/* The pages as the build embeds them (scripts/embed.py): one a file of pages/, in order of their codes.
 * For rules.c alone; others ask rule_page(). */
#ifndef LW_EXPLAIN_PAGES_H
#define LW_EXPLAIN_PAGES_H

#include <stddef.h>

struct rule_page {
    const char *code; /* the file's name without its ending */
    const char *text;
    size_t byte_size; /* of the text, without its NUL */
};

extern const struct rule_page rule_pages[];
extern const size_t rule_pages_count;

#endif
