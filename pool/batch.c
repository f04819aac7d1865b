/* SPDX-License-Identifier: MIT */
/*
 * batch.c: batches by number in chunks that stay mapped, and the lists of them.
 *
 * A process keeps as many batches as it ever had full at once: 8.4 bytes for each object.
 */
#include "batch.h"

#include <errno.h>
#include <stddef.h>

#include "compiler.h"
#include "heap.h"

enum { NUMBER_BITS = 24, NUMBER_MASK = (1 << NUMBER_BITS) - 1 };
enum { CHUNK_SHIFT = 10, CHUNK_SIZE = 1 << CHUNK_SHIFT, CHUNK_COUNT = 1 << 14 };

static struct batch *_Atomic chunks[CHUNK_COUNT];
static _Atomic uint32_t batches_used = 1; /* number 0 is none */
static struct batch_list batches_free;

static struct batch *batch_at(uint32_t number)
{
    /* Pairs with the release in add_chunk; the number was seen after that. */
    struct batch *chunk =
        atomic_load_explicit(&chunks[number >> CHUNK_SHIFT], memory_order_acquire);
    return &chunk[number & (CHUNK_SIZE - 1)];
}

/* The head that follows `head` with `number` on top: another tag. */
static uint64_t next_head(uint64_t head, uint32_t number)
{
    return ((head | NUMBER_MASK) + 1) | number;
}

void tide__batch_push(struct batch_list *list, struct batch *batch)
{
    uint64_t head = atomic_load_explicit(&list->head, memory_order_relaxed);
    do {
        atomic_store_explicit(&batch->next, head & NUMBER_MASK, memory_order_relaxed);
        /* Release pairs with the acquire in tide__batch_pop: the batch's contents. */
    } while (!atomic_compare_exchange_weak_explicit(&list->head, &head,
                                                    next_head(head, batch->number),
                                                    memory_order_release, memory_order_relaxed));
}

struct batch *tide__batch_pop(struct batch_list *list)
{
    /* Acquire pairs with the release in tide__batch_push, here and in the exchange. */
    uint64_t head = atomic_load_explicit(&list->head, memory_order_acquire);
    struct batch *batch;
    uint32_t next;
    do {
        if (!(head & NUMBER_MASK))
            return NULL;
        batch = batch_at(head & NUMBER_MASK);
        next = atomic_load_explicit(&batch->next, memory_order_relaxed);
        /* Acquire pairs with tide__batch_push. */
    } while (!atomic_compare_exchange_weak_explicit(&list->head, &head, next_head(head, next),
                                                    memory_order_acquire, memory_order_acquire));
    return batch;
}

/* Makes sure that the chunk of a number exists; several threads may try. */
static _Bool add_chunk(uint32_t number)
{
    struct batch *_Atomic *slot = &chunks[number >> CHUNK_SHIFT];
    struct batch *none = NULL;
    if (atomic_load_explicit(slot, memory_order_relaxed))
        return 1;
    struct batch *chunk = tide__heap_map(CHUNK_SIZE * sizeof(*chunk));
    if (!chunk)
        return 0;
    /* Release pairs with the acquire in batch_at. */
    if (!atomic_compare_exchange_strong_explicit(slot, &none, chunk, memory_order_release,
                                                 memory_order_relaxed))
        tide__heap_unmap(chunk, CHUNK_SIZE * sizeof(*chunk));
    return 1;
}

/* Takes a number that was never used, whose chunk exists; 0 when there is no memory. */
static uint32_t take_number(void)
{
    uint32_t number = atomic_load_explicit(&batches_used, memory_order_relaxed);
    do {
        if (number > NUMBER_MASK || !add_chunk(number))
            return 0;
    } while (!atomic_compare_exchange_weak_explicit(&batches_used, &number, number + 1,
                                                    memory_order_relaxed, memory_order_relaxed));
    return number;
}

static struct batch *batch_new(void)
{
    uint32_t number = take_number();
    if (!number) {
        errno = ENOMEM;
        return NULL;
    }
    struct batch *batch = batch_at(number);
    batch->number = number;
    return batch;
}

struct batch *tide__batch_alloc(void)
{
    struct batch *batch = tide__batch_pop(&batches_free);
    if (!batch)
        batch = batch_new();
    if (batch)
        batch->count = 0;
    return batch;
}

void tide__batch_free(struct batch *batch)
{
    tide__batch_push(&batches_free, batch);
}
