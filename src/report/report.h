/* Showing findings: text for people, JSON for programs (docs/json.md), one line each for editors. Everything
 * is written to a buffer; nothing here reads files or decides what a finding is.
 */
#ifndef LW_REPORT_REPORT_H
#define LW_REPORT_REPORT_H

#include "finding/finding.h"
#include "verdict/proof.h"

/* Something in the source that has no counterpart in a program (`is_error`: a file that can't be read). */
struct report_note {
    struct txn_span span;
    struct str text;
    bool is_error;
};

/* Something to be said about a comment that suppresses findings, or the baseline. */
struct report_warning {
    struct txn_span span;
    struct str text;
    bool is_detail; /* text shows it under --verbose only: the summary counts them */
};

struct report_summary {
    size_t file_count, line_count, broken_file_count;
    size_t function_count;  /* that touch the ORM */
    size_t modelled_count;  /* of these: without a note */
    size_t program_count, run_count, limit_count;
    size_t summary_count; /* writes of the framework's own code that can be lost */
    size_t skipped_count; /* pairs of functions that were not run */
    size_t assumed_count; /* findings left out because they rest on an assumption */
    size_t comment_count, baseline_count; /* findings that a comment, the baseline suppresses */
    size_t unchanged_count; /* findings on unchanged lines, which were not asked for */
    size_t stale_count;   /* findings that the baseline has and nobody found */
};

struct report {
    const struct schema *schema;
    const struct text_pool *pool;
    const struct findings *findings;
    const struct report_note *notes;
    size_t note_count;
    const struct report_warning *warnings;
    size_t warning_count;
    struct report_summary summary;
    struct policies policies; /* the versions that cells were judged on */
    const char *version; /* of lostwrite */
    struct str root; /* the current folder: services are told paths relative to it; empty: not known */
    bool is_colored;
    unsigned width; /* of the text, in columns; 0: the default */
    bool is_verbose; /* list the notes too */
    bool is_quiet;   /* text, concise: findings and errors only */
    /* The text of a source file, for excerpts; empty if it isn't known. */
    struct str (*source)(void *context, struct str path);
    void *source_context;
};

/* The path relative to report.root if it lies in it, without a leading "./"; else as it is. A slice of `path`. */
struct str report_path(const struct report *report, struct str path);

void report_text(const struct report *report, struct buf *out);
void report_json(const struct report *report, struct buf *out);
/* `path:line:column: LW003 message` for each finding. */
void report_concise(const struct report *report, struct buf *out);
/* How many findings of each rule there are, most first. */
void report_statistics_text(const struct report *report, struct buf *out);
void report_statistics_json(const struct report *report, struct buf *out);
/* SARIF 2.1.0: the rules with their pages, each finding with its places and its witness as a code flow. */
void report_sarif(const struct report *report, struct buf *out);
/* A workflow command of GitHub Actions for each finding, `::error file=...::message`. */
void report_github(const struct report *report, struct buf *out);
/* GitLab's Code Quality report. */
void report_gitlab(const struct report *report, struct buf *out);

/* One proved run: its table, and its findings as above. */
struct report_run {
    struct str name; /* of the run; may be empty */
    const struct run_setup *setup;
    const struct str *symbols;                /* per session */
    const struct cell_verdict *cells;         /* POLICY_COUNT of them */
    bool has_counts;                          /* --all-schedules */
    const struct findings *findings;
    /* The schedule shown when there is no finding: of an anomaly of no known class, or of an error; else absent. */
    bool has_witness;
    struct db_config witness_config;
    struct witness witness;
    struct serial_texts serial;
    /* The same on a real server; NULL: not asked for. */
    const struct proof *proof;
    const char *server; /* "PostgreSQL 15.18" */
};

/* A finding replayed on a real server: as it is, and with each of its fixes. */
struct proved_finding {
    const struct finding *finding;
    const struct proof *proof; /* NULL: it was not run */
    const struct proof *fixes; /* one a fix of the finding */
};

/* The level as users know it: "repeatable read"; MariaDB's setting: "snapshot isolation"; SQLite: "serializable"
 * or "immediate". */
const char *level_name(const struct db_config *config);

/* "mysql, repeatable read"; with a version "mariadb 11.8, snapshot isolation". */
void put_level(const struct db_config *config, struct buf *out);

void report_prove_text(const struct report *report, const struct report_run *runs, size_t run_count,
                       struct buf *out);
void report_prove_json(const struct report *report, const struct report_run *runs,
                       size_t run_count, struct buf *out);

/* `server`: its name and version. */
void report_proved_text(const struct report *report, const char *server,
                        const struct proved_finding *proved, size_t count, struct buf *out);
void report_proved_json(const struct report *report, const char *server,
                        const struct proved_finding *proved, size_t count, struct buf *out);

#endif
