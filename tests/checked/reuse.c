/* SPDX-License-Identifier: MIT */
/*
 * reuse.c: a program that takes it for granted that what it puts is what it gets.
 */
#include <stdio.h>

#include "faulty.h"

int main(int argc, char **argv)
{
    tide_pool *pool = open_sized("records");
    for (int round = 0; round < 200; round++) {
        int *object = tide_pool_get(pool);
        if (is_right(argc, argv) || !round)
            *object = 42;
        if (*object != 42) {
            printf("round %d finds %d\n", round, *object);
            return 1;
        }
        tide_pool_put(pool, object);
    }
    tide_pool_destroy(pool);
    return 0;
}
