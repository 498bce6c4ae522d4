/*
 * Lua's state. Before Lua names its metamethods the frozen strings are put in place: those names are among them, and take
 * no RAM. lstate.c itself is as it came.
 */
#define lstate_c
#define LUA_CORE

#include "lua.h"

#include "lstate.h"
#include "ltm.h"

#include "application.h"

#define luaT_init(L) (application_prepare(L), luaT_init(L))

#undef lstate_c
#undef LUA_CORE
#include "lstate.c"
