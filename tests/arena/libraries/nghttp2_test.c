/* SPDX-License-Identifier: MIT */
/*
 * nghttp2_test.c: a session of nghttp2 in the arena of its connection.
 */
#include "tide_ambient_nghttp2.h"

#include <string.h>

#include "requests.h"

static nghttp2_nv field(char *name, char *value)
{
    return (nghttp2_nv){(uint8_t *)name, (uint8_t *)value, strlen(name), strlen(value),
                        NGHTTP2_NV_FLAG_NONE};
}

static void request(void)
{
    nghttp2_mem functions = tide_ambient_nghttp2_mem();
    nghttp2_session_callbacks *callbacks;
    nghttp2_session *session;
    nghttp2_session_callbacks_new(&callbacks);
    check_count(nghttp2_session_client_new3(&session, callbacks, NULL, NULL, &functions), 0);
    check_that(tide_ambient_is_arena(session));
    nghttp2_nv fields[] = {field(":method", "GET"), field(":path", "/"), field(":scheme", "http"),
                           field(":authority", "localhost")};
    nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, NULL, 0);
    check_that(nghttp2_submit_request(session, NULL, fields, 4, NULL, NULL) > 0);
    const uint8_t *bytes;
    ssize_t sent, all = 0;
    while ((sent = nghttp2_session_mem_send(session, &bytes)) > 0)
        all += sent;
    check_that(sent == 0 && all > 24);        /* more than the preface */
    nghttp2_session_callbacks_del(callbacks); /* which has no functions of its own */
}

Test(ambient, nghttp2_needs_no_del_in_an_arena)
{
    check_requests(request);
}
