/* SPDX-License-Identifier: MIT */
/*
 * checked.c: which pools are checked, what is checked at get, put and the end, random drops.
 */
#include "checked.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "complain.h"
#include "heap.h"
#include "internal.h"
#include "poison.h"
#include "settings.h"

/* 1 in a checked build: the CMake option of that name. */
#ifndef TIDE_CHECKED
#define TIDE_CHECKED 0
#endif

/* One put of four, as in Go's race builds. Who asks for checks by the environment looks for a
 * fault that is there, and asks for drops too if they should help. */
enum { DROP_PERCENT = TIDE_CHECKED ? 25 : 0 };

enum { SITES_SHOWN = 8, SITES_COUNTED = 64 };

static pthread_once_t seed_once = PTHREAD_ONCE_INIT;
static uint64_t seed;
static bool seed_is_given;
static _Atomic uint64_t draws;

static void choose_seed(void)
{
    struct timespec now;
    seed_is_given = tide__setting(TIDE__SEED, &seed);
    if (seed_is_given)
        return;
    clock_gettime(CLOCK_REALTIME, &now);
    seed = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

bool tide__checked_init(tide_pool *pool)
{
    if (!tide__setting_or(TIDE__CHECK, TIDE_CHECKED))
        return true;
    struct checked *checked = tide__heap_alloc(sizeof(*checked), alignof(struct checked));
    if (!checked)
        return false;
    pthread_once(&seed_once, choose_seed);
    tide__ledger_init(&checked->ledger);
    checked->drop_percent = (unsigned)tide__setting_or(TIDE__DROP, DROP_PERCENT);
    pool->checked = checked;
    return true;
}

void tide__checked_fini(tide_pool *pool)
{
    if (!pool->checked)
        return;
    tide__ledger_fini(&pool->checked->ledger);
    tide__heap_free(pool->checked);
}

void *tide__checked_alloc(const tide_pool *pool)
{
    size_t room = tide__poison_room(pool->object_size);
    void *object = tide__pool_alloc(pool, room ? room : PTRDIFF_MAX);
    if (object)
        tide__poison_begin(object, pool->object_size);
    return object;
}

/* Before anyone sees the contents again. `when` names what found the damage, at `site`. */
static void lift(tide_pool *pool, void *object, const char *when, const void *site)
{
    if (pool->create)
        return; /* how much memory there is at that address is not known */
    struct poison_damage damage = tide__poison_lift(object, pool->object_size);
    if (!damage.count)
        return;
    struct ledger_entry entry = tide__ledger_read(object);
    tide__complain(
        "pool '%s': use after put of %p: %zu bytes written from offset %zu on: "
        "put at %s, %s%s",
        pool->name, object, damage.count, damage.offset, tide__complain_site(entry.put).text, when,
        site ? tide__complain_site(site).text : "");
    abort();
}

static void cover(tide_pool *pool, void *object, size_t weight)
{
    if (!pool->create)
        tide__poison_cover(object, pool->object_size, weight);
}

void tide__checked_lend(tide_pool *pool, void *object, const void *site)
{
    lift(pool, object, "found at ", site);
    tide__ledger_lend(pool, object, site);
}

void tide__checked_end(tide_pool *pool, void *object)
{
    lift(pool, object, "found when it was destroyed", NULL);
    tide__ledger_end(pool, object);
}

static size_t weigh(const tide_pool *pool, const void *object)
{
    bool matters = pool->weigh || pool->object_size > pool->weight_max;
    return matters ? tide__limit_weight(pool, object) : 0;
}

size_t tide__checked_weight(const tide_pool *pool, const void *object)
{
    return pool->create ? tide__limit_weight(pool, object)
                        : tide__poison_weight(object, pool->object_size);
}

void tide__checked_cache(tide_pool *pool, void *object, const void *site)
{
    tide__ledger_cache(pool, object, site);
    cover(pool, object, weigh(pool, object));
}

/* Says what is wrong about a put, and ends the program: whatever it did next would be done to
 * someone else's object. */
static _Noreturn void refuse(const tide_pool *pool, const void *object, const void *site,
                             const struct ledger_entry *known)
{
    struct site_text now = tide__complain_site(site);
    struct site_text put = tide__complain_site(known->put), got = tide__complain_site(known->got);
    if (known->pool == pool && known->state == LEDGER_CACHED)
        tide__complain("pool '%s': double put of %p: put at %s, put before at %s", pool->name,
                       object, now.text, put.text);
    else if (known->pool == pool)
        tide__complain("pool '%s': put of %p, which is destroyed: put at %s, put before at %s",
                       pool->name, object, now.text, put.text);
    else if (known->state == LEDGER_LENT || known->state == LEDGER_CACHED)
        tide__complain("pool '%s': foreign put of %p: put at %s, %s pool '%s' at %s", pool->name,
                       object, now.text, known->state == LEDGER_LENT ? "got from" : "put before to",
                       known->pool->name, known->state == LEDGER_LENT ? got.text : put.text);
    else
        tide__complain("pool '%s': foreign put of %p: put at %s, it is no object of this pool",
                       pool->name, object, now.text);
    abort();
}

void tide__checked_put(tide_pool *pool, void *object, const void *site)
{
    struct ledger_entry known;
    if (!tide__ledger_take_back(pool, object, site, &known))
        refuse(pool, object, site, &known);
    if (pool->reset)
        pool->reset(object, pool->context);
    size_t weight = weigh(pool, object);
    cover(pool, object, weight);
    if (weight > pool->stack_weight_max)
        tide__pool_put_heavy(pool, object, weight);
    else
        tide__pool_put_shared(pool, object);
}

/* Numbers that look random, the same ones for the same seed (splitmix64, Steele and others). */
static uint64_t draw(void)
{
    uint64_t turn = atomic_fetch_add_explicit(&draws, 1, memory_order_relaxed);
    uint64_t x = seed + turn * UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

/* A program that fails by a drop fails in its own way: it must be told before. */
static void tell_seed(const tide_pool *pool)
{
    static atomic_flag told = ATOMIC_FLAG_INIT;
    if (!seed_is_given && !atomic_flag_test_and_set_explicit(&told, memory_order_relaxed))
        tide__complain(
            "checked pools drop %u %% of what is put; the same again by "
            "TIDE=check:1,drop:%u,seed:%" PRIu64,
            pool->checked->drop_percent, pool->checked->drop_percent, seed);
}

bool tide__checked_drops(tide_pool *pool, void *object)
{
    if (!pool->checked->drop_percent || draw() % 100 >= pool->checked->drop_percent)
        return false;
    tell_seed(pool);
    count_add(&pool->destroyed_random, 1);
    tide__pool_destroy_object(pool, object);
    return true;
}

static int compare_loans(const void *a, const void *b)
{
    size_t x = ((const struct ledger_loans *)a)->count, y = ((const struct ledger_loans *)b)->count;
    return x < y ? 1 : x > y ? -1 : 0;
}

/* ": 2 got at this, 1 got at that", the most frequent first. */
static void list_sites(char *text, size_t size, struct ledger_loans *sites, size_t count)
{
    size_t used = 0;
    qsort(sites, count, sizeof(*sites), compare_loans);
    for (size_t i = 0; i < count && i < SITES_SHOWN && used < size; i++) {
        int length = snprintf(text + used, size - used, "%s %zu got at %s", i ? "," : ":",
                              sites[i].count, tide__complain_site(sites[i].site).text);
        used += length > 0 ? (size_t)length : 0;
    }
    if (count > SITES_SHOWN && used < size)
        snprintf(text + used, size - used, ", the others elsewhere");
}

void tide__checked_report_loans(tide_pool *pool, const void *site)
{
    struct ledger_loans sites[SITES_COUNTED];
    char list[SITES_SHOWN * sizeof(struct site_text)] = "";
    size_t count;
    size_t loans = tide__ledger_loans(&pool->checked->ledger, sites, SITES_COUNTED, &count);
    if (!loans)
        return;
    list_sites(list, sizeof(list), sites, count);
    tide__complain("pool '%s': %zu on loan when it was destroyed at %s%s", pool->name, loans,
                   tide__complain_site(site).text, list);
}
