/* Writing JSON, and the parts that several reports have. Private to this folder. */
#ifndef LW_REPORT_JSON_OUT_H
#define LW_REPORT_JSON_OUT_H

#include "report/report.h"

/* A cursor that knows whether a comma is due. */
struct json {
    struct buf *out;
    bool has_item;
};

static inline void key(struct json *j, const char *name) {
    if (j->has_item)
        buf_add_c(j->out, ",");
    j->has_item = true;
    buf_add_json(j->out, str_from_c(name));
    buf_add_char(j->out, ':');
}

static inline void item(struct json *j) {
    if (j->has_item)
        buf_add_c(j->out, ",");
    j->has_item = true;
}

static inline void open_in(struct json *j, char bracket) {
    buf_add_char(j->out, bracket);
    j->has_item = false;
}

static inline void close_in(struct json *j, char bracket) {
    buf_add_char(j->out, bracket);
    j->has_item = true;
}

static inline void put_str(struct json *j, const char *name, struct str value) {
    key(j, name);
    buf_add_json(j->out, value);
}

static inline void put_c(struct json *j, const char *name, const char *value) {
    put_str(j, name, str_from_c(value));
}

static inline void put_number(struct json *j, const char *name, uint64_t value) {
    key(j, name);
    buf_printf(j->out, "%llu", (unsigned long long)value);
}

/* `version` and `tool`. */
void put_tool(struct json *j, const struct report *report);
/* `engine`, `version` if there is one, `isolation`. */
void put_config(struct json *j, const struct db_config *config);
/* `counts`. */
void put_counts(struct json *j, const struct counts *counts);
/* `witness`. */
void put_witness(struct json *j, const struct db_config *config, const struct witness *witness,
                 const struct serial_texts *serial);

#endif
