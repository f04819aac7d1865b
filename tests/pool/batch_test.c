/* SPDX-License-Identifier: MIT */
/*
 * batch_test.c: lists of batches, against a model and under many threads with few batches.
 */
#include <stdatomic.h>

#include "batch.h"
#include "check.h"

enum { LISTS = 3, BATCHES = 6, MODEL_MAX = 200 };

struct model {
    struct batch *batches[MODEL_MAX];
    size_t count;
};

static void step(struct batch_list *lists, struct model *models, struct model *free_batches,
                 uint64_t choice)
{
    size_t i = (choice >> 8) % LISTS;
    struct model *model = &models[i];
    if (choice & 1 && free_batches->count) {
        struct batch *batch = free_batches->batches[--free_batches->count];
        tide__batch_push(&lists[i], batch);
        model->batches[model->count++] = batch;
        return;
    }
    struct batch *expected = model->count ? model->batches[--model->count] : NULL;
    check_that(tide__batch_pop(&lists[i]) == expected);
    check_that(batch_list_is_empty(&lists[i]) == (model->count == 0));
    if (expected)
        free_batches->batches[free_batches->count++] = expected;
}

Test(pool, batch_list_does_what_a_plain_stack_does)
{
    uint64_t random = check_seed();
    size_t steps = check_scaled(100000);
    struct batch_list lists[LISTS] = {{0}};
    struct model models[LISTS] = {{.count = 0}}, free_batches = {.count = 0};
    while (free_batches.count < MODEL_MAX) {
        struct batch *batch = tide__batch_alloc();
        check_that(batch && batch->count == 0 && batch->number);
        free_batches.batches[free_batches.count++] = batch;
    }
    for (size_t i = 0; i < steps; i++)
        step(lists, models, &free_batches, check_random(&random));
    for (size_t i = 0; i < LISTS; i++)
        while (models[i].count)
            step(lists, models, &free_batches, i << 8);
    check_count(free_batches.count, MODEL_MAX);
    while (free_batches.count)
        tide__batch_free(free_batches.batches[--free_batches.count]);
}

Test(pool, batch_freed_is_allocated_again)
{
    struct batch *first = tide__batch_alloc();
    first->count = 7;
    tide__batch_free(first);
    struct batch *again = tide__batch_alloc();
    check_that(again == first);
    check_count(again->count, 0);
    tide__batch_free(again);
}

static struct batch_list shared[2];
static _Atomic uint64_t wrong, moved;

/* A batch's only item says who has it: 0 for a list. It is changed by its owner alone, so that
 * another owner is seen. */
static void own(struct batch *batch, uintptr_t from, uintptr_t to)
{
    _Atomic uintptr_t *owner = (_Atomic uintptr_t *)(void *)&batch->items[0];
    if (atomic_exchange_explicit(owner, to, memory_order_relaxed) != from)
        atomic_fetch_add(&wrong, 1);
}

static void pop_and_push(unsigned index, void *context)
{
    uint64_t random = *(uint64_t *)context + index, count = 0;
    size_t operations = check_scaled(1000000);
    for (size_t i = 0; i < operations; i++) {
        uint64_t choice = check_random(&random);
        struct batch *first = tide__batch_pop(&shared[choice & 1]);
        struct batch *second = choice & 2 ? tide__batch_pop(&shared[choice & 1]) : NULL;
        if (first)
            own(first, 0, index + 1);
        if (second)
            own(second, 0, index + 1);
        if (first)
            own(first, index + 1, 0);
        if (first)
            tide__batch_push(&shared[(choice >> 2) & 1], first);
        if (second)
            own(second, index + 1, 0);
        if (second)
            tide__batch_push(&shared[(choice >> 3) & 1], second);
        count += first != NULL;
    }
    atomic_fetch_add(&moved, count);
}

static size_t count_and_free(struct batch_list *list)
{
    size_t count = 0;
    struct batch *batch;
    while ((batch = tide__batch_pop(list))) {
        tide__batch_free(batch);
        count++;
    }
    return count;
}

/* Few batches, so that one that a slow thread has read is soon on top again (ABA). */
Test(pool, batch_has_one_owner_whoever_pops)
{
    uint64_t seed = check_seed();
    for (size_t i = 0; i < BATCHES; i++) {
        struct batch *batch = tide__batch_alloc();
        batch->items[0] = NULL;
        tide__batch_push(&shared[i % 2], batch);
    }
    check_threads(4, pop_and_push, &seed);
    check_count(wrong, 0);
    check_that(moved > 0);
    check_count(count_and_free(&shared[0]) + count_and_free(&shared[1]), BATCHES);
}
