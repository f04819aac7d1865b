/* SPDX-License-Identifier: MIT */
/*
 * buffer_stats.c: counts of buffers. Each thread has its own, which nobody else writes, so that
 * counting costs a load and a store; those of threads that have ended stay in the sums.
 */
#include <pthread.h>
#include <stdalign.h>

#include "buffer.h"
#include "heap.h"

_Thread_local struct buffer_counts *tide__buffer_counts __attribute__((tls_model("initial-exec")));

/* For threads that could not have their own; the end of the list. */
static struct buffer_counts shared = {.is_used = true};
static struct buffer_counts *_Atomic all = &shared;

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t key;
static bool has_key;

/* What destructors of other keys count after this one is shared again. */
static void detach(void *argument)
{
    struct buffer_counts *counts = argument;
    tide__buffer_counts = NULL;
    /* Pairs with the acquire in reuse. */
    atomic_store_explicit(&counts->is_used, false, memory_order_release);
}

static void make_key(void)
{
    has_key = pthread_key_create(&key, detach) == 0;
}

static struct buffer_counts *reuse(void)
{
    /* Pairs with the release in add. */
    struct buffer_counts *counts = atomic_load_explicit(&all, memory_order_acquire);
    for (; counts; counts = counts->next) {
        bool is_used = atomic_load_explicit(&counts->is_used, memory_order_relaxed);
        /* Pairs with the release in detach: the counts go on from where they were. */
        if (!is_used &&
            atomic_compare_exchange_strong_explicit(&counts->is_used, &is_used, true,
                                                    memory_order_acquire, memory_order_relaxed))
            return counts;
    }
    return NULL;
}

static struct buffer_counts *add(void)
{
    struct buffer_counts *counts =
        tide__heap_alloc((sizeof(*counts) + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE, CACHE_LINE);
    if (!counts)
        return NULL;
    atomic_store_explicit(&counts->is_used, true, memory_order_relaxed);
    counts->next = atomic_load_explicit(&all, memory_order_relaxed);
    /* Pairs with the acquires in reuse and tide_buffer_read_stats. */
    while (!atomic_compare_exchange_weak_explicit(&all, &counts->next, counts, memory_order_release,
                                                  memory_order_relaxed))
        continue;
    return counts;
}

struct buffer_counts *tide__buffer_counts_attach(void)
{
    pthread_once(&once, make_key);
    struct buffer_counts *counts = has_key ? reuse() : NULL;
    if (!counts && has_key)
        counts = add();
    if (!counts)
        return &shared;
    if (pthread_setspecific(key, counts)) {
        detach(counts);
        return &shared;
    }
    tide__buffer_counts = counts;
    return counts;
}

#define SUM(field) (stats->field += atomic_load_explicit(&counts->field, memory_order_relaxed))

void tide_buffer_read_stats(tide_buffer_stats *stats)
{
    uint64_t freed = 0;
    *stats = (tide_buffer_stats){0};
    /* Pairs with the release in add. */
    const struct buffer_counts *counts = atomic_load_explicit(&all, memory_order_acquire);
    for (; counts; counts = counts->next) {
        SUM(copied_bytes);
        SUM(printed_bytes);
        SUM(read_bytes);
        SUM(written_bytes);
        SUM(sendfile_bytes);
        SUM(reads);
        SUM(writes);
        SUM(blocks_made);
        SUM(pins_avoided);
        freed += atomic_load_explicit(&counts->blocks_freed, memory_order_relaxed);
    }
    stats->blocks_live = stats->blocks_made - freed;
}
