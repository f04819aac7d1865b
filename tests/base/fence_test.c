/* SPDX-License-Identifier: MIT */
/*
 * fence_test.c: whoever changes the primary and fences owns the old stacks.
 */
#include <sched.h>

#include "stacks.h"

static char things[100];

Test(base, percpu_closed_stacks_are_left_for_the_new_primary)
{
    struct tide__percpu percpu;
    check_pin(check_cpu(0));
    stacks_open(&percpu);
    struct tide__percpu_stack *old = stacks_of(&percpu), *fresh = stacks_alloc(&percpu);
    check_that(stacks_push(&percpu, &things[0]));
    atomic_store(&percpu.primary, fresh);
    check_that(tide__percpu_fence());
    tide__percpu_close(old, percpu.count);
    check_that(!stacks_pop(&percpu));
    check_that(stacks_push(&percpu, &things[1]));
    check_count(stacks_items(old, percpu.count), 1);
    check_count(stacks_items(fresh, percpu.count), 1);
    tide__percpu_open(old, percpu.count);
    atomic_store(&percpu.primary, old);
    check_that(tide__percpu_fence());
    tide__percpu_close(fresh, percpu.count);
    check_that(stacks_pop(&percpu) == &things[0]);
    free(fresh);
    stacks_close(&percpu);
}

Test(base, percpu_unlock_frees_what_a_fork_left_held)
{
    struct tide__percpu percpu;
    tide__percpu_use_portable();
    stacks_open(&percpu);
    for (unsigned i = 0; i < percpu.count; i++)
        atomic_store(&stacks_of(&percpu)[i].lock, 1);
    check_that(!stacks_push(&percpu, &things[0]));
    check_that(!stacks_pop(&percpu));
    tide__percpu_unlock(stacks_of(&percpu), percpu.count);
    check_that(stacks_push(&percpu, &things[0]));
    check_that(stacks_pop(&percpu) == &things[0]);
    stacks_close(&percpu);
}

/* Threads take and give; one swaps the primary and watches the old stacks. */
struct swapping {
    struct tide__percpu percpu;
    struct tide__percpu_stack *arrays[2];
    size_t swaps;
    _Atomic size_t pushed, popped;
    _Atomic bool stop;
    size_t changed, emptied;
};

static void take_and_give(struct swapping *s, unsigned index)
{
    size_t pushed = 0, popped = 0;
    while (!atomic_load_explicit(&s->stop, memory_order_relaxed)) {
        for (int i = 0; i < 30; i++)
            pushed += stacks_push(&s->percpu, &things[index]);
        for (int i = 0; i < 20; i++)
            popped += stacks_pop(&s->percpu) != NULL;
    }
    atomic_fetch_add(&s->pushed, pushed);
    atomic_fetch_add(&s->popped, popped);
}

/* Gives the others time on the other CPUs, and at times on this one. */
static void wait_a_little(size_t turn)
{
    for (int spin = 0; spin < 500; spin++)
        cpu_relax();
    if (turn % 16 == 0)
        sched_yield();
}

/* How many of the old stacks' words change while we own them; empties them. */
static size_t watch(struct swapping *s, struct tide__percpu_stack *old, size_t turn)
{
    uint64_t words[64];
    size_t changed = 0;
    unsigned count = s->percpu.count < 64 ? s->percpu.count : 64;
    for (unsigned i = 0; i < count; i++)
        words[i] = atomic_load(&old[i].word);
    wait_a_little(turn);
    for (unsigned i = 0; i < count; i++)
        changed += atomic_load(&old[i].word) != words[i];
    s->emptied += stacks_items(old, s->percpu.count);
    for (unsigned i = 0; i < s->percpu.count; i++)
        atomic_store(&old[i].word, 0);
    return changed;
}

static void swap_often(struct swapping *s)
{
    for (size_t i = 0; i < s->swaps; i++) {
        struct tide__percpu_stack *old = s->arrays[i % 2], *fresh = s->arrays[(i + 1) % 2];
        if (i)
            tide__percpu_open(fresh, s->percpu.count);
        atomic_store(&s->percpu.primary, fresh);
        check_that(tide__percpu_fence());
        tide__percpu_close(old, s->percpu.count);
        s->changed += watch(s, old, i);
    }
    atomic_store(&s->stop, true);
}

static void swap_or_use(unsigned index, void *context)
{
    if (index == 0)
        swap_often(context);
    else
        take_and_give(context, index);
}

Test(base, percpu_fence_makes_the_old_stacks_ours)
{
    struct swapping s = {.swaps = check_scaled(1000)};
    stacks_open(&s.percpu);
    s.arrays[0] = stacks_of(&s.percpu);
    s.arrays[1] = stacks_alloc(&s.percpu);
    check_threads(4, swap_or_use, &s);
    check_count(s.changed, 0);
    uint64_t left = stacks_items(stacks_of(&s.percpu), s.percpu.count);
    check_count(s.popped + s.emptied + left, s.pushed);
    free(s.arrays[0]);
    free(s.arrays[1]);
}
