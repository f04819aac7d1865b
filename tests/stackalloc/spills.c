/* SPDX-License-Identifier: MIT */
/*
 * spills.c: stands before what spill.h declares.
 */
#include "spills.h"

#include <errno.h>
#include <stdbool.h>

#include "check.h"

void *__real_tide__spill_alloc(size_t size);
void *__real_tide__spill_realloc(void *memory, size_t size);
void __real_tide__spill_free(void *memory);
void *__wrap_tide__spill_alloc(size_t size);
void *__wrap_tide__spill_realloc(void *memory, size_t size);
void __wrap_tide__spill_free(void *memory);

size_t spills, spills_live, spills_fail_at;

static bool fails(void)
{
    errno = ENOMEM;
    return ++spills == spills_fail_at;
}

void *__wrap_tide__spill_alloc(size_t size)
{
    void *memory = fails() ? NULL : __real_tide__spill_alloc(size);
    spills_live += memory != NULL;
    return memory;
}

void *__wrap_tide__spill_realloc(void *memory, size_t size)
{
    return fails() ? NULL : __real_tide__spill_realloc(memory, size);
}

void __wrap_tide__spill_free(void *memory)
{
    spills_live -= memory != NULL;
    __real_tide__spill_free(memory);
}

void spills_start(size_t fail_at)
{
    check_count(spills_live, 0);
    spills = 0;
    spills_fail_at = fail_at;
}

void spills_release(void *memory)
{
    __wrap_tide__spill_free(memory);
}
