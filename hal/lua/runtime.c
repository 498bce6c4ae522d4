#include "runtime.h"

#include <string.h>

#include "application.h"
#include "arena.h"
#include "base.h"
#include "bytes.h"
#include "crash.h"
#include "place.h"
#include "port.h"
#include "seed.h"
#include "stack.h"
#include "storage.h"
#include "lua-state.h"
#include "watch.h"

#include "lua.h"

#include "lstate.h"

/* Calls within calls, and Lua stack slots, that the loop may use: made at boot, since a sealed board cannot grow them. */
#define CALL_DEPTH 32
#define STACK_SLOTS 240
/* A board that cannot boot says why, and tries again after so long, in ms. */
#define BOOT_PAUSE 10000

lua_State *vm;

static void say(const char *text) {
  size_t left = strlen(text);
  const uint8_t *at = (const uint8_t *)text;
  while (left > 0) {
    uint32_t taken = port_write(PORT_CONSOLE, at, (uint32_t)left);
    at += taken;
    left -= taken;
    if (taken == 0) port_idle(port_millis() + 1);
  }
}

static void pause_boot(void) {
  uint32_t begin = port_millis();
  while (port_millis() - begin < BOOT_PAUSE) port_idle(port_millis() + 100);
}

static _Noreturn void cannot_boot(const char *reason) {
  say("\r\nmoth: ");
  say(reason);
  say("\r\n");
  pause_boot();
  port_restart();
}

/* What keeps a board from booting does so at every boot: said here, since no program gets to it. */
static void wait_before_next_try(void) {
  char text[257];
  size_t length = crash_text(text, sizeof text - 1);
  text[length] = '\0';
  say("\r\n");
  say(text);
  say("\r\nmoth: this happened before the board had booted; trying again in 10 s\r\n");
  pause_boot();
}

/* What Lua writes before a message instead of a place that it does not know. The record has the lines. */
#define NO_PLACE "?:?: "

/* Called where an error is raised, with the stack still as it was there. */
static int die_of_error(lua_State *L) {
  const char *message = lua_type(L, 1) == LUA_TSTRING ? lua_tostring(L, 1) : "not a text";
  if (strncmp(message, NO_PLACE, strlen(NO_PLACE)) == 0) message += strlen(NO_PLACE);
  crash_now(CRASH_ERROR, 0, message);
}

void arena_refused(size_t size) {
  crash_now(CRASH_ALLOCATION, (uint32_t)size, NULL);
}

void runtime_tick(void) {
  if (crash_in_progress()) return;
  if (!stack_is_whole()) crash_now(CRASH_STACK, 0, NULL);
  watch_tick();
}

/* Boots the application and leaves its board on the stack. */
static void boot(lua_State *L) {
  bytes_open(L);
  base_open(L);
  application_push(L);
  lua_getfield(L, -1, "boot");
  lua_insert(L, -2);
  place_push(L);
  lua_call(L, 2, 1);
}

/* Makes call records to the depth that the loop may need: Lua keeps them for the next time. */
static void deepen(lua_State *L) {
  CallInfo *here = L->ci;
  for (int depth = 0; depth < CALL_DEPTH; depth += 1) {
    if (L->ci->next == NULL) luaE_extendCI(L, 1);
    L->ci = L->ci->next;
    /* So that whoever looks at a record between its making and its use finds nothing to stumble over. */
    L->ci->func = here->func;
    L->ci->callstatus = CIST_C;
  }
  L->ci = here;
}

/* Makes sure that the loop finds all the room it may need. What booting left over stays: nothing is ever collected. */
static void settle(lua_State *L) {
  if (!lua_checkstack(L, STACK_SLOTS)) crash_now(CRASH_ALLOCATION, (uint32_t)arena_last_failure(), NULL);
  deepen(L);
  arena_seal();
}

/* The board is on top of the stack. */
static int loop(lua_State *L) {
  settle(L);
  for (;;) {
    lua_getfield(L, 1, "poll");
    lua_pushvalue(L, 1);
    lua_call(L, 1, 0);
  }
  return 0;
}

static int run(lua_State *L) {
  lua_settop(L, 0);
  lua_pushcfunction(L, loop);
  boot(L);
  lua_call(L, 1, 0);
  return 0;
}

void runtime_main(void) {
  stack_paint();
  port_start();
  crash_start();
  storage_start();
  if (!application_is_whole()) cannot_boot("the application is damaged: flash the board again");
  crash_set_build(application_build());
  if (crash_was_at_boot()) wait_before_next_try();
  arena_reset();
  vm = lua_newstate(arena_allocate, NULL, LUA_SEED);
  if (vm == NULL) cannot_boot("the arena is too small for Lua");
  /* There is no collector that could make room when memory runs out: Lua is not to try. */
  G(vm)->gcstopem = 1;
  lua_pushcfunction(vm, die_of_error);
  lua_pushcfunction(vm, run);
  lua_pcall(vm, 0, 0, 1);
  /* Lua tells no handler of memory that ran out: this is where such an error ends, and it can only be at boot. */
  crash_now(CRASH_ALLOCATION, (uint32_t)arena_last_failure(), NULL);
}

/* Lua's last resort, and the C library's. */
void abort(void) {
  crash_now(CRASH_ERROR, 0, "abort");
}
