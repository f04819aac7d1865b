/* SPDX-License-Identifier: MIT */
/*
 * text.c: what tests of buffers compare with.
 */
#include "text.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { ELEMENTS = 3 };

/* In steps of few elements, so that a chain takes several. */
static bool elements_are(const tide_chain *chain, const char *text)
{
    struct iovec elements[ELEMENTS];
    size_t offset = 0, count;
    while ((count = tide_chain_iovec(chain, offset, elements, ELEMENTS)) > 0) {
        for (size_t i = 0; i < count; i++) {
            if (memcmp(elements[i].iov_base, text + offset, elements[i].iov_len) != 0)
                return false;
            offset += elements[i].iov_len;
        }
    }
    return offset == chain->size;
}

bool chain_is(const tide_chain *chain, const char *text)
{
    size_t size = strlen(text);
    char *copy = malloc(size + 1);
    bool same = chain->size == size && tide_chain_copy_out(chain, 0, copy, size + 1) == size &&
                memcmp(copy, text, size) == 0 && elements_are(chain, text);
    free(copy);
    return same;
}

bool slice_is(const tide_slice *slice, const char *text)
{
    return slice->size == strlen(text) && memcmp(slice->data, text, slice->size) == 0;
}

tide_slice slice_of(const char *text)
{
    tide_slice slice;
    check_that(tide_slice_init(&slice, strlen(text)));
    memcpy(tide_slice_writable(&slice), text, slice.size);
    return slice;
}

void append_pattern(tide_chain *chain, size_t from, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        char c = pattern(from + i);
        check_that(tide_chain_append(chain, &c, 1));
    }
}

bool is_pattern(const tide_chain *chain, size_t from)
{
    char *copy = malloc(chain->size + 1);
    bool same = tide_chain_copy_out(chain, 0, copy, chain->size) == chain->size;
    for (size_t i = 0; i < chain->size && same; i++)
        same = copy[i] == pattern(from + i);
    free(copy);
    return same;
}

uint64_t copied_bytes(void)
{
    tide_buffer_stats stats;
    tide_buffer_read_stats(&stats);
    return stats.copied_bytes;
}

uint64_t live_blocks(void)
{
    tide_buffer_stats stats;
    tide_buffer_read_stats(&stats);
    return stats.blocks_live;
}

int pattern_file(size_t size)
{
    int file = memfd_create("pattern", MFD_CLOEXEC);
    for (size_t i = 0; i < size; i++) {
        char c = pattern(i);
        check_that(write(file, &c, 1) == 1);
    }
    return file;
}
