/* SPDX-License-Identifier: MIT */
/*
 * kept.c: nothing is wrong here: what cached objects own when the program ends is no leak, for a
 * leak checker that looks for the pointers to it.
 */
#include "faulty.h"

int main(int argc, char **argv)
{
    static tide_pool *pool;
    pool = open_sized("records");
    char **object = tide_pool_get(pool);
    *object = malloc(1000);
    tide_pool_put(pool, object);
    return !is_right(argc, argv);
}
