/* SPDX-License-Identifier: MIT */
/*
 * threads_test.c: what holds while many threads use pools.
 */
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

#include "check.h"
#include "compiler.h"
#include "tokens.h"

static _Atomic unsigned running;

/* One thread's turns: some gets, then as many puts. */
static void take_and_give(struct tokens *t, uint64_t *random)
{
    struct token *taken[200];
    size_t count = check_random(random) % 200, got = 0;
    if (check_random(random) % 4)
        while (got < count && (taken[got] = tokens_get(t)))
            got++;
    else
        got = tokens_get_bulk(t, taken, count);
    if (check_random(random) % 4)
        while (got)
            tokens_put(t, taken[--got]);
    else
        tokens_put_bulk(t, taken, got);
}

struct traffic {
    struct tokens tokens;
    uint64_t seed;
    size_t turns;
    unsigned workers;
    void (*meanwhile)(struct tokens *t);
    _Atomic size_t meanwhiles;
};

/* On a busy machine the turns may be over before the first disturbance. */
static bool is_wanted(struct traffic *traffic, size_t turn)
{
    return turn < traffic->turns || !atomic_load(&traffic->meanwhiles);
}

static void work_or_disturb(unsigned index, void *context)
{
    struct traffic *traffic = context;
    uint64_t random = traffic->seed + index;
    for (size_t i = 0; index < traffic->workers && is_wanted(traffic, i); i++)
        take_and_give(&traffic->tokens, &random);
    if (index < traffic->workers)
        atomic_fetch_sub(&running, 1);
    while (index >= traffic->workers && atomic_load(&running)) {
        traffic->meanwhile(&traffic->tokens);
        atomic_fetch_add(&traffic->meanwhiles, 1);
    }
}

static void check_traffic(void (*meanwhile)(struct tokens *), unsigned disturbers)
{
    struct traffic traffic = {.seed = check_seed(), .turns = check_scaled(5000), .workers = 4};
    traffic.meanwhile = meanwhile;
    tokens_open(&traffic.tokens, 100000);
    atomic_store(&running, traffic.workers);
    check_threads(traffic.workers + disturbers, work_or_disturb, &traffic);
    check_count(traffic.tokens.failed, 0);
    tokens_check(&traffic.tokens, 0);
    tokens_close(&traffic.tokens);
}

static void advance(struct tokens *t)
{
    tide_epoch_advance();
}

static void drain(struct tokens *t)
{
    tide_pool_drain(t->pool);
}

static void prewarm(struct tokens *t)
{
    tide_pool_prewarm(t->pool, 100);
    tide_pool_drain(t->pool);
}

static _Atomic size_t unbelievable;

static void read_stats(struct tokens *t)
{
    tide_pool_stats stats;
    tide_pool_read_stats(t->pool, &stats);
    if (stats.cached > t->limit || stats.victims > t->limit)
        atomic_fetch_add(&unbelievable, 1);
}

Test(pool, traffic_and_epochs_lose_nothing)
{
    check_traffic(advance, 1);
}

Test(pool, traffic_and_concurrent_epochs_lose_nothing)
{
    check_traffic(advance, 3);
}

Test(pool, traffic_and_drain_lose_nothing)
{
    check_traffic(drain, 2);
}

Test(pool, traffic_and_prewarm_lose_nothing)
{
    check_traffic(prewarm, 2);
}

Test(pool, statistics_may_be_read_at_any_time)
{
    check_traffic(read_stats, 1);
}

static void live_and_die(unsigned index, void *context)
{
    size_t pools = check_scaled(400);
    for (size_t i = 0; i < pools; i++) {
        tide_pool *pool = tide_pool_create(&(tide_pool_config){.object_size = 64});
        void *objects[100];
        size_t got = tide_pool_get_bulk(pool, objects, 100);
        tide_pool_put_bulk(pool, objects, got);
        atomic_fetch_add((_Atomic size_t *)context, got);
        tide_pool_destroy(pool);
    }
    atomic_fetch_sub(&running, 1);
}

static bool visit(const tide_pool *pool, void *context)
{
    tide_pool_stats stats;
    tide_pool_read_stats(pool, &stats);
    return stats.cached <= 100;
}

static void live_or_watch(unsigned index, void *context)
{
    if (index < 4)
        live_and_die(index, context);
    while (index == 4 && atomic_load(&running))
        tide_epoch_advance();
    while (index == 5 && atomic_load(&running))
        tide_pool_walk(visit, NULL);
}

Test(pool, pools_come_and_go_during_epochs_and_walks)
{
    _Atomic size_t got = 0;
    atomic_store(&running, 4);
    check_threads(6, live_or_watch, &got);
    check_count(got, 4 * 100 * check_scaled(400));
}

static void *short_life(void *context)
{
    struct tokens *t = context;
    struct token *first = tokens_get(t), *second = tokens_get(t);
    if (first)
        tokens_put(t, first);
    if (second)
        tokens_put(t, second);
    return NULL;
}

Test(pool, threads_come_and_go)
{
    struct tokens t;
    pthread_t threads[4];
    size_t rounds = check_scaled(2500);
    tokens_open(&t, 1000);
    for (size_t i = 0; i < rounds; i++) {
        for (int k = 0; k < 4; k++)
            check_that(!pthread_create(&threads[k], NULL, short_life, &t));
        for (int k = 0; k < 4; k++)
            pthread_join(threads[k], NULL);
        if (i % 100 == 0)
            tide_epoch_advance();
    }
    check_count(t.failed, 0);
    tokens_check(&t, 0);
    tokens_close(&t);
}

static void hop(unsigned index, void *context)
{
    struct traffic *traffic = context;
    uint64_t random = traffic->seed + index;
    for (unsigned i = 0; i < traffic->turns; i++) {
        check_pin(check_cpu(index + i));
        take_and_give(&traffic->tokens, &random);
    }
}

Test(pool, threads_hop_between_cpus)
{
    struct traffic traffic = {.seed = check_seed(), .turns = check_scaled(2000)};
    tokens_open(&traffic.tokens, 10000);
    check_threads(4, hop, &traffic);
    check_count(traffic.tokens.failed, 0);
    tokens_check(&traffic.tokens, 0);
    tokens_close(&traffic.tokens);
}

/* What one CPU caches in batches is found by another one. */
static void fill_here(unsigned index, void *context)
{
    struct token *taken[1000];
    check_pin(check_cpu(1));
    size_t got = tokens_get_bulk(context, taken, 1000);
    for (size_t i = 0; i < got; i++)
        tokens_put(context, taken[i]);
}

Test(pool, batches_are_stolen_from_other_cpus)
{
    struct tokens t;
    size_t got = 0;
    struct token *taken[1000];
    tide_pool_stats stats;
    tokens_open(&t, 2000);
    check_threads(1, fill_here, &t);
    check_pin(check_cpu(0));
    while (got < 800 && (taken[got] = tokens_get(&t)))
        got++;
    check_count(t.made, 1000);
    tide_pool_read_stats(t.pool, &stats);
    check_that(stats.hits_stolen + stats.hits_batch > 0);
    tokens_check(&t, 800);
    tokens_put_bulk(&t, taken, 800);
    tokens_close(&t);
}

/* Someone is inside, in no hurry to leave, while another thread destroys the pool. */
static struct {
    tide_pool *pool;
    _Atomic bool inside, left, early;
} slow;

static void leave_slowly(void)
{
    atomic_store(&slow.inside, true);
    for (int i = 0; i < 1000; i++)
        sched_yield();
    atomic_store(&slow.left, true);
}

static void destroy_slowly(void *object, void *context)
{
    if (!atomic_load(&slow.inside))
        leave_slowly();
    free(object);
}

static void *create_bytes(void *context)
{
    return malloc(16);
}

static bool visit_slowly(const tide_pool *pool, void *context)
{
    leave_slowly();
    return visit(pool, NULL);
}

static void be_slow_or_destroy(unsigned index, void *context)
{
    if (index == 0 && context)
        tide_epoch_advance();
    else if (index == 0)
        tide_pool_walk(visit_slowly, NULL);
    while (index == 1 && !atomic_load(&slow.inside))
        sched_yield();
    if (index == 1)
        tide_pool_destroy(slow.pool);
    if (index == 1 && !atomic_load(&slow.left))
        atomic_store(&slow.early, true);
}

static void check_destroy_waits(bool for_epoch)
{
    slow.inside = slow.left = slow.early = false;
    slow.pool =
        tide_pool_create(&(tide_pool_config){.create = create_bytes, .destroy = destroy_slowly});
    check_count(tide_pool_prewarm(slow.pool, 100), 100);
    tide_epoch_advance();
    check_threads(2, be_slow_or_destroy, for_epoch ? &slow : NULL);
    check_that(slow.left && !slow.early);
}

Test(pool, destroy_waits_for_an_epoch_that_destroys_its_objects)
{
    check_destroy_waits(true);
}

Test(pool, destroy_waits_for_a_walk)
{
    check_destroy_waits(false);
}
