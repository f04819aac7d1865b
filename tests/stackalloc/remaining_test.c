/* SPDX-License-Identifier: MIT */
/*
 * remaining_test.c: the stack that is left: of the main thread, of small threads, of signal
 * stacks, and of stacks that nobody knows.
 */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <ucontext.h>
#include <unistd.h>

#include "check.h"
#include "tide_stackalloc.h"

enum { SMALL = 262144 };

/* 64 KiB, or what the CPU's smallest is. */
static size_t smallest(void)
{
    long least = sysconf(_SC_THREAD_STACK_MIN);
    return least > 65536 ? (size_t)least : 65536;
}

static __attribute__((noinline)) size_t remaining_below(size_t used)
{
    volatile char frame[4096];
    frame[used % sizeof(frame)] = 1;
    return tide_stack_remaining() + frame[used % sizeof(frame)] - 1;
}

Test(stackalloc, what_a_frame_takes_is_not_left)
{
    size_t here = tide_stack_remaining(), below = remaining_below(7);
    check_that(here > 100000 && below < here && here - below >= 4096 && here - below < 65536);
    check_count(tide_stack_remaining(), here);
}

/* Uses all of the stack but some, so that a wrong bound is a crash. */
static __attribute__((noinline)) size_t use_until(size_t left)
{
    volatile char frame[512];
    frame[0] = frame[511] = 1;
    if (tide_stack_remaining() < left)
        return frame[0];
    return use_until(left) + frame[511];
}

static void *use_all(void *argument)
{
    size_t *result = argument;
    result[0] = tide_stack_remaining();
    result[1] = use_until(16384);
    return NULL;
}

static void run_small(void *stack, size_t size, size_t result[2])
{
    pthread_attr_t attributes;
    pthread_t thread;
    pthread_attr_init(&attributes);
    check_that((stack ? pthread_attr_setstack(&attributes, stack, size)
                      : pthread_attr_setstacksize(&attributes, size)) == 0);
    check_that(pthread_create(&thread, &attributes, use_all, result) == 0);
    pthread_join(thread, NULL);
}

Test(stackalloc, a_small_thread_knows_its_stack)
{
    size_t result[2] = {0};
    run_small(NULL, SMALL, result);
    check_that(result[0] <= SMALL && result[0] > SMALL / 2, "%zu", result[0]);
    check_that(result[1] > 10, "%zu", result[1]);
}

Test(stackalloc, a_thread_of_64_kib_may_use_what_it_is_told)
{
    size_t result[2] = {0};
    run_small(NULL, smallest(), result);
    check_that(result[0] > smallest() / 2 && result[1] > 10, "%zu, %zu", result[0], result[1]);
}

Test(stackalloc, a_thread_on_memory_of_its_own_knows_its_stack)
{
    size_t result[2] = {0};
    void *stack = aligned_alloc(65536, 131072);
    run_small(stack, 131072, result);
    check_that(result[0] <= 131072 && result[0] > 65536, "%zu", result[0]);
    free(stack);
}

static size_t in_handler[2];

static void handle(int number)
{
    in_handler[0] = tide_stack_remaining();
    in_handler[1] = remaining_below(3);
}

static void *raise_on(void *argument)
{
    struct sigaction action = {.sa_handler = handle, .sa_flags = argument ? SA_ONSTACK : 0};
    stack_t alternate = {.ss_sp = argument, .ss_size = 131072};
    if (argument)
        check_that(sigaltstack(&alternate, NULL) == 0);
    sigaction(SIGUSR1, &action, NULL);
    raise(SIGUSR1);
    alternate.ss_flags = SS_DISABLE;
    if (argument)
        sigaltstack(&alternate, NULL);
    return NULL;
}

static void check_in_handler(size_t most)
{
    check_that(in_handler[0] > 16384 && in_handler[0] < most, "%zu", in_handler[0]);
    check_that(in_handler[0] - in_handler[1] >= 4096 && in_handler[0] > in_handler[1]);
}

Test(stackalloc, a_handler_on_the_alternate_stack_knows_that)
{
    void *stack = malloc(131072);
    raise_on(stack);
    check_in_handler(131072);
    size_t after = tide_stack_remaining();
    raise_on(stack);
    check_in_handler(131072);
    check_count(tide_stack_remaining(), after);
    raise_on(NULL);
    check_that(in_handler[0] > 131072);
    free(stack);
}

/* The thread's own bounds must not be read there. */
Test(stackalloc, a_handler_on_the_alternate_stack_may_be_the_first_to_ask)
{
    void *stack = malloc(131072);
    pthread_t thread;
    check_that(pthread_create(&thread, NULL, raise_on, stack) == 0);
    pthread_join(thread, NULL);
    check_in_handler(131072);
    free(stack);
}

static ucontext_t outside, inside;
static size_t in_coroutine;

static void run_coroutine(void)
{
    in_coroutine = tide_stack_remaining();
}

Test(stackalloc, a_coroutine_has_nothing_that_is_known)
{
    void *stack = malloc(131072);
    in_coroutine = 1;
    check_that(getcontext(&inside) == 0);
    inside.uc_stack.ss_sp = stack;
    inside.uc_stack.ss_size = 131072;
    inside.uc_link = &outside;
    makecontext(&inside, run_coroutine, 0);
    check_that(swapcontext(&outside, &inside) == 0);
    check_count(in_coroutine, 0);
    free(stack);
}
