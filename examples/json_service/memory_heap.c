/* SPDX-License-Identifier: MIT */
/*
 * memory_heap.c: the memory of a request from malloc, as one writes it first.
 */
#include "memory.h"

#include <stdlib.h>
#include <string.h>

void memory_no_enter(struct request *request)
{
}

static void prepare(void)
{
}

static bool start(void)
{
    return true;
}

static void stop(void)
{
}

static void request_put(struct request *request)
{
    request_fini(request);
    free(request);
}

static struct request *request_get(void)
{
    struct request *request = malloc(sizeof *request);
    if (request && !request_init(request)) {
        request_put(request);
        return NULL;
    }
    return request;
}

static struct MHD_Response *respond(const json_t *document)
{
    char *bytes = json_dumps(document, MEMORY_JSON_FLAGS);
    if (!bytes)
        return NULL;
    /* The server frees the bytes when they are sent. */
    struct MHD_Response *response =
        MHD_create_response_from_buffer(strlen(bytes), bytes, MHD_RESPMEM_MUST_FREE);
    if (!response)
        free(bytes);
    return response;
}

const struct memory memory_heap = {
    .name = "heap",
    .prepare = prepare,
    .start = start,
    .stop = stop,
    .request_get = request_get,
    .request_put = request_put,
    .enter = memory_no_enter,
    .leave = memory_no_enter,
    .respond = respond,
    .pools = json_array,
};
