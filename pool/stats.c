/* SPDX-License-Identifier: MIT */
/*
 * stats.c: sums up what a pool has counted.
 *
 * Nothing is counted on a hit but in the word that the stack commits anyway, so the number of
 * puts is derived: what went into the stacks is what came out of them and what is there.
 */
#include "internal.h"

/* Sums of the slow paths' counters, by name. */
static uint64_t sum(const tide_pool *pool, size_t counter)
{
    uint64_t total = 0;
    unsigned cpus = tide__percpu_used(&pool->percpu);
    for (unsigned cpu = 0; cpu < cpus; cpu++)
        total +=
            count_read((const _Atomic uint64_t *)((const char *)&pool->counters[cpu] + counter));
    return total;
}

#define SUM(pool, name) sum(pool, offsetof(struct counters, name))

static uint64_t batched(const struct generation *generation)
{
    return atomic_load_explicit(&generation->batched, memory_order_relaxed);
}

static size_t victim_stack_bytes(const struct generation *victim)
{
    return victim ? atomic_load_explicit(&victim->stack_bytes, memory_order_relaxed) : 0;
}

/* What the pool's batches hold, and so many objects on stacks. */
static size_t count_bytes(const tide_pool *pool, uint64_t items)
{
    return atomic_load_explicit(&pool->batched_bytes, memory_order_relaxed) +
           items * atomic_load_explicit(&pool->weight_typical, memory_order_relaxed);
}

static void read_generations(const tide_pool *pool, tide_pool_stats *stats)
{
    uint64_t pops = count_read(&pool->pops_before), items = 0, old_pops = 0;
    /* Pairs with the release in publish_victim. */
    struct generation *victim = atomic_load_explicit(&pool->victim, memory_order_acquire);
    tide__generation_count(young(pool), &pops, &items);
    stats->cached_bytes = count_bytes(pool, items) + victim_stack_bytes(victim);
    stats->hits_cpu = pops;
    stats->puts = pops + items + count_read(&pool->counts_before);
    stats->cached = items + batched(young(pool));
    stats->victims = 0;
    if (victim) {
        tide__generation_count(victim, &old_pops, &stats->victims);
        stats->victims += batched(victim);
    }
}

static void read_counters(const tide_pool *pool, tide_pool_stats *stats)
{
    stats->hits_batch = SUM(pool, hits_batch);
    stats->hits_stolen = SUM(pool, hits_stolen);
    stats->hits_victim = SUM(pool, hits_victim);
    stats->misses = SUM(pool, misses);
    stats->failures = SUM(pool, failures);
    stats->gets = stats->hits_cpu + stats->hits_batch + stats->hits_stolen + stats->hits_victim +
                  stats->misses + stats->failures;
    stats->puts += SUM(pool, moved_out) + SUM(pool, puts_slow) - SUM(pool, moved_in);
}

void tide_pool_read_stats(const tide_pool *pool, tide_pool_stats *stats)
{
    stats->name = pool->name;
    reader_enter();
    read_generations(pool, stats);
    reader_leave();
    read_counters(pool, stats);
    stats->prewarmed = count_read(&pool->prewarmed);
    stats->destroyed_epoch = count_read(&pool->destroyed_epoch);
    stats->destroyed_drain = count_read(&pool->destroyed_drain);
    stats->destroyed_put = count_read(&pool->destroyed_put);
    stats->destroyed_heavy = count_read(&pool->destroyed_heavy);
    stats->destroyed_full = count_read(&pool->destroyed_full);
    stats->destroyed_random = count_read(&pool->destroyed_random);
    stats->kept = count_read(&pool->kept);
}

/* Bytes that the pool's objects hold, cached or on loan. */
size_t tide__pool_held(const tide_pool *pool, const tide_pool_stats *stats)
{
    int64_t loans = (int64_t)(stats->gets - stats->failures - stats->puts);
    return stats->cached_bytes + (loans > 0 ? (size_t)loans * tide__limit_weight_lent(pool) : 0);
}
