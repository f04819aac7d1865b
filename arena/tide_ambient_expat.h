/* SPDX-License-Identifier: MIT */
/*
 * tide_ambient_expat.h: expat on the entered arena.
 *
 * expat's functions are of one parser, which is all that it allocates for. A parser that is made
 * while an arena is entered ends with it.
 */
#ifndef TIDE_AMBIENT_EXPAT_H
#define TIDE_AMBIENT_EXPAT_H

#include <expat.h>

#include "tide_ambient.h"

#ifdef __cplusplus
extern "C" {
#endif

/* As XML_ParserCreate; NULL if there is no memory. */
static inline XML_Parser tide_ambient_expat_create(const XML_Char *encoding)
{
    XML_Memory_Handling_Suite functions = {tide_ambient_malloc, tide_ambient_realloc,
                                           tide_ambient_free};
    return XML_ParserCreate_MM(encoding, &functions, NULL);
}

#ifdef __cplusplus
}
#endif

#endif
