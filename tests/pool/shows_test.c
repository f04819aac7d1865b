/* SPDX-License-Identifier: MIT */
/*
 * shows_test.c: what sync.Pool's users have asked for: huge buffers that are let go, objects that
 * change threads, memory that goes back to the kernel.
 */
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "annotate.h"
#include "check.h"
#include "compiler.h"
#include "resident.h"
#include "tide_epoch.h"
#include "tide_pool.h"

enum { KIB = 1 << 10, MIB = 1 << 20, IN_FLIGHT = 10, LARGE = 256 * MIB };

/* A buffer that says what it holds; all of them together. */
struct buffer {
    size_t size;
};

static size_t held;

static void *buffer_create(void *context)
{
    return calloc(1, sizeof(struct buffer));
}

static void buffer_destroy(void *object, void *context)
{
    held -= ((struct buffer *)object)->size;
    free(object);
}

static size_t buffer_weigh(const void *object, void *context)
{
    return ((const struct buffer *)object)->size;
}

static tide_pool *open_buffers(size_t weight_max, size_t cached_bytes_max)
{
    return tide_pool_create(&(tide_pool_config){.create = buffer_create,
                                                .destroy = buffer_destroy,
                                                .weigh = buffer_weigh,
                                                .weight_max = weight_max,
                                                .cached_bytes_max = cached_bytes_max});
}

/* Requests that are in flight at the same time, each with a buffer that has grown to `size`. */
static void serve(tide_pool *pool, size_t size)
{
    struct buffer *buffers[IN_FLIGHT];
    for (int i = 0; i < IN_FLIGHT; i++) {
        buffers[i] = tide_pool_get(pool);
        size_t more = size > buffers[i]->size ? size - buffers[i]->size : 0;
        buffers[i]->size += more;
        held += more;
    }
    for (int i = 0; i < IN_FLIGHT; i++)
        tide_pool_put(pool, buffers[i]);
}

/* golang/go 23199: large requests, then small ones; returns what is held after two epochs, and
 * checks that it stays so and that the pool knows. */
static size_t held_after(tide_pool *pool, size_t large)
{
    tide_pool_stats stats;
    serve(pool, large);
    for (int epoch = 0; epoch < 2; epoch++) {
        serve(pool, KIB);
        tide_epoch_advance();
    }
    size_t after = held;
    for (int epoch = 0; epoch < 20; epoch++) {
        serve(pool, KIB);
        tide_epoch_advance();
        tide_pool_read_stats(pool, &stats);
        check_that(held <= after);
        check_count(stats.cached_bytes, held);
    }
    tide_pool_destroy(pool);
    check_count(held, 0);
    return after;
}

Test(pool, huge_buffers_are_pinned_for_ever_without_a_limit)
{
    check_count(held_after(open_buffers(0, 0), LARGE), (uint64_t)IN_FLIGHT * LARGE);
}

Test(pool, weight_max_lets_huge_buffers_go)
{
    check_that(held_after(open_buffers(64 * KIB, 0), LARGE) <= IN_FLIGHT * 64 * KIB);
}

Test(pool, cached_bytes_max_lets_huge_buffers_go)
{
    check_that(held_after(open_buffers(0, 64 * MIB), LARGE) <= 64 * MIB);
    check_that(held_after(open_buffers(0, 64 * MIB), 16 * MIB) <= 64 * MIB);
}

Test(pool, a_limit_over_all_pools_lets_huge_buffers_go)
{
    tide_epoch_start(&(tide_epoch_config){.limit_bytes = 64 * MIB});
    check_that(held_after(open_buffers(0, 0), LARGE) <= 64 * MIB);
    check_that(held_after(open_buffers(0, 0), 16 * MIB) <= 64 * MIB);
    tide_epoch_stop();
}

static void *block_create(void *context)
{
    struct buffer *block = calloc(1, sizeof(*block));
    held += block->size = 64 * KIB;
    return block;
}

/* 100 MiB on loan in buffers too heavy for stacks, and as much as another pool may cache. */
Test(pool, a_limit_counts_heavy_buffers_on_loan)
{
    static void *loans[100], *blocks[1000];
    tide_pool *heavy = open_buffers(0, 0);
    tide_pool *other = tide_pool_create(&(tide_pool_config){
        .create = block_create, .destroy = buffer_destroy, .object_size = 64 * KIB});
    tide_epoch_start(&(tide_epoch_config){.limit_bytes = 128 * MIB});
    for (int use = 0; use < 10; use++)
        serve(heavy, MIB);
    check_count(tide_pool_get_bulk(heavy, loans, 100), 100);
    for (int i = 0; i < 100; i++) {
        held += MIB - ((struct buffer *)loans[i])->size;
        ((struct buffer *)loans[i])->size = MIB;
    }
    for (size_t count = 100; count <= 1000; count += 100) {
        check_count(tide_pool_get_bulk(other, blocks, count), count);
        tide_pool_put_bulk(other, blocks, count);
        check_that(held <= 128 * MIB + 128 * MIB / 10, "%zu bytes", held);
    }
    tide_epoch_stop();
    tide_pool_put_bulk(heavy, loans, 100);
    tide_pool_destroy(heavy);
    tide_pool_destroy(other);
    check_count(held, 0);
}

enum { QUEUE = 256 };

/* From one thread to another one. A slot is empty while it is NULL. */
struct hand_over {
    tide_pool *pool;
    size_t count, epoch_every;
    size_t *_Atomic queue[QUEUE];
    size_t wrong;
};

static void produce(struct hand_over *h)
{
    for (size_t i = 0; i < h->count; i++) {
        size_t *object = tide_pool_get(h->pool);
        *object = i;
        /* Pairs with the release of NULL in consume. */
        while (atomic_load_explicit(&h->queue[i % QUEUE], memory_order_acquire))
            sched_yield();
        /* Pairs with the acquire in consume. */
        atomic_store_explicit(&h->queue[i % QUEUE], object, memory_order_release);
        if (h->epoch_every && i % h->epoch_every == 0)
            tide_epoch_advance();
    }
}

static void consume(struct hand_over *h)
{
    for (size_t i = 0; i < h->count; i++) {
        size_t *object;
        /* Pairs with the release in produce. */
        while (!(object = atomic_load_explicit(&h->queue[i % QUEUE], memory_order_acquire)))
            sched_yield();
        /* Pairs with the acquire in produce. */
        atomic_store_explicit(&h->queue[i % QUEUE], NULL, memory_order_release);
        h->wrong += *object != i;
        tide_pool_put(h->pool, object);
    }
}

static void run_side(unsigned index, void *context)
{
    check_pin(check_cpu(index));
    if (index == 0)
        produce(context);
    else
        consume(context);
}

/* A million objects between two CPUs; at most one in a hundred is made for it. */
static void check_hand_over(size_t epoch_every)
{
    static struct hand_over h;
    tide_pool_stats stats;
    h.count = check_scaled(1000000) < 100000 ? 100000 : check_scaled(1000000);
    h.epoch_every = epoch_every;
    h.pool = tide_pool_create(&(tide_pool_config){.object_size = 64});
    check_threads(2, run_side, &h);
    tide_pool_read_stats(h.pool, &stats);
    check_count(h.wrong, 0);
    check_count(stats.gets, h.count);
    check_that(stats.misses <= h.count / 100, "%" PRIu64 " of %zu were made", stats.misses,
               h.count);
    tide_pool_destroy(h.pool);
}

Test(pool, what_another_cpu_puts_is_found)
{
    check_hand_over(0);
}

Test(pool, what_another_cpu_puts_is_found_between_epochs)
{
    check_hand_over(50000);
}

enum { BLOCK = 64 * KIB, BLOCKS = 4096 };

static void touch_new(tide_pool *pool, void **held_blocks, size_t count)
{
    for (size_t i = 0; i < count; i++)
        memset(held_blocks[i] = tide_pool_get(pool), 'x', BLOCK);
}

/* Makes objects of a pool of its own until the limit has been met. */
static void meet_limit(unsigned index, void *context)
{
    static void *blocks[32];
    tide_pool *pool = tide_pool_create(&(tide_pool_config){.object_size = BLOCK});
    for (uint64_t before = tide_epoch_current(); tide_epoch_current() < before + 2;) {
        touch_new(pool, blocks, 32);
        tide_pool_put_bulk(pool, blocks, 32);
        tide_pool_drain(pool);
    }
    tide_pool_destroy(pool);
}

/* A heap keeps for a thread what another one frees, so the thread gives it back when it passes. */
Test(pool, memory_that_another_thread_trims_goes_back_to_the_kernel)
{
    static void *blocks[BLOCKS];
    tide_pool *pool = tide_pool_create(&(tide_pool_config){.object_size = BLOCK});
    tide_pool *other = tide_pool_create(&(tide_pool_config){.object_size = BLOCK});
    if (TIDE__ASAN || TIDE__TSAN || runs_on_valgrind())
        return; /* the heap is another one */
    touch_new(pool, blocks, BLOCKS);
    tide_pool_put_bulk(pool, blocks, BLOCKS);
    size_t full = resident_now();
    tide_epoch_start(&(tide_epoch_config){.limit_bytes = 16 * MIB});
    check_threads(1, meet_limit, NULL);
    tide_pool_put(other, tide_pool_get(other));
    tide_epoch_stop();
    size_t after = resident_now();
    check_that(after + BLOCKS / 4 * 3 * (size_t)BLOCK <= full, "%zu of %zu bytes", after, full);
    tide_pool_destroy(pool);
    tide_pool_destroy(other);
}
