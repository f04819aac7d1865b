/* SPDX-License-Identifier: MIT */
/*
 * stackalloc.c: what TIDE_STACKALLOC adds to an array on the stack when it fits, and what it
 * costs beside malloc when it does not.
 */
#include "tide_bench.h"

#include <stdlib.h>
#include <string.h>
#include <tide_stackalloc.h>
#include <time.h>

#define NOINLINE __attribute__((noinline))

enum { ON_STACK = 256, CALLS = 20000, ROUNDS = 41, ALLOWED_NS = 2 };

/* A function with a buffer, as a user's: it writes to both ends of what it needs. */
static inline void use(tide_bench *bench, char *data, size_t count)
{
    data[0] = data[count - 1] = (char)count;
    tide_bench_consume(bench, data);
}

static NOINLINE void with_array(tide_bench *bench, size_t count)
{
    char data[ON_STACK];
    use(bench, data, count);
}

static NOINLINE void with_stackalloc(tide_bench *bench, size_t count)
{
    TIDE_STACKALLOC(char, data, count, ON_STACK);
    use(bench, data, count);
}

static NOINLINE void with_malloc(tide_bench *bench, size_t count)
{
    char *data = malloc(count);
    use(bench, data, count);
    free(data);
}

TIDE_BENCH(stackalloc_hit, .name = "tidepool/stackalloc", .sizes = {200, 1000})
{
    while (tide_bench_next(bench))
        with_stackalloc(bench, bench->size);
}

TIDE_BENCH(stackalloc_array, .name = "tidepool/stackalloc.array", .sizes = {200})
{
    while (tide_bench_next(bench))
        with_array(bench, bench->size);
}

TIDE_BENCH(stackalloc_malloc, .name = "tidepool/stackalloc.malloc", .sizes = {1000})
{
    while (tide_bench_next(bench))
        with_malloc(bench, bench->size);
}

static double nanoseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static double time_of(void (*with)(tide_bench *, size_t), tide_bench *bench)
{
    double start = nanoseconds();
    for (size_t i = 0; i < CALLS; i++)
        with(bench, i % ON_STACK + 1);
    return (nanoseconds() - start) / CALLS;
}

static int compare(const void *a, const void *b)
{
    double first = *(const double *)a, second = *(const double *)b;
    return (first > second) - (first < second);
}

/* The median over rounds in which both take their turn. */
TIDE_BENCH(stackalloc_over, .name = "tidepool/stackalloc.over")
{
    double over[ROUNDS];
    while (tide_bench_next(bench)) {
        for (int i = 0; i < ROUNDS; i++)
            over[i] = time_of(with_stackalloc, bench) - time_of(with_array, bench);
        qsort(over, ROUNDS, sizeof(*over), compare);
    }
    tide_bench_count(bench, "over_ns", over[ROUNDS / 2] > 0 ? over[ROUNDS / 2] : 0);
    tide_bench_count(bench, "allowed_ns", ALLOWED_NS);
}
