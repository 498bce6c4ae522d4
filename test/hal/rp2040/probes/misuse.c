/* What no firmware may do: the emulator has to notice what a real chip would punish. */
#include "probe.h"

extern const uint16_t rom_function_table[1], rom_table_lookup[1];

#define REGISTER(address) (*(volatile uint32_t *)(address))

void runtime_tick(void) {
}

_Noreturn void crash_fault(uintptr_t pc, uintptr_t lr, uint32_t status) {
  (void)pc;
  (void)lr;
  (void)status;
  say("fault\n");
  for (;;) {
  }
}

static uintptr_t rom_function(char first, char second) {
  typedef uintptr_t (*lookup)(const uint16_t *table, uint32_t code);
  lookup find = (lookup)(uintptr_t)rom_table_lookup[0];
  return find((const uint16_t *)(uintptr_t)rom_function_table[0], (uint32_t)first | (uint32_t)second << 8);
}

static void obey(char command) {
  switch (command) {
    /* Returns into the flash, which takes commands now and no reads. */
    case 'x': ((void (*)(void))rom_function('E', 'X'))(); break;
    /* Erases without having taken the flash out of its reading mode. */
    case 'e':
      ((void (*)(uint32_t, size_t, uint32_t, uint8_t))rom_function('R', 'E'))(0x1f0000, 4096, 0x10000, 0xd8);
      break;
    case 'h':
      REGISTER(0x4000e000) = 1u << 23;
      REGISTER(0x40038000) = 0;
      break;
    case 't':
      REGISTER(0x4005802c) = 0;
      wait_ms(5);
      break;
    case 'q':
      REGISTER(0x180000f4) = 0;
      break;
    case 'r': ((void (*)(void))0x30000001)(); break;
    case 'w': REGISTER(0x10000000) = 0; break;
    default: break;
  }
  say("ok\n");
}

_Noreturn void runtime_main(void) {
  port_start();
  say("up\n");
  for (;;) obey(listen());
}
