/* SPDX-License-Identifier: MIT */
/*
 * arena.c: the public calls of an arena, but for the ones that its header inlines.
 */
#include "arena.h"

#include <errno.h>

#include "shadow.h"

enum { RETAIN_CYCLES_DEFAULT = 8, CHUNK_SIZE_MAX_DEFAULT = 256 << 10, PAGE = 4096 };

static void open_window(struct arena *arena, struct chunk *chunk, uintptr_t next)
{
    arena->current = chunk;
    arena->window->tide__next = next;
    arena->window->tide__end = chunk_end(chunk);
}

/* Before the first chunk: an empty window at an address that is not NULL. */
static void close_window(struct arena *arena)
{
    arena->current = &arena->none;
    arena->window->tide__next = arena->window->tide__end = (uintptr_t)&arena->none;
}

static size_t window_left(const struct arena *arena)
{
    return arena->window->tide__end - arena->window->tide__next;
}

static size_t window_used(const struct arena *arena)
{
    bool open = arena->current != &arena->none;
    return open ? arena->window->tide__next - chunk_start(arena->current) : 0;
}

static size_t peak_now(const struct arena *arena)
{
    size_t used = arena->used + arena->wasted + window_used(arena);
    return used > arena->peak ? used : arena->peak;
}

/* Before anything is taken back. */
static void note_peak(struct arena *arena)
{
    arena->peak = peak_now(arena);
}

/* Goes on in the chunk after the current one. */
static void enter_next(struct arena *arena)
{
    struct chunk *next = arena->current->next;
    arena->used += window_used(arena);
    arena->wasted += window_left(arena);
    open_window(arena, next, chunk_start(next));
}

/* Chunks behind the current one, which only a reset keeps. */
static void release_last(struct arena *arena)
{
    struct chunk *last = arena->last;
    arena->last = last->previous;
    arena->last->next = NULL;
    arena->listed -= last->size;
    arena->chunk_count--;
    arena->growth = last->size;
    tide__chunk_release(arena, last);
}

static void release_behind(struct arena *arena, const struct chunk *chunk)
{
    while (arena->last != chunk)
        release_last(arena);
}

/* A chunk of the arena's growth size, or of a smaller one that the limit allows and `need` fits. */
static bool add_chunk(struct arena *arena, size_t need)
{
    size_t size = arena->growth;
    struct chunk *chunk = tide__chunk_take(arena, size);
    while (!chunk && errno == ENOSPC && size / 2 >= need && size / 2 >= PAGE)
        chunk = tide__chunk_take(arena, size /= 2);
    if (!chunk)
        return false;
    chunk->previous = arena->last;
    arena->last->next = chunk;
    arena->last = chunk;
    arena->listed += size;
    arena->chunk_count++;
    if (arena->growth < arena->chunk_size_max)
        arena->growth *= 2;
    return true;
}

/* A chunk of its own. The list of chunks and their growth stay as they are. */
static void *take_large(struct arena *arena, size_t size, size_t align, size_t need)
{
    size_t bytes = need + (-need & (PAGE - 1));
    struct chunk *chunk = tide__chunk_take(arena, bytes);
    if (!chunk && errno == ENOSPC) {
        release_behind(arena, arena->current);
        chunk = tide__chunk_take(arena, bytes);
    }
    if (!chunk)
        return NULL;
    uintptr_t start = chunk_start(chunk);
    chunk->object = (void *)(start + (-start & (align - 1)));
    chunk->object_size = size;
    chunk->serial = ++arena->large_serial;
    chunk->next = arena->large;
    arena->large = chunk;
    arena->large_count++;
    return chunk->object;
}

/* Bytes of a chunk that such an object fits for certain; 0: it fits none. */
static size_t chunk_need(size_t size, size_t align)
{
    size_t most = PTRDIFF_MAX - PAGE - sizeof(struct chunk);
    if (align > most || size > most - align)
        return 0;
    return sizeof(struct chunk) + align + size;
}

static noinline void *take_behind(struct arena *arena, size_t size, size_t align)
{
    size_t need = chunk_need(size, align);
    struct chunk *next = arena->current->next;
    if (!need) {
        errno = ENOMEM;
        return NULL;
    }
    if (need > (next ? next->size : arena->growth) / 2)
        return take_large(arena, size, align, need);
    if (!next && !add_chunk(arena, need))
        return NULL;
    enter_next(arena);
    return tide__arena_take(arena, size, align);
}

void *tide__arena_take(struct arena *arena, size_t size, size_t align)
{
    tide_arena *window = arena->window;
    uintptr_t start;
    if (!tide__arena_fit(window->tide__next, window->tide__end, size, align, &start))
        return take_behind(arena, size, align);
    window->tide__next = start + size;
    return (void *)start;
}

void *tide_arena_alloc_slow(tide_arena *handle, size_t size, size_t align)
{
    struct arena *arena = arena_of(handle);
    if (!align)
        align = alignof(max_align_t);
    if (align & (align - 1)) {
        errno = EINVAL;
        return NULL;
    }
    if (unlikely(arena->checked))
        return tide__redzone_alloc(arena, size, align);
    return tide__arena_take(arena, size, align);
}

bool tide__arena_resize_large(struct arena *arena, void *object, size_t size)
{
    struct chunk *chunk = arena->large;
    if (!chunk || chunk->object != object)
        return false;
    size_t before = (size_t)((char *)object - (char *)chunk);
    if (size > tide__chunk_room(chunk) - before)
        return false;
    size_t bytes = before + size + (-(before + size) & (PAGE - 1));
    size_t more = bytes > chunk->size ? bytes - chunk->size : 0;
    if (!tide__chunk_reserve(arena, more))
        return false;
    chunk->size += more;
    chunk->object_size = size;
    return true;
}

/* The newest object of the chunk changes its end, or the newest large one does. */
static bool resize_in_place(struct arena *arena, void *object, size_t old_size, size_t new_size)
{
    tide_arena *window = arena->window;
    uintptr_t start = (uintptr_t)object;
    if (arena->checked)
        return false;
    if (start + old_size == window->tide__next && arena->current != &arena->none) {
        if (new_size > window->tide__end - start)
            return false;
        window->tide__next = start + new_size;
        return true;
    }
    return new_size <= old_size || tide__arena_resize_large(arena, object, new_size);
}

/* A large object that has just moved needs its old chunk no more. */
static void release_moved(struct arena *arena, const void *object)
{
    struct chunk *moved = arena->large, *chunk = moved ? moved->next : NULL;
    if (!chunk || chunk->object != object || arena->checked)
        return;
    moved->next = chunk->next;
    arena->large_count--;
    tide__chunk_release(arena, chunk);
}

static void move(struct arena *arena, void *moved, void *object, size_t old_size, size_t new_size)
{
    size_t size = old_size < new_size ? old_size : new_size;
    if (size)
        memcpy(moved, object, size);
    if (arena->checked)
        tide__redzone_free(object, old_size);
    release_moved(arena, object);
}

void *tide_arena_realloc(tide_arena *handle, void *object, size_t old_size, size_t new_size,
                         size_t align)
{
    struct arena *arena = arena_of(handle);
    bool aligned = align && !(align & (align - 1)) && !((uintptr_t)object & (align - 1));
    if (object && aligned && resize_in_place(arena, object, old_size, new_size))
        return object;
    void *moved = tide_arena_alloc(handle, new_size, align);
    if (moved && object)
        move(arena, moved, object, old_size, new_size);
    return moved;
}

/* A cleanup is out of the list before it runs, so that it may defer others. */
static void run_cleanups(struct arena *arena, const struct cleanup *until)
{
    while (arena->cleanups && arena->cleanups != until) {
        struct cleanup *cleanup = arena->cleanups;
        arena->cleanups = cleanup->next;
        cleanup->run(cleanup->argument);
    }
}

static void release_large(struct arena *arena, uint64_t serial)
{
    while (arena->large && arena->large->serial > serial) {
        struct chunk *chunk = arena->large;
        arena->large = chunk->next;
        arena->large_count--;
        tide__chunk_release(arena, chunk);
    }
}

/* What the recent cycles' maximum leaves room for: it falls by a part of itself each cycle. */
static size_t bytes_to_keep(const struct arena *arena)
{
    size_t keep = arena->keep - arena->keep / arena->retain_cycles;
    if (keep < peak_now(arena))
        keep = peak_now(arena);
    return keep < arena->retain_max ? keep : arena->retain_max;
}

/* The one chunk that would hold what is kept, as far as chunks go. */
static size_t chunk_wanted(const struct arena *arena)
{
    size_t most = arena->chunk_size_max, size = arena->chunk_size;
    while (size < most && size - sizeof(struct chunk) < arena->keep)
        size *= 2;
    most = arena->limit < arena->retain_max ? arena->limit : arena->retain_max;
    while (size > most && size > PAGE)
        size /= 2;
    return size;
}

/* The spike goes, the last chunks first, which are the largest. What stays is one chunk, or of
 * the largest size: if it is not, the next cycle takes one that is, and so goes from one chunk
 * to the next no more. */
static void trim(struct arena *arena)
{
    arena->keep = arena->guarded ? 0 : bytes_to_keep(arena);
    while (arena->last != &arena->none &&
           (arena->listed - arena->last->size >= arena->keep || arena->listed > arena->retain_max))
        release_last(arena);
    size_t wanted = chunk_wanted(arena);
    if (arena->last == &arena->none || arena->none.next->size != wanted) {
        release_behind(arena, &arena->none);
        arena->growth = wanted;
    }
}

/* Empty, with all the chunks there are. */
static void start_cycle(struct arena *arena)
{
    arena->peak = arena->used = arena->wasted = 0;
    close_window(arena);
}

void tide_arena_reset(tide_arena *handle)
{
    struct arena *arena = arena_of(handle);
    run_cleanups(arena, NULL);
    if (unlikely(arena->checked))
        tide__redzone_rewind(arena, 0);
    if (arena->large)
        release_large(arena, 0);
    note_peak(arena);
    trim(arena);
    start_cycle(arena);
    arena->cycle++;
    arena->resets++;
    tide__totals_reset(arena->totals, arena);
}

tide_arena_mark tide_arena_save(const tide_arena *handle)
{
    const struct arena *arena = arena_of(handle);
    return (tide_arena_mark){
        .tide__chunk = arena->current,
        .tide__cleanups = arena->cleanups,
        .tide__next = arena->window->tide__next,
        .tide__used = arena->used,
        .tide__wasted = arena->wasted,
        .tide__objects = arena->checked ? arena->checked->count : 0,
        .tide__large = arena->large_serial,
        .tide__cycle = arena->cycle,
    };
}

void tide_arena_rewind(tide_arena *handle, tide_arena_mark mark)
{
    struct arena *arena = arena_of(handle);
    if (mark.tide__cycle != arena->cycle)
        return;
    run_cleanups(arena, mark.tide__cleanups);
    if (unlikely(arena->checked))
        tide__redzone_rewind(arena, mark.tide__objects);
    release_large(arena, mark.tide__large);
    if (arena->guarded)
        release_behind(arena, mark.tide__chunk);
    note_peak(arena);
    arena->used = mark.tide__used;
    arena->wasted = mark.tide__wasted;
    if (mark.tide__chunk == &arena->none)
        close_window(arena);
    else
        open_window(arena, mark.tide__chunk, mark.tide__next);
}

int tide_arena_defer(tide_arena *handle, void (*run)(void *), void *argument)
{
    struct arena *arena = arena_of(handle);
    struct cleanup *cleanup = tide_arena_alloc(handle, sizeof(*cleanup), alignof(struct cleanup));
    if (!cleanup)
        return -1;
    *cleanup = (struct cleanup){arena->cleanups, run, argument};
    arena->cleanups = cleanup;
    return 0;
}

static size_t large_used(const struct arena *arena)
{
    size_t used = 0;
    for (const struct chunk *chunk = arena->large; chunk; chunk = chunk->next)
        used += chunk->object_size;
    return used;
}

void tide_arena_read_stats(const tide_arena *handle, tide_arena_stats *stats)
{
    const struct arena *arena = arena_of(handle);
    *stats = (tide_arena_stats){
        .name = arena->name,
        .used_bytes = arena->used + window_used(arena) + large_used(arena),
        .wasted_bytes = arena->wasted,
        .held_bytes = arena->held,
        .kept_bytes = bytes_to_keep(arena),
        .limit_bytes = arena->limit == SIZE_MAX ? 0 : arena->limit,
        .chunks = arena->chunk_count,
        .large = arena->large_count,
        .resets = arena->resets,
        .chunks_taken = arena->chunks_taken,
    };
}

/* ---- Beginning and end ---- */

/* The smallest power of two that is at least a page and `size`, which is not above 2^26. */
static size_t round_chunk(size_t size)
{
    return tide__span_size(tide__span_class(size));
}

static bool configure(struct arena *arena, const tide_arena_config *config)
{
    size_t size = config->chunk_size ? config->chunk_size : CHUNK_SIZE_DEFAULT;
    size_t most = config->chunk_size_max ? config->chunk_size_max : CHUNK_SIZE_MAX_DEFAULT;
    if (!config->chunk_size_max && most < size)
        most = size;
    if (most > CHUNK_SIZE_MAX || size > most)
        return false;
    arena->name = config->name ? config->name : "arena";
    arena->chunk_size = arena->growth = round_chunk(size);
    arena->chunk_size_max = round_chunk(most);
    arena->limit = config->limit_bytes ? config->limit_bytes : SIZE_MAX;
    arena->retain_cycles = config->retain_cycles ? config->retain_cycles : RETAIN_CYCLES_DEFAULT;
    arena->retain_max = config->retain_bytes_max ? config->retain_bytes_max : SIZE_MAX;
    arena->guarded = tide__guard_is_on();
    arena->totals = tide__totals_begin(config->name);
    return true;
}

/* The parent's cleanup outlives a child that ends before: it then finds none. */
static void end_child(void *argument)
{
    struct arena **child = argument;
    struct arena *arena = *child;
    if (arena) {
        arena->in_parent = NULL;
        tide_arena_destroy(&arena->bump);
    }
}

static bool join_parent(struct arena *arena, tide_arena *parent)
{
    struct arena **slot = parent ? tide_arena_new(parent, struct arena *) : NULL;
    if (!parent)
        return true;
    if (!slot || tide_arena_defer(parent, end_child, slot))
        return false;
    *slot = arena;
    arena->parent = arena_of(parent);
    arena->in_parent = slot;
    return true;
}

tide_arena *tide_arena_create(const tide_arena_config *config)
{
    static const tide_arena_config defaults;
    struct arena *arena = tide__arena_get();
    if (!arena) {
        errno = ENOMEM;
        return NULL;
    }
    *arena = (struct arena){.window = &arena->bump, .last = &arena->none};
    int error = configure(arena, config ? config : &defaults) ? 0 : EINVAL;
    if (!error && memory_is_checked() && !tide__redzone_begin(arena))
        error = ENOMEM;
    close_window(arena);
    if (!error && !join_parent(arena, config ? config->parent : NULL))
        error = errno;
    if (!error)
        return &arena->bump;
    tide_arena_destroy(&arena->bump);
    errno = error;
    return NULL;
}

void tide_arena_destroy(tide_arena *handle)
{
    if (!handle)
        return;
    struct arena *arena = arena_of(handle);
    run_cleanups(arena, NULL);
    if (arena->in_parent)
        *arena->in_parent = NULL;
    if (arena->checked)
        tide__redzone_end(arena);
    release_large(arena, 0);
    release_behind(arena, &arena->none);
    tide__totals_end(arena->totals);
    tide__arena_put(arena);
}
