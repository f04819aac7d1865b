/* SPDX-License-Identifier: MIT */
/*
 * array.c: the free list that an engineer writes by hand, as a rival of the pair: an array for
 * each thread, inlined into its user. It gives nothing back, moves nothing between threads and
 * leaks at thread exit, which is what a pool adds.
 */
#include "operations.h"

#include <stdlib.h>

#define ARRAY_SLOTS 64

typedef struct free_list {
    unsigned count;
    void *slots[ARRAY_SLOTS];
} free_list;

static _Thread_local free_list objects;

static inline void *get(void *shared, size_t size)
{
    return objects.count ? objects.slots[--objects.count] : malloc(size);
}

static inline void put(void *shared, void *object)
{
    if (objects.count < ARRAY_SLOTS)
        objects.slots[objects.count++] = object;
    else
        free(object);
}

static void drain(void)
{
    while (objects.count)
        free(objects.slots[--objects.count]);
}

TIDE_BENCH(pair, .name = "array/pair", .sizes = {64}, .all_cpus = true)
{
    operate_pair(bench, get, put);
    drain();
}

/* The same free list behind calls, as a library would offer it. */
static __attribute__((noinline)) void *get_called(void *shared, size_t size)
{
    return get(shared, size);
}

static __attribute__((noinline)) void put_called(void *shared, void *object)
{
    put(shared, object);
}

TIDE_BENCH(pair_called, .name = "array/called", .sizes = {64}, .all_cpus = true)
{
    operate_pair(bench, get_called, put_called);
    drain();
}
