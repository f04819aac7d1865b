/* SPDX-License-Identifier: MIT */
/*
 * unknown_put.c: memory of malloc is put to a pool that makes its objects itself.
 */
#include "faulty.h"

static void give_back(tide_pool *pool, void *object)
{
    tide_pool_put(pool, object);
}

int main(int argc, char **argv)
{
    tide_pool *pool = open_sized("records");
    void *memory = malloc(100), *object = tide_pool_get(pool);
    give_back(pool, is_right(argc, argv) ? object : memory);
    free(memory);
    tide_pool_destroy(pool);
    return 0;
}
