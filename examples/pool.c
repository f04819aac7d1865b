/* SPDX-License-Identifier: MIT */
/*
 * pool.c: the pool of the README: buffers that many requests need for a short time.
 */
#include <stdio.h>
#include <stdlib.h>
#include <tide_epoch.h>
#include <tide_pool.h>

enum { BUFFER_SIZE = 64 * 1024, REQUESTS = 1000000 };

static void *buffer_create(void *context)
{
    return malloc(BUFFER_SIZE);
}

static void buffer_destroy(void *buffer, void *context)
{
    free(buffer);
}

static void answer(tide_pool *buffers, int number)
{
    char *buffer = tide_pool_get(buffers);
    if (!buffer)
        return; /* out of memory: get never hands out NULL otherwise */
    snprintf(buffer, BUFFER_SIZE, "request %d", number);
    tide_pool_put(buffers, buffer);
}

int main(void)
{
    tide_pool_stats stats;
    tide_pool *buffers = tide_pool_create(
        &(tide_pool_config){.name = "buffers", .create = buffer_create, .destroy = buffer_destroy});
    if (!buffers)
        return EXIT_FAILURE;

    for (int i = 0; i < REQUESTS; i++)
        answer(buffers, i);
    tide_epoch_advance(); /* two epochs let go of what nobody needed meanwhile */
    tide_epoch_advance();

    tide_pool_read_stats(buffers, &stats);
    printf("%llu buffers lent, %llu made, %llu destroyed by epochs, %llu cached\n",
           (unsigned long long)stats.gets, (unsigned long long)stats.misses,
           (unsigned long long)stats.destroyed_epoch, (unsigned long long)stats.cached);
    tide_pool_destroy(buffers);
    return EXIT_SUCCESS;
}
