/* Which pairs of different programs are worth running: those in which one writes back columns that it may not have
 * assigned (an ORM's save), and the other changes such a column or deletes such rows. Read off the statements,
 * column by column; whether anything is lost is for the search to say.
 */
#ifndef LW_FINDING_CONFLICT_H
#define LW_FINDING_CONFLICT_H

#include "program/program.h"

/* Columns are bits, column modulo 64: two that share a bit only look like one. */
struct table_writes {
    uint16_t table;
    uint64_t carried; /* set from row objects, as they were loaded or as the program assigned them */
    uint64_t changed; /* set to something computed, or carried and assigned somewhere in the program */
    bool deletes;
};

/* An UPDATE that carries columns of a table. */
struct table_save {
    struct txn_span span;
    uint16_t table;
    uint64_t carried;
};

/* What a program writes, by table. */
struct write_set {
    VEC(struct table_writes) tables;
    VEC(struct table_save) saves;
    VEC(struct txn_span) writes; /* all of its writes */
    bool has_any;               /* any write, inserts too */
};

void write_set_make(struct arena *arena, const struct txn_program *program, struct write_set *set);

/* Whether `other` may change or delete what a save writes back. */
bool save_is_hit(const struct table_save *save, const struct write_set *other);

/* The partners to try for subject `saver`: those of its own module (near), or the others. `sets` and `symbols` have one
 * entry a subject. */
struct partners {
    VEC(uint32_t) items;
};
void partners_find(struct arena *arena, const struct write_set *sets, const struct str *symbols,
                   size_t count, size_t saver, bool is_near, struct partners *partners);

#endif
