/* SPDX-License-Identifier: MIT */
/*
 * malloc.c: malloc as a rival. The program is linked to no allocator; which one it measures is
 * chosen as its users would, by LD_PRELOAD, and is glibc's without.
 */
#include "transfer.h"

#include <stdlib.h>

static void *get(void *shared, size_t size)
{
    return malloc(size);
}

static void put(void *shared, void *object)
{
    free(object);
}

static void *get_constructed(void *shared, size_t size)
{
    symbols *table = malloc(size);
    symbols_init(table);
    return table;
}

TIDE_BENCH(pair, .name = "malloc/pair", .sizes = {64}, .all_cpus = true)
{
    operate_pair(bench, get, put);
}

TIDE_BENCH(constructed, .name = "malloc/constructed", .sizes = {4096}, .all_cpus = true)
{
    operate_constructed(bench, get_constructed, put);
}

TIDE_BENCH(held, .name = "malloc/held", .sizes = {65536}, .all_cpus = true)
{
    operate_held(bench, get, put);
}

TIDE_BENCH(burst, .name = "malloc/burst", .sizes = {65536}, .all_cpus = true)
{
    operate_burst(bench, get, put);
}

TIDE_BENCH(handed, .name = "malloc/transfer", .cpus_min = 2, .sizes = {64, 4096})
{
    operate_transfer(bench, get, put);
}
