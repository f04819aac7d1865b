/* SPDX-License-Identifier: MIT */
/*
 * ambient_model_test.c: ambient memory beside a naive model, for random operations in nested
 * arenas and out of them.
 */
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "model.h"
#include "tide_ambient.h"

enum { BLOCKS = 2048, DEPTH = 3, OPERATIONS = 10000000, HEAP = -1 };

struct block {
    unsigned char *memory;
    size_t size;
    unsigned char fill;
    int home; /* the index of its arena, or HEAP */
};

static struct {
    uint64_t random;
    struct choices choices; /* a fuzzer's, in place of random ones */
    tide_arena *arenas[DEPTH];
    int depth; /* arenas entered: 0 to this, not included */
    struct block blocks[BLOCKS];
    size_t count;
} model;

static size_t pick(size_t count)
{
    if (model.choices.next)
        return choices_pick(&model.choices, count);
    return (size_t)(check_random(&model.random) >> 20) % count;
}

static size_t pick_size(void)
{
    size_t scale = pick(1000);
    if (scale == 0)
        return pick(200000);
    return scale < 50 ? pick(3000) : pick(80);
}

static int home_now(void)
{
    return model.depth ? model.depth - 1 : HEAP;
}

static void check_block(const struct block *block, size_t size)
{
    for (size_t i = 0; i < size; i += i + 8 < size ? 8 : 1)
        check_that(block->memory[i] == block->fill, "byte %zu of %zu", i, block->size);
}

static void settle(struct block *block, unsigned char *memory, size_t size, int home)
{
    check_that(memory && (uintptr_t)memory % 16 == 0);
    check_that(tide_ambient_is_arena(memory) == (home != HEAP));
    check_that(tide_ambient_usable_size(memory) >= size);
    *block = (struct block){memory, size, (unsigned char)pick(256), home};
    memset(memory, block->fill, size);
}

static void forget(size_t index)
{
    model.blocks[index] = model.blocks[--model.count];
}

static void allocate(void)
{
    size_t size = pick_size();
    struct block *block = &model.blocks[model.count++];
    if (pick(4)) {
        settle(block, tide_ambient_malloc(size), size, home_now());
        return;
    }
    unsigned char *memory = tide_ambient_calloc(1, size);
    for (size_t i = 0; i < size; i++)
        check_count(memory[i], 0);
    settle(block, memory, size, home_now());
}

static size_t pick_block(void)
{
    return pick(2) ? model.count - 1 : pick(model.count);
}

static void release(void)
{
    size_t index = pick_block();
    check_block(&model.blocks[index], model.blocks[index].size);
    tide_ambient_free(model.blocks[index].memory);
    forget(index);
}

/* It stays where it is at home, or moves to where the thread allocates from. */
static void reallocate(void)
{
    struct block *block = &model.blocks[pick_block()];
    size_t size = pick_size(), kept = block->size < size ? block->size : size;
    unsigned char *before = block->memory;
    if (!size && block->home == HEAP)
        return; /* the C library's realloc may free */
    block->memory = tide_ambient_realloc(before, size);
    check_that(block->memory);
    check_block(block, kept);
    bool moves = block->home != HEAP && block->memory != before;
    settle(block, block->memory, size, moves ? home_now() : block->home);
}

static void enter(void)
{
    tide_arena *before = model.depth ? model.arenas[model.depth - 1] : NULL;
    if (model.depth < DEPTH)
        check_that(tide_ambient_enter(model.arenas[model.depth++]) == before);
}

/* Leaves the innermost arena and resets it: its blocks are gone. */
static void leave(void)
{
    if (!model.depth)
        return;
    model.depth--;
    tide_ambient_enter(model.depth ? model.arenas[model.depth - 1] : NULL);
    for (size_t i = model.count; i-- > 0;) {
        check_block(&model.blocks[i], model.blocks[i].size);
        if (model.blocks[i].home == model.depth)
            forget(i);
    }
    tide_arena_reset(model.arenas[model.depth]);
}

static void operate(void)
{
    size_t choice = pick(10000);
    if (choice < 10)
        enter();
    else if (choice < 18)
        leave();
    else if (!model.count || (choice < 5000 && model.count < BLOCKS))
        allocate();
    else if (choice < 8000 || model.count == BLOCKS)
        release();
    else
        reallocate();
}

static void begin(void)
{
    memset(&model, 0, sizeof(model));
    for (int i = 0; i < DEPTH; i++)
        model.arenas[i] = tide_arena_create(NULL);
}

static void end(void)
{
    while (model.depth)
        leave();
    while (model.count)
        release();
    for (int i = 0; i < DEPTH; i++)
        tide_arena_destroy(model.arenas[i]);
}

void ambient_model_run_chosen(const unsigned char *bytes, size_t size)
{
    begin();
    model.choices = (struct choices){bytes, bytes + size};
    while (choices_are_left(&model.choices))
        operate();
    end();
}

Test(ambient, random_calls_agree_with_the_model)
{
    size_t count = check_scaled(OPERATIONS);
    begin();
    model.random = check_seed();
    for (size_t i = 0; i < count; i++)
        operate();
    end();
}
