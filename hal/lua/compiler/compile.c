/*
 * The compiler that the build runs: Lua on standard input, bytecode for a board on standard output. It has the board's
 * 32-bit numbers, and leaves out what a board has no use for: the names of locals, upvalues and source. Line numbers
 * stay: a byte an instruction, in flash, and a crash can be led back to its line.
 */
#include <stdio.h>
#include <stdlib.h>

#include "lauxlib.h"
#include "lua.h"

#include "lobject.h"
#include "lstate.h"

static void forget_names(Proto *function) {
  function->source = NULL;
  function->sizelocvars = 0;
  for (int i = 0; i < function->sizeupvalues; i += 1) function->upvalues[i].name = NULL;
  for (int i = 0; i < function->sizep; i += 1) forget_names(function->p[i]);
}

static const char *read_input(lua_State *L, void *unused, size_t *size) {
  static char piece[65536];
  (void)L, (void)unused;
  *size = fread(piece, 1, sizeof piece, stdin);
  return *size == 0 ? NULL : piece;
}

static int write_output(lua_State *L, const void *bytes, size_t size, void *unused) {
  (void)L, (void)unused;
  return size > 0 && fwrite(bytes, 1, size, stdout) != size;
}

int main(void) {
  lua_State *L = luaL_newstate();
  if (L == NULL) return 1;
  lua_gc(L, LUA_GCSTOP);
  if (lua_load(L, read_input, NULL, "=app", "t") != LUA_OK) {
    fprintf(stderr, "%s\n", lua_tostring(L, -1));
    return 1;
  }
  forget_names(((const LClosure *)lua_topointer(L, -1))->p);
  if (lua_dump(L, write_output, NULL, 0) != 0 || fflush(stdout) != 0) {
    fprintf(stderr, "cannot write the bytecode\n");
    return 1;
  }
  return 0;
}
