/* Values in the text form in which a server prints them. */
#ifndef LW_WIRE_VALUE_H
#define LW_WIRE_VALUE_H

#include "base/buf.h"

/* `2026-11-27` (years of at least four digits) of a day counted from 1970-01-01. */
void value_add_date(struct buf *out, int64_t days);
/* The day of a date of the proleptic Gregorian calendar, counted from 1970-01-01. */
int64_t value_days_of(int64_t year, unsigned month, unsigned day);

/* `10:55:42`, and `.000123` of microseconds without trailing zeros. */
void value_add_time(struct buf *out, int64_t us);

enum value_float_style {
    VALUE_POSTGRESQL, /* 1e+20, 1e-05, Infinity */
    VALUE_MYSQL,      /* 1e20, 0.00001 */
};

/* The shortest decimal that reads back to the same number; a float of 4 bytes: that float. */
void value_add_double(struct buf *out, double number, enum value_float_style style);
void value_add_float(struct buf *out, float number, enum value_float_style style);

#endif
