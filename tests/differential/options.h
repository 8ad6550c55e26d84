/* The command line of the program. */
#ifndef LW_TESTS_DIFFERENTIAL_OPTIONS_H
#define LW_TESTS_DIFFERENTIAL_OPTIONS_H

#include "trial.h"

enum { POLICIES_MAX = 16 };

struct options {
    const char *server;  /* its URL; NULL: the built-in engine alone */
    const char *version; /* of the server that it is like then; NULL: its default */
    size_t policy_count;
    const struct policy_under_test *policies[POLICIES_MAX];
    double seconds;   /* at most so long */
    uint64_t cases;   /* at most so many */
    unsigned jobs;    /* up to JOBS_MAX */
    uint64_t seed, first; /* the number of the first case */
    const char *only;     /* a file with the numbers of the cases, one a line; NULL: all from `first` */
    bool shrinks, finds_blockers, prints, hashes, is_wide;
    uint64_t differences_max; /* stops after so many */
    const char *keep;         /* a folder for the transcripts of differences; NULL: none */
};

/* False, and a message on stderr, if they are wrong. */
bool options_read(struct options *options, int argc, char **argv);

#endif
