/* SPDX-License-Identifier: MIT */
/*
 * stacks.h: a percpu of its own for a test, and its operations on whichever body it has.
 */
#ifndef TIDE_TESTS_STACKS_H
#define TIDE_TESTS_STACKS_H

#include <stdlib.h>

#include "check.h"
#include "percpu.h"

static inline struct tide__percpu_stack *stacks_alloc(const struct tide__percpu *percpu)
{
    size_t size = percpu->count * sizeof(struct tide__percpu_stack);
    struct tide__percpu_stack *stacks = aligned_alloc(CACHE_LINE, size);
    check_that(stacks);
    for (unsigned i = 0; i < percpu->count; i++)
        stacks[i] = (struct tide__percpu_stack){0};
    return stacks;
}

static inline struct tide__percpu_stack *stacks_of(const struct tide__percpu *percpu)
{
    return atomic_load_explicit(&percpu->primary, memory_order_relaxed);
}

static inline void stacks_open(struct tide__percpu *percpu)
{
    tide__percpu_init(percpu);
    atomic_store_explicit(&percpu->primary, stacks_alloc(percpu), memory_order_relaxed);
}

static inline void stacks_close(struct tide__percpu *percpu)
{
    free(stacks_of(percpu));
}

static inline void *stacks_pop(struct tide__percpu *percpu)
{
    return percpu->rseq_count ? tide__rseq_pop(percpu) : tide__percpu_pop_portable(percpu);
}

static inline bool stacks_push(struct tide__percpu *percpu, void *object)
{
    return percpu->rseq_count ? tide__rseq_push(percpu, object)
                              : tide__percpu_push_portable(percpu, object);
}

/* Items in all stacks, and pops from them. */
static inline uint64_t stacks_items(const struct tide__percpu_stack *stacks, unsigned count)
{
    uint64_t items = 0;
    for (unsigned i = 0; i < count; i++)
        items += tide__percpu_stack_count(&stacks[i]);
    return items;
}

static inline uint64_t stacks_pops(const struct tide__percpu_stack *stacks, unsigned count)
{
    uint64_t pops = 0;
    for (unsigned i = 0; i < count; i++)
        pops += tide__percpu_stack_pops(&stacks[i]);
    return pops;
}

#endif
