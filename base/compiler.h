/* SPDX-License-Identifier: MIT */
/*
 * compiler.h: what every module asks of the compiler, and which sanitizer it builds for.
 */
#ifndef TIDE_BASE_COMPILER_H
#define TIDE_BASE_COMPILER_H

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#define noinline __attribute__((noinline))

/* The address that the current function returns to. */
#define CALL_SITE __builtin_return_address(0)

#define container_of(pointer, type, member)                                                        \
    ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

/* 64 on x86-64; aarch64 has CPUs with 64 and with 128, and fetches pairs. What different CPUs
 * write stands this far apart. */
#define CACHE_LINE 64

#if defined(__SANITIZE_ADDRESS__)
#define TIDE__ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define TIDE__ASAN 1
#endif
#endif
#ifndef TIDE__ASAN
#define TIDE__ASAN 0
#endif

#if defined(__SANITIZE_THREAD__)
#define TIDE__TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define TIDE__TSAN 1
#endif
#endif
#ifndef TIDE__TSAN
#define TIDE__TSAN 0
#endif

/* On a function that must end in a jump to the one it calls last, so that CALL_SITE there is the
 * user's: ThreadSanitizer notes its return after that call. */
#if TIDE__TSAN && __has_attribute(disable_sanitizer_instrumentation)
#define ends_in_jump __attribute__((disable_sanitizer_instrumentation))
#else
#define ends_in_jump
#endif

/* One spin of a loop that waits for another CPU. */
static inline void cpu_relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#else
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
#endif
}

#endif
