/* SPDX-License-Identifier: MIT */
/*
 * chunk.c: where chunks come from and go to, and what counts in a limit.
 */
#include <errno.h>

#include "arena.h"
#include "heap.h"
#include "shadow.h"
#include "tide_pool.h"

/* A pool for each class, and one for the arenas themselves. Each is made when it is first needed,
 * tried again if that failed, and never destroyed. */
enum { ARENAS = CHUNK_CLASSES };
static tide_pool *_Atomic pools[CHUNK_CLASSES + 1];
static const char *const pool_names[CHUNK_CLASSES + 1] = {
    "arena-4KiB",   "arena-8KiB",   "arena-16KiB", "arena-32KiB", "arena-64KiB", "arena-128KiB",
    "arena-256KiB", "arena-512KiB", "arena-1MiB",  "arena-2MiB",  "arena-4MiB",  "arena-8MiB",
    "arena-16MiB",  "arena-32MiB",  "arena-64MiB", "arenas"};

static void *create_span(void *class)
{
    return tide__span_alloc((unsigned)(uintptr_t) class);
}

static void destroy_span(void *span, void *class)
{
    tide__span_free(span, (unsigned)(uintptr_t) class);
}

static tide_pool *create_pool(unsigned class)
{
    tide_pool_config config = {.name = pool_names[class], .object_size = sizeof(struct arena)};
    if (class != ARENAS) {
        config.create = create_span;
        config.destroy = destroy_span;
        config.context = (void *)(uintptr_t) class;
        config.object_size = tide__span_size(class);
    }
    return tide_pool_create(&config);
}

/* Without a lock, which a fork would have to wait for: who comes second takes the first one's. */
static noinline tide_pool *make_pool(unsigned class)
{
    tide_pool *pool = create_pool(class), *first = NULL;
    /* The release pairs with the acquire in pool_of_class; the acquire, when another thread was
     * first, pairs with the release here. */
    if (!pool || atomic_compare_exchange_strong_explicit(
                     &pools[class], &first, pool, memory_order_release, memory_order_acquire))
        return pool;
    tide_pool_destroy(pool);
    return first;
}

static tide_pool *pool_of_class(unsigned class)
{
    /* Pairs with the release in make_pool. */
    tide_pool *pool = atomic_load_explicit(&pools[class], memory_order_acquire);
    return likely(pool) ? pool : make_pool(class);
}

struct arena *tide__arena_get(void)
{
    tide_pool *pool = pool_of_class(ARENAS);
    return pool ? tide_pool_get(pool) : NULL;
}

void tide__arena_put(struct arena *arena)
{
    tide_pool_put(pool_of_class(ARENAS), arena);
}

static void *get_span(unsigned class)
{
    if (class >= CHUNK_CLASSES)
        return tide__span_alloc(class);
    tide_pool *pool = pool_of_class(class);
    return pool ? tide_pool_get(pool) : NULL;
}

static void put_span(void *span, unsigned class)
{
    if (class < CHUNK_CLASSES)
        tide_pool_put(pool_of_class(class), span);
    else
        tide__span_free(span, class);
}

size_t tide__chunk_room(const struct chunk *chunk)
{
    return tide__range_holds(chunk) ? tide__span_size(tide__span_class(chunk->size)) : chunk->size;
}

bool tide__chunk_reserve(struct arena *arena, size_t bytes)
{
    for (struct arena *each = arena; each; each = each->parent) {
        if (bytes > each->limit - each->held) {
            errno = ENOSPC;
            return false;
        }
    }
    for (struct arena *each = arena; each; each = each->parent)
        each->held += bytes;
    tide__totals_hold(arena->totals, bytes);
    return true;
}

void tide__chunk_unreserve(struct arena *arena, size_t bytes)
{
    for (struct arena *each = arena; each; each = each->parent)
        each->held -= bytes;
    tide__totals_drop(arena->totals, bytes);
}

/* Guarded memory is the kernel's as long as it may be, and not mixed with what is in pools. */
static void *take_memory(const struct arena *arena, size_t size)
{
    unsigned class = tide__span_class(size);
    if (class >= TIDE__SPAN_CLASSES)
        return NULL;
    void *span = arena->guarded ? tide__span_alloc(class) : get_span(class);
    return span ? span : tide__heap_alloc(size, CACHE_LINE); /* no addresses are left */
}

struct chunk *tide__chunk_take(struct arena *arena, size_t size)
{
    if (!tide__chunk_reserve(arena, size))
        return NULL;
    struct chunk *chunk = take_memory(arena, size);
    if (!chunk) {
        tide__chunk_unreserve(arena, size);
        errno = ENOMEM;
        return NULL;
    }
    if (arena->checked)
        memory_unpoison(chunk, sizeof(*chunk));
    *chunk = (struct chunk){.size = size};
    if (arena->checked)
        tide__redzone_chunk(chunk);
    arena->chunks_taken++;
    tide__totals_chunk(arena->totals);
    return chunk;
}

void tide__chunk_release(struct arena *arena, struct chunk *chunk)
{
    size_t size = chunk->size;
    tide__chunk_unreserve(arena, size);
    if (!tide__range_holds(chunk))
        tide__heap_free(chunk);
    else if (arena->guarded)
        tide__guard_retire(arena, chunk, tide__span_class(size));
    else
        put_span(chunk, tide__span_class(size));
}
