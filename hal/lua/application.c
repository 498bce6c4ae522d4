#include "application.h"

#include "bytes.h"
#include "checksum.h"
#include "frozen.h"

#include "lstring.h"

#define MAGIC 0x70706174u

/* As tools/build/bytecode.ts writes it. The bytecode follows, aligned to 8. */
struct header {
  uint32_t magic;
  uint32_t size;
  uint32_t build;
  uint32_t reserved;
};

#ifndef BOARD_LOADS_BYTECODE
const void *application_bytecode(void) {
  return NULL;
}
#endif

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

UpVal frozen_globals;

/* The upvalue that leads to the globals, and the buffers: what could not be made without a state. */
static void complete_frozen_things(lua_State *L) {
  frozen_globals = (UpVal){.tt = LUA_VUPVAL, .marked = FROZEN_MARK, .v = {&frozen_globals.u.value}};
  lua_pushglobaltable(L);
  setobj(L, &frozen_globals.u.value, s2v(L->top.p - 1));
  lua_getfield(L, LUA_REGISTRYINDEX, "bytes");
  struct Table *metatable = hvalue(s2v(L->top.p - 1));
  for (int i = 0; frozen_buffers[i] != NULL; i += 1) {
    frozen_buffers[i]->header = (Udata0){
        .tt = LUA_VUSERDATA, .marked = FROZEN_MARK, .len = frozen_buffer_sizes[i], .metatable = metatable};
  }
  lua_pop(L, 2);
}

#ifdef BOARD_LOADS_BYTECODE

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

static void push_loaded(lua_State *L, const struct header *header) {
  bytes_open_natives(L);
  struct piece piece = {(const char *)(header + 1), header->size};
  if (lua_load(L, give_once, &piece, "=app", "B") != LUA_OK) lua_error(L);
  lua_call(L, 0, 1);
  lua_getfield(L, -1, "default");
  lua_remove(L, -2);
}

#else

static void push_loaded(lua_State *L, const struct header *header) {
  (void)L, (void)header;
}

#endif

int32_t application_place(lua_State *L, lua_Debug *call) {
  if (application_bytecode() != NULL) return lua_getinfo(L, "l", call) == 0 ? -1 : call->currentline;
  const CallInfo *info = call->i_ci;
  return isLua(info) ? (int32_t)(info->u.l.savedpc - 1 - frozen_code) : -1;
}

const char *application_place_name(void) {
  return application_bytecode() == NULL ? " at" : " lines";
}

void application_push(lua_State *L) {
  const struct header *header = application_bytecode();
  if (header != NULL) {
    push_loaded(L, header);
    return;
  }
  complete_frozen_things(L);
  setobj2s(L, L->top.p, &frozen_application);
  L->top.p += 1;
}
