/* SPDX-License-Identifier: MIT */
/*
 * scratch_test.c: scratch arenas are a thread's own, avoid conflicts, and end with it.
 */
#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "check.h"
#include "tide_arena.h"
#include "tide_pool.h"

/* Returns text in `result`, with scratch of its own. */
static char *twice(tide_arena *result, const char *text, int depth)
{
    tide_scratch scratch = tide_scratch_begin(&result, 1);
    check_that(scratch.arena && scratch.arena != result);
    char *inner =
        depth ? twice(scratch.arena, text, depth - 1) : tide_arena_strdup(scratch.arena, text);
    char *both = tide_arena_printf(result, "%s%s", inner, inner);
    tide_scratch_end(scratch);
    return both;
}

Test(arena, scratch_is_not_a_conflict)
{
    tide_scratch scratch = tide_scratch_begin(NULL, 0);
    char *text = twice(scratch.arena, "ab", 4);
    check_count(strlen(text), 64);
    for (size_t i = 0; i < 64; i++)
        check_that(text[i] == "ab"[i % 2]);
    tide_scratch_end(scratch);
}

Test(arena, scratch_is_reused_after_its_end)
{
    tide_scratch first = tide_scratch_begin(NULL, 0);
    tide_arena_alloc(first.arena, 100, 1);
    tide_scratch_end(first);
    tide_scratch second = tide_scratch_begin(NULL, 0);
    tide_arena_stats stats;
    tide_arena_read_stats(second.arena, &stats);
    check_that(first.arena == second.arena);
    check_count(stats.used_bytes, 0);
    tide_scratch_end(second);
}

Test(arena, scratch_says_when_all_are_conflicts)
{
    tide_arena *conflicts[TIDE_SCRATCH_COUNT];
    for (size_t i = 0; i < TIDE_SCRATCH_COUNT; i++) {
        conflicts[i] = tide_scratch_begin(conflicts, i).arena;
        check_that(conflicts[i]);
    }
    errno = 0;
    tide_scratch none = tide_scratch_begin(conflicts, TIDE_SCRATCH_COUNT);
    check_that(!none.arena);
    check_count(errno, EBUSY);
    tide_scratch_end(none);
}

static tide_arena *_Atomic seen[2];
static _Atomic unsigned wrong;

static void use_scratch(unsigned index, void *barrier)
{
    tide_scratch scratch = tide_scratch_begin(NULL, 0);
    seen[index] = scratch.arena;
    pthread_barrier_wait(barrier); /* both are alive here */
    for (int i = 0; i < 1000; i++) {
        char *text = tide_arena_printf(scratch.arena, "%u", index);
        wrong += text[0] != (char)('0' + index);
    }
    wrong += seen[0] == seen[1];
    pthread_barrier_wait(barrier);
    tide_scratch_end(scratch);
}

static bool count_arenas(const tide_pool *pool, void *context)
{
    tide_pool_stats stats;
    tide_pool_read_stats(pool, &stats);
    if (!strcmp(stats.name, "arenas"))
        *(int64_t *)context = (int64_t)(stats.gets - stats.puts);
    return true;
}

static int64_t arenas_alive(void)
{
    int64_t alive = 0;
    tide_pool_walk(count_arenas, &alive);
    return alive;
}

Test(arena, threads_have_scratch_of_their_own_which_ends_with_them)
{
    pthread_barrier_t barrier;
    pthread_barrier_init(&barrier, NULL, 2);
    int64_t before = arenas_alive();
    check_threads(2, use_scratch, &barrier);
    check_count(wrong, 0);
    check_count(arenas_alive(), before);
    pthread_barrier_destroy(&barrier);
}

struct moving {
    tide_arena *arena;
    pthread_t made_by;
    bool ended_elsewhere;
};

static void end_moving(void *argument)
{
    struct moving *moving = argument;
    moving->ended_elsewhere = !pthread_equal(moving->made_by, pthread_self());
}

static void *make_moving(void *argument)
{
    struct moving *moving = argument;
    moving->arena = tide_arena_create(NULL);
    moving->made_by = pthread_self();
    for (int i = 0; i < 1000; i++)
        memset(tide_arena_alloc(moving->arena, 100, 8), 1, 100);
    tide_arena_defer(moving->arena, end_moving, moving);
    return NULL;
}

/* A cleanup runs late: when its thread is gone, in the one that has the arena now. */
Test(arena, an_arena_may_move_to_another_thread_with_its_cleanups)
{
    struct moving moving = {0};
    pthread_t thread;
    check_that(!pthread_create(&thread, NULL, make_moving, &moving));
    pthread_join(thread, NULL);
    check_that(tide_arena_strdup(moving.arena, "from here on mine"));
    tide_arena_destroy(moving.arena);
    check_that(moving.ended_elsewhere);
}
