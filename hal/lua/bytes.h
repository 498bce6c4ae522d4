/* The buffers of the program and the block operations on them: `Bytes` and `Native` of hal.ts. */
#ifndef MOTH_BYTES_H
#define MOTH_BYTES_H

#include "lua.h"

/* Puts the global table `moth` in place, and what a buffer does when it is indexed. */
void bytes_open(lua_State *L);

#endif
