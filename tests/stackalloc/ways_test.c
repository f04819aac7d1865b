/* SPDX-License-Identifier: MIT */
/*
 * ways_test.c: TIDE_STACKALLOC: every way into a scope, and every way out of it.
 */
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <setjmp.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "spills.h"
#include "tide_stackalloc.h"

#define NOINLINE __attribute__((noinline))

enum { ON_STACK = 64, ROUNDS = 10000000, SPILL = 1000 };

/* Keeps the compiler from seeing that nobody reads the buffer. */
static void use(char *data, size_t count)
{
    if (count)
        memset(data, 'u', count);
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
}

static uintptr_t place;

static NOINLINE void find_place(size_t count)
{
    TIDE_STACKALLOC(char, data, count, ON_STACK);
    use(data, count);
    place = (uintptr_t)data;
}

static bool is_on_stack(size_t count)
{
    find_place(count);
    return (uintptr_t)__builtin_frame_address(0) - place < 65536;
}

Test(stackalloc, what_fits_does_not_spill)
{
    spills_start(0);
    for (size_t count = 0; count <= ON_STACK; count++)
        find_place(count);
    check_count(spills, 0);
    check_that(is_on_stack(0) && is_on_stack(ON_STACK));
}

Test(stackalloc, what_does_not_fit_spills_once)
{
    spills_start(0);
    for (size_t count = ON_STACK + 1; count < 200; count++)
        find_place(count);
    check_count(spills, 200 - ON_STACK - 1);
    check_count(spills_live, 0);
    check_that(!is_on_stack(100000));
}

static NOINLINE int evaluations(void)
{
    int evaluated = 0;
    TIDE_STACKALLOC(int, numbers, (evaluated++, 3), 4);
    numbers[2] = evaluated;
    return numbers[2];
}

Test(stackalloc, the_count_is_evaluated_once)
{
    check_count(evaluations(), 1);
}

static NOINLINE bool is_null(size_t count)
{
    TIDE_STACKALLOC(uint64_t, numbers, count, 2);
    return !numbers && errno == ENOMEM;
}

static NOINLINE bool is_null_signed(int count)
{
    TIDE_STACKALLOC(char, bytes, count, 2);
    return !bytes && errno == ENOMEM;
}

Test(stackalloc, a_count_whose_size_cannot_be_is_refused)
{
    static const size_t counts[] = {SIZE_MAX,         SIZE_MAX - 1,     SIZE_MAX / 2,
                                    SIZE_MAX / 8,     SIZE_MAX / 8 + 1, SIZE_MAX / 8 + 2,
                                    SIZE_MAX / 4 + 1, PTRDIFF_MAX,      PTRDIFF_MAX / 8 + 1};
    for (size_t i = 0; i < sizeof(counts) / sizeof(*counts); i++) {
        errno = 0;
        check_that(is_null(counts[i]), "%zu", counts[i]);
    }
    errno = 0;
    check_that(is_null_signed(-1) && is_null_signed(INT_MIN));
    check_that(!is_null(0) && !is_null(1) && !is_null(2) && !is_null(3) && !is_null_signed(0));
    check_count(spills_live, 0);
}

Test(stackalloc, a_spill_that_fails_is_null)
{
    spills_start(1);
    errno = 0;
    check_that(is_null(3));
    check_count(spills, 1);
    spills_start(0);
}

static NOINLINE int leave_by_return(size_t count)
{
    TIDE_STACKALLOC(char, data, count, ON_STACK);
    use(data, count);
    if (count % 2)
        return 1;
    use(data, count / 2);
    return 2;
}

static NOINLINE int leave_by_goto(size_t count)
{
    int turns = 0;
again:
    turns++;
    {
        TIDE_STACKALLOC(char, data, count, ON_STACK);
        use(data, count);
        if (turns < 3)
            goto again;
        if (turns == 3)
            goto out;
    }
    turns = -1;
out:
    return turns;
}

static NOINLINE int leave_by_break_and_continue(size_t count)
{
    int turns = 0;
    for (;;) {
        TIDE_STACKALLOC(char, data, count, ON_STACK);
        use(data, count);
        if (++turns < 5)
            continue;
        if (turns == 7)
            break;
    }
    return turns;
}

static NOINLINE int leave_by_case(size_t count)
{
    switch (count % 2) {
    case 0: {
        TIDE_STACKALLOC(char, data, count, ON_STACK);
        use(data, count);
        break;
    }
    default: {
        TIDE_STACKALLOC(char, data, count + 1, ON_STACK);
        use(data, count);
    }
    }
    return 4;
}

Test(stackalloc, each_way_out_releases)
{
    spills_start(0);
    check_count(leave_by_return(SPILL), 2);
    check_count(leave_by_return(SPILL + 1), 1);
    check_count(spills, 2);
    check_count(leave_by_goto(SPILL), 3);
    check_count(spills, 5);
    check_count(leave_by_break_and_continue(SPILL), 7);
    check_count(spills, 12);
    check_count(leave_by_case(SPILL) + leave_by_case(SPILL + 1), 8);
    check_count(spills, 14);
    check_count(spills_live, 0);
}

struct three {
    char c[3];
};

static NOINLINE size_t several(size_t count)
{
    TIDE_STACKALLOC(char, first, count, 8);
    TIDE_STACKALLOC(long, second, count, 8);
    TIDE_STACKALLOC(struct three *, third, count, 8);
    size_t live = spills_live;
    {
        TIDE_STACKALLOC(char, fourth, count, 8);
        use(fourth, count);
        check_count(spills_live, live + (count > 8));
    }
    use(first, count);
    second[count - 1] = 1;
    third[count - 1] = NULL;
    return live;
}

Test(stackalloc, several_in_one_scope_are_apart)
{
    spills_start(0);
    check_count(several(8), 0);
    check_count(several(9), 3);
    check_count(spills_live, 0);
}

static NOINLINE uintptr_t place_of_frame(size_t count)
{
    TIDE_STACKALLOC(char, data, count, ON_STACK);
    use(data, count);
    return (uintptr_t)__builtin_frame_address(0);
}

Test(stackalloc, ten_million_turns_of_a_loop_do_not_grow_the_stack)
{
    size_t rounds = check_scaled(ROUNDS);
    uintptr_t first = place_of_frame(ON_STACK), lowest = (uintptr_t)__builtin_frame_address(0);
    spills_start(0);
    for (size_t i = 0; i < rounds; i++) {
        TIDE_STACKALLOC(char, data, i % (ON_STACK + 1), ON_STACK);
        use(data, i % (ON_STACK + 1));
        uintptr_t here = (uintptr_t)data;
        lowest = here < lowest ? here : lowest;
    }
    check_count(spills, 0);
    check_count(place_of_frame(ON_STACK), first);
    check_that((uintptr_t)__builtin_frame_address(0) - lowest < 4096);
}

/* Two calls each, `depth` deep; counts them. */
static NOINLINE size_t recurse(unsigned depth, uintptr_t *lowest)
{
    TIDE_STACKALLOC(char, data, depth, 16);
    use(data, depth);
    uintptr_t here = (uintptr_t)__builtin_frame_address(0);
    *lowest = here < *lowest ? here : *lowest;
    if (depth == 0)
        return 1;
    size_t calls = recurse(depth - 1, lowest) + recurse(depth - 1, lowest) + 1;
    use(data, depth);
    return calls;
}

Test(stackalloc, ten_million_calls_of_a_recursion_do_not_grow_the_stack)
{
    unsigned depth = 22; /* 2^23 - 1 calls */
    for (size_t most = check_scaled(ROUNDS); depth > 4 && (2u << depth) > most;)
        depth--;
    uintptr_t once = UINTPTR_MAX, all = UINTPTR_MAX;
    spills_start(0);
    recurse(1, &once);
    uintptr_t frame = (uintptr_t)__builtin_frame_address(0) - once;
    size_t calls = recurse(depth, &all);
    check_count(calls, (2u << depth) - 1);
    check_that((uintptr_t)__builtin_frame_address(0) - all < depth * frame + 4096);
    check_count(spills_live, 0);
    check_that(depth <= 16 || spills > 0);
}

static void *run_small(void *argument)
{
    uintptr_t lowest = UINTPTR_MAX;
    for (size_t count = 0; count < 100000; count += 999)
        leave_by_goto(count);
    recurse(8, &lowest);
    *(bool *)argument = true;
    return NULL;
}

Test(stackalloc, a_stack_of_64_kib_is_enough)
{
    pthread_attr_t attributes;
    pthread_t thread;
    bool ran = false;
    spills_start(0);
    pthread_attr_init(&attributes);
    long least = sysconf(_SC_THREAD_STACK_MIN); /* twice as much on aarch64 */
    check_that(pthread_attr_setstacksize(&attributes, least > 65536 ? (size_t)least : 65536) == 0);
    check_that(pthread_create(&thread, &attributes, run_small, &ran) == 0);
    pthread_join(thread, NULL);
    check_that(ran);
    check_count(spills_live, 0);
}

static jmp_buf back;
static void *volatile jumped_over;

static NOINLINE void leave_by_longjmp(size_t count)
{
    TIDE_STACKALLOC(char, data, count, ON_STACK);
    use(data, count);
    jumped_over = data;
    longjmp(back, 1);
}

Test(stackalloc, longjmp_does_not_release_as_the_header_says)
{
    spills_start(0);
    if (!setjmp(back))
        leave_by_longjmp(ON_STACK);
    check_count(spills_live, 0);
    if (!setjmp(back))
        leave_by_longjmp(SPILL);
    check_count(spills_live, 1);
    spills_release(jumped_over);
}

/* -fexceptions is what makes unwinding run the clean-ups of C. */
#ifdef __EXCEPTIONS
enum { IS_RELEASED_BY_UNWINDING = 1 };
#else
enum { IS_RELEASED_BY_UNWINDING = 0 };
#endif

static void check_unwound(void)
{
    check_count(spills_live, !IS_RELEASED_BY_UNWINDING);
    if (!IS_RELEASED_BY_UNWINDING)
        spills_release(jumped_over);
}

static void *leave_by_exit(void *argument)
{
    TIDE_STACKALLOC(char, data, SPILL, ON_STACK);
    use(data, SPILL);
    jumped_over = data;
    pthread_exit(NULL);
}

Test(stackalloc, pthread_exit_releases_with_fexceptions_alone)
{
    pthread_t thread;
    spills_start(0);
    check_that(pthread_create(&thread, NULL, leave_by_exit, NULL) == 0);
    pthread_join(thread, NULL);
    check_unwound();
}

/* C between two functions of C++, one of which throws. */
void spills_call(void (*function)(void))
{
    TIDE_STACKALLOC(char, data, SPILL, ON_STACK);
    use(data, SPILL);
    jumped_over = data;
    function();
    use(data, SPILL);
}

void spills_check_unwound(void)
{
    check_unwound();
}
