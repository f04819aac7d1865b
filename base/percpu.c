/* SPDX-License-Identifier: MIT */
/*
 * percpu.c: finds out what the kernel offers, picks the body, and issues the fence.
 */
#include "percpu.h"

#include <linux/membarrier.h>
#include <pthread.h>
#include <sched.h>
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <unistd.h>

#if TIDE__PERCPU_HAS_RSEQ
#include <sys/rseq.h>
#endif

#include "cpu.h"
#include "fault.h"

/* In headers newer than those of Debian 12. */
enum { AUXV_RSEQ_FEATURE_SIZE = 27, RSEQ_OFFSET_CPU_ID = 4, RSEQ_OFFSET_CS = 8 };
enum { USED_AT_FIRST = 8, PORTABLE_PER_CPU = 4, PORTABLE_MIN = 8 };
enum { RSEQ_OFFSET_MM_CID = 24, RSEQ_SIZE_ORIGINAL = 20, RSEQ_SIZE_PADDED = 32 };

static pthread_once_t percpu_once = PTHREAD_ONCE_INIT;
static enum tide__percpu_body percpu_body = TIDE__PERCPU_PORTABLE;
static struct tide__percpu_facts percpu_facts;
static bool percpu_real_cpus;

static bool membarrier(int command)
{
    return syscall(SYS_membarrier, command, 0, 0) == 0;
}

static bool register_membarrier(void)
{
    return membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ) &&
           membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ);
}

#if TIDE__PERCPU_HAS_RSEQ
/* glibc 2.36 says 20 (or 32, padding and all) whatever the kernel fills in, and the kernel
 * says how much that is, so a size that is one of the two stands for min(32, kernel's). */
static unsigned usable_rseq_size(void)
{
    unsigned long features = getauxval(AUXV_RSEQ_FEATURE_SIZE);
    if (__rseq_size != RSEQ_SIZE_ORIGINAL && __rseq_size != RSEQ_SIZE_PADDED)
        return __rseq_size;
    if (features < RSEQ_SIZE_ORIGINAL)
        return RSEQ_SIZE_ORIGINAL;
    return features < RSEQ_SIZE_PADDED ? (unsigned)features : RSEQ_SIZE_PADDED;
}

static ptrdiff_t rseq_offset(void)
{
    return __rseq_offset;
}
#else
static unsigned usable_rseq_size(void)
{
    return 0;
}

static ptrdiff_t rseq_offset(void)
{
    return 0;
}
#endif

static void probe(void)
{
    percpu_facts.rseq_size = usable_rseq_size();
    percpu_facts.rseq = percpu_facts.rseq_size > 0;
    percpu_facts.mm_cid = percpu_facts.rseq_size >= RSEQ_OFFSET_MM_CID + sizeof(uint32_t);
    percpu_facts.membarrier = register_membarrier();
    if (percpu_facts.rseq && percpu_facts.membarrier)
        percpu_body = TIDE__PERCPU_RSEQ;
}

enum tide__percpu_body tide__percpu_body(void)
{
    pthread_once(&percpu_once, probe);
    return percpu_body;
}

struct tide__percpu_facts tide__percpu_facts(void)
{
    pthread_once(&percpu_once, probe);
    return percpu_facts;
}

void tide__percpu_use_cpu_id(void)
{
    percpu_real_cpus = true;
}

void tide__percpu_use_portable(void)
{
    pthread_once(&percpu_once, probe);
    percpu_body = TIDE__PERCPU_PORTABLE;
}

static void set_used(struct tide__percpu *percpu, uint32_t used)
{
    atomic_store_explicit(&percpu->used, used, memory_order_relaxed);
    atomic_store_explicit(&percpu->rseq_used, percpu->rseq_count ? used : 0, memory_order_relaxed);
}

/* In the portable body a thread that does not run keeps the stack that it holds locked. With more
 * stacks than CPUs others find a free one, and four threads on two CPUs have one each. */
static unsigned stack_count(bool sequences)
{
    unsigned cpus = tide__cpu_count(), count = PORTABLE_PER_CPU * cpus;
    if (sequences || tide__cpu_count_is_given())
        return cpus;
    if (count < PORTABLE_MIN)
        count = PORTABLE_MIN;
    return count < TIDE__CPU_MAX ? count : TIDE__CPU_MAX;
}

void tide__percpu_init(struct tide__percpu *percpu)
{
    bool sequences = tide__percpu_body() == TIDE__PERCPU_RSEQ;
    bool compact = percpu_facts.mm_cid && !percpu_real_cpus;
    percpu->sequence_offset = rseq_offset() + RSEQ_OFFSET_CS;
    percpu->cpu_offset = rseq_offset() + (compact ? RSEQ_OFFSET_MM_CID : RSEQ_OFFSET_CPU_ID);
    percpu->count = (uint16_t)stack_count(sequences);
    percpu->rseq_count = sequences ? percpu->count : 0;
    percpu->capacity = TIDE__PERCPU_CAPACITY;
    set_used(percpu, percpu->count);
}

void tide__percpu_use_few(struct tide__percpu *percpu)
{
    set_used(percpu, percpu->count < USED_AT_FIRST ? percpu->count : USED_AT_FIRST);
}

/* Raises `mark` to at least `value`. */
static void raise_mark(_Atomic uint32_t *mark, uint32_t value)
{
    /* Acquire, also where another thread was first, pairs with the release in
     * tide__percpu_used_before: the new primary. */
    uint32_t now = atomic_load_explicit(mark, memory_order_acquire);
    /* Release pairs with the acquire in tide__percpu_used_before. */
    while (now < value && !atomic_compare_exchange_weak_explicit(
                              mark, &now, value, memory_order_acq_rel, memory_order_acquire))
        continue;
}

/* `used` first: a sequence that finds its number below the other mark commits to a stack that
 * the next epoch looks into. */
void tide__percpu_count_used(struct tide__percpu *percpu, unsigned index)
{
    raise_mark(&percpu->used, index + 1);
    if (percpu->rseq_count)
        raise_mark(&percpu->rseq_used, index + 1);
}

unsigned tide__percpu_claim(struct tide__percpu *percpu)
{
    unsigned index = tide__percpu_index(percpu);
    if (index >= atomic_load_explicit(percpu->rseq_count ? &percpu->rseq_used : &percpu->used,
                                      memory_order_relaxed))
        tide__percpu_count_used(percpu, index);
    return index;
}

unsigned tide__percpu_used_before(struct tide__percpu *percpu)
{
    /* A change, though it adds nothing, so that every other one is before it and is seen here, or
     * after it and sees the new primary. Pairs with both sides of raise_mark and with the acquire
     * in count_used. */
    return atomic_fetch_add_explicit(&percpu->used, 0, memory_order_acq_rel);
}

void tide__percpu_after_fork(void)
{
    if (percpu_body == TIDE__PERCPU_RSEQ)
        register_membarrier();
}

unsigned tide__percpu_cpu(void)
{
    int cpu = sched_getcpu();
    return cpu < 0 ? 0 : (unsigned)cpu;
}

bool tide__percpu_fence(void)
{
    if (percpu_body == TIDE__PERCPU_PORTABLE || TIDE__FAULT_NO_FENCE)
        return true;
    return membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ);
}

size_t tide__percpu_pop_bulk(struct tide__percpu *percpu, void **items, size_t count, uint64_t each)
{
    if (!percpu->rseq_count)
        return tide__percpu_pop_bulk_portable(percpu, items, count, each);
    return tide__rseq_pop_bulk(percpu, items, count, each);
}

bool tide__percpu_push_bulk(struct tide__percpu *percpu, void *const *items, size_t count)
{
    if (!count)
        return true;
    if (!percpu->rseq_count)
        return tide__percpu_push_bulk_portable(percpu, items, count);
    return tide__rseq_push_bulk(percpu, items, count);
}
