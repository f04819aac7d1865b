/* SPDX-License-Identifier: MIT */
/*
 * histogram.h: latencies in nanoseconds, counted in buckets no wider than 1/64 of their value.
 */
#ifndef TIDE_BENCH_HISTOGRAM_H
#define TIDE_BENCH_HISTOGRAM_H

#include <stdint.h>
#include <time.h>

#define HISTOGRAM_STEPS 64 /* buckets for each power of two: percentiles are within 1.6 % */
#define HISTOGRAM_BUCKETS (HISTOGRAM_STEPS * 60)

typedef struct histogram {
    uint64_t count;
    uint64_t max; /* exact, as a bucket would not be */
    uint64_t buckets[HISTOGRAM_BUCKETS];
} histogram;

static inline uint64_t clock_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* Values below twice the steps have a bucket each; above, the top seven bits choose one. */
static inline unsigned histogram_bucket(uint64_t value)
{
    if (value < 2 * HISTOGRAM_STEPS)
        return (unsigned)value;
    unsigned shift = 57u - (unsigned)__builtin_clzll(value);
    return shift * HISTOGRAM_STEPS + (unsigned)(value >> shift);
}

/* The smallest value of a bucket. */
static inline uint64_t histogram_value(unsigned bucket)
{
    if (bucket < 2 * HISTOGRAM_STEPS)
        return bucket;
    unsigned shift = bucket / HISTOGRAM_STEPS - 1;
    return (uint64_t)(bucket % HISTOGRAM_STEPS + HISTOGRAM_STEPS) << shift;
}

static inline void histogram_add(histogram *all, uint64_t value)
{
    all->buckets[histogram_bucket(value)]++;
    all->count++;
    if (value > all->max)
        all->max = value;
}

/* The value that `share` (0 to 1) of the values do not exceed; 0 if there are none. */
static inline double histogram_percentile(const histogram *all, double share)
{
    uint64_t below = 0;
    for (unsigned bucket = 0; bucket < HISTOGRAM_BUCKETS; bucket++) {
        below += all->buckets[bucket];
        if (below && (double)below >= share * (double)all->count)
            return (double)histogram_value(bucket);
    }
    return 0;
}

#endif
