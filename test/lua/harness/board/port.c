/*
 * The port of a board that a test plays, in the test's own time. Each function asks JavaScript; bytes go through one
 * buffer that both see. See `BoardPort` in board.ts.
 */
#include <setjmp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <node_api.h>

#include "arena.h"
#include "crash.h"
#include "port.h"
#include "runtime.h"

enum port_function {
  MILLIS, IDLE, READ, WRITE, CONFIGURE_PIN, WRITE_PIN, READ_PIN, ANALOG, RESET_LINE, RANDOM, RESTART, PORT_FUNCTIONS
};

static const char *const names[PORT_FUNCTIONS] = {
    "millis", "idle", "read", "write", "configurePin", "writePin", "readPin", "analog", "resetLine", "random", "restart"};

#define SHARED_SIZE 4096
#define FLASH_SIZE 16384u

static napi_env node;
static napi_value port;
static napi_value functions[PORT_FUNCTIONS];
static uint8_t *shared;
static uint8_t *flash;
static jmp_buf leave;

/* Calls a function of the port with up to three numbers. A JavaScript exception ends the run. */
static double ask(enum port_function which, size_t count, double a, double b, double c) {
  napi_handle_scope scope;
  napi_open_handle_scope(node, &scope);
  const double numbers[] = {a, b, c};
  napi_value values[3];
  for (size_t i = 0; i < count; i += 1) napi_create_double(node, numbers[i], &values[i]);
  napi_value answer;
  double number = 0;
  bool failed = napi_call_function(node, port, functions[which], count, values, &answer) != napi_ok;
  if (!failed) napi_get_value_double(node, answer, &number);
  napi_close_handle_scope(node, scope);
  if (failed) longjmp(leave, 1);
  return number;
}

void port_start(void) {}

uint32_t port_millis(void) {
  return (uint32_t)(int64_t)ask(MILLIS, 0, 0, 0, 0);
}

void port_idle(uint32_t until) {
  if (ask(IDLE, 1, (int32_t)until, 0, 0) != 0) longjmp(leave, 1);
}

uint32_t port_read(enum port_uart uart, uint8_t *into, uint32_t room) {
  uint32_t count = (uint32_t)ask(READ, 2, uart, room < SHARED_SIZE ? room : SHARED_SIZE, 0);
  memcpy(into, shared, count);
  return count;
}

uint32_t port_write(enum port_uart uart, const uint8_t *from, uint32_t count) {
  uint32_t most = count < SHARED_SIZE ? count : SHARED_SIZE;
  memcpy(shared, from, most);
  return (uint32_t)ask(WRITE, 2, uart, most, 0);
}

uint32_t port_lost(enum port_uart uart) {
  (void)uart;
  return 0;
}

bool port_set_baud(enum port_uart uart, uint32_t baud) {
  (void)uart, (void)baud;
  return true;
}

bool port_pin_configure(int32_t pin, enum port_pin_mode mode) {
  return ask(CONFIGURE_PIN, 2, pin, mode, 0) != 0;
}

void port_pin_write(int32_t pin, bool high) {
  ask(WRITE_PIN, 2, pin, high, 0);
}

bool port_pin_read(int32_t pin) {
  return ask(READ_PIN, 1, pin, 0, 0) != 0;
}

int32_t port_analog(int32_t channel) {
  return (int32_t)ask(ANALOG, 1, channel, 0, 0);
}

bool port_reset_line_present(void) {
  return true;
}

void port_reset_line(bool held) {
  ask(RESET_LINE, 1, held, 0, 0);
}

uint32_t port_random(void) {
  return (uint32_t)ask(RANDOM, 0, 0, 0, 0);
}

uint32_t port_id(uint8_t into[16]) {
  memcpy(into, "testboard", 8);
  return 8;
}

static enum port_cause cause = PORT_POWER_ON;

enum port_cause port_cause(void) {
  return cause;
}

void port_restart(void) {
  cause = PORT_RESTART;
  ask(RESTART, 0, 0, 0, 0);
  longjmp(leave, 1);
}

bool port_boot_loader(void) {
  return false;
}

void port_watchdog_start(uint32_t ms) {
  (void)ms;
}

void port_watchdog_feed(void) {}

uint32_t port_flash_size(void) {
  return FLASH_SIZE;
}

const uint8_t *port_flash_at(uint32_t area) {
  return flash + area * FLASH_SIZE;
}

bool port_flash_erase(uint32_t area) {
  memset(flash + area * FLASH_SIZE, 0xFF, FLASH_SIZE);
  return true;
}

bool port_flash_program(uint32_t area, uint32_t at, const uint8_t *from, uint32_t count) {
  uint8_t *into = flash + area * FLASH_SIZE + at;
  for (uint32_t i = 0; i < count; i += 1) into[i] &= from[i];
  return memcmp(into, from, count) == 0;
}

static void set_number(napi_env env, napi_value object, const char *name, double number) {
  napi_value value;
  napi_create_double(env, number, &value);
  napi_set_named_property(env, object, name, value);
}

static napi_value arena_report(napi_env env) {
  struct arena_stats stats = arena_stats();
  napi_value report;
  napi_create_object(env, &report);
  set_number(env, report, "size", (double)stats.size);
  set_number(env, report, "used", (double)stats.used);
  set_number(env, report, "peak", (double)stats.peak);
  set_number(env, report, "allocations", (double)stats.allocations);
  napi_get_boolean(env, arena_sealed(), &port);
  napi_set_named_property(env, report, "sealed", port);
  return report;
}

static uint8_t *bytes_of(napi_env env, napi_value array, size_t *size) {
  void *bytes = NULL;
  napi_get_typedarray_info(env, array, NULL, size, &bytes, NULL, NULL);
  return bytes;
}

static bool take_port(napi_env env, napi_value given) {
  node = env;
  port = given;
  napi_value array;
  size_t size = 0;
  if (napi_get_named_property(env, port, "shared", &array) != napi_ok) return false;
  shared = bytes_of(env, array, &size);
  if (shared == NULL || size != SHARED_SIZE) return false;
  if (napi_get_named_property(env, port, "flash", &array) != napi_ok) return false;
  flash = bytes_of(env, array, &size);
  if (flash == NULL || size != 2 * FLASH_SIZE) return false;
  for (int i = 0; i < PORT_FUNCTIONS; i += 1) {
    if (napi_get_named_property(env, port, names[i], &functions[i]) != napi_ok) return false;
  }
  return true;
}

/*
 * (port): boots the frozen application of this addon in the device runtime as it is, sealed arena and all, and turns
 * its loop until the port says stop or the board restarts. Gives what is known of the arena then. Once in the life of
 * an addon: what a reset would set right in RAM stays as the run left it.
 */
static napi_value run(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value given;
  napi_get_cb_info(env, info, &count, &given, NULL, NULL);
  if (!take_port(env, given)) {
    napi_throw_type_error(env, NULL, "this is no port: see BoardPort");
    return NULL;
  }
  if (setjmp(leave) == 0) runtime_main();
  bool failed = false;
  napi_is_exception_pending(env, &failed);
  return failed ? NULL : arena_report(env);
}

/* What the record of the crash that ended the run says; empty when there was none. */
static napi_value crash(napi_env env, napi_callback_info info) {
  (void)info;
  char text[257];
  crash_start();
  napi_value value;
  napi_create_string_latin1(env, text, crash_text(text, sizeof text), &value);
  return value;
}

static napi_value start(napi_env env, napi_value exports) {
  napi_value function;
  napi_create_function(env, "run", NAPI_AUTO_LENGTH, run, NULL, &function);
  napi_set_named_property(env, exports, "run", function);
  napi_create_function(env, "crash", NAPI_AUTO_LENGTH, crash, NULL, &function);
  napi_set_named_property(env, exports, "crash", function);
  return exports;
}

NAPI_MODULE(moth, start)
