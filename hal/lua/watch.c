#include "watch.h"

#include <stdbool.h>

#include "crash.h"
#include "port.h"
#include "lua-state.h"

#include "lua.h"

/* How much longer the hardware waits than the software. */
#define HARDWARE_MARGIN 300
/* So long after it was asked to stop between two instructions, a program is stuck within one: in C. */
#define STUCK_IN_C 100

static volatile uint32_t timeout;
static volatile uint32_t fed_at;
static volatile bool asked_to_stop;

void watch_start(uint32_t ms) {
  fed_at = port_millis();
  timeout = ms;
  port_watchdog_start(ms + HARDWARE_MARGIN);
}

void watch_feed(void) {
  fed_at = port_millis();
  port_watchdog_feed();
}

static void stop_here(lua_State *L, lua_Debug *unused) {
  (void)L, (void)unused;
  crash_now(CRASH_WATCHDOG, 0, NULL);
}

void watch_tick(void) {
  if (timeout == 0) return;
  uint32_t hungry = port_millis() - fed_at;
  if (hungry <= timeout) return;
  if (!asked_to_stop && vm != NULL) {
    /* The one thing that Lua allows from an interrupt: the next instruction calls stop_here, which knows its line. */
    asked_to_stop = true;
    lua_sethook(vm, stop_here, LUA_MASKCALL | LUA_MASKRET | LUA_MASKLINE | LUA_MASKCOUNT, 1);
  }
  if (hungry > timeout + STUCK_IN_C) crash_now(CRASH_WATCHDOG, 0, NULL);
}
