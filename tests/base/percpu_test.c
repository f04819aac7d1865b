/* SPDX-License-Identifier: MIT */
/*
 * percpu_test.c: the operations of percpu.h, by one thread, on both bodies in one process.
 */
#include "stacks.h"

enum { CAPACITY = TIDE__PERCPU_CAPACITY };

static char things[4 * CAPACITY]; /* their addresses are the items */

/* Runs a check on the body that this process has, then on the portable one. */
static void on_both(void (*check)(struct tide__percpu *percpu))
{
    struct tide__percpu percpu;
    check_pin(check_cpu(0));
    stacks_open(&percpu);
    check_count(percpu.rseq_count, check_has_rseq() ? percpu.count : 0);
    check(&percpu);
    stacks_close(&percpu);
    tide__percpu_use_portable();
    stacks_open(&percpu);
    check_count(percpu.rseq_count, 0);
    check(&percpu);
    stacks_close(&percpu);
}

static void check_order(struct tide__percpu *percpu)
{
    check_that(!stacks_pop(percpu));
    for (size_t i = 0; i < 50; i++)
        check_that(stacks_push(percpu, &things[i]));
    for (size_t i = 50; i-- > 0;)
        check_that(stacks_pop(percpu) == &things[i]);
    check_that(!stacks_pop(percpu));
}

Test(base, percpu_pops_what_was_pushed_last)
{
    on_both(check_order);
}

static void check_capacity(struct tide__percpu *percpu)
{
    for (size_t i = 0; i < CAPACITY; i++)
        check_that(stacks_push(percpu, &things[i]));
    check_that(!stacks_push(percpu, &things[CAPACITY]));
    check_count(stacks_items(stacks_of(percpu), percpu->count), CAPACITY);
    check_that(stacks_pop(percpu) == &things[CAPACITY - 1]);
    check_that(stacks_push(percpu, &things[CAPACITY]));
    while (stacks_pop(percpu))
        continue;
    percpu->capacity = 10;
    for (size_t i = 0; i < 10; i++)
        check_that(stacks_push(percpu, &things[i]));
    check_that(!stacks_push(percpu, &things[10]));
}

Test(base, percpu_push_stops_at_the_capacity)
{
    on_both(check_capacity);
}

static void check_bulk(struct tide__percpu *percpu)
{
    void *items[2 * CAPACITY], *out[2 * CAPACITY];
    for (size_t i = 0; i < 2 * CAPACITY; i++)
        items[i] = &things[i];
    check_count(tide__percpu_pop_bulk(percpu, out, 5, TIDE__PERCPU_MOVED), 0);
    check_that(tide__percpu_push_bulk(percpu, items, 0));
    check_that(!tide__percpu_push_bulk(percpu, items, CAPACITY + 1));
    check_that(tide__percpu_push_bulk(percpu, items, 100));
    check_that(!tide__percpu_push_bulk(percpu, items + 100, CAPACITY - 99));
    check_that(tide__percpu_push_bulk(percpu, items + 100, CAPACITY - 100));
    check_count(tide__percpu_pop_bulk(percpu, out, 0, TIDE__PERCPU_MOVED), 0);
    check_count(tide__percpu_pop_bulk(percpu, out, 20, TIDE__PERCPU_MOVED), 20);
    for (size_t i = 0; i < 20; i++)
        check_that(out[i] == &things[CAPACITY - 20 + i]); /* newest last */
    check_that(stacks_pop(percpu) == &things[CAPACITY - 21]);
    check_count(tide__percpu_pop_bulk(percpu, out, 2 * CAPACITY, TIDE__PERCPU_MOVED),
                CAPACITY - 21);
    for (size_t i = 0; i < CAPACITY - 21; i++)
        check_that(out[i] == &things[i]);
    check_count(tide__percpu_pop_bulk(percpu, out, 1, TIDE__PERCPU_MOVED), 0);
}

Test(base, percpu_bulk_moves_all_or_what_there_is)
{
    on_both(check_bulk);
}

static void check_pops(struct tide__percpu *percpu)
{
    void *out[10];
    for (size_t round = 0; round < 70000; round++)
        check_that(stacks_push(percpu, &things[0]) && stacks_pop(percpu));
    check_count(stacks_pops(stacks_of(percpu), percpu->count), 70000);
    for (size_t i = 0; i < 20; i++)
        stacks_push(percpu, &things[i]);
    check_count(tide__percpu_pop_bulk(percpu, out, 10, TIDE__PERCPU_MOVED), 10);
    check_count(stacks_pops(stacks_of(percpu), percpu->count), 70000);
    check_count(tide__percpu_pop_bulk(percpu, out, 10, TIDE__PERCPU_GOT), 10);
    check_count(stacks_pops(stacks_of(percpu), percpu->count), 70010);
    check_that(!stacks_pop(percpu));
    check_count(stacks_items(stacks_of(percpu), percpu->count), 0);
}

Test(base, percpu_counts_pops_that_hit_and_no_bulk)
{
    on_both(check_pops);
}

static void check_one_stack(struct tide__percpu *percpu)
{
    unsigned used = 0;
    for (size_t i = 0; i < 20; i++)
        stacks_push(percpu, &things[i]);
    for (unsigned i = 0; i < percpu->count; i++)
        used += tide__percpu_stack_count(&stacks_of(percpu)[i]) > 0;
    check_count(used, 1);
    check_that(tide__percpu_index(percpu) < percpu->count);
    check_count(tide__percpu_stack_count(&stacks_of(percpu)[tide__percpu_index(percpu)]), 20);
}

Test(base, percpu_touches_the_stack_of_its_cpu_only)
{
    on_both(check_one_stack);
}

/* What stacks do, as simply as it can be said. */
struct model {
    void *items[CAPACITY];
    size_t count, pops;
};

static void step_bulk(struct tide__percpu *percpu, struct model *model, size_t amount, bool in)
{
    void *moved[CAPACITY];
    size_t expected = amount < model->count ? amount : model->count;
    for (size_t i = 0; i < amount; i++)
        moved[i] = &things[model->pops % CAPACITY + i];
    if (in) {
        bool fits = model->count + amount <= percpu->capacity;
        check_that(tide__percpu_push_bulk(percpu, moved, amount) == fits);
        for (size_t i = 0; fits && i < amount; i++)
            model->items[model->count++] = moved[i];
        return;
    }
    check_count(tide__percpu_pop_bulk(percpu, moved, amount, TIDE__PERCPU_MOVED), expected);
    model->count -= expected;
    for (size_t i = 0; i < expected; i++)
        check_that(moved[i] == model->items[model->count + i]);
}

static void step_one(struct tide__percpu *percpu, struct model *model, void *thing, bool in)
{
    if (in) {
        bool fits = model->count < percpu->capacity;
        check_that(stacks_push(percpu, thing) == fits);
        if (fits)
            model->items[model->count++] = thing;
        return;
    }
    void *expected = model->count ? model->items[model->count - 1] : NULL;
    check_that(stacks_pop(percpu) == expected);
    model->count -= expected != NULL;
    model->pops += expected != NULL;
}

static void check_model(struct tide__percpu *percpu)
{
    uint64_t random = check_seed();
    struct model model = {.count = 0};
    size_t steps = check_scaled(50000);
    percpu->capacity = 1 + (unsigned)(check_random(&random) % CAPACITY);
    for (size_t i = 0; i < steps; i++) {
        uint64_t choice = check_random(&random);
        if (choice % 8 < 2)
            step_bulk(percpu, &model, (choice >> 8) % CAPACITY, choice & 1);
        else
            step_one(percpu, &model, &things[(choice >> 8) % sizeof(things)], choice & 1);
    }
    check_count(stacks_pops(stacks_of(percpu), percpu->count), model.pops);
    check_count(stacks_items(stacks_of(percpu), percpu->count), model.count);
}

Test(base, percpu_does_what_a_plain_stack_does)
{
    on_both(check_model);
}
