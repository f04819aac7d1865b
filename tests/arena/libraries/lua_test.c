/* SPDX-License-Identifier: MIT */
/*
 * lua_test.c: a state of Lua in an arena.
 */
#include "tide_ambient_lua.h"

#include <lauxlib.h>
#include <lualib.h>
#include <string.h>

#include "requests.h"

static void request(void)
{
    lua_State *state = tide_ambient_lua_create();
    check_that(state && tide_ambient_is_arena(state));
    luaL_openlibs(state);
    int error = luaL_dostring(state,
                              "local t = {} for i = 1, 1000 do t[i] = tostring(i) end "
                              "return #table.concat(t)");
    check_that(!error, "%s", lua_tostring(state, -1));
    check_count(lua_tointeger(state, -1), 2893);
}

Test(ambient, lua_needs_no_close_in_an_arena)
{
    check_requests(request);
}
