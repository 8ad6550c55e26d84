/* The JSON that `check --format json` wrote, read for one thing: where a finding stands.
 */
#ifndef LW_CLI_FINDING_FILE_H
#define LW_CLI_FINDING_FILE_H

#include "base/err.h"

/* The `path` of the object whose `id` is `id`, anywhere in the JSON of `text`. Owned by `arena`. False, with the place, if
 * it is no JSON, or has no such object. */
bool finding_file_path(struct arena *arena, struct str text, struct str id, struct str *path,
                       struct err *err);

#endif
