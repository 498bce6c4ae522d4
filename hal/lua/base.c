#include "base.h"

#include "arguments.h"

static int base_error(lua_State *L) {
  lua_settop(L, 1);
  return lua_error(L);
}

static int ipairs_next(lua_State *L) {
  lua_Integer index = integer_argument(L, 2) + 1;
  lua_pushinteger(L, index);
  return lua_geti(L, 1, index) == LUA_TNIL ? 1 : 2;
}

static int base_ipairs(lua_State *L) {
  lua_settop(L, 1);
  lua_pushcfunction(L, ipairs_next);
  lua_insert(L, 1);
  lua_pushinteger(L, 0);
  return 3;
}

static int pairs_next(lua_State *L) {
  lua_settop(L, 2);
  if (lua_next(L, 1)) return 2;
  lua_pushnil(L);
  return 1;
}

static int base_pairs(lua_State *L) {
  lua_settop(L, 1);
  if (!lua_istable(L, 1)) argument_error(L, "pairs of what is not a table");
  lua_pushcfunction(L, pairs_next);
  lua_insert(L, 1);
  lua_pushnil(L);
  return 3;
}

/* Only `select("#", …)`: TypeScriptToLua's require asks how many arguments a module got. */
static int base_select(lua_State *L) {
  return give_integer(L, lua_gettop(L) - 1);
}

static int base_tostring(lua_State *L) {
  lua_settop(L, 1);
  switch (lua_type(L, 1)) {
    case LUA_TNUMBER:
      lua_tostring(L, 1);
      return 1;
    case LUA_TSTRING:
      return 1;
    case LUA_TBOOLEAN:
      lua_pushstring(L, lua_toboolean(L, 1) ? "true" : "false");
      return 1;
    default:
      lua_pushstring(L, lua_typename(L, lua_type(L, 1)));
      return 1;
  }
}

static const struct function functions[] = {
    {"error", base_error},   {"ipairs", base_ipairs},     {"pairs", base_pairs},
    {"select", base_select}, {"tostring", base_tostring},
};

void base_open(lua_State *L) {
  lua_pushglobaltable(L);
  SET_FUNCTIONS(L, functions);
  lua_pop(L, 1);
}
