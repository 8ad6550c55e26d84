/* UTF-8, as RFC 3629 has it: no overlong forms, no surrogates, nothing above U+10FFFF. */
#ifndef LW_BASE_UTF8_H
#define LW_BASE_UTF8_H

#include "base/str.h"

/* Bytes of the sequence at the start of `text` (1 to 4), or 0 if it is not valid UTF-8 or empty. */
size_t utf8_sequence_len(struct str text);

/* The code point at the start of `text`; `*len` gets its bytes. -1 with `*len` 1 if not valid. */
int32_t utf8_decode(struct str text, size_t *len);

/* How many UTF-16 code units the text takes; a byte that is not valid counts as one. */
size_t utf8_utf16_len(struct str text);

/* Writes the code point, at most 4 bytes, surrogates too; answers where they end. */
char *utf8_put(char *out, uint32_t point);

#endif
