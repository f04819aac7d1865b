/* SPDX-License-Identifier: MIT */
/*
 * tide_ambient_jansson.h: jansson on the entered arena.
 *
 * Documents and texts that are made while an arena is entered end with it; json_decref is not
 * needed for them and does no harm. jansson keeps nothing across calls.
 */
#ifndef TIDE_AMBIENT_JANSSON_H
#define TIDE_AMBIENT_JANSSON_H

#include <jansson.h>

#include "tide_ambient.h"

#ifdef __cplusplus
extern "C" {
#endif

/* For all threads; before any other call of jansson. A text of json_dumps is freed by
 * tide_ambient_free. */
static inline void tide_ambient_jansson_install(void)
{
    json_set_alloc_funcs(tide_ambient_malloc, tide_ambient_free);
}

#ifdef __cplusplus
}
#endif

#endif
