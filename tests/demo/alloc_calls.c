/* SPDX-License-Identifier: MIT */
/*
 * alloc_calls.c: checks, with the allocation counter preloaded, that it counts each call once.
 */
#include <alloc_count.h>
#include <malloc.h>
#include <mimalloc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern __attribute__((weak)) void tide_alloc_count_read(struct alloc_count *count);

enum { THREADS = 8, CALLS = 10000, CALL_SIZE = 24 };

static int failures;

/* What has been counted since the last call. */
static struct alloc_count counted(void)
{
    static struct alloc_count last;
    struct alloc_count now;
    tide_alloc_count_read(&now);
    struct alloc_count since = {now.allocations - last.allocations, now.bytes - last.bytes,
                                now.frees - last.frees};
    last = now;
    return since;
}

static void expect(const char *what, uint64_t allocations, uint64_t bytes, uint64_t frees)
{
    struct alloc_count count = counted();
    if (count.allocations == allocations && count.bytes == bytes && count.frees == frees)
        return;
    fprintf(stderr, "%s: %llu allocations of %llu bytes, %llu frees\n", what,
            (unsigned long long)count.allocations, (unsigned long long)count.bytes,
            (unsigned long long)count.frees);
    failures++;
    counted(); /* the message may have allocated */
}

static void single_calls(void)
{
    free(malloc(10));
    expect("malloc", 1, 10, 1);
    free(calloc(3, 7));
    expect("calloc", 1, 21, 1);
    free(realloc(malloc(5), 50));
    expect("realloc", 2, 55, 2);
    free(reallocarray(NULL, 4, 6));
    expect("reallocarray", 1, 24, 1);
    free(strdup("nine char"));
    expect("strdup", 1, 10, 1);
    free(NULL);
    expect("free of NULL", 0, 0, 0);
    free(realloc(NULL, 8));
    expect("realloc of NULL", 1, 8, 1);
}

static void aligned_calls(void)
{
    void *memory = NULL;
    free(aligned_alloc(64, 128));
    expect("aligned_alloc", 1, 128, 1);
    free(memalign(64, 100));
    expect("memalign", 1, 100, 1);
    if (!posix_memalign(&memory, 4096, 30))
        free(memory);
    expect("posix_memalign", 1, 30, 1);
}

static void failed_calls(void)
{
    volatile size_t huge = SIZE_MAX / 2;
    free(malloc(huge));
    free(calloc(huge, 8));
    free(reallocarray(NULL, huge, 8));
    expect("calls that fail", 0, 0, 0);
}

static void mimalloc_calls(void)
{
    mi_free(mi_malloc(11));
    expect("mi_malloc", 1, 11, 1);
    mi_free(mi_zalloc(12));
    expect("mi_zalloc", 1, 12, 1);
    mi_free(mi_calloc(2, 13));
    expect("mi_calloc", 1, 26, 1);
    mi_free(mi_malloc_aligned(14, 64));
    expect("mi_malloc_aligned", 1, 14, 1);
    mi_free(mi_zalloc_aligned(15, 64));
    expect("mi_zalloc_aligned", 1, 15, 1);
}

static void *call_often(void *barrier)
{
    pthread_barrier_wait(barrier);
    for (int i = 0; i < CALLS; i++)
        free(malloc(CALL_SIZE));
    pthread_barrier_wait(barrier);
    return NULL;
}

/* The counts are taken while the threads wait, so that their start and end are not in them. */
static void calls_of_threads(void)
{
    pthread_t threads[THREADS];
    pthread_barrier_t barrier;
    pthread_barrier_init(&barrier, NULL, THREADS + 1);
    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, call_often, &barrier);
    counted();
    pthread_barrier_wait(&barrier);
    pthread_barrier_wait(&barrier);
    struct alloc_count count = counted();
    if (count.allocations < THREADS * CALLS || count.bytes < THREADS * CALLS * CALL_SIZE)
        failures++;
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    pthread_barrier_destroy(&barrier);
}

int main(void)
{
    if (!tide_alloc_count_read) {
        fputs("the counter is not preloaded\n", stderr);
        return EXIT_FAILURE;
    }
    counted();
    single_calls();
    aligned_calls();
    failed_calls();
    mimalloc_calls();
    calls_of_threads();
    return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}
