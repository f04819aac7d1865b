/* SPDX-License-Identifier: MIT */
/*
 * heap_faults.h: the library's allocations counted, and failing when the program wants it.
 *
 * For programs linked with TIDE_HEAP_FAULTS (TideCheck.cmake), so that the library's calls of
 * what heap.h declares arrive in heap_faults.c.
 */
#ifndef TIDE_TESTS_HEAP_FAULTS_H
#define TIDE_TESTS_HEAP_FAULTS_H

#include <stdbool.h>
#include <stddef.h>

/* Provided by the program: whether this allocation fails. May be asked by several threads. */
bool heap_fails(void);

/* Blocks that the library has and has not given back; the chunks of batches, which are kept for
 * the life of the process (batch.c), are counted apart. */
size_t heap_live(void);
size_t heap_chunks(void);

#endif
