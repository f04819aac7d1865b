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

/* Of a generation that nobody else can reach yet: what its stacks hold. */
static void survey_stacks(struct generation *generation, unsigned used)
{
    tide_pool *pool = generation->pool;
    size_t bytes = 0;
    uint64_t items = 0;
    for (unsigned cpu = 0; cpu < used; cpu++) {
        const struct tide__percpu_stack *stack = &generation->stacks[cpu];
        uint64_t pops = tide__percpu_stack_pops(stack), count = tide__percpu_stack_count(stack);
        bytes += tide__limit_stack_weight(pool, stack);
        items += count;
        count_add(&pool->pops_before, pops);
        tide__account_stack(&pool->account, cpu, pops, count);
    }
    count_add(&pool->counts_before, items);
    atomic_store_explicit(&generation->stack_bytes, bytes, memory_order_relaxed);
    if (items && pool->weigh)
        atomic_store_explicit(&pool->weight_typical, bytes / items, memory_order_relaxed);
}

/* After the fence: takes the generation that was young from everyone else. */
static struct generation *take_leaving(tide_pool *pool)
{
    struct generation *generation = pool->leaving;
    if (!generation)
        return NULL;
    pool->leaving = NULL;
    unsigned used = tide__percpu_used_before(&pool->percpu);
    tide__percpu_close(generation->stacks, used);
    survey_stacks(generation, used);
    pool->account.bytes_before +=
        atomic_load_explicit(&generation->stack_bytes, memory_order_relaxed) +
        atomic_load_explicit(&pool->batched_bytes, memory_order_relaxed);
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
    struct generation *victim = atomic_load_explicit(&pool->victim, memory_order_relaxed);
    if (victim)
        pool->account.bytes_before =
            atomic_load_explicit(&victim->stack_bytes, memory_order_relaxed);
    retire(list, victim);
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

/* Step 5, with the lock. */
static uint64_t clear_list(struct cds_list_head *list, size_t counter)
{
    uint64_t destroyed = 0;
    while (!cds_list_empty(list)) { /* a pool that ends takes its own out */
        struct generation *generation = cds_list_first_entry(list, struct generation, retired_link);
        cds_list_del(&generation->retired_link);
        generation->retired_by = NULL;
        destroyed += clear_unlocked(generation, counter);
    }
    return destroyed;
}

static void leave_all(struct cds_list_head *retired)
{
    struct cds_list_head *node;
    cds_list_for_each(node, &tide__registry)
    {
        leave_young(pool_of(node));
        retire_victim(pool_of(node), retired);
    }
}

/* Steps 1 to 4; what is in `retired` then is in nobody's sight. */
static void exchange(struct cds_list_head *retired, struct account *account)
{
    tide_epoch_report *report = &account->report;
    struct cds_list_head *node;
    leave_all(retired);
    report->swap_ns = tide__account_step(account);
    bool fenced = tide__percpu_fence();
    report->wait_ns = tide__account_step(account);
    if (fenced) {
        cds_list_for_each(node, &tide__registry) publish_victim(pool_of(node));
    }
    report->swap_ns += tide__account_step(account);
    report->stall_ns = report->swap_ns + report->wait_ns;
    if (!cds_list_empty(retired))
        readers_wait();
    report->wait_ns += tide__account_step(account);
}

void tide__epoch_advance_for(tide_epoch_reason reason)
{
    CDS_LIST_HEAD(retired);
    struct account account;
    tide__registry_lock();
    atomic_fetch_add_explicit(&epoch_number, 1, memory_order_relaxed);
    tide__account_begin(&account, reason);
    exchange(&retired, &account);
    clear_list(&retired, offsetof(tide_pool, destroyed_epoch));
    tide__account_end(&account);
    tide__registry_unlock();
    tide__account_publish(&account);
}

void tide_epoch_advance(void)
{
    tide__epoch_advance_for(TIDE_EPOCH_ASKED);
}

/* With the lock. */
static uint64_t drain_once(tide_pool *pool)
{
    CDS_LIST_HEAD(retired);
    while (!leave_young(pool) && pool->busy)
        tide__registry_wait(); /* no memory, but a generation that is being cleared comes back */
    retire_victim(pool, &retired);
    if (tide__percpu_fence())
        retire(&retired, take_leaving(pool));
    if (!cds_list_empty(&retired))
        readers_wait();
    return clear_list(&retired, offsetof(tide_pool, destroyed_drain));
}

/* Twice if a generation was still leaving: the young one has its turn only then. */
size_t tide_pool_drain(tide_pool *pool)
{
    tide__registry_lock();
    bool late = pool->leaving;
    uint64_t destroyed = drain_once(pool);
    if (late && !pool->leaving)
        destroyed += drain_once(pool);
    tide__registry_unlock();
    return destroyed;
}
