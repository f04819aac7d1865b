/* SPDX-License-Identifier: MIT */
/*
 * pool_test.c: a pool's configuration, hooks, objects and names, by one thread.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "tokens.h"

static void *create_null(void *context)
{
    errno = EMFILE;
    return NULL;
}

static void check_refused(const tide_pool_config *config)
{
    errno = 0;
    check_that(!tide_pool_create(config));
    check_count(errno, EINVAL);
}

Test(pool, create_refuses_a_bad_config)
{
    check_refused(NULL);
    check_refused(&(tide_pool_config){0});
    check_refused(&(tide_pool_config){.object_align = 64});
    check_refused(&(tide_pool_config){.object_size = 64, .object_align = 3});
    check_refused(&(tide_pool_config){.object_size = 64, .object_align = 48});
    check_refused(&(tide_pool_config){.object_size = (size_t)PTRDIFF_MAX + 1});
    check_refused(&(tide_pool_config){.object_size = SIZE_MAX});
    check_refused(&(tide_pool_config){.create = create_null, .object_align = 3});
}

Test(pool, create_takes_the_least_config)
{
    tide_pool *pool = tide_pool_create(&(tide_pool_config){.object_size = 1});
    tide_pool_stats stats;
    check_that(pool);
    tide_pool_read_stats(pool, &stats);
    check_that(!strcmp(stats.name, "pool"));
    check_count(stats.gets + stats.puts + stats.cached + stats.victims, 0);
    tide_pool_destroy(pool);
}

Test(pool, destroy_ignores_null)
{
    tide_pool_destroy(NULL);
}

Test(pool, put_ignores_null)
{
    struct tokens t;
    void *nothing[3] = {NULL, NULL, NULL};
    tokens_open(&t, 1);
    tide_pool_put(t.pool, NULL);
    tide_pool_put_bulk(t.pool, nothing, 3);
    check_count(t.reset, 0);
    tokens_check(&t, 0);
    tokens_close(&t);
}

Test(pool, get_on_empty_creates)
{
    struct tokens t;
    tokens_open(&t, 2);
    struct token *token = tokens_get(&t);
    check_that(token);
    check_count(t.made, 1);
    tokens_check(&t, 1);
    tokens_put(&t, token);
    tokens_close(&t);
}

Test(pool, get_fails_with_the_errno_of_create)
{
    tide_pool *pool = tide_pool_create(&(tide_pool_config){.create = create_null});
    void *objects[3];
    errno = 0;
    check_that(!tide_pool_get(pool));
    check_count(errno, EMFILE);
    errno = 0;
    check_count(tide_pool_get_bulk(pool, objects, 3), 0);
    check_count(errno, EMFILE);
    errno = 0;
    check_count(tide_pool_prewarm(pool, 3), 0);
    check_count(errno, EMFILE);
    tide_pool_stats stats;
    tide_pool_read_stats(pool, &stats);
    check_count(stats.failures, 2);
    check_count(stats.gets, 2);
    tide_pool_destroy(pool);
}

Test(pool, get_fails_with_enomem_for_an_object_too_large)
{
    tide_pool *pool = tide_pool_create(&(tide_pool_config){.object_size = PTRDIFF_MAX});
    check_that(pool);
    errno = 0;
    check_that(!tide_pool_get(pool));
    check_count(errno, ENOMEM);
    tide_pool_destroy(pool);
}

Test(pool, reset_runs_once_for_each_put)
{
    struct tokens t;
    struct token *held[300];
    tokens_open(&t, 300);
    check_count(tokens_get_bulk(&t, held, 300), 300);
    check_count(t.reset, 0);
    tokens_put_bulk(&t, held, 150);
    check_count(t.reset, 150);
    for (size_t i = 150; i < 300; i++)
        tokens_put(&t, held[i]);
    check_count(t.reset, 300);
    tide_epoch_advance();
    tide_pool_drain(t.pool);
    check_count(t.reset, 300);
    tokens_close(&t);
}

enum { MIXED_HELD = 400, MIXED_MAX = 1200 };

/* Puts some tokens in bulk with NULLs among them, `nulls` of 64; returns how many tokens. */
static size_t put_mixed(struct tokens *t, struct token **held, uint64_t *random, size_t nulls)
{
    void *mixed[MIXED_MAX];
    size_t given = 0;
    for (size_t i = 0; i < MIXED_MAX; i++) {
        bool is_null = given == MIXED_HELD || check_random(random) % 64 < nulls;
        mixed[i] = is_null ? NULL : held[given];
        if (!is_null)
            atomic_store(&held[given++]->state, TOKEN_POOLED);
    }
    tide_pool_put_bulk(t->pool, mixed, MIXED_MAX);
    return given;
}

Test(pool, put_bulk_takes_objects_between_nulls)
{
    uint64_t random = check_seed();
    struct tokens t;
    struct token *held[MIXED_HELD];
    tokens_open(&t, MIXED_HELD);
    check_count(tokens_get_bulk(&t, held, MIXED_HELD), MIXED_HELD);
    for (size_t nulls = 0; nulls <= 64; nulls++) {
        size_t given = put_mixed(&t, held, &random, nulls);
        tokens_check(&t, MIXED_HELD - given);
        check_count(tokens_get_bulk(&t, held, given), given);
        check_count(t.made, MIXED_HELD);
    }
    tokens_put_bulk(&t, held, MIXED_HELD);
    tokens_close(&t);
}

/* Objects that the pool allocates itself. */
enum { SIZED_COUNT = 200 };

static bool is_zeroed(const unsigned char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (bytes[i])
            return false;
    }
    return true;
}

static int compare_addresses(const void *a, const void *b)
{
    uintptr_t x = *(const uintptr_t *)a, y = *(const uintptr_t *)b;
    return x < y ? -1 : x > y;
}

static bool are_apart(void **objects, size_t count, size_t size)
{
    qsort(objects, count, sizeof(*objects), compare_addresses);
    for (size_t i = 1; i < count; i++) {
        if ((uintptr_t)objects[i] - (uintptr_t)objects[i - 1] < size)
            return false;
    }
    return true;
}

static void check_sized(size_t size, size_t align)
{
    void *objects[SIZED_COUNT];
    size_t step = align ? align : _Alignof(max_align_t), wrong = 0;
    tide_pool *pool =
        tide_pool_create(&(tide_pool_config){.object_size = size, .object_align = align});
    check_that(pool);
    check_count(tide_pool_get_bulk(pool, objects, SIZED_COUNT), SIZED_COUNT);
    for (size_t i = 0; i < SIZED_COUNT; i++) {
        wrong += (uintptr_t)objects[i] % step != 0 || !is_zeroed(objects[i], size);
        memset(objects[i], 0xa5, size);
    }
    check_that(!wrong, "%zu of size %zu and alignment %zu are wrong", wrong, size, align);
    check_that(are_apart(objects, SIZED_COUNT, size));
    tide_pool_put_bulk(pool, objects, SIZED_COUNT);
    tide_pool_destroy(pool);
}

Test(pool, sized_objects_are_zeroed_aligned_and_apart)
{
    check_sized(64, 0);
    for (size_t align = 1; align <= 4096; align *= 2) {
        check_sized(1, align);
        check_sized(24, align);
        check_sized(align + 1, align);
    }
    for (size_t align = 0; align <= 4096; align = align ? align * 2 : 1)
        check_sized(32768, align);
    check_sized(32767, 0);
    check_sized(100001, 64);
}

static size_t sized_destroyed;

static void count_sized(void *object, void *context)
{
    sized_destroyed++;
    *(size_t *)context += 1;
}

Test(pool, destroy_hook_takes_what_it_is_given)
{
    size_t objects[2] = {0}, context = 0;
    tide_pool *pool = tide_pool_create(
        &(tide_pool_config){.create = create_null, .destroy = count_sized, .context = &context});
    tide_pool_put(pool, &objects[0]); /* foreign: the pool takes it over */
    tide_pool_put(pool, &objects[1]);
    tide_pool_destroy(pool);
    check_count(sized_destroyed, 2);
    check_count(context, 2);
}

struct pair {
    int first, second;
};
TIDE_POOL_TYPE(pairs, struct pair);

Test(pool, typed_wrappers_are_get_and_put)
{
    tide_pool *pool = tide_pool_create(&(tide_pool_config){.object_size = sizeof(struct pair)});
    check_pin(check_cpu(0));
    struct pair *pair = pairs_get(pool);
    pairs_pooled *same = pair;
    pair->second = 7;
    pairs_put(pool, pair);
    same = pairs_get(pool);
    check_that(same == pair);
    check_count(same->second, 7);
    pairs_put(pool, same);
    tide_pool_destroy(pool);
}

struct walk {
    const char *names[8];
    size_t count, limit;
};

static bool remember(const tide_pool *pool, void *context)
{
    struct walk *walk = context;
    tide_pool_stats stats;
    tide_pool_read_stats(pool, &stats);
    walk->names[walk->count++] = stats.name;
    return walk->count < walk->limit;
}

Test(pool, walk_visits_each_pool_until_told_to_stop)
{
    const char *names[3] = {"tide", "ebb", "flood"};
    tide_pool *pools[3];
    struct walk all = {.limit = 8}, two = {.limit = 2}, none = {.limit = 8};
    for (size_t i = 0; i < 3; i++)
        pools[i] = tide_pool_create(&(tide_pool_config){.name = names[i], .object_size = 8});
    tide_pool_walk(remember, &all);
    check_count(all.count, 3);
    for (size_t i = 0; i < 3; i++)
        check_that(!strcmp(all.names[i], names[i]));
    tide_pool_walk(remember, &two);
    check_count(two.count, 2);
    for (size_t i = 0; i < 3; i++)
        tide_pool_destroy(pools[i]);
    tide_pool_walk(remember, &none);
    check_count(none.count, 0);
}

Test(pool, overflow_comes_back_without_create)
{
    static struct token *held[10000];
    struct tokens t;
    tokens_open(&t, 10000);
    check_count(tokens_get_bulk(&t, held, 10000), 10000);
    for (size_t i = 0; i < 10000; i++)
        tokens_put(&t, held[i]);
    tokens_check(&t, 0);
    for (size_t i = 0; i < 10000; i++)
        held[i] = tokens_get(&t);
    check_count(t.made, 10000);
    check_count(t.failed, 0);
    tokens_check(&t, 10000);
    tokens_put_bulk(&t, held, 10000);
    tokens_close(&t);
}
