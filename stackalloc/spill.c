/* SPDX-License-Identifier: MIT */
/*
 * spill.c: what does not fit on the stack goes to the arena that the thread has entered, or to the
 * heap.
 */
#include "spill.h"

#include "tide_ambient.h"

void *tide__spill_alloc(size_t size)
{
    return tide_ambient_malloc(size);
}

void *tide__spill_realloc(void *memory, size_t size)
{
    return tide_ambient_realloc(memory, size);
}

void tide__spill_free(void *memory)
{
    tide_ambient_free(memory);
}
