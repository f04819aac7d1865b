/* SPDX-License-Identifier: MIT */
/*
 * range.c: reserves addresses and cuts them into spans.
 */
#include "range.h"

#include <errno.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "settings.h"
#include "shadow.h"

/* Four times the memory there is: spans of one size are not used for another. Addresses cost
 * nothing, but where there is a limit on them (ulimit -v) half of what it leaves is for others, and
 * valgrind has room for less. */
static const size_t size_most = (size_t)1 << 40, size_checked = (size_t)4 << 30;
enum { SIZE_MIN = 16 << 20, OPEN_STEP = 2 << 20, MEMORY_TIMES = 4 };

/* Free spans of a class, by their distance from the base in pages, newest last. */
struct free_spans {
    uint32_t *pages;
    size_t count;
};

struct range tide__range = {UINTPTR_MAX, 0};

/* Under the lock. */
static pthread_mutex_t range_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t range_once = PTHREAD_ONCE_INIT;
static struct free_spans free_spans[TIDE__SPAN_CLASSES];
static char *range_start;
static size_t range_size, range_cut, range_open; /* bytes; [0, cut) are spans, [0, open) memory */

static void lock_range(void)
{
    pthread_mutex_lock(&range_mutex);
}

static void unlock_range(void)
{
    pthread_mutex_unlock(&range_mutex);
}

static void *reserve(size_t size, int protection)
{
    void *memory = mmap(NULL, size, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

static size_t size_wanted(void)
{
    size_t pages = (size_t)sysconf(_SC_PHYS_PAGES), size = size_checked;
    while (size < size_most && size >> TIDE__SPAN_SHIFT < MEMORY_TIMES * pages)
        size *= 2;
    return runs_on_valgrind() ? size_checked : size;
}

static size_t size_to_try(void)
{
    struct rlimit limit;
    size_t size = (size_t)tide__setting_or(TIDE__RANGE, size_wanted());
    if (getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY)
        while (size > limit.rlim_cur / 2)
            size /= 2;
    return size;
}

/* The lists of free spans: 4 bytes for each that there can be, touched as they are used. */
static bool reserve_lists(size_t size)
{
    uint32_t *pages =
        reserve(size / tide__span_size(0) * 2 * sizeof(*pages), PROT_READ | PROT_WRITE);
    for (unsigned class = 0; pages && class < TIDE__SPAN_CLASSES; class ++) {
        free_spans[class].pages = pages;
        pages += size >> (class + TIDE__SPAN_SHIFT);
    }
    return pages;
}

/* As much as there is; none is not an error yet: chunks then come from the heap. */
static void reserve_range(void)
{
    size_t size = size_to_try() / OPEN_STEP * OPEN_STEP;
    char *start = size ? reserve(size, PROT_NONE) : NULL;
    while (!start && size / 2 >= SIZE_MIN)
        start = reserve(size /= 2, PROT_NONE);
    pthread_atfork(lock_range, unlock_range, unlock_range);
    if (!start || !reserve_lists(size))
        return;
    range_start = start;
    range_size = size;
    range_cut = range_open = -(uintptr_t)start % OPEN_STEP;
    memory_holds_pointers(start, size);
    atomic_store_explicit(&tide__range.base, (uintptr_t)start, memory_order_relaxed);
    /* Pairs with the acquire in tide__range_holds. */
    atomic_store_explicit(&tide__range.size, size, memory_order_release);
}

static void push(unsigned class, size_t offset)
{
    struct free_spans *spans = &free_spans[class];
    spans->pages[spans->count++] = (uint32_t)(offset >> TIDE__SPAN_SHIFT);
}

/* Makes memory of the addresses up to `end`. */
static bool open_to(size_t end)
{
    size_t step = end > range_open ? end - range_open + (-end % OPEN_STEP) : 0;
    if (step > range_size - range_open)
        step = range_size - range_open;
    if (step && mprotect(range_start + range_open, step, PROT_READ | PROT_WRITE))
        return false;
    range_open += step;
    return true;
}

/* Cuts a new span; what has to be skipped to align it becomes smaller spans. */
static void *span_cut(unsigned class)
{
    size_t size = tide__span_size(class);
    uintptr_t start = (uintptr_t)range_start;
    size_t skip = -(start + range_cut) % size, left = range_size - range_cut;
    if (skip > left || size > left - skip || !open_to(range_cut + skip + size))
        return NULL;
    for (size_t end = range_cut + skip; range_cut < end;) {
        unsigned piece = (unsigned)__builtin_ctzl(start + range_cut) - TIDE__SPAN_SHIFT;
        push(piece, range_cut);
        range_cut += tide__span_size(piece);
    }
    range_cut += size;
    return range_start + range_cut - size;
}

static void *span_take(unsigned class)
{
    struct free_spans *spans = &free_spans[class];
    if (spans->count)
        return range_start + ((size_t)spans->pages[--spans->count] << TIDE__SPAN_SHIFT);
    return range_start ? span_cut(class) : NULL;
}

void *tide__span_alloc(unsigned class)
{
    pthread_once(&range_once, reserve_range);
    lock_range();
    void *span = class < TIDE__SPAN_CLASSES ? span_take(class) : NULL;
    unlock_range();
    if (!span)
        errno = ENOMEM;
    else if (tide__span_size(class) >= OPEN_STEP)
        madvise(span, tide__span_size(class), MADV_HUGEPAGE); /* where the kernel has them */
    return span;
}

void tide__span_free(void *span, unsigned class)
{
    madvise(span, tide__span_size(class), MADV_DONTNEED);
    lock_range();
    push(class, (size_t)((char *)span - range_start));
    unlock_range();
}
