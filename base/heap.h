/* SPDX-License-Identifier: MIT */
/*
 * heap.h: where the library's own memory and a pool's `object_size` objects come from.
 *
 * mimalloc, except under AddressSanitizer, where it is the C library's malloc: then objects
 * have red zones, and the leak checker sees the pointers that pools hold.
 */
#ifndef TIDE_BASE_HEAP_H
#define TIDE_BASE_HEAP_H

#include <stddef.h>

/* Returns `size` zeroed bytes aligned to `align`, a power of two, or NULL with errno ENOMEM. */
void *tide__heap_alloc(size_t size, size_t align);

/* Frees what tide__heap_alloc returned; NULL is ignored. */
void tide__heap_free(void *memory);

#endif
