/* SPDX-License-Identifier: MIT */
/*
 * pool_epoch.c: what an epoch costs: the thread that advances it, and the threads that get and
 * put meanwhile.
 */
#include "cpus.h"
#include "histogram.h"
#include "tide_bench.h"

#include <mimalloc.h>
#include <pthread.h>
#include <string.h>
#include <tide_epoch.h>
#include <tide_pool.h>

#define CACHED 100000 /* as in Go's BenchmarkPoolSTW */

static void *make_pool(size_t size)
{
    return tide_pool_create(&(tide_pool_config){.name = "epochs", .object_size = 64});
}

static void unmake_pool(void *shared)
{
    tide_pool_destroy(shared);
}

static void report(tide_bench *bench, const histogram *latencies)
{
    tide_bench_count(bench, "p50_ns", histogram_percentile(latencies, 0.50));
    tide_bench_count(bench, "p95_ns", histogram_percentile(latencies, 0.95));
    tide_bench_count(bench, "max_ns", (double)latencies->max);
}

static void advance_timed(histogram *latencies)
{
    uint64_t begin = clock_ns();
    tide_epoch_advance();
    histogram_add(latencies, clock_ns() - begin);
}

/* Leaves 100,000 objects in the pool as puts leave them, some in the CPU's stack. */
static void fill(tide_bench *bench)
{
    static void *objects[CACHED];
    size_t count = tide_pool_get_bulk(bench->shared, objects, CACHED);
    tide_pool_put_bulk(bench->shared, objects, count);
    if (count < CACHED)
        tide_bench_fail(bench, "no memory");
}

/* Two epochs for each filling: `ages` makes 100,000 objects victims and has nothing to destroy,
 * as Go's pause; `destroys` gives the 100,000 victims back to the heap, which Go leaves to its
 * sweeper. */
static void fill_and_advance(tide_bench *bench, histogram *ages, histogram *destroys)
{
    while (tide_bench_next(bench)) {
        fill(bench);
        advance_timed(ages);
        advance_timed(destroys);
    }
}

/* The name is Go's; the figure to compare is p50_ns, as the time includes the filling. */
TIDE_BENCH(PoolSTW, .name = "tidepool/PoolSTW", .setup = make_pool, .teardown = unmake_pool)
{
    static histogram ages, destroys;
    memset(&ages, 0, sizeof ages);
    memset(&destroys, 0, sizeof destroys);
    fill_and_advance(bench, &ages, &destroys);
    report(bench, &ages);
    tide_bench_count(bench, "destroy_p50_ns", histogram_percentile(&destroys, 0.50));
    tide_bench_count(bench, "destroy_p95_ns", histogram_percentile(&destroys, 0.95));
}

/* The thread that is watched, and what another thread does to its pool meanwhile. */
typedef struct stall {
    tide_bench *bench;
    cpu_set_t allowed;
    pthread_t other;
    bool stop;
    void (*disturb)(struct stall *state);
    uint64_t rounds;
    void *objects[CACHED];
    histogram latencies;
} stall;

/* Each epoch finds 100,000 cached objects, which it ages, and 100,000 victims, which it
 * destroys. */
static void disturb_by_epochs(stall *state)
{
    tide_pool_prewarm(state->bench->shared, CACHED);
    tide_epoch_advance();
}

/* The same pool kept as busy without epochs shows what the machine's own stalls are. */
static void disturb_by_use(stall *state)
{
    size_t count = tide_pool_get_bulk(state->bench->shared, state->objects, CACHED);
    tide_pool_put_bulk(state->bench->shared, state->objects, count);
}

static void *disturb(void *argument)
{
    stall *state = argument;
    cpus_pin(&state->allowed, 1);
    for (; !__atomic_load_n(&state->stop, __ATOMIC_RELAXED); state->rounds++)
        state->disturb(state);
    return NULL;
}

static bool stall_begin(stall *state)
{
    state->allowed = cpus_allowed();
    if (CPU_COUNT(&state->allowed) < 2 || !cpus_pin(&state->allowed, 0))
        return false;
    return pthread_create(&state->other, NULL, disturb, state) == 0;
}

static void stall_end(stall *state)
{
    __atomic_store_n(&state->stop, true, __ATOMIC_RELAXED);
    pthread_join(state->other, NULL);
    cpus_restore(&state->allowed);
}

/* Each get and each put is timed by itself; the figures include the clock's own 20 to 50 ns. */
static void watch(stall *state)
{
    tide_bench *bench = state->bench;
    while (tide_bench_next(bench)) {
        uint64_t begin = clock_ns();
        void *object = tide_pool_get(bench->shared);
        histogram_add(&state->latencies, clock_ns() - begin);
        tide_bench_consume(bench, object);
        begin = clock_ns();
        tide_pool_put(bench->shared, object);
        histogram_add(&state->latencies, clock_ns() - begin);
    }
}

static void stall_run(stall *state)
{
    if (!stall_begin(state)) {
        tide_bench_fail(state->bench, "needs two CPUs");
        return;
    }
    watch(state);
    stall_end(state);
    report(state->bench, &state->latencies);
    tide_bench_count(state->bench, "p999_ns", histogram_percentile(&state->latencies, 0.999));
    tide_bench_count(state->bench, "rounds", (double)state->rounds);
}

static void stall_with(tide_bench *bench, void (*how)(stall *state))
{
    stall *state = mi_zalloc(sizeof *state);
    if (!state) {
        tide_bench_fail(bench, "no memory");
        return;
    }
    state->bench = bench;
    state->disturb = how;
    stall_run(state);
    mi_free(state);
}

TIDE_BENCH(stall_epochs, .name = "tidepool/stall/epochs", .cpus_min = 2, .setup = make_pool,
           .teardown = unmake_pool)
{
    stall_with(bench, disturb_by_epochs);
}

TIDE_BENCH(stall_none, .name = "tidepool/stall/none", .cpus_min = 2, .setup = make_pool,
           .teardown = unmake_pool)
{
    stall_with(bench, disturb_by_use);
}
