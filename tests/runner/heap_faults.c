/* SPDX-License-Identifier: MIT */
/*
 * heap_faults.c: stands between the library and heap.h.
 */
#include "heap_faults.h"

#include <errno.h>
#include <stdatomic.h>

#include "heap.h"

void *__real_tide__heap_alloc(size_t size, size_t align);
void *__wrap_tide__heap_alloc(size_t size, size_t align);
void *__real_tide__heap_alloc_spread(size_t size);
void *__wrap_tide__heap_alloc_spread(size_t size);
void *__real_tide__heap_map(size_t size);
void *__wrap_tide__heap_map(size_t size);
void __real_tide__heap_unmap(void *memory, size_t size);
void __wrap_tide__heap_unmap(void *memory, size_t size);
void *__real_tide__heap_alloc_sparse(size_t size);
void *__wrap_tide__heap_alloc_sparse(size_t size);
void __real_tide__heap_free_sparse(void *memory, size_t size);
void __wrap_tide__heap_free_sparse(void *memory, size_t size);
void __real_tide__heap_free(void *memory);
void __wrap_tide__heap_free(void *memory);

static _Atomic size_t live, chunks;

size_t heap_live(void)
{
    return atomic_load_explicit(&live, memory_order_relaxed);
}

size_t heap_chunks(void)
{
    return atomic_load_explicit(&chunks, memory_order_relaxed);
}

static bool refuse(void)
{
    if (!heap_fails())
        return false;
    errno = ENOMEM;
    return true;
}

static void *counted(_Atomic size_t *counter, void *memory)
{
    if (memory)
        atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
    return memory;
}

void *__wrap_tide__heap_alloc(size_t size, size_t align)
{
    return refuse() ? NULL : counted(&live, __real_tide__heap_alloc(size, align));
}

void *__wrap_tide__heap_alloc_spread(size_t size)
{
    return refuse() ? NULL : counted(&live, __real_tide__heap_alloc_spread(size));
}

void *__wrap_tide__heap_alloc_sparse(size_t size)
{
    return refuse() ? NULL : counted(&live, __real_tide__heap_alloc_sparse(size));
}

void __wrap_tide__heap_free_sparse(void *memory, size_t size)
{
    if (memory)
        atomic_fetch_sub_explicit(&live, 1, memory_order_relaxed);
    __real_tide__heap_free_sparse(memory, size);
}

void *__wrap_tide__heap_map(size_t size)
{
    return refuse() ? NULL : counted(&chunks, __real_tide__heap_map(size));
}

void __wrap_tide__heap_unmap(void *memory, size_t size)
{
    atomic_fetch_sub_explicit(&chunks, 1, memory_order_relaxed);
    __real_tide__heap_unmap(memory, size);
}

void __wrap_tide__heap_free(void *memory)
{
    if (memory)
        atomic_fetch_sub_explicit(&live, 1, memory_order_relaxed);
    __real_tide__heap_free(memory);
}
