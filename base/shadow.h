/* SPDX-License-Identifier: MIT */
/*
 * shadow.h: tells AddressSanitizer and valgrind which bytes nobody may touch.
 *
 * For memory that is handed out in pieces. Everything here does nothing where neither checks,
 * which memory_is_checked tells; what is costly is done behind that question.
 */
#ifndef TIDE_BASE_SHADOW_H
#define TIDE_BASE_SHADOW_H

#include <stdbool.h>
#include <stddef.h>

#include "annotate.h"
#include "compiler.h"

#if __has_include(<valgrind/memcheck.h>)
#include <valgrind/memcheck.h>
#else
#define VALGRIND_CREATE_MEMPOOL(pool, zone, zeroed) ((void)0)
#define VALGRIND_DESTROY_MEMPOOL(pool) ((void)0)
#define VALGRIND_MEMPOOL_ALLOC(pool, address, size) ((void)0)
#define VALGRIND_MEMPOOL_FREE(pool, address) ((void)0)
#define VALGRIND_MAKE_MEM_NOACCESS(address, size) ((void)0)
#define VALGRIND_MAKE_MEM_UNDEFINED(address, size) ((void)0)
#endif

#if TIDE__ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/lsan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(address, size) ((void)0)
#define ASAN_UNPOISON_MEMORY_REGION(address, size) ((void)0)
#define __lsan_register_root_region(address, size) ((void)0)
#endif

static inline bool memory_is_checked(void)
{
    return TIDE__ASAN || runs_on_valgrind();
}

/* Nobody may touch these bytes. */
static inline void memory_poison(const void *memory, size_t size)
{
    ASAN_POISON_MEMORY_REGION(memory, size);
    VALGRIND_MAKE_MEM_NOACCESS(memory, size);
}

/* They may be written again, and read once they have been. */
static inline void memory_unpoison(const void *memory, size_t size)
{
    ASAN_UNPOISON_MEMORY_REGION(memory, size);
    VALGRIND_MAKE_MEM_UNDEFINED(memory, size);
}

/* Leak checkers find pointers in this mapping. */
static inline void memory_holds_pointers(const void *memory, size_t size)
{
    __lsan_register_root_region(memory, size);
}

/* To valgrind, `pool` owns the pieces that follow, until they are freed or it ends. */
static inline void memory_pool_begin(void *pool)
{
    VALGRIND_CREATE_MEMPOOL(pool, 0, 0);
}

static inline void memory_pool_end(void *pool)
{
    VALGRIND_DESTROY_MEMPOOL(pool);
}

static inline void memory_pool_alloc(void *pool, void *piece, size_t size)
{
    ASAN_UNPOISON_MEMORY_REGION(piece, size);
    VALGRIND_MEMPOOL_ALLOC(pool, piece, size);
}

static inline void memory_pool_free(void *pool, void *piece, size_t size)
{
    ASAN_POISON_MEMORY_REGION(piece, size);
    VALGRIND_MEMPOOL_FREE(pool, piece);
}

#endif
