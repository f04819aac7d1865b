/* SPDX-License-Identifier: MIT */
/*
 * tide_ambient_lua.h: Lua on the entered arena.
 *
 * Lua's function is of one state, with all that scripts make in it. A state that is made while an
 * arena is entered ends with it, without lua_close, unless its scripts need their finalizers. What
 * Lua's collector frees is reused only at the arena's end: for scripts that end soon. Enter the
 * same arena around each call of the state.
 */
#ifndef TIDE_AMBIENT_LUA_H
#define TIDE_AMBIENT_LUA_H

#include <lua.h>
#include <stddef.h>

#include "tide_ambient.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What lua_newstate takes. */
static inline void *tide_ambient_lua_alloc(void *context, void *block, size_t old_size, size_t size)
{
    (void)context;
    (void)old_size; /* a type, where `block` is NULL */
    if (size)
        return tide_ambient_realloc(block, size);
    tide_ambient_free(block);
    return NULL;
}

/* As luaL_newstate, but without its messages for warnings and panics; NULL if there is no
 * memory. */
static inline lua_State *tide_ambient_lua_create(void)
{
    return lua_newstate(tide_ambient_lua_alloc, NULL);
}

#ifdef __cplusplus
}
#endif

#endif
