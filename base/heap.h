/* SPDX-License-Identifier: MIT */
/*
 * heap.h: where the library's own memory and a pool's `object_size` objects come from.
 *
 * mimalloc; but malloc under a sanitizer or valgrind: then objects have red zones, the leak
 * checker sees the pointers that pools hold, and a block that changes threads races with nobody.
 */
#ifndef TIDE_BASE_HEAP_H
#define TIDE_BASE_HEAP_H

#include <stddef.h>

/* Returns `size` zeroed bytes aligned to `align`, a power of two, or NULL with errno ENOMEM. */
void *tide__heap_alloc(size_t size, size_t align);

/* The same for large objects that ask for no more than a cache line's alignment. They start at
 * another line of a page each time: were all aligned alike, their first lines, which are used
 * most, would compete for the same few places of the first-level cache. It costs a page at most.
 * The idea is the coloring of Bonwick's slab allocator (1994). */
void *tide__heap_alloc_spread(size_t size);

/* The same from the kernel, so that it is safe in a signal handler; for what stays. */
void *tide__heap_map(size_t size);
void tide__heap_unmap(void *memory, size_t size);

/* The same for what owns nothing, so that no leak checker need look into it: from the kernel
 * under a checker too. It stays for ever. */
void *tide__heap_map_plain(size_t size);

/* The same, aligned to a cache line, where much may never be touched: of a large one each page
 * costs memory when it is first written to, and huge pages are not used. Its own free. */
void *tide__heap_alloc_sparse(size_t size);
void tide__heap_free_sparse(void *memory, size_t size);

/* Frees what the first two returned; NULL is ignored. */
void tide__heap_free(void *memory);

/* Gives what is free back to the kernel, as far as the allocator can. Slow. */
void tide__heap_trim(void);

#endif
