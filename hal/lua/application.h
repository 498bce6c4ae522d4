/*
 * The application: frozen into the image (frozen.h), or bytecode that lies somewhere in memory and runs there in place.
 */
#ifndef MOTH_APPLICATION_H
#define MOTH_APPLICATION_H

#include <stdbool.h>
#include <stdint.h>

#include "lua.h"

/*
 * Bytecode behind its header, aligned to 8, that runs in place of what is frozen; NULL: none. A port with
 * LOADS_BYTECODE in its board.json supplies it; it has to stay where it is, since it is run there (load mode B).
 */
const void *application_bytecode(void);

/* Whether there is an application, and it is whole. */
bool application_is_whole(void);

/* Names the build: the checksum of its bytecode. */
uint32_t application_build(void);

/* While the state is made, before its first names: puts the frozen strings in place. */
void application_prepare(lua_State *L);

/*
 * Where a function of Lua is that is being called: the line in the bundle, or of a frozen program, which has no lines, the
 * number of its instruction, for `moth decode` to look up. -1: not in Lua.
 */
int32_t application_place(lua_State *L, lua_Debug *call);

/* What such places are: a word for the crash report. */
const char *application_place_name(void);

/* Pushes the application: what its file exports by default. After bytes_open. */
void application_push(lua_State *L);

#endif
