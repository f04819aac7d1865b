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
    pool->spares = spare->next_spare;
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

/* Of a generation that nobody else can reach yet. */
static void weigh_stacks(struct generation *generation, uint64_t items)
{
    tide_pool *pool = generation->pool;
    size_t bytes = 0;
    for (unsigned cpu = 0; cpu < pool->percpu.count; cpu++)
        bytes += tide__limit_stack_weight(pool, &generation->stacks[cpu]);
    atomic_store_explicit(&generation->stack_bytes, bytes, memory_order_relaxed);
    if (items)
        atomic_store_explicit(&pool->weight_typical, bytes / items, memory_order_relaxed);
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
    weigh_stacks(generation, items);
    return generation;
}

static void retire(struct cds_list_head *list, struct generation *generation)
{
    if (!generation)
        return;
    generation->retired_by = tide__registry_mark();
    cds_list_add_tail(&generation->retired_link, list);
}

static void retire_victim(tide_pool *pool, struct cds_list_head *list)
{
    retire(list, atomic_load_explicit(&pool->victim, memory_order_relaxed));
    atomic_store_explicit(&pool->victim, NULL, memory_order_relaxed);
}

static void publish_victim(tide_pool *pool)
{
    /* Pairs with the acquire in get_victim: the items of the stacks. */
    atomic_store_explicit(&pool->victim, take_leaving(pool), memory_order_release);
}

/* Destroys a generation's objects without the lock, which is held before and after. If a hook
 * forks, its child goes on here too, where after_fork_child has settled `busy`. */
static uint64_t clear_unlocked(struct generation *generation, size_t counter)
{
    tide_pool *pool = generation->pool;
    unsigned forks = tide__registry_forks();
    pool->busy++;
    tide__registry_unlock();
    if (counter == offsetof(tide_pool, destroyed_epoch))
        tide__generation_keep(generation);
    uint64_t destroyed = tide__generation_clear(generation);
    count_add((_Atomic uint64_t *)((char *)pool + counter), destroyed);
    tide__registry_lock();
    generation->next_spare = pool->spares;
    pool->spares = generation;
    if (forks == tide__registry_forks())
        pool->busy--;
    tide__registry_wake();
    return destroyed;
}

/* Steps 4 and 5, for generations that are in nobody's sight but of readers inside already.
 * Called with the lock, returns without. */
static uint64_t clear_list(struct cds_list_head *list, size_t counter)
{
    uint64_t destroyed = 0;
    if (!cds_list_empty(list))
        readers_wait();
    while (!cds_list_empty(list)) { /* a pool that ends takes its own out */
        struct generation *generation = cds_list_first_entry(list, struct generation, retired_link);
        cds_list_del(&generation->retired_link);
        generation->retired_by = NULL;
        destroyed += clear_unlocked(generation, counter);
    }
    tide__registry_unlock();
    return destroyed;
}

void tide_epoch_advance(void)
{
    CDS_LIST_HEAD(retired);
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
    clear_list(&retired, offsetof(tide_pool, destroyed_epoch));
}

size_t tide_pool_drain(tide_pool *pool)
{
    CDS_LIST_HEAD(retired);
    tide__registry_lock();
    while (!leave_young(pool) && pool->busy)
        tide__registry_wait(); /* no memory, but a generation that is being cleared comes back */
    retire_victim(pool, &retired);
    if (tide__percpu_fence())
        retire(&retired, take_leaving(pool));
    return clear_list(&retired, offsetof(tide_pool, destroyed_drain));
}
