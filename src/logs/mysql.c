#include "logs/mysql.h"

bool mysql_log_is_banner(struct str line) {
    if (line.len > 0 && line.ptr[line.len - 1] == '\r')
        line.len--;
    return str_ends(line, "started with:") && line.ptr[0] != '#' && line.ptr[0] != '\t';
}

bool mysql_log_is_banner_rest(struct str line) {
    /* `Time`, spaces or tabs, then `Id Command    Argument`. */
    if (str_starts(line, "Time"))
        return str_starts(str_sub(line, str_find(line, 'I', 0), line.len), "Id Command");
    return str_starts(line, "Tcp port: ") || str_starts(line, "TCP Port: ");
}

uint64_t mysql_log_session(uint64_t run, uint64_t thread) {
    return run << 48 | (thread & (((uint64_t)1 << 48) - 1));
}
