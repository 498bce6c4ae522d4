/* What the probes share: small programs that use a port the way the runtime does, and tell on the console. */
#ifndef MOTH_PROBE_H
#define MOTH_PROBE_H

#include <string.h>
#include "port.h"
#include "runtime.h"

/* Waits until the ring has taken all of it. */
static inline void say_bytes(const uint8_t *bytes, uint32_t count) {
  uint32_t done = 0;
  while (done < count) done += port_write(PORT_CONSOLE, bytes + done, count - done);
}

static inline void say(const char *text) {
  say_bytes((const uint8_t *)text, strlen(text));
}

static inline void say_hex(uint32_t value) {
  char digits[9] = { 0 };
  for (uint32_t at = 0; at < 8; at += 1) digits[at] = "0123456789abcdef"[value >> (28 - 4 * at) & 15];
  say(digits);
}

static inline void say_number(int32_t value) {
  char digits[12] = { 0 };
  uint32_t at = sizeof digits - 1;
  uint32_t rest = value < 0 ? 0u - (uint32_t)value : (uint32_t)value;
  do {
    digits[--at] = (char)('0' + rest % 10);
    rest /= 10;
  } while (rest > 0);
  if (value < 0) digits[--at] = '-';
  say(digits + at);
}

/* "name=value" as a line. */
static inline void tell(const char *name, int32_t value) {
  say(name);
  say("=");
  say_number(value);
  say("\n");
}

static inline void wait_ms(uint32_t ms) {
  uint32_t until = port_millis() + ms;
  while ((int32_t)(port_millis() - until) < 0) port_idle(until);
}

/* The next character that is typed on the console. */
static inline char listen(void) {
  uint8_t typed;
  while (port_read(PORT_CONSOLE, &typed, 1) == 0) port_idle(port_millis() + 1000);
  return (char)typed;
}

#endif
