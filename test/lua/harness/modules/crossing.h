/*
 * How values go from JavaScript to Lua and back. Numbers, booleans and text are copied. Everything else stays where it
 * was made; the other side gets a stand-in with a number, and asks for what is inside.
 *
 * A JavaScript exception stays pending in Node while a Lua error carries the way out (and the other way round), so a
 * failed expectation deep in a callback arrives at its test as it was thrown.
 */
#ifndef MOTH_CROSSING_H
#define MOTH_CROSSING_H

#include <node_api.h>

#include "lua.h"

/* What device.ts supplies: see the interface `Node` there. */
enum node_function { NODE_WRAP, NODE_IDENTIFY, NODE_GET, NODE_SET, NODE_KEYS, NODE_LENGTH, NODE_CALL, NODE_FUNCTIONS };

/* Makes the tables that know what has crossed. `functions` is an object with the functions of `enum node_function`. */
void crossing_open(napi_env env, lua_State *L, napi_value functions);

/* Pushes what a JavaScript value is in Lua. */
void crossing_push(napi_env env, lua_State *L, napi_value value);

/* What the value at `index` is in JavaScript. */
napi_value crossing_give(napi_env env, lua_State *L, int index);

/* Pushes the Lua value behind a number that crossing_give handed out. */
void crossing_push_numbered(lua_State *L, int32_t number);

/* Forgets a number: nobody in JavaScript holds its stand-in any more. */
void crossing_forget(lua_State *L, int32_t number);

/* Raises a Lua error when a call into Node went wrong. */
void crossing_check(napi_env env, lua_State *L, napi_status status);

/* How many handle scopes calls from Lua have open; and closes those that an error left open beyond so many. */
int crossing_open_handles(void);
void crossing_close_handles(napi_env env, int left);

/* Whether the error at `index` says that a JavaScript exception is on its way. */
bool crossing_is_exception(lua_State *L, int index);

#endif
