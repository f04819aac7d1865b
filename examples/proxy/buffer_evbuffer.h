/* SPDX-License-Identifier: MIT */
/*
 * buffer_evbuffer.h: bytes on their way from one socket to another, in an evbuffer of libevent:
 * the rival of buffer_tide.h.
 */
#ifndef PROXY_BUFFER_EVBUFFER_H
#define PROXY_BUFFER_EVBUFFER_H

#include <event2/buffer.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#define RELAY_NAME "evbuffer"

enum { RELAY_READ = 65536 };

typedef struct relay_buffer {
    struct evbuffer *bytes;
} relay_buffer;

static inline bool relay_init(relay_buffer *buffer)
{
    buffer->bytes = evbuffer_new();
    return buffer->bytes;
}

static inline void relay_fini(relay_buffer *buffer)
{
    if (buffer->bytes)
        evbuffer_free(buffer->bytes);
}

static inline size_t relay_size(const relay_buffer *buffer)
{
    return evbuffer_get_length(buffer->bytes);
}

/* By reserve and commit: evbuffer_read of libevent 2.1 takes no more than 4 KiB at once, which is
 * a fraction of the speed. 64 KiB as the chain's blocks. */
static inline ssize_t relay_read(relay_buffer *buffer, int file, size_t size)
{
    struct evbuffer_iovec room[2];
    ev_ssize_t wanted = size < RELAY_READ ? (ev_ssize_t)size : RELAY_READ;
    int count = evbuffer_reserve_space(buffer->bytes, wanted, room, 2);
    if (count <= 0)
        return -1;
    ssize_t got = readv(file, room, count);
    size_t left = got > 0 ? (size_t)got : 0;
    for (int i = 0; i < count; i++) {
        room[i].iov_len = room[i].iov_len < left ? room[i].iov_len : left;
        left -= room[i].iov_len;
    }
    if (got > 0)
        evbuffer_commit_space(buffer->bytes, room, count);
    return got;
}

static inline ssize_t relay_write(relay_buffer *buffer, int file)
{
    return evbuffer_write(buffer->bytes, file);
}

static inline bool relay_copied(uint64_t *bytes)
{
    return false;
}

#endif
