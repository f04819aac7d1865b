/* SPDX-License-Identifier: MIT */
/*
 * work.c: threads that get and put: mostly pairs, at times everything else.
 *
 * An operation is one object got or put. The stop flag is read once a turn.
 */
#include <sched.h>

#include "soak.h"

enum { PAIRS = 32, FEW = 16, DEEP_MIN = 100, DEEP_MAX = 500, DEEP_LARGE = 24, POST_COUNT = 32 };

static size_t depth(struct actor *actor, const struct stock *stock)
{
    if (stock->kind == LARGE)
        return 1 + actor_random(actor, DEEP_LARGE);
    return DEEP_MIN + actor_random(actor, DEEP_MAX - DEEP_MIN);
}

/* Mostly light, some that a stack refuses, few that the pool does. */
static void change_weight(struct actor *actor, struct stock *stock, struct slot *slot)
{
    static const unsigned weights[] = {1000, 1000, 4000, 16000, 40000, 100000};
    if (stock->kind == WEIGHED)
        atomic_store_explicit(&slot->weight, weights[actor_random(actor, 6)], memory_order_relaxed);
}

static void turn_pairs(struct actor *actor, struct stock *stock)
{
    unsigned failures = 0;
    tide_pool *pool = stock->pool;
    uint32_t id = actor->id;
    for (unsigned i = 0; i < PAIRS; i++) {
        struct slot *slot = tide_pool_get(pool);
        if (unlikely(!slot)) {
            failures++;
            continue;
        }
        stock_claim(stock, slot, id);
        stock_release(stock, slot, id);
        tide_pool_put(pool, slot);
    }
    actor_count(actor, stock, PAIRS, failures, PAIRS - failures);
}

static size_t get_each(struct actor *actor, struct stock *stock, struct slot **taken, size_t count)
{
    size_t got = 0;
    for (size_t i = 0; i < count; i++) {
        struct slot *slot = tide_pool_get(stock->pool);
        if (!slot)
            continue;
        stock_claim(stock, slot, actor->id);
        stock_check_whole(stock, slot);
        taken[got++] = slot;
    }
    actor_count(actor, stock, count, count - got, 0);
    return got;
}

static void put_each(struct actor *actor, struct stock *stock, struct slot **taken, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        change_weight(actor, stock, taken[i]);
        stock_release(stock, taken[i], actor->id);
        tide_pool_put(stock->pool, taken[i]);
    }
    actor_count(actor, stock, 0, 0, count);
}

/* A get that fails is the last one of its call. */
static size_t get_bulk(struct actor *actor, struct stock *stock, struct slot **taken, size_t count)
{
    size_t got = tide_pool_get_bulk(stock->pool, (void **)taken, count);
    for (size_t i = 0; i < got; i++)
        stock_claim(stock, taken[i], actor->id);
    actor_count(actor, stock, got + (got < count), got < count, 0);
    return got;
}

static void put_bulk(struct actor *actor, struct stock *stock, struct slot **taken, size_t count)
{
    for (size_t i = 0; i < count; i++)
        stock_release(stock, taken[i], actor->id);
    actor_count(actor, stock, 0, 0, count);
    if (count > 1 && actor_random(actor, 2)) { /* NULLs among them are ignored */
        tide_pool_put(stock->pool, taken[1]);
        taken[1] = NULL;
    }
    tide_pool_put_bulk(stock->pool, (void *const *)taken, count);
}

static void turn_few(struct actor *actor, struct stock *stock)
{
    struct slot *taken[FEW];
    for (unsigned i = 0; i < FEW; i++) {
        size_t got = get_each(actor, stock, taken, 1 + actor_random(actor, FEW));
        put_each(actor, stock, taken, got);
    }
}

/* More than a stack holds: batches are filled and emptied. */
static void turn_deep(struct actor *actor, struct stock *stock)
{
    struct slot *taken[DEEP_MAX];
    size_t got = get_each(actor, stock, taken, depth(actor, stock));
    put_each(actor, stock, taken, got);
}

static void turn_bulk(struct actor *actor, struct stock *stock)
{
    struct slot *taken[DEEP_MAX];
    size_t got = get_bulk(actor, stock, taken, depth(actor, stock) / 2 + 1);
    if (actor_random(actor, 2))
        put_bulk(actor, stock, taken, got);
    else
        put_each(actor, stock, taken, got);
}

/* Leaves an object for another thread to put; where one lies already both go on as they are. */
static void post(struct actor *actor, struct stock *stock, struct slot *slot)
{
    struct slot *none = NULL;
    struct slot *_Atomic *cell = &stock->mail[actor_random(actor, MAIL_COUNT)];
    slot_pass(slot, OWNER_MAILED);
    /* Release pairs with the acquire in collect. */
    if (atomic_compare_exchange_strong_explicit(cell, &none, slot, memory_order_release,
                                                memory_order_relaxed))
        return;
    slot_pass(slot, actor->id);
    put_each(actor, stock, &slot, 1);
}

static size_t collect(struct actor *actor, struct stock *stock, struct slot **taken)
{
    size_t got = 0;
    for (unsigned i = 0; i < MAIL_COUNT; i++) {
        /* Acquire pairs with the release in post. */
        struct slot *slot = atomic_exchange_explicit(&stock->mail[i], NULL, memory_order_acquire);
        if (!slot)
            continue;
        if (slot_pass(slot, actor->id) != OWNER_MAILED)
            report_wrong(DUPLICATED, 1, stock->name, "somebody has what was mailed");
        slot->stamp = actor->id;
        taken[got++] = slot;
    }
    return got;
}

static void turn_produce(struct actor *actor, struct stock *stock)
{
    struct slot *taken[POST_COUNT];
    size_t got = get_each(actor, stock, taken, POST_COUNT);
    while (got)
        post(actor, stock, taken[--got]);
}

static void turn_consume(struct actor *actor, struct stock *stock)
{
    struct slot *taken[MAIL_COUNT];
    size_t got = collect(actor, stock, taken);
    if (actor_random(actor, 2))
        put_bulk(actor, stock, taken, got);
    else
        put_each(actor, stock, taken, got);
}

/* Leaves an object for this thread's handler to put. */
static void turn_parcel(struct actor *actor, struct stock *stock)
{
    struct slot *slot, *_Atomic *parcel = &actor->parcel[stock - stocks];
    if (stock_may_refuse(stock))
        return; /* a put may have to destroy older ones, which is not for handlers */
    for (unsigned i = 0; i < FEW; i++) {
        if (atomic_load_explicit(parcel, memory_order_relaxed) || !get_each(actor, stock, &slot, 1))
            continue;
        slot_pass(slot, OWNER_PARCEL);
        atomic_store_explicit(parcel, slot, memory_order_relaxed);
    }
}

static void turn_hop(struct actor *actor, struct stock *stock)
{
    hop(actor);
    turn_few(actor, stock);
}

static void turn_yield(struct actor *actor, struct stock *stock)
{
    sched_yield();
    turn_few(actor, stock);
}

/* Each as often as it stands here, on the average; the first makes up the operations. */
static void (*const turns[])(struct actor *, struct stock *) = {
    turn_pairs, turn_pairs,   turn_pairs,   turn_pairs,  turn_pairs, turn_pairs,
    turn_pairs, turn_pairs,   turn_pairs,   turn_few,    turn_few,   turn_bulk,
    turn_deep,  turn_produce, turn_consume, turn_parcel,
};

static void turn_rarely(struct actor *actor, struct stock *stock)
{
    if (actor_random(actor, 2))
        turn_hop(actor, stock);
    else
        turn_yield(actor, stock);
}

/* Some threads only take, others only give; a third part only does pairs. */
static void turn(struct actor *actor, unsigned role)
{
    struct stock *stock = &stocks[actor_random(actor, plan.stocks)];
    unsigned which = actor_random(actor, 1024);
    if (which == 0)
        turn_rarely(actor, stock);
    else if (role % 8 == 6)
        turn_produce(actor, stock);
    else if (role % 8 == 7)
        turn_consume(actor, stock);
    else if (role % 3 == 0)
        turn_pairs(actor, stock);
    else
        turns[which % 16](actor, stock);
}

void *work_until_stopped(void *actor_index)
{
    struct actor *actor = actor_begin((unsigned)(uintptr_t)actor_index);
    unsigned role = (unsigned)(uintptr_t)actor_index + plan.number;
    while (!is_stopping())
        turn(actor, role);
    actor_end(actor);
    return NULL;
}

void *work_briefly(void *actor_index)
{
    struct actor *actor = actor_begin((unsigned)(uintptr_t)actor_index);
    for (unsigned i = 0; i < 3; i++)
        turn_few(actor, &stocks[actor_random(actor, plan.stocks)]);
    actor_end(actor);
    return NULL;
}

/* What is still in the mail when all have gone. */
void work_collect_all(struct actor *actor)
{
    for (unsigned i = 0; i < plan.stocks; i++)
        turn_consume(actor, &stocks[i]);
}
