/* Runs a script of SQL statements of several sessions on a built-in engine, and writes what each answered:
 * what innodb_differential.py compares with a real server, line by line. Input, one command a line:
 *
 *     case ENGINE LEVEL OPTION...     a new database; OPTION: si, immediate, sessions=N
 *     ddl SQL | load SQL              schema, initial rows
 *     start                           opens the database
 *     do SESSION SQL                  one statement; what it lets go on is told too
 *     timeout SESSION                 ends its wait
 *
 * Output: `SESSION ok ROWS|affected N`, `SESSION blocked`, `SESSION error NAME`; `!` tells of a bad command.
 * script_serve ends each answer with a line `.`.
 */
#ifndef LW_TESTS_ENGINE_INNODB_SCRIPT_H
#define LW_TESTS_ENGINE_INNODB_SCRIPT_H

#include "base/buf.h"
#include "base/str.h"

struct script;

struct script *script_new(void);
void script_free(struct script *script);
/* Runs one command, appending what is answered to `out`. False: no command, or SQL that is not understood
 * (told in `out`). */
bool script_command(struct script *script, struct str line, struct buf *out);
/* Reads commands from standard input and answers each at once on standard output, to the end. */
bool script_serve(void);

#endif
