/* The few functions of Lua's base library that compiled TypeScript calls. */
#ifndef MOTH_BASE_H
#define MOTH_BASE_H

#include "lua.h"

/* Puts error, ipairs, pairs, select and tostring in place as globals. */
void base_open(lua_State *L);

#endif
