/* SPDX-License-Identifier: MIT */
/*
 * cpu_test.c: the fast path is what serves; CPU numbers beyond those known at start.
 */
#include <stdio.h>

#include "check.h"
#include "cpu.h"
#include "internal.h"
#include "tokens.h"

enum { PAIRS = 500000 };

static void check_hits(const tide_pool *pool, double share, double share_fast)
{
    tide_pool_stats stats;
    tide_pool_read_stats(pool, &stats);
    double gets = (double)stats.gets, missed = (double)(stats.misses + stats.failures);
    fprintf(stderr, "%.4f %% hits, %.4f %% on the fast path\n", 100 - 100 * missed / gets,
            100 * (double)stats.hits_cpu / gets);
    check_that(gets > 0 && gets - missed > share * gets);
    check_that((double)stats.hits_cpu > share_fast * gets);
}

static void get_and_put(unsigned index, void *context)
{
    size_t pairs = check_scaled(PAIRS);
    for (size_t i = 0; i < pairs; i++)
        tide_pool_put(context, tide_pool_get(context));
}

static void check_hit_rate(unsigned threads, double share, double share_fast)
{
    tide_pool *pool = tide_pool_create(&(tide_pool_config){.object_size = 64});
    check_that(pool);
    check_threads(threads, get_and_put, pool);
    check_hits(pool, share, share_fast);
    tide_pool_destroy(pool);
}

Test(pool, hit_rate_of_one_thread_exceeds_999_of_1000)
{
    check_hit_rate(1, 0.999, 0.999);
}

/* Two threads a CPU, or more; the portable body has a stack for each. */
Test(pool, hit_rate_of_four_threads_exceeds_999_of_1000)
{
    check_hit_rate(4, 0.999, 0.999);
}

/* Pushes and pops by sequence alone; returns how many found their object. */
static size_t sequence_hits(struct tide__percpu *percpu, size_t count)
{
    int object;
    size_t hits = 0;
    for (size_t i = 0; i < count; i++)
        hits += tide__rseq_push(percpu, &object) && tide__rseq_pop(percpu) == &object;
    return hits;
}

/* Without this the slow path could serve all: it pushes and pops, too. */
Test(pool, hits_are_by_sequence_where_there_are_sequences)
{
    size_t count = check_scaled(PAIRS);
    tide_pool *pool = tide_pool_create(&(tide_pool_config){.object_size = 64});
    size_t hits = sequence_hits(&pool->percpu, count);
    if (check_has_rseq())
        check_that(hits > count / 1000 * 999, "%zu hits of %zu", hits, count);
    else
        check_count(hits, 0);
    while (tide__rseq_pop(&pool->percpu))
        continue;
    tide_pool_destroy(pool);
}

/* A pool that knows of one CPU only, on a machine that has more. */
static void open_for_one_cpu(struct tokens *t, size_t limit)
{
    unsigned count = tide__cpu_count();
    tide__percpu_use_cpu_id();
    tide__cpu_use_count(1);
    tokens_open(t, limit);
    tide__cpu_use_count(count);
}

static void cycle(struct tokens *t, size_t depth)
{
    struct token *held[1000];
    size_t got = 0;
    while (got < depth && (held[got] = tokens_get(t)))
        got++;
    while (got)
        tokens_put(t, held[--got]);
}

Test(pool, cpu_beyond_those_known_still_caches)
{
    struct tokens t;
    open_for_one_cpu(&t, 1000);
    check_pin(check_cpu(1));
    for (size_t depth = 1; depth <= 1000; depth *= 10) {
        for (int i = 0; i < 10; i++)
            cycle(&t, depth);
        check_count(t.made, depth);
    }
    check_count(t.failed, 0);
    tokens_check(&t, 0);
    tide_epoch_advance();
    cycle(&t, 1000);
    check_count(t.made, 1000);
    tokens_check(&t, 0);
    tokens_close(&t);
}

static size_t batches_of(tide_pool *pool)
{
    struct batch *taken[100];
    size_t count = 0;
    while (count < 100 && (taken[count] = tide__generation_take(young(pool), 0)))
        count++;
    for (size_t i = count; i-- > 0;)
        tide__generation_add(young(pool), 0, taken[i]);
    return count;
}

Test(pool, cpu_beyond_those_known_fills_its_batches)
{
    struct tokens t;
    open_for_one_cpu(&t, 1000);
    check_pin(check_cpu(1));
    cycle(&t, 1000);
    check_that(batches_of(t.pool) <= 1000 / BATCH_SIZE + 1);
    tokens_check(&t, 0);
    tokens_close(&t);
}

static _Atomic unsigned working;

static void cycle_or_advance(unsigned index, void *context)
{
    size_t cycles = check_scaled(20000);
    check_pin(check_cpu(index));
    for (size_t i = 0; index < 3 && i < cycles; i++)
        cycle(context, 1 + i % 200);
    atomic_fetch_sub(&working, index < 3);
    while (index == 3 && atomic_load(&working))
        tide_epoch_advance();
}

Test(pool, cpu_beyond_those_known_shares_with_the_others)
{
    struct tokens t;
    open_for_one_cpu(&t, 100000);
    atomic_store(&working, 3);
    check_threads(4, cycle_or_advance, &t);
    check_count(t.failed, 0);
    tokens_check(&t, 0);
    tokens_close(&t);
}
