/* SPDX-License-Identifier: MIT */
/*
 * memory.h: where the memory of a request comes from. All that differs between the variants of
 * the service is behind this interface: memory_heap.c is how one writes it first, memory_pool.c
 * is the same with pools, memory_tide.c with an arena for each request and chains of buffers.
 */
#ifndef JSON_SERVICE_MEMORY_H
#define JSON_SERVICE_MEMORY_H

#include <jansson.h>
#include <microhttpd.h>
#include <stdbool.h>

#include "request.h"

struct memory {
    const char *name;

    /* Called before any JSON exists. */
    void (*prepare)(void);
    /* Called before the first request; false when memory is out. */
    bool (*start)(void);
    /* Called after the last request; all requests and responses are back. */
    void (*stop)(void);

    /* A request in its initial state, as request_init leaves it; NULL when memory is out. */
    struct request *(*request_get)(void);
    void (*request_put)(struct request *request);

    /* Around everything that is done for a request between these two. */
    void (*enter)(struct request *request);
    void (*leave)(struct request *request);

    /* Renders the document into a response that owns the rendered bytes; NULL when memory is
     * out. */
    struct MHD_Response *(*respond)(const json_t *document);

    /* A new JSON array with an object of statistics per pool. */
    json_t *(*pools)(void);
};

/* For variants in which there is nothing to enter. */
void memory_no_enter(struct request *request);

extern const struct memory memory_heap, memory_pool, memory_tide;

/* How documents are rendered. All variants must send the same bytes. */
#define MEMORY_JSON_FLAGS JSON_COMPACT

#endif
