/* SPDX-License-Identifier: MIT */
/*
 * scale.c: what epochs and new pools cost with many CPUs and with many pools.
 *
 * The CPUs are made up: where there are restartable sequences the pools take their CPU number
 * from a variable, so that one thread leaves an object on each of 512 stacks. Elsewhere the
 * stacks only count as used.
 */
#include "histogram.h"
#include "tide_bench.h"

#include <cpu.h>
#include <internal.h>
#include <mimalloc.h>
#include <string.h>
#include <tide_epoch.h>

#define POOLS_MAX 1000

typedef struct crowd {
    unsigned cpus, count;
    tide_pool *pools[POOLS_MAX];
} crowd;

static _Thread_local uint32_t virtual_cpu;

static tide_pool *make_pool(unsigned cpus)
{
    unsigned real = tide__cpu_count();
    tide__cpu_use_count(cpus);
    tide_pool *pool = tide_pool_create(&(tide_pool_config){.name = "scale", .object_size = 64});
    tide__cpu_use_count(real);
    return pool;
}

/* One object on each stack, which comes back from the victims in the next round. */
static void use_all(crowd *all, tide_pool *pool)
{
    for (virtual_cpu = 0; virtual_cpu < all->cpus; virtual_cpu++)
        tide_pool_put(pool, tide_pool_get(pool));
    virtual_cpu = 0;
}

static bool open_crowd(crowd *all)
{
    for (unsigned index = 0; index < all->count; index++) {
        tide_pool *pool = all->pools[index] = make_pool(all->cpus);
        if (!pool)
            return false;
        tide__percpu_count_used(&pool->percpu, all->cpus - 1);
        if (pool->percpu.rseq_count)
            pool->percpu.cpu_offset = (char *)&virtual_cpu - (char *)__builtin_thread_pointer();
    }
    return true;
}

static void close_crowd(crowd *all)
{
    for (unsigned index = 0; index < all->count; index++)
        tide_pool_destroy(all->pools[index]);
}

static void advance_used(tide_bench *bench, crowd *all, histogram *latencies)
{
    while (tide_bench_next(bench)) {
        for (unsigned index = 0; index < all->count; index++)
            use_all(all, all->pools[index]);
        uint64_t begin = clock_ns();
        tide_epoch_advance();
        histogram_add(latencies, clock_ns() - begin);
    }
}

/* The time includes the use of the pools before each epoch; the figures are the epochs'. */
static void advance(tide_bench *bench, unsigned cpus, unsigned pools)
{
    static histogram latencies;
    static crowd all;
    memset(&latencies, 0, sizeof latencies);
    all = (crowd){.cpus = cpus, .count = pools};
    if (open_crowd(&all))
        advance_used(bench, &all, &latencies);
    else
        tide_bench_fail(bench, "no memory");
    close_crowd(&all);
    double p50 = histogram_percentile(&latencies, 0.50);
    tide_bench_count(bench, "p50_ns", p50);
    tide_bench_count(bench, "cpu_ns", p50 / cpus / pools);
    tide_bench_count(bench, "max_ns", (double)latencies.max);
}

#define ADVANCE(cpus, pools)                                                                       \
    TIDE_BENCH(advance_##cpus##_##pools, .name = "tidepool/advance/" #cpus "cpus/" #pools "pools") \
    {                                                                                              \
        advance(bench, cpus, pools);                                                               \
    }

ADVANCE(2, 1)
ADVANCE(8, 1)
ADVANCE(32, 1)
ADVANCE(128, 1)
ADVANCE(512, 1)
ADVANCE(2, 10)
ADVANCE(2, 100)
ADVANCE(2, 1000)

/* A pool made, used once, and destroyed. */
static void create(tide_bench *bench, unsigned cpus)
{
    while (tide_bench_next(bench)) {
        tide_pool *pool = make_pool(cpus);
        void *object = tide_pool_get(pool);
        tide_bench_consume(bench, object);
        tide_pool_put(pool, object);
        tide_pool_destroy(pool);
    }
}

TIDE_BENCH(create_2, .name = "tidepool/create/2cpus")
{
    create(bench, 2);
}

TIDE_BENCH(create_512, .name = "tidepool/create/512cpus")
{
    create(bench, 512);
}
