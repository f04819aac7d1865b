/* SPDX-License-Identifier: MIT */
/*
 * scratch.c: arenas of a thread. They are made when they are first needed and end with it.
 */
#include <errno.h>
#include <pthread.h>

#include "arena.h"

/* Reached without a call that could allocate. */
static _Thread_local __attribute__((tls_model("initial-exec"))) struct scratches {
    tide_arena *arenas[TIDE_SCRATCH_COUNT];
    bool registered;
} scratches;

static pthread_once_t key_once = PTHREAD_ONCE_INIT;
static pthread_key_t key;
static bool key_made;

/* A destructor of the thread that comes later may need scratch once more: this one then runs
 * again. */
static void end_thread(void *value)
{
    struct scratches *own = value;
    own->registered = false;
    for (size_t i = 0; i < TIDE_SCRATCH_COUNT; i++) {
        tide_arena_destroy(own->arenas[i]);
        own->arenas[i] = NULL;
    }
}

static void make_key(void)
{
    key_made = pthread_key_create(&key, end_thread) == 0;
}

static bool register_thread(void)
{
    pthread_once(&key_once, make_key);
    scratches.registered = key_made && pthread_setspecific(key, &scratches) == 0;
    return scratches.registered;
}

static tide_arena *create(size_t index)
{
    if (!scratches.registered && !register_thread()) {
        errno = ENOMEM;
        return NULL;
    }
    return scratches.arenas[index] = tide_arena_create(&(tide_arena_config){.name = "scratch"});
}

static bool is_among(const tide_arena *arena, tide_arena *const *conflicts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (conflicts[i] == arena)
            return true;
    return false;
}

static tide_arena *choose(tide_arena *const *conflicts, size_t count)
{
    for (size_t i = 0; i < TIDE_SCRATCH_COUNT; i++) {
        if (!scratches.arenas[i])
            return create(i);
        if (!is_among(scratches.arenas[i], conflicts, count))
            return scratches.arenas[i];
    }
    errno = EBUSY;
    return NULL;
}

tide_scratch tide_scratch_begin(tide_arena *const *conflicts, size_t count)
{
    tide_scratch scratch = {.arena = choose(conflicts, count)};
    if (scratch.arena)
        scratch.tide__mark = tide_arena_save(scratch.arena);
    return scratch;
}

void tide_scratch_end(tide_scratch scratch)
{
    if (scratch.arena)
        tide_arena_rewind(scratch.arena, scratch.tide__mark);
}
