/* SPDX-License-Identifier: MIT */
/*
 * alloc_count.h: the counts of the preloadable allocation counter.
 *
 *     extern __attribute__((weak)) void tide_alloc_count_read(struct alloc_count *count);
 *     if (tide_alloc_count_read)
 *         tide_alloc_count_read(&count);
 *
 * A program that declares the function weak, as above, runs with the counter
 * (LD_PRELOAD=liballoc_count.so) and without it.
 */
#ifndef ALLOC_COUNT_H
#define ALLOC_COUNT_H

#include <stdint.h>

struct alloc_count {
    uint64_t allocations; /* calls that returned memory: malloc, calloc, realloc, memalign, ... */
    uint64_t bytes;       /* what these calls asked for */
    uint64_t frees;       /* calls of free with memory, and of realloc that gave some up */
};

/* Sums up all threads. Exact while no other thread allocates. MT-safe, allocates nothing. */
void tide_alloc_count_read(struct alloc_count *count);

#endif
