/* Triage as check's options ask for it: comments, the baseline, the files asked for.
 */
#ifndef LW_CLI_TRIAGE_RUN_H
#define LW_CLI_TRIAGE_RUN_H

#include "cli/check_options.h"
#include "cli/pipeline.h"

/* Takes out of `findings` what is not to be reported, and tells `report` what there is to say about it. False if the
 * baseline cannot be read, or be written. */
bool triage_run(const struct check_options *options, const struct django_project *project,
                struct scope *scope, struct findings *findings, struct report *report,
                struct err *err);

#endif
