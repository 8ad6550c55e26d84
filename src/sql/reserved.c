/* One table for the parser and the three servers, from their manuals: PostgreSQL 15 appendix C
 * (reserved), MySQL 8.0 section 9.3 and MariaDB's list (reserved), SQLite's keyword list (those
 * its parser does not let fall back to a name). Sorted for the binary search. */
#include "sql/reserved.h"

#include "base/assert.h"

#include <stdlib.h>

enum {
    P = RESERVED_PARSER,
    G = RESERVED_POSTGRESQL,
    M = RESERVED_MYSQL,
    S = RESERVED_SQLITE,
    Q = RESERVED_PRINTER,
    WORD_BYTES_MAX = 19,
};

struct reserved_word {
    char text[WORD_BYTES_MAX + 1];
    unsigned char bits;
};

/* clang-format off */
static const struct reserved_word words[] = {
    {"ACCESSIBLE", M}, {"ADD", M | S}, {"ALL", P | G | M | S}, {"ALTER", M | S}, {"ANALYSE", G},
    {"ANALYZE", G | M}, {"AND", P | G | M | S}, {"ANY", P | G}, {"ARRAY", P | G},
    {"AS", P | G | M | S}, {"ASC", P | G | M}, {"ASENSITIVE", M}, {"ASYMMETRIC", G},
    {"AUTHORIZATION", G}, {"AUTOINCREMENT", S}, {"BEFORE", M}, {"BETWEEN", P | M | S},
    {"BIGINT", M}, {"BINARY", P | G | M}, {"BLOB", M}, {"BOTH", G | M}, {"BY", M}, {"CALL", M},
    {"CASCADE", M}, {"CASE", P | G | M | S}, {"CAST", P | G}, {"CHANGE", M}, {"CHAR", M},
    {"CHARACTER", M}, {"CHECK", P | G | M | S}, {"COLLATE", P | G | M | S}, {"COLLATION", G},
    {"COLUMN", G | M}, {"COMMIT", S}, {"CONCURRENTLY", G}, {"CONDITION", M},
    {"CONSTRAINT", P | G | M | S}, {"CONTINUE", M}, {"CONVERT", M}, {"CREATE", P | G | M | S},
    {"CROSS", P | G | M | S}, {"CUBE", M}, {"CUME_DIST", M}, {"CURRENT_CATALOG", G},
    {"CURRENT_DATE", P | G | M | S}, {"CURRENT_ROLE", G}, {"CURRENT_SCHEMA", G},
    {"CURRENT_TIME", P | G | M | S}, {"CURRENT_TIMESTAMP", P | G | M | S},
    {"CURRENT_USER", G | M}, {"CURSOR", M}, {"DATABASE", M}, {"DATABASES", M}, {"DAY_HOUR", M},
    {"DAY_MICROSECOND", M}, {"DAY_MINUTE", M}, {"DAY_SECOND", M}, {"DEC", M}, {"DECIMAL", M},
    {"DECLARE", M}, {"DEFAULT", P | G | M | S}, {"DEFERRABLE", G | S}, {"DELAYED", M},
    {"DELETE", P | M | S}, {"DENSE_RANK", M}, {"DESC", P | G | M}, {"DESCRIBE", M},
    {"DETERMINISTIC", M}, {"DISTINCT", P | G | M | S}, {"DISTINCTROW", M}, {"DIV", P | M},
    {"DO", P | G}, {"DOUBLE", M}, {"DROP", M | S}, {"DUAL", M}, {"EACH", M},
    {"ELSE", P | G | M | S}, {"ELSEIF", M}, {"EMPTY", M}, {"ENCLOSED", M}, {"END", P | G},
    {"ESCAPE", P | S}, {"ESCAPED", M}, {"EXCEPT", P | G | M | S}, {"EXISTS", P | M | S},
    {"EXIT", M}, {"EXPLAIN", M}, {"EXTRACT", P}, {"FALSE", P | G | M}, {"FETCH", P | G | M},
    {"FIRST_VALUE", M}, {"FLOAT", M}, {"FOR", P | G | M}, {"FORCE", M},
    {"FOREIGN", P | G | M | S}, {"FREEZE", G}, {"FROM", P | G | M | S}, {"FULL", P | G | S},
    {"FULLTEXT", M}, {"FUNCTION", M}, {"GENERATED", P | M}, {"GET", M}, {"GRANT", G | M},
    {"GROUP", P | G | M | S}, {"GROUPING", M}, {"GROUPS", M}, {"HAVING", P | G | M | S},
    {"HIGH_PRIORITY", M}, {"HOUR_MICROSECOND", M}, {"HOUR_MINUTE", M}, {"HOUR_SECOND", M},
    {"IF", M}, {"IGNORE", M | Q}, {"ILIKE", P | G}, {"IN", P | G | M | S}, {"INDEX", M | S},
    {"INDEXED", S}, {"INFILE", M}, {"INITIALLY", G}, {"INNER", P | G | M | S}, {"INOUT", M},
    {"INSENSITIVE", M}, {"INSERT", P | M | S}, {"INT", M}, {"INTEGER", M},
    {"INTERSECT", P | G | M | S}, {"INTERVAL", P | M}, {"INTO", P | G | M | S},
    {"IS", P | G | M | S}, {"ISNULL", P | G | S}, {"ITERATE", M}, {"JOIN", P | G | M | S},
    {"JSON_TABLE", M}, {"KEY", M}, {"KEYS", M}, {"KILL", M}, {"LAG", M}, {"LAST_VALUE", M},
    {"LATERAL", P | G | M}, {"LEAD", M}, {"LEADING", G | M}, {"LEAVE", M},
    {"LEFT", P | G | M | S}, {"LIKE", P | G | M}, {"LIMIT", P | G | M | S}, {"LINEAR", M},
    {"LINES", M}, {"LOAD", M}, {"LOCALTIME", P | G | M}, {"LOCALTIMESTAMP", P | G | M},
    {"LOCK", P | M}, {"LONG", M}, {"LONGBLOB", M}, {"LONGTEXT", M}, {"LOOP", M},
    {"LOW_PRIORITY", M}, {"MASTER_BIND", M}, {"MAXVALUE", M}, {"MEDIUMBLOB", M}, {"MEDIUMINT", M},
    {"MEDIUMTEXT", M}, {"MIDDLEINT", M}, {"MINUTE_MICROSECOND", M}, {"MINUTE_SECOND", M},
    {"MOD", P | M}, {"MODIFIES", M}, {"NATURAL", P | G | M | S}, {"NOT", P | G | M | S},
    {"NOTNULL", P | G | S}, {"NO_WRITE_TO_BINLOG", M}, {"NTH_VALUE", M}, {"NTILE", M},
    {"NULL", P | G | M | S}, {"NUMERIC", M}, {"OF", M}, {"OFFSET", P | G | M},
    {"ON", P | G | M | S}, {"ONLY", G | Q}, {"OPTIMIZE", M}, {"OPTION", M}, {"OPTIONALLY", M},
    {"OR", P | G | M | S}, {"ORDER", P | G | M | S}, {"OUT", M}, {"OUTER", P | G | M | S},
    {"OUTFILE", M}, {"OVER", M}, {"OVERLAPS", P | G}, {"PARTITION", M}, {"PERCENT_RANK", M},
    {"PLACING", G}, {"PRECISION", M}, {"PRIMARY", P | G | M | S}, {"PROCEDURE", M}, {"PURGE", M},
    {"RANGE", M}, {"RANK", M}, {"READ", M}, {"READS", M}, {"READ_WRITE", M}, {"REAL", M},
    {"RECURSIVE", M}, {"REFERENCES", P | G | M | S}, {"REGEXP", P | M}, {"RELEASE", M},
    {"RENAME", M}, {"REPEAT", M}, {"REPLACE", M}, {"REQUIRE", M}, {"RESIGNAL", M},
    {"RESTRICT", M}, {"RETURN", M}, {"RETURNING", P | G | M | S}, {"REVOKE", M},
    {"RIGHT", P | G | M | S}, {"RLIKE", P | M}, {"ROW", M}, {"ROWS", M}, {"ROW_NUMBER", M},
    {"SCHEMA", M}, {"SCHEMAS", M}, {"SECOND_MICROSECOND", M}, {"SELECT", P | G | M | S},
    {"SENSITIVE", M}, {"SEPARATOR", M}, {"SESSION_USER", G}, {"SET", P | M | S}, {"SHOW", M},
    {"SIGNAL", M}, {"SIMILAR", P | G}, {"SMALLINT", M}, {"SOME", P | G}, {"SPATIAL", M},
    {"SPECIFIC", M}, {"SQL", M}, {"SQLEXCEPTION", M}, {"SQLSTATE", M}, {"SQLWARNING", M},
    {"SQL_CALC_FOUND_ROWS", Q}, {"SQL_NO_CACHE", Q}, {"SSL", M}, {"STARTING", M}, {"STORED", M},
    {"STRAIGHT_JOIN", P | M}, {"SYMMETRIC", G}, {"SYSTEM", M}, {"SYSTEM_USER", G},
    {"TABLE", P | G | M | S}, {"TABLESAMPLE", G}, {"TERMINATED", M}, {"THEN", P | G | M | S},
    {"TINYBLOB", M}, {"TINYINT", M}, {"TINYTEXT", M}, {"TO", G | M | S}, {"TRAILING", G | M},
    {"TRANSACTION", S}, {"TRIGGER", M}, {"TRUE", P | G | M}, {"UNDO", M},
    {"UNION", P | G | M | S}, {"UNIQUE", P | G | M | S}, {"UNLOCK", M}, {"UNSIGNED", M},
    {"UPDATE", P | M | S}, {"USAGE", M}, {"USE", M}, {"USER", G}, {"USING", P | G | M | S},
    {"UTC_DATE", M}, {"UTC_TIME", M}, {"UTC_TIMESTAMP", M}, {"VALUES", P | M | S},
    {"VARBINARY", M}, {"VARCHAR", M}, {"VARCHARACTER", M}, {"VARIADIC", G}, {"VARYING", M},
    {"VERBOSE", G}, {"VIRTUAL", M}, {"WHEN", P | G | M | S}, {"WHERE", P | G | M | S},
    {"WHILE", M}, {"WINDOW", P | G | M}, {"WITH", P | G | M}, {"WRITE", M}, {"XOR", P | M},
    {"YEAR_MONTH", M}, {"ZEROFILL", M},
};
/* clang-format on */

static int compare_word(const void *key, const void *word) {
    return strcmp(key, ((const struct reserved_word *)word)->text);
}

unsigned reserved_in(struct str word) {
    char upper[WORD_BYTES_MAX + 1] = {0};
    if (word.len > WORD_BYTES_MAX)
        return 0;
    for (size_t i = 0; i < word.len; i++)
        upper[i] = (char)(word.ptr[i] >= 'a' && word.ptr[i] <= 'z' ? word.ptr[i] - 'a' + 'A'
                                                                   : word.ptr[i]);
    const struct reserved_word *found =
        bsearch(upper, words, LW_COUNT_OF(words), sizeof(words[0]), compare_word);
    return found != NULL ? found->bits : 0;
}
