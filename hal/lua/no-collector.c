/*
 * A board collects no garbage: what its loop needs is made at boot, and stays. In place of Lua's collector, what the rest
 * of Lua calls of it. Nothing is in a list, and nothing is ever given back.
 */
#include "lua.h"

#include "lgc.h"
#include "lmem.h"
#include "lstate.h"

GCObject *luaC_newobjdt(lua_State *L, lu_byte tag, size_t size, size_t offset) {
  char *memory = (char *)luaM_newobject(L, novariant(tag), size);
  GCObject *object = (GCObject *)(memory + offset);
  object->marked = luaC_white(G(L));
  object->tt = tag;
  object->next = NULL;
  return object;
}

GCObject *luaC_newobj(lua_State *L, lu_byte tag, size_t size) {
  return luaC_newobjdt(L, tag, size, 0);
}

/* Lua asks for a step when it has made so much: it may ask again as late as it can. */
void luaC_step(lua_State *L) {
  luaE_setdebt(G(L), MAX_LMEM);
}

void luaC_fullgc(lua_State *L, int is_emergency) {
  (void)L, (void)is_emergency;
}

void luaC_fix(lua_State *L, GCObject *object) {
  (void)L, (void)object;
}

void luaC_barrier_(lua_State *L, GCObject *object, GCObject *value) {
  (void)L, (void)object, (void)value;
}

void luaC_barrierback_(lua_State *L, GCObject *object) {
  (void)L, (void)object;
}

void luaC_checkfinalizer(lua_State *L, GCObject *object, Table *metatable) {
  (void)L, (void)object, (void)metatable;
}

void luaC_freeallobjects(lua_State *L) {
  (void)L;
}

void luaC_changemode(lua_State *L, int mode) {
  (void)L, (void)mode;
}
