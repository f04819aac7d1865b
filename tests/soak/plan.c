/* SPDX-License-Identifier: MIT */
/*
 * plan.c: what a phase does, by its number and the seed alone: a phase can be had again.
 *
 * Most phases do most things at once; what is left out lets what remains run differently.
 */
#include <inttypes.h>
#include <stdio.h>

#include "soak.h"

struct plan plan;
bool plan_with_slots_only;

/* What handlers do is allowed only where no epoch runs in them: slow paths do not drive it. */
static enum pacing choose_pacing(uint64_t random, bool signals)
{
    enum pacing pacing = random % 8 < PACING_COUNT ? (enum pacing)(random % 8) : UNPACED;
    return pacing == PACED_BY_SLOW_PATHS && signals ? PACED_BY_THREAD : pacing;
}

/* Three kinds are always there, so that threads meet on the same few pools. */
static void choose_kinds(struct plan *made, uint64_t *random)
{
    made->stocks = 3 + (unsigned)(next_random(random) % (STOCKS_MAX - 2));
    for (unsigned i = 0; i < made->stocks; i++)
        made->kinds[i] = i < 3 ? (enum kind)i : (enum kind)(next_random(random) % KIND_COUNT);
    for (unsigned i = 0; i < made->stocks && plan_with_slots_only; i++)
        made->kinds[i] = (enum kind)(i % (WEIGHED + 1));
}

/* Mostly 10 kHz from one thread; at times several as fast as they can, or few epochs, so that
 * batches and limits see some use. */
static void choose_epochs(struct plan *made, uint64_t random)
{
    static const unsigned intervals[] = {100, 100, 100, 100, 100, 0, 1000, 20000};
    made->epoch_interval_us = intervals[random % 8];
    made->epoch_threads = made->epoch_interval_us ? 1 : 2 + random / 8 % 2;
}

/* Under sanitizers a forked child waits for ever where another thread held a lock of their
 * allocators when the fork came: they do not know of fork. */
static const bool may_fork = !TIDE__ASAN && !TIDE__TSAN;

struct plan plan_make(uint64_t seed, unsigned number)
{
    uint64_t random = (seed + number * UINT64_C(0x100000001b3)) * UINT64_C(0x9e3779b97f4a7c15) | 1;
    for (int i = 0; i < 4; i++)
        next_random(&random);
    struct plan made = {.seed = seed, .number = number};
    made.length_ms = 500 + (unsigned)(next_random(&random) % 1000);
    made.workers = 2 + (unsigned)(next_random(&random) % 5);
    choose_kinds(&made, &random);
    choose_epochs(&made, next_random(&random));
    made.births = next_random(&random) % 4 != 0;
    made.signals = next_random(&random) % 4 != 0;
    made.cpu_sets = next_random(&random) % 4 == 0;
    made.janitor = next_random(&random) % 8 != 0;
    made.fault_one_in = next_random(&random) % 2 ? 32 << next_random(&random) % 6 : 0;
    made.pacing = choose_pacing(next_random(&random), made.signals);
    made.forks = next_random(&random) % 2 && may_fork;
    return made;
}

void plan_describe(char *text, size_t size)
{
    static const char *const pacings[] = {"none", "slow paths", "thread", "loop"};
    snprintf(text, size,
             "pools %u, workers %u, epochs by %u each %u us, births %d, forks %d, signals %d, "
             "cpu sets %d, janitor %d, faults 1 in %u, pacing %s",
             plan.stocks, plan.workers, plan.epoch_threads, plan.epoch_interval_us, plan.births,
             plan.forks, plan.signals, plan.cpu_sets, plan.janitor, plan.fault_one_in,
             pacings[plan.pacing]);
}
