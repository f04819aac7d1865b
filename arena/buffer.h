/* SPDX-License-Identifier: MIT */
/*
 * buffer.h: what a block is made of, and which file does what with buffers.
 *
 *     buffer_block.c   blocks: where they come from and go to
 *     buffer_slice.c   the public calls of slices
 *     buffer_chain.c   chains: adding, moving, dropping
 *     buffer_pull.c    chains: looking inside, bytes in one piece
 *     buffer_io.c      chains: reading and writing files
 *     buffer_stats.c   counts, apart for each thread
 *     buffer_sample.c  blocks that are remembered with who made them
 *
 * A block's bytes are constant for all who refer to it, but for its rooms: each byte that no
 * slice shows yet belongs to one slice at most, as part of its headroom or tailroom, and whoever
 * owns that slice fills it without asking anybody. Cutting a slice gives the front its headroom
 * and the back its tailroom; a reference that is shared gets neither. Room that was lost with
 * its slice is found again by the last reference, which owns all of the block.
 */
#ifndef TIDE_ARENA_BUFFER_H
#define TIDE_ARENA_BUFFER_H

#include <stdatomic.h>
#include <string.h>

#include "compiler.h"
#include "tide_buffer.h"

enum block_kind { BLOCK_POOLED, BLOCK_LARGE, BLOCK_FOREIGN, BLOCK_FILE, BLOCK_MAPPED };

struct sample;

struct tide_block {
    _Atomic uint32_t references;
    uint8_t kind, size_class;
    size_t capacity;       /* bytes of memory, or of the file */
    char *memory;          /* NULL: a file */
    struct sample *sample; /* NULL: it is not remembered */
    union {
        struct {
            void (*release)(const void *data, size_t size, void *context);
            void *context;
        } foreign;
        struct {
            void *start;
            size_t length;
        } mapping;
        int file;
    };
};

/* Before the bytes of a block of ours, so that they begin a cache line. */
enum {
    BLOCK_HEADER = CACHE_LINE,
    BLOCK_MIN = 1024 - BLOCK_HEADER,
    BLOCK_MAX = 65536 - BLOCK_HEADER
};
_Static_assert(sizeof(struct tide_block) <= BLOCK_HEADER, "a block's head is one cache line");

/* buffer_block.c: each returns a block with one reference, or NULL with errno ENOMEM. `site` is
 * whom to remember it by. */
tide_block *tide__block_alloc(size_t size, const void *site);
tide_block *tide__block_wrap(enum block_kind kind, char *memory, size_t size, const void *site);
void tide__block_put(tide_block *block);

/* For another reference; the caller has one. */
static inline void block_get(tide_block *block)
{
    atomic_fetch_add_explicit(&block->references, 1, memory_order_relaxed);
}

/* Whether the caller's reference is the only one; then all of the block is the caller's. */
static inline bool block_is_unique(const tide_block *block)
{
    /* Pairs with the release in tide__block_put: who let it go has read what it wanted. */
    return atomic_load_explicit(&block->references, memory_order_acquire) == 1;
}

/* Whether its bytes are ours to change at all. */
static inline bool block_is_ours(const tide_block *block)
{
    return block->kind <= BLOCK_LARGE;
}

/* buffer_slice.c */
bool tide__slice_alloc(tide_slice *slice, size_t size, size_t headroom, const void *site);
bool tide__slice_share(tide_slice *to, const tide_slice *from, size_t offset, size_t size,
                       const void *site);
size_t tide__slice_copy_out(const tide_slice *slice, size_t offset, char *data, size_t size);

static inline bool slice_is_writable(const tide_slice *slice)
{
    return block_is_ours(slice->block) && block_is_unique(slice->block);
}

static inline char *slice_end(const tide_slice *slice)
{
    return (char *)(uintptr_t)slice->data + slice->size;
}

/* Takes bytes away at the front, with whatever room was before them. */
static inline void slice_advance(tide_slice *slice, size_t size)
{
    if (slice->data)
        slice->data += size;
    else
        slice->file_offset += size;
    slice->size -= size;
    slice->headroom = 0;
}

/* Leaves the first bytes; the room behind them is lost. */
static inline void slice_truncate(tide_slice *slice, size_t size)
{
    slice->size = size;
    slice->tailroom = 0;
}

/* Another reference to the same bytes. */
static inline tide_slice slice_ref(const tide_slice *slice)
{
    tide_slice other = *slice;
    other.headroom = other.tailroom = 0;
    block_get(other.block);
    return other;
}

/* buffer_chain.c */
bool tide__chain_make_room(tide_chain *chain, size_t front, size_t back);
bool tide__chain_add_block(tide_chain *chain, size_t size, const void *site);
bool tide__chain_alloc(const tide_chain *chain, tide_slice *slice, size_t size, const void *site);

static inline tide_slice *chain_slices(const tide_chain *chain)
{
    tide_slice *slices = chain->room ? chain->slices : (tide_slice *)(uintptr_t)chain->few;
    return slices + chain->first;
}

static inline tide_slice *chain_last(const tide_chain *chain)
{
    return chain->count ? &chain_slices(chain)[chain->count - 1] : NULL;
}

/* Adds `size` bytes that are already in the tailroom of the last slice. */
static inline void chain_grow(tide_chain *chain, tide_slice *last, size_t size)
{
    last->size += size;
    last->tailroom -= size;
    chain->size += size;
}

static inline void copy_bytes(char *to, const void *from, size_t size)
{
    if (size)
        memcpy(to, from, size);
}

/* buffer_stats.c: a thread's counts, written by that thread alone. */
struct buffer_counts {
    _Atomic uint64_t copied_bytes, printed_bytes, read_bytes, written_bytes, sendfile_bytes;
    _Atomic uint64_t reads, writes, blocks_made, blocks_freed, pins_avoided;
    struct buffer_counts *next; /* constant once it is in the list of all */
    _Atomic bool is_used;       /* false: its thread has ended, and another one may have it */
};

extern _Thread_local struct buffer_counts *tide__buffer_counts
    __attribute__((tls_model("initial-exec")));
struct buffer_counts *tide__buffer_counts_attach(void);

/* The first time, and for threads that cannot have their own, an atomic addition. */
#define COUNT(field, amount)                                                                       \
    do {                                                                                           \
        struct buffer_counts *counts = tide__buffer_counts;                                        \
        if (likely(counts))                                                                        \
            count_own(&counts->field, (amount));                                                   \
        else                                                                                       \
            atomic_fetch_add_explicit(&tide__buffer_counts_attach()->field, (amount),              \
                                      memory_order_relaxed);                                       \
    } while (0)

static inline void count_own(_Atomic uint64_t *count, uint64_t amount)
{
    uint64_t before = atomic_load_explicit(count, memory_order_relaxed);
    atomic_store_explicit(count, before + amount, memory_order_relaxed);
}

/* buffer_sample.c */
extern _Atomic unsigned tide__sample_interval; /* 0: none */
void tide__sample_start(void); /* if TIDE asks for it; before the first block is made */
void tide__sample_add(tide_block *block, const void *site);
void tide__sample_remove(tide_block *block);

#endif
