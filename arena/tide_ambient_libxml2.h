/* SPDX-License-Identifier: MIT */
/*
 * tide_ambient_libxml2.h: libxml2 on the entered arena.
 *
 * libxml2 makes its global tables and each thread's state at first use and keeps them: it must do
 * that outside of an arena. Parse contexts, documents and texts may then be of an arena; an error
 * that libxml2 remembers for the thread (xmlGetLastError) as well, so reset that one, by
 * xmlResetLastError, before the arena.
 */
#ifndef TIDE_AMBIENT_LIBXML2_H
#define TIDE_AMBIENT_LIBXML2_H

#include <libxml/parser.h>
#include <libxml/xmlerror.h>

#include "tide_ambient.h"

#ifdef __cplusplus
extern "C" {
#endif

/* For all threads; before any other call of libxml2. Starts the library, and the thread's state;
 * other threads call xmlInitParser and xmlGetLastError once, outside of an arena. 0, or -1. */
static inline int tide_ambient_libxml2_install(void)
{
    int failed = xmlMemSetup(tide_ambient_free, tide_ambient_malloc, tide_ambient_realloc,
                             tide_ambient_strdup);
    tide_arena *before = tide_ambient_enter(NULL);
    xmlInitParser();
    xmlResetLastError();
    tide_ambient_enter(before);
    return failed ? -1 : 0;
}

#ifdef __cplusplus
}
#endif

#endif
