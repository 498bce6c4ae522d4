/*
 * The compiler that the build runs: Lua on standard input, what a board runs on standard output, as bytecode or frozen
 * (see freeze.h). It has the board's 32-bit numbers, and leaves out what a board has no use for: the names of locals,
 * upvalues and source. Line numbers stay in bytecode only; those of a frozen program are told separately, for a computer
 * to keep.
 */
#include <stdio.h>
#include <string.h>

#include "lauxlib.h"
#include "lua.h"

#include "lobject.h"

#include "base.h"
#include "bytes.h"
#include "freeze.h"
#include "seed.h"

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

static int complain(const char *what) {
  fprintf(stderr, "%s\n", what);
  return 1;
}

/* Sets the modules up, here instead of on the board, and leaves the application on the stack. NULL, or what went wrong. */
static const char *run_modules(lua_State *L) {
  bytes_open(L);
  bytes_open_natives(L);
  base_open(L);
  if (lua_pcall(L, 0, 1, 0) != LUA_OK) return lua_tostring(L, -1);
  if (lua_type(L, -1) != LUA_TTABLE) return "the bundle exports nothing";
  lua_getfield(L, -1, "default");
  return NULL;
}

int main(int argc, char **argv) {
  lua_State *L = lua_newstate(luaL_alloc, NULL, LUA_SEED);
  if (L == NULL) return complain("no memory");
  lua_gc(L, LUA_GCSTOP);
  if (lua_load(L, read_input, NULL, "=app", "t") != LUA_OK) return complain(lua_tostring(L, -1));
  Proto *main_function = ((const LClosure *)lua_topointer(L, -1))->p;
  forget_names(main_function);
  const char *problem = NULL;
  if (argc == 2 && strcmp(argv[1], "--bytecode") == 0) {
    if (lua_dump(L, write_output, NULL, 0) != 0) problem = "cannot write the bytecode";
  } else if (argc == 2 && strcmp(argv[1], "--frozen") == 0) {
    problem = run_modules(L);
    if (problem == NULL) problem = freeze(L);
  } else if (argc == 2 && strcmp(argv[1], "--lines") == 0) {
    problem = run_modules(L);
    if (problem == NULL) problem = freeze_lines(L);
  } else {
    problem = "say --bytecode, --frozen or --lines";
  }
  if (problem == NULL && fflush(stdout) != 0) problem = "cannot write what was compiled";
  return problem == NULL ? 0 : complain(problem);
}
