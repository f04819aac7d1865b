/* SPDX-License-Identifier: MIT */
/*
 * buffer_io.c: chains: reading and writing files.
 */
#include <errno.h>
#include <limits.h>
#include <sys/sendfile.h>

#include "buffer.h"

/* Elements of one writev, 4 KiB of the stack; and the bytes of one call, of which Linux takes no
 * more than 2 GiB. */
enum { ELEMENTS = 256, CALL_MAX = 1 << 30 };

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

static ssize_t write_memory(tide_chain *chain, int file, size_t size)
{
    struct iovec elements[ELEMENTS];
    size_t count = tide_chain_iovec(chain, 0, elements, ELEMENTS), used = 0;
    for (size_t left = smaller(size, CALL_MAX); used < count && left > 0; used++) {
        elements[used].iov_len = smaller(elements[used].iov_len, left);
        left -= elements[used].iov_len;
    }
    return writev(file, elements, (int)used);
}

/* Where sendfile does not go, the file's bytes go through memory. */
static ssize_t write_loaded(tide_chain *chain, int file, size_t size)
{
    if (!tide_chain_coalesce(chain, 0, smaller(size, BLOCK_MAX)))
        return -1;
    return write_memory(chain, file, size);
}

static ssize_t write_file(tide_chain *chain, int file, size_t size)
{
    const tide_slice *slice = chain_slices(chain);
    off_t offset = (off_t)slice->file_offset;
    size = smaller(size, slice->size);
    ssize_t sent = sendfile(file, slice->block->file, &offset, smaller(size, CALL_MAX));
    if (sent < 0 && (errno == EINVAL || errno == ENOSYS))
        return write_loaded(chain, file, size);
    if (sent == 0) { /* it has become shorter */
        errno = EIO;
        return -1;
    }
    if (sent > 0)
        COUNT(sendfile_bytes, (uint64_t)sent);
    return sent;
}

static ssize_t write_once(tide_chain *chain, int file, size_t size)
{
    COUNT(writes, 1);
    return chain_slices(chain)->data ? write_memory(chain, file, size)
                                     : write_file(chain, file, size);
}

ssize_t tide_chain_write(tide_chain *chain, int file, size_t size)
{
    size_t written = 0;
    size = smaller(smaller(size, chain->size), SSIZE_MAX);
    while (written < size) {
        ssize_t now = write_once(chain, file, size - written);
        if (now < 0 && errno == EINTR)
            continue;
        if (now <= 0)
            return written ? (ssize_t)written : now;
        written += tide_chain_drop(chain, (size_t)now);
        COUNT(written_bytes, (uint64_t)now);
    }
    return (ssize_t)written;
}

/* Takes what readv has put into the room of the last slice, and then into the fresh one. */
static void take(tide_chain *chain, tide_slice *fresh, size_t tailroom, size_t size)
{
    size_t tail = smaller(size, tailroom);
    tide_chain_commit(chain, tail);
    COUNT(read_bytes, size);
    if (size > tail) {
        chain_slices(chain)[chain->count++] = *fresh;
        *fresh = (tide_slice){0};
        chain_grow(chain, chain_last(chain), size - tail);
    }
}

/* What is read into one fresh block, which is to be one of a pool with its headroom too. */
static size_t fresh_size(size_t size, size_t headroom)
{
    return smaller(size, BLOCK_MAX - smaller(headroom, BLOCK_MAX / 2));
}

/* One readv of up to `size` bytes; `offered` says how many there was room for. */
static ssize_t read_once(tide_chain *chain, int file, size_t size, size_t *offered,
                         const void *site)
{
    tide_slice *last = chain_last(chain), fresh = {0};
    size_t tail = last ? smaller(last->tailroom, size) : 0;
    size_t headroom = chain->size ? 0 : chain->headroom;
    size_t rest = fresh_size(size - tail, headroom);
    if (rest &&
        (!tide__chain_make_room(chain, 0, 1) || !tide__slice_alloc(&fresh, rest, headroom, site)))
        return -1;
    last = chain_last(chain);
    struct iovec elements[2] = {{last ? slice_end(last) : NULL, tail},
                                {rest ? slice_end(&fresh) : NULL, rest}};
    COUNT(reads, 1);
    ssize_t got = readv(file, tail ? elements : elements + 1, (tail > 0) + (rest > 0));
    int error = errno;
    if (got > 0)
        take(chain, &fresh, tail, (size_t)got);
    tide_slice_fini(&fresh);
    errno = error;
    *offered = tail + rest;
    return got;
}

ssize_t tide_chain_read(tide_chain *chain, int file, size_t size)
{
    size_t total = 0, offered = 0;
    if (size && chain->size == SIZE_MAX) { /* 0 would be the end of the file */
        errno = EOVERFLOW;
        return -1;
    }
    size = smaller(smaller(size, SIZE_MAX - chain->size), SSIZE_MAX);
    while (total < size) {
        ssize_t got = read_once(chain, file, size - total, &offered, CALL_SITE);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return total ? (ssize_t)total : got;
        total += (size_t)got;
        if ((size_t)got < offered)
            break;
    }
    return (ssize_t)total;
}
