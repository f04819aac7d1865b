/* SPDX-License-Identifier: MIT */
/*
 * tide_arena.h: memory that is given back all at once.
 *
 * An arena hands out objects one behind the other, and takes all of them back in one step: at
 * the end of a request, of a frame, of a compilation unit. An allocation is an addition and a
 * comparison; nothing is freed by itself, so nothing can leak, and nothing can be freed twice.
 * An arena is not for objects that outlive its reset, nor for many sizes that come and go while
 * it lives: what is not the newest object stays until the reset.
 *
 *     tide_arena *arena = tide_arena_create(&(tide_arena_config){.name = "request"});
 *     while (next_request(&request)) {
 *         struct parsed *parsed = tide_arena_new(arena, struct parsed);
 *         char *key = tide_arena_printf(arena, "%s/%u", request.path, request.number);
 *         ...
 *         tide_arena_reset(arena);
 *     }
 *     tide_arena_destroy(arena);
 *
 * Chunks come from per-CPU pools (tide_pool.h), so that an arena that is created and destroyed
 * for each request finds warm memory and makes no system call, and epochs (tide_epoch.h) give
 * back what nobody needs.
 *
 * Who may call what at the same time:
 *
 *     function                         other threads, same arena   signal handler
 *     all that take a tide_arena *     no: one thread at a time    no
 *     tide_scratch_begin, _end         each thread has its own     no
 *     tide_arena_create                yes                         no
 *
 * An arena may move from one thread to another, if the threads see to the order as for any other
 * object. An arena and its parent count as one.
 */
#ifndef TIDE_ARENA_H
#define TIDE_ARENA_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tide_arena tide_arena;

/* Zero means default, for each field. The struct is copied; `name` is borrowed and must live as
 * long as the arena. */
typedef struct tide_arena_config {
    const char *name;      /* shown in statistics and in messages; NULL: "arena" */
    size_t chunk_size;     /* bytes of the first chunk, rounded up to a power of two; 0: 4 KiB */
    size_t chunk_size_max; /* chunks double up to this; 0: 256 KiB; at most 64 MiB */

    /* Bytes that the arena and its children may hold in chunks, of which objects are a part. An
     * allocation that would need more fails with ENOSPC. 0: no limit */
    size_t limit_bytes;

    /* A reset keeps chunks for as many bytes as a recent cycle has used: the maximum, of which
     * each cycle that uses less takes this part. 1: what the last cycle used; 0: 8 */
    size_t retain_cycles;
    size_t retain_bytes_max; /* but no more than this; 0: no limit */

    /* The arena ends, at the latest, when its parent is reset, rewound to before this arena or
     * destroyed, and what it holds counts in the parent's limit. NULL: none */
    tide_arena *parent;
} tide_arena_config;

typedef struct tide_arena_stats {
    const char *name;
    size_t used_bytes;   /* in objects, with the gaps that their alignment asks for */
    size_t wasted_bytes; /* at the ends of chunks that were left for the next one */
    size_t held_bytes;   /* in chunks, the unused and the children's too: what the limit is of */
    size_t kept_bytes;   /* that a reset keeps, as things are now */
    size_t limit_bytes;
    uint64_t chunks;       /* that it holds, those of large objects not counted */
    uint64_t large;        /* objects with a chunk of their own */
    uint64_t resets;       /* since it was created */
    uint64_t chunks_taken; /* since then, from pools or the system */
} tide_arena_stats;

/* A place to go back to. */
typedef struct tide_arena_mark {
    void *tide__chunk, *tide__cleanups;
    uintptr_t tide__next;
    size_t tide__used, tide__wasted, tide__objects;
    uint64_t tide__large, tide__cycle;
} tide_arena_mark;

/* Returns an arena that the caller owns; NULL as `config` takes all defaults. NULL with errno
 * EINVAL (chunk_size_max below chunk_size, or above 64 MiB) or ENOMEM. Takes no memory for
 * objects until the first of them. */
tide_arena *tide_arena_create(const tide_arena_config *config);

/* Runs the cleanups, then gives all memory back. NULL is ignored. */
void tide_arena_destroy(tide_arena *arena);

/* `size` bytes that are not initialised, aligned to `align`, a power of two; 0 stands for
 * alignof(max_align_t). With a size of 0 the address is valid and may be that of another object.
 * NULL with errno EINVAL (align is no power of two), ENOSPC (limit_bytes) or ENOMEM. */
static inline void *tide_arena_alloc(tide_arena *arena, size_t size, size_t align);

/* The same for `count` objects of `size` bytes, zeroed. ENOMEM too if they are too many. */
static inline void *tide_arena_calloc(tide_arena *arena, size_t count, size_t size, size_t align);

/* An object of type T, or `count` of them in a row, zeroed; NULL as above. */
#define tide_arena_new(arena, T) ((T *)tide_arena_calloc(arena, 1, sizeof(T), TIDE__ALIGNOF(T)))
#define tide_arena_array(arena, T, count)                                                          \
    ((T *)tide_arena_calloc(arena, count, sizeof(T), TIDE__ALIGNOF(T)))

/* Changes the size of an object of `old_size` bytes, which is what it was allocated with. Grows
 * in place if it is the newest one and the chunk has room, or if it has a chunk of its own that
 * has; gives back what the newest one no longer needs. Otherwise copies; the old place stays
 * unused until the reset. NULL for `object` allocates. NULL as tide_arena_alloc, and the object
 * is as it was. */
void *tide_arena_realloc(tide_arena *arena, void *object, size_t old_size, size_t new_size,
                         size_t align);

/* Strings. strdup of NULL is NULL with errno EINVAL; printf fails with what vsnprintf does. */
char *tide_arena_strdup(tide_arena *arena, const char *text);
char *tide_arena_strndup(tide_arena *arena, const char *text, size_t length_max);
char *tide_arena_printf(tide_arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
char *tide_arena_vprintf(tide_arena *arena, const char *format, va_list arguments)
    __attribute__((format(printf, 2, 0)));

/* Remembers a place; rewinding to it takes back what was allocated since, after the cleanups that
 * were deferred since. Marks nest: rewinding to one is the end of those that were made after it.
 * Rewinding to a mark of before a reset does nothing. An object from before the mark that was
 * reallocated after it must not be used behind what it was then. */
tide_arena_mark tide_arena_save(const tide_arena *arena);
void tide_arena_rewind(tide_arena *arena, tide_arena_mark mark);

/* Takes everything back, after the cleanups. Keeps chunks for what recent cycles have used and
 * gives the others to their pools: no system call, and no work for each object. */
void tide_arena_reset(tide_arena *arena);

/* Has `cleanup(argument)` run at the reset, at a rewind to before this call or at the end, last
 * in, first out. It may allocate from the arena, and defer, for as long as it runs. Returns 0, or
 * -1 with errno ENOSPC or ENOMEM. */
int tide_arena_defer(tide_arena *arena, void (*cleanup)(void *argument), void *argument);

void tide_arena_read_stats(const tide_arena *arena, tide_arena_stats *stats);

/* All arenas of one name together. */
typedef struct tide_arena_totals {
    const char *name;
    uint64_t created, alive;
    uint64_t resets;
    uint64_t chunks_taken;              /* from pools or the system */
    size_t held_bytes, held_bytes_most; /* in chunks now, and the most there ever was */
} tide_arena_totals;

/* Calls `visit` for each name that arenas of the process have had, until it returns false.
 * Arenas without a name are not counted; names beyond the first 63 count together as "others".
 * Counting costs a few atomic additions for each arena and chunk and one for a reset. MT-safe.
 * tide_ctl.h reads and prints the same by name: "arena.request.held_bytes". */
void tide_arena_walk(bool (*visit)(const tide_arena_totals *totals, void *context), void *context);

/* An arena of the thread for what does not leave the function. A function that returns memory in
 * an arena that its caller has passed names that one as a conflict, so that its own scratch is
 * not the same: the caller's may be a scratch of this thread. (The idea is Ryan Fleury's.) */
typedef struct tide_scratch {
    tide_arena *arena; /* NULL with errno ENOMEM, or EBUSY: all of the thread's are conflicts */
    tide_arena_mark tide__mark;
} tide_scratch;

enum { TIDE_SCRATCH_COUNT = 4 }; /* arenas of a thread: three conflicts at a time */

tide_scratch tide_scratch_begin(tide_arena *const *conflicts, size_t count);

/* Ends it; scratches of a thread end in the opposite order of their beginnings. */
void tide_scratch_end(tide_scratch scratch);

/* ---- Private below ---- */

#ifdef __cplusplus
#define TIDE__ALIGNOF(T) alignof(T)
#else
#define TIDE__ALIGNOF(T) _Alignof(T)
#endif

/* The window of the chunk that objects come from. A checked arena keeps it shut, so that every
 * allocation is a call. */
struct tide_arena {
    uintptr_t tide__next, tide__end;
};

void *tide_arena_alloc_slow(tide_arena *arena, size_t size, size_t align);

/* Whether `size` bytes aligned to `align` fit from `next` on before `end`; `*start` is where. `end`
 * is not below `next` and is a multiple of 16: so up to that alignment a start is never behind it,
 * and what remains is compared with the size by subtraction, which cannot wrap. An alignment of 0
 * or of no power of two does not fit. A macro, so that a test can try all bytes. */
#define TIDE__ARENA_FIT(name, type)                                                                \
    static inline bool name(type next, type end, type size, type align, type *start)               \
    {                                                                                              \
        type skip = (type)((type)(0 - next) & (type)(align - 1));                                  \
        if (__builtin_expect((align & (align - 1)) || !align, 0))                                  \
            return false;                                                                          \
        if (__builtin_expect(align > 16 && skip > (type)(end - next), 0))                          \
            return false;                                                                          \
        *start = align > 16 ? (type)(next + skip) : (type)((next + align - 1) & ~(align - 1));     \
        return __builtin_expect(size <= (type)(end - *start), 1);                                  \
    }

TIDE__ARENA_FIT(tide__arena_fit, uintptr_t)

static inline void *tide_arena_alloc(tide_arena *arena, size_t size, size_t align)
{
    uintptr_t start;
    if (!tide__arena_fit(arena->tide__next, arena->tide__end, size, align, &start))
        return tide_arena_alloc_slow(arena, size, align);
    arena->tide__next = start + size;
    return (void *)start;
}

static inline void *tide_arena_calloc(tide_arena *arena, size_t count, size_t size, size_t align)
{
    size_t bytes = size && count > SIZE_MAX / size ? SIZE_MAX : count * size;
    void *objects = tide_arena_alloc(arena, bytes, align);
    return objects ? memset(objects, 0, bytes) : NULL;
}

#ifdef __cplusplus
}
#endif

#endif
