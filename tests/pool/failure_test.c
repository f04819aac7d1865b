/* SPDX-License-Identifier: MIT */
/*
 * failure_test.c: the n-th allocation fails, for each n that there is.
 *
 * The allocations are the library's own (heap_faults.h) and those of a user's `create`.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "batch.h"
#include "check.h"
#include "heap_faults.h"
#include "internal.h"
#include "tide_epoch.h"
#include "tide_pool.h"

enum { OBJECT_COUNT = 1000 };

static size_t calls, fail_at; /* calls are counted from 1; 0: none fails */
static bool fail_on;          /* after the first failure, all calls fail */
static size_t live, failures;

bool heap_fails(void)
{
    calls++;
    bool failing = fail_at && (fail_on ? calls >= fail_at : calls == fail_at);
    failures += failing;
    return failing;
}

/* Objects of a user's own `create`, which fails in the same way. */
static void *create_failing(void *context)
{
    if (heap_fails()) {
        errno = EMFILE;
        return NULL;
    }
    live++;
    return malloc(32);
}

static void destroy_counted(void *object, void *context)
{
    live--;
    free(object);
}

static void *objects[OBJECT_COUNT];
static size_t object_count = OBJECT_COUNT;

static size_t get_each(tide_pool *pool, size_t count, int error)
{
    size_t got = 0;
    for (size_t i = 0; i < count; i++) {
        errno = 0;
        void *object = tide_pool_get(pool);
        if (object)
            objects[got++] = object;
        else
            check_count(errno, error);
    }
    return got;
}

static size_t get_bulk(tide_pool *pool, size_t count, int error)
{
    errno = 0;
    size_t got = tide_pool_get_bulk(pool, objects, count);
    if (got < count)
        check_count(errno, error);
    return got;
}

static void prewarm(tide_pool *pool, size_t count, int error)
{
    errno = 0;
    if (tide_pool_prewarm(pool, count) < count)
        check_that(errno == error || errno == ENOMEM);
}

static void check_stats(tide_pool *pool, uint64_t held)
{
    tide_pool_stats stats;
    tide_pool_read_stats(pool, &stats);
    uint64_t made = stats.misses + stats.prewarmed;
    uint64_t gone = stats.destroyed_epoch + stats.destroyed_drain + stats.destroyed_put;
    check_count(stats.gets - stats.failures - stats.puts, held);
    check_count(stats.cached + stats.victims + held + gone, made);
}

static void use(tide_pool *pool, int error)
{
    size_t got = get_each(pool, object_count, error);
    check_stats(pool, got);
    for (size_t i = 0; i < got; i++)
        tide_pool_put(pool, objects[i]);
    prewarm(pool, object_count / 5, error);
    tide_epoch_advance();
    got = get_bulk(pool, object_count / 2, error);
    check_stats(pool, got);
    tide_pool_put_bulk(pool, objects, got);
    tide_epoch_advance();
    check_stats(pool, 0);
    tide_pool_drain(pool);
    got = get_each(pool, object_count / 10, error);
    tide_pool_put_bulk(pool, objects, got);
    check_stats(pool, 0);
}

/* One run; returns whether anything failed in it. */
static bool run(const tide_pool_config *config)
{
    failures = 0;
    calls = 0;
    errno = 0;
    tide_pool *pool = tide_pool_create(config);
    if (pool)
        use(pool, config->create ? EMFILE : ENOMEM);
    else
        check_count(errno, ENOMEM);
    tide_pool_destroy(pool);
    check_count(live + heap_live(), 0);
    return failures > 0;
}

static void check_every_failure(const tide_pool_config *config)
{
    size_t step = OBJECT_COUNT / check_scaled(OBJECT_COUNT);
    for (fail_at = 1; run(config); fail_at += fail_at < 20 ? 1 : step)
        continue;
    check_that(fail_at > object_count); /* each object was one of the allocations */
    check_that(heap_chunks() > 0);
}

static const tide_pool_config sized = {.object_size = 32};
static const tide_pool_config large = {.object_size = 65536};
static const tide_pool_config created = {.create = create_failing, .destroy = destroy_counted};

Test(pool, any_one_allocation_may_fail)
{
    fail_on = false;
    check_every_failure(&sized);
}

Test(pool, all_allocations_may_fail_from_any_one_on)
{
    fail_on = true;
    check_every_failure(&sized);
}

Test(pool, any_one_allocation_of_large_objects_may_fail)
{
    object_count = 30;
    fail_on = false;
    check_every_failure(&large);
    object_count = OBJECT_COUNT;
}

Test(pool, any_one_create_may_fail)
{
    fail_on = false;
    check_every_failure(&created);
}

Test(pool, all_creates_may_fail_from_any_one_on)
{
    fail_on = true;
    check_every_failure(&created);
}

static bool fence_refused;

bool __real_tide__percpu_fence(void);
bool __wrap_tide__percpu_fence(void);

bool __wrap_tide__percpu_fence(void)
{
    return !fence_refused && __real_tide__percpu_fence();
}

/* What was cached before the kernel refused is not all that there is. */
Test(pool, drain_after_a_fence_that_was_refused_destroys_all)
{
    tide_pool_stats stats;
    fail_at = 0;
    tide_pool *pool = tide_pool_create(&sized);
    check_count(tide_pool_prewarm(pool, 10), 10);
    fence_refused = true;
    tide_epoch_advance();
    fence_refused = false;
    check_count(tide_pool_prewarm(pool, 5), 5);
    check_count(tide_pool_drain(pool), 15);
    tide_pool_read_stats(pool, &stats);
    check_count(stats.cached + stats.victims, 0);
    tide_pool_destroy(pool);
}

static char things[1000];
static size_t things_made;
static tide_pool *handled;

static void *create_thing(void *context)
{
    return &things[things_made++];
}

static void put_beyond_a_stack(int number)
{
    for (size_t i = 0; i < 500; i++)
        tide_pool_put(handled, &things[i]);
}

Test(pool, put_in_a_signal_handler_asks_no_allocator)
{
    handled = tide_pool_create(&(tide_pool_config){.create = create_thing});
    for (size_t i = 0; i < 500; i++)
        tide_pool_get(handled);
    signal(SIGUSR1, put_beyond_a_stack);
    size_t before = calls - heap_chunks();
    raise(SIGUSR1);
    check_count(calls - heap_chunks(), before); /* a chunk is the kernel's */
    tide_pool_destroy(handled);
}

/* A thread that does not exist in the child was inside a stack of the generation that leaves. */
Test(pool, a_child_waits_for_no_lock_of_a_generation_that_leaves)
{
    int status = -1;
    fail_at = 0;
    tide_pool *pool = tide_pool_create(&sized);
    struct tide__percpu_stack *stack = young(pool)->stacks;
    fence_refused = true;
    tide_epoch_advance();
    fence_refused = false;
    atomic_fetch_or(&stack->lock, 1); /* held */
    pid_t child = fork();
    if (!child) {
        alarm(20);
        tide_epoch_advance();
        tide_pool_destroy(pool);
        _exit(0);
    }
    atomic_fetch_and(&stack->lock, ~1U);
    check_count(waitpid(child, &status, 0), child);
    check_count(status, 0);
    tide_pool_destroy(pool);
}
