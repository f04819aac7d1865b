/* SPDX-License-Identifier: MIT */
/*
 * percpu_aarch64.h: the restartable sequences of percpu.h for aarch64.
 *
 * The shape and the rules are those told in percpu_x86_64.h. The commit is a plain store: the
 * kernel orders it when the CPU changes hands, and the fence's membarrier when an array does.
 */
#ifndef TIDE_BASE_PERCPU_AARCH64_H
#define TIDE_BASE_PERCPU_AARCH64_H

#include "fault.h"

#define TIDE__PERCPU_HAS_RSEQ 1

#define TIDE__STRING(x) #x
#define TIDE__EXPAND(x) TIDE__STRING(x)

/* A delay that tests put inside a sequence; it uses the count's register before the count. */
#ifdef TIDE_FAULT_DELAY
#define TIDE__RSEQ_DELAY                                                                           \
    "mov %[n], #" TIDE__EXPAND(TIDE_FAULT_DELAY) "\n"                                              \
    "8: yield\n subs %[n], %[n], #1\n b.ne 8b\n"
#else
#define TIDE__RSEQ_DELAY
#endif

#define TIDE__RSEQ_BEGIN(none)                                                                     \
    ".pushsection __rseq_cs, \"aw\"\n"                                                             \
    ".balign 32\n"                                                                                 \
    "3: .long 0, 0\n .quad 1f, 2f - 1f, 4f\n"                                                      \
    ".popsection\n"                                                                                \
    ".pushsection __rseq_cs_ptr_array, \"aw\"\n .quad 3b\n .popsection\n"                          \
    "b 0f\n"                                                                                       \
    ".inst 0xd428bc00\n" /* brk, the signature */                                                  \
    "4: b 0f\n"                                                                                    \
    "0: mov " none                                                                                 \
    ", xzr\n" /* what is returned when the sequence leaves early */                                \
    "adrp %[stack], 3b\n"                                                                          \
    "add %[stack], %[stack], :lo12:3b\n"                                                           \
    "str %[stack], [%[sequence]]\n"                                                                \
    "1: ldr %w[stack], [%[cpu]]\n"                                                                 \
    "ldr %w[n], %[cpus]\n"                                                                         \
    "cmp %w[stack], %w[n]\n"                                                                       \
    "b.hs 2f\n"                                                                                    \
    "ldr %[n], %[primary]\n"                                                                       \
    "add %[stack], %[n], %[stack], lsl %[shift]\n"                                                 \
    "ldr %[word], [%[stack]]\n" TIDE__RSEQ_DELAY "and %[n], %[word], #0xffff\n"

#define TIDE__RSEQ_COMMIT                                                                          \
    "str %[word], [%[stack]]\n"                                                                    \
    "2:\n"

#define TIDE__RSEQ_OUTPUTS [stack] "=&r"(stack), [word] "=&r"(word), [n] "=&r"(n)

#define TIDE__RSEQ_INPUTS(percpu)                                                                  \
    [sequence] "r"(tide__thread() + (percpu)->sequence_offset),                                    \
        [cpu] "r"(tide__thread() + (percpu)->cpu_offset), [cpus] "Q"((percpu)->rseq_used),         \
        [primary] "Q"((percpu)->primary), [shift] "i"(TIDE__PERCPU_SHIFT)

static inline char *tide__thread(void)
{
    return (char *)__builtin_thread_pointer();
}

/* clang-format off: one instruction a line */
static inline void *tide__rseq_pop(struct tide__percpu *percpu)
{
    void *object;
    uint64_t stack, word, n;
    __asm__ volatile(
        TIDE__RSEQ_BEGIN("%[object]")
        "cbz %[n], 2f\n"
        "add %[n], %[stack], %[n], lsl #3\n"
        "ldr %[object], [%[n], #8]\n"
        "mov %[n], #0xffff\n" /* HIT - 1 */
        "add %[word], %[word], %[n]\n"
        TIDE__RSEQ_COMMIT
        : [object] "=&r"(object), TIDE__RSEQ_OUTPUTS
        : TIDE__RSEQ_INPUTS(percpu)
        : "memory", "cc");
    return object;
}

static inline bool tide__rseq_push(struct tide__percpu *percpu, void *object)
{
    uint64_t stack, word, n, done;
    __asm__ volatile(
        TIDE__RSEQ_BEGIN("%[done]")
        "cmp %w[n], %w[capacity]\n"
        "b.hs 2f\n"
        "add %[n], %[stack], %[n], lsl #3\n"
        "str %[object], [%[n], #16]\n"
        "add %[word], %[word], #1\n"
        "mov %[done], #1\n"
        TIDE__RSEQ_COMMIT
        : [done] "=&r"(done), TIDE__RSEQ_OUTPUTS
        : TIDE__RSEQ_INPUTS(percpu), [object] "r"(object), [capacity] "r"(percpu->capacity)
        : "memory", "cc");
    return done;
}

/* Copies index items from source to target, from the last to the first. */
#define TIDE__RSEQ_COPY(source, target)                                                            \
    "7: sub %[index], %[index], #1\n"                                                              \
    "ldr %[item], [" source                                                                        \
    ", %[index], lsl #3]\n"                                                                        \
    "str %[item], [" target                                                                        \
    ", %[index], lsl #3]\n"                                                                        \
    "cbnz %[index], 7b\n"

static inline size_t tide__rseq_pop_bulk(struct tide__percpu *percpu, void **items, size_t count,
                                         uint64_t each)
{
    uint64_t stack, word, n, moved, index, item;
    __asm__ volatile(
        TIDE__RSEQ_BEGIN("%[moved]")
        "cmp %[count], %[n]\n"
        "csel %[moved], %[n], %[count], hi\n"
        "cbz %[moved], 2f\n"
        "msub %[word], %[moved], %[each], %[word]\n"
        "sub %[n], %[n], %[moved]\n"
        "add %[n], %[stack], %[n], lsl #3\n"
        "add %[n], %[n], #16\n"
        "mov %[index], %[moved]\n"
        TIDE__RSEQ_COPY("%[n]", "%[items]")
        TIDE__RSEQ_COMMIT
        : [moved] "=&r"(moved), [index] "=&r"(index), [item] "=&r"(item), TIDE__RSEQ_OUTPUTS
        : TIDE__RSEQ_INPUTS(percpu), [items] "r"(items), [count] "r"(count), [each] "r"(each)
        : "memory", "cc");
    return moved;
}

/* `count` is at least 1. */
static inline bool tide__rseq_push_bulk(struct tide__percpu *percpu, void *const *items,
                                        size_t count)
{
    uint64_t stack, word, n, done, index, item;
    __asm__ volatile(
        TIDE__RSEQ_BEGIN("%[done]")
        "add %[index], %[n], %[count]\n"
        "cmp %w[index], %w[capacity]\n"
        "b.hi 2f\n"
        "add %[n], %[stack], %[n], lsl #3\n"
        "add %[n], %[n], #16\n"
        "add %[word], %[word], %[count]\n"
        "mov %[index], %[count]\n"
        TIDE__RSEQ_COPY("%[items]", "%[n]")
        "mov %[done], #1\n"
        TIDE__RSEQ_COMMIT
        : [done] "=&r"(done), [index] "=&r"(index), [item] "=&r"(item), TIDE__RSEQ_OUTPUTS
        : TIDE__RSEQ_INPUTS(percpu), [items] "r"(items), [count] "r"(count),
          [capacity] "r"(percpu->capacity)
        : "memory", "cc");
    return done;
}
/* clang-format on */

/* The CPU number as the sequences see it; huge where there is no rseq. */
static inline unsigned tide__rseq_cpu(const struct tide__percpu *percpu)
{
    return *(const volatile uint32_t *)(tide__thread() + percpu->cpu_offset);
}

#endif
