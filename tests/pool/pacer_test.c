/* SPDX-License-Identifier: MIT */
/*
 * pacer_test.c: epochs that happen by themselves, by growth and for the limit.
 */
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "check.h"
#include "tide_epoch.h"
#include "tide_pool.h"

enum { KIB = 1 << 10, MIB = 1 << 20, POOLS = 16, OBJECTS = 1024 };

/* What all objects of the test's pools hold, and the most that they held. */
static _Atomic size_t live, live_max;

static struct {
    _Atomic unsigned count, by_reason[TIDE_EPOCH_PRESSURE + 1], capped;
    _Atomic uint64_t ns;
} epochs;

static void *sized_create(void *context)
{
    size_t size = *(const size_t *)context, max = live_max;
    void *object = malloc(64); /* its weight is what it says */
    size_t now = atomic_fetch_add(&live, size) + size;
    while (now > max && !atomic_compare_exchange_weak(&live_max, &max, now))
        ;
    return object;
}

static void sized_destroy(void *object, void *context)
{
    atomic_fetch_sub(&live, *(const size_t *)context);
    free(object);
}

static tide_pool *open_pool(const size_t *size)
{
    return tide_pool_create(&(tide_pool_config){.name = "sized",
                                                .create = sized_create,
                                                .destroy = sized_destroy,
                                                .context = (void *)(uintptr_t)size,
                                                .object_size = *size});
}

static void note(const tide_epoch_report *report, void *context)
{
    epochs.count++;
    epochs.by_reason[report->reason]++;
    epochs.capped += report->capped;
    epochs.ns += report->swap_ns + report->wait_ns + report->destroy_ns;
}

static void start(const tide_epoch_config *config)
{
    memset(&epochs, 0, sizeof(epochs));
    live_max = live;
    check_count(tide_epoch_watch(note, NULL), 0);
    check_count(tide_epoch_start(config), 0);
}

static void stop(void)
{
    tide_epoch_stop();
    tide_epoch_unwatch(note, NULL);
}

static void cycle(tide_pool *pool, void **held, size_t count)
{
    check_count(tide_pool_get_bulk(pool, held, count), count);
    tide_pool_put_bulk(pool, held, count);
}

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* 1 GiB in 16 pools that are used one after the other. */
static void use_pools_in_turn(size_t size, size_t rounds)
{
    static void *held[OBJECTS];
    tide_pool *pools[POOLS];
    for (size_t i = 0; i < POOLS; i++)
        pools[i] = open_pool(&size);
    for (size_t i = 0; i < rounds * POOLS; i++)
        for (int use = 0; use < 10; use++)
            cycle(pools[i % POOLS], held, OBJECTS * 3 / 4);
    for (size_t i = 0; i < POOLS; i++)
        tide_pool_destroy(pools[i]);
}

Test(pool, without_a_limit_all_is_held)
{
    use_pools_in_turn(64 * KIB, 1);
    check_that(live_max >= POOLS * (OBJECTS * 3 / 4) * 64 * KIB);
    check_count(live, 0);
}

Test(pool, a_limit_holds_over_all_pools)
{
    start(&(tide_epoch_config){.limit_bytes = 64 * MIB});
    use_pools_in_turn(64 * KIB, check_scaled(20));
    stop();
    check_that(live_max <= 64 * MIB + 64 * MIB / 10, "%zu bytes", (size_t)live_max);
    check_that(epochs.by_reason[TIDE_EPOCH_LIMIT] > 0);
    check_count(epochs.by_reason[TIDE_EPOCH_LIMIT], epochs.count);
    check_count(live, 0);
}

static void churn(unsigned index, void *context)
{
    void *held[100];
    tide_pool *const *pools = context;
    for (size_t i = 0; i < check_scaled(20000); i++)
        cycle(pools[(i / 50 + index) % POOLS], held, 100);
}

Test(pool, a_limit_holds_over_all_threads)
{
    size_t size = 64 * KIB;
    tide_pool *pools[POOLS];
    for (size_t i = 0; i < POOLS; i++)
        pools[i] = open_pool(&size);
    start(&(tide_epoch_config){.limit_bytes = 64 * MIB});
    check_threads(4, churn, pools);
    stop();
    /* Each thread has what it gets while another one trims. */
    check_that(live_max <= 64 * MIB + 4 * 100 * size, "%zu bytes", (size_t)live_max);
    if (check_scaled(20000) >= 50 * POOLS) /* else not all pools were used */
        check_that(epochs.by_reason[TIDE_EPOCH_LIMIT] > 0);
    for (size_t i = 0; i < POOLS; i++)
        tide_pool_destroy(pools[i]);
    check_count(live, 0);
}

Test(pool, what_comes_back_above_the_limit_is_trimmed)
{
    static void *held[OBJECTS];
    size_t size = 256 * KIB;
    tide_pool *pool = open_pool(&size);
    check_count(tide_pool_get_bulk(pool, held, OBJECTS), OBJECTS);
    start(&(tide_epoch_config){.limit_bytes = 64 * MIB});
    for (size_t i = 0; i < OBJECTS; i++)
        tide_pool_put(pool, held[i]);
    check_that(live <= 64 * MIB + 64 * MIB / 10, "%zu bytes", (size_t)live);
    stop();
    tide_pool_destroy(pool);
    check_count(live, 0);
}

/* More is on loan than the limit allows, and the rest comes and goes. */
Test(pool, a_limit_below_the_live_set_leaves_the_program_its_time)
{
    static void *loans[OBJECTS], *held[200];
    size_t size = 64 * KIB;
    uint64_t until = now_ns() + 1000000000 / check_scaled(1), began = now_ns();
    tide_pool *pool = open_pool(&size);
    check_count(tide_pool_get_bulk(pool, loans, OBJECTS), OBJECTS);
    start(&(tide_epoch_config){.limit_bytes = 16 * MIB});
    while (now_ns() < until)
        cycle(pool, held, 200);
    uint64_t elapsed = now_ns() - began;
    stop();
    check_that(epochs.by_reason[TIDE_EPOCH_LIMIT] > 0);
    check_that(epochs.ns <= elapsed / 2 + 40000000, "%" PRIu64 " of %" PRIu64 " ns",
               (uint64_t)epochs.ns, elapsed);
    tide_pool_put_bulk(pool, loans, OBJECTS);
    tide_pool_destroy(pool);
    check_count(live, 0);
}

static uint64_t slow_ns;

static uint64_t cpu_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void slow_destroy(void *object, void *context)
{
    uint64_t began = cpu_ns();
    while (cpu_ns() - began < 2000000)
        ;
    slow_ns += cpu_ns() - began;
    sized_destroy(object, context);
}

/* For half a second, and until a cap was seen, which a busy machine may put off. */
Test(pool, trimming_is_capped_and_the_report_says_so)
{
    void *held[8];
    size_t size = 4 * MIB;
    tide_pool *pool = tide_pool_create(&(tide_pool_config){
        .create = sized_create, .destroy = slow_destroy, .context = &size, .object_size = size});
    start(&(tide_epoch_config){.limit_bytes = 8 * MIB, .trim_percent_max = 20});
    uint64_t began = now_ns(), elapsed = 0;
    slow_ns = 0;
    while (elapsed < 500000000 || (!epochs.capped && elapsed < 30000000000)) {
        cycle(pool, held, 8);
        elapsed = now_ns() - began;
    }
    stop();
    check_that(epochs.capped > 0);
    check_that(slow_ns <= elapsed / 5 + 100000000, "%" PRIu64 " of %" PRIu64 " ns", slow_ns,
               elapsed);
    tide_pool_destroy(pool);
}

static void check_growth(void)
{
    static void *held[OBJECTS];
    size_t size = 64 * KIB;
    tide_pool *pool = open_pool(&size);
    check_count(tide_pool_get_bulk(pool, held, 512), 512); /* 32 MiB in use */
    start(&(tide_epoch_config){.growth_percent = 100});
    check_count(tide_pool_get_bulk(pool, held + 512, 500), 500);
    check_count(epochs.count, 0);
    check_count(tide_pool_get_bulk(pool, held + 1012, 12), 12); /* twice as much */
    check_count(epochs.count, 1);
    check_count(epochs.by_reason[TIDE_EPOCH_GROWTH], 1);
    stop();
    tide_pool_put_bulk(pool, held, OBJECTS);
    tide_pool_destroy(pool);
}

Test(pool, a_pool_that_only_hits_has_no_epochs)
{
    void *held[50];
    size_t size = 64 * KIB;
    tide_pool *pool = open_pool(&size);
    cycle(pool, held, 50);
    start(&(tide_epoch_config){.growth_percent = 1, .limit_bytes = 64 * MIB});
    for (int i = 0; i < 10000; i++)
        cycle(pool, held, 50);
    check_count(epochs.count, 0);
    stop();
    tide_pool_destroy(pool);
}

Test(pool, growth_makes_epochs_due)
{
    check_growth();
}

/* Epochs while 100 MiB are created that go at once, or stay and are never used. */
static unsigned count_epochs(tide_pool *used, tide_pool *other, bool stay)
{
    static void *held[256];
    unsigned before = epochs.count;
    for (int round = 0; round < 100; round++) {
        check_count(tide_pool_prewarm(other, 16), 16);
        if (!stay)
            tide_pool_drain(other);
        cycle(used, held, 256);
    }
    return epochs.count - before;
}

Test(pool, epochs_are_rarer_while_what_is_aged_is_wanted)
{
    size_t size = 64 * KIB;
    tide_pool *used = open_pool(&size), *other = open_pool(&size);
    start(&(tide_epoch_config){.growth_percent = 50});
    unsigned first = count_epochs(used, other, false);
    for (int i = 0; i < 10; i++)
        count_epochs(used, other, false);
    unsigned last = count_epochs(used, other, false);
    check_that(first >= 2 * last, "%u epochs at first, %u when aged objects were wanted", first,
               last);
    stop();
    tide_pool_destroy(used);
    tide_pool_destroy(other);
}

Test(pool, pacing_that_starts_again_has_learned_nothing)
{
    size_t size = 64 * KIB;
    tide_pool *used = open_pool(&size), *other = open_pool(&size);
    start(&(tide_epoch_config){.growth_percent = 50});
    for (int i = 0; i < 10; i++)
        count_epochs(used, other, false);
    stop();
    tide_pool_destroy(used);
    tide_pool_destroy(other);
    check_growth();
}

Test(pool, epochs_are_more_frequent_while_what_is_aged_is_dropped)
{
    static void *loans[256];
    size_t size = 64 * KIB;
    tide_pool *lent = open_pool(&size), *other = open_pool(&size);
    check_count(tide_pool_get_bulk(lent, loans, 256), 256);
    start(&(tide_epoch_config){.growth_percent = 50});
    unsigned first = 0, last = 0;
    for (int i = 0; i < 1200; i++) {
        check_count(tide_pool_prewarm(other, 16), 16);
        first = i == 100 ? epochs.count : first;
        last = i == 1100 ? epochs.count : last;
    }
    last = epochs.count - last;
    check_that(5 * last >= 6 * first, "%u epochs at first, %u when aged objects were dropped",
               first, last);
    stop();
    tide_pool_put_bulk(lent, loans, 256);
    tide_pool_destroy(lent);
    tide_pool_destroy(other);
}

static void *nested_create(void *context)
{
    void *held[20];
    static size_t size = 64 * KIB;
    tide_pool *other = *(tide_pool **)context;
    cycle(other, held, 20);
    return sized_create(&size);
}

static void nested_destroy(void *object, void *context)
{
    static size_t size = 64 * KIB;
    void *held[20];
    cycle(*(tide_pool **)context, held, 20);
    sized_destroy(object, &size);
}

Test(pool, hooks_may_use_pools_while_epochs_are_paced)
{
    void *held[100];
    size_t size = 64 * KIB;
    tide_pool *other = open_pool(&size);
    tide_pool *pool = tide_pool_create(&(tide_pool_config){.create = nested_create,
                                                           .destroy = nested_destroy,
                                                           .context = &other,
                                                           .object_size = size});
    start(&(tide_epoch_config){.limit_bytes = 2 * MIB, .growth_percent = 10});
    for (int i = 0; i < 200; i++)
        cycle(pool, held, 100);
    check_that(epochs.count > 0);
    stop();
    tide_pool_destroy(pool);
    tide_pool_destroy(other);
    check_count(live, 0);
}

static void start_and_stop(unsigned index, void *context)
{
    void *held[200];
    for (size_t i = 0; i < check_scaled(300); i++) {
        if (index == 0)
            tide_epoch_start(&(tide_epoch_config){.limit_bytes = MIB, .growth_percent = 10});
        if (index == 1)
            tide_epoch_stop();
        cycle(context, held, 200);
    }
}

Test(pool, pacing_starts_and_stops_at_any_time)
{
    size_t size = 64 * KIB;
    tide_pool *pool = open_pool(&size);
    check_threads(4, start_and_stop, pool);
    stop();
    uint64_t number = tide_epoch_current();
    start_and_stop(2, pool);
    check_count(tide_epoch_current(), number);
    tide_pool_destroy(pool);
    check_count(live, 0);
}

static bool refuses(const tide_epoch_config *config)
{
    errno = 0;
    return tide_epoch_start(config) == -1 && errno == EINVAL;
}

Test(pool, pacing_by_nothing_is_refused)
{
    check_that(refuses(NULL));
    check_that(refuses(&(tide_epoch_config){.thread = true}));
    check_that(refuses(&(tide_epoch_config){.limit_bytes = 1, .trim_percent_max = 101}));
}

Test(pool, reports_add_up)
{
    void *held[150];
    size_t size = KIB;
    tide_pool *pool = open_pool(&size);
    tide_pool_stats stats;
    memset(&epochs, 0, sizeof(epochs));
    check_count(tide_epoch_watch(note, NULL), 0);
    cycle(pool, held, 150);
    tide_epoch_advance();
    cycle(pool, held, 100);
    tide_epoch_advance();
    check_count(epochs.by_reason[TIDE_EPOCH_ASKED], 2);
    tide_pool_read_stats(pool, &stats);
    check_count(stats.hits_victim, 100);
    check_count(stats.destroyed_epoch, 50);
    check_count(stats.cached_bytes, 100 * KIB);
    tide_epoch_unwatch(note, NULL);
    tide_epoch_advance();
    check_count(epochs.count, 2);
    tide_pool_destroy(pool);
}

static _Atomic bool changed;

static void change_or_advance(unsigned index, void *context)
{
    size_t turns = check_scaled(2000);
    for (size_t i = 0; index == 0 && i < turns; i++) {
        tide_epoch_start(&(tide_epoch_config){.growth_percent = 100, .age_ms_max = 1000});
        tide_epoch_stop();
    }
    if (index == 0)
        atomic_store(&changed, true);
    while (!atomic_load(&changed))
        tide_epoch_advance();
}

/* What is a race here ThreadSanitizer tells. */
Test(pool, pacing_may_change_while_epochs_keep_objects)
{
    tide_pool_stats stats;
    tide_pool *pool = tide_pool_create(&(tide_pool_config){.object_size = 64, .keep_min = 10});
    check_count(tide_pool_prewarm(pool, 20), 20);
    check_threads(3, change_or_advance, NULL);
    tide_pool_read_stats(pool, &stats);
    check_that(stats.cached + stats.victims >= 10 && stats.cached + stats.victims <= 20);
    tide_pool_destroy(pool);
}
