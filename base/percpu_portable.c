/* SPDX-License-Identifier: MIT */
/*
 * percpu_portable.c: the body of percpu.h in portable C, a try-lock per stack.
 *
 * Lock states: FREE, HELD for the few instructions of an operation, CLOSED once an epoch owns
 * the stack. Nobody waits but tide__percpu_close. A signal handler that finds the stack of the
 * thread that it interrupted HELD takes the next one.
 */
#include <sched.h>
#include <string.h>

#include "fault.h"
#include "percpu.h"

enum { FREE, HELD, CLOSED };
enum { SPINS_BEFORE_YIELD = 100 };

/* Between finding a stack and committing to it; tests make it long. */
static inline void fault_delay(void)
{
    for (int spin = 0; spin < TIDE__FAULT_DELAY; spin++)
        cpu_relax();
}

static bool try_lock(struct tide__percpu_stack *stack, uint32_t *state)
{
    *state = FREE;
    /* Pairs with the release in unlock and in tide__percpu_open: items are visible. */
    return atomic_compare_exchange_strong_explicit(&stack->lock, state, HELD, memory_order_acquire,
                                                   memory_order_acquire);
}

static void unlock(struct tide__percpu_stack *stack)
{
    /* Pairs with the acquire in try_lock and in tide__percpu_close. */
    atomic_store_explicit(&stack->lock, FREE, memory_order_release);
}

/* Locks this thread's stack or one after it; NULL if all are taken. */
static struct tide__percpu_stack *enter(struct tide__percpu *percpu)
{
    unsigned start = tide__percpu_index_portable(percpu->count);
    for (unsigned tried = 0; tried < percpu->count; tried++) {
        /* Pairs with the release store of a new primary in tide__generation_swap. */
        struct tide__percpu_stack *stacks =
            atomic_load_explicit(&percpu->primary, memory_order_acquire);
        struct tide__percpu_stack *stack = &stacks[(start + tried) % percpu->count];
        uint32_t state;
        if (try_lock(stack, &state)) {
            fault_delay();
            return stack;
        }
        if (state == CLOSED)
            tried--; /* there is a new primary, stored before this one was closed */
    }
    return NULL;
}

static void commit(struct tide__percpu_stack *stack, uint64_t change)
{
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

size_t tide__percpu_pop_bulk_portable(struct tide__percpu *percpu, void **items, size_t count)
{
    struct tide__percpu_stack *stack = enter(percpu);
    if (!stack)
        return 0;
    unsigned present = tide__percpu_stack_count(stack);
    size_t moved = count < present ? count : present;
    memcpy(items, &stack->items[present - moved], moved * sizeof(*items));
    commit(stack, -(uint64_t)moved);
    return moved;
}

bool tide__percpu_push_bulk_portable(struct tide__percpu *percpu, void *const *items, size_t count)
{
    struct tide__percpu_stack *stack = enter(percpu);
    if (!stack)
        return false;
    unsigned present = tide__percpu_stack_count(stack);
    bool fits = count <= percpu->capacity - present;
    if (fits)
        memcpy(&stack->items[present], items, count * sizeof(*items));
    commit(stack, fits ? count : 0);
    return fits;
}

static void close_stack(struct tide__percpu_stack *stack)
{
    uint32_t state = FREE;
    /* Pairs with the release in unlock: the last commit is visible to the new owner. The
     * release shows the new primary to the acquire in try_lock that finds this CLOSED. */
    for (unsigned spins = 1; !atomic_compare_exchange_weak_explicit(
             &stack->lock, &state, CLOSED, memory_order_acq_rel, memory_order_relaxed);
         spins++, state = FREE) {
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
    for (unsigned i = 0; i < count; i++)
        close_stack(&stacks[i]);
}

void tide__percpu_open(struct tide__percpu_stack *stacks, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        unlock(&stacks[i]);
}

void tide__percpu_unlock(struct tide__percpu_stack *stacks, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        uint32_t state = HELD;
        atomic_compare_exchange_strong_explicit(&stacks[i].lock, &state, FREE, memory_order_relaxed,
                                                memory_order_relaxed);
    }
}
