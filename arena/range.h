/* SPDX-License-Identifier: MIT */
/*
 * range.h: the addresses that all chunks lie in, reserved once, and the spans they are cut into.
 *
 * So telling an arena's memory from the heap's is one comparison. A span is of 2^n pages and
 * aligned to its size. It stays a span of its class for the life of the process: addresses are
 * plenty, and nothing has to be merged. What is free has no memory behind it.
 */
#ifndef TIDE_ARENA_RANGE_H
#define TIDE_ARENA_RANGE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "compiler.h"

enum {
    TIDE__SPAN_SHIFT = 12, /* log2 of the bytes of class 0 */
    TIDE__SPAN_CLASSES = 29
};

/* Written once, `base` first, before any span is handed out: who holds an address in the range has
 * got it from somebody who has seen both. `size` is 0 before, and nothing is below it. */
struct range {
    _Atomic uintptr_t base;
    _Atomic size_t size;
};

extern struct range tide__range;

static inline bool tide__range_holds(const void *memory)
{
    /* Pairs with the release in reserve_range. */
    size_t size = atomic_load_explicit(&tide__range.size, memory_order_acquire);
    return (uintptr_t)memory - atomic_load_explicit(&tide__range.base, memory_order_relaxed) < size;
}

static inline size_t tide__span_size(unsigned class)
{
    return (size_t)1 << (class + TIDE__SPAN_SHIFT);
}

/* The smallest class whose spans have `size` bytes, which is not 0; TIDE__SPAN_CLASSES or more:
 * there is none. */
static inline unsigned tide__span_class(size_t size)
{
    unsigned bits = size > 1 ? 64 - (unsigned)__builtin_clzl(size - 1) : 0;
    return bits > TIDE__SPAN_SHIFT ? bits - TIDE__SPAN_SHIFT : 0;
}

/* A span, or NULL with errno ENOMEM. Its bytes are zero, or what its last user has left there if
 * the kernel did not take them. MT-safe; the second gives its memory back to the kernel. */
void *tide__span_alloc(unsigned class);
void tide__span_free(void *span, unsigned class);

#endif
