/* SPDX-License-Identifier: MIT */
/*
 * percpu_portable.c: the body of percpu.h in portable C, a try-lock per stack.
 *
 * A lock is FREE, or HELD for the few instructions of an operation; CLOSED is added when an
 * epoch takes the stack, so that nobody enters any more, and owns it once it is not HELD. Nobody
 * waits but tide__percpu_close. A signal handler that finds the stack of the thread that it
 * interrupted HELD takes the next one.
 */
#include <sched.h>
#include <string.h>

#include "fault.h"
#include "percpu.h"

enum { FREE = 0, HELD = 1, CLOSED = 2 };
enum { SPINS_BEFORE_YIELD = 100 };

/* Between looking into a stack and committing to it; tests make it long. */
static inline void fault_delay(void)
{
    for (int spin = 0; spin < TIDE__FAULT_DELAY; spin++)
        cpu_relax();
}

static bool try_lock(struct tide__percpu_stack *stack, uint32_t *state)
{
    *state = FREE;
    /* Pairs with the release in unlock and in tide__percpu_open: items are visible. Finding it
     * CLOSED pairs with the release in tide__percpu_close: the new primary is. */
    return atomic_compare_exchange_strong_explicit(&stack->lock, state, HELD, memory_order_acquire,
                                                   memory_order_acquire);
}

static void unlock(struct tide__percpu_stack *stack)
{
    /* Pairs with the acquire in try_lock and in wait_unlocked. */
    atomic_fetch_and_explicit(&stack->lock, ~(uint32_t)HELD, memory_order_release);
}

/* Before the primary is loaded: an epoch that does not know of this stack yet has not asked how
 * many are used, or its new primary is found. */
static void count_used(struct tide__percpu *percpu, unsigned index)
{
    /* Pairs with the release in tide__percpu_used_before. */
    if (index >= atomic_load_explicit(&percpu->used, memory_order_acquire))
        tide__percpu_count_used(percpu, index);
}

/* Locks this thread's stack or one after it; NULL if all are taken. */
static struct tide__percpu_stack *enter(struct tide__percpu *percpu)
{
    unsigned start = tide__percpu_index_portable(percpu->count);
    for (unsigned tried = 0; tried < percpu->count; tried++) {
        unsigned index = (start + tried) % percpu->count;
        count_used(percpu, index);
        /* Pairs with the release store of a new primary in tide__generation_swap. */
        struct tide__percpu_stack *stacks =
            atomic_load_explicit(&percpu->primary, memory_order_acquire);
        struct tide__percpu_stack *stack = &stacks[index];
        uint32_t state;
        if (try_lock(stack, &state))
            return stack;
        if (state & CLOSED)
            tried--; /* there is a new primary, stored before this one was closed */
    }
    return NULL;
}

static void commit(struct tide__percpu_stack *stack, uint64_t change)
{
    fault_delay();
    uint64_t word = atomic_load_explicit(&stack->word, memory_order_relaxed);
    atomic_store_explicit(&stack->word, word + change, memory_order_relaxed);
    unlock(stack);
}

unsigned tide__percpu_index_portable(unsigned count)
{
    static _Atomic unsigned threads;
    static _Thread_local unsigned thread; /* 0: none yet */
    if (!thread)
        thread = 1 + atomic_fetch_add_explicit(&threads, 1, memory_order_relaxed) % INT32_MAX;
    return thread % count;
}

void *tide__percpu_pop_portable(struct tide__percpu *percpu)
{
    struct tide__percpu_stack *stack = enter(percpu);
    if (!stack)
        return NULL;
    unsigned count = tide__percpu_stack_count(stack);
    void *object = count ? stack->items[count - 1] : NULL;
    commit(stack, object ? TIDE__PERCPU_HIT - 1 : 0);
    return object;
}

bool tide__percpu_push_portable(struct tide__percpu *percpu, void *object)
{
    return tide__percpu_push_bulk_portable(percpu, &object, 1);
}

size_t tide__percpu_pop_bulk_portable(struct tide__percpu *percpu, void **items, size_t count,
                                      uint64_t each)
{
    struct tide__percpu_stack *stack = enter(percpu);
    if (!stack)
        return 0;
    unsigned present = tide__percpu_stack_count(stack);
    size_t moved = count < present ? count : present;
    memcpy(items, &stack->items[present - moved], moved * sizeof(*items));
    commit(stack, -(uint64_t)moved * each);
    return moved;
}

bool tide__percpu_push_bulk_portable(struct tide__percpu *percpu, void *const *items, size_t count)
{
    struct tide__percpu_stack *stack = enter(percpu);
    if (!stack)
        return false;
    unsigned present = tide__percpu_stack_count(stack);
    bool fits = count + present <= percpu->capacity;
    if (fits)
        memcpy(&stack->items[present], items, count * sizeof(*items));
    commit(stack, fits ? count : 0);
    return fits;
}

static void wait_unlocked(struct tide__percpu_stack *stack)
{
    /* Pairs with the release in unlock: the last commit is visible to the new owner. */
    for (unsigned spins = 1; atomic_load_explicit(&stack->lock, memory_order_acquire) & HELD;
         spins++) {
        if (spins % SPINS_BEFORE_YIELD)
            cpu_relax();
        else
            sched_yield();
    }
}

void tide__percpu_close(struct tide__percpu_stack *stacks, unsigned count)
{
    if (tide__percpu_body() != TIDE__PERCPU_PORTABLE || TIDE__FAULT_NO_FENCE)
        return;
    for (unsigned i = 0; i < count; i++) {
        /* Pairs with the acquire in try_lock: who finds this finds the new primary. */
        atomic_fetch_or_explicit(&stacks[i].lock, CLOSED, memory_order_release);
    }
    for (unsigned i = 0; i < count; i++)
        wait_unlocked(&stacks[i]);
}

void tide__percpu_open(struct tide__percpu_stack *stacks, unsigned count)
{
    if (tide__percpu_body() != TIDE__PERCPU_PORTABLE)
        return; /* nor are the pages of CPUs that nothing ran on written to */
    /* Pairs with the acquire in try_lock. */
    for (unsigned i = 0; i < count; i++)
        atomic_store_explicit(&stacks[i].lock, FREE, memory_order_release);
}

void tide__percpu_unlock(struct tide__percpu_stack *stacks, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        atomic_fetch_and_explicit(&stacks[i].lock, ~(uint32_t)HELD, memory_order_relaxed);
}
