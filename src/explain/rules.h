/* The rules that a finding can be of, LW001 to LW013: code, name, summary, and a page that explains each.
 * The list is rules.def, the pages are pages/LW*.md, built into the program. Nothing here knows how a
 * finding is made; whoever makes one names the rule by `enum rule`.
 *
 *     enum rule rule;
 *     if (rule_parse(STR("LW003"), &rule)) puts(rule_name(rule));
 */
#ifndef LW_EXPLAIN_RULES_H
#define LW_EXPLAIN_RULES_H

#include "base/str.h"

enum rule {
#define RULE(code, enumerator, name, summary) RULE_##enumerator,
#include "explain/rules.def"
#undef RULE
    RULE_COUNT
};

/* "LW003". */
const char *rule_code(enum rule rule);

/* "read-modify-write": lower case, words joined by hyphens, unique. */
const char *rule_name(enum rule rule);

/* What goes wrong, in one line, without a full stop. */
const char *rule_summary(enum rule rule);

/* The page: Markdown as it stands in pages/, lines of at most 100 columns, ends with a newline. */
struct str rule_page(enum rule rule);

/* Whether a finding of it is a write that is lost, not a hazard that may do no harm: an error, not a warning. */
bool rule_is_error(enum rule rule);

/* The rule with this code or name, letters compared without case. False if there is none. */
bool rule_parse(struct str text, enum rule *rule);

#endif
