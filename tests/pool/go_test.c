/* SPDX-License-Identifier: MIT */
/*
 * go_test.c: the tests of Go's sync.Pool (pool_test.go), by name and meaning.
 *
 * Where Go runs a garbage collection, an epoch is advanced here; where Go pins a goroutine, the
 * thread is pinned. Go's private slot gives back the oldest of two objects; here it is always
 * the newest.
 */
#include <sched.h>
#include <stdlib.h>

#include "check.h"
#include "tokens.h"

/* TestPool */
Test(pool, go_test_pool_pinned_gets_back_newest_first)
{
    struct tokens t;
    tokens_open(&t, 8);
    check_pin(check_cpu(0));
    struct token *a = tokens_get(&t), *b = tokens_get(&t);
    check_that(a != b);
    tokens_put(&t, a);
    tokens_put(&t, b);
    tide_pool_put(t.pool, NULL);
    check_that(tokens_get(&t) == b);
    check_that(tokens_get(&t) == a);
    check_count(t.made, 2);
    struct token *c = tokens_get(&t);
    check_that(c != a && c != b);
    check_count(t.made, 3);
    struct token *all[] = {a, b, c};
    tokens_put_bulk(&t, all, 3);
    tokens_close(&t);
}

/* Go's second half of TestPool: 100 objects, one collection keeps them, the second does not. */
Test(pool, go_test_pool_victim_survives_one_epoch)
{
    struct tokens t;
    struct token *held[100];
    tokens_open(&t, 100);
    check_count(tokens_get_bulk(&t, held, 100), 100);
    tokens_put_bulk(&t, held, 100);
    tide_epoch_advance();
    check_count(t.destroyed, 0);
    held[0] = tokens_get(&t);
    check_count(t.made, 100);
    tide_epoch_advance();
    check_count(t.destroyed, 99);
    tokens_put(&t, held[0]);
    tokens_close(&t);
}

/* TestPoolNew */
Test(pool, go_test_pool_new_is_called_only_when_empty)
{
    struct tokens t;
    tokens_open(&t, 8);
    check_pin(check_cpu(0));
    struct token *one = tokens_get(&t), *two = tokens_get(&t);
    check_count(t.made, 2);
    tokens_put(&t, two);
    check_that(tokens_get(&t) == two);
    check_count(t.made, 2);
    struct token *three = tokens_get(&t);
    check_count(t.made, 3);
    tokens_put(&t, one);
    tokens_put(&t, two);
    tokens_put(&t, three);
    tokens_close(&t);
}

static void put_hundred(struct tokens *t)
{
    struct token *held[100];
    check_count(tokens_get_bulk(t, held, 100), 100);
    tokens_put_bulk(t, held, 100);
}

/* TestPoolGC: what was drained before is not held and not destroyed a second time. */
Test(pool, go_test_pool_gc_drained_objects_end_once)
{
    struct tokens t;
    tokens_open(&t, 100);
    for (size_t try = 1; try <= 3; try++) {
        put_hundred(&t);
        check_count(tide_pool_drain(t.pool), 100);
        check_count(t.destroyed, 100 * try);
        tide_epoch_advance();
        tide_epoch_advance();
        check_count(t.destroyed, 100 * try);
        tokens_check(&t, 0);
    }
    tokens_close(&t);
}

/* TestPoolRelease */
Test(pool, go_test_pool_release_after_two_epochs)
{
    struct tokens t;
    tokens_open(&t, 100);
    for (size_t try = 1; try <= 3; try++) {
        put_hundred(&t);
        tide_epoch_advance();
        check_count(t.destroyed, 100 * (try - 1));
        tide_epoch_advance();
        check_count(t.destroyed, 100 * try);
        tokens_check(&t, 0);
    }
    tokens_close(&t);
}

static size_t stress_operations;

static void stress(unsigned index, void *context)
{
    struct tokens *t = context;
    struct token *token = tokens_get(t);
    for (size_t i = 1; i < stress_operations && token; i++) {
        tokens_put(t, token);
        token = tokens_get(t);
    }
    if (token)
        tokens_put(t, token);
}

/* TestPoolStress: ten threads by a million. */
Test(pool, go_test_pool_stress)
{
    struct tokens t;
    tokens_open(&t, 100000);
    stress_operations = check_scaled(1000000);
    check_threads(10, stress, &t);
    check_count(t.failed, 0);
    tide_pool_stats stats;
    tide_pool_read_stats(t.pool, &stats);
    check_count(stats.gets, 10 * stress_operations);
    check_count(stats.puts, 10 * stress_operations);
    tokens_check(&t, 0);
    tokens_close(&t);
}

/* TestPoolDequeue and TestPoolChain: values are numbers that the pool hands over; producers put
 * each once, consumers count what they get. A get that would create returns NULL instead. */
struct handover {
    tide_pool *pool;
    size_t values;
    unsigned producers;
    bool bulk;
    _Atomic unsigned *seen;
    _Atomic size_t produced, consumed, from_own;
};

static void *create_nothing(void *context)
{
    return NULL;
}

static void record(struct handover *h, void *value)
{
    atomic_fetch_add(&h->seen[(uintptr_t)value - 1], 1);
    atomic_fetch_add(&h->consumed, 1);
}

static size_t consume_some(struct handover *h)
{
    void *values[40];
    size_t got = tide_pool_get_bulk(h->pool, values, h->bulk ? 40 : 1);
    for (size_t i = 0; i < got; i++)
        record(h, values[i]);
    return got;
}

static void produce(struct handover *h)
{
    size_t number;
    while ((number = atomic_fetch_add(&h->produced, 1)) < h->values) {
        tide_pool_put(h->pool, (void *)(uintptr_t)(number + 1));
        if (number % 10 == 0)
            atomic_fetch_add(&h->from_own, consume_some(h));
        if (number % 1024 == 0)
            sched_yield();
    }
}

static void consume(struct handover *h)
{
    while (atomic_load(&h->consumed) < h->values) {
        if (!consume_some(h))
            sched_yield();
    }
}

static void produce_or_consume(unsigned index, void *context)
{
    struct handover *h = context;
    if (index < h->producers) {
        check_pin(check_cpu(0));
        produce(h);
    }
    consume(h);
}

static void check_handover(unsigned producers, unsigned consumers, size_t values, bool bulk)
{
    struct handover h = {.values = values, .producers = producers, .bulk = bulk};
    h.pool = tide_pool_create(&(tide_pool_config){.create = create_nothing});
    h.seen = calloc(values, sizeof(*h.seen));
    check_that(h.pool && h.seen);
    check_threads(producers + consumers, produce_or_consume, &h);
    size_t wrong = 0;
    for (size_t i = 0; i < values; i++)
        wrong += h.seen[i] != 1;
    check_count(wrong, 0);
    check_that(h.from_own > 0);
    tide_pool_destroy(h.pool);
    free(h.seen);
}

Test(pool, go_test_pool_dequeue_every_value_is_seen_once)
{
    check_handover(1, 9, check_scaled(2000000), false);
}

Test(pool, go_test_pool_chain_every_value_is_seen_once)
{
    check_handover(5, 5, check_scaled(2000000), true);
}
