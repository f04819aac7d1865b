/* SPDX-License-Identifier: MIT */
/*
 * child.c: a forked child uses the pools that it has inherited, and says how that went.
 *
 * What other threads held when the fork came is lost to it, and a count that one was about to
 * change may be off. So only what it gets is looked at: nobody else may have it, and whole it is.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "soak.h"

enum { CHILD_SECONDS = 60, TAKEN_MAX = 300 };

static size_t take(struct stock *stock, struct slot **taken, size_t count, uint32_t id)
{
    size_t got = tide_pool_get_bulk(stock->pool, (void **)taken, count / 2);
    while (got < count && (taken[got] = tide_pool_get(stock->pool)))
        got++;
    for (size_t i = 0; i < got; i++) {
        stock_claim(stock, taken[i], id);
        stock_check_whole(stock, taken[i]);
    }
    return got;
}

static void give(struct stock *stock, struct slot **taken, size_t count, uint32_t id)
{
    for (size_t i = 0; i < count; i++)
        stock_release(stock, taken[i], id);
    size_t half = count / 2;
    tide_pool_put_bulk(stock->pool, (void *const *)taken, half);
    while (count > half)
        tide_pool_put(stock->pool, taken[--count]);
}

static void live(struct stock *stock, struct actor *actor)
{
    struct slot *taken[TAKEN_MAX];
    size_t count = 1 + actor_random(actor, stock->kind == LARGE ? 20 : TAKEN_MAX - 1);
    size_t got = take(stock, taken, count, actor->id);
    tide_epoch_advance();
    give(stock, taken, got, actor->id);
    tide_epoch_advance();
    give(stock, taken, take(stock, taken, count, actor->id), actor->id);
    if (actor_random(actor, 2))
        tide_pool_drain(stock->pool);
    tide_pool_prewarm(stock->pool, actor_random(actor, 20));
}

static int run_child(struct actor *actor)
{
    report_as_child();
    alarm(CHILD_SECONDS);
    if (actor_random(actor, 2))
        faults_start(0);
    for (unsigned i = 0; i < plan.stocks; i++)
        live(&stocks[i], actor);
    tide_epoch_advance();
    for (unsigned i = 0; i < plan.stocks; i++)
        tide_pool_destroy(stocks[i].pool);
    return (int)report_bits();
}

static void judge(int status)
{
    char detail[64];
    unsigned bits = WIFEXITED(status) ? (unsigned)WEXITSTATUS(status) : 0;
    if (!WIFEXITED(status) || bits >= 1U << WRONG_COUNT) {
        snprintf(detail, sizeof(detail), "a child ended with status %#x", (unsigned)status);
        report_wrong(CORRUPTED, 1, "any", detail);
        return;
    }
    for (int i = 0; i < WRONG_COUNT; i++)
        if (bits & 1U << i)
            report_wrong((enum wrong)i, 1, "any", "in a child");
}

void fork_once(struct actor *actor)
{
    int status = -1;
    pid_t child = fork();
    if (child == 0)
        _exit(run_child(actor));
    if (child < 0)
        return; /* no more processes for now */
    atomic_fetch_add(&totals.forks, 1);
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        continue;
    judge(status);
}
