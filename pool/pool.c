/* SPDX-License-Identifier: MIT */
/*
 * pool.c: the public calls of a pool, with the fast paths of get and put.
 */
#include <errno.h>
#include <stdalign.h>

#include "heap.h"
#include "internal.h"
#include "pacer.h"

/* Called last, so that it returns to where the user's code calls from: only slow paths look at
 * that, and gcc would load it on the fast one. */
static noinline void *get_missed(tide_pool *pool)
{
    return tide__pool_get_slow(pool, CALL_SITE);
}

static noinline void put_missed(tide_pool *pool, void *object)
{
    tide__pool_put_slow(pool, object, CALL_SITE);
}

ends_in_jump void *tide_pool_get(tide_pool *pool)
{
    void *object = tide__rseq_pop(&pool->percpu);
    return likely(object) ? object : get_missed(pool);
}

/* Apart so that a put without hooks saves no registers. */
static noinline void put_hooked(tide_pool *pool, void *object)
{
    if (pool->put_hooks & HOOK_RESET)
        pool->reset(object, pool->context);
    size_t weight = pool->put_hooks & HOOK_WEIGH ? tide__limit_weight(pool, object) : 0;
    if (weight > pool->stack_weight_max)
        tide__pool_put_heavy(pool, object, weight);
    else if (unlikely(!tide__rseq_push(&pool->percpu, object)))
        tide__pool_put_slow(pool, object, NULL);
}

ends_in_jump void tide_pool_put(tide_pool *pool, void *object)
{
    if (unlikely(!object))
        return;
    if (pool->put_hooks)
        put_hooked(pool, object);
    else if (unlikely(!tide__rseq_push(&pool->percpu, object)))
        put_missed(pool, object);
}

static void *get_one(tide_pool *pool, const void *site)
{
    void *object = tide__rseq_pop(&pool->percpu);
    return object ? object : tide__pool_get_slow(pool, site);
}

size_t tide_pool_get_bulk(tide_pool *pool, void **objects, size_t count)
{
    size_t got = tide__percpu_pop_bulk(&pool->percpu, objects, count, TIDE__PERCPU_GOT);
    while (got < count && (objects[got] = get_one(pool, CALL_SITE)))
        got++;
    return got;
}

/* How many objects at the start can go into a stack at once: up to a NULL, and to half of it. */
static size_t run_length(void *const *objects, size_t count)
{
    size_t length = 0, most = count < BATCH_SIZE ? count : BATCH_SIZE;
    while (length + 4 <= most && objects[length] && objects[length + 1] && objects[length + 2] &&
           objects[length + 3])
        length += 4;
    while (length < most && objects[length])
        length++;
    return length;
}

static void put_each(tide_pool *pool, void *const *objects, size_t count)
{
    for (size_t i = 0; i < count; i++)
        put_hooked(pool, objects[i]);
}

static void cache_all(tide_pool *pool, void *const *objects, size_t count, const void *site)
{
    if (tide__percpu_push_bulk(&pool->percpu, objects, count))
        return;
    for (size_t i = 0; i < count; i++)
        if (!tide__rseq_push(&pool->percpu, objects[i]))
            tide__pool_put_slow(pool, objects[i], site);
}

static void put_run(tide_pool *pool, void *const *objects, size_t count, const void *site)
{
    if (pool->put_hooks & HOOK_WEIGH) {
        put_each(pool, objects, count);
        return;
    }
    for (size_t i = 0; i < count && pool->put_hooks; i++)
        pool->reset(objects[i], pool->context);
    cache_all(pool, objects, count, site);
}

void tide_pool_put_bulk(tide_pool *pool, void *const *objects, size_t count)
{
    while (count > 0) {
        size_t length = run_length(objects, count);
        put_run(pool, objects, length, CALL_SITE);
        length += length < count && !objects[length];
        objects += length;
        count -= length;
    }
}

/* Fills an empty batch with new objects; returns how many. */
static uint32_t create_batch(tide_pool *pool, struct batch *batch, size_t count, const void *site)
{
    while (batch->count < pool->batch_count_max && batch->count < count) {
        void *object = tide__pool_create_object(pool);
        if (!object)
            break;
        if (unlikely(pool->checked))
            tide__checked_cache(pool, object, site);
        batch->items[batch->count++] = object;
    }
    return batch->count;
}

static size_t prewarm_batch(tide_pool *pool, size_t count, const void *site)
{
    struct batch *batch = tide__batch_alloc();
    if (!batch)
        return 0;
    size_t made = create_batch(pool, batch, count, site);
    if (!made || !tide__limit_reserve(pool, batch)) {
        if (made)
            errno = ENOSPC;
        tide__pool_destroy_batch(pool, batch);
        return 0;
    }
    size_t bytes = batch->bytes;
    tide__generation_add_young(pool, batch);
    tide__pacer_created(bytes);
    return made;
}

size_t tide_pool_prewarm(tide_pool *pool, size_t count)
{
    size_t made = 0, added = 1;
    while (made < count && added) {
        added = prewarm_batch(pool, count - made, CALL_SITE);
        made += added;
    }
    count_add(&pool->prewarmed, made);
    return made;
}

static bool is_valid(const tide_pool_config *config)
{
    if (config->object_align & (config->object_align - 1) || !tide__limit_is_valid(config))
        return false;
    return config->create || (config->object_size && config->object_size <= PTRDIFF_MAX);
}

static void configure(tide_pool *pool, const tide_pool_config *config)
{
    pool->name = config->name ? config->name : "pool";
    pool->create = config->create;
    pool->reset = config->reset;
    pool->destroy = config->destroy;
    pool->weigh = config->weigh;
    pool->context = config->context;
    pool->object_size = config->object_size;
    pool->object_align = config->object_align ? config->object_align : alignof(max_align_t);
}

/* The three generations that an epoch needs at hand, and the counters. */
static bool allocate_parts(tide_pool *pool)
{
    pool->counters = tide__heap_alloc_sparse(pool->percpu.count * sizeof(*pool->counters));
    struct generation *first = tide__generation_create(pool);
    if (!first)
        return false;
    atomic_store_explicit(&pool->percpu.primary, first->stacks, memory_order_relaxed);
    pool->spares = tide__generation_create(pool);
    if (pool->spares)
        pool->spares->next_spare = tide__generation_create(pool);
    return pool->counters && pool->spares && pool->spares->next_spare;
}

/* Destroys what is cached, too. */
static void free_parts(tide_pool *pool)
{
    while (pool->generations) {
        struct generation *generation = pool->generations;
        pool->generations = generation->next_of_pool;
        tide__generation_clear(generation);
        tide__generation_free(generation);
    }
    tide__checked_fini(pool);
    tide__heap_free_sparse(pool->counters, pool->percpu.count * sizeof(*pool->counters));
    tide__heap_free(pool);
}

tide_pool *tide_pool_create(const tide_pool_config *config)
{
    if (!config || !is_valid(config)) {
        errno = EINVAL;
        return NULL;
    }
    tide_pool *pool = tide__heap_alloc(sizeof(*pool), alignof(tide_pool));
    if (!pool)
        return NULL;
    configure(pool, config);
    tide__percpu_init(&pool->percpu);
    tide__percpu_use_few(&pool->percpu);
    bool allocated = tide__checked_init(pool);
    tide__limit_init(pool, config);
    if (!allocated || !allocate_parts(pool)) {
        free_parts(pool);
        errno = ENOMEM;
        return NULL;
    }
    tide__registry_add(pool);
    return pool;
}

void tide_pool_destroy(tide_pool *pool)
{
    if (!pool)
        return;
    tide__registry_remove(pool);
    if (pool->checked)
        tide__checked_report_loans(pool, CALL_SITE);
    free_parts(pool);
}
