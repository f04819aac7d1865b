/* SPDX-License-Identifier: MIT */
/*
 * stackalloc.c: what TIDE_STACKALLOC calls when a buffer does not fit on the stack.
 */
#include "tide_stackalloc.h"

#include <errno.h>
#include <stdint.h>

#include "spill.h"

void *tide_stackalloc_spill(tide_stackalloc_spilled *spilled, size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes) || bytes > PTRDIFF_MAX) {
        errno = ENOMEM;
        return NULL;
    }
    spilled->memory = tide__spill_alloc(bytes);
    return spilled->memory;
}

void tide_stackalloc_release(void *memory)
{
    tide__spill_free(memory);
}
