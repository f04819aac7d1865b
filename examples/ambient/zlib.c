/* SPDX-License-Identifier: MIT */
/*
 * zlib.c: a stream that is never ended.
 */
#include <stdio.h>
#include <tide_ambient_zlib.h>

int main(void)
{
    unsigned char text[1000] = {0}, packed[1000];
    z_stream stream = {
        .next_in = text, .avail_in = sizeof text, .next_out = packed, .avail_out = sizeof packed};
    tide_arena *arena = tide_arena_create(&(tide_arena_config){.name = "request"});
    tide_ambient_enter(arena);
    tide_ambient_zlib_install(&stream);
    int failed = deflateInit(&stream, 6) != Z_OK || deflate(&stream, Z_FINISH) != Z_STREAM_END;
    printf("%zu bytes are %lu\n", sizeof text, stream.total_out);
    tide_ambient_enter(NULL);
    tide_arena_destroy(arena);
    return failed;
}
