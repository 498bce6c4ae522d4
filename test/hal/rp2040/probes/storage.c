/* Erases, programs and reads the storage areas. */
#include "probe.h"

void runtime_tick(void) {
}

_Noreturn void crash_fault(uintptr_t pc, uintptr_t lr, uint32_t status) {
  (void)pc;
  (void)lr;
  (void)status;
  port_restart();
}

static uint8_t pattern[600];

static void fill(void) {
  for (uint32_t at = 0; at < sizeof pattern; at += 1) pattern[at] = (uint8_t)(at * 7 + 3);
}

/* FNV-1a of an area. */
static uint32_t sum(uint32_t area) {
  uint32_t sum = 0x811c9dc5u;
  const uint8_t *bytes = port_flash_at(area);
  for (uint32_t at = 0; at < port_flash_size(); at += 1) sum = (sum ^ bytes[at]) * 0x01000193u;
  return sum;
}

static void obey(char command) {
  switch (command) {
    case 'g':
      tell("size", (int32_t)port_flash_size());
      say_hex((uint32_t)(uintptr_t)port_flash_at(0));
      say("\n");
      say_hex((uint32_t)(uintptr_t)port_flash_at(1));
      say("\n");
      break;
    case 'e':
    case 'E': tell("erased", port_flash_erase(command == 'e' ? 0 : 1)); break;
    /* From the middle of one page to the middle of the one after the next. */
    case 'p': tell("programmed", port_flash_program(0, 120, pattern, sizeof pattern)); break;
    /* Eight bytes beside them in the same page, and then over them: ones cannot come back. */
    case 'a': tell("programmed", port_flash_program(0, 8, pattern, 8)); break;
    case 'o': tell("programmed", port_flash_program(0, 120, pattern + 8, 8)); break;
    case 'v': tell("same", memcmp(port_flash_at(0) + 120, pattern, sizeof pattern) == 0); break;
    case 's':
      say_hex(sum(0));
      say("\n");
      say_hex(sum(1));
      say("\n");
      break;
    /* With the least patience that the watchdog has, shorter than an erasure takes. */
    case 'w':
      port_watchdog_start(100);
      tell("erased", port_flash_erase(1));
      for (uint32_t turn = 0; turn < 5; turn += 1) {
        wait_ms(50);
        port_watchdog_feed();
      }
      tell("programmed", port_flash_program(1, 0, pattern, 256));
      break;
    default: break;
  }
  if (command == 'w') {
    say("ok\n");
    for (;;) {
    }
  }
  say("ok\n");
}

_Noreturn void runtime_main(void) {
  fill();
  port_start();
  say("up\n");
  tell("cause", (int32_t)port_cause());
  for (;;) obey(listen());
}
