/* Findings: what `check` and `prove` report. Each is one write (or effect) that can be lost, grouped over all runs
 * that show it, with its table of engines, a witness and tried fixes. Plain data for `report`.
 */
#ifndef LW_FINDING_FINDING_H
#define LW_FINDING_FINDING_H

#include "fix/fix.h"
#include "inputs/inputs.h"
#include "inputs/tables.h"

enum finding_scope { SCOPE_AUTOCOMMIT, SCOPE_TRANSACTION, SCOPE_MIXED };

/* Why a finding is known already, and not reported again (triage). */
enum suppression_kind { SUPPRESSION_NONE, SUPPRESSION_COMMENT, SUPPRESSION_BASELINE };

struct suppression {
    enum suppression_kind kind;
    struct txn_span span; /* of the comment, or of the entry in the baseline's file */
    struct str reason;    /* that the comment gives; may be empty */
};

struct finding_other {
    struct str symbol; /* of the program that makes the other write */
    struct str root;   /* how that comes to run, as subject.root */
    struct txn_span span;
};

/* A program that writes what a finding is about. */
struct finding_writer {
    struct str symbol, root;
    struct txn_span span; /* of the program */
};

struct finding {
    struct str id;                 /* "LW003-1a2b3c4d", see finding_base_id; set when all are known */
    enum rule rule;
    struct txn_span span;          /* of the write */
    struct str symbol;             /* "shop.views.increment" */
    struct str entry, root;        /* the program that shows it, as subject.symbol and subject.root */
    struct str assumption;         /* what must hold for it; empty: it follows from what the source shows */
    struct str table;              /* empty: an effect */
    VEC(struct str) columns;
    struct str message;            /* one sentence */
    VEC(struct txn_span) reads;
    struct finding_other other;
    VEC(struct finding_writer) writers; /* all that race there but the entry itself, in the order of subjects */
    enum finding_scope scope;
    bool has_cells;                /* false for LW008, which no schedule is needed for */
    struct cell_verdict cells[POLICY_COUNT];
    bool has_witness;
    struct db_config witness_config;
    const struct text_pool *pool;  /* of the texts in the witness */
    struct witness witness;
    const char *session_symbols[DB_SESSIONS_MAX]; /* what each session runs, with arguments */
    size_t session_count;
    struct serial_texts serial;
    struct fixes fixes;
    struct suppression suppression;
    /* Set by findings_group(). What else is wrong with the write, of the best finding of it; and of the others, that one's id. */
    struct str also, part_of;
};

struct findings {
    VEC(struct finding) items;      /* by path, line, code: to be reported */
    VEC(struct finding) suppressed; /* those that triage took out of `items` */
};

/* One program to look at, with what reports call it. */
struct subject {
    const struct txn_program *program;
    struct str symbol;
    bool is_summary;        /* of a framework's code: there as the other writer */
    bool is_editable;       /* a summary of what the user's class asks for: what it does to code of the user's can be changed */
    bool has_code;          /* of the user's: a summary may call some */
    bool has_gap;           /* not all that it does is modelled: what it is not seen to do it may yet do */
    bool is_part;           /* of other subjects too: looked at by itself only for writes that these don't come to */
    struct str root;        /* how it comes to run: "view /orders/<pk>/", "task"; empty: not known */
    bool is_command;        /* run by hand, or by a clock */
    bool is_uncalled;       /* what runs it is not known, in a project of which that is known of others */
    struct str assumption;  /* what must hold for it to be run as it is; empty: nothing */
};

/* What is known of an effect: nothing (a call of something unknown, taken for one), that it is one, that it starts a
 * task in another process. */
enum effect_kind { EFFECT_UNKNOWN, EFFECT_SURE, EFFECT_TASK };

struct find_options {
    /* The engines and levels that decide what a finding is: lost on any of them. */
    struct db_config configs[4];
    size_t config_count;
    struct policies policies; /* the versions that tables are made for; those of `configs` among them */
    size_t thread_count; /* to work on at once; 0: as many as there are cores. What is found does not hang on it. */
    bool no_fixes;
    bool no_details; /* what is found, and where: neither tables nor fixes */
    uint32_t rules; /* bit per enum rule; 0: all */
    /* The name of the function around a place, `fallback` (the program's) if it isn't known; may be NULL. */
    struct str (*symbol_of)(void *context, struct txn_span span, struct str fallback);
    void *symbol_context;
    /* Told of each finding with a witness when it is made, while the run that shows it, and those of its fixes, are
     * still there; NULL: nobody asks. */
    void (*on_finding)(void *context, const struct finding *finding, const struct run_setup *run,
                       const struct schedule *schedule);
    void *finding_context;
    enum effect_kind (*effect_kind)(struct str name); /* may be NULL: each is sure to be one */
    /* Told by any thread, and by several at once, how many of the subjects were done, alone or beside others; NULL: nobody asks. */
    void (*on_progress)(void *context, bool is_beside_others, size_t done, size_t count);
    void *progress_context;
};

struct find_stats {
    size_t pair_count, run_count, limit_count;
    size_t summary_count; /* writes of summaries that can be lost: no line of the user's is to be changed */
    size_t skipped_count; /* pairs that may conflict and were not run: there were too many */
    /* Runs that end in what no serial order gives, by a write that could not be told: no finding shows them. */
    VEC(struct txn_span) unexplained;
};

/* What a finding is worth, best first: a value computed from a stale one, a decision, what a known writer wrote, a row made
 * twice, a lock misused, a hazard. */
enum finding_tier {
    TIER_DERIVED,
    TIER_GUARDED,
    TIER_CLOBBER,
    TIER_DUPLICATE,
    TIER_LOCK,
    TIER_HAZARD
};
enum finding_tier finding_tier(enum rule rule);

/* Sorts both lists by what rests on no assumption, then by tier, then by place. */
void findings_rank(struct findings *findings);

/* Tells of each write once: the best finding of it, in the order they stand in, gets what the others say, and is said to be
 * what these are part of. They must have their ids. */
void findings_group(struct arena *arena, struct findings *findings);

/* How many writes the findings are about. */
size_t findings_count(const struct findings *findings);

/* Takes out those that rest on an assumption; answers how many. */
size_t findings_drop_assumed(struct findings *findings);

/* Subjects that are parts of others come last. Runs each subject beside itself, and beside others that write what it reads, on inputs made from them, and
 * appends what is lost. All results are of `arena`. */
void find_all(struct arena *arena, const struct schema *schema, struct text_pool *pool,
              const struct subject *subjects, size_t subject_count,
              const struct find_options *options, struct findings *findings,
              struct find_stats *stats);

/* The same for every finding of the same code in the same function about the same table and columns, with the same other
 * writer: whatever the lines, and wherever the project lies. */
struct str finding_base_id(struct arena *arena, const struct finding *finding);
/* Gives each finding its id: the base, and to all but the first of the same base, in order, "-2", "-3", ... */
void findings_set_ids(struct arena *arena, struct findings *findings);

/* One run given by its programs, rows and arguments (`prove`): its cells, culprits and fixes, as one finding a culprit.
 * `cells` gets the run's own table. */
bool find_in_run(struct arena *arena, const struct run_setup *setup,
                 const struct str *symbols, const struct find_options *options,
                 const struct judge_options *judge, struct cell_verdict cells[POLICY_COUNT],
                 struct findings *findings, struct err *err);

#endif
