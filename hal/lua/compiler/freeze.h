/*
 * Freezing: every function and every constant of a program as C data that lies in flash and is never loaded. What Lua's
 * own loader makes of bytecode (function prototypes, constants, strings) would take some 85 KB of a board's RAM for the
 * sensor board, in load mode B too, which leaves only the instructions in flash.
 */
#ifndef MOTH_FREEZE_H
#define MOTH_FREEZE_H

#include "lobject.h"

/* Writes C for hal/lua/frozen.h to standard output. NULL, or why it cannot be done. */
const char *freeze(lua_State *L, const Proto *main_function);

#endif
