/* SPDX-License-Identifier: MIT */
/*
 * epoch_test.c: what epochs, drain, prewarm and destroy do to objects, with exact counts.
 */
#include <errno.h>

#include "check.h"
#include "tokens.h"

static struct token *held[20000];

static void fill(struct tokens *t, size_t count)
{
    check_count(tokens_get_bulk(t, held, count), count);
    tokens_put_bulk(t, held, count);
}

static tide_pool_stats stats_of(const struct tokens *t)
{
    tide_pool_stats stats;
    tide_pool_read_stats(t->pool, &stats);
    return stats;
}

Test(pool, epochs_are_counted)
{
    uint64_t before = tide_epoch_current();
    tide_epoch_advance();
    tide_epoch_advance();
    check_count(tide_epoch_current(), before + 2);
}

Test(pool, epoch_makes_cached_objects_victims)
{
    struct tokens t;
    tokens_open(&t, 1000);
    fill(&t, 1000);
    check_count(stats_of(&t).cached, 1000);
    tide_epoch_advance();
    check_count(stats_of(&t).cached, 0);
    check_count(stats_of(&t).victims, 1000);
    tide_epoch_advance();
    check_count(stats_of(&t).victims, 0);
    check_count(stats_of(&t).destroyed_epoch, 1000);
    tokens_check(&t, 0);
    tokens_close(&t);
}

Test(pool, victim_taken_and_put_back_is_young_again)
{
    struct tokens t;
    tokens_open(&t, 1);
    for (int epoch = 0; epoch < 10; epoch++) {
        struct token *token = tokens_get(&t);
        check_that(token);
        tokens_put(&t, token);
        check_count(stats_of(&t).cached, 1);
        tide_epoch_advance();
        check_count(stats_of(&t).victims, 1);
    }
    check_count(t.made, 1);
    check_count(stats_of(&t).hits_victim, 9);
    tide_epoch_advance();
    check_count(t.destroyed, 1);
    tokens_close(&t);
}

Test(pool, victims_are_found_before_anything_is_created)
{
    struct tokens t;
    tokens_open(&t, 5000);
    fill(&t, 5000);
    tide_epoch_advance();
    for (size_t i = 0; i < 5000; i++)
        held[i] = tokens_get(&t);
    check_count(t.made, 5000);
    check_count(t.failed, 0);
    check_count(stats_of(&t).hits_victim, 5000);
    tokens_check(&t, 5000);
    tokens_put_bulk(&t, held, 5000);
    tokens_close(&t);
}

Test(pool, young_objects_are_found_before_victims)
{
    struct tokens t;
    tokens_open(&t, 2);
    check_pin(check_cpu(0));
    struct token *old = tokens_get(&t), *fresh = tokens_get(&t);
    tokens_put(&t, old);
    tide_epoch_advance();
    tokens_put(&t, fresh);
    check_that(tokens_get(&t) == fresh);
    check_that(tokens_get(&t) == old);
    tokens_put(&t, old);
    tokens_put(&t, fresh);
    tokens_close(&t);
}

Test(pool, epoch_leaves_what_is_on_loan)
{
    struct tokens t;
    tokens_open(&t, 10);
    check_count(tokens_get_bulk(&t, held, 10), 10);
    for (int epoch = 0; epoch < 5; epoch++)
        tide_epoch_advance();
    check_count(t.destroyed, 0);
    tokens_check(&t, 10);
    tokens_put_bulk(&t, held, 10);
    tokens_close(&t);
}

Test(pool, drain_destroys_both_generations)
{
    struct tokens t;
    tokens_open(&t, 2000);
    check_count(tokens_get_bulk(&t, held, 2000), 2000);
    tokens_put_bulk(&t, held, 1500);
    tide_epoch_advance();
    tokens_put_bulk(&t, held + 1500, 400);
    check_count(tide_pool_drain(t.pool), 1900);
    check_count(t.destroyed, 1900);
    check_count(stats_of(&t).destroyed_drain, 1900);
    check_count(tide_pool_drain(t.pool), 0);
    tokens_check(&t, 100);
    tokens_put_bulk(&t, held + 1900, 100);
    check_count(tide_pool_drain(t.pool), 100);
    tokens_close(&t);
}

Test(pool, destroy_ends_everything_cached_once)
{
    struct tokens t;
    tokens_open(&t, 3000);
    check_count(tokens_get_bulk(&t, held, 3000), 3000);
    tokens_put_bulk(&t, held, 2000);
    tide_epoch_advance();
    tokens_put_bulk(&t, held + 2000, 1000);
    check_count(t.destroyed, 0);
    tokens_close(&t);
    check_count(t.destroyed, 3000);
}

Test(pool, prewarmed_objects_need_no_create)
{
    struct tokens t;
    tokens_open(&t, 500);
    check_count(tide_pool_prewarm(t.pool, 0), 0);
    check_count(tide_pool_prewarm(t.pool, 1), 1);
    check_count(tide_pool_prewarm(t.pool, 62), 62);
    check_count(tide_pool_prewarm(t.pool, 437), 437);
    check_count(stats_of(&t).prewarmed, 500);
    check_count(stats_of(&t).cached, 500);
    for (size_t i = 0; i < 500; i++)
        held[i] = tokens_get(&t);
    check_count(stats_of(&t).misses, 0);
    check_count(t.reset, 0);
    tokens_check(&t, 500);
    tokens_put_bulk(&t, held, 500);
    tokens_close(&t);
}

Test(pool, prewarm_says_how_many_it_made)
{
    struct tokens t;
    tokens_open(&t, 100);
    errno = 0;
    check_count(tide_pool_prewarm(t.pool, 300), 100);
    check_count(errno, ENOSPC);
    check_count(stats_of(&t).prewarmed, 100);
    check_count(stats_of(&t).failures, 0);
    check_count(stats_of(&t).cached, 100);
    tokens_close(&t);
}

Test(pool, bulk_gets_what_there_is_and_creates_the_rest)
{
    struct tokens t;
    tokens_open(&t, 700);
    check_count(tokens_get_bulk(&t, held, 0), 0);
    check_count(tokens_get_bulk(&t, held, 500), 500);
    check_count(t.made, 500);
    tokens_put_bulk(&t, held, 500);
    check_count(tokens_get_bulk(&t, held, 600), 600);
    check_count(t.made, 600);
    errno = 0;
    check_count(tokens_get_bulk(&t, held + 600, 200), 100);
    check_count(errno, ENOSPC);
    tokens_check(&t, 700);
    tokens_put_bulk(&t, held, 700);
    tokens_close(&t);
}

Test(pool, epoch_ages_many_pools_at_once)
{
    enum { POOLS = 200 };
    static struct tokens t[POOLS];
    for (size_t i = 0; i < POOLS; i++) {
        tokens_open(&t[i], 150);
        fill(&t[i], 1 + i % 150);
    }
    tide_epoch_advance();
    for (size_t i = 0; i < POOLS; i++)
        check_count(stats_of(&t[i]).victims, 1 + i % 150);
    tide_epoch_advance();
    for (size_t i = 0; i < POOLS; i++) {
        check_count(t[i].destroyed, 1 + i % 150);
        tokens_close(&t[i]);
    }
}

/* One random step of a single-threaded user; returns the number of tokens then held. */
static size_t step(struct tokens *t, uint64_t *random, size_t count)
{
    enum { GET, GET_BULK, PUT, PUT_BULK, PREWARM, EPOCH, DRAIN, STEPS };
    size_t amount = check_random(random) % 300;
    size_t given = amount < count ? amount : count;
    switch (check_random(random) % (4 * STEPS)) {
    case PREWARM:
        tide_pool_prewarm(t->pool, amount);
        return count;
    case EPOCH:
        tide_epoch_advance();
        return count;
    case DRAIN:
        tide_pool_drain(t->pool);
        return count;
    case GET_BULK:
        return count + tokens_get_bulk(t, held + count, amount);
    case PUT_BULK:
        tokens_put_bulk(t, held + count - given, given);
        return count - given;
    default:
        break;
    }
    if (amount % 2 && count) {
        tokens_put(t, held[count - 1]);
        return count - 1;
    }
    held[count] = tokens_get(t);
    return count + (held[count] != NULL);
}

Test(pool, statistics_add_up_after_every_step)
{
    struct tokens t;
    uint64_t random = check_seed();
    size_t count = 0, steps = check_scaled(20000);
    tokens_open(&t, 3000);
    for (size_t i = 0; i < steps; i++) {
        count = step(&t, &random, count);
        check_that(tokens_are_right(&t, count), "step %zu", i);
    }
    tokens_check(&t, count);
    tokens_put_bulk(&t, held, count);
    tokens_close(&t);
}
