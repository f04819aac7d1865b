/* SPDX-License-Identifier: MIT */
/*
 * server.c: the HTTP side of the service: from libmicrohttpd's callbacks to a request and back.
 */
#include "server.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "routes.h"
#include "stats.h"
#include "unanswered.h"

enum { IDLE_SECONDS = 10, BACKLOG = 256 };

static enum MHD_Result send_document(struct request *request, unsigned status)
{
    struct MHD_Response *response = request->service->memory->respond(request->document);
    if (!response)
        return MHD_NO;
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, "application/json");
    if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
        MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, request->route->method);
    stats_count_request();
    enum MHD_Result queued = MHD_queue_response(request->connection, status, response);
    MHD_destroy_response(response); /* the connection has a reference of its own */
    return queued;
}

static const char *refusal(unsigned status)
{
    switch (status) {
    case MHD_HTTP_NOT_FOUND:
        return "no such resource";
    case MHD_HTTP_METHOD_NOT_ALLOWED:
        return "method not allowed";
    case MHD_HTTP_CONTENT_TOO_LARGE:
        return "body is too long";
    default:
        return "malformed request";
    }
}

static enum MHD_Result refuse(struct request *request, unsigned status)
{
    return send_document(request, request_fail(request, status, refusal(status)));
}

/* Called with the URL as it stands in the request line, before anything else of the request. */
static void *begin(void *argument, const char *url, struct MHD_Connection *connection)
{
    struct service *service = argument;
    struct request *request = service->memory->request_get();
    if (!request)
        return NULL;
    request->service = service;
    request->connection = connection;
    request->url_end = url + strlen(url);
    return request;
}

/* The server takes the URL for a C string: a NUL in it would make another URL of it. The version
 * stands one separator behind the URL, unless the URL goes on behind a NUL. */
static bool has_nul(const struct request *request, const char *version)
{
    return version != request->url_end + 1;
}

static enum MHD_Result take_head(struct request *request, const char *method, const char *url,
                                 const char *version)
{
    request->has_head = true;
    request->refused =
        has_nul(request, version) ? MHD_HTTP_BAD_REQUEST : route_find(request, method, url);
    return MHD_YES;
}

/* A body that is too long is read and dropped, so that the client gets to see the answer; one
 * that goes on for ever is cut off. */
static enum MHD_Result take_body(struct request *request, const char *bytes, size_t *size)
{
    request->received += *size;
    if (request->received > REQUEST_BODY_MAX && !request->refused)
        request->refused = MHD_HTTP_CONTENT_TOO_LARGE;
    if (request->received > REQUEST_DISCARD_MAX)
        return MHD_NO;
    if (!request->refused && !text_append(&request->body, bytes, *size))
        return MHD_NO;
    *size = 0;
    return MHD_YES;
}

static enum MHD_Result answer(struct request *request)
{
    unsigned status = request->refused;
    return status ? refuse(request, status)
                  : send_document(request, request->route->answer(request));
}

/* Called once for the head of a request, then for each piece of the body, then once
 * more, for the answer. */
static enum MHD_Result handle(void *argument, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *upload,
                              size_t *upload_size, void **state)
{
    struct request *request = *state;
    enum MHD_Result result;
    if (!request)
        return MHD_NO; /* out of memory: the connection is closed */
    request->service->memory->enter(request);
    if (!request->has_head)
        result = take_head(request, method, url, version);
    else
        result = *upload_size ? take_body(request, upload, upload_size) : answer(request);
    request->service->memory->leave(request);
    return result;
}

static void complete(void *argument, struct MHD_Connection *connection, void **state,
                     enum MHD_RequestTerminationCode reason)
{
    struct service *service = argument;
    if (*state)
        service->memory->request_put(*state);
    *state = NULL;
}

/* Escapes are decoded by the routes, which see when they are wrong. */
static size_t keep_escapes(void *argument, struct MHD_Connection *connection, char *text)
{
    return strlen(text);
}

struct MHD_Daemon *server_start(struct service *service, uint16_t port, unsigned threads)
{
    struct sockaddr_in loopback = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct MHD_OptionItem options[] = {
        {MHD_OPTION_SOCK_ADDR, 0, &loopback},
        {MHD_OPTION_CONNECTION_TIMEOUT, IDLE_SECONDS, NULL},
        {MHD_OPTION_LISTEN_BACKLOG_SIZE, BACKLOG, NULL},
        {MHD_OPTION_STRICT_FOR_CLIENT, 1, NULL},
        {MHD_OPTION_NOTIFY_CONNECTION, (intptr_t)unanswered_notice, NULL},
        {MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)complete, service},
        {MHD_OPTION_URI_LOG_CALLBACK, (intptr_t)begin, service},
        {MHD_OPTION_UNESCAPE_CALLBACK, (intptr_t)keep_escapes, NULL},
        {threads > 1 ? MHD_OPTION_THREAD_POOL_SIZE : MHD_OPTION_END, (intptr_t)threads, NULL},
        {MHD_OPTION_END, 0, NULL},
    };
    /* Not epoll: there, the server does not see the end of a connection that comes right behind
     * half a request, and keeps it until it has been idle for too long. */
    unsigned flags = MHD_USE_POLL_INTERNAL_THREAD | MHD_USE_TURBO;
    return MHD_start_daemon(flags, port, NULL, NULL, handle, service, MHD_OPTION_ARRAY, options,
                            MHD_OPTION_END);
}

uint16_t server_port(struct MHD_Daemon *daemon)
{
    return MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT)->port;
}
