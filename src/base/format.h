/* vsnprintf for what is printed while programs are made: texts and numbers, by the million. Writes at most `room` bytes to
 * `to`, the last of them a NUL, and answers how long the whole text is without it.
 */
#ifndef LW_BASE_FORMAT_H
#define LW_BASE_FORMAT_H

#include <stdarg.h>
#include <stddef.h>

size_t text_format(char *to, size_t room, const char *format, va_list args)
    __attribute__((format(printf, 3, 0)));

#endif
