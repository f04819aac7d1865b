/* SPDX-License-Identifier: MIT */
/*
 * percpu.h: stacks of pointers, one per CPU, that their CPU alone works on without a lock.
 *
 * The seam between the pools and the machine. A `tide__percpu` names an array of stacks; each
 * operation below happens as a whole or not at all, on the stack of the CPU that it runs on:
 *
 *     pop:        s = primary[cpu]                          restart from here when preempted,
 *                 if !s.count: return NULL                  migrated or signalled before the
 *                 object = s.items[s.count - 1]             commit
 *                 s.word += HIT - 1            <- commit
 *     push:       s = primary[cpu]
 *                 if s.count == capacity: return false
 *                 s.items[s.count] = object
 *                 s.word += 1                  <- commit
 *     pop_bulk:   moves the top min(count, s.count) items out, commits once
 *     push_bulk:  moves `count` items in if all fit, commits once
 *
 * `primary` and the CPU are loaded inside the sequence. So whoever stores another primary and
 * then calls tide__percpu_fence owns the old stacks: no sequence that saw them can still
 * commit.
 *
 * Two bodies keep the contract. The first is a restartable sequence (rseq(2)), in
 * percpu_x86_64.h and percpu_aarch64.h. The second is portable C in percpu_portable.c: a
 * thread tries the lock of a stack that it prefers and goes on to the next one when it is
 * taken, so it never waits either. It has more stacks than there are CPUs. It serves where the
 * kernel, valgrind, an emulator or a tunable takes rseq away (then `rseq_used` is 0, and no CPU
 * number is below it), and at build time for other CPUs and under ThreadSanitizer.
 *
 * Ideas: rseq and its rules, librseq and tcmalloc's percpu; compact CPU numbers (mm_cid),
 * Linux 6.3 and tcmalloc's virtual CPUs.
 */
#ifndef TIDE_BASE_PERCPU_H
#define TIDE_BASE_PERCPU_H

#include <assert.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "compiler.h"
#include "cpu.h"

enum {
    TIDE__PERCPU_SHIFT = 10,    /* log2 of the bytes from one CPU's stack to the next one's */
    TIDE__PERCPU_CAPACITY = 126 /* items that fit a stack */
};

/* `word` holds the count of items in its low 16 bits and the number of pops above them: hits
 * are counted by the store that commits, and cost nothing. Pops wrap at 2^48. */
#define TIDE__PERCPU_COUNT_MASK UINT64_C(0xffff)
#define TIDE__PERCPU_HIT UINT64_C(0x10000)

/* What a bulk pop takes off the word for each item: moved elsewhere, or a hit. */
#define TIDE__PERCPU_MOVED UINT64_C(1)
#define TIDE__PERCPU_GOT (1 - TIDE__PERCPU_HIT)

/* Owned by its CPU while it is part of a primary array, by whoever fenced it out after that. */
struct tide__percpu_stack {
    alignas(CACHE_LINE) _Atomic uint64_t word;
    _Atomic uint32_t lock; /* the portable body's; unused by the other */
    uint32_t reserved;
    void *items[TIDE__PERCPU_CAPACITY];
};

static_assert(sizeof(struct tide__percpu_stack) == 1 << TIDE__PERCPU_SHIFT, "the stride");

struct tide__percpu {
    struct tide__percpu_stack *_Atomic primary;
    ptrdiff_t sequence_offset;  /* of rseq_cs, from the thread pointer */
    ptrdiff_t cpu_offset;       /* of the CPU number, likewise */
    _Atomic uint32_t rseq_used; /* CPU numbers below it may use the sequences: none, or `used` */
    _Atomic uint32_t used;      /* stacks below it may have been used; grows, at most to `count` */
    uint32_t capacity;          /* items that may be in a stack, at most the constant above */
    uint16_t rseq_count;        /* stacks that the sequences serve: all, or none of them */
    uint16_t count;             /* stacks in an array */
};

static_assert(TIDE__CPU_MAX <= UINT16_MAX, "the counts");

enum tide__percpu_body { TIDE__PERCPU_RSEQ, TIDE__PERCPU_PORTABLE };

/* What the running kernel and C library offer. */
struct tide__percpu_facts {
    bool rseq;          /* glibc registered the thread */
    bool mm_cid;        /* and the kernel fills in compact CPU numbers */
    bool membarrier;    /* and restarts the sequences of other CPUs on request */
    unsigned rseq_size; /* usable bytes of struct rseq, 0 without rseq */
};

/* Finds out once, registers the process for the membarrier, picks the body. MT-safe. */
enum tide__percpu_body tide__percpu_body(void);
struct tide__percpu_facts tide__percpu_facts(void);

/* For tests, before any tide__percpu_init: use the kernel's real CPU numbers even where there
 * are compact ones; use the portable body even where there is rseq. */
void tide__percpu_use_cpu_id(void);
void tide__percpu_use_portable(void);

/* Sets up everything but `primary`. All stacks count as used. */
void tide__percpu_init(struct tide__percpu *percpu);

/* Before the first operation: counts but a few stacks as used, and each other one from when it
 * is. The portable body sees to that; a sequence on a CPU number whose turn has not come finds
 * nothing and has no room, until tide__percpu_claim. So whoever goes through all stacks goes
 * through those that there are threads for, and the others' memory is never touched. */
void tide__percpu_use_few(struct tide__percpu *percpu);

/* As tide__percpu_index; and the stack counts as used from now on. */
unsigned tide__percpu_claim(struct tide__percpu *percpu);

/* After the fence, before the close: no operation on an old primary used a stack from this
 * number on. */
unsigned tide__percpu_used_before(struct tide__percpu *percpu);

/* In a forked child: registers the new process for the membarrier. */
void tide__percpu_after_fork(void);

/* The real CPU that this thread is on, a hint. */
unsigned tide__percpu_cpu(void);

/* After storing a new `primary`: returns true when no sequence on another CPU that loaded the
 * old one can commit any more. False if the kernel refuses: the old array is still in use. */
bool tide__percpu_fence(void);

/* After the fence, once for each array it was meant for: takes the stacks from the portable
 * body for good. Waits at most for the few instructions of a thread inside. */
void tide__percpu_close(struct tide__percpu_stack *stacks, unsigned count);

/* Makes a closed, emptied array fit to be a primary again. */
void tide__percpu_open(struct tide__percpu_stack *stacks, unsigned count);

/* In a forked child: frees locks whose holders do not exist here. */
void tide__percpu_unlock(struct tide__percpu_stack *stacks, unsigned count);

/* Moves up to `count` items out of this CPU's stack, newest last; returns how many. `each` is
 * MOVED or GOT. */
size_t tide__percpu_pop_bulk(struct tide__percpu *percpu, void **items, size_t count,
                             uint64_t each);

/* Moves all `count` items into this CPU's stack, or none: false. */
bool tide__percpu_push_bulk(struct tide__percpu *percpu, void *const *items, size_t count);

/* The portable body, to be called only where it was picked. */
void *tide__percpu_pop_portable(struct tide__percpu *percpu);
bool tide__percpu_push_portable(struct tide__percpu *percpu, void *object);
size_t tide__percpu_pop_bulk_portable(struct tide__percpu *percpu, void **items, size_t count,
                                      uint64_t each);
bool tide__percpu_push_bulk_portable(struct tide__percpu *percpu, void *const *items, size_t count);
unsigned tide__percpu_index_portable(unsigned count);
void tide__percpu_count_used(struct tide__percpu *percpu, unsigned index);

static inline unsigned tide__percpu_stack_count(const struct tide__percpu_stack *stack)
{
    return (unsigned)(atomic_load_explicit(&stack->word, memory_order_relaxed) &
                      TIDE__PERCPU_COUNT_MASK);
}

static inline uint64_t tide__percpu_stack_pops(const struct tide__percpu_stack *stack)
{
    return atomic_load_explicit(&stack->word, memory_order_relaxed) / TIDE__PERCPU_HIT;
}

#if !TIDE__TSAN && defined(__x86_64__) && defined(__linux__) && __has_include(<sys/rseq.h>)
#include "percpu_x86_64.h"
#elif !TIDE__TSAN && defined(__aarch64__) && defined(__linux__) && __has_include(<sys/rseq.h>)
#include "percpu_aarch64.h"
#else
#include "percpu_none.h"
#endif

/* How many stacks may have been used; a hint, it may grow at once. */
static inline unsigned tide__percpu_used(const struct tide__percpu *percpu)
{
    return atomic_load_explicit(&percpu->used, memory_order_relaxed);
}

/* The stack that this thread would use, always below `count`; a hint, it may change at once. */
static inline unsigned tide__percpu_index(const struct tide__percpu *percpu)
{
    if (!percpu->rseq_count)
        return tide__percpu_index_portable(percpu->count);
    unsigned cpu = tide__rseq_cpu(percpu);
    return cpu < percpu->count ? cpu : 0;
}

#endif
