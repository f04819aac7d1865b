/* SPDX-License-Identifier: MIT */
/*
 * annotate.h: tells ThreadSanitizer of orders that it cannot see, because a library or the
 * kernel makes them, and the library whether valgrind runs it.
 */
#ifndef TIDE_BASE_ANNOTATE_H
#define TIDE_BASE_ANNOTATE_H

#include <stdbool.h>

#include "compiler.h"

#if __has_include(<valgrind/valgrind.h>)
#include <valgrind/valgrind.h>

static inline bool runs_on_valgrind(void)
{
    return RUNNING_ON_VALGRIND;
}
#else
static inline bool runs_on_valgrind(void)
{
    return false;
}
#endif

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
