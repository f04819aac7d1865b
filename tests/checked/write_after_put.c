/* SPDX-License-Identifier: MIT */
/*
 * write_after_put.c: an object is written to after it has been put.
 */
#include "faulty.h"

static void handle(tide_pool *pool, char *object)
{
    tide_pool_put(pool, object);
}

static void write_late(char *object)
{
    object[7] = 'x';
    object[9] = 'y';
}

static char *borrow(tide_pool *pool)
{
    char *object = tide_pool_get(pool);
    object[0] = 1;
    return object;
}

int main(int argc, char **argv)
{
    tide_pool *pool = open_sized("records");
    char *object = borrow(pool);
    if (is_right(argc, argv))
        write_late(object);
    handle(pool, object);
    if (!is_right(argc, argv))
        write_late(object);
    object = borrow(pool);
    handle(pool, object);
    tide_pool_destroy(pool);
    return 0;
}
