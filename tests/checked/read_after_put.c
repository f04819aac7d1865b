/* SPDX-License-Identifier: MIT */
/*
 * read_after_put.c: an object is read after it has been put, which memory checkers see.
 */
#include <stdio.h>

#include "faulty.h"

static int read_late(const int *object)
{
    return object[3];
}

int main(int argc, char **argv)
{
    tide_pool *pool = open_sized("records");
    int *object = tide_pool_get(pool);
    object[3] = 42;
    int early = read_late(object);
    tide_pool_put(pool, object);
    printf("%d\n", is_right(argc, argv) ? early : read_late(object));
    tide_pool_destroy(pool);
    return 0;
}
