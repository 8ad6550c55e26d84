/* Words that cannot stand as a plain name. Internal to sql/. */
#ifndef LW_SQL_RESERVED_H
#define LW_SQL_RESERVED_H

#include "base/str.h"

/* Who reserves the word. The parser refuses it as a bare name only where RESERVED_PARSER is set;
 * the printer quotes it also where the dialect's real server would refuse it. */
enum {
    RESERVED_PARSER = 1,
    RESERVED_POSTGRESQL = 2,
    RESERVED_MYSQL = 4,
    RESERVED_SQLITE = 8,
    RESERVED_PRINTER =
        16, /* quoted always: the parser takes the bare word for an option in some places */
};

/* Bits as above for a word in any case; 0 for a word that is free everywhere. */
unsigned reserved_in(struct str word);

#endif
