/* SPDX-License-Identifier: MIT */
/*
 * text.h: what tests of buffers compare with: texts, and the counts of all buffers.
 */
#ifndef TIDE_TESTS_BUFFER_TEXT_H
#define TIDE_TESTS_BUFFER_TEXT_H

#include "check.h"
#include "tide_buffer.h"

/* Whether the chain reads as this text, by copy_out and by iovec. */
bool chain_is(const tide_chain *chain, const char *text);

bool slice_is(const tide_slice *slice, const char *text);

/* A slice of memory of ours: of size text's length. */
tide_slice slice_of(const char *text);

/* Number `index` of a text that repeats nowhere near. */
static inline char pattern(size_t index)
{
    return (char)(index * 31 + index / 251);
}

/* `size` bytes of the pattern from `from` on at the end of the chain. */
void append_pattern(tide_chain *chain, size_t from, size_t size);

/* Whether the chain is the pattern from `from` on. */
bool is_pattern(const tide_chain *chain, size_t from);

uint64_t copied_bytes(void);
uint64_t live_blocks(void);

/* A file in memory with that pattern. */
int pattern_file(size_t size);

#endif
