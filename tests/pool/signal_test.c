/* SPDX-License-Identifier: MIT */
/*
 * signal_test.c: a signal handler gets and puts in the middle of whatever its thread does.
 */
#include <signal.h>
#include <sys/time.h>

#include "check.h"
#include "tokens.h"

enum { STASH = 8, TIMER_US = 50 };

static struct tokens t;
static struct token *stash[STASH]; /* what the handler holds from one signal to the next */
static size_t stashed;
static _Atomic size_t signals;

static void get_or_put(int number)
{
    size_t turn = atomic_fetch_add(&signals, 1);
    struct token *token = tokens_get(&t);
    if (token)
        tokens_put(&t, token);
    if (turn % 3 == 0 && stashed < STASH && (stash[stashed] = tokens_get(&t)))
        stashed++;
    else if (stashed)
        tokens_put(&t, stash[--stashed]);
}

static void start_signals(void)
{
    struct itimerval timer = {{0, TIMER_US}, {0, TIMER_US}};
    sigaction(SIGALRM, &(struct sigaction){.sa_handler = get_or_put, .sa_flags = SA_RESTART}, NULL);
    setitimer(ITIMER_REAL, &timer, NULL);
}

static void stop_signals(void)
{
    setitimer(ITIMER_REAL, &(struct itimerval){{0, 0}, {0, 0}}, NULL);
    signal(SIGALRM, SIG_IGN);
    while (stashed)
        tokens_put(&t, stash[--stashed]);
}

/* `depth` at a time, so that stacks overflow into batches and are filled from them. */
static void cycle(size_t depth)
{
    struct token *held[400];
    size_t got = 0;
    while (got < depth && (held[got] = tokens_get(&t)))
        got++;
    while (got)
        tokens_put(&t, held[--got]);
}

static void check_interrupted(size_t depth, bool epochs)
{
    size_t enough = check_scaled(4000);
    tokens_open(&t, 2000);
    cycle(400); /* the batches that will be needed exist */
    start_signals();
    for (size_t i = 0; atomic_load(&signals) < enough; i++) {
        cycle(depth);
        if (epochs && i % 64 == 0)
            tide_epoch_advance();
    }
    stop_signals();
    check_count(t.failed, 0);
    tokens_check(&t, 0);
    tokens_close(&t);
}

Test(pool, signal_handler_may_get_and_put)
{
    check_interrupted(1, false);
}

Test(pool, signal_handler_may_get_and_put_amid_epochs)
{
    check_interrupted(2, true);
}

Test(pool, signal_handler_may_get_and_put_amid_slow_paths)
{
    check_interrupted(400, true);
}
