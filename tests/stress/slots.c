/* SPDX-License-Identifier: MIT */
/*
 * slots.c: the free slots of an array, a list whose head carries a tag against ABA.
 */
#include "slots.h"

#include <stddef.h>

static const uint64_t TAG = UINT64_C(1) << 32;

static struct slot *pop(struct slots *slots)
{
    /* Acquire pairs with the release in slots_give, here and in the exchange. */
    uint64_t top = atomic_load_explicit(&slots->top, memory_order_acquire), below;
    do {
        uint32_t index = (uint32_t)top;
        if (!index)
            return NULL;
        below = atomic_load_explicit(&slots->array[index].next, memory_order_relaxed);
        below |= (top & -TAG) + TAG;
        /* Acquire pairs with slots_give. */
    } while (!atomic_compare_exchange_weak_explicit(&slots->top, &top, below, memory_order_acquire,
                                                    memory_order_acquire));
    return &slots->array[(uint32_t)top];
}

/* One that has never been used. */
static struct slot *extend(struct slots *slots)
{
    uint32_t used = atomic_load_explicit(&slots->used, memory_order_relaxed);
    do {
        if (used + 1 >= slots->count)
            return NULL;
    } while (!atomic_compare_exchange_weak_explicit(&slots->used, &used, used + 1,
                                                    memory_order_relaxed, memory_order_relaxed));
    return &slots->array[used + 1];
}

struct slot *slots_take(struct slots *slots)
{
    struct slot *slot = pop(slots);
    if (!slot)
        slot = extend(slots);
    if (!slot)
        return NULL;
    atomic_fetch_add_explicit(&slots->created, 1, memory_order_relaxed);
    slot_pass(slot, SLOT_CACHED);
    return slot;
}

void slots_give(struct slots *slots, struct slot *slot)
{
    uint64_t top = atomic_load_explicit(&slots->top, memory_order_relaxed), next;
    atomic_fetch_add_explicit(&slots->destroyed, 1, memory_order_relaxed);
    do {
        atomic_store_explicit(&slot->next, (uint32_t)top, memory_order_relaxed);
        next = ((top & -TAG) + TAG) | (uint32_t)(slot - slots->array);
        /* Release pairs with the acquire in pop. */
    } while (!atomic_compare_exchange_weak_explicit(&slots->top, &top, next, memory_order_release,
                                                    memory_order_relaxed));
}
