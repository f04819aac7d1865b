/* SPDX-License-Identifier: MIT */
/*
 * model_test.c: an arena beside a naive model, for random operations.
 *
 * The model is a list of what is alive: for each object where it is, how long, and the byte that
 * fills it; for each mark how long the list was, for each cleanup its number. Whatever overlaps,
 * moves without its bytes, ends too early or too late, disagrees.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "check.h"
#include "model.h"
#include "tide_arena.h"

enum { OBJECTS = 4096, MARKS = 8, OPERATIONS = 10000000, LIMIT = 300000 };

struct object {
    unsigned char *memory;
    size_t size, align;
    unsigned char fill;
};

struct model {
    tide_arena *arena;
    uint64_t random;
    struct choices choices; /* a fuzzer's, in place of random ones */
    struct object objects[OBJECTS];
    size_t count;
    struct {
        tide_arena_mark mark;
        size_t count, cleanups;
    } marks[MARKS];
    size_t mark_count;
    size_t cleanups; /* deferred and not run: numbers 1 to this */
    bool limited;
};

static struct model model;

static size_t pick(size_t count)
{
    if (model.choices.next)
        return choices_pick(&model.choices, count);
    return (size_t)(check_random(&model.random) >> 20) % count;
}

/* Mostly small. */
static size_t pick_size(void)
{
    size_t scale = pick(1000);
    if (scale == 0)
        return pick(200000);
    return scale < 50 ? pick(3000) : pick(48);
}

static void fill(struct object *object)
{
    object->fill = (unsigned char)pick(256);
    memset(object->memory, object->fill, object->size);
}

static void check_object(const struct object *object, size_t size)
{
    for (size_t i = 0; i < size; i += i + 8 < size ? 8 : 1)
        check_that(object->memory[i] == object->fill, "byte %zu of %zu", i, object->size);
}

static void check_from(size_t first)
{
    for (size_t i = first; i < model.count; i++)
        check_object(&model.objects[i], model.objects[i].size);
    model.count = first;
}

static void allocate(void)
{
    struct object *object = &model.objects[model.count];
    object->size = pick_size();
    object->align = (size_t)1 << pick(pick(100) ? 5 : 13);
    object->memory = tide_arena_alloc(model.arena, object->size, object->align);
    if (!object->memory) {
        check_that(model.limited && errno == ENOSPC);
        return;
    }
    check_that((uintptr_t)object->memory % object->align == 0);
    fill(object);
    model.count++;
}

/* Of one that is younger than the last mark. */
static void reallocate(void)
{
    size_t first = model.mark_count ? model.marks[model.mark_count - 1].count : 0;
    if (first == model.count)
        return;
    size_t index = pick(2) ? model.count - 1 : first + pick(model.count - first);
    struct object *object = &model.objects[index];
    size_t size = pick_size();
    unsigned char *moved =
        tide_arena_realloc(model.arena, object->memory, object->size, size, object->align);
    if (!moved) {
        check_that(model.limited && errno == ENOSPC);
        return;
    }
    check_that((uintptr_t)moved % object->align == 0);
    object->memory = moved;
    check_object(object, object->size < size ? object->size : size);
    object->size = size;
    fill(object);
}

static void cleanup(void *argument)
{
    check_count((uintptr_t)argument, model.cleanups);
    model.cleanups--;
}

static void defer(void)
{
    void *number = (void *)(uintptr_t)(model.cleanups + 1);
    if (tide_arena_defer(model.arena, cleanup, number) == 0)
        model.cleanups++;
    else
        check_that(model.limited && errno == ENOSPC);
}

static void save(void)
{
    if (model.mark_count == MARKS)
        return;
    model.marks[model.mark_count].mark = tide_arena_save(model.arena);
    model.marks[model.mark_count].count = model.count;
    model.marks[model.mark_count++].cleanups = model.cleanups;
}

static void rewind_to_mark(void)
{
    if (!model.mark_count)
        return;
    model.mark_count -= 1 + pick(model.mark_count);
    check_from(model.marks[model.mark_count].count);
    tide_arena_rewind(model.arena, model.marks[model.mark_count].mark);
    check_count(model.cleanups, model.marks[model.mark_count].cleanups);
}

static void reset(void)
{
    check_from(0);
    tide_arena_reset(model.arena);
    check_count(model.cleanups, 0);
    model.mark_count = 0;
}

static void renew(void)
{
    check_from(0);
    tide_arena_destroy(model.arena);
    check_count(model.cleanups, 0);
    model.mark_count = 0;
    model.limited = pick(2);
    model.arena = tide_arena_create(&(tide_arena_config){
        .chunk_size = pick(2) ? 1 + pick(100000) : 0,
        .limit_bytes = model.limited ? LIMIT : 0,
        .retain_cycles = pick(4),
        .retain_bytes_max = pick(3) ? 0 : pick(1 << 20),
    });
    check_that(model.arena);
}

static void check_stats(void)
{
    tide_arena_stats stats;
    tide_arena_read_stats(model.arena, &stats);
    size_t sum = 0;
    for (size_t i = 0; i < model.count; i++)
        sum += model.objects[i].size;
    check_that(stats.used_bytes >= sum && stats.held_bytes >= stats.used_bytes);
    check_that(!model.limited || stats.held_bytes <= LIMIT);
}

static void operate(void)
{
    size_t choice = pick(10000);
    if (model.count == OBJECTS || choice < 5)
        reset();
    else if (choice < 6)
        renew();
    else if (choice < 16)
        check_stats();
    else if (choice < 200)
        save();
    else if (choice < 380)
        rewind_to_mark();
    else if (choice < 700)
        defer();
    else if (choice < 2500)
        reallocate();
    else
        allocate();
}

void model_run_chosen(const unsigned char *bytes, size_t size)
{
    model = (struct model){.choices = {bytes, bytes + size}};
    renew();
    while (choices_are_left(&model.choices))
        operate();
    check_from(0);
    tide_arena_destroy(model.arena);
}

Test(arena, random_operations_agree_with_the_model)
{
    size_t count = check_scaled(OPERATIONS);
    model = (struct model){.random = check_seed()};
    renew();
    for (size_t i = 0; i < count; i++)
        operate();
    check_from(0);
    tide_arena_destroy(model.arena);
}
