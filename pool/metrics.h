/* SPDX-License-Identifier: MIT */
/*
 * metrics.h: all counters of all pools at one time, by name.
 */
#ifndef TIDE_POOL_METRICS_H
#define TIDE_POOL_METRICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tide_pool.h"

/* A field of tide_pool_stats. */
struct metric {
    const char *name;
    size_t offset;
    bool is_gauge; /* it may fall */
    const char *help;
};

extern const struct metric tide__metrics[];
extern const size_t tide__metric_count;

/* Pools that have the same name are one entry. Names are copies. */
struct metrics {
    tide_pool_stats *pools;
    size_t count, room;
    bool failed; /* no memory */
};

void tide__metrics_take(struct metrics *metrics);
void tide__metrics_drop(struct metrics *metrics);

static inline uint64_t metric_value(const tide_pool_stats *stats, const struct metric *metric)
{
    return *(const uint64_t *)(const void *)((const char *)stats + metric->offset);
}

#endif
