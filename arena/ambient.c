/* SPDX-License-Identifier: MIT */
/*
 * ambient.c: malloc's functions on the entered arena.
 *
 * A block is preceded by its size. Blocks that follow each other lie 8 bytes after a multiple of
 * 16, header and all, so that what follows the header is aligned and nothing is lost in between.
 * Large blocks and those of checked arenas are objects of 16 bytes more, aligned to 16.
 */
#include "tide_ambient.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>

#include "arena.h"
#include "shadow.h"

enum { HEADER = sizeof(size_t), ALIGN = 16, LARGE_HEADER = ALIGN };
static const size_t size_max = PTRDIFF_MAX - 4 * ALIGN;

static _Thread_local __attribute__((tls_model("initial-exec"))) tide_arena *entered;

tide_arena *tide_ambient_enter(tide_arena *arena)
{
    tide_arena *before = entered;
    entered = arena;
    return before;
}

tide_arena *tide_ambient_entered(void)
{
    return entered;
}

static size_t *header_of(const void *block)
{
    return (size_t *)((uintptr_t)block - HEADER);
}

/* With the header, for a size up to size_max. */
static size_t rounded(size_t size)
{
    return ((size + HEADER - 1) & ~(size_t)(ALIGN - 1)) + ALIGN;
}

static void *out_of_memory(void)
{
    errno = ENOMEM;
    return NULL;
}

static noinline void *alloc_slow(tide_arena *arena, size_t size)
{
    size_t room = memory_is_checked() ? size : rounded(size) - HEADER;
    char *object = size <= size_max ? tide_arena_alloc(arena, room + LARGE_HEADER, ALIGN) : NULL;
    if (!object)
        return size <= size_max ? NULL : out_of_memory();
    if (unlikely(!tide__range_holds(object))) /* free would not know it from the heap's */
        return out_of_memory();
    *header_of(object + LARGE_HEADER) = room;
    return object + LARGE_HEADER;
}

static void *alloc(tide_arena *arena, size_t size)
{
    size_t skip = (HEADER - arena->tide__next) & (ALIGN - 1);
    size_t left = arena->tide__end - arena->tide__next;
    if (unlikely(size > size_max || skip > left || rounded(size) > left - skip ||
                 !tide__range_holds((void *)arena->tide__next)))
        return alloc_slow(arena, size);
    uintptr_t start = arena->tide__next + skip;
    arena->tide__next = start + rounded(size);
    *(size_t *)start = rounded(size) - HEADER;
    return (void *)(start + HEADER);
}

void *tide_ambient_malloc(size_t size)
{
    tide_arena *arena = entered;
    return arena ? alloc(arena, size) : malloc(size);
}

void *tide_ambient_calloc(size_t count, size_t size)
{
    size_t bytes;
    if (!entered)
        return calloc(count, size);
    if (__builtin_mul_overflow(count, size, &bytes))
        bytes = SIZE_MAX;
    void *block = alloc(entered, bytes);
    return block ? memset(block, 0, bytes) : NULL;
}

/* Whether the block is the newest of the arena, so that its end is where the next one starts. */
static bool is_newest(const tide_arena *arena, const void *block)
{
    return arena && (uintptr_t)block + *header_of(block) == arena->tide__next;
}

static bool grow_newest(tide_arena *arena, void *block, size_t size)
{
    size_t more = rounded(size) - HEADER - *header_of(block);
    if (!is_newest(arena, block) || more > arena->tide__end - arena->tide__next)
        return false;
    arena->tide__next += more;
    *header_of(block) += more;
    return true;
}

static bool grow_large(tide_arena *arena, void *block, size_t size)
{
    void *object = (char *)block - LARGE_HEADER;
    if (!arena || !tide__arena_resize_large(arena_of(arena), object, size + LARGE_HEADER))
        return false;
    *header_of(block) = size;
    return true;
}

static void *realloc_arena(void *block, size_t size)
{
    size_t old_size = *header_of(block);
    if (size <= old_size)
        return block;
    if (size <= size_max && (grow_newest(entered, block, size) || grow_large(entered, block, size)))
        return block;
    void *moved = tide_ambient_malloc(size);
    if (!moved)
        return NULL;
    memcpy(moved, block, old_size);
    tide_ambient_free(block);
    return moved;
}

void *tide_ambient_realloc(void *block, size_t size)
{
    if (!block)
        return tide_ambient_malloc(size);
    return tide__range_holds(block) ? realloc_arena(block, size) : realloc(block, size);
}

/* The memory of an arena is its thread's: only the thread that has entered it gives back. */
static void free_arena(void *block)
{
    size_t *header = header_of(block);
    if (memory_is_checked())
        tide__redzone_free(header, HEADER + *header);
    else if (is_newest(entered, block))
        entered->tide__next = (uintptr_t)header;
}

void tide_ambient_free(void *block)
{
    if (tide__range_holds(block))
        free_arena(block);
    else
        free(block);
}

char *tide_ambient_strdup(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = tide_ambient_malloc(size);
    return copy ? memcpy(copy, text, size) : NULL;
}

size_t tide_ambient_usable_size(const void *block)
{
    if (tide__range_holds(block))
        return *header_of(block);
    return malloc_usable_size((void *)(uintptr_t)block);
}

bool tide_ambient_is_arena(const void *block)
{
    return tide__range_holds(block);
}
