/* SPDX-License-Identifier: MIT */
/*
 * fork_test.c: a child of fork() has a copy of each pool, and both go on.
 */
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include <urcu/tls-compat.h>

#include "check.h"
#include "tokens.h"

enum { CHILD_SECONDS = 30 }; /* then a child that hangs is killed, and the test fails */

static struct tokens t;

static bool ended_well(pid_t child)
{
    int status = -1;
    return child > 0 && waitpid(child, &status, 0) == child && status == 0;
}

/* Gets 100 that are cached, puts them back, and lets two epochs take them. */
static bool goes_on(void)
{
    struct token *held[100];
    size_t made = t.made, before = t.destroyed;
    bool right = tokens_get_bulk(&t, held, 100) == 100 && t.made == made;
    tokens_put_bulk(&t, held, 100);
    tide_epoch_advance();
    right = right && tokens_are_right(&t, 0) && t.destroyed == before;
    tide_epoch_advance();
    return right && t.destroyed == before + 100 && tokens_are_right(&t, 0);
}

Test(pool, fork_gives_the_child_a_copy)
{
    tokens_open(&t, 200);
    check_count(tide_pool_prewarm(t.pool, 100), 100);
    pid_t child = fork();
    if (child == 0) {
        alarm(CHILD_SECONDS);
        bool right = goes_on();
        tide_pool_destroy(t.pool);
        _exit(right && t.made == t.destroyed ? 0 : 1);
    }
    check_that(goes_on());
    check_that(ended_well(child));
    tokens_close(&t);
}

Test(pool, fork_may_be_nested)
{
    tokens_open(&t, 200);
    check_count(tide_pool_prewarm(t.pool, 100), 100);
    pid_t child = fork();
    if (child == 0) {
        alarm(CHILD_SECONDS);
        pid_t grandchild = fork();
        bool right = goes_on() && (grandchild == 0 || ended_well(grandchild));
        _exit(right ? 0 : 1);
    }
    check_that(ended_well(child));
    check_that(goes_on());
    tokens_close(&t);
}

static _Atomic bool stop;
static size_t failed_children;

/* Whatever the other threads were at when the fork came. */
static int live_as_child(void)
{
    struct token *held[300];
    alarm(CHILD_SECONDS);
    size_t got = tokens_get_bulk(&t, held, 300);
    for (size_t i = 0; i < got; i++)
        tokens_put(&t, held[i]);
    tide_epoch_advance();
    struct token *last = tokens_get(&t);
    if (last)
        tokens_put(&t, last);
    tide_pool_drain(t.pool);
    tide_epoch_advance();
    tide_pool_prewarm(t.pool, 10);
    tide_pool_destroy(t.pool);
    return got == 300 && last && !t.wrong && t.destroyed <= t.made ? 0 : 1;
}

static void fork_often(void)
{
    size_t forks = check_scaled(200);
    for (size_t i = 0; i < forks && !failed_children; i++) {
        pid_t child = fork();
        if (child == 0)
            _exit(live_as_child());
        failed_children += !ended_well(child);
    }
    atomic_store(&stop, true);
}

static void cycle(void)
{
    struct token *held[150];
    size_t got = 0;
    while (got < 150 && (held[got] = tokens_get(&t)))
        got++;
    while (got)
        tokens_put(&t, held[--got]);
}

static void fork_or_work(unsigned index, void *context)
{
    if (index == 0)
        fork_often();
    while (index == 1 && !atomic_load(&stop))
        tide_epoch_advance();
    while (index > 1 && !atomic_load(&stop))
        cycle();
}

Test(pool, fork_at_any_time_leaves_a_pool_that_works)
{
    tokens_open(&t, 20000);
    check_threads(4, fork_or_work, NULL);
    check_count(failed_children, 0);
    check_count(t.failed, 0);
    tokens_check(&t, 0);
    tokens_close(&t);
}

/* liburcu's own: not NULL in a thread that it knows. */
extern DECLARE_URCU_TLS(struct urcu_bp_reader *, urcu_bp_reader);

/* What liburcu locks to make a thread known to itself, a fork may leave locked for ever: in the
 * child no thread needs that. */
static void *fork_first(void *context)
{
    pid_t child = fork();
    if (child == 0)
        _exit(URCU_TLS(urcu_bp_reader) ? 0 : 1);
    failed_children += !ended_well(child);
    return NULL;
}

Test(pool, fork_makes_the_thread_known_to_liburcu_first)
{
    pthread_t thread;
    tokens_open(&t, 100);
    check_that(!pthread_create(&thread, NULL, fork_first, NULL));
    pthread_join(thread, NULL);
    check_count(failed_children, 0);
    tokens_close(&t);
}
