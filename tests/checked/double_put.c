/* SPDX-License-Identifier: MIT */
/*
 * double_put.c: two functions that both think that the buffer is theirs to give back.
 */
#include "faulty.h"

static void handle(tide_pool *pool, char *buffer)
{
    tide_pool_put(pool, buffer);
}

static void clean_up(tide_pool *pool, char *buffer)
{
    tide_pool_put(pool, buffer);
}

int main(int argc, char **argv)
{
    tide_pool *pool = open_buffers("buffers");
    char *buffer = tide_pool_get(pool), *other = tide_pool_get(pool);
    handle(pool, buffer);
    clean_up(pool, is_right(argc, argv) ? other : buffer);
    tide_pool_destroy(pool);
    return 0;
}
