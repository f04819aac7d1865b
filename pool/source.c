/* SPDX-License-Identifier: MIT */
/*
 * source.c: the list of sources, and pools as the first of them.
 */
#include "source.h"

#include <stdatomic.h>

#include "tide_pool.h"

#define POOL_METRIC(field, is_gauge, help) METRIC(tide_pool_stats, field, is_gauge, help)

static const struct metric pool_metrics[] = {
    POOL_METRIC(gets, false, "Objects asked for."),
    POOL_METRIC(hits_cpu, false, "Objects found on this CPU's stack."),
    POOL_METRIC(hits_batch, false, "Objects found in a batch of this CPU."),
    POOL_METRIC(hits_stolen, false, "Objects found in a batch of another CPU."),
    POOL_METRIC(hits_victim, false, "Objects found in the victim generation."),
    POOL_METRIC(misses, false, "Objects created."),
    POOL_METRIC(failures, false, "Creations that failed."),
    POOL_METRIC(puts, false, "Objects put."),
    POOL_METRIC(prewarmed, false, "Objects created ahead of their use."),
    POOL_METRIC(destroyed_epoch, false, "Objects destroyed by epochs."),
    POOL_METRIC(destroyed_drain, false, "Objects destroyed by drains."),
    POOL_METRIC(destroyed_put, false, "Objects destroyed at put for lack of memory."),
    POOL_METRIC(destroyed_heavy, false, "Objects destroyed at put for their weight."),
    POOL_METRIC(destroyed_full, false, "Objects destroyed at put for the limit in bytes."),
    POOL_METRIC(destroyed_random, false, "Objects destroyed by a checked pool's random drops."),
    POOL_METRIC(kept, false, "Idle objects that epochs left in place."),
    POOL_METRIC(cached, true, "Objects in the pool, without victims."),
    POOL_METRIC(victims, true, "Objects that the next epoch destroys."),
    POOL_METRIC(cached_bytes, true, "Bytes that the pool's objects hold."),
};

struct pool_walk {
    source_visit *visit;
    void *context;
};

static bool visit_pool(const tide_pool *pool, void *context)
{
    const struct pool_walk *walk = context;
    tide_pool_stats stats;
    tide_pool_read_stats(pool, &stats);
    return walk->visit(stats.name, &stats, walk->context);
}

static void walk_pools(source_visit *visit, void *context)
{
    struct pool_walk walk = {visit, context};
    tide_pool_walk(visit_pool, &walk);
}

static struct source pools = {
    .kind = "pool",
    .metrics = pool_metrics,
    .metric_count = sizeof(pool_metrics) / sizeof(*pool_metrics),
    .walk = walk_pools,
};

void tide__source_add(struct source *source)
{
    struct source *at = &pools, *next = NULL;
    while (at != source) {
        /* Pairs with the acquire in tide__source_next, and here in who finds it there. */
        if (atomic_compare_exchange_strong_explicit(&at->next, &next, source, memory_order_release,
                                                    memory_order_acquire))
            return;
        at = next;
        next = NULL;
    }
}

struct source *tide__source_first(void)
{
    return &pools;
}

struct source *tide__source_next(const struct source *source)
{
    /* Pairs with the release in tide__source_add. */
    return atomic_load_explicit(&source->next, memory_order_acquire);
}
