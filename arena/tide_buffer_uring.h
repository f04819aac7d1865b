/* SPDX-License-Identifier: MIT */
/*
 * tide_buffer_uring.h: buffers for io_uring: those that the kernel chooses from when something
 * arrives (provided), and those that it has mapped once for all (registered).
 *
 * All of it is inline, over liburing's header: a program that uses it links liburing (2.2 or
 * later), the library does not. Without that header this one declares nothing. Where a program is
 * strict C11 without _GNU_SOURCE it comes before the system's headers, as liburing's own.
 *
 *     struct tide_uring_provided buffers;
 *     tide_uring_provided_init(&buffers, &ring, 7, 256, 4032);
 *     io_uring_prep_recv(sqe, socket, NULL, 0, 0);
 *     sqe->flags |= IOSQE_BUFFER_SELECT;
 *     sqe->buf_group = 7;
 *     ...
 *     if (cqe->res > 0 && !tide_uring_provided_take(&buffers, cqe, &connection->received))
 *         close the connection: no memory, and these bytes are lost;
 *
 * A set of buffers belongs to the thread that completes its ring. The chains that its bytes go to
 * follow the rules of tide_buffer.h.
 */
#ifndef TIDE_BUFFER_URING_H
#define TIDE_BUFFER_URING_H

/* First, because it asks the system's headers for more than C11 has. */
#if __has_include(<liburing.h>)
#include <liburing.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tide_buffer.h"

/* ---- Provided buffers ---- */

/* A group of buffers from which the kernel takes one when bytes arrive, so that connections that
 * wait hold none. Fields are private. */
struct tide_uring_provided {
    struct io_uring *ring;
    struct io_uring_buf_ring *entries; /* what the kernel reads */
    tide_slice *slices;                /* number `id` is the kernel's until it completes */
    unsigned count;
    int group;
};

static inline void tide__uring_provide(struct tide_uring_provided *buffers, unsigned id)
{
    tide_slice *slice = &buffers->slices[id];
    io_uring_buf_ring_add(buffers->entries, (void *)(uintptr_t)slice->data, (unsigned)slice->size,
                          (unsigned short)id, io_uring_buf_ring_mask(buffers->count), 0);
    io_uring_buf_ring_advance(buffers->entries, 1);
}

static inline void tide__uring_provided_free(struct tide_uring_provided *buffers)
{
    for (unsigned i = 0; buffers->slices && i < buffers->count; i++)
        tide_slice_fini(&buffers->slices[i]);
    free(buffers->slices);
    free(buffers->entries);
    memset(buffers, 0, sizeof(*buffers));
}

static inline bool tide__uring_provided_alloc(struct tide_uring_provided *buffers, size_t size)
{
    size_t entries_size = buffers->count * sizeof(struct io_uring_buf);
    void *entries = aligned_alloc(4096, (entries_size + 4095) / 4096 * 4096);
    if (entries)
        buffers->entries = (struct io_uring_buf_ring *)memset(entries, 0, entries_size);
    buffers->slices = (tide_slice *)calloc(buffers->count, sizeof(tide_slice));
    bool made = buffers->entries && buffers->slices;
    for (unsigned i = 0; made && i < buffers->count; i++)
        made = tide_slice_init(&buffers->slices[i], size);
    return made;
}

/* Provides `count` buffers, a power of two up to 32768, of `size` bytes as the group. Errors: false
 * with errno EINVAL, ENOMEM, or what io_uring_register_buf_ring fails with (EEXIST: there is such
 * a group; EINVAL too where Linux is older than 5.19). */
static inline bool tide_uring_provided_init(struct tide_uring_provided *buffers,
                                            struct io_uring *ring, int group, unsigned count,
                                            size_t size)
{
    memset(buffers, 0, sizeof(*buffers));
    if (!count || count > 32768 || count & (count - 1) || !size || size > INT32_MAX || group < 0 ||
        group > UINT16_MAX) {
        errno = EINVAL;
        return false;
    }
    buffers->ring = ring;
    buffers->count = count;
    buffers->group = group;
    int error = tide__uring_provided_alloc(buffers, size) ? 0 : -ENOMEM;
    if (!error) {
        struct io_uring_buf_reg registration;
        memset(&registration, 0, sizeof(registration));
        registration.ring_addr = (uintptr_t)buffers->entries;
        registration.ring_entries = count;
        registration.bgid = (__u16)group;
        error = io_uring_register_buf_ring(ring, &registration, 0);
    }
    for (unsigned i = 0; !error && i < count; i++)
        tide__uring_provide(buffers, i);
    if (error)
        tide__uring_provided_free(buffers);
    errno = -error;
    return !error;
}

/* Adds what a completion with IORING_CQE_F_BUFFER has brought to the end of the chain, by
 * reference, and provides a new buffer in the place of the old one; or as a copy where the bytes
 * would pin their buffer (tide_slice_pins), which is provided again. False with errno EINVAL (no
 * buffer of this group), EOVERFLOW or ENOMEM: the bytes are lost, the buffer is provided again. */
static inline bool tide_uring_provided_take(struct tide_uring_provided *buffers,
                                            const struct io_uring_cqe *cqe, tide_chain *chain)
{
    unsigned id = cqe->flags >> IORING_CQE_BUFFER_SHIFT;
    if (!(cqe->flags & IORING_CQE_F_BUFFER) || id >= buffers->count) {
        errno = EINVAL;
        return false;
    }
    tide_slice *slice = &buffers->slices[id], fresh = {NULL, 0, NULL, 0, 0, 0};
    size_t size = cqe->res > 0 ? (size_t)cqe->res : 0, whole = slice->size;
    bool taken = size <= whole;
    if (taken && (size == 0 || tide_slice_pins(slice, size))) {
        taken = tide_chain_append(chain, slice->data, size);
    } else if ((taken = taken && tide_slice_init(&fresh, whole))) {
        slice->size = size;
        taken = tide_chain_append_slice(chain, slice);
        slice->size = taken ? 0 : whole;
        if (taken)
            *slice = fresh;
        else
            tide_slice_fini(&fresh);
    }
    tide__uring_provide(buffers, id);
    return taken;
}

/* Takes the group back. Nothing of it may be in flight. {0} is ignored. */
static inline void tide_uring_provided_fini(struct tide_uring_provided *buffers)
{
    if (buffers->ring)
        io_uring_unregister_buf_ring(buffers->ring, buffers->group);
    tide__uring_provided_free(buffers);
}

/* ---- Registered buffers ---- */

/* Buffers that the kernel has mapped once, for io_uring_prep_read_fixed and _write_fixed, which
 * save mapping them each time. A ring has one such set. Fields are private. */
struct tide_uring_registered {
    struct io_uring *ring;
    tide_slice *slices;
    struct iovec *elements;
    unsigned count, next;
};

static inline void tide__uring_registered_free(struct tide_uring_registered *buffers)
{
    for (unsigned i = 0; buffers->slices && i < buffers->count; i++)
        tide_slice_fini(&buffers->slices[i]);
    free(buffers->slices);
    free(buffers->elements);
    memset(buffers, 0, sizeof(*buffers));
}

static inline bool tide__uring_registered_alloc(struct tide_uring_registered *buffers, size_t size)
{
    buffers->slices = (tide_slice *)calloc(buffers->count, sizeof(tide_slice));
    buffers->elements = (struct iovec *)calloc(buffers->count, sizeof(struct iovec));
    bool made = buffers->slices && buffers->elements;
    for (unsigned i = 0; made && i < buffers->count; i++) {
        made = tide_slice_init(&buffers->slices[i], size);
        buffers->elements[i].iov_base = (void *)(uintptr_t)buffers->slices[i].data;
        buffers->elements[i].iov_len = size;
    }
    return made;
}

/* Registers `count` buffers of `size` bytes. Errors: false with errno EINVAL, ENOMEM (also beyond
 * RLIMIT_MEMLOCK), or what io_uring_register_buffers fails with (EBUSY: there is a set). */
static inline bool tide_uring_registered_init(struct tide_uring_registered *buffers,
                                              struct io_uring *ring, unsigned count, size_t size)
{
    memset(buffers, 0, sizeof(*buffers));
    if (!count || count > UINT16_MAX || !size || size > INT32_MAX) {
        errno = EINVAL;
        return false;
    }
    buffers->ring = ring;
    buffers->count = count;
    int error = tide__uring_registered_alloc(buffers, size) ? 0 : -ENOMEM;
    if (!error)
        error = io_uring_register_buffers(ring, buffers->elements, count);
    if (error)
        tide__uring_registered_free(buffers);
    errno = -error;
    return !error;
}

/* Finds a buffer that nobody refers to and nothing is in flight for, and returns its number, which
 * is the `buf_index` of the operation; stores where it is. -1 with errno EAGAIN: none. It is in
 * flight until it is taken, or given back with size 0. */
static inline int tide_uring_registered_get(struct tide_uring_registered *buffers, void **memory)
{
    for (unsigned tried = 0; tried < buffers->count; tried++) {
        unsigned index = buffers->next++ % buffers->count;
        if (buffers->elements[index].iov_len && tide_slice_is_writable(&buffers->slices[index])) {
            buffers->elements[index].iov_len = 0; /* in flight */
            *memory = buffers->elements[index].iov_base;
            return (int)index;
        }
    }
    errno = EAGAIN;
    return -1;
}

/* Adds the first `size` bytes of buffer `index`, which has completed, to the end of the chain: by
 * reference, so that the buffer is free when the chain lets go of it, or as a copy where they
 * would pin it. False with errno EINVAL (not in flight, or more than it holds), EOVERFLOW or
 * ENOMEM: the bytes are lost. It is no longer in flight. */
static inline bool tide_uring_registered_take(struct tide_uring_registered *buffers, int index,
                                              size_t size, tide_chain *chain)
{
    tide_slice part;
    if (index < 0 || (unsigned)index >= buffers->count || buffers->elements[index].iov_len) {
        errno = EINVAL;
        return false;
    }
    buffers->elements[index].iov_len = buffers->slices[index].size;
    if (!tide_slice_share(&part, &buffers->slices[index], 0, size))
        return false;
    bool taken = tide_chain_append_slice(chain, &part);
    tide_slice_fini(&part);
    return taken;
}

/* The number of the registered buffer that these bytes are in, for io_uring_prep_write_fixed of an
 * element of tide_chain_iovec; -1: in none. */
static inline int tide_uring_registered_index(const struct tide_uring_registered *buffers,
                                              const void *memory, size_t size)
{
    for (unsigned i = 0; i < buffers->count; i++) {
        size_t offset = (uintptr_t)memory - (uintptr_t)buffers->elements[i].iov_base;
        if (offset < buffers->slices[i].size && size <= buffers->slices[i].size - offset)
            return (int)i;
    }
    return -1;
}

/* Takes the set back. Nothing of it may be in flight; chains that refer to it may live on. {0} is
 * ignored. */
static inline void tide_uring_registered_fini(struct tide_uring_registered *buffers)
{
    if (buffers->ring)
        io_uring_unregister_buffers(buffers->ring);
    tide__uring_registered_free(buffers);
}
#endif

#endif
