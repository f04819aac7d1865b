/* SPDX-License-Identifier: MIT */
/*
 * request.h: the state that the service keeps while it works on one request.
 */
#ifndef JSON_SERVICE_REQUEST_H
#define JSON_SERVICE_REQUEST_H

#include <jansson.h>
#include <microhttpd.h>
#include <stdbool.h>

#include "text.h"

struct data;
struct memory;
struct route;

/* What the handlers work on; lives as long as the service. */
struct service {
    const struct data *data;
    const struct memory *memory;
};

enum {
    REQUEST_CODE_SIZE = 16,         /* longest code in a path, with its NUL */
    REQUEST_TEXT_SIZE = 128,        /* longest query text, with its NUL */
    REQUEST_BODY_MAX = 16 * 1024,   /* longer bodies get 413 */
    REQUEST_DISCARD_MAX = 64 << 20, /* bodies that go on beyond this are cut off */
};

struct request {
    const struct service *service;
    struct MHD_Connection *connection;
    const char *url_end; /* of the URL in the request line; borrowed from the server */
    bool has_head;       /* the head has been seen; body and end follow */
    const struct route *route;
    unsigned refused;             /* status that the request line alone earned; 0: none */
    char code[REQUEST_CODE_SIZE]; /* the variable part of the path */
    size_t received;              /* bytes of body, those that were discarded too */
    struct text body;             /* the body so far, REQUEST_BODY_MAX bytes at most */
    json_t *reply;                /* a list reply: {"query", "total", "items"} */
    json_t *items;                /* the list in `reply`; borrowed from it */
    json_t *other;                /* a document of another shape, when there is one; owned */
    const json_t *document;       /* what to send: reply, other, or part of the data */
};

/* Builds what every request needs: an empty list reply. */
bool request_init(struct request *request);
void request_fini(struct request *request);

/* Back to the initial state without building it again. */
void request_reset(struct request *request);

/* Sets an error document and returns `status`. */
unsigned request_fail(struct request *request, unsigned status, const char *why);

#endif
