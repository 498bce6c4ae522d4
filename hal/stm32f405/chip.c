#include "chip.h"

#include "parts.h"
#include "port.h"
#include "registers.h"

/* Says, across a reset, that the boot loader is wanted. Chance writes it once in 4 billion power-ons. */
#define BOOT_LOADER_WANTED 0xb007104du
static uint32_t wanted __attribute__((section(".noinit")));

static enum port_cause cause;

/* The boot loader wants the chip as a reset leaves it, with its own memory at address 0. */
static _Noreturn void enter_boot_loader(void) {
  part_set(RCC_APB2ENR, RCC_APB2ENR_SYSCFG);
  part_write(SYSCFG_MEMRMP, SYSCFG_MEMRMP_SYSTEM_FLASH);
  core_write(SCB_VTOR, 0);
  uint32_t stack = part_read(SYSTEM_MEMORY);
  uint32_t entry = part_read(SYSTEM_MEMORY + 4);
  __asm__ volatile("msr msp, %0\n bx %1" ::"r"(stack), "r"(entry));
  __builtin_unreachable();
}

void chip_leave_if_asked(void) {
  if (wanted != BOOT_LOADER_WANTED) return;
  wanted = 0;
  /* After power-on the magic is chance, not a wish. */
  if ((part_read(RCC_CSR) & RCC_CSR_SFTRSTF) != 0) enter_boot_loader();
}

/* A reset of any kind pulls the chip's own reset pin low too, so that flag says nothing. */
void chip_start(void) {
  uint32_t flags = part_read(RCC_CSR);
  part_set(RCC_CSR, RCC_CSR_RMVF);
  if ((flags & RCC_CSR_IWDGRSTF) != 0) cause = PORT_WATCHDOG;
  else if ((flags & RCC_CSR_SFTRSTF) != 0) cause = PORT_RESTART;
  else cause = PORT_POWER_ON;
}

enum port_cause port_cause(void) {
  return cause;
}

_Noreturn void port_restart(void) {
  __asm__ volatile("dsb" ::: "memory");
  core_write(SCB_AIRCR, SCB_AIRCR_RESET);
  for (;;) continue;
}

bool port_boot_loader(void) {
  wanted = BOOT_LOADER_WANTED;
  port_restart();
}

uint32_t port_id(uint8_t into[16]) {
  for (uint32_t word = 0; word < 3; word += 1) {
    uint32_t value = part_read(UNIQUE_ID + 4 * (2 - word));
    for (uint32_t byte = 0; byte < 4; byte += 1) into[4 * word + byte] = (uint8_t)(value >> (24 - 8 * byte));
  }
  return 12;
}
