/* SPDX-License-Identifier: MIT */
/*
 * epoch.c: generations change places.
 *
 * An epoch, for all pools at once:
 *
 *     1. leave_young     a fresh primary takes the young generation's place; the victim is
 *                        unlinked
 *     2. fence           no sequence can commit to the old primary any more: it is ours
 *     3. publish_victim  the old primary is the new victim
 *     4. readers_wait    nobody looks at the old victim any more: it is ours
 *     5. clear           its objects are destroyed, without the lock; it becomes a spare
 *
 * Steps 1 to 4 cost a few stores for each CPU and pool, and one membarrier and one grace
 * period for all; gets and puts go on meanwhile. The order is tcmalloc's for resizing per-CPU
 * slabs; the two generations are those of Go's sync.Pool.
 */
#include "internal.h"
#include "tide_epoch.h"

static _Atomic uint64_t epoch_number;

uint64_t tide_epoch_current(void)
{
    return atomic_load_explicit(&epoch_number, memory_order_relaxed);
}

static struct generation *take_spare(tide_pool *pool)
{
    struct generation *spare = pool->spares;
    if (!spare)
        return tide__generation_create(pool);
    pool->spares = spare->next;
    return spare;
}

/* `leaving` is still there if the kernel refused the last fence: then its turn comes now. With
 * no memory for a fresh generation the young one stays young for another epoch. */
static bool leave_young(tide_pool *pool)
{
    struct generation *fresh = pool->leaving ? NULL : take_spare(pool);
    if (fresh)
        pool->leaving = tide__generation_swap(pool, fresh);
    return pool->leaving;
}

/* After the fence: takes the generation that was young from everyone else. */
static struct generation *take_leaving(tide_pool *pool)
{
    struct generation *generation = pool->leaving;
    uint64_t pops = 0, items = 0;
    if (!generation)
        return NULL;
    pool->leaving = NULL;
    tide__percpu_close(generation->stacks, pool->percpu.count);
    tide__generation_count(generation, &pops, &items);
    count_add(&pool->pops_before, pops);
    count_add(&pool->counts_before, items);
    return generation;
}

static void retire(struct generation **list, struct generation *generation)
{
    if (!generation)
        return;
    generation->next = *list;
    generation->pool->busy++;
    *list = generation;
}

static void retire_victim(tide_pool *pool, struct generation **list)
{
    retire(list, atomic_load_explicit(&pool->victim, memory_order_relaxed));
    atomic_store_explicit(&pool->victim, NULL, memory_order_relaxed);
}

static void publish_victim(tide_pool *pool)
{
    /* Pairs with the acquire in get_victim: the items of the stacks. */
    atomic_store_explicit(&pool->victim, take_leaving(pool), memory_order_release);
}

static uint64_t clear_list(struct generation *list, size_t counter)
{
    uint64_t destroyed = 0;
    for (; list; list = list->next) {
        uint64_t count = tide__generation_clear(list);
        count_add((_Atomic uint64_t *)((char *)list->pool + counter), count);
        destroyed += count;
    }
    return destroyed;
}

/* Hands cleared generations back to their pools, unless a hook has forked: then this is the
 * child, where after_fork_child has settled `busy`. */
static void spare_list(struct generation *list, unsigned forks)
{
    tide__registry_lock();
    while (list) {
        struct generation *generation = list;
        list = list->next;
        generation->next = generation->pool->spares;
        generation->pool->spares = generation;
        if (forks == tide__registry_forks())
            generation->pool->busy--;
    }
    tide__registry_wake();
    tide__registry_unlock();
}

/* Steps 4 and 5, for generations that are in nobody's sight but of readers inside already.
 * Called with the lock, returns without. */
static uint64_t destroy_list(struct generation *list, size_t counter)
{
    unsigned forks = tide__registry_forks();
    if (list)
        readers_wait();
    tide__registry_unlock();
    if (!list)
        return 0;
    uint64_t destroyed = clear_list(list, counter);
    spare_list(list, forks);
    return destroyed;
}

void tide_epoch_advance(void)
{
    struct generation *retired = NULL;
    struct cds_list_head *node;
    tide__registry_lock();
    atomic_fetch_add_explicit(&epoch_number, 1, memory_order_relaxed);
    cds_list_for_each(node, &tide__registry)
    {
        leave_young(pool_of(node));
        retire_victim(pool_of(node), &retired);
    }
    if (tide__percpu_fence()) {
        cds_list_for_each(node, &tide__registry) publish_victim(pool_of(node));
    }
    destroy_list(retired, offsetof(tide_pool, destroyed_epoch));
}

size_t tide_pool_drain(tide_pool *pool)
{
    struct generation *retired = NULL;
    tide__registry_lock();
    while (!leave_young(pool) && pool->busy)
        tide__registry_wait(); /* no memory, but a generation that is being cleared comes back */
    retire_victim(pool, &retired);
    if (tide__percpu_fence())
        retire(&retired, take_leaving(pool));
    return destroy_list(retired, offsetof(tide_pool, destroyed_drain));
}
