/* SPDX-License-Identifier: MIT */
/*
 * destroyed_dirty.c: an object is written to after it has been put, and never got again.
 */
#include "faulty.h"

static void handle(tide_pool *pool, char *object)
{
    tide_pool_put(pool, object);
}

int main(int argc, char **argv)
{
    tide_pool *pool = open_sized("records");
    char *object = tide_pool_get(pool);
    handle(pool, object);
    if (!is_right(argc, argv))
        memset(object, 0, 100);
    tide_epoch_advance();
    tide_epoch_advance();
    tide_pool_destroy(pool);
    return 0;
}
