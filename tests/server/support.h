/* Schedules on a real server, in short words: the server's URL comes from the environment (server_test.py starts it).
 *
 *     struct lab lab; lab_open(&lab, 2, true); lab_run(&lab, "CREATE TABLE ..."); lab_expect(&lab, 0, "BEGIN", "");
 *     lab_close(&lab);
 *
 * An answer as text: rows are "a,b;c,d" (NULL is \N), a failure "ERR 40P01" or "ERR 1213", a wait "WAIT" and, where known,
 * for whom "WAIT 1", else the command tag or "ok N" with the affected rows.
 */
#ifndef LW_TESTS_SERVER_SUPPORT_H
#define LW_TESTS_SERVER_SUPPORT_H

#include "base/arena.h"
#include "live/live.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

struct lab {
    struct arena arena;
    struct live *live;
    struct str place;
    struct err err;
};

/* The URL of the server under test, or of the variable `name`. */
struct str lab_url(void);
const char *lab_environment(const char *name);
void lab_open(struct lab *lab, size_t sessions, bool finds_blockers);
void lab_close(struct lab *lab);
void lab_run(struct lab *lab, const char *sql);
/* The rows of a query over the control connection. */
void lab_query(struct lab *lab, const char *sql, const char *expected);
const struct live_answer *lab_exec(struct lab *lab, size_t session, const char *sql);
void lab_expect(struct lab *lab, size_t session, const char *sql, const char *expected);
/* The next session that goes on, as "1: UPDATE 1"; "" if none does. */
void lab_expect_resumed(struct lab *lab, const char *expected);
void lab_expect_cancelled(struct lab *lab, size_t session, const char *expected);
const char *lab_text(struct lab *lab, const struct live_answer *answer);
/* A second connection that is no part of the lab, of one session. */
struct live *lab_other(struct lab *lab);

#endif
