/* SPDX-License-Identifier: MIT */
/*
 * buffer_pull.c: chains: looking inside, and bytes brought into one piece.
 */
#include <errno.h>
#include <limits.h>

#include "buffer.h"

/* A piece of a chain: from byte `skip` of slice `first` to byte `end` of slice `last`, both
 * counted from the chain's first. */
struct range {
    size_t first, last, skip, end;
};

/* The range of `size` bytes, more than none, from `offset` on. */
static struct range find(const tide_chain *chain, size_t offset, size_t size)
{
    const tide_slice *slices = chain_slices(chain);
    struct range range = {0};
    while (offset >= slices[range.first].size)
        offset -= slices[range.first++].size;
    range.skip = offset;
    range.last = range.first;
    for (size += offset; size > slices[range.last].size;)
        size -= slices[range.last++].size;
    range.end = size;
    return range;
}

static bool is_part(const tide_chain *chain, size_t offset, size_t size)
{
    if (size > 0 && offset <= chain->size && size <= chain->size - offset)
        return true;
    errno = EINVAL;
    return false;
}

/* Puts `piece` in the place of the range's bytes; what the slices at its ends have outside stays,
 * with its rooms. */
static bool replace(tide_chain *chain, const struct range *range, const tide_slice *piece)
{
    size_t removed = range->last - range->first + 1;
    bool has_left = range->skip > 0;
    bool has_right = range->end < chain_slices(chain)[range->last].size;
    size_t added = 1u + has_left + has_right;
    if (added > removed && !tide__chain_make_room(chain, 0, added - removed))
        return false;
    tide_slice *slices = chain_slices(chain) + range->first;
    tide_slice left = slices[0], right = slices[removed - 1];
    block_get(left.block); /* so that left and right own a reference each, also of one block */
    block_get(right.block);
    for (size_t i = 0; i < removed; i++)
        tide_slice_fini(&slices[i]);
    memmove(slices + added, slices + removed,
            (chain->count - range->first - removed) * sizeof(*slices));
    slices[has_left] = *piece;
    slice_truncate(&left, range->skip);
    slice_advance(&right, range->end);
    if (has_left)
        slices[0] = left;
    else
        tide_slice_fini(&left);
    if (has_right)
        slices[added - 1] = right;
    else
        tide_slice_fini(&right);
    chain->count += (uint32_t)added - (uint32_t)removed;
    return true;
}

/* A copy of the range in its place. */
static void *replace_by_copy(tide_chain *chain, const struct range *range, size_t offset,
                             size_t size, const void *site)
{
    tide_slice copy;
    if (!tide__slice_alloc(&copy, size, 0, site))
        return NULL;
    char *data = (char *)(uintptr_t)copy.data;
    copy.size = size;
    slice_truncate(&copy, size);
    if (tide_chain_copy_out(chain, offset, data, size) == size && replace(chain, range, &copy))
        return data;
    int error = errno;
    tide_slice_fini(&copy);
    errno = error;
    return NULL;
}

const void *tide_chain_coalesce(tide_chain *chain, size_t offset, size_t size)
{
    if (!is_part(chain, offset, size))
        return NULL;
    struct range range = find(chain, offset, size);
    const tide_slice *slice = &chain_slices(chain)[range.first];
    if (likely(range.first == range.last && slice->data))
        return slice->data + range.skip;
    return replace_by_copy(chain, &range, offset, size, CALL_SITE);
}

void *tide_chain_writable(tide_chain *chain, size_t offset, size_t size)
{
    if (!is_part(chain, offset, size))
        return NULL;
    struct range range = find(chain, offset, size);
    const tide_slice *slice = &chain_slices(chain)[range.first];
    if (range.first == range.last && slice_is_writable(slice))
        return (char *)(uintptr_t)slice->data + range.skip;
    return replace_by_copy(chain, &range, offset, size, CALL_SITE);
}

size_t tide_chain_copy_out(const tide_chain *chain, size_t offset, void *data, size_t size)
{
    size_t done = 0, left = offset < chain->size ? chain->size - offset : 0;
    if (size > left)
        size = left;
    if (size == 0)
        return 0;
    struct range range = find(chain, offset, size);
    for (size_t i = range.first; i <= range.last; i++) {
        const tide_slice *slice = &chain_slices(chain)[i];
        size_t skip = i == range.first ? range.skip : 0;
        size_t piece = (i == range.last ? range.end : slice->size) - skip;
        size_t copied = tide__slice_copy_out(slice, skip, (char *)data + done, piece);
        done += copied;
        if (copied < piece)
            break;
    }
    return done;
}

size_t tide_chain_iovec(const tide_chain *chain, size_t offset, struct iovec *elements,
                        size_t count)
{
    size_t used = 0;
    if (offset >= chain->size)
        return 0;
    if (count > IOV_MAX)
        count = IOV_MAX;
    struct range range = find(chain, offset, 1);
    for (size_t i = range.first; i < chain->count && used < count; i++) {
        const tide_slice *slice = &chain_slices(chain)[i];
        size_t skip = i == range.first ? range.skip : 0;
        if (!slice->data || slice->size == 0)
            break;
        elements[used].iov_base = (char *)(uintptr_t)slice->data + skip;
        elements[used++].iov_len = slice->size - skip;
    }
    return used;
}
