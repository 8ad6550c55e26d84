/* Comments that suppress findings, read into what they say. Private to this folder.
 */
#ifndef LW_TRIAGE_DIRECTIVE_H
#define LW_TRIAGE_DIRECTIVE_H

#include "triage/triage.h"

struct directive {
    struct txn_span span;
    uint32_t first, last; /* lines of the statement it stands beside */
    bool is_alone;        /* beside none */
    bool is_noqa;
    bool is_blanket;      /* names no code; then `rules` has all */
    uint32_t rules;       /* bit per enum rule */
    struct str reason;
    uint32_t used;        /* of `rules`: what it met; whoever uses it sets this */
};

struct directives {
    VEC(struct directive) items; /* in the order of the file */
};

/* Those of a file. What looks like one and cannot be understood is a warning. */
void directives_read(struct triage *triage, struct str path, const struct py_module *module,
                     struct directives *directives);

void triage_warn(struct triage *triage, struct txn_span span, bool is_detail, struct str text);

#endif
