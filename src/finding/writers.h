/* Private to this folder: who else writes what a finding is about. */
#ifndef LW_FINDING_WRITERS_H
#define LW_FINDING_WRITERS_H

#include "finding/conflict.h"
#include "finding/finding.h"

/* Puts those first that rest on no assumption, and of these those that are known to be run. */
void partners_sort(struct partners *partners, const struct subject *subjects);

/* Fills `finding->writers`: the subjects whose statements set one of its columns, or delete rows of its table. */
void find_writers(struct arena *arena, const struct schema *schema, const struct subject *subjects,
                  const struct write_set *sets, size_t subject_count, struct finding *finding);

#endif
