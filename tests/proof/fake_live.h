/* live.h without a server: what is sent is read as SQL and run by a built-in engine of its own, and its answers come
 * back as a server's texts. Which engine plays is the test's to say, so it may do other than the one it passes for.
 * Stands in place of src/live/live.c.
 */
#ifndef LW_TESTS_PROOF_FAKE_LIVE_H
#define LW_TESTS_PROOF_FAKE_LIVE_H

#include "engine/engine.h"
#include "live/live.h"

/* A server that passes for `kind`, and is played by an engine set up as `config`. Closed by live_close. */
struct live *fake_open(enum live_kind kind, const struct db_config *config, size_t session_count);

/* From the `count`-th statement of a session on every call fails, as with a server that is gone; 0: never. */
void fake_break_after(struct live *live, unsigned count);
/* How many statements sessions have sent. */
unsigned fake_statement_count(const struct live *live);

#endif
