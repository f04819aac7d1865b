/* SPDX-License-Identifier: MIT */
/*
 * remaining.c: how much stack is left: of the thread's own, or of the alternate signal stack.
 */
#include <pthread.h>
#include <signal.h>
#include <stdint.h>

#include "compiler.h"
#include "tide_stackalloc.h"

struct bounds {
    uintptr_t low, high;
};

/* Empty: not read yet. Initial-exec, so that it is there in a signal handler. */
static _Thread_local struct bounds own __attribute__((tls_model("initial-exec")));

static bool is_within(const struct bounds *bounds, uintptr_t address)
{
    return address - bounds->low < bounds->high - bounds->low;
}

static struct bounds read_own(void)
{
    pthread_attr_t attributes;
    void *low = NULL;
    size_t size = 0, guard = 0;
    if (pthread_getattr_np(pthread_self(), &attributes))
        return (struct bounds){0, 0};
    pthread_attr_getstack(&attributes, &low, &size);
    pthread_attr_getguardsize(&attributes, &guard);
    pthread_attr_destroy(&attributes);
    uintptr_t start = (uintptr_t)low;
    return (struct bounds){start + (guard < size ? guard : size), start + size};
}

static struct bounds alternate(void)
{
    stack_t stack;
    if (sigaltstack(NULL, &stack) || !(stack.ss_flags & SS_ONSTACK))
        return (struct bounds){0, 0};
    return (struct bounds){(uintptr_t)stack.ss_sp, (uintptr_t)stack.ss_sp + stack.ss_size};
}

/* Asks for the alternate stack first: who is on it may be in a handler, where the thread's own
 * bounds must not be read. */
static noinline size_t remaining_slow(uintptr_t here)
{
    struct bounds bounds = alternate();
    if (is_within(&bounds, here))
        return here - bounds.low;
    if (!own.high)
        own = read_own();
    return is_within(&own, here) ? here - own.low : 0;
}

size_t tide_stack_remaining(void)
{
    uintptr_t here = (uintptr_t)__builtin_frame_address(0);
    return likely(is_within(&own, here)) ? here - own.low : remaining_slow(here);
}
