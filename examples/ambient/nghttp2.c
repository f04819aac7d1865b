/* SPDX-License-Identifier: MIT */
/*
 * nghttp2.c: a header compressor that is never deleted.
 */
#include <stdio.h>
#include <tide_ambient_nghttp2.h>

int main(void)
{
    nghttp2_hd_deflater *deflater;
    nghttp2_mem functions = tide_ambient_nghttp2_mem();
    nghttp2_nv field = {(uint8_t *)":method", (uint8_t *)"GET", 7, 3, NGHTTP2_NV_FLAG_NONE};
    uint8_t packed[100];
    tide_arena *arena = tide_arena_create(&(tide_arena_config){.name = "connection"});
    tide_ambient_enter(arena);
    int error = nghttp2_hd_deflate_new2(&deflater, 4096, &functions);
    if (!error)
        printf("%zd byte\n", nghttp2_hd_deflate_hd(deflater, packed, sizeof packed, &field, 1));
    tide_ambient_enter(NULL);
    tide_arena_destroy(arena);
    return error ? 1 : 0;
}
