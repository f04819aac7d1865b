/* SPDX-License-Identifier: MIT */
/*
 * buffer_slice.c: slices: references to pieces of blocks.
 */
#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "buffer.h"

enum { PIN_RATIO = 8, PIN_COPY_MAX = 4096 };

/* A slice of no bytes yet, with room for `size` behind and `headroom` before it. */
bool tide__slice_alloc(tide_slice *slice, size_t size, size_t headroom, const void *site)
{
    size_t both;
    if (__builtin_add_overflow(size, headroom, &both)) {
        errno = ENOMEM;
        return false;
    }
    tide_block *block = tide__block_alloc(both, site);
    if (!block)
        return false;
    *slice = (tide_slice){.data = block->memory + headroom, .block = block};
    slice->headroom = headroom;
    slice->tailroom = block->capacity - headroom;
    return true;
}

/* The same with `size` bytes in it. */
static bool alloc_filled(tide_slice *slice, size_t size, const void *site)
{
    if (!tide__slice_alloc(slice, size, 0, site))
        return false;
    slice->size = size;
    slice->tailroom = slice->block->capacity - size;
    return true;
}

bool tide_slice_init(tide_slice *slice, size_t size)
{
    *slice = (tide_slice){0};
    return size == 0 || alloc_filled(slice, size, CALL_SITE);
}

/* The slice of all of a block; false if there is none. */
static bool show(tide_slice *slice, tide_block *block)
{
    *slice = (tide_slice){0};
    if (block)
        *slice = (tide_slice){.data = block->memory, .size = block->capacity, .block = block};
    return block;
}

bool tide_slice_init_foreign(tide_slice *slice, const void *data, size_t size,
                             void (*release)(const void *, size_t, void *), void *context)
{
    tide_block *block = tide__block_wrap(BLOCK_FOREIGN, (char *)(uintptr_t)data, size, CALL_SITE);
    if (block) {
        block->foreign.release = release;
        block->foreign.context = context;
    }
    return show(slice, block);
}

static bool is_in_file(off_t offset, size_t size)
{
    off_t end;
    if (offset >= 0 && !__builtin_add_overflow(offset, size, &end))
        return true;
    errno = EINVAL;
    return false;
}

bool tide_slice_init_file(tide_slice *slice, int file, off_t offset, size_t size)
{
    *slice = (tide_slice){0};
    if (!is_in_file(offset, size))
        return false;
    tide_block *block = tide__block_wrap(BLOCK_FILE, NULL, size, CALL_SITE);
    if (block)
        block->file = file;
    show(slice, block);
    slice->file_offset = (uint64_t)offset;
    return block;
}

bool tide_slice_init_mapped(tide_slice *slice, int file, off_t offset, size_t size)
{
    *slice = (tide_slice){0};
    if (size == 0 || !is_in_file(offset, size))
        return size == 0;
    size_t before = (size_t)offset % (size_t)sysconf(_SC_PAGESIZE), length;
    if (__builtin_add_overflow(size, before, &length)) {
        errno = EINVAL;
        return false;
    }
    char *start = mmap(NULL, length, PROT_READ, MAP_PRIVATE, file, offset - (off_t)before);
    if (start == MAP_FAILED)
        return false;
    tide_block *block = tide__block_wrap(BLOCK_MAPPED, start + before, size, CALL_SITE);
    if (!block) {
        munmap(start, length);
        errno = ENOMEM;
        return false;
    }
    block->mapping.start = start;
    block->mapping.length = length;
    return show(slice, block);
}

bool tide_slice_pins(const tide_slice *slice, size_t size)
{
    return slice->block && block_is_ours(slice->block) && size <= PIN_COPY_MAX &&
           size < slice->block->capacity / PIN_RATIO;
}

/* Reads from where the slice is, memory or file. */
size_t tide__slice_copy_out(const tide_slice *slice, size_t offset, char *data, size_t size)
{
    if (slice->data) {
        copy_bytes(data, slice->data + offset, size);
        COUNT(copied_bytes, size);
        return size;
    }
    size_t done = 0;
    while (done < size) {
        off_t from = (off_t)(slice->file_offset + offset + done);
        ssize_t got = pread(slice->block->file, data + done, size - done, from);
        if (got == 0)
            errno = EIO;
        if (got <= 0 && (got == 0 || errno != EINTR))
            break;
        done += got > 0 ? (size_t)got : 0;
    }
    COUNT(read_bytes, done);
    return done;
}

static bool copy_part(tide_slice *to, const tide_slice *from, size_t offset, size_t size,
                      const void *site)
{
    if (!alloc_filled(to, size, site))
        return false;
    if (tide__slice_copy_out(from, offset, (char *)(uintptr_t)to->data, size) == size)
        return true;
    int error = errno;
    tide_slice_fini(to);
    errno = error;
    return false;
}

bool tide_slice_share(tide_slice *to, const tide_slice *from, size_t offset, size_t size)
{
    *to = (tide_slice){0};
    if (offset > from->size || size > from->size - offset) {
        errno = EINVAL;
        return false;
    }
    if (size == 0)
        return true;
    if (tide_slice_pins(from, size)) {
        COUNT(pins_avoided, 1);
        return copy_part(to, from, offset, size, CALL_SITE);
    }
    *to = slice_ref(from);
    slice_advance(to, offset);
    slice_truncate(to, size);
    return true;
}

bool tide_slice_is_writable(const tide_slice *slice)
{
    return slice->block && slice_is_writable(slice);
}

void *tide_slice_writable(tide_slice *slice)
{
    tide_slice copy = {0};
    if (slice->size == 0) {
        errno = 0;
        return NULL;
    }
    if (!slice_is_writable(slice)) {
        if (!copy_part(&copy, slice, 0, slice->size, CALL_SITE))
            return NULL;
        tide_slice_fini(slice);
        *slice = copy;
    }
    return (void *)(uintptr_t)slice->data;
}

void tide_slice_fini(tide_slice *slice)
{
    tide_block *block = slice->block;
    *slice = (tide_slice){0};
    if (block)
        tide__block_put(block);
}
