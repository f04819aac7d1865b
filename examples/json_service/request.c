/* SPDX-License-Identifier: MIT */
/*
 * request.c: the state of one request, made, emptied and unmade.
 */
#include "request.h"

static json_t *new_reply(json_t *items)
{
    return json_pack("{s:n, s:i, s:o}", "query", "total", 0, "items", items);
}

bool request_init(struct request *request)
{
    *request = (struct request){.items = json_array()};
    request->reply = request->items ? new_reply(request->items) : NULL;
    return request->reply != NULL;
}

void request_fini(struct request *request)
{
    json_decref(request->reply);
    json_decref(request->other);
    text_fini(&request->body);
}

void request_reset(struct request *request)
{
    struct request empty = {
        .body = request->body, .reply = request->reply, .items = request->items};
    json_decref(request->other);
    json_array_clear(empty.items);
    json_object_set(empty.reply, "query", json_null());
    json_integer_set(json_object_get(empty.reply, "total"), 0);
    text_reset(&empty.body, REQUEST_BODY_MAX);
    *request = empty;
}

unsigned request_fail(struct request *request, unsigned status, const char *why)
{
    json_decref(request->other);
    request->other = json_pack("{s:i, s:s}", "status", (int)status, "error", why);
    request->document = request->other;
    return status;
}
