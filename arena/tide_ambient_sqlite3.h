/* SPDX-License-Identifier: MIT */
/*
 * tide_ambient_sqlite3.h: SQLite on the entered arena.
 *
 * A connection caches pages, statements and schemas: use one arena from sqlite3_open to
 * sqlite3_close, such as for a database in memory that a request builds, and enter it around each
 * call. A connection that outlives requests must be used outside of arenas. The page cache is the
 * connection's own if it is not shared.
 */
#ifndef TIDE_AMBIENT_SQLITE3_H
#define TIDE_AMBIENT_SQLITE3_H

#include <sqlite3.h>
#include <stddef.h>

#include "tide_ambient.h"

#ifdef __cplusplus
extern "C" {
#endif

static inline void *tide__sqlite3_malloc(int size)
{
    return tide_ambient_malloc((size_t)size);
}

static inline void *tide__sqlite3_realloc(void *block, int size)
{
    return tide_ambient_realloc(block, (size_t)size);
}

static inline int tide__sqlite3_size(void *block)
{
    return block ? (int)tide_ambient_usable_size(block) : 0;
}

static inline int tide__sqlite3_roundup(int size)
{
    return (size + 7) & ~7;
}

static inline int tide__sqlite3_init(void *data)
{
    return data ? SQLITE_ERROR : SQLITE_OK;
}

static inline void tide__sqlite3_shutdown(void *data)
{
    (void)data;
}

/* For all threads; before sqlite3_initialize and sqlite3_open. Starts the library. Also turns the
 * statistics of memory off, which take a lock for each allocation. SQLITE_OK or an error. */
static inline int tide_ambient_sqlite3_install(void)
{
    sqlite3_mem_methods methods = {
        tide__sqlite3_malloc,  tide_ambient_free,  tide__sqlite3_realloc,  tide__sqlite3_size,
        tide__sqlite3_roundup, tide__sqlite3_init, tide__sqlite3_shutdown, NULL};
    int error = sqlite3_config(SQLITE_CONFIG_MALLOC, &methods);
    if (!error)
        error = sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    if (error)
        return error;
    tide_arena *before = tide_ambient_enter(NULL);
    error = sqlite3_initialize();
    tide_ambient_enter(before);
    return error;
}

#ifdef __cplusplus
}
#endif

#endif
