/* SPDX-License-Identifier: MIT */
/*
 * pool_limit.c: what limits cost: a hit, beside one without any; and a program that would hold
 * 1 GiB, beside itself without a limit.
 */
#include "operations.h"

#include <stdlib.h>
#include <string.h>
#include <tide_ctl.h>
#include <tide_epoch.h>
#include <tide_pool.h>

#define MIB (1u << 20)

/* 32 pools that lend 32 MiB each, one after the other. */
#define POOLS 32u
#define LOANS 512u
#define BUFFER_SIZE (64u << 10)
#define USES 20u

static void *get(void *shared, size_t size)
{
    return tide_pool_get(shared);
}

static void put(void *shared, void *object)
{
    tide_pool_put(shared, object);
}

static void watch(const tide_epoch_report *report, void *context)
{
}

/* All at once, as far as it leaves a hit a hit. */
static void *make_limited(size_t size)
{
    tide_epoch_watch(watch, NULL);
    tide_epoch_start(&(tide_epoch_config){
        .growth_percent = 100, .limit_bytes = 512 * MIB, .age_ms_max = 60000, .pressure = true});
    tide_ctl_write("trace", 1);
    return tide_pool_create(&(tide_pool_config){.name = "limited",
                                                .object_size = size,
                                                .weight_max = 2 * size,
                                                .cached_bytes_max = 64 * MIB,
                                                .keep_min = 16});
}

static void unmake_limited(void *shared)
{
    tide_pool_stats stats;
    tide_pool_read_stats(shared, &stats);
    tide_ctl_write("trace", 0);
    tide_epoch_stop();
    tide_epoch_unwatch(watch, NULL);
    tide_pool_destroy(shared);
}

TIDE_BENCH(pair_limited, .name = "tidepool/pair_limited", .sizes = {64}, .setup = make_limited,
           .teardown = unmake_limited)
{
    operate_pair(bench, get, put);
}

static size_t weigh(const void *object, void *context)
{
    return 64;
}

static void *make_weighed(size_t size)
{
    return tide_pool_create(
        &(tide_pool_config){.name = "weighed", .object_size = size, .weigh = weigh});
}

static void unmake_weighed(void *shared)
{
    tide_pool_destroy(shared);
}

TIDE_BENCH(pair_weighed, .name = "tidepool/pair_weighed", .sizes = {64}, .setup = make_weighed,
           .teardown = unmake_weighed)
{
    operate_pair(bench, get, put);
}

struct phases {
    tide_pool *pools[POOLS];
    unsigned next;
    char *loans[LOANS];
};

/* One pool's turn: it lends 32 MiB, `uses` times; `written` bytes of each buffer are. */
static void run_phase(struct phases *phases, unsigned uses, size_t written)
{
    tide_pool *pool = phases->pools[phases->next++ % POOLS];
    for (unsigned use = 0; use < uses; use++) {
        for (unsigned i = 0; i < LOANS; i++) {
            phases->loans[i] = tide_pool_get(pool);
            memset(phases->loans[i], (int)use, written);
        }
        for (unsigned i = 0; i < LOANS; i++)
            tide_pool_put(pool, phases->loans[i]);
    }
}

/* Each pool has had a turn, so that what can be held is held. */
static void *make_phases(size_t size)
{
    struct phases *phases = calloc(1, sizeof *phases);
    for (unsigned i = 0; i < POOLS; i++)
        phases->pools[i] =
            tide_pool_create(&(tide_pool_config){.name = "phase", .object_size = BUFFER_SIZE});
    for (unsigned i = 0; i < POOLS; i++)
        run_phase(phases, 1, BUFFER_SIZE);
    return phases;
}

static void unmake_phases(void *shared)
{
    struct phases *phases = shared;
    tide_epoch_stop();
    for (unsigned i = 0; i < POOLS; i++)
        tide_pool_destroy(phases->pools[i]);
    free(phases);
}

static void *make_phases_limited(size_t size)
{
    tide_epoch_start(&(tide_epoch_config){.limit_bytes = 64 * MIB});
    return make_phases(size);
}

static void operate_phases(tide_bench *bench, unsigned uses, size_t written)
{
    while (tide_bench_next(bench))
        run_phase(bench->shared, uses, written);
}

TIDE_BENCH(phases_unlimited, .name = "tidepool/phases/unlimited", .setup = make_phases,
           .teardown = unmake_phases)
{
    operate_phases(bench, USES, BUFFER_SIZE);
}

TIDE_BENCH(phases_limited, .name = "tidepool/phases/limited", .setup = make_phases_limited,
           .teardown = unmake_phases)
{
    operate_phases(bench, USES, BUFFER_SIZE);
}

/* The worst for a limit: what was made is hardly used, and then left alone. */
TIDE_BENCH(phases_idle_unlimited, .name = "tidepool/phases_idle/unlimited", .setup = make_phases,
           .teardown = unmake_phases)
{
    operate_phases(bench, 1, 1);
}

TIDE_BENCH(phases_idle_limited, .name = "tidepool/phases_idle/limited",
           .setup = make_phases_limited, .teardown = unmake_phases)
{
    operate_phases(bench, 1, 1);
}
