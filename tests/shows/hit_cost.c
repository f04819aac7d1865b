/* SPDX-License-Identifier: MIT */
/*
 * hit_cost.c: gets and puts that hit, with nothing asked of the pool and with everything, for
 * callgrind, which counts the instructions of each function below.
 *
 * valgrind has no restartable sequences, so a pool takes the portable body there. With the
 * argument `sequences` the pools here get a struct rseq that is this program's own: nobody
 * restarts a sequence then, and nobody needs to, for there is one thread and no epoch inside.
 *
 * usage: hit_cost PAIRS [sequences]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"
#include "tide_ctl.h"

enum { SIZE = 64 };

static size_t pairs;
static bool has_sequences;
static _Thread_local struct {
    alignas(32) uint32_t cpu;
    uint64_t sequence;
} own_rseq;

static ptrdiff_t offset_of(const void *of_thread)
{
    return (const char *)of_thread - (const char *)__builtin_thread_pointer();
}

static void give_sequences(tide_pool *pool)
{
    pool->percpu.sequence_offset = offset_of(&own_rseq.sequence);
    pool->percpu.cpu_offset = offset_of(&own_rseq.cpu);
    pool->percpu.rseq_count = pool->percpu.count;
}

/* Each of its own name, which is what callgrind prints. */
#define HITS(name)                                                                                 \
    static noinline void name(tide_pool *pool)                                                     \
    {                                                                                              \
        for (size_t i = 0; i < pairs; i++)                                                         \
            tide_pool_put(pool, tide_pool_get(pool));                                              \
    }

HITS(hits_plain)
HITS(hits_weight_max)
HITS(hits_cached_bytes_max)
HITS(hits_keep_min)
HITS(hits_watched)
HITS(hits_paced)
HITS(hits_traced)
HITS(hits_everything)
HITS(hits_reset)
HITS(hits_weighed)

static void reset(void *object, void *context)
{
}

static size_t weigh(const void *object, void *context)
{
    return SIZE;
}

/* Measures hits in a pool of its own, which has been through an epoch. Fails if one missed. */
static void measure(void (*hits)(tide_pool *), const tide_pool_config *wanted)
{
    tide_pool_config config = *wanted;
    config.object_size = SIZE;
    tide_pool *pool = tide_pool_create(&config);
    tide_pool_stats before, after;
    if (!pool)
        exit(EXIT_FAILURE);
    if (has_sequences)
        give_sequences(pool);
    tide_pool_put(pool, tide_pool_get(pool));
    tide_epoch_advance();
    tide_pool_put(pool, tide_pool_get(pool));
    tide_pool_read_stats(pool, &before);
    hits(pool);
    tide_pool_read_stats(pool, &after);
    if (after.hits_cpu - before.hits_cpu != pairs || after.puts - before.puts != pairs) {
        fprintf(stderr, "hit_cost: not every get was a hit\n");
        exit(EXIT_FAILURE);
    }
    tide_pool_destroy(pool);
}

static void watch(const tide_epoch_report *report, void *context)
{
}

/* With the process's settings as they are. */
static void measure_hooks(void)
{
    measure(hits_reset, &(tide_pool_config){.reset = reset});
    measure(hits_weighed, &(tide_pool_config){.weigh = weigh});
}

static void measure_limits(void)
{
    measure(hits_plain, &(tide_pool_config){0});
    measure(hits_weight_max, &(tide_pool_config){.weight_max = 2 * SIZE});
    measure(hits_cached_bytes_max, &(tide_pool_config){.cached_bytes_max = 64 << 20});
    measure(hits_keep_min, &(tide_pool_config){.keep_min = 10});
}

static void measure_process(void)
{
    tide_epoch_watch(watch, NULL);
    measure(hits_watched, &(tide_pool_config){0});
    tide_epoch_start(&(tide_epoch_config){
        .growth_percent = 100, .limit_bytes = 64 << 20, .age_ms_max = 60000, .pressure = true});
    measure(hits_paced, &(tide_pool_config){0});
    tide_ctl_write("trace", 1);
    measure(hits_traced, &(tide_pool_config){0});
    measure(
        hits_everything,
        &(tide_pool_config){.weight_max = 2 * SIZE, .cached_bytes_max = 64 << 20, .keep_min = 10});
}

int main(int argc, char **argv)
{
    pairs = argc > 1 ? strtoul(argv[1], NULL, 10) : 10000;
    has_sequences = argc > 2 && strcmp(argv[2], "sequences") == 0;
    measure_limits();
    measure_hooks();
    measure_process();
    return EXIT_SUCCESS;
}
