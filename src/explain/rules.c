#include "explain/rules.h"

#include "base/assert.h"
#include "explain/pages.h"

struct rule_text {
    const char *code, *name, *summary;
};

static const struct rule_text rule_texts[] = {
#define RULE(code, enumerator, name, summary) {#code, name, summary},
#include "explain/rules.def"
#undef RULE
};

_Static_assert(LW_COUNT_OF(rule_texts) == RULE_COUNT, "one text a rule");

static const struct rule_text *text_of(enum rule rule) {
    LW_ASSERT((unsigned)rule < RULE_COUNT);
    return &rule_texts[rule];
}

const char *rule_code(enum rule rule) {
    return text_of(rule)->code;
}

const char *rule_name(enum rule rule) {
    return text_of(rule)->name;
}

const char *rule_summary(enum rule rule) {
    return text_of(rule)->summary;
}

struct str rule_page(enum rule rule) {
    const char *code = rule_code(rule);
    /* Both lists are in order of code: a page too many or too few shows here. */
    LW_ASSERT(rule_pages_count == RULE_COUNT);
    const struct rule_page *page = &rule_pages[rule];
    LW_ASSERT(strcmp(page->code, code) == 0);
    return (struct str){page->text, page->byte_size};
}

bool rule_is_error(enum rule rule) {
    return rule != RULE_NEVER_SAVED && rule != RULE_EFFECT_BEFORE_COMMIT &&
           rule != RULE_LOCK_WITHOUT_TRANSACTION;
}

bool rule_parse(struct str text, enum rule *rule) {
    for (int i = 0; i < RULE_COUNT; i++) {
        if (!str_equal_nocase(text, str_from_c(rule_texts[i].code)) &&
            !str_equal_nocase(text, str_from_c(rule_texts[i].name)))
            continue;
        *rule = (enum rule)i;
        return true;
    }
    return false;
}
