/* The buffers of the program and the block operations on them: `Bytes` and `Native` of hal.ts. */
#ifndef MOTH_BYTES_H
#define MOTH_BYTES_H

#include "lua.h"

/* Sets up what a buffer does when it is indexed, and the errors that its users raise. */
void bytes_open(lua_State *L);

/* Puts the global table `moth` in place, for a program whose modules run here: a frozen one has its natives already. */
void bytes_open_natives(lua_State *L);

#endif
