/* SPDX-License-Identifier: MIT */
/*
 * tide_ambient_zlib.h: zlib on the entered arena.
 *
 * zlib's functions are of one stream. A stream that is started while an arena is entered ends with
 * it; deflateEnd and inflateEnd are not needed for it.
 */
#ifndef TIDE_AMBIENT_ZLIB_H
#define TIDE_AMBIENT_ZLIB_H

#include <stddef.h>
#include <zlib.h>

#include "tide_ambient.h"

#ifdef __cplusplus
extern "C" {
#endif

static inline voidpf tide__zlib_alloc(voidpf opaque, uInt count, uInt size)
{
    (void)opaque;
    return tide_ambient_malloc((size_t)count * size); /* two numbers of 32 bits do not wrap */
}

static inline void tide__zlib_free(voidpf opaque, voidpf block)
{
    (void)opaque;
    tide_ambient_free(block);
}

/* For one stream; before deflateInit or inflateInit. */
static inline void tide_ambient_zlib_install(z_stream *stream)
{
    stream->zalloc = tide__zlib_alloc;
    stream->zfree = tide__zlib_free;
    stream->opaque = NULL;
}

#ifdef __cplusplus
}
#endif

#endif
