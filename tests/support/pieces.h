/* What holds of each source of changed rows, however it is fed: checks of cmocka tests. `events` are lines of changes.h. */
#ifndef LW_TESTS_SUPPORT_PIECES_H
#define LW_TESTS_SUPPORT_PIECES_H

#include "trace/decoder.h"

/* In pieces of any size the same is told as `wanted`. */
void check_pieces(const struct trace_decoder_class *class, struct str bytes, struct str wanted);

/* Cut anywhere: up to the cut all is told as without it; behind it stand at most `end_lines` others. */
void check_cuts(const struct trace_decoder_class *class, struct str bytes, struct str wanted, size_t end_lines);

/* The text of FOLDER/NAME.SUFFIX; a test that has none fails. */
struct str read_recorded(struct arena *arena, const char *folder, const char *name, const char *suffix);

/* What is told of NAME.`kind` is what NAME.events says. */
void check_whole(const struct trace_decoder_class *class, const char *folder, const char *name, const char *kind);

size_t lines_of(struct str events);
bool has_gap(struct str events);

#endif
