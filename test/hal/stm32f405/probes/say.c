#include "say.h"

#include "port.h"
#include "runtime.h"

static void say_byte(uint8_t byte) {
  while (port_write(PORT_CONSOLE, &byte, 1) == 0) port_idle(port_millis() + 1);
}

void say(const char *text) {
  while (*text != '\0') say_byte((uint8_t)*text++);
}

void say_number(uint32_t value) {
  char digits[10];
  uint32_t count = 0;
  do {
    digits[count++] = (char)('0' + value % 10);
    value /= 10;
  } while (value > 0);
  while (count > 0) say_byte((uint8_t)digits[--count]);
}

void say_value(const char *text, uint32_t value) {
  say(text);
  say("=");
  say_number(value);
  say("\n");
}

static uint8_t next_byte(void) {
  uint8_t byte = 0;
  while (port_read(PORT_CONSOLE, &byte, 1) == 0) port_idle(port_millis() + 1000);
  return byte;
}

struct order next_order(void) {
  struct order order = { .letter = (char)next_byte() };
  for (;;) {
    uint8_t byte = next_byte();
    if (byte < '0' || byte > '9') return order;
    order.number = 10 * order.number + (uint32_t)(byte - '0');
  }
}

static volatile uint32_t tick_count;

__attribute__((weak)) void runtime_tick(void) {
  tick_count = tick_count + 1;
}

__attribute__((weak)) _Noreturn void crash_fault(uintptr_t pc, uintptr_t lr, uint32_t status) {
  (void)pc, (void)lr, (void)status;
  port_restart();
}
