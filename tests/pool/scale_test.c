/* SPDX-License-Identifier: MIT */
/*
 * scale_test.c: many CPUs, more than the machine has, many threads and many pools.
 *
 * Where there are restartable sequences, a pool here takes CPU numbers from a variable of each
 * thread, so that a thread works on any stack. A number is one thread's at a time: that is all
 * that the sequences need of it. The portable body numbers threads by itself.
 */
#include <stdio.h>
#include <stdlib.h>

#include "annotate.h"
#include "check.h"
#include "cpu.h"
#include "internal.h"
#include "tokens.h"

enum { CPUS = 512, POOLS = 1000, PAGE = 4096 };
enum { EMPTY_BYTES_MAX = 56 << 10 }; /* as docs/design.md says */

static _Thread_local uint32_t virtual_cpu;

static void use_virtual_cpus(tide_pool *pool)
{
    if (check_has_rseq())
        pool->percpu.cpu_offset = (char *)&virtual_cpu - (char *)__builtin_thread_pointer();
}

static void open_for_many_cpus(struct tokens *t, size_t limit)
{
    unsigned count = tide__cpu_count();
    tide__cpu_use_count(CPUS);
    tokens_open(t, limit);
    tide__cpu_use_count(count);
    check_count(t->pool->percpu.count, CPUS);
    use_virtual_cpus(t->pool);
}

static tide_pool_stats stats_of(const struct tokens *t)
{
    tide_pool_stats stats;
    tide_pool_read_stats(t->pool, &stats);
    return stats;
}

/* Returns how many gets returned what this CPU had put just before. */
static size_t visit_all(struct tokens *t)
{
    size_t own = 0;
    for (virtual_cpu = 0; virtual_cpu < CPUS; virtual_cpu++) {
        struct token *token = tokens_get(t);
        tokens_put(t, token);
        struct token *again = tokens_get(t);
        own += again == token;
        tokens_put(t, again);
    }
    virtual_cpu = 0;
    return own;
}

Test(pool, each_of_512_cpus_has_a_stack)
{
    struct tokens t;
    bool rseq = check_has_rseq();
    open_for_many_cpus(&t, CPUS);
    check_count(visit_all(&t), CPUS);
    check_count(t.made, rseq ? CPUS : 1);
    check_that(!rseq || stats_of(&t).hits_cpu == CPUS);
    check_that(!rseq || tide__percpu_used(&t.pool->percpu) == CPUS);
    tokens_check(&t, 0);
    tide_epoch_advance();
    check_count(stats_of(&t).victims, t.made);
    check_count(visit_all(&t), CPUS);
    check_count(t.made, rseq ? CPUS : 1);
    check_count(stats_of(&t).hits_victim, t.made);
    tokens_check(&t, 0);
    tide_epoch_advance();
    tide_epoch_advance();
    check_count(t.destroyed, t.made);
    tokens_close(&t);
}

/* What was left on one stack of many is found from any other one, each object once. */
Test(pool, a_victim_on_another_of_512_cpus_is_found)
{
    struct tokens t;
    struct token *taken[100];
    open_for_many_cpus(&t, 1000);
    visit_all(&t);
    tide_pool_drain(t.pool);
    size_t before = t.made;
    virtual_cpu = 300;
    for (size_t i = 0; i < 100; i++)
        check_that((taken[i] = tokens_get(&t)));
    for (size_t i = 0; i < 100; i++)
        tokens_put(&t, taken[i]);
    tide_epoch_advance();
    for (size_t i = 0; i < 100; i++) {
        virtual_cpu = (uint32_t)(i * 37 % 200);
        check_that((taken[i] = tokens_get(&t)));
    }
    check_count(t.made, before + 100);
    tokens_check(&t, 100);
    for (size_t i = 0; i < 100; i++)
        tokens_put(&t, taken[i]);
    tokens_close(&t);
}

/* Stacks from the first one that nobody uses on are not looked into. */
Test(pool, only_used_stacks_count_as_used)
{
    struct tokens t;
    open_for_many_cpus(&t, 100);
    tokens_put(&t, tokens_get(&t));
    tide_epoch_advance();
    check_that(tide__percpu_used(&t.pool->percpu) < CPUS);
    virtual_cpu = 99;
    tokens_put(&t, tokens_get(&t));
    check_that(!check_has_rseq() || tide__percpu_used(&t.pool->percpu) == 100);
    tokens_put(&t, tokens_get(&t));
    check_that(!check_has_rseq() || stats_of(&t).hits_cpu == 1);
    virtual_cpu = CPUS; /* there is no such stack */
    tokens_put(&t, tokens_get(&t));
    check_that(tide__percpu_used(&t.pool->percpu) <= CPUS);
    tokens_check(&t, 0);
    virtual_cpu = 0;
    tokens_close(&t);
}

enum { THREADS = 64, HELD = 4 };

static _Atomic unsigned working;

/* Each thread on eight CPU numbers of its own, one after the other. */
static void pass_through(struct tokens *t, unsigned index, size_t turns)
{
    struct token *held[HELD];
    for (size_t turn = 0; turn < turns; turn++) {
        virtual_cpu = (uint32_t)(index * 8 + turn % 8);
        size_t got = 0;
        while (got < 1 + turn % HELD && (held[got] = tokens_get(t)))
            got++;
        virtual_cpu = (uint32_t)(index * 8 + turn / 2 % 8);
        while (got)
            tokens_put(t, held[--got]);
    }
}

static void pass_or_advance(unsigned index, void *context)
{
    if (index < THREADS)
        pass_through(context, index, 40);
    atomic_fetch_sub(&working, index < THREADS);
    while (index == THREADS && atomic_load(&working))
        tide_epoch_advance();
}

/* In each round new pools learn anew which stacks are used, while epochs take them. */
Test(pool, sixty_four_threads_on_512_cpus_own_what_they_hold)
{
    size_t rounds = check_scaled(60);
    for (size_t round = 0; round < rounds; round++) {
        struct tokens t;
        open_for_many_cpus(&t, 100000);
        atomic_store(&working, THREADS);
        check_threads(THREADS + 1, pass_or_advance, &t);
        check_that(tide__percpu_used(&t.pool->percpu) >= THREADS / 2);
        check_count(t.failed, 0);
        tokens_check(&t, 0);
        tokens_close(&t);
    }
}

struct crowd {
    tide_pool *pools[POOLS];
    _Atomic size_t made, destroyed, walked;
};

static void *create_counted(void *context)
{
    struct crowd *crowd = context;
    crowd->made++;
    return malloc(16);
}

static void destroy_counted(void *object, void *context)
{
    struct crowd *crowd = context;
    crowd->destroyed++;
    free(object);
}

static void crowd_open(struct crowd *crowd)
{
    for (size_t i = 0; i < POOLS; i++) {
        crowd->pools[i] = tide_pool_create(&(tide_pool_config){
            .create = create_counted, .destroy = destroy_counted, .context = crowd});
        check_that(crowd->pools[i]);
    }
}

static void crowd_close(struct crowd *crowd)
{
    for (size_t i = 0; i < POOLS; i++)
        tide_pool_destroy(crowd->pools[i]);
}

static bool count_pool(const tide_pool *pool, void *context)
{
    struct crowd *crowd = context;
    crowd->walked += pool->context == crowd;
    return true;
}

static void use_crowd(unsigned index, void *context)
{
    struct crowd *crowd = context;
    for (size_t i = 0; i < POOLS * 4; i++) {
        tide_pool *pool = crowd->pools[(i * 7 + index * 251) % POOLS];
        void *objects[3];
        size_t count = tide_pool_get_bulk(pool, objects, 3);
        tide_pool_put_bulk(pool, objects, count);
        if (i % (POOLS / 4) == index)
            tide_epoch_advance();
    }
}

static void check_crowd_is_empty(struct crowd *crowd)
{
    size_t cached = 0;
    for (size_t i = 0; i < POOLS; i++) {
        tide_pool_stats stats;
        tide_pool_read_stats(crowd->pools[i], &stats);
        check_count(stats.gets, stats.puts);
        cached += stats.cached + stats.victims;
    }
    check_count(cached, 0);
    check_count(crowd->made, crowd->destroyed);
}

Test(pool, a_thousand_pools_are_used_aged_and_walked)
{
    static struct crowd crowd;
    crowd_open(&crowd);
    check_threads(4, use_crowd, &crowd);
    tide_pool_walk(count_pool, &crowd);
    check_count(crowd.walked, POOLS);
    check_that(crowd.made > POOLS);
    tide_epoch_advance();
    tide_epoch_advance();
    check_crowd_is_empty(&crowd);
    crowd_close(&crowd);
    crowd.walked = 0;
    tide_pool_walk(count_pool, &crowd);
    check_count(crowd.walked, 0);
}

static size_t resident_bytes(void)
{
    size_t size = 0, resident = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    check_that(file && fscanf(file, "%zu %zu", &size, &resident) == 2);
    fclose(file);
    return resident * PAGE;
}

/* Not where memory is watched, which takes memory of its own. */
static void check_empty_pools(unsigned cpus)
{
    static struct crowd crowd;
    unsigned count = tide__cpu_count();
    if (TIDE__ASAN || TIDE__TSAN || runs_on_valgrind())
        return;
    size_t before = resident_bytes();
    tide__cpu_use_count(cpus);
    crowd_open(&crowd);
    tide__cpu_use_count(count);
    for (int epoch = 0; epoch < 6; epoch++)
        tide_epoch_advance();
    size_t each = (resident_bytes() - before) / POOLS;
    fprintf(stderr, "%u CPUs: %zu bytes an empty pool\n", cpus, each);
    check_that(each <= EMPTY_BYTES_MAX);
    crowd_close(&crowd);
}

Test(pool, empty_pools_of_2_cpus_cost_little_memory)
{
    check_empty_pools(2);
}

Test(pool, empty_pools_of_14_cpus_cost_little_memory)
{
    check_empty_pools(14);
}

Test(pool, empty_pools_of_64_cpus_cost_little_memory)
{
    check_empty_pools(64);
}

Test(pool, empty_pools_of_512_cpus_cost_little_memory)
{
    check_empty_pools(CPUS);
}
