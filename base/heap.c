/* SPDX-License-Identifier: MIT */
/*
 * heap.c: memory from mimalloc, or from malloc where AddressSanitizer should see it.
 */
#include "heap.h"

#include <errno.h>
#include <mimalloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "compiler.h"

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

static void release(void *memory)
{
    free(memory);
}
#else
static void *zalloc_aligned(size_t size, size_t align)
{
    return mi_zalloc_aligned(size, align);
}

static void release(void *memory)
{
    mi_free(memory);
}
#endif

void *tide__heap_alloc(size_t size, size_t align)
{
    void *memory = size <= PTRDIFF_MAX - align ? zalloc_aligned(size, align) : NULL;
    if (!memory)
        errno = ENOMEM;
    return memory;
}

void tide__heap_free(void *memory)
{
    release(memory);
}
