/* SPDX-License-Identifier: MIT */
/*
 * annotate.h: tells ThreadSanitizer of orders that it cannot see, because a library or the
 * kernel makes them.
 */
#ifndef TIDE_BASE_ANNOTATE_H
#define TIDE_BASE_ANNOTATE_H

#include "compiler.h"

#if TIDE__TSAN
#include <sanitizer/tsan_interface.h>

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
static inline void annotate_before(void *address)
{
}

static inline void annotate_after(void *address)
{
}
#endif

#endif
