/* SPDX-License-Identifier: MIT */
/*
 * faulty.h: what the faulty programs share. Each does one thing wrong with a pool, or, told
 * "right" by its first argument, the same without the fault.
 *
 * Compiled without optimisation, so that each function is there for the messages to name: a
 * function that ends in a call of put, optimised, jumps there and leaves no trace of itself.
 */
#ifndef TIDE_TESTS_FAULTY_H
#define TIDE_TESTS_FAULTY_H

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "tide_epoch.h"
#include "tide_pool.h"

static inline bool is_right(int argc, char **argv)
{
    return argc > 1 && !strcmp(argv[1], "right");
}

static inline void *buffer_create(void *context)
{
    return malloc(100);
}

static inline void buffer_destroy(void *buffer, void *context)
{
    free(buffer);
}

/* Of objects that the program makes itself. */
static inline tide_pool *open_buffers(const char *name)
{
    return tide_pool_create(
        &(tide_pool_config){.name = name, .create = buffer_create, .destroy = buffer_destroy});
}

/* Of objects that the library makes. */
static inline tide_pool *open_sized(const char *name)
{
    return tide_pool_create(&(tide_pool_config){.name = name, .object_size = 100});
}

#endif
