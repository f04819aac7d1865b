/* SPDX-License-Identifier: MIT */
/*
 * tide_ambient_nghttp2.h: nghttp2 on the entered arena.
 *
 * nghttp2's functions are of one session, option or (de)compressor, which grows as long as it
 * lives: enter the connection's arena around each of its calls, not a request's.
 */
#ifndef TIDE_AMBIENT_NGHTTP2_H
#define TIDE_AMBIENT_NGHTTP2_H

#include <nghttp2/nghttp2.h>
#include <stddef.h>

#include "tide_ambient.h"

#ifdef __cplusplus
extern "C" {
#endif

static inline void *tide__nghttp2_malloc(size_t size, void *context)
{
    (void)context;
    return tide_ambient_malloc(size);
}

static inline void tide__nghttp2_free(void *block, void *context)
{
    (void)context;
    tide_ambient_free(block);
}

static inline void *tide__nghttp2_calloc(size_t count, size_t size, void *context)
{
    (void)context;
    return tide_ambient_calloc(count, size);
}

static inline void *tide__nghttp2_realloc(void *block, size_t size, void *context)
{
    (void)context;
    return tide_ambient_realloc(block, size);
}

/* For the functions that take one, such as nghttp2_session_server_new3. nghttp2 copies it. */
static inline nghttp2_mem tide_ambient_nghttp2_mem(void)
{
    nghttp2_mem functions = {NULL, tide__nghttp2_malloc, tide__nghttp2_free, tide__nghttp2_calloc,
                             tide__nghttp2_realloc};
    return functions;
}

#ifdef __cplusplus
}
#endif

#endif
