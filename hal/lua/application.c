#include "application.h"

#include "checksum.h"
#include "frozen.h"

#include "lfunc.h"
#include "lstring.h"

#define MAGIC 0x70706174u

/* As tools/build/bytecode.ts writes it. The bytecode follows, aligned to 8. */
struct header {
  uint32_t magic;
  uint32_t size;
  uint32_t build;
  uint32_t reserved;
};

__attribute__((weak)) const void *application_bytecode(void) {
  return NULL;
}

bool application_is_whole(void) {
  const struct header *header = application_bytecode();
  if (header == NULL) return true;
  return header->magic == MAGIC && checksum(0, header + 1, header->size) == header->build;
}

uint32_t application_build(void) {
  const struct header *header = application_bytecode();
  return header == NULL ? frozen_build : header->build;
}

/*
 * Lua looks a string up in a bucket of its table: to the few that it made itself when it started, the frozen ones of
 * that bucket are appended. Strings made later go before them, so no link within flash ever changes.
 *
 * The table must keep its size, since Lua writes every link anew when it changes: a count of strings far below zero
 * keeps it from growing, and an emergency collection does not make it shrink. No other collection is ever run.
 */
static void append_frozen_strings(lua_State *L) {
  stringtable *table = &G(L)->strt;
  luaS_resize(L, FROZEN_BUCKETS);
  table->nuse = INT_MIN / 2;
  for (int i = 0; i < FROZEN_BUCKETS; i += 1) {
    TString **link = &table->hash[i];
    while (*link != NULL) link = &(*link)->u.hnext;
    *link = (TString *)(uintptr_t)frozen_buckets[i];
  }
}

void application_prepare(lua_State *L) {
  if (application_bytecode() == NULL) append_frozen_strings(L);
}

/* As lua_load does: every upvalue a new one, and the first of them holds the table of globals. */
static void push_frozen(lua_State *L) {
  LClosure *closure = luaF_newLclosure(L, frozen_main->sizeupvalues);
  closure->p = (Proto *)(uintptr_t)frozen_main;
  setclLvalue2s(L, L->top.p, closure);
  L->top.p += 1;
  luaF_initupvals(L, closure);
  lua_pushglobaltable(L);
  setobj(L, closure->upvals[0]->v.p, s2v(L->top.p - 1));
  lua_pop(L, 1);
}

struct piece {
  const char *bytes;
  size_t size;
};

static const char *give_once(lua_State *L, void *data, size_t *size) {
  (void)L;
  struct piece *piece = data;
  *size = piece->size;
  piece->size = 0;
  return *size == 0 ? NULL : piece->bytes;
}

void application_push(lua_State *L) {
  const struct header *header = application_bytecode();
  if (header == NULL) {
    push_frozen(L);
    return;
  }
  struct piece piece = {(const char *)(header + 1), header->size};
  if (lua_load(L, give_once, &piece, "=app", "B") != LUA_OK) lua_error(L);
}
