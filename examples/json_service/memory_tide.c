/* SPDX-License-Identifier: MIT */
/*
 * memory_tide.c: the memory of a request from an arena, and what is sent from a chain of buffers.
 *
 *     state      a request and its arena come from a pool; what is built for the request, by us
 *                and by jansson, lies in the arena, which is reset when the request is put
 *     documents  are rendered into a chain, and the server sends its blocks as they lie, by
 *                writev; the server's free callback gives them back to their pools
 *
 * The server works on several requests in turn in one thread, so the arena is entered for as
 * long as a call of ours lasts. What is shared, the data sets, was made before any arena was
 * entered and is malloc's; a document that refers to it still has to give its references back.
 */
#include "memory.h"

#include <stdlib.h>
#include <tide_ambient_jansson.h>
#include <tide_buffer.h>
#include <tide_pool.h>

#include "stats.h"

enum {
    ROOM_SIZE = 60 << 10, /* of a block of 64 KiB */
    PARTS_MAX = 256       /* of a chain: 16 MiB, in blocks of that size */
};

struct work {
    struct request request; /* first, so that either is found from the other */
    tide_arena *arena;
};

struct reply {
    tide_chain chain;
};

TIDE_POOL_TYPE(works, struct work);
TIDE_POOL_TYPE(replies, struct reply);

static tide_pool *works, *replies;

static void *create_work(void *context)
{
    struct work *work = calloc(1, sizeof *work);
    if (work)
        work->arena = tide_arena_create(&(tide_arena_config){.name = "request"});
    if (work && work->arena)
        return work;
    free(work);
    return NULL;
}

static void reset_work(void *object, void *context)
{
    tide_arena_reset(((struct work *)object)->arena);
}

static void destroy_work(void *object, void *context)
{
    tide_arena_destroy(((struct work *)object)->arena);
    free(object);
}

static void *create_reply(void *context)
{
    return calloc(1, sizeof(struct reply));
}

static void reset_reply(void *object, void *context)
{
    tide_chain_clear(&((struct reply *)object)->chain);
}

static void destroy_reply(void *object, void *context)
{
    free(object);
}

static bool start(void)
{
    works = tide_pool_create(&(tide_pool_config){
        .name = "works", .create = create_work, .reset = reset_work, .destroy = destroy_work});
    replies = tide_pool_create(&(tide_pool_config){
        .name = "replies", .create = create_reply, .reset = reset_reply, .destroy = destroy_reply});
    return works && replies;
}

static void stop(void)
{
    tide_pool_destroy(replies);
    tide_pool_destroy(works);
}

static void enter(struct request *request)
{
    tide_ambient_enter(((struct work *)request)->arena);
}

static void leave(struct request *request)
{
    tide_ambient_enter(NULL);
}

static void request_put(struct request *request)
{
    enter(request);
    request_fini(request);
    leave(request);
    works_put(works, (struct work *)request);
}

static struct request *request_get(void)
{
    struct work *work = works_get(works);
    if (!work)
        return NULL;
    enter(&work->request);
    bool made = request_init(&work->request);
    leave(&work->request);
    if (made)
        return &work->request;
    request_put(&work->request);
    return NULL;
}

/* The server calls it when the last byte is sent, or the client is gone. */
static void reply_sent(void *reply)
{
    replies_put(replies, reply);
}

static int append(const char *bytes, size_t size, void *chain)
{
    return tide_chain_append(chain, bytes, size) ? 0 : -1;
}

/* Into one block, which nearly every document fits; a longer one piece by piece. */
static bool render(tide_chain *chain, const json_t *document)
{
    size_t room = 0, size = 0;
    char *bytes = tide_chain_reserve(chain, ROOM_SIZE, &room);
    if (bytes)
        size = json_dumpb(document, bytes, room, MEMORY_JSON_FLAGS);
    if (size > room)
        return json_dump_callback(document, append, chain, MEMORY_JSON_FLAGS) == 0;
    tide_chain_commit(chain, size);
    return size > 0;
}

static struct MHD_Response *respond_with(struct reply *reply)
{
    struct MHD_IoVec parts[PARTS_MAX];
    struct iovec found[PARTS_MAX];
    size_t size = 0, count = tide_chain_iovec(&reply->chain, 0, found, PARTS_MAX);
    for (size_t i = 0; i < count; i++) {
        parts[i] = (struct MHD_IoVec){found[i].iov_base, found[i].iov_len};
        size += found[i].iov_len;
    }
    if (size != reply->chain.size)
        return NULL;
    return MHD_create_response_from_iovec(parts, (unsigned)count, reply_sent, reply);
}

static struct MHD_Response *respond(const json_t *document)
{
    struct reply *reply = replies_get(replies);
    struct MHD_Response *response = NULL;
    if (reply && render(&reply->chain, document))
        response = respond_with(reply);
    if (!response)
        replies_put(replies, reply);
    return response;
}

const struct memory memory_tide = {
    .name = "tide",
    .prepare = tide_ambient_jansson_install,
    .start = start,
    .stop = stop,
    .request_get = request_get,
    .request_put = request_put,
    .enter = enter,
    .leave = leave,
    .respond = respond,
    .pools = stats_pools,
};
