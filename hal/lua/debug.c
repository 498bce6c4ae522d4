/*
 * Lua's errors. Their texts are made when they are raised, and a sealed board has no room for any: but an error ends
 * the program, so its last words may take what is left of the arena. Otherwise every mistake would be told as an
 * allocation. ldebug.c itself is as it came.
 */
#define ldebug_c
#define LUA_CORE

#include <string.h>

#include "lua.h"

#include "lobject.h"

#include "arena.h"

/* Modules of the firmware that a test runs by themselves have no arena. */
#pragma weak arena_hear_last_words

static void hear_last_words(void) {
  if (arena_hear_last_words != NULL) arena_hear_last_words();
}

/* Everything that ldebug.c writes is part of an error. */
#define luaO_pushfstring(...) (hear_last_words(), luaO_pushfstring(__VA_ARGS__))
#define luaO_pushvfstring(...) (hear_last_words(), luaO_pushvfstring(__VA_ARGS__))

#ifndef BOARD_LOADS_BYTECODE
#include "ldebug.h"
#include "ldo.h"
#include "lstate.h"

#include "frozen.h"

/* A frozen function ends before what only debuggers want. Here it is seen as one that goes on, with nothing there. */
static LClosure *whole_function(const CallInfo *call) {
  static Proto whole;
  static LClosure closure = {.p = &whole};
  memcpy(&whole, clLvalue(s2v(call->func.p))->p, offsetof(Proto, p));
  whole.upvalues = (Upvaldesc *)frozen_nameless;
  return &closure;
}
#undef ci_func
#define ci_func(call) whole_function(call)
#endif

#undef ldebug_c
#undef LUA_CORE
#include "ldebug.c"
