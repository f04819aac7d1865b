/* SPDX-License-Identifier: MIT */
/*
 * arena.c: arenas, and what an engineer writes by hand: an inlined bump over memory that is large
 * enough, without a check for more.
 */
#include "regions.h"

#include <stdlib.h>
#include <sys/resource.h>
#include <tide_arena.h>
#include <time.h>

enum { FILLED_ARENAS = 16, FILLED_OBJECTS = 10000, BUMP_SIZE = 1 << 20, FIRST_USE = 1 << 20 };

static void *arena_alloc(void *region, size_t size)
{
    return tide_arena_alloc(region, size, 16);
}

static void arena_reset(void *region)
{
    tide_arena_reset(region);
}

static void *make_arena(size_t size)
{
    return tide_arena_create(NULL);
}

static void unmake_arena(void *region)
{
    tide_arena_destroy(region);
}

TIDE_BENCH(one, .name = "arena/alloc/16B", .setup = make_arena, .teardown = unmake_arena)
{
    operate_alloc(bench, bench->shared, arena_alloc, arena_reset);
}

TIDE_BENCH(many, .name = "arena/request", .setup = make_arena, .teardown = unmake_arena)
{
    operate_request(bench, bench->shared, arena_alloc, arena_reset);
}

struct bump {
    uintptr_t next, end;
    _Alignas(16) char memory[BUMP_SIZE];
};

/* The check for the end is what makes it an allocator; a hand-written one has that too. */
static void *bump_alloc(void *region, size_t size)
{
    struct bump *bump = region;
    uintptr_t object = (bump->next + 15) & ~(uintptr_t)15;
    if (size > bump->end - object)
        abort();
    bump->next = object + size;
    return (void *)object;
}

static void bump_reset(void *region)
{
    struct bump *bump = region;
    bump->next = (uintptr_t)bump->memory;
}

static void *make_bump(size_t size)
{
    struct bump *bump = malloc(sizeof *bump);
    bump->next = (uintptr_t)bump->memory;
    bump->end = bump->next + BUMP_SIZE;
    return bump;
}

TIDE_BENCH(bump_one, .name = "bump/alloc/16B", .setup = make_bump, .teardown = free)
{
    operate_alloc(bench, bench->shared, bump_alloc, bump_reset);
}

TIDE_BENCH(bump_many, .name = "bump/request", .setup = make_bump, .teardown = free)
{
    operate_request(bench, bench->shared, bump_alloc, bump_reset);
}

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* Resets of arenas that hold 10,000 objects each, timed apart from filling them. */
TIDE_BENCH(reset, .name = "arena/reset/10000")
{
    tide_arena *arenas[FILLED_ARENAS];
    uint64_t spent = 0, resets = 0;
    for (unsigned index = 0; index < FILLED_ARENAS; index++)
        arenas[index] = tide_arena_create(NULL);
    while (tide_bench_next(bench)) {
        for (unsigned index = 0; index < FILLED_ARENAS * FILLED_OBJECTS; index++)
            region_touch(bench, tide_arena_alloc(arenas[index / FILLED_OBJECTS], 16, 16));
        uint64_t start = now_ns();
        for (unsigned index = 0; index < FILLED_ARENAS; index++)
            tide_arena_reset(arenas[index]);
        spent += now_ns() - start;
        resets += FILLED_ARENAS;
    }
    for (unsigned index = 0; index < FILLED_ARENAS; index++)
        tide_arena_destroy(arenas[index]);
    tide_bench_count(bench, "reset_ns", (double)spent / (double)resets);
}

static long faults(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_minflt;
}

static void serve_mebibyte(tide_bench *bench)
{
    tide_arena *arena = tide_arena_create(NULL);
    for (size_t used = 0; used < FIRST_USE; used += 64)
        region_touch(bench, tide_arena_alloc(arena, 64, 16));
    tide_arena_destroy(arena);
}

/* A request that makes its own arena, uses a mebibyte and gives all of it back. */
TIDE_BENCH(first, .name = "arena/first/1MiB")
{
    for (int warm = 0; warm < 4; warm++)
        serve_mebibyte(bench);
    long before = faults();
    while (tide_bench_next(bench))
        serve_mebibyte(bench);
    tide_bench_count_per_op(bench, "faults_per_op", (double)(faults() - before));
}
