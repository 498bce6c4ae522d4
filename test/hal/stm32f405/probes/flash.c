/* Orders for the storage sectors: e0 erases, p8 programs 16 bytes of a pattern at 8 of area 0, r8 tells what is there. */
#include "port.h"
#include "runtime.h"
#include "say.h"

static uint32_t sum_of(uint32_t area) {
  const uint8_t *cells = port_flash_at(area);
  uint32_t sum = 0;
  for (uint32_t i = 0; i < port_flash_size(); i += 1) sum = sum * 31 + cells[i];
  return sum;
}

static void tell(uint32_t at) {
  const uint8_t *cells = port_flash_at(0) + at;
  for (uint32_t i = 0; i < 8; i += 1) {
    say_number(cells[i]);
    say(i < 7 ? "," : "\n");
  }
}

static bool program(uint32_t area, uint32_t at, uint8_t first) {
  uint8_t bytes[16];
  for (uint32_t i = 0; i < sizeof bytes; i += 1) bytes[i] = (uint8_t)(first + i);
  return port_flash_program(area, at, bytes, sizeof bytes);
}

static void obey(struct order order) {
  uint32_t began = port_millis();
  switch (order.letter) {
    case 'e':
      say_value("erased", port_flash_erase(order.number));
      break;
    case 'p':
      say_value("programmed", program(0, order.number, 1));
      break;
    case 'q':
      say_value("programmed", program(1, order.number, 100));
      break;
    case 'z':
      /* Ones where zeros are: cannot be. */
      say_value("programmed", program(0, order.number, 0xf0));
      break;
    case 'r':
      tell(order.number);
      break;
    case 's':
      say_value("sum", sum_of(order.number));
      break;
    case 'w':
      port_watchdog_start(order.number);
      say_value("watchdog", port_millis() - began);
      break;
    case 'm': {
      uint8_t byte;
      uint32_t count = 0;
      while (port_read(PORT_MODULE, &byte, 1) == 1) count += 1;
      say_value("module", count);
      break;
    }
    case 'S':
      port_restart();
  }
}

_Noreturn void runtime_main(void) {
  port_start();
  say_value("size", port_flash_size());
  say("ready\n");
  for (;;) obey(next_order());
}
