/* SPDX-License-Identifier: MIT */
/*
 * pool_go.c: the benchmarks that Go has for sync.Pool, under Go's names and in Go's shapes, so
 * that figures compare. Go's put the same small integer again and again; these put the addresses
 * of the items of one array, which nobody looks into.
 */
#include "tide_bench.h"

#include <mimalloc.h>
#include <tide_epoch.h>
#include <tide_pool.h>
#include <time.h>

#define ITEMS 100
#define ITEMS_STARVED 67

/* With its ballast of 8 MiB, Go 1.19 collects once for some 12 MiB of garbage. */
#define EPOCH_BYTES (12u << 20)
#define WORK_BYTES (32u << 10)

static char items[ITEMS];

/* Go's pools have no New here: a get that finds nothing returns nil. */
static void *create_nothing(void *context)
{
    return NULL;
}

static void *make_pool(size_t size)
{
    return tide_pool_create(&(tide_pool_config){.name = "go", .create = create_nothing});
}

static void unmake_pool(void *shared)
{
    tide_pool_destroy(shared);
}

/* One iteration is `puts` puts and then `gets` gets. */
static inline void put_then_get(tide_bench *bench, int puts, int gets)
{
    tide_pool *pool = bench->shared;
    while (tide_bench_next(bench)) {
        for (int index = 0; index < puts; index++)
            tide_pool_put(pool, &items[index]);
        for (int index = 0; index < gets; index++)
            tide_bench_consume(bench, tide_pool_get(pool));
    }
}

TIDE_BENCH(Pool, .name = "tidepool/Pool", .all_cpus = true, .setup = make_pool,
           .teardown = unmake_pool)
{
    put_then_get(bench, 1, 1);
}

TIDE_BENCH(PoolOverflow, .name = "tidepool/PoolOverflow", .all_cpus = true, .setup = make_pool,
           .teardown = unmake_pool)
{
    put_then_get(bench, ITEMS, ITEMS);
}

TIDE_BENCH(PoolStarvation, .name = "tidepool/PoolStarvation", .all_cpus = true, .setup = make_pool,
           .teardown = unmake_pool)
{
    put_then_get(bench, ITEMS_STARVED, ITEMS);
}

static uint64_t bytes_allocated; /* by the work of PoolExpensiveNew, all threads */

static void *create_slowly(void *context)
{
    nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    return items;
}

static void *make_expensive(size_t size)
{
    bytes_allocated = 0;
    return tide_pool_create(&(tide_pool_config){.name = "expensive", .create = create_slowly});
}

/* What the object on loan is used for: zeroed garbage, as Go's make([]byte, 32<<10). Where Go's
 * collector would have run, an epoch is advanced. Returns how many. */
static unsigned work(tide_bench *bench)
{
    void *garbage = mi_zalloc(WORK_BYTES);
    tide_bench_consume(bench, garbage);
    mi_free(garbage);
    uint64_t bytes = __atomic_add_fetch(&bytes_allocated, WORK_BYTES, __ATOMIC_RELAXED);
    if (bytes % EPOCH_BYTES)
        return 0;
    tide_epoch_advance();
    return 1;
}

static unsigned expensive_round(tide_bench *bench, void **held)
{
    unsigned epochs = 0;
    for (int index = 0; index < ITEMS; index++) {
        held[index] = tide_pool_get(bench->shared);
        epochs += work(bench);
    }
    for (int index = 0; index < ITEMS; index++)
        tide_pool_put(bench->shared, held[index]);
    return epochs;
}

TIDE_BENCH(PoolExpensiveNew, .name = "tidepool/PoolExpensiveNew", .all_cpus = true,
           .setup = make_expensive, .teardown = unmake_pool)
{
    void *held[ITEMS];
    unsigned epochs = 0;
    while (tide_bench_next(bench))
        epochs += expensive_round(bench, held);
    tide_pool_stats stats;
    tide_pool_read_stats(bench->shared, &stats);
    tide_bench_count_per_op(bench, "epochs_per_op", epochs);
    tide_bench_count_per_op(bench, "new_per_op", bench->thread == 0 ? (double)stats.misses : 0);
}
