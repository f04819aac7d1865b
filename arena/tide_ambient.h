/* SPDX-License-Identifier: MIT */
/*
 * tide_ambient.h: malloc's functions, on the arena that the thread has entered.
 *
 * For libraries that let their user choose an allocator, once and for all threads. Such hooks get
 * no argument that could name an arena; so the thread enters one, and what it allocates until it
 * leaves comes from there. Where a thread has entered none, it comes from malloc.
 *
 *     json_set_alloc_funcs(tide_ambient_malloc, tide_ambient_free);   // once
 *
 *     tide_arena *before = tide_ambient_enter(arena);
 *     json_t *document = json_loads(text, 0, &error);
 *     ...
 *     tide_ambient_enter(before);
 *     tide_arena_reset(arena);         // no json_decref is needed
 *
 * There is a header with a one-line installer for each of jansson, cJSON, libxml2, expat,
 * sqlite3, OpenSSL, zlib, nghttp2 and Lua: tide_ambient_jansson.h and so on.
 *
 * A block stays in the tier that it came from. What was malloc'd before the arena was entered may
 * be freed and reallocated inside, and stays on the heap; a block of an arena may be freed
 * anywhere, on any thread, also after its thread has left. Telling them apart is one comparison:
 * all memory of arenas lies in one range of addresses.
 *
 * What a library must not do is keep a block of an arena beyond the reset: a cache that it fills
 * while an arena is entered. Let it fill its caches before, or leave the arena around calls that
 * do. AddressSanitizer, valgrind and TIDE=arena-guard:1 find the next use of such a block.
 *
 *     function            other threads                   signal handler
 *     enter, entered      each thread has its own         no
 *     malloc and others   yes; an arena that a thread     no
 *                         has entered is that thread's
 */
#ifndef TIDE_AMBIENT_H
#define TIDE_AMBIENT_H

#include "tide_arena.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Has the calling thread allocate from `arena`, or from the heap for NULL. Returns the one that
 * was entered before, so that enters nest. An arena must not end while it is entered. */
tide_arena *tide_ambient_enter(tide_arena *arena);
tide_arena *tide_ambient_entered(void);

/* As malloc and its family, and their errors; from an arena also NULL with errno ENOSPC at its
 * limit. Blocks are aligned to 16 bytes. Blocks of an arena cost 8 bytes more and their size is
 * rounded up to 8, 24, 40 and so on.
 *
 * realloc of the newest block of the entered arena grows it in place while the chunk has room;
 * free of it gives it back. free of another block of an arena does nothing. realloc of a block of
 * an arena that is not entered copies it to where the thread allocates from now. */
void *tide_ambient_malloc(size_t size);
void *tide_ambient_calloc(size_t count, size_t size);
void *tide_ambient_realloc(void *block, size_t size);
void tide_ambient_free(void *block);
char *tide_ambient_strdup(const char *text);

/* Bytes that the block has, at least those that were asked for. */
size_t tide_ambient_usable_size(const void *block);

/* Whether the block is of an arena, of any. */
bool tide_ambient_is_arena(const void *block);

#ifdef __cplusplus
}
#endif

#endif
