/* SPDX-License-Identifier: MIT */
/*
 * arena.h: what an arena is made of, and which file does what with it.
 *
 *     arena.c    the public calls: creation, allocation beyond the window, reset, rewind
 *     chunk.c    chunks: where they come from, limits
 *     totals.c   what arenas of one name have in common, for tide_ctl.h and the trace too
 *     text.c     strings
 *     scratch.c  arenas of a thread
 *     redzone.c  red zones and poison, for AddressSanitizer and valgrind
 *     guard.c    TIDE=arena-guard:1: what was given back faults
 *     ambient.c  malloc's signatures
 *     range.c    addresses, and the spans that chunks are
 *
 * An arena is its user's, one thread's at a time; a chunk is its arena's, from the pool to the
 * pool. Nothing here takes a lock but a miss of a pool.
 */
#ifndef TIDE_ARENA_INTERNAL_H
#define TIDE_ARENA_INTERNAL_H

#include <stdalign.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "compiler.h"
#include "range.h"
#include "tide_arena.h"

enum {
    CHUNK_CLASSES = 15,          /* 4 KiB .. 64 MiB have pools; the range has all */
    CHUNK_SIZE_MAX = 64 << 20,   /* of the last of them */
    CHUNK_SIZE_DEFAULT = 4 << 10 /* of an arena's first */
};

/* Objects follow. In the list of its arena from the first on, or, for one large object, in the
 * list of those. */
struct chunk {
    alignas(max_align_t) struct chunk *next;
    struct chunk *previous;
    size_t size;        /* bytes of it that count, with this header */
    void *object;       /* the large object, or NULL */
    size_t object_size; /* its bytes */
    uint64_t serial;    /* which large object of the arena it is, from 1 on */
};

struct cleanup {
    struct cleanup *next;
    void (*run)(void *argument);
    void *argument;
};

/* What redzone.c knows of an arena's objects. */
struct checked {
    struct checked_object {
        void *memory;
        size_t size;
    } * objects;
    size_t count, room;
};

struct arena {
    tide_arena bump;       /* what the header inlines */
    tide_arena *window;    /* where objects really come from: bump, or hidden */
    tide_arena hidden;     /* a checked arena's window */
    struct chunk *current; /* holds the window; &none before the first */
    struct chunk *last;    /* &none if there is none */
    struct chunk none;     /* none.next: the first chunk */
    struct chunk *large;   /* the newest of large objects; `next` is the one before */
    struct cleanup *cleanups;
    struct checked *checked; /* NULL: unchecked */

    size_t growth; /* bytes of the next new chunk */
    size_t peak;   /* most bytes that were in use in this cycle, with what chunks' ends waste */
    size_t keep;   /* the recent cycles' maximum of that */
    size_t listed; /* bytes of all chunks in the list */
    size_t held;   /* that, large objects, and what children hold */
    size_t used, wasted; /* in the chunks before the current one */
    uint64_t cycle, resets, large_count, large_serial, chunk_count, chunks_taken;

    const char *name;
    struct totals *totals; /* NULL: it has no name */
    size_t chunk_size, chunk_size_max, limit, retain_cycles, retain_max;
    bool guarded;
    struct arena *parent;
    struct arena **in_parent; /* where the parent knows this arena from, to end it */
};

static inline struct arena *arena_of(const tide_arena *arena)
{
    return container_of((uintptr_t)arena, struct arena, bump);
}

static inline uintptr_t chunk_start(const struct chunk *chunk)
{
    return (uintptr_t)(chunk + 1);
}

static inline uintptr_t chunk_end(const struct chunk *chunk)
{
    return (uintptr_t)chunk + chunk->size;
}

/* chunk.c */

/* A struct as its last user left it, or NULL; errno is then what came of it. */
struct arena *tide__arena_get(void);
void tide__arena_put(struct arena *arena);

/* A new chunk, or NULL with errno. `size` is a multiple of a page, at most its class's. */
struct chunk *tide__chunk_take(struct arena *arena, size_t size);

/* Back to where it came from; whoever uses its objects later is wrong. */
void tide__chunk_release(struct arena *arena, struct chunk *chunk);

/* Counts bytes of it that did not count before, or did. False with errno ENOSPC at a limit. */
bool tide__chunk_reserve(struct arena *arena, size_t bytes);
void tide__chunk_unreserve(struct arena *arena, size_t bytes);

/* Bytes of memory that the chunk's span has, of which `size` count. */
size_t tide__chunk_room(const struct chunk *chunk);

/* arena.c */

/* From the window or behind it, unchecked; errno as tide_arena_alloc. */
void *tide__arena_take(struct arena *arena, size_t size, size_t align);

/* Grows or shrinks the arena's newest large object in place; false if it is not that, or there
 * is no room. */
bool tide__arena_resize_large(struct arena *arena, void *object, size_t size);

/* totals.c; NULL is ignored */
struct totals *tide__totals_begin(const char *name);
void tide__totals_end(struct totals *totals);
void tide__totals_chunk(struct totals *totals);
void tide__totals_reset(struct totals *totals, const struct arena *arena);
void tide__totals_hold(struct totals *totals, size_t bytes);
void tide__totals_drop(struct totals *totals, size_t bytes);

/* redzone.c; only for checked arenas */
bool tide__redzone_begin(struct arena *arena);
void tide__redzone_end(struct arena *arena);
void *tide__redzone_alloc(struct arena *arena, size_t size, size_t align);
void tide__redzone_chunk(struct chunk *chunk); /* poisons what follows the header */
void tide__redzone_rewind(struct arena *arena, size_t objects);
void tide__redzone_free(void *object, size_t size);

/* guard.c */
bool tide__guard_is_on(void);
void tide__guard_retire(const struct arena *arena, void *span, unsigned class);

#endif
