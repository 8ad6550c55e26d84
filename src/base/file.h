/* Reading a file or standard input whole into an arena, and writing one. */
#ifndef LW_BASE_FILE_H
#define LW_BASE_FILE_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

enum { FILE_BYTES_MAX = 64 << 20 };

/* The bytes of the file at `path` ("-": standard input), with a NUL after them that is not counted.
 * False, with the system's reason, if it cannot be read, is a folder, or has over FILE_BYTES_MAX. */
bool file_read(struct arena *arena, const char *path, struct str *text, struct err *err);

/* Writes `text` as the file at `path`, in place of what was there. False, with the system's reason, if it cannot be
 * written in full. */
bool file_write(const char *path, struct str text, struct err *err);

#endif
