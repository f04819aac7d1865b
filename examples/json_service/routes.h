/* SPDX-License-Identifier: MIT */
/*
 * routes.h: what the service answers.
 */
#ifndef JSON_SERVICE_ROUTES_H
#define JSON_SERVICE_ROUTES_H

#include "request.h"

struct route {
    const char *method;  /* a GET route answers HEAD too */
    const char *pattern; /* as url_match takes it */
    /* Sets request->document and returns the HTTP status. */
    unsigned (*answer)(struct request *request);
};

/* Sets request->route for `path`, and the code that the path names. Returns 0, or the status
 * that such a request earns: 400 for a malformed path, 404 for an unknown one, 405 for a method
 * that the path does not take (request->route is set then). */
unsigned route_find(struct request *request, const char *method, const char *path);

#endif
