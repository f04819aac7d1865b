/* SPDX-License-Identifier: MIT */
/*
 * failure_test.c: the n-th request for memory fails, for each n that there is.
 *
 * Linked so that the arenas' calls for memory arrive here.
 */
#include <errno.h>
#include <string.h>

#include "check.h"
#include "tide_ambient.h"
#include "tide_arena.h"
#include "tide_pool.h"

void *__real_tide__heap_alloc(size_t size, size_t align);
void *__wrap_tide__heap_alloc(size_t size, size_t align);
void *__real_tide__span_alloc(unsigned class);
void *__wrap_tide__span_alloc(unsigned class);
void *__real_tide_pool_get(tide_pool *pool);
void *__wrap_tide_pool_get(tide_pool *pool);

static size_t calls, fail_at, failures; /* calls are counted from 1; 0: none fails */
static bool fail_on;                    /* after the first failure, all calls fail */

static bool fails(void)
{
    calls++;
    bool failing = fail_at && (fail_on ? calls >= fail_at : calls == fail_at);
    failures += failing;
    if (failing)
        errno = ENOMEM;
    return failing;
}

void *__wrap_tide__heap_alloc(size_t size, size_t align)
{
    return fails() ? NULL : __real_tide__heap_alloc(size, align);
}

void *__wrap_tide__span_alloc(unsigned class)
{
    return fails() ? NULL : __real_tide__span_alloc(class);
}

void *__wrap_tide_pool_get(tide_pool *pool)
{
    return fails() ? NULL : __real_tide_pool_get(pool);
}

static unsigned cleanups_due, cleanups_run;

static void count_cleanup(void *argument)
{
    cleanups_run++;
}

/* Object i holds i. */
static void allocate(tide_arena *arena, unsigned char **objects, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        errno = 0;
        objects[i] = tide_arena_alloc(arena, 1 + i * i * 7, 8);
        check_that(objects[i] || errno == ENOMEM);
        if (objects[i])
            memset(objects[i], (int)i, 1 + i * i * 7);
        cleanups_due += tide_arena_defer(arena, count_cleanup, NULL) == 0;
    }
}

static void check_objects(unsigned char **objects, size_t count)
{
    for (size_t i = 0; i < count; i++)
        for (size_t byte = 0; objects[i] && byte < 1 + i * i * 7; byte++)
            check_count(objects[i][byte], i);
}

static void use(tide_arena *arena)
{
    enum { COUNT = 60 };
    unsigned char *objects[COUNT];
    allocate(arena, objects, COUNT);
    tide_arena_mark mark = tide_arena_save(arena);
    unsigned char *grown = tide_arena_realloc(arena, objects[COUNT - 1], 1 + 59 * 59 * 7, 90000, 8);
    check_that(!grown || !objects[COUNT - 1] || grown[100] == COUNT - 1);
    tide_arena_rewind(arena, mark);
    check_objects(objects, COUNT - 1);
    tide_arena *before = tide_ambient_enter(arena);
    char *block = tide_ambient_malloc(100);
    char *text = tide_ambient_realloc(block, 1 << 20);
    tide_ambient_free(text ? text : block);
    tide_ambient_enter(before);
    tide_arena *child = tide_arena_create(&(tide_arena_config){.parent = arena});
    if (child)
        tide_arena_alloc(child, 10000, 1);
    tide_arena_reset(arena);
    allocate(arena, objects, COUNT / 2);
    check_objects(objects, COUNT / 2);
}

/* One run; returns whether anything failed in it. */
static bool run(void)
{
    failures = calls = 0;
    cleanups_due = cleanups_run = 0;
    errno = 0;
    tide_arena *arena = tide_arena_create(&(tide_arena_config){.retain_bytes_max = 1});
    check_that(arena || errno == ENOMEM);
    if (arena)
        use(arena);
    tide_arena_destroy(arena);
    check_count(cleanups_run, cleanups_due);
    return failures > 0;
}

Test(arena, any_one_request_for_memory_may_fail)
{
    fail_on = false;
    for (fail_at = 1; run(); fail_at++)
        continue;
    check_that(fail_at > 10, "%zu", fail_at);
}

Test(arena, all_requests_for_memory_may_fail_from_any_one_on)
{
    fail_on = true;
    for (fail_at = 1; run(); fail_at++)
        continue;
    check_that(fail_at > 10, "%zu", fail_at);
}
