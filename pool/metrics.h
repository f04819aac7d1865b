/* SPDX-License-Identifier: MIT */
/*
 * metrics.h: all counters of a source at one time, by name.
 */
#ifndef TIDE_POOL_METRICS_H
#define TIDE_POOL_METRICS_H

#include "source.h"

struct metrics_entry {
    char *name; /* a copy */
    uint64_t values[];
};

struct metrics {
    const struct source *source;
    struct metrics_entry **entries;
    size_t count, room;
    bool failed; /* no memory */
};

void tide__metrics_take(struct metrics *metrics, const struct source *source);
void tide__metrics_drop(struct metrics *metrics);

#endif
