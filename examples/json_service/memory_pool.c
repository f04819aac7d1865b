/* SPDX-License-Identifier: MIT */
/*
 * memory_pool.c: the memory of a request from pools.
 *
 * Three pools, each for one reason:
 *
 *     requests   are constructed: the list reply in them is built once and emptied after use
 *     texts      are large: a document is rendered into one that has grown to its size before,
 *                and the server sends from there; its free callback puts the text back
 *     nodes      are many: jansson makes each value, and each step of rendering, with one
 *                small allocation (see json_nodes.h)
 */
#include "memory.h"

#include <stdlib.h>
#include <tide_pool.h>

#include "json_nodes.h"
#include "stats.h"

enum { TEXT_CAPACITY = 16 * 1024, TEXT_CAPACITY_MAX = 256 * 1024 };

TIDE_POOL_TYPE(requests, struct request);
TIDE_POOL_TYPE(texts, struct text);

static tide_pool *requests, *texts;

static void *create_request(void *context)
{
    struct request *request = malloc(sizeof *request);
    if (request && !request_init(request)) {
        request_fini(request);
        free(request);
        return NULL;
    }
    return request;
}

static void reset_request(void *object, void *context)
{
    request_reset(object);
}

static void destroy_request(void *object, void *context)
{
    request_fini(object);
    free(object);
}

static void *create_text(void *context)
{
    struct text *text = calloc(1, sizeof *text);
    if (text && !text_reserve(text, TEXT_CAPACITY)) {
        free(text);
        return NULL;
    }
    return text;
}

static void reset_text(void *object, void *context)
{
    text_reset(object, TEXT_CAPACITY_MAX);
}

static void destroy_text(void *object, void *context)
{
    text_fini(object);
    free(object);
}

static bool start(void)
{
    requests = tide_pool_create(&(tide_pool_config){.name = "requests",
                                                    .create = create_request,
                                                    .reset = reset_request,
                                                    .destroy = destroy_request});
    texts = tide_pool_create(&(tide_pool_config){
        .name = "texts", .create = create_text, .reset = reset_text, .destroy = destroy_text});
    return json_nodes_start() && requests && texts;
}

static void stop(void)
{
    tide_pool_destroy(texts);
    tide_pool_destroy(requests); /* before the nodes that requests hold */
    json_nodes_stop();
}

static struct request *request_get(void)
{
    return requests_get(requests);
}

static void request_put(struct request *request)
{
    requests_put(requests, request);
}

/* The server calls it when the last byte is sent, or the client is gone. */
static void text_sent(void *text)
{
    texts_put(texts, text);
}

/* Rendering tells what it needs when the text is too short; a text that was used before rarely
 * is. */
static bool render(struct text *text, const json_t *document)
{
    text->size = json_dumpb(document, text->bytes, text->capacity, MEMORY_JSON_FLAGS);
    if (text->size <= text->capacity)
        return text->size;
    return text_reserve(text, text->size) &&
           json_dumpb(document, text->bytes, text->capacity, MEMORY_JSON_FLAGS) == text->size;
}

static struct MHD_Response *respond(const json_t *document)
{
    struct text *text = texts_get(texts);
    struct MHD_Response *response = NULL;
    if (text && render(text, document))
        response = MHD_create_response_from_buffer_with_free_callback_cls(text->size, text->bytes,
                                                                          text_sent, text);
    if (!response)
        texts_put(texts, text);
    return response;
}

const struct memory memory_pool = {
    .name = "pool",
    .prepare = json_nodes_prepare,
    .start = start,
    .stop = stop,
    .request_get = request_get,
    .request_put = request_put,
    .enter = memory_no_enter,
    .leave = memory_no_enter,
    .respond = respond,
    .pools = stats_pools,
};
