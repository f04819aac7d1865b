/* SPDX-License-Identifier: MIT */
/*
 * transfer.c: a producer on one CPU, a consumer on another, and the ring between them.
 */
#include "transfer.h"

#include "compiler.h"
#include "cpus.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define RING_SLOTS 256u
#define SPINS_MAX 2000u

/* A slot is empty when it is NULL; the producer alone fills, the consumer alone empties. */
typedef struct transfer {
    uint64_t *ring[RING_SLOTS];
    bool stop;
    tide_bench *bench;
    get_function *get;
    cpu_set_t allowed;
    pthread_t producer;
} transfer;

/* Spins, and yields now and then in case the other side has no CPU of its own. */
static void wait_a_little(unsigned *spins)
{
    if (++*spins % SPINS_MAX)
        cpu_relax();
    else
        sched_yield();
}

/* Returns false once the consumer has had enough. */
static bool wait_until_empty(transfer *state, uint64_t **slot)
{
    for (unsigned spins = 0;; wait_a_little(&spins)) {
        if (__atomic_load_n(&state->stop, __ATOMIC_RELAXED))
            return false;
        if (!__atomic_load_n(slot, __ATOMIC_ACQUIRE)) /* pairs with take */
            return true;
    }
}

static void *produce(void *argument)
{
    transfer *state = argument;
    cpus_pin(&state->allowed, 1);
    for (unsigned index = 0;; index = (index + 1) % RING_SLOTS) {
        if (!wait_until_empty(state, &state->ring[index]))
            return NULL;
        uint64_t *object = state->get(state->bench->shared, state->bench->size);
        object[0] = index;
        __atomic_store_n(&state->ring[index], object, __ATOMIC_RELEASE); /* pairs with take */
    }
}

static uint64_t *take(uint64_t **slot)
{
    uint64_t *object;
    unsigned spins = 0;
    while (!(object = __atomic_load_n(slot, __ATOMIC_ACQUIRE))) /* pairs with produce */
        wait_a_little(&spins);
    __atomic_store_n(slot, NULL, __ATOMIC_RELEASE); /* pairs with wait_until_empty */
    return object;
}

static bool begin(transfer *state)
{
    state->allowed = cpus_allowed();
    if (CPU_COUNT(&state->allowed) < 2 || !cpus_pin(&state->allowed, 0))
        return false;
    return pthread_create(&state->producer, NULL, produce, state) == 0;
}

static void end(transfer *state, put_function *put)
{
    __atomic_store_n(&state->stop, true, __ATOMIC_RELAXED);
    pthread_join(state->producer, NULL);
    for (unsigned index = 0; index < RING_SLOTS; index++)
        if (state->ring[index])
            put(state->bench->shared, state->ring[index]);
    cpus_restore(&state->allowed);
}

static void consume(transfer *state, put_function *put)
{
    tide_bench *bench = state->bench;
    for (unsigned index = 0; tide_bench_next(bench); index = (index + 1) % RING_SLOTS) {
        uint64_t *object = take(&state->ring[index]);
        object[0]++;
        tide_bench_consume(bench, object);
        put(bench->shared, object);
    }
}

void operate_transfer(tide_bench *bench, get_function *get, put_function *put)
{
    transfer state = {.bench = bench, .get = get};
    if (!begin(&state)) {
        tide_bench_fail(bench, "needs two CPUs");
        return;
    }
    consume(&state, put);
    end(&state, put);
}
