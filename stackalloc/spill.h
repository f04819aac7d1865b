/* SPDX-License-Identifier: MIT */
/*
 * spill.h: where a buffer is that does not fit on the stack. All of the module that knows it.
 */
#ifndef TIDE_STACKALLOC_SPILL_H
#define TIDE_STACKALLOC_SPILL_H

#include <stddef.h>

/* As malloc, realloc and free: memory of the entered arena, or of the heap. */
void *tide__spill_alloc(size_t size);
void *tide__spill_realloc(void *memory, size_t size);
void tide__spill_free(void *memory);

#endif
