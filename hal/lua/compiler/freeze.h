/*
 * Freezing: a program whose modules have run, as C data. Its functions, constants and tables lie in flash and are never
 * loaded; only what can change lies in RAM. Left to Lua's own loader, in load mode B too (which leaves the instructions
 * in flash), the sensor board's program takes 130 KB of RAM before it has done anything.
 *
 * What is frozen is what the application can still reach: a function that nothing calls, and the code that ran only
 * while a module was set up, do not get into the image.
 */
#ifndef MOTH_FREEZE_H
#define MOTH_FREEZE_H

#include "lua.h"

/*
 * Writes C for hal/lua/frozen.h to standard output: the value on top of the stack and all that belongs to it. NULL, or
 * why it cannot be done.
 */
const char *freeze(lua_State *L);

/* Writes the line of each instruction of frozen_code, one after the other, and nothing else. */
const char *freeze_lines(lua_State *L);

#endif
