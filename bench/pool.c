/* SPDX-License-Identifier: MIT */
/*
 * pool.c: Tidepool in the operations that allocators are its rivals in.
 */
#include "transfer.h"

#include <mimalloc.h>
#include <tide_pool.h>

static void *get(void *shared, size_t size)
{
    return tide_pool_get(shared);
}

static void put(void *shared, void *object)
{
    tide_pool_put(shared, object);
}

static void *make_pool(size_t size)
{
    return tide_pool_create(&(tide_pool_config){.name = "objects", .object_size = size});
}

static void unmake_pool(void *shared)
{
    tide_pool_destroy(shared);
}

static void *table_create(void *context)
{
    symbols *table = mi_malloc(sizeof *table);
    if (table)
        symbols_init(table);
    return table;
}

static void table_reset(void *object, void *context)
{
    symbols_reset(object);
}

static void table_destroy(void *object, void *context)
{
    mi_free(object);
}

static void *make_tables(size_t size)
{
    return tide_pool_create(&(tide_pool_config){
        .name = "tables", .create = table_create, .reset = table_reset, .destroy = table_destroy});
}

TIDE_BENCH(pair, .name = "tidepool/pair", .sizes = {64}, .all_cpus = true, .setup = make_pool,
           .teardown = unmake_pool)
{
    operate_pair(bench, get, put);
}

TIDE_BENCH(constructed, .name = "tidepool/constructed", .sizes = {4096}, .all_cpus = true,
           .setup = make_tables, .teardown = unmake_pool)
{
    operate_constructed(bench, get, put);
}

TIDE_BENCH(held, .name = "tidepool/held", .sizes = {65536}, .all_cpus = true, .setup = make_pool,
           .teardown = unmake_pool)
{
    operate_held(bench, get, put);
}

TIDE_BENCH(burst, .name = "tidepool/burst", .sizes = {65536}, .all_cpus = true, .setup = make_pool,
           .teardown = unmake_pool)
{
    operate_burst(bench, get, put);
}

/* What a user of a pool writes who needs 32 at once; malloc has no such call, so its loop of 32
 * is the rival. */
TIDE_BENCH(bulk, .name = "tidepool/bulk", .sizes = {65536}, .all_cpus = true, .setup = make_pool,
           .teardown = unmake_pool)
{
    void *held[HELD_COUNT];
    while (tide_bench_next(bench)) {
        size_t got = tide_pool_get_bulk(bench->shared, held, HELD_COUNT);
        for (size_t index = 0; index < got; index++)
            touch(bench, held[index]);
        tide_pool_put_bulk(bench->shared, held, got);
    }
}

TIDE_BENCH(handed, .name = "tidepool/transfer", .cpus_min = 2, .sizes = {64, 4096},
           .setup = make_pool, .teardown = unmake_pool)
{
    operate_transfer(bench, get, put);
}
