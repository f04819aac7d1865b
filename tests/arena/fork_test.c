/* SPDX-License-Identifier: MIT */
/*
 * fork_test.c: a child of fork() uses arenas, whatever other threads were doing.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "arena.h"
#include "check.h"

static _Atomic bool stop;

static void serve(void)
{
    tide_arena *arena = tide_arena_create(NULL);
    memset(tide_arena_alloc(arena, 1000, 8), 1, 1000);
    memset(tide_arena_alloc(arena, 100000, 8), 1, 100000);
    tide_arena_destroy(arena);
}

/* Also in the range's lock, which pools keep most from. */
static void *serve_on(void *argument)
{
    while (!stop) {
        serve();
        tide__span_free(tide__span_alloc(1), 1);
    }
    return NULL;
}

static bool child_serves(void)
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        serve();
        tide__span_free(tide__span_alloc(1), 1);
        _exit(7);
    }
    return waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 7;
}

Test(arena, a_forked_child_finds_no_lock_held)
{
    pthread_t thread;
    serve();
    check_that(!pthread_create(&thread, NULL, serve_on, NULL));
    size_t forks = check_scaled(200), served = 0;
    for (size_t i = 0; i < forks; i++)
        served += child_serves();
    stop = true;
    pthread_join(thread, NULL);
    check_count(served, forks);
}
