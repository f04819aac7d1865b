/* SPDX-License-Identifier: MIT */
/*
 * buffer_chain.c: chains: adding, moving, dropping.
 *
 * A chain's slices stand in an array, which begins in the chain itself. Only the last may be
 * empty: a block with room that nothing has been written to.
 */
#include <errno.h>
#include <limits.h>
#include <stdalign.h>
#include <stdio.h>

#include "buffer.h"
#include "heap.h"

enum { SLICES_MAX = INT32_MAX, PREPEND_ROOM = 128 };

static bool fails(int error)
{
    errno = error;
    return false;
}

/* ---- The array ---- */

static size_t capacity(const tide_chain *chain)
{
    return chain->room ? chain->room : TIDE_CHAIN_SLICES;
}

/* Moves the slices so that they start at `first` of `to`, which may be where they are. */
static void place(tide_chain *chain, tide_slice *to, size_t first)
{
    if (chain->count)
        memmove(to + first, chain_slices(chain), chain->count * sizeof(*to));
    chain->first = (uint32_t)first;
}

static bool enlarge(tide_chain *chain, size_t front, size_t room)
{
    tide_slice *slices =
        room < SLICES_MAX ? tide__heap_alloc(room * sizeof(*slices), alignof(tide_slice)) : NULL;
    if (!slices)
        return fails(ENOMEM);
    place(chain, slices, front ? (room - chain->count) / 2 : 0);
    if (chain->room)
        tide__heap_free(chain->slices);
    chain->slices = slices;
    chain->room = (uint32_t)room;
    return true;
}

/* Room for so many slices more. The array moves its slices only when as much is free as there are
 * slices, or it is small; so a slice is moved a constant number of times on average. */
static bool move_or_enlarge(tide_chain *chain, size_t front, size_t back)
{
    size_t room = capacity(chain), needed = chain->count + front + back;
    if (needed <= room && (chain->count <= room / 2 || !chain->room)) {
        tide_slice *start = chain_slices(chain) - chain->first;
        place(chain, start, front ? (room - needed) / 2 + front : 0);
        return true;
    }
    return enlarge(chain, front, 2 * (needed > room ? needed : room));
}

bool tide__chain_make_room(tide_chain *chain, size_t front, size_t back)
{
    if (likely(front <= chain->first && back <= capacity(chain) - chain->first - chain->count))
        return true;
    return move_or_enlarge(chain, front, back);
}

static void pop_front(tide_chain *chain)
{
    chain->count--;
    chain->first = chain->count ? chain->first + 1 : 0;
}

/* The block with room that nothing was written to goes when something else comes behind. */
static void drop_unused(tide_chain *chain)
{
    tide_slice *last = chain_last(chain);
    if (last && last->size == 0) {
        tide_slice_fini(last);
        chain->count--;
    }
}

static bool fits(const tide_chain *chain, size_t size)
{
    return size <= SIZE_MAX - chain->size || fails(EOVERFLOW);
}

/* ---- New blocks ---- */

/* As large as the chain, within limits; and with headroom, if the chain has none yet. */
bool tide__chain_alloc(const tide_chain *chain, tide_slice *slice, size_t size, const void *site)
{
    size_t wanted = chain->size < BLOCK_MAX ? chain->size : BLOCK_MAX;
    size_t headroom = chain->size ? 0 : chain->headroom;
    return tide__slice_alloc(slice, size > wanted ? size : wanted, headroom, site);
}

/* Adds an empty slice with room for `size` bytes at least. */
bool tide__chain_add_block(tide_chain *chain, size_t size, const void *site)
{
    tide_slice slice;
    if (!tide__chain_make_room(chain, 0, 1) || !tide__chain_alloc(chain, &slice, size, site))
        return false;
    drop_unused(chain);
    chain_slices(chain)[chain->count++] = slice;
    return true;
}

/* The bytes behind the last slice are its own if it alone refers to the block. */
static void find_tailroom(tide_slice *last)
{
    if (slice_is_writable(last))
        last->tailroom = (size_t)(last->block->memory + last->block->capacity - slice_end(last));
}

static void *reserve_slow(tide_chain *chain, size_t size, const void *site)
{
    tide_slice *last = chain_last(chain);
    if (!fits(chain, size))
        return NULL;
    if (last)
        find_tailroom(last);
    if (!last || last->tailroom < size) {
        if (!tide__chain_add_block(chain, size, site))
            return NULL;
        last = chain_last(chain);
    }
    return slice_end(last);
}

static void *reserve(tide_chain *chain, size_t size, const void *site)
{
    tide_slice *last = chain_last(chain);
    if (likely(last && size <= last->tailroom && size <= SIZE_MAX - chain->size))
        return slice_end(last);
    return reserve_slow(chain, size, site);
}

void *tide_chain_reserve(tide_chain *chain, size_t size, size_t *room)
{
    char *end = reserve(chain, size ? size : 1, CALL_SITE);
    if (end && room) {
        size_t tailroom = chain_last(chain)->tailroom, left = SIZE_MAX - chain->size;
        *room = tailroom < left ? tailroom : left;
    }
    return end;
}

void tide_chain_commit(tide_chain *chain, size_t size)
{
    if (size)
        chain_grow(chain, chain_last(chain), size);
}

/* ---- Copying in ---- */

static inline void copy_in(tide_chain *chain, tide_slice *last, const void *data, size_t size)
{
    copy_bytes(slice_end(last), data, size);
    chain_grow(chain, last, size);
    COUNT(copied_bytes, size);
}

/* Fills the room that there is and puts the rest into one new block. */
static noinline bool append_slow(tide_chain *chain, const char *data, size_t size, const void *site)
{
    tide_slice *last = chain_last(chain), slice;
    if (!fits(chain, size))
        return false;
    if (last)
        find_tailroom(last);
    size_t head = last ? last->tailroom : 0;
    if (head > size)
        head = size;
    if (head < size && (!tide__chain_make_room(chain, 0, 1) ||
                        !tide__chain_alloc(chain, &slice, size - head, site)))
        return false;
    if (head)
        copy_in(chain, chain_last(chain), data, head); /* it may have moved */
    if (head < size) {
        drop_unused(chain);
        chain_slices(chain)[chain->count++] = slice;
        copy_in(chain, chain_last(chain), data + head, size - head);
    }
    return true;
}

static inline bool append(tide_chain *chain, const void *data, size_t size, const void *site)
{
    tide_slice *last = chain_last(chain);
    if (unlikely(!last || size > last->tailroom || size > SIZE_MAX - chain->size))
        return size == 0 || append_slow(chain, data, size, site);
    copy_in(chain, last, data, size);
    return true;
}

bool tide_chain_append(tide_chain *chain, const void *data, size_t size)
{
    return append(chain, data, size, CALL_SITE);
}

static void copy_in_front(tide_chain *chain, const void *data, size_t size)
{
    tide_slice *first = chain_slices(chain);
    first->data -= size;
    first->size += size;
    first->headroom -= size;
    chain->size += size;
    copy_bytes((char *)(uintptr_t)first->data, data, size);
    COUNT(copied_bytes, size);
}

/* Room for `size` bytes before the first slice: found, or in a block that is filled from its
 * end. */
static bool add_headroom(tide_chain *chain, size_t size, const void *site)
{
    tide_slice *first = chain_slices(chain), slice;
    if (chain->count && slice_is_writable(first))
        first->headroom = (size_t)(first->data - first->block->memory);
    if (chain->count && first->headroom >= size)
        return true;
    if (!tide__chain_make_room(chain, 1, 0) ||
        !tide__slice_alloc(&slice, size > PREPEND_ROOM ? size : PREPEND_ROOM, 0, site))
        return false;
    slice.data += slice.block->capacity;
    slice.headroom = slice.block->capacity;
    slice.tailroom = 0;
    chain->first--;
    chain->count++;
    chain_slices(chain)[0] = slice;
    return true;
}

bool tide_chain_prepend(tide_chain *chain, const void *data, size_t size)
{
    if (size == 0)
        return true;
    if (!fits(chain, size))
        return false;
    if (chain->size == 0)
        return append_slow(chain, data, size, CALL_SITE);
    if (chain_slices(chain)->headroom < size && !add_headroom(chain, size, CALL_SITE))
        return false;
    copy_in_front(chain, data, size);
    return true;
}

/* ---- Printing ---- */

/* A text and its null in room for `size`; how long it wants to be, or less than 0. */
static int print(tide_chain *chain, const char *format, va_list values)
{
    tide_slice *last = chain_last(chain);
    va_list again;
    va_copy(again, values);
    int length = vsnprintf(last ? slice_end(last) : NULL, last ? last->tailroom : 0, format, again);
    va_end(again);
    return length;
}

static bool print_all(tide_chain *chain, const char *format, va_list values, const void *site)
{
    int length = print(chain, format, values);
    if (length < 0)
        return false; /* with vsnprintf's errno */
    tide_slice *last = chain_last(chain);
    if (!fits(chain, (size_t)length))
        return false;
    if (!last || (size_t)length >= last->tailroom) {
        if (!reserve(chain, (size_t)length + 1, site))
            return false;
        print(chain, format, values);
    }
    tide_chain_commit(chain, (size_t)length);
    COUNT(printed_bytes, (uint64_t)length);
    return true;
}

bool tide_chain_vprintf(tide_chain *chain, const char *format, va_list values)
{
    return print_all(chain, format, values, CALL_SITE);
}

bool tide_chain_printf(tide_chain *chain, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    bool printed = print_all(chain, format, values, CALL_SITE);
    va_end(values);
    return printed;
}

/* ---- By reference ---- */

/* Adds a slice that goes on where the last one ends to that; else behind it. There is room. */
static void push_back(tide_chain *chain, tide_slice slice)
{
    tide_slice *last = chain_last(chain);
    chain->size += slice.size;
    if (last && last->block == slice.block && slice.data && slice_end(last) == slice.data) {
        last->size += slice.size;
        last->tailroom = slice.tailroom;
        tide__block_put(slice.block);
        return;
    }
    chain_slices(chain)[chain->count++] = slice;
}

bool tide_chain_append_slice(tide_chain *chain, tide_slice *slice)
{
    if (slice->size == 0) {
        tide_slice_fini(slice);
        return true;
    }
    if (tide_slice_pins(slice, slice->size)) {
        if (!append(chain, slice->data, slice->size, CALL_SITE))
            return false;
        COUNT(pins_avoided, 1);
        tide_slice_fini(slice);
        return true;
    }
    if (!fits(chain, slice->size) || !tide__chain_make_room(chain, 0, 1))
        return false;
    drop_unused(chain);
    push_back(chain, *slice);
    *slice = (tide_slice){0};
    return true;
}

/* Frees the array; the slices have gone. */
static void forget(tide_chain *chain)
{
    if (chain->room)
        tide__heap_free(chain->slices);
    *chain = (tide_chain){.headroom = chain->headroom};
}

bool tide_chain_append_chain(tide_chain *chain, tide_chain *other)
{
    if (chain == other)
        return fails(EINVAL);
    if (!fits(chain, other->size))
        return false;
    if (chain->size == 0) {
        size_t headroom = chain->headroom;
        tide_chain_clear(chain);
        *chain = *other;
        chain->headroom = headroom;
        *other = (tide_chain){.headroom = other->headroom};
        return true;
    }
    drop_unused(other);
    if (!tide__chain_make_room(chain, 0, other->count))
        return false;
    drop_unused(chain);
    for (; other->count; pop_front(other))
        push_back(chain, chain_slices(other)[0]);
    forget(other);
    return true;
}

/* ---- Pieces of another chain ---- */

/* How many slices the first `size` bytes from `offset` on take. */
static size_t count_slices(const tide_chain *chain, size_t offset, size_t size)
{
    const tide_slice *slice = chain_slices(chain);
    size_t count = 0;
    for (; size > 0; slice++) {
        size_t there = slice->size - (offset < slice->size ? offset : slice->size);
        offset -= slice->size - there;
        size -= there < size ? there : size;
        count += there > 0;
    }
    return count;
}

bool tide_chain_share(tide_chain *chain, const tide_chain *from, size_t offset, size_t size)
{
    if (chain == from || offset > from->size || size > from->size - offset)
        return fails(EINVAL);
    if (!fits(chain, size) || !tide__chain_make_room(chain, 0, count_slices(from, offset, size)))
        return false;
    if (size)
        drop_unused(chain);
    for (const tide_slice *slice = chain_slices(from); size > 0; slice++) {
        if (offset >= slice->size) {
            offset -= slice->size;
            continue;
        }
        tide_slice other = slice_ref(slice);
        slice_advance(&other, offset);
        slice_truncate(&other, other.size < size ? other.size : size);
        size -= other.size;
        offset = 0;
        push_back(chain, other);
    }
    return true;
}

/* Cuts the first slice: the piece before `size` and its headroom for the caller. */
static tide_slice cut_front(tide_chain *chain, size_t size)
{
    tide_slice *first = chain_slices(chain), piece = *first;
    block_get(piece.block);
    slice_truncate(&piece, size);
    slice_advance(first, size);
    return piece;
}

bool tide_chain_split(tide_chain *chain, size_t size, tide_chain *head)
{
    if (chain == head)
        return fails(EINVAL);
    if (size >= chain->size)
        return tide_chain_append_chain(head, chain);
    if (!fits(head, size) || !tide__chain_make_room(head, 0, count_slices(chain, 0, size)))
        return false;
    if (size)
        drop_unused(head);
    chain->size -= size;
    while (size > 0) {
        tide_slice piece = *chain_slices(chain);
        if (piece.size <= size)
            pop_front(chain);
        else
            piece = cut_front(chain, size);
        size -= piece.size;
        push_back(head, piece);
    }
    return true;
}

size_t tide_chain_drop(tide_chain *chain, size_t size)
{
    if (size > chain->size)
        size = chain->size;
    chain->size -= size;
    for (size_t left = size; left > 0;) {
        tide_slice *first = chain_slices(chain);
        if (left < first->size) {
            slice_advance(first, left);
            break;
        }
        left -= first->size;
        tide_slice_fini(first);
        pop_front(chain);
    }
    return size;
}

void tide_chain_clear(tide_chain *chain)
{
    for (; chain->count; pop_front(chain))
        tide_slice_fini(chain_slices(chain));
    forget(chain);
}
