/* SPDX-License-Identifier: MIT */
/*
 * buffer_block.c: blocks. Those of usual sizes come from pools that are made when the first one
 * is needed and stay; larger ones come from the heap.
 */
#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "buffer.h"
#include "heap.h"
#include "tide_pool.h"

/* Of the whole block. Four times as large each: at worst a quarter of a block is used. */
static const struct {
    const char *name;
    size_t size;
} classes[] = {
    {"buffer.1KiB", BLOCK_MIN + BLOCK_HEADER},
    {"buffer.4KiB", 4096},
    {"buffer.16KiB", 16384},
    {"buffer.64KiB", BLOCK_MAX + BLOCK_HEADER},
    {"buffer.wrapped", sizeof(tide_block)},
};

enum { CLASS_COUNT = sizeof(classes) / sizeof(*classes) - 1, CLASS_WRAPPED = CLASS_COUNT };

static tide_pool *_Atomic pools[CLASS_COUNT + 1];

/* Of two threads that make the same pool one destroys its own. */
static noinline tide_pool *make_pool(unsigned size_class)
{
    tide_pool *present = NULL;
    tide__sample_start();
    tide_pool *pool = tide_pool_create(&(tide_pool_config){.name = classes[size_class].name,
                                                           .object_size = classes[size_class].size,
                                                           .object_align = CACHE_LINE});
    /* Pairs with the acquire in pool_of, and with itself where another thread was first. */
    if (!pool ||
        atomic_compare_exchange_strong_explicit(&pools[size_class], &present, pool,
                                                memory_order_acq_rel, memory_order_acquire))
        return pool;
    tide_pool_destroy(pool);
    return present;
}

static tide_pool *pool_of(unsigned size_class)
{
    /* Pairs with the release in make_pool. */
    tide_pool *pool = atomic_load_explicit(&pools[size_class], memory_order_acquire);
    return likely(pool) ? pool : make_pool(size_class);
}

static tide_block *get_block(unsigned size_class)
{
    tide_pool *pool = pool_of(size_class);
    tide_block *block = pool ? tide_pool_get(pool) : NULL;
    if (block)
        block->size_class = (uint8_t)size_class;
    return block;
}

static void put_block(tide_block *block)
{
    if (block->kind == BLOCK_LARGE)
        tide__heap_free(block);
    else
        tide_pool_put(pool_of(block->size_class), block);
}

static char *behind(tide_block *block)
{
    return block ? (char *)block + BLOCK_HEADER : NULL;
}

/* NULL is passed on. */
static tide_block *start(tide_block *block, enum block_kind kind, char *memory, size_t size,
                         const void *site)
{
    if (!block)
        return NULL;
    atomic_store_explicit(&block->references, 1, memory_order_relaxed);
    block->kind = (uint8_t)kind;
    block->capacity = size;
    block->memory = memory;
    block->sample = NULL;
    COUNT(blocks_made, 1);
    if (unlikely(atomic_load_explicit(&tide__sample_interval, memory_order_relaxed)))
        tide__sample_add(block, site);
    return block;
}

static tide_block *alloc_large(size_t size, const void *site)
{
    if (size > PTRDIFF_MAX - BLOCK_HEADER) {
        errno = ENOMEM;
        return NULL;
    }
    tide_block *block = tide__heap_alloc(BLOCK_HEADER + size, CACHE_LINE);
    return start(block, BLOCK_LARGE, behind(block), size, site);
}

tide_block *tide__block_alloc(size_t size, const void *site)
{
    unsigned size_class = 0;
    if (size > BLOCK_MAX)
        return alloc_large(size, site);
    while (size > classes[size_class].size - BLOCK_HEADER)
        size_class++;
    tide_block *block = get_block(size_class);
    return start(block, BLOCK_POOLED, behind(block), classes[size_class].size - BLOCK_HEADER, site);
}

tide_block *tide__block_wrap(enum block_kind kind, char *memory, size_t size, const void *site)
{
    return start(get_block(CLASS_WRAPPED), kind, memory, size, site);
}

static void let_go(tide_block *block)
{
    if (block->kind == BLOCK_FOREIGN && block->foreign.release)
        block->foreign.release(block->memory, block->capacity, block->foreign.context);
    else if (block->kind == BLOCK_FILE)
        close(block->file);
    else if (block->kind == BLOCK_MAPPED)
        munmap(block->mapping.start, block->mapping.length);
}

static void end(tide_block *block)
{
    if (unlikely(block->sample))
        tide__sample_remove(block);
    if (!block_is_ours(block))
        let_go(block);
    COUNT(blocks_freed, 1);
    put_block(block);
}

void tide__block_put(tide_block *block)
{
    /* A single reference needs no atomic subtraction: nobody is there to count with. */
    if (block_is_unique(block)) {
        end(block);
        return;
    }
    /* Pairs with itself in the thread that ends the block, and with the acquire in
     * block_is_unique. */
    if (atomic_fetch_sub_explicit(&block->references, 1, memory_order_acq_rel) == 1)
        end(block);
}
