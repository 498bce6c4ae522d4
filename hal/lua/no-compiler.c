/*
 * A board runs bytecode only: in place of Lua's lexer and parser, what the rest of Lua calls of them. Text is refused
 * as a chunk before it gets here, by load mode "B".
 */
#include "lua.h"

#include "ldebug.h"
#include "llex.h"
#include "lparser.h"

void luaX_init(lua_State *L) {
  (void)L;
}

LClosure *luaY_parser(lua_State *L, ZIO *z, Table *anchor, Mbuffer *buff, Dyndata *dyd, const char *name,
                      int firstchar) {
  (void)z, (void)anchor, (void)buff, (void)dyd, (void)firstchar;
  luaG_runerror(L, "%s is not bytecode", name);
  return NULL;
}
