/* SPDX-License-Identifier: MIT */
/*
 * leak.c: a pool is destroyed while objects of it are on loan.
 */
#include <stdio.h>

#include "faulty.h"

static void *held[6];

static void *borrow(tide_pool *pool)
{
    void *object = tide_pool_get(pool);
    memset(object, 1, 100);
    return object;
}

static void borrow_more(tide_pool *pool)
{
    tide_pool_get_bulk(pool, &held[2], 3);
    tide_pool_put(pool, held[4]);
}

static void end(tide_pool *pool)
{
    tide_pool_destroy(pool);
}

int main(int argc, char **argv)
{
    tide_pool *pool = open_buffers("buffers");
    for (int i = 0; i < 2; i++)
        held[i] = borrow(pool);
    borrow_more(pool);
    held[4] = borrow(pool);
    for (int i = 0; i < 5 && is_right(argc, argv); i++)
        tide_pool_put(pool, held[i]);
    end(pool);
    for (int i = 0; i < 5 && !is_right(argc, argv); i++)
        free(held[i]);
    puts("went on");
    return 0;
}
