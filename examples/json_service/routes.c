/* SPDX-License-Identifier: MIT */
/*
 * routes.c: what the service answers, one function per route.
 *
 * Nothing here knows where memory comes from: a route fills the list reply of its request.
 */
#include "routes.h"

#include <stdlib.h>
#include <string.h>
#include <tide_stackalloc.h>

#include "data.h"
#include "stats.h"
#include "url.h"

enum { LIMIT_DEFAULT = 50, LIMIT_MAX = 500, LOOKUP_MAX = 200 };

static unsigned reply_list(struct request *request, json_t *query, size_t total)
{
    /* set_new takes over the query, and fails when that is NULL: the text was no UTF-8 */
    if (json_object_set_new(request->reply, "query", query))
        return request_fail(request, MHD_HTTP_BAD_REQUEST, "text is not UTF-8");
    json_integer_set(json_object_get(request->reply, "total"), (json_int_t)total);
    request->document = request->reply;
    return MHD_HTTP_OK;
}

static unsigned reply_entry(struct request *request, const struct entry *entry)
{
    if (!entry)
        return request_fail(request, MHD_HTTP_NOT_FOUND, "no such code");
    request->document = entry->value;
    return MHD_HTTP_OK;
}

static void add_values(struct request *request, struct span span, size_t limit)
{
    for (size_t i = 0; i < span.count && i < limit; i++)
        json_array_append(request->items, span.first[i].value);
}

/* An entry in short: what it is, its code and its name. */
static json_t *summary(const struct data *data, const struct entry *entry)
{
    return json_pack("{s:O, s:O, s:O}", "kind", data->kind_names[entry->kind], "code",
                     entry_code(entry), "name", entry_name(entry));
}

/* The decoded argument `key` in `text`; empty when there is none. False when it is malformed. */
static bool read_argument(const struct request *request, const char *key,
                          char text[REQUEST_TEXT_SIZE])
{
    const char *raw = NULL;
    size_t size = 0;
    MHD_lookup_connection_value_n(request->connection, MHD_GET_ARGUMENT_KIND, key, strlen(key),
                                  &raw, &size);
    return url_decode(text, REQUEST_TEXT_SIZE, raw ? raw : "", raw ? size : 0);
}

/* The argument `limit`, or 0 when it is not a number from 1 to LIMIT_MAX. */
static size_t read_limit(const struct request *request)
{
    char text[REQUEST_TEXT_SIZE];
    if (!read_argument(request, "limit", text))
        return 0;
    if (!*text)
        return LIMIT_DEFAULT;
    size_t digits = strspn(text, "0123456789");
    size_t limit = digits <= 3 && !text[digits] ? strtoul(text, NULL, 10) : 0;
    return limit <= LIMIT_MAX ? limit : 0;
}

static unsigned countries(struct request *request)
{
    struct span span = index_prefix(&request->service->data->codes[KIND_COUNTRY], "");
    add_values(request, span, span.count);
    return reply_list(request, json_null(), span.count);
}

static unsigned country(struct request *request)
{
    const struct index *codes = request->service->data->codes;
    return reply_entry(request, index_find(&codes[KIND_COUNTRY], request->code));
}

static unsigned subdivisions(struct request *request)
{
    const struct index *codes = request->service->data->codes;
    const struct entry *entry = index_find(&codes[KIND_COUNTRY], request->code);
    if (!entry)
        return reply_entry(request, NULL);
    /* The code of a subdivision starts with that of its country and a hyphen. */
    TIDE_STACKBUF(prefix, REQUEST_CODE_SIZE + 1);
    if (!tide_stackbuf_printf(&prefix, "%s-", request->code))
        return request_fail(request, MHD_HTTP_INTERNAL_SERVER_ERROR, "no memory");
    struct span span = index_prefix(&codes[KIND_SUBDIVISION], prefix.data);
    add_values(request, span, span.count);
    return reply_list(request, json_incref(entry_name(entry)), span.count);
}

static unsigned languages(struct request *request)
{
    char prefix[REQUEST_TEXT_SIZE];
    size_t limit = read_limit(request);
    if (!limit || !read_argument(request, "prefix", prefix))
        return request_fail(request, MHD_HTTP_BAD_REQUEST, "bad argument");
    struct span span = index_prefix(&request->service->data->languages, prefix);
    add_values(request, span, limit);
    return reply_list(request, json_string(prefix), span.count);
}

static unsigned language(struct request *request)
{
    const struct index *codes = request->service->data->codes;
    return reply_entry(request, index_find(&codes[KIND_LANGUAGE], request->code));
}

static unsigned search(struct request *request)
{
    const struct data *data = request->service->data;
    char text[REQUEST_TEXT_SIZE];
    size_t limit = read_limit(request);
    if (!limit || !read_argument(request, "q", text) || !*text)
        return request_fail(request, MHD_HTTP_BAD_REQUEST, "bad argument");
    struct span span = index_prefix(&data->words, text);
    for (size_t i = 0; i < span.count && i < limit; i++)
        json_array_append_new(request->items, summary(data, &span.first[i]));
    return reply_list(request, json_string(text), span.count);
}

static bool is_list_of_codes(const json_t *list)
{
    json_t *code;
    size_t i;
    json_array_foreach(list, i, code)
    {
        if (!json_is_string(code))
            return false;
    }
    return json_is_array(list) && json_array_size(list) <= LOOKUP_MAX;
}

static size_t add_found(struct request *request, const json_t *list)
{
    const struct data *data = request->service->data;
    size_t i, found = 0;
    json_t *code;
    json_array_foreach(list, i, code)
    {
        const struct entry *entry = data_find(data, json_string_value(code));
        json_array_append_new(request->items, entry ? summary(data, entry) : json_null());
        found += entry != NULL;
    }
    return found;
}

static unsigned lookup(struct request *request)
{
    json_t *list = json_loadb(request->body.bytes ? request->body.bytes : "", request->body.size,
                              JSON_DECODE_ANY, NULL);
    unsigned status;
    if (!list)
        status = request_fail(request, MHD_HTTP_BAD_REQUEST, "body is not JSON");
    else if (!is_list_of_codes(list))
        status = request_fail(request, MHD_HTTP_BAD_REQUEST, "body is not a short list of codes");
    else
        status = reply_list(request, json_null(), add_found(request, list));
    json_decref(list);
    return status;
}

static unsigned stats(struct request *request)
{
    request->other = stats_document(request->service->memory);
    request->document = request->other;
    return MHD_HTTP_OK;
}

static const struct route routes[] = {
    {"GET", "/countries", countries},
    {"GET", "/countries/*", country},
    {"GET", "/countries/*/subdivisions", subdivisions},
    {"GET", "/languages", languages},
    {"GET", "/languages/*", language},
    {"GET", "/search", search},
    {"GET", "/stats", stats},
    {"POST", "/lookup", lookup},
};

static bool takes(const struct route *route, const char *method)
{
    return !strcmp(route->method, method) ||
           (!strcmp(route->method, "GET") && !strcmp(method, "HEAD"));
}

unsigned route_find(struct request *request, const char *method, const char *path)
{
    const char *part = "";
    size_t size = 0;
    for (size_t i = 0; i < sizeof routes / sizeof *routes && !request->route; i++) {
        if (url_match(routes[i].pattern, path, &part, &size))
            request->route = &routes[i];
    }
    if (!request->route)
        return MHD_HTTP_NOT_FOUND;
    if (!takes(request->route, method))
        return MHD_HTTP_METHOD_NOT_ALLOWED;
    if (!url_decode(request->code, sizeof request->code, part, size))
        return MHD_HTTP_BAD_REQUEST;
    return 0;
}
