/* SPDX-License-Identifier: MIT */
/*
 * regions.h: the operations that arenas and their rivals are compared in, each written once. A
 * rival brings its alloc and its reset; they are constants where an operation is called, so they
 * are inlined into its loop as far as its headers allow.
 */
#ifndef TIDE_BENCH_REGIONS_H
#define TIDE_BENCH_REGIONS_H

#include "tide_bench.h"

#define REGION_OPERATION static inline __attribute__((always_inline))

enum {
    REGION_OBJECTS = 4096, /* of 16 bytes, until all are taken back */
    REQUEST_OBJECTS = 1000 /* of 16 to 112 bytes */
};

typedef void *region_alloc(void *region, size_t size);
typedef void region_reset(void *region);

/* As small structs and strings are, 48 bytes on the average. */
static const uint8_t region_sizes[8] = {16, 32, 48, 24, 112, 16, 64, 72};

REGION_OPERATION void region_touch(tide_bench *bench, void *object)
{
    *(uint64_t *)object = bench->left;
    tide_bench_consume(bench, object);
}

/* One object of 16 bytes; all are taken back after so many. */
REGION_OPERATION void operate_alloc(tide_bench *bench, void *region, region_alloc *alloc,
                                    region_reset *reset)
{
    unsigned count = 0;
    while (tide_bench_next(bench)) {
        region_touch(bench, alloc(region, 16));
        if (++count % REGION_OBJECTS == 0)
            reset(region);
    }
    reset(region);
}

/* A thousand objects of several sizes, then all are taken back. */
REGION_OPERATION void operate_request(tide_bench *bench, void *region, region_alloc *alloc,
                                      region_reset *reset)
{
    while (tide_bench_next(bench)) {
        for (unsigned index = 0; index < REQUEST_OBJECTS; index++)
            region_touch(bench, alloc(region, region_sizes[index % 8]));
        reset(region);
    }
}

#endif
