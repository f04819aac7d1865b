/* SPDX-License-Identifier: MIT */
/*
 * check.c: helpers of the tests, and the body of percpu.h that TIDE_TEST_BODY names.
 */
#include "check.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "percpu.h"

static cpu_set_t start_cpus;

/* Before any test, and so before any pool. */
__attribute__((constructor)) static void choose_body(void)
{
    const char *body = getenv("TIDE_TEST_BODY");
    sched_getaffinity(0, sizeof(start_cpus), &start_cpus);
    if (!body || !*body)
        return;
    if (!strcmp(body, "portable"))
        tide__percpu_use_portable();
    else if (!strcmp(body, "cpu_id"))
        tide__percpu_use_cpu_id();
    else
        abort();
}

static uint64_t number_of(const char *variable)
{
    const char *text = getenv(variable);
    return text ? strtoull(text, NULL, 0) : 0;
}

size_t check_scaled(size_t count)
{
    uint64_t divisor = number_of("TIDE_TEST_SCALE");
    return divisor > 1 ? 1 + (count - 1) / divisor : count;
}

uint64_t check_seed(void)
{
    struct timespec now;
    uint64_t seed = number_of("TIDE_TEST_SEED");
    clock_gettime(CLOCK_REALTIME, &now);
    if (!seed)
        seed = ((uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec) | 1;
    fprintf(stderr, "TIDE_TEST_SEED=%" PRIu64 "\n", seed);
    return seed;
}

uint64_t check_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state * UINT64_C(0x2545f4914f6cdd1d);
}

struct runner {
    pthread_t thread;
    pthread_barrier_t *start;
    void (*run)(unsigned index, void *context);
    unsigned index;
    void *context;
};

static void *runner_main(void *argument)
{
    struct runner *runner = argument;
    pthread_barrier_wait(runner->start);
    runner->run(runner->index, runner->context);
    return NULL;
}

void check_threads(unsigned count, void (*run)(unsigned, void *), void *context)
{
    struct runner *runners = calloc(count, sizeof(*runners));
    pthread_barrier_t start;
    pthread_barrier_init(&start, NULL, count);
    for (unsigned i = 0; i < count; i++) {
        runners[i] = (struct runner){0, &start, run, i, context};
        if (pthread_create(&runners[i].thread, NULL, runner_main, &runners[i]))
            abort();
    }
    for (unsigned i = 0; i < count; i++)
        pthread_join(runners[i].thread, NULL);
    pthread_barrier_destroy(&start);
    free(runners);
}

bool check_pin(unsigned cpu)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    return sched_setaffinity(0, sizeof(set), &set) == 0;
}

unsigned check_cpus(void)
{
    int count = CPU_COUNT(&start_cpus);
    return count > 0 ? (unsigned)count : 1;
}

unsigned check_cpu(unsigned n)
{
    n %= check_cpus();
    for (unsigned cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (CPU_ISSET(cpu, &start_cpus) && n-- == 0)
            return cpu;
    }
    return 0;
}

bool check_has_rseq(void)
{
    return TIDE__PERCPU_HAS_RSEQ && tide__percpu_body() == TIDE__PERCPU_RSEQ;
}
