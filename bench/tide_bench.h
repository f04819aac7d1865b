/* SPDX-License-Identifier: MIT */
/*
 * tide_bench.h: benchmarks in C, run by Google Benchmark.
 *
 *     TIDE_BENCH(pair, .name = "tidepool/pair", .sizes = {64}, .all_cpus = true, .setup = make,
 *                .teardown = unmake)
 *     {
 *         tide_pool *pool = bench->shared;
 *         while (tide_bench_next(bench)) {
 *             void *object = tide_pool_get(pool);
 *             tide_bench_consume(bench, object);
 *             tide_pool_put(pool, object);
 *         }
 *     }
 *
 * The body runs once in each thread of a run. What it does before the first tide_bench_next and
 * after the last is not timed; all threads enter the loop together. Names are
 * subject/operation/size, with the same operation and size for every rival.
 *
 * Not part of the library: nothing of this is installed.
 */
#ifndef TIDE_BENCH_H
#define TIDE_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TIDE_BENCH_SIZES_MAX 8

typedef struct tide_bench {
    uint64_t left;    /* iterations until the harness is asked again; see tide_bench_next */
    void *shared;     /* what setup returned; the same in all threads of the run */
    size_t size;      /* one of the spec's sizes, 0 if it has none */
    int thread;       /* 0 .. threads - 1 */
    int threads;      /* that run the body at the same time */
    void *state;      /* Google Benchmark's, of this thread */
    const void *sink; /* where tide_bench_consume stores */
} tide_bench;

/* Zero means none or default, for each field. Names and hooks live as long as the program. */
typedef struct tide_bench_spec {
    const char *name; /* subject/operation; the size is appended as in 64B, 4KiB */
    void (*run)(tide_bench *bench);
    size_t sizes[TIDE_BENCH_SIZES_MAX]; /* one benchmark for each, up to the first 0 */
    bool all_cpus;                      /* once more, with a thread for each CPU */
    int cpus_min;                       /* left out where there are fewer CPUs */
    void *(*setup)(size_t size);        /* once a run, before any thread enters the body */
    void (*teardown)(void *shared);     /* once a run, after all threads have left it */
} tide_bench_spec;

/* Defines a benchmark and registers it when the program starts. The body follows; it sees
 * `tide_bench *bench`. */
#define TIDE_BENCH(function, ...)                                                                  \
    static void function(tide_bench *bench);                                                       \
    __attribute__((constructor)) static void function##_register(void)                             \
    {                                                                                              \
        tide_bench_register(&(const tide_bench_spec){.run = function, __VA_ARGS__});               \
    }                                                                                              \
    static void function(tide_bench *bench)

/* Copies the spec. Called by TIDE_BENCH. */
void tide_bench_register(const tide_bench_spec *spec);

/* The part of tide_bench_next that asks Google Benchmark: twice a run, to start and to stop. */
bool tide_bench_next_slow(tide_bench *bench);

/* True while there is another iteration to run. The body runs until it is false. */
static inline bool tide_bench_next(tide_bench *bench)
{
    if (__builtin_expect(bench->left != 0, 1)) {
        bench->left--;
        return true;
    }
    return tide_bench_next_slow(bench);
}

/* Makes the compiler keep the object and everything written to it: the pointer escapes through
 * a volatile store, and the fence is where somebody might look. Costs that one store. */
static inline void tide_bench_consume(tide_bench *bench, const void *object)
{
    *(const void *volatile *)&bench->sink = object;
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
}

/* Stop and start the clock of this thread, inside the loop. Some 200 ns for the two: for work
 * of many microseconds only. */
void tide_bench_pause(tide_bench *bench);
void tide_bench_resume(tide_bench *bench);

/* Ends this run and reports `why` in place of figures. */
void tide_bench_fail(tide_bench *bench, const char *why);

/* Figures beside the time, to be called after the loop. Values of the same name are added up
 * over the threads; `per_op` divides the sum by the iterations of all threads. */
void tide_bench_count(tide_bench *bench, const char *name, double value);
void tide_bench_count_per_op(tide_bench *bench, const char *name, double value);

/* Reports bytes a second, given the bytes of one iteration. */
void tide_bench_bytes(tide_bench *bench, size_t bytes_per_op);

#ifdef __cplusplus
}
#endif

#endif
