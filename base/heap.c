/* SPDX-License-Identifier: MIT */
/*
 * heap.c: memory from mimalloc, or from malloc where AddressSanitizer should see it.
 */
#include "heap.h"

#include <errno.h>
#include <mimalloc.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "compiler.h"

enum { PAGE = 4096 };

#if TIDE__ASAN
static void *zalloc_aligned(size_t size, size_t align)
{
    void *memory = NULL;
    if (align < sizeof(void *))
        align = sizeof(void *);
    if (posix_memalign(&memory, align, size ? size : 1))
        return NULL;
    return memset(memory, 0, size);
}

static void *zalloc_spread(size_t size)
{
    return zalloc_aligned(size, CACHE_LINE);
}

static void release(void *memory)
{
    free(memory);
}
#else
static void *zalloc_aligned(size_t size, size_t align)
{
    return mi_zalloc_aligned(size, align);
}

static void *zalloc_spread(size_t size)
{
    static _Atomic size_t lines;
    size_t line = atomic_fetch_add_explicit(&lines, 1, memory_order_relaxed);
    size_t start = line * CACHE_LINE % PAGE;
    return mi_zalloc_aligned_at(size, PAGE, PAGE - start);
}

static void release(void *memory)
{
    mi_free(memory);
}
#endif

static void *check(void *memory)
{
    if (!memory)
        errno = ENOMEM;
    return memory;
}

void *tide__heap_alloc(size_t size, size_t align)
{
    return check(size <= PTRDIFF_MAX - align ? zalloc_aligned(size, align) : NULL);
}

void *tide__heap_alloc_spread(size_t size)
{
    return check(size <= PTRDIFF_MAX - PAGE ? zalloc_spread(size) : NULL);
}

void tide__heap_free(void *memory)
{
    release(memory);
}
