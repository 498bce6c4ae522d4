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

/* Right after the state was made: puts the frozen strings in place. */
void application_prepare(lua_State *L);

/* Pushes the application: what its file exports by default. After bytes_open. */
void application_push(lua_State *L);

#endif
