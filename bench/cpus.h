/* SPDX-License-Identifier: MIT */
/*
 * cpus.h: which CPU a thread of a benchmark runs on. Needs _GNU_SOURCE.
 */
#ifndef TIDE_BENCH_CPUS_H
#define TIDE_BENCH_CPUS_H

#include <sched.h>
#include <stdbool.h>

/* The CPUs that the calling thread may use now, for cpus_pin and cpus_restore. */
static inline cpu_set_t cpus_allowed(void)
{
    cpu_set_t allowed;
    if (sched_getaffinity(0, sizeof allowed, &allowed))
        CPU_ZERO(&allowed);
    return allowed;
}

static inline void cpus_restore(const cpu_set_t *allowed)
{
    sched_setaffinity(0, sizeof *allowed, allowed);
}

/* Moves the calling thread to the CPU number `index` among the allowed ones; false if there
 * are too few. */
static inline bool cpus_pin(const cpu_set_t *allowed, int index)
{
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (!CPU_ISSET(cpu, allowed) || index-- > 0)
            continue;
        cpu_set_t one;
        CPU_ZERO(&one);
        CPU_SET(cpu, &one);
        return sched_setaffinity(0, sizeof one, &one) == 0;
    }
    return false;
}

#endif
