/* SPDX-License-Identifier: MIT */
/*
 * operations.h: the operations that Tidepool and the allocators are compared in, each written
 * once. A subject brings its get and its put; they are constants where an operation is called,
 * so they are inlined into its loop as they would be in a user's.
 */
#ifndef TIDE_BENCH_OPERATIONS_H
#define TIDE_BENCH_OPERATIONS_H

#include "symbols.h"
#include "tide_bench.h"

#define OPERATION static inline __attribute__((always_inline))

#define HELD_COUNT 32

/* `shared` is what the benchmark's setup returned: the pool, for a pool. */
typedef void *get_function(void *shared, size_t size);
typedef void put_function(void *shared, void *object);

/* Get one object, write to it, put it. */
OPERATION void operate_pair(tide_bench *bench, get_function *get, put_function *put)
{
    while (tide_bench_next(bench)) {
        uint64_t *object = get(bench->shared, bench->size);
        object[0] = bench->left;
        tide_bench_consume(bench, object);
        put(bench->shared, object);
    }
}

OPERATION void touch(tide_bench *bench, uint64_t *object)
{
    object[0] = (uintptr_t)object;
    tide_bench_consume(bench, object);
}

OPERATION uint64_t *get_touched(tide_bench *bench, get_function *get)
{
    uint64_t *object = get(bench->shared, bench->size);
    touch(bench, object);
    return object;
}

OPERATION void put_all(tide_bench *bench, put_function *put, void **objects, unsigned count)
{
    for (unsigned index = 0; index < count; index++)
        put(bench->shared, objects[index]);
}

/* Hold 32 objects, as a server with as many requests in flight does; an iteration gets one more
 * and puts the oldest. */
OPERATION void operate_held(tide_bench *bench, get_function *get, put_function *put)
{
    void *held[HELD_COUNT];
    for (unsigned index = 0; index < HELD_COUNT; index++)
        held[index] = get_touched(bench, get);
    for (unsigned oldest = 0; tide_bench_next(bench); oldest = (oldest + 1) % HELD_COUNT) {
        void *newest = get_touched(bench, get);
        put(bench->shared, held[oldest]);
        held[oldest] = newest;
    }
    put_all(bench, put, held, HELD_COUNT);
}

/* Get 32 objects, then put them all: an iteration is all of that. */
OPERATION void operate_burst(tide_bench *bench, get_function *get, put_function *put)
{
    void *held[HELD_COUNT];
    while (tide_bench_next(bench)) {
        for (unsigned index = 0; index < HELD_COUNT; index++)
            held[index] = get_touched(bench, get);
        put_all(bench, put, held, HELD_COUNT);
    }
}

/* Get a symbol table that is ready for use, use it, put it. */
OPERATION void operate_constructed(tide_bench *bench, get_function *get, put_function *put)
{
    while (tide_bench_next(bench)) {
        symbols *table = get(bench->shared, sizeof *table);
        symbols_insert(table, (uint32_t)bench->left, bench->left);
        tide_bench_consume(bench, table);
        put(bench->shared, table);
    }
}

#endif
