/* SPDX-License-Identifier: MIT */
/*
 * annotate.h: tells ThreadSanitizer of orders that it cannot see, because a library or the
 * kernel makes them, AddressSanitizer and valgrind which memory nobody may touch, and the library
 * whether valgrind runs it.
 */
#ifndef TIDE_BASE_ANNOTATE_H
#define TIDE_BASE_ANNOTATE_H

#include <stdbool.h>
#include <stddef.h>

#include "compiler.h"

#if TIDE__ASAN
#include <sanitizer/asan_interface.h>
#endif

#if __has_include(<valgrind/memcheck.h>)
#include <valgrind/memcheck.h>

static inline bool runs_on_valgrind(void)
{
    return RUNNING_ON_VALGRIND;
}

static inline void tell_valgrind(const void *memory, size_t size, bool accessible)
{
    if (accessible)
        VALGRIND_MAKE_MEM_DEFINED(memory, size);
    else
        VALGRIND_MAKE_MEM_NOACCESS(memory, size);
}
#else
static inline bool runs_on_valgrind(void)
{
    return false;
}

static inline void tell_valgrind(const void *memory, size_t size, bool accessible)
{
}
#endif

/* From hide_memory to show_memory every access to it is an error, for a checker that runs. */
static inline void hide_memory(const void *memory, size_t size)
{
#if TIDE__ASAN
    __asan_poison_memory_region(memory, size);
#endif
    tell_valgrind(memory, size, false);
}

static inline void show_memory(const void *memory, size_t size)
{
#if TIDE__ASAN
    __asan_unpoison_memory_region(memory, size);
#endif
    tell_valgrind(memory, size, true);
}

#if TIDE__TSAN
#include <sanitizer/tsan_interface.h>

/* On a function that reads what a library has published in a way of its own. */
#define not_checked_for_races __attribute__((no_sanitize("thread"), __noinline__))

/* What this thread did before annotate_before(address) happens before what another one does
 * after annotate_after(address). */
static inline void annotate_before(void *address)
{
    __tsan_release(address);
}

static inline void annotate_after(void *address)
{
    __tsan_acquire(address);
}
#else
#define not_checked_for_races

static inline void annotate_before(void *address)
{
}

static inline void annotate_after(void *address)
{
}
#endif

#endif
