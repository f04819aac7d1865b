/* SPDX-License-Identifier: MIT */
/*
 * buffer_tide.h: bytes on their way from one socket to another, in a chain.
 */
#ifndef PROXY_BUFFER_TIDE_H
#define PROXY_BUFFER_TIDE_H

#include <stdbool.h>
#include <tide_buffer.h>

#define RELAY_NAME "tide_chain"

typedef struct relay_buffer {
    tide_chain chain;
} relay_buffer;

static inline bool relay_init(relay_buffer *buffer)
{
    buffer->chain = (tide_chain){0};
    return true;
}

static inline void relay_fini(relay_buffer *buffer)
{
    tide_chain_clear(&buffer->chain);
}

static inline size_t relay_size(const relay_buffer *buffer)
{
    return buffer->chain.size;
}

/* As read and write: a count, 0 at the end, -1 with errno. */
static inline ssize_t relay_read(relay_buffer *buffer, int file, size_t size)
{
    return tide_chain_read(&buffer->chain, file, size);
}

static inline ssize_t relay_write(relay_buffer *buffer, int file)
{
    return tide_chain_write(&buffer->chain, file, SIZE_MAX);
}

/* Bytes that were copied in user space; false if nobody counts them. */
static inline bool relay_copied(uint64_t *bytes)
{
    tide_buffer_stats stats;
    tide_buffer_read_stats(&stats);
    *bytes = stats.copied_bytes;
    return true;
}

#endif
