/* SPDX-License-Identifier: MIT */
/*
 * tide_ambient_cjson.h: cJSON on the entered arena.
 *
 * Trees and texts that are made while an arena is entered end with it; cJSON_Delete and cJSON_free
 * are not needed for them and do no harm. cJSON keeps nothing across calls.
 */
#ifndef TIDE_AMBIENT_CJSON_H
#define TIDE_AMBIENT_CJSON_H

#include <cjson/cJSON.h>

#include "tide_ambient.h"

#ifdef __cplusplus
extern "C" {
#endif

/* For all threads; before any other call of cJSON. */
static inline void tide_ambient_cjson_install(void)
{
    cJSON_Hooks hooks = {tide_ambient_malloc, tide_ambient_free};
    cJSON_InitHooks(&hooks);
}

#ifdef __cplusplus
}
#endif

#endif
