/* SPDX-License-Identifier: MIT */
/*
 * tide_buffer.h: bytes that travel through a program without being copied.
 *
 * A block is memory with a count of references; it comes from a per-CPU pool and returns there
 * with its last reference. A slice is one reference: a piece of a block that nobody changes, and
 * perhaps room before and behind it. A chain is a sequence of slices that reads as one string of
 * bytes: received into, cut, passed on and written by one system call for many slices.
 *
 *     tide_chain chain = {0};
 *     tide_chain_printf(&chain, "{\"count\": %d, \"items\": ", count);
 *     tide_chain_append_slice(&chain, &document);       by reference
 *     tide_chain_append(&chain, "}\n", 2);              copied, to where there is room
 *     while (chain.size > 0 && tide_chain_write(&chain, socket, SIZE_MAX) >= 0)
 *         wait until it can be written to;
 *     tide_chain_clear(&chain);
 *
 * Who owns what. A slice and a chain are the caller's storage; {0} is an empty one that owns
 * nothing. What takes a slice or a chain over leaves {0} behind, so that to release it again is
 * harmless. Copying either struct with `=` makes two owners of one reference: share it instead.
 * A function that fails changes nothing: what it should have taken over is still the caller's.
 *
 * What is copied. Moving, splitting, sharing, sending and receiving copy nothing. Bytes are
 * copied by tide_chain_append, by tide_chain_copy_out, by coalesce where the bytes are not in one
 * piece, by writable where they are shared, and where a small piece would keep a large block from
 * its pool (tide_slice_pins). tide_buffer_read_stats counts every such byte.
 *
 * Who may call what at the same time:
 *
 *     what                                   other threads
 *     a chain: any function that changes it  no: a chain belongs to one thread at a time
 *     a slice: any function that changes it  no
 *     share, copy_out, iovec of a chain or   yes, any number, while nobody changes it
 *       slice, which take it as const
 *     slices and chains that refer to the    yes: that is what they are for. No synchronisation
 *       same blocks                          is needed but that which hands them over
 *     read_stats, sample, walk, write_leaks  yes
 *
 * None may be called in a signal handler. Ideas are from FreeBSD's mbufs (chains, headroom), the
 * fragments of Linux's skb (references, pull), folly's IOBuf (unshare), libevent's evbuffer
 * (reserve and commit, files) and nginx's bufs.
 */
#ifndef TIDE_BUFFER_H
#define TIDE_BUFFER_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tide_block tide_block;

/* One reference to a piece of a block. The first two fields are for reading. The bytes of `data`
 * stay as they are while the slice holds them, whoever else refers to them. */
typedef struct tide_slice {
    const char *data; /* NULL: an empty slice, or one of a file that is not in memory */
    size_t size;      /* bytes */
    tide_block *block;
    uint64_t file_offset;      /* of a slice that is not in memory */
    size_t headroom, tailroom; /* bytes of the block that are this slice's alone to fill */
} tide_slice;

enum { TIDE_CHAIN_SLICES = 4 };

/* {0} is an empty chain. */
typedef struct tide_chain {
    size_t size;     /* bytes; for reading */
    size_t headroom; /* to be set: bytes to keep free before what is appended to an empty chain,
                      * for tide_chain_prepend */
    tide_slice *slices;
    uint32_t first, count, room; /* room 0: the slices are in `few` */
    tide_slice few[TIDE_CHAIN_SLICES];
} tide_chain;

/* ---- Slices ---- */

/* Makes a slice of `size` bytes, which the caller fills by tide_slice_writable. Errors: false
 * with errno ENOMEM. */
bool tide_slice_init(tide_slice *slice, size_t size);

/* Makes a slice of memory that somebody else has allocated, without copying it. It must not
 * change until `release` is called, once, with the last reference, by the thread that held it.
 * NULL: the memory stays as long as the program does, as a literal. Errors: false with errno
 * ENOMEM; `release` is not called. */
bool tide_slice_init_foreign(tide_slice *slice, const void *data, size_t size,
                             void (*release)(const void *data, size_t size, void *context),
                             void *context);

/* Makes a slice of `size` bytes of a file from `offset` on, which are not in memory: `data` is
 * NULL. tide_chain_write sends them by sendfile(2); whatever needs them in memory reads them.
 * Takes over `file`, which is closed with the last reference. A file that gets shorter makes
 * writing and reading fail with EIO. Errors: false with errno EINVAL (an offset that is negative
 * or too large) or ENOMEM; `file` is still the caller's. */
bool tide_slice_init_file(tide_slice *slice, int file, off_t offset, size_t size);

/* The same bytes mapped into memory, read-only. `file` stays the caller's. Who reads pages that
 * the file has lost gets SIGBUS, as with any mapping. Errors: false with errno EINVAL, ENOMEM, or
 * one of mmap(2). */
bool tide_slice_init_mapped(tide_slice *slice, int file, off_t offset, size_t size);

/* Makes `to`, which is uninitialised or empty, another reference to `size` bytes of `from` from
 * `offset` on. Where that would pin (tide_slice_pins) it is a copy. Errors: false with errno
 * EINVAL (not a part of `from`) or ENOMEM. */
bool tide_slice_share(tide_slice *to, const tide_slice *from, size_t offset, size_t size);

/* Whether `size` bytes of it would keep a block that is more than eight times as large from being
 * used again, and are no more than 4 KiB, which a copy costs less than. True only for blocks of
 * this library: who wraps foreign memory or a file means that. */
bool tide_slice_pins(const tide_slice *slice, size_t size);

/* Whether it may be written in place: its block is of this library, and nobody else refers to
 * it. */
bool tide_slice_is_writable(const tide_slice *slice);

/* Returns the bytes for writing: at once if nobody else refers to their block, else after
 * replacing them by a copy. The pointer is good until the slice is shared, moved or released.
 * Foreign memory, files and mappings are always copied. NULL with errno ENOMEM, EIO; NULL for an
 * empty slice, with errno 0. */
void *tide_slice_writable(tide_slice *slice);

/* Releases it and makes it {0}. {0} is ignored. */
void tide_slice_fini(tide_slice *slice);

/* ---- Chains: adding ---- */

/* Each returns false with errno ENOMEM, or EOVERFLOW where the size would exceed SIZE_MAX, or
 * EINVAL where both chains are the same. */

/* Copies `size` bytes to the end: into the room that is there, else into a new block, which is as
 * large as the chain up to 64 KiB, so that a long chain has few. */
bool tide_chain_append(tide_chain *chain, const void *data, size_t size);

/* The same in front: into headroom, else into a new block that has more of it. */
bool tide_chain_prepend(tide_chain *chain, const void *data, size_t size);

/* Prints to the end, in place. False with errno EILSEQ too, or EOVERFLOW for a text that is
 * longer than INT_MAX. */
__attribute__((format(printf, 2, 3))) bool tide_chain_printf(tide_chain *chain, const char *format,
                                                             ...);
__attribute__((format(printf, 2, 0))) bool tide_chain_vprintf(tide_chain *chain, const char *format,
                                                              va_list values);

/* Takes the slice over and adds it at the end, by reference; but as a copy where it would pin
 * (tide_slice_pins). An empty slice is released. */
bool tide_chain_append_slice(tide_chain *chain, tide_slice *slice);

/* Moves all of `other`, which is another chain, to the end, by reference. */
bool tide_chain_append_chain(tide_chain *chain, tide_chain *other);

/* Adds references to `size` bytes of `from` from `offset` on to the end of `chain`, which is
 * another chain, copying nothing. This is also how memory is pinned while the kernel works on it
 * (io_uring, MSG_ZEROCOPY): what such a chain refers to is neither written nor reused until it is
 * cleared. Errno EINVAL: not a part of `from`. */
bool tide_chain_share(tide_chain *chain, const tide_chain *from, size_t offset, size_t size);

/* Returns room for at least `size` bytes at the end, and in `room`, unless NULL, how many fit.
 * Nothing is added until commit. The room is lost when anything else is added to the chain or
 * the chain is moved. `size` 0 is any room. NULL with errno ENOMEM or EOVERFLOW. */
void *tide_chain_reserve(tide_chain *chain, size_t size, size_t *room);

/* Adds the first `size` bytes of the room, at most what was reserved. */
void tide_chain_commit(tide_chain *chain, size_t size);

/* ---- Chains: taking away ---- */

/* Drops up to `size` bytes from the front; returns how many. */
size_t tide_chain_drop(tide_chain *chain, size_t size);

/* Moves the first `size` bytes, or all if there are fewer, to the end of `head`, another chain,
 * copying nothing. A block that is cut is shared by both. False with errno as above.
 * Before a small piece of what has been received is kept for long: tide_slice_share. */
bool tide_chain_split(tide_chain *chain, size_t size, tide_chain *head);

/* Drops everything and frees what the chain has allocated. It is empty then and may be used
 * again; its headroom stays as set. */
void tide_chain_clear(tide_chain *chain);

/* ---- Chains: looking inside ---- */

/* Returns `size` bytes from `offset` on in one piece, copying them together if they are not. The
 * pointer is good until the chain changes. NULL with errno EINVAL (not a part of the chain, or
 * `size` 0), ENOMEM, or, of a file, EIO. */
const void *tide_chain_coalesce(tide_chain *chain, size_t offset, size_t size);

/* The same for writing: replaced by a copy where somebody else refers to the block too. */
void *tide_chain_writable(tide_chain *chain, size_t offset, size_t size);

/* Copies up to `size` bytes from `offset` on to `data`; returns how many. Fewer than there are
 * only when a file could not be read, with errno. */
size_t tide_chain_copy_out(const tide_chain *chain, size_t offset, void *data, size_t size);

/* Describes the bytes from `offset` on by at most `count` and at most IOV_MAX elements; returns
 * how many. Ends before a slice that is not in memory. For all of a chain call it again with the
 * offset moved by the bytes of all elements. */
size_t tide_chain_iovec(const tide_chain *chain, size_t offset, struct iovec *elements,
                        size_t count);

/* ---- Chains: input and output ---- */

/* Writes up to `size` bytes from the front and drops what was written, by writev(2) and
 * sendfile(2). Goes on after short writes and signals, until everything is written or the file
 * takes no more. Returns the number of bytes written; -1 with errno when that is 0 and there
 * is an error, EAGAIN among them. Raises SIGPIPE as write(2) does: ignore it in a server. */
ssize_t tide_chain_write(tide_chain *chain, int file, size_t size);

/* Reads up to `size` bytes to the end by readv(2), into room and new blocks of up to 64 KiB.
 * Returns as soon as the file gave less than was asked for, the number of bytes read; 0 at the
 * end of the file, or for `size` 0; -1 with errno when nothing was read, EAGAIN and ENOMEM
 * among them, or EOVERFLOW. An error after some bytes comes with the next call. */
ssize_t tide_chain_read(tide_chain *chain, int file, size_t size);

/* ---- All buffers of the process ---- */

/* Counts since the start; a field is exact while no other thread uses buffers. */
typedef struct tide_buffer_stats {
    uint64_t copied_bytes;   /* from memory to memory, by functions of this header */
    uint64_t printed_bytes;  /* formatted in place */
    uint64_t read_bytes;     /* by tide_chain_read, and of files that were needed in memory */
    uint64_t written_bytes;  /* by tide_chain_write, with those of sendfile */
    uint64_t sendfile_bytes; /* by sendfile alone */
    uint64_t reads, writes;  /* system calls, those that fail counted */
    uint64_t blocks_made;    /* of every kind: from pools, larger, foreign, files */
    uint64_t blocks_live;    /* of them, those that are referred to now */
    uint64_t pins_avoided;   /* small pieces that were copied to let a large block go */
} tide_buffer_stats;

void tide_buffer_read_stats(tide_buffer_stats *stats);

/* Remembers one block in `interval` and who made it, from now on; 1: each, 0: none, which is
 * where a program starts, or 16 with TIDE=check:1. */
void tide_buffer_sample(unsigned interval);

/* A block that was remembered and is still referred to. */
typedef struct tide_buffer_sampled {
    const void *site; /* the address that the function of this header was to return to */
    size_t size;      /* bytes of the block */
    unsigned references;
} tide_buffer_sampled;

/* Calls `visit` for each of them until it returns false. It must not call this header. */
void tide_buffer_walk(bool (*visit)(const tide_buffer_sampled *block, void *context),
                      void *context);

/* Writes a line for each of them to a file descriptor; returns how many. With TIDE=check:1 this
 * is done on stderr when the program ends. */
size_t tide_buffer_write_leaks(int file);

#ifdef __cplusplus
}
#endif

#endif
