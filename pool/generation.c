/* SPDX-License-Identifier: MIT */
/*
 * generation.c: what a pool has cached since an epoch: a stack and a list of batches per CPU.
 */
#include <limits.h>

#include "cpu.h"
#include "fault.h"
#include "heap.h"
#include "internal.h"

static size_t generation_size(const tide_pool *pool)
{
    return sizeof(struct generation) +
           pool->percpu.count * (sizeof(struct tide__percpu_stack) + sizeof(struct shard));
}

/* For a new pool, or with the registry's lock. */
struct generation *tide__generation_create(tide_pool *pool)
{
    struct generation *generation = tide__heap_alloc_sparse(generation_size(pool));
    if (!generation)
        return NULL;
    generation->pool = pool;
    generation->shards = (struct shard *)&generation->stacks[pool->percpu.count];
    generation->next_of_pool = pool->generations;
    pool->generations = generation;
    return generation;
}

void tide__generation_free(struct generation *generation)
{
    tide__heap_free_sparse(generation, generation_size(generation->pool));
}

/* Makes `fresh` the young generation; returns the one before, which sequences may still use. */
struct generation *tide__generation_swap(tide_pool *pool, struct generation *fresh)
{
    struct generation *old = young(pool);
    tide__percpu_open(fresh->stacks, tide__percpu_used(&pool->percpu));
    atomic_store_explicit(&fresh->stacks_drained, false, memory_order_relaxed);
    /* Pairs with the acquire in young() and in the portable body's enter(). */
    atomic_store_explicit(&pool->percpu.primary, fresh->stacks, memory_order_release);
    return old;
}

/* The batch's bytes are reserved. */
void tide__generation_add(struct generation *generation, unsigned cpu, struct batch *batch)
{
    struct shard *shard = &generation->shards[cpu];
    atomic_store_explicit(&shard->node, tide__cpu_node(tide__percpu_cpu()), memory_order_relaxed);
    atomic_fetch_add_explicit(&generation->batched, batch->count, memory_order_relaxed);
    tide__batch_push(&shard->full, batch);
}

void tide__generation_add_young(tide_pool *pool, struct batch *batch)
{
    reader_enter();
    tide__generation_add(young(pool), tide__percpu_claim(&pool->percpu), batch);
    reader_leave();
}

/* Adds what is left of a batch that was taken. */
void tide__generation_put_back(struct generation *generation, unsigned cpu, struct batch *batch)
{
    tide__limit_reserve_always(generation->pool, batch);
    tide__generation_add(generation, cpu, batch);
}

struct batch *tide__generation_take(struct generation *generation, unsigned cpu)
{
    struct batch *batch = tide__batch_pop(&generation->shards[cpu].full);
    if (!batch)
        return NULL;
    atomic_fetch_sub_explicit(&generation->batched, batch->count, memory_order_relaxed);
    if (!tide__fault_is(TIDE__FAULT_BYTES))
        atomic_fetch_sub_explicit(&generation->pool->batched_bytes, batch->bytes,
                                  memory_order_relaxed);
    return batch;
}

/* How far the objects of a list are that is not empty. */
static unsigned distance_of(const struct shard *shard, unsigned node)
{
    return tide__cpu_distance(node, atomic_load_explicit(&shard->node, memory_order_relaxed));
}

/* The list of another CPU that has a batch and is nearest to `node`, the first of several;
 * `cpu` if there is none. */
static unsigned find_nearest(const struct generation *generation, unsigned cpu, unsigned node)
{
    unsigned cpus = tide__percpu_used(&generation->pool->percpu);
    unsigned nearest = cpu, least = UINT_MAX;
    for (unsigned i = 1; i < cpus && least > TIDE__CPU_NEAR; i++) {
        unsigned other = (cpu + i) % cpus;
        const struct shard *shard = &generation->shards[other];
        if (batch_list_is_empty(&shard->full) || distance_of(shard, node) >= least)
            continue;
        nearest = other;
        least = distance_of(shard, node);
    }
    return nearest;
}

/* Others may take what was found: then there is another look. */
struct batch *tide__generation_steal(struct generation *generation, unsigned cpu)
{
    unsigned node = tide__cpu_node(tide__percpu_cpu()), nearest = cpu;
    struct batch *batch = NULL;
    while (!batch && tide__generation_has_batches(generation) &&
           (nearest = find_nearest(generation, cpu, node)) != cpu)
        batch = tide__generation_take(generation, nearest);
    return batch;
}

struct batch *tide__generation_take_any(struct generation *generation, unsigned cpu)
{
    struct batch *batch = tide__generation_take(generation, cpu);
    return batch ? batch : tide__generation_steal(generation, cpu);
}

/* Several threads may take from a victim's stack: its items stay, only the count goes down. */
static void *take_from_stack(struct tide__percpu_stack *stack)
{
    uint64_t word = atomic_load_explicit(&stack->word, memory_order_relaxed);
    void *object;
    do {
        uint64_t count = word & TIDE__PERCPU_COUNT_MASK;
        if (!count)
            return NULL;
        object = stack->items[count - 1];
    } while (!atomic_compare_exchange_weak_explicit(&stack->word, &word, word - 1,
                                                    memory_order_relaxed, memory_order_relaxed));
    return object;
}

static void *take_from_victim(struct generation *victim, unsigned cpu)
{
    void *object = take_from_stack(&victim->stacks[cpu]);
    if (object)
        atomic_fetch_sub_explicit(&victim->stack_bytes, tide__limit_weight(victim->pool, object),
                                  memory_order_relaxed);
    return object;
}

/* This CPU's stack first, then where there was something last: with many CPUs most stacks are
 * empty, and each is looked into once or twice, not by every get. */
static void *take_from_stacks(struct generation *victim, unsigned cpu)
{
    if (atomic_load_explicit(&victim->stacks_drained, memory_order_relaxed))
        return NULL;
    void *object = take_from_victim(victim, cpu);
    unsigned cpus = tide__percpu_used(&victim->pool->percpu);
    unsigned next = atomic_load_explicit(&victim->stacks_next, memory_order_relaxed);
    for (unsigned i = 0; i < cpus && !object; i++) {
        object = take_from_victim(victim, (next + i) % cpus);
        if (object && i)
            atomic_store_explicit(&victim->stacks_next, (next + i) % cpus, memory_order_relaxed);
    }
    if (!object)
        atomic_store_explicit(&victim->stacks_drained, true, memory_order_relaxed);
    return object;
}

/* Takes the newest object of a batch; what is left of it stays where it was, and old. */
static void *take_from_batches(struct generation *victim, unsigned cpu)
{
    if (!tide__generation_has_batches(victim))
        return NULL;
    struct batch *batch = tide__generation_take_any(victim, cpu);
    if (!batch)
        return NULL;
    void *object = batch->items[--batch->count];
    if (batch->count)
        tide__generation_put_back(victim, cpu, batch);
    else
        tide__batch_free(batch);
    return object;
}

/* Takes one object of a victim generation, this CPU's first; NULL if there is none. */
void *tide__generation_take_one(struct generation *victim, unsigned cpu)
{
    void *object = take_from_stacks(victim, cpu);
    return object ? object : take_from_batches(victim, cpu);
}

/* Takes each object out before its hook runs, which may fork: the child destroys what is left
 * when the pool ends. */
static uint64_t clear_stack(tide_pool *pool, struct tide__percpu_stack *stack)
{
    uint64_t destroyed = 0;
    for (void *object; (object = take_from_stack(stack)); destroyed++)
        tide__pool_destroy_object(pool, object);
    if (atomic_load_explicit(&stack->word, memory_order_relaxed))
        atomic_store_explicit(&stack->word, 0, memory_order_relaxed);
    return destroyed;
}

static uint64_t clear_batches(struct generation *generation, unsigned cpu)
{
    uint64_t destroyed = 0;
    struct batch *batch;
    while ((batch = tide__generation_take(generation, cpu))) {
        for (; batch->count; destroyed++)
            tide__pool_destroy_object(generation->pool, batch->items[--batch->count]);
        tide__batch_free(batch);
    }
    return destroyed;
}

/* Destroys all objects of a generation that the caller owns; returns how many. */
uint64_t tide__generation_clear(struct generation *generation)
{
    uint64_t destroyed = 0;
    unsigned cpus = tide__percpu_used(&generation->pool->percpu);
    for (unsigned cpu = 0; cpu < cpus; cpu++) {
        destroyed += clear_stack(generation->pool, &generation->stacks[cpu]);
        destroyed += clear_batches(generation, cpu);
    }
    return destroyed;
}

/* Adds a generation's pops and the items in its stacks to the sums. */
void tide__generation_count(const struct generation *generation, uint64_t *pops, uint64_t *items)
{
    unsigned cpus = tide__percpu_used(&generation->pool->percpu);
    for (unsigned cpu = 0; cpu < cpus; cpu++) {
        *pops += tide__percpu_stack_pops(&generation->stacks[cpu]);
        *items += tide__percpu_stack_count(&generation->stacks[cpu]);
    }
}

static size_t held_count(const tide_pool *pool)
{
    /* Pairs with the release in publish_victim. */
    struct generation *victim = atomic_load_explicit(&pool->victim, memory_order_acquire);
    uint64_t pops = 0, items = 0;
    tide__generation_count(young(pool), &pops, &items);
    items += atomic_load_explicit(&young(pool)->batched, memory_order_relaxed);
    if (victim) {
        tide__generation_count(victim, &pops, &items);
        items += atomic_load_explicit(&victim->batched, memory_order_relaxed);
    }
    return items;
}

/* Moves up to `count` objects of a generation that the caller owns to an empty batch. */
static uint32_t fill_batch(struct batch *batch, struct generation *retired, size_t count)
{
    void *object;
    while (batch->count < count && (object = tide__generation_take_one(retired, 0)))
        batch->items[batch->count++] = object;
    return batch->count;
}

/* Makes objects of a generation that would be destroyed young again, as many as keep_min asks
 * for. */
void tide__generation_keep(struct generation *retired)
{
    tide_pool *pool = retired->pool;
    size_t held = pool->keep_min ? held_count(pool) : 0;
    while (held < pool->keep_min) {
        size_t wanted = pool->keep_min - held;
        struct batch *batch = tide__batch_alloc();
        if (!batch)
            return;
        if (!fill_batch(batch, retired,
                        wanted < pool->batch_count_max ? wanted : pool->batch_count_max)) {
            tide__batch_free(batch);
            return;
        }
        held += batch->count;
        count_add(&pool->kept, batch->count);
        tide__limit_reserve_always(pool, batch);
        atomic_fetch_add_explicit(&pool->account.bytes_kept, batch->bytes, memory_order_relaxed);
        tide__generation_add_young(pool, batch);
    }
}
