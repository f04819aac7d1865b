/* SPDX-License-Identifier: MIT */
/*
 * limit.c: what objects weigh, and limits in bytes.
 *
 * Nothing is weighed or counted on a hit. Objects on a CPU's stack, which no other CPU can take,
 * are capped by bytes: where all weigh the same, by a lower capacity; else by a weight above
 * which an object goes into a batch of its own. So what stacks hold is bounded beforehand, to an
 * eighth of the pool's limit for the stacks of the young and of the victim generation, and what
 * batches hold is counted when a batch is added or taken.
 */
#include "internal.h"

enum { STACK_BYTES_MAX = 8 << 20, STACKS_SHARE = 16 };
enum { WEIGHT_EXPECTED = 16 << 10, WEIGHED_CAPACITY_MIN = 8 };

bool tide__limit_is_valid(const tide_pool_config *config)
{
    return config->weigh || config->object_size ||
           (!config->weight_max && !config->cached_bytes_max);
}

/* Bytes that one stack may hold. */
static size_t stack_share(const tide_pool *pool, size_t cached_bytes_max)
{
    size_t share = cached_bytes_max / STACKS_SHARE / pool->percpu.count;
    return cached_bytes_max && share < STACK_BYTES_MAX ? share : STACK_BYTES_MAX;
}

static uint32_t capacity_for(size_t share, size_t weight)
{
    size_t capacity = weight ? share / weight : TIDE__PERCPU_CAPACITY;
    return capacity < TIDE__PERCPU_CAPACITY ? (uint32_t)capacity : TIDE__PERCPU_CAPACITY;
}

/* Of those that are filled one by one: a weighed object could be too heavy for the stack that
 * its batch is unpacked to, and one batch should not be much of the limit. */
static uint32_t batch_count_for(const tide_pool *pool, const tide_pool_config *config)
{
    size_t count = BATCH_SIZE;
    if (config->weigh)
        return 1;
    if (config->object_size && pool->batch_bytes_max / 8 / config->object_size < count)
        count = pool->batch_bytes_max / 8 / config->object_size;
    return count ? (uint32_t)count : 1;
}

static uint32_t hooks_for(const tide_pool *pool, const tide_pool_config *config)
{
    bool weighs = config->weigh || config->object_size > pool->weight_max;
    return (config->reset ? HOOK_RESET : 0) | (weighs ? HOOK_WEIGH : 0);
}

/* The stacks of a checked pool are always full and always empty, so that each get and put takes
 * the slow path, where checks are. */
static uint32_t stack_capacity(const tide_pool *pool, const tide_pool_config *config, size_t share)
{
    uint32_t capacity = capacity_for(share, config->weigh ? WEIGHT_EXPECTED : config->object_size);
    if (pool->checked)
        return 0;
    return config->weigh && capacity < WEIGHED_CAPACITY_MIN ? WEIGHED_CAPACITY_MIN : capacity;
}

void tide__limit_init(tide_pool *pool, const tide_pool_config *config)
{
    size_t share = pool->checked ? 0 : stack_share(pool, config->cached_bytes_max);
    uint32_t capacity = stack_capacity(pool, config, share);
    pool->percpu.capacity = capacity;
    uint32_t half = capacity ? (capacity + 1) / 2 : 1; /* of one without room: what is put */
    pool->spill_count = half < BATCH_SIZE - 1 ? half : BATCH_SIZE - 1;
    pool->weight_max = config->weight_max ? config->weight_max : SIZE_MAX;
    pool->stack_weight_max = config->weigh ? share / (capacity ? capacity : 1) : SIZE_MAX;
    if (pool->stack_weight_max > pool->weight_max)
        pool->stack_weight_max = pool->weight_max;
    pool->batch_bytes_max = config->cached_bytes_max
                                ? config->cached_bytes_max - 2 * share * pool->percpu.count
                                : SIZE_MAX;
    pool->batch_count_max = batch_count_for(pool, config);
    pool->keep_min = config->keep_min;
    atomic_store_explicit(&pool->weight_typical, config->weigh ? 0 : config->object_size,
                          memory_order_relaxed);
    pool->put_hooks = pool->checked ? 0 : hooks_for(pool, config);
}

size_t tide__limit_weight(const tide_pool *pool, const void *object)
{
    return pool->weigh ? pool->weigh(object, pool->context) : pool->object_size;
}

/* Of an object just made, which may weigh nothing yet: at least what others weighed. */
size_t tide__limit_weight_new(const tide_pool *pool, const void *object)
{
    size_t weight = tide__limit_weight(pool, object);
    size_t typical = tide__limit_weight_lent(pool);
    return weight > typical ? weight : typical;
}

/* Of an object on loan, which nobody can ask: what was put weighed so much. */
size_t tide__limit_weight_lent(const tide_pool *pool)
{
    return pool->weigh ? atomic_load_explicit(&pool->weight_lent, memory_order_relaxed)
                       : pool->object_size;
}

/* The first one is all that is known until the first account. */
void tide__limit_note_heavy(tide_pool *pool, size_t weight)
{
    size_t unknown = 0;
    count_add(&pool->heavy_puts, 1);
    count_add(&pool->heavy_bytes, weight);
    atomic_compare_exchange_strong_explicit(&pool->weight_lent, &unknown, weight,
                                            memory_order_relaxed, memory_order_relaxed);
}

/* With the registry's lock: so many were put since the last account, some of them heavy. */
void tide__limit_learn(tide_pool *pool, uint64_t puts)
{
    if (!pool->weigh || !puts)
        return;
    uint64_t heavy = atomic_exchange_explicit(&pool->heavy_puts, 0, memory_order_relaxed);
    uint64_t bytes = atomic_exchange_explicit(&pool->heavy_bytes, 0, memory_order_relaxed);
    uint64_t light = puts > heavy ? puts - heavy : 0;
    size_t typical = atomic_load_explicit(&pool->weight_typical, memory_order_relaxed);
    atomic_store_explicit(&pool->weight_lent, (bytes + light * typical) / (heavy + light),
                          memory_order_relaxed);
}

/* What leaves a full stack together, about. */
size_t tide__limit_spill(const tide_pool *pool)
{
    return pool->spill_count * atomic_load_explicit(&pool->weight_typical, memory_order_relaxed);
}

/* Of objects that are cached. */
static size_t weight_of(const tide_pool *pool, void *const *objects, size_t count)
{
    size_t weight = 0;
    if (!pool->weigh)
        return count * pool->object_size;
    for (size_t i = 0; i < count; i++)
        weight += unlikely(pool->checked) ? tide__checked_weight(pool, objects[i])
                                          : pool->weigh(objects[i], pool->context);
    return weight;
}

/* Of a stack that the caller owns. */
size_t tide__limit_stack_weight(const tide_pool *pool, const struct tide__percpu_stack *stack)
{
    return weight_of(pool, stack->items, tide__percpu_stack_count(stack));
}

/* Before a batch is added to a generation; tide__generation_take gives the bytes back. */
void tide__limit_reserve_always(tide_pool *pool, struct batch *batch)
{
    batch->bytes = weight_of(pool, batch->items, batch->count);
    atomic_fetch_add_explicit(&pool->batched_bytes, batch->bytes, memory_order_relaxed);
}

/* The same, but false if the limit does not allow it. */
bool tide__limit_reserve(tide_pool *pool, struct batch *batch)
{
    batch->bytes = weight_of(pool, batch->items, batch->count);
    size_t before =
        atomic_fetch_add_explicit(&pool->batched_bytes, batch->bytes, memory_order_relaxed);
    if (batch->bytes <= pool->batch_bytes_max && before <= pool->batch_bytes_max - batch->bytes)
        return true;
    atomic_fetch_sub_explicit(&pool->batched_bytes, batch->bytes, memory_order_relaxed);
    return false;
}
