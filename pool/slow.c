/* SPDX-License-Identifier: MIT */
/*
 * slow.c: get and put when this CPU's stack has no object, or no room.
 */
#include "fault.h"
#include "heap.h"
#include "internal.h"
#include "pacer.h"

enum { SPREAD_SIZE_MIN = 32768 };

/* For an object of a pool without `create`. */
void *tide__pool_alloc(const tide_pool *pool, size_t size)
{
    if (size >= SPREAD_SIZE_MIN && pool->object_align <= CACHE_LINE)
        return tide__heap_alloc_spread(size);
    return tide__heap_alloc(size, pool->object_align);
}

void *tide__pool_create_object(tide_pool *pool)
{
    if (pool->create)
        return pool->create(pool->context);
    return unlikely(pool->checked) ? tide__checked_alloc(pool)
                                   : tide__pool_alloc(pool, pool->object_size);
}

void tide__pool_destroy_object(tide_pool *pool, void *object)
{
    if (unlikely(pool->checked))
        tide__checked_end(pool, object);
    if (pool->destroy)
        pool->destroy(object, pool->context);
    if (!pool->create)
        tide__heap_free(object);
}

/* Outside of every lock and section. Returns how many objects there were. */
uint32_t tide__pool_destroy_batch(tide_pool *pool, struct batch *batch)
{
    uint32_t count = batch->count;
    while (batch->count)
        tide__pool_destroy_object(pool, batch->items[--batch->count]);
    tide__batch_free(batch);
    return count;
}

/* Takes the newest object of a batch and moves the others into this CPU's stack; puts them
 * back where they came from if the thread has moved to a CPU whose stack has no room. */
static void *unpack(tide_pool *pool, struct generation *from, unsigned cpu, struct batch *batch)
{
    void *object = batch->items[--batch->count];
    if (tide__percpu_push_bulk(&pool->percpu, batch->items, batch->count)) {
        if (!tide__fault_is(TIDE__FAULT_UNCOUNTED))
            count_add(&pool->counters[cpu].moved_in, batch->count);
        tide__batch_free(batch);
    } else {
        tide__generation_put_back(from, cpu, batch);
    }
    return object;
}

/* These two set `hits` to what counts such a hit. */
static void *get_batched(tide_pool *pool, unsigned cpu, _Atomic uint64_t **hits)
{
    struct generation *generation = young(pool);
    *hits = &pool->counters[cpu].hits_batch;
    struct batch *batch = tide__generation_take(generation, cpu);
    if (!batch) {
        *hits = &pool->counters[cpu].hits_stolen;
        batch = tide__generation_steal(generation, cpu);
    }
    return batch ? unpack(pool, generation, cpu, batch) : NULL;
}

static void *get_victim(tide_pool *pool, unsigned cpu, _Atomic uint64_t **hits)
{
    /* Pairs with the release in publish_victim. */
    struct generation *victim = atomic_load_explicit(&pool->victim, memory_order_acquire);
    tide__fault_linger();
    *hits = &pool->counters[cpu].hits_victim;
    return victim ? tide__generation_take_one(victim, cpu) : NULL;
}

/* Whether a look into the shared places can find anything. Generations are not freed while
 * their pool lives, so that a hint may be read from one that an epoch is taking away. */
static bool may_find(const tide_pool *pool)
{
    const struct generation *victim = atomic_load_explicit(&pool->victim, memory_order_relaxed);
    return tide__generation_has_batches(young(pool)) ||
           (victim && (!atomic_load_explicit(&victim->stacks_drained, memory_order_relaxed) ||
                       tide__generation_has_batches(victim)));
}

static void *take_cached(tide_pool *pool, unsigned cpu, _Atomic uint64_t **hits)
{
    if (!may_find(pool))
        return NULL;
    reader_enter();
    void *object = get_batched(pool, cpu, hits);
    if (!object)
        object = get_victim(pool, cpu, hits);
    reader_leave();
    return object;
}

static void *get_cached(tide_pool *pool, unsigned cpu)
{
    _Atomic uint64_t *hits;
    void *object;
    do {
        object = take_cached(pool, cpu, &hits);
    } while (object && unlikely(pool->checked) && tide__checked_drops(pool, object));
    if (object)
        count_add(hits, 1);
    return object;
}

static void *get_new(tide_pool *pool, unsigned cpu)
{
    void *object = tide__pool_create_object(pool);
    struct counters *counters = &pool->counters[cpu];
    count_add(object ? &counters->misses : &counters->failures, 1);
    if (object)
        tide__pacer_created(tide__limit_weight_new(pool, object));
    return object;
}

noinline void *tide__pool_get_slow(tide_pool *pool, const void *site)
{
    void *object = NULL;
    if (!pool->percpu.rseq_count)
        object = tide__percpu_pop_portable(&pool->percpu);
    if (object)
        return object;
    unsigned cpu = tide__percpu_claim(&pool->percpu);
    object = get_cached(pool, cpu);
    if (!object)
        object = get_new(pool, cpu);
    if (object && unlikely(pool->checked))
        tide__checked_lend(pool, object, site);
    return object;
}

/* Adds a batch, at the cost of older ones if the limit asks for that, if at all. What must go
 * is destroyed by the caller when it has left the section. */
static void keep_batch(tide_pool *pool, unsigned cpu, struct batch *batch,
                       struct batch_list *dropped)
{
    /* Pairs with the release in publish_victim. */
    struct generation *victim = atomic_load_explicit(&pool->victim, memory_order_acquire);
    while (!tide__limit_reserve(pool, batch)) {
        bool hopeless = !victim || batch->bytes > pool->batch_bytes_max;
        struct batch *old = hopeless ? NULL : tide__generation_take_any(victim, cpu);
        tide__batch_push(dropped, old ? old : batch);
        if (!old)
            return;
    }
    tide__generation_add(young(pool), cpu, batch);
}

/* Outside of the section again: destroys what had to go, and tells the pacer. */
static void finish_put(tide_pool *pool, struct batch_list *dropped, size_t bytes)
{
    struct batch *batch;
    while ((batch = tide__batch_pop(dropped)))
        count_add(&pool->destroyed_full, tide__pool_destroy_batch(pool, batch));
    tide__pacer_taken_back(bytes);
}

static bool push_any(tide_pool *pool, void *object)
{
    if (!pool->percpu.rseq_count)
        return tide__percpu_push_portable(&pool->percpu, object);
    return tide__rseq_push(&pool->percpu, object);
}

/* A batch with room for one more: half of this CPU's stack, else one with what a thread put
 * that no stack is open to (a CPU number beyond those known at start, objects too large for
 * stacks, a checked pool), else an empty one. */
static struct batch *batch_with_room(tide_pool *pool, struct generation *generation, unsigned cpu)
{
    struct batch *batch = tide__batch_alloc();
    if (!batch)
        return NULL;
    batch->count = (uint32_t)tide__percpu_pop_bulk(&pool->percpu, batch->items, pool->spill_count,
                                                   TIDE__PERCPU_MOVED);
    if (batch->count) {
        count_add(&pool->counters[cpu].moved_out, batch->count);
        tide__fault_spoil(batch->items, &batch->count);
        return batch;
    }
    struct batch *started = tide__generation_take(generation, cpu);
    if (started && started->count < pool->batch_count_max) {
        tide__batch_free(batch);
        return started;
    }
    if (started)
        tide__generation_put_back(generation, cpu, started);
    return batch;
}

/* Makes room in the stack by a batch, or puts the object into the batch when the thread has
 * moved to another full stack meanwhile. */
static bool put_batched(tide_pool *pool, void *object, unsigned cpu, struct batch_list *dropped)
{
    struct batch *batch = batch_with_room(pool, young(pool), cpu);
    if (!batch)
        return false;
    if (!push_any(pool, object)) {
        batch->items[batch->count++] = object;
        count_add(&pool->counters[cpu].puts_slow, 1);
    }
    if (batch->count)
        keep_batch(pool, cpu, batch, dropped);
    else
        tide__batch_free(batch);
    return true;
}

/* An object that the pool takes and destroys at once. */
static void destroy_put(tide_pool *pool, void *object, unsigned cpu, _Atomic uint64_t *reason)
{
    count_add(&pool->counters[cpu].puts_slow, 1);
    count_add(reason, 1);
    tide__pool_destroy_object(pool, object);
}

/* Onto a stack in the portable body, or where nobody has used this CPU's stack before. */
static bool put_late(tide_pool *pool, void *object)
{
    unsigned known = tide__percpu_used(&pool->percpu), cpu = tide__percpu_claim(&pool->percpu);
    return (!pool->percpu.rseq_count || cpu >= known) && push_any(pool, object);
}

noinline void tide__pool_put_slow(tide_pool *pool, void *object, const void *site)
{
    if (unlikely(pool->checked))
        tide__checked_put(pool, object, site);
    else if (!put_late(pool, object))
        tide__pool_put_shared(pool, object);
}

/* To where other CPUs find it, with the newest of this CPU's stack. */
void tide__pool_put_shared(tide_pool *pool, void *object)
{
    struct batch_list dropped = {0};
    unsigned cpu = tide__percpu_claim(&pool->percpu);
    reader_enter();
    bool kept = put_batched(pool, object, cpu, &dropped);
    reader_leave();
    finish_put(pool, &dropped, tide__limit_spill(pool));
    if (!kept)
        destroy_put(pool, object, cpu, &pool->destroyed_put);
}

/* An object too heavy for a stack: into a batch of its own, if at all. */
noinline void tide__pool_put_heavy(tide_pool *pool, void *object, size_t weight)
{
    struct batch_list dropped = {0};
    unsigned cpu = tide__percpu_claim(&pool->percpu);
    struct batch *batch = weight > pool->weight_max ? NULL : tide__batch_alloc();
    tide__limit_note_heavy(pool, weight);
    if (!batch) {
        destroy_put(pool, object, cpu,
                    weight > pool->weight_max ? &pool->destroyed_heavy : &pool->destroyed_put);
        return;
    }
    batch->items[batch->count++] = object;
    count_add(&pool->counters[cpu].puts_slow, 1);
    reader_enter();
    keep_batch(pool, cpu, batch, &dropped);
    reader_leave();
    finish_put(pool, &dropped, weight);
}
