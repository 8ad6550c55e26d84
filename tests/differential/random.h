/* Numbers that look random and hang on a seed alone (splitmix64). */
#ifndef LW_TESTS_DIFFERENTIAL_RANDOM_H
#define LW_TESTS_DIFFERENTIAL_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

struct rng {
    uint64_t state;
};

/* One of its own for each pair of numbers: `b` may count cases. */
static inline struct rng rng_of(uint64_t a, uint64_t b) {
    return (struct rng){(a * 0x9e3779b97f4a7c15u) ^ ((b + 1) * 0xd1342543de82ef95u)};
}

static inline uint64_t rng_next(struct rng *rng) {
    uint64_t z = rng->state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* From 0 to `bound` - 1; `bound` is not 0. */
static inline unsigned rng_below(struct rng *rng, unsigned bound) {
    return (unsigned)((rng_next(rng) >> 16) % bound);
}

static inline bool rng_chance(struct rng *rng, unsigned percent) {
    return rng_below(rng, 100) < percent;
}

#define RNG_ONE_OF(rng, ...)                                                                       \
    ((const char *[]){__VA_ARGS__}[rng_below(                                                      \
        rng, (unsigned)(sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *)))])

#endif
