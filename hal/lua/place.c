/*
 * Every function here is a method: argument 1 is the table that it was called on, and means nothing.
 */
#include "place.h"

#include "arguments.h"
#include "crash.h"
#include "port.h"
#include "storage.h"
#include "watch.h"

static int clock_now(lua_State *L) {
  return give_integer(L, (int32_t)port_millis());
}

static int read_from(lua_State *L, enum port_uart uart) {
  int32_t room = integer_argument(L, 4);
  uint8_t *into = range_argument(L, 2, room);
  return give_integer(L, (int32_t)port_read(uart, into, (uint32_t)room));
}

static int write_to(lua_State *L, enum port_uart uart) {
  int32_t count = integer_argument(L, 4);
  const uint8_t *from = range_argument(L, 2, count);
  return give_integer(L, (int32_t)port_write(uart, from, (uint32_t)count));
}

static int set_baud(lua_State *L, enum port_uart uart) {
  int32_t baud = integer_argument(L, 2);
  return give_boolean(L, baud > 0 && port_set_baud(uart, (uint32_t)baud));
}

static int serial_read(lua_State *L) {
  return read_from(L, PORT_MODULE);
}

static int serial_write(lua_State *L) {
  return write_to(L, PORT_MODULE);
}

static int serial_lost(lua_State *L) {
  return give_integer(L, (int32_t)port_lost(PORT_MODULE));
}

static int serial_set_baud(lua_State *L) {
  return set_baud(L, PORT_MODULE);
}

static int console_read(lua_State *L) {
  return read_from(L, PORT_CONSOLE);
}

static int console_write(lua_State *L) {
  return write_to(L, PORT_CONSOLE);
}

static int console_lost(lua_State *L) {
  return give_integer(L, (int32_t)port_lost(PORT_CONSOLE));
}

static int console_set_baud(lua_State *L) {
  return set_baud(L, PORT_CONSOLE);
}

static int pins_configure(lua_State *L) {
  int32_t mode = integer_argument(L, 3);
  if (mode < PORT_INPUT || mode > PORT_OUTPUT) argument_error(L, OUT_OF_RANGE);
  return give_boolean(L, port_pin_configure(integer_argument(L, 2), (enum port_pin_mode)mode));
}

static int pins_write(lua_State *L) {
  port_pin_write(integer_argument(L, 2), boolean_argument(L, 3));
  return 0;
}

static int pins_read(lua_State *L) {
  return give_boolean(L, port_pin_read(integer_argument(L, 2)));
}

static int analog_read(lua_State *L) {
  return give_integer(L, port_analog(integer_argument(L, 2)));
}

static int entropy_next(lua_State *L) {
  return give_integer(L, (int32_t)(port_random() & INT32_MAX));
}

static int storage_load_record(lua_State *L) {
  int32_t room = integer_argument(L, 5);
  uint8_t *into = range_argument(L, 3, room);
  return give_integer(L, storage_load(integer_argument(L, 2), into, room));
}

static int storage_save_record(lua_State *L) {
  int32_t count = integer_argument(L, 5);
  const uint8_t *from = range_argument(L, 3, count);
  return give_boolean(L, storage_save(integer_argument(L, 2), from, count));
}

static int reset_hold(lua_State *L) {
  port_reset_line(boolean_argument(L, 2));
  return 0;
}

static int watchdog_start(lua_State *L) {
  int32_t timeout = integer_argument(L, 2);
  if (timeout < 100 || timeout > 8000) argument_error(L, OUT_OF_RANGE);
  watch_start((uint32_t)timeout);
  return 0;
}

static int watchdog_feed(lua_State *L) {
  (void)L;
  watch_feed();
  return 0;
}

/* StartCause of hal.ts. */
enum start_cause { POWER_ON, RESTART, WATCHDOG, CRASH };

static int system_cause(lua_State *L) {
  switch (crash_ended_last_run()) {
    case CRASH_NONE:
      break;
    case CRASH_WATCHDOG:
      return give_integer(L, WATCHDOG);
    default:
      return give_integer(L, CRASH);
  }
  switch (port_cause()) {
    case PORT_POWER_ON:
      return give_integer(L, POWER_ON);
    case PORT_RESTART:
      return give_integer(L, RESTART);
    default:
      return give_integer(L, WATCHDOG);
  }
}

static int system_id(lua_State *L) {
  static const char hex[] = "0123456789abcdef";
  int32_t room = integer_argument(L, 4);
  uint8_t *into = range_argument(L, 2, room);
  uint8_t id[16];
  int32_t characters = 2 * (int32_t)port_id(id);
  if (characters > room) characters = room;
  for (int32_t i = 0; i < characters; i += 1) into[i] = (uint8_t)hex[i % 2 == 0 ? id[i / 2] >> 4 : id[i / 2] & 15];
  return give_integer(L, characters);
}

static int system_crash(lua_State *L) {
  int32_t room = integer_argument(L, 4);
  uint8_t *into = range_argument(L, 2, room);
  return give_integer(L, (int32_t)crash_text((char *)into, (size_t)room));
}

static int system_forget_crash(lua_State *L) {
  (void)L;
  crash_forget();
  return 0;
}

static int system_restart(lua_State *L) {
  (void)L;
  port_restart();
}

static int system_boot_loader(lua_State *L) {
  return give_boolean(L, port_boot_loader());
}

static int idle(lua_State *L) {
  port_idle((uint32_t)integer_argument(L, 2));
  return 0;
}

static const struct function clock_functions[] = {{"now", clock_now}};
static const struct function serial_functions[] = {
    {"read", serial_read}, {"write", serial_write}, {"lost", serial_lost}, {"setBaud", serial_set_baud}};
static const struct function console_functions[] = {
    {"read", console_read}, {"write", console_write}, {"lost", console_lost}, {"setBaud", console_set_baud}};
static const struct function pins_functions[] = {
    {"configure", pins_configure}, {"write", pins_write}, {"read", pins_read}};
static const struct function analog_functions[] = {{"read", analog_read}};
static const struct function entropy_functions[] = {{"next", entropy_next}};
static const struct function storage_functions[] = {{"load", storage_load_record}, {"save", storage_save_record}};
static const struct function reset_functions[] = {{"hold", reset_hold}};
static const struct function watchdog_functions[] = {{"start", watchdog_start}, {"feed", watchdog_feed}};
static const struct function system_functions[] = {
    {"cause", system_cause},      {"id", system_id},           {"crash", system_crash},
    {"forgetCrash", system_forget_crash}, {"restart", system_restart}, {"bootLoader", system_boot_loader}};

static void push_functions(lua_State *L, const struct function *functions, size_t bytes) {
  int count = (int)(bytes / sizeof functions[0]);
  lua_createtable(L, 0, count);
  set_functions(L, functions, count);
}

#define PART(name) (push_functions(L, name##_functions, sizeof name##_functions), lua_setfield(L, -2, #name))

void place_push(lua_State *L) {
  lua_createtable(L, 0, 12);
  PART(clock);
  PART(serial);
  PART(console);
  PART(pins);
  PART(analog);
  PART(entropy);
  PART(storage);
  PART(watchdog);
  PART(system);
  push_functions(L, reset_functions, sizeof reset_functions);
  lua_pushboolean(L, port_reset_line_present());
  lua_setfield(L, -2, "present");
  lua_setfield(L, -2, "reset");
  lua_pushcfunction(L, idle);
  lua_setfield(L, -2, "idle");
}
