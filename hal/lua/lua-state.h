#ifndef MOTH_LUA_STATE_H
#define MOTH_LUA_STATE_H

#include "lua.h"

/* The one Lua state; NULL before it exists. */
extern lua_State *vm;

#endif
