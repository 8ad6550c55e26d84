#include "options.h"

#include "jobs.h"

#include <stdio.h>
#include <stdlib.h>

static const char usage[] =
    "usage: differential --policy \"postgresql read committed\" [--policy ...] [option ...]\n"
    "  --server URL       compare with that server; without: run the built-in engine alone\n"
    "  --version V        without server: the version that the engine is like (its default)\n"
    "  --seconds N        stop after so long (10)\n"
    "  --cases N          the first so many\n"
    "  --jobs N           so many processes at once, that share the cases (1)\n"
    "  --seed N           (1)\n"
    "  --first N          the number of the first case (0)\n"
    "  --case N           that one only\n"
    "  --only FILE        the cases whose numbers stand there, one a line\n"
    "  --blockers         also compare who is waited for\n"
    "  --wide             statements of further kinds: LIMIT, INSERT ... SELECT, few columns, several assignments\n"
    "  --shrink           leave out of a case that differs what can be left out\n"
    "  --print            print each case as a transcript\n"
    "  --hashes           print of each case its number and a hash of what a server is asked and must answer\n"
    "  --keep FOLDER      write each case that differs to a file there\n"
    "  --differences N    stop after so many that are not explained (20)\n";

static bool read_number(const char *text, uint64_t *number) {
    char *end;
    *number = strtoull(text, &end, 10);
    return end != text && *end == '\0' && text[0] != '-';
}

static bool read_policy(struct options *options, const char *name) {
    const struct policy_under_test *policy = policy_find(name);
    if (policy == NULL || options->policy_count == POLICIES_MAX) {
        fprintf(stderr, "no such policy: %s\n", name);
        return false;
    }
    options->policies[options->policy_count++] = policy;
    return true;
}

/* An option with a value; false if there is none of that name. */
static bool read_value(struct options *options, const char *name, const char *value) {
    uint64_t number;
    if (strcmp(name, "--policy") == 0)
        return read_policy(options, value);
    if (strcmp(name, "--server") == 0)
        options->server = value;
    else if (strcmp(name, "--version") == 0)
        options->version = value;
    else if (strcmp(name, "--keep") == 0)
        options->keep = value;
    else if (strcmp(name, "--only") == 0)
        options->only = value;
    else if (!read_number(value, &number))
        return false;
    else if (strcmp(name, "--seconds") == 0)
        options->seconds = (double)number;
    else if (strcmp(name, "--jobs") == 0 && number >= 1 && number <= JOBS_MAX)
        options->jobs = (unsigned)number;
    else if (strcmp(name, "--cases") == 0)
        options->cases = number;
    else if (strcmp(name, "--seed") == 0)
        options->seed = number;
    else if (strcmp(name, "--first") == 0)
        options->first = number;
    else if (strcmp(name, "--differences") == 0)
        options->differences_max = number;
    else if (strcmp(name, "--case") == 0)
        options->first = number, options->cases = 1;
    else
        return false;
    return true;
}

bool options_read(struct options *options, int argc, char **argv) {
    *options = (struct options){
        .seconds = 10, .cases = UINT64_MAX, .jobs = 1, .seed = 1, .differences_max = 20};
    bool ok = true;
    for (int i = 1; i < argc && ok; i++) {
        if (strcmp(argv[i], "--shrink") == 0)
            options->shrinks = true;
        else if (strcmp(argv[i], "--blockers") == 0)
            options->finds_blockers = true;
        else if (strcmp(argv[i], "--wide") == 0)
            options->is_wide = true;
        else if (strcmp(argv[i], "--print") == 0)
            options->prints = true;
        else if (strcmp(argv[i], "--hashes") == 0)
            options->hashes = true;
        else if (i + 1 < argc)
            ok = read_value(options, argv[i], argv[i + 1]), i++;
        else
            ok = false;
    }
    if (!ok || options->policy_count == 0)
        fputs(usage, stderr);
    return ok && options->policy_count > 0;
}
