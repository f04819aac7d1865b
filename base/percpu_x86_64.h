/* SPDX-License-Identifier: MIT */
/*
 * percpu_x86_64.h: the restartable sequences of percpu.h for x86-64.
 *
 * Every sequence has this shape, as rseq(2) asks:
 *
 *     0:  rseq->rseq_cs = &descriptor     the kernel restarts us at the abort label
 *     1:  first instruction of the range
 *         stack = primary + cpu * 1024    one of percpu.h's operations
 *         commit                          the only store that counts, and the last
 *     2:  end of the range
 *     4:  abort label, behind the signature the kernel checks: back to 0
 *
 * rseq_cs is not cleared afterwards (the kernel does, on the next preemption); inputs are not
 * written, outputs are early-clobbered, nothing is called.
 */
#ifndef TIDE_BASE_PERCPU_X86_64_H
#define TIDE_BASE_PERCPU_X86_64_H

#include "fault.h"

#define TIDE__PERCPU_HAS_RSEQ 1

#define TIDE__STRING(x) #x
#define TIDE__EXPAND(x) TIDE__STRING(x)

/* A delay that tests put inside a sequence; it uses the count's register before the count. */
#ifdef TIDE_FAULT_DELAY
#define TIDE__RSEQ_DELAY                                                                           \
    "movl $" TIDE__EXPAND(TIDE_FAULT_DELAY) ", %k[n]\n"                                            \
    "8: pause\n decl %k[n]\n jnz 8b\n"
#else
#define TIDE__RSEQ_DELAY
#endif

#define TIDE__RSEQ_BEGIN(none)                                                                     \
    ".pushsection __rseq_cs, \"aw\"\n"                                                             \
    ".balign 32\n"                                                                                 \
    "3: .long 0, 0\n .quad 1f, 2f - 1f, 4f\n"                                                      \
    ".popsection\n"                                                                                \
    ".pushsection __rseq_cs_ptr_array, \"aw\"\n .quad 3b\n .popsection\n"                          \
    ".pushsection .text.unlikely, \"ax\"\n"                                                        \
    ".byte 0x0f, 0xb9, 0x3d\n .long 0x53053053\n" /* ud1, so that a disassembler stays in step */  \
    "4: jmp 0f\n"                                                                                  \
    ".popsection\n"                                                                                \
    "0: xorl " none ", " none                                                                      \
    "\n" /* what is returned when the sequence leaves early */                                     \
    "leaq 3b(%%rip), %[stack]\n"                                                                   \
    "movq %[stack], %%fs:(%[sequence])\n"                                                          \
    "1: movl %%fs:(%[cpu]), %k[stack]\n"                                                           \
    "cmpl %[cpus], %k[stack]\n"                                                                    \
    "jae 2f\n"                                                                                     \
    "shlq %[shift], %[stack]\n"                                                                    \
    "addq %[primary], %[stack]\n"                                                                  \
    "movq (%[stack]), %[word]\n" TIDE__RSEQ_DELAY "movzwl %w[word], %k[n]\n"

#define TIDE__RSEQ_COMMIT                                                                          \
    "movq %[word], (%[stack])\n"                                                                   \
    "2:\n"

#define TIDE__RSEQ_OUTPUTS [stack] "=&r"(stack), [word] "=&r"(word), [n] "=&r"(n)

#define TIDE__RSEQ_INPUTS(percpu)                                                                  \
    [sequence] "r"((percpu)->sequence_offset), [cpu] "r"((percpu)->cpu_offset),                    \
        [cpus] "m"((percpu)->rseq_used), [primary] "m"((percpu)->primary),                         \
        [shift] "i"(TIDE__PERCPU_SHIFT)

/* clang-format off: one instruction a line */
static inline void *tide__rseq_pop(struct tide__percpu *percpu)
{
    void *object;
    uint64_t stack, word, n;
    __asm__ volatile(
        TIDE__RSEQ_BEGIN("%k[object]")
        "testl %k[n], %k[n]\n"
        "jz 2f\n"
        "movq 8(%[stack], %[n], 8), %[object]\n"
        "addq $0xffff, %[word]\n" /* HIT - 1 */
        TIDE__RSEQ_COMMIT
        : [object] "=&r"(object), TIDE__RSEQ_OUTPUTS
        : TIDE__RSEQ_INPUTS(percpu)
        : "memory", "cc");
    return object;
}

static inline bool tide__rseq_push(struct tide__percpu *percpu, void *object)
{
    uint64_t stack, word, n;
    uint32_t done;
    __asm__ volatile(
        TIDE__RSEQ_BEGIN("%[done]")
        "cmpl %[capacity], %k[n]\n"
        "jae 2f\n"
        "movq %[object], 16(%[stack], %[n], 8)\n"
        "incq %[word]\n"
        "movl $1, %[done]\n"
        TIDE__RSEQ_COMMIT
        : [done] "=&r"(done), TIDE__RSEQ_OUTPUTS
        : TIDE__RSEQ_INPUTS(percpu), [object] "r"(object), [capacity] "m"(percpu->capacity)
        : "memory", "cc");
    return done;
}

/* Copies index items from source to target, from the last to the first, two in a turn. */
#define TIDE__RSEQ_MOVE(offset, source, target)                                                    \
    "movq " offset "(" source                                                                      \
    ", %[index], 8), %[item]\n"                                                                    \
    "movq %[item], " offset "(" target ", %[index], 8)\n"
#define TIDE__RSEQ_COPY(source, target)                                                            \
    "testb $1, %b[index]\n"                                                                        \
    "jz 7f\n"                                                                                      \
    TIDE__RSEQ_MOVE("-8", source, target)                                                          \
    "decq %[index]\n"                                                                              \
    "jz 9f\n"                                                                                      \
    "7:\n"                                                                                         \
    TIDE__RSEQ_MOVE("-8", source, target)                                                          \
    TIDE__RSEQ_MOVE("-16", source, target)                                                         \
    "subq $2, %[index]\n"                                                                          \
    "jnz 7b\n"                                                                                     \
    "9:\n"

static inline size_t tide__rseq_pop_bulk(struct tide__percpu *percpu, void **items, size_t count,
                                         uint64_t each)
{
    uint64_t stack, word, n, moved, index, item;
    __asm__ volatile(
        TIDE__RSEQ_BEGIN("%k[moved]")
        "movq %[count], %[moved]\n"
        "cmpq %[n], %[moved]\n"
        "cmovaq %[n], %[moved]\n"
        "testq %[moved], %[moved]\n"
        "jz 2f\n"
        "movq %[moved], %[index]\n"
        "imulq %[each], %[index]\n"
        "subq %[index], %[word]\n"
        "subq %[moved], %[n]\n"
        "leaq 16(%[stack], %[n], 8), %[n]\n"
        "movq %[moved], %[index]\n"
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
    uint64_t stack, word, n, index, item;
    uint32_t done;
    __asm__ volatile(
        TIDE__RSEQ_BEGIN("%[done]")
        "leaq (%[n], %[count]), %[index]\n"
        "cmpl %[capacity], %k[index]\n"
        "ja 2f\n"
        "leaq 16(%[stack], %[n], 8), %[n]\n"
        "addq %[count], %[word]\n"
        "movq %[count], %[index]\n"
        TIDE__RSEQ_COPY("%[items]", "%[n]")
        "movl $1, %[done]\n"
        TIDE__RSEQ_COMMIT
        : [done] "=&r"(done), [index] "=&r"(index), [item] "=&r"(item), TIDE__RSEQ_OUTPUTS
        : TIDE__RSEQ_INPUTS(percpu), [items] "r"(items), [count] "r"(count),
          [capacity] "m"(percpu->capacity)
        : "memory", "cc");
    return done;
}
/* clang-format on */

/* The CPU number as the sequences see it; huge where there is no rseq. */
static inline unsigned tide__rseq_cpu(const struct tide__percpu *percpu)
{
    uint32_t cpu;
    __asm__ volatile("movl %%fs:(%1), %0" : "=r"(cpu) : "r"(percpu->cpu_offset));
    return cpu;
}

#endif
