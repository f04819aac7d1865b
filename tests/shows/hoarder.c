/* SPDX-License-Identifier: MIT */
/*
 * hoarder.c: a program that knows nothing of pacing: what TIDE says, the library does.
 *
 * A service whose work moves on: one pool after the other lends 32 MiB of buffers, again and
 * again, and is then left alone until all the others have had their turn. So 32 pools keep 1 GiB
 * for the 32 MiB that are ever on loan. It counts what it makes and unmakes, writes to every page
 * of it, and ends in one line:
 *
 *     hoarder: LOANS loans, PEAK bytes at most, RESIDENT bytes resident at most, TIME ns
 *
 * usage: hoarder ROUNDS [LIVE]     LIVE buffers are on loan all the time
 */
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "resident.h"
#include "tide_pool.h"

enum { PAGE = 4096, BUFFER_SIZE = 64 << 10, POOLS = 32, TURN = 512, USES = 20, LIVE_MAX = 4096 };

static _Atomic size_t made_bytes, peak_bytes;

static void *buffer_create(void *context)
{
    void *buffer = malloc(BUFFER_SIZE);
    if (!buffer)
        return NULL;
    size_t now = atomic_fetch_add(&made_bytes, BUFFER_SIZE) + BUFFER_SIZE, peak = peak_bytes;
    while (now > peak && !atomic_compare_exchange_weak(&peak_bytes, &peak, now))
        ;
    return buffer;
}

static void buffer_destroy(void *buffer, void *context)
{
    atomic_fetch_sub(&made_bytes, BUFFER_SIZE);
    free(buffer);
}

static tide_pool *open_pool(void)
{
    tide_pool *pool = tide_pool_create(&(tide_pool_config){.name = "buffers",
                                                           .create = buffer_create,
                                                           .destroy = buffer_destroy,
                                                           .object_size = BUFFER_SIZE});
    if (!pool)
        exit(EXIT_FAILURE);
    return pool;
}

static char *borrow(tide_pool *pool)
{
    char *buffer = tide_pool_get(pool);
    if (!buffer)
        exit(EXIT_FAILURE);
    for (size_t i = 0; i < BUFFER_SIZE; i += PAGE)
        buffer[i]++;
    return buffer;
}

static void borrow_all(tide_pool *pool, char **loans, size_t count)
{
    for (size_t i = 0; i < count; i++)
        loans[i] = borrow(pool);
}

static void give_all(tide_pool *pool, char **loans, size_t count)
{
    for (size_t i = 0; i < count; i++)
        tide_pool_put(pool, loans[i]);
}

/* Returns how many loans there were. */
static size_t work(tide_pool **pools, size_t rounds)
{
    static char *loans[TURN];
    for (size_t i = 0; i < rounds * POOLS * USES; i++) {
        tide_pool *pool = pools[i / USES % POOLS];
        borrow_all(pool, loans, TURN);
        give_all(pool, loans, TURN);
    }
    return rounds * POOLS * USES * TURN;
}

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

int main(int argc, char **argv)
{
    static char *live[LIVE_MAX];
    tide_pool *pools[POOLS];
    size_t rounds = argc > 1 ? strtoul(argv[1], NULL, 10) : 1;
    size_t live_count = argc > 2 ? strtoul(argv[2], NULL, 10) : 0;
    if (live_count > LIVE_MAX)
        return 2;
    for (size_t i = 0; i < POOLS; i++)
        pools[i] = open_pool();
    borrow_all(pools[0], live, live_count);
    uint64_t start = now_ns();
    size_t loans = work(pools, rounds);
    uint64_t time = now_ns() - start;
    give_all(pools[0], live, live_count);
    for (size_t i = 0; i < POOLS; i++)
        tide_pool_destroy(pools[i]);
    printf("hoarder: %zu loans, %zu bytes at most, %zu bytes resident at most, %" PRIu64 " ns\n",
           loans, (size_t)peak_bytes, resident_most(), time);
    return made_bytes ? EXIT_FAILURE : EXIT_SUCCESS;
}
