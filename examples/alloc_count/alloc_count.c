/* SPDX-License-Identifier: MIT */
/*
 * alloc_count.c: a preloadable counter of heap allocations. It stands before the C library's
 * allocation functions, and mimalloc's, and hands every call on to whichever allocator the
 * program runs on.
 *
 * Each thread counts in a stripe of its own, so counting adds a few nanoseconds and no
 * contention. The functions behind are looked up at their first use; should that lookup itself
 * allocate, it gets memory from a small static block that is never freed.
 */
#include "alloc_count.h"

#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))
/* A thread-local variable that is reached without a call that could allocate. */
#define THREAD_LOCAL static __thread __attribute__((tls_model("initial-exec")))

enum { STRIPES = 64, CACHE_LINE = 64, BOOTSTRAP_SIZE = 16 * 1024 };

/* All accesses are relaxed: the counts order nothing, and a reader that wants exact ones has
 * stopped the writers by other means. */
struct stripe {
    _Alignas(CACHE_LINE) _Atomic uint64_t allocations;
    _Atomic uint64_t bytes, frees;
};

static struct stripe stripes[STRIPES];

static void add(_Atomic uint64_t *count, uint64_t amount)
{
    atomic_fetch_add_explicit(count, amount, memory_order_relaxed);
}

static uint64_t load(_Atomic uint64_t *count)
{
    return atomic_load_explicit(count, memory_order_relaxed);
}

static struct stripe *own_stripe(void)
{
    static _Atomic uint64_t threads;
    THREAD_LOCAL struct stripe *own;
    if (!own)
        own = &stripes[atomic_fetch_add_explicit(&threads, 1, memory_order_relaxed) % STRIPES];
    return own;
}

/* An allocator may carry out one function by calling another, in front of which this library
 * stands too: only the call that the program made counts. */
THREAD_LOCAL unsigned depth;

static void *count_alloc(void *memory, size_t size)
{
    if (memory && !depth) {
        struct stripe *stripe = own_stripe();
        add(&stripe->allocations, 1);
        add(&stripe->bytes, size);
    }
    return memory;
}

static void count_free(void)
{
    if (!depth)
        add(&own_stripe()->frees, 1);
}

EXPORT void tide_alloc_count_read(struct alloc_count *count)
{
    *count = (struct alloc_count){0};
    for (size_t i = 0; i < STRIPES; i++) {
        count->allocations += load(&stripes[i].allocations);
        count->bytes += load(&stripes[i].bytes);
        count->frees += load(&stripes[i].frees);
    }
}

/* The static block, handed out from start to end. Each piece has its size before it. */
static _Alignas(max_align_t) char bootstrap[BOOTSTRAP_SIZE];
static _Atomic uint64_t bootstrap_used;

static bool is_bootstrap(const void *memory)
{
    return (const char *)memory >= bootstrap && (const char *)memory < bootstrap + BOOTSTRAP_SIZE;
}

static void *bootstrap_malloc(size_t size)
{
    size_t piece = sizeof(max_align_t) +
                   (size + sizeof(max_align_t)) / sizeof(max_align_t) * sizeof(max_align_t);
    uint64_t used = size < BOOTSTRAP_SIZE
                        ? atomic_fetch_add_explicit(&bootstrap_used, piece, memory_order_relaxed)
                        : BOOTSTRAP_SIZE;
    if (used + piece > BOOTSTRAP_SIZE)
        return NULL;
    *(size_t *)(bootstrap + used) = size;
    return bootstrap + used + sizeof(max_align_t);
}

static void *bootstrap_calloc(size_t count, size_t size)
{
    return bootstrap_malloc(count * size); /* static memory, used once: it is zero */
}

static size_t bootstrap_size(const void *memory)
{
    return *(const size_t *)((const char *)memory - sizeof(max_align_t));
}

enum function {
    MALLOC,
    CALLOC,
    REALLOC,
    FREE,
    MEMALIGN,
    ALIGNED_ALLOC,
    POSIX_MEMALIGN,
    MI_MALLOC,
    MI_ZALLOC,
    MI_CALLOC,
    MI_MALLOC_ALIGNED,
    MI_ZALLOC_ALIGNED,
    MI_FREE,
    FUNCTIONS
};

static const char *const names[FUNCTIONS] = {
    [MALLOC] = "malloc",
    [CALLOC] = "calloc",
    [REALLOC] = "realloc",
    [FREE] = "free",
    [MEMALIGN] = "memalign",
    [ALIGNED_ALLOC] = "aligned_alloc",
    [POSIX_MEMALIGN] = "posix_memalign",
    [MI_MALLOC] = "mi_malloc",
    [MI_ZALLOC] = "mi_zalloc",
    [MI_CALLOC] = "mi_calloc",
    [MI_MALLOC_ALIGNED] = "mi_malloc_aligned",
    [MI_ZALLOC_ALIGNED] = "mi_zalloc_aligned",
    [MI_FREE] = "mi_free",
};

/* What the lookup itself may call before the real function is known. */
static void *const stand_ins[FUNCTIONS] = {
    [MALLOC] = (void *)bootstrap_malloc,
    [CALLOC] = (void *)bootstrap_calloc,
};

static void *next_slow(_Atomic(void *) *known, enum function function)
{
    THREAD_LOCAL bool looking_up;
    if (looking_up)
        return stand_ins[function];
    looking_up = true;
    void *found = dlsym(RTLD_NEXT, names[function]);
    looking_up = false;
    if (!found)
        abort(); /* somebody called a function that no library has */
    atomic_store_explicit(known, found, memory_order_relaxed);
    return found;
}

/* The function that this library stands before. Relaxed: each thread may look it up itself. */
static void *next(enum function function)
{
    static _Atomic(void *) known[FUNCTIONS];
    void *found = atomic_load_explicit(&known[function], memory_order_relaxed);
    return found ? found : next_slow(&known[function], function);
}

typedef void *one_size(size_t size);
typedef void *two_sizes(size_t first, size_t second);

static void *alloc_one(enum function function, size_t size)
{
    depth++;
    void *memory = ((one_size *)next(function))(size);
    depth--;
    return count_alloc(memory, size);
}

/* `size` is what counts; it is wrong only when the call fails. */
static void *alloc_two(enum function function, size_t first, size_t second, size_t size)
{
    depth++;
    void *memory = ((two_sizes *)next(function))(first, second);
    depth--;
    return count_alloc(memory, size);
}

static void release(enum function function, void *memory)
{
    if (!memory || is_bootstrap(memory))
        return;
    count_free();
    depth++;
    ((void (*)(void *))next(function))(memory);
    depth--;
}

EXPORT void *malloc(size_t size)
{
    return alloc_one(MALLOC, size);
}

EXPORT void *calloc(size_t count, size_t size)
{
    return alloc_two(CALLOC, count, size, count * size);
}

static void *realloc_bootstrap(void *memory, size_t size)
{
    void *moved = malloc(size);
    size_t old_size = bootstrap_size(memory);
    return moved ? memcpy(moved, memory, old_size < size ? old_size : size) : NULL;
}

EXPORT void *realloc(void *memory, size_t size)
{
    if (is_bootstrap(memory))
        return realloc_bootstrap(memory, size);
    depth++;
    void *moved = ((void *(*)(void *, size_t))next(REALLOC))(memory, size);
    depth--;
    if (memory && (moved || !size))
        count_free();
    return count_alloc(moved, size);
}

EXPORT void *reallocarray(void *memory, size_t count, size_t size)
{
    size_t total;
    if (!__builtin_mul_overflow(count, size, &total))
        return realloc(memory, total);
    errno = ENOMEM;
    return NULL;
}

EXPORT void free(void *memory)
{
    release(FREE, memory);
}

EXPORT void *memalign(size_t align, size_t size)
{
    return alloc_two(MEMALIGN, align, size, size);
}

EXPORT void *aligned_alloc(size_t align, size_t size)
{
    return alloc_two(ALIGNED_ALLOC, align, size, size);
}

EXPORT int posix_memalign(void **memory, size_t align, size_t size)
{
    depth++;
    int error = ((int (*)(void **, size_t, size_t))next(POSIX_MEMALIGN))(memory, align, size);
    depth--;
    if (!error)
        count_alloc(*memory, size);
    return error;
}

EXPORT void *mi_malloc(size_t size)
{
    return alloc_one(MI_MALLOC, size);
}

EXPORT void *mi_zalloc(size_t size)
{
    return alloc_one(MI_ZALLOC, size);
}

EXPORT void *mi_calloc(size_t count, size_t size)
{
    return alloc_two(MI_CALLOC, count, size, count * size);
}

EXPORT void *mi_malloc_aligned(size_t size, size_t align)
{
    return alloc_two(MI_MALLOC_ALIGNED, size, align, size);
}

EXPORT void *mi_zalloc_aligned(size_t size, size_t align)
{
    return alloc_two(MI_ZALLOC_ALIGNED, size, align, size);
}

EXPORT void mi_free(void *memory)
{
    release(MI_FREE, memory);
}
