/* SPDX-License-Identifier: MIT */
/*
 * destroyed_put.c: an object is put, idle until epochs destroy it, and put again.
 */
#include "faulty.h"

static void handle(tide_pool *pool, void *object)
{
    tide_pool_put(pool, object);
    tide_epoch_advance();
    tide_epoch_advance();
}

static void clean_up(tide_pool *pool, void *object)
{
    tide_pool_put(pool, object);
}

int main(int argc, char **argv)
{
    tide_pool *pool = open_sized("records");
    void *object = tide_pool_get(pool), *other = tide_pool_get(pool);
    handle(pool, object);
    clean_up(pool, is_right(argc, argv) ? other : object);
    tide_pool_destroy(pool);
    return 0;
}
