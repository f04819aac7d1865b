/* SPDX-License-Identifier: MIT */
/*
 * check.h: what the C tests are written in: Criterion's Test, assertions, and a few helpers.
 *
 * One source, two runners. Criterion runs each test in a process of its own. Where it cannot run
 * (under ThreadSanitizer and valgrind, on other CPUs than the host's) plain.c does, which knows
 * no more of Criterion than what stands here; TIDE_CHECK_PLAIN chooses it.
 *
 * Assertions (check_that, check_count) are for the thread that runs the test: other threads count
 * what is wrong.
 */
#ifndef TIDE_TESTS_CHECK_H
#define TIDE_TESTS_CHECK_H

#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef TIDE_CHECK_PLAIN
#include "plain.h"
#else
#include <criterion/criterion.h>
#endif

/* As cr_assert, but costs nothing while it holds: Criterion reports each one to its parent. */
#define check_that(condition, ...)                                                                 \
    do {                                                                                           \
        if (!(condition))                                                                          \
            cr_assert(0 && #condition, ##__VA_ARGS__);                                             \
    } while (0)

/* Two counts are equal; both are shown if they are not. */
#define check_count(actual, expected)                                                              \
    do {                                                                                           \
        uint64_t check_actual = (uint64_t)(actual), check_expected = (uint64_t)(expected);         \
        if (check_actual != check_expected)                                                        \
            cr_assert(0, "%s is %" PRIu64 ", not %" PRIu64, #actual, check_actual,                 \
                      check_expected);                                                             \
    } while (0)

#ifdef __cplusplus
extern "C" {
#endif

/* A number of repetitions, divided by TIDE_TEST_SCALE, at least 1: what takes a second on the
 * machine itself takes minutes in an emulator. */
size_t check_scaled(size_t count);

/* TIDE_TEST_SEED, or a new one; printed, so that a failure can be had again. */
uint64_t check_seed(void);

/* The next of a sequence of random numbers; `state` is not 0. */
uint64_t check_random(uint64_t *state);

/* Runs `run(0..count-1, context)` in a thread each, started together; returns when all ended. */
void check_threads(unsigned count, void (*run)(unsigned index, void *context), void *context);

/* Moves the calling thread to one CPU; false if it may not run there. */
bool check_pin(unsigned cpu);

/* The n-th CPU that this process may run on when it starts, modulo their number. */
unsigned check_cpu(unsigned n);
unsigned check_cpus(void);

/* Whether this run is on restartable sequences. */
bool check_has_rseq(void);

#ifdef __cplusplus
}
#endif

#endif
