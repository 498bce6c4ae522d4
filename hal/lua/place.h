/* The place where the firmware runs, as it sees it: the `Hal` of hal.ts over the port's functions. */
#ifndef MOTH_PLACE_H
#define MOTH_PLACE_H

#include "lua.h"

/* Pushes the table that an application's boot gets. */
void place_push(lua_State *L);

#endif
