/* SPDX-License-Identifier: MIT */
/*
 * main.c: a user's first program, in what C11 and C++17 have in common.
 */
#include <stdio.h>
#include <stdlib.h>
#include <tide_epoch.h>
#include <tide_pool.h>

static void *create(void *context)
{
    (void)context;
    return malloc(64);
}

static void destroy(void *object, void *context)
{
    (void)context;
    free(object);
}

int main(void)
{
    static tide_pool_config config;
    config.create = create;
    config.destroy = destroy;
    tide_pool *pool = tide_pool_create(&config);
    if (!pool)
        return EXIT_FAILURE;
    tide_pool_put(pool, tide_pool_get(pool));
    tide_epoch_advance();
    tide_epoch_advance();
    tide_pool_stats stats;
    tide_pool_read_stats(pool, &stats);
    printf("%u destroyed\n", (unsigned)stats.destroyed_epoch);
    tide_pool_destroy(pool);
    return EXIT_SUCCESS;
}
