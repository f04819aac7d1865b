/* SPDX-License-Identifier: MIT */
/*
 * redzone.c: arenas whose objects AddressSanitizer or valgrind watches.
 *
 * Each object stands between red zones, and what is taken back is poisoned at once. The objects
 * are listed apart from their memory, so that whatever the program does to that, the list holds.
 */
#include <errno.h>
#include <stdlib.h>

#include "arena.h"
#include "shadow.h"

enum { ZONE = 16 };

bool tide__redzone_begin(struct arena *arena)
{
    struct checked *checked = calloc(1, sizeof(*checked));
    if (!checked)
        return false;
    arena->checked = checked;
    arena->window = &arena->hidden;
    arena->bump.tide__next = arena->bump.tide__end = (uintptr_t)&arena->none;
    memory_pool_begin(checked);
    return true;
}

void tide__redzone_end(struct arena *arena)
{
    tide__redzone_rewind(arena, 0);
    memory_pool_end(arena->checked);
    free(arena->checked->objects);
    free(arena->checked);
    arena->checked = NULL;
}

void tide__redzone_chunk(struct chunk *chunk)
{
    memory_poison(chunk + 1, tide__chunk_room(chunk) - sizeof(*chunk));
}

static bool make_room(struct checked *checked)
{
    if (checked->count < checked->room)
        return true;
    size_t room = checked->room ? 2 * checked->room : 64;
    struct checked_object *objects =
        reallocarray(checked->objects, room, sizeof(*checked->objects));
    if (!objects)
        return false;
    checked->objects = objects;
    checked->room = room;
    return true;
}

/* The zone in front is as long as the alignment, so that the object is aligned behind it. */
void *tide__redzone_alloc(struct arena *arena, size_t size, size_t align)
{
    struct checked *checked = arena->checked;
    size_t front = align < ZONE ? ZONE : align;
    if (front > PTRDIFF_MAX / 2 || size > PTRDIFF_MAX / 2 - ZONE || !make_room(checked)) {
        errno = ENOMEM;
        return NULL;
    }
    char *memory = tide__arena_take(arena, front + size + ZONE, front);
    if (!memory)
        return NULL;
    checked->objects[checked->count++] = (struct checked_object){memory + front, size};
    memory_pool_alloc(checked, memory + front, size);
    return memory + front;
}

void tide__redzone_rewind(struct arena *arena, size_t objects)
{
    struct checked *checked = arena->checked;
    while (checked->count > objects) {
        struct checked_object *object = &checked->objects[--checked->count];
        memory_pool_free(checked, object->memory, object->size);
    }
}

void tide__redzone_free(void *object, size_t size)
{
    memory_poison(object, size);
}
