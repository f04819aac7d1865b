/* SPDX-License-Identifier: MIT */
/*
 * faults.c: allocations, create hooks and fences fail at random, if a phase asks for it.
 */
#include "heap_faults.h"
#include "percpu.h"
#include "soak.h"

bool __real_tide__percpu_fence(void);
bool __wrap_tide__percpu_fence(void);

static _Atomic unsigned one_in;
static _Atomic uint64_t injected;

void faults_start(unsigned wanted)
{
    atomic_store(&one_in, wanted);
}

uint64_t faults_count(void)
{
    return atomic_load_explicit(&injected, memory_order_relaxed);
}

/* Asked on slow paths only; a handler may come in between, and repeats a number at most. */
bool fault_is_due(void)
{
    static _Thread_local uint64_t random;
    unsigned chance = atomic_load_explicit(&one_in, memory_order_relaxed);
    if (!chance)
        return false;
    if (!random)
        random = (plan.seed + plan.number) ^ (uint64_t)(uintptr_t)&random * 0x9e3779b97f4a7c15u;
    bool due = next_random(&random) % chance == 0;
    if (due)
        atomic_fetch_add_explicit(&injected, 1, memory_order_relaxed);
    return due;
}

bool heap_fails(void)
{
    return fault_is_due();
}

/* As where a sandbox forbids the membarrier. */
bool __wrap_tide__percpu_fence(void)
{
    return !fault_is_due() && __real_tide__percpu_fence();
}
