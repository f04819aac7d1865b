/* SPDX-License-Identifier: MIT */
/*
 * used_test.c: whoever takes all stacks learns of each one that was ever used.
 */
#include <sched.h>

#include "stacks.h"

enum { STACKS = 4 };

/* One thread pushes, the first that uses its stack; the other one takes the primary away. */
struct race {
    struct tide__percpu percpu;
    struct tide__percpu_stack *arrays[2];
    _Atomic unsigned turn, ready;
    unsigned turns, refused, unknown;
};

static void meet(_Atomic unsigned *counter, unsigned arrivals)
{
    atomic_fetch_add(counter, 1);
    for (unsigned spins = 1; atomic_load(counter) < arrivals; spins++)
        if (spins % 1000 == 0)
            sched_yield();
}

/* The two set out at every distance from each other, over the turns. */
static void stagger(unsigned turn)
{
    for (volatile unsigned step = 0; step < turn; step++)
        continue;
}

static void push_first(struct race *race, unsigned turn)
{
    static char thing;
    meet(&race->ready, 4 * turn + 2);
    stagger(turn % 61);
    race->refused += !tide__percpu_push_portable(&race->percpu, &thing);
    meet(&race->ready, 4 * turn + 4);
}

static void take_away(struct race *race, unsigned turn)
{
    struct tide__percpu_stack *old = race->arrays[turn % 2], *fresh = race->arrays[(turn + 1) % 2];
    meet(&race->ready, 4 * turn + 2);
    stagger(turn % 67);
    /* Pairs with the acquire in the portable body's enter(). */
    atomic_store_explicit(&race->percpu.primary, fresh, memory_order_release);
    unsigned used = tide__percpu_used_before(&race->percpu);
    meet(&race->ready, 4 * turn + 4);
    race->unknown += stacks_items(old + used, STACKS - used) != 0;
    for (unsigned i = 0; i < STACKS; i++)
        old[i] = fresh[i] = (struct tide__percpu_stack){0};
    atomic_store_explicit(&race->percpu.used, 0, memory_order_relaxed);
}

static void run_race(unsigned index, void *context)
{
    struct race *race = context;
    check_pin(check_cpu(index));
    for (unsigned turn = 0; turn < race->turns; turn++) {
        if (index)
            take_away(race, turn);
        else
            push_first(race, turn);
    }
}

Test(base, percpu_stacks_used_on_an_old_primary_are_known)
{
    static struct race race;
    race = (struct race){.turns = (unsigned)check_scaled(200000)};
    tide__percpu_use_portable();
    tide__percpu_init(&race.percpu);
    race.percpu.count = STACKS;
    race.percpu.used = 0;
    race.arrays[0] = stacks_alloc(&race.percpu);
    race.arrays[1] = stacks_alloc(&race.percpu);
    atomic_store_explicit(&race.percpu.primary, race.arrays[0], memory_order_relaxed);
    check_threads(2, run_race, &race);
    check_count(race.unknown, 0);
    check_count(race.refused, 0);
    free(race.arrays[0]);
    free(race.arrays[1]);
}

/* A number whose turn has not come has no stack until it is claimed. */
Test(base, percpu_sequences_wait_for_their_stack_to_be_claimed)
{
    struct tide__percpu percpu;
    char thing;
    check_pin(check_cpu(0));
    stacks_open(&percpu);
    tide__percpu_use_few(&percpu);
    check_that(tide__percpu_used(&percpu) <= percpu.count);
    percpu.used = 0;
    percpu.rseq_used = 0;
    check_that(!tide__rseq_push(&percpu, &thing));
    unsigned index = tide__percpu_claim(&percpu);
    check_count(tide__percpu_used(&percpu), index + 1);
    check_count(tide__percpu_used_before(&percpu), index + 1);
    check_count(percpu.rseq_used, check_has_rseq() ? index + 1 : 0);
    check_that(stacks_push(&percpu, &thing));
    check_count(tide__percpu_stack_count(&stacks_of(&percpu)[index]), 1);
    stacks_close(&percpu);
}
