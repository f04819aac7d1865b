/* SPDX-License-Identifier: MIT */
/*
 * spill.c: what does not fit on the stack goes to the heap.
 */
#include "spill.h"

#include <stdlib.h>

void *tide__spill_alloc(size_t size)
{
    return malloc(size);
}

void *tide__spill_realloc(void *memory, size_t size)
{
    return realloc(memory, size);
}

void tide__spill_free(void *memory)
{
    free(memory);
}
