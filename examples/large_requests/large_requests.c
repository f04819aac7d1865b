/* SPDX-License-Identifier: MIT */
/*
 * large_requests.c: ten large requests, then small ones for ever: does a pool give back the
 * memory? After the program of golang/go issue 23199, which shows that sync.Pool may not.
 *
 * Buffers grow to what a request needs and keep that size when they go back to the pool. A round
 * is ten requests in flight at the same time, and an epoch after them. Without a limit every
 * round finds ten large buffers and uses them, so they are never idle and never destroyed. The
 * pool is told what a buffer holds by `weigh`; then one of two limits makes it let go.
 *
 * usage: large_requests [MIB [ROUNDS]]     a large request's size, 256 unless given
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tide_epoch.h>
#include <tide_pool.h>

#include "resident.h"

enum { IN_FLIGHT = 10, SMALL = 1 << 10, KIB = 1 << 10, MIB = 1 << 20 };

struct buffer {
    size_t size;
    char *bytes;
};

static size_t held; /* bytes of all buffers */

static void *buffer_create(void *context)
{
    return calloc(1, sizeof(struct buffer));
}

static void buffer_destroy(void *object, void *context)
{
    struct buffer *buffer = object;
    held -= buffer->size;
    free(buffer->bytes);
    free(buffer);
}

static size_t buffer_weigh(const void *object, void *context)
{
    return sizeof(struct buffer) + ((const struct buffer *)object)->size;
}

/* Makes room for `size` bytes, and writes them. */
static void serve(struct buffer *buffer, size_t size)
{
    if (buffer->size < size) {
        free(buffer->bytes);
        held += size - buffer->size;
        buffer->size = size;
        buffer->bytes = malloc(size);
        if (!buffer->bytes)
            exit(EXIT_FAILURE);
    }
    memset(buffer->bytes, 'x', size);
}

static void serve_all(tide_pool *pool, size_t size)
{
    struct buffer *buffers[IN_FLIGHT];
    for (int i = 0; i < IN_FLIGHT; i++) {
        buffers[i] = tide_pool_get(pool);
        if (!buffers[i])
            exit(EXIT_FAILURE);
        serve(buffers[i], size);
    }
    for (int i = 0; i < IN_FLIGHT; i++)
        tide_pool_put(pool, buffers[i]);
}

static void print_mib(size_t bytes)
{
    printf("  %8.2f", (double)bytes / MIB);
}

/* Prints what is held after the large requests, and after some of the rounds. */
static void run(const char *limit, const tide_pool_config *config, size_t large, int rounds)
{
    tide_pool *pool = tide_pool_create(config);
    tide_pool_stats stats;
    if (!pool)
        exit(EXIT_FAILURE);
    printf("%-24s", limit);
    serve_all(pool, large);
    print_mib(held);
    for (int round = 1; round <= rounds; round++) {
        serve_all(pool, SMALL);
        tide_epoch_advance();
        if (round <= 2 || round == rounds)
            print_mib(held);
    }
    tide_pool_read_stats(pool, &stats);
    print_mib(stats.cached_bytes);
    print_mib(resident_now());
    putchar('\n');
    fflush(stdout);
    tide_pool_destroy(pool);
}

int main(int argc, char **argv)
{
    size_t large = (argc > 1 ? strtoul(argv[1], NULL, 10) : 256) * MIB;
    int rounds = argc > 2 ? atoi(argv[2]) : 20;
    tide_pool_config config = {.name = "buffers",
                               .create = buffer_create,
                               .destroy = buffer_destroy,
                               .weigh = buffer_weigh};
    tide_pool_config heavy = config, cached = config;
    heavy.weight_max = 64 * KIB;
    cached.cached_bytes_max = 64 * MIB;
    printf("%d requests of %zu MiB, then rounds of %d of 1 KiB, an epoch after each; MiB held\n",
           IN_FLIGHT, large / MIB, IN_FLIGHT);
    printf("%-24s  %8s  %8s  %8s  %5s %2d  %8s  %8s\n", "limit", "large", "round 1", "round 2",
           "round", rounds, "cached", "resident");
    run("none", &config, large, rounds);
    run("weight_max 64KiB", &heavy, large, rounds);
    run("cached_bytes_max 64MiB", &cached, large, rounds);
    return EXIT_SUCCESS;
}
