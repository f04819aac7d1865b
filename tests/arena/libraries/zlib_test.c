/* SPDX-License-Identifier: MIT */
/*
 * zlib_test.c: streams of zlib in an arena.
 */
#include "tide_ambient_zlib.h"

#include <string.h>

#include "requests.h"

enum { SIZE = 10000 };

static void request(void)
{
    unsigned char text[SIZE], packed[SIZE], again[SIZE];
    for (size_t i = 0; i < SIZE; i++)
        text[i] = (unsigned char)(i * i % 7);
    z_stream out = {.next_in = text, .avail_in = SIZE, .next_out = packed, .avail_out = SIZE};
    tide_ambient_zlib_install(&out);
    check_count(deflateInit(&out, 6), Z_OK);
    check_that(tide_ambient_is_arena(out.state));
    check_count(deflate(&out, Z_FINISH), Z_STREAM_END);
    z_stream in = {
        .next_in = packed, .avail_in = (uInt)out.total_out, .next_out = again, .avail_out = SIZE};
    tide_ambient_zlib_install(&in);
    check_count(inflateInit(&in), Z_OK);
    check_count(inflate(&in, Z_FINISH), Z_STREAM_END);
    check_that(in.total_out == SIZE && !memcmp(text, again, SIZE));
}

Test(ambient, zlib_needs_no_end_in_an_arena)
{
    check_requests(request);
}
