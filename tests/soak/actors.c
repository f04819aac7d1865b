/* SPDX-License-Identifier: MIT */
/*
 * actors.c: what a thread counts and holds, and what its signal handler does meanwhile.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "soak.h"

struct actor actors[ACTORS_MAX];
static _Thread_local struct actor *self;

static void handled(struct actor *actor, struct stock *stock, bool get, bool failure, bool put)
{
    struct tally *tally = &actor->handler_tallies[stock - stocks];
    tally->gets += get;
    tally->failures += failure;
    tally->puts += put;
    atomic_fetch_add_explicit(&actor->handled, get + put, memory_order_relaxed);
}

static struct slot *handler_get(struct actor *actor, struct stock *stock)
{
    struct slot *slot = tide_pool_get(stock->pool);
    handled(actor, stock, true, !slot, false);
    if (slot)
        stock_claim(stock, slot, OWNER_HANDLER | actor->id);
    return slot;
}

static void handler_put(struct actor *actor, struct stock *stock, struct slot *slot)
{
    stock_release(stock, slot, OWNER_HANDLER | actor->id);
    tide_pool_put(stock->pool, slot);
    handled(actor, stock, false, false, true);
}

/* What the thread has left for its handler to put: all that is allowed where objects come from
 * an allocator. */
static void put_parcel(struct actor *actor, struct stock *stock)
{
    struct slot *_Atomic *parcel = &actor->parcel[stock - stocks];
    struct slot *slot = atomic_exchange_explicit(parcel, NULL, memory_order_relaxed);
    if (!slot)
        return;
    if (slot_pass(slot, OWNER_HANDLER | actor->id) != OWNER_PARCEL)
        report_wrong(DUPLICATED, 1, stock->name, "a parcel has another owner");
    slot->stamp = OWNER_HANDLER | actor->id;
    handler_put(actor, stock, slot);
}

/* A pair; and one that is held until the next but one signal, or the one held until now. */
static void get_and_put(struct actor *actor, struct stock *stock)
{
    struct slot **held = &actor->held[stock - stocks];
    struct slot *slot = handler_get(actor, stock);
    if (slot && !*held && next_random(&actor->handler_random) % 2) {
        *held = slot;
        return;
    }
    if (slot)
        handler_put(actor, stock, slot);
    if (*held)
        handler_put(actor, stock, *held);
    *held = NULL;
}

static void handle(int number)
{
    struct actor *actor = self;
    int before = errno;
    if (!actor)
        return;
    atomic_fetch_add_explicit(&actor->signals, 1, memory_order_relaxed);
    struct stock *stock = &stocks[next_random(&actor->handler_random) % plan.stocks];
    if (stock_is_for_handlers(stock))
        get_and_put(actor, stock);
    else
        put_parcel(actor, stock);
    errno = before;
}

void actors_start(void)
{
    sigaction(SIGUSR1, &(struct sigaction){.sa_handler = handle, .sa_flags = SA_RESTART}, NULL);
}

static void block_signals(bool block)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    pthread_sigmask(block ? SIG_BLOCK : SIG_UNBLOCK, &set, NULL);
}

struct actor *actor_begin(unsigned index)
{
    struct actor *actor = &actors[index];
    block_signals(true);
    actor->id = index + 1;
    actor->random += (plan.seed + plan.number * ACTORS_MAX + index) * 0x9e3779b97f4a7c15u | 1;
    actor->random += !actor->random;
    actor->handler_random = ~actor->random | 1;
    self = actor;
    atomic_store(&actor->thread, (pid_t)syscall(SYS_gettid));
    atomic_fetch_add(&totals.threads, 1);
    block_signals(false);
    return actor;
}

static void add_tally(struct stock *stock, struct tally *tally)
{
    atomic_fetch_add(&stock->gets, tally->gets);
    atomic_fetch_add(&stock->failures, tally->failures);
    atomic_fetch_add(&stock->puts, tally->puts);
    *tally = (struct tally){0};
}

/* Handlers run no more; what they hold goes back. */
void actor_end(struct actor *actor)
{
    block_signals(true);
    atomic_store(&actor->thread, 0);
    self = NULL;
    for (unsigned i = 0; i < plan.stocks; i++) {
        if (actor->held[i])
            handler_put(actor, &stocks[i], actor->held[i]);
        actor->held[i] = NULL;
        put_parcel(actor, &stocks[i]);
        add_tally(&stocks[i], &actor->tallies[i]);
        add_tally(&stocks[i], &actor->handler_tallies[i]);
    }
}

uint64_t actors_operations(void)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < ACTORS_MAX; i++)
        sum += atomic_load_explicit(&actors[i].operations, memory_order_relaxed) +
               atomic_load_explicit(&actors[i].handled, memory_order_relaxed);
    return sum;
}

uint64_t actors_signals(void)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < ACTORS_MAX; i++)
        sum += atomic_load_explicit(&actors[i].signals, memory_order_relaxed);
    return sum;
}
