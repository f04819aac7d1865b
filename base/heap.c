/* SPDX-License-Identifier: MIT */
/*
 * heap.c: memory from mimalloc, or from malloc where a checker should see it.
 */
#include "heap.h"

#include <errno.h>
#include <mimalloc.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "annotate.h"
#include "compiler.h"

enum { PAGE = 4096, SPARSE_SIZE_MIN = 4 * PAGE };

/* Whose leak checker follows only the pointers that it finds in malloc's blocks. */
static bool is_leak_checked(void)
{
    return TIDE__ASAN || runs_on_valgrind();
}

/* valgrind takes over the functions of mimalloc that go by a standard name too, mi_free among
 * them, and no others: a block of mi_zalloc_aligned would be freed by a stranger. */
static bool is_checked(void)
{
    return TIDE__TSAN || is_leak_checked();
}

static void *checked_alloc(size_t size, size_t align)
{
    void *memory = NULL;
    if (align < sizeof(void *))
        align = sizeof(void *);
    if (posix_memalign(&memory, align, size ? size : 1))
        return NULL;
    return memset(memory, 0, size);
}

static void *alloc(size_t size, size_t align)
{
    return is_checked() ? checked_alloc(size, align) : mi_zalloc_aligned(size, align);
}

static void *alloc_spread(size_t size)
{
    static _Atomic size_t lines;
    size_t line = atomic_fetch_add_explicit(&lines, 1, memory_order_relaxed);
    size_t start = line * CACHE_LINE % PAGE;
    if (is_checked())
        return checked_alloc(size, CACHE_LINE);
    return mi_zalloc_aligned_at(size, PAGE, PAGE - start);
}

static void *with_errno(void *memory)
{
    if (!memory)
        errno = ENOMEM;
    return memory;
}

void *tide__heap_alloc(size_t size, size_t align)
{
    return with_errno(size <= PTRDIFF_MAX - align ? alloc(size, align) : NULL);
}

void *tide__heap_alloc_spread(size_t size)
{
    return with_errno(size <= PTRDIFF_MAX - PAGE ? alloc_spread(size) : NULL);
}

void *tide__heap_map_plain(size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return with_errno(memory == MAP_FAILED ? NULL : memory);
}

void *tide__heap_map(size_t size)
{
    return is_leak_checked() ? tide__heap_alloc(size, CACHE_LINE) : tide__heap_map_plain(size);
}

void tide__heap_unmap(void *memory, size_t size)
{
    if (is_leak_checked())
        free(memory);
    else
        munmap(memory, size);
}

/* mimalloc writes zeros into all of it, and rounds up. */
static bool is_mapped(size_t size)
{
    return size >= SPARSE_SIZE_MIN && !is_leak_checked();
}

void *tide__heap_alloc_sparse(size_t size)
{
    if (!is_mapped(size))
        return tide__heap_alloc(size, CACHE_LINE);
    void *memory = tide__heap_map(size);
    if (memory)
        madvise(memory, size, MADV_NOHUGEPAGE); /* fails where there are none */
    return memory;
}

void tide__heap_free_sparse(void *memory, size_t size)
{
    if (!memory || !is_mapped(size))
        tide__heap_free(memory);
    else
        tide__heap_unmap(memory, size);
}

void tide__heap_free(void *memory)
{
    if (is_checked())
        free(memory);
    else
        mi_free(memory);
}

void tide__heap_trim(void)
{
    if (!is_checked())
        mi_collect(true);
}
