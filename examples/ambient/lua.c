/* SPDX-License-Identifier: MIT */
/*
 * lua.c: a script with a state of its own, which is never closed.
 */
#include <lauxlib.h>
#include <lualib.h>
#include <stdio.h>
#include <tide_ambient_lua.h>

int main(void)
{
    tide_arena *arena = tide_arena_create(&(tide_arena_config){.name = "script"});
    tide_ambient_enter(arena);
    lua_State *state = tide_ambient_lua_create();
    luaL_openlibs(state);
    int failed = luaL_dostring(state, "return ('arena '):rep(3)");
    puts(lua_tostring(state, -1));
    tide_ambient_enter(NULL);
    tide_arena_destroy(arena);
    return failed;
}
